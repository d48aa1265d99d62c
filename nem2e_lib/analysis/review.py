"""The paper's statistics as published, and as they should be: side by side for every muscle."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from nem2e_lib.analysis.review_effects import bayes_factor, bca, effect
from nem2e_lib.analysis.review_tests import (
    benjamini_hochberg,
    contrasts,
    friedman,
    holm,
    repeated_measures,
    signed_rank,
)
from nem2e_lib.analysis.statistics import ALPHA, one_sample

FAMILY = "the independent electrodes of a study under one condition"
FAMILY_OF_PAIRS = "the pairs of conditions of one electrode; the ANOVAs over the electrodes of a study"
IMPROVES, NO_IMPROVEMENT = "improves", "no improvement shown"
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
        Columns study, electrode, condition, n, unit, er_mean, t, p_value, p_holm, p_bh (each over `FAMILY`),
        p_wilcoxon, bca_low, bca_high, d, d_low, d_high, g, g_low, g_high, bf10, improved (below 0 at p_holm < .05),
        verdict, reason.
    """
    tidy = by_electrode(errors)
    rows = [_improvement_row(keys, group) for keys, group in tidy.groupby(_BY, sort=False)]
    table = pd.DataFrame(rows)
    for name, adjust in (("p_holm", holm), ("p_bh", benjamini_hochberg)):
        family = table.groupby(["study", "condition"], sort=False)["p_value"]
        table[name] = family.transform(lambda p, adjust=adjust: adjust(p))
    improved = (table["er_mean"] < 0) & (table["p_holm"] < ALPHA)
    return table.assign(improved=improved, verdict=_verdict(improved, table["p_holm"]))


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
