"""What attention and input gradients say: entropy, lags, where a map lies, its top tens and what chance gives."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.stats import hypergeom, linregress

from nem2e_lib.data.muscles import region, side
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

UNIFORM = 0.95
"""Share of the greatest entropy above which attention is called nearly uniform, which decides nothing."""


def entropy_share(weights: Array) -> Array:
    """Return the Shannon entropy of attention over its last axis, as a share of the greatest one, log(tokens).

    Parameters
    ----------
    weights
        Attention whose last axis sums to 1, shape (…, tokens).

    Returns
    -------
    NDArray
        0 (all on one token) to 1 (uniform), shape (…); NaN where there is no attention.
    """
    weights = np.asarray(weights, float)
    terms = np.where(weights > 0, weights * np.log(np.where(weights > 0, weights, 1.0)), 0.0 * weights)
    return np.asarray(-terms.sum(axis=-1) / np.log(weights.shape[-1]))


def mean_entropy(weights: Array) -> float:
    """Return the mean `entropy_share` of attention, over the channels and cycles that have one."""
    return float(np.nanmean(entropy_share(weights)))


def uniformity(share: float) -> str:
    """Describe an entropy share in one sentence."""
    words = "nearly uniform" if share > UNIFORM else "not uniform"
    return f"Entropy is {share:.2f} of its maximum: attention is {words}."


@dataclass(frozen=True)
class Lag:
    """How far behind the output its input lies: in whole samples, refined between samples, and the height of the peak.

    Positive where the input comes later in the cycle than the output, as it must to undo a late simulation.
    """

    samples: int
    refined: float
    profile: Array
    lags: NDArray[np.int_]

    @property
    def at_edge(self) -> bool:
        """Whether the strongest lag is the greatest one considered: then there is no peak, and no lag to speak of."""
        return abs(self.samples) == int(np.abs(self.lags).max())

    def milliseconds(self, interval_ms: float) -> float:
        """Return the refined lag in ms, for a sampling interval in ms."""
        return self.refined * interval_ms


def diagonal_lag(matrix: Array, max_lag: int = 6) -> Lag:
    """Find the lag at which a map of outputs by inputs is strongest.

    For each lag k the entries [t, t + k] are averaged over the inner outputs: those for which every lag considered
    exists, so that the ends of the cycle favour none.

    Parameters
    ----------
    matrix
        Size of |d out_t / d in_s|, or attention, shape (outputs, inputs), both the samples of a cycle.
    max_lag
        Greatest lag considered, in samples, both ways.

    Raises
    ------
    Nem2eError
        If the map is not square or too small for `max_lag`.
    """
    count = len(matrix)
    if matrix.shape != (count, count) or count <= 2 * max_lag:
        raise Nem2eError(f"lag: a square map of more than {2 * max_lag} samples is expected, found {matrix.shape}.")
    lags, inner = np.arange(-max_lag, max_lag + 1), np.arange(max_lag, count - max_lag)
    profile = np.array([np.abs(matrix)[inner, inner + lag].mean() for lag in lags])
    peak = int(profile.argmax())
    return Lag(int(lags[peak]), float(lags[peak] + _vertex(profile, peak)), profile, lags)


def centre_lag(attention: Array, max_lag: int = 6) -> float:
    """Return the mean distance of attention's centre of mass from the output, in samples, over the inner outputs."""
    count = len(attention)
    inner = np.arange(max_lag, count - max_lag)
    centre = attention @ np.arange(count) / attention.sum(axis=1)
    return float((centre - np.arange(count))[inner].mean())


def over_muscles(results: xr.Dataset) -> bool:
    """Whether attention lies on muscles; otherwise its tokens are samples in time."""
    return results.token.dtype.kind in "UO"


ONE_ROW = "All outputs were emitted at once (output=at_once) and share one row of weights: it tells of no output alone."
"""Said wherever attention is shown whose rows are no outputs' own."""


