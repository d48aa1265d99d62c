"""Electrodes that measure no muscle of their own: dead ones, and copies of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.checks import COPIED, DEAD, HUM, UNMODULATED, Note
from nem2e_lib.data.cycles.levels import Levels, modulation
from nem2e_lib.data.emg.clock import EvenSignal
from nem2e_lib.data.emg.envelope import Recipe, envelope, harmonics, notch
from nem2e_lib.data.emg.table import EmgTable
from nem2e_lib.data.quality.hum import MAINS_HZ, hum_share
from nem2e_lib.data.quality.words import named
from nem2e_lib.data.study.signals import widened
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import Trial

Array = NDArray[np.float64]
_Flags = NDArray[np.bool_]

_LEVEL = 0.1  # sd over mean of an envelope that hardly follows the cycle, whatever its spectrum
_LEVEL_RAW = 0.25  # the same where raw EMG is at hand: smoothed noise has up to .2
_EMG_HZ = (20.0, 450.0)
_NOISE_HZ = 165.0  # median frequency; working surface electrodes have up to 153, white noise 235
_FAST_HZ = 800.0  # below it noise's median frequency is no higher than EMG's


def notes(study: Study, found: Levels) -> Iterator[Note]:
    """Yield what is doubtful."""
    yield from _copied(study)
    for trial in study.trials:
        chosen = found.of(trial=trial.name)
        if chosen.any():
            yield from _dead(study, trial, found, chosen)


def _dead(study: Study, trial: Trial, found: Levels, chosen: _Flags) -> Iterator[Note]:
    channels = study.recorded(trial.name)
    there = [study.channels.index(name) for name in channels]
    spread = np.median(np.ptp(found.curve[chosen], axis=1), axis=0)[there]
    highest = float(spread.max())
    low = spread <= DEAD.limit * highest
    told = named(channels, spread, lambda size: size <= DEAD.limit * highest, "by {:.2g}")
    if told:
        yield DEAD.note(
            f"{trial.emg}: EMG hardly varies, maybe a dead channel, or one in another unit "
            f"({highest:.2g} in the highest channel): {told}."
        )
    variation, level = _variation(study, trial, found.variation[chosen][:, there], found.cycles[chosen])
    told = named(channels, np.where(level & ~low, variation, np.nan), np.isfinite, "sd {:.0%} of its mean")
    if told:
        yield UNMODULATED.note(
            f"{trial.emg}: EMG stays level through the gait cycle, maybe noise of a dead channel: {told}."
        )


def _variation(study: Study, trial: Trial, each: Array, spans: pd.DataFrame) -> tuple[Array, _Flags]:
    """Sd over mean of each recorded channel's envelope in its middle cycle, and whether that is a dead channel's."""
    variation = np.nanmedian(each, axis=0)
    processing = study.settings.emg_processing
    if processing is None or not processing.recipe.rectify:
        return variation, variation < _LEVEL
    raw, recipe = study.processed(trial.name).signal, processing.recipe
    freed = _freed(raw, recipe)
    changed = (freed != raw.values).any(axis=0)
    if changed.any():
        storage = study.processed(trial.name).storage
        clean = replace(storage, values=envelope(freed, raw.rate_hz, replace(recipe, notch_hz=None)))
        variation = np.where(changed, np.nanmedian(modulation(clean, spans), axis=0), variation)
    return variation, (variation < _LEVEL_RAW) | (noisy(freed, raw.rate_hz) & (variation < UNMODULATED.limit))


def _freed(raw: EvenSignal, recipe: Recipe) -> Array:
    """Raw EMG with the hum taken out that the recipe leaves in: a dead electrode's noise is what is left."""
    values = raw.values if recipe.notch_hz is None else notch(raw.values, raw.rate_hz, recipe.lines_hz(raw.rate_hz))
    for mains in MAINS_HZ:
        hums = hum_share(values, raw.rate_hz, mains) > HUM.limit
        if hums.any():
            values = values.copy()
            values[:, hums] = notch(values[:, hums], raw.rate_hz, harmonics(mains, raw.rate_hz))
    return values


def noisy(values: Array, rate_hz: float) -> _Flags:
    """Return which channels have noise's spectrum and not EMG's, by their median frequency, shape (channels,).

    None does where the rate is too low to tell.
    """
    if rate_hz < _FAST_HZ:
        return np.zeros(values.shape[1], bool)
    from scipy import signal  # loaded where it is used: half a second

    frequency, power = signal.welch(values, rate_hz, nperseg=min(len(values), round(rate_hz)), axis=0)
    inside = (frequency >= _EMG_HZ[0]) & (frequency <= _EMG_HZ[1])
    summed = np.cumsum(power[inside], axis=0)
    middle = (summed < summed[-1] / 2).sum(axis=0)
    return np.asarray(frequency[inside][np.minimum(middle, inside.sum() - 1)] > _NOISE_HZ)


def _copied(study: Study) -> Iterator[Note]:
    recordings = [values for trial in study.trials if len(values := _recorded(study, trial))]
    electrodes = study.settings.electrodes
    for one, other in combinations(range(len(study.channels)), 2):
        first, second = study.channels[one], study.channels[other]
        both = [pair for values in recordings if np.isfinite(pair := values[:, [one, other]]).all()]
        same = sum(copies(*pair.T) for pair in both)
        declared = electrodes[first] == electrodes[second]
        where = f"in {same} of {len(both)} recordings"
        if same and not declared:
            yield COPIED.note(
                f"{study.folder}: EMG {second!r} is a copy of {first!r} {where}; "
                f'if both are one electrode, say {second} = "{electrodes[first]}" in study.toml, [electrodes].'
            )
        if same < len(both) and declared:
            yield COPIED.note(
                f"{study.folder}: [electrodes] says that EMG {second!r} and {first!r} are one electrode, "
                f"but they are copies only {where}."
            )


def _recorded(study: Study, trial: Trial) -> Array:
    """A recording as it came, raw where it is raw; of a cycle table all cycles in a row."""
    found = study.emg(trial.name)
    if not isinstance(found, EmgTable):
        if not study.settings.emg_processing:
            return found.values
        done = study.processed(trial.name)
        return widened(replace(done.storage, values=done.signal.values), study.channels).values
    numbers = sorted({number for number, _ in found.curves})
    waveforms = [found.waveform(number) for number in numbers]
    return np.concatenate(waveforms) if waveforms else np.empty((0, len(study.channels)))


def copies(one: Array, other: Array) -> bool:
    """Whether one signal is the other times a number, to a millionth of its size."""
    size = float(one @ one)
    if size == 0 or not other.any():
        return False
    rest = other - one * (float(one @ other) / size)
    return bool(np.abs(rest).max() <= COPIED.limit * np.abs(other).max()) and bool(np.ptp(one) > 0)
