"""Every problem of a study folder, one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from nem2e_lib.data.cycles import EDGE_S, find_cycles
from nem2e_lib.data.quality import quality_notes
from nem2e_lib.data.signals import clocks_apart, left_out
from nem2e_lib.data.storage import Storage, read_storage
from nem2e_lib.data.study import Study
from nem2e_lib.data.study_files import read_study
from nem2e_lib.data.tables import near, stray_columns
from nem2e_lib.data.trials import OPTIONAL, TRIAL_COLUMNS, Trial
from nem2e_lib.errors import Nem2eError


def check_study(folder: str | Path) -> list[str]:
    """Every problem found in a study folder, one sentence each; none if it can be segmented whole.

    Signals are judged once ``study.toml``, ``trials.csv`` and ``cycles.csv`` are in order. Beyond what
    `load_study` refuses, a trial without a complete gait cycle is a problem here (`segment` skips it).
    """
    study, problems = read_study(Path(folder))
    problems = problems or list(signal_problems(study))
    return list(dict.fromkeys(problems or _without_cycle(study)))


def study_notes(folder: str | Path) -> list[str]:
    """What is odd, doubtful or left unused in a study without being a problem, one sentence each.

    Raises
    ------
    Nem2eError
        If the study cannot be read.
    """
    study, problems = read_study(Path(folder))
    if problems:
        raise Nem2eError(problems[0])
    notes = [f"{path}: {odd}" for path in _files(study) for odd in read_storage(path).warnings]
    unused = left_out(study.trials[0].activation, study.settings)
    if unused:
        path = study.trials[0].activation
        notes.append(f"{path}: columns not taken for muscles ({len(unused)}): {', '.join(unused)}.")
    return list(dict.fromkeys([*notes, *_stray_columns(study), *quality_notes(study)]))


def _stray_columns(study: Study) -> Iterator[str]:
    path, known = study.folder / "trials.csv", (*TRIAL_COLUMNS, *OPTIONAL)
    for name in stray_columns(path, known):
        yield f"{path}: column {name!r} is not used{near(name, known) or '.'}"


def signal_problems(study: Study) -> Iterator[str]:
    """Problems of the signals themselves: columns, values, times, and cycles that lie outside them."""
    sound = []
    for trial in study.trials:
        found = list(_unreadable(study, trial))
        yield from found
        sound += [] if found else [trial]
    yield from _refusals(lambda: study.targets)
    for trial in sound:
        yield from _apart(study, trial)
        yield from _outside(study, trial)


def _unreadable(study: Study, trial: Trial) -> Iterator[str]:
    yield from _refusals(lambda: study.activation(trial.name))
    yield from _refusals(lambda: study.emg(trial.name))
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


def _apart(study: Study, trial: Trial) -> Iterator[str]:
    """Signals on different clocks."""
    others = [(trial.emg, study.emg(trial.name))]
    if study.cycles is None and trial.grf is not None:
        others.append((trial.grf, study.grf(trial.name)))
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


def _without_cycle(study: Study) -> Iterator[str]:
    report = find_cycles(study)
    for trial, rows in report.groupby("trial", sort=False):
        if not rows["kept"].any():
            yield (
                f"{study.folder / 'trials.csv'}: trial {trial!r} has no usable gait cycle "
                f"({rows['reason'].iloc[0]}); record more of it or take it out."
            )


def _files(study: Study) -> list[Path]:
    paths = [path for trial in study.trials for path in (trial.activation, trial.emg, trial.grf)]
    return [path for path in paths if path is not None and path.suffix.lower() != ".csv"]
