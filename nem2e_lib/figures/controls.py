"""Is it learning or remembering (not in the paper): Er under controls, how far outputs follow, inputs moved in time.

A model that learned from its input does worse when it is fed with another's (`control_errors`), gives what is
particular to a cycle (`following`), and moves along when its input is moved (`shift_errors`, `shift_maps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import TwoSlopeNorm
from matplotlib.lines import Line2D

from nem2e_lib.analysis.control_tests import UNCHANGED
from nem2e_lib.analysis.controls import NEAR
from nem2e_lib.analysis.statistics import FEWEST
from nem2e_lib.figures.panels import Float, curves_with_bands
from nem2e_lib.figures.points import marks, mean_handle, rows_of_points, unit_handle
from nem2e_lib.figures.style import (
    CONDITION_COLOURS,
    CONDITION_LABELS,
    MEAN_CURVE,
    MEAN_CURVE_LABEL,
    METHOD_COLOURS,
    REFINED,
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
from nem2e_lib.training.units import units_said

MARKERS = {"mean_curve": "s", "opensim": "o"}
"""Of what is no model; models are diamonds."""
FOLLOWED = {
    "slope": "slope,\nfrom the mean curve",
    "slope_within": "slope,\ncycle to cycle",
    "r_within": "correlation,\ncycle to cycle",
    "variance_share": "variance,\ncycle to cycle",
}
SHIFT_AXIS = "input earlier by (% of the cycle)"


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
        told = units_said(int(one["n"].iloc[0]), str(one["unit"].iloc[0]))
        axis.set_title(f"{study}, {CONDITION_LABELS[condition]} (n = {told})")
        axis.set_xlabel("Er  (positive: worse than OpenSim)")
    add_legend(figure, _control_handles())
    caption = (
        "Target: the original EMG; Er is taken against the original OpenSim error, averaged over electrodes. Numbers: "
        "rise over the unchanged input (paired over held-out units, corrected for shared training data, Holm over the "
        f"controls of a panel: for exploring; no stars below {FEWEST} units). "
        + " ".join(_control_sentence(_of(summary, s, c)) for s in studies for c in conditions)
    )
    return Drawn(figure, summary, title, caption, caption, synthetic)


def _of(table: pd.DataFrame, study: object, condition: object) -> pd.DataFrame:
    return table[(table["study"] == study) & (table["condition"] == condition)]


def _controls_panel(axis: Axes, rows: pd.DataFrame, units: pd.DataFrame, labels: bool) -> None:
    axis.axvline(0, color=SIMULATED, lw=1.0)
    axis.axvline(float(rows["er_mean_curve"].iloc[0]), color=MEAN_CURVE, lw=1.4, ls="--")
    own = CONDITION_COLOURS[str(rows["condition"].iloc[0])]
    rows_of_points(
        axis,
        rows,
        row="control",
        palette={name: own if name == UNCHANGED else REFINED for name in rows["control"]},
        names=[name if labels else "" for name in rows["control"]],
        notes=[_rise(row) for _, row in rows.iterrows()],
        units=_with_unchanged(units),
    )


def _with_unchanged(units: pd.DataFrame) -> pd.DataFrame:
    one = units[units["control"] == units["control"].iloc[0]]
    unchanged = one.assign(control=UNCHANGED, er=one["er_unchanged"])
    return pd.concat([unchanged, units[units["control"] != UNCHANGED]], ignore_index=True)


def _rise(row: pd.Series[Any]) -> str:
    if row["control"] == UNCHANGED:
        return f"Er {signed(row['er_mean'])}"
    found = stars(row["rise_p_holm"]) if row["n"] >= FEWEST else ""
    return f"{signed(row['rise'])} {found}".rstrip() if np.isfinite(row["rise"]) else "–"


def _control_handles() -> list[Line2D]:
    return [
        unit_handle(),
        mean_handle("mean and 95 % CI"),
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
        axis.set_title(f"{study} (n = {units_said(int(rows['n'].max()), str(rows['unit'].iloc[0]), 'held-out')})")
    methods = list(dict.fromkeys(shown["method"]))
    add_legend(
        figure,
        [
            Line2D([], [], ls="", ms=5, marker=MARKERS.get(m, "D"), color=METHOD_COLOURS[m], label=label_of(m))
            for m in methods
        ],
    )
    lost = int(shown["mean"].isna().sum())
    caption = (
        "Mean over electrodes and 95 % CI over held-out units. Deviations of the output are regressed on those of the "
        "EMG through the origin; 0 replays a curve, 1 follows. 'Cycle to cycle' leaves a unit's own mean out. "
        + " ".join(_following_sentence(shown, study) for study in studies)
        + (f" {lost} cannot be told (see the table)." if lost else "")
    )
    return Drawn(figure, shown, title, caption, caption, synthetic)


def _following_panel(axis: Axes, rows: pd.DataFrame) -> None:
    palette = {method: METHOD_COLOURS[method] for method in dict.fromkeys(rows["method"])}
    axis.axhline(0, color="#444444", lw=0.8)
    axis.axhline(1, color="#444444", lw=0.8, ls=":")
    marks(
        axis,
        rows,
        row="measure",
        value="mean",
        order=list(FOLLOWED),
        hue="method",
        palette=palette,
        step=0.15,
        orient="v",
        markers=[MARKERS.get(method, "D") for method in palette],
        markersize=6,
        markeredgewidth=0.0,
        line={"color": "#444444", "lw": 1.0},
    )
    axis.set_xticks(range(len(FOLLOWED)), list(FOLLOWED.values()))
    axis.set_xlim(-0.5, len(FOLLOWED) - 0.5)
    axis.set_ylabel("share of the EMG's own")


def _following_sentence(rows: pd.DataFrame, study: object) -> str:
    here = rows[(rows["study"] == study) & (rows["measure"] == "slope_within")]
    named = [f"{label_of(m)} {signed(v)}" for m, v in zip(here["method"], here["mean"], strict=True) if np.isfinite(v)]
    return f"{study}, slope from cycle to cycle: {', '.join(named)}." if named else ""


@styled
def shift_errors(table: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw Er over the shift of the input with its 95 % CI over held-out units; one panel a study.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns study, condition, shift_pct, er_mean, ci_low, ci_high, er_mean_curve, er_unchanged, n, unit.
    """
    studies = list(dict.fromkeys(table["study"]))
    title = heading("Er over a shift of the input", synthetic)
    figure = new_figure(3.4, title)
    axes = figure.subplots(1, len(studies), squeeze=False)[0]
    for axis, study in zip(axes, studies, strict=True):
        rows = table[table["study"] == study]
        axis.axhline(0, color=SIMULATED, lw=1.0)
        axis.axhline(float(rows["er_mean_curve"].iloc[0]), color=MEAN_CURVE, ls="--", lw=1.4)
        curves_with_bands(
            axis,
            rows,
            x="shift_pct",
            y="er_mean",
            low="ci_low",
            high="ci_high",
            hue="condition",
            palette=CONDITION_COLOURS,
            band=0.2,
            marker="o",
            markersize=4,
            markeredgewidth=0,
        )
        axis.set_title(f"{study} (n = {units_said(int(rows['n'].iloc[0]), str(rows['unit'].iloc[0]))})")
        axis.set_xlabel(SHIFT_AXIS)
        axis.set_ylabel("Er  (positive: worse than OpenSim)")
    names = [str(name) for name in dict.fromkeys(table["condition"])]
    lines = [Line2D([], [], color=CONDITION_COLOURS[n], marker="o", ms=3, label=CONDITION_LABELS[n]) for n in names]
    curve = Line2D([], [], color=MEAN_CURVE, ls="--", lw=1.4, label=f"{MEAN_CURVE_LABEL} (sees no input)")
    add_legend(figure, [*lines, curve, Line2D([], [], color=SIMULATED, lw=1.0, label="OpenSim, input unchanged")])
    said = " ".join(_least(rows) for _, rows in table.groupby(["study", "condition"], sort=False))
    caption = (
        "First cycle of each trial, mean over electrodes; bands: 95 % CI over held-out units; the target stays. " + said
    )
    return Drawn(figure, table, title, caption, caption, synthetic)


