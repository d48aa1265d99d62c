"""Training one condition of a study: every EMG channel, every fold, every seed.

`plan` builds the grid once; the plan tells the cost and trains. `train_condition` does both in one call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import jax
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from tqdm import tqdm

from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.error import Nem2eError
from nem2e_lib.training import devices
from nem2e_lib.training.batching import Batching, choose
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Layout, NotANumber, Outcome, train_block
from nem2e_lib.training.folds import Folds, nested
from nem2e_lib.training.forecast import Cost, forecast
from nem2e_lib.training.grid import Grid, Model, grid
from nem2e_lib.training.results import assemble
from nem2e_lib.training.sending import Sent, sent
from nem2e_lib.training.store import Store


@dataclass(frozen=True, eq=False)
class Plan:
    """Training one condition of a study: what is trained, how it is batched, what it costs, and the training itself.

    Attributes
    ----------
    cycles
        Segmented cycles, on the EMG channels that are refined.
    grid
        The models.
    batching
        How they are batched.
    store
        Where finished models are kept: what is found there is not trained again.
    profile
        Name written into the result.
    look
        Whether outputs, attention and gradients of the models are wanted, which `run` needs; a refiner that is kept
        needs weights and losses alone.
    """

    cycles: xr.Dataset
    grid: Grid
    batching: Batching
    store: Store | None = None
    profile: str = ""
    look: bool = True

    @property
    def unfinished(self) -> list[Model]:
        """Models that the store does not hold."""
        return [m for m in self.grid.models if self.store is None or not self.store.holds(self.grid.key(m))]

    @cached_property
    def cost(self) -> Cost:
        """What the unfinished models cost, found when it is first asked; long runs are probed with real work."""
        unfinished = self.unfinished
        if self.grid.configuration.weights != "least" or not unfinished:
            return forecast(self.grid, self.batching, unfinished)
        alike = self.grid.configuration.with_options(weights="average")  # the same work, with no epoch to be chosen
        return forecast(replace(self.grid, configuration=alike), self.batching, unfinished) + self._choosing[0].cost

    @cached_property
    def _choosing(self) -> tuple[Plan, NDArray[np.bool_]]:
        """The training that chooses epochs, and which of its folds choose for which of the plan's (`folds.nested`)."""
        folds, chosen_for = nested(self.cycles, self.grid.folds)
        work = replace(self.grid, configuration=self.grid.configuration.with_options(weights="last"), folds=folds)
        return replace(self, grid=work, batching=choose(work)), chosen_for

    def __str__(self) -> str:
        """How much is trained and about what it costs, for people."""
        grid = self.grid
        updates = grid.updates(grid.models)
        what = (
            f"{len(updates)} models of {grid.configuration.units} units, {grid.epochs} epochs, "
            f"about {int(np.median(updates))} updates each"
        )
        if grid.configuration.weights == "least":
            what += f", and {len(self._choosing[0].grid.models)} that choose their epochs"
        if not self.cost.models:
            return f"{what}: all were found finished."
        return f"{what}. To train: {self.cost}" + ("; finished models are kept." if self.store else ".")

    def with_folds(self, folds: Folds) -> Plan:
        """Return the plan of the same models for other folds of the same cycles."""
        other = replace(self.grid, folds=folds)
        return replace(self, grid=other, batching=choose(other))

    def run(self, *, executor: Executor | None = None, progress: bool = True) -> xr.Dataset:
        """Train what is not finished and lay all models into one data set.

        Parameters
        ----------
        executor
            Where the blocks run; in this process by default.
        progress
            Show a progress bar.

        Returns
        -------
        xarray.Dataset
            See "Trained condition" in the architecture page.

        Raises
        ------
        Nem2eError
            If a loss stops being a number, memory runs out or a worker dies.
        """
        began = time.monotonic()
        work = self._chosen(executor, progress)
        outcomes = self._train(work, executor, progress)
        return assemble(self.cycles, work, outcomes, self.batching, time.monotonic() - began, self.profile)

    def train(self, *, executor: Executor | None = None, progress: bool = True) -> dict[Model, Outcome]:
        """Train as `run` does, and return each model's outcome without its weights, which are in the store."""
        return self._train(self._chosen(executor, progress), executor, progress)

    def _train(self, work: Grid, executor: Executor | None, progress: bool) -> dict[Model, Outcome]:
        # Elsewhere there may be other devices than here.
        layout = Layout(self.batching.width, self.batching.count if executor is None else self.batching.devices)
        jobs = [Job(work, models, layout, self.store, self.look) for models in work.blocks(self.batching.block)]
        return dict(_run(jobs, executor, progress))

    def _chosen(self, executor: Executor | None, progress: bool) -> Grid:
        """Return the grid with the epoch of each model, where training is needed to choose it."""
        if self.grid.configuration.weights != "least":
            return self.grid
        inner, chosen_for = self._choosing
        found = inner.train(executor=executor, progress=progress)
        chosen = {}
        for model in self.grid.models:
            choosing = [replace(model, fold=int(fold)) for fold in np.flatnonzero(chosen_for[model.fold])]
            losses = [found[one].validation_loss for one in choosing if one in found]
            chosen[model] = int(np.mean(losses, axis=0)[: self.grid.epochs_of(model.channel)].argmin()) + 1
        return replace(self.grid, chosen=chosen)


