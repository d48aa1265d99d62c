"""What maps of attention say beyond chance: likeness between folds, slope, agreement with dependence, with nulls.

Two nulls. *Other muscles' maps*: muscles are exchanged within each fold, so that all that the network's build and its
training people put into every map stays, and what belongs to the muscle goes. *Random maps of the same entropy*: the
tokens of all maps are exchanged, the same way in all, so that each row keeps its weights and loses their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from nem2e_lib.analysis.attention import WITHIN, fold_maps, over_muscles, places
from nem2e_lib.analysis.attribution import attribute
from nem2e_lib.analysis.statistics import OneSample, over_folds
from nem2e_lib.training.grid import Model
from nem2e_lib.training.results import grid_of, load_networks

Array = NDArray[np.float64]

BETWEEN, SLOPE = "between_folds", "slope"
MEASURES = ("gradient", "integrated", "occlusion")
"""What an output depends on: input gradient, integrated gradients, occlusion."""
OTHER_MUSCLES, RANDOM = "other_muscles", "random_maps"
DRAWS, NODES = 2000, 4


def dependence(results: xr.Dataset, cycles: xr.Dataset, store: Path | str) -> xr.Dataset:
    """Return what the outputs of every model depend on, for one cycle that it has not seen.

    Folds take turns in which of their cycles is looked at, so that all speeds are.

    Parameters
    ----------
    results
        A trained condition whose models see a whole cycle; its first seed is looked at.
    cycles
        The study's segmented cycles, with all channels.
    store
        Folder of its finished models.

    Returns
    -------
    xarray.Dataset
        gradient, integrated, occlusion: dims (channel, fold, output, token), NaN where there is no model; gap (channel,
        fold): see `attribution.Attribution`.
    """
    work = grid_of(results, cycles)
    sizes = [results.sizes[name] for name in ("channel", "fold", "output", "token")]
    found = {name: np.full(sizes, np.nan) for name in MEASURES}
    gap = np.full(sizes[:2], np.nan)
    order = [list(work.examples.tokens).index(token) for token in results.token.values]
    for channel, name in enumerate(work.channel_names):
        networks = load_networks(store, work, name)
        inputs = work.examples.inputs[work.examples.set_of_channel[channel]]
        for fold in work.folds_of(channel):
            model = Model(0, channel, fold, 0)
            held = work.held(model)
            chosen = held[[(channel + fold) % len(held)]]
            baseline = inputs[work.shown(model)].mean(axis=0)
            made = attribute(networks[work.folds.labels[fold]], inputs[chosen], baseline, NODES)
            gap[channel, fold] = made.gap
            for measure, one in made.maps.items():
                found[measure][channel, fold] = one[:, order]
    coords = {name: results[name] for name in ("channel", "fold", "output", "token")}
    tables = {name: (("channel", "fold", "output", "token"), one) for name, one in found.items()}
    return xr.Dataset({**tables, "gap": (("channel", "fold"), gap)}, coords)


def likeness(a: xr.DataArray, b: xr.DataArray) -> Array:
    """Return Spearman's correlation over tokens, mean over outputs, of every two maps of two sets.

    Parameters
    ----------
    a, b
        Dims (channel, fold, output, token).

    Returns
    -------
    NDArray
        Shape (channels, folds, channels, folds); NaN where there is no map. An output whose weights are all the same
        agrees with nothing: it counts as 0.
    """
    ranks = [_ranks(one.values) for one in (a, b)]
    flat = [np.nan_to_num(one).reshape(one.shape[0] * one.shape[1], -1) for one in ranks]
    table = (flat[0] @ flat[1].T).reshape(*ranks[0].shape[:2], *ranks[1].shape[:2])
    there = [np.asarray(np.isfinite(one).all(axis=(2, 3))) for one in ranks]
    return np.where(there[0][:, :, None, None] & there[1][None, None], table, np.nan)


def _ranks(maps: Array) -> Array:
    """Return ranks over tokens, centred, scaled so that a product over outputs and tokens is the mean correlation."""
    ranks = rankdata(maps, axis=-1)
    centred = ranks - ranks.mean(axis=-1, keepdims=True)
    size = np.sqrt((centred**2).sum(axis=-1, keepdims=True))
    scaled = np.divide(centred, size, out=np.zeros_like(centred), where=size > 0) / np.sqrt(maps.shape[-2])
    return np.where(np.isnan(maps).any(axis=(-2, -1), keepdims=True), np.nan, scaled)


def against_nulls(results: xr.Dataset, depends: xr.Dataset | None = None, draws: int = DRAWS) -> pd.DataFrame:
    """Test what a condition's maps say against their nulls.

    Channels that share an electrode count once: they are one recording.

    Parameters
    ----------
    results
        A trained condition.
    depends
        What `dependence` returned for it; None: agreement is not asked.
    draws
        Of each null.

    Returns
    -------
    pandas.DataFrame
        One row a test and null: study, condition, test (between_folds; slope, for maps over samples; gradient,
        integrated, occlusion), value with its 95 % interval over held-out units (each the mean over muscles;
        `statistics.over_folds`), null,
        null_mean, null_95, p_value (share of the null at or above the value, one-sided), effect (value less the null's
        mean), n, unit, muscles, synthetic; p_value is NaN where a null cannot be drawn, as for one muscle.
    """
    own = results.isel(channel=np.sort(np.unique(results.electrode.values, return_index=True)[1]))
    maps = fold_maps(own)
    rows = _rows(BETWEEN, maps, maps, draws, within=True)
    if not over_muscles(results) and results.sizes["token"] == results.sizes["output"]:
        rows.append(_slope(own, maps, draws))
    if depends is not None:
        for measure in MEASURES:
            rows += _rows(measure, maps, depends[measure].sel(channel=own.channel), draws)
    known = {
        "study": results.attrs["study"],
        "condition": results.attrs["condition"],
        "unit": results.attrs["unit"],
        "muscles": own.sizes["channel"],
        "synthetic": bool(results.attrs["synthetic"]),
    }
    return pd.DataFrame([{**known, **row} for row in rows])


def _rows(test: str, a: xr.DataArray, b: xr.DataArray, draws: int, *, within: bool = False) -> list[dict[str, Any]]:
    """Return a row for each null; `within`: maps of one set, each beside those of its muscle in other folds."""
    rng, table = np.random.default_rng(0), likeness(a, b)
    channels, folds = table.shape[:2]
    pairs = list(combinations(range(folds), 2)) if within else [(fold, fold) for fold in range(folds)]
    left, right = (np.array(side, int) for side in zip(*pairs, strict=True)) if pairs else (np.zeros(0, int),) * 2
    every = np.arange(channels)[:, None]
    alike = table[every, left, every, right]  # (channels, pairs)
    value = _mean(alike)
    by_unit = [_mean(alike[:, (left == fold) | (right == fold)]) for fold in range(folds)]
    test_of_units = over_folds([one for one in by_unit if np.isfinite(one)])
    orders = np.argsort(rng.random((draws, folds, channels)), axis=2)
    a_of, b_of = (
        (orders[:, left], orders[:, right])
        if within
        else (np.broadcast_to(np.arange(channels), (1, folds, channels)), orders)
    )
    exchanged = table[a_of, left[:, None], b_of, right[:, None]]  # (draws, pairs, channels)
    muscles = np.nanmean(exchanged, axis=(1, 2)) if channels > 1 and pairs else np.zeros(0)
    return [
        _row(test, value, test_of_units, OTHER_MUSCLES, muscles),
        _row(test, value, test_of_units, RANDOM, _exchanged_tokens(a, b, within, draws)),
    ]


def _exchanged_tokens(a: xr.DataArray, b: xr.DataArray, within: bool, draws: int) -> Array:
    """Return the mean likeness with the tokens of the first map of each pair exchanged, the same way in all."""
    rng = np.random.default_rng(1)
    left, right = (_ranks(one.values) for one in (a, b))
    both = np.asarray(np.isfinite(left + right).all(axis=(2, 3)))
    left, right = (np.where(both[:, :, None, None], one, 0.0) for one in (left, right))
    products = np.einsum("cfos,cfot->st", left, right)
    count = int(both.sum())
    if within:  # all pairs of different folds: those of the sums over folds, less each with itself
        products = np.einsum("cos,cot->st", left.sum(axis=1), right.sum(axis=1)) - products
        count = int((both.sum(axis=1) * (both.sum(axis=1) - 1)).sum())
    tokens = np.arange(len(products))
    return np.array([products[rng.permutation(tokens), tokens].sum() for _ in range(draws)]) / max(count, 1)


def _slope(results: xr.Dataset, maps: xr.DataArray, draws: int) -> dict[str, Any]:
    """Return the row of the slope of the map's centre against the output; its null exchanges the tokens of all maps."""
    rng, test = np.random.default_rng(2), over_folds(places(results)["slope"])
    at = results.output.values.astype(float)
    inner = at[WITHIN:-WITHIN]
    mean = maps.mean(["channel", "fold"]).values[WITHIN:-WITHIN]
    pull = (inner - inner.mean()) @ (mean / mean.sum(axis=1, keepdims=True)) / ((inner - inner.mean()) ** 2).sum()
    null = np.array([pull @ rng.permutation(at) for _ in range(draws)])
    return _row(SLOPE, test.mean, test, RANDOM, null)


