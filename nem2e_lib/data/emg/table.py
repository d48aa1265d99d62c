"""EMG already cut into cycles: a CSV with columns cycle, emg, phase_pct, value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.storage.header import bare
from nem2e_lib.data.tables import near, numbers, read_table, whole_numbers
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EmgTable:
    """EMG envelopes over the phase of each cycle.

    Attributes
    ----------
    channels : tuple of str
        EMG names.
    curves : dict
        (cycle number, channel) → (phase in %, value), both shape (points,), phase rising from 0 to 100.
    without : tuple of str
        Channels that were not recorded: NaN in every cycle.
    """

    path: Path
    channels: tuple[str, ...]
    curves: dict[tuple[int, str], tuple[Array, Array]]
    without: tuple[str, ...] = ()

    def waveform(self, number: int, phase: Array | None = None) -> Array:
        """Return a cycle at `phase` (default 0 to 100 %), linear between points, shape (phase, channels).

        Raises
        ------
        Nem2eError
            If a channel has no values for that cycle.
        """
        recorded = [name for name in self.channels if name not in self.without]
        missing = [name for name in recorded if (number, name) not in self.curves]
        if missing:
            raise Nem2eError(f"{self.path}: no values of EMG {missing[0]!r} for cycle {number}.")
        at = np.linspace(0, 100, 101) if phase is None else phase
        columns = {name: np.interp(at, *self.curves[number, name]) for name in recorded}
        nothing = np.full(len(at), np.nan)
        return np.column_stack([columns.get(name, nothing) for name in self.channels])

    def times(self, scale: float) -> EmgTable:
        """Return the table with every value multiplied by a number."""
        if scale == 1:
            return self
        return replace(self, curves={key: (phase, scale * value) for key, (phase, value) in self.curves.items()})


def lacks(name: str, found: Iterable[str]) -> str:
    """Return what to do about a channel that one trial lacks, and what its name may be a misspelling of."""
    meant, way = near(name, found), "name it in trials.csv, column without, where it was not recorded"
    return f"{meant[:-1]}, or {way}?" if meant else f"; {way}."


COLUMNS = ("cycle", "emg", "phase_pct", "value")


def is_emg_table(path: Path) -> bool:
    """Whether a file's first line has the columns of a cycle table; not where there is no such file."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(4096).decode("utf-8-sig", "replace")
    names = {bare(cell.strip()).lower() for cell in re.split("[,;\t]", first)}
    return bool({"cycle", "phase_pct"} & names) and "time" not in names


def read_emg_table(path: Path, channels: Sequence[str], without: Sequence[str] = ()) -> EmgTable:
    """Read the named channels of an EMG cycle table, but those that it does without.

    Raises
    ------
    Nem2eError
        If a column or channel is missing, a cell is no finite number, or phase does not run from 0 to 100.
    """
    table = read_table(path, COLUMNS)
    names = table["emg"].unique()
    recorded = [name for name in channels if name not in without]
    for name in recorded:
        if name not in names:
            raise Nem2eError(f"{path}: no EMG {name!r} in column 'emg'; found {', '.join(names)}{lacks(name, names)}")
    table["cycle"] = whole_numbers(path, table, "cycle")
    for column in ("phase_pct", "value"):
        table[column] = numbers(path, table, column)
    groups = table[table["emg"].isin(recorded)].groupby(["cycle", "emg"], sort=False)
    return EmgTable(path, tuple(channels), dict(_curve(path, rows) for _, rows in groups), tuple(without))


def _curve(path: Path, rows: pd.DataFrame) -> tuple[tuple[int, str], tuple[Array, Array]]:
    number, name = int(rows["cycle"].iloc[0]), str(rows["emg"].iloc[0])
    phase, value = rows["phase_pct"].to_numpy(np.float64), rows["value"].to_numpy(np.float64)
    _check_phase(path, f"cycle {number}, EMG {name!r}", phase)
    return (number, name), (phase, value)


def _check_phase(path: Path, where: str, phase: Array) -> None:
    if (np.diff(phase) <= 0).any() or not np.allclose(phase[[0, -1]], [0, 100], atol=1e-6):
        raise Nem2eError(
            f"{path}: {where}: phase_pct runs from {phase[0]:g} to {phase[-1]:g} in {len(phase)} rows, "
            "but rising values from 0 to 100 are expected."
        )
