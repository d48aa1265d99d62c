"""Training and validation loss over epochs, of each muscle and condition."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.charts.chart import INK, SOFT, Chart
from nem2e_lib.charts.parts import asking, choice, keys_of_muscles, layered
from nem2e_lib.figures.losses import HIGH, LOW, over_models
from nem2e_lib.figures.panels import is_synthetic
from nem2e_lib.figures.style import CONDITION_COLOURS, CONDITION_LABELS, heading
from nem2e_lib.training.config import PUBLISHED_EPOCHS

EVERY, ALL, LOG = "all muscles", "all conditions", "logarithmic"
FIRST, EVENLY = 10, 50
"""Epochs that are drawn: the first ones, and some in even steps to the last."""
HEIGHT, HEAD, LEFT = 400, 118, -52
"""Height of the view, and of its upper part, in which values are read; where its lines begin, over the axis: px."""
COLUMNS = {"training": 170, "validation": 260}
"""Where the values of each loss end, px from the left."""
DASHES = {"training": [1, 0], "validation": [4, 2]}
_CURVES = ["study", "muscle", "condition", "loss"]
STEPS = 1000
"""Losses are kept as integers, thousandths of their decimal logarithm: most of a chart's script are its values."""


def losses(studies: Mapping[str, Mapping[str, xr.Dataset]]) -> Chart:
    """Draw training and validation loss over epochs of one muscle's models, or of all, under each condition.

    Readers choose study and muscle, one condition or all, and whether the axis is logarithmic.

    Parameters
    ----------
    studies : mapping of study to (mapping of condition to results)
    """
    data = pd.concat([_tidy(study, conditions) for study, conditions in studies.items()], ignore_index=True)
    synthetic = any(is_synthetic(results) for conditions in studies.values() for results in conditions.values())
    models = data.loc[data["muscle"] == EVERY].groupby("study", sort=False)["models"].max()
    caption = (
        "Mean squared error of activity (normalised) over epochs: mean over the models of a muscle (held-out units and "
        f"seeds) or of all ({', '.join(f'{study} {count}' for study, count in models.items())} models a condition), "
        f"and where one condition is chosen a band from the {LOW:.0f}th to the {HIGH:.0f}th percentile. In the paper "
        f"training took {PUBLISHED_EPOCHS} epochs. Choose muscle, condition and axis in the boxes; point at the chart, "
        "or move the slider, to read the losses of an epoch."
    )
    title = heading("Training and validation loss, of every muscle", synthetic)
    return Chart(_drawn(data), data, title, _said(data), caption, synthetic)


