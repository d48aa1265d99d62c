"""Checks on a drawn figure: what text overlaps, what leaves the canvas, which intervals leave their axes."""

from __future__ import annotations

import itertools

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return every visible text with its box in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    hidden = _ticks_out_of_view(figure)
    found = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and id(t) not in hidden]
    return [(t.get_text(), t.get_window_extent(renderer)) for t in found]


def _ticks_out_of_view(figure: Figure) -> set[int]:
    hidden = set()
    for axes, minor in itertools.product(figure.axes, (False, True)):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in axis.get_minor_ticks() if minor else axis.get_major_ticks():
                if not low - slack <= tick.get_loc() <= high + slack or not axes.axison:
                    hidden |= {id(tick.label1), id(tick.label2)}
    return hidden


def clipped(figure: Figure, slack: float = 0.5) -> list[str]:
    """Return texts that leave the canvas."""
    box = figure.bbox
    return [
        name
        for name, b in texts(figure)
        if b.x0 < box.x0 - slack or b.x1 > box.x1 + slack or b.y0 < box.y0 - slack or b.y1 > box.y1 + slack
    ]


def overlaps(figure: Figure, slack: float = 1.0) -> list[tuple[str, str]]:
    """Return pairs of texts whose boxes cross by more than `slack` pixels both ways."""
    return [(a, b) for (a, x), (b, y) in itertools.combinations(texts(figure), 2) if _cross(x, y, slack)]


def _cross(a: Bbox, b: Bbox, slack: float) -> bool:
    return min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack


def small_type(figure: Figure, points: float = 8.0) -> list[tuple[str, float]]:
    """Return texts set smaller than `points`."""
    shown = {name for name, _ in texts(figure)}
    return [
        (t.get_text(), float(t.get_fontsize()))
        for t in figure.findobj(Text)
        if t.get_text() in shown and t.get_visible() and float(t.get_fontsize()) < points
    ]


def cut_lines(figure: Figure, slack: float = 1e-6) -> list[str]:
    """Return titles of axes whose intervals (lines of `hlines` and `vlines`) end out of view."""
    FigureCanvasAgg(figure).draw()
    found = []
    for axes in figure.axes:
        lines = [c for c in axes.collections if isinstance(c, LineCollection)]
        ends = np.concatenate([np.empty((0, 2)), *(part for c in lines for part in c.get_segments())])
        places = axes.transAxes.inverted().transform(axes.transData.transform(ends))
        if ((places < -slack) | (places > 1 + slack)).any():
            found.append(axes.get_title(loc="left"))
    return found
