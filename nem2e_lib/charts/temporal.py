"""The temporal attention map with a marker: what an output looks at, how far away, and what the map is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.attention import (
    ONE_ROW,
    centres,
    mean_attention,
    over_muscles,
    over_outputs,
    sample_interval_ms,
)
from nem2e_lib.charts.chart import INK, SOFT, Chart
from nem2e_lib.charts.maps import WIDE, Verdict, by_name, first_muscle, headline, muscle_box, verdict_of, weight_colours
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.attention_tests import MEASURES
from nem2e_lib.figures.panels import QUARTERS, Float, is_synthetic, plural
from nem2e_lib.figures.style import CONDITION_LABELS, heading

SIDE = 280
"""Width of the map and of the profile under it, px: a cell is a whole number of pixels, and a phone shows both."""
PROFILE = 150
FIRST = 25
"""Output (% of the cycle) that is marked before anyone chooses."""


def temporal_attention(results: xr.Dataset, answers: pd.DataFrame) -> Chart:
    """Draw the temporal attention of a study, in which an output is marked and its weights are shown by themselves.

    Maps are means over seeds and held-out cycles, a muscle each; the input gradient is the mean over seeds and folds,
    and each of its rows sums to 100 % like attention's.

    Parameters
    ----------
    results : xarray.Dataset
        Results whose tokens are the samples of the cycle: One-Entire, or All-Entire with `spatial=time_tokens`.
    answers : pandas.DataFrame
        Rows of `analysis.attention_verdicts.own_verdicts`.

    Raises
    ------
    Nem2eError
        When the tokens are no samples of the cycle, or there is no verdict on these maps.
    """
    if over_muscles(results) or results.sizes["token"] != results.sizes["output"]:
        raise Nem2eError(
            f"study {results.attrs['study']}, {results.attrs['condition']}: its attention is not over the samples of "
            "the cycle; draw One-Entire."
        )
    verdict = verdict_of(results, answers)
    maps = {str(name): _map(results, str(name)) for name in results["channel"].to_numpy()}
    at, duration = np.asarray(results["output"], float), sample_interval_ms(results) * (results.sizes["sample"] - 1)
    rows = pd.concat([_rows(name, *both, at, duration) for name, both in maps.items()], ignore_index=True)
    first = first_muscle(list(maps))
    synthetic = is_synthetic(results)
    condition = CONDITION_LABELS[str(results.attrs["condition"])]
    title = heading(f"{results.attrs['study']}, {condition}: what each output attends to", synthetic)
    words = _words(results, rows[rows["muscle"] == first], verdict)
    return Chart(_chart(rows, verdict), _tidy(maps, at), title, *words, synthetic)


def _map(results: xr.Dataset, muscle: str) -> tuple[Float, Float]:
    weights = np.asarray(mean_attention(results, muscle).transpose("output", "token"), float)
    gradient = results["gradient"].sel(channel=muscle).mean(["seed", "fold"]).transpose("output", "token")
    return _shares(weights), _shares(np.asarray(gradient, float))


def _shares(values: Float) -> Float:
    total = values.sum(axis=1, keepdims=True)
    return np.asarray(100 * values / np.where(total > 0, total, 1.0))


def _rows(muscle: str, weights: Float, gradient: Float, at: Float, duration: float) -> pd.DataFrame:
    """Return one row an output: where it and the centre of its weights are, and the weights side by side."""
    centre = centres(weights, at)
    about = pd.DataFrame(
        {
            "muscle": muscle,
            "sample": range(len(at)),
            "place": at.round(1),
            "centre": centre.round(1),
            "ms": (at * duration / 100).round(),
            "off": ((centre - at) * duration / 100).round(),
            "uniform": ((at.mean() - at) * duration / 100).round(),
        }
    )
    wide = {
        f"{letter}{token}": values[:, token].round(2)
        for letter, values in (("w", weights), ("g", gradient))
        for token in range(len(at))
    }
    return about.join(pd.DataFrame(wide))


def _tidy(maps: Mapping[str, tuple[Float, Float]], at: Float) -> pd.DataFrame:
    grid = pd.MultiIndex.from_product([at.round(2), at.round(2)], names=["output_pct", "input_pct"]).to_frame(
        index=False
    )
    return pd.concat(
        [
            grid.assign(attention_pct=weights.ravel().round(2), gradient_pct=gradient.ravel().round(2)).assign(
                muscle=name
            )
            for name, (weights, gradient) in maps.items()
        ],
        ignore_index=True,
    )[["muscle", "output_pct", "input_pct", "attention_pct", "gradient_pct"]]


@dataclass(frozen=True)
class _Layout:
    """Where samples stand on the axes: how many there are, how wide one is, and how far the slider steps."""

    count: int

    @property
    def cell(self) -> float:
        """Width of a sample, % of the cycle."""
        return 100 / (self.count - 1)

    @property
    def step(self) -> int:
        """Step of the slider, %: each but one of its places marks another output where there are 20."""
        return 5 if self.count <= 21 else 1

    @property
    def ends(self) -> list[float]:
        """Ends of an axis of samples, %."""
        return [-self.cell / 2, 100 + self.cell / 2]


def _chart(rows: pd.DataFrame, verdict: Verdict) -> alt.ConcatChart:
    layout = _Layout(int(rows["sample"].max()) + 1)
    cell, count = layout.cell, layout.count
    weights, gradients = ([f"{letter}{token}" for token in range(count)] for letter in "wg")
    by_muscle = rows.groupby("muscle", sort=False)
    tops = by_muscle[weights].max().max(axis=1).clip(lower=200 / count)
    heights = by_muscle[[*weights, *gradients]].max().max(axis=1) * 1.05
    top, height = (alt.param(name, expr=f"{by_name(of)}[muscle]") for name, of in (("top", tops), ("height", heights)))
    pick = alt.selection_point(
        name="pick",
        fields=["at"],
        on="click",
        toggle=False,
        clear=False,
        value=[{"at": layout.step * round(FIRST / layout.step)}],
        bind=alt.binding_range(min=0, max=100, step=layout.step, name="Output near (% of the cycle) "),
    )
    chosen = f"datum.sample === round((isValid(pick.at) ? pick.at[0] : {FIRST}) / {cell})"
    one = alt.Chart(rows).transform_filter("datum.muscle === muscle")
    rowed = one.transform_calculate(
        low=f"(datum.sample - 0.5) * {cell}",
        high=f"(datum.sample + 0.5) * {cell}",
        at=f"{layout.step} * round(datum.place / {layout.step})",
    )
    cells = rowed.transform_fold(list(weights), as_=["key", "weight"]).transform_calculate(
        token="toNumber(slice(datum.key, 1))",
        gradient="datum['g' + datum.token]",
        left=f"(datum.token - 0.5) * {cell}",
        right=f"(datum.token + 0.5) * {cell}",
        input=f"datum.token * {cell}",
    )
    marked = rowed.transform_filter(chosen)
    told = (
        marked.transform_calculate(told=_TOLD)
        .mark_text(align="left", baseline="top", lineBreak="\n", lineHeight=15, color=INK, fontSize=11.5)
        .encode(x=alt.value(0), y=alt.value(0), text="told:N")
        .properties(width=SIDE, height=46)
    )
    row = alt.vconcat(told, _profile(cells.transform_filter(chosen), marked, layout), spacing=14)
    return (
        alt.concat(_whole(cells, marked, layout, pick), row, columns=1, spacing=22)
        .add_params(muscle_box(list(dict.fromkeys(rows["muscle"])), "Muscle"), top, height)
        .properties(title=headline(verdict), usermeta=WIDE)
    )


def _whole(cells: alt.Chart, marked: alt.Chart, layout: _Layout, pick: alt.Parameter) -> Any:
    """Draw the whole map, an output of it framed."""
    scale = alt.Scale(domain=layout.ends, nice=False, reverse=True)
    down = alt.Y(
        "low:Q", scale=scale, axis=_axis("output: refined activity at (% of cycle)", ticks=False, titlePadding=3)
    )
    heat = (
        cells.mark_rect(cursor="pointer", aria=False)
        .encode(
            x=_along(layout), x2="right:Q", y=down, y2="high:Q", color=weight_colours(layout.count), tooltip=_tips()
        )
        .add_params(pick)
    )
    line = alt.Chart(pd.DataFrame({"end": [0, 100]})).mark_line(color="white", strokeDash=[4, 3], strokeWidth=1.2)
    frames = [
        marked.mark_rect(fillOpacity=0, stroke=colour, strokeWidth=width).encode(
            x=alt.XDatum(layout.ends[0]), x2=alt.X2Datum(layout.ends[1]), y="low:Q", y2="high:Q"
        )
        for colour, width in (("white", 4), ("black", 1.8))
    ]
    spot = _spot(marked).encode(
        x="centre:Q", y="place:Q", tooltip=[alt.Tooltip("centre:Q", title="centre of its weights (% of cycle)")]
    )
    return alt.layer(heat, line.encode(x="end:Q", y="end:Q"), *frames, spot).properties(width=SIDE, height=SIDE)


_AWAY = (
    "(abs(datum.{0}) < 0.5 ? 'at the output' : "
    "format(abs(datum.{0}), '.0f') + ' ms ' + (datum.{0} > 0 ? 'later' : 'earlier'))"
)
_TOLD = (
    "'Output at ' + format(datum.place, '.0f') + ' % of the cycle, ' + format(datum.ms, '.0f') + ' ms:\\n'"
    f" + 'centre of its weights ' + {_AWAY.format('off')} + ', at ' + format(datum.centre, '.0f') + ' %;\\n'"
    f" + 'uniform weights would have it ' + {_AWAY.format('uniform')} + '.'"
)


def _profile(cells: alt.Chart, marked: alt.Chart, layout: _Layout) -> Any:
    """Draw the row of the output that is marked by itself."""
    names = {"attention": MEASURES["attention"][0], "input gradient": MEASURES["gradient"][0], "uniform": SOFT}
    colours = alt.Color(
        "line:N",
        scale=alt.Scale(domain=list(names), range=list(names.values())),
        legend=alt.Legend(title=None, symbolType="square", columns=3),
    )
    share = alt.Scale(domain=[0, alt.ExprRef("height")], nice=False)
    up = alt.Y("weight:Q", scale=share, axis=alt.Axis(title="share of the row (%)", tickCount=4, ticks=False))
    bars = (
        cells.transform_calculate(line="'attention'")
        .mark_bar(aria=False, opacity=0.55, stroke="white", strokeWidth=0.5)
        .encode(x=_along(layout), x2="right:Q", y=up, y2=alt.YDatum(0), color=colours, tooltip=_tips())
    )
    curve = (
        cells.transform_calculate(line="'input gradient'")
        .mark_line(point=alt.OverlayMarkDef(size=22), strokeWidth=1.6)
        .encode(x="input:Q", y="gradient:Q", color=colours, tooltip=_tips())
    )
    level = (
        marked.transform_calculate(line="'uniform'")
        .mark_rule(strokeDash=[5, 3], strokeWidth=1.4)
        .encode(y=alt.YDatum(100 / layout.count), color=colours)
    )
    here = marked.mark_rule(color=INK, strokeWidth=1.8).encode(x="place:Q")
    name = marked.mark_text(text="output", color=INK, baseline="bottom", y=-3).encode(x="place:Q")
    spot = _spot(marked).encode(x="centre:Q", y=alt.YDatum(0))
    return alt.layer(bars, level, curve, here, name, spot).properties(width=SIDE, height=PROFILE)


def _spot(marked: alt.Chart) -> alt.Chart:
    return marked.mark_point(shape="triangle-up", fill="white", stroke="black", size=90, opacity=1)


def _along(layout: _Layout) -> alt.X:
    scale = alt.Scale(domain=layout.ends, nice=False)
    return alt.X("left:Q", scale=scale, axis=_axis("input: simulated activation at (% of cycle)"))


def _axis(title: str, **look: Any) -> alt.Axis:
    return alt.Axis(title=title, values=list(QUARTERS), grid=False, **look)


def _tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("place:Q", title="output (% of cycle)"),
        alt.Tooltip("input:Q", title="input (% of cycle)", format=".1f"),
        alt.Tooltip("weight:Q", title="attention (%)"),
        alt.Tooltip("gradient:Q", title="input gradient (%)"),
    ]


def _words(results: xr.Dataset, rows: pd.DataFrame, verdict: Verdict) -> tuple[str, str]:
    at = rows.iloc[int(np.abs(rows["place"] - FIRST).to_numpy().argmin())]
    muscle, count = str(at["muscle"]), len(rows)
    of = plural(results.sizes["cycle"], "held-out cycle")
    units = plural(results.sizes["fold"], f"held-out {results.attrs['unit']}")
    caption = (
        f"Mean over {of} ({units}) of each muscle's models. Rows are outputs, columns inputs; the dashed line is no "
        "shift in time. The frame marks an output: choose one with the slider or by a click on the map. Its row stands "
        "by itself beside or under the map: attention, and the input gradient |d output / d input| (mean over held-out "
        "units), both as shares of 100 %. Triangle: centre of the weights. Of uniform weights it lies at mid-cycle, so "
        "its distance from the output tells of a delay only where it differs from theirs. "
        f"{verdict.headline} {verdict.sentence}" + ("" if over_outputs(results) else f" {ONE_ROW}")
    )
    weights = np.array([at[f"w{token}"] for token in range(count)], float)
    gradient = np.array([at[f"g{token}"] for token in range(count)], float)
    places = rows["place"].to_numpy()
    alt_text = (
        f"Heat map of output by input samples of {muscle}. The output at {at['place']:.0f} % of the cycle attends most "
        f"to the input at {places[weights.argmax()]:.0f} % ({weights.max():.1f} %, uniform {100 / count:.1f} %); the "
        f"centre of its weights lies at {at['centre']:.0f} %, {at['off']:+.0f} ms from it (uniform: "
        f"{at['uniform']:+.0f} ms). By the input gradient it depends most on the input at "
        f"{places[gradient.argmax()]:.0f} %. {caption}"
    )
    return alt_text, caption
