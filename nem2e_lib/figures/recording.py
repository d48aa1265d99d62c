"""One recording on its way: its postures, the force on the ground, its activation, and that refined with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.figures.panels import label_bottom, panel_grid, plural, rows_for
from nem2e_lib.figures.style import (
    MEASURED,
    REFINED,
    SERIES_COLOURS,
    SIMULATED,
    Drawn,
    add_legend,
    heading,
    new_figure,
    styled,
)
from nem2e_lib.refiner.manifest import Manifest, percent
from nem2e_lib.refiner.refined import Refined, is_synthetic
from nem2e_lib.training.units import units_said

RIGHT, LEFT, AXIAL, FORCE = "#0072B2", "#E69F00", "#444444", "#D55E00"
METHODS = ("#0072B2", "#CC79A7", "#009E73")
N_PER_M = 1500.0
"""Newtons that one metre of an arrow stands for."""
SPACING = 1.1
"""Metres between postures, in the direction of view: they would hide each other on a treadmill."""

Span = tuple[float, float]


@styled
def postures(lines: pd.DataFrame, arrows: pd.DataFrame, *, synthetic: bool = False) -> Drawn:
    """Draw the model from the side at several times, with the ground reaction force.

    Parameters
    ----------
    lines
        time_s, body, x0, y0, x1, y1 (m); bodies that end in ``_r`` or ``_l`` are those of a side.
    arrows
        time_s, px, py (m), fx, fy (N).
    """
    times = np.sort(lines["time_s"].unique())
    title = heading("The motion: the model from the side, and the force on the ground", synthetic)
    figure = new_figure(3.3, title)
    axis = figure.subplots()
    for place, time in enumerate(times):
        own, loads = lines[lines["time_s"] == time], arrows[arrows["time_s"] == time]
        shift = SPACING * place - float(own[["x0", "x1"]].to_numpy().mean())
        _body(axis, own, shift)
        _loads(axis, loads, shift)
        axis.annotate(
            f"{time:.2f} s", (SPACING * place, -0.12), ha="center", va="top", fontsize=8, annotation_clip=False
        )
    axis.axhline(0, color="#BBBBBB", lw=0.8, zorder=0)
    axis.set_aspect("equal")
    axis.set_axis_off()
    add_legend(figure, _postures_legend())
    caption = (
        f"{plural(len(times), 'posture')} over a gait cycle, {SPACING:g} m apart on the page; arrows: ground reaction "
        f"force, {N_PER_M:g} N a metre. Lines run from joint to joint."
    )
    data = pd.concat([lines.assign(what="line"), arrows.assign(what="force")], ignore_index=True)
    return Drawn(figure, data, title, f"Stick figures of a model in motion. {caption}", caption, synthetic)


def _body(axis: Axes, own: pd.DataFrame, shift: float) -> None:
    for row in own.to_dict("records"):
        colour = {"_r": RIGHT, "_l": LEFT}.get(str(row["body"])[-2:], AXIAL)
        order = {RIGHT: 3, AXIAL: 2, LEFT: 1}[colour]
        axis.plot(
            [row["x0"] + shift, row["x1"] + shift],
            [row["y0"], row["y1"]],
            color=colour,
            lw=2.2,
            zorder=order,
            solid_capstyle="round",
        )


def _loads(axis: Axes, loads: pd.DataFrame, shift: float) -> None:
    for row in loads.to_dict("records"):
        start = (row["px"] + shift, row["py"])
        end = (start[0] + row["fx"] / N_PER_M, start[1] + row["fy"] / N_PER_M)
        axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": FORCE, "lw": 1.4}, zorder=4)


def _postures_legend() -> list[Line2D]:
    told = {"right side": RIGHT, "left side": LEFT, "pelvis and trunk": AXIAL, "ground reaction force": FORCE}
    return [Line2D([], [], color=colour, lw=2.2, label=label) for label, colour in told.items()]


@styled
def ground_force(
    force: Storage, strikes: NDArray[np.float64], spans: Sequence[Span], *, synthetic: bool = False
) -> Drawn:
    """Draw vertical force over time, the heel strikes, and the cycles that will be simulated.

    Parameters
    ----------
    force
        A column a plate, N.
    strikes
        Heel strikes of the foot that cycles begin with, s.
    spans
        Start and end of the cycles to be simulated, s.
    """
    title = heading("The force: heel strikes and the cycles to be simulated", synthetic)
    figure = new_figure(2.6, title)
    axis = figure.subplots()
    colours = {"right": RIGHT, "left": LEFT}
    handles = []
    for index, label in enumerate(force.labels):
        colour = colours.get(label, METHODS[index % len(METHODS)])
        axis.plot(force.time, force.values[:, index], color=colour, lw=1.1)
        handles.append(Line2D([], [], color=colour, label=f"vertical force, {label}"))
    for time in strikes:
        axis.axvline(time, color="#888888", lw=0.7, ls=":", zorder=0)
    for start, end in spans:
        axis.axvspan(start, end, color="#F0E442", alpha=0.35, lw=0, zorder=0)
    axis.set_xlabel("time (s)")
    axis.set_ylabel("force (N)")
    axis.set_xlim(force.time[0], force.time[-1])
    add_legend(figure, handles)
    caption = f"Dotted: {plural(len(strikes), 'heel strike')}; yellow: {plural(len(spans), 'cycle')} to be simulated."
    data = pd.DataFrame(force.values, columns=list(force.labels)).assign(time_s=force.time)
    return Drawn(figure, data, title, f"Vertical ground reaction force over time. {caption}", caption, synthetic)


@styled
def activations(found: Mapping[str, Storage], muscles: Sequence[str], span: Span, *, synthetic: bool = False) -> Drawn:
    """Draw the activation of some muscles by each method over one cycle.

    Parameters
    ----------
    found
        Method to its activation file.
    muscles
        Names of muscles.
    span
        Start and end of the cycle, s.
    """
    data = _tidy(found, muscles, span)
    title = heading("The simulation: activation of the muscles to be refined", synthetic)
    figure = new_figure(0.95 + 1.45 * rows_for(len(muscles)), title)
    axes = panel_grid(figure, len(muscles), sharex=True, sharey=True)
    palette = dict(zip(found, METHODS, strict=False))
    for axis, muscle in zip(axes, muscles, strict=True):
        sns.lineplot(
            data[data["muscle"] == muscle],
            x="time_s",
            y="activation",
            hue="method",
            palette=palette,
            linewidth=1.4,
            estimator=None,
            legend=False,
            ax=axis,
        )
        axis.set(xlabel="", ylabel="")
        axis.set_title(muscle)
        axis.set_xlim(*span)
        axis.set_ylim(0, 1.02)
    label_bottom(axes, "time (s)")
    figure.supylabel("activation", fontsize=9)
    add_legend(figure, [Line2D([], [], color=c, label=name) for name, c in palette.items()])
    caption = f"One gait cycle, {span[0]:.3f} to {span[1]:.3f} s; {', '.join(found)}, each as far as it was simulated."
    alt = f"{plural(len(muscles), 'panel')}, one a muscle. {caption}"
    return Drawn(figure, data, title, alt, caption, synthetic)


def _tidy(found: Mapping[str, Storage], muscles: Sequence[str], span: Span) -> pd.DataFrame:
    parts = []
    for method, table in found.items():
        label = {muscle_name(each): each for each in muscle_columns(table.labels, told=muscles)}
        rows = (table.time >= span[0]) & (table.time <= span[1])
        parts += [
            pd.DataFrame(
                {"method": method, "muscle": m, "time_s": table.time[rows], "activation": table.column(label[m])[rows]}
            )
            for m in muscles
        ]
    return pd.concat(parts, ignore_index=True)


@styled
def refined_trial(refined: Refined, measured: xr.DataArray | None = None) -> Drawn:
    """Draw one panel a muscle over the trial's time.

    Parameters
    ----------
    refined
        A refined recording.
    measured
        EMG of the refined cycles where it was recorded, dims (cycle, phase, channel).
    """
    data = over_time(refined, measured)
    muscles = list(refined.manifest.names)
    synthetic = refined.synthetic
    title = _title(refined, "A trial refined: simulated activation, refined activity and its band")
    figure = new_figure(0.95 + 1.55 * rows_for(len(muscles)), title)
    axes = panel_grid(figure, len(muscles), sharex=True)
    for axis, muscle in zip(axes, muscles, strict=True):
        _panel(axis, muscle, data[data["muscle"] == muscle], refined)
    label_bottom(axes, "time (s)")
    figure.supylabel("muscle activity", fontsize=9)
    known = refined.manifest.outputs[0].held_out is not None
    add_legend(figure, _handles(measured is not None, _band_said(refined.manifest) if known else ""))
    caption = _caption(refined, measured is not None, known)
    alt = f"{plural(len(muscles), 'panel')}, one a muscle. {caption}"
    return Drawn(figure, side_by_side(data), title, alt, caption, synthetic)


def _title(refined: Refined, text: str) -> str:
    """A recording that does not say that it is synthetic is not called so for its refiner's sake."""
    if refined.manifest.synthetic and not is_synthetic(refined.source):
        return f"SYNTHETIC refiner – {text}"
    return heading(text, refined.synthetic)


