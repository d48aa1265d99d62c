"""How far cycles lie from those that a refiner was trained on, and how far people lie whom training did not see.

A cycle is held against the mean curve of every muscle that is read, in six ways (`MEASURES`). Their limits are set by
people who were left out of training one by one: a distance of 1 is as far as the farthest of them lay from the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.training.units import unit_name, units_said

Array = NDArray[np.float64]

PATTERN, MUSCLE, AMPLITUDE, TIMING, ROUGHNESS, DURATION = MEASURES = (
    "pattern",
    "muscle",
    "amplitude",
    "timing",
    "roughness",
    "duration",
)
"""Ways to be far, see `Reach.measures`."""
OVER_MUSCLES = (PATTERN, AMPLITUDE, TIMING, ROUGHNESS)
"""Those taken over all muscles: with fewer muscles they scatter more than their limits know."""
LEAST = {PATTERN: 0.5, MUSCLE: 0.5, AMPLITUDE: 0.05, TIMING: 1.0, ROUGHNESS: 0.1, DURATION: 0.03}
"""Size of each measure that is no difference: no scale or limit is less, as where all cycles of training are one."""
_LEAST = np.array(list(LEAST.values()))
FLOOR = 0.02
"""Activation that is no difference: about the least that simulations leave a muscle."""
UNITS = 3
"""Units (people, or what else evaluation leaves out) that training needs, so that others may be judged by them."""
SHARE = 0.95
"""Of new units that are to lie within, where there are enough in training to say so."""
POWER = 4
"""Of the norm that makes one distance of all measures: near the largest, more where several are large."""
_FINE = 16
"""Steps between two samples in which a delay is looked for."""


@dataclass(frozen=True)
class Limits:
    """What units that were left out say of distances, numbers alone.

    Attributes
    ----------
    limits : dict
        Size of each measure that is a distance of 1 by itself.
    unit : str
        What was left out one by one: subject, speed, condition or block.
    units : int
        How many of them.
    beyond : int or None
        How many of them lie beyond 1 where the others alone set the limits; None where these are too few.
    seconds : float
        Duration of a cycle, geometric mean.
    """

    limits: dict[str, float]
    unit: str
    units: int
    beyond: int | None
    seconds: float

    @property
    def one(self) -> str:
        """What a distance of 1 means, in words."""
        said = units_said(self.units, self.unit)
        if rank(self.units) == self.units:
            return f"1 is as far as the farthest of {said} of training, each left out once, lay from the others"
        return (
            f"1 is as far as {SHARE:.0%} of {unit_name(self.unit, 2)} lie from the others, by {said} left out once each"
        )

    def of_fewer(self) -> Limits:
        """Return what still holds where fewer muscles are read.

        Of fewer muscles the farthest is no farther, so that its limit still holds; those of measures that are taken
        over muscles (`OVER_MUSCLES`) do not, and these are judged no more.
        """
        kept = {name: limit for name, limit in self.limits.items() if name not in OVER_MUSCLES}
        return replace(self, limits=kept)

    @property
    def alarms(self) -> str:
        """How many of those left out lay beyond, in words; empty where it is not known."""
        if self.beyond is None:
            return ""
        return f"{self.beyond} of {units_said(self.units, self.unit)} left out lay beyond what the others set"


@dataclass(frozen=True, eq=False)
class Distances:
    """How far cycles lie from training.

    Attributes
    ----------
    total : array
        Shape (cycles,): norm of `shares` (`POWER`); a cycle beyond 1 is outside training.
    measures : array
        Shape (cycles, measures), in the order of `MEASURES`, as `Reach.measures` gives them.
    shares : array
        Same shape: the size of each as a share of its limit; not a number where it is not judged.
    muscles : array
        Shape (cycles, muscles): departure of each muscle's curve, in standard deviations between units of training.
    """

    total: Array
    measures: Array
    shares: Array
    muscles: Array

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Which cycles lie outside training, shape (cycles,)."""
        return np.asarray(self.total > 1)

    def foremost(self, cycle: int) -> str:
        """Return the measure by which a cycle is farthest."""
        return MEASURES[int(np.nanargmax(self.shares[cycle]))]


