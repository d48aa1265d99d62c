"""One trial in a process of its own, with a time limit, a log, and how far it has come."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nem2e_lib.data.files import write_text
from nem2e_lib.simulate.manifest import all_done, base_key, read_manifest
from nem2e_lib.simulate.states import restore_states
from nem2e_lib.simulate.trial import OUTCOME, Job, Outcome, read_outcome, write_job

# --- How far a trial has come, read from its log while its process runs ---

_STEP = re.compile(r"^nem2e: (?P<step>.+?) of .*, (?P<start>-?[\d.]+) to (?P<end>-?[\d.]+) s$")
_TIME = re.compile(r"(?:computeControls, t|^time) = (?P<time>-?[\d.]+(?:e-?\d+)?)")
_SCARCE = "scaling", "inverse kinematics", "inverse dynamics"
"""Steps that tell no time, and are done in seconds."""


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


# --- One trial in a process of its own, with a time limit and a log ---

TAIL = 12
"""Lines of a failed trial's log that are shown."""
MISTAKE = 2
"""Exit code of a worker that found a mistake in what was given."""
WORKER = (sys.executable, "-m", "nem2e_lib.simulate.worker")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_job(job: Job, command: Sequence[str] = WORKER) -> Outcome:
    """Simulate a trial and return what became of it; nothing is raised for a trial that fails.

    Parameters
    ----------
    command : sequence of str
        What is started, with the path of the job's file as its last argument.
    """
    if all_done(job.folder, base_key(job.trial, job.model, job.options), job.steps):
        notes = tuple(read_manifest(job.folder).get("notes", ()))
        return Outcome(job.trial.trial, "skipped", notes=notes)
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / OUTCOME).unlink(missing_ok=True)
    started = time.monotonic()
    code, ended = _start(job, [*command, str(write_job(job))])
    outcome = _judge(job, code, ended)
    for results in job.folder.glob("*/results"):
        restore_states(results)
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
    return tuple([line for line in said if line and "Couldn't find file" not in line][-lines:])


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
