"""Measures behind the notes of `quality`: hum, clipping, copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from nem2e_lib.data.emg_clock import runs

Array = NDArray[np.float64]

MAINS_HZ = (50.0, 60.0)


def line_frequencies(rate_hz: float) -> list[float]:
    """Mains frequencies whose surroundings lie below half the rate."""
    return [line for line in MAINS_HZ if line + 8 < rate_hz / 2]


def hum_share(values: Array, rate_hz: float, line_hz: float) -> Array:
    """Share of each channel's power within 2 Hz of a line, less what stands 3 to 8 Hz beside it, shape (channels,).

    Power spectral density after Welch over 2 s (or the recording, if shorter), from 5 Hz on, so that drift does
    not hide the hum.

    Parameters
    ----------
    values : float64 array, shape (rows, channels)
        Evenly sampled.
    """
    rows = min(len(values), round(2 * rate_hz))
    frequency, power = signal.welch(values, rate_hz, nperseg=rows, axis=0)
    away = np.abs(frequency - line_hz)
    beside, on = power[(away >= 3) & (away <= 8)], power[away <= 2]
    total = power[frequency >= 5].sum(axis=0)
    excess = on.sum(axis=0) - len(on) * np.median(beside, axis=0)
    return np.asarray(np.divide(excess, total, out=np.zeros_like(total), where=total > 0), np.float64)


def pinned_share(values: Array) -> Array:
    """Share of samples that are exactly a channel's highest or lowest value, shape (channels,).

    0 where fewer than five are, or where the channel has fewer than 50 values to choose from.
    """
    shares = np.zeros(values.shape[1])
    for column, numbers in enumerate(values.T):
        known, count = np.unique(numbers, return_counts=True)
        pinned = int(max(count[0], count[-1]))
        shares[column] = pinned / len(numbers) if len(known) >= 50 and pinned >= 5 else 0
    return shares


def held_s(time: Array, flags: NDArray[np.bool_]) -> float:
    """Duration of the longest run of at least three flags, in s; 0 if there is none."""
    return max((float(time[last] - time[first]) for first, last in runs(flags) if last - first >= 2), default=0.0)


def copies(one: Array, other: Array) -> bool:
    """Whether one signal is the other times a number, to a millionth of its size."""
    size = float(one @ one)
    if size == 0 or not other.any():
        return False
    rest = other - one * (float(one @ other) / size)
    return bool(np.abs(rest).max() <= 1e-6 * np.abs(other).max()) and bool(np.ptp(one) > 0)
