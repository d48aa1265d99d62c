"""A refiner fitted to one person by a few own cycles: gain, delay and shape, each shrunk towards the refiner.

What own cycles show of a person is their mean, and how far it is believed is learned from people whom the refiner had
not seen: from the variance between people, between the circumstances (speeds, conditions) of a person, and between the
cycles of a circumstance. Of what n own cycles of m circumstances show,

    share = people / (people + circumstances / m + cycles / n)

is taken over: the best linear prediction in a model of random effects (Robinson 1991, doi:10.1214/ss/1177011926) with
variances that are estimated (empirical Bayes: Efron & Morris 1975, doi:10.1080/01621459.1975.10479864). Where people do
not differ, the refiner stays as it is. That is the person's at any circumstance; where it is said that own cycles and
what will be refined are of one circumstance, what this does to the person is taken over, too (`same`).

All functions are of one muscle; curves have the shape (cycles, samples).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.str_]

DELAYS_MS = np.arange(-100.0, 101.0, 10.0)
"""Delays of a person's EMG against the refiner's that are tried: those between muscles and force differ by less
between people (30 to 100 ms: Cavanagh & Komi 1979, doi:10.1007/BF00431022)."""
SHAPE: tuple[str, ...] = ("shape",)
"""Stages of an adaptation where no other are shown to pay."""
OTHERS: tuple[tuple[str, ...], ...] = ((), ("gain",), ("gain", "shape"), ("delay", "gain", "shape"))
"""Stages that are tried instead."""
SHOWN = 2.0
"""Standard errors by which they must do better: several are tried, and people who tell are few."""


@dataclass(frozen=True)
class Seen:
    """Cycles of one muscle with measured EMG.

    Attributes
    ----------
    predicted, measured
        What a refiner that had not seen them makes of them, and their EMG, shape (cycles, samples).
    duration_s, unit, circumstance
        Of each cycle, shape (cycles,): how long it lasts, whose it is (a person, or what stands for one where there is
        one alone), and at which speed, in which condition.
    """

    predicted: Array
    measured: Array
    duration_s: Array
    unit: Labels
    circumstance: Labels

    def __len__(self) -> int:
        """Return the number of cycles."""
        return len(self.predicted)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Seen:
        """Return the cycles of a mask or of indices."""
        return Seen(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class Spread:
    """Variances around the refiner: between people, between circumstances of a person, between cycles of one."""

    people: float
    circumstances: float
    cycles: float

    def share(self, circumstance: Labels, same: bool = False) -> float:
        """Return which share of the mean over own cycles is taken over, 0 to 1.

        Parameters
        ----------
        circumstance
            Of each own cycle, shape (cycles,). Circumstances count alike (`balanced`), and so do the cycles of one, so
            that cycles / n holds where each has as many.
        same
            Whether they are of one circumstance, for which alone the adaptation is.
        """
        counts = np.unique(circumstance, return_counts=True)[1]
        noise = self.cycles * float((1.0 / counts).sum()) / len(counts) ** 2
        kept = self.people + self.circumstances if same else self.people
        noise += 0.0 if same else self.circumstances / len(counts)
        return kept / (kept + noise) if kept > 0 else 0.0


@dataclass(frozen=True)
class Priors:
    """What left-out people tell of a muscle.

    Attributes
    ----------
    gain, delay_ms, shape : Spread
        Of a cycle's gain around 1, of its delay around 0 (ms²), and of the curve that these leave (the mean over
        samples, in the unit of the EMG, squared).
    stages : tuple of str
        Which of these an adaptation uses (`paying`).
    units : int
        How many left-out people have more than one cycle: nobody else tells how people differ.
    """

    gain: Spread
    delay_ms: Spread
    shape: Spread
    stages: tuple[str, ...]
    units: int


@dataclass(frozen=True)
class Adaptation:
    """What is done to a muscle's refined curves.

    Attributes
    ----------
    gain : float
    delay_ms : float
        Positive where the person's EMG is earlier than the refiner's.
    shape : tuple of float
        The curve that is added, at each sample, in the unit of the EMG.
    """

    gain: float
    delay_ms: float
    shape: tuple[float, ...]

    def apply(self, predicted: Array, duration_s: Array) -> Array:
        """Return refined cycles as the person has them, shape (cycles, samples)."""
        return self.gain * earlier(predicted, duration_s, self.delay_ms) + np.asarray(self.shape)


def fit(own: Seen, priors: Priors, same: bool = False) -> Adaptation:
    """Fit a refiner's curves to a person by own cycles; without any, they stay as they are. `same`: see `Spread`."""
    gain, delay = 1.0, 0.0
    shape: Array = np.zeros(own.predicted.shape[1])
    if not len(own):
        return Adaptation(gain, delay, tuple(shape.tolist()))
    told = own.circumstance
    if "gain" in priors.stages or "delay" in priors.stages:
        gains, delays = each(own, DELAYS_MS if "delay" in priors.stages else (0.0,))
        if "gain" in priors.stages:
            gain += priors.gain.share(told, same) * float(balanced(gains - 1.0, told))
        delay = priors.delay_ms.share(told, same) * float(balanced(delays, told))
    if "shape" in priors.stages:
        left = own.measured - gain * earlier(own.predicted, own.duration_s, delay)
        shape = priors.shape.share(told, same) * balanced(left, told)
    return Adaptation(gain, delay, tuple(shape.tolist()))


