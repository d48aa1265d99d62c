"""Activation outside 0 to 1: one rule, for studies and for refiners.

Only a cycle counts: computed muscle control has not settled when a run starts, and what lies beside the cycles is used
by nobody. Within a cycle a little is rounding, or a spline between frames; more is a simulation that broke down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import RANGE
from nem2e_lib.data.families import is_known
from nem2e_lib.data.kinds import kind
from nem2e_lib.data.labels import parse
from nem2e_lib.data.muscles import is_muscle
from nem2e_lib.data.storage.storage import Storage

Array = NDArray[np.float64]

TOLERANCE = RANGE.limit
"""How far activation may lie outside 0 to 1 within a cycle, unless ``study.toml`` says otherwise."""
_FULL, _OFTEN = 1.5, 90.0
"""Half of the muscles above this for a tenth of the time: forces, newtons or per cent, not activation."""
_NO_FORCE = 110.0  # per cent do not rise higher
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Band:
    """Lowest and highest activation that a cycle may have, shape (columns,); infinite for what is no muscle."""

    low: Array
    high: Array


@dataclass(frozen=True)
class Excursion:
    """Where a muscle is furthest outside its band: value, time in s, and how far beyond the band."""

    muscle: str
    value: float
    time_s: float
    beyond: float

    def __str__(self) -> str:
        return f"{self.muscle} {self.value:.3g} at {self.time_s:.4g} s"


def band(muscles: Sequence[str], tolerance: float = TOLERANCE) -> Band:
    """Return 0 to 1 and the tolerance; torque actuators, which push both ways, may have any value."""
    free = _unbounded(muscles)
    return Band(np.where(free, -np.inf, -tolerance), np.where(free, np.inf, 1.0 + tolerance))


def band_of_training(muscles: Sequence[str], low: Sequence[float], high: Sequence[float]) -> Band:
    """Return the same, or as far as each muscle went in training and the tolerance, where that is wider."""
    plain = band(muscles)
    return Band(
        np.minimum(plain.low, np.asarray(low) - TOLERANCE), np.maximum(plain.high, np.asarray(high) + TOLERANCE)
    )


def _unbounded(muscles: Sequence[str]) -> NDArray[np.bool_]:
    told = [not (is_known(name) or is_muscle(name)) and bool(kind(parse(name), name)) for name in muscles]
    return np.array(told, np.bool_)


def window(start_s: float, end_s: float, resampling: str, samples: int = 20) -> tuple[float, float]:
    """Return the stretch whose values make a cycle's samples: ``mean`` reaches half a spacing beyond both ends."""
    reach = (end_s - start_s) / (samples - 1) / 2 if resampling == "mean" else 0.0
    return start_s - reach, end_s + reach


def within(signal: Storage, limits: Band, start_s: float, end_s: float) -> list[Excursion]:
    """Return every muscle that leaves its band from `start_s` to `end_s`, the furthest first.

    The values are those on straight lines between the samples, both ends included, as cycles are resampled.
    """
    first, last = np.searchsorted(signal.time, [start_s, end_s])
    rows = signal.values[max(first - 1, 0) : last + 1]
    odd = np.flatnonzero(((rows < limits.low) | (rows > limits.high)).any(axis=0))
    time = np.concatenate([[start_s], signal.time[first:last], [end_s]])
    values = np.array([np.interp(time, signal.time, signal.values[:, column]) for column in odd]).T
    return _furthest(signal.labels, odd, time, values, limits)


def beside(signal: Storage, limits: Band, cycles: Iterable[tuple[float, float]]) -> list[Excursion]:
    """Return every muscle that leaves its band where none of the cycles (start and end in s) is, the furthest first."""
    inside = np.zeros(len(signal.time), np.bool_)
    for start_s, end_s in cycles:
        inside |= (signal.time >= start_s) & (signal.time <= end_s)
    rows = signal.values[~inside]
    odd = np.flatnonzero(((rows < limits.low) | (rows > limits.high)).any(axis=0))
    return _furthest(signal.labels, odd, signal.time[~inside], rows[:, odd], limits)


def _furthest(
    labels: Sequence[str], odd: NDArray[np.intp], time: Array, values: Array, limits: Band
) -> list[Excursion]:
    if not len(odd):
        return []
    beyond = np.maximum(limits.low[odd] - values, values - limits.high[odd])
    found = [
        Excursion(labels[column], float(values[row, index]), float(time[row]), float(beyond[row, index]))
        for index, (column, row) in enumerate(zip(odd, beyond.argmax(axis=0), strict=True))
        if beyond[row, index] > 0
    ]
    return sorted(found, key=lambda one: -one.beyond)


def listed(found: Sequence[Excursion]) -> str:
    """Return the furthest of them in words, and how many more there are."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(map(str, found[:_SHOWN])) + more


def no_activation(values: Array) -> str:
    """Say what values of muscles, shape (rows, muscles), are that cannot be activation; empty if they may be.

    Half of the muscles must be high for a tenth of the time: a start that has not settled does not make it so.
    """
    height = float(np.median(np.percentile(values, _OFTEN, axis=0))) if values.size else 0.0
    if height <= _FULL:
        return ""
    what = "they may be in per cent: divide by 100" if height <= _NO_FORCE else "is this a file of forces?"
    return f"half of the muscles are above {height:.3g} for a tenth of the time, but activations from 0 to 1 are " + (
        f"expected; {what}" if what.endswith("?") else f"expected; {what}."
    )
