"""Bursts of muscle activity in one gait cycle: when they begin, peak and end, and how much antagonists overlap.

A cycle is a circle: what is active at its end and at its start is one burst that crosses heel strike, and times differ
by 50 % of the cycle at most. Curves are taken as straight lines between their samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from nem2e_lib.data.families import canonical
from nem2e_lib.data.muscles import base, side

Array = NDArray[np.float64]

SHARE = 0.2
"""A muscle is active above its least value by this share of its range: a threshold at a share of the peak, as reviewed
by Hug & Dorel (2009, doi:10.1016/j.jelekin.2007.10.010), above the cycle's own least value."""
SHORTEST = 5.0
"""Least length of a burst, and of the gap between two, in % of the cycle: the second of two thresholds, as of Bonato et
al. (1998, doi:10.1109/10.661154), here about the spacing of 20 samples."""
TONIC = 0.25
"""Standard deviation over mean up to which activity has no bursts: noise of a steady muscle has up to .2."""
METHOD = (
    f"A burst lies above the cycle's least value by {100 * SHARE:g} % of its range (a share of the peak, Hug & Dorel "
    "2009, doi:10.1016/j.jelekin.2007.10.010), on straight lines between samples; bursts and gaps shorter than "
    f"{SHORTEST:g} % of the cycle do not count (the second of two thresholds, Bonato et al. 1998, "
    "doi:10.1109/10.661154); a burst may cross heel strike; a cycle whose standard deviation is at most "
    f"{TONIC:g} of its mean has none. A burst's peak time is the vertex of the parabola through its highest sample and "
    "the two beside it."
)
"""The method in words, for captions."""

SILENT, STEADY, BRIEF, ALWAYS, UNDEFINED = (
    "silent",
    "no modulation",
    "no burst long enough",
    "active throughout",
    "not a finite number",
)
"""Why a cycle has no burst."""


@dataclass(frozen=True)
class Burst:
    """One burst: onset, offset and peak from 0 to below 100 % of the cycle, its length in %, its highest sample."""

    onset: float
    offset: float
    length: float
    peak: float
    height: float

    @property
    def middle(self) -> float:
        """Halfway between onset and offset, in %."""
        return (self.onset + self.length / 2) % 100


def wrapped(difference: ArrayLike) -> Array:
    """Return a difference of times on the circle: from -50 to below 50 % of the cycle."""
    return np.asarray((np.asarray(difference, float) + 50) % 100 - 50)


