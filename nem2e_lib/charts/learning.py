"""Learning curves: Er over how many cycles models were trained on, to be read off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from nem2e_lib.analysis.learning import CYCLES, SUBJECTS
from nem2e_lib.charts.chart import INK, LINE, SOFT, Chart
from nem2e_lib.charts.parts import TICK, asking, choice, layered, number, of_study
from nem2e_lib.figures.learning import COLOURS
from nem2e_lib.figures.style import MEAN_CURVE, heading, label_of, signed
from nem2e_lib.training.units import unit_name, units_said

HEIGHT, HEAD, LEFT, ROW = 430, 156, -48, 20
"""Height of the view and of its upper part, where values are read; where its lines begin, over the axis; a line: px."""
NUMBERS = 370
"""Where the numbers end in a wide view, px from the left."""
DASHES = {SUBJECTS: [1, 0], CYCLES: [5, 3]}


def learning(summary: pd.DataFrame, *, where: str, synthetic: bool) -> Chart:
    """Draw Er over the number of training cycles: all cycles of few units, and few cycles of all units.

    Readers choose the study, and a number of cycles whose Er they read, beside the training-mean curve's.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``learning.learning_summary``.
    where : str
        What the models were trained with, for the caption.
    """
    rows = summary[summary["experiment"].isin([SUBJECTS, CYCLES])]
    data = _tidy(rows)
    studies = list(dict.fromkeys(map(str, rows["study"])))
    n = ", ".join(
        f"{study} n = {units_said(int(own['n'].max()), str(own['unit'].iloc[0]), 'held-out')}"
        for study, own in rows.groupby("study", sort=False)
    )
    units = unit_name(str(rows["unit"].iloc[0]), 2)
    caption = (
        "Er (RMSE refined / RMSE OpenSim − 1; below 0: better than OpenSim) over the number of training cycles; "
        f"{n}. Solid: all cycles of few {units}; dashed: few cycles of all {units}; bars: 95 % CI over held-out "
        f"{units}. The training-mean curve is of the same cycles. Choose the study; point at the chart, or move the "
        f"slider, to read Er with so many cycles. {where}"
    )
    title = heading("Learning curves: Er over the number of training cycles", synthetic)
    told = " ".join(_said(own) for _, own in rows.groupby(["study", "experiment", "condition"], sort=False))
    return Chart(_drawn(data, studies, units), data, title, told, caption, synthetic)


def _tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a curve and number of training cycles; the mean curve is one of the methods."""
    keys = ["study", "experiment", "n_training", "trained_on"]
    models = rows.rename(columns={"condition": "method", "er_mean": "er"})
    curve = rows.drop_duplicates(keys).assign(method="mean_curve", er=lambda t: t["er_mean_curve"])
    own = [*keys[:2], "method", *keys[2:], "er", "ci_low", "ci_high", "n"]
    table = pd.concat([models[own], curve[[*keys, "method", "er", "n"]]], ignore_index=True)[own]
    return table.sort_values(["study", "experiment", "method", "n_training"], kind="stable", ignore_index=True)


def _said(rows: pd.DataFrame) -> str:
    ordered = rows.sort_values("n_training")
    few, whole = ordered.iloc[0], ordered.iloc[-1]
    return (
        f"{few['study']}, {label_of(few['condition'])}: Er {signed(few['er_mean'])} with {few['trained_on']}, "
        f"{signed(whole['er_mean'])} with {whole['trained_on']}."
    )


# --- The drawing ---


