"""Er of the conditions: boxes per muscle (Figure 4), and means over muscles beside the training-mean curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy import special

from nem2e_lib.analysis.metrics import lacking
from nem2e_lib.analysis.statistics import FEWEST
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.figures.points import boxes, dots, mean_handle, rows_of_points, unit_handle
from nem2e_lib.figures.style import (
    CONDITION_COLOURS,
    CONDITION_LABELS,
    MEAN_CURVE,
    MEAN_CURVE_LABEL,
    METHOD_COLOURS,
    Drawn,
    add_legend,
    heading,
    label_of,
    new_figure,
    signed,
    stars,
    styled,
)
from nem2e_lib.training.units import unit_name, units_of_each, units_said

PER_ROW = 6
"""Muscles that a row of boxes holds where letters allow another."""
WIDTH = 0.8
"""Width of a muscle's boxes together; that of seaborn's strips."""


@styled
def error_boxes(
    errors: pd.DataFrame, tukey: pd.DataFrame, *, study: str, letters: str = "abc", synthetic: bool
) -> Drawn:
    """Draw boxes of Er over held-out units, their points, and Tukey's stars between conditions.

    Parameters
    ----------
    errors : pandas.DataFrame
        Tidy errors (columns study, muscle, condition, label, unit, er, er_mean_curve).
    tukey : pandas.DataFrame
        Columns study, muscle, a, b, p_value.
    letters : str
        One letter a row of panels; the muscles are shared out over them.

    Source: Teramae et al. (2025), Figure 4; the level of the training-mean curve is our addition.
    """
    data = _data(errors, study)
    enough = data.groupby("muscle")["label"].nunique() >= FEWEST
    pairs = tukey[(tukey["study"] == study) & (tukey["p_value"] < 0.05) & tukey["muscle"].map(enough).eq(True)]
    rows = share_out(list(dict.fromkeys(data["muscle"])), letters)
    shown = letters[: len(rows)] if len(letters) == 1 or len(rows) > 1 else ""
    title = heading(f"Figure 4{_span(shown)}. {study}: error improvement rate Er", synthetic)
    figure = new_figure(0.9 + 2.75 * len(rows), title)
    axes = figure.subplots(len(rows), 1, squeeze=False, sharey=True)[:, 0]
    for axis, muscles in zip(axes, rows, strict=True):
        _row(axis, muscles, data, width=max(map(len, rows)))
    if len(shown) > 1:
        for letter, axis in zip(shown, axes, strict=True):
            axis.set_title(f"({letter})")
    brackets = [_brackets_of(muscles, data, pairs) for muscles in rows]
    axes[0].set_ylim(*_limits(data, brackets))
    for axis, some in zip(axes, brackets, strict=True):
        _draw_brackets(axis, some, _range(data) / 100)
    add_legend(figure, _handles(data))
    caption = _caption(errors[errors["study"] == study], data, len(pairs))
    alt = f"Boxes of Er for {plural(data['muscle'].nunique(), 'muscle')}, one box a condition. {caption}"
    return Drawn(figure, _with_stars(data, pairs), title, alt, caption, synthetic)


def share_out(muscles: Sequence[str], letters: str) -> list[list[str]]:
    """Split muscles into rows as even as can be, one a letter, of no more than six where letters allow."""
    rows = min(max(len(letters), 1), math.ceil(len(muscles) / PER_ROW)) if len(letters) > 1 else 1
    return [part.tolist() for part in np.array_split(np.array(muscles, dtype=object), rows)]


def _data(errors: pd.DataFrame, study: str) -> pd.DataFrame:
    columns = ["study", "muscle", "condition", "unit", "label", "er", "er_mean_curve"]
    rows = errors.loc[(errors["study"] == study) & errors["er"].notna(), columns]
    if rows.empty:
        raise Nem2eError(
            f"The table of errors has no defined Er for study '{study}'; expected one a muscle and "
            "held-out unit: check that its simulated activation is not a copy of its EMG."
        )
    return rows.reset_index(drop=True)


def _conditions(data: pd.DataFrame) -> list[str]:
    return [c for c in CONDITION_LABELS if c in set(data["condition"])]


def _positions(muscles: Sequence[str], data: pd.DataFrame) -> dict[tuple[str, str], float]:
    conditions = _conditions(data)
    shift = WIDTH / len(conditions) * (np.arange(len(conditions)) - (len(conditions) - 1) / 2)
    return {(m, c): i + float(s) for i, m in enumerate(muscles) for c, s in zip(conditions, shift, strict=True)}


def _row(axis: Axes, muscles: Sequence[str], data: pd.DataFrame, width: int) -> None:
    here = data[data["muscle"].isin(list(muscles))]
    palette = {name: CONDITION_COLOURS[name] for name in _conditions(data)}
    shared: dict[str, Any] = {
        "x": "muscle",
        "y": "er",
        "hue": "condition",
        "order": list(muscles),
        "palette": palette,
        "dodge": True,
    }
    axis.axhline(0, color="#444444", lw=0.9, zorder=1)
    boxes(axis, here, width=WIDTH, gap=0.18, alpha=0.45, orientation="vertical", **shared)
    dots(axis, here, jitter=0.2, edgecolor="white", linewidth=0.4, zorder=3, **shared)
    level = here.groupby("muscle")["er_mean_curve"].mean().reindex(list(muscles))
    places = np.arange(len(muscles))
    axis.hlines(level, places - 0.44, places + 0.44, color=MEAN_CURVE, lw=1.8, ls=(0, (3, 1.5)), zorder=4)
    axis.set_xticks(places, muscles, fontsize=9)
    axis.tick_params(axis="x", length=0)
    axis.set_xlim(-0.6, width - 0.4)
    axis.set_ylabel("Er  (negative: better)")


def _brackets_of(muscles: Sequence[str], data: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return brackets (left, right, y, text): the shortest pairs of a muscle lowest, each above the last."""
    places, unit, rows = _positions(muscles, data), _range(data) / 100, []
    for muscle in muscles:
        here = pairs[pairs["muscle"] == muscle]
        ends = [sorted((places[muscle, a], places[muscle, b])) for a, b in zip(here["a"], here["b"], strict=True)]
        marks = sorted(zip(ends, here["p_value"].map(stars), strict=True), key=lambda e: e[0][1] - e[0][0])
        top = max(float(data.loc[data["muscle"] == muscle, "er"].max()), 0.0)
        rows += [(a, b, top + (5 + 10 * i) * unit, text) for i, ((a, b), text) in enumerate(marks)]
    return pd.DataFrame(rows, columns=["left", "right", "y", "text"])


