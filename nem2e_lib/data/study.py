"""The study folder: simulated activation, measured EMG and ground reaction force, whoever made it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from nem2e_lib.data.columns import muscle_name
from nem2e_lib.data.emg import normalise
from nem2e_lib.data.emg_clock import Dropout
from nem2e_lib.data.emg_processing import Processed, process
from nem2e_lib.data.emg_table import EmgTable, read_emg_table
from nem2e_lib.data.settings import Settings
from nem2e_lib.data.signals import check_envelope, read_activation, read_emg, read_grf, read_raw_emg
from nem2e_lib.data.storage import Storage
from nem2e_lib.data.tables import near
from nem2e_lib.data.trials import Cycle, Trial
from nem2e_lib.errors import Nem2eError

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
                hint = near(muscle_name(target), self.muscles) or "; name one of its muscle columns."
                raise Nem2eError(
                    f"{self.folder / 'study.toml'}: [emg] {channel} = {target!r} is no muscle column of "
                    f"{self.trials[0].activation}{hint}"
                )
        return tuple(muscle_name(target) for target in self.settings.targets.values())

    def trial(self, name: str) -> Trial:
        """The trial of that name; Nem2eError if there is none."""
        names = [trial.name for trial in self.trials]
        if name not in names:
            raise Nem2eError(f"{self.folder}: no trial {name!r}; found {', '.join(names)}.")
        return self.trials[names.index(name)]

    def cycles_of(self, trial: str) -> list[Cycle]:
        """Rows of ``cycles.csv`` for a trial; none where there is no such file."""
        return [cycle for cycle in self.cycles or () if cycle.trial == trial]

    def activation(self, trial: str) -> Storage:
        """Simulated activation of a trial; labels are `muscles`.

        Raises
        ------
        Nem2eError
            If the file is unreadable, a muscle is missing, or a value is not finite.
        """
        return self._once("activation", trial, self._activation)

    def emg(self, trial: str) -> Storage | EmgTable:
        """Measured EMG envelopes of a trial in the order of `channels`, over time or as a cycle table.

        Where ``study.toml`` has ``[emg_processing]``, they are made from raw EMG and normalised (`references.scale`).

        Raises
        ------
        Nem2eError
            If the file is unreadable, a channel or cycle is missing, or values are not finite or no envelope.
        """
        return self._once("emg", trial, self._emg)

    def processed(self, trial: str) -> Processed:
        """Envelopes made from a trial's raw EMG, not normalised, with what was found on the way.

        Raises
        ------
        Nem2eError
            If the study has no ``[emg_processing]``, or as `emg_processing.process`.
        """
        return self._once("processed", trial, self._processed)

    def dropouts(self, trial: str) -> tuple[Dropout, ...]:
        """Stretches in which a channel of raw EMG recorded nothing; none where EMG comes as envelopes."""
        return self.processed(trial).dropouts if self.settings.emg_processing else ()

    def grf(self, trial: str) -> Storage:
        """Vertical ground reaction force of a trial in N; labels are ``right`` and ``left``.

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
        from nem2e_lib.data.references import scale

        storage = self.processed(trial.name).storage
        return replace(storage, values=normalise(storage.values, scale(self, trial)))

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


def _shifted(storage: Storage, offset_s: float) -> Storage:
    return replace(storage, time=storage.time + offset_s) if offset_s else storage


def load_study(folder: str | Path) -> Study:
    """Read a study folder with everything in it.

    Raises
    ------
    Nem2eError
        At the first problem (`check_study` lists them all).
    """
    from nem2e_lib.data.checks import signal_problems
    from nem2e_lib.data.study_files import read_study

    study, problems = read_study(Path(folder))
    first = next(iter(problems), None) or next(signal_problems(study), None)
    if first is not None:
        raise Nem2eError(first)
    return study
