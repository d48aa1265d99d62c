"""What a laboratory would want to know of its recordings although nothing forbids using them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import signal

from nem2e_lib.data.cycles.find import find_cycles
from nem2e_lib.data.cycles.segment import resample
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.emg.table import EmgTable
from nem2e_lib.data.study.signals import UNSCALED
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import SPAN, Trial

Array = NDArray[np.float64]

_FULL, _FULL_SHARE = 0.99, 0.05
"""A muscle is saturated if its activation is above `_FULL` for more than this share of the samples."""
_SILENT = 0.02
"""A channel is dead if it varies by less than this share of the median channel."""
_HUM_SHARE = 0.05
"""Mains hum is told from this share of a channel's power."""
_CLIPPED_S = 0.01
"""Force is clipped if it stays at its highest value for this long."""
_PINNED_SHARE = 0.001
"""Raw EMG is clipped if this share of its samples are its highest or lowest value."""
_CONSTANT = 1e-9
"""Range, as a share of the greatest value, up to which activation is constant but for rounding."""
_MAINS_HZ = (50.0, 60.0)  # of Europe and most of the world, of North America
_ENOUGH_HZ = 1000.0
"""Surface EMG reaches to some 500 Hz, so at least this rate is asked for (Merletti 1999, ISEK standards)."""


def quality_notes(study: Study) -> list[str]:
    """Return what is doubtful in a sound study's signals, one sentence each.

    Saturated activation; dead, copied, humming and clipped EMG; gaps that were bridged; clipped force; cycles in
    which a measured muscle's activation is constant; and how many cycles are skipped.

    Raises
    ------
    Nem2eError
        If the study cannot be read.
    """
    report = find_cycles(study)
    notes = [*_saturated(study), *_constant(study, report), *_copied(study, report)]
    notes += [note for trial in study.trials for note in _of_trial(study, trial, report)]
    skipped = int((~report["kept"]).sum())
    if skipped:
        notes.append(
            f"{study.folder}: {skipped} of {len(report)} cycles are skipped; "
            "`nem2e study segment --report FILE` tells why."
        )
    return notes


def _of_trial(study: Study, trial: Trial, report: pd.DataFrame) -> Iterator[str]:
    yield from _dead(study, trial, report)
    processing = study.settings.emg_processing
    if processing is None:
        yield from _unscaled(study, trial, report)
    elif processing.recipe.rectify:
        yield from _raw_emg(study, trial)
    if trial.grf is not None and study.cycles is None:
        yield from _force(study, trial, trial.grf)


def _saturated(study: Study) -> Iterator[str]:
    share = np.array([(study.activation(trial.name).values > _FULL).mean(axis=0) for trial in study.trials])
    worst = sorted(zip(share.max(axis=0), study.muscles, strict=True), key=lambda pair: -pair[0])
    found = [f"{muscle} ({part:.0%} of the time)" for part, muscle in worst if part > _FULL_SHARE]
    trials = int((share > _FULL_SHARE).any(axis=1).sum())
    if found:
        yield (
            f"{study.folder}: activation is saturated (above {_FULL:g}) in {trials} of {len(study.trials)} trials; "
            f"{len(found)} muscles, each in its worst trial: {_some(found)}."
        )


def _constant(study: Study, report: pd.DataFrame) -> Iterator[str]:
    points, cycles = np.linspace(0, 100, 20), report[report["kept"]]
    flat: dict[str, list[str]] = {target: [] for target in study.targets}
    for trial, number, start, end in zip(*(cycles[key] for key in ("trial", "number", *SPAN)), strict=True):
        storage = study.activation(trial)
        values = resample(storage, start, end, number, points, study.settings.resampling)
        for target in flat:
            column = values[:, storage.labels.index(target)]
            if np.ptp(column) <= _CONSTANT * np.abs(column).max():
                flat[target].append(f"{trial} {number}")
    for target, where in flat.items():
        if where:
            yield (
                f"{study.folder}: activation of {target!r} is constant in {len(where)} of {len(cycles)} cycles "
                f"({_some(where)}): its correlation with EMG is undefined there."
            )


def _dead(study: Study, trial: Trial, report: pd.DataFrame) -> Iterator[str]:
    values = _emg_values(study, trial, report)
    if not len(values):
        return
    spread = values.std(axis=0)
    dead = _named(study.channels, spread, lambda sd: sd <= _SILENT * float(np.median(spread)), "sd {:.2g}")
    if dead:
        yield f"{trial.emg}: EMG hardly varies, maybe a dead channel (median sd {np.median(spread):.2g}): {dead}."


def _unscaled(study: Study, trial: Trial, report: pd.DataFrame) -> Iterator[str]:
    values = _emg_values(study, trial, report)
    if not len(values):
        return
    highest = float(np.median(values.max(axis=0)))
    if not UNSCALED[0] <= highest <= UNSCALED[1]:
        yield (
            f"{trial.emg}: EMG rises to {highest:.3g} in the median channel, so it seems to be in mV or % and not from "
            '0 to 1 as activation is; study.toml, [emg_processing] recipe = "envelope" normalises it.'
        )


