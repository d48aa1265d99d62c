"""The paper's statistics of Er: t-test, confidence interval, effect size and Tukey's comparison of the conditions.

The tests are scipy's and pingouin's. What is done here is what they leave to their callers: saying why a test is
undefined, Cohen's d, an interval that is not rounded, and families of p-values; and what the folds call for, since
models that leave one unit out each share most of their training data: a corrected t-test, and signs flipped as a check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass, replace
from itertools import combinations, product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from nem2e_lib.error import Nem2eError

ALPHA = 0.05
ROUNDING = 1e-12
"""Values that differ by less than this share of their size differ by the computer's rounding alone."""
FEWEST = 6
"""Held-out units from which a test may decide. With five, the exact test of signs cannot fall below 2 / 2⁵ = .06,
whatever the data; with fewer, a t-test's p and d rest on a normal distribution that so few values cannot show."""
EXACT = 12
"""Units up to which every flip of signs is counted; above, `FLIPS` are drawn."""
FLIPS = 9999
_BY = ["study", "muscle", "condition"]


@dataclass(frozen=True)
class OneSample:
    """One-sample t-test of Er against 0; NaN where it is undefined, then `reason` says why."""

    mean: float
    sd: float
    n: int
    t: float
    p_value: float
    ci_low: float
    ci_high: float
    cohen_d: float
    reason: str = ""


def one_sample(er: ArrayLike) -> OneSample:
    """Test the mean of Er against 0 (Teramae et al. 2025, section 3.2.2).

    Parameters
    ----------
    er
        One value a held-out unit, shape (n,).

    Returns
    -------
    OneSample
        t and p of the two-sided test; 95 % confidence interval from Student's t (Eq. 4), not rounded; Cohen's
        d = mean / sd with ddof 1 (Eq. 3), signed.
    """
    values = np.asarray(er, float)
    reason = _why_not(values)
    n, nan = len(values), float("nan")
    mean = float(values.mean()) if n else nan
    if reason:
        return OneSample(mean, nan, n, nan, nan, nan, nan, nan, reason)
    t, p_value = map(float, ttest_1samp(values, 0.0))
    sd = float(values.std(ddof=1))
    half = float(student.ppf(1 - ALPHA / 2, n - 1)) * sd / n**0.5
    return OneSample(mean, sd, n, t, p_value, mean - half, mean + half, mean / sd)


def over_folds(values: ArrayLike) -> OneSample:
    """Test the mean of one value a held-out unit against 0, corrected for folds that share their training data.

    Any two models that leave one unit of n out have n - 2 training units in common, so their errors are not independent
    and the variance of the mean is more than s² / n. The corrected resampled t-test (Nadeau & Bengio 2003,
    doi:10.1023/A:1024068626366, section 3) puts 1 / n + n_test / n_train for 1 / n, which for leaving one out is
    1 / n + 1 / (n - 1). It was derived for random splits; for leave-one-out folds it is a bound of the same kind: t is
    smaller by sqrt(1 + n / (n - 1)), 1.45 for ten units, and the interval as much wider.

    Parameters
    ----------
    values
        One a held-out unit, shape (n,).

    Returns
    -------
    OneSample
        As `one_sample`, with t, p and interval so corrected; mean, sd and d are the same.
    """
    plain = one_sample(values)
    if plain.reason:
        return plain
    freedom = plain.n - 1
    error = plain.sd * math.sqrt(1 / plain.n + 1 / freedom)
    half = float(student.ppf(1 - ALPHA / 2, freedom)) * error
    t = plain.mean / error
    p_value = 2 * float(student.sf(abs(t), freedom))
    return replace(plain, t=t, p_value=p_value, ci_low=plain.mean - half, ci_high=plain.mean + half)


def sign_flips(values: ArrayLike, *, seed: int = 0) -> float:
    """Return the two-sided p of flipping the signs of units; NaN where a test is undefined.

    It supposes that each unit's value is as likely to lie below 0 as as far above, and no normal distribution. Exact up
    to `EXACT` units, `FLIPS` draws above.

    Parameters
    ----------
    values
        One a held-out unit, shape (n,).
    """
    numbers = np.asarray(values, float)
    if _why_not(numbers):
        return math.nan
    exact = len(numbers) <= EXACT
    if exact:
        signs = np.array(list(product((1.0, -1.0), repeat=len(numbers))))
    else:
        signs = np.random.default_rng(seed).choice((1.0, -1.0), size=(FLIPS, len(numbers)))
    sums, own = np.abs(signs @ numbers), abs(numbers.sum())
    reached = int((sums >= own - ROUNDING * np.abs(numbers).sum()).sum())
    return reached / len(sums) if exact else (reached + 1) / (len(sums) + 1)


