"""The leaderboard, any two methods of which can be compared, held-out unit by held-out unit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from nem2e_lib.analysis.leaderboard import DECIMALS
from nem2e_lib.analysis.statistics import FEWEST
from nem2e_lib.charts.chart import INK, SOFT, Chart
from nem2e_lib.charts.parts import (
    NOBODY,
    TICK,
    WIDE,
    asking,
    box,
    by_width,
    choice,
    layered,
    number,
    of_study,
    p_text,
    pick,
)
from nem2e_lib.figures.style import colour_of, heading, label_of, signed
from nem2e_lib.training.units import unit_name, units_said

STEP = 25
"""Height of a row in px."""
LETTERS = {"first": "A", "second": "B"}
RINGS, NAMES = {"first": 10, "second": 36}, 56
"""Where rings that pick methods stand, and where names begin: px from the left."""
LEFT, RIGHT = (262, NAMES), ("width - 170", "width - 52")
"""Where what is drawn begins and ends in wide and in narrow views, px."""
UNDER = {"a": 1.4, "b": 2.1, "apart": 2.9, "counted": 3.6, "verdict": 4.3, "each": 5.4, "mean": 6.5}
"""Rows under the last method at which the parts of the comparison stand."""
ROOM = 7.1
"""Rows that the comparison takes."""
TOP = 0.3
"""Where rows begin: the first stands at 1."""
MEANS = "mean Er  (left of 0: better than OpenSim)"
GROUND, DOT = "#e8eef6", "#7b8796"


def leaderboard(standings: pd.DataFrame, units: pd.DataFrame, fights: pd.DataFrame, *, synthetic: bool) -> Chart:
    """Draw each method's Er with its 95 % CI and held-out units, best first, and under them any two methods compared.

    Readers choose the study, both methods (in boxes, or by the rings before the names) and a unit to follow. At first
    the best method of the first study is compared with the training-mean curve.

    Parameters
    ----------
    standings, units, fights : pandas.DataFrame
        Rows of ``leaderboard.standings``, ``leaderboard.per_unit`` and ``leaderboard.duels``.
    """
    studies = list(dict.fromkeys(map(str, standings["study"])))
    pair = _first_pair(standings[standings["study"] == studies[0]])
    said = [_said(rows, str(study)) for study, rows in standings.groupby("study", sort=False)]
    compared = _compared(fights[fights["study"] == studies[0]], units[units["study"] == studies[0]], *pair)
    one = " or ".join(dict.fromkeys(unit_name(str(unit)) for unit in standings["unit"]))
    caption = (
        "Er (RMSE refined / RMSE OpenSim − 1, mean over electrodes; below 0: nearer to the EMG than OpenSim). Dots: a "
        f"held-out {one} each. Diamonds and bars: mean and 95 % CI, which stand beside as numbers. Under them Er of A "
        "minus Er of B, paired, its 95 % CI corrected for training data that folds share; p by Holm over all pairs of "
        "a study, for exploring. Choose study and methods in the boxes, methods also by the rings before their names; "
        "point at a dot, or choose it in the last box, to follow it through all methods."
    )
    title = heading("Every method under the same folds, and any two of them compared", synthetic)
    board = _board(standings)
    methods = list(dict.fromkeys(board["method"]))
    facts = alt.param(name="facts", expr=f"{json.dumps(_facts(standings, fights))}[study_chosen]")
    listed = alt.param(name="methods", value=methods)
    chart = _drawn(board, _each(units, standings), _pairs(fights, units, methods), pair, facts, listed)
    return Chart(chart, _tidy(standings, units, fights), title, " ".join([*said, compared]), caption, synthetic)


def _first_pair(rows: pd.DataFrame) -> tuple[str, str]:
    """The best method, and the training-mean curve; where that is the best or not there, the two best."""
    ranked = [str(one) for one in rows.sort_values("er_mean", kind="stable")["method"]]
    best, rest = ranked[0], ranked[1:]
    return best, "mean_curve" if "mean_curve" in rest else rest[0] if rest else best


def _board(standings: pd.DataFrame) -> pd.DataFrame:
    ordered = standings.sort_values(["study", "er_mean"], kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "study": ordered["study"],
            "row": ordered.groupby("study", sort=False).cumcount() + 1,
            "method": ordered["method"].map(label_of),
            "colour": ordered["method"].map(colour_of),
            "er": ordered["er_mean"],
            "low": ordered["ci_low"],
            "high": ordered["ci_high"],
        }
    )


def _each(units: pd.DataFrame, standings: pd.DataFrame) -> pd.DataFrame:
    rows = _board(standings).set_index(["study", "method"])["row"]
    table = units[["study", "label", "er"]].assign(method=units["method"].map(label_of))
    return table.join(rows, on=["study", "method"]).reset_index(drop=True)


def _pairs(fights: pd.DataFrame, units: pd.DataFrame, methods: list[str]) -> pd.DataFrame:
    """What is said of each pair, by the methods' places in a list: names would fill most of the table."""
    tables = []
    for study, rows in fights.groupby("study", sort=False):
        own = units[units["study"] == study]
        wide = own.pivot_table(index="label", columns="method", values="er", sort=False, dropna=False)
        apart = [(wide[a] - wide[b]).round(DECIMALS) for a, b in zip(rows["a"], rows["b"], strict=True)]
        tables.append(rows.assign(fewer=[(it < 0).sum() for it in apart], more=[(it > 0).sum() for it in apart]))
    table = pd.concat(tables, ignore_index=True).rename(
        columns={"a": "one", "b": "other", "ci_low": "from", "ci_high": "to", "p_holm": "p"}
    )
    table["sure"] = (table["winner"] != "").astype(int)
    table[["one", "other"]] = table[["one", "other"]].map(lambda method: methods.index(label_of(method)))
    return table[["study", "one", "other", "difference", "from", "to", "p", "sure", "fewer", "more"]].round(4)


