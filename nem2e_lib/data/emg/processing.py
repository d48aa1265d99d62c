"""Raw EMG of a study: from a file to an envelope, and what it is normalised by."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import DROPOUT
from nem2e_lib.data.emg.clock import Dropout, EvenSignal, even
from nem2e_lib.data.emg.envelope import Recipe, envelope
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

NORMALISE = ("subject_max", "other_trials", "references", "none")
"""What an envelope is divided by; docs/study.md says what each leaks."""

OF_CYCLES = NORMALISE[:2]
"""Those that are taken from peaks of gait cycles."""

DEAD_CHANNEL = "name it in trials.csv, column without, or take it out of study.toml, [emg]"
"""What to do about a channel that recorded nothing: in one trial, or in all."""

_LOWEST_EMG_HZ = 20.0
_SLOWEST_HZ = 25.0  # below it the clock is rather in another unit
_SHARE_ABOVE = 0.01  # of the power; raw EMG has nearly all above 20 Hz, an envelope nearly none


@dataclass(frozen=True)
class Processing:
    """``[emg_processing]`` of ``study.toml``: the recipe, and what envelopes are divided by.

    `percentile` is that of the peaks of the kept cycles, where these are what envelopes are divided by; 100 is the
    highest, 50 the peak of the middle cycle.
    """

    recipe: Recipe
    normalise: str = NORMALISE[0]
    percentile: float = 100.0

    def __str__(self) -> str:
        return f"{self.recipe}; normalise = {self.normalise}{self._of_cycles()}"

    def _of_cycles(self) -> str:
        if self.normalise not in OF_CYCLES:
            return ""
        which = "highest" if self.percentile == 100 else f"percentile {self.percentile:g} of the"
        return f" ({which} peak{'s' if self.percentile < 100 else ''} of kept cycles)"


@dataclass(frozen=True, eq=False)
class Processed:
    """Envelopes of one recording in its unit, and what was found on the way.

    Attributes
    ----------
    storage : Storage
        On an even clock; labels are the channels.
    signal : EvenSignal
        The raw signal that was filtered.
    dropouts : tuple of Dropout
        Widened on both sides by half a period of the low-pass, over which a filter smears them.
    """

    storage: Storage
    signal: EvenSignal
    dropouts: tuple[Dropout, ...]


def process(path: Path, raw: Storage, recipe: Recipe) -> Processed:
    """Make envelopes of a raw recording.

    Parameters
    ----------
    path : Path
        For messages.
    raw : Storage
        Its columns are the channels; gaps may be NaN.

    Raises
    ------
    Nem2eError
        If a channel has no numbers or one and the same value throughout, if the file holds envelopes already, or
        if its rate or length does not allow the recipe.
    """
    _refuse_empty(path, raw)
    if raw.time[-1] <= raw.time[0]:
        raise Nem2eError(f"{path}: all rows have the time {raw.time[0]:g} s, but rising times are expected.")
    # an envelope may rest at one value, as raw EMG never does
    signal = even(raw.time, raw.values, raw.labels, flat_s=DROPOUT.limit if recipe.rectify else np.inf)
    if recipe.rectify:
        _refuse_processed(path, raw.labels, signal)
    try:
        values = envelope(signal.values, signal.rate_hz, recipe)
    except Nem2eError as error:
        slow = signal.rate_hz < _SLOWEST_HZ
        span = f" Its time runs from {raw.time[0]:g} to {raw.time[-1]:g} s; is it in ms?" if slow else ""
        raise Nem2eError(f"{path}: {error}{span}") from None
    storage = dataclasses.replace(raw, time=signal.time, values=values)
    return Processed(storage, signal, tuple(_widened(signal.dropouts, recipe)))


def believed(processed: Processed) -> NDArray[np.bool_]:
    """Return whether each sample lies in no drop-out of its channel, shape (rows, channels)."""
    time, labels = processed.storage.time, processed.storage.labels
    sound = np.ones(processed.storage.values.shape, bool)
    for drop in processed.dropouts:
        sound[(time >= drop.start_s) & (time <= drop.end_s), labels.index(drop.channel)] = False
    return sound


def _refuse_empty(path: Path, raw: Storage) -> None:
    for channel, column in zip(raw.labels, raw.values.T, strict=True):
        finite = column[np.isfinite(column)]
        if not len(finite):
            raise Nem2eError(f"{path}: EMG {channel!r} has no number at all; {DEAD_CHANNEL}.")
        if np.ptp(finite) == 0:
            raise Nem2eError(
                f"{path}: EMG {channel!r} is {finite[0]:g} throughout, a dead channel; {DEAD_CHANNEL}, or the trial "
                "out of trials.csv."
            )


def _refuse_processed(path: Path, channels: Sequence[str], signal: EvenSignal) -> None:
    share = power_above(signal.values, signal.rate_hz, _LOWEST_EMG_HZ)
    for channel, part, column in zip(channels, share, signal.values.T, strict=True):
        if part < _SHARE_ABOVE and signal.rate_hz > 2.5 * _LOWEST_EMG_HZ:
            raise Nem2eError(
                f"{path}: EMG {channel!r} has {part:.2%} of its power above {_LOWEST_EMG_HZ:g} Hz, so it is an "
                'envelope already, but raw EMG is expected; say recipe = "envelope" in study.toml, [emg_processing].'
            )
        if _is_rectified(column):
            raise Nem2eError(
                f"{path}: EMG {channel!r} is rectified already (lowest value {column.min():.3g}), but raw EMG is "
                "expected; say offset = false and rectify = false in study.toml, [emg_processing]."
            )


def _is_rectified(column: Array) -> bool:
    """Never below zero, nearly touching it, and leaning on it, where raw EMG is symmetric about its offset."""
    low, middle, high = np.percentile(column, [1, 50, 99])
    return bool(column.min() >= 0 and low < 0.1 * middle and middle - low < 0.35 * (high - low))


def power_above(values: Array, rate_hz: float, limit_hz: float) -> Array:
    """Return the share of each channel's power, mean left out, above a frequency, shape (channels,)."""
    spectrum = np.abs(np.fft.rfft(values - values.mean(axis=0), axis=0)) ** 2
    high = np.fft.rfftfreq(len(values), 1 / rate_hz) > limit_hz
    return np.asarray(spectrum[high].sum(axis=0) / spectrum.sum(axis=0), np.float64)


def _widened(dropouts: Sequence[Dropout], recipe: Recipe) -> Iterable[Dropout]:
    cutoff = recipe.low_pass_hz or (recipe.band_hz or (_LOWEST_EMG_HZ,))[0]
    margin = 0.5 / cutoff
    for drop in dropouts:
        yield dataclasses.replace(drop, start_s=drop.start_s - margin, end_s=drop.end_s + margin)