def _draw_brackets(axis: Axes, brackets: pd.DataFrame, unit: float) -> None:
    for left, right, y, text in brackets.itertuples(index=False):
        axis.plot([left, left, right, right], [y - 1.5 * unit, y, y, y - 1.5 * unit], color="#222222", lw=0.9)
        axis.text((left + right) / 2, y - 1.2 * unit, text, ha="center", va="bottom", fontsize=9)


def _range(data: pd.DataFrame) -> float:
    values = np.append(data[["er", "er_mean_curve"]].to_numpy(float), 0.0)
    return float(np.nanmax(values) - np.nanmin(values))


def _limits(data: pd.DataFrame, brackets: Sequence[pd.DataFrame]) -> tuple[float, float]:
    values = np.append(data[["er", "er_mean_curve"]].to_numpy(float), 0.0)
    unit = _range(data) / 100
    tops = [float(b["y"].max()) + 8 * unit for b in brackets if len(b)]
    return float(np.nanmin(values)) - 6 * unit, max([float(np.nanmax(values)) + 6 * unit, *tops])


def _handles(data: pd.DataFrame) -> list[Line2D | Patch]:
    boxes: list[Line2D | Patch] = [
        Patch(facecolor=CONDITION_COLOURS[c], alpha=0.6, label=CONDITION_LABELS[c]) for c in _conditions(data)
    ]
    point = unit_handle(f"one held-out {unit_name(str(data['unit'].iloc[0]))}")
    line = Line2D([], [], color=MEAN_CURVE, lw=1.8, ls=(0, (3, 1.5)), label=f"{MEAN_CURVE_LABEL} (our addition)")
    return [*boxes, point, line]