@dataclass(frozen=True, eq=False)
class Reach:
    """Training cycles, as far as distances need them.

    Attributes
    ----------
    mean, spread : array
        Mean activation, and standard deviation between units, shape (samples, muscles).
    told : Limits
    """

    mean: Array
    spread: Array
    told: Limits

    def measures(self, activation: Array, seconds: Array) -> tuple[Array, Array]:
        """Return how far cycles are by each measure, and each muscle's departure.

        - pattern: root mean square over muscles and samples of the departure from the mean curve, in standard
          deviations between units;
        - muscle: the same of the one muscle that departs most;
        - amplitude: logarithm of mean activation over that of training;
        - timing: delay of all muscles together behind the mean curves, in % of the cycle (-50 to 50): where their
          circular cross-correlation, summed over muscles that are each divided by their spread, is largest;
        - roughness: mean over muscles of the logarithm of the root mean square second difference over that of the
          mean curve;
        - duration: logarithm of the duration over that of training.

        Parameters
        ----------
        activation
            Shape (cycles, samples, muscles), from 0 to 100 % of the cycle.
        seconds
            Duration of each cycle.

        Returns
        -------
        tuple
            Shapes (cycles, measures) and (cycles, muscles).
        """
        departures = np.sqrt((((activation - self.mean) / self.spread) ** 2).mean(axis=1))
        found = {
            PATTERN: np.sqrt((departures**2).mean(axis=1)),
            MUSCLE: departures.max(axis=1),
            AMPLITUDE: np.log(_level(activation) / _level(self.mean)),
            TIMING: self._delay(activation),
            ROUGHNESS: np.log(_bend(activation) / _bend(self.mean)).mean(axis=1),
            DURATION: np.log(seconds / self.told.seconds),
        }
        return np.stack([found[name] for name in MEASURES], axis=1), departures

    def distances(self, activation: Array, seconds: Array) -> Distances:
        """Return how far cycles lie from training; arguments as for `measures`."""
        found, muscles = self.measures(activation, seconds)
        shares = np.abs(found) / np.array([self.told.limits.get(name, np.nan) for name in MEASURES])
        return Distances(_norm(np.nan_to_num(shares)), found, shares, muscles)

    def _delay(self, activation: Array) -> Array:
        # The last sample is the first of the next cycle, and no part of the circle.
        own, mean = (each[..., :-1, :] for each in (activation, self.mean))
        weights = 1 / (self.spread**2).mean(axis=0)
        spectrum = (np.fft.rfft(own, axis=1) * np.fft.rfft(mean, axis=0).conj() * weights).sum(axis=2)
        spectrum[:, 0] = 0  # of departures from each muscle's level
        steps = _FINE * len(mean)
        at = np.fft.irfft(spectrum, steps, axis=1).argmax(axis=1) / steps * 100
        return np.where(at > 50, at - 100, at)


def _level(curves: Array) -> Array:
    """Mean over samples and muscles, never 0."""
    return np.asarray(curves.mean(axis=(-2, -1)).clip(min=FLOOR / 10))


def _bend(curves: Array) -> Array:
    """Root mean square second difference over samples, never 0."""
    return np.asarray(np.sqrt((np.diff(curves, 2, axis=-2) ** 2).mean(axis=-2)) + FLOOR / 4)


def _norm(shares: Array) -> Array:
    return np.asarray((shares**POWER).sum(axis=-1) ** (1 / POWER))