def earlier(predicted: Array, duration_s: Array, delay_ms: float) -> Array:
    """Return curves earlier by a delay, wrapping around the cycle."""
    if delay_ms == 0:
        return predicted
    from nem2e_lib.rivals.classical import (
        shifted,
    )  # with scikit-learn, which a refiner that moves nothing need not load

    by = (predicted.shape[1] - 1) * delay_ms / 1000.0 / duration_s
    return shifted(predicted[..., None], by)[..., 0]


def each(seen: Seen, delays_ms: Sequence[float] | Array) -> tuple[Array, Array]:
    """Return gain and delay (ms) of every cycle by least squares, shape (cycles,) each; 1 where a curve is 0."""
    tried = np.asarray(delays_ms, float)
    curves = np.stack([earlier(seen.predicted, seen.duration_s, float(delay)) for delay in tried])
    power, product = (curves**2).sum(axis=-1), (curves * seen.measured).sum(axis=-1)
    gains = np.divide(product, power, out=np.ones_like(power), where=power > 0)
    best = (gains**2 * power - 2 * gains * product).argmin(axis=0)
    return gains[best, np.arange(len(best))], tried[best]


def balanced(values: Array, circumstance: Labels) -> Array:
    """Return the mean over circumstances of the mean over their cycles, shape values.shape[1:]."""
    means = [values[circumstance == one].mean(axis=0) for one in np.unique(circumstance)]
    return np.asarray(np.mean(means, axis=0))


def spread(values: Array, unit: Labels, circumstance: Labels) -> Spread:
    """Estimate variances around 0 from products of pairs of cycles, out of which what is particular to one falls.

    Two cycles of a person at different circumstances have the person in common; at the same one, what it does to the
    person too; a cycle has everything in common with itself. People count alike, at each of these as far as they have
    such pairs. Where nobody has two circumstances, what these do cannot be told from the person and counts as such;
    where nobody has two cycles, nothing is known of people, who then count as equal.

    Parameters
    ----------
    values
        By how much cycles differ from the refiner, shape (cycles,), or (cycles, samples), of which the mean is taken.
    unit, circumstance
        Person and circumstance of each cycle, shape (cycles,).
    """
    rows = values.reshape(len(values), -1)
    found: dict[str, list[float]] = {"whole": [], "same": [], "other": []}
    for one in np.unique(unit):
        own, told = rows[unit == one], circumstance[unit == one]
        products, itself = own @ own.T / rows.shape[1], np.eye(len(own), dtype=bool)
        alike = told[:, None] == told
        for name, pairs in (("whole", itself), ("same", alike & ~itself), ("other", ~alike)):
            found[name] += [float(products[pairs].mean())] if pairs.any() else []
    whole, same, other = (float(np.mean(means)) if means else None for means in found.values())
    assert whole is not None
    if same is None and other is None:
        return Spread(0.0, whole, 0.0)
    together = whole if same is None else min(max(same, 0.0), whole)
    people = together if other is None else min(max(other, 0.0), together)
    return Spread(people, together - people, whole - together)


