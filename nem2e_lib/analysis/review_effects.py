"""Effect sizes with intervals, bootstrap intervals and Bayes factors of one sample (or of paired differences)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pingouin as pg
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import bootstrap, nct

from nem2e_lib.analysis.statistics import ALPHA, one_sample

RESAMPLES = 9999
FEWEST = 3
"""Units from which a BCa interval is taken: its acceleration rests on leaving each unit out."""


@dataclass(frozen=True)
class Effect:
    """Cohen's d = mean / sd and Hedges' g, each with its 95 % interval; NaN where undefined."""

    d: float
    d_low: float
    d_high: float
    g: float
    g_low: float
    g_high: float


def effect(t: float, n: int) -> Effect:
    """Return d and g of a one-sample or paired t-test, with intervals from the noncentral t distribution.

    d = t / sqrt(n) is d_z for paired differences, not d_av. Its limits are those noncentralities, over sqrt(n), under
    which t lies at the upper and lower 2.5 % (Cumming & Finch 2001, doi:10.1177/0013164401614002). g = J d with
    J = Γ(ν/2) / (sqrt(ν/2) Γ((ν-1)/2)), ν = n - 1 (Hedges 1981, doi:10.3102/10769986006002107).

    Parameters
    ----------
    t
        Of the test, NaN where it is undefined.
    n
        Units, at least 2 where t is defined.
    """
    if not math.isfinite(t):
        return Effect(*[math.nan] * 6)
    root, j = math.sqrt(n), hedges_factor(n - 1)
    low, high = (_noncentrality(t, n - 1, level) / root for level in (1 - ALPHA / 2, ALPHA / 2))
    d = t / root
    return Effect(d, low, high, j * d, j * low, j * high)


def hedges_factor(freedom: int) -> float:
    """Return Hedges' exact correction J of degrees of freedom; NaN for one, where it is undefined."""
    if freedom < 2:
        return math.nan
    return math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2)) / math.sqrt(freedom / 2)


def _noncentrality(t: float, freedom: int, level: float) -> float:
    """Return the noncentrality under which a share `level` of the distribution lies below t."""
    if t < 0:  # the distribution is far more accurate in its right half
        return -_noncentrality(-t, freedom, 1 - level)
    # At t = 0 the limits are normal quantiles; t's scale, sqrt(chi²/ν), is below 2.5 but for one sample in a hundred.
    return float(brentq(lambda shift: nct.cdf(t, freedom, shift) - level, -2.0, 2.5 * t + 3.0))


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; NaN with the reason where there is none."""

    low: float
    high: float
    reason: str = ""


def bca(values: ArrayLike, *, seed: int = 0) -> Interval:
    """Return the BCa bootstrap interval of the mean over units (Efron 1987, doi:10.1080/01621459.1987.10478410).

    Parameters
    ----------
    values
        One a unit, shape (n,); units are resampled, so whatever lies within one stays together.
    """
    numbers = np.asarray(values, float)
    test = one_sample(numbers)
    if test.reason or test.n < FEWEST:
        return Interval(math.nan, math.nan, test.reason or f"{test.n} held-out units: BCa needs {FEWEST}.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = bootstrap(
                (numbers,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(seed)
            ).confidence_interval
        except Warning as told:
            return Interval(math.nan, math.nan, f"BCa is undefined: {str(told).strip().split('.')[0]}.")
    return Interval(float(found.low), float(found.high))


def bayes_factor(t: float, n: int) -> float:
    """Return BF10 of a one-sample or paired t-test under a Cauchy prior of scale 0.707 (Rouder et al. 2009).

    `pingouin.ttest` prints it as text of three digits; this one is the number.
    """
    if not math.isfinite(t):
        return math.nan
    return float(pg.bayesfactor_ttest(t, n, paired=True))


def in_words(bf10: float) -> str:
    """Say what a Bayes factor is evidence of (Jeffreys' limits as JASP prints them)."""
    if not math.isfinite(bf10):
        return "undefined"
    side = "for an effect" if bf10 > 1 else "for none"
    strength = max(bf10, 1 / bf10)
    names = ((3, "anecdotal"), (10, "moderate"), (30, "strong"), (100, "very strong"))
    return f"{next((name for limit, name in names if strength < limit), 'extreme')} {side}"
