"""Timing, size and co-contraction beside RMSE: means with their intervals over held-out units, a mark a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nem2e_lib.analysis.mixed import SCOPES
from nem2e_lib.analysis.timing import MEASURED, MEASURES, SIZES
from nem2e_lib.figures.points import marks
from nem2e_lib.figures.style import (
    Drawn,
    add_legend,
    colour_of,
    heading,
    label_of,
    new_figure,
    signed,
    styled,
)
from nem2e_lib.training.units import units_said

COLOURS = {
    MEASURED: "#000000",
    "opensim": "#E69F00",
    **{name: colour_of(name) for name in ("mean_curve", "one_quarter", "one_entire", "all_entire")},
    "pls": "#F0E442",
    "ridge_own": "#56B4E9",
    "ridge_all": "#D55E00",
}
"""Okabe and Ito's colours, which colour-blind readers tell apart; marks differ in shape, too."""
SHAPES = {
    MEASURED: "*",
    "opensim": "X",
    "mean_curve": "P",
    "one_quarter": "v",
    "one_entire": "o",
    "all_entire": "s",
    "pls": "h",
    "ridge_own": "<",
    "ridge_all": "^",
}
_SHORT = {
    "onset_error": "onset error (% of cycle)",
    "offset_error": "offset error (% of cycle)",
    "peak_error": "peak-time error (% of cycle)",
    "height_error": "height error (EMG max.)",
    "onset_off": "onset off by (%)",
    "offset_off": "offset off by (%)",
    "peak_off": "peak off by (%)",
    "height_off": "height off by",
    "missed": "missed bursts",
    "extra": "extra bursts",
    "correlation": "correlation r",
    "rmse": "RMSE",
}
ERRORS = ("onset_error", "offset_error", "peak_error", "height_error")
MEAN_AND_INTERVAL = "mean and 95 % CI over held-out units"


@styled
def timing_errors(summary: pd.DataFrame, *, study: str, step: float, synthetic: bool) -> Drawn:
    """Draw the errors of onset, offset, peak time and height of one study, a row a muscle.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``timing.summary``, muscle by muscle.
    step : float
        Distance of the samples of refined activity in % of the cycle: a grey band of this width is drawn around 0.
    """
    rows = summary[summary["study"].eq(study) & summary["measure"].isin(ERRORS) & summary["method"].ne(MEASURED)]
    muscles, methods = _order(rows, "muscle"), _order(rows, "method")
    title = heading(f"Timing and size against measured EMG: {study}, {_units(rows)}", synthetic)
    figure = new_figure(1.3 + 0.11 * len(muscles) * (len(methods) + 1), title)
    axes = figure.subplots(1, len(ERRORS), sharey=True)
    for axis, measure in zip(axes, ERRORS, strict=True):
        some = rows[rows["measure"].eq(measure)]
        if measure != "height_error":
            axis.axvspan(-step / 2, step / 2, color="#e6e6e6", lw=0, zorder=0)
        axis.axvline(0, color="#444444", lw=0.9)
        _rows(axis, some, "muscle", muscles, methods)
        axis.set_xlabel(_SHORT[measure])
    add_legend(figure, _handles(methods))
    alt = " ".join(_extremes(rows[rows["measure"].eq(measure)], measure) for measure in ERRORS)
    caption = (
        f"Marks: {MEAN_AND_INTERVAL} of estimate minus measured; left of 0 too early or too small. Grey: the distance "
        f"of two samples, {step:.1f} % of the cycle. A mark without a line has no interval."
    )
    return Drawn(figure, rows, title, f"{caption} {alt}", caption, synthetic)


