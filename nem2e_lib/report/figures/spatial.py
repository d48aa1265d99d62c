"""Figure 7: which muscles the model attends to over the cycle, as a map and on a moving skeleton."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from nem2e_lib.analysis.attention import entropy_share, over_muscles
from nem2e_lib.errors import Nem2eError
from nem2e_lib.report.anatomy import Actuator, actuator, group_of, in_order
from nem2e_lib.report.figures.panels import Float, is_synthetic, plural, spread_labels
from nem2e_lib.report.figures.skeletons import draw_skeletons, side_handles
from nem2e_lib.report.figures.temporal import entropy_words
from nem2e_lib.report.style import CONDITION_LABELS, HEAT, Drawn, add_legend, heading, new_figure, styled

PHASES = (0, 50, 100)
TOP = 10


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
    share = float(entropy_share(weights.transpose(..., "token").to_numpy()).mean())
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
    add_legend(figure, side_handles())
    return Drawn(figure, _table(mean, order, strongest), title, *_words(results, muscle, share, strongest), synthetic)


def at_phase(mean: xr.DataArray, phase: float) -> pd.Series[float]:
    """Return each column's weight at a phase in percent, interpolated between the two samples around it."""
    return mean.interp(output=phase).to_series()


def _strongest(mean: xr.DataArray, phase: int) -> pd.Series[float]:
    return at_phase(mean, phase).sort_values(ascending=False, kind="stable").head(TOP)


def _heat_map(figure: SubFigure, mean: xr.DataArray, order: list[Actuator], share: float) -> None:
    axis = figure.subplots()
    values = np.asarray(mean, float)
    step = 50 / (values.shape[1] - 1)
    extent = (-step, 100 + step, len(order), 0)
    image = axis.imshow(
        values,
        extent=extent,
        aspect="auto",
        cmap=HEAT,
        vmin=0,
        vmax=max(values.max(), 2 / len(order)),
        interpolation="none",
    )
    axis.set_xticks([0, 25, 50, 75, 100])
    axis.set_xlabel("gait cycle (%)")
    axis.set_title(entropy_words(share))
    _name_groups(axis, order)
    _name_strongest(axis, values, order)
    bar = figure.colorbar(image, ax=axis, pad=0.02, aspect=40, location="right")
    bar.set_label("attention weight (mean over held-out cycles)")
    bar.outline.set_visible(False)


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
        "50 % falls between two samples and is interpolated. The pose is schematic, not measured."
        + (" * Not a muscle of gait2392: named but not drawn." if lost else "")
    )
    alt = "Heat map of activation columns over the cycle, and three skeletons with the ten strongest. "
    return alt + caption + " " + " ".join(parts), caption
