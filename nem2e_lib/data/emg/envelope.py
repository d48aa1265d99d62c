"""Raw EMG to envelopes: zero-phase filters, offset, rectification, normalisation, and recipes of them.

Every step takes and returns an array whose first axis is time, so that steps chain.

What cutoff and order mean after two passes
    Two passes of a filter of order n multiply its gain with itself: the roll-off is that of order 2n, and at the
    design cutoff the gain is 1/2 (-6 dB) instead of 1/√2 (-3 dB). Here `order` is the order of both passes
    together, and the design is widened so that both passes together have -3 dB at the cutoff asked for: the
    prewarped design frequency is divided by (√2 - 1)^(1/2n) (Winter 2009, Biomechanics and Motor Control of
    Human Movement, 4th ed., chapter 3; Robertson & Dowling 2003, doi:10.1016/S1050-6411(03)00080-4).
    ``per_pass=True`` means instead what ``butter(order, cutoff)`` with ``filtfilt`` does.

Mains hum
    Narrow notches at the mains frequency and its harmonics take it out (`notch`). They take EMG of the same
    frequencies with them, so that no recipe has them unless they are asked for (De Luca et al. 2010 advise against
    a notch where there is no hum).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_NOTCH_HZ = 2.0
"""Width of a notch at -3 dB, both passes together: nine of them take 4 % of the band."""
_WANDERS = 0.004
"""Share of its frequency by which mains wander: 0.2 Hz at 50 Hz."""
_RINGS_S = 1.0
"""As long as a notch of that width rings, to a thousandth."""


@dataclass(frozen=True)
class Recipe:
    """Steps from raw EMG to an envelope, in this order; a cutoff of None leaves the step out.

    Attributes
    ----------
    offset : bool
        Subtract the mean of the recording.
    notch_hz : float or tuple of float, or None
        Mains frequency that is taken out with its harmonics; or just the frequencies that are listed.
    band_hz : (float, float) or None
        Lower and upper cutoff of the band-pass in Hz.
    band_order, low_pass_order : int
        Order of both passes together (even), or of each where `per_pass` says so.
    rectify : bool
        Full-wave.
    low_pass_hz : float or None
        Cutoff of the envelope in Hz.
    per_pass : bool
        Cutoffs and orders are those of a single pass (see the module).
    source : str
        Where the recipe comes from.
    """

    offset: bool = True
    notch_hz: float | tuple[float, ...] | None = None
    band_hz: tuple[float, float] | None = None
    band_order: int = 4
    rectify: bool = True
    low_pass_hz: float | None = None
    low_pass_order: int = 4
    per_pass: bool = False
    source: str = ""

    def __str__(self) -> str:
        way = "each pass" if self.per_pass else "both passes together"
        steps = ["offset removed"] if self.offset else []
        if isinstance(self.notch_hz, tuple):
            steps.append(f"{_NOTCH_HZ:g} Hz wide notches at {', '.join(f'{line:g}' for line in self.notch_hz)} Hz")
        elif self.notch_hz is not None:
            steps.append(f"{_NOTCH_HZ:g} Hz wide notches at {self.notch_hz:g} Hz and its harmonics")
        if self.band_hz is not None:
            steps.append(f"{self.band_hz[0]:g}-{self.band_hz[1]:g} Hz band-pass (order {self.band_order})")
        steps += ["full-wave rectified"] if self.rectify else []
        if self.low_pass_hz is not None:
            steps.append(f"{self.low_pass_hz:g} Hz low-pass (order {self.low_pass_order})")
        if not steps:
            return "taken as it is"
        filtered = self.band_hz is not None or self.low_pass_hz is not None
        return ", ".join(steps) + (f"; zero-phase Butterworth, cutoffs and orders of {way}" if filtered else "")

    def lines_hz(self, rate_hz: float) -> list[float]:
        """Frequencies of the notches for EMG of that rate: no harmonic above the band's upper edge or half the rate."""
        if self.notch_hz is None or isinstance(self.notch_hz, tuple):
            return list(self.notch_hz or ())
        return harmonics(self.notch_hz, rate_hz, self.band_hz[1] if self.band_hz else np.inf) or [self.notch_hz]


