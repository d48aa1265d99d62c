"""A trial to simulate, tables of trials, and a trial as a file, by which processes speak with each other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.data.files import read_text, write_text
from nem2e_lib.data.tables import read_table
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.options import Options

# --- A trial to simulate, and tables of trials ---

_FILES = ("motion", "markers", "static", "grf", "loads", "model")
_NUMBERS = ("start_s", "end_s", "mass_kg")


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
    model : Path, optional
        A model of this trial's own.
    """

    trial: str
    motion: Path | None = None
    markers: Path | None = None
    static: Path | None = None
    grf: Path | None = None
    loads: Path | None = None
    start_s: float | None = None
    end_s: float | None = None
    mass_kg: float | None = None
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
        values = {name: path.parent / record[name] for name in _FILES if record.get(name)}
        values |= {name: column[row] for name, column in chosen.items() if not np.isnan(column[row])}
        trials.append(SimulatedTrial(record["trial"], **values))
    return check_trials(trials)


def _optional(path: Path, table: pd.DataFrame, column: str) -> np.ndarray:
    """Numbers of a column whose cells may be empty (NaN)."""
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(values) & (table[column] != "").to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise Nem2eError(
            f"{path}: line {row + 2}, column {column!r}: found {table[column].iloc[row]!r}, but a number or an empty "
            "cell is expected."
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
    return known


# --- A trial to simulate as a file, and what became of it: how processes speak with each other ---

JOB, OUTCOME, LOG = "job.json", "outcome.json", "log.txt"


@dataclass(frozen=True)
class Job:
    """A trial, its model, the steps asked for and the folder of results; picklable."""

    trial: SimulatedTrial
    model: Path
    folder: Path
    steps: tuple[str, ...]
    options: Options

    @property
    def log(self) -> Path:
        """OpenSim's chatter."""
        return self.folder / LOG


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    `status` is ``done``, ``skipped`` (done before) or ``failed``; `mistake` tells that one failed for what was given,
    `tail` holds the last lines of the log of one that failed otherwise.
    """

    trial: str
    status: str
    seconds: float = 0.0
    reason: str = ""
    tail: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    mistake: bool = False


def write_job(job: Job) -> Path:
    """Write a job into its folder."""
    content = {
        "trial": asdict(job.trial),
        "model": job.model,
        "folder": job.folder,
        "steps": job.steps,
        "options": asdict(job.options),
    }
    path = job.folder / JOB
    write_text(path, json.dumps(content, indent=1, default=_plain))
    return path


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(Path(str(value)).resolve())


_PATHS = {"motion", "markers", "static", "grf", "loads", "model", "geometry"}


def read_job(path: Path) -> Job:
    """Read a job back."""
    content = json.loads(read_text(path)[0])
    trial = SimulatedTrial(**_with_paths(content["trial"]))
    options = Options(**_with_paths(content["options"]))
    return Job(trial, Path(content["model"]), Path(content["folder"]), tuple(content["steps"]), options)


def _with_paths(values: dict[str, Any]) -> dict[str, Any]:
    return {key: Path(value) if key in _PATHS and value is not None else value for key, value in values.items()}


def write_outcome(folder: Path, outcome: Mapping[str, Any]) -> None:
    """Write what became of a job."""
    write_text(folder / OUTCOME, json.dumps(outcome, indent=1))


def read_outcome(folder: Path) -> dict[str, Any]:
    """Read what became of a job; empty where its process ended without a word."""
    path = folder / OUTCOME
    return dict(json.loads(read_text(path)[0])) if path.is_file() else {}
