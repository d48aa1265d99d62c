"""Ablations: change in Er of every variant around the default, and Er over the options that are numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, NullLocator

from nem2e_lib.analysis.ablations.effects import MATTERS
from nem2e_lib.figures.panels import panel_grid, rows_for
from nem2e_lib.figures.points import dots, intervals, marks
from nem2e_lib.figures.style import (
    CONDITION_COLOURS,
    CONDITION_LABELS,
    Drawn,
    add_legend,
    heading,
    new_figure,
    signed,
    styled,
)

ROW = 0.21
"""Inches a variant."""
NAMES = {
    "layers": "LSTM layers",
    "output": "decoder's output",
    "targets": "muscles of a network",
    "score": "attention score",
    "decoder_state": "decoder's initial state",
    "decoder_input": "decoder's input",
    "input_feeding": "input feeding",
    "initialisation": "initial weights",
    "forget_bias": "forget-gate bias",
    "quarter": "One-Quarter's models",
    "spatial": "All-Entire's encoder",
    "token_order": "order of muscles",
    "input_scaling": "input scaling",
    "weights": "weights that are used",
    "learning_rate": "learning rate",
    "cycle": "gait cycle",
    "samples": "samples a cycle",
    "resampling": "thinning",
    "emg_normalisation": "EMG's maximum over",
    "arms": "arm actuators",
    "er": "Er of a subject",
    "ensemble": "seeds averaged first",
    "seed": "another seed",
}
"""What an option is called in figures, where its own name is not the word for it."""


def name_of(option: str) -> str:
    """Return what an option is called in figures."""
    return NAMES.get(option, option)


@styled
def forest(effects: pd.DataFrame, *, note: str, synthetic: bool, of: str = "") -> Drawn:
    """Draw the change in Er of every variant with its CI, one row a variant, and the entropy of attention beside it.

    Parameters
    ----------
    effects : pandas.DataFrame
        Rows of ``ablations.effects``; those of another measure than Er are left out.
    note : str
        Where the numbers come from.
    of : str
        The study, for the title, where several are drawn side by side.
    """
    data = effects[effects["measure"] == "Er"]
    rows = list(dict.fromkeys(zip(data["option"], data["value"], strict=True)))
    rows = sorted(rows, key=lambda row: row[0] == "seed")
    title = heading(
        f"{of}: readings of the network, one at a time"
        if of
        else "What every open choice does to Er, one factor at a time",
        synthetic,
    )
    figure = new_figure(1.5 + ROW * len(rows), title)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    conditions = [name for name in CONDITION_LABELS if name in set(data["condition"])]
    band = float(data["seed_range"].max())
    left.axvspan(-band, band, color="#eeeeee", lw=0)
    left.axvline(0, color="#444444", lw=0.9)
    _points(left, right, data, rows, {name: CONDITION_COLOURS[name] for name in conditions})
    _rows(left, right, rows, data)
    add_legend(figure, _handles(conditions))
    ordered = data[data["option"] != "seed"].sort_values("difference").to_dict("records")
    best, worst = ordered[0], ordered[-1]
    caption = (
        f"{note} Mean change over held-out units with its paired 95 % CI, corrected for the training data that folds "
        "share; negative: better than the default (in brackets). Filled: more than seeds alone change it and sure "
        f"after Holm's correction. Largest: {name_of(best['option'])} {best['value']} {signed(best['difference'])}, "
        f"{name_of(worst['option'])} {worst['value']} {signed(worst['difference'])}. Entropy: 1 is uniform attention; "
        "line: the default's."
    )
    return Drawn(figure, data, title, caption, caption, synthetic)


def _points(left: Axes, right: Axes, data: pd.DataFrame, rows: list[tuple[str, str]], palette: dict[str, str]) -> None:
    places = [str(rows.index(row)) for row in zip(data["option"], data["value"], strict=True)]
    placed = data.assign(place=places, sure=data["verdict"] == MATTERS)
    shared: dict[str, Any] = {"order": [str(k) for k in range(len(rows))], "hue": "condition", "palette": palette}
    for condition, colour in palette.items():
        one = placed[placed["condition"] == condition]
        marks(
            left,
            one,
            row="place",
            value="difference",
            filled="sure",
            step=0.8 / len(palette),
            markers="o",
            markeredgewidth=1.0,
            line={"color": colour},
            **shared,
        )
        right.axvline(float(one["base_entropy"].median()), color=colour, lw=0.8)
    dots(right, placed, x="entropy", y="place", dodge=True, jitter=False, size=4, **shared)


def _rows(left: Axes, right: Axes, rows: list[tuple[str, str]], data: pd.DataFrame) -> None:
    default = dict(zip(data["option"], data["default"], strict=True))
    names = [
        f"{name_of(option)}: {value}"
        if k and rows[k - 1][0] == option
        else f"{name_of(option)} ({default[option]}): {value}"
        for k, (option, value) in enumerate(rows)
    ]
    left.set_yticks(range(len(rows)), names)
    left.set_ylim(len(rows) - 0.4, -0.6)
    for k in range(1, len(rows)):
        if rows[k][0] != rows[k - 1][0]:
            for axis in (left, right):
                axis.axhline(k - 0.5, color="#cccccc", lw=0.6)
    left.set_xlabel("change in Er  (negative: better than the default)")
    right.set_xlabel("entropy of attention")
    right.tick_params(axis="y", length=0)


def _handles(conditions: list[str]) -> list[Line2D | Patch]:
    shown = [
        Line2D([], [], marker="o", color=CONDITION_COLOURS[name], label=CONDITION_LABELS[name]) for name in conditions
    ]
    band = Patch(color="#e4e4e4", label="as much as seeds alone change it")
    hollow = Line2D(
        [], [], ls="", marker="o", mfc="white", color="#444444", label="not sure, too few units or within seeds"
    )
    return [*shown, hollow, band]


@styled
def levels(effects: pd.DataFrame, *, note: str, synthetic: bool) -> Drawn:
    """Draw Er over every option that is a number, the default among its values; one panel an option.

    Parameters
    ----------
    effects : pandas.DataFrame
        Rows of ``ablations.effects``.
    note : str
        Where the numbers come from.
    """
    numbers = pd.to_numeric(effects["value"], errors="coerce").notna() & (effects["option"] != "seed")
    data = _with_default(effects[numbers & (effects["electrodes"] == effects["electrodes"].max())])
    options = list(dict.fromkeys(data["option"]))
    title = heading("Er over the options that are numbers", synthetic)
    figure = new_figure(1.0 + 2.0 * rows_for(len(options)), title)
    for axis, option in zip(panel_grid(figure, len(options), sharey=True), options, strict=True):
        _curve(axis, data[data["option"] == option])
        axis.set_title(name_of(option))
    conditions = [name for name in CONDITION_LABELS if name in set(data["condition"])]
    add_legend(figure, _handles(conditions)[: len(conditions)])
    caption = (
        f"{note} Mean over held-out units; bars: 95 % CI of the change against the default (ring). "
        "What was trained for fewer electrodes stands in the table alone."
    )
    return Drawn(figure, data, title, caption, caption, synthetic)


def _with_default(data: pd.DataFrame) -> pd.DataFrame:
    """Add the default as a value of each option, and numbers to draw at."""
    own = data.drop_duplicates(["condition", "option"]).copy()
    own = own.assign(value=own["default"], here=own["base"], difference=0.0, ci_low=0.0, ci_high=0.0)
    both = pd.concat([data, own], ignore_index=True)
    both["number"] = both["value"].astype(float)
    return both.sort_values(["option", "condition", "number"], kind="stable", ignore_index=True)


def _curve(axis: Axes, data: pd.DataFrame) -> None:
    sns.lineplot(
        data,
        x="number",
        y="here",
        hue="condition",
        palette=CONDITION_COLOURS,
        estimator=None,
        marker="o",
        markersize=5,
        markeredgewidth=0,
        linewidth=1.2,
        legend=False,
        ax=axis,
    )
    for condition, rows in data.groupby("condition", sort=False):
        colour, shift = CONDITION_COLOURS[str(condition)], rows["here"] - rows["difference"]
        intervals(axis, rows["number"], rows["ci_low"] + shift, rows["ci_high"] + shift, orient="v", color=colour)
        own = rows[rows["value"] == rows["default"]]
        axis.plot(own["number"], own["here"], ls="", marker="o", ms=9, mfc="none", color=colour)
    axis.set(xlabel="", ylabel="")
    ticks = sorted(set(data["number"]))
    if min(ticks) > 0:
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ylabel("Er")