def over_time(refined: Refined, measured: xr.DataArray | None) -> pd.DataFrame:
    """Return what is drawn: muscle, series (simulated, refined, low, high, measured), time_s, value."""
    curves, band, inside = refined.storage("nan"), refined.band(), refined.inside
    parts = []
    for index, (out, label) in enumerate(zip(refined.manifest.outputs, refined.labels, strict=True)):
        read = refined.read.values[:, refined.manifest.muscles.index(out.muscle)]
        series = {
            "simulated": (refined.read.time, read),
            "refined": (curves.time[inside], curves.values[inside, index]),
            **{
                side: (band.time, band.column(f"{label}_{side}"))
                for side in ("low", "high")
                if f"{label}_{side}" in band.labels
            },
        }
        if measured is not None:
            series["measured"] = _measured(refined, measured.sel(channel=out.name).transpose("cycle", "phase"))
        parts += [
            pd.DataFrame({"muscle": out.name, "series": name, "time_s": time, "value": values})
            for name, (time, values) in series.items()
        ]
    return pd.concat(parts, ignore_index=True).dropna(subset="value")


def side_by_side(data: pd.DataFrame) -> pd.DataFrame:
    """Return `over_time` with a column a series, half as long as text: muscle, time_s, then the series there are.

    A moment that two cycles share, as the end of the one and the start of the other, has two rows.
    """
    at = ["muscle", "time_s", "again"]
    again = data.groupby(["muscle", "series", "time_s"]).cumcount()
    wide = data.assign(again=again).pivot_table("value", at, "series", aggfunc="first")
    muscles = {name: rank for rank, name in enumerate(data["muscle"].unique())}
    wide = wide.sort_index(key=lambda level: level.map(muscles) if level.name == "muscle" else level)
    return wide[data["series"].unique()].rename_axis(columns=None).reset_index().drop(columns="again")


