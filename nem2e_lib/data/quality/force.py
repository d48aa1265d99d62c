"""Vertical force that is doubtful: clipped, with a zero that moves, on plates whose side is not sure, strides lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import CLIPPED, Note
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import Trial

Array = NDArray[np.float64]


def notes(study: Study) -> Iterator[Note]:
    """Yield what is doubtful, trial by trial; nothing where cycles come from a table."""
    for trial in study.trials if study.cycles is None else ():
        if trial.grf is not None:
            yield from _clipped(study, trial, trial.grf)
            yield from of_events(study, trial)


def of_events(study: Study, trial: Trial) -> Iterator[Note]:
    """Yield what is doubtful in finding a trial's cycles in its force."""
    events, signals = study.events(trial.name), [study.activation(trial.name), study.emg(trial.name)]
    clocks = [signal.time for signal in signals if isinstance(signal, Storage)]
    start, end = max(float(time[0]) for time in clocks), min(float(time[-1]) for time in clocks)
    yield from events.notes
    yield from events.coverage(study.settings.cycle, start, end)


def _clipped(study: Study, trial: Trial, path: Path) -> Iterator[Note]:
    grf = study.grf(trial.name)
    for side, force in zip(grf.labels, grf.values.T, strict=True):
        highest = float(force.max())
        if highest > study.settings.threshold_n and held_s(grf.time, force == highest) >= CLIPPED.limit:
            yield CLIPPED.note(
                f"{path}: {side} vertical force stays at its highest value, {highest:.5g} N, for "
                f"{held_s(grf.time, force == highest):.2g} s; it seems to be clipped."
            )


def held_s(time: Array, flags: NDArray[np.bool_]) -> float:
    """Return the duration of the longest run of at least three flags, in s; 0 if there is none."""
    return max((float(time[last] - time[first]) for first, last in runs(flags) if last - first >= 2), default=0.0)
