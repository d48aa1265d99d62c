"""One trial in a process of its own: what it is asked (a job), what became of it, and how far it has come.

Processes speak by files in the trial's folder: ``job.json`` in, ``outcome.json`` out, and OpenSim's chatter in
``log.txt``. `nem2e_lib.simulate.worker` is the other end.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nem2e_lib.data.files import read_text, write_text
from nem2e_lib.simulate.manifest import all_done, base_key, read_manifest
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.prepare import LOG
from nem2e_lib.simulate.states import restore_states
from nem2e_lib.simulate.trial import SimulatedTrial

JOB, OUTCOME = "job.json", "outcome.json"
TAIL = 12
"""Lines of a failed trial's log that are shown."""
_MESH = "Couldn't find file"
MISTAKE = 2
"""Exit code of a worker that found a mistake in what was given."""
WORKER = (sys.executable, "-m", "nem2e_lib.simulate.worker")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PATHS = {"motion", "markers", "static", "grf", "loads", "model", "geometry"}
_STEP = re.compile(r"^nem2e: (?P<step>.+?) of .*, (?P<start>-?[\d.]+) to (?P<end>-?[\d.]+) s$")
_TIME = re.compile(r"(?:computeControls, t|^time) = (?P<time>-?[\d.]+(?:e-?\d+)?)")
_SCARCE = "scaling", "inverse kinematics", "inverse dynamics"
"""Steps that tell no time, and are done in seconds."""


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


def run_job(job: Job, command: Sequence[str] = WORKER) -> Outcome:
    """Simulate a trial and return what became of it; nothing is raised for a trial that fails.

    Parameters
    ----------
    command : sequence of str
        What is started, with the path of the job's file as its last argument.
    """
    if all_done(job.folder, base_key(job.trial, job.model, job.options), job.steps, job.trial.leg):
        notes = tuple(read_manifest(job.folder).get("notes", ()))
        return Outcome(job.trial.trial, "skipped", notes=notes)
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / OUTCOME).unlink(missing_ok=True)
    started = time.monotonic()
    code, ended = _start(job, [*command, str(write_job(job))])
    outcome = _judge(job, code, ended)
    for results in job.folder.glob("*/results"):
        restore_states(results)
    shorten(job.log)
    keep_violations(job.log, job.folder / "so")
    return replace(outcome, seconds=round(time.monotonic() - started, 1))


def _start(job: Job, command: list[str]) -> tuple[int | None, bool]:
    """Exit code of the process (None where it was stopped), and whether it ended in time."""
    with job.log.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=job.folder,
            env=_environment(),
        )
        try:
            return process.wait(job.options.time_limit_s), True
        except subprocess.TimeoutExpired:
            return None, False
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _environment() -> dict[str, str]:
    """The worker finds the same library, and trials side by side keep to a core each."""
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(path)}


def _judge(job: Job, code: int | None, in_time: bool) -> Outcome:
    name = job.trial.trial
    if not in_time:
        reason = f"Trial {name!r} was stopped after its time limit of {job.options.time_limit_s:g} s."
        return Outcome(name, "failed", reason=reason, tail=tail(job.log))
    told = read_outcome(job.folder)
    if code == 0 and told.get("status") == "done":
        return Outcome(name, "done", notes=tuple(told["notes"]))
    reason = told.get("reason") or f"Trial {name!r}: the process ended with code {code} and said no reason."
    if code == MISTAKE and told.get("reason"):
        return Outcome(name, "failed", reason=reason, mistake=True)
    said = tuple(line for line in tail(job.log) if line != f"nem2e: {reason}")
    return Outcome(name, "failed", reason=reason, tail=said)


def tail(log: Path, lines: int = TAIL) -> tuple[str, ...]:
    """Last lines of a log that say something, without OpenSim's remarks on missing meshes."""
    if not log.is_file():
        return ()
    said = [line.rstrip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    return tuple([line for line in said if line and _MESH not in line][-lines:])


def shorten(log: Path) -> None:
    """Leave one line of OpenSim's on missing meshes in a log: it writes one a mesh each time that it loads a model."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) if log.is_file() else []
    first = next((line for line in lines if _MESH in line), "")
    kept = [line for line in lines if _MESH not in line]
    if first and len(kept) + 1 < len(lines):
        more = f"nem2e: {len(lines) - len(kept) - 1} more lines on meshes that are not there were left out\n"
        write_text(log, "".join([first, more, *kept]))


def keep_violations(log: Path, folder: Path) -> None:
    """Keep what static optimisation told of unmet accelerations beside its results; the next run makes a new log."""
    if not folder.is_dir() or not log.is_file():
        return
    said = [
        line
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if "Constraint violation" in line
    ]
    if said:
        write_text(folder / "violation.txt", "\n".join(said) + "\n")


def reached(log: Path) -> str:
    """Step and share of its window that a trial has come to: ``computed muscle control 45 %``; empty if unknown.

    Reads what `nem2e_lib.simulate.steps.run_tool` and OpenSim write into the log, wherever the process runs that shares
    the folder.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    step, window, time = "", (0.0, 0.0), None
    for line in lines:
        if begun := _STEP.match(line):
            step, window, time = begun["step"], (float(begun["start"]), float(begun["end"])), None
        elif told := _TIME.search(line):
            time = float(told["time"])
    if not step or time is None or step in _SCARCE:
        return step
    share = (time - window[0]) / max(window[1] - window[0], 1e-9)
    return f"{step} {100 * min(max(share, 0.0), 1.0):.0f} %"


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