def _caption(errors: pd.DataFrame, data: pd.DataFrame, pairs: int) -> str:
    labels, unit = data.groupby("muscle", sort=False)["label"], str(data["unit"].iloc[0])
    n = {str(muscle): own.nunique() for muscle, own in labels}
    marks = f"stars: Tukey's comparison of conditions, * p < 0.05, ** p < 0.01, *** p < 0.001 ({plural(pairs, 'pair')})"
    few = f"no stars, which need {FEWEST} held-out units"
    text = (
        f"Er = RMSE refined / RMSE OpenSim − 1, n = {units_of_each(n, unit, 'held-out')}; box: quartiles and "
        f"median, whiskers: to 1.5 times the box; {marks if max(n.values()) >= FEWEST else few}. Dashed: Er of the "
        "training cycles' mean EMG curve."
    )
    shared = errors.groupby("electrode")["muscle"].unique() if "electrode" in errors else pd.Series(dtype=object)
    copies = ["=".join(m) for m in shared if len(m) > 1]
    return text + (f" One electrode each: {', '.join(copies)}." if copies else "")


def _with_stars(data: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    marks: dict[str, str] = {}
    for row in pairs.to_dict("records"):
        mark = f"{row['a']} / {row['b']} {stars(row['p_value'])}"
        marks[row["muscle"]] = "; ".join(filter(None, [marks.get(row["muscle"], ""), mark]))
    return data.assign(tukey=[marks.get(m, "") for m in data["muscle"]])


def _span(letters: str) -> str:
    return f"{letters[0]}–{letters[-1]}" if len(letters) > 1 else letters


@styled
def ranking(errors: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw each method's Er, mean over muscles, per held-out unit with mean and 95 % CI; one panel a study.

    Parameters
    ----------
    errors : pandas.DataFrame
        Tidy errors of one or more studies.
    """
    data = per_unit(errors)
    studies = list(dict.fromkeys(data["study"]))
    title = heading("Ranking: mean Er of each method", synthetic)
    figure = new_figure(2.75, title)
    axes = figure.subplots(1, len(studies), squeeze=False, sharex=True)[0]
    for axis, study in zip(axes, studies, strict=True):
        _panel(axis, data[data["study"] == study])
        axis.set_title(f"{study} (n = {units_said(_units(data, study), _unit(data, study), 'held-out')})")
    add_legend(figure, [unit_handle(), mean_handle()])
    caption = "Er averaged over muscles within each held-out unit. " + " ".join(_sentence(data, s) for s in studies)
    caption = " ".join([caption, *lacking(errors)])
    return Drawn(figure, data, title, caption, caption, synthetic)


def per_unit(errors: pd.DataFrame) -> pd.DataFrame:
    """Return Er averaged over muscles: columns study, unit, label, method, er, mean, ci_low, ci_high, n.

    The CI is the t-based one of Eq. 4 over units. The training-mean curve does not depend on the condition.
    """
    keys = ["study", "unit", "label"]
    refined = errors.assign(method=errors["condition"])[[*keys, "method", "er"]]
    flat = errors.drop_duplicates([*keys, "muscle"]).assign(method="mean_curve", er=lambda t: t["er_mean_curve"])
    rows = pd.concat([refined, flat[[*keys, "method", "er"]]]).dropna(subset="er")
    table = rows.groupby([*keys, "method"], sort=False, as_index=False)["er"].mean()
    by = table.groupby(["study", "method"], sort=False)["er"]
    quantile = np.asarray(special.stdtrit(by.transform("size") - 1, 0.975), float)
    half = by.transform("sem") * quantile
    mean, n = by.transform("mean"), by.transform("size")
    result: pd.DataFrame = table.assign(mean=mean, ci_low=mean - half, ci_high=mean + half, n=n)
    return result


def _panel(axis: Axes, data: pd.DataFrame) -> None:
    means = data.drop_duplicates("method").sort_values("mean", kind="stable")
    axis.axvline(0, color="#444444", lw=0.9)
    rows_of_points(
        axis,
        means,
        row="method",
        value="mean",
        palette={method: METHOD_COLOURS[method] for method in means["method"]},
        names=[label_of(method) for method in means["method"]],
        notes=[signed(value) for value in means["mean"]],
        units=data,
    )
    axis.set_xlabel("Er, mean over muscles  (negative: better than OpenSim)")


def _sentence(data: pd.DataFrame, study: str) -> str:
    means = data[data["study"] == study].groupby("method")["mean"].first().sort_values()
    return f"{study}, best first: " + ", ".join(f"{label_of(m)} {signed(v)}" for m, v in means.items()) + "."


def _units(data: pd.DataFrame, study: str) -> int:
    return int(data.loc[data["study"] == study, "label"].nunique())


def _unit(data: pd.DataFrame, study: str) -> str:
    return str(np.unique(data.loc[data["study"] == study, "unit"])[0])
