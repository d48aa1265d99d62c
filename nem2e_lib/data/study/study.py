"""The study folder: simulated activation, measured EMG and ground reaction force, whoever made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from nem2e_lib.data.emg.clock import Dropout
from nem2e_lib.data.emg.processing import Processed, process
from nem2e_lib.data.emg.table import EmgTable, read_emg_table
from nem2e_lib.data.families import counterpart, whose
from nem2e_lib.data.force.events import Events, find_events
from nem2e_lib.data.force.feet import Feet, read_feet
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.model import Model
from nem2e_lib.data.places import place
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.beside import PER_MASS, SETS, read_beside, same_inputs
from nem2e_lib.data.study.settings import Settings
from nem2e_lib.data.study.signals import check_envelope, read_activation, read_emg, read_raw_emg, widened
from nem2e_lib.data.study.trials import Cycle, Trial, scale_problem
from nem2e_lib.data.tables import near, read_table
from nem2e_lib.error import Nem2eError

_REFERENCES = "references.csv"

T = TypeVar("T")
_ACTIVATION = ("name", "speed_m_s", "activation", "activation_offset_s")
_MORE = ("beside", "mass_kg")
_ASIDE = {
    **dict.fromkeys(("emg", "processed"), (*_ACTIVATION, *_MORE, "grf", "grf_offset_s")),
    **dict.fromkeys(("feet", "events"), (*_ACTIVATION, *_MORE, "emg", "emg_offset_s", "emg_scale")),
}
"""What of a trial a signal does not depend on."""


@dataclass(frozen=True)
class Reference:
    """A recording that a subject's EMG is normalised by: a maximal contraction, a calibration walk."""

    path: Path
    processed: Processed


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
    _kept: dict[tuple[str, object], object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.settings.name

    @property
    def channels(self) -> tuple[str, ...]:
        """EMG names, in the order of ``[emg]``."""
        return tuple(self.settings.targets)

    @property
    def has_conditions(self) -> bool:
        """Whether ``trials.csv`` tells the condition of a trial."""
        return any(trial.condition for trial in self.trials)

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

    @property
    def input_sets(self) -> dict[str, str]:
        """Sets of inputs that the trials tell beside activation, and their units; none without such files."""
        per = "/kg" if np.isfinite(self.trials[0].mass_kg) else ""
        there = [name for name, _ in self.trials[0].beside]
        return {name: f"{SETS[name].unit}{per if name in PER_MASS else ''}" for name in there}

    def trial(self, name: str) -> Trial:
        """Return the trial of that name; Nem2eError if there is none."""
        names = [trial.name for trial in self.trials]
        if name not in names:
            raise Nem2eError(f"{self.folder}: no trial {name!r}; found {', '.join(names)}.")
        return self.trials[names.index(name)]

    def recorded(self, trial: str) -> tuple[str, ...]:
        """Return the channels that a trial does not go without, in the order of `channels`."""
        without = self.trial(trial).without
        return tuple(name for name in self.channels if name not in without)

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

        A channel that the trial does without (``trials.csv``) is NaN throughout.

        Where ``study.toml`` has ``[emg_processing]``, they are made from raw EMG, and still in its unit:
        `cycles.normalise` divides them.

        Raises
        ------
        Nem2eError
            If the file is unreadable, a channel or cycle is missing, or values are not finite or no envelope.
        """
        return self._once("emg", trial, self._emg)

    def processed(self, trial: str) -> Processed:
        """Return envelopes made from a trial's raw EMG, of the `recorded` channels, with what was found on the way.

        Raises
        ------
        Nem2eError
            If the study has no ``[emg_processing]``, or as `process`.
        """
        return self._once("processed", trial, self._processed)

    def dropouts(self, trial: str) -> tuple[Dropout, ...]:
        """Return stretches in which a channel of raw EMG recorded nothing; none where EMG comes as envelopes."""
        return self.processed(trial).dropouts if self.settings.emg_processing else ()

    def references(self, subject: str) -> tuple[Reference, ...]:
        """Return the recordings that ``references.csv`` names for a subject, made into envelopes.

        They hold the channels that one of the subject's trials has.

        Raises
        ------
        Nem2eError
            If the table has none of the subject, or a recording cannot be read or processed.
        """
        if ("references", subject) not in self._kept:
            self._kept["references", subject] = tuple(_references(self, subject))
        return self._kept["references", subject]  # type: ignore[return-value]

    def grf(self, trial: str) -> Storage:
        """Return the vertical ground reaction force of a trial in N; labels are ``right`` and ``left``.

        Raises
        ------
        Nem2eError
            If the trial has no such file, the columns are not found, or a value is not finite.
        """
        return self.feet(trial).force

    def feet(self, trial: str) -> Feet:
        """Return the same with the columns that it was read from and what is to be told of them; errors as `grf`."""
        return self._once("feet", trial, self._feet)

    def events(self, trial: str) -> Events:
        """Return the contacts of both feet in the ground reaction force of a trial; errors as `grf`."""
        return self._once("events", trial, lambda found: find_events(self.feet(found.name), self.settings.limits))

    def beside(self, trial: str, which: str) -> Storage:
        """Return what a trial tells beside activation of one of `input_sets`, on the trial's clock.

        Labels are as of `beside.read_beside`. Moments and forces are divided by body mass where ``trials.csv`` tells
        it.

        Raises
        ------
        Nem2eError
            If the trial has no such file, its columns are others than the first trial's, or as `beside.read_beside`.
        """
        return self._once(f"beside {which}", trial, lambda found: self._beside(found, which))

    def _beside(self, trial: Trial, which: str) -> Storage:
        files, first = dict(trial.beside), self.trials[0]
        if which not in files:
            raise Nem2eError(f"{self.folder / 'trials.csv'}: trial {trial.name!r} names no file of {SETS[which].what}.")
        found = read_beside(which, files[which], self.targets, self.muscles, trial.leg)
        if trial != first:
            found = same_inputs(files[which], found, self.beside(first.name, which), dict(first.beside)[which])
        by_mass = which in PER_MASS and np.isfinite(trial.mass_kg)
        return _shifted(_scaled(found, 1 / trial.mass_kg if by_mass else 1), trial.activation_offset_s)

    def _once(self, kind: str, name: str, read: Callable[[Trial], T]) -> T:
        trial = self.trial(name)
        key = kind, _source(kind, trial)
        if key not in self._kept:
            self._kept[key] = read(trial)
        return self._kept[key]  # type: ignore[return-value]

    def _activation(self, trial: Trial) -> Storage:
        muscles = () if trial == self.trials[0] else self.muscles
        return _shifted(read_activation(trial.activation, self.settings, muscles), trial.activation_offset_s)

    def _emg(self, trial: Trial) -> Storage | EmgTable:
        if self.settings.emg_processing is not None:
            return widened(self.processed(trial.name).storage, self.channels)
        recorded = self.recorded(trial.name)
        if not trial.has_emg_table:
            envelopes = _scaled(_shifted(read_emg(trial.emg, recorded), trial.emg_offset_s), trial.emg_scale)
            return widened(envelopes, self.channels)
        table = read_emg_table(trial.emg, self.channels, trial.without).times(trial.emg_scale)
        there = [self.channels.index(name) for name in recorded]
        for cycle in self.cycles_of(trial.name):
            check_envelope(trial.emg, recorded, table.waveform(cycle.number)[:, there])
        return table

    def _processed(self, trial: Trial) -> Processed:
        if self.settings.emg_processing is None:
            raise Nem2eError(f"{self.folder / 'study.toml'}: no [emg_processing], so EMG is not processed.")
        if trial.has_emg_table:
            raise Nem2eError(
                f"{self.folder / 'trials.csv'}: trial {trial.name!r} has EMG as a cycle table, but [emg_processing] "
                "in study.toml expects raw recordings (.sto or .mot); give those or take that section out."
            )
        recorded = self.recorded(trial.name)
        raw = _scaled(_shifted(read_raw_emg(trial.emg, recorded), trial.emg_offset_s), trial.emg_scale)
        done = process(trial.emg, raw, self.settings.emg_processing.recipe)
        check_envelope(trial.emg, recorded, done.storage.values, done.storage.time)
        return done

    def _feet(self, trial: Trial) -> Feet:
        if trial.grf is None:
            raise Nem2eError(f"{self.folder / 'trials.csv'}: trial {trial.name!r} has no grf file.")
        return read_feet(trial.grf, self.settings.grf_right, self.settings.grf_left).later(trial.grf_offset_s)


def _source(kind: str, trial: Trial) -> tuple[object, ...]:
    """What a signal of a trial depends on: the cycles of one recording may be trials of their own and share it."""
    aside = () if trial.has_emg_table else _ASIDE.get(kind, ())
    return tuple(getattr(trial, each.name) for each in fields(trial) if each.name not in aside)


def _meant(name: str, muscles: Sequence[str], model: Model | None) -> str:
    """Which of the muscles a name may mean: the same one as another model calls it, or one spelt nearly so."""
    if model is not None and name not in model.muscles:
        return f", as {model.path} has no muscle of that name; give the model that was simulated, or name its muscle."
    if same := counterpart(name, muscles):
        return f"; it has {same!r}, which is that muscle as {whose(same)} names it: write {same!r}."
    return near(name, muscles) or "; name one of its muscle columns."


def _shifted(storage: Storage, offset_s: float) -> Storage:
    return replace(storage, time=storage.time + offset_s) if offset_s else storage


def _scaled(storage: Storage, scale: float) -> Storage:
    return replace(storage, values=scale * storage.values) if scale != 1 else storage


def _references(study: Study, subject: str) -> Iterator[Reference]:
    path = study.folder / _REFERENCES
    table = read_table(path, ("subject", "emg"), ("emg_scale",))
    rows = table[table["subject"] == subject]
    if rows.empty:
        known = table["subject"].unique()
        hint = near(subject, known) or "; give the recordings that its EMG is normalised by."
        raise Nem2eError(f"{path}: no row of subject {subject!r}; found {', '.join(known)}{hint}")
    for row, text, scale in zip(rows.index, rows["emg"].astype(str), rows["emg_scale"].astype(str), strict=True):
        where = f"{path}: line {int(row)}"
        file, problem = place(study.folder, text) if text else (study.folder, "a file is expected.")
        if problem:
            raise Nem2eError(f"{where}: emg is {text!r}, but {problem}")
        if problem := scale_problem(scale):
            raise Nem2eError(f"{where}: {problem}")
        yield _reference(study, subject, file, float(scale or 1))


def _reference(study: Study, subject: str, path: Path, scale: float) -> Reference:
    assert study.settings.emg_processing is not None
    has = {name for trial in study.trials if trial.subject == subject for name in study.recorded(trial.name)}
    raw = _scaled(read_raw_emg(path, [name for name in study.channels if name in has]), scale)
    return Reference(path, process(path, raw, study.settings.emg_processing.recipe))
