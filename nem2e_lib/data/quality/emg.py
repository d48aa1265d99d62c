"""EMG that is doubtful: recordings that are clipped, slow or have gaps, envelopes in another unit, and all the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.checks import BRIDGED, DROPOUT, PINNED, SLOW, UNEVEN, UNSCALED, Note
from nem2e_lib.data.cycles.levels import Levels, levels
from nem2e_lib.data.emg.envelope import Recipe
from nem2e_lib.data.quality import electrodes, gains, hum, phases, references
from nem2e_lib.data.quality.words import named
from nem2e_lib.data.study.signals import UNSCALED as RANGE
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import Trial

Array = NDArray[np.float64]


def notes(study: Study, report: pd.DataFrame) -> Iterator[Note]:
    """Yield what is doubtful; `report` as `find_cycles` returns it."""
    found = levels(study, report)
    for part in (electrodes, gains, references, phases):
        yield from part.notes(study, found)
    for trial in study.trials:
        processing = study.settings.emg_processing
        if processing is None:
            yield from _unscaled(trial, found)
        elif processing.recipe.rectify:
            yield from _raw_emg(study, trial, processing.recipe)


def _unscaled(trial: Trial, found: Levels) -> Iterator[Note]:
    peaks = found.peak[found.of(trial=trial.name)]
    if not len(peaks):
        return
    highest = float(np.nanmedian(peaks.max(axis=0)))
    if not RANGE[0] <= highest <= RANGE[1]:
        yield UNSCALED.note(
            f"{trial.emg}: EMG rises to {highest:.3g} in the median channel, so it seems to be in mV or % and not from "
            '0 to 1 as activation is; study.toml, [emg_processing] recipe = "envelope" normalises it.'
        )


def _raw_emg(study: Study, trial: Trial, recipe: Recipe) -> Iterator[Note]:
    signal, path, channels = study.processed(trial.name).signal, trial.emg, study.recorded(trial.name)
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
