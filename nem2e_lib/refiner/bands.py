"""Bands about refined activity, from residuals on units that the models had not seen.

A residual is measured minus refined EMG, of a cycle whose unit (subject, speed, block of cycles) training left out.
Residuals are large where a muscle is active, and those of one unit's cycles are alike. So each is divided by what is
usual at its moment of the cycle among the *other* units, and the band is as many times that scale as holds the nominal
share of these scores, each unit counting as much as another:

    sigma(t) = rms(t)^(1 - 1/K) * rms^(1/K)      rms(t) over K units at t, rms over all the cycle
    score    = |residual(t)| / sigma(t) of the other units
    band(t)  = refined(t) ± quantile of the scores at the nominal level * sigma(t) of all units

The fewer units, the more does the whole cycle count, so that a moment at which a few of them happened to be refined
well is not taken as safe; on the scale of logarithms, lest it widen the band where a muscle rests. Residuals of
left-out units are those of the jackknife (Barber et al. 2021, doi:10.1214/20-AOS1965), scores with a scale of their own
those of locally weighted conformal inference (Lei et al. 2018, doi:10.1080/01621459.2017.1307116), and their
distribution, the mean of each unit's own, is the pooling that Dunn, Wasserman & Ramdas (2023,
doi:10.1080/01621459.2022.2060112) recommend for units with several observations each: its coverage is right as units
become many. Rules that promise coverage with few (ibid.; Lee, Barber & Willett 2023, arXiv:2306.06342) count the next
unit as infinitely far off, so that the band is as wide as the largest score, or without bounds below `needed` units.
This one promises nothing there; what it covers is measured: `inside`, and docs/bands.csv beside other rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LEVEL = 0.9
"""Nominal share of samples within a band."""
LEVELS = (0.5, 0.6, 0.7, 0.8, LEVEL, 0.95)
"""Nominal shares at which bands are compared with what they cover."""
_ROUNDING = 1e-9


def half_width(residuals: ArrayLike, unit: ArrayLike, level: float | Sequence[float] = LEVEL) -> Array:
    """Return how far a band reaches to either side of refined activity.

    Parameters
    ----------
    residuals
        Measured minus refined EMG of one muscle, shape (cycles, samples), each by models that had not seen its unit.
    unit
        Unit of each cycle, shape (cycles,).
    level
        Nominal share of samples within, or several.

    Returns
    -------
    ndarray
        In the unit of the EMG, shape (samples,), or (levels, samples) for several levels; NaN with fewer than two
        units, which have no others to be judged by. Infinite where units differ from others that were refined without
        any error.
    """
    off, of_cycle = _taken(residuals, unit)
    usual = _mean_squares(off, of_cycle)
    if len(usual) < 2:
        return np.full((*np.shape(level), off.shape[1]), np.nan)
    others = [_scale(np.delete(usual, own, axis=0)) for own in range(len(usual))]
    scores = _divided(np.abs(off), np.stack(others)[of_cycle])
    # each unit weighs 1, spread over its cycles
    weights = (1 / np.bincount(of_cycle))[of_cycle]
    widths = _quantile(scores, weights, level)[..., None] * _scale(usual)
    return np.asarray(np.where(_scale(usual) > 0, widths, 0.0))


def inside(
    residuals: ArrayLike,
    unit: ArrayLike,
    level: float | Sequence[float] = LEVEL,
    *,
    of_others: ArrayLike | None = None,
) -> Array:
    """Return what share of each unit's cycles lies within the band that the other units' residuals alone give.

    Parameters
    ----------
    residuals, unit, level
        See `half_width`.
    of_others
        Shape (units, cycles, samples), units in the order of `numpy.unique`: residuals of the other units by models
        that had not seen this one either. Without them, those in `residuals` are taken: their models left out one unit
        at a time, so that they have seen the unit whose samples are counted.

    Returns
    -------
    ndarray
        Shape (units, samples), or (units, levels, samples) for several levels; NaN with fewer than three units.
    """
    off, of_cycle = _taken(residuals, unit)
    given = None if of_others is None else np.asarray(of_others, np.float64)
    shares = []
    for own in range(of_cycle.max() + 1):
        mine = of_cycle == own
        rest = off[~mine] if given is None else given[own][~mine]
        widths = half_width(rest, of_cycle[~mine], level)
        within = np.abs(off[mine]) <= widths[..., None, :] + _ROUNDING * np.abs(widths[..., None, :])
        shares.append(np.where(np.isnan(widths), np.nan, within.mean(axis=-2)))
    return np.stack(shares)


def needed(level: float = LEVEL) -> int:
    """Return how many units it takes before any rule can promise a nominal level, whatever their distribution.

    The next unit is as likely as each of the K others to be farthest off, so that no score that was seen covers it with
    a probability above K / (K + 1) (Barber et al. 2021).
    """
    return math.ceil(level / (1 - level) - _ROUNDING)


def _taken(residuals: ArrayLike, unit: ArrayLike) -> tuple[Array, NDArray[np.intp]]:
    off = np.asarray(residuals, np.float64)
    labels, of_cycle = np.unique(np.asarray(unit), return_inverse=True)
    if off.ndim != 2 or of_cycle.shape != off.shape[:1] or not len(labels):
        raise ValueError(f"residuals {off.shape} and units {of_cycle.shape}: expected (cycles, samples) and (cycles,)")
    if not np.isfinite(off).all():
        raise ValueError("a residual is no finite number")
    return off, of_cycle


def _mean_squares(off: Array, of_cycle: NDArray[np.intp]) -> Array:
    """Mean square of each unit's cycles, shape (units, samples)."""
    return np.stack([(off[of_cycle == own] ** 2).mean(axis=0) for own in range(of_cycle.max() + 1)])


def _scale(usual: Array) -> Array:
    """Scale at each sample, of the mean squares of some units, shape (units, samples)."""
    cycle = 1 / len(usual)
    at_sample, over_cycle = np.sqrt(usual.mean(axis=0)), np.sqrt(usual.mean())
    return np.asarray(at_sample ** (1 - cycle) * over_cycle**cycle)


def _divided(size: Array, scale: Array) -> Array:
    """Scores; a residual where others have none at all is infinitely large."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size == 0, 0.0, size / scale)


def _quantile(scores: Array, weights: Array, level: float | Sequence[float]) -> Array:
    """Smallest score up to which the level of all weight lies, those of a cycle weighing alike."""
    each = np.repeat(weights, scores.shape[1])
    # shares such as 9 of 10 are often reached exactly, but for the rounding of a sum
    found = np.quantile(scores.ravel(), np.asarray(level) - _ROUNDING, weights=each, method="inverted_cdf")
    return np.asarray(found, np.float64)