def _facts(standings: pd.DataFrame, fights: pd.DataFrame) -> dict[str, dict[str, object]]:
    """What all pairs of a study share: units, their name, the number of pairs."""
    first, pairs = standings.drop_duplicates("study").set_index("study"), fights.groupby("study").size()
    return {
        str(study): {
            "n": int(row["n_units"]),
            "one": unit_name(str(row["unit"])),
            "many": unit_name(str(row["unit"]), int(row["n_units"])),
            "pairs": int(pairs.get(study, 0)),
        }
        for study, row in first.iterrows()
    }


def _tidy(standings: pd.DataFrame, units: pd.DataFrame, fights: pd.DataFrame) -> pd.DataFrame:
    """One row a held-out unit, a method's mean and a pair of methods; `part` tells which."""
    own = units[["study", "method", "unit", "label", "er"]].assign(part="held-out unit")
    mean = standings.rename(columns={"er_mean": "er"})[["study", "method", "er", "ci_low", "ci_high"]]
    pair = fights.rename(columns={"a": "method", "b": "against", "difference": "er"})
    kept = ["study", "method", "against", "er", "ci_low", "ci_high", "p_holm", "n", "winner"]
    table = pd.concat([mean.assign(part="method"), own, pair[kept].assign(part="pair")], ignore_index=True)
    return table[
        ["study", "part", "method", "against", "unit", "label", "er", "ci_low", "ci_high", "p_holm", "n", "winner"]
    ]


def _said(rows: pd.DataFrame, study: str) -> str:
    ordered = rows.sort_values("er_mean", kind="stable").to_dict("records")
    named = "; ".join(f"{label_of(one['method'])} {_er(one['er_mean'])}" for one in ordered)
    n = units_said(int(ordered[0]["n_units"]), str(ordered[0]["unit"]), "held-out")
    return f"Mean Er in {study} (n = {n}), best first: {named}."


def _er(value: float) -> str:
    return signed(value) if np.isfinite(value) else "undefined"


