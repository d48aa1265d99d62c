"""A trial to simulate, and tables of trials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from nem2e_lib.data.tables import read_table
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.options import Flag

_FILES = ("motion", "markers", "static", "grf", "loads", "model")
_NUMBERS = ("start_s", "end_s", "mass_kg")
LEGS = ("right", "left")
LIGHTEST_KG, HEAVIEST_KG = 2.0, 500.0
"""A person's mass; beyond, it is in another unit."""
_given = partial(Flag, panel="Inputs")


@dataclass(frozen=True)
class SimulatedTrial:
    """One recording and what is known of it.

    Attributes
    ----------
    trial : str
        Name, and name of the folder of its results.
    motion : Path, optional
        Joint angles (.mot, .sto), the outcome of inverse kinematics.
    markers : Path, optional
        Marker trajectories (.trc), to start from inverse kinematics.
    static : Path, optional
        Marker trajectories of a static pose (.trc), to start from scaling.
    grf : Path, optional
        Ground reaction forces (.mot, .sto).
    loads : Path, optional
        External loads of your own (.xml) instead of `grf`.
    start_s, end_s : float, optional
        What to simulate; without them, all that motion and forces cover.
    mass_kg : float, optional
        Of the person, for scaling.
    leg : str
        The leg that was measured, ``right`` or ``left``: the verdict is then that leg's. Changes no result.
    model : Path, optional
        A model of this trial's own.
    """

    trial: Annotated[str, _given("name", "Name of the trial; default: the file's.")]
    motion: Annotated[Path | None, _given("motion", "Joint angles, .mot or .sto.")] = None
    markers: Annotated[Path | None, _given("markers", "Marker trajectories, .trc.")] = None
    static: Annotated[Path | None, _given("static", "Markers of a static pose, .trc.")] = None
    grf: Annotated[Path | None, _given("grf", "Ground reaction forces, .mot or .sto.")] = None
    loads: Annotated[Path | None, _given("loads", "External loads of your own, .xml.")] = None
    start_s: Annotated[float | None, _given("start", "First time that results shall cover, s.")] = None
    end_s: Annotated[float | None, _given("end", "Last time that results shall cover, s.")] = None
    mass_kg: Annotated[float | None, _given("mass", "Mass of the person, kg (scale).")] = None
    leg: Annotated[str, _given("leg", "The leg that was measured, right or left; the verdict is then that leg's.")] = ""
    model: Path | None = None

    def files(self) -> dict[str, Path]:
        """Files of the trial by what they are."""
        return {name: value for name in _FILES if (value := getattr(self, name)) is not None}


def read_trials(path: Path) -> list[SimulatedTrial]:
    """Read a table of trials (CSV); its columns are the attributes of `SimulatedTrial`.

    Files are relative to the table. Other columns are left.

    Raises
    ------
    Nem2eError
        If there is no column ``trial``, a number is none, or a trial occurs twice.
    """
    table = read_table(path, ["trial"], [each.name for each in fields(SimulatedTrial)][1:])
    chosen = {name: _optional(path, table, name) for name in _NUMBERS if name in table}
    trials = []
    for row, record in enumerate(table.to_dict("records")):
        values: dict[str, Any] = {name: _file(path.parent, record[name]) for name in _FILES if record.get(name)}
        values |= {name: column[row] for name, column in chosen.items() if not np.isnan(column[row])}
        values |= {"leg": record.get("leg", "")}
        trials.append(SimulatedTrial(record["trial"], **values))
    return check_trials(trials)


def _file(folder: Path, text: str) -> Path:
    """The file that a cell names; backslashes are folders unless a file is really called so."""
    plain = folder / text
    return plain if plain.exists() else folder / text.replace("\\", "/")


def _optional(path: Path, table: pd.DataFrame, column: str) -> np.ndarray:
    """Numbers of a column whose cells may be empty (NaN)."""
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(values) & (table[column] != "").to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise Nem2eError(
            f"{path}: line {table.index[row]}, column {column!r}: found {table[column].iloc[row]!r}, but a number or "
            "an empty cell is expected."
        )
    return values


def check_trials(trials: Iterable[SimulatedTrial]) -> list[SimulatedTrial]:
    """Return the trials; Nem2eError where a name cannot be a folder's or occurs twice, or there is none."""
    known = list(trials)
    names = [trial.trial for trial in known]
    for name in names:
        if not name or Path(name).name != name or name.startswith("."):
            raise Nem2eError(f"Trial {name!r}: the name cannot be that of a folder; use letters, digits, _ and -.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Nem2eError(f"Trial {twice[0]!r} occurs more than once; give every trial a name of its own.")
    if not known:
        raise Nem2eError("There is no trial to simulate.")
    for trial in known:
        _check_numbers(trial)
    return known


def _check_numbers(trial: SimulatedTrial) -> None:
    mass, start, end = trial.mass_kg, trial.start_s, trial.end_s
    if mass is not None and not LIGHTEST_KG <= mass <= HEAVIEST_KG:
        raise Nem2eError(
            f"Trial {trial.trial!r}: mass_kg is {mass:g}, but a person's mass in kg is expected, {LIGHTEST_KG:g} to "
            f"{HEAVIEST_KG:g}."
        )
    if trial.leg not in ("", *LEGS):
        raise Nem2eError(f"Trial {trial.trial!r}: leg is {trial.leg!r}, but right, left or nothing is expected.")
    for name, value in (("start_s", start), ("end_s", end)):
        if value is not None and not np.isfinite(value):
            raise Nem2eError(f"Trial {trial.trial!r}: {name} is {value}, but a time in s is expected.")
    if start is not None and end is not None and start >= end:
        raise Nem2eError(
            f"Trial {trial.trial!r}: start_s {start:g} is not before end_s {end:g}; give an earlier start."
        )
