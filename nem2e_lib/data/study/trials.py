"""``trials.csv`` and ``cycles.csv``: what was recorded, and where its gait cycles start and end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.emg.table import is_emg_table
from nem2e_lib.data.places import place
from nem2e_lib.data.study.beside import SETS
from nem2e_lib.data.tables import near, number_problems, numbers, read_table, stray_columns, whole_numbers

TRIAL_COLUMNS = ("trial", "subject", "speed", "activation", "emg")
_NEEDED = ("trial", "subject", "activation", "emg")
SPAN = ("start_s", "end_s")
_OFFSETS = ("activation_offset_s", "emg_offset_s", "grf_offset_s")
BESIDE = {each.column: each.name for each in SETS.values()}
"""Columns that name a file of what a trial tells beside activation, and the set of inputs that it is."""
OPTIONAL = ("condition", "speed_m_s", "grf", *_OFFSETS, "emg_scale", "without", "leg", *BESIDE, "mass_kg")
LEGS = ("left", "right")
_ADVICE = {
    "trial": "give each recording its own name",
    "subject": "say who moved",
    "speed": "give a label such as free or fast",
    "activation": "name the file of simulated activation",
    "emg": "name the EMG file",
}
EDGE_S = 1e-6  # rounding of printed times
_CYCLE_COLUMNS = ("trial", "cycle", *SPAN)


@dataclass(frozen=True)
class Trial:
    """One row of ``trials.csv``; paths as they are to be opened, `speed_m_s` NaN where not known.

    An offset in s is added to the times of its file: trial time = file time + offset. A device that started
    0.5 s after the trial's clock has the offset 0.5. EMG is multiplied by its scale: .001 for a file in mV among
    others in V. `condition` says what else tells trials apart (straight, turn), empty where nothing does. `without`
    are the EMG names that the trial does without; `leg` is the one whose electrodes were recorded, empty where it is
    not told. `beside` has the file of each further set of inputs, on the clock of activation; `mass_kg` is NaN where
    not known.
    """

    name: str
    subject: str
    speed: str
    speed_m_s: float
    activation: Path
    emg: Path
    grf: Path | None
    activation_offset_s: float = 0.0
    emg_offset_s: float = 0.0
    grf_offset_s: float = 0.0
    emg_scale: float = 1.0
    condition: str = ""
    without: tuple[str, ...] = ()
    leg: str = ""
    beside: tuple[tuple[str, Path], ...] = ()
    mass_kg: float = float("nan")

    @property
    def circumstances(self) -> tuple[str, str]:
        """Speed and condition: a subject's cycles are alike where both are."""
        return self.speed, self.condition

    @property
    def wearer(self) -> tuple[str, str]:
        """Subject and leg: recordings of one wearer come from the same electrodes."""
        return self.subject, self.leg

    @property
    def has_emg_table(self) -> bool:
        """Whether EMG comes as a cycle table instead of a recording."""
        return is_emg_table(self.emg)


@dataclass(frozen=True)
class Cycle:
    """One row of ``cycles.csv``: a gait cycle by its trial, number, start and end in s."""

    trial: str
    number: int
    start_s: float
    end_s: float


def read_trials(path: Path) -> tuple[list[Trial], list[str]]:
    """Read trials and every problem found in them.

    Raises
    ------
    Nem2eError
        If the file is missing or empty, or lacks a column.
    """
    needed = _NEEDED if "condition" in stray_columns(path, ()) else TRIAL_COLUMNS
    table = read_table(path, needed, [name for name in (*TRIAL_COLUMNS, *OPTIONAL) if name not in needed])
    problems = _row_problems(path, table)
    return ([] if problems else [_trial(path.parent, row) for row in _records(table)]), problems


def _records(table: pd.DataFrame) -> list[dict[str, str]]:
    return [{str(key): str(value) for key, value in row.items()} for row in table.to_dict("records")]


