"""What went in: simulated activation and measured EMG of every cycle that was kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nem2e_lib.report.figures.panels import cycle_axis, is_synthetic, panel_grid, plural, rows_for
from nem2e_lib.report.style import SERIES_COLOURS, Drawn, add_legend, heading, new_figure, styled

LABELS = {"simulated": "simulated activation", "measured": "measured EMG"}
LOW, HIGH = 10.0, 90.0


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
        _panel(axis, channel, data[data["channel"] == channel])
    figure.supylabel("muscle activity", fontsize=9)
    add_legend(figure, _handles())
    subjects, speeds = (len(np.unique(cycles[name])) for name in ("subject", "speed"))
    caption = (
        f"{plural(cycles.sizes['cycle'], 'cycle')} of {plural(subjects, 'subject')} at {plural(speeds, 'speed')}; "
        f"simulated by: {cycles.attrs['simulated_by']}. Line: mean; band: {LOW:.0f}th to {HIGH:.0f}th percentile."
    )
    alt = f"{plural(len(channels), 'panel')}, one an EMG channel, over the gait cycle. {caption}"
    return Drawn(figure, data, title, alt, caption, synthetic)


def waveforms(cycles: xr.Dataset) -> pd.DataFrame:
    """Return mean and percentiles over cycles: channel, series, phase_pct, mean, low, high."""
    target = xr.DataArray(cycles["target"].to_numpy(), dims="channel")
    series = {
        "simulated": cycles["activation_waveform"].sel(muscle=target),
        "measured": cycles["emg_waveform"],
    }
    parts = [
        _rows(str(channel), name, values.isel(channel=i))
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


def _panel(axis: Axes, channel: str, data: pd.DataFrame) -> None:
    for name, rows in data.groupby("series", sort=False):
        colour = SERIES_COLOURS[str(name)]
        axis.fill_between(rows["phase_pct"], rows["low"], rows["high"], color=colour, alpha=0.13, lw=0)
        axis.plot(rows["phase_pct"], rows["mean"], color=colour)
    axis.set_title(channel)
    axis.set_ylim(min(0.0, float(data["low"].min())), float(data["high"].max()) * 1.05)
    axis.locator_params(axis="y", nbins=4)
    cycle_axis(axis, label=axis.get_subplotspec().is_last_row())  # type: ignore[union-attr]


def _handles() -> list[Line2D | Patch]:
    lines: list[Line2D | Patch] = [
        Line2D([], [], color=SERIES_COLOURS[name], label=text) for name, text in LABELS.items()
    ]
    return [*lines, Patch(color="#bbbbbb", label=f"{LOW:.0f}th to {HIGH:.0f}th percentile of cycles")]
