"""Is it learning or remembering: Er under changed inputs, and how far outputs follow (not in the paper)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.control_tests import UNCHANGED
from nem2e_lib.report.figures.errors import spread
from nem2e_lib.report.figures.panels import plural
from nem2e_lib.report.style import (
    CONDITION_COLOURS,
    CONDITION_LABELS,
    MEAN_CURVE,
    MEAN_CURVE_LABEL,
    SIMULATED,
    Drawn,
    add_legend,
    heading,
    label_of,
    new_figure,
    signed,
    stars,
    styled,
)

METHOD_COLOURS = {**CONDITION_COLOURS, "mean_curve": MEAN_CURVE, "opensim": SIMULATED}
_MARKS = {"mean_curve": {"marker": "s"}, "opensim": {"marker": "o", "mfc": "white"}}
FOLLOWED = {
    "slope": "slope,\nfrom the mean curve",
    "slope_within": "slope,\ncycle to cycle",
    "r_within": "correlation,\ncycle to cycle",
    "variance_share": "variance,\ncycle to cycle",
}


@styled
def control_errors(summary: pd.DataFrame, units: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw Er under each control with its 95 % CI, beside the training-mean curve; one panel a study and condition.

    Parameters
    ----------
    summary, units : pandas.DataFrame
        Rows of ``control_tests.control_summary`` and ``control_tests.per_unit``.
    """
    studies, conditions = (list(dict.fromkeys(summary[name])) for name in ("study", "condition"))
    most = int(summary.groupby(["study", "condition"]).size().max())
    title = heading("Er of models that are fed with changed inputs", synthetic)
    figure = new_figure(0.9 + len(studies) * (0.55 + 0.27 * most), title)
    axes = figure.subplots(len(studies), len(conditions), squeeze=False, sharex="row")
    for (row, study), (column, condition) in ((a, b) for a in enumerate(studies) for b in enumerate(conditions)):
        axis = axes[row][column]
        one = _of(summary, study, condition)
        _controls_panel(axis, one, _of(units, study, condition), labels=column == 0)
        axis.set_title(
            f"{study}, {CONDITION_LABELS[condition]} (n = {plural(int(one['n'].iloc[0]), one['unit'].iloc[0])})"
        )
        axis.set_xlabel("Er  (positive: worse than OpenSim)")
    add_legend(figure, _control_handles())
    caption = (
        "Target: the original EMG; Er is taken against the original OpenSim error, averaged over electrodes. Numbers: "
        "rise over the unchanged input (paired t-test over held-out units, Holm over the controls of a panel). "
        + " ".join(_control_sentence(_of(summary, s, c)) for s in studies for c in conditions)
    )
    return Drawn(figure, summary, title, caption, caption, synthetic)


def _of(table: pd.DataFrame, study: object, condition: object) -> pd.DataFrame:
    return table[(table["study"] == study) & (table["condition"] == condition)]


def _controls_panel(axis: Axes, rows: pd.DataFrame, units: pd.DataFrame, labels: bool) -> None:
    axis.axvline(0, color=SIMULATED, lw=1.0)
    axis.axvline(float(rows["er_mean_curve"].iloc[0]), color=MEAN_CURVE, lw=1.4, ls="--")
    ordered = rows.to_dict("records")[::-1]
    for y, row in enumerate(ordered):
        name = str(row["control"])
        colour = CONDITION_COLOURS[str(row["condition"])] if name == UNCHANGED else "#D55E00"
        first = units["control"].iloc[0]
        source = units[units["control"] == (first if name == UNCHANGED else name)]
        here = source["er_unchanged" if name == UNCHANGED else "er"].to_numpy(float)
        axis.scatter(here, y + spread(here, 0.16), s=9, color=colour, alpha=0.45, lw=0)
        low, high = row["er_mean"] - row["ci_low"], row["ci_high"] - row["er_mean"]
        bars = [[low], [high]] if np.isfinite([low, high]).all() else None
        axis.errorbar(row["er_mean"], y, xerr=bars, fmt="D", ms=5, color=colour, mec="black", mew=0.6, ecolor="black")
        axis.annotate(
            _rise(row),
            (1, y),
            va="center",
            fontsize=8,
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
        )
    axis.set_yticks(range(len(ordered)), [str(row["control"]) if labels else "" for row in ordered], fontsize=8.5)
    axis.set_ylim(-0.6, len(ordered) - 0.4)


