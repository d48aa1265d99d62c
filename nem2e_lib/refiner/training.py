"""Training a refiner to keep: on everybody, with its error on those left out beside it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.study.settings import Settings
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import ALL, OWN, Training
from nem2e_lib.refiner.networks import SCALE, SHIFT
from nem2e_lib.refiner.portrait import left_out, portrait
from nem2e_lib.refiner.refiner import Refiner
from nem2e_lib.training import train as training
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Outcome
from nem2e_lib.training.folds import leave_nobody_out, leave_one_out
from nem2e_lib.training.forecast import Cost
from nem2e_lib.training.grid import Grid, Model
from nem2e_lib.training.results import ended, strays
from nem2e_lib.training.store import Store


def train(
    cycles: xr.Dataset,
    condition: str,
    configuration: Configuration,
    *,
    seeds: int | None = None,
    muscles: Iterable[str] | None = None,
    results: xr.Dataset | None = None,
    leave_out: bool = True,
    store: Path | str | None = None,
    executor: Executor | None = None,
    settings: Settings | None = None,
    profile: str = "",
    progress: bool = True,
) -> Refiner:
    """Train a refiner on every subject of a study, and find its error by leaving one out.

    Parameters
    ----------
    cycles
        Segmented cycles (`nem2e_lib.data.cycles.segment`).
    condition
        `one_quarter`, `one_entire` or `all_entire`.
    configuration
        Options of network and training.
    seeds
        Models a muscle, whose mean is the prediction and whose spread is part of its band; as many as `results` have by
        default, else one.
    muscles
        EMG names to refine; those of `results` by default, else all.
    results
        The condition as `train_condition` gave it for the same cycles and configuration: its error is taken from
        there, and no model is trained for it.
    leave_out
        Without it, and without `results`, the error remains unknown and the manifest says so.
    store
        Folder of finished models: what is found there is not trained again.
    executor
        Where blocks of models run; in this process by default.
    settings
        The study's, for the force threshold that its cycles were cut with; the default one where it is not given.
    profile
        Name written into the manifest; that of `results` by default.
    progress
        Show progress bars.

    Raises
    ------
    Nem2eError
        If a muscle is unknown, `results` are of something else, nothing can be left out, or a loss is no number.
    """
    if results is not None:
        have = set(cycles.channel.values)
        muscles = [name for name in map(str, results.channel.values) if name in have] if muscles is None else muscles
        seeds = results.sizes["seed"] if seeds is None else seeds
        profile = profile or str(results.attrs.get("profile", ""))
    seeds = 1 if seeds is None else seeds
    planned = _everybody(cycles, condition, configuration, seeds=seeds, muscles=muscles, profile=profile)
    if results is not None:
        results = _of_the_same(results, planned.grid, str(cycles.attrs["study"]))
    with nullcontext(store) if store is not None else tempfile.TemporaryDirectory() as folder:
        assert folder is not None
        kept = replace(planned, store=Store(Path(folder)))
        if results is None and leave_out:
            results = kept.with_folds(leave_one_out(cycles)).run(executor=executor, progress=progress)
        fitted = replace(kept, look=False).train(executor=executor, progress=progress)
        weights = _stacked(kept.grid, Store(Path(folder)))
    work, lost = kept.grid, diverged_seeds(kept.grid, fitted, results)
    manifest = portrait(
        kept.cycles,
        work.channel_names,
        _told(work, results, profile),
        results,
        settings or Settings(),
        data_hash=work.data_hash,
        diverged=lost,
        arithmetic=work.arithmetic,
    )
    return Refiner(manifest, weights).with_training_errors(kept.cycles)


def _told(work: Grid, results: xr.Dataset | None, profile: str) -> Training:
    return Training(
        work.condition,
        json.loads(work.configuration.to_json()),
        profile,
        tuple(work.configuration.seed + seed for seed in range(work.seeds)),
        work.epochs,
        work.epochs * work.longest,
        *left_out(results),
        ALL if work.condition == "all_entire" else OWN,
    )


@dataclass(frozen=True)
class Plan:
    """What training a refiner will cost: the models left out for its error, and those that are kept."""

    held_out: Cost | None
    kept: Cost

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.kept.seconds + (self.held_out.seconds if self.held_out else 0.0)

    def __str__(self) -> str:
        """One line each."""
        lines = [f"refiner: {self.kept}"]
        if self.held_out:
            lines.insert(0, f"held-out error: {self.held_out}")
        return "\n".join(lines)


def plan(
    cycles: xr.Dataset,
    condition: str,
    configuration: Configuration,
    *,
    seeds: int = 1,
    muscles: Iterable[str] | None = None,
    leave_out: bool = True,
    store: Path | str | None = None,
) -> Plan:
    """Return what `train` will cost, less what is found in the store; arguments and errors as there."""
    kept = _everybody(cycles, condition, configuration, seeds=seeds, muscles=muscles, store=store)
    return Plan(kept.with_folds(leave_one_out(cycles)).cost if leave_out else None, kept.cost)


def _everybody(
    cycles: xr.Dataset,
    condition: str,
    configuration: Configuration,
    *,
    seeds: int,
    muscles: Iterable[str] | None,
    store: Path | str | None = None,
    profile: str = "",
) -> training.Plan:
    """Plan the models that are kept: one a seed, muscle and part of the cycle, trained on all cycles."""
    if configuration.targets == "all":
        raise Nem2eError(
            f"study {cycles.attrs['study']}: targets=all is one network for all muscles, but a refiner is kept muscle "
            "by muscle; train it with targets=one."
        )
    return training.plan(
        cycles,
        condition,
        configuration,
        seeds=seeds,
        channels=muscles,
        folds=leave_nobody_out(cycles),
        store=store,
        profile=profile,
    )


def _of_the_same(results: xr.Dataset, work: Grid, study: str) -> xr.Dataset:
    """Results whose error is that of the refiner to be trained; Nem2eError where it would be another's."""
    names = list(work.channel_names)
    expected = {
        "data_hash": work.data_hash,
        "condition": work.condition,
        "configuration": work.configuration.to_json(),
    }
    if work.arithmetic != results.attrs.get("arithmetic", ""):
        expected["arithmetic"] = work.arithmetic or "the default"
    for name, value in expected.items():
        if results.attrs.get(name) != value:
            raise Nem2eError(
                f"study {study}: the results given have another {name} than the refiner to be trained; "
                "train the condition anew, or leave them out."
            )
    if results.sizes["seed"] != work.seeds:
        raise Nem2eError(
            f"study {study}: the results given have {results.sizes['seed']} seed(s), but the refiner "
            f"is to have {work.seeds}; train the condition with as many."
        )
    missing = sorted(set(names) - set(map(str, results.channel.values)))
    if missing:
        raise Nem2eError(f"study {study}: the results given lack {missing[0]!r}; choose other muscles.")
    return results.sel(channel=names)


