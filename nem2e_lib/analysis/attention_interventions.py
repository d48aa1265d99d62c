"""What attention does, asked by intervention: trained models run on with their weights, or their context, replaced.

Three interventions, on every model of a condition and every cycle that it has not seen:

`UNIFORM_WEIGHTS`
    Every token weighs the same. What is lost is what the learned weights, and so the map, are worth.
`OTHER_CONTEXT`
    The decoder keeps its own start and attends to the encoder's states of another person's cycle. What is lost is what
    attention hands over of this cycle; the context stays one that the network knows.
`NO_CONTEXT`
    The context is zero. What is lost is all that attention hands over, the mean of all cycles included.

A map says where a network looks if its weights are worth something; that context matters does not make them matter.
(Jain & Wallace 2019, doi:10.18653/v1/N19-1357; Wiegreffe & Pinter 2019, doi:10.18653/v1/D19-1002.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.metrics import errors, rmse, speed_shares
from nem2e_lib.analysis.statistics import over_folds
from nem2e_lib.data.cycles.segment import circumstances, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.engine import Shape, refiner
from nem2e_lib.training.grid import Grid, Model
from nem2e_lib.training.numerics import pinned
from nem2e_lib.training.results import grid_of
from nem2e_lib.training.store import Store

Array = NDArray[np.float64]
Weights = dict[str, NDArray[np.float32]]

UNIFORM_WEIGHTS, OTHER_CONTEXT, NO_CONTEXT = "uniform_weights", "other_context", "no_context"
INTERVENTIONS = (UNIFORM_WEIGHTS, OTHER_CONTEXT, NO_CONTEXT)
"""Ids, in the order of how much is taken away."""


def intervene(results: xr.Dataset, cycles: xr.Dataset, store: Path | str) -> xr.DataArray:
    """Let every model of a condition refine the cycles that it has not seen, with its attention replaced.

    Parameters
    ----------
    results
        A trained condition whose models see a whole cycle: `one_entire` or `all_entire`.
    cycles
        The study's segmented cycles, with all channels.
    store
        Folder of its finished models.

    Returns
    -------
    xarray.DataArray
        Refined activity like that of `results`, with a leading dimension `intervention`; NaN where there is no model.

    Raises
    ------
    Nem2eError
        If the condition cuts cycles into quarters, nobody is held out, or a model is
        not in the store.
    """
    work = grid_of(results, cycles)
    if work.condition == "one_quarter":
        raise Nem2eError("one_quarter: its models see no whole cycle, expected one_entire or all_entire; choose these.")
    fold = results.fold_of_cycle.values
    strangers, longest = _strangers(fold), int(np.bincount(fold).max())
    refined = np.full((len(INTERVENTIONS), *results.refined.shape), np.nan)
    kept, shapes = Store(Path(store)), (work.shape(), _uniform_shape(work.shape()))
    for model in work.models:
        outcome = kept.load(work.key(model))
        if outcome is None:
            name, label = work.name_of(model), work.folds.labels[model.fold]
            raise Nem2eError(
                f"{store}: has no model of {work.condition}, {name}, held out {label}; run 03_train with this store."
            )
        held = work.held(model)
        padded = np.resize(held, longest)  # one length for all folds, so that each program is compiled once
        own, other = (_inputs(work, model, chosen) for chosen in (padded, strangers[padded]))
        for place, output in enumerate(_outputs(outcome.weights, shapes, own, other)):
            for channel in work.refined_by(model):
                there = work.recorded[channel][work.examples.cycle[held]]
                given = output[: len(held)][there]
                refined[place, model.seed, channel, held[there]] = given[..., channel] if work.joint else given
    coords: dict[str, Any] = {"intervention": list(INTERVENTIONS), **results.refined.coords}
    return xr.DataArray(refined, coords, ("intervention", *results.refined.dims))


@pinned()
def _outputs(weights: Weights, shapes: tuple[Shape, Shape], own: Array, other: Array) -> Iterator[Array]:
    shape, uniform = shapes
    yield np.asarray(refiner(_without_weights(weights, shape), uniform)(own))
    yield np.asarray(refiner(weights, shape)(own, other))
    yield np.asarray(refiner(_without_context(weights), shape)(own))


def _uniform_shape(shape: Shape) -> Shape:
    """Return the shape of networks that can weigh uniformly: `dot` has no weights that could be taken away."""
    if shape.configuration.score != "dot":
        return shape
    return replace(shape, configuration=shape.configuration.with_options(score="general"))


def _without_weights(weights: Weights, shape: Shape) -> Weights:
    """Return weights of a network whose scores are all zero, so that its softmax is uniform.

    Where the map is the encoder's own (`spatial=input_attention`), the encoder's scores are.
    """
    if "encoder.vector" in weights:
        return weights | {"encoder.vector": np.zeros_like(weights["encoder.vector"])}
    name = {"concat": "score.vector"}.get(shape.configuration.score, "score.keys")
    units = shape.configuration.units
    return weights | {name: np.zeros_like(weights.get(name, np.zeros((units, units), np.float32)))}


def _without_context(weights: Weights) -> Weights:
    """Return weights whose combination of context (first half of the rows) and decoder state drops the context."""
    combine = weights["combine"].copy()
    combine[: len(combine) // 2] = 0
    return weights | {"combine": combine}


def _strangers(fold: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Return for each cycle the one half the study away, or the next after it that another fold holds out."""
    count = len(fold)
    if count < 2 or (fold == fold[0]).all():
        raise Nem2eError("attention: all cycles are held out at once, expected two held-out units; train with more.")
    later = (np.arange(count)[:, None] + count // 2 + np.arange(count)) % count
    return later[np.arange(count), (fold[later] != fold[:, None]).argmax(axis=1)]


def _inputs(work: Grid, model: Model, chosen: NDArray[np.integer[Any]]) -> Array:
    shift, scale = work.scaling(model)
    inputs = work.examples.inputs[work.examples.set_of_channel[model.channel]]
    return np.asarray((inputs[chosen] - shift) / scale)


def changes(results: xr.Dataset, refined: xr.DataArray) -> pd.DataFrame:
    """Return what each intervention does to Er.

    Parameters
    ----------
    results
        A trained condition.
    refined
        What `intervene` returned for it.

    Returns
    -------
    pandas.DataFrame
        One row an intervention, muscle and held-out unit: study, condition, unit, intervention, muscle, label, er,
        er_changed, change (above 0: worse), synthetic.
    """
    keys = ["study", "condition", "unit", "muscle", "label", "er", "synthetic"]
    usual = errors(results)[[*keys, "rmse_opensim"]].reset_index(drop=True)
    channel = [list(results.channel.values).index(name) for name in usual["muscle"]]
    fold = [list(results.fold.values.astype(str)).index(label) for label in usual["label"]]
    of_units = _unit_rmse(results, refined)[:, channel, fold]
    tables = [
        usual.assign(intervention=str(name), er_changed=np.where(usual["er"].isna(), np.nan, rmse_changed))
        for name, rmse_changed in zip(
            refined.intervention.values, of_units / usual["rmse_opensim"].to_numpy(float) - 1, strict=True
        )
    ]
    table = pd.concat(tables, ignore_index=True).assign(change=lambda rows: rows["er_changed"] - rows["er"])
    first = ["study", "condition", "unit", "intervention", "muscle", "label"]
    return table[[*first, "er", "er_changed", "change", "synthetic"]]


def _unit_rmse(results: xr.Dataset, refined: xr.DataArray) -> Array:
    """Return the RMSE of each held-out unit, mean over seeds, shape (interventions, channels, folds): see `errors`."""
    per_cycle = rmse(results.measured, refined).mean("seed").transpose("intervention", "channel", "cycle").values
    speeds, there = circumstances(results), recorded(results.measured)
    found = np.full((*per_cycle.shape[:2], results.sizes["fold"]), np.nan)
    for fold, channel in np.ndindex(results.sizes["fold"], results.sizes["channel"]):
        mask = (results.fold_of_cycle.values == fold) & there[channel]
        if mask.any():
            share = speed_shares(speeds[mask], results.trial.values[mask])
            found[:, channel, fold] = (per_cycle[:, channel, mask] @ share.T).mean(axis=-1)
    return found


def summary(changed: pd.DataFrame, *by: str) -> pd.DataFrame:
    """Return the mean change of Er by each intervention with its interval over held-out units.

    A unit's change is the mean over its muscles. The interval is corrected for training data that folds share
    (`statistics.over_folds`).

    Parameters
    ----------
    changed
        Rows of `changes`.
    by
        Further columns to keep apart, such as ``muscle``.

    Returns
    -------
    pandas.DataFrame
        One row a study, condition, intervention and `by`: er, er_changed, change, ci_low, ci_high, p_value (corrected
        for training data that folds share), cohen_d, n, unit, muscles (how many), synthetic.
    """
    rows = []
    for keys, group in changed.groupby(["study", "condition", "intervention", *by], sort=False):
        by_unit = group.groupby("label")[["er", "er_changed", "change"]].mean()
        test = over_folds(by_unit["change"])
        rows.append(
            {
                **dict(zip(["study", "condition", "intervention", *by], keys, strict=True)),
                "er": by_unit["er"].mean(),
                "er_changed": by_unit["er_changed"].mean(),
                "change": test.mean,
                "ci_low": test.ci_low,
                "ci_high": test.ci_high,
                "p_value": test.p_value,
                "cohen_d": test.cohen_d,
                "n": test.n,
                "unit": group["unit"].iloc[0],
                "muscles": group["muscle"].nunique(),
                "synthetic": bool(group["synthetic"].any()),
            }
        )
    return pd.DataFrame(rows)
