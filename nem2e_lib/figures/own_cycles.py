"""What own cycles of a person buy: error over how many a method was adapted by (not in the paper)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.figures.points import intervals
from nem2e_lib.figures.style import MEAN_CURVE, MEASURED, Drawn, add_legend, heading, label_of, new_figure, styled
from nem2e_lib.training.units import units_said

COLOURS = {"mean_curve": MEAN_CURVE, "ridge_all": "#009E73", "pls": "#E69F00", "own_cycles": MEASURED}
PROTOCOLS = {"same": "judged at the speed of the own cycles", "other": "judged at another speed or condition"}
STEP = 0.06
"""Distance of bars that would cover one another, in own cycles."""
COLUMNS = 3


@styled
def own_cycles(table: pd.DataFrame, *, told: str) -> Drawn:
    """Draw Er over the number of own cycles, a line a method, a panel a study and protocol.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of ``paper.studies.own_cycles.summary``.
    told : str
        What was found, for those who cannot see the figure.
    """
    panels = list(table.groupby(["study", "protocol"], sort=False))
    synthetic = bool(table["synthetic"].any())
    title = heading("A few own cycles: Er over how many cycles of the person were known", synthetic)
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(0.7 + 2.7 * rows, title)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis, ((study, protocol), here) in zip(axes.flat, panels, strict=False):
        _panel(axis, here)
        n = units_said(int(here["n"].max()), str(here["unit"].iloc[0]))
        axis.set_title(f"{study} (n = {n}),\n{PROTOCOLS[str(protocol)]}", fontsize=8.5)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    shown = [name for name in COLOURS if name in set(table["method"])]
    add_legend(
        figure,
        [
            Line2D([], [], color=COLOURS[name], ls=_style(name), marker="o", ms=4, label=label_of(name))
            for name in shown
        ],
    )
    caption = (
        "Every method is adapted to people whom it had not seen, as nem2e adapt does (with --same-speed where judged "
        "at that speed), and judged on cycles that were not among the own ones; dashed: the mean of the own cycles "
        "alone, without other people. Bars: 95 % CI of the "
        "change from no own cycle, paired by held-out unit."
    )
    return Drawn(figure, table, title, f"{caption} {told}", caption, synthetic)


def _style(method: str) -> str:
    return "--" if method == "own_cycles" else "-"


def _panel(axis: Axes, rows: pd.DataFrame) -> None:
    methods = [name for name in COLOURS if name in set(rows["method"])]
    for place, name in enumerate(methods):
        one = rows[rows["method"] == name].sort_values("own_cycles")
        at = one["own_cycles"] + STEP * (place - (len(methods) - 1) / 2)
        axis.plot(at, one["er"], color=COLOURS[name], ls=_style(name), marker="o", ms=3.5)
        if name != "own_cycles":
            base = one["er"] - one["change"]
            later = one["own_cycles"] > 0
            low, high = (base + one["ci_low"])[later], (base + one["ci_high"])[later]
            intervals(axis, at[later], low, high, orient="v", color=COLOURS[name], lw=1.0)
    most = int(rows["own_cycles"].max())
    axis.set_xticks(range(most + 1))
    axis.set_xlim(-0.4, most + 0.4)
    axis.set_xlabel("own cycles")
    axis.set_ylabel("Er  (lower is better)")
