"""The published numbers audited, and the statistics under review: what 10_audit calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from nem2e_lib.analysis import published, review
from nem2e_lib.analysis import review_waveforms as waveforms
from nem2e_lib.analysis.review import in_words
from nem2e_lib.figures.fields import condition_of, fields
from nem2e_lib.figures.panels import plural
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import AUDIT, IMPROVEMENT
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table

PAGE = "10_audit"
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


@dataclass(frozen=True)
class Review:
    """A run's statistics as published and as they should be."""

    found: Findings

    @cached_property
    def improvement(self) -> pd.DataFrame:
        """Side by side: does a muscle improve under a condition?"""
        return review.improvement_side_by_side(self.found.summary, review.improvement(self.found.errors))

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Side by side: do two conditions differ?"""
        return review.differences_side_by_side(
            self.found.tukey, review.differences(self.found.errors), self.found.summary
        )

    @property
    def synthetic(self) -> bool:
        """Whether any study is synthetic."""
        return self.found.any_synthetic


def audited(found: Findings) -> list[Saved]:
    """The audit of Tables 2 and 3: the rows that contradict themselves, and every row with its checks."""
    table = published.audit()
    printed = published.results()
    wrong = published.inconsistent(table)
    caption = (
        f"{len(wrong)} of {len(table)} rows contradict themselves ({'; '.join(wrong)}). p is recomputed from d and n, "
        f"the interval's centre is laid beside the mean, d is recomputed from the interval. {published.TOLERANCE} "
        f"{int((table['repeats'] != '').sum())} rows share cells with another row; a two-digit d may do so by chance."
    )
    cells = printed[["er_mean", "p_value", "ci_low", "ci_high", "cohen_d"]].add_prefix("printed_")
    whole = pd.concat([table, cells], axis=1)
    shown = ["dataset", "muscle", "condition", "contradictions", "repeats"]
    few = table.loc[~table["consistent"].to_numpy(bool), shown]
    site = found.run.site
    return [
        save_table(tables.plain(few, "Published rows that contradict themselves", caption), "audit", site, page=PAGE),
        AUDIT.save(
            tables.plain(whole, "Every published row, recomputed from its own cells", published.TOLERANCE), site
        ),
    ]


def improvement(reviewed: Review) -> Saved:
    """Does a muscle improve: one-sample t-test as published beside the review."""
    rows = reviewed.improvement
    caption = (
        "As published: one-sample t-test of Er against 0 for every muscle, not corrected. As it should be: the mean Er "
        f"of an electrode (its copies counted once); n = {_units(rows)}; Holm and Benjamini-Hochberg over "
        f"{review.FAMILY}; "
        "BCa: 95 % bootstrap interval over units; d and g with intervals from the noncentral t; BF10: Cauchy prior, "
        f"scale 0.707. {review.said(rows)}"
    )
    worded = rows.assign(evidence=rows["bf10"].map(in_words))
    table = tables.plain(
        worded[SHOWN_OF_IMPROVEMENT],
        "Does a muscle improve? As published, and as it should be",
        caption,
        synthetic=reviewed.synthetic,
    )
    return IMPROVEMENT.save(replace(table, data=worded), reviewed.found.run.site)


def differences(reviewed: Review) -> Saved:
    """Do conditions differ: Tukey as published beside tests that know that the conditions share their subjects."""
    rows = reviewed.differences
    caption = (
        "As published: Tukey's test, which holds for independent groups; the conditions share their subjects, so it "
        "does not hold here. As it should be: repeated-measures ANOVA (Greenhouse-Geisser), Friedman's test beside it, "
        f"paired contrasts (t and Wilcoxon). Holm over {review.FAMILY_OF_PAIRS}. {review.said(rows)}"
    )
    table = tables.plain(
        rows[SHOWN_OF_DIFFERENCES],
        "Do conditions differ? As published, and as it should be",
        caption,
        synthetic=reviewed.synthetic,
    )
    return save_table(replace(table, data=rows), "review_differences", reviewed.found.run.site, page=PAGE)


def _units(rows: pd.DataFrame) -> str:
    pairs = rows[["study", "n", "unit"]].drop_duplicates().itertuples(index=False)
    return ", ".join(f"{plural(int(n), str(unit))} ({study})" for study, n, unit in pairs)


def over_the_cycle(reviewed: Review) -> list[Saved]:
    """Where in the cycle errors differ: a figure and a table of spans for each study."""
    return [saved for study in reviewed.found.trained for saved in _fields_of(reviewed, study)]


def _fields_of(reviewed: Review, study: str) -> list[Saved]:
    conditions = reviewed.found.trained[study]
    first = next(iter(conditions.values()))
    drawn, spans = {}, []
    for electrode in dict.fromkeys(map(str, first.electrode.values)):
        curves, phase, _ = waveforms.error_waveforms(conditions, electrode)
        tested = [waveforms.anova(curves, phase), *waveforms.pairs(curves, phase)]
        spans += [row for field in tested for row in _span_rows(study, electrode, field)]
        chosen = [field for field in tested if field.name.startswith(waveforms.OPENSIM)]
        drawn[electrode] = [field for field in chosen if condition_of(field) in conditions]
    synthetic, site = reviewed.found.synthetic(study), reviewed.found.run.site
    units = plural(first.sizes["fold"], str(first.attrs["unit"]))
    figure = fields(drawn, phase, study=study, units=units, synthetic=synthetic)
    table = tables.plain(
        pd.DataFrame(spans),
        f"{study}: spans of the cycle in which errors differ",
        f"Root mean squared error of {units}, one curve each. anova: all conditions and OpenSim. {waveforms.CAVEAT}",
        synthetic=synthetic,
    )
    return [
        save_drawn(figure, f"fields_{study}", site, page=PAGE),
        save_table(table, f"fields_{study}_spans", site, page=PAGE),
    ]


def _span_rows(study: str, electrode: str, field: waveforms.Field) -> list[dict[str, object]]:
    known = {"study": study, "electrode": electrode, "comparison": field.name}
    empty = {"start_pct": float("nan"), "end_pct": float("nan"), "p_cluster": float("nan")}
    last = {"threshold": field.threshold, "alpha": field.alpha, "fwhm_samples": field.fwhm, "reason": field.reason}
    if not field.spans:
        return [{**known, "beyond": False, **empty, **last}]
    return [
        {**known, "beyond": True, "start_pct": s.start, "end_pct": s.end, "p_cluster": s.p_value, **last}
        for s in field.spans
    ]
