"""Simulated, refined and measured activity over the gait cycle, of every muscle, condition and person, to read off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.charts.chart import INK, SOFT, Chart
from nem2e_lib.charts.parts import asking, by_width, choice, keys_of_muscles, layered
from nem2e_lib.figures.panels import QUARTERS, is_synthetic
from nem2e_lib.figures.style import CONDITION_LABELS, SERIES_COLOURS, heading
from nem2e_lib.figures.waveforms import curves, over_units
from nem2e_lib.training.units import unit_name, units_said

EVERYBODY = "everybody"
USUAL_MUSCLE, USUAL_CONDITION = "tib", "one_entire"
"""What is shown first where it is there."""
HEIGHT, HEAD, LEFT = 400, 96, -44
"""Height of the view, and of its upper part, in which values are read; where its lines begin, over the axis: px."""
PER_MILLE = 1000
"""Activity is drawn in steps of 0.001, as integers: most of a chart's script are its values."""


def waveforms(studies: Mapping[str, Mapping[str, xr.Dataset]]) -> Chart:
    """Draw simulated, refined and measured activity of one muscle, condition and held-out unit, or of all units.

    Readers choose them; the values at one moment are written out, in % of the cycle and in ms.

    Parameters
    ----------
    studies : mapping of study to (mapping of condition to results)
    """
    data = _tidy(studies)
    facts = {study: _facts(conditions) for study, conditions in studies.items()}
    keys = keys_of_muscles(data)
    study, muscle = next((pair for pair in keys if pair[1] == USUAL_MUSCLE), next(iter(keys)))
    known = facts[study]["conditions"]
    condition = USUAL_CONDITION if USUAL_CONDITION in known else known[0]
    chart = _drawn(_encoded(data, keys), keys, facts, (keys[study, muscle], condition), sorted(set(data["sample_pct"])))
    shown = data[(data["study"] == study) & (data["muscle"] == muscle) & data["condition"].isin(["", condition])]
    said = _said(shown[shown["label"] == EVERYBODY], keys[study, muscle], condition)
    n = ", ".join(
        f"{name} n = {units_said(len(one['labels']) - 1, str(one['unit']), 'held-out')}" for name, one in facts.items()
    )
    caption = (
        f"Activity (normalised) over the gait cycle, heel strike to heel strike; {n}. Everybody: mean over them, each "
        "by the mean of its cycles, with a band of one standard deviation either way. One of them: mean of its cycles, "
        "with a band from lowest to highest. No model has seen whom it refines. Choose muscle, condition and person in "
        "the boxes; point at the chart, or move the slider, to read all three at a moment, in % of the cycle and in ms."
    )
    synthetic = any(is_synthetic(results) for conditions in studies.values() for results in conditions.values())
    title = heading("Simulated, refined and measured activity, to be read off", synthetic)
    return Chart(chart, _beside(data), title, said, caption, synthetic)


def _beside(data: pd.DataFrame) -> pd.DataFrame:
    """One row a curve or an end of its band, its samples (% of the cycle) side by side: a fifth of a tidy table."""
    keys = ["study", "muscle", "label", "condition", "series", "n", "duration_ms"]
    own = data.assign(duration_ms=data.groupby(["study", "label"], sort=False)["ms"].transform("max"))
    long = own.melt([*keys, "sample_pct"], ["mean", "low", "high"], "curve")
    # a pivot table would drop the rows of studies that do not tell how long their cycles took
    wide = long.set_index([*keys, "curve", "sample_pct"])["value"].unstack("sample_pct", sort=False)  # noqa: PD010
    return wide.rename(columns=lambda pct: f"{pct:.1f}").reset_index()


def _tidy(studies: Mapping[str, Mapping[str, xr.Dataset]]) -> pd.DataFrame:
    """One row a study, muscle, held-out unit, series and sample; simulated and measured have no condition."""
    tables = []
    for study, conditions in studies.items():
        for place, (condition, results) in enumerate(conditions.items()):
            ms = _durations(results)
            own = [curves(results, str(label)) for label in results["fold"].to_numpy()]
            mean = over_units(own).rename(columns={"n_units": "n_cycles"}).assign(label=EVERYBODY)
            table = pd.concat([mean, *own], ignore_index=True)
            if place:
                table = table[table["series"] == "refined"]
            table["ms"] = table["label"].map(ms) * table["sample_pct"] / 100
            table["condition"] = np.where(table["series"] == "refined", condition, "")
            tables.append(table.assign(study=study))
    table = pd.concat(tables, ignore_index=True).rename(columns={"n_cycles": "n"})
    values = ["mean", "low", "high"]
    table[values] = table[values].round(3)
    return table[["study", "muscle", "label", "condition", "series", "sample_pct", "ms", *values, "n"]]


