"""The result of training a condition: one labelled data set, saved as NetCDF."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax import Array
from jax.tree_util import Partial
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import cycle_coords, data_hash, recorded
from nem2e_lib.data.files import whole
from nem2e_lib.data.netcdf import load_dataset
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.batching import Batching
from nem2e_lib.training.conditions import QUARTERS, join_quarters, own_muscle
from nem2e_lib.training.config import Configuration, last_tenth
from nem2e_lib.training.engine import Outcome, refiner
from nem2e_lib.training.folds import mean_curves
from nem2e_lib.training.grid import Grid, Model, grid
from nem2e_lib.training.numerics import pinned
from nem2e_lib.training.store import Store

DIVERGED = 5.0
"""How many times its channel's median the loss that a model ends with may be; see `diverged`."""

Network = Callable[[Array], Array]
"""A trained model, batched over sequences; a pytree, so that compiled functions may take it as an argument."""

STUDY_ATTRS = ("study", "motion", "simulated_by", "synthetic", "citation")
"""Attributes that a result takes over from the cycles that it refines."""


def assemble(
    cycles: xr.Dataset,
    work: Grid,
    outcomes: dict[Model, Outcome],
    batching: Batching,
    seconds: float,
    profile: str,
) -> xr.Dataset:
    """Lay the outcomes of a grid's models into one data set (the architecture page lists its variables)."""
    measured = cycles.emg.transpose("channel", "cycle", "sample")
    simulated = own_muscle(cycles).where(xr.DataArray(work.recorded, dims=("channel", "cycle")))
    arrays = _empty(work, cycles, next(iter(outcomes.values())))
    for model, outcome in outcomes.items():
        _place(arrays, work, model, outcome)
    samples = cycles.sample.values
    refined, attention, gradient = _joined(work, arrays, samples)
    folds = work.folds
    result = xr.Dataset(
        {
            "refined": (("seed", "channel", "cycle", "sample"), refined),
            "simulated": (("channel", "cycle", "sample"), simulated.values),
            "measured": (("channel", "cycle", "sample"), measured.values),
            "mean_curve": (("channel", "cycle", "sample"), mean_curves(measured.values, folds.of_cycle, folds.only)),
            "training_loss": (("seed", "channel", "fold", "epoch"), arrays["training_loss"].mean(axis=3)),
            "validation_loss": (("seed", "channel", "fold", "epoch"), arrays["validation_loss"].mean(axis=3)),
            "diverged": (("seed", "channel", "fold"), diverged(arrays["training_loss"].mean(axis=3))),
            "attention": (("seed", "channel", "cycle", "output", "token"), attention),
            "gradient": (("seed", "channel", "fold", "output", "token"), gradient),
        },
        coords={
            "seed": work.configuration.seed + np.arange(work.seeds),
            "fold": list(folds.labels),
            "token": work.examples.tokens,
            "output": samples,
            "sample": samples,
            "epoch": np.arange(1, work.epochs + 1),
            "channel": cycles.channel,
            "cycle": cycles.cycle,
            "fold_of_cycle": ("cycle", folds.of_cycle),
            **{name: cycles[name] for name in (*cycle_coords(cycles), "target", "electrode")},
        },
    )
    if work.chosen:
        result["kept_epoch"] = ("seed", "channel", "fold"), _kept(work)
    if work.examples.muscles:
        result = result.sel(token=cycles.muscle.values)
    return result.assign_attrs(_attributes(cycles, work, batching, seconds, profile))


def _empty(work: Grid, cycles: xr.Dataset, sample: Outcome) -> dict[str, NDArray[np.floating]]:
    lead = work.seeds, len(work.channel_names)
    folds, parts = len(work.folds.labels), len(work.parts)
    sequences = len(work.examples.cycle)
    return {
        "training_loss": np.full((*lead, folds, parts, work.epochs), np.nan),
        "validation_loss": np.full((*lead, folds, parts, work.epochs), np.nan),
        "refined": np.full((*lead, sequences, sample.refined.shape[1]), np.nan),
        "attention": np.full((*lead, sequences, *sample.attention.shape[1:]), np.nan, np.float32),
        "gradient": np.full((*lead, folds, parts, *sample.attention.shape[1:]), np.nan, np.float32),
    }


def _place(arrays: dict[str, NDArray[np.floating]], work: Grid, model: Model, outcome: Outcome) -> None:
    fold, part, epochs = model.fold, model.part, len(outcome.training_loss)
    held = work.held(model)
    for channel in work.refined_by(model):
        row = model.seed, channel
        there = np.flatnonzero(work.recorded[channel][work.examples.cycle[held]])  # all of one network's held cycles
        if not len(there):
            continue
        refined, gradient = outcome.refined[there], outcome.gradient
        if work.joint:
            refined, gradient = refined[..., channel], gradient[:, channel]
        arrays["training_loss"][*row, fold, part, :epochs] = outcome.training_loss
        arrays["validation_loss"][*row, fold, part, :epochs] = outcome.validation_loss
        arrays["refined"][*row, held[there]] = refined
        arrays["attention"][*row, held[there]] = outcome.attention[there]
        arrays["gradient"][*row, fold, part] = gradient