def over_outputs(results: xr.Dataset) -> bool:
    """Whether attention has a row of its own for each output; otherwise one row is repeated, as `ONE_ROW` says."""
    options = json.loads(results.attrs.get("configuration", "{}"))
    own = "spatial" in options and options["spatial"] == "input_attention" and over_muscles(results)
    return bool(options.get("output", "sequence") != "at_once" or own)


def sample_interval_ms(results: xr.Dataset) -> float:
    """Return the mean time between two samples of a cycle, in ms."""
    duration = float((results.end_s - results.start_s).mean())
    return 1000.0 * duration / (results.sizes["sample"] - 1)


def gradient_lag(results: xr.Dataset, channel: str | None = None) -> Lag:
    """Return the lag of the input gradient, averaged over seeds, folds and (unless one is named) channels."""
    gradient = results.gradient if channel is None else results.gradient.sel(channel=[channel])
    return diagonal_lag(gradient.mean(["seed", "channel", "fold"]).values)


def reading(results: xr.Dataset) -> dict[str, object]:
    """Return what a condition's attention says, and where it lies beside the input gradient.

    Returns
    -------
    dict
        study, condition, entropy_share (mean over all models and outputs), verdict; where attention lies on the samples
        that are output, also gradient_lag_samples, gradient_lag_ms, lag_verdict, attention_lag_ms and
        attention_slope (NaN where the outputs share one row; a lag is a delay only where the slope is near 1),
        sample_interval_ms.
    """
    share = mean_entropy(results.attention.values)
    row: dict[str, object] = {
        "study": results.attrs["study"],
        "condition": results.attrs["condition"],
        "entropy_share": share,
        "verdict": uniformity(share) if over_outputs(results) else f"{uniformity(share)} {ONE_ROW}",
    }
    if results.sizes["token"] == results.sizes["output"] and not over_muscles(results):
        interval = sample_interval_ms(results)
        gradient = gradient_lag(results)
        weights, at = results.attention.mean(["seed", "channel", "cycle"]).values, results.output.values.astype(float)
        row |= {
            "gradient_lag_samples": gradient.samples,
            "gradient_lag_ms": gradient.milliseconds(interval),
            "lag_verdict": _lag_verdict(gradient),
            "attention_lag_ms": centre_lag(weights) * interval if over_outputs(results) else np.nan,
            "attention_slope": slope(centres(weights, at), at) if over_outputs(results) else np.nan,
            "sample_interval_ms": interval,
        }
    return row


def _lag_verdict(lag: Lag) -> str:
    if lag.at_edge:
        return f"no peak within {abs(lag.samples)} samples: the input gradient shows no lag"
    return f"the output depends most on the input {lag.samples:+d} samples away"


def fold_maps(results: xr.Dataset) -> xr.DataArray:
    """Return the map of every channel and held-out unit, mean over seeds and the unit's cycles.

    Returns
    -------
    xarray.DataArray
        Dims (channel, fold, output, token); NaN where a unit has no model of a channel.
    """
    weights, fold = results.attention.mean("seed"), results.fold_of_cycle.values
    each = [weights.isel(cycle=fold == one).mean("cycle") for one in range(results.sizes["fold"])]
    maps: xr.DataArray = xr.concat(each, "fold").assign_coords(fold=results.fold.values)
    return maps.transpose("channel", "fold", "output", "token")


def centres(weights: Array, places: Array) -> Array:
    """Return attention's centre of mass, from weights (…, tokens) and the tokens' places (tokens,), shape (…)."""
    return np.asarray(weights @ places / weights.sum(axis=-1))


EARLY, LATE = 40.0, 50.0
"""Up to this much of the cycle (%) the paper's Figure 6 (I) speaks of outputs, and from this on Figure 6 (II)."""
WITHIN = 3
"""Lags up to so many samples, about 110 ms, are asked of: outputs nearer than that to an end cannot show them."""


