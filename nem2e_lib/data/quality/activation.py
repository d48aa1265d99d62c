"""Activation that is doubtful: columns taken for muscles or not, outside 0 to 1, saturated, constant in a cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.checks import (
    CONSTANT,
    LEFT_OUT,
    MISSING_MUSCLE,
    OVERSHOOT,
    RANGE,
    SATURATED,
    UNKNOWN_MUSCLE,
    UNSETTLED,
    Check,
    Note,
)
from nem2e_lib.data.columns import Columns
from nem2e_lib.data.cycles.segment import resample
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.limits import Excursion, band, beside, listed, window, within
from nem2e_lib.data.quality.words import some
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import SPAN, Trial

_FULL = 0.99
"""Activation above it is taken for full."""
_NAMED = 60
"""Strange names that are told one by one, which a person must decide on."""
_WAY = "give the model (study.toml, [activation] model, or --model), or name the muscles in [activation] columns"


def notes(study: Study, report: pd.DataFrame) -> Iterator[Note]:
    """Yield what is doubtful; `report` as `find_cycles` returns it."""
    yield from _outside(study, report)
    yield from _saturated(study)
    yield from _constant(study, report)


def column_notes(tables: Mapping[Path, Columns]) -> Iterator[Note]:
    """Yield which columns of the activation files are muscles and which not, once for all files that are alike."""
    alike: dict[tuple[Check, str], list[Path]] = {}
    for path, columns in tables.items():
        for found in _told(columns):
            alike.setdefault(found, []).append(path)
    for (check, text), paths in alike.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield check.note(f"{paths[0]}{more}: {text}")


def _told(columns: Columns) -> Iterator[tuple[Check, str]]:
    by_kind: dict[str, list[str]] = {}
    for label, kind in columns.left.items():
        by_kind.setdefault(kind, []).append(label)
    if by_kind:
        listed = "; ".join(f"{some(labels)} ({kind})" for kind, labels in by_kind.items())
        muscles = some([muscle_name(label) for label in columns.muscles], 12)
        head = f"columns not taken for muscles ({len(columns.left)}): {listed}"
        yield LEFT_OUT, f"{head}; taken are {len(columns.muscles)}: {muscles}."
    taken = [label for label in columns.unknown if label in columns.muscles]
    left = [label for label in columns.unknown if label in columns.left]
    if taken:
        head = f"taken for muscles although no family of models names them so ({len(taken)})"
        yield UNKNOWN_MUSCLE, f"{head}: {some(taken, _NAMED)}; {_WAY}."
    if left:
        head = f"left out because no family of models names a muscle so ({len(left)})"
        yield UNKNOWN_MUSCLE, f"{head}: {some(left, _NAMED)}; if these are muscles, {_WAY}."
    if columns.absent:
        yield MISSING_MUSCLE, f"has no column of {len(columns.absent)} of the model's muscles: {some(columns.absent)}."


def _outside(study: Study, report: pd.DataFrame) -> Iterator[Note]:
    tolerance = study.settings.activation_tolerance
    unsettled, slight = dict[str, list[Excursion]](), dict[str, list[Excursion]]()
    for trial in study.trials:
        signal = study.activation(trial.name)
        limits, near = band(signal.labels, tolerance), band(signal.labels, OVERSHOOT.limit)
        cycles = report[(report["trial"] == trial.name) & report["number"].notna()]
        rows = list(zip(*(cycles[key].tolist() for key in ("number", *SPAN, "kept")), strict=True))
        spans = {number: window(start, end, study.settings.resampling) for number, start, end, _ in rows}
        found = {number: within(signal, limits, *span) for number, span in spans.items()}
        yield from _broken(study, trial, {number: each for number, each in found.items() if each})
        unsettled[trial.name] = beside(signal, limits, spans.values())
        used = [spans[number] for number, _, _, kept in rows if kept and not found[number]]
        slight[trial.name] = [one for span in used for one in within(signal, near, *span)]
    yield from _in_trials(study, UNSETTLED, tolerance, unsettled, "where no cycle is, which does not matter")
    yield from _in_trials(study, OVERSHOOT, OVERSHOOT.limit, slight, "within cycles, which are used as they are")


def _broken(study: Study, trial: Trial, found: dict[int, list[Excursion]]) -> Iterator[Note]:
    if found:
        cycles = some([f"cycle {number} ({listed(each)})" for number, each in found.items()], 3)
        yield RANGE.note(
            f"{trial.activation}: activation is outside 0 to 1 by more than {study.settings.activation_tolerance:g} in "
            f"{len(found)} cycle(s), which are skipped: {cycles}; simulate that stretch anew, or set [activation] "
            "tolerance in study.toml if the values are meant."
        )


def _in_trials(
    study: Study, check: Check, limit: float, found: dict[str, list[Excursion]], where: str
) -> Iterator[Note]:
    trials = {name: _worst(each) for name, each in found.items() if each}
    worst = sorted(trials, key=lambda name: -trials[name][0].beyond)
    if worst:
        told = some([f"{name} ({listed(trials[name])})" for name in worst], 3)
        yield check.note(
            f"{study.folder}: activation is outside 0 to 1 by more than {limit:g} in {len(worst)} of "
            f"{len(study.trials)} trials {where}: {told}."
        )


def _worst(found: list[Excursion]) -> list[Excursion]:
    """The furthest of each muscle, the furthest first."""
    ordered = sorted(found, key=lambda one: one.beyond)
    return sorted({one.muscle: one for one in ordered}.values(), key=lambda one: -one.beyond)


def _saturated(study: Study) -> Iterator[Note]:
    share = np.array([(study.activation(trial.name).values > _FULL).mean(axis=0) for trial in study.trials])
    worst = sorted(zip(share.max(axis=0), study.muscles, strict=True), key=lambda pair: -pair[0])
    found = [f"{muscle} ({part:.0%} of the time)" for part, muscle in worst if part > SATURATED.limit]
    trials = int((share > SATURATED.limit).any(axis=1).sum())
    if found:
        yield SATURATED.note(
            f"{study.folder}: activation is saturated (above {_FULL:g}) in {trials} of {len(study.trials)} trials; "
            f"{len(found)} muscles, each in its worst trial: {some(found)}."
        )


def _constant(study: Study, report: pd.DataFrame) -> Iterator[Note]:
    points, cycles = np.linspace(0, 100, 20), report[report["kept"]]
    flat: dict[str, list[str]] = {target: [] for target in study.targets}
    for trial, number, start, end in zip(*(cycles[key] for key in ("trial", "number", *SPAN)), strict=True):
        storage = study.activation(trial)
        values = resample(storage, start, end, number, points, study.settings.resampling)
        for target in flat:
            column = values[:, storage.labels.index(target)]
            if np.ptp(column) <= CONSTANT.limit * np.abs(column).max():
                flat[target].append(f"{trial} {number}")
    for target, where in flat.items():
        if where:
            yield CONSTANT.note(
                f"{study.folder}: activation of {target!r} is constant in {len(where)} of {len(cycles)} cycles "
                f"({some(where)}): its correlation with EMG is undefined there."
            )
