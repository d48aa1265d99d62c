"""Claim C11: Er on inputs changed in frequency and phase (section 4.2 of the paper)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.points import boxes, dots, unit_handle
from nem2e_lib.figures.style import (
    Drawn,
    add_legend,
    colour_of,
    heading,
    label_of,
    new_figure,
    signed,
    styled,
)

COLUMNS = ("method", "reference", "er")


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
    palette = {method: colour_of(method) for method in methods}
    shared: dict[str, Any] = {"x": "er", "y": "method", "hue": "method", "order": methods, "palette": palette}
    axis.axvline(0, color="#444444", lw=0.9)
    boxes(axis, data, width=0.5, alpha=0.3, orientation="horizontal", **shared)
    dots(axis, data, jitter=0.17, size=3.5, edgecolor="white", linewidth=0.4, zorder=3, **shared)
    means = data.groupby("method")["er"].mean()
    for place, method in enumerate(methods):
        axis.plot(means[method], place, marker="D", ms=6, color=palette[method], mec="black", mew=0.8, zorder=4)
    axis.set_yticks(range(len(methods)), map(label_of, methods), fontsize=9)
    axis.set_ylim(-0.6, len(methods) - 0.4)
    axis.set_title(f"divided by the OpenSim error of the {reference}")
    axis.set_xlabel("Er on changed inputs  (positive: worse than OpenSim)")


def _handles() -> list[Line2D]:
    mean = Line2D([], [], ls="", marker="D", ms=6, color="#aaaaaa", mec="black", label="mean")
    return [unit_handle("one changed input"), mean]


def _methods(trials: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(map(str, trials["method"])))


def _mean(trials: pd.DataFrame, reference: str, method: str) -> str:
    rows = trials[(trials["reference"] == reference) & (trials["method"] == method)]
    return f"{label_of(method)} {signed(rows['er'].mean())} (n = {plural(len(rows), 'input')})"