def _why_not(values: np.ndarray) -> str:
    if len(values) < 2:
        return f"{len(values)} held-out unit: a test needs two."
    if not np.isfinite(values).all():
        return f"Er is undefined for {int((~np.isfinite(values)).sum())} of {len(values)} held-out units."
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        return "Er is the same for all held-out units."
    return ""


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust a family of p-values by Holm's method; undefined ones stay NaN and do not count.

    A table with several families is adjusted by ``table.groupby(family)["p_value"].transform(holm)``.

    Parameters
    ----------
    p_values
        All of one family, shape (tests,).
    """
    import pingouin as pg  # loaded where it is used: more than a second

    adjusted: NDArray[np.float64] = pg.multicomp(np.asarray(p_values, float), method="holm")[1]
    return adjusted


def summary(errors: pd.DataFrame) -> pd.DataFrame:
    """Return one row a study, muscle and condition.

    Parameters
    ----------
    errors
        Rows of `nem2e_lib.analysis.metrics.errors`, of any number of studies and conditions.

    Returns
    -------
    pandas.DataFrame
        Columns study, muscle, condition, er_mean, er_sd, ci_low, ci_high, t, p_value, p_holm (over the muscles of a
        study and condition), cohen_d, r2_pearson, r2_sse, n_units, unit, electrode, er_mean_curve, diverged (models),
        improved (mean below 0 at p < .05), improved_holm, synthetic, reason.
    """
    rows = [_summary_row(keys, group) for keys, group in errors.groupby(_BY, sort=False)]
    table = pd.DataFrame(rows)
    table["p_holm"] = table.groupby(["study", "condition"], sort=False)["p_value"].transform(holm)
    table["improved"] = (table["er_mean"] < 0) & (table["p_value"] < ALPHA)
    table["improved_holm"] = (table["er_mean"] < 0) & (table["p_holm"] < ALPHA)
    return table


def _summary_row(keys: tuple[Hashable, ...], group: pd.DataFrame) -> dict[str, object]:
    test = asdict(one_sample(group["er"]))
    renamed = {"mean": "er_mean", "sd": "er_sd", "n": "n_units"}
    means = {name: float(group[name].mean()) for name in ("r2_pearson", "r2_sse", "er_mean_curve")}
    kept = {name: group[name].iloc[0] for name in ("unit", "electrode", "synthetic")}
    if "diverged" in group:
        kept["diverged"] = int(group["diverged"].sum())
    return {**dict(zip(_BY, keys, strict=True)), **{renamed.get(k, k): v for k, v in test.items()}, **means, **kept}


def tukey(errors: pd.DataFrame) -> pd.DataFrame:
    """Compare the conditions of each muscle by Tukey's honestly significant difference, as published.

    The test holds for independent groups. The conditions share their subjects, so it is the paper's test and not the
    best one: `paired` uses the pairing.

    Returns
    -------
    pandas.DataFrame
        Columns study, muscle, a, b, difference (mean Er of a minus that of b), p_value, reason. Where the test is
        undefined, p_value is NaN and `reason` says why.
    """
    tables = [
        _tukey_rows(group).assign(study=str(study), muscle=str(muscle))
        for (study, muscle), group in errors.groupby(["study", "muscle"], sort=False)
        if len(group["condition"].unique()) > 1
    ]
    columns = ["study", "muscle", "a", "b", "difference", "p_value", "reason"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _tukey_rows(group: pd.DataFrame) -> pd.DataFrame:
    by_condition = {str(name): rows["er"].to_numpy(float) for name, rows in group.groupby("condition")}
    reason = _why_no_tukey(by_condition)
    if reason:
        means = {name: float(values.mean()) for name, values in by_condition.items()}
        pairs = [(a, b, means[a] - means[b]) for a, b in combinations(means, 2)]
        return pd.DataFrame(pairs, columns=["a", "b", "difference"]).assign(p_value=np.nan, reason=reason)
    import pingouin as pg  # loaded where it is used: more than a second

    found = pg.pairwise_tukey(data=group, dv="er", between="condition")
    renamed = found.rename(columns={"A": "a", "B": "b", "diff": "difference", "p_tukey": "p_value"})
    return renamed[["a", "b", "difference", "p_value"]].assign(reason="")


def _why_no_tukey(by_condition: dict[str, np.ndarray]) -> str:
    values = np.concatenate(list(by_condition.values()))
    if not np.isfinite(values).all():
        return f"Er is undefined in {int((~np.isfinite(values)).sum())} of {len(values)} cases."
    if len(values) <= len(by_condition):
        return "One held-out unit: a test needs two."
    if all(np.ptp(v) <= ROUNDING * np.abs(values).max() for v in by_condition.values()):
        return "Er is the same for all held-out units."
    return ""


def paired(errors: pd.DataFrame, a: str, b: str, test: Callable[[ArrayLike], OneSample] = one_sample) -> pd.DataFrame:
    """Compare two conditions over the same held-out units, muscle by muscle.

    Parameters
    ----------
    errors
        Rows of `metrics.errors`.
    a, b
        Conditions; `mean_curve` is the training-mean EMG curve.
    test
        Of the differences: `one_sample`, or `over_folds`, which knows that folds share training data.

    Returns
    -------
    pandas.DataFrame
        Columns study, muscle, a, b, difference (Er of a minus Er of b), ci_low, ci_high, t, p_value, p_holm (over the
        muscles of a study), n. The t-test is that of the differences, so that it is undefined for the same reasons as
        any other; pingouin's paired one gives the same t and p.
    """
    left, right = _er_of(errors, a), _er_of(errors, b)
    both = left.to_frame("a").join(right.to_frame("b"), how="inner")
    rows = []
    for (study, muscle), group in both.groupby(level=["study", "muscle"], sort=False):
        found = test(group["a"] - group["b"])
        kept = {name: getattr(found, name) for name in ("ci_low", "ci_high", "t", "p_value", "n")}
        rows.append({"study": study, "muscle": muscle, "difference": found.mean, **kept})
    columns = ["study", "muscle", "a", "b", "difference", "ci_low", "ci_high", "t", "p_value", "n"]
    table = pd.DataFrame(rows, columns=columns).assign(a=a, b=b)
    return table.assign(p_holm=table.groupby("study", sort=False)["p_value"].transform(holm))


def ranking(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the mean Er of every method over muscles and units, best first within a study.

    The training-mean EMG curve stands among the conditions. Columns study, method, er_mean, n_muscles, n_units.
    """
    curve = errors.drop_duplicates(["study", "muscle", "label"]).assign(condition="mean_curve")
    curve["er"] = curve["er_mean_curve"]
    table = (
        pd.concat([errors, curve])
        .groupby(["study", "condition"], sort=False)
        .agg(er_mean=("er", "mean"), n_muscles=("muscle", "nunique"), n_units=("label", "nunique"))
        .reset_index()
        .rename(columns={"condition": "method"})
    )
    return table.sort_values(["study", "er_mean"], ignore_index=True)