def diverged_seeds(work: Grid, fitted: dict[Model, Outcome], results: xr.Dataset | None) -> dict[str, tuple[int, ...]]:
    """Seeds of each muscle whose training diverged (`training.results.strays`).

    Judged among all models of the muscle: those that leave one out, where there are any, and the other seeds.

    Raises
    ------
    Nem2eError
        If every seed of a muscle diverged.
    """
    found = {}
    for channel, name in enumerate(work.channel_names):
        models = [model for model in fitted if model.channel == channel]
        losses = np.stack([fitted[model].training_loss for model in models])[:, None, None]
        end = ended(losses).ravel()
        others = [] if results is None else ended(results.training_loss.values)[:, channel].ravel().tolist()
        lost = strays(end, losses[..., 0].ravel(), np.array([*end, *others]))
        seeds = sorted({work.configuration.seed + model.seed for model, bad in zip(models, lost, strict=True) if bad})
        if len(seeds) == work.seeds:
            raise Nem2eError(
                f"{work.condition}, {name}: training diverged with every seed ({', '.join(map(str, seeds))}), so there "
                "is nothing to keep; use more seeds, another seed or a lower learning_rate."
            )
        found[name] = tuple(seeds)
    return found


def _stacked(work: Grid, store: Store) -> dict[str, NDArray[np.float32]]:
    """Weights of every model, and the scaling of their inputs if there is one: (seed, channel, part, …)."""
    rows = [_parts(work, store, model) for model in work.models]
    lead = work.seeds, len(work.channel_names), len(work.parts)
    return {name: np.stack([row[name] for row in rows]).reshape(*lead, *rows[0][name].shape) for name in rows[0]}


def _parts(work: Grid, store: Store, model: Model) -> dict[str, NDArray[np.float32]]:
    outcome = store.load(work.key(model))
    if outcome is None:
        raise Nem2eError(f"{store.folder}: a model was removed or damaged while the refiner was made; start again.")
    if work.configuration.input_scaling == "none":
        return dict(outcome.weights)
    shift, scale = work.scaling(model)
    return {**outcome.weights, SHIFT: shift, SCALE: scale}
