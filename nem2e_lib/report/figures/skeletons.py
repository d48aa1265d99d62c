"""Three skeletons with the most attended muscles drawn and named."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.lines import Line2D

from nem2e_lib.report.anatomy import Actuator, actuator
from nem2e_lib.report.figures.panels import Float, spread_labels
from nem2e_lib.report.skeleton import SIDE_COLOURS, Frame, draw_body, muscle_path, pose

LABELS_AT = 0.49


def draw_skeletons(figure: SubFigure, strongest: Mapping[int, pd.Series[float]], motion: str) -> None:
    """Draw one skeleton a phase, side by side; the right side's names stand right of it, the left's left.

    Parameters
    ----------
    strongest : mapping of phase in percent to the weights of its most attended columns
    motion : str
        ``running`` or ``walking``.
    """
    for i, (phase, weights) in enumerate(strongest.items()):
        axis = figure.add_axes((i / len(strongest), 0.0, 1 / len(strongest), 0.94))
        frames = pose(phase, motion)
        draw_body(axis, frames)
        _muscles(axis, frames, weights)
        axis.set(xlim=(-1.33, 1.33), ylim=(-0.05, 1.95), aspect="equal")
        axis.set_axis_off()
        axis.set_title(f"{phase} % of the cycle", loc="center")


def _muscles(axis: Axes, frames: Mapping[tuple[str, str], Frame], weights: pd.Series[float]) -> None:
    drawn = [(actuator(str(c)), float(w)) for c, w in weights.items()]
    for side in ("left", "right"):
        here = [(one, w) for one, w in drawn if (one.side == "left") == (side == "left")]
        paths = [muscle_path(frames, one) for one, _ in here]
        middles = np.array([_middle(p)[1] if len(p) else 1.75 for p in paths])
        if here:
            _label(axis, side, 1.86, f"{side} side", weight="bold")
        places = spread_labels(middles, gap=0.118, low=0.3, high=1.7)
        for (one, _), path, place in zip(here, paths, places, strict=True):
            _muscle(axis, one, path, place)


def _muscle(axis: Axes, one: Actuator, path: Float, place: float) -> None:
    sign = -1 if one.side == "left" else 1
    colour = SIDE_COLOURS[one.side]
    _label(axis, one.side, place, shortened(one.name) if len(path) else f"{shortened(one.name, 16)} *")
    if len(path):
        axis.plot(
            *path.T,
            color=colour,
            lw=4,
            alpha=0.9,
            solid_capstyle="round",
            solid_joinstyle="round",
            zorder=3 + sign,
        )
        middle = _middle(path)
        axis.plot(
            [middle[0], sign * (LABELS_AT - 0.015)],
            [middle[1], place],
            color=colour,
            lw=0.7,
            alpha=0.8,
            zorder=2.5,
        )


def _label(axis: Axes, side: str, height: float, text: str, weight: str = "normal") -> None:
    sign, align = (-1, "right") if side == "left" else (1, "left")
    axis.text(sign * LABELS_AT, height, text, ha=align, va="center", fontsize=8, fontweight=weight)


def shortened(name: str, most: int = 18) -> str:
    """Return a name that fits beside a skeleton; gait2392's all do."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _middle(path: Float) -> Float:
    steps = np.r_[0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
    return np.array([np.interp(steps[-1] / 2, steps, path[:, i]) for i in (0, 1)])


def side_handles() -> list[Line2D]:
    """Return the legend of the two sides."""
    return [
        Line2D([], [], color=SIDE_COLOURS["right"], lw=4, label="right side (near), top ten"),
        Line2D([], [], color=SIDE_COLOURS["left"], lw=4, label="left side (far), top ten"),
    ]
