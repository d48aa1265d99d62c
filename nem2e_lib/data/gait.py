"""Gait events from vertical ground reaction force."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CYCLES = ("right-right", "right-left", "left-left", "left-right")
"""Cycle definitions: from a heel strike of the first foot to the next of the second."""
BASELINES = ("swing", "off")
"""Whether a plate's zero is taken off where swing shows that it moves (`force.baseline`)."""


@dataclass(frozen=True)
class Limits:
    """How a contact is told, as docs/study.md says of ``[grf]``; `baseline` is one of `BASELINES`."""

    threshold_n: float = 20.0
    min_stance_s: float = 0.08
    min_swing_s: float = 0.08
    baseline: str = BASELINES[0]


def contacts(
    time: Array,
    force: Array,
    *,
    threshold_n: float = 20.0,
    min_stance_s: float = 0.08,
    min_swing_s: float = 0.08,
) -> list[tuple[float, float]]:
    """Return start and end of each contact of a foot with the ground, in s.

    A foot is on the ground while its vertical force exceeds the threshold; the moment of crossing is linear
    between samples. Gaps shorter than a swing are closed first, then contacts shorter than a stance left out.
    A contact already there at the first sample starts at -inf; one still there at the last ends at inf.

    Parameters
    ----------
    time, force : float64 arrays, shape (rows,)
        In s, never decreasing, and in N.
    """
    flanks = np.flatnonzero(np.diff(force > threshold_n, prepend=False, append=False))
    joined: list[tuple[float, float]] = []
    for rows in flanks.reshape(-1, 2).tolist():
        start, end = (_crossing(time, force, row, threshold_n) for row in rows)
        if joined and start - joined[-1][1] < min_swing_s:
            start = joined.pop()[0]
        joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= min_stance_s]


def _crossing(time: Array, force: Array, row: int, threshold: float) -> float:
    """Time between row - 1 and row at which force is at the threshold."""
    if row == 0:
        return -np.inf
    if row == len(time):
        return np.inf
    below, above = sorted((force[row - 1], force[row]))
    share = (threshold - below) / (above - below)
    share = share if force[row] > force[row - 1] else 1 - share
    return float(time[row - 1] + share * (time[row] - time[row - 1]))


def heel_strikes(time: Array, force: Array, **options: float) -> Array:
    """Return the times of heel strike in s: the starts of `contacts`, which also explains the options."""
    return np.array([start for start, _ in contacts(time, force, **options) if np.isfinite(start)])


def cycles(right: Array, left: Array, definition: str = "right-right") -> list[tuple[float, float]]:
    """Return start and end of gait cycles in s, from heel strikes of both feet.

    ``right-right`` runs from a right heel strike to the next right one; ``right-left`` to the next left one
    (Teramae et al. 2025, caption of Figure 3), provided it comes before the next right one. ``left-left`` and
    ``left-right`` are the same for the left foot.
    """
    first, second = (right, left) if definition.startswith("right") else (left, right)
    if definition in ("right-right", "left-left"):
        return list(pairwise(first.tolist()))
    pairs = []
    for start, limit in pairwise([*first, np.inf]):
        after = second[(second > start) & (second < limit)]
        if len(after):
            pairs.append((float(start), float(after[0])))
    return pairs


def why_no_strike(force: Array, threshold_n: float) -> str:
    """Say what about a foot's vertical force explains that it has no heel strike; empty if nothing does."""
    low, high = float(force.min()), float(force.max())
    if low == high == 0:
        return "its force is zero throughout"
    if high <= threshold_n < -low:
        return f"its force falls to {low:.4g} N and never rises above {high:.3g} N: its sign is turned"
    if 0 < high < 10:
        return f"its force never rises above {high:.3g}: it is in body weights, but newtons are expected"
    if high <= threshold_n:
        return f"its force never rises above {high:.3g} N"
    if low > threshold_n:
        return f"its force never falls below {low:.3g} N: take off the plate's offset or raise threshold_n"
    return ""