def _kept(work: Grid) -> NDArray[np.floating]:
    """Return the epoch whose weights each model keeps, mean over the parts of the cycle; NaN where there is none."""
    kept = np.full((work.seeds, len(work.channel_names), len(work.folds.labels), len(work.parts)), np.nan)
    for model, epoch in work.chosen.items():
        kept[model.seed, work.refined_by(model), model.fold, model.part] = epoch
    return kept.mean(axis=-1)


def _joined(
    work: Grid, arrays: dict[str, NDArray[np.floating]], samples: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
    refined, attention, gradient = arrays["refined"], arrays["attention"], arrays["gradient"].mean(axis=3)
    if work.condition != "one_quarter":
        return refined, attention, gradient
    *lead, sequences, steps, tokens = attention.shape
    cycles = sequences // QUARTERS
    refined = join_quarters(refined.reshape(*lead, cycles, QUARTERS, steps), samples)
    attention = attention.reshape(*lead, cycles, QUARTERS * steps, tokens)
    rows = np.linspace(0, QUARTERS * steps - 1, len(samples)).round().astype(int)
    per_quarter = np.tile(gradient, (1, 1, 1, QUARTERS, 1))
    return refined, attention[..., rows, :], per_quarter[..., rows, :]


def diverged(training_loss: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say which models diverged in training: each is judged among the models of its channel by `strays`.

    The mark leaves no model out of errors and losses: one that has diverged is what the method gave there, and counts
    in Er and in mean losses like any other; both say how many there are. A refiner with several seeds gives those that
    diverged no answer.

    Parameters
    ----------
    training_loss
        Shape (seeds, channels, folds, epochs); NaN where there is no model, and in epochs that a channel lacks.

    Returns
    -------
    NDArray
        Shape (seeds, channels, folds); False where there is no model.
    """
    first, end = training_loss[..., 0], ended(training_loss)
    of_channel = [strays(end[:, channel], first[:, channel], end[:, channel]) for channel in range(end.shape[1])]
    return np.stack(of_channel, axis=1)


def strays(end: NDArray[np.floating], first: NDArray[np.floating], among: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say which models end above `DIVERGED` times the median of those of their channel, or above their own first epoch.

    The loss that a model ends with is the median over the last tenth of its epochs (`ended`), so that a step of Adam
    that jumps, and is made good within an epoch or a few, is no divergence.

    Parameters
    ----------
    end, first
        The loss that models end with, and that of their first epoch; NaN where there is no model.
    among
        The losses that the channel's models end with, in any shape.
    """
    known = among[~np.isnan(among)]
    limit = DIVERGED * np.median(known) if known.size else np.nan
    return np.asarray((end > limit) | (end > first))


def ended(training_loss: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the median loss of each model's last tenth of epochs; NaN where there is no model.

    Takes (seeds, channels, folds, epochs) and returns (seeds, channels, folds).

    A channel that somebody lacks may have fewer epochs than the others, and NaN in those that it lacks.
    """
    epochs = (~np.isnan(training_loss)).any(axis=(0, 2)).sum(axis=-1)
    windows = [slice(max(last, 1) - last_tenth(last), max(last, 1)) for last in epochs.tolist()]
    rows = [np.median(training_loss[:, channel, :, window], axis=-1) for channel, window in enumerate(windows)]
    return np.stack(rows, axis=1)


def _attributes(cycles: xr.Dataset, work: Grid, batching: Batching, seconds: float, profile: str) -> dict[str, Any]:
    updates = work.updates(work.models)
    return {
        **{name: cycles.attrs[name] for name in STUDY_ATTRS},
        "condition": work.condition,
        "unit": work.folds.unit,
        "profile": profile,
        "configuration": work.configuration.to_json(),
        "epochs": work.epochs,
        "updates": int(np.median(updates)),
        "models": len(work.models),
        "batching": str(batching),
        "seconds": seconds,
        "data_hash": work.data_hash,
        **({"arithmetic": work.arithmetic} if work.arithmetic else {}),
        "parameters": len(work.parts) * work.seeds * len(work.networks) * work.parameters,
    }


def of_channel(results: xr.Dataset, channel: str) -> xr.Dataset:
    """Return one channel of a trained condition, with the cycles and held-out units alone of which it was recorded."""
    there = recorded(results.measured.sel(channel=[channel]))[0]
    if there.all():
        return results.sel(channel=channel)
    kept, index = np.unique(results.fold_of_cycle.values[there], return_inverse=True)
    own = results.sel(channel=channel).isel(cycle=there, fold=kept).assign_coords(fold_of_cycle=("cycle", index))
    return own.dropna("epoch", how="all", subset=["training_loss"]) if "epoch" in own.dims else own


def save_results(results: xr.Dataset, path: Path | str) -> None:
    """Write a trained condition as NetCDF, all or nothing.

    Raises
    ------
    Nem2eError
        If the file cannot be written, for instance because the disk is full.
    """
    path = Path(path)
    stored = results.assign(diverged=results.diverged.astype("int8"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            stored.to_netcdf(temporary, engine="scipy")
    except OSError as error:
        raise Nem2eError(
            f"{path}: cannot be written ({error.strerror or error}); make room or choose another folder and start "
            "again, finished models are kept."
        ) from error


def load_results(path: Path | str) -> xr.Dataset:
    """Read a trained condition.

    Raises
    ------
    Nem2eError
        If the file is missing or is no trained condition.
    """
    if not Path(path).exists():
        raise Nem2eError(f"{path}: there is no such trained condition; run 03_train for it first.")
    results = load_dataset(path)
    if "refined" not in results:
        raise Nem2eError(f"{path}: has no variable 'refined', expected a trained condition; run 03_train again.")
    return results.assign(diverged=results.diverged.astype(bool))


def load_models(
    store: Path | str, work: Grid, channel: str, *, seed: int = 0
) -> dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Return a channel's trained models by held-out label.

    Each takes simulated activation of shape (cycles, tokens, features), unscaled, and returns refined activation of
    shape (cycles, samples).

    Raises
    ------
    Nem2eError
        If a model is not in the store, the condition cuts cycles into quarters, or one network of a one-muscle
        condition refines all channels (`targets=all`): the input of one muscle is not all that it reads.
    """
    if work.condition == "one_quarter":
        raise Nem2eError(
            "one_quarter: its models refine quarters, expected one_entire or all_entire; choose one of these."
        )
    if work.joint and work.condition != "all_entire":
        raise Nem2eError(
            f"{work.condition} was trained with targets=all, whose networks read the muscles of all EMG channels, but "
            f"here the input of {channel} alone is given; train it with targets=one."
        )
    return {label: partial(_in_numpy, network) for label, network in load_networks(store, work, channel, seed).items()}


@pinned()
def load_networks(store: Path | str, work: Grid, channel: str, seed: int = 0) -> dict[str, Network]:
    """Return a channel's trained models by held-out label, as functions that JAX differentiates.

    Each takes unscaled inputs as the condition's examples hold them, shape (sequences, tokens, features), and returns
    outputs of shape (sequences, steps). Raises `Nem2eError` if a model is not in the store.
    """
    networks: dict[str, Network] = {}
    for model in work.held_out(channel, seed):
        label = work.folds.labels[model.fold]
        outcome = Store(Path(store)).load(work.key(model))
        if outcome is None:
            raise Nem2eError(
                f"{store}: has no model of {work.condition}, {channel}, held out {label}; run 03_train with this store."
            )
        shift, scale = map(jnp.asarray, work.scaling(model))
        run = Partial(_scaled, refiner(outcome.weights, work.shape()), shift, scale)
        networks[label] = Partial(_channel, run, work.channel_names.index(channel)) if work.joint else run
    return networks


@pinned()
def _scaled(run: Network, shift: Array, scale: Array, inputs: Array) -> Array:
    return run((jnp.asarray(inputs, jnp.float32) - shift) / scale)


def _channel(run: Network, channel: int, *inputs: Array) -> Array:
    """Return one channel's output of a network of all."""
    return run(*inputs)[..., channel]


@pinned()
def _in_numpy(run: Network, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(run(jnp.asarray(inputs, jnp.float32)))


def configuration_of(results: xr.Dataset) -> dict[str, Any]:
    """Return the options a condition was trained with."""
    options: dict[str, Any] = json.loads(results.attrs["configuration"])
    return options


def grid_of(results: xr.Dataset, cycles: xr.Dataset) -> Grid:
    """Return the grid of models that gave a trained condition, to find them again in their store.

    Parameters
    ----------
    results
        The trained condition.
    cycles
        The study's segmented cycles, with all channels.
    """
    return grid(
        cycles.sel(channel=results.channel.values),
        results.attrs["condition"],
        Configuration(**configuration_of(results)),
        data_hash(cycles),
        seeds=results.sizes["seed"],
        arithmetic=results.attrs.get("arithmetic", ""),
    )
