"""Figure 7: which muscles the model attends to over the cycle, as a map and on a moving skeleton."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.lines import Line2D

from nem2e_lib.analysis.attention import ONE_ROW, mean_entropy, over_muscles, over_outputs
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.body import (
    SIDE_COLOURS,
    Actuator,
    Frame,
    actuator,
    draw_body,
    group_of,
    in_order,
    muscle_path,
    pose,
)
from nem2e_lib.figures.panels import Float, heat_map, is_synthetic, plural, spread_labels
from nem2e_lib.figures.style import CONDITION_LABELS, Drawn, add_legend, heading, new_figure, styled
from nem2e_lib.figures.temporal import JUDGED, entropy_words

PHASES = (0, 50, 100)
TOP = 10
LABELS_AT = 0.49
"""Metres from a skeleton's hip to the names beside it."""


@styled
def spatial_attention(results: xr.Dataset, *, muscle: str = "tib") -> Drawn:
    """Draw the attention of one muscle's models on all columns, and the ten strongest at 0, 50 and 100 %.

    Weights are averaged over seeds and held-out cycles; 50 %, which falls between two samples, is
    interpolated.

    Parameters
    ----------
    results : xarray.Dataset
        Results of All-Entire: its tokens are the activation columns.
    muscle : str
        A channel of the results.

    Raises
    ------
    Nem2eError
        When the results have no such channel, or no map of muscles (`spatial=time_tokens`).

    Source: Teramae et al. (2025), Figure 7; the entropy is our addition.
    """
    if muscle not in results["channel"].to_numpy():
        raise Nem2eError(
            f"The results of study '{results.attrs['study']}' have no muscle '{muscle}'; "
            f"expected one of {', '.join(map(str, results['channel'].to_numpy()))}."
        )
    if not over_muscles(results):
        raise Nem2eError(
            f"study {results.attrs['study']}: All-Entire was trained with spatial=time_tokens, whose attention is over "
            "time, so there is no map of muscles; draw its temporal attention, or train with another spatial."
        )
    weights = results["attention"].sel(channel=muscle)
    share = mean_entropy(weights.transpose(..., "token").to_numpy())
    order = in_order([str(t) for t in results["token"].to_numpy()])
    mean = weights.mean(["seed", "cycle"]).transpose("token", "output").sel(token=[a.column for a in order])
    synthetic = is_synthetic(results)
    condition = CONDITION_LABELS[str(results.attrs["condition"])]
    title = heading(f"Figure 7. {results.attrs['study']}, {condition}: spatial attention of {muscle}", synthetic)
    figure = new_figure(9.5, title)
    top, bottom = figure.subfigures(2, 1, height_ratios=(5.2, 3.6), squeeze=False)[:, 0]
    _heat_map(top, mean, order, share)
    strongest = {phase: _strongest(mean, phase) for phase in PHASES}
    draw_skeletons(bottom, strongest, str(results.attrs.get("motion", results.attrs["study"])))
    handles = side_handles()
    add_legend(figure, handles if any(a.side == "left" for a in order) else handles[:1])
    return Drawn(figure, _table(mean, order, strongest), title, *_words(results, muscle, share, strongest), synthetic)


def at_phase(mean: xr.DataArray, phase: float) -> pd.Series[float]:
    """Return each column's weight at a phase in percent, interpolated between the two samples around it."""
    return mean.interp(output=phase).to_series()


def _strongest(mean: xr.DataArray, phase: int) -> pd.Series[float]:
    return at_phase(mean, phase).sort_values(ascending=False, kind="stable").head(TOP)


def _heat_map(figure: SubFigure, mean: xr.DataArray, order: list[Actuator], share: float) -> None:
    axis = figure.subplots()
    values = np.asarray(mean, float)
    heat_map(
        axis,
        values,
        label="attention weight (mean over held-out cycles)",
        top=max(values.max(), 2 / len(order)),
        pad=0.02,
        aspect=40,
        location="right",
    )
    axis.set_xlabel("gait cycle (%)")
    axis.set_title(entropy_words(share))
    _name_groups(axis, order)
    _name_strongest(axis, values, order)


def _name_groups(axis: Axes, order: list[Actuator]) -> None:
    edges, names = [0], []
    for group, members in itertools.groupby(order, group_of):
        size = len(list(members))
        names.append(f"{group} ({size})")
        edges.append(edges[-1] + size)
    for edge in edges[1:-1]:
        axis.axhline(edge, color="white", lw=1.2)
    middles = (np.array(edges[1:]) + edges[:-1]) / 2
    places = spread_labels(middles, gap=len(order) / 30, low=0, high=len(order))
    axis.set_yticks([])
    for place, middle, name in zip(places, middles, names, strict=True):
        _leader(axis, 0.0, -0.012, -0.018, middle, place, name, "right")


def _name_strongest(axis: Axes, values: Float, order: list[Actuator]) -> None:
    rows: Float = np.sort(np.argsort(-values.mean(1), kind="stable")[:TOP])
    places = spread_labels(rows + 0.5, gap=len(order) / 26, low=0, high=len(order))
    for place, row in zip(places, rows, strict=True):
        _leader(axis, 1.0, 1.02, 1.025, row + 0.5, place, order[row].label, "left")


def _leader(axis: Axes, start: float, end: float, text: float, y: float, place: float, name: str, align: str) -> None:
    frame = axis.get_yaxis_transform()
    axis.plot([start, end], [y, place], transform=frame, color="#777777", lw=0.7, clip_on=False)
    axis.text(text, place, name, transform=frame, ha=align, va="center", fontsize=8)


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


def _table(mean: xr.DataArray, order: list[Actuator], strongest: dict[int, pd.Series[float]]) -> pd.DataFrame:
    about = pd.DataFrame(
        {
            "column": [a.column for a in order],
            "name": [a.label for a in order],
            "group": [group_of(a) for a in order],
        }
    )
    for phase, weights in strongest.items():
        ranks = pd.Series(range(1, len(weights) + 1), index=weights.index)
        about[f"rank_at_{phase}"] = ranks.reindex(about["column"]).to_numpy()
    wide = about.join(pd.DataFrame(np.asarray(mean, float), columns=mean["output"].to_numpy()))
    return wide.melt(id_vars=list(about.columns), var_name="output_pct", value_name="weight")


def _words(results: xr.Dataset, muscle: str, share: float, strongest: dict[int, pd.Series[float]]) -> tuple[str, str]:
    parts = [f"{p} %: {', '.join(actuator(str(c)).label for c in w.index)}." for p, w in strongest.items()]
    lost = any(not actuator(str(c)).path for w in strongest.values() for c in w.index)
    caption = (
        f"Mean over {plural(results.sizes['cycle'], 'held-out cycle')} of the {muscle} models; {entropy_words(share)} "
        "(mean over single cycles). Names at the right of the map: the ten highest over the whole cycle. "
        f"50 % falls between two samples and is interpolated. The pose is schematic, not measured. {JUDGED}"
        + (" * Not a muscle of gait2392: named but not drawn." if lost else "")
        + ("" if over_outputs(results) else f" {ONE_ROW}")
    )
    alt = "Heat map of activation columns over the cycle, and three skeletons with the ten strongest. "
    return alt + caption + " " + " ".join(parts), caption
