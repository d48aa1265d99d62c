"""Inputs moved in the cycle: error and output as functions of the shift (not in the paper)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import TwoSlopeNorm
from matplotlib.lines import Line2D

from nem2e_lib.analysis.shifts import NEAR
from nem2e_lib.report.figures.panels import Float, plural
from nem2e_lib.report.style import (
    CONDITION_COLOURS,
    CONDITION_LABELS,
    MEAN_CURVE,
    MEAN_CURVE_LABEL,
    SIMULATED,
    Drawn,
    add_legend,
    heading,
    new_figure,
    signed,
    styled,
)

AXIS = "input earlier by (% of the cycle)"


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
        for condition, one in rows.groupby("condition", sort=False):
            colour = CONDITION_COLOURS[str(condition)]
            axis.fill_between(one["shift_pct"], one["ci_low"], one["ci_high"], color=colour, alpha=0.2, lw=0)
            axis.plot(one["shift_pct"], one["er_mean"], color=colour, marker="o", ms=3)
        axis.set_title(f"{study} (n = {plural(int(rows['n'].iloc[0]), str(rows['unit'].iloc[0]))})")
        axis.set_xlabel(AXIS)
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
        axis.set_xlabel(AXIS)
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
        f"{plural(int(r['n']), str(r['unit']))})."
        for r in table.to_dict("records")
    ]
    caption = (
        f"Slopes over shifts of up to {NEAR:.0f} %: 1 moves along, 0 stays. Mean over electrodes and held-out units. "
        + " ".join(said)
    )
    frames = [
        pd.DataFrame(
            {
                "study": s,
                "condition": c,
                "shift_pct": np.repeat(m[0], len(m[1])),
                "lag_pct": np.tile(m[1], len(m[0])),
                "correlation": m[2].ravel(),
            }
        )
        for (s, c), m in maps.items()
    ]
    return Drawn(figure, pd.concat(frames, ignore_index=True), title, caption, caption, synthetic)


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
