"""What went in: where the cycles lie in their trials, and the activation and EMG of every cycle that was kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nem2e_lib.data.cycles.segment import CONDITION, circumstances, recorded
from nem2e_lib.figures.panels import activity_axis, curves_with_bands, is_synthetic, panel_grid, plural, rows_for
from nem2e_lib.figures.style import SERIES_COLOURS, Drawn, add_legend, heading, new_figure, styled

KEPT, SKIPPED = "#0072b2", "#e69f00"
MOST = 40
"""Trials that are drawn; those with a skipped cycle come first."""
LABELS = {"simulated": "simulated activation", "measured": "measured EMG"}
LOW, HIGH = 10.0, 90.0
"""Percentiles over cycles that bands reach to."""


@styled
def cycle_timeline(report: pd.DataFrame, *, synthetic: bool) -> Drawn:
    """Draw one row a trial: each cycle from its start to its end, kept or skipped.

    Parameters
    ----------
    report : pandas.DataFrame
        Rows of ``segments.csv``: study, trial, number, start_s, end_s, kept, reason.
    synthetic : bool
        Whether nobody moved for these data.
    """
    placed = report.dropna(subset=["start_s", "end_s"])
    trials = _chosen(report)
    data = placed[placed["trial"].isin(trials)]
    title = heading(f"{report['study'].iloc[0]}: cycles kept and skipped", synthetic)
    figure = new_figure(1.3 + 0.2 * len(trials), title)
    axis = figure.subplots()
    for row, trial in enumerate(trials):
        _bars(axis, row, data[data["trial"] == trial])
    axis.set_yticks(range(len(trials)), labels=trials, fontsize=8)
    axis.set_ylim(len(trials) - 0.4, -0.6)
    axis.set_xlabel("time in the trial (s)")
    add_legend(
        figure,
        [
            Patch(facecolor=KEPT, edgecolor="white", label="kept"),
            Patch(facecolor=SKIPPED, edgecolor="#5b3b00", hatch="////", label="skipped"),
        ],
    )
    caption = _caption(report, len(trials))
    alt = f"A horizontal bar for each gait cycle, one row a trial, {plural(len(trials), 'row')}. {caption}"
    return Drawn(figure, data, title, alt, caption, synthetic)


def _chosen(report: pd.DataFrame) -> list[str]:
    skipped = report.groupby("trial", sort=False)["kept"].apply(lambda kept: not kept.all())
    order = [*skipped.index[skipped], *skipped.index[~skipped]][:MOST]
    return [str(trial) for trial in skipped.index if trial in set(order)]


def _bars(axis: Axes, row: int, cycles: pd.DataFrame) -> None:
    for kept, rows in cycles.groupby("kept"):
        spans = list(zip(rows["start_s"], rows["end_s"] - rows["start_s"], strict=True))
        colour, edge, hatch = (KEPT, "white", None) if kept else (SKIPPED, "#5b3b00", "////")
        axis.broken_barh(spans, (row - 0.36, 0.72), lw=0.8, facecolor=colour, edgecolor=edge, hatch=hatch)


def _caption(report: pd.DataFrame, shown: int) -> str:
    kept, trials = int(report["kept"].sum()), report["trial"].nunique()
    reasons = report.loc[~report["kept"], "reason"].str.split(":").str[0].str.strip().value_counts()
    why = "; ".join(f"{reason} ({count})" for reason, count in reasons.head(4).items())
    part = f" Shown: {shown} of {trials} trials, those with skipped cycles first." if shown < trials else ""
    return (
        f"{plural(kept, 'cycle')} of {plural(trials, 'trial')} kept, {len(report) - kept} skipped"
        f"{': ' + why if why else ''}.{part}"
    )


@styled
def cycle_waveforms(cycles: xr.Dataset) -> Drawn:
    """Draw one panel per EMG channel: mean over all cycles, band from the 10th to the 90th percentile.

    Parameters
    ----------
    cycles : xarray.Dataset
        Segmented cycles (``cycles.nc``).
    """
    data = waveforms(cycles)
    channels = list(data["channel"].unique())
    synthetic = is_synthetic(cycles)
    title = heading(f"{cycles.attrs['study']}: the cycles that were kept", synthetic)
    figure = new_figure(0.95 + 1.75 * rows_for(len(channels)), title)
    for axis, channel in zip(panel_grid(figure, len(channels)), channels, strict=True):
        rows = data[data["channel"] == channel]
        curves_with_bands(axis, rows, x="phase_pct", hue="series", palette=SERIES_COLOURS)
        activity_axis(axis, channel, rows)
    figure.supylabel("muscle activity", fontsize=9)
    add_legend(figure, _handles())
    subjects, speeds = len(np.unique(cycles["subject"])), len(np.unique(circumstances(cycles)))
    what = plural(speeds, "condition" if CONDITION in cycles.coords else "speed")
    short = ", ".join(
        f"{channel}: {own.sum()} cycles"
        for channel, own in zip(cycles["channel"].to_numpy(), recorded(cycles["emg"]), strict=True)
        if not own.all()
    )
    caption = (
        f"{plural(cycles.sizes['cycle'], 'cycle')} of {plural(subjects, 'subject')} at {what}"
        f"{f' ({short})' if short else ''}; "
        f"simulated by: {cycles.attrs['simulated_by']}. Line: mean; band: {LOW:.0f}th to {HIGH:.0f}th percentile."
    )
    alt = f"{plural(len(channels), 'panel')}, one an EMG channel, over the gait cycle. {caption}"
    return Drawn(figure, data, title, alt, caption, synthetic)


def waveforms(cycles: xr.Dataset) -> pd.DataFrame:
    """Return mean and percentiles over the cycles of each channel: channel, series, phase_pct, mean, low, high."""
    there = recorded(cycles["emg"])
    target = xr.DataArray(cycles["target"].to_numpy(), dims="channel")
    series = {
        "simulated": cycles["activation_waveform"].sel(muscle=target),
        "measured": cycles["emg_waveform"],
    }
    parts = [
        _rows(str(channel), name, values.isel(channel=i, cycle=there[i]))
        for i, channel in enumerate(cycles["channel"].to_numpy())
        for name, values in series.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _rows(channel: str, series: str, values: xr.DataArray) -> pd.DataFrame:
    curves = values.transpose("cycle", "phase").to_numpy()
    low, high = np.percentile(curves, [LOW, HIGH], axis=0)
    return pd.DataFrame(
        {
            "channel": channel,
            "series": series,
            "phase_pct": values["phase"].to_numpy(),
            "mean": curves.mean(axis=0),
            "low": low,
            "high": high,
        }
    )


def _handles() -> list[Line2D | Patch]:
    lines: list[Line2D | Patch] = [
        Line2D([], [], color=SERIES_COLOURS[name], label=text) for name, text in LABELS.items()
    ]
    return [*lines, Patch(color="#bbbbbb", label=f"{LOW:.0f}th to {HIGH:.0f}th percentile of cycles")]
