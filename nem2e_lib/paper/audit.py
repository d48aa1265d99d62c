"""Tables of the audit and of the review, with captions that count what they show: 10_audit's words."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from nem2e_lib.analysis import published, review
from nem2e_lib.analysis import review_waveforms as waveforms
from nem2e_lib.site import tables
from nem2e_lib.site.tables import Table
from nem2e_lib.training.units import units_said

_SIDES = ["as_published_p_value", "as_published_verdict", "p_holm", "verdict"]
SHOWN_OF_IMPROVEMENT = [
    "study",
    "muscle",
    "condition",
    "as_published_er",
    *_SIDES,
    "er_mean",
    "bca_low",
    "bca_high",
    "p_bh",
    "p_wilcoxon",
    "g",
    "g_low",
    "g_high",
    "evidence",
    "n",
    "reason",
]
SHOWN_OF_DIFFERENCES = [
    "study",
    "muscle",
    "a",
    "b",
    "as_published_difference",
    *_SIDES,
    "difference",
    "epsilon",
    "p_gg_holm",
    "p_friedman",
    "p_wilcoxon",
    "n",
    "reason",
]
"""Columns shown; the CSV beside each table has all."""


def inconsistent(audited: pd.DataFrame) -> Table:
    """Return the rows of `published.audit` that do not agree as they were read, and what would mend them."""
    caption = (
        f"{published.said(audited)} p is recomputed from d and n, the interval's centre is laid beside the mean, d is "
        f"recomputed from the interval. {published.TOLERANCE} Other readings: one character changed, lost or added, or "
        "two neighbours swapped, with no fewer decimals; ** for ***. The likeliest one is shown. "
        f"{int((audited['repeats'] != '').sum())} rows share cells with another row; a two-digit d may do so by chance."
    )
    shown = ["dataset", "muscle", "condition", "contradictions", "repeats", "reading", "mended"]
    few = audited.loc[~audited["consistent"].to_numpy(bool), shown]
    return tables.plain(few, "Published rows that do not agree with themselves as they were read", caption)


def every_row(audited: pd.DataFrame, printed: pd.DataFrame) -> Table:
    """Return `published.audit`'s rows beside the cells of `published.results` that they were recomputed from."""
    cells = printed[["er_mean", "p_value", "ci_low", "ci_high", "cohen_d"]].add_prefix("printed_")
    whole = pd.concat([audited, cells], axis=1)
    caption = f"{published.TOLERANCE} {published.SOURCE}"
    return tables.plain(whole, "Every published row, recomputed from its own cells", caption)


def improvement(rows: pd.DataFrame, *, synthetic: bool) -> Table:
    """Return `review.improvement_side_by_side`'s rows as a table: does a muscle improve?"""
    caption = (
        "As published: one-sample t-test of Er against 0 for every muscle, not corrected. As it should be: the mean Er "
        f"of an electrode (its copies counted once); n = {_units(rows)}; Holm and Benjamini-Hochberg over "
        f"{review.FAMILY}, of the t-test corrected for training data that folds share; "
        "BCa: 95 % bootstrap interval over units; d and g with intervals from the noncentral t; BF10: Cauchy prior, "
        f"scale 0.707. {review.said(rows)}"
    )
    worded = rows.assign(evidence=rows["bf10"].map(review.in_words))
    title = "Does a muscle improve? As published, and as it should be"
    return replace(tables.plain(worded[SHOWN_OF_IMPROVEMENT], title, caption, synthetic=synthetic), data=worded)


def differences(rows: pd.DataFrame, *, synthetic: bool) -> Table:
    """Return `review.differences_side_by_side`'s rows as a table: do two conditions differ?"""
    caption = (
        "As published: Tukey's test, which holds for independent groups; the conditions share their subjects, so it "
        "does not hold here. As it should be: repeated-measures ANOVA (Greenhouse-Geisser), Friedman's test beside it, "
        f"paired contrasts (t and Wilcoxon). Holm over {review.FAMILY_OF_PAIRS}. {review.said(rows)}"
    )
    title = "Do conditions differ? As published, and as it should be"
    return replace(tables.plain(rows[SHOWN_OF_DIFFERENCES], title, caption, synthetic=synthetic), data=rows)


def _units(rows: pd.DataFrame) -> str:
    pairs = rows[["study", "n", "unit"]].drop_duplicates().itertuples(index=False)
    return ", ".join(f"{units_said(int(n), str(unit))} ({study})" for study, n, unit in pairs)


def spans(rows: pd.DataFrame, *, units: str, synthetic: bool) -> Table:
    """Return `waveforms.spans`' rows of a study as a table; `units` such as ``8 subjects``."""
    title = f"{rows['study'].iloc[0]}: spans of the cycle in which errors differ"
    caption = (
        f"Root mean squared error of {units}, one curve each. anova: all conditions and OpenSim. {waveforms.CAVEAT}"
    )
    return tables.plain(rows, title, caption, synthetic=synthetic)