def _drawn(data: pd.DataFrame, studies: list[str], units: str) -> alt.LayerChart:
    cycles = {study: sorted(set(map(int, data.loc[data["study"] == study, "n_training"]))) for study in studies}
    table = data.drop(columns=["trained_on", "n"]).rename(columns={"ci_low": "low", "ci_high": "high"})
    table["k"] = [cycles[study].index(n) for study, n in zip(table["study"], table["n_training"], strict=True)]
    x = alt.X(
        "n_training:Q",
        title="training cycles",
        scale=alt.Scale(type="log", nice=False, padding=14),
        axis=alt.Axis(values=alt.ExprRef("cycles"), grid=False, format="d"),
    )
    steps = pd.DataFrame([(study, k, n) for study, own in cycles.items() for k, n in enumerate(own)])
    moments = alt.Chart().transform_calculate(place="0")
    most = max(map(len, cycles.values()))
    at = alt.selection_point(
        name="at",
        fields=["k"],
        value=[{"k": len(cycles[studies[0]]) - 1}],
        bind=alt.binding_range(min=0, max=most - 1, step=1, name="Moment "),
        nearest=True,
        on="pointermove,click",
        toggle=False,
        clear=False,
    )
    now = moments.transform_filter("datum.k == k").mark_rule(color=SOFT, strokeDash=[3, 3])
    asked = asking(
        moments.mark_point(opacity=0, size=1).encode(x=x, y=alt.value(HEIGHT / 2)),  # the nearest one is picked
        choice("study", studies, "Study"),
        at,
        alt.param(name="cycles", expr=f"({json.dumps(cycles)})[study_chosen]"),
        alt.param(name="k", expr="min(at_k, length(cycles) - 1)"),
    )
    rule = now.encode(x=x, y=alt.value(HEAD), y2=alt.value("height"))
    marked = of_study(asked, rule, data=steps.set_axis(["study", "k", "n_training"], axis=1))
    shown = of_study(*_curves(x), *_values(units), data=table)
    return layered(marked, shown, width="container", height=HEIGHT)


def _colour() -> alt.Color:
    colours = {**COLOURS, "mean_curve": MEAN_CURVE}
    return alt.Color("method:N", legend=None, scale=alt.Scale(domain=list(colours), range=list(colours.values())))


def _curves(x: alt.X) -> Iterator[alt.Chart]:
    scale = alt.Scale(range=[alt.ExprRef("height"), HEAD], zero=False, nice=False, padding=10)
    axis = alt.Axis(labelExpr=TICK, tickCount=6, gridColor=LINE)
    y = alt.Y("er:Q", title="Er  (below 0: better than OpenSim)", scale=scale, axis=axis)
    dash = alt.StrokeDash(
        "experiment:N", legend=None, scale=alt.Scale(domain=list(DASHES), range=list(DASHES.values()))
    )
    known = alt.Chart().transform_filter("isValid(datum.low)").transform_calculate(er="datum.low")
    aside = alt.ExprRef(f"datum.method == 'all_entire' ? 5 : datum.experiment == '{CYCLES}' ? -5 : 0")
    yield known.mark_rule(strokeWidth=1.2, xOffset=aside).encode(x=x, y=y, y2="high:Q", color=_colour())
    line = alt.Chart().mark_line(strokeWidth=1.8, xOffset=aside)
    yield line.encode(x=x, y=y, color=_colour(), strokeDash=dash)
    point = alt.Chart().mark_point(size=45, filled=True, opacity=1, stroke="white", xOffset=aside)
    yield point.encode(x=x, y=y, fill=alt.Fill("method:N", legend=None, scale=_colour()["scale"]))


def _values(units: str) -> Iterator[alt.Chart]:
    """Yield the lines of words: how many cycles, and Er of each curve with so many, which are the legend too."""
    now = alt.Chart().transform_filter("datum.k == k").transform_window(place="row_number()")
    look: dict[str, Any] = {"color": INK, "fontSize": 11.5}
    once = now.transform_filter("datum.place == 1").transform_calculate(
        text="study_chosen + ': ' + datum.n_training + ' training cycles'"
    )
    head = once.mark_text(color=INK, align="left", fontSize=12.5, fontWeight="bold")
    yield head.encode(x=alt.value(LEFT), y=alt.value(8), text="text:N")
    y = alt.ExprRef(f"14 + {ROW} * datum.place")
    names = f"({json.dumps({name: label_of(name) for name in [*COLOURS, 'mean_curve']})})[datum.method]"
    few = f"(datum.experiment == '{SUBJECTS}' ? 'few {units} ──' : 'few cycles ╌╌')"
    name = now.transform_calculate(text=f"{names} + ', ' + {few}").mark_text(**look, align="left", y=y)
    yield name.encode(x=alt.value(LEFT + 16), text="text:N")
    interval = f"' [' + {number('datum.low')} + ', ' + {number('datum.high')} + ']'"
    told = f"{number('datum.er')} + (isValid(datum.low) && width >= 480 ? {interval} : '')"
    ends = alt.ExprRef(f"width < 480 ? width - 2 : {NUMBERS}")
    yield now.transform_calculate(text=told).mark_text(**look, align="right", x=ends, y=y).encode(text="text:N")
    yield now.mark_square(size=90, opacity=1, y=y).encode(x=alt.value(LEFT + 6), color=_colour())
