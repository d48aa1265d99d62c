"""EMG that is doubtful: dead, copied, humming and clipped channels, gaps, and envelopes in another unit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.checks import BRIDGED, COPIED, DEAD, DROPOUT, PINNED, SLOW, UNEVEN, UNSCALED, Note
from nem2e_lib.data.emg.envelope import Recipe
from nem2e_lib.data.emg.table import EmgTable
from nem2e_lib.data.quality import hum
from nem2e_lib.data.quality.words import named
from nem2e_lib.data.study.signals import UNSCALED as RANGE
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import Trial

Array = NDArray[np.float64]


def notes(study: Study, report: pd.DataFrame) -> Iterator[Note]:
    """Yield what is doubtful; `report` as `find_cycles` returns it."""
    yield from _copied(study, report)
    for trial in study.trials:
        yield from _dead(study, trial, report)
        processing = study.settings.emg_processing
        if processing is None:
            yield from _unscaled(study, trial, report)
        elif processing.recipe.rectify:
            yield from _raw_emg(study, trial, processing.recipe)


def _dead(study: Study, trial: Trial, report: pd.DataFrame) -> Iterator[Note]:
    values = _emg_values(study, trial, report)
    if not len(values):
        return
    spread = values.std(axis=0)
    dead = named(study.channels, spread, lambda sd: sd <= DEAD.limit * float(np.median(spread)), "sd {:.2g}")
    if dead:
        usual = f"median sd {np.median(spread):.2g}"
        yield DEAD.note(f"{trial.emg}: EMG hardly varies, maybe a dead channel ({usual}): {dead}.")


def _unscaled(study: Study, trial: Trial, report: pd.DataFrame) -> Iterator[Note]:
    values = _emg_values(study, trial, report)
    if not len(values):
        return
    highest = float(np.median(values.max(axis=0)))
    if not RANGE[0] <= highest <= RANGE[1]:
        yield UNSCALED.note(
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


def _copied(study: Study, report: pd.DataFrame) -> Iterator[Note]:
    recordings = [values for trial in study.trials if len(values := _emg_values(study, trial, report))]
    electrodes = study.settings.electrodes
    for one, other in combinations(range(len(study.channels)), 2):
        first, second = study.channels[one], study.channels[other]
        same = sum(copies(values[:, one], values[:, other]) for values in recordings)
        declared = electrodes[first] == electrodes[second]
        where = f"in {same} of {len(recordings)} recordings"
        if same and not declared:
            yield COPIED.note(
                f"{study.folder}: EMG {second!r} is a copy of {first!r} {where}; "
                f'if both are one electrode, say {second} = "{electrodes[first]}" in study.toml, [electrodes].'
            )
        if same < len(recordings) and declared:
            yield COPIED.note(
                f"{study.folder}: [electrodes] says that EMG {second!r} and {first!r} are one electrode, "
                f"but they are copies only {where}."
            )


def copies(one: Array, other: Array) -> bool:
    """Whether one signal is the other times a number, to a millionth of its size."""
    size = float(one @ one)
    if size == 0 or not other.any():
        return False
    rest = other - one * (float(one @ other) / size)
    return bool(np.abs(rest).max() <= COPIED.limit * np.abs(other).max()) and bool(np.ptp(one) > 0)


def _raw_emg(study: Study, trial: Trial, recipe: Recipe) -> Iterator[Note]:
    signal, path, channels = study.processed(trial.name).signal, trial.emg, study.channels
    yield from hum.notes(path, channels, signal, recipe)
    found = named(channels, pinned_share(signal.values), lambda part: part > PINNED.limit, "{:.2%} of its samples")
    if found:
        yield PINNED.note(f"{path}: EMG is clipped, at its highest or lowest value again and again: {found}.")
    if signal.rate_hz < 0.99 * SLOW.limit:
        asked = f"{SLOW.limit:g} Hz or more are recommended for raw EMG"
        yield SLOW.note(f"{path}: EMG at {signal.rate_hz:.4g} Hz, but {asked}.")
    if signal.bridged:
        what = "values of EMG that were no numbers lie in short gaps and were bridged"
        yield BRIDGED.note(f"{path}: {signal.bridged} {what}.")
    if signal.resampled:
        yield UNEVEN.note(f"{path}: the clock of the EMG is uneven; it was resampled to {signal.rate_hz:.4g} Hz.")
    for drop in signal.dropouts:
        span = f"from {drop.start_s:.4g} to {drop.end_s:.4g} s"
        yield DROPOUT.note(f"{path}: EMG {drop.channel!r} dropped out {span} ({drop.what}).")


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
