"""Is attention what it is read as? Order of the muscles, agreement, stability, precision where the truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from nem2e_lib.analysis import attention
from nem2e_lib.data.muscles import base, side
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.results import of_channel

Array = NDArray[np.float64]
TOP = 10
PHASES = (0.0, 50.0, 100.0)
"""Phases of the cycle (%) at which the paper shows the ten most attended muscles."""


def neighbours(names: Iterable[str], order: Sequence[str]) -> int:
    """Return how many pairs of some tokens are next to each other in an order; by chance k(k − 1) / tokens."""
    places = np.sort([order.index(name) for name in names])
    return int((np.diff(places) == 1).sum())


def order_overlap(maps: Mapping[str, xr.DataArray], orders: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Compare the top ten of maps that were trained on the same muscles in different orders.

    Parameters
    ----------
    maps
        Attention (output, token) by name of the order.
    orders
        Muscles in the order in which the encoder read them, by the same names.

    Returns
    -------
    pandas.DataFrame
        One row a pair of orders and phase: a, b, phase, by_muscle and by_position (Jaccard overlap of the top ten's
        names, and of their places in the order), neighbours (pairs of adjacent places, mean of a and b).
    """
    if len(maps) < 2:
        raise Nem2eError(f"order of the muscles: {len(maps)} order given, expected two or more; train with another.")
    rows = []
    for a, b in combinations(maps, 2):
        for phase in PHASES:
            found = {name: attention.top(maps[name], phase) for name in (a, b)}
            places = {name: [str(orders[name].index(muscle)) for muscle in found[name]] for name in (a, b)}
            rows.append(
                {
                    "a": a,
                    "b": b,
                    "phase": phase,
                    "by_muscle": attention.jaccard(found[a], found[b]),
                    "by_position": attention.jaccard(places[a], places[b]),
                    "neighbours": float(np.mean([neighbours(found[name], orders[name]) for name in (a, b)])),
                }
            )
    return pd.DataFrame(rows)


def rank_agreement(a: Array, b: Array) -> float:
    """Return Spearman's correlation over tokens of two maps (outputs, tokens), mean over outputs where it exists."""
    ranks = [rankdata(part, axis=1) for part in (np.asarray(a, float), np.asarray(b, float))]
    centred = [part - part.mean(axis=1, keepdims=True) for part in ranks]
    size = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    defined = size > 0
    return float(((centred[0] * centred[1]).sum(axis=1)[defined] / size[defined]).mean()) if defined.any() else np.nan


def agreement(maps: Mapping[str, Array]) -> pd.DataFrame:
    """Compare every two of some maps (outputs, tokens) by rank; columns a, b, spearman."""
    return pd.DataFrame(
        [{"a": a, "b": b, "spearman": rank_agreement(maps[a], maps[b])} for a, b in combinations(maps, 2)],
        columns=["a", "b", "spearman"],
    )


def steadiness(maps: Mapping[str, xr.DataArray]) -> pd.DataFrame:
    """Compare every two of a model's maps, of seeds or of folds: a, b, spearman, jaccard (top ten, mean of phases)."""
    tops = {name: [attention.top(one, phase) for phase in PHASES] for name, one in maps.items()}
    rows = [
        {
            "a": a,
            "b": b,
            "spearman": rank_agreement(maps[a].values, maps[b].values),
            "jaccard": np.mean([attention.jaccard(*both) for both in zip(tops[a], tops[b], strict=True)]),
        }
        for a, b in combinations(maps, 2)
    ]
    return pd.DataFrame(rows, columns=["a", "b", "spearman", "jaccard"])


