"""Activation that is doubtful: saturated, or constant within a cycle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nem2e_lib.data.checks import CONSTANT, SATURATED, Note
from nem2e_lib.data.cycles.segment import resample
from nem2e_lib.data.quality.words import some
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import SPAN

_FULL = 0.99
"""Activation above it is taken for full."""


def notes(study: Study, report: pd.DataFrame) -> Iterator[Note]:
    """Yield what is doubtful; `report` as `find_cycles` returns it."""
    yield from _saturated(study)
    yield from _constant(study, report)


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