def slope(centre: Array, at: Array) -> float:
    """Return how a centre moves with the output, over outputs from which lags up to `WITHIN` samples can be seen.

    Parameters
    ----------
    centre, at
        Centre of each output's weights, and its own place, shape (outputs,); 1 for a diagonal, 0 for a uniform map.
    """
    return float(linregress(at[WITHIN:-WITHIN], centre[WITHIN:-WITHIN]).slope)


def places(results: xr.Dataset) -> pd.DataFrame:
    """Return where temporal attention lies, of every held-out unit's mean map over muscles.

    All measures are 0 for a uniform map, whatever it was learned from, but for a lag, which is none there.

    Returns
    -------
    pandas.DataFrame
        One row a unit: label; later, for outputs up to `EARLY`, the weight on samples after the output, above a uniform
        map's, as a share of what is possible (1: all weight lies later; below 0: earlier); slope of the centre against
        the output, over outputs from which lags up to `WITHIN` samples can be seen (1: a diagonal, whatever its lag);
        lag_ms, the mean distance of the centre from these outputs, ms; early and late, the distance of the centre from
        mid-cycle, % of the cycle, for outputs up to `EARLY` and from `LATE` on.
    """
    maps, at = fold_maps(results).mean("channel").dropna("fold", how="all"), results.output.values.astype(float)
    weights = maps.values
    centre, count = centres(weights, at), len(at)
    after = np.where(at[None, :] > at[:, None], weights, 0.0).sum(axis=-1) / weights.sum(axis=-1)
    uniform = (at[None, :] > at[:, None]).mean(axis=1)
    first, last, inner = at <= EARLY, at >= LATE, slice(WITHIN, count - WITHIN)
    middle = (at[0] + at[-1]) / 2
    interval = sample_interval_ms(results) * (count - 1) / (at[-1] - at[0])
    return pd.DataFrame(
        {
            "label": maps.fold.values.astype(str),
            "later": ((after - uniform) / (1 - uniform))[:, first].mean(axis=1),
            "slope": [slope(row, at) for row in centre],
            "lag_ms": (centre - at)[:, inner].mean(axis=1) * interval,
            "early": centre[:, first].mean(axis=1) - middle,
            "late": centre[:, last].mean(axis=1) - middle,
        }
    )


def mean_attention(results: xr.Dataset, channel: str) -> xr.DataArray:
    """Return a channel's attention averaged over seeds and cycles, dims (output, token)."""
    return results.attention.sel(channel=channel).mean(["seed", "cycle"])


def top(weights: xr.DataArray, phase: float, k: int = 10) -> list[str]:
    """Return the k heaviest tokens of a map (output, token) at a phase (%), interpolated between samples."""
    values = make_interp_spline(weights.output.values, weights.values, k=1)(phase)
    return [str(name) for name in weights.token.values[np.argsort(-values, kind="stable")[:k]]]


def jaccard(a: Collection[str], b: Collection[str]) -> float:
    """Return the overlap of two sets: what they share by what they hold together."""
    return len(set(a) & set(b)) / len(set(a) | set(b))


def chance_jaccard(k: int, tokens: int) -> float:
    """Return the mean overlap of two random sets of k of `tokens` names: their intersection is hypergeometric."""
    shared = np.arange(k + 1)
    return float((hypergeom(tokens, k, k).pmf(shared) * shared / (2 * k - shared)).sum())


def chance_jaccard_95(k: int, tokens: int) -> float:
    """Return the 95th percentile of the overlap of two random sets of k of `tokens` names."""
    shared = float(hypergeom(tokens, k, k).ppf(0.95))
    return shared / (2 * k - shared)


def elsewhere(muscle: str, target: str) -> bool:
    """Whether a muscle is one of the trunk, or of the hip on the other side of the body than `target`."""
    where = region(muscle)
    return where == "trunk" or (where == "hip" and side(muscle) not in (side(target), "none"))


def _vertex(profile: Array, peak: int) -> float:
    """Offset of a parabola's vertex through the peak and its neighbours, 0 at the ends."""
    if not 0 < peak < len(profile) - 1:
        return 0.0
    left, middle, right = profile[peak - 1 : peak + 2]
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend < 0 else 0.0