def _compared(fights: pd.DataFrame, units: pd.DataFrame, a: str, b: str) -> str:
    """Say what the chart compares before anyone touches it."""
    found = fights[fights["a"].isin([a, b]) & fights["b"].isin([a, b])]
    if found.empty:
        return ""
    row = found.iloc[0]
    sign = 1 if row["a"] == a else -1
    low, high = sorted((sign * row["ci_low"], sign * row["ci_high"]))
    wide = units.pivot_table(index="label", columns="method", values="er", dropna=False)
    fewer = int((wide[a] < wide[b]).sum())
    said = "a difference is shown" if row["winner"] else "no difference is shown"
    sure = f"{said} by Holm over {len(fights)} pairs" if len(wide) >= FEWEST else "too few to show a difference"
    return (
        f"{label_of(a)} minus {label_of(b)}: {_er(sign * row['difference'])} (95 % CI {_er(low)} to {_er(high)}), "
        f"lower in {fewer} of {units_said(len(wide), str(units['unit'].iloc[0]))}; {sure}."
    )


# --- The drawing: one view of rows, whose lower part is the comparison ---


def _drawn(
    board: pd.DataFrame, dots: pd.DataFrame, pairs: pd.DataFrame, pair: tuple[str, str], *more: alt.Parameter
) -> alt.LayerChart:
    rows = int(board["row"].max())
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[TOP, rows + ROOM], reverse=True, nice=False, zero=False))
    asked = asking(_line(TOP, rows + 0.5, _x(MEANS, "top"), y), *_choices(board, dots, pair), *more)
    return layered(
        _upper(board, dots, y, asked),
        _lower(dots, pairs, y, rows),
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(x="independent")),
        width="container",
        height=round((rows + ROOM - TOP) * STEP),
    )


def _choices(board: pd.DataFrame, dots: pd.DataFrame, pair: tuple[str, str]) -> Iterator[alt.Parameter]:
    """Yield what readers choose: in boxes, and by marks that carry what is chosen."""
    yield choice("study", list(dict.fromkeys(board["study"])), "Study")
    names, labels = list(dict.fromkeys(board["method"])), list(dict.fromkeys(map(str, dots["label"])))
    for (name, letter), method in zip(LETTERS.items(), pair, strict=True):
        said = box(names, f"Method {letter}")
        yield pick(name, "method", label_of(method), said, on="click", if_row=f"ring == '{name}'")
    yield pick("who", "label", NOBODY, box([NOBODY, *labels], "Follow"), on="pointerover", if_row="label")


def _x(title: str, orient: Literal["top", "bottom"]) -> alt.X:
    axis = alt.Axis(orient=orient, grid=False, tickCount=5, labelExpr=TICK, title=title)
    return alt.X("er:Q", axis=axis, scale=alt.Scale(range=[by_width(*LEFT), by_width(*RIGHT)]))


def _upper(board: pd.DataFrame, dots: pd.DataFrame, y: alt.Y, zero: alt.Chart) -> alt.LayerChart:
    x, up, down = _x(MEANS, "top"), by_width(0, -6), by_width(0, 6)
    picked = "datum.method == first_method || datum.method == second_method"
    weight = alt.ExprRef(f"{picked} ? 'bold' : 'normal'")
    ground = alt.Chart().mark_rect(fill=GROUND, height=STEP - 2, opacity=alt.ExprRef(f"{picked} ? 1 : 0"))
    name = alt.Chart().mark_text(align="left", yOffset=up, color=INK, fontSize=11.5, fontWeight=weight)
    told = alt.Chart().mark_text(align="right", yOffset=up, color=INK, fontSize=11, fontWeight=weight)
    words = of_study(
        ground.encode(x=alt.value(0), x2=alt.value("width"), y=y),
        *_rings(y),
        name.encode(x=alt.value(NAMES), y=y, text="method:N"),
        told.encode(x=alt.value(alt.ExprRef("width - 4")), y=y, text="told:N"),
        data=board.drop(columns="colour"),
    ).transform_calculate(y="datum.row", told=_told())
    each = _dots(x, y, down, alt.Tooltip("method:N"), alt.Tooltip("er:Q", format="+.3f", title="Er"))
    means = _mean(x, y, down, alt.Fill("method:N", legend=None, scale=_colours(board)))
    return layered(
        words,
        *_letters(y),
        zero,
        of_study(each, data=dots).transform_calculate(y="datum.row"),
        of_study(*means, data=board.drop(columns="colour")).transform_calculate(y="datum.row"),
    )


