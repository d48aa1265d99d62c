"""Er of every muscle and condition, a dot a held-out unit, which can be followed through all muscles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from nem2e_lib.analysis.metrics import defined
from nem2e_lib.charts.chart import INK, LINE, SOFT, Chart
from nem2e_lib.charts.parts import NOBODY, TICK, asking, box, by_width, choice, layered, number, of_study, pick
from nem2e_lib.figures.style import (
    CONDITION_COLOURS,
    CONDITION_LABELS,
    MEAN_CURVE,
    MEAN_CURVE_LABEL,
    heading,
    label_of,
    signed,
)
from nem2e_lib.training.units import unit_name, units_of_each

STEP = 17
"""Height of a row in px."""
COLUMNS, LAST = 116, 70
"""Room on the right for two columns of numbers, and for the last of them: px."""


def errors(
    errors: pd.DataFrame, summary: pd.DataFrame, *, published: pd.DataFrame | None = None, synthetic: bool
) -> Chart:
    """Draw Er of each muscle and condition: held-out units, their mean and its 95 % CI, beside the training-mean curve.

    Readers choose the study and a unit to follow through all muscles: by a box, or by pointing at one of its dots. At
    first it is the one of the first study that refining helps least.

    Parameters
    ----------
    errors, summary : pandas.DataFrame
        Rows of ``metrics.errors`` and ``statistics.summary``.
    published : pandas.DataFrame, optional
        Rows of ``published.results`` with the study's name as dataset: marked, on SYNTHETIC data when asked for.
    """
    rows = defined(errors)
    studies = list(dict.fromkeys(map(str, rows["study"])))
    first = rows[rows["study"] == studies[0]].groupby("label", sort=False)["er"].mean()
    data = _tidy(rows, summary, published)
    title = heading("Er of every muscle and held-out unit", synthetic)
    told = " ".join(_said(summary[summary["study"] == study], study) for study in studies)
    n = "; ".join(_n(rows[rows["study"] == study], study) for study in studies)
    one = " or ".join(dict.fromkeys(unit_name(str(unit)) for unit in rows["unit"]))
    printed = (
        " Triangles: Er as the paper prints it, of its own data" + (", as context." if synthetic else ".")
        if published is not None
        else ""
    )
    caption = (
        f"Er = RMSE refined / RMSE OpenSim − 1; {n}. A row a muscle and condition; a dot a held-out {one}, diamond and "
        f"bar: mean and its 95 % CI (Student's t); strokes: Er of the {MEAN_CURVE_LABEL}.{printed} Choose the study; "
        f"choose a {one}, or point at its dot, to follow it through all muscles: its Er stands in the last column. At "
        "first it is the one of the first study that refining helps least."
    )
    chart = _drawn(data, studies, str(first.idxmax()), published is not None, synthetic)
    return Chart(chart, data, title, told, caption, synthetic)


def _tidy(rows: pd.DataFrame, summary: pd.DataFrame, published: pd.DataFrame | None) -> pd.DataFrame:
    """One row a held-out unit, a mean, a mean curve and a printed Er; `part` tells which."""
    keys = ["study", "muscle", "condition"]
    units = rows[[*keys, "unit", "label", "er"]].assign(part="held-out unit")
    mean = summary.rename(columns={"er_mean": "er"})[[*keys, "er", "ci_low", "ci_high"]].assign(part="mean")
    curve = summary.rename(columns={"er_mean_curve": "er"})[[*keys, "er"]].assign(part="mean curve")
    parts = [units, mean, curve]
    if published is not None:
        own = published.rename(columns={"dataset": "study", "er_mean": "er"})[[*keys, "er"]]
        parts.append(own.merge(summary[keys], on=keys).assign(part="printed in the paper"))
    return pd.concat(parts, ignore_index=True)[["study", "part", *keys[1:], "unit", "label", "er", "ci_low", "ci_high"]]


def _said(summary: pd.DataFrame, study: str) -> str:
    parts = []
    for condition, rows in summary.groupby("condition", sort=False):
        told = ", ".join(f"{row['muscle']} {signed(row['er_mean'])}" for row in rows.to_dict("records"))
        parts.append(f"{label_of(condition)}: {told}")
    return f"Mean Er in {study}, {'; '.join(parts)}."


def _n(rows: pd.DataFrame, study: str) -> str:
    numbers = {str(muscle): own["label"].nunique() for muscle, own in rows.groupby("muscle", sort=False)}
    return f"{study} n = {units_of_each(numbers, str(rows['unit'].iloc[0]), 'held-out')}"


# --- The drawing ---


def _drawn(data: pd.DataFrame, studies: list[str], first: str, printed: bool, synthetic: bool) -> alt.LayerChart:
    conditions = [name for name in CONDITION_LABELS if name in set(data["condition"])]
    y = alt.Y(
        "muscle:N",
        sort=alt.EncodingSortField(field="row", op="min"),
        title=None,
        axis=alt.Axis(ticks=False, domain=False, labelFontWeight="bold"),
    )
    offset = alt.YOffset("condition:N", sort=conditions)
    axis = alt.Axis(
        orient="top", tickCount=5, labelExpr=TICK, title="Er  (left of 0: better than OpenSim)", gridColor=LINE
    )
    x = alt.X("er:Q", axis=axis, scale=alt.Scale(range=[0, alt.ExprRef(f"width - {COLUMNS}")]))
    colours = {**{name: CONDITION_COLOURS[name] for name in conditions}, "mean_curve": MEAN_CURVE}
    names = f"({ {name: label_of(name) for name in colours} })[datum.label]"
    colour = alt.Color(
        "condition:N",
        sort=conditions,
        scale=alt.Scale(domain=[*colours], range=[*colours.values()]),
        legend=alt.Legend(title=None, labelExpr=names, symbolType="diamond", symbolOpacity=1, columns=by_width(0, 2)),
    )
    order = data[["study", "muscle"]].drop_duplicates()
    rows = data.merge(order.assign(row=order.groupby("study").cumcount()), on=["study", "muscle"])
    parts = {str(part): own.drop(columns=["part", "unit"]) for part, own in rows.groupby("part", sort=False)}
    kept = ["study", "muscle", "row", "condition", "er"]
    units = parts["held-out unit"][[*kept, "label"]]
    mean = parts["mean"].drop(columns="label").rename(columns={"ci_low": "low", "ci_high": "high"})
    place: dict[str, Any] = {"x": x, "y": y, "yOffset": offset}
    layers: list[alt.Chart | alt.LayerChart] = [
        *_heads(),
        of_study(*_units(place, colour), data=units),
        of_study(*_curve(place), data=parts["mean curve"][kept]),
        of_study(*_means(place, colour), data=mean),
    ]
    asked = [
        choice("study", studies, "Study"),
        pick(
            "who",
            "label",
            first,
            box([NOBODY, *dict.fromkeys(units["label"])], "Follow"),
            on="pointerover",
            if_row="label",
        ),
    ]
    if printed:
        layers.append(of_study(_printed(place), data=parts["printed in the paper"][kept]))
        asked.append(alt.param(name="printed", value=not synthetic, bind=alt.binding_checkbox(name="The paper's Er ")))
    zero = alt.Chart(pd.DataFrame({"er": [0.0]})).mark_rule(color=SOFT).encode(x=x)
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    return layered(asking(zero, *asked), *layers, width="container", height=alt.Step(STEP), autosize=fit)


def _heads() -> Iterator[alt.Chart]:
    """Yield the names of the columns of numbers."""
    head = alt.Chart(pd.DataFrame({"x": [0]})).transform_calculate(who=f"who_label == '{NOBODY}' ? '' : who_label")
    look: dict[str, Any] = {"align": "right", "fontSize": 10.5, "color": INK, "fontWeight": "bold"}
    up = alt.value(-9)
    yield head.mark_text(**look, text="mean").encode(x=alt.value(alt.ExprRef(f"width - {LAST}")), y=up)
    yield head.mark_text(**look).encode(x=alt.value(alt.ExprRef("width - 2")), y=up, text="who:N")


def _units(place: dict[str, Any], colour: alt.Color) -> Iterator[alt.Chart]:
    same = alt.when("datum.label == who_label")
    told = [
        alt.Tooltip("label:N", title="held out"),
        alt.Tooltip("muscle:N"),
        alt.Tooltip("condition:N"),
        alt.Tooltip("er:Q", title="Er", format="+.3f"),
    ]
    followed = alt.Chart().transform_filter("datum.label == who_label")
    yield followed.mark_line(color=INK, strokeWidth=1, opacity=0.5).encode(**place, detail="condition:N")
    yield (
        alt.Chart()
        .mark_circle()
        .encode(
            **place,
            color=colour,
            size=same.then(alt.value(80)).otherwise(alt.value(30)),
            opacity=same.then(alt.value(1.0)).otherwise(alt.value(0.45)),
            stroke=same.then(alt.value(INK)).otherwise(alt.value(None)),
            tooltip=told,
        )
    )
    value = followed.transform_calculate(said=number("datum.er")).mark_text(align="right", fontSize=10.5, color=INK)
    yield value.encode(x=alt.value(alt.ExprRef("width - 2")), y=place["y"], yOffset=place["yOffset"], text="said:N")


def _curve(place: dict[str, Any]) -> Iterator[alt.Chart]:
    yield alt.Chart().mark_tick(color=MEAN_CURVE, thickness=2.5, height=STEP - 4, orient="vertical").encode(**place)


def _means(place: dict[str, Any], colour: alt.Color) -> Iterator[alt.Chart]:
    known = alt.Chart().transform_filter("isValid(datum.low)").transform_calculate(er="datum.low")
    yield known.mark_rule(color="black", strokeWidth=1.4).encode(**place, x2="high:Q")
    point = alt.Chart().mark_point(shape="diamond", size=75, stroke="black", strokeWidth=1, opacity=1)
    yield point.encode(**place, fill=colour)
    said = alt.Chart().transform_calculate(said=number("datum.er")).mark_text(align="right", fontSize=10.5, color=INK)
    x = alt.value(alt.ExprRef(f"width - {LAST}"))
    yield said.encode(x=x, y=place["y"], yOffset=place["yOffset"], text="said:N")


def _printed(place: dict[str, Any]) -> alt.Chart:
    mark = alt.Chart().mark_point(shape="triangle-down", size=50, color=SOFT, strokeWidth=1.5)
    asked = alt.when("printed").then(alt.value(1)).otherwise(alt.value(0))
    return mark.encode(**place, opacity=asked, tooltip=alt.Tooltip("er:Q", title="printed in the paper", format="+.3f"))
