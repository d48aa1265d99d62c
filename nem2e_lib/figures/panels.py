"""What several figures share: panel grids, curves with bands, heat maps over the cycle, labels that keep apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nem2e_lib.figures.style import HEAT

Float = npt.NDArray[np.float64]
QUARTERS = (0, 25, 50, 75, 100)
"""Ticks of the gait cycle, in percent."""


def is_synthetic(results: xr.Dataset) -> bool:
    """Return whether the results were made from synthetic data."""
    return bool(results.attrs.get("synthetic", 0))


def plural(number: int, noun: str) -> str:
    """Return ``1 cycle``, ``3 cycles``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def columns_for(panels: int, widest: int = 4) -> int:
    """Return how many columns hold `panels` panels with few empty places."""
    return panels if panels < 4 else min(range(3, widest + 1), key=lambda n: (math.ceil(panels / n) * n, -n))


def panel_grid(figure: Figure, panels: int, **shared: Any) -> list[Axes]:
    """Return `panels` axes in reading order; places left over in the last row stay empty."""
    columns = columns_for(panels)
    rows = math.ceil(panels / columns)
    axes = figure.subplots(rows, columns, squeeze=False, **shared).ravel().tolist()
    for spare in axes[panels:]:
        spare.remove()
    return list(axes[:panels])


def label_bottom(axes: list[Axes], label: str) -> None:
    """Give the lowest panel of every column of a `panel_grid` with shared x its ticks' labels and the axis' own."""
    for axis in axes[-columns_for(len(axes)) :]:
        axis.tick_params(labelbottom=True)
        axis.set_xlabel(label)


def rows_for(panels: int) -> int:
    """Return the rows of `panel_grid`."""
    return math.ceil(panels / columns_for(panels))


def cycle_axis(axis: Axes, label: bool = True) -> None:
    """Mark the horizontal axis as the gait cycle."""
    axis.set_xlim(0, 100)
    axis.set_xticks(QUARTERS)
    if label:
        axis.set_xlabel("gait cycle (%)")


def curves_with_bands(
    axis: Axes,
    data: pd.DataFrame,
    *,
    x: str,
    hue: str,
    palette: Mapping[str, str],
    y: str = "mean",
    low: str = "low",
    high: str = "high",
    band: float = 0.13,
    **line: Any,
) -> None:
    """Draw a line a level of `hue`, and between the columns `low` and `high` its band.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a point; the ends of the band were computed before.
    band : float
        The band's opacity.
    **line
        How `seaborn.lineplot` draws the lines.
    """
    for name, rows in data.groupby(hue, sort=False):
        axis.fill_between(rows[x], rows[low], rows[high], color=palette[str(name)], alpha=band, lw=0)
    sns.lineplot(data, x=x, y=y, hue=hue, palette=palette, estimator=None, errorbar=None, legend=False, ax=axis, **line)
    axis.set(xlabel="", ylabel="")


def activity_axis(axis: Axes, muscle: str, data: pd.DataFrame) -> None:
    """Make a panel of activity over the cycle, 0 included; the lowest panels name the horizontal axis."""
    axis.set_title(muscle)
    axis.set_ylim(min(0.0, float(data["low"].min())), float(data["high"].max()) * 1.05)
    axis.locator_params(axis="y", nbins=4)
    cycle_axis(axis, label=axis.get_subplotspec().is_last_row())  # type: ignore[union-attr]


def heat_map(axis: Axes, values: Float, *, label: str, top: float | None = None, **bar: Any) -> None:
    """Draw a map from 0 to `top` with its colour bar, a cell a value; columns are samples of the cycle.

    Parameters
    ----------
    values : array
        Shape (rows, samples).
    label : str
        What the colour bar is named.
    top : float, optional
        Value of the brightest colour; by default the greatest.
    **bar
        How the colour bar is drawn.
    """
    sns.heatmap(
        values,
        cmap=HEAT,
        vmin=0,
        vmax=top,
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": label, **bar},
        rasterized=True,
        ax=axis,
    )
    axis.set_xticks(cell(QUARTERS, values.shape[1]), list(map(str, QUARTERS)))


def cell(percent: npt.ArrayLike, samples: int) -> Float:
    """Return where a percent of the cycle lies on the side of a `heat_map` with so many samples, 0 % to 100 %."""
    return np.asarray(percent, float) / 100 * (samples - 1) + 0.5


def spread_labels(wanted: Float, gap: float, low: float, high: float) -> Float:
    """Return places near the wanted ones, in their order, at least `gap` apart, between low and high."""
    order = np.argsort(wanted, kind="stable")
    places = np.asarray(wanted, float)[order].copy()
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    places -= _excess(places, np.asarray(wanted, float)[order])
    if len(places):
        places[-1] = min(places[-1], high)
    for i in range(len(places) - 2, -1, -1):
        places[i] = min(places[i], places[i + 1] - gap)
    for i in range(len(places)):
        places[i] = max(places[i], low if i == 0 else places[i - 1] + gap)
    result = np.empty_like(places)
    result[order] = places
    return result


def _excess(places: Float, wanted: Float) -> float:
    return float(np.mean(places - wanted)) / 2 if len(places) else 0.0
