"""A trial with its refined activity: simulated, refined with its band, and measured where it is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nem2e_lib.refiner.apply import Refined, is_synthetic
from nem2e_lib.refiner.output import band_storage, output_labels, refined_storage
from nem2e_lib.report.figures.panels import label_bottom, panel_grid, plural, rows_for
from nem2e_lib.report.style import MEASURED, REFINED, SIMULATED, Drawn, add_legend, heading, new_figure, styled

COLOURS = {"simulated": SIMULATED, "refined": REFINED, "measured": MEASURED}


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
    add_legend(figure, _handles(measured is not None, known))
    caption = _caption(refined, measured is not None, known)
    return Drawn(figure, data, title, f"{plural(len(muscles), 'panel')}, one a muscle. {caption}", caption, synthetic)


def _title(refined: Refined, text: str) -> str:
    """A recording that does not say that it is synthetic is not called so for its refiner's sake."""
    if refined.manifest.synthetic and not is_synthetic(refined.source):
        return f"SYNTHETIC refiner – {text}"
    return heading(text, refined.synthetic)


def over_time(refined: Refined, measured: xr.DataArray | None) -> pd.DataFrame:
    """Return what is drawn: muscle, series (simulated, refined, low, high, measured), time_s, value."""
    curves, band = refined_storage(refined, "nan"), band_storage(refined)
    inside = curves.column("refined") == 1
    parts = []
    for index, (out, label) in enumerate(zip(refined.manifest.outputs, output_labels(refined), strict=True)):
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
            axis.plot(by[name]["time_s"], by[name]["value"], color=COLOURS[name], lw=width)
    axis.set_title(muscle)
    lowest = float(data[data["series"] != "low"]["value"].min())
    axis.set_ylim(min(0.0, lowest), float(data["value"].max()) * 1.05)
    axis.locator_params(axis="y", nbins=4)
    axis.set_xlim(refined.read.time[0], refined.read.time[-1])


def _handles(measured: bool, known: bool) -> list[Line2D | Patch]:
    lines: list[Line2D | Patch] = [
        Line2D([], [], color=SIMULATED, lw=1.0, label="simulated activation"),
        Line2D([], [], color=REFINED, label="refined (mean over seeds)"),
    ]
    if known:
        lines.append(Patch(color=REFINED, alpha=0.2, lw=0, label="± held-out error at that phase"))
    return [*lines, *([Line2D([], [], color=MEASURED, lw=1.4, label="measured EMG")] if measured else [])]


def _caption(refined: Refined, measured: bool, known: bool) -> str:
    training = refined.manifest.training
    band = (
        f" Band: root mean square error at that phase on {training.held_out_units} {training.held_out_by}s left out "
        "one by one."
        if known
        else " The refiner's error on others is unknown, so there is no band."
    )
    emg = "" if measured else " EMG of this trial is not known."
    return (
        f"{plural(len(refined.refined), 'cycle')} of one trial between the grey lines; refiner: {training.condition}, "
        f"{plural(len(training.seeds), 'seed')}, trained on {plural(len(refined.manifest.origin.subjects), 'subject')}."
        f"{band}{emg}"
    )
