"""Many recordings refined by one refiner that is loaded once: each whole or not at all, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nem2e_lib.data.files import write_text
from nem2e_lib.data.study.beside import SETS
from nem2e_lib.data.tables import numbers, read_table, stray_columns, whole_numbers
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.refined import RESTS, require_savable
from nem2e_lib.refiner.refiner import Refiner
from nem2e_lib.refiner.spans import Span, check_spans

TRIAL = "{trial}"
"""What stands for a recording's name in the names of its other files."""
SUMMARY = "summary.csv"
ENDING = "_refined.sto"
_KINDS = re.compile(r"_(activations?|controls|states|states_degrees|StaticOptimization_activation)$", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """A recording to be refined: its files, and the one to be written."""

    trial: str
    activation: Path
    grf: Path | None
    cycles: Path | Sequence[Span] | None
    out: Path
    beside: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a recording: cycles that were refined, of how many, notes on it; or why nothing was.

    Attributes
    ----------
    beyond : int
        Refined cycles that lie further from training than those left out do.
    """

    job: Job
    refined: int = 0
    cycles: int = 0
    beyond: int = 0
    notes: tuple[str, ...] = ()
    error: str = ""

    def row(self) -> dict[str, Any]:
        """A row of the summary."""
        return {
            "trial": self.job.trial,
            "activation": str(self.job.activation),
            "refined": self.refined,
            "cycles": self.cycles,
            "outside_training": self.beyond,
            "file": "" if self.error else self.job.out.name,
            "error": self.error,
        }


def trial_name(activation: Path) -> str:
    """Return what a recording is called: its file's name without ending, and without what kind of file it is."""
    return _KINDS.sub("", activation.stem)


def plan(
    activations: Sequence[Path],
    out: Path,
    grf: str | None = None,
    cycles: str | None = None,
    beside: Mapping[str, str] | None = None,
) -> list[Job]:
    """Return what is to be refined, with the files of each recording.

    Parameters
    ----------
    activations
        Activation files.
    out
        Folder to write into.
    grf, cycles
        Ground reaction forces, and tables of cycles, with ``{trial}`` where a file's name has the recording's (its own
        without ``_activation``, ``_controls`` or ``_states``). Cycles may be one table for all with a column trial, as
        that of a study folder is.
    beside
        Files of inputs beside activation, by set, named in the same way.

    Raises
    ------
    Nem2eError
        If two recordings would be written to one file, one file is given for all, or the table is none.
    """
    table = _table(Path(cycles)) if cycles is not None and TRIAL not in cycles else None
    patterns = {"--grf": grf, **{f"--{SETS[which].column}": name for which, name in (beside or {}).items()}}
    for option, name in patterns.items():
        if name is not None and TRIAL not in name and len(activations) > 1:
            raise Nem2eError(
                f"{option} {name}: is one file, but there are {len(activations)} recordings; write {TRIAL} where its "
                "name has the recording's, in quotes."
            )
    jobs = []
    for activation in activations:
        trial = trial_name(activation)
        own = None if cycles is None else Path(cycles.replace(TRIAL, trial))
        forces = None if grf is None else Path(grf.replace(TRIAL, trial))
        spans = own if table is None else table.get(trial, [])
        more = {which: Path(name.replace(TRIAL, trial)) for which, name in (beside or {}).items()}
        jobs.append(Job(trial, activation, forces, spans, out / f"{trial}{ENDING}", more))
    twice = [job for job in jobs if [other.out for other in jobs].count(job.out) > 1]
    if twice:
        raise Nem2eError(
            f"{twice[0].activation} and {twice[1].activation} would both be written to {twice[0].out}; rename one, or "
            "refine them into two folders."
        )
    return jobs


def _table(path: Path) -> dict[str, list[Span]]:
    """Cycles by trial, of a table with columns trial, cycle, start_s and end_s."""
    if "trial" not in stray_columns(path, ()):
        raise Nem2eError(
            f"{path}: is a table of one recording, but there are several; add a column trial, or write {TRIAL} where "
            "its name has the recording's, in quotes."
        )
    table = read_table(path, ("trial", "cycle", "start_s", "end_s"))
    columns = whole_numbers(path, table, "cycle"), numbers(path, table, "start_s"), numbers(path, table, "end_s")
    spans: dict[str, list[Span]] = {}
    for trial, number, start, end in zip(table["trial"], *columns, strict=True):
        spans.setdefault(str(trial), []).append(Span(int(number), float(start), float(end)))
    return {trial: check_spans(some, f"{path}, trial {trial}") for trial, some in spans.items()}


def refine_many(refiner: Refiner, jobs: Sequence[Job], rest: str = RESTS[0], **options: Any) -> Iterator[Outcome]:
    """Refine one recording after another; what fails is told, and the others are done.

    Parameters
    ----------
    refiner
        Loaded once.
    jobs
        See `plan`.
    rest
        As for `Refined.save`.
    options
        As for `Refiner.refine`.

    Yields
    ------
    Outcome
        Of each recording, once its files are written.
    """
    for job in jobs:
        try:
            yield _refined(refiner, job, rest, options)
        except Nem2eError as error:
            yield Outcome(job, error=str(error))


def _refined(refiner: Refiner, job: Job, rest: str, options: dict[str, Any]) -> Outcome:
    if isinstance(job.cycles, list) and not job.cycles:
        raise Nem2eError(f"{job.activation}: the table of cycles has no row of trial {job.trial}; add its cycles.")
    read = [job.activation, job.grf, job.cycles if isinstance(job.cycles, Path) else None, *job.beside.values()]
    require_savable(job.out, rest, read)
    found = refiner.refine(job.activation, grf=job.grf, cycles=job.cycles, beside=job.beside, **options)
    found.save(job.out, rest)
    return Outcome(job, len(found.refined), len(found.spans), found.beyond, found.notes)


def summary(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return a row a recording: trial, activation, refined, cycles, outside_training, file, error."""
    return pd.DataFrame([outcome.row() for outcome in outcomes])


def save_summary(outcomes: Sequence[Outcome], out: Path) -> Path:
    """Write ``summary.csv`` into the folder of what was refined, and return its path."""
    path = out / SUMMARY
    write_text(path, summary(outcomes).to_csv(index=False, lineterminator="\n"))
    return path


def told_once(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the notes of many recordings: those of all of them once, the others with their recordings' names."""
    done = [outcome for outcome in outcomes if not outcome.error]
    of: dict[str, list[str]] = {}
    for outcome in done:
        for note in outcome.notes:
            of.setdefault(note, []).append(outcome.job.trial)
    return [
        note if len(trials) == len(done) else f"{', '.join(trials[:3])}{' …' if len(trials) > 3 else ''}: {note}"
        for note, trials in of.items()
    ]