def _tidy(study: str, conditions: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """One row a muscle, condition, loss and epoch, of the epochs that are drawn."""
    ends = [int(results["epoch"].max()) for results in conditions.values()]
    drawn = {*range(1, FIRST + 1), *np.linspace(1, max(ends), EVENLY).round().astype(int).tolist(), *ends}
    tables = []
    for condition, results in conditions.items():
        for muscle in [EVERY, *map(str, results["channel"].to_numpy())]:
            own = results if muscle == EVERY else results.sel(channel=[muscle])
            for loss in COLUMNS:
                table = over_models(own, loss).assign(study=study, muscle=muscle, condition=condition, loss=loss)
                made = own[f"{loss}_loss"].count("epoch") > 0
                tables.append(table[table["epoch"].isin(drawn)].assign(models=int(made.sum())))
    columns = ["study", "muscle", "condition", "loss", "epoch", "mean", "low", "high", "models"]
    return pd.concat(tables, ignore_index=True)[columns].dropna(subset="mean")


def _said(data: pd.DataFrame) -> str:
    every = data[data["muscle"] == EVERY]
    last = every[every["epoch"] == every.groupby(["study", "condition"])["epoch"].transform("max")]
    parts = []
    for (study, condition), own in last.groupby(["study", "condition"], sort=False):
        mean = own.set_index("loss")["mean"]
        epoch, name = int(own["epoch"].iloc[0]), CONDITION_LABELS[str(condition)]
        parts.append(f"{study}, {name}, {epoch} epochs: {mean['training']:.2g} / {mean['validation']:.2g}")
    return f"Last training / validation loss, mean over all muscles: {'; '.join(parts)}."


# --- The drawing ---


def _encoded(data: pd.DataFrame, keys: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """One row a curve, its epochs' losses in one cell; of a band how far its ends are from the mean."""
    rows = []
    for (study, muscle, condition, loss), own in data.groupby(_CURVES, sort=False):
        mean, low, high = (
            (np.log10(own[name].clip(lower=1e-12)) * STEPS).round().astype(int) for name in ("mean", "low", "high")
        )
        values = {"means": mean, "below": mean - low, "above": high - mean}
        cells = {name: " ".join(map(str, one)) for name, one in values.items()}
        head = {"muscle": keys[str(study), str(muscle)], "condition": condition, "loss": loss}
        rows.append({**head, **cells, "models": own["models"].iloc[0]})
    return pd.DataFrame(rows)


def _drawn(data: pd.DataFrame) -> alt.LayerChart:
    keys = keys_of_muscles(data)
    conditions = [name for name in CONDITION_LABELS if name in set(data["condition"])]
    epochs = {str(study): sorted(set(map(int, own["epoch"]))) for study, own in data.groupby("study", sort=False)}
    steps = [(study, k, epoch) for study, own in epochs.items() for k, epoch in enumerate(own)]
    of = json.dumps({key: study for (study, _), key in keys.items()})
    ends = data.groupby(_CURVES[:2], as_index=False)["epoch"].max().itertuples(index=False)
    last = {keys[str(study), str(muscle)]: int(epoch) for study, muscle, epoch in ends}
    moments = alt.Chart(pd.DataFrame(steps, columns=["study", "k", "epoch"])).transform_filter(
        "datum.study == study && datum.epoch <= last"
    )
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(grid=False, tickCount=6), scale=alt.Scale(zero=False, nice=False))
    now = moments.transform_filter("datum.k == k").mark_rule(color=SOFT, strokeDash=[3, 3])
    most = max(map(len, epochs.values()))
    at = alt.selection_point(
        name="at",
        fields=["k"],
        value=[{"k": len(next(iter(epochs.values()))) - 1}],
        bind=alt.binding_range(min=0, max=most - 1, step=1, name="Moment "),
        nearest=True,
        on="pointermove,click",
        toggle=False,
        clear=False,
    )
    asked = asking(
        moments.mark_point(opacity=0, size=1).encode(x=x, y=alt.value(HEIGHT / 2)),  # the nearest one is picked
        choice("muscle", list(keys.values()), "Muscle"),
        choice("condition", [ALL, *conditions], "Condition", labels=CONDITION_LABELS),
        choice("axis", [LOG, "linear"], "Axis"),
        at,
        alt.param(name="study", expr=f"({of})[muscle_chosen]"),
        alt.param(name="epochs", expr=f"({json.dumps(epochs)})[study]"),
        alt.param(name="last", expr=f"({json.dumps(last)})[muscle_chosen]"),
        alt.param(name="k", expr="min(at_k, indexof(epochs, last))"),
        alt.param(name="labels", value=CONDITION_LABELS),
        alt.param(name="logarithmic", expr=f"axis_chosen == '{LOG}'"),
    )
    shown = _of_chosen(*_curves(x), *_values(conditions), data=_encoded(data, keys))
    rule = now.encode(x=x, y=alt.value(HEAD), y2=alt.value("height"))
    return layered(asked, rule, shown, width="container", height=HEIGHT)


def _of_chosen(*layers: alt.Chart, data: pd.DataFrame) -> alt.LayerChart:
    """Return layers that draw the epochs of the curves that were chosen, on the axis that was chosen."""
    chosen = layered(*layers, data=data).transform_filter("datum.muscle == muscle_chosen")
    # no expression writes a column that it reads: Vega computes them anew in place whenever a choice changes
    cells = {"m": "means", "l": "below", "h": "above"}
    ends = {"value": "+datum.m", "low": "datum.m - datum.l", "high": "+datum.m + +datum.h"}
    placed = {name: f"logarithmic ? ({end}) / {STEPS} : pow(10, ({end}) / {STEPS})" for name, end in ends.items()}
    return (
        chosen.transform_filter(f"condition_chosen == '{ALL}' || datum.condition == condition_chosen")
        .transform_calculate(**{short: f"split(datum.{cell}, ' ')" for short, cell in cells.items()})
        .transform_calculate(k="sequence(length(datum.m))")
        .transform_flatten([*cells, "k"])
        .transform_calculate(epoch="epochs[datum.k]", loss_now=f"pow(10, datum.m / {STEPS})", **placed)
    )


def _curves(x: alt.X) -> Iterator[alt.Chart]:
    ticks = [round(power + float(np.log10(one)), 4) for power in range(-7, 2) for one in (1, 2, 5)]
    axis = alt.Axis(
        values=alt.ExprRef(f"logarithmic ? {ticks} : null"),
        labelExpr="format(logarithmic ? pow(10, datum.value) : datum.value, '.2~g')",
        tickCount=alt.ExprRef("logarithmic ? 30 : 6"),
    )
    scale = alt.Scale(range=[alt.ExprRef("height"), HEAD], zero=alt.ExprRef("!logarithmic"), nice=False)
    y = alt.Y("value:Q", title="mean squared error", axis=axis, scale=scale)
    colours = alt.Scale(domain=list(CONDITION_COLOURS), range=list(CONDITION_COLOURS.values()))
    colour = alt.Color("condition:N", legend=None, scale=colours)
    dash = alt.StrokeDash("loss:N", legend=None, scale=alt.Scale(domain=list(DASHES), range=list(DASHES.values())))
    band = alt.Chart().transform_filter(f"condition_chosen != '{ALL}'").transform_calculate(value="datum.low")
    yield band.mark_area(opacity=0.13).encode(x=x, y=y, y2="high:Q", color=colour, detail="loss:N")
    yield alt.Chart().mark_line(strokeWidth=1.8).encode(x=x, y=y, color=colour, strokeDash=dash)
    now = alt.Chart().transform_filter("datum.k == k").mark_point(size=45, filled=True, opacity=1, stroke="white")
    yield now.encode(x=x, y=y, fill=colour)


def _values(conditions: list[str]) -> Iterator[alt.Chart]:
    """Yield the lines of words: whose losses they are, of which epoch, and the values, which are the legend too."""
    now = (  # a condition that was trained for fewer epochs shows its last one
        alt.Chart()
        .transform_filter("datum.k <= k")
        .transform_joinaggregate(latest="max(k)", groupby=["condition", "loss"])
        .transform_filter("datum.k == datum.latest")
    )
    look: dict[str, Any] = {"color": INK, "fontSize": 11.5}
    row = f"(54 + 20 * indexof({conditions}, datum.condition))"
    once = now.transform_window(place="row_number()").transform_filter("datum.place == 1")
    what = once.transform_calculate(text="datum.muscle + ', ' + datum.models + ' models each'").mark_text(
        color=INK, align="left", fontSize=12.5, fontWeight="bold"
    )
    yield what.encode(x=alt.value(LEFT), y=alt.value(8), text="text:N")
    when = once.transform_calculate(text="'epoch ' + epochs[k]").mark_text(**look, align="left")
    yield when.encode(x=alt.value(LEFT), y=alt.value(32), text="text:N")
    for loss, end in COLUMNS.items():
        name = f"{loss} {'╌╌' if loss == 'validation' else '──'}"
        yield once.mark_text(**look, align="right", text=name).encode(x=alt.value(LEFT + end), y=alt.value(32))
    first = now.transform_filter("datum.loss == 'training'")
    names = first.transform_calculate(text="labels[datum.condition] + (datum.k < k ? ' (to ' + datum.epoch + ')' : '')")
    yield names.mark_text(**look, align="left", y=alt.ExprRef(row)).encode(x=alt.value(LEFT + 16), text="text:N")
    colours = alt.Scale(domain=list(CONDITION_COLOURS), range=list(CONDITION_COLOURS.values()))
    swatch = first.mark_square(size=90, opacity=1, y=alt.ExprRef(row))
    yield swatch.encode(x=alt.value(LEFT + 6), color=alt.Color("condition:N", legend=None, scale=colours))
    ends = f"{LEFT} + ({json.dumps(COLUMNS)})[datum.loss]"
    said = now.transform_calculate(text="format(datum.loss_now, '.3~g')")
    yield said.mark_text(**look, align="right", x=alt.ExprRef(ends), y=alt.ExprRef(row)).encode(text="text:N")