def _rise(row: dict[Hashable, Any]) -> str:
    if row["control"] == UNCHANGED:
        return f"Er {signed(row['er_mean'])}"
    return f"{signed(row['rise'])} {stars(row['rise_p_holm'])}" if np.isfinite(row["rise"]) else "–"


def _control_handles() -> list[Line2D]:
    return [
        Line2D([], [], ls="", marker="o", ms=4, color="#888888", label="one held-out unit"),
        Line2D([], [], marker="D", ms=5, color="black", mfc="#aaaaaa", lw=1.2, label="mean and 95 % CI"),
        Line2D([], [], color=MEAN_CURVE, ls="--", lw=1.4, label=MEAN_CURVE_LABEL),
        Line2D([], [], color=SIMULATED, lw=1.0, label="OpenSim"),
    ]


def _control_sentence(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    changed = rows[rows["control"] != UNCHANGED]
    sure = int(((changed["rise"] > 0) & (changed["rise_p_holm"] < 0.05)).sum())
    worse = int((changed["above_mean_curve_ci_low"] > 0).sum())
    first = rows.iloc[0]
    return (
        f"{first['study']}, {CONDITION_LABELS[str(first['condition'])]}: Er {signed(first['er_mean'])} unchanged; it "
        f"rises under {sure} of {len(changed)} controls (p < .05) and is above the training-mean curve's "
        f"{signed(first['er_mean_curve'])} under {worse} (95 % CI)."
    )


@styled
def following(summary: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw how far outputs follow the EMG: 0 replays the training-mean curve, 1 follows; one panel a study.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``control_tests.following_summary``.
    """
    shown = summary[summary["measure"].isin(list(FOLLOWED))]
    studies = list(dict.fromkeys(shown["study"]))
    title = heading("How far outputs follow what is particular to a cycle", synthetic)
    figure = new_figure(3.6, title)
    axes = figure.subplots(1, len(studies), squeeze=False)[0]
    for axis, study in zip(axes, studies, strict=True):
        rows = shown[shown["study"] == study]
        _following_panel(axis, rows)
        axis.set_title(f"{study} (n = {plural(int(rows['n'].max()), 'held-out ' + str(rows['unit'].iloc[0]))})")
    methods = list(dict.fromkeys(shown["method"]))
    add_legend(figure, [Line2D([], [], ls="", label=label_of(m), **_mark(m)) for m in methods])
    lost = int(shown["mean"].isna().sum())
    caption = (
        "Mean over electrodes and 95 % CI over held-out units. Deviations of the output are regressed on those of the "
        "EMG through the origin; 0 replays a curve, 1 follows. 'Cycle to cycle' leaves a unit's own mean out. "
        + " ".join(_following_sentence(shown, study) for study in studies)
        + (f" {lost} cannot be told (see the table)." if lost else "")
    )
    return Drawn(figure, shown, title, caption, caption, synthetic)


def _following_panel(axis: Axes, rows: pd.DataFrame) -> None:
    methods = list(dict.fromkeys(rows["method"]))
    axis.axhline(0, color="#444444", lw=0.8)
    axis.axhline(1, color="#444444", lw=0.8, ls=":")
    for place, method in enumerate(methods):
        one = rows[rows["method"] == method].set_index("measure").reindex(list(FOLLOWED))
        x = np.arange(len(FOLLOWED)) + (place - (len(methods) - 1) / 2) * 0.15
        mean = one["mean"].to_numpy(float)
        bars = np.nan_to_num(np.abs(one[["ci_low", "ci_high"]].to_numpy(float).T - mean))
        axis.errorbar(x, mean, yerr=bars, ls="", ecolor="#444444", elinewidth=1, **_mark(method))
    axis.set_xticks(range(len(FOLLOWED)), list(FOLLOWED.values()))
    axis.set_ylabel("share of the EMG's own")


def _mark(method: str) -> dict[str, Any]:
    colour = METHOD_COLOURS[method]
    return {"marker": "D", "ms": 5, "color": colour, "mec": colour, **_MARKS.get(method, {})}


def _following_sentence(rows: pd.DataFrame, study: object) -> str:
    here = rows[(rows["study"] == study) & (rows["measure"] == "slope_within")]
    named = [f"{label_of(m)} {signed(v)}" for m, v in zip(here["method"], here["mean"], strict=True) if np.isfinite(v)]
    return f"{study}, slope from cycle to cycle: {', '.join(named)}." if named else ""