def circular_mean(times: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Return the mean direction of times in % of the cycle, from -50 to 50; NaN of none (Mardia & Jupp 2000).

    Where the times cancel out, as 25 and 75 % do, no direction is a mean and NaN is returned.
    """
    angles = np.asarray(times, float) * 2 * np.pi / 100
    share = np.ones(len(angles)) if weights is None else np.asarray(weights, float)
    vector = (share * np.exp(1j * angles)).sum() / share.sum() if len(angles) and share.sum() > 0 else 0j
    return float(np.angle(vector) * 100 / (2 * np.pi)) if abs(vector) > 1e-9 else float("nan")


def bursts(curve: ArrayLike, *, share: float = SHARE, shortest: float = SHORTEST) -> tuple[list[Burst], str]:
    """Find the bursts of one cycle, as `METHOD` says.

    Parameters
    ----------
    curve
        Activity at points spread evenly from 0 to 100 % of the cycle, both ends included, shape (points,).
    share
        Threshold above the least value, as a share of the range.
    shortest
        Least length of bursts and gaps, in % of the cycle.

    Returns
    -------
    list of Burst, str
        Bursts in order of onset; where there is none, the reason instead.
    """
    values = np.asarray(curve, float)
    if reason := _why_none(values):
        return [], reason
    phase, low = np.linspace(0, 100, len(values)), values.min()
    level = low + share * (values.max() - low)
    spans = _without_short_gaps(_above(values, phase, level), shortest)
    if len(spans) == 1 and spans[0][1] > 100 - shortest:
        return [], ALWAYS
    kept = [span for span in spans if span[1] >= shortest]
    return [_burst(values, phase, level, *span) for span in kept], "" if kept else BRIEF


def _why_none(values: Array) -> str:
    if not np.isfinite(values).all():
        return UNDEFINED
    if values.max() <= 0:
        return SILENT
    return STEADY if values.std() <= TONIC * abs(values.mean()) else ""


def _above(values: Array, phase: Array, level: float) -> list[tuple[float, float]]:
    """Return onset and length of the spans above a level, in order of onset, on the circle."""
    on = values > level
    crossed = np.flatnonzero(on[1:] != on[:-1])
    steps = (level - values[crossed]) / (values[crossed + 1] - values[crossed])
    places = phase[crossed] + steps * (phase[crossed + 1] - phase[crossed])
    up = list(places[~on[crossed]])
    down = list(places[on[crossed]])
    if on[0] != on[-1]:  # the end and the start are one moment; cycles need not close
        (up if on[0] else down).insert(0, 0.0)
    found = []
    for start in up:
        later = [stop for stop in down if stop > start]
        stop = min(later) if later else down[0] + 100
        found.append((float(start), float(stop - start)))
    return found


def _without_short_gaps(spans: list[tuple[float, float]], shortest: float) -> list[tuple[float, float]]:
    merged = list(spans)
    while len(merged) > 1:
        ends = [(merged[(k + 1) % len(merged)][0] - start - length) % 100 for k, (start, length) in enumerate(merged)]
        k = int(np.argmin(ends))
        if ends[k] >= shortest:
            break
        start, length = merged[k]
        following = (k + 1) % len(merged)
        merged[k] = (start, length + ends[k] + merged[following][1])
        del merged[following]
    return merged


def _burst(values: Array, phase: Array, level: float, onset: float, length: float) -> Burst:
    inside = ((phase - onset) % 100 <= length) & (values > level)
    place = int(np.flatnonzero(inside)[values[inside].argmax()])
    return Burst(onset % 100, (onset + length) % 100, length, _vertex(values, place), float(values[place]))


def _vertex(values: Array, place: int) -> float:
    """Time of the vertex of the parabola through a sample and its neighbours, across heel strike at the ends."""
    last = len(values) - 1
    before = values[place - 1] if place > 0 else values[last - 1]
    after = values[place + 1] if place < last else values[1]
    bend = before - 2 * values[place] + after
    shift = np.clip((before - after) / (2 * bend), -0.5, 0.5) if bend < 0 else 0.0
    return float((place + shift) * 100 / last % 100)


def matched(measured: list[Burst], estimate: list[Burst]) -> list[tuple[Burst, Burst]]:
    """Pair bursts one to one, so that the distances between their middles add up to the least.

    Of the longer list some stay without a partner: bursts that an estimate misses, or has too many.
    """
    if not measured or not estimate:
        return []
    distance = np.abs(wrapped([[theirs.middle - own.middle for theirs in estimate] for own in measured]))
    return [(measured[i], estimate[j]) for i, j in zip(*linear_sum_assignment(distance), strict=True)]


# --- co-contraction of antagonists ---

ANTAGONISTS = {
    "ankle": (("tib_ant",), ("soleus", "med_gas", "lat_gas")),
    "knee": (("rect_fem", "vas_med", "vas_int", "vas_lat"), ("bifemlh", "semimem", "semiten")),
}
"""Muscles on either side of a joint, by gait2392's names: dorsiflexors and plantarflexors, extensors and flexors."""
INDICES = {
    "overlap": "twice the common area under both curves over the sum of their areas, 0 to 1 (Falconer & Winter 1985, "
    "Electromyogr Clin Neurophysiol 25:135-149, which has no DOI)",
    "rudolph": "mean of lower over higher times their sum (Rudolph et al. 2000, doi:10.1007/s001670000130)",
}
"""Measures of co-contraction."""


@lru_cache
def _joint_side(target: str) -> tuple[str, int, str]:
    muscle = canonical(target) or target
    for joint, groups in ANTAGONISTS.items():
        for which, group in enumerate(groups):
            if base(muscle) in group:
                return joint, which, side(muscle)
    return "", 0, ""


def antagonists(targets: list[str]) -> list[tuple[str, int, int]]:
    """Return joint and places of every two muscles that work against each other on one leg, by their function.

    Parameters
    ----------
    targets
        Muscle that each channel measures, under any family's names.
    """
    where = [_joint_side(str(target)) for target in targets]
    return [
        (joint, i, j)
        for i, (joint, first, leg) in enumerate(where)
        for j, other in enumerate(where)
        if joint and first == 0 and other == (joint, 1, leg)
    ]


def overlap(a: ArrayLike, b: ArrayLike) -> Array:
    """Return Falconer & Winter's index of curves over the last axis; NaN where both are silent.

    What is below 0 counts as 0. Areas are by the trapezium rule.
    """
    first, second = (np.maximum(np.asarray(x, float), 0) for x in (a, b))
    common, total = np.trapezoid(np.minimum(first, second)), np.trapezoid(first + second)
    return np.asarray(np.divide(2 * common, total, out=np.full(np.shape(total), np.nan), where=total > 0))


def rudolph(a: ArrayLike, b: ArrayLike) -> Array:
    """Return Rudolph's index of curves over the last axis, in units of the activity; 0 where both are silent."""
    first, second = (np.maximum(np.asarray(x, float), 0) for x in (a, b))
    low, high = np.minimum(first, second), np.maximum(first, second)
    ratio = np.divide(low, high, out=np.zeros_like(high), where=high > 0)
    return np.asarray((ratio * (low + high)).mean(axis=-1))
