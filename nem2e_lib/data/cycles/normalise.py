"""Measured EMG brought to activation's scale: by peaks of the subject's kept cycles, or by recordings of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.cycles.levels import Levels, levels
from nem2e_lib.data.emg.envelope import normalise
from nem2e_lib.data.emg.processing import DEAD_CHANNEL, OF_CYCLES, believed
from nem2e_lib.data.emg.table import EmgTable
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.study import Study
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]


def normalised(study: Study, report: pd.DataFrame) -> Callable[[str], Storage | EmgTable]:
    """Return what gives a trial's EMG, divided as ``[emg_processing]`` says; without that, as the files have it.

    Parameters
    ----------
    study : Study
    report : DataFrame
        As `find_cycles` returns it; asked only for trials with a kept cycle.

    Raises
    ------
    Nem2eError
        If there is nothing to normalise by.
    """
    divisor = divisors(study, levels(study, report)) if study.settings.emg_processing else {}

    def emg(trial: str) -> Storage | EmgTable:
        signal = study.emg(trial)
        if trial not in divisor or isinstance(signal, EmgTable):
            return signal
        return replace(signal, values=normalise(signal.values, divisor[trial]))

    return emg


def divisors(study: Study, found: Levels) -> dict[str, Array]:
    """Return what each trial with a kept cycle is divided by, shape (channels,); nothing where nothing is divided.

    ``subject_max``: the highest peak of the subject's kept cycles, so that what lies between them, an artefact or a
    jump before the walk, does not count; or the percentile of their peaks that is asked for. Where ``trials.csv`` tells
    the leg, left and right have electrodes of their own and each its own peak. ``other_trials``: the same without the
    trial itself. ``references``: the maximum over the recordings that ``references.csv`` lists for the
    subject (maximal contractions, a calibration walk).

    Raises
    ------
    Nem2eError
        If there is nothing to normalise by.
    """
    processing = study.settings.emg_processing
    if processing is None or processing.normalise == "none":
        return {}
    trials = found.cycles[["trial", "subject"]].drop_duplicates().itertuples(index=False)
    of_cycles = processing.normalise in OF_CYCLES
    return {
        trial: _of_cycles(study, found, trial) if of_cycles else _of_recordings(study, trial, subject)
        for trial, subject in trials
    }


def _of_cycles(study: Study, found: Levels, trial: str) -> Array:
    processing = study.settings.emg_processing
    assert processing is not None
    subject, leg = study.trial(trial).wearer
    who = f"{study.folder}: subject {subject!r}" + (f", {leg} leg" if leg else "")
    chosen = found.of(subject=subject, leg=leg)
    if processing.normalise == "other_trials":
        chosen &= ~found.of(trial=trial)
    if not chosen.any():
        raise Nem2eError(
            f"{who}: no usable gait cycle but in trial {trial!r}, so there is nothing to normalise its EMG by; "
            "study.toml, [emg_processing] normalise."
        )
    highest = [_percentile(peaks, processing.percentile) for peaks in found.peak[chosen].T]
    return _positive(dict(zip(study.channels, highest, strict=True)), who, study, trial)


def _percentile(peaks: Array, percentile: float) -> float:
    """Of the cycles that have the channel; 0 where none has."""
    known = peaks[np.isfinite(peaks)]
    return float(np.percentile(known, percentile)) if len(known) else 0.0


def _of_recordings(study: Study, trial: str, subject: str) -> Array:
    highest: dict[str, float] = {}
    for each in study.references(subject):
        storage = each.processed.storage
        peaks = np.where(believed(each.processed), storage.values, 0.0).max(axis=0)
        for channel, peak in zip(storage.labels, peaks.tolist(), strict=True):
            highest[channel] = max(peak, highest.get(channel, 0.0))
    return _positive(highest, f"{study.folder / 'references.csv'}: subject {subject!r}", study, trial)


def _positive(reference: dict[str, float], who: str, study: Study, trial: str) -> Array:
    """What each channel of a trial is divided by; 1 where it does without the channel."""
    recorded = study.recorded(trial)
    for channel in recorded:
        if reference[channel] <= 0:
            raise Nem2eError(f"{who}: EMG {channel!r} has nothing above 0 to normalise by; {DEAD_CHANNEL}.")
    return np.array([reference[channel] if channel in recorded else 1.0 for channel in study.channels])
