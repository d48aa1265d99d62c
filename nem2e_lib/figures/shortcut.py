"""Claim C11: Er on inputs changed in frequency and phase (section 4.2 of the paper)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.shortcut import CURVE, MODEL
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.errors import spread
from nem2e_lib.figures.panels import Float, plural
from nem2e_lib.figures.style import (
    MEAN_CURVE,
    REFINED,
    Drawn,
    add_legend,
    heading,
    label_of,
    new_figure,
    signed,
    styled,
)

COLUMNS = ("method", "reference", "er")
COLOURS = {MODEL: REFINED, CURVE: MEAN_CURVE}


@styled
def shortcut(trials: pd.DataFrame, *, what: str, synthetic: bool) -> Drawn:
    """Draw the distribution of Er over changed inputs, for the model and for the training-mean curve.

    Parameters
    ----------
    trials : pandas.DataFrame
        One row per input, method and reference (rows of ``analysis.shortcut.shortcut``): ``method`` (``model`` or
        ``mean_curve``), ``reference`` (the OpenSim error that Er divides by, one panel each, such as
        ``original input``), ``er``; further columns (trial, scale, shift) are kept in the CSV.
    what : str
        Study, muscle and condition in words, for the title.

    Raises
    ------
    Nem2eError
        When a column is missing.
    """
    missing = [c for c in COLUMNS if c not in trials]
    if missing:
        raise Nem2eError(f"The table of changed inputs lacks the column '{missing[0]}'; expected {', '.join(COLUMNS)}.")
    references = list(dict.fromkeys(trials["reference"]))
    title = heading(f"Inputs changed in frequency and phase: {what}", synthetic)
    figure = new_figure(2.9, title)
    axes = figure.subplots(1, len(references), squeeze=False, sharey=True)[0]
    for axis, reference in zip(axes, references, strict=True):
        _panel(axis, trials[trials["reference"] == reference], str(reference))
    add_legend(figure, _handles())
    caption = "Er against the original EMG; divided by the OpenSim error of: " + " ".join(
        f"{r} – " + ", ".join(_mean(trials, r, m) for m in _methods(trials)) + "." for r in references
    )
    return Drawn(figure, trials.reset_index(drop=True), title, caption, caption, synthetic)


def _panel(axis: Axes, data: pd.DataFrame, reference: str) -> None:
    methods = _methods(data)
    axis.axvline(0, color="#444444", lw=0.9)
    for y, method in enumerate(methods):
        values = data.loc[data["method"] == method, "er"].to_numpy(float)
        colour = COLOURS.get(method, "#666666")
        _box(axis, y, values, colour)
        axis.scatter(values, y + spread(values, 0.17), s=12, color=colour, edgecolors="white", lw=0.4, zorder=3)
        axis.plot(values.mean(), y, marker="D", ms=6, color=colour, mec="black", mew=0.8, zorder=4)
    axis.set_yticks(range(len(methods)), map(label_of, methods), fontsize=9)
    axis.set_ylim(-0.6, len(methods) - 0.4)
    axis.set_title(f"divided by the OpenSim error of the {reference}")
    axis.set_xlabel("Er on changed inputs  (positive: worse than OpenSim)")


def _box(axis: Axes, y: int, values: Float, colour: str) -> None:
    line = {"color": colour}
    axis.boxplot(
        values,
        positions=[y],
        orientation="horizontal",
        widths=0.5,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.3, "edgecolor": colour},
        medianprops={"color": "black"},
        whiskerprops=line,
        capprops=line,
    )


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], ls="", marker="o", ms=4, color="#666666", label="one changed input"),
        Line2D([], [], ls="", marker="D", ms=6, color="#aaaaaa", mec="black", label="mean"),
    ]


def _methods(trials: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(map(str, trials["method"])))


def _mean(trials: pd.DataFrame, reference: str, method: str) -> str:
    rows = trials[(trials["reference"] == reference) & (trials["method"] == method)]
    return f"{label_of(method)} {signed(rows['er'].mean())} (n = {plural(len(rows), 'input')})"
