"""The paper's statistics as published, and as they should be: side by side for every muscle.

From bottom to top: what one sample of held-out units says (effect size, bootstrap interval, Bayes factor); tests that
know that the conditions share their units; both for every electrode, in families of p-values; and the verdicts beside
those of the paper's own tests. pingouin makes the tests; where something else does, a comment says what it lacks.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import pingouin as pg
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import bootstrap, nct
from scipy.stats import f as fisher

from nem2e_lib.analysis import contrasts as planned
from nem2e_lib.analysis.statistics import ALPHA, ROUNDING, holm, one_sample, over_folds

# --- One sample of held-out units, or of paired differences: effect size, bootstrap interval, Bayes factor ---

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
    J = Γ(ν/2) / (sqrt(ν/2) Γ((ν-1)/2)), ν = n - 1 (Hedges 1981, doi:10.3102/10769986006002107). pingouin's intervals of
    d are symmetric, from the normal distribution, and its g has J's approximation 1 - 3 / (4 N - 9): both are off for
    eight subjects.

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
        One a unit, shape (n,); units are resampled, so whatever lies within one stays together. By scipy's bootstrap:
        pingouin hands on to the same one, but rounds what comes back.
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


# --- Tests for conditions that share their subjects ---


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
        doi:10.1007/BF02289823), which pingouin gives. Its `rm_anova` gives the same F, but not for two units (its test
        of sphericity divides by zero), and it takes the residual for a difference of sums, which loses digits where
        units differ more than conditions.
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
    long = pd.DataFrame(y).rename_axis("unit").melt(var_name="condition", value_name="er", ignore_index=False)
    test = pg.friedman(long.reset_index(), dv="er", within="condition", subject="unit")
    return float(test["p_unc"].iloc[0])


def signed_rank(values: ArrayLike) -> float:
    """Return p of Wilcoxon's two-sided signed-rank test against 0 (exact without ties and zeros); NaN if undefined."""
    x = np.asarray(values, float)
    if len(x) < 2 or not np.isfinite(x).all() or not x.any():
        return math.nan
    return float(pg.wilcoxon(x, correction=False)["p_val"].iloc[0])


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


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust a family of p-values for the false discovery rate; undefined ones stay NaN and do not count."""
    adjusted: NDArray[np.float64] = pg.multicomp(np.asarray(p_values, float), method="fdr_bh")[1]
    return adjusted


# --- Every electrode of a study, in families of p-values ---

FAMILY = "the independent electrodes of a study under one condition"
FAMILY_OF_PAIRS = "the pairs of conditions of one electrode; the ANOVAs over the electrodes of a study"
IMPROVES, NO_IMPROVEMENT, WORSENS = "improves", "no improvement shown", "becomes worse"
DIFFERS, NO_DIFFERENCE = "differs", "no difference shown"
UNDEFINED = "undefined"
"""Verdicts."""


def by_electrode(errors: pd.DataFrame) -> pd.DataFrame:
    """Average Er over the channels that copy one electrode, so that each electrode is counted once.

    Parameters
    ----------
    errors
        Rows of `metrics.errors`.

    Returns
    -------
    pandas.DataFrame
        Columns study, electrode, condition, label, er (NaN where a channel's is), unit, synthetic.
    """
    keys = ["study", "electrode", "condition", "label"]
    grouped = errors.groupby(keys, sort=False)
    means = grouped["er"].apply(lambda values: values.mean(skipna=False))
    kept = grouped[["unit", "synthetic"]].first()
    return kept.assign(er=means).reset_index()[[*keys, "er", "unit", "synthetic"]]


def improvement(errors: pd.DataFrame) -> pd.DataFrame:
    """Test Er against 0, once an electrode and condition, with everything a reviewer asks for.

    Returns
    -------
    pandas.DataFrame
        Columns study, electrode, condition, n, unit, er_mean, t, p_value, p_folds (`statistics.over_folds`: corrected
        for training data that folds share), p_holm and p_bh of it (each over `FAMILY`), p_wilcoxon, bca_low, bca_high,
        d, d_low, d_high, g, g_low, g_high, bf10, improved, verdict (by the rule of `contrasts.answer`), reason.
    """
    tidy = by_electrode(errors)
    rows = [_improvement_row(keys, group) for keys, group in tidy.groupby(_BY, sort=False)]
    table = pd.DataFrame(rows)
    family = table.groupby(["study", "condition"], sort=False)["p_folds"]
    table = table.assign(p_holm=family.transform(holm), p_bh=family.transform(benjamini_hochberg))
    told = zip(table["er_mean"], table["p_holm"], table["n"], strict=True)
    verdicts = [_ANSWERED[planned.answer(*one)] for one in told]
    return table.assign(improved=[one == IMPROVES for one in verdicts], verdict=verdicts)


_ANSWERED = {
    planned.SHOWN: IMPROVES,
    planned.NOT_SHOWN: NO_IMPROVEMENT,
    planned.OTHERWISE: WORSENS,
    planned.CANNOT: UNDEFINED,
}
_BY = ["study", "electrode", "condition"]


def _improvement_row(keys: tuple[Hashable, ...], group: pd.DataFrame) -> dict[str, object]:
    values = group["er"].to_numpy(float)
    test, interval = one_sample(values), bca(values)
    size = effect(test.t, test.n)
    return {
        **dict(zip(_BY, keys, strict=True)),
        "n": test.n,
        "unit": group["unit"].iloc[0],
        "er_mean": test.mean,
        "t": test.t,
        "p_value": test.p_value,
        "p_folds": over_folds(values).p_value,
        "p_wilcoxon": signed_rank(values),
        "bca_low": interval.low,
        "bca_high": interval.high,
        **vars(size),
        "bf10": bayes_factor(test.t, test.n),
        "reason": test.reason or interval.reason,
    }


def differences(errors: pd.DataFrame) -> pd.DataFrame:
    """Compare the conditions of each electrode with tests that know that they share their units.

    Returns
    -------
    pandas.DataFrame
        One row a study, electrode and pair (a, b): difference, t, p_value, p_holm (over the pairs), p_wilcoxon, n; and,
        the same for each pair of an electrode, f, df1, df2, epsilon, p_gg, p_gg_holm (over the study's electrodes),
        p_friedman; differs (p_gg_holm and p_holm < .05), verdict, reason.
    """
    tables = []
    for study, rows in by_electrode(errors).groupby("study", sort=False):
        parts = [_difference_rows(str(electrode), group) for electrode, group in rows.groupby("electrode", sort=False)]
        made = [part for part in parts if len(part)]
        if made:
            tables.append(_with_family(pd.concat(made, ignore_index=True)).assign(study=study))
    if not tables:
        return pd.DataFrame(columns=["study", "electrode", "a", "b"])
    table = pd.concat(tables, ignore_index=True)
    differs = (table["p_gg_holm"] < ALPHA) & (table["p_holm"] < ALPHA)
    defined = table["p_holm"].where(table["p_gg_holm"].notna())
    return table.assign(differs=differs, verdict=_verdict(differs, defined, DIFFERS, NO_DIFFERENCE))


def _difference_rows(electrode: str, group: pd.DataFrame) -> pd.DataFrame:
    order = list(dict.fromkeys(group["condition"]))
    wide = group.pivot_table(index="label", columns="condition", values="er", dropna=False, sort=False)[order]
    if len(order) < 2:
        return pd.DataFrame()
    whole = repeated_measures(wide)
    pairs = contrasts(wide)
    reasons = pairs.pop("reason").where(pairs["t"].isna(), str(whole.pop("reason")))
    return pairs.assign(electrode=electrode, **whole, p_friedman=friedman(wide), reason=reasons)


def _with_family(table: pd.DataFrame) -> pd.DataFrame:
    once = table.drop_duplicates("electrode").set_index("electrode")["p_gg"]
    adjusted = pd.Series(holm(once), index=once.index)
    return table.assign(p_gg_holm=table["electrode"].map(adjusted))


def _verdict(found: pd.Series, p_value: pd.Series, yes: str = IMPROVES, no: str = NO_IMPROVEMENT) -> np.ndarray:
    return np.where(p_value.isna(), UNDEFINED, np.where(found, yes, no))


# --- Side by side: the verdicts of the paper's tests, and of these ---


def improvement_side_by_side(summary: pd.DataFrame, reviewed: pd.DataFrame) -> pd.DataFrame:
    """Put the paper's t-test of each muscle beside the reviewed test of its electrode.

    Parameters
    ----------
    summary
        Rows of `statistics.summary`.
    reviewed
        Rows of `improvement`.

    Returns
    -------
    pandas.DataFrame
        One row a study, muscle and condition: as_published_er, as_published_p_value, as_published_verdict; the columns
        of `improvement`; changes (the verdicts differ).
    """
    columns = ["study", "muscle", "electrode", "condition", "er_mean", "p_value", "improved"]
    left = summary[columns].rename(columns={"er_mean": "as_published_er", "p_value": "as_published_p_value"})
    verdict = _verdict(left.pop("improved"), left["as_published_p_value"])
    return _changes(left.assign(as_published_verdict=verdict).merge(reviewed, on=_BY, how="left", validate="m:1"))


def differences_side_by_side(tukey: pd.DataFrame, reviewed: pd.DataFrame, electrodes: pd.DataFrame) -> pd.DataFrame:
    """Put Tukey's comparison of each muscle beside the reviewed one of its electrode.

    Tukey's test takes the conditions for independent groups; they share their subjects.

    Parameters
    ----------
    tukey
        Rows of `statistics.tukey`.
    reviewed
        Rows of `differences`.
    electrodes
        Columns study, muscle, electrode (such as those of `statistics.summary`).

    Returns
    -------
    pandas.DataFrame
        One row a study, muscle and pair of conditions: as_published_difference (a minus b), as_published_p_value,
        as_published_verdict; the columns of `differences`; changes.
    """
    which = electrodes[["study", "muscle", "electrode"]].drop_duplicates()
    left = tukey.merge(which, on=["study", "muscle"], how="left", validate="m:1").drop(columns="reason")
    left = left.rename(columns={"difference": "as_published_difference", "p_value": "as_published_p_value"})
    flipped = left["a"].map(_rank(reviewed)) > left["b"].map(_rank(reviewed))
    left.loc[flipped, ["a", "b"]] = left.loc[flipped, ["b", "a"]].to_numpy()
    left.loc[flipped, "as_published_difference"] *= -1
    p_value = left["as_published_p_value"]
    verdict = _verdict(p_value < ALPHA, p_value, DIFFERS, NO_DIFFERENCE)
    keys = ["study", "electrode", "a", "b"]
    return _changes(left.assign(as_published_verdict=verdict).merge(reviewed, on=keys, how="left", validate="m:1"))


def _rank(reviewed: pd.DataFrame) -> dict[str, int]:
    return {name: place for place, name in enumerate(dict.fromkeys([*reviewed["a"], *reviewed["b"]]))}


def _changes(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(changes=table["as_published_verdict"] != table["verdict"])


def said(table: pd.DataFrame) -> str:
    """Say in how many rows of a side-by-side table the verdict changes."""
    changed = table[table["changes"].astype(bool)]
    named = [_name(row) for row in _records(changed)]
    listed = f": {'; '.join(named[:12])}{' …' if len(named) > 12 else ''}" if named else ""
    return f"{len(changed)} of {len(table)} verdicts change{listed}."


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    records: list[dict[str, object]] = table.to_dict("records")  # type: ignore[assignment]
    return records


def _name(row: dict[str, object]) -> str:
    pair = f"{row.get('a')} against {row.get('b')}"
    return f"{row['muscle']} {row.get('condition', pair)}"
