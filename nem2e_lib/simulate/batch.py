"""Many trials at once: any executor, progress, one table in the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from nem2e_lib.data.files import write_text
from nem2e_lib.data.quality.words import some
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.marker_set import read_marker_set, shipped
from nem2e_lib.simulate.options import Options, check_steps
from nem2e_lib.simulate.osim import require
from nem2e_lib.simulate.prepare import MESHES
from nem2e_lib.simulate.quality import save_quality, summary
from nem2e_lib.simulate.runner import Job, Outcome, reached, run_job
from nem2e_lib.simulate.scaling import chosen_mass
from nem2e_lib.simulate.trial import SimulatedTrial, check_trials, read_trials, unused_columns

TABLE = "simulations.csv"


def simulate(
    trials: Iterable[SimulatedTrial] | str | Path,
    model: str | Path | None,
    out: str | Path,
    *,
    steps: Sequence[str] = ("rra", "cmc"),
    options: Options | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = True,
    run: Callable[[Job], Outcome] = run_job,
) -> pd.DataFrame:
    """Simulate trials with OpenSim, each in a process of its own, and judge their quality.

    Parameters
    ----------
    trials : iterable of SimulatedTrial, or path of a table (CSV)
    model : path, optional
        OpenSim model (.osim) of every trial that has none of its own.
    out : path
        Folder of results: one folder a trial with set-ups, results, log and ``activation.sto``; tables
        ``simulations.csv`` and ``quality.csv``.
    steps : sequence of str
        Any of ``scale``, ``ik``, ``rra``, ``cmc``, ``so``; they run in this order.
    options : Options, optional
    executor : concurrent.futures.Executor, optional
        Where the trials' processes are started from, e.g. Dask's; without it `workers` threads here.
    workers : int, optional
        Trials at the same time; without it as many as there are cores.
    progress : bool
    run : callable
        What is submitted to the executor for each trial.

    Returns
    -------
    DataFrame, one row a trial: trial, status (done, skipped, failed), verdict, seconds, reason, mistake (whether it
    failed for what was given), log_tail, activation, log, notes (on meshes that a model lacks only once), the verdict
    on each leg, and the worst measure of each kind (`quality.summary`). A failed trial does not stop the others.

    Raises
    ------
    Nem2eError
        If OpenSim is not installed, or steps, trials, model or a file of theirs cannot be.
    """
    require()
    jobs = make_jobs(trials, model, Path(out), steps, options or Options())
    if progress:
        _tell_masses(jobs)
        for note in unused_columns(Path(trials)) if isinstance(trials, str | Path) else ():
            tqdm.write(f"nem2e: {note}", file=sys.stderr)
    Path(out).mkdir(parents=True, exist_ok=True)
    outcomes = {outcome.trial: outcome for outcome in _run(jobs, run, executor, workers, progress)}
    table = _table(jobs, outcomes)
    write_text(Path(out) / TABLE, table.to_csv(index=False))
    save_quality(Path(out), [job.folder for job in jobs])
    return table


def make_jobs(
    trials: Iterable[SimulatedTrial] | str | Path,
    model: str | Path | None,
    out: Path,
    steps: Sequence[str],
    options: Options,
) -> list[Job]:
    """Return one job a trial; Nem2eError where something asked for is not there."""
    chosen = check_steps(tuple(steps))
    known = read_trials(Path(trials)) if isinstance(trials, str | Path) else check_trials(trials)
    jobs = [_job(trial, model, out, chosen, options) for trial in known]
    _refuse_without_mass(jobs)
    return jobs


def _refuse_without_mass(jobs: Sequence[Job]) -> None:
    """Refuse forces on a model scaled to nobody's mass; a set-up may state none, for a model that has the person's."""
    lacking = [
        job.trial.trial
        for job in jobs
        if job.trial.mass_kg is None and "scale" not in job.options.setups and _weighs(job.steps)
    ]
    if lacking:
        raise Nem2eError(
            f"Trial {some([repr(name) for name in lacking])}: scaling needs the mass of the person, but there is no "
            "mass_kg; give it in kg (--mass, or the column mass_kg)."
        )


def _job(trial: SimulatedTrial, model: str | Path | None, out: Path, steps: tuple[str, ...], options: Options) -> Job:
    chosen = trial.model or model
    if chosen is None:
        raise Nem2eError(f"Trial {trial.trial!r} has no model; give --model, or a column model in the table of trials.")
    own: dict[str, Any] = {what: path.resolve() for what, path in trial.files().items()}
    options = trial.options(options)
    options = replace(options, setups={step: str(Path(path).resolve()) for step, path in options.setups.items()})
    if options.marker_set not in ("", *shipped()):
        options = replace(options, marker_set=str(read_marker_set(options.marker_set).path.resolve()))
    setups = {f"set-up of {step}": Path(path) for step, path in options.setups.items()}
    files: dict[str, Path] = {**own, "model": Path(chosen).resolve(), **setups}
    for what, path in files.items():
        if not path.is_file():
            raise Nem2eError(f"Trial {trial.trial!r}: {path}: no such file, but its {what} is expected there.")
    decided: dict[str, Any] = {"strength": None, "marker_set": "", "marker_weights": {}, "setups": {}}
    return Job(replace(trial, **own, **decided), files["model"], (out / trial.trial).resolve(), steps, options)


def _weighs(steps: Sequence[str]) -> bool:
    """Whether steps scale a model and go on to forces; angles alone need no mass."""
    return "scale" in steps and bool(set(steps) - {"scale", "ik"})


def _tell_masses(jobs: Sequence[Job]) -> None:
    """Tell before anything runs where a set-up states another mass than its trial."""
    for job in jobs:
        for note in chosen_mass(job.trial, job.options)[1] if "scale" in job.steps else ():
            tqdm.write(f"nem2e: trial {job.trial.trial!r}: {note}", file=sys.stderr)


def _run(
    jobs: list[Job], run: Callable[[Job], Outcome], executor: Executor | None, workers: int | None, progress: bool
) -> Iterator[Outcome]:
    """Yield outcomes as they come."""
    pool = nullcontext(executor) if executor else ThreadPoolExecutor(workers or min(len(jobs), cores()))
    with pool as chosen, tqdm(total=len(jobs), unit="trial", desc="simulate", disable=not progress) as bar:
        assert chosen is not None
        futures = {chosen.submit(run, job): job for job in jobs}
        pending = set(futures)
        while pending:
            done, pending = wait(pending, _beat() if progress else None, FIRST_COMPLETED)
            for future in done:
                outcome = _outcome(
                    futures[future], future.exception(), future.result if not future.exception() else None
                )
                bar.set_postfix_str(f"{outcome.trial} {outcome.status}")
                bar.update()
                yield outcome
            if not done:
                bar.set_postfix_str(_under_way([futures[future] for future in pending if future.running()]))


def _beat() -> float:
    """Seconds between two looks at the trials under way: rarely where each is a line of a file."""
    return 2.0 if sys.stderr.isatty() else 60.0


def _under_way(jobs: Sequence[Job], most: int = 3) -> str:
    told = sorted(f"{job.trial.trial}: {reached(job.log) or 'begins'}" for job in jobs)
    return "; ".join(told[:most]) + (f" and {len(told) - most} more" if len(told) > most else "")


def _outcome(job: Job, error: BaseException | None, result: Callable[[], Outcome] | None) -> Outcome:
    """A trial whose process could not even be started has failed like others."""
    if result is not None:
        return result()
    if error is not None and not isinstance(error, Exception):
        raise error
    return Outcome(job.trial.trial, "failed", reason=f"Trial {job.trial.trial!r}: {error}")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _table(jobs: list[Job], outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    rows, told = [], set[str]()
    for job in jobs:
        outcome = outcomes[job.trial.trial]
        notes = [note for note in outcome.notes if not (MESHES in note and note in told)]
        told.update(notes)
        failed = outcome.status == "failed"
        judged = {} if failed else summary(job.folder)
        activation = job.folder / "activation.sto"
        rows.append(
            {
                "trial": outcome.trial,
                "status": outcome.status,
                "verdict": judged.pop("verdict", ""),
                "seconds": outcome.seconds,
                "reason": outcome.reason,
                "mistake": outcome.mistake,
                "log_tail": "\n".join(outcome.tail),
                "activation": str(activation) if activation.is_file() and not failed else "",
                "log": str(job.log),
                "notes": " ".join(notes),
                **judged,
            }
        )
    return pd.DataFrame(rows)
