"""Spatial attention on a stick figure that walks or runs through the cycle, and the ten highest muscles beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.attention import ONE_ROW, mean_attention, over_muscles, over_outputs
from nem2e_lib.charts.chart import INK, SOFT, Chart
from nem2e_lib.charts.maps import WIDE, Verdict, by_name, first_muscle, headline, muscle_box, verdict_of, weight_colours
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.body import HEAD, Actuator, body_lines, head, in_order, muscle_path, pose
from nem2e_lib.figures.panels import Float, is_synthetic, plural
from nem2e_lib.figures.style import CONDITION_LABELS, heading

PHASES = tuple(range(0, 101, 5))
"""Places of the cycle (%) at which the figure stands; weights between two samples are interpolated."""
FIRST, TOP = 50, 10
"""Phase that is shown before anyone chooses, and how many muscles are named."""
WEIGHTS = [f"weight_{phase}" for phase in PHASES]
GRAIN = 0.005
"""Metres to which places on the figure are rounded; they are drawn as whole numbers of it."""
WIDTH, LIST, NAMES = 312, 312, 152
"""Of the figures, of the list and of the names in it, px: a phone shows them."""
NIGHT, BONE, FAR_BONE = "#060b18", "#b4bfd0", "#4d5a72"
"""Ground and bones: on it the lowest weights are dark, as they are in the maps."""
FAINTEST = 0.15
"""Where in the colours of the maps those of muscles begin, so that the lowest can still be seen."""
LARGEST = 175
"""Pixels a metre of the figure takes at most: a body that stands alone need not be taller than the list."""
TINTS = {"right": "#f6cdb1", "left": "#b3e0d2", "no side": "#d9dee5"}
"""Of the colours of sides in Figure 7, light enough for a name to stand on them."""


def spatial_attention(results: xr.Dataset, answers: pd.DataFrame) -> Chart:
    """Draw the attention of a study's models on the muscles of a stick figure, over the cycle.

    Weights are means over seeds and held-out cycles. Poses are those of `figures.body`: schematic, nobody's.

    Parameters
    ----------
    results : xarray.Dataset
        Results of All-Entire: its tokens are the activation columns.
    answers : pandas.DataFrame
        Rows of `analysis.attention_verdicts.own_verdicts`.

    Raises
    ------
    Nem2eError
        When there is no map of muscles (`spatial=time_tokens`), or no verdict on it.
    """
    if not over_muscles(results):
        raise Nem2eError(
            f"study {results.attrs['study']}, {results.attrs['condition']}: its attention is not over muscles; draw "
            "its temporal attention, or train All-Entire with another spatial."
        )
    verdict = verdict_of(results, answers)
    order = in_order([str(token) for token in results["token"].to_numpy()])
    muscles = [str(name) for name in results["channel"].to_numpy()]
    data = pd.concat([_weights(results, muscle, order) for muscle in muscles], ignore_index=True)
    motion = str(results.attrs.get("motion", results.attrs["study"]))
    first, synthetic = first_muscle(muscles), is_synthetic(results)
    condition = CONDITION_LABELS[str(results.attrs["condition"])]
    title = heading(f"{results.attrs['study']}, {condition}: muscles attended to over the cycle", synthetic)
    words = _words(results, data[data["muscle"] == first], order, motion, verdict)
    return Chart(_chart(data, order, motion, verdict), data, title, *words, synthetic)


def _weights(results: xr.Dataset, muscle: str, order: list[Actuator]) -> pd.DataFrame:
    """Return one row a column of the activation: its share of attention (%) at each of `PHASES`."""
    mean = mean_attention(results, muscle).sel(token=[one.column for one in order])
    values = np.asarray(mean.interp(output=list(PHASES)).transpose("token", "output"), float)
    wide = pd.DataFrame((100 * values).round(2), columns=WEIGHTS)
    return pd.DataFrame({"muscle": muscle, "column": [one.column for one in order]}).join(wide)


# --- where things stand, in grains ---


def _points(parts: Mapping[int, list[Float]], names: pd.DataFrame, shift: float) -> pd.DataFrame:
    """Return one row a point, with its places at all phases side by side, moved to where its figure stands.

    Parameters
    ----------
    parts
        Of each phase, the same paths (points, 2), in metres.
    names
        One row a path.
    """
    sizes = [len(path) for path in parts[FIRST]]
    points = names.loc[np.repeat(np.arange(len(names)), sizes)].reset_index(drop=True)
    points["point"] = [number for size in sizes for number in range(size)]
    places = {}
    for phase, paths in parts.items():
        at = np.concatenate([*paths, np.zeros((0, 2))])
        places[f"x{phase}"] = np.rint((at[:, 0] + shift) / GRAIN).astype(int)
        places[f"y{phase}"] = np.rint(at[:, 1] / GRAIN).astype(int)
    return points.join(pd.DataFrame(places))


@dataclass(frozen=True)
class _Stage:
    """What walks: points of muscles, bones and heads, where the hip of each side's figure is, and the room it takes."""

    muscles: pd.DataFrame
    bones: pd.DataFrame
    heads: pd.DataFrame
    hips: dict[str, float]
    width: float
    height: float