def _least(rows: pd.DataFrame) -> str:
    by_error = rows.sort_values("er_mean").to_dict("records")
    best, worst = by_error[0], by_error[-1]
    beyond = rows.loc[rows["er_mean"] > rows["er_mean_curve"], "shift_pct"].abs()
    crossing = f"; above the training-mean curve from {beyond.min():.0f} % on" if len(beyond) else ""
    return (
        f"{best['study']}, {CONDITION_LABELS[str(best['condition'])]}: least at {best['shift_pct']:+.0f} % "
        f"({signed(best['er_mean'])}), greatest at {worst['shift_pct']:+.0f} % ({signed(worst['er_mean'])}){crossing}."
    )


@styled
def shift_maps(
    maps: Mapping[tuple[str, str], tuple[Float, Float, Float, Float]], table: pd.DataFrame, *, synthetic: bool
) -> Drawn:
    """Draw how like the moved input's output is to the unmoved one at each lag; one panel a study and condition.

    Parameters
    ----------
    maps : mapping of (study, condition) to shift, lag, correlation, moved
        Shapes (shifts,), (lags,), (shifts, lags) and (shifts,), the last two mean over held-out units.
    table : pandas.DataFrame
        Columns study, condition, share, ci_low, ci_high, n, unit: slope of the output's lag on the shift.
    """
    title = heading("Where the output goes when the input is moved", synthetic)
    studies = list(dict.fromkeys(study for study, _ in maps))
    conditions = list(dict.fromkeys(condition for _, condition in maps))
    figure = new_figure(0.75 + 2.75 * len(studies), title)
    axes = figure.subplots(len(studies), len(conditions), squeeze=False, sharex=True, sharey=True)
    for (study, condition), (shift, lag, correlation, moved) in maps.items():
        axis = axes[studies.index(study)][conditions.index(condition)]
        image = _map(axis, shift, lag, correlation, moved)
        axis.set_title(f"{study}, {CONDITION_LABELS[condition]}")
    for axis in axes[:, 0]:
        axis.set_ylabel("output earlier by (%)")
    for axis in axes[-1]:
        axis.set_xlabel(SHIFT_AXIS)
    figure.colorbar(image, ax=axes, label="correlation with the\nunmoved input's output", shrink=0.8)
    add_legend(
        figure,
        [
            Line2D([], [], color="black", lw=1.2, label="moves along"),
            Line2D([], [], color="black", lw=1.2, ls=":", label="stays where it was"),
            Line2D([], [], ls="", marker="o", ms=4, color="black", label="lag of the greatest correlation"),
        ],
    )
    said = [
        f"{r['study']}, {CONDITION_LABELS[str(r['condition'])]}: the output's lag follows the shift with slope "
        f"{r['share']:.2f} (95 % CI {signed(r['ci_low'])} to {signed(r['ci_high'])}, n = "
        f"{units_said(int(r['n']), str(r['unit']))})."
        for r in table.to_dict("records")
    ]
    caption = (
        f"Slopes over shifts of up to {NEAR:.0f} %: 1 moves along, 0 stays. Mean over electrodes and held-out units. "
        + " ".join(said)
    )
    frames = []  # a column a lag (%): a map as it is drawn, and a quarter of a tidy table's text
    for (study, condition), (shift, lag, correlation, moved) in maps.items():
        own = pd.DataFrame(correlation.round(4), columns=[f"{at:g}" for at in lag])
        own.insert(0, "lag_of_greatest", moved)
        frames.append(own.assign(study=study, condition=condition, shift_pct=shift))
    data = pd.concat(frames, ignore_index=True)
    data = data[["study", "condition", "shift_pct", *data.columns.drop(["study", "condition", "shift_pct"])]]
    return Drawn(figure, data, title, caption, caption, synthetic)


def _map(axis: Axes, shift: Float, lag: Float, correlation: Float, moved: Float) -> QuadMesh:
    image = axis.pcolormesh(
        shift, lag, correlation.T, cmap="PuOr", norm=TwoSlopeNorm(0.0, -1.0, 1.0), shading="nearest", rasterized=True
    )
    ends = np.array([shift.min(), shift.max()])
    axis.plot(ends, ends, color="black", lw=1.2)
    axis.plot(ends, [0, 0], color="black", lw=1.2, ls=":")
    axis.plot(shift, moved, ls="", marker="o", ms=4, color="black", mec="white", mew=0.6)
    axis.set_ylim(lag.min(), lag.max())
    return image