def _emg_values(study: Study, trial: Trial, report: pd.DataFrame) -> Array:
    signal = study.emg(trial.name)
    if not isinstance(signal, EmgTable):
        return study.processed(trial.name).signal.values if study.settings.emg_processing else signal.values
    numbers = report.loc[(report["trial"] == trial.name) & report["kept"], "number"]
    waveforms = [signal.waveform(int(number)) for number in numbers]
    return np.concatenate(waveforms) if waveforms else np.empty((0, len(study.channels)))


def _copied(study: Study, report: pd.DataFrame) -> Iterator[str]:
    recordings = [values for trial in study.trials if len(values := _emg_values(study, trial, report))]
    electrodes = study.settings.electrodes
    for one, other in combinations(range(len(study.channels)), 2):
        first, second = study.channels[one], study.channels[other]
        same = sum(copies(values[:, one], values[:, other]) for values in recordings)
        declared = electrodes[first] == electrodes[second]
        where = f"in {same} of {len(recordings)} recordings"
        if same and not declared:
            yield (
                f"{study.folder}: EMG {second!r} is a copy of {first!r} {where}; "
                f'if both are one electrode, say {second} = "{electrodes[first]}" in study.toml, [electrodes].'
            )
        if same < len(recordings) and declared:
            yield (
                f"{study.folder}: [electrodes] says that EMG {second!r} and {first!r} are one electrode, "
                f"but they are copies only {where}."
            )


def copies(one: Array, other: Array) -> bool:
    """Whether one signal is the other times a number, to a millionth of its size."""
    size = float(one @ one)
    if size == 0 or not other.any():
        return False
    rest = other - one * (float(one @ other) / size)
    return bool(np.abs(rest).max() <= 1e-6 * np.abs(other).max()) and bool(np.ptp(one) > 0)


def _raw_emg(study: Study, trial: Trial) -> Iterator[str]:
    signal, path, channels = study.processed(trial.name).signal, trial.emg, study.channels
    for line in line_frequencies(signal.rate_hz):
        share = hum_share(signal.values, signal.rate_hz, line)
        found = _named(channels, share, lambda part: part > _HUM_SHARE, "{:.0%} of its power")
        if found:
            yield f"{path}: mains hum at {line:g} Hz in EMG {found}."
    found = _named(channels, pinned_share(signal.values), lambda part: part > _PINNED_SHARE, "{:.2%} of its samples")
    if found:
        yield f"{path}: EMG is clipped, at its highest or lowest value again and again: {found}."
    if signal.rate_hz < 0.99 * _ENOUGH_HZ:
        yield f"{path}: EMG at {signal.rate_hz:.4g} Hz, but {_ENOUGH_HZ:g} Hz or more are recommended for raw EMG."
    if signal.bridged:
        yield f"{path}: {signal.bridged} values of EMG that were no numbers lie in short gaps and were bridged."
    if signal.resampled:
        yield f"{path}: the clock of the EMG is uneven; it was resampled to {signal.rate_hz:.4g} Hz."
    for drop in signal.dropouts:
        yield f"{path}: EMG {drop.channel!r} dropped out from {drop.start_s:.4g} to {drop.end_s:.4g} s ({drop.what})."


def line_frequencies(rate_hz: float) -> list[float]:
    """Return the mains frequencies whose surroundings lie below half the rate."""
    return [line for line in _MAINS_HZ if line + 8 < rate_hz / 2]


def hum_share(values: Array, rate_hz: float, line_hz: float) -> Array:
    """Return each channel's share of power within 2 Hz of a line, less that 3 to 8 Hz beside it, shape (channels,).

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
    """Return the share of samples that are exactly a channel's highest or lowest value, shape (channels,).

    0 where fewer than five are, or where the channel has fewer than 50 values to choose from.
    """
    shares = np.zeros(values.shape[1])
    for column, numbers in enumerate(values.T):
        known, count = np.unique(numbers, return_counts=True)
        pinned = int(max(count[0], count[-1]))
        shares[column] = pinned / len(numbers) if len(known) >= 50 and pinned >= 5 else 0
    return shares


def _force(study: Study, trial: Trial, path: Path) -> Iterator[str]:
    grf = study.grf(trial.name)
    for side, force in zip(grf.labels, grf.values.T, strict=True):
        highest = float(force.max())
        if highest > study.settings.threshold_n and held_s(grf.time, force == highest) >= _CLIPPED_S:
            yield (
                f"{path}: {side} vertical force stays at its highest value, {highest:.5g} N, for "
                f"{held_s(grf.time, force == highest):.2g} s; it seems to be clipped."
            )


def held_s(time: Array, flags: NDArray[np.bool_]) -> float:
    """Return the duration of the longest run of at least three flags, in s; 0 if there is none."""
    return max((float(time[last] - time[first]) for first, last in runs(flags) if last - first >= 2), default=0.0)


def _some(items: Sequence[str], most: int = 6) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def _named(names: Sequence[str], values: Array, odd: Callable[[float], bool], text: str) -> str:
    return ", ".join(
        f"{name!r} ({text.format(value)})" for name, value in zip(names, values.tolist(), strict=True) if odd(value)
    )
