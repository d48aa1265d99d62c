"""The clock of raw EMG made even, its short gaps bridged, and its drop-outs found, before any filter sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import BRIDGED, DROPOUT, UNEVEN

Array = NDArray[np.float64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Dropout:
    """A stretch in which an EMG channel recorded nothing; `what` was found there instead."""

    channel: str
    start_s: float
    end_s: float
    what: str


@dataclass(frozen=True, eq=False)
class EvenSignal:
    """Raw EMG on an even clock, finite throughout.

    Attributes
    ----------
    time : float64 array, shape (rows,)
        In s.
    values : float64 array, shape (rows, channels)
    rate_hz : float
    dropouts : tuple of Dropout
        Stretches that are bridged or flat and too long to be believed.
    bridged : int
        Values that were bridged because their gap was short.
    resampled : bool
        Whether the clock was uneven.
    """

    time: Array
    values: Array
    rate_hz: float
    dropouts: tuple[Dropout, ...] = ()
    bridged: int = 0
    resampled: bool = False


def even(time: Array, values: Array, channels: Sequence[str], *, flat_s: float = DROPOUT.limit) -> EvenSignal:
    """Bring raw EMG on an even clock.

    A clock as near an even one as the check `clock` allows keeps its samples, at their mean rate. Any other is
    resampled at its median step by a cubic spline, which unlike straight lines keeps the high frequencies of raw EMG;
    of samples with the same time the first counts. Values that are not finite are bridged linearly beforehand; so are,
    after resampling, pauses of the clock. What is bridged for longer than the check `bridged` allows, or flat for
    `flat_s`, is told as a drop-out.

    Parameters
    ----------
    time : float64 array, shape (rows,)
        In s, never decreasing; at least two different times.
    values : float64 array, shape (rows, channels)
        Each column with a finite value.
    """
    bad = ~np.isfinite(values)
    lost = list(_long(time, bad, channels, BRIDGED.limit, "no number"))
    filled = np.column_stack([_bridge(time, *pair) for pair in zip(values.T, bad.T, strict=True)])
    lost += [
        drop
        for channel, column, unknown in zip(channels, filled.T, bad.T, strict=True)
        for drop in _long(time, (_flat(column) & ~unknown)[:, None], [channel], flat_s, "one and the same value")
    ]
    rate = (len(time) - 1) / (time[-1] - time[0])
    level = time[0] + np.arange(len(time)) / rate
    if np.abs(time - level).max() <= UNEVEN.limit:
        return EvenSignal(level, filled, rate, tuple(lost), _short(bad, lost, time, channels))
    grid, resampled, pauses = _resample(time, filled)
    lost += [Dropout(channel, start, end, "no sample") for channel in channels for start, end in pauses]
    new_rate = (len(grid) - 1) / (grid[-1] - grid[0])
    return EvenSignal(grid, resampled, new_rate, tuple(lost), _short(bad, lost, time, channels), True)


def _bridge(time: Array, column: Array, bad: _Flags) -> Array:
    return np.interp(time, time[~bad], column[~bad]) if bad.any() else column


def _flat(column: Array) -> _Flags:
    same = np.diff(column) == 0
    return np.concatenate([[False], same]) | np.concatenate([same, [False]])


def runs(flags: _Flags) -> list[tuple[int, int]]:
    """Return the first and the last row of each run of True."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).reshape(-1, 2)
    return [(int(start), int(stop) - 1) for start, stop in edges]


def _long(time: Array, flags: _Flags, channels: Sequence[str], limit_s: float, what: str) -> Iterator[Dropout]:
    for channel, column in zip(channels, flags.T, strict=True):
        for first, last in runs(column):
            outer = time[max(first - 1, 0)], time[min(last + 1, len(time) - 1)]
            start, end = (time[first], time[last]) if what.startswith("one") else outer
            if end - start > limit_s:
                yield Dropout(channel, float(start), float(end), what)


def _short(bad: _Flags, lost: Sequence[Dropout], time: Array, channels: Sequence[str]) -> int:
    short = bad.copy()
    for drop in lost:
        short[(time > drop.start_s) & (time < drop.end_s), channels.index(drop.channel)] = False
    return int(short.sum())


def _resample(time: Array, values: Array) -> tuple[Array, Array, list[tuple[float, float]]]:
    from scipy.interpolate import CubicSpline  # slow to load, and the command line starts without it

    rising = np.concatenate([[True], np.diff(time) > 0])
    time, values = time[rising], values[rising]
    steps = np.diff(time)
    step = float(np.median(steps))
    grid = np.linspace(time[0], time[-1], max(2, round((time[-1] - time[0]) / step) + 1))
    smooth = CubicSpline(time, values, axis=0)(grid)
    wide = np.flatnonzero(steps > 1.5 * step)
    # a spline swings out in a pause
    for row in wide:
        inside = (grid > time[row]) & (grid < time[row + 1])
        ends = time[row : row + 2]
        smooth[inside] = np.column_stack([np.interp(grid[inside], ends, pair) for pair in values[row : row + 2].T])
    pauses = [(float(time[row]), float(time[row + 1])) for row in wide if steps[row] > max(BRIDGED.limit, 1.5 * step)]
    return grid, smooth, pauses