def _stage(order: list[Actuator], motion: str) -> _Stage:
    """Put a figure for each side that has muscles beside each other, the left one first: none hides another's twin."""
    frames = {phase: pose(phase, motion) for phase in PHASES}
    bones = {phase: body_lines(of) for phase, of in frames.items()}
    every = np.concatenate([line for lines in bones.values() for _, line in lines])
    back, front = float(every[:, 0].min()) - 0.06, float(every[:, 0].max()) + 0.06
    stride = max(float(np.ptp(np.concatenate([line for _, line in lines])[:, 0])) for lines in bones.values()) + 0.1
    sides = [side for side in ("left", "right") if any(_figure_of(one) == side for one in order)]
    used = front - back + stride * (len(sides) - 1)
    width = max(used, WIDTH / LARGEST)
    hips = {side: (width - used) / 2 - back + stride * place for place, side in enumerate(sides)}
    muscles, lines, heads = [], [], []
    for side, hip in hips.items():
        own = [one for one in order if one.path and _figure_of(one) == side]
        paths = {phase: [muscle_path(of, one) for one in own] for phase, of in frames.items()}
        muscles.append(_points(paths, pd.DataFrame({"column": [one.column for one in own]}), hip))
        near = [int(bone in (side, "")) for bone, _ in bones[FIRST]]
        back_first = np.argsort(near, kind="stable")
        names = pd.DataFrame({"line": [f"{side} {number}" for number in back_first], "near": np.sort(near)})
        lines.append(_points({p: [of[i][1] for i in back_first] for p, of in bones.items()}, names, hip))
        middles = {phase: [head(of).reshape(1, 2)] for phase, of in frames.items()}
        heads.append(_points(middles, pd.DataFrame({"line": [side]}), hip))
    tall = max(float(head(of)[1]) for of in frames.values()) + HEAD
    together = (pd.concat(tables, ignore_index=True) for tables in (muscles, lines, heads))
    return _Stage(next(together), next(together), next(together), hips, width, tall + 0.3)


def _figure_of(one: Actuator) -> str:
    return "left" if one.side == "left" else "right"


# --- the chart ---


def _chart(data: pd.DataFrame, order: list[Actuator], motion: str, verdict: Verdict) -> alt.ConcatChart:
    tops = data.groupby("muscle", sort=False)[WEIGHTS].max().max(axis=1).clip(lower=200 / len(order))
    phase = alt.param(
        "phase", value=FIRST, bind=alt.binding_range(min=0, max=100, step=PHASES[1], name="Phase (% of the cycle) ")
    )
    top = alt.param("top", expr=f"{by_name(tops)}[muscle]")
    table = data.drop(columns=["muscle", "column"])
    table.insert(0, "key", data["muscle"] + " " + data["column"])
    parts = _skeletons(table, _stage(order, motion), len(order)), _ranked(order)
    return (
        alt.concat(*parts, data=table, columns=1, spacing=26)
        .add_params(muscle_box([str(name) for name in tops.index], "Models of the EMG of"), phase, top)
        .properties(title=headline(verdict), usermeta=WIDE)
    )


