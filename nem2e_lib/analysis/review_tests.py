"""Tests for conditions that share their subjects: repeated measures, ranks, paired contrasts, families of p-values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pingouin as pg
from numpy.typing import ArrayLike
from scipy.stats import f as fisher
from scipy.stats import false_discovery_control, friedmanchisquare, wilcoxon

from nem2e_lib.analysis.statistics import ROUNDING, one_sample


def repeated_measures(table: ArrayLike) -> dict[str, float | str]:
    """One-way repeated-measures ANOVA with Greenhouse and Geisser's correction, always applied.

    Parameters
    ----------
    table
        One row a unit, one column a condition, shape (n, k).

    Returns
    -------
    dict
        f, df1, df2 (corrected), epsilon, p_gg, reason (why it is undefined; then the numbers are NaN). epsilon =
        tr(S)² / ((k-1) tr(S S)) of the doubly centred covariance S (Greenhouse & Geisser 1959,
        doi:10.1007/BF02289823).
    """
    y = np.asarray(table, float)
    reason = _why_not(y)
    names = ("f", "df1", "df2", "epsilon", "p_gg")
    if reason:
        return {**dict.fromkeys(names, math.nan), "reason": reason}
    (n, k), grand = y.shape, y.mean()
    between = n * ((y.mean(axis=0) - grand) ** 2).sum()
    residual = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + grand
    f = (between / (k - 1)) / ((residual**2).sum() / ((k - 1) * (n - 1)))
    epsilon = float(pg.epsilon(pd.DataFrame(y), correction="gg"))
    df1, df2 = epsilon * (k - 1), epsilon * (k - 1) * (n - 1)
    return {**dict(zip(names, (f, df1, df2, epsilon, float(fisher.sf(f, df1, df2))), strict=True)), "reason": ""}


def _why_not(y: np.ndarray) -> str:
    if not np.isfinite(y).all():
        return f"Er is undefined in {int((~np.isfinite(y)).sum())} of {y.size} cases."
    if len(y) < 2:
        return f"{len(y)} held-out unit: a test needs two."
    residual = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
    if np.abs(residual).max() <= ROUNDING * max(np.abs(y).max(), np.finfo(float).tiny):
        return "The conditions differ by the same amount in every unit."
    return ""


def friedman(table: ArrayLike) -> float:
    """Return p of Friedman's test, shape (n, k); NaN where it is undefined."""
    y = np.asarray(table, float)
    if not np.isfinite(y).all() or len(y) < 2 or np.ptp(y, axis=1).max() == 0:
        return math.nan
    return float(friedmanchisquare(*y.T).pvalue)


def signed_rank(values: ArrayLike) -> float:
    """Return p of Wilcoxon's two-sided signed-rank test against 0 (exact without ties and zeros); NaN if undefined."""
    x = np.asarray(values, float)
    if len(x) < 2 or not np.isfinite(x).all() or not x.any():
        return math.nan
    return float(wilcoxon(x).pvalue)


def contrasts(table: pd.DataFrame) -> pd.DataFrame:
    """Compare every pair of conditions by a paired t-test, Holm-corrected over the pairs.

    Parameters
    ----------
    table
        One row a unit, one column a condition.

    Returns
    -------
    pandas.DataFrame
        Columns a, b, difference (mean of a minus b), t, p_value, p_holm, p_wilcoxon, n, reason.
    """
    rows = []
    for a, b in combinations(table.columns, 2):
        difference = (table[a] - table[b]).to_numpy(float)
        test = one_sample(difference)
        kept = {"t": test.t, "p_value": test.p_value, "p_wilcoxon": signed_rank(difference), "n": test.n}
        rows.append({"a": a, "b": b, "difference": test.mean, **kept, "reason": test.reason})
    found = pd.DataFrame(rows)
    return found.assign(p_holm=holm(found["p_value"]))


def holm(p_values: Sequence[float] | pd.Series) -> np.ndarray:
    """Adjust a family of p-values by Holm's method; undefined ones stay so and do not count."""
    return _adjusted(p_values, lambda p: pg.multicomp(p, method="holm")[1])


def benjamini_hochberg(p_values: Sequence[float] | pd.Series) -> np.ndarray:
    """Adjust a family of p-values for the false discovery rate; undefined ones stay so and do not count."""
    return _adjusted(p_values, false_discovery_control)


def _adjusted(p_values: Sequence[float] | pd.Series, adjust: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    p = np.asarray(p_values, float)
    defined = np.isfinite(p)
    adjusted = np.full(p.shape, np.nan)
    if defined.any():
        adjusted[defined] = adjust(p[defined])
    return adjusted