@styled
def timing_overview(summary: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw the sizes of all errors, mean over muscles, a row a method and a line of panels a study.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``timing.summary`` of ``timing.over_muscles``.
    """
    shown = [name for name in SIZES if name != "extra"]
    rows = summary[summary["measure"].isin(shown) & summary["method"].ne(MEASURED)]
    studies, methods = _order(rows, "study"), _order(rows, "method")
    title = heading("How far off, beside RMSE: mean over muscles", synthetic)
    figure = new_figure(0.8 + (0.55 + 0.17 * len(methods)) * len(studies), title, legend_rows=0)
    axes = figure.subplots(len(studies), len(shown), squeeze=False, sharey=True)
    for line, study in zip(axes, studies, strict=True):
        for axis, measure in zip(line, shown, strict=True):
            some = rows[rows["study"].eq(study) & rows["measure"].eq(measure)]
            marks(axis, some, row="method", value="mean", order=methods, palette=COLOURS, markersize=5)
            axis.set_yticks(range(len(methods)), [label_of(name) for name in methods])
            axis.set_ylim(len(methods) - 0.5, -0.5)
            axis.set_xlabel(_SHORT[measure])
        line[0].set_title(f"{study}: {_units(rows[rows['study'].eq(study)])}")
    caption = f"{MEAN_AND_INTERVAL.capitalize()}. Less is better, of correlation more."
    return Drawn(figure, rows, title, f"{caption} {_best(rows)}", caption, synthetic)


@styled
def cocontraction(summary: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw the index of co-contraction of every pair of antagonists, measured and estimated; one panel a study.

    Parameters
    ----------
    summary : pandas.DataFrame
        Rows of ``timing.summary`` of ``timing.cocontraction``.
    """
    rows = summary[summary["measure"].eq("overlap")]
    studies, methods = _order(rows, "study"), _order(rows, "method")
    most = int(rows.groupby("study")["muscle"].nunique().max())
    title = heading("Co-contraction of antagonists: Falconer & Winter's index", synthetic)
    figure = new_figure(1.3 + 0.11 * most * (len(methods) + 1), title)
    for axis, study in zip(figure.subplots(1, len(studies), squeeze=False)[0], studies, strict=True):
        some = rows[rows["study"].eq(study)]
        _rows(axis, some, "muscle", _order(some, "muscle"), methods)
        axis.set_ylim(most - 0.5, -0.5)
        axis.set(xlabel="common area, twice, over total area: 0 apart, 1 alike", title=f"{study}: {_units(some)}")
    add_legend(figure, _handles(methods))
    means = rows.groupby(["study", "method"], sort=False)["mean"].mean()
    told = [
        f"{study}: " + ", ".join(f"{label_of(name)} {value:.2f}" for name, value in means[study].items()) + "."
        for study in studies
    ]
    caption = (
        f"{MEAN_AND_INTERVAL.capitalize()}; what is nearest to the star is best. Means over pairs: {' '.join(told)}"
    )
    return Drawn(figure, rows, title, caption, caption, synthetic)


@styled
def mixed_contrasts(table: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw the contrasts of the mixed model beside those paired over units; one panel a study.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of ``mixed.mixed``.
    """
    named = table.assign(
        contrast=[f"{label_of(a)} − {label_of(b)}" for a, b in zip(table["a"], table["b"], strict=True)]
    )
    pairs = named.drop_duplicates(["study", "contrast"])
    beside = pairs.assign(
        difference=pairs["paired_difference"],
        ci_low=pairs["paired_ci_low"],
        ci_high=pairs["paired_ci_high"],
        scope="paired over units",
    )
    rows = pd.concat([named, beside], ignore_index=True)
    palette = dict(zip([*SCOPES, "paired over units"], ("#0072B2", "#56B4E9", "#000000"), strict=True))
    studies, contrasts = _order(rows, "study"), _order(rows, "contrast")
    title = heading("One model over muscles and units: difference of Er", synthetic)
    figure = new_figure(1.2 + 0.5 * len(contrasts), title)
    axes = figure.subplots(1, len(studies), squeeze=False, sharey=True)[0]
    for axis, study in zip(axes, studies, strict=True):
        some = rows[rows["study"].eq(study)]
        axis.axvline(0, color="#444444", lw=0.9)
        marks(
            axis,
            some,
            row="contrast",
            value="difference",
            order=contrasts,
            palette=palette,
            hue="scope",
            step=0.22,
            markers=["o", "s", "D"],
        )
        axis.set_yticks(range(len(contrasts)), contrasts)
        axis.set_ylim(len(contrasts) - 0.5, -0.5)
        axis.set(xlabel="difference of Er  (negative: the first is better)", title=f"{study}: {_units(some)}")
    names = {"these muscles": "for other units, these muscles", "other muscles": "for other units and other muscles"}
    handles = [
        Line2D([], [], ls="", marker=mark, color=colour, label=names.get(scope, scope))
        for (scope, colour), mark in zip(palette.items(), "osD", strict=True)
    ]
    add_legend(figure, handles)
    caption = (
        "Marks: difference and 95 % CI. The model takes one variance for all contrasts; what is paired over units "
        "takes each contrast's own."
    )
    first = rows[rows["scope"].eq("these muscles")]
    told = " ".join(
        f"{study}, {contrast}: {signed(value)}."
        for study, contrast, value in first[["study", "contrast", "difference"]].to_numpy()
    )
    return Drawn(figure, rows, title, f"{caption} {told}", caption, synthetic)


@styled
def normalisation(table: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw Er, and RMSE against the mean curve, under each normalisation of EMG; one line of panels a study.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of ``normalising.by_scale``.
    """
    studies, methods, scales = _order(table, "study"), _order(table, "method"), _order(table, "scale")
    title = heading("What EMG is divided by, and what comes of it", synthetic)
    figure = new_figure(1.0 + (0.6 + 0.4 * len(scales)) * len(studies), title)
    axes = figure.subplots(len(studies), 2, squeeze=False, sharey=True)
    for line, study in zip(axes, studies, strict=True):
        some = table[table["study"].eq(study)]
        beside = some[some["method"].ne("mean_curve")]
        beside = beside.assign(
            mean=beside["against_curve"], ci_low=beside["curve_ci_low"], ci_high=beside["curve_ci_high"]
        )
        for axis, rows in zip(line, (some.assign(mean=some["er_mean"]), beside), strict=True):
            axis.axvline(0, color="#444444", lw=0.9)
            _rows(axis, rows, "scale", scales, methods)
        line[0].set(xlabel="Er  (against the simulation)", title=f"{study}: {_units(some)}")
        line[1].set(xlabel="RMSE / RMSE of the mean curve − 1")
    add_legend(figure, _handles(methods))
    caption = f"{MEAN_AND_INTERVAL.capitalize()}. Right: the simulation does not enter it."
    ranges = table.groupby(["study", "method"], sort=False)["er_mean"].agg(low="min", high="max").reset_index()
    told = " ".join(
        f"{row['study']}, {label_of(row['method'])}: Er {signed(row['low'])} to {signed(row['high'])}."
        for row in ranges.to_dict("records")
    )
    return Drawn(figure, table, title, f"{caption} {told}", caption, synthetic)


@styled
def left_out(table: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw the rise of Er where a speed is left out beside a person, a row a method; one panel a study.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of ``apart.losses``.
    """
    studies, methods = _order(table, "study"), _order(table, "method")
    title = heading("A person and a speed left out: rise of Er over leaving the person out", synthetic)
    figure = new_figure(1.1 + 0.3 * len(methods), title, legend_rows=0)
    axes = figure.subplots(1, len(studies), squeeze=False, sharey=True)[0]
    for axis, study in zip(axes, studies, strict=True):
        some = table[table["study"].eq(study)]
        axis.axvline(0, color="#444444", lw=0.9)
        marks(axis, some, row="method", value="rise", order=methods, palette=COLOURS, markersize=6)
        axis.set_yticks(range(len(methods)), [label_of(name) for name in methods])
        axis.set_ylim(len(methods) - 0.5, -0.5)
        axis.set(xlabel="rise of Er  (right: worse)", title=f"{study}: {_units(some)}")
    told = " ".join(
        f"{row['study']}, {label_of(row['method'])}: {signed(row['er_person'])} becomes {signed(row['er_apart'])}."
        for row in table.to_dict("records")
    )
    caption = f"Mean and 95 % CI over people, paired. {told}"
    return Drawn(figure, table, title, caption, caption, synthetic)


def _order(rows: pd.DataFrame, column: str) -> list[str]:
    """What a column holds, methods in the order of their colours."""
    found = list(map(str, dict.fromkeys(rows[column])))
    return [name for name in COLOURS if name in found] if column == "method" else found


def _units(rows: pd.DataFrame) -> str:
    number = rows["of_units"] if "of_units" in rows else rows["n_units"] if "n_units" in rows else rows["n"]
    return f"n = {units_said(int(number.max()), str(rows['unit'].iloc[0]), 'held-out')}"


def _rows(axis: Axes, rows: pd.DataFrame, column: str, order: Sequence[str], methods: Sequence[str]) -> None:
    palette = {name: COLOURS[name] for name in methods}
    shapes = [SHAPES[name] for name in methods]
    thin = {"lw": 0.9, "color": "#555555"}
    step = 0.8 / max(len(methods), 1)
    marks(
        axis,
        rows,
        row=column,
        value="mean",
        order=order,
        palette=palette,
        hue="method",
        step=step,
        markers=shapes,
        line=thin,
    )
    axis.set_yticks(range(len(order)), order)
    axis.set_ylim(len(order) - 0.5, -0.5)
    axis.hlines(np.arange(len(order) - 1) + 0.5, *axis.get_xlim(), color="#dddddd", lw=0.6, zorder=0)


def _handles(methods: Sequence[str]) -> list[Line2D]:
    names: Mapping[str, str] = {MEASURED: "measured EMG"}
    return [
        Line2D([], [], ls="", marker=SHAPES[name], color=COLOURS[name], label=names.get(name, label_of(name)))
        for name in methods
    ]


def _extremes(rows: pd.DataFrame, measure: str) -> str:
    known = rows[rows["mean"].notna()]
    if known.empty:
        return ""
    worst = known.iloc[int(known["mean"].abs().to_numpy().argmax())]
    return f"{_SHORT[measure]}: largest for {label_of(worst['method'])} in {worst['muscle']}, {signed(worst['mean'])}."


def _best(rows: pd.DataFrame) -> str:
    told = []
    for (study, measure), some in rows.groupby(["study", "measure"], sort=False):
        known = some[some["mean"].notna()]
        if known.empty:
            continue
        means = known["mean"].to_numpy(float)
        best = known.iloc[int(means.argmax() if MEASURES[str(measure)].kind == "z" else means.argmin())]
        told.append(f"{study}, {_SHORT[str(measure)]}: best {label_of(best['method'])}, {best['mean']:.2f}.")
    return " ".join(told)
