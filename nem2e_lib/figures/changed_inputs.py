"""Claim C11: Er on inputs changed in frequency and phase (section 4.2 of the paper)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.shortcut import by_draw, by_unit, shortcut_summary
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.points import BLACK_EDGE, dots, marks, mean_handle, unit_handle
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

COLUMNS = ("draw", "label", "trial", "method", "reference", "er", "er_unchanged")
_DRAW_COLOUR = "#555555"


@styled
def shortcut(trials: pd.DataFrame, *, what: str, synthetic: bool) -> Drawn:
    """Draw Er on changed inputs, of every held-out unit and of every draw, for the model and the training-mean curve.

    Parameters
    ----------
    trials : pandas.DataFrame
        Rows of ``analysis.shortcut.shortcut``: one a draw, input, method (``model`` or ``mean_curve``) and reference
        (the OpenSim error that Er divides by, one panel each, such as ``original input``).
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
    units, draws, means = by_unit(trials), by_draw(trials), shortcut_summary(trials)
    references = list(dict.fromkeys(trials["reference"]))
    title = heading(f"Inputs changed in frequency and phase: {what}", synthetic)
    figure = new_figure(2.9, title)
    axes = figure.subplots(1, len(references), squeeze=False, sharey=True)[0]
    for axis, reference in zip(axes, references, strict=True):
        of_units, of_draws, of_means = (table[table["reference"] == reference] for table in (units, draws, means))
        _panel(axis, of_units, of_draws, of_means, str(reference))
    draw = Line2D([], [], ls="", marker="|", ms=8, color=_DRAW_COLOUR, label="mean Er of one draw of the inputs")
    add_legend(figure, [unit_handle(), mean_handle(), draw])
    told = " ".join(_said(means[means["reference"] == reference], str(reference)) for reference in references)
    first = means.iloc[0]
    of = f"{plural(int(first['inputs']), 'input')}, each changed {plural(int(first['draws']), 'time')}"
    caption = (
        f"Er against the original EMG, of {of}; a dot is a held-out unit's mean over its inputs and draws. Divided by "
        f"the OpenSim error of: {told}"
    )
    return Drawn(figure, _tidy(units, draws), title, caption, caption, synthetic)


def _panel(axis: Axes, units: pd.DataFrame, draws: pd.DataFrame, means: pd.DataFrame, reference: str) -> None:
    methods = list(dict.fromkeys(map(str, units["method"])))
    palette = {method: colour_of(method) for method in methods}
    axis.axvline(0, color="#444444", lw=0.9)
    dots(axis, units, x="er", y="method", hue="method", order=methods, palette=palette, jitter=0.12, alpha=0.6, size=4)
    named = means.rename(columns={"er_mean": "value"})
    marks(axis, named, row="method", value="value", order=methods, palette=palette, **BLACK_EDGE)
    for place, method in enumerate(methods):
        own = draws.loc[draws["method"] == method, "er_mean"]
        axis.plot(own, [place + 0.3] * len(own), ls="", marker="|", ms=7, color=_DRAW_COLOUR, alpha=0.6)
    axis.set_yticks(range(len(methods)), map(label_of, methods), fontsize=9)
    axis.set_ylim(len(methods) - 0.5, -0.5)
    axis.set_title(f"divided by the OpenSim error of the {reference}")
    axis.set_xlabel("Er on changed inputs  (positive: worse than OpenSim)")


def _said(means: pd.DataFrame, reference: str) -> str:
    rows = [
        f"{label_of(row['method'])} {signed(row['er_mean'])} (draws {signed(row['draw_low'])} to "
        f"{signed(row['draw_high'])}, n = {row['n']})"
        for row in means.to_dict("records")
    ]
    return f"{reference} – {', '.join(rows)}."


def _tidy(units: pd.DataFrame, draws: pd.DataFrame) -> pd.DataFrame:
    """Return what is drawn: a row a held-out unit, then a row a draw, told apart by column of."""
    of_units = units.rename(columns={"label": "name"}).assign(of="held-out unit")
    of_draws = draws.rename(columns={"draw": "name", "er_mean": "er"}).assign(of="draw")
    columns = ["method", "reference", "of", "name", "er", "er_unchanged", "rise", "p_value"]
    return pd.concat([of_units, of_draws], ignore_index=True)[columns]