def _measured(refined: Refined, waves: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    phases = waves.phase.values / 100
    time = np.concatenate([s.start_s + (s.end_s - s.start_s) * phases for s in refined.refined])
    return time, waves.values.ravel()


def _panel(axis: Axes, muscle: str, data: pd.DataFrame, refined: Refined) -> None:
    by = {str(name): rows for name, rows in data.groupby("series", sort=False)}
    for span in refined.refined:
        axis.axvline(span.start_s, color="#BBBBBB", lw=0.7, zorder=0)
        axis.axvline(span.end_s, color="#BBBBBB", lw=0.7, zorder=0)
    if "low" in by:
        low, high = by["low"]["value"], by["high"]["value"]
        axis.fill_between(by["low"]["time_s"], low, high, color=REFINED, alpha=0.2, lw=0)
    for name, width in (("simulated", 1.0), ("measured", 1.4), ("refined", 1.6)):
        if name in by:
            axis.plot(by[name]["time_s"], by[name]["value"], color=SERIES_COLOURS[name], lw=width)
    axis.set_title(muscle)
    lowest = float(data[data["series"] != "low"]["value"].min())
    axis.set_ylim(min(0.0, lowest), float(data["value"].max()) * 1.05)
    axis.locator_params(axis="y", nbins=4)
    axis.set_xlim(refined.read.time[0], refined.read.time[-1])


def _band_said(manifest: Manifest) -> str:
    level = manifest.band_level
    return "± held-out error at that phase" if level is None else f"{percent(level)} band"


def _handles(measured: bool, band: str) -> list[Line2D | Patch]:
    lines: list[Line2D | Patch] = [
        Line2D([], [], color=SIMULATED, lw=1.0, label="simulated activation"),
        Line2D([], [], color=REFINED, label="refined (mean over seeds)"),
    ]
    if band:
        lines.append(Patch(color=REFINED, alpha=0.2, lw=0, label=band))
    return [*lines, *([Line2D([], [], color=MEASURED, lw=1.4, label="measured EMG")] if measured else [])]


def _caption(refined: Refined, measured: bool, known: bool) -> str:
    training = refined.manifest.training
    band = (
        f" Band, from {units_said(training.held_out_units, training.held_out_by)} left out one by one: "
        f"{refined.manifest.band_said}"
        if known
        else " The refiner's error on others is unknown, so there is no band."
    )
    emg = "" if measured else " EMG of this trial is not known."
    return (
        f"{plural(len(refined.refined), 'cycle')} of one trial between the grey lines; refiner: {training.method}, "
        f"{plural(len(training.seeds), 'seed')}, trained on {plural(len(refined.manifest.origin.subjects), 'subject')}."
        f"{band}{emg}"
    )
