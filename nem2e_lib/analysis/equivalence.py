"""Is a mean shown to be next to nothing? Two one-sided t-tests against a margin (Schuirmann 1987, Lakens 2017).

A test that does not find a difference has not shown that there is none. A claim of none holds where a difference as
large as the margin is ruled out; where neither is shown, the data do not decide.

Sources: doi:10.1007/BF01068419 (TOST), doi:10.1177/1948550617697177 (its use, and the 90 % interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from nem2e_lib.analysis import published
from nem2e_lib.analysis.statistics import ALPHA, one_sample

MARGIN = 0.10
"""What counts as no difference, in units of Er: less than a tenth of the OpenSim error (`margin_reason`)."""

EQUIVALENT, DIFFERENT, UNDECIDED = "equivalent", "different", "undecided"
"""Answers of `tost`."""
IMPROVES, NO_IMPROVEMENT = "improves", "no improvement"
"""Answers of `Equivalence.improvement`, beside `UNDECIDED`."""


@dataclass(frozen=True)
class Equivalence:
    """A mean against a margin; NaN and undecided where no test can be made, then `reason` says why.

    Attributes
    ----------
    mean, n, margin
        Of the values.
    ci_low, ci_high
        90 % confidence interval: it lies within the margins exactly where both one-sided tests give p < .05.
    p_difference
        Two-sided t-test of the mean against 0.
    p_above, p_below
        One-sided: that the mean is above −margin, and below +margin.
    """

    mean: float
    n: int
    margin: float
    ci_low: float
    ci_high: float
    p_difference: float
    p_above: float
    p_below: float
    reason: str = ""

    @property
    def p_value(self) -> float:
        """The equivalence test's p: the larger of the two one-sided ones."""
        return max(self.p_above, self.p_below)

    @property
    def answer(self) -> str:
        """`DIFFERENT`, `EQUIVALENT` or `UNDECIDED`; a difference that is significant is one, however small."""
        if self.p_difference < ALPHA:
            return DIFFERENT
        return EQUIVALENT if self.p_value < ALPHA else UNDECIDED

    @property
    def improvement(self) -> str:
        """`IMPROVES` at a mean below 0 with p < .05 (the paper's test), `NO_IMPROVEMENT`, or `UNDECIDED`.

        No improvement is shown where the mean is above −margin at p < .05: a worsening is no improvement either.
        """
        if self.mean < 0 and self.p_difference < ALPHA:
            return IMPROVES
        return NO_IMPROVEMENT if self.p_above < ALPHA else UNDECIDED

    @property
    def said(self) -> str:
        """Mean and 90 % interval in words."""
        return self.reason or f"{two(self.mean)} (90 % CI {two(self.ci_low)} to {two(self.ci_high)})"


def two(value: float) -> str:
    """Return a number with its sign and two decimals."""
    return f"{round(value, 2) + 0.0:+.2f}"  # no -0.00


def tost(values: ArrayLike, margin: float = MARGIN) -> Equivalence:
    """Test whether the mean of values lies within the margins: of Er, or of paired differences of Er.

    Parameters
    ----------
    values
        One a held-out unit, shape (n,).
    margin
        Above 0, in the values' unit.
    """
    test = one_sample(values)
    return tost_of(test.mean, test.sd, test.n, margin, test.reason)


def tost_of(mean: float, sd: float, n: int, margin: float = MARGIN, reason: str = "") -> Equivalence:
    """Make the same test from mean, standard deviation (ddof 1) and number; `reason` says why none can be made."""
    if reason:
        nan = float("nan")
        return Equivalence(mean, n, margin, nan, nan, nan, nan, nan, reason)
    error, left = sd / n**0.5, n - 1
    half = float(student.ppf(1 - ALPHA, left)) * error
    above, below, zero = (
        float(student.sf(distance / error, left)) for distance in (mean + margin, margin - mean, abs(mean))
    )
    return Equivalence(mean, n, margin, mean - half, mean + half, 2 * zero, above, below)


def pairs(errors: pd.DataFrame, a: str, b: str, margin: float = MARGIN) -> pd.Series:
    """Test the paired difference of Er of two conditions for each muscle.

    Parameters
    ----------
    errors
        Rows of `metrics.errors` of one study.

    Returns
    -------
    pandas.Series
        An `Equivalence` by muscle.
    """
    keys = ["muscle", "label"]
    left, right = (errors[errors["condition"] == name].set_index(keys)["er"] for name in (a, b))
    both = left.to_frame("a").join(right.to_frame("b"), how="inner")
    difference = both["a"] - both["b"]
    return pd.Series(
        {name: tost(own, margin) for name, own in difference.groupby(level="muscle", sort=False)}, dtype=object
    )


def margin_reason() -> str:
    """Say why the margin is what it is, from the paper's own tables."""
    table = published.results()
    better = table[table["er_mean"] < 0]
    called = better["p_value"] < ALPHA
    least, most = better.loc[called, "er_mean"].max(), better.loc[~called, "er_mean"].min()
    agree = published.audit()["consistent"].to_numpy(bool)
    rest = table[agree & ~((table["er_mean"] < 0) & (table["p_value"] < ALPHA))]
    columns = zip(rest["er_mean"], rest["ci_low"], rest["ci_high"], rest["n_subjects"].astype(int), strict=True)
    tests = [tost_of(mean, _sd(low, high, n), n) for mean, low, high, n in columns]
    shown = sum(test.improvement == NO_IMPROVEMENT for test in tests)
    return (
        f"Less than {MARGIN:.2f} in Er, a tenth of the OpenSim error, counts as none: in Tables 2 and 3 the smallest "
        f"improvement that is significant is {least:+.2f}, the largest that is not {most:+.2f}. Of the {len(tests)} "
        f"published rows that agree with themselves and show no significant improvement, {shown} rule out one of "
        f"{MARGIN:.2f} by their own intervals."
    )


def _sd(low: float, high: float, n: int) -> float:
    """Standard deviation of a published row, from its 95 % interval."""
    return float((high - low) / 2 * n**0.5 / student.ppf(1 - ALPHA / 2, n - 1))
