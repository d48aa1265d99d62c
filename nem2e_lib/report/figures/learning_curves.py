"""What training on less, or on something else, costs (not in the paper)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.learning import CYCLES, MOTIONS, SPEEDS, SUBJECTS
from nem2e_lib.report.figures.panels import plural
from nem2e_lib.report.style import (
    CONDITION_COLOURS,
    CONDITION_LABELS,
    MEAN_CURVE,
    MEAN_CURVE_LABEL,
    REFINED,
    SIMULATED,
    Drawn,
    add_legend,
    heading,
    new_figure,
    signed,
    styled,
)

COLOURS = {"one_entire": CONDITION_COLOURS["one_entire"], "all_entire": "#444444"}


@styled
def learning_curves(summary: pd.DataFrame, *, where: str, synthetic: bool) -> Drawn:
    """Draw Er over the number of training units (above) and of training cycles (below); one column a study.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``learning.learning_summary``.
    where : str
        What the models were trained with, for the caption.
    """
    rows = summary[summary["experiment"].isin([SUBJECTS, CYCLES])]
    experiments, studies = (list(dict.fromkeys(rows[name])) for name in ("experiment", "study"))
    title = heading("Learning curves: Er over what the models were trained on", synthetic)
    figure = new_figure(0.75 + 2.5 * len(experiments), title)
    axes = figure.subplots(len(experiments), len(studies), squeeze=False, sharey="col")
    for y, experiment in enumerate(experiments):
        for x, study in enumerate(studies):
            here = rows[(rows["experiment"] == experiment) & (rows["study"] == study)]
            _curve_panel(axes[y][x], here)
            unit = str(here["unit"].iloc[0])
            axes[y][x].set_title(f"{study} (n = {plural(int(here['n'].max()), 'held-out ' + unit)})")
            axes[y][x].set_xlabel(f"training {unit}s" if experiment == SUBJECTS else "training cycles")
    names = [str(name) for name in dict.fromkeys(rows["condition"])]
    lines = [Line2D([], [], color=COLOURS[n], marker="o", ms=4, label=CONDITION_LABELS[n]) for n in names]
    curve = Line2D([], [], color=MEAN_CURVE, ls="--", marker="s", ms=3, label=f"{MEAN_CURVE_LABEL} of the same cycles")
    add_legend(figure, [*lines, curve, Line2D([], [], color=SIMULATED, lw=1.0, label="OpenSim")])
    caption = f"{where} Bars: 95 % CI over held-out units; every model gets as many updates. " + " ".join(
        _ends(one) for _, one in rows.groupby(["experiment", "study", "condition"], sort=False)
    )
    return Drawn(figure, rows, title, caption, caption, synthetic)


def _curve_panel(axis: Axes, rows: pd.DataFrame) -> None:
    axis.axhline(0, color=SIMULATED, lw=1.0)
    first = rows[rows["condition"] == rows["condition"].iloc[0]].sort_values("order")
    axis.plot(first["order"], first["er_mean_curve"], color=MEAN_CURVE, ls="--", marker="s", ms=3)
    for condition, one in rows.groupby("condition", sort=False):
        ordered = one.sort_values("order")
        bars = np.abs(ordered[["ci_low", "ci_high"]].to_numpy(float).T - ordered["er_mean"].to_numpy(float))
        axis.errorbar(
            ordered["order"], ordered["er_mean"], yerr=np.nan_to_num(bars), color=COLOURS[str(condition)], marker="o",
            ms=4, elinewidth=1,
        )  # fmt: skip
    axis.set_xscale("log")
    places = sorted(set(rows["order"]))
    axis.set_xticks(places, [f"{place:.0f}" for place in places])
    axis.minorticks_off()
    axis.set_ylabel("Er")


def _ends(rows: pd.DataFrame) -> str:
    ordered = rows.sort_values("order").to_dict("records")
    few, whole = ordered[0], ordered[-1]
    better = [row["level"] for row in ordered if row["against_ci_high"] < 0]
    said = f"better than the curve (95 % CI) with {', '.join(better)}" if better else "never better than the curve"
    return (
        f"{few['study']}, {CONDITION_LABELS[str(few['condition'])]}, {few['experiment']}: Er {signed(few['er_mean'])} "
        f"with {few['level']}, {signed(whole['er_mean'])} with {whole['level']}; {said}."
    )


@styled
def generalising(summary: pd.DataFrame, *, where: str, synthetic: bool) -> Drawn:
    """Draw Er at a speed that training lacked beside one that it had, and of models trained on another motion.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``learning.learning_summary``.
    """
    rows = summary[summary["experiment"].isin([SPEEDS, MOTIONS])]
    experiments = [name for name in (SPEEDS, MOTIONS) if name in set(rows["experiment"])]
    studies = list(dict.fromkeys(rows["study"]))
    title = heading("Generalising: a speed or a motion that training lacked (One-Entire)", synthetic)
    figure = new_figure(0.75 + 2.5 * len(experiments), title)
    axes = figure.subplots(len(experiments), len(studies), squeeze=False, sharex="col")
    for y, experiment in enumerate(experiments):
        for x, study in enumerate(studies):
            here = rows[(rows["experiment"] == experiment) & (rows["study"] == study)]
            labels = _speed_labels if experiment == SPEEDS else _motion_labels
            _levels_panel(axes[y][x], here.sort_values(["order", "level"], ascending=[True, False]), labels(here))
            what = "speeds" if experiment == SPEEDS else "motions"
            axes[y][x].set_title(f"{study}, {what} (n = {plural(int(here['n'].max()), str(here['unit'].iloc[0]))})")
    add_legend(figure, [
        Line2D([], [], ls="", marker="D", color=COLOURS["one_entire"], mec="black", label="training had it"),
        Line2D([], [], ls="", marker="D", color=REFINED, mec="black", label="training lacked it"),
        Line2D([], [], ls="", marker="s", color=MEAN_CURVE, label=f"{MEAN_CURVE_LABEL} of the same training"),
        Line2D([], [], color=SIMULATED, lw=1.0, label="OpenSim"),
    ])  # fmt: skip
    tested = rows[rows["cost"].notna()].to_dict("records")
    said = [
        f"{row['study']}, {row['level']}: {signed(row['cost'])} ({signed(row['cost_ci_low'])} to "
        f"{signed(row['cost_ci_high'])})."
        for row in tested
    ]
    caption = (
        f"{where} Bars: 95 % CI over held-out units. Cost, paired with the same cycles under full training or the same "
        f"motion: {' '.join(said)}"
    )
    return Drawn(figure, rows, title, caption, caption, synthetic)


def _speed_labels(rows: pd.DataFrame) -> dict[str, str]:
    return {str(level): str(level) for level in rows["level"]}


def _motion_labels(rows: pd.DataFrame) -> dict[str, str]:
    return {"same": "same motion", "other": "other motion", "both": "both motions"}


def _levels_panel(axis: Axes, rows: pd.DataFrame, labels: dict[str, str]) -> None:
    axis.axvline(0, color=SIMULATED, lw=1.0)
    ordered = rows.to_dict("records")[::-1]
    for y, row in enumerate(ordered):
        lacked = str(row["level"]).startswith("without") or row["level"] == "other"
        colour = REFINED if lacked else COLOURS["one_entire"]
        bars = np.nan_to_num([[row["er_mean"] - row["ci_low"]], [row["ci_high"] - row["er_mean"]]])
        axis.plot(row["er_mean_curve"], y, marker="s", ms=5, color=MEAN_CURVE)
        axis.errorbar(row["er_mean"], y, xerr=bars, fmt="D", ms=5, color=colour, mec="black", mew=0.6, ecolor="black")
        axis.annotate(
            signed(row["er_mean"]), (1, y), va="center", fontsize=8, xycoords=("axes fraction", "data"),
            xytext=(4, 0), textcoords="offset points",
        )  # fmt: skip
    axis.set_yticks(range(len(ordered)), [labels[str(row["level"])] for row in ordered])
    axis.set_ylim(-0.6, len(ordered) - 0.4)
    axis.set_xlabel("Er  (positive: worse than OpenSim)")
