"""The study folder: simulated activation, measured EMG and ground reaction force, whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.emg.clock import Dropout
from nem2e_lib.data.emg.envelope import normalise
from nem2e_lib.data.emg.processing import Processed, peak, process, reference
from nem2e_lib.data.emg.table import EmgTable, read_emg_table
from nem2e_lib.data.families import counterpart, whose
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.model import Model
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.settings import Settings
from nem2e_lib.data.study.signals import check_envelope, clocks_apart, read_activation, read_emg, read_grf, read_raw_emg
from nem2e_lib.data.study.trials import Cycle, Trial, path_problem
from nem2e_lib.data.tables import near, read_table
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_REFERENCES = "references.csv"

T = TypeVar("T")


@dataclass(frozen=True)
class Study:
    """A study folder; signals are read when first asked for, and kept.

    Attributes
    ----------
    folder : Path
    settings : Settings
        Content of ``study.toml``.
    trials : tuple of Trial
        In the order of ``trials.csv``.
    cycles : tuple of Cycle or None
        Rows of ``cycles.csv``; None if there is no such file and cycles are cut from ground reaction force.
    """

    folder: Path
    settings: Settings
    trials: tuple[Trial, ...]
    cycles: tuple[Cycle, ...] | None = None
    _kept: dict[tuple[str, str], object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.settings.name

    @property
    def channels(self) -> tuple[str, ...]:
        """EMG names, in the order of ``[emg]``."""
        return tuple(self.settings.targets)

    @property
    def muscles(self) -> tuple[str, ...]:
        """Muscle names, in the order of the first trial's file or of ``[activation] columns``."""
        return self.activation(self.trials[0].name).labels

    @property
    def targets(self) -> tuple[str, ...]:
        """Muscle of each channel; Nem2eError if an EMG name maps to no muscle column."""
        for channel, target in self.settings.targets.items():
            if muscle_name(target) not in self.muscles:
                hint = _meant(muscle_name(target), self.muscles, self.settings.model)
                raise Nem2eError(
                    f"{self.folder / 'study.toml'}: [emg] {channel} = {target!r} is no muscle column of "
                    f"{self.trials[0].activation}{hint}"
                )
        return tuple(muscle_name(target) for target in self.settings.targets.values())

    def trial(self, name: str) -> Trial:
        """Return the trial of that name; Nem2eError if there is none."""
        names = [trial.name for trial in self.trials]
        if name not in names:
            raise Nem2eError(f"{self.folder}: no trial {name!r}; found {', '.join(names)}.")
        return self.trials[names.index(name)]

    def cycles_of(self, trial: str) -> list[Cycle]:
        """Return the rows of ``cycles.csv`` for a trial; none where there is no such file."""
        return [cycle for cycle in self.cycles or () if cycle.trial == trial]

    def activation(self, trial: str) -> Storage:
        """Return the simulated activation of a trial; labels are `muscles`.

        Raises
        ------
        Nem2eError
            If the file is unreadable, a muscle is missing, or a value is not finite.
        """
        return self._once("activation", trial, self._activation)

    def emg(self, trial: str) -> Storage | EmgTable:
        """Return a trial's measured EMG envelopes in the order of `channels`, over time or as a cycle table.

        Where ``study.toml`` has ``[emg_processing]``, they are made from raw EMG and normalised.

        Raises
        ------
        Nem2eError
            If the file is unreadable, a channel or cycle is missing, or values are not finite or no envelope.
        """
        return self._once("emg", trial, self._emg)

    def processed(self, trial: str) -> Processed:
        """Return envelopes made from a trial's raw EMG, not normalised, with what was found on the way.

        Raises
        ------
        Nem2eError
            If the study has no ``[emg_processing]``, or as `process`.
        """
        return self._once("processed", trial, self._processed)

    def dropouts(self, trial: str) -> tuple[Dropout, ...]:
        """Return stretches in which a channel of raw EMG recorded nothing; none where EMG comes as envelopes."""
        return self.processed(trial).dropouts if self.settings.emg_processing else ()

    def grf(self, trial: str) -> Storage:
        """Return the vertical ground reaction force of a trial in N; labels are ``right`` and ``left``.

        Raises
        ------
        Nem2eError
            If the trial has no such file, the columns are not found, or a value is not finite.
        """
        return self._once("grf", trial, self._grf)

    def _once(self, kind: str, name: str, read: Callable[[Trial], T]) -> T:
        if (kind, name) not in self._kept:
            self._kept[kind, name] = read(self.trial(name))
        return self._kept[kind, name]  # type: ignore[return-value]

    def _activation(self, trial: Trial) -> Storage:
        muscles = () if trial == self.trials[0] else self.muscles
        return _shifted(read_activation(trial.activation, self.settings, muscles), trial.activation_offset_s)

    def _emg(self, trial: Trial) -> Storage | EmgTable:
        if self.settings.emg_processing is not None:
            return self._normalised(trial)
        if not trial.has_emg_table:
            return _shifted(read_emg(trial.emg, self.channels), trial.emg_offset_s)
        table = read_emg_table(trial.emg, self.channels)
        for cycle in self.cycles_of(trial.name):
            check_envelope(trial.emg, self.channels, table.waveform(cycle.number))
        return table

    def _normalised(self, trial: Trial) -> Storage:
        storage = self.processed(trial.name).storage
        return replace(storage, values=normalise(storage.values, _scale(self, trial)))

    def _processed(self, trial: Trial) -> Processed:
        if self.settings.emg_processing is None:
            raise Nem2eError(f"{self.folder / 'study.toml'}: no [emg_processing], so EMG is not processed.")
        if trial.has_emg_table:
            raise Nem2eError(
                f"{self.folder / 'trials.csv'}: trial {trial.name!r} has EMG as a cycle table, but [emg_processing] "
                "in study.toml expects raw recordings (.sto or .mot); give those or take that section out."
            )
        raw = _shifted(read_raw_emg(trial.emg, self.channels), trial.emg_offset_s)
        done = process(trial.emg, raw, self.settings.emg_processing.recipe)
        check_envelope(trial.emg, self.channels, done.storage.values, done.storage.time)
        return done

    def _grf(self, trial: Trial) -> Storage:
        if trial.grf is None:
            raise Nem2eError(f"{self.folder / 'trials.csv'}: trial {trial.name!r} has no grf file.")
        return _shifted(read_grf(trial.grf, self.settings), trial.grf_offset_s)


def _meant(name: str, muscles: Sequence[str], model: Model | None) -> str:
    """Which of the muscles a name may mean: the same one as another model calls it, or one spelt nearly so."""
    if model is not None and name not in model.muscles:
        return f", as {model.path} has no muscle of that name; give the model that was simulated, or name its muscle."
    if same := counterpart(name, muscles):
        return f"; it has {same!r}, which is that muscle as {whose(same)} names it: write {same!r}."
    return near(name, muscles) or "; name one of its muscle columns."


def _shifted(storage: Storage, offset_s: float) -> Storage:
    return replace(storage, time=storage.time + offset_s) if offset_s else storage


def _scale(study: Study, trial: Trial) -> Array:
    """Return the divisor of each channel's envelope in a trial, shape (channels,).

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
    path = study.folder / _REFERENCES
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