RECIPES = {
    "hamner2013": Recipe(
        low_pass_hz=10.0,
        source=(
            "offset, rectification and 10 Hz as in the running data of Hamner & Delp (2013), "
            "doi:10.1016/j.jbiomech.2012.11.024; the order is this project's choice"
        ),
    ),
    "general": Recipe(
        band_hz=(20.0, 450.0),
        low_pass_hz=6.0,
        source=(
            "20 Hz against movement artefact (De Luca et al. 2010, doi:10.1016/j.jbiomech.2010.01.027), the "
            "upper edge under the 500 Hz of SENIAM and of the ISEK standards (Hermens et al. 2000, "
            "doi:10.1016/S1050-6411(00)00027-4; Merletti 1999), 6 Hz for gait (Winter 2009)"
        ),
    ),
    "envelope": Recipe(offset=False, rectify=False, source="for EMG that was processed before and is only normalised"),
}
"""Recipes by name."""


def envelope(raw: ArrayLike, rate_hz: float, recipe: Recipe | str = "general") -> Array:
    """Return the linear envelope of raw EMG, in its unit; not normalised.

    Filters ring: beside a strong burst the envelope may fall a little below zero, and is left so.

    Parameters
    ----------
    raw : float array, shape (rows,) or (rows, channels)
        Evenly sampled (`clock.even` makes it so) and finite.
    rate_hz : float
        Samples a second.
    recipe : Recipe or str
        A name of `RECIPES`, or steps of your own.

    Raises
    ------
    Nem2eError
        If the recipe is unknown, a value is not finite, the recording is shorter than one period of the lowest
        cutoff, or the rate does not allow a filter.
    """
    recipe = find_recipe(recipe)
    values = _finite(raw)
    if recipe.offset:
        values = remove_offset(values)
    if recipe.notch_hz is not None:
        values = notch(values, rate_hz, recipe.lines_hz(rate_hz))
    if recipe.band_hz is not None:
        values = band_pass(values, rate_hz, *recipe.band_hz, recipe.band_order, per_pass=recipe.per_pass)
    if recipe.rectify:
        values = rectify(values)
    if recipe.low_pass_hz is not None:
        values = low_pass(values, rate_hz, recipe.low_pass_hz, recipe.low_pass_order, per_pass=recipe.per_pass)
    return values


def find_recipe(recipe: Recipe | str) -> Recipe:
    """Return the recipe of that name; Nem2eError if there is none."""
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise Nem2eError(f"EMG recipe {recipe!r} is unknown; known recipes are {', '.join(RECIPES)}.")
    return RECIPES[recipe]


def remove_offset(raw: ArrayLike) -> Array:
    """Return each channel less its mean over the recording, shape as given."""
    values = np.asarray(raw, np.float64)
    return values - values.mean(axis=0)


def harmonics(line_hz: float, rate_hz: float, highest_hz: float = np.inf) -> list[float]:
    """Return a mains frequency and its harmonics up to `highest_hz`, whose notches end below half the rate."""
    last = min(highest_hz, rate_hz / 2 - _NOTCH_HZ)
    return [line_hz * number for number in range(1, int(last / line_hz) + 1)]


def notch(raw: ArrayLike, rate_hz: float, lines_hz: Iterable[float]) -> Array:
    """Take narrow lines out by zero-phase second-order notches, `_NOTCH_HZ` wide, both passes together.

    Each notch stands where the line is found, within `_WANDERS` of where it is told: at the ninth harmonic mains of
    50.1 Hz are as far off as a notch is wide.
    The recording is carried on at both ends by the hum fitted there, so that a notch finds it at its phase; mirrored
    samples would break that, and the notch would ring with the hum's own size.

    Raises
    ------
    Nem2eError
        If a value is not finite, a line is not below half the rate, or the recording is shorter than a notch rings.
    """
    from scipy import signal  # loaded where it is used: most of a second

    values = _finite(raw)
    for line in lines_hz:
        _check(len(values), rate_hz, (_NOTCH_HZ, line), f"freed of {line:g} Hz")
        found, rows = _found(values, rate_hz, line), round(_RINGS_S * rate_hz)
        design = signal.iirnotch(found, found / (_NOTCH_HZ * _widening(1, per_pass=False)), rate_hz)
        before, after = (_hum(end[:rows], found / rate_hz, -rows) for end in (values, values[::-1]))
        longer = np.concatenate([before, values, after[::-1]])
        values = np.asarray(signal.filtfilt(*design, longer, axis=0, padtype=None), np.float64)[rows:-rows]
    return values


