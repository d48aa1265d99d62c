"""One look for every figure: colours, names, type, and SVG that is the same bytes wherever it is drawn."""

from __future__ import annotations

import base64
import functools
import html
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from nem2e_lib.figures.compact import compact

P = ParamSpec("P")
R = TypeVar("R")

WIDTH = 11.25
"""Width of every figure in inches: 1080 px on a page at 100 %."""

TITLE_ROOM, LEGEND_ROOM = 0.36, 0.28

SIMULATED, REFINED, MEASURED = "#0072B2", "#D55E00", "#000000"
MEAN_CURVE = "#CC79A7"
SERIES_COLOURS = {"simulated": SIMULATED, "refined": REFINED, "measured": MEASURED}
CONDITION_COLOURS = {"one_quarter": "#0072B2", "one_entire": "#009E73", "all_entire": "#8C8C8C"}
CONDITION_LABELS = {"one_quarter": "One-Quarter", "one_entire": "One-Entire", "all_entire": "All-Entire"}
MEAN_CURVE_LABEL = "training-mean curve"
METHOD_LABELS = {
    **CONDITION_LABELS,
    **dict.fromkeys(("opensim", "identity"), "OpenSim"),
    "mean_curve": MEAN_CURVE_LABEL,
    "speed_curve": "mean curve by speed",
    "delay": "best delay",
    "delay_gain": "best delay and gain",
    "ridge_own": "ridge, own muscle",
    "ridge_all": "ridge, all muscles",
    "delayed_ridge": "ridge, one delay",
    "pls": "partial least squares",
    "auto": "auto, several methods weighed",
    "lstm": "plain LSTM",
    "transformer": "Transformer",
    "convolution": "temporal convolution",
    "delayed_kernel_ridge": "kernel ridge, learned delay",
    "kernel_ridge": "kernel ridge, no delayed heads",
    "own_cycles": "mean of the own cycles alone",
    "one_entire_average": "One-Entire with the average input",
    "all_entire_average": "All-Entire with the average input",
}
"""What readers are shown of each method; data, CSV files and verdicts know it by its id alone."""
METHOD_COLOURS = {
    **CONDITION_COLOURS,
    "opensim": SIMULATED,
    "mean_curve": MEAN_CURVE,
    "model": REFINED,
    "delayed_kernel_ridge": REFINED,
}
OTHER_METHOD = "#777777"
OWN_METHOD = "#56B4E9"
"""Of methods that a reader has added."""
HEAT = "cividis"

# Glyphs are written as paths, so that a page looks alike on machines without DejaVu Sans and no label can
# grow into its neighbour; title, description and the CSV beside each figure serve readers who cannot see it.
RC: Any = {
    **sns.axes_style("ticks"),
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.edgecolor": "#444444",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "nem2e",
}


@dataclass(frozen=True)
class Drawn:
    """A figure with what it shows.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    data : pandas.DataFrame
        Exactly what is drawn, tidy.
    title : str
        One line; opens with SYNTHETIC where the data are.
    alt : str
        What a reader who cannot see the figure needs to know.
    caption : str
        What stands under the figure.
    synthetic : bool
    """

    figure: Figure
    data: pd.DataFrame
    title: str
    alt: str
    caption: str = ""
    synthetic: bool = False

    def _repr_html_(self) -> str:
        return figure_html(svg(self.figure, self.title, self.alt), self.alt, self.caption)


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Draw under the project's style, leaving the caller's matplotlib settings and random numbers alone."""

    @functools.wraps(function)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(), _same_jitter():
            mpl.rcdefaults()
            mpl.rcParams.update(RC)
            return function(*args, **kwargs)

    return drawing


@contextmanager
def _same_jitter() -> Iterator[None]:
    # seaborn.stripplot takes its jitter from numpy's global generator and offers no seed.
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def heading(text: str, synthetic: bool) -> str:
    """Return the title, marked SYNTHETIC where the data are."""
    return f"SYNTHETIC data – {text}" if synthetic else text


def new_figure(height: float, title: str, legend_rows: int = 1) -> Figure:
    """Return an empty figure with its title at the left edge and room for a legend under it.

    Parameters
    ----------
    height : float
        Inches, title and legend included.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    head = TITLE_ROOM + LEGEND_ROOM * legend_rows
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.07, rect=(0, 0, 1, 1 - head / height))  # type: ignore[union-attr, call-arg]
    heading_text = figure.text(0.09 / WIDTH, 1 - 0.08 / height, title, va="top", fontsize=11, fontweight="bold")
    heading_text.set_in_layout(False)
    return figure


def add_legend(figure: Figure, handles: Sequence[Artist], columns: int | None = None) -> None:
    """Put one legend for all panels under the title, where it covers nothing."""
    height = figure.get_size_inches()[1]
    legend = figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(0.0, 1 - (TITLE_ROOM - 0.05) / height),
        ncols=columns or len(handles),
        columnspacing=1.6,
        handlelength=2.2,
        borderaxespad=0.2,
    )
    legend.set_in_layout(False)


def label_of(method: object) -> str:
    """Return what readers are shown of a method; its id where it has no other name."""
    return METHOD_LABELS.get(str(method), str(method))


def colour_of(method: object) -> str:
    """Return the colour of a method, grey where it has none of its own."""
    return METHOD_COLOURS.get(str(method), OTHER_METHOD)


def signed(value: float) -> str:
    """Return the number with sign and two digits, with a true minus."""
    return f"{value:+.2f}".replace("-", "−")


def stars(p_value: float) -> str:
    """Return the paper's marks: * p < 0.05, ** p < 0.01, *** p < 0.001 (Table 2, footnote)."""
    return "*" * sum(p_value < level for level in (0.05, 0.01, 0.001))


def svg(figure: Figure, title: str, description: str) -> str:
    """Return the figure as SVG with a title and a description, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title, description : str
        What assistive technology reads out (``role="img"``).
    """
    buffer = io.StringIO()
    with mpl.rc_context(RC):
        _freeze_layout(figure)
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = re.sub(r"<!DOCTYPE.*?>\s*", "", buffer.getvalue(), count=1, flags=re.DOTALL)
    label = f'<title id="title">{html.escape(title)}</title>\n <desc id="desc">{html.escape(description)}</desc>'
    described = re.sub(
        r"<svg ([^>]*)>",
        lambda tag: f'<svg role="img" aria-labelledby="title desc" {tag.group(1)}>\n {label}',
        text,
        count=1,
    )
    return compact(described)


def _freeze_layout(figure: Figure) -> None:
    # The layout solver's last digits change from run to run, and with them the ids of clip paths.
    dpi = figure.dpi
    figure.set_dpi(72)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.set_points(part.bbox_relative.get_points().round(6))
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(6)))
    figure.set_dpi(dpi)


def figure_html(svg_text: str, alt: str, caption: str) -> str:
    """Return a figure element that carries its picture with it, so that a page needs no second file."""
    data = base64.b64encode(svg_text.encode()).decode()
    note = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure style="margin:1em 0"><img style="max-width:100%" alt="{html.escape(alt)}" '
        f'src="data:image/svg+xml;base64,{data}">{note}</figure>'
    )
