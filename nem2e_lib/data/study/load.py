"""A study folder read: its three tables, and every problem of its signals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from nem2e_lib.data.model import read_model
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.settings import Settings, read_settings
from nem2e_lib.data.study.signals import clocks_apart
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import EDGE_S, Cycle, Trial, read_cycles, read_trials
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError

T = TypeVar("T")


def load_study(folder: str | Path, model: str | Path | None = None) -> Study:
    """Read a study folder with everything in it.

    Parameters
    ----------
    folder : str or Path
    model : str or Path, optional
        OpenSim model whose muscles are those of the activation files, before the one that ``study.toml`` may name.

    Raises
    ------
    Nem2eError
        At the first problem (`check_study` lists them all).
    """
    study, problems = read_study(Path(folder), model)
    first = next(iter(problems), None) or next(signal_problems(study), None)
    if first is not None:
        raise Nem2eError(first)
    return study


def read_study(folder: Path, model: str | Path | None = None) -> tuple[Study, list[str]]:
    """Read a study without its signals, and every problem of ``study.toml``, ``trials.csv`` and ``cycles.csv``."""
    if not (folder / "study.toml").is_file():
        return Study(folder, Settings(), ()), [
            f"{folder}: no study.toml found; a study folder with study.toml and trials.csv is expected."
        ]
    settings, problems = _try(Settings(), read_settings, folder / "study.toml")
    if model is not None and not problems:
        settings = replace(settings, model=read_model(Path(model)))
    no_trials: list[Trial] = []
    trials, more = _try(no_trials, read_trials, folder / "trials.csv")
    study, problems = Study(folder, settings, tuple(trials)), problems + more
    if not problems:
        problems = list(_not_recorded(study))
    if not (folder / "cycles.csv").exists():
        return study, problems
    names = None if more else [trial.name for trial in trials]
    no_cycles: list[Cycle] = []
    cycles, more = _try(no_cycles, read_cycles, folder / "cycles.csv", names)
    return replace(study, cycles=tuple(cycles)), problems + more


def _not_recorded(study: Study) -> Iterator[str]:
    """What is wrong with the column without: it names no channel, or leaves nothing of a trial or a channel."""
    path = study.folder / "trials.csv"
    for trial in study.trials:
        for name in trial.without:
            if name not in study.channels:
                hint = near(name, study.channels) or f"; [emg] of study.toml has {', '.join(study.channels)}."
                yield f"{path}: trial {trial.name!r}: without names {name!r}, which is no EMG name{hint}"
        if not study.recorded(trial.name):
            yield f"{path}: trial {trial.name!r} does without every EMG channel; take it out."
    for name in study.channels:
        if all(name in trial.without for trial in study.trials):
            yield f"{path}: every trial does without EMG {name!r}; take it out of study.toml, [emg]."


def _try(default: T, read: Callable[..., tuple[T, list[str]]], *arguments: object) -> tuple[T, list[str]]:
    try:
        return read(*arguments)
    except Nem2eError as error:
        return default, [str(error)]


def signal_problems(study: Study) -> Iterator[str]:
    """Yield the problems of the signals themselves: columns, values, times, and cycles that lie outside them."""
    sound = []
    for trial in study.trials:
        found = list(_unreadable(study, trial))
        yield from found
        sound += [] if found else [trial]
    yield from _refusals(lambda: study.targets)
    yield from _unnormalised(study)
    for trial in sound:
        yield from _apart(study, trial)
        yield from _outside(study, trial)


def _unreadable(study: Study, trial: Trial) -> Iterator[str]:
    yield from _refusals(lambda: study.activation(trial.name))
    yield from _refusals(lambda: study.emg(trial.name))
    for which in study.input_sets:
        yield from _refusals(partial(study.beside, trial.name, which))
    if study.cycles is not None:
        return
    table = study.folder / "trials.csv"
    if trial.grf is None:
        yield f"{table}: trial {trial.name!r} has no grf file, and there is no cycles.csv; give one."
    else:
        yield from _refusals(lambda: study.grf(trial.name))
    if trial.has_emg_table:
        yield f"{table}: trial {trial.name!r} has EMG as a cycle table, which needs a cycles.csv; give one."


def _refusals(read: Callable[[], object]) -> Iterator[str]:
    try:
        read()
    except Nem2eError as error:
        yield str(error)


def _unnormalised(study: Study) -> Iterator[str]:
    """Subjects for whom there is nothing to normalise by, whatever their cycles."""
    how = study.settings.emg_processing.normalise if study.settings.emg_processing else ""
    subjects = [trial.subject for trial in study.trials]
    for subject in dict.fromkeys(subjects):
        if how == "references":
            yield from _refusals(partial(study.references, subject))
        if how == "other_trials" and subjects.count(subject) == 1:
            trial = study.trials[subjects.index(subject)]
            yield (
                f"{study.folder / 'study.toml'}: [emg_processing] normalise = 'other_trials' needs two trials a "
                f"subject, but {subject!r} has only {trial.name!r}; use 'subject_max' or 'references'."
            )


def _apart(study: Study, trial: Trial) -> Iterator[str]:
    """Signals on different clocks."""
    others = [(trial.emg, study.emg(trial.name))]
    if study.cycles is None and trial.grf is not None:
        others.append((trial.grf, study.grf(trial.name)))
    others += [(path, study.beside(trial.name, which)) for which, path in trial.beside]
    activation = study.activation(trial.name)
    for path, signal in others:
        if isinstance(signal, Storage) and (problem := clocks_apart(path, signal, trial.activation, activation)):
            yield problem


def _outside(study: Study, trial: Trial) -> Iterator[str]:
    start, end = study.activation(trial.name).time[[0, -1]]
    for cycle in study.cycles_of(trial.name):
        if cycle.start_s < start - EDGE_S or cycle.end_s > end + EDGE_S:
            yield (
                f"{study.folder / 'cycles.csv'}: trial {trial.name!r}, cycle {cycle.number} runs from "
                f"{cycle.start_s:g} to {cycle.end_s:g} s, but its activation from {start:g} to {end:g} s; "
                "correct the times or take the row out."
            )
