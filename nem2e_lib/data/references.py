"""What the EMG envelopes of a study are divided by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.emg_processing import peak, process, reference
from nem2e_lib.data.signals import clocks_apart, read_raw_emg
from nem2e_lib.data.tables import near, read_table
from nem2e_lib.data.trials import Trial, path_problem
from nem2e_lib.errors import Nem2eError

if TYPE_CHECKING:
    from nem2e_lib.data.study import Study

Array = NDArray[np.float64]

FILE = "references.csv"


def scale(study: Study, trial: Trial) -> Array:
    """Divisor of each channel's envelope in a trial, shape (channels,).

    ``subject_max``: the maximum over all trials of the subject, each where its activation covers it.
    ``other_trials``: the same without the trial itself. ``references``: the maximum over the recordings that
    ``references.csv`` lists for the subject (maximal contractions, a calibration walk). ``none``: 1.

    Raises
    ------
    Nem2eError
        If there is nothing to normalise by.
    """
    assert study.settings.emg_processing is not None
    how, who = study.settings.emg_processing.normalise, f"{study.folder}: subject {trial.subject!r}"
    if how == "none":
        return np.ones(len(study.channels))
    if how == "references":
        return _of_recordings(study, trial.subject)
    others = [t for t in study.trials if t.subject == trial.subject and (how == "subject_max" or t != trial)]
    if not others:
        raise Nem2eError(
            f"{study.folder / 'study.toml'}: [emg_processing] normalise = 'other_trials' needs two trials a subject, "
            f"but {trial.subject!r} has only {trial.name!r}; use 'subject_max' or 'references'."
        )
    return reference((_peak(study, t) for t in others), who, study.channels)


def _peak(study: Study, trial: Trial) -> Array:
    activation, processed = study.activation(trial.name), study.processed(trial.name)
    if problem := clocks_apart(trial.emg, processed.storage, trial.activation, activation):
        raise Nem2eError(problem)
    return peak(processed, float(activation.time[0]), float(activation.time[-1]))


def _of_recordings(study: Study, subject: str) -> Array:
    path = study.folder / FILE
    table = read_table(path, ("subject", "emg"))
    rows = table.index[table["subject"] == subject]
    if rows.empty:
        known = table["subject"].unique()
        hint = near(subject, known) or "; give the recordings that its EMG is normalised by."
        raise Nem2eError(f"{path}: no row of subject {subject!r}; found {', '.join(known)}{hint}")
    peaks = [_recorded(study, path, int(row) + 2, str(table["emg"][row])) for row in rows]
    return reference(peaks, f"{path}: subject {subject!r}", study.channels)


def _recorded(study: Study, path: Path, line: int, text: str) -> Array:
    assert study.settings.emg_processing is not None
    problem = path_problem(study.folder, text) if text else "a file is expected."
    if problem:
        raise Nem2eError(f"{path}: line {line}: emg is {text!r}, but {problem}")
    file = study.folder / text
    return peak(process(file, read_raw_emg(file, study.channels), study.settings.emg_processing.recipe))
