"""What each EMG channel comes to in each kept cycle: how high, when, how much of it, how shaped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.emg.table import EmgTable
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import SPAN

Array = NDArray[np.float64]

PHASES = 101
_LEVEL = 75.0  # percentile of a cycle's samples: an artefact of a tenth of the cycle does not move it


@dataclass(frozen=True, eq=False)
class Levels:
    """Envelopes of the kept cycles, in the unit of the study's EMG files.

    Attributes
    ----------
    cycles : DataFrame
        The kept rows of `find_cycles`, in order.
    peak, peak_s : float64 arrays, shape (cycles, channels)
        The highest value of each cycle, and its time on the trial's clock in s.
        NaN, like all others, where the trial does without the channel.
    level : float64 array, shape (cycles, channels)
        The value below which three quarters of the cycle lie.
    variation : float64 array, shape (cycles, channels)
        Standard deviation over mean; NaN where the mean is not above 0.
    curve : float64 array, shape (cycles, 101, channels)
        Over the phase of the cycle.
    """

    cycles: pd.DataFrame
    peak: Array
    peak_s: Array
    level: Array
    variation: Array
    curve: Array

    def of(self, **who: str) -> NDArray[np.bool_]:
        """Return which cycles are of a subject, leg, speed, condition or trial."""
        chosen = np.ones(len(self.cycles), bool)
        for key, value in who.items():
            chosen &= (self.cycles[key] == value).to_numpy()
        return chosen


def levels(study: Study, report: pd.DataFrame) -> Levels:
    """Return the levels of a study; `report` as `find_cycles` returns it."""
    kept = report[report["kept"]].reset_index(drop=True)
    kept = kept.assign(leg=[study.trial(name).leg for name in kept["trial"]])
    rows = zip(*(kept[key] for key in ("trial", "number", *SPAN)), strict=True)
    found = [_of_cycle(*_inside(study.emg(trial), start, end, number)) for trial, number, start, end in rows]
    shape = (len(kept), len(study.channels))
    peak, peak_s, level, variation = (np.array([each[part] for each in found]).reshape(shape) for part in range(4))
    curve = np.array([each[4] for each in found]).reshape(len(kept), PHASES, len(study.channels))
    return Levels(kept, peak, peak_s, level, variation, curve)


def modulation(signal: Storage, cycles: pd.DataFrame) -> Array:
    """Return the `variation` of a signal within some cycles, shape (cycles, channels)."""
    spans = zip(cycles["start_s"], cycles["end_s"], strict=True)
    return np.array([_variation(_inside(signal, start, end, 0)[1]) for start, end in spans])


def _inside(signal: Storage | EmgTable, start: float, end: float, number: int) -> tuple[Array, Array]:
    """Time and values within a cycle, its two ends between samples included."""
    if isinstance(signal, EmgTable):
        return np.linspace(start, end, PHASES), signal.waveform(int(number), np.linspace(0, 100, PHASES))
    within = signal.time[(signal.time > start) & (signal.time < end)]
    time = np.concatenate([[start], within, [end]])
    return time, np.column_stack([np.interp(time, signal.time, column) for column in signal.values.T])


def _of_cycle(time: Array, values: Array) -> tuple[Array, Array, Array, Array, Array]:
    phases = np.linspace(time[0], time[-1], PHASES)
    curve = np.column_stack([np.interp(phases, time, column) for column in values.T])
    level = np.percentile(values, _LEVEL, axis=0)
    return values.max(axis=0), time[values.argmax(axis=0)], level, _variation(values), curve


def _variation(values: Array) -> Array:
    mean = values.mean(axis=0)
    return np.divide(values.std(axis=0), mean, out=np.full_like(mean, np.nan), where=mean > 0)