def comparisons(errors: pd.DataFrame) -> pd.DataFrame:
    """Return `paired` for each condition against the mean curve and against the conditions before it."""
    methods = ["mean_curve", *errors["condition"].unique()]
    return pd.concat([paired(errors, a, b) for b, a in combinations(methods, 2)], ignore_index=True)


def counts(compared: pd.DataFrame) -> pd.DataFrame:
    """Count the muscles in which the first of two methods is below the second.

    Parameters
    ----------
    compared
        Rows of `paired` or `comparisons`.

    Returns
    -------
    pandas.DataFrame
        Columns study, a, b, muscles, below (mean Er of a below that of b), below_p05 (at p < .05, not corrected).
    """
    lower = compared["difference"] < 0
    flags = compared[["study", "a", "b"]].assign(below=lower, below_p05=lower & (compared["p_value"] < ALPHA))
    groups = flags.groupby(["study", "a", "b"], sort=False)
    counted = groups.agg(muscles=("below", "size"), below=("below", "sum"), below_p05=("below_p05", "sum"))
    return counted.reset_index()


def _er_of(errors: pd.DataFrame, method: str) -> pd.Series:
    keys = ["study", "muscle", "label"]
    if method == "mean_curve":
        return errors.drop_duplicates(keys).set_index(keys)["er_mean_curve"]
    rows = errors[errors["condition"] == method]
    if rows.empty:
        known = ", ".join([*errors["condition"].unique(), "mean_curve"])
        raise Nem2eError(f"paired: there is no condition {method!r}, expected one of {known}; choose of these.")
    return rows.set_index(keys)["er"]