def plan(
    cycles: xr.Dataset,
    condition: str,
    configuration: Configuration,
    *,
    seeds: int = 1,
    channels: Iterable[str] | None = None,
    folds: Folds | None = None,
    store: Path | str | None = None,
    batching: Batching | None = None,
    profile: str = "",
) -> Plan:
    """Plan to train STDR-Net for each channel, leaving one subject (or speed) out.

    A channel that somebody lacks is neither trained on that person nor judged by them: its models are those of the
    study without the person.

    Parameters
    ----------
    cycles
        Segmented cycles, as `nem2e_lib.data.cycles.segment.load_cycles` returns them.
    condition
        `one_quarter`, `one_entire` or `all_entire`.
    configuration
        Options of network and training.
    seeds
        Models a fold, with seeds `configuration.seed`, `configuration.seed + 1`, …
    channels
        EMG channels to refine; all by default.
    folds
        What is held out and trained on; `leave_one_out` by default.
    store
        Folder of finished models: what is found there is not trained again.
    batching
        How models are batched; chosen by size and backend by default.
    profile
        Name written into the result.

    Raises
    ------
    Nem2eError
        If a channel is unknown, or the study has nothing to leave out.
    """
    devices.configure()
    chosen = cycles if channels is None else cycles.sel(channel=_known(cycles, channels))
    work = grid(chosen, condition, configuration, data_hash(cycles), seeds=seeds, folds=folds)
    kept = None if store is None else Store(Path(store).resolve())  # workers may stand in another folder
    return Plan(chosen, work, batching or choose(work), kept, profile)


def train_condition(
    cycles: xr.Dataset,
    condition: str,
    configuration: Configuration,
    *,
    seeds: int = 1,
    channels: Iterable[str] | None = None,
    folds: Folds | None = None,
    store: Path | str | None = None,
    executor: Executor | None = None,
    batching: Batching | None = None,
    profile: str = "",
    progress: bool = True,
) -> xr.Dataset:
    """Train STDR-Net for each channel, leaving one subject (or speed) out: `plan` and `Plan.run` in one call.

    Parameters, result and errors are theirs.
    """
    planned = plan(
        cycles,
        condition,
        configuration,
        seeds=seeds,
        channels=channels,
        folds=folds,
        store=store,
        batching=batching,
        profile=profile,
    )
    return planned.run(executor=executor, progress=progress)


@dataclass(frozen=True)
class Job:
    """A block to train: picklable, so that any executor can run it."""

    grid: Grid
    models: tuple[Model, ...]
    layout: Layout
    store: Store | None
    look: bool = True

    @property
    def epochs(self) -> int:
        """Epochs of each of its models."""
        return self.grid.epochs_of(self.models[0].channel)


Trained = tuple[Model, Outcome]
"""A model, and what came of it."""


def run_job(job: Job, report: Callable[[int, float], None] | None = None) -> list[Trained]:
    """Train a block, or fetch it from the store where every model of it is finished.

    The outcomes come back without their weights, which would fill the memory; those are in the store.
    """
    devices.configure()
    found = [job.store.load(job.grid.key(model)) if job.store else None for model in job.models]
    outcomes = [outcome for outcome in found if outcome is not None and (outcome.refined.size or not job.look)]
    if len(outcomes) < len(job.models):
        outcomes = _train(job, report)
        if job.store is not None:
            for model, outcome in zip(job.models, outcomes, strict=True):
                job.store.save(job.grid.key(model), outcome)
    return [(model, outcome._replace(weights={})) for model, outcome in zip(job.models, outcomes, strict=True)]


CHUNKS = 20
"""At least so many parts a block's epochs are cut into, so that progress shows and a lost loss is seen early."""