def _told() -> str:
    """The expression that writes Er, in wide views with its interval."""
    interval = f"' [' + {number('datum.low')} + ', ' + {number('datum.high')} + ']'"
    known = f"isValid(datum.low) && width >= {WIDE}"
    return f"isValid(datum.er) ? {number('datum.er')} + ({known} ? {interval} : '') : 'undefined'"


def _line(low: float, high: float, x: alt.X, y: alt.Y) -> alt.Chart:
    """The vertical line at 0."""
    table = pd.DataFrame({"er": [0.0], "y": [low], "end": [high]})
    return alt.Chart(table).mark_rule(color=SOFT).encode(x=x, y=y, y2="end")


def _mean(x: alt.X, y: alt.Y, down: alt.ExprRef, fill: Any) -> Iterator[alt.Chart]:
    known = alt.Chart().transform_filter("isValid(datum.low)").transform_calculate(er="datum.low")
    yield known.mark_rule(strokeWidth=1.6, color="black", yOffset=down).encode(x=x, x2="high:Q", y=y)
    point = alt.Chart().mark_point(shape="diamond", size=80, stroke="black", strokeWidth=1, opacity=1, yOffset=down)
    yield point.encode(x=x, y=y, fill=fill)


def _rings(y: alt.Y) -> Iterator[alt.Chart]:
    """Yield the rings that pick the methods, each with ground for a finger."""
    for name, letter in LETTERS.items():
        x, table = alt.value(RINGS[name]), alt.Chart().transform_calculate(ring=f"'{name}'")
        fill = alt.when(f"datum.method == {name}_method").then(alt.value(INK)).otherwise(alt.value("white"))
        ring = table.mark_point(shape="circle", size=110, strokeWidth=1.2, opacity=1, stroke=SOFT)
        yield ring.encode(x=x, y=y, fill=fill)
        yield table.mark_circle(size=500, opacity=0, cursor="pointer").encode(
            x=x, y=y, tooltip=alt.value(f"compare as method {letter}")
        )


def _letters(y: alt.Y) -> Iterator[alt.Chart]:
    for name, letter in LETTERS.items():
        head = alt.Chart(pd.DataFrame({"y": [TOP], "text": [letter]}))
        yield head.mark_text(fontWeight="bold", dy=-7, color=INK).encode(x=alt.value(RINGS[name]), y=y, text="text")


def _dots(x: alt.X, y: alt.Y, down: alt.ExprRef, *told: alt.Tooltip) -> alt.Chart:
    """Held-out units, the one that is followed large and dark."""
    same = alt.when("datum.label == who_label")
    return (
        alt.Chart()
        .mark_circle(yOffset=down)
        .encode(
            x=x,
            y=y,
            size=same.then(alt.value(70)).otherwise(alt.value(28)),
            color=same.then(alt.value(INK)).otherwise(alt.value(DOT)),
            opacity=same.then(alt.value(1.0)).otherwise(alt.value(0.65)),
            tooltip=[alt.Tooltip("label:N", title="held out"), *told],
        )
    )


def _colours(board: pd.DataFrame) -> alt.Scale:
    names = dict(zip(board["method"], board["colour"], strict=True))
    return alt.Scale(domain=list(names), range=list(names.values()))