def _row(test: str, value: float, units: OneSample, null: str, drawn: Array) -> dict[str, Any]:
    known = len(drawn) > 0 and np.isfinite(value)
    return {
        "test": test,
        "value": value,
        "ci_low": units.ci_low,
        "ci_high": units.ci_high,
        "n": units.n,
        "null": null,
        "null_mean": float(drawn.mean()) if known else np.nan,
        "null_95": float(np.quantile(drawn, 0.95)) if known else np.nan,
        "p_value": float((1 + (drawn >= value - 1e-12).sum()) / (1 + len(drawn))) if known else np.nan,
        "effect": value - float(drawn.mean()) if known else np.nan,
    }


def _mean(values: Array) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def per_muscle(results: xr.Dataset, depends: xr.Dataset) -> pd.DataFrame:
    """Return how each muscle's maps rank tokens beside what its outputs depend on, and beside those of other folds.

    Returns
    -------
    pandas.DataFrame
        One row a muscle and test (gradient, integrated, occlusion, between_folds): study, condition, muscle, test,
        spearman (mean over folds, or pairs of folds), folds, gap (greatest of the integrated gradients), synthetic.
    """
    maps = fold_maps(results)
    known = {
        "study": results.attrs["study"],
        "condition": results.attrs["condition"],
        "synthetic": bool(results.attrs["synthetic"]),
    }
    tables: Mapping[str, Array] = {name: likeness(maps, depends[name]) for name in MEASURES} | {
        BETWEEN: likeness(maps, maps)
    }
    rows = []
    for channel, name in enumerate(results.channel.values.astype(str)):
        for test, table in tables.items():
            own = table[channel, :, channel]
            alike = own[np.triu_indices(len(own), 1)] if test == BETWEEN else np.diagonal(own)
            there = int(np.isfinite(np.diagonal(own)).sum())
            gap = float(np.nanmax(depends.gap.values[channel])) if test == "integrated" else np.nan
            rows.append({**known, "muscle": name, "test": test, "spearman": _mean(alike), "folds": there, "gap": gap})
    return pd.DataFrame(rows)