def _found(values: Array, rate_hz: float, line_hz: float) -> float:
    """The frequency near a line at which the channels together have most power."""
    from scipy import signal  # loaded where it is used: most of a second

    grid = line_hz * np.linspace(1 - _WANDERS, 1 + _WANDERS, 41)
    window = signal.windows.hann(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    power = np.abs(signal.zoom_fft(values * window, [grid[0], grid[-1]], 41, fs=rate_hz, endpoint=True, axis=0)) ** 2
    return float(grid[power.reshape(41, -1).sum(axis=1).argmax()])


def _hum(start: Array, cycles_a_row: float, first: int) -> Array:
    """The sinusoid fitted to the start of a recording, carried back to row `first`, which is negative."""
    turns = 2 * np.pi * cycles_a_row * np.arange(first, len(start))
    both = np.column_stack([np.cos(turns), np.sin(turns)])
    return np.asarray(both[:-first] @ np.linalg.lstsq(both[-first:], start, rcond=None)[0], np.float64)


def band_pass(
    raw: ArrayLike, rate_hz: float, low_hz: float, high_hz: float, order: int = 4, *, per_pass: bool = False
) -> Array:
    """Apply a zero-phase band-pass; `order` is that of each flank, cutoffs as the module says. Ends are mirrored.

    The design keeps the prewarped centre √(low·high) and widens the band, so that both cutoffs are exact.

    Raises
    ------
    Nem2eError
        If a value is not finite, the recording is shorter than one period of the lowest cutoff, the order is odd,
        or the rate does not allow the cutoff.
    """
    values, n = _finite(raw), _pass_order(order, per_pass)
    _check(len(values), rate_hz, (low_hz, high_hz), f"band-passed from {low_hz:g} to {high_hz:g} Hz")
    low, high = np.tan(np.pi * np.array([low_hz, high_hz]) / rate_hz)
    half = (high - low) / _widening(n, per_pass) / 2
    edges = np.sqrt(half**2 + low * high) + np.array([-half, half])
    return _twice(values, n, _unwarped(edges), "bandpass", rate_hz / low_hz)


def rectify(raw: ArrayLike) -> Array:
    """Return absolute values (full-wave rectification), shape as given."""
    return np.abs(np.asarray(raw, np.float64))


def low_pass(raw: ArrayLike, rate_hz: float, cutoff_hz: float, order: int = 4, *, per_pass: bool = False) -> Array:
    """Apply a zero-phase low-pass; cutoff and order as the module says. Ends are mirrored.

    Raises
    ------
    Nem2eError
        If a value is not finite, the recording is shorter than one period of the lowest cutoff, the order is odd,
        or the rate does not allow the cutoff.
    """
    values, n = _finite(raw), _pass_order(order, per_pass)
    _check(len(values), rate_hz, (cutoff_hz,), f"low-passed at {cutoff_hz:g} Hz")
    wide = np.tan(np.pi * cutoff_hz / rate_hz) / _widening(n, per_pass)
    return _twice(values, n, _unwarped(wide), "lowpass", rate_hz / cutoff_hz)


def normalise(values: ArrayLike, reference: ArrayLike) -> Array:
    """Return envelopes as a share of a reference, shape as given.

    Parameters
    ----------
    values : float array, shape (rows,) or (rows, channels)
    reference : float or array, shape (channels,)
        Such as a subject's maximum over all trials; never one cycle's own.

    Raises
    ------
    Nem2eError
        If a reference is not above 0.
    """
    scale = np.asarray(reference, np.float64)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise Nem2eError(f"EMG cannot be normalised by {scale.tolist()}: references above 0 are expected.")
    return np.asarray(values, np.float64) / scale


def _finite(raw: ArrayLike) -> Array:
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
    from scipy import signal  # loaded where it is used: most of a second

    sections = signal.butter(order, share, kind, output="sos")
    pad = min(len(values) - 1, round(2 * period_rows))
    return np.asarray(signal.sosfiltfilt(sections, values, axis=0, padtype="even", padlen=pad), np.float64)
