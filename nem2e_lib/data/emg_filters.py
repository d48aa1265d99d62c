"""Zero-phase Butterworth filters for EMG, cutoffs exact after both passes.

What cutoff and order mean after two passes
    Two passes of a filter of order n multiply its gain with itself: the roll-off is that of order 2n, and at the
    design cutoff the gain is 1/2 (-6 dB) instead of 1/√2 (-3 dB). Here `order` is the order of both passes
    together, and the design is widened so that both passes together have -3 dB at the cutoff asked for: the
    prewarped design frequency is divided by (√2 - 1)^(1/2n) (Winter 2009, Biomechanics and Motor Control of
    Human Movement, 4th ed., chapter 3; Robertson & Dowling 2003, doi:10.1016/S1050-6411(03)00080-4).
    ``per_pass=True`` means instead what ``butter(order, cutoff)`` with ``filtfilt`` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from nem2e_lib.errors import Nem2eError

Array = NDArray[np.float64]


def low_pass(raw: ArrayLike, rate_hz: float, cutoff_hz: float, order: int = 4, *, per_pass: bool = False) -> Array:
    """Zero-phase low-pass; cutoff and order as the module says. Ends are mirrored.

    Raises
    ------
    Nem2eError
        If a value is not finite, the recording is shorter than one period of the lowest cutoff, the order is odd,
        or the rate does not allow the cutoff.
    """
    values, n = finite(raw), _pass_order(order, per_pass)
    _check(len(values), rate_hz, (cutoff_hz,), f"low-passed at {cutoff_hz:g} Hz")
    wide = np.tan(np.pi * cutoff_hz / rate_hz) / _widening(n, per_pass)
    return _twice(values, n, _unwarped(wide), "lowpass", rate_hz / cutoff_hz)


def band_pass(
    raw: ArrayLike, rate_hz: float, low_hz: float, high_hz: float, order: int = 4, *, per_pass: bool = False
) -> Array:
    """Zero-phase band-pass; `order` is that of each flank, cutoffs as the module says. Ends are mirrored.

    The design keeps the prewarped centre √(low·high) and widens the band, so that both cutoffs are exact.

    Raises
    ------
    Nem2eError
        If a value is not finite, the recording is shorter than one period of the lowest cutoff, the order is odd,
        or the rate does not allow the cutoff.
    """
    values, n = finite(raw), _pass_order(order, per_pass)
    _check(len(values), rate_hz, (low_hz, high_hz), f"band-passed from {low_hz:g} to {high_hz:g} Hz")
    low, high = np.tan(np.pi * np.array([low_hz, high_hz]) / rate_hz)
    half = (high - low) / _widening(n, per_pass) / 2
    edges = np.sqrt(half**2 + low * high) + np.array([-half, half])
    return _twice(values, n, _unwarped(edges), "bandpass", rate_hz / low_hz)


def finite(raw: ArrayLike) -> Array:
    """The same as float64; Nem2eError if it is no array over rows, empty, or not finite throughout."""
    values = np.asarray(raw, np.float64)
    if values.ndim not in (1, 2) or not len(values):
        raise Nem2eError(f"EMG of shape {values.shape}: rows, or rows by channels, are expected.")
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise Nem2eError(f"EMG has {bad} values that are not finite; bridge the gaps before filtering.")
    return values


def _pass_order(order: int, per_pass: bool) -> int:
    if order < 1 or (order % 2 and not per_pass):
        kind = "a whole number above 0" if per_pass else "an even number above 0 (both passes together)"
        raise Nem2eError(f"EMG filter order is {order}, but {kind} is expected.")
    return order if per_pass else order // 2


def _check(rows: int, rate_hz: float, cutoffs: tuple[float, ...], what: str) -> None:
    if not 0 < rate_hz < np.inf:
        raise Nem2eError(f"EMG rate is {rate_hz} Hz, but more than 0 is expected.")
    if not all(a < b for a, b in zip((0.0, *cutoffs), (*cutoffs, rate_hz / 2), strict=True)):
        raise Nem2eError(
            f"EMG at {rate_hz:g} Hz cannot be {what}: rising cutoffs between 0 and half the rate "
            f"({rate_hz / 2:g} Hz) are expected; change the cutoffs or leave the step out."
        )
    if rows < rate_hz / cutoffs[0]:
        raise Nem2eError(
            f"EMG of {rows / rate_hz:.3g} s cannot be {what}: at least one period of {cutoffs[0]:g} Hz "
            f"({1 / cutoffs[0]:.3g} s) is expected; record longer."
        )


def _widening(order: int, per_pass: bool) -> float:
    return 1.0 if per_pass else float((np.sqrt(2) - 1) ** (1 / (2 * order)))


def _unwarped(prewarped: Any) -> Any:
    return np.arctan(prewarped) * 2 / np.pi  # as a share of half the rate


def _twice(values: Array, order: int, share: Any, kind: str, period_rows: float) -> Array:
    sections = signal.butter(order, share, kind, output="sos")
    pad = min(len(values) - 1, round(2 * period_rows))
    return np.asarray(signal.sosfiltfilt(sections, values, axis=0, padtype="even", padlen=pad), np.float64)