def chunk_of(epochs: int) -> int:
    """Return how many epochs run at a time: a divisor, since parts of another length would be compiled once more."""
    most = -(-epochs // CHUNKS)
    return next(size for size in range(most, 0, -1) if epochs % size == 0)


def _train(job: Job, report: Callable[[int, float], None] | None) -> list[Outcome]:
    work, chunk = job.grid, chunk_of(job.epochs)
    try:
        tasks = work.tasks(job.models)
        return train_block(work.data(), tasks, work.shape(), job.layout, chunk=chunk, report=report, look=job.look)
    except NotANumber as error:
        raise _no_number(work, job.models[error.model], error.epoch) from error
    except (jax.errors.JaxRuntimeError, MemoryError) as error:
        raise _out_of_memory(job, error) from error


def _run(jobs: list[Job], executor: Executor | None, progress: bool) -> Iterator[Trained]:
    updates = [len(job.models) * job.epochs * job.grid.longest for job in jobs]
    label = jobs[0].grid.condition if jobs else ""
    with tqdm(
        total=sum(updates), desc=label, unit="update", unit_scale=True, disable=not progress, mininterval=2
    ) as bar:
        done = Done(bar, sum(len(job.models) for job in jobs))
        yield from _here(jobs, done) if executor is None else _elsewhere(jobs, executor, done)


class Done:
    """The progress bar: updates in all, and finished models of how many beside it."""

    def __init__(self, bar: tqdm, models: int):
        self._bar, self._models, self._finished, self._shown = bar, models, 0, 0

    def during(self, job: Job, epochs: int, loss: float) -> None:
        """Count epochs of a block under way."""
        step = epochs * len(job.models) * job.grid.longest
        self._shown += step
        self._bar.set_postfix_str(f"{self._finished}/{self._models} models, loss {loss:.4f}", refresh=False)
        self._bar.update(step)

    def after(self, job: Job) -> None:
        """Count a finished block, whether it was trained or found."""
        self._finished += len(job.models)
        self._bar.set_postfix_str(f"{self._finished}/{self._models} models", refresh=False)
        self._bar.update(len(job.models) * job.epochs * job.grid.longest - self._shown)
        self._shown = 0


def _here(jobs: list[Job], done: Done) -> Iterator[Trained]:
    for job in jobs:
        finished = run_job(job, partial(done.during, job))
        done.after(job)
        yield from finished


def _elsewhere(jobs: list[Job], executor: Executor, done: Done) -> Iterator[Trained]:
    try:
        with _submitted(jobs, executor) as futures:
            for future in as_completed(futures):
                finished = future.result()
                done.after(futures[future])
                yield from finished
    except Exception as error:
        # dask tells of a task that took several workers down by an exception of its own.
        if not isinstance(error, BrokenExecutor) and type(error).__name__ != "KilledWorker":
            raise
        raise Nem2eError(
            f"{jobs[0].grid.condition}: a worker process died, killed or out of memory; start again with fewer "
            "workers, finished models are kept."
        ) from error


@contextmanager
def _submitted(jobs: list[Job], executor: Executor) -> Iterator[dict[Future[list[Trained]], Job]]:
    """Submit jobs, and cancel what is left of them; what all are about goes through the store, where there is one."""
    store = jobs[0].store if jobs else None
    with nullcontext() if store is None else sent(jobs[0].grid, store.folder) as told:
        futures = {_submit(executor, job, told): job for job in jobs}
        try:
            yield futures
        finally:
            for future in futures:
                future.cancel()


def _submit(executor: Executor, job: Job, told: Sent | None) -> Future[list[Trained]]:
    if told is None:
        return executor.submit(run_job, job)
    return executor.submit(run_sent, told, job.models, job.layout, job.store, job.look)


def run_sent(told: Sent, models: tuple[Model, ...], layout: Layout, store: Store | None, look: bool) -> list[Trained]:
    """Train a block of a grid that was sent beforehand; see `run_job`."""
    return run_job(Job(told.grid, models, layout, store, look))


def _known(cycles: xr.Dataset, channels: Iterable[str]) -> list[str]:
    """Return the channels asked for, each once; Nem2eError for one that there is not, or for none."""
    have, wanted = [str(name) for name in cycles.channel.values], list(dict.fromkeys(channels))
    for name in wanted:
        if name not in have:
            raise Nem2eError(
                f"study {cycles.attrs['study']}: there is no EMG channel {name!r}, it has "
                f"{', '.join(have)}; choose of these."
            )
    if not wanted:
        raise Nem2eError(f"study {cycles.attrs['study']}: no muscle is chosen; name some of {', '.join(have)}.")
    return wanted


def _out_of_memory(job: Job, error: Exception) -> Exception:
    """Return a sentence where memory ran out, and any other error as it is."""
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error) or "ut of memory" in str(error):
        return Nem2eError(
            f"{job.grid.condition}: out of memory with {job.layout.width} models of {job.grid.configuration.units} "
            "units side by side on a device; lower units or pass a smaller batching and start again, finished models "
            "are kept."
        )
    return error


def _no_number(work: Grid, model: Model, epoch: int) -> Nem2eError:
    held_out = work.folds.labels[model.fold] or "nobody"
    return Nem2eError(
        f"{work.condition}, {work.name_of(model)}, held out {held_out}, seed "
        f"{work.configuration.seed + model.seed}: the training loss is not a number from epoch {epoch} on; lower "
        "learning_rate and start again, finished models are kept."
    )