def _lower(dots: pd.DataFrame, pairs: pd.DataFrame, y: alt.Y, rows: int) -> alt.LayerChart:
    at = {part: str(rows + place) for part, place in UNDER.items()}
    x, up, down = _x("Er of A minus Er of B  (left of 0: A is better)", "bottom"), by_width(0, -7), by_width(0, 6)
    text: dict[str, Any] = {"align": "left", "color": INK, "fontSize": 11.5}
    bold = alt.ExprRef("datum.line == 'a' || datum.line == 'b' ? 'bold' : 'normal'")
    place = " : ".join(f"datum.line == '{line}' ? {at[line]}" for line in LINES)
    lines = alt.Chart().transform_fold([*LINES], as_=["line", "text"]).transform_calculate(y=f"{place} : 0")
    one = alt.Chart().transform_calculate(text=f"who_label == '{NOBODY}' ? 'one dot a held-out ' + facts.one : ''")
    left = alt.value(NAMES)
    followed = alt.Chart().transform_filter("datum.label == who_label").mark_text(**text, yOffset=up)
    same = pd.DataFrame({"text": ["Choose two different methods."], "y": [float(at["a"])]})
    return layered(
        alt.Chart(same)
        .transform_filter("first_method == second_method")
        .mark_text(**text)
        .encode(x=alt.value(0), y=y, text="text"),
        _line(rows + UNDER["each"] - 0.6, rows + ROOM, x, y),
        of_pair(
            lines.mark_text(**text, fontWeight=bold).encode(x=alt.value(0), y=y, text="text:N"),
            one.transform_calculate(y=at["each"]).mark_text(**text, yOffset=up).encode(x=left, y=y, text="text:N"),
            alt.Chart().mark_text(**text, yOffset=up, text="mean and 95 % CI").encode(x=left, y=y),
            *_mean(x, y, down, alt.value("white")),
            data=pairs,
        ).transform_calculate(y=at["mean"]),
        of_both(
            _dots(x, y, down, alt.Tooltip("er:Q", format="+.3f", title="A minus B")),
            followed.encode(x=left, y=y, text="said:N"),
            data=dots,
        ).transform_calculate(y=at["each"]),
    )


def of_both(*layers: alt.Chart, data: pd.DataFrame) -> alt.LayerChart:
    """Return layers that draw Er of A minus Er of B of each held-out unit: two rows of the table, added with signs."""
    first = "datum.method == first_method ? "
    a, b, apart = (number(f"datum.{name}", 3) for name in ("a", "b", "er"))
    return (
        of_study(*layers, data=data)
        .transform_filter("datum.method == first_method || datum.method == second_method")
        .transform_filter("first_method != second_method && isValid(datum.er)")
        .transform_calculate(signed=f"{first}datum.er : -datum.er", a=f"{first}datum.er : 0", b=f"{first}0 : datum.er")
        .transform_aggregate(er="sum(signed)", a="sum(a)", b="sum(b)", count="count()", groupby=["label"])
        .transform_filter("datum.count == 2")
        .transform_calculate(said=f"datum.label + ': ' + {apart} + ' (' + {a} + ', ' + {b} + ')'")
    )


LINES = {
    "a": "'A: ' + first_method",
    "b": "'B: ' + second_method",
    "apart": f"'A minus B: ' + {number('datum.er')} + (isValid(datum.low) ? "
    f"' (95 % CI ' + {number('datum.low')} + ' to ' + {number('datum.high')} + ')' : '')",
    "counted": "'A is lower in ' + datum.lower + ' of ' + facts.n + ' ' + facts.many",
    "verdict": f"facts.n < {FEWEST} ? 'Too few ' + facts.many + ' to show a difference' : "
    f"isValid(datum.p) ? 'Holm over ' + facts.pairs + ' pairs, p ' + {p_text('datum.p')} + "
    "(datum.sure ? ': a difference is shown' : ': no difference is shown') : 'Cannot be tested'",
}
"""Lines of words over the comparison, as expressions of its row."""


def of_pair(*layers: alt.Chart, data: pd.DataFrame) -> alt.LayerChart:
    """Return layers that draw the row of the two methods, turned so that it is A minus B."""
    turned = {  # of columns that no expression writes: Vega computes them anew in place whenever A or B changes
        "turn": "methods[datum.one] == first_method ? 1 : -1",
        "er": "datum.turn * datum.difference",
        "low": "isValid(datum.from) ? (datum.turn > 0 ? datum.from : -datum.to) : null",
        "high": "isValid(datum.from) ? (datum.turn > 0 ? datum.to : -datum.from) : null",
        "lower": "datum.turn > 0 ? datum.fewer : datum.more",
    }
    found = of_study(*layers, data=data).transform_filter(
        "(methods[datum.one] == first_method && methods[datum.other] == second_method) || "
        "(methods[datum.one] == second_method && methods[datum.other] == first_method)"
    )
    return found.transform_calculate(**turned).transform_calculate(**LINES)