def _durations(results: xr.Dataset) -> dict[str, float]:
    """Mean duration of each unit's cycles, and over units, in ms; NaN where cycles do not tell theirs."""
    labels = results["fold"].to_numpy().astype(str)
    if "start_s" not in results.coords:
        return dict.fromkeys([EVERYBODY, *labels], float("nan"))
    ms = np.asarray(results["end_s"] - results["start_s"], float) * 1000
    means = pd.Series(ms).groupby(labels[results["fold_of_cycle"].to_numpy()]).mean()
    return {EVERYBODY: float(means.mean()), **{str(label): float(value) for label, value in means.items()}}


def _facts(conditions: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Who and which conditions there are in a study, and what a unit is called."""
    results = next(iter(conditions.values()))
    unit, labels = str(results.attrs["unit"]), [EVERYBODY, *map(str, results["fold"].to_numpy())]
    return {"labels": labels, "conditions": list(conditions), "unit": unit, "many": unit_name(unit, 2)}


def _said(rows: pd.DataFrame, first: str, condition: str) -> str:
    """Peaks of what is shown before anyone touches the chart."""
    peaks = rows.loc[rows.groupby("series", sort=False)["mean"].idxmax()].to_dict("records")
    told = ", ".join(f"{one['series']} {one['mean']:.2f} at {one['sample_pct']:.0f} % of the cycle" for one in peaks)
    return f"{first}, {CONDITION_LABELS[condition]}, mean of everybody: peak of {told}."


# --- The drawing: lines of values over curves with bands ---


def _encoded(data: pd.DataFrame, keys: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """One row a curve, its samples as integers in one cell; of a band how far its ends are from the mean."""
    rows = []
    for (study, muscle, label, condition, series), own in data.groupby(
        ["study", "muscle", "label", "condition", "series"], sort=False
    ):
        mean, low, high = (own[name].mul(PER_MILLE).round().astype(int) for name in ("mean", "low", "high"))
        values = {"means": mean, "below": mean - low, "above": high - mean}
        rows.append(
            {
                "muscle": keys[str(study), str(muscle)],
                "label": label,
                "curve": condition or series,
                **{name: " ".join(map(str, one)) for name, one in values.items()},
                "ms": own["ms"].max(),
                "n": own["n"].max(),
            }
        )
    return pd.DataFrame(rows)


def _drawn(
    table: pd.DataFrame,
    keys: Mapping[tuple[str, str], str],
    facts: Mapping[str, Mapping[str, Any]],
    first: tuple[str, str],
    samples: list[float],
) -> alt.LayerChart:
    x = alt.X("pct:Q", title="gait cycle (%)", axis=alt.Axis(values=list(QUARTERS), grid=False))
    moments = alt.Chart(pd.DataFrame({"k": range(len(samples)), "pct": samples}))
    now = moments.transform_filter("datum.k == at_k").mark_rule(color=SOFT, strokeDash=[3, 3])
    people = list(dict.fromkeys(label for one in facts.values() for label in one["labels"]))
    conditions = [name for name in CONDITION_LABELS if any(name in one["conditions"] for one in facts.values())]
    at = alt.selection_point(
        name="at",
        fields=["k"],
        value=[{"k": len(samples) // 2}],
        bind=alt.binding_range(min=0, max=len(samples) - 1, step=1, name="Moment "),
        nearest=True,
        on="pointermove,click",
        toggle=False,
        clear=False,
    )
    # a person or a condition that a study lacks is one of another study: everybody, and the first, stand for it
    study = f"({json.dumps({key: study for (study, _), key in keys.items()})})[muscle_chosen]"
    one = "indexof(facts.conditions, condition_chosen) < 0 ? facts.conditions[0] : condition_chosen"
    asked = asking(
        moments.mark_point(opacity=0, size=1).encode(x=x, y=alt.value(HEIGHT / 2)),  # the nearest one is picked
        choice("muscle", list(dict.fromkeys(table["muscle"])), "Muscle", value=first[0]),
        choice("condition", conditions, "Condition", value=first[1], labels=CONDITION_LABELS),
        choice("person", people, "Person"),
        at,
        alt.param(name="facts", expr=f"({json.dumps(facts)})[{study}]"),
        alt.param(name="samples", value=samples),
        alt.param(name="who", expr=f"indexof(facts.labels, person_chosen) < 0 ? '{EVERYBODY}' : person_chosen"),
        alt.param(name="how", expr=one),
        alt.param(name="labels", value=CONDITION_LABELS),
    )
    shown = _of_chosen(*_curves(x), *_values(), data=table)
    rule = now.encode(x=x, y=alt.value(HEAD), y2=alt.value("height"))
    return layered(asked, rule, shown, width="container", height=HEIGHT)


def _of_chosen(*layers: alt.Chart, data: pd.DataFrame) -> alt.LayerChart:
    """Return layers that draw the samples of the curves that were chosen."""
    chosen = layered(*layers, data=data).transform_filter("datum.muscle == muscle_chosen && datum.label == who")
    # no expression writes a column that it reads: Vega computes them anew in place whenever a choice changes
    cells = {"m": "means", "l": "below", "h": "above"}
    return (
        chosen.transform_filter("indexof(['simulated', 'measured', how], datum.curve) >= 0")
        .transform_calculate(series="datum.curve == how ? 'refined' : datum.curve", k="sequence(length(samples))")
        .transform_calculate(**{short: f"split(datum.{cell}, ' ')" for short, cell in cells.items()})
        .transform_flatten([*cells, "k"])
        .transform_calculate(
            pct="samples[datum.k]",
            mean=f"datum.m / {PER_MILLE}",
            low=f"(datum.m - datum.l) / {PER_MILLE}",
            high=f"(+datum.m + +datum.h) / {PER_MILLE}",
        )
    )


def _curves(x: alt.X) -> Iterator[alt.Chart]:
    y = alt.Y(
        "mean:Q",
        title="muscle activity (normalised)",
        axis=alt.Axis(tickCount=5),
        scale=alt.Scale(range=[alt.ExprRef("height"), HEAD], zero=True, nice=False),
    )
    colours = alt.Scale(domain=list(SERIES_COLOURS), range=list(SERIES_COLOURS.values()))
    colour = alt.Color("series:N", legend=None, scale=colours)
    curve, band = alt.Chart(), alt.Chart().transform_calculate(mean="datum.low")
    yield band.mark_area(opacity=0.13).encode(x=x, y=y, y2="high:Q", color=colour)
    yield curve.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    point = curve.transform_filter("datum.k == at_k").mark_point(size=55, filled=True, opacity=1, stroke="white")
    yield point.encode(x=x, y=y, fill=colour)


def _values() -> Iterator[alt.Chart]:
    """Yield the lines of words: whose curves they are, when, and the three values, which are the legend too."""
    now = alt.Chart().transform_filter("datum.k == at_k")
    left: dict[str, Any] = {"align": "left", "color": INK}
    everybody = "'mean of ' + datum.n + ' ' + facts.many + ', band: ± 1 SD'"
    one = "who + ', mean of ' + datum.n + (datum.n == 1 ? ' cycle' : ' cycles, band: lowest to highest')"
    what, whose = "datum.muscle + ', ' + labels[how]", f"who == '{EVERYBODY}' ? {everybody} : {one}"
    when = (
        "format(datum.pct, '.0f') + ' % of the cycle' + (isValid(datum.ms) ? ', ' + "
        "format(datum.ms * datum.pct / 100, '.0f') + ' of ' + format(datum.ms, '.0f') + ' ms' : '')"
    )
    once = now.transform_filter("datum.series == 'measured'").transform_calculate(what=what, whose=whose, when=when)
    for place, line in enumerate(("what", "whose", "when")):
        look: dict[str, Any] = (
            {"fontSize": 11.5, "fontWeight": "normal"} if place else {"fontSize": 12.5, "fontWeight": "bold"}
        )
        yield once.mark_text(**left, **look).encode(x=alt.value(LEFT), y=alt.value(8 + 20 * place), text=f"{line}:N")
    band = by_width("' (' + format(datum.low, '.2f') + ' to ' + format(datum.high, '.2f') + ')'", "''")
    value = now.transform_calculate(value=f"datum.series + ' ' + format(datum.mean, '.2f') + ({band.expr})")
    column = f"({LEFT} + (width - {LEFT}) * indexof({list(SERIES_COLOURS)}, datum.series) / 3)"
    yield value.mark_text(**left, fontSize=11.5, x=alt.ExprRef(f"{column} + 16")).encode(
        y=alt.value(70), text="value:N"
    )
    colours = alt.Scale(domain=list(SERIES_COLOURS), range=list(SERIES_COLOURS.values()))
    swatch = now.mark_square(size=90, opacity=1, x=alt.ExprRef(f"{column} + 6"))
    yield swatch.encode(y=alt.value(70), color=alt.Color("series:N", legend=None, scale=colours))