def _skeletons(table: pd.DataFrame, stage: _Stage, count: int) -> Any:
    per_metre = WIDTH / stage.width
    wide, tall = ([0, length / GRAIN] for length in (stage.width, stage.height))
    here = {"x": "datum['x' + phase]", "y": "datum['y' + phase]"}
    place: dict[str, Any] = {
        "x": alt.X("x:Q", axis=None, scale=alt.Scale(domain=wide, nice=False, zero=False)),
        "y": alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.08 / GRAIN, tall[1]], nice=False, zero=False)),
    }
    bones = [
        alt.Chart(stage.bones)
        .transform_filter(f"datum.near == {near}")
        .transform_calculate(**here)
        .mark_line(color=colour, strokeWidth=width, strokeCap="round", strokeJoin="round")
        .encode(**place, detail="line:N", order="point:Q")
        for near, colour, width in ((0, FAR_BONE, 2), (1, BONE, 2.5))
    ]
    heads = alt.Chart(stage.heads).transform_calculate(**here)
    heads = heads.mark_circle(filled=True, fill=NIGHT, stroke=BONE, strokeWidth=2.2, opacity=1).encode(
        **place, size=alt.value((2 * HEAD * per_metre) ** 2)
    )
    width = alt.StrokeWidth(
        "weight:Q", scale=alt.Scale(domain=[0, alt.ExprRef("top")], range=[1.5, 6], nice=False), legend=None
    )
    muscles = (
        alt.Chart(stage.muscles)
        .transform_calculate(key="muscle + ' ' + datum.column", **here)
        .transform_lookup("key", alt.LookupData(table, "key", WEIGHTS))
        .transform_calculate(weight="datum['weight_' + phase]")
        .mark_line(strokeCap="round", strokeJoin="round")
        .encode(
            **place,
            color=weight_colours(count, faintest=FAINTEST, type="sqrt"),
            strokeWidth=width,
            detail="column:N",
            order="point:Q",
            tooltip=[alt.Tooltip("column:N", title="muscle"), alt.Tooltip("weight:Q", title="attention (%)")],
        )
    )
    ground = alt.Chart(pd.DataFrame({"height": [0]})).mark_rule(color=FAR_BONE).encode(y=alt.Y("height:Q", axis=None))
    words = pd.DataFrame(
        [{"x": hip / GRAIN, "y": tall[1] - 0.14 / GRAIN, "said": f"{side} side"} for side, hip in stage.hips.items()]
    )
    names = alt.Chart(words).mark_text(color=BONE, fontWeight="bold", fontSize=12).encode(**place, text="said:N")
    return (
        alt.layer(ground, *bones, heads, muscles, names)
        .properties(width=WIDTH, height=round(per_metre * (stage.height + 0.08)), view=alt.ViewBackground(fill=NIGHT))
        .properties(title=alt.TitleParams(alt.ExprRef("'At ' + phase + ' % of the cycle'"), fontSize=12))
    )


