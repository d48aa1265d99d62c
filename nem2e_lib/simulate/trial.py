"""A trial to simulate, and tables of trials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from nem2e_lib.data.study.trials import OPTIONAL, TRIAL_COLUMNS
from nem2e_lib.data.tables import near, read_table, stray_columns
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.marker_set import find_set, shipped
from nem2e_lib.simulate.options import BY_MASS, STEPS, Flag, Options, strength_of

_FILES = ("motion", "markers", "static", "grf", "loads", "model")
_NUMBERS = ("start_s", "end_s", "mass_kg")
_OWN = ("leg", "strength", "marker_set", "marker_weights")
_SETUP = "setup_"
"""Columns of set-ups begin so, the step follows."""
_SETUPS = tuple(f"{_SETUP}{step}" for step in STEPS)
COLUMNS = ("trial", *_FILES, *_NUMBERS, *_OWN, *_SETUPS)
"""Columns of a table of trials."""
_STUDYS = frozenset((*TRIAL_COLUMNS, *OPTIONAL))
"""Columns of a study's table, which stand in a table that serves both."""
_TOLD = 6
"""Problems of a table that are told at once."""
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
    strength, marker_set, marker_weights, setups
        As in `Options`, before which they count; of mappings, key by key.
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
    strength: float | str | None = None
    marker_set: str = ""
    marker_weights: Mapping[str, float] = field(default_factory=dict)
    setups: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> dict[str, Path]:
        """Files of the trial by what they are."""
        return {name: value for name in _FILES if (value := getattr(self, name)) is not None}

    def options(self, options: Options) -> Options:
        """Return the options of this trial: those of all trials, but for what it says itself."""
        return replace(
            options,
            strength=options.strength if self.strength is None else self.strength,
            marker_set=self.marker_set or options.marker_set,
            marker_weights={**options.marker_weights, **self.marker_weights},
            setups={**options.setups, **self.setups},
        )


def read_trials(path: Path) -> list[SimulatedTrial]:
    """Read a table of trials (CSV); its columns are the attributes of `SimulatedTrial`.

    Files are relative to the table; set-ups have a column a step, ``setup_scale`` and so on, and weights of markers
    stand as ``SACR=20 RASI=20`` in a cell. Other columns are left, as `unused_columns` tells.

    Raises
    ------
    Nem2eError
        If there is no column ``trial``, a cell is not what it should be (all such are told), or a trial occurs twice.
    """
    table = read_table(path, ["trial"], COLUMNS[1:])
    setups = dict(zip(_SETUPS, STEPS, strict=True))
    strange = [name for name in stray_columns(path, COLUMNS) if name.startswith(_SETUP)]
    problems = [f"there is no step of column {name!r}; set-ups are {', '.join(setups)}" for name in strange]
    trials = []
    for line, record in zip(table.index, table.to_dict("records"), strict=True):
        values: dict[str, Any] = {}
        for name, text in [(name, record[name]) for name in COLUMNS[1:] if record[name]]:
            try:
                values[name] = _read(path.parent, name, text)
            except ValueError:
                problems.append(f"line {line}, column {name!r}: found {text!r}, but {_expected(name)} is expected")
        own = {step: str(values.pop(name)) for name, step in setups.items() if name in values}
        trials.append(SimulatedTrial(record["trial"], **values, setups=own))
    if problems:
        more = f" and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        raise Nem2eError(f"{path}: {'; '.join(problems[:_TOLD])}{more}.")
    return check_trials(trials)


def unused_columns(path: Path) -> list[str]:
    """Return a sentence on each column of a table of trials that simulating does not read.

    A study's own columns pass without one: ``nem2e study from-c3d`` writes a table for both.
    """
    told = [name for name in stray_columns(path, COLUMNS) if name not in _STUDYS]
    return [f"{path}: column {name!r} is not used{near(name, COLUMNS) or '.'}" for name in told]


def _read(folder: Path, name: str, text: str) -> Any:
    """Return the value of a cell that is not empty; ValueError where it is none of its column's."""
    if name in _NUMBERS:
        return _number(text)
    if name == "leg":
        return LEGS[LEGS.index(text)]
    if name == "strength":
        value = strength_of(text)
        return value if isinstance(value, str) else _number(text, above=0.0)
    if name == "marker_weights":
        pairs = [cell.partition("=") for cell in re.split(r"[\s;]+", text)]
        if not all(name and equals for name, equals, _ in pairs):
            raise ValueError
        return {name: _number(value, least=0.0) for name, _, value in pairs}
    if name == "marker_set":
        return text if text in shipped() else str(find_set(_file(folder, text)))
    return _file(folder, text)


def _number(text: str, least: float = -np.inf, above: float = -np.inf) -> float:
    value = float(text)
    if not np.isfinite(value) or value < least or value <= above:
        raise ValueError
    return value


def _expected(name: str) -> str:
    return {
        "leg": f"{' or '.join(LEGS)} or an empty cell",
        "strength": f"a number above 0, {BY_MASS!r} or an empty cell",
        "marker_weights": "MARKER=WEIGHT with blanks between, each weight 0 or more,",
        "marker_set": f"a name ({', '.join(shipped())}) or a file that is there",
    }.get(name, "a number or an empty cell")


def _file(folder: Path, text: str) -> Path:
    """The file that a cell names; backslashes are folders unless a file is really called so."""
    plain = folder / text
    return plain if plain.exists() else folder / text.replace("\\", "/")


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