def _row_problems(path: Path, table: pd.DataFrame) -> list[str]:
    problems = []
    for line, row in zip(table.index, _records(table), strict=True):
        where = f"{path}: line {line}"
        problems += [f"{where}: {key} is empty; {_ADVICE[key]}." for key in _NEEDED if not row[key]]
        if not row["speed"] and not row["condition"]:
            problems.append(f"{where}: speed is empty; {_ADVICE['speed']}.")
        if row["leg"] and row["leg"] not in LEGS:
            problems.append(f"{where}: leg is {row['leg']!r}, but {' or '.join(LEGS)} is expected.")
        for key in ("speed_m_s", "mass_kg"):
            if row[key] and not _is_above_0(row[key]):
                point = ", with a decimal point" if "," in row[key] else ""
                problems.append(f"{where}: {key} is {row[key]!r}, but a number above 0 is expected{point}.")
        problems += [
            f"{where}: {key} is {row[key]!r}, but a number of seconds is expected."
            for key in _OFFSETS
            if row[key] and not _is_number(row[key])
        ]
        if problem := scale_problem(row["emg_scale"]):
            problems.append(f"{where}: {problem}")
        if _has_offset(row["emg_offset_s"]) and is_emg_table(place(path.parent, row["emg"])[0]):
            problems.append(f"{where}: emg_offset_s is given, but a cycle table of EMG has no clock; leave it empty.")
        problems += [
            f"{where}: {key} is {row[key]!r}, but {problem}"
            for key in ("activation", "emg", "grf", *BESIDE)
            if row[key] and (problem := place(path.parent, row[key])[1])
        ]
    problems += [
        f"{path}: {key} is given for {int((table[key] != '').sum())} of {len(table)} trials, trial "
        f"{table.trial[table[key] == ''].iloc[0]!r} is without; give it for all or for none."
        for key in (*BESIDE, "mass_kg")
        if (table[key] != "").any() and (table[key] == "").any()
    ]
    twice = table.trial[table.trial.duplicated() & (table.trial != "")].unique()
    return problems + [f"{path}: trial {name!r} has two rows; give each its own name." for name in twice]


def scale_problem(text: str) -> str:
    """Say what is wrong with a cell of ``emg_scale``; empty if nothing is."""
    if not text or (_is_number(text) and float(text) > 0):
        return ""
    return f"emg_scale is {text!r}, but a number above 0 that EMG is multiplied by is expected."


def _is_above_0(text: str) -> bool:
    return _is_number(text) and float(text) > 0


def _is_number(text: str) -> bool:
    try:
        return "_" not in text and bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _has_offset(text: str) -> bool:
    return _is_number(text) and float(text) != 0


def _trial(folder: Path, row: dict[str, str]) -> Trial:
    return Trial(
        name=row["trial"],
        subject=row["subject"],
        speed=row["speed"],
        speed_m_s=float(row["speed_m_s"] or "nan"),
        activation=place(folder, row["activation"])[0],
        emg=place(folder, row["emg"])[0],
        grf=place(folder, row["grf"])[0] if row["grf"] else None,
        **{key: float(row[key] or 0) for key in _OFFSETS},
        emg_scale=float(row["emg_scale"] or 1),
        condition=row["condition"],
        without=tuple(filter(None, map(str.strip, row["without"].split(";")))),
        leg=row["leg"],
        beside=tuple((name, place(folder, row[key])[0]) for key, name in BESIDE.items() if row[key]),
        mass_kg=float(row["mass_kg"] or "nan"),
    )


def read_cycles(path: Path, trials: list[str] | None) -> tuple[list[Cycle], list[str]]:
    """Read cycles and every problem found in them; `trials` is None where the names of trials are not known.

    Raises
    ------
    Nem2eError
        If the file is missing or empty, or lacks a column.
    """
    table = read_table(path, _CYCLE_COLUMNS)
    problems = number_problems(path, table, "cycle", whole=True)
    problems += [problem for name in SPAN for problem in number_problems(path, table, name)]
    if problems:
        return [], problems
    number, start, end = whole_numbers(path, table, "cycle"), *(numbers(path, table, s) for s in SPAN)
    cycles = [
        Cycle(trial, int(n), float(s), float(e))
        for trial, n, s, e in zip(table["trial"], number, start, end, strict=True)
    ]
    for line, cycle in zip(table.index, cycles, strict=True):
        problems += [f"{path}: line {line}: {problem}" for problem in _cycle_problems(cycle, trials)]
    names = pd.Series([f"trial {c.trial!r}, cycle {c.number}" for c in cycles])
    twice = names[names.duplicated()].unique()
    return cycles, problems + [f"{path}: {name} has more than one row." for name in twice]


def _cycle_problems(cycle: Cycle, trials: list[str] | None) -> list[str]:
    problems = []
    if trials is not None and cycle.trial not in trials:
        problems.append(f"trial {cycle.trial!r} is not in trials.csv{near(cycle.trial, trials) or '.'}")
    if cycle.end_s <= cycle.start_s:
        problems.append(f"end_s {cycle.end_s} is not after start_s {cycle.start_s}.")
    return problems
