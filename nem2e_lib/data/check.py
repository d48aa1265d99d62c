"""Every problem of a study folder, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nem2e_lib.data.checks import FILE, LEGS, SAME_LABEL, UNUSED, WITHOUT, Note, heeded
from nem2e_lib.data.cycles.find import find_cycles, first_reason
from nem2e_lib.data.cycles.normalise import normalised
from nem2e_lib.data.emg.processing import OF_CYCLES
from nem2e_lib.data.exports.formats import read_recording, seen
from nem2e_lib.data.quality.activation import column_notes
from nem2e_lib.data.quality.notes import doubts
from nem2e_lib.data.quality.words import some
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.load import read_study, signal_problems
from nem2e_lib.data.study.signals import columns_of
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import OPTIONAL, TRIAL_COLUMNS
from nem2e_lib.data.tables import as_read, near, stray_columns
from nem2e_lib.error import Nem2eError


def check_study(folder: str | Path, model: str | Path | None = None) -> list[str]:
    """Return every problem found in a study folder, one sentence each; none if it can be segmented whole.

    Signals are judged once ``study.toml``, ``trials.csv`` and ``cycles.csv`` are in order. Beyond what
    `load_study` refuses, a trial without a complete gait cycle is a problem here (`segment` skips it). The model that
    is given decides what is a muscle, as in `load_study`.
    """
    return _problems(*read_study(Path(folder), model))


def examine(folder: str | Path, model: str | Path | None = None) -> tuple[list[str], list[str]]:
    """Return what `check_study` and `study_notes` do, every file read once; no notes where there is a problem."""
    study, found = read_study(Path(folder), model)
    with seen() as read:
        problems = _problems(study, found)
    return problems, [] if problems else _notes(study, read)


def _problems(study: Study, found: list[str]) -> list[str]:
    problems = found or list(signal_problems(study))
    return list(dict.fromkeys(problems or _without_cycle(study)))


def study_notes(folder: str | Path, model: str | Path | None = None) -> list[str]:
    """Return what is odd, doubtful or left unused in a study without being a problem, one sentence each.

    Each ends in the name of its check, by which ``[checks]`` of ``study.toml`` can have it ignored.

    Raises
    ------
    Nem2eError
        If the study cannot be read.
    """
    study, problems = read_study(Path(folder), model)
    if problems:
        raise Nem2eError(problems[0])
    return _notes(study, {})


def _notes(study: Study, read: Mapping[Path, Storage]) -> list[str]:
    """Notes of a study without problems; what of its files was read already is not read again for its heads."""
    activation, tables, notes = {trial.activation for trial in study.trials}, {}, list[Note]()
    for path in _files(study):
        storage = read.get(path) or read_recording(path)
        notes += [FILE.note(f"{path}: {odd}") for odd in storage.warnings]
        if path in activation:
            tables[path] = columns_of(path, storage, study.settings)
    notes += column_notes(tables)
    notes += [*_stray_columns(study), *_nearly_same(study), *_without(study), *_legs(study), *doubts(study)]
    return heeded(notes, study.settings.ignored, str(study.folder / "study.toml"))


def _nearly_same(study: Study) -> Iterator[Note]:
    """Labels that a person would read as one: left apart, one subject would be held out and trained on at once."""
    for column, labels in (
        ("subject", [trial.subject for trial in study.trials]),
        ("speed", [trial.speed for trial in study.trials]),
        ("condition", [trial.condition for trial in study.trials]),
    ):
        alike: dict[str, list[str]] = {}
        for label in dict.fromkeys(labels):
            alike.setdefault(as_read(label), []).append(label)
        for same in alike.values():
            if len(same) > 1:
                yield SAME_LABEL.note(
                    f"{study.folder / 'trials.csv'}: {column} is written {', '.join(map(repr, same))}, which count as "
                    f"{len(same)} {column}s; write one of them if they are the same."
                )


def _without(study: Study) -> Iterator[Note]:
    """Channels that some trials do without, with how many people are left for each."""
    people = list(dict.fromkeys(trial.subject for trial in study.trials))
    for channel in study.channels:
        lost = [trial for trial in study.trials if channel in trial.without]
        if lost:
            have = {trial.subject for trial in study.trials if trial not in lost}
            yield WITHOUT.note(
                f"{study.folder / 'trials.csv'}: {some([trial.name for trial in lost])} without EMG {channel!r}: "
                f"it is learnt and judged on {len(have)} of {len(people)} subjects."
            )


def _legs(study: Study) -> Iterator[Note]:
    """People of whom one channel comes from two electrodes."""
    processing = study.settings.emg_processing
    legs: dict[str, set[str]] = {}
    for trial in study.trials:
        legs.setdefault(trial.subject, set()).add(trial.leg)
    both = [subject for subject, found in legs.items() if len(found) > 1]
    if both and processing is not None and processing.normalise in OF_CYCLES:
        yield LEGS.note(
            f"{study.folder / 'trials.csv'}: EMG of {some(both)} comes from both legs; each leg is divided by "
            "its own maximum."
        )


def _stray_columns(study: Study) -> Iterator[Note]:
    path, known = study.folder / "trials.csv", (*TRIAL_COLUMNS, *OPTIONAL)
    for name in stray_columns(path, known):
        yield UNUSED.note(f"{path}: column {name!r} is not used{near(name, known) or '.'}")


def _without_cycle(study: Study) -> Iterator[str]:
    report = find_cycles(study)
    try:
        normalised(study, report)
    except Nem2eError as error:
        yield str(error)
    for trial, rows in report.groupby("trial", sort=False):
        if not rows["kept"].any():
            yield (
                f"{study.folder / 'trials.csv'}: trial {trial!r} has no usable gait cycle "
                f"({first_reason(rows)}); record or simulate more of it, or take it out."
            )


def _files(study: Study) -> list[Path]:
    emg = {trial.name: None if trial.has_emg_table else trial.emg for trial in study.trials}
    paths = [
        path
        for trial in study.trials
        for path in (trial.activation, emg[trial.name], trial.grf, *dict(trial.beside).values())
    ]
    return [path for path in paths if path is not None]