def maps_by_fold(results: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return a channel's maps (output, token), mean over seeds and held-out cycles, by held-out unit that has it.

    Parameters
    ----------
    results
        A trained condition, one channel.
    """
    own = of_channel(results.expand_dims("channel"), str(results.channel.values))
    weights = own.attention.mean("seed").transpose("cycle", "output", "token")
    return {
        str(label): weights[(own.fold_of_cycle == fold).values].mean("cycle")
        for fold, label in enumerate(own.fold.values)
    }


def entropy_and_steadiness(results: xr.Dataset) -> pd.DataFrame:
    """Return entropy of every channel's map, and how alike the maps of its folds are.

    Parameters
    ----------
    results
        A trained condition.

    Returns
    -------
    pandas.DataFrame
        One row a channel: study, condition, muscle; entropy, as a share of its maximum, with entropy_low and
        entropy_high (of single cycles); tokens; folds_spearman and folds_jaccard (mean over pairs of folds; the second
        for maps of muscles alone); chance_jaccard; synthetic.
    """
    muscles, tokens = attention.over_muscles(results), results.sizes["token"]
    rows = []
    for name in results.channel.values:
        one = of_channel(results, str(name))
        shares = attention.entropy_share(one.attention.transpose("cycle", "seed", "output", "token").values)
        per_cycle, table = shares.mean(axis=(1, 2)), steadiness(maps_by_fold(one))
        rows.append(
            {
                "study": results.attrs["study"],
                "condition": results.attrs["condition"],
                "muscle": str(name),
                "entropy": float(per_cycle.mean()),
                "entropy_low": float(per_cycle.min()),
                "entropy_high": float(per_cycle.max()),
                "tokens": tokens,
                "folds_spearman": float(table["spearman"].mean()),
                "folds_jaccard": float(table["jaccard"].mean()) if muscles else np.nan,
                "chance_jaccard": attention.chance_jaccard(TOP, tokens) if muscles else np.nan,
                "synthetic": bool(results.attrs["synthetic"]),
            }
        )
    return pd.DataFrame(rows)


def precision(weights: xr.DataArray, informative: Iterable[str], k: int = TOP) -> float:
    """Return the share of a map's k heaviest tokens that carry the information, mean over the phases shown."""
    known = set(informative)
    return float(np.mean([len(known & set(attention.top(weights, phase, k))) / k for phase in PHASES]))


def synergists(drive: xr.DataArray, target: str, k: int = TOP) -> list[str]:
    """Return the target and the muscles of its side that the synergies drive most alike (cosine), k in all.

    Parameters
    ----------
    drive
        Dims (muscle, synergy), as `nem2e_lib.data.synthetic.drive` gives it.
    target
        Column of the activation, such as `tib_ant_r`.
    """
    unit = drive / np.maximum(np.sqrt((drive**2).sum("synergy")), 1e-12)
    likeness = (unit * unit.sel(muscle=base(target))).sum("synergy")
    order = np.argsort(-likeness.values, kind="stable")[:k]
    suffix = {"right": "_r", "left": "_l"}[side(target)]
    return [f"{name}{suffix}" for name in drive.muscle.values[order]]


def planted(
    cycles: xr.Dataset, channel: str, k: int = TOP, seed: int = 0, gain: float = 0.6
) -> tuple[xr.Dataset, list[str]]:
    """Return a study in which k known muscles, the channel's own among them, tell all there is to know of a cycle.

    These muscles' activations are multiplied by a random gain of the cycle (log-sd `gain`), the same for all of them,
    and the EMG becomes the mean of their shares of their greatest values. Every other muscle's activations are
    exchanged between cycles, so that they look as before and tell nothing of their cycle.
    """
    rng, names = np.random.default_rng(seed), cycles.muscle.values
    target = str(cycles.target.sel(channel=channel).item())
    varied = cycles.activation.max(["cycle", "sample"]).values
    eligible = [name for name, size in zip(names, varied, strict=True) if name != target and size > np.median(varied)]
    chosen = [target, *map(str, rng.choice(eligible, k - 1, replace=False))]
    one, known = cycles.sel(channel=[channel]).copy(deep=True), np.isin(names, chosen)
    gains = np.exp(gain * rng.standard_normal(one.sizes["cycle"]))[:, None, None]
    orders = [rng.permutation(one.sizes["cycle"]) for _ in names]
    for variable in ("", "_waveform"):
        values = one[f"activation{variable}"].transpose("cycle", ..., "muscle").values.copy()
        values[..., known] *= gains / gains.max()
        for place in np.flatnonzero(~known):
            values[..., place] = values[orders[place], :, place]
        shares = values[..., known] / values[..., known].max(axis=(0, 1))
        one[f"activation{variable}"] = one[f"activation{variable}"].transpose("cycle", ..., "muscle").copy(data=values)
        emg = one[f"emg{variable}"].transpose("cycle", ..., "channel")
        one[f"emg{variable}"] = emg.copy(data=shares.mean(axis=-1, keepdims=True))
    return one, chosen


def lags(results: xr.Dataset, channel: str, seed: int) -> dict[str, float | bool]:
    """Return the lags of a channel's attention and input gradient in ms, and attention's entropy.

    Attention's is told both by its centre of mass and by its strongest diagonal; `*_edge` where a diagonal at the
    greatest lag is the strongest, so that there is no peak.
    """
    one = results.sel(channel=channel, seed=seed)
    interval = attention.sample_interval_ms(results)
    weights = one.attention.mean("cycle").transpose("output", "token").values
    slope = attention.diagonal_lag(one.gradient.mean("fold").transpose("output", "token").values)
    peak = attention.diagonal_lag(weights)
    return {
        "entropy": attention.mean_entropy(one.attention.values),
        "attention_centre_ms": attention.centre_lag(weights) * interval,
        "attention_peak_ms": peak.milliseconds(interval),
        "attention_edge": peak.at_edge,
        "gradient_ms": slope.milliseconds(interval),
        "gradient_edge": slope.at_edge,
    }
