"""The zero of a plate: what it shows while nobody stands on it. It drifts as the amplifier warms, and jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.emg.clock import runs

Array = NDArray[np.float64]

_SMOOTH_S = 0.04
_FLAT_S = 0.08
"""A foot loads and unloads faster: force that stays level for so long, and low, is a plate without a foot."""
_LOW = 0.25
"""Share of the range of force up to which a level may be a zero."""
_LEVEL = 0.05
"""Share of the range of force within which it counts as level."""
_JUMP_N = 10.0
"""A zero that moves further within one swing has jumped."""
_NORMAL_99 = 2.58
"""Standard deviations within which 99 % of noise lies."""
_LOADED = 5.0
"""A plate whose force varies by less than so many thresholds was never stood on in newtons."""


@dataclass(frozen=True, eq=False)
class Zero:
    """A plate's zero over time in N, shape (rows,), the first, lowest, highest and last of any swing, and its noise.

    `swings` are first and last rows of the swings that showed it.
    """

    values: Array
    noise: float
    first: float
    low: float
    high: float
    last: float
    swings: tuple[tuple[int, int], ...] = ()

    @property
    def off(self) -> float:
        """How far it is from 0 at most, N."""
        return max(abs(self.low), abs(self.high))

    def __str__(self) -> str:
        """For messages."""
        if self.high - self.low < _JUMP_N / 2:
            return f"is off by {(self.low + self.high) / 2:.3g} N"
        ends = abs(self.last - self.first) > 0.8 * (self.high - self.low)
        return (
            f"moves from {self.first:.3g} to {self.last:.3g} N"
            if ends
            else f"moves between {self.low:.3g} and {self.high:.3g} N"
        )


def find_zero(time: Array, force: Array, threshold_n: float = 20.0) -> Zero | None:
    """Return a plate's zero where swing shows it; None where no swing does, or it was not stood on.

    Swing is where force stays level, and low, for longer than a foot takes to load. In each swing the zero is the
    median of force, of three swings the middle one; between swings it is linear, so that a jump while the foot is down
    lies right on both sides. A jump within a swing divides it.

    Parameters
    ----------
    time, force : float64 arrays, shape (rows,)
        In s, never decreasing, and in N.
    """
    from scipy import ndimage  # loaded where it is used: a third of a second

    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    if step <= 0:
        return None
    smooth = ndimage.uniform_filter1d(force, _odd(_SMOOTH_S / step), mode="nearest")
    low, high = float(np.percentile(smooth, 1)), float(smooth.max())
    if high - low < _LOADED * threshold_n or -force.min() > force.max():
        return None
    rows = _odd(_FLAT_S / step)
    highest = ndimage.maximum_filter1d(smooth, rows, mode="nearest")
    spread = highest - ndimage.minimum_filter1d(smooth, rows, mode="nearest")
    level = (spread < max(threshold_n, _LEVEL * (high - low))) & (smooth < low + _LOW * (high - low))
    level[: rows // 2] = level[len(level) - rows // 2 :] = False
    swings = [part for first, last in runs(level) for part in _parts(smooth, first, last, rows)]
    if not swings:
        return None
    levels = np.array([np.median(force[first : last + 1]) for first, last in swings])
    levels = ndimage.median_filter(levels, size=3, mode="nearest") if len(levels) > 2 else levels
    knots = np.array([time[row] for swing in swings for row in swing])
    values = np.interp(time, knots, np.repeat(levels, 2))
    idle = [np.abs(force[first : last + 1] - values[first : last + 1]) for first, last in swings]
    noise = float(np.median([np.percentile(each, 99) for each in idle])) / _NORMAL_99
    ends = float(levels[0]), float(levels.min()), float(levels.max()), float(levels[-1])
    return Zero(values, noise, *ends, swings=tuple(swings))


def zero_of(zero: Zero, time: Array, channel: Array) -> Array:
    """Return the zero over time of another channel of the same plate, shape (rows,): as `find_zero`, in its swings."""
    from scipy import ndimage  # loaded where it is used: a third of a second

    levels = np.array([np.median(channel[first : last + 1]) for first, last in zero.swings])
    levels = ndimage.median_filter(levels, size=3, mode="nearest") if len(levels) > 2 else levels
    return np.interp(time, np.array([time[row] for swing in zero.swings for row in swing]), np.repeat(levels, 2))


def _odd(rows: float) -> int:
    return 2 * (round(rows) // 2) + 1


def _parts(smooth: Array, first: int, last: int, rows: int) -> list[tuple[int, int]]:
    """A swing, divided where its zero jumps."""
    inside = smooth[first : last + 1]
    if np.ptp(inside) <= _JUMP_N or last - first < 2 * rows:
        return [(first, last)] if last > first else []
    lag = max(1, rows // 4)
    jump = first + int(np.argmax(np.abs(inside[lag:] - inside[:-lag]))) + lag // 2
    before, after = smooth[first : jump + 1], smooth[jump + 1 : last + 1]
    if abs(float(np.median(before)) - float(np.median(after))) <= _JUMP_N or jump in (first, last):
        return [(first, last)]
    return [*_parts(smooth, first, jump, rows), *_parts(smooth, jump + 1, last, rows)]
