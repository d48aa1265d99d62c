"""A trial to simulate as a file, and what became of it: how processes speak with each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nem2e_lib.data.files import read_text, replacing
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.trial import SimulatedTrial

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
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, default=_plain), encoding="utf-8")
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
    with replacing(folder / OUTCOME) as temporary:
        temporary.write_text(json.dumps(outcome, indent=1), encoding="utf-8")


def read_outcome(folder: Path) -> dict[str, Any]:
    """Read what became of a job; empty where its process ended without a word."""
    path = folder / OUTCOME
    return dict(json.loads(read_text(path)[0])) if path.is_file() else {}
