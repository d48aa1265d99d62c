"""One trial in a process of its own: ``python -m nem2e_lib.simulate.worker JOB.json``.

OpenSim's messages go to the standard output, which whoever starts the process keeps as the trial's log.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate import steps
from nem2e_lib.simulate.asked import check_asked
from nem2e_lib.simulate.manifest import base_key, is_done, judged, mark_done, read_manifest, step_key, write_manifest
from nem2e_lib.simulate.options import MARGINS_S, NAMES
from nem2e_lib.simulate.osim import StepFailed
from nem2e_lib.simulate.prepare import (
    Workplace,
    check_muscles,
    choose_window,
    prepare_loads,
    prepare_model,
    prepare_motion,
)
from nem2e_lib.simulate.quality import write_measures
from nem2e_lib.simulate.runner import Job, read_job, write_outcome
from nem2e_lib.terminal import show_what_can_be_shown

Act = Callable[[Workplace], None]

RUN: dict[str, Act] = {
    "scale": steps.scale,
    "ik": steps.inverse_kinematics,
    "rra": steps.residual_reduction,
    "cmc": steps.computed_muscle_control,
    "so": steps.static_optimisation,
    "id": steps.inverse_dynamics,
}
AFTER: dict[str, Act] = {"scale": steps.after_scale, "rra": steps.after_residual_reduction}
DYNAMIC = ("rra", "cmc", "so", "id")
_DEATH_SIGNAL = 1


def run(job: Job) -> Workplace:
    """Run a trial's steps, but for those that are done already, and judge them."""
    place = Workplace(job.folder, job.trial, job.options, job.model)
    base = base_key(job.trial, job.model, job.options)
    prepare_model(place, scaled="scale" in job.steps)
    check_muscles(place)
    check_asked(place, job.steps)
    for step in ("scale", "ik"):
        if step in job.steps:
            _step(place, job, base, step)
    if set(job.steps) & set(DYNAMIC):
        _prepare_dynamics(place, job)
        for step in DYNAMIC:
            if step in job.steps:
                _step(place, job, base, step)
        if "id" not in job.steps:
            steps.inverse_dynamics(place)
    _deliver(place, job)
    write_measures(place, job.steps)
    told = {**judged(job.steps, job.trial.leg), "notes": place.notes}
    write_manifest(place.folder, {**read_manifest(place.folder), **told})
    return place


def _prepare_dynamics(place: Workplace, job: Job) -> None:
    path = place.folder / "ik" / "motion.mot" if "ik" in job.steps else job.trial.motion
    if path is None:
        raise Nem2eError(f"Trial {job.trial.trial!r}: give motion= (.mot, .sto), or markers= (.trc) and the step ik.")
    motion = prepare_motion(place, path)
    margins = MARGINS_S["cmc" if "cmc" in job.steps else "so"]
    choose_window(place, motion, prepare_loads(place, motion), margins)


def _step(place: Workplace, job: Job, base: str, step: str) -> None:
    key = step_key(base, step, job.steps)
    if is_done(place.folder, read_manifest(place.folder), step, key):
        print(f"nem2e: {step} of {job.trial.trial} is done already", flush=True)
    else:
        shutil.rmtree(place.folder / step, ignore_errors=True)
        started = time.monotonic()
        RUN[step](place)
        mark_done(place.folder, step, key, time.monotonic() - started)
    if step in AFTER:
        AFTER[step](place)


def _deliver(place: Workplace, job: Job) -> None:
    """Copy the activation that counts to the trial's folder: computed muscle control's where it ran."""
    made = [step for step in ("cmc", "so") if step in job.steps]
    if not made:
        return
    target = place.folder / "activation.sto"
    shutil.copyfile(place.folder / made[0] / "activation.sto", target)
    time = read_storage(target).time
    if time[0] > place.asked[0] + 1e-6 or time[-1] < place.asked[1] - 1e-6:
        lost = MARGINS_S[made[0]]
        place.notes.append(
            f"Activation covers {time[0]:.4g} to {time[-1]:.4g} s, but {place.asked[0]:.4g} to {place.asked[1]:.4g} s "
            f"were asked for: {NAMES[made[0]]} needs {lost[0]} s before and {lost[1]} s after, which the recording "
            "does not have, or it had to start later."
        )


def end_with_parent() -> None:
    """Ask Linux to stop this process when the one that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Run the job of a file; 2 after a mistake that the user can mend, 1 where OpenSim failed, told in the outcome."""
    job = read_job(Path(arguments[0]))
    try:
        place = run(job)
    except Nem2eError as error:
        print(f"nem2e: {error}", flush=True)
        write_outcome(job.folder, {"status": "failed", "reason": str(error), "notes": []})
        return 1 if isinstance(error, StepFailed) else 2
    write_outcome(job.folder, {"status": "done", "reason": "", "notes": place.notes})
    return 0


if __name__ == "__main__":
    end_with_parent()
    show_what_can_be_shown()
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # OpenSim 4.6 damages its files of states in what an ordinary exit runs
