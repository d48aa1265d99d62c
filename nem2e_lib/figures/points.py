"""Points with mean and interval: boxes and dots of single units, a mark for their mean, a line for its interval.

Intervals are computed by `nem2e_lib.analysis` and only drawn here: seaborn's bootstrap is off everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

BLACK_EDGE: Any = {"markeredgecolor": "black", "markeredgewidth": 0.6}


def rows_of_points(
    axis: Axes,
    means: pd.DataFrame,
    *,
    row: str,
    palette: Mapping[str, str],
    names: Sequence[str],
    notes: Sequence[str],
    value: str = "er_mean",
    units: pd.DataFrame | None = None,
) -> None:
    """Draw a row a mean, in the order given from top to bottom: units, mean and interval, its name and its number.

    Parameters
    ----------
    means : pandas.DataFrame
        Columns `row`, `value`, ci_low and ci_high; one row each.
    row : str
        Column that tells rows apart, such as ``method``.
    palette : mapping of row to colour
    names, notes : sequence of str
        What stands left and right of each row.
    units : pandas.DataFrame, optional
        Columns `row` and er: a dot each.
    """
    order = list(means[row])
    if units is not None:
        dots(axis, units, x="er", y=row, order=order, hue=row, palette=palette, jitter=0.16, alpha=0.5)
    marks(axis, means, row=row, value=value, order=order, palette=palette, **BLACK_EDGE)
    axis.set_yticks(range(len(order)), names, fontsize=8.5)
    axis.set_ylim(len(order) - 0.4, -0.6)
    for place, note in enumerate(notes):
        axis.annotate(
            note,
            (1, place),
            va="center",
            fontsize=8,
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
        )


def boxes(axis: Axes, data: pd.DataFrame, *, palette: Mapping[str, str], alpha: float, **box: Any) -> None:
    """Draw boxes of quartiles with whiskers to 1.5 times the box, by `seaborn.boxplot`; outliers are left to `dots`.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a value.
    alpha : float
        The boxes' opacity.
    **box
        Columns, order and widths, as `seaborn.boxplot` names them; ``orientation`` is vertical or horizontal.
    """
    sns.boxplot(
        data,
        palette=dict(palette),
        hue_order=list(palette),
        saturation=1,
        showfliers=False,
        linewidth=0.9,
        linecolor="#333333",
        boxprops={"alpha": alpha},
        medianprops={"color": "black", "linewidth": 1.3},
        legend=False,
        ax=axis,
        vert=None,  # seaborn's own, which matplotlib 3.11 warns of; orientation takes its place
        **box,
    )
    axis.set(xlabel="", ylabel="")


def dots(axis: Axes, data: pd.DataFrame, *, palette: Mapping[str, str], size: float = 3.0, **strip: Any) -> None:
    """Draw a dot each row of `data`, by `seaborn.stripplot`; jitter is the same at each drawing."""
    strip = {"hue_order": list(palette), "linewidth": 0, "legend": False, **strip}
    sns.stripplot(data, palette=dict(palette), size=size, ax=axis, **strip)
    axis.set(xlabel="", ylabel="")


def marks(
    axis: Axes,
    means: pd.DataFrame,
    *,
    row: str,
    value: str,
    order: Sequence[str],
    palette: Mapping[str, str],
    hue: str | None = None,
    step: float = 0.0,
    orient: str = "h",
    filled: str | None = None,
    line: Mapping[str, Any] | None = None,
    markers: str | Sequence[str] = "D",
    **mark: Any,
) -> None:
    """Draw a mark each mean and a line along its interval, from ci_low to ci_high.

    Parameters
    ----------
    means : pandas.DataFrame
        Columns `row`, `value`, ci_low, ci_high, and `hue` and `filled` where they are named.
    row : str
        Column of the place: a row where `orient` is ``h``, a column where it is ``v``.
    palette : mapping of `hue` (else of `row`) to colour
        Its order is that of marks that share a place.
    step : float
        Distance of marks that share a place, in places.
    filled : str, optional
        Column of truth values; marks are hollow where it is false.
    line : mapping, optional
        How the interval is drawn; black and 1.2 points wide by default.
    markers : str or sequence
        One for all, or one a level of `hue`.
    **mark
        How `seaborn.pointplot` draws the marks.
    """
    levels = list(palette)
    x, y = (value, row) if orient == "h" else (row, value)
    offset = step * (np.array([levels.index(str(v)) for v in means[hue]]) - (len(levels) - 1) / 2) if hue else 0.0
    places = np.array([order.index(v) for v in means[row]]) + offset
    whole = means[filled] if filled else pd.Series(True, index=means.index)
    for some, face in ((means[whole], {}), (means[~whole], {"markerfacecolor": "white"})):
        sns.pointplot(
            some,
            x=x,
            y=y,
            hue=hue or row,
            order=list(order),
            hue_order=levels,
            palette=dict(palette),
            dodge=step * (len(levels) - 1) if hue else False,
            errorbar=None,
            markers=markers,
            linestyle="none",
            legend=False,
            ax=axis,
            **{"markersize": 5, "zorder": 3, **mark, **face},
        )
    # After the marks: when seaborn names an axis for the first time, it forgets the limits of lines drawn before.
    intervals(axis, places, means["ci_low"], means["ci_high"], orient=orient, **(line or {}))
    axis.set(xlabel="", ylabel="")


def intervals(
    axis: Axes, places: npt.ArrayLike, low: pd.Series[float], high: pd.Series[float], orient: str = "h", **line: Any
) -> None:
    """Draw a line a place from `low` to `high`; none where the interval is undefined."""
    known = np.isfinite(low.to_numpy(float)) & np.isfinite(high.to_numpy(float))
    along = axis.hlines if orient == "h" else axis.vlines
    along(np.asarray(places)[known], low[known], high[known], **{"color": "black", "lw": 1.2, "zorder": 2.5, **line})


def unit_handle(label: str = "one held-out unit") -> Line2D:
    """Return the legend's entry of the dots."""
    return Line2D([], [], ls="", marker="o", ms=4, color="#666666", label=label)


def mean_handle(label: str = "mean and 95 % CI over units") -> Line2D:
    """Return the legend's entry of mean and interval."""
    return Line2D([], [], marker="D", ms=5, color="black", mfc="#aaaaaa", lw=1.2, label=label)