def priors(left_out: Seen, stages: Sequence[str]) -> Priors:
    """Return how people differ from what a refiner that had not seen them makes of their cycles.

    Parameters
    ----------
    left_out
        Cycles of several people.
    stages
        Which stages will be used: the curve to be added is what the others leave.
    """
    return _priors(left_out, stages, *each(left_out, DELAYS_MS if "delay" in stages else (0.0,)))


def _priors(left_out: Seen, stages: Sequence[str], gains: Array, delays: Array) -> Priors:
    told = left_out.unit, left_out.circumstance
    gain, delay = spread(gains - 1.0, *told), spread(delays, *told)
    first = Priors(gain, delay, Spread(0.0, 0.0, 0.0), tuple(name for name in stages if name != "shape"), 0)
    left = left_out.measured - left_out.predicted
    for one in np.unique(left_out.unit) if first.stages else ():
        own = left_out.take(left_out.unit == one)
        left[left_out.unit == one] = own.measured - fit(own, first).apply(own.predicted, own.duration_s)
    counts = np.unique(left_out.unit, return_counts=True)[1]
    return Priors(gain, delay, spread(left, *told), tuple(stages), int((counts > 1).sum()))


def paying(muscles: Sequence[Seen]) -> tuple[str, ...]:
    """Choose the stages of an adaptation on left-out people: shape, unless others are shown to do better.

    Each person in turn is adapted to by one own cycle with the variances of the others, and judged on the person's
    cycles of other circumstances, or where there are none, on the other cycles. Of the stages in `OTHERS` the best
    takes the place of `SHAPE` if its error is less by more than `SHOWN` standard errors over people.

    Parameters
    ----------
    muscles
        Held-out cycles of each muscle.
    """
    base = _one_cycle_errors(muscles, SHAPE)
    best, least = SHAPE, 0.0
    for stages in OTHERS:
        change = _one_cycle_errors(muscles, stages) - base
        change = change[np.isfinite(change)]
        mean = float(change.mean()) if len(change) > 1 else 0.0
        if len(change) > 1 and mean < least and -mean > SHOWN * change.std(ddof=1) / len(change) ** 0.5:
            best, least = stages, mean
    return best


def _one_cycle_errors(muscles: Sequence[Seen], stages: tuple[str, ...]) -> Array:
    """Error of each person after adapting by one own cycle, as a share of that before; the mean over muscles."""
    units = np.unique(np.concatenate([seen.unit for seen in muscles]))
    shares = np.full((len(muscles), len(units)), np.nan)
    for row, seen in enumerate(muscles):
        gains, delays = each(seen, DELAYS_MS if "delay" in stages else (0.0,))
        for column, one in enumerate(units):
            own, others = seen.unit == one, seen.unit != one
            if own.sum() > 1 and others.any():
                known = _priors(seen.take(others), stages, gains[others], delays[others])
                shares[row, column] = _share(seen.take(own), known)
    counts = np.isfinite(shares).sum(axis=0)
    return np.where(counts > 0, np.nansum(shares, axis=0) / np.maximum(counts, 1), np.nan)


def _share(own: Seen, known: Priors) -> float:
    after, before = 0.0, 0.0
    for cycle, circumstance in enumerate(own.circumstance):
        others = own.circumstance != circumstance
        judged = own.take(others if others.any() else np.arange(len(own)) != cycle)
        found = fit(own.take(np.array([cycle])), known).apply(judged.predicted, judged.duration_s)
        after += float(rmse(found, judged.measured).mean())
        before += float(rmse(judged.predicted, judged.measured).mean())
    return after / before if before > 0 else np.nan


def rmse(one: Array, other: Array) -> Array:
    """Root mean square difference of each cycle, shape (cycles,)."""
    return np.asarray(np.sqrt(((one - other) ** 2).mean(axis=-1)))