class _Training:
    """Cycles of training by unit, and what is needed to leave units out without a second look at all cycles."""

    def __init__(self, activation: list[Array], seconds: list[Array], unit: str) -> None:
        self.activation, self.seconds, self.unit = activation, seconds, unit
        self.means = np.stack([each.mean(axis=0) for each in activation])
        self.squares = np.stack([(each**2).mean(axis=0) for each in activation])
        self.log_seconds = np.array([np.log(each).mean() for each in seconds])

    def without(self, *left_out: int) -> Reach:
        """Return mean and spread of the other units, each of which counts alike, without limits."""
        kept = [unit for unit in range(len(self.activation)) if unit not in left_out]
        mean = self.means[kept].mean(axis=0)
        square = (self.squares[kept].mean(axis=0) - mean**2).clip(min=0)
        # Few units know the spread at a sample badly: half of it is that of the muscle's whole curve.
        variance = (square + square.mean(axis=0)) / 2 * len(kept) / (len(kept) - 1)
        seconds = float(np.exp(self.log_seconds[kept].mean()))
        return Reach(mean, np.sqrt(variance + FLOOR**2), Limits({}, self.unit, len(kept), None, seconds))

    def sizes(self, unit: int, *, without: Iterable[int]) -> Array:
        """Return the size of each measure of a unit's cycles, held against others, shape (cycles, measures)."""
        return np.abs(self.without(*without).measures(self.activation[unit], self.seconds[unit])[0])


def learn(activation: Array, seconds: Array, units: NDArray[np.integer], unit: str = "subject") -> Reach | None:
    """Learn from the cycles of training how far others may be.

    Each unit is left out in turn and held against the others. A measure's scale is the mean plus two standard
    deviations, over units, of its size in their farthest cycle; a unit's distance is the norm of its sizes on the
    scales that the other units set. The distance of the farthest unit becomes 1, or from 19 units on that within which
    95 % of new ones are expected (the quantile of conformal prediction; Vovk et al. 2005, doi:10.1007/b106715). If
    people are exchangeable, one in units + 1, or 5 %, lies beyond. How many really do is counted: each unit once more,
    held against limits that come of the others alone.

    Parameters
    ----------
    activation
        Shape (cycles, samples, muscles), from 0 to 100 % of the cycle.
    seconds
        Duration of each cycle.
    units
        Of which unit each cycle is.
    unit
        What a unit is.

    Returns
    -------
    Reach or None
        None with fewer than three units.
    """
    names = np.unique(units)
    if len(names) < UNITS:
        return None
    training = _Training([activation[units == n] for n in names], [seconds[units == n] for n in names], unit)
    every = range(len(names))
    sizes = [training.sizes(each, without=[each]) for each in every]
    beyond = None
    if len(names) > UNITS:
        among = [[training.sizes(other, without=[each, other]) for other in every if other != each] for each in every]
        beyond = sum(_farthest(own, _limits(others)) > 1 for own, others in zip(sizes, among, strict=True))
    reach = training.without()
    limits = dict(zip(MEASURES, _limits(sizes).tolist(), strict=True))
    return replace(reach, told=replace(reach.told, limits=limits, beyond=beyond))


def _limits(sizes: Sequence[Array]) -> Array:
    """Size of each measure that is a distance of 1, from those of units left out, each of shape (cycles, measures)."""
    distances = [_farthest(own, _scales([*sizes[:unit], *sizes[unit + 1 :]])) for unit, own in enumerate(sizes)]
    return np.maximum(_scales(sizes) * sorted(distances)[rank(len(sizes)) - 1], _LEAST)


def _scales(sizes: Sequence[Array]) -> Array:
    farthest = np.stack([each.max(axis=0) for each in sizes])
    return np.maximum(farthest.mean(axis=0) + 2 * farthest.std(axis=0, ddof=1), _LEAST)


def _farthest(sizes: Array, limits: Array) -> float:
    return float(_norm(sizes / limits).max())


def rank(units: int) -> int:
    """Return which of so many units left out, the nearest first, has distance 1."""
    return min(units, math.ceil(SHARE * (units + 1) - 1e-9))