def _ranked(order: list[Actuator]) -> Any:
    about = pd.DataFrame(
        {
            "column": [one.column for one in order],
            "name": [one.label if one.path else f"{one.label} *" for one in order],
            "side": [one.side for one in order],
        }
    )
    uniform = 100 / len(order)
    ranked = (
        alt.Chart()  # of the table that all have in common
        .transform_filter("split(datum.key, ' ')[0] === muscle")
        .transform_calculate(column="split(datum.key, ' ')[1]", weight="datum['weight_' + phase]")
        .transform_window(rank="row_number()", sort=[alt.SortField("weight", order="descending")])
        .transform_filter(f"datum.rank <= {TOP}")
        .transform_lookup("column", alt.LookupData(about, "column", ["name", "side"]))
    )
    height = alt.Y("rank:O", axis=None)
    sides = [side for side in TINTS if side in set(about["side"])]
    tints = alt.Color(
        "side:N",
        scale=alt.Scale(domain=sides, range=[TINTS[side] for side in sides]),
        legend=alt.Legend(title=None, symbolType="square") if len(sides) > 1 else None,
    )
    bars = ranked.mark_bar(height=alt.RelativeBandSize(0.86)).encode(
        x=alt.X(
            "weight:Q",
            scale=alt.Scale(domain=[0, alt.ExprRef("top")], range=[NAMES, LIST - 36], nice=False),
            axis=alt.Axis(title="attention weight (%); dashed: uniform", titleAnchor="end", tickCount=5, grid=False),
        ),
        y=height,
        color=tints,
        tooltip=[alt.Tooltip("name:N", title="muscle"), alt.Tooltip("weight:Q", title="attention (%)")],
    )
    parts: tuple[tuple[Any, int, Any, Any], ...] = (
        ("left", 0, alt.value(0), "rank:O"),
        ("right", -5, alt.value(NAMES), "name:N"),
        ("left", 4, "weight:Q", alt.Text("weight:Q", format=".2f")),
    )
    texts = [
        ranked.mark_text(align=align, dx=away, color=INK, fontSize=11.5).encode(x=place, y=height, text=text)
        for align, away, place, text in parts
    ]
    level = alt.Chart(pd.DataFrame({"level": [uniform]})).mark_rule(color=SOFT, strokeDash=[5, 3], strokeWidth=1.4)
    return (
        alt.layer(bars, level.encode(x="level:Q"), *texts)
        .properties(width=LIST, height=21 * TOP)
        .properties(
            title=alt.TitleParams(alt.ExprRef("'Ten highest at ' + phase + ' %: models of ' + muscle"), fontSize=12)
        )
    )


def _words(
    results: xr.Dataset, rows: pd.DataFrame, order: list[Actuator], motion: str, verdict: Verdict
) -> tuple[str, str]:
    labels = {one.column: one.label for one in order}
    lost = [one.label for one in order if not one.path]
    units = plural(results.sizes["fold"], f"held-out {results.attrs['unit']}")
    stands = "runs" if "run" in motion else "walks"
    both = len({_figure_of(one) for one in order}) > 1
    caption = (
        f"Mean over {plural(results.sizes['cycle'], 'held-out cycle')} ({units}) of each EMG channel's models. Weights "
        f"of the {len(order)} columns of the activation sum to 100 %; between two samples of the cycle they are "
        "interpolated. A muscle's colour (on a square-root scale) and width are its weight; scales end at the highest "
        f"of the cycle, at twice the uniform weight at least. The figure {stands} as the slider moves through the "
        "cycle; its pose is schematic, not measured. "
        + ("One figure carries the muscles of the left side, one those of the right. " if both else "")
        + "Choose the EMG channel whose models attend. "
        + (f"* Not a muscle of this figure, so named but not drawn: {', '.join(lost)}. " if lost else "")
        + f"{verdict.headline} {verdict.sentence}"
        + ("" if over_outputs(results) else f" {ONE_ROW}")
    )
    strongest = rows.set_index("column")[f"weight_{FIRST}"].sort_values(ascending=False, kind="stable").head(TOP)
    told = ", ".join(f"{labels[str(column)]} {weight:.2f} %" for column, weight in strongest.items())
    alt_text = (
        f"Stick figure with muscles coloured by attention, and a list. Models of {rows['muscle'].iloc[0]} at {FIRST} % "
        f"of the cycle attend most to {told}; uniform weights are {100 / len(order):.2f} %. {caption}"
    )
    return alt_text, caption
