"""What training on less, or on something else, costs (not in the paper)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.learning import CYCLES, MOTIONS, SPEEDS, SUBJECTS
from nem2e_lib.figures.points import intervals, rows_of_points
from nem2e_lib.figures.style import (
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
from nem2e_lib.training.units import unit_name, units_said

MOTION_NAMES = {"same": "same motion", "other": "other motion", "both": "both motions"}
COLOURS = {"one_entire": CONDITION_COLOURS["one_entire"], "all_entire": "#444444"}


@styled
def learning_curves(summary: pd.DataFrame, *, where: str, synthetic: bool) -> Drawn:
    """Draw Er over the number of training cycles, of few units and of all; one panel a study.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``learning.learning_summary``.
    where : str
        What the models were trained with, for the caption.
    """
    rows = summary[summary["experiment"].isin([SUBJECTS, CYCLES])]
    studies = list(dict.fromkeys(rows["study"]))
    title = heading("Learning curves: Er over what the models were trained on", synthetic)
    figure = new_figure(3.8, title, legend_rows=2)
    axes = figure.subplots(1, len(studies), squeeze=False)[0]
    for axis, study in zip(axes, studies, strict=True):
        here = rows[rows["study"] == study]
        _curve_panel(axis, here)
        axis.set_title(f"{study} (n = {units_said(int(here['n'].max()), str(here['unit'].iloc[0]), 'held-out')})")
    unit = str(rows["unit"].iloc[0])
    conditions = [str(name) for name in dict.fromkeys(rows["condition"])]
    known = [(e, c) for e in (SUBJECTS, CYCLES) for c in conditions if not _lines(rows, e, c).empty]
    lines = [
        Line2D([], [], label=f"{CONDITION_LABELS[c]}, {_words(e, unit)}", **_look(e, COLOURS[c])) for e, c in known
    ]
    curves = [
        Line2D([], [], label=f"{MEAN_CURVE_LABEL}, {_words(e, unit)}", **_look(e, MEAN_CURVE))
        for e in (SUBJECTS, CYCLES)
    ]
    add_legend(figure, [*lines, *curves, Line2D([], [], color=SIMULATED, lw=1.0, label="OpenSim")], columns=3)
    caption = (
        f"{where} Bars: 95 % CI over held-out units; every model gets as many updates; each mean curve is of the "
        "model's training cycles. "
        + " ".join(_ends(one) for _, one in rows.groupby(["experiment", "study", "condition"], sort=False))
    )
    return Drawn(figure, rows, title, caption, caption, synthetic)


def _words(experiment: str, unit: str) -> str:
    units = unit_name(unit, 2)
    return f"all cycles of few {units}" if experiment == SUBJECTS else f"few cycles of all {units}"


def _look(experiment: str, colour: str) -> dict[str, Any]:
    few = experiment == SUBJECTS
    return {"color": colour, "ls": "-" if few else "--", "marker": "o", "ms": 4.5, "mfc": colour if few else "white"}


def _lines(rows: pd.DataFrame, experiment: str, condition: str) -> pd.DataFrame:
    here = rows[(rows["experiment"] == experiment) & (rows["condition"] == condition)]
    return here.sort_values("n_training")


def _curve_panel(axis: Axes, rows: pd.DataFrame) -> None:
    axis.axhline(0, color=SIMULATED, lw=1.0)
    conditions = [str(name) for name in dict.fromkeys(rows["condition"])]
    for experiment in (SUBJECTS, CYCLES):
        first = _lines(rows, experiment, conditions[0])
        axis.plot(first["n_training"], first["er_mean_curve"], lw=1.1, **_look(experiment, MEAN_CURVE))
        for condition in conditions:
            one = _lines(rows, experiment, condition)
            colour, n = COLOURS[condition], one["n_training"].to_numpy(float)
            intervals(axis, n, one["ci_low"], one["ci_high"], orient="v", color=colour, lw=1.0)
            axis.plot(n, one["er_mean"], **_look(experiment, colour))
    axis.set_xscale("log")
    some = _lines(rows, SUBJECTS, conditions[0])
    unit = str(rows["unit"].iloc[0])
    labels = [f"{n}\n{units_said(int(k), unit)}" for n, k in zip(some["n_training"], some["order"], strict=True)]
    axis.set_xticks(some["n_training"].tolist(), labels)
    axis.minorticks_off()
    axis.set_xlabel("training cycles, and of how many they are all the cycles")
    axis.set_ylabel("Er  (positive: worse than OpenSim)")


def _ends(rows: pd.DataFrame) -> str:
    ordered = rows.sort_values("order").to_dict("records")
    few, whole = ordered[0], ordered[-1]
    better = [str(row["level"]) for row in ordered if row["against_ci_high"] < 0]
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
            _levels_panel(axes[y][x], here.sort_values(["order", "level"], ascending=[True, False]))
            what = "speeds" if experiment == SPEEDS else "motions"
            axes[y][x].set_title(f"{study}, {what} (n = {units_said(int(here['n'].max()), str(here['unit'].iloc[0]))})")
    add_legend(
        figure,
        [
            Line2D([], [], ls="", marker="D", color=COLOURS["one_entire"], mec="black", label="training had it"),
            Line2D([], [], ls="", marker="D", color=REFINED, mec="black", label="training lacked it"),
            Line2D([], [], ls="", marker="s", color=MEAN_CURVE, label=f"{MEAN_CURVE_LABEL} of the same training"),
            Line2D([], [], color=SIMULATED, lw=1.0, label="OpenSim"),
        ],
    )
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


def _levels_panel(axis: Axes, rows: pd.DataFrame) -> None:
    lacked = rows["level"].str.startswith("without") | (rows["level"] == "other")
    colours = [REFINED if missing else COLOURS["one_entire"] for missing in lacked]
    axis.axvline(0, color=SIMULATED, lw=1.0)
    axis.plot(rows["er_mean_curve"], range(len(rows)), ls="", marker="s", ms=5, color=MEAN_CURVE)
    rows_of_points(
        axis,
        rows,
        row="level",
        palette=dict(zip(rows["level"], colours, strict=True)),
        names=[MOTION_NAMES.get(level, level) for level in rows["level"]],
        notes=[signed(value) for value in rows["er_mean"]],
    )
    axis.set_xlabel("Er  (positive: worse than OpenSim)")
