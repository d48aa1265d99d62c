"""What several figures share: panel grids, letters, the names of a study and its units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Float = npt.NDArray[np.float64]


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
    axis.set_xticks([0, 25, 50, 75, 100])
    if label:
        axis.set_xlabel("gait cycle (%)")


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
