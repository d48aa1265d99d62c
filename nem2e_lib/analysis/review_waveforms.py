"""Statistical parametric mapping: where in the cycle the conditions' errors differ (spm1d)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.statistics import ALPHA, ROUNDING
from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

OPENSIM = "opensim"
FEWEST = 3
"""Held-out units from which a field is tested."""
CAVEAT = (
    "spm1d corrects no departure from sphericity over a field, and with one curve a unit and condition its residuals "
    "are approximate: the paired SPM{t}, Bonferroni-corrected over the pairs, carry the verdict."
)


@dataclass(frozen=True)
class Span:
    """A part of the cycle in which a field is beyond its threshold: start and end in %, p of the cluster."""

    start: float
    end: float
    p_value: float


@dataclass(frozen=True)
class Field:
    """A test statistic over the cycle, shape (sample,), its critical value and the spans beyond it.

    Attributes
    ----------
    name
        ``anova`` or ``a − b``.
    difference
        Mean of a minus b, shape (sample,); for the ANOVA the largest minus the smallest mean.
    alpha
        Level of the threshold.
    fwhm
        Smoothness of the residuals in samples; NaN where the test is undefined.
    reason
        Why it is undefined; then the statistic is NaN.
    """

    name: str
    statistic: Array
    threshold: float
    spans: tuple[Span, ...]
    difference: Array
    alpha: float
    fwhm: float
    reason: str = ""


def error_waveforms(conditions: Mapping[str, xr.Dataset], electrode: str) -> tuple[dict[str, Array], Array, list[str]]:
    """Return each condition's error over the cycle, one curve a held-out unit.

    A curve is the root mean squared error at each sample, over a unit's cycles, the channels of the electrode and the
    seeds. The simulated activation stands among the conditions as `OPENSIM`.

    Parameters
    ----------
    conditions
        Trained conditions of one study by name.
    electrode
        Whose channels.

    Returns
    -------
    curves
        By condition, shape (units, sample).
    phase
        In % of the cycle, shape (sample,).
    labels
        Of the units.
    """
    first = next(iter(conditions.values()))
    if electrode not in first.electrode.values:
        known = ", ".join(dict.fromkeys(map(str, first.electrode.values)))
        raise Nem2eError(f"waveforms: there is no electrode {electrode!r}, expected one of {known}; choose of these.")
    curves = {OPENSIM: _curves(first, first.simulated, electrode)}
    curves |= {name: _curves(results, results.refined, electrode) for name, results in conditions.items()}
    labels = [str(first.fold.values[fold]) for fold, _ in _held(first, electrode)]
    return curves, first.sample.values.astype(float), labels


def _curves(results: xr.Dataset, estimate: xr.DataArray, electrode: str) -> Array:
    chosen = results.electrode.values == electrode
    squares = ((estimate - results.measured) ** 2).isel(channel=chosen)
    per_cycle = squares.mean([name for name in ("seed", "channel") if name in squares.dims])
    ordered = per_cycle.transpose("cycle", "sample").values
    return np.sqrt(np.stack([ordered[held].mean(axis=0) for _, held in _held(results, electrode)]))


def _held(results: xr.Dataset, electrode: str) -> list[tuple[int, NDArray[np.bool_]]]:
    """The folds that hold cycles out of which the electrode was recorded, and which cycles."""
    there = recorded(results.measured)[results.electrode.values == electrode].any(axis=0)
    folds = np.unique(results.fold_of_cycle.values[there]).tolist()
    return [(fold, (results.fold_of_cycle.values == fold) & there) for fold in folds]


def by_electrode(conditions: Mapping[str, xr.Dataset]) -> tuple[dict[str, list[Field]], Array]:
    """Return every electrode's fields, the `anova` first and then the `pairs`, and the phase in %, shape (sample,)."""
    first = next(iter(conditions.values()))
    tested = {}
    for electrode in dict.fromkeys(map(str, first.electrode.values)):
        curves, phase, _ = error_waveforms(conditions, electrode)
        tested[electrode] = [anova(curves, phase), *pairs(curves, phase)]
    return tested, phase


def against_opensim(tested: Mapping[str, list[Field]]) -> dict[str, list[Field]]:
    """Return, of `by_electrode`'s fields, those that compare a condition with OpenSim."""
    return {name: [field for field in its if field.name.startswith(OPENSIM)] for name, its in tested.items()}


def spans(study: str, tested: Mapping[str, list[Field]]) -> pd.DataFrame:
    """Return every span of `by_electrode`'s fields, and a row of its own for a field without one.

    Returns
    -------
    pandas.DataFrame
        Columns study, electrode, comparison, beyond, start_pct, end_pct, p_cluster, threshold, alpha, fwhm_samples,
        reason.
    """
    none = Span(math.nan, math.nan, math.nan)
    rows = [
        {
            "study": study,
            "electrode": electrode,
            "comparison": field.name,
            "beyond": bool(field.spans),
            "start_pct": span.start,
            "end_pct": span.end,
            "p_cluster": span.p_value,
            "threshold": field.threshold,
            "alpha": field.alpha,
            "fwhm_samples": field.fwhm,
            "reason": field.reason,
        }
        for electrode, its in tested.items()
        for field in its
        for span in field.spans or (none,)
    ]
    return pd.DataFrame(rows)


def anova(curves: Mapping[str, Array], phase: Array, *, alpha: float = ALPHA) -> Field:
    """Test over the cycle whether the conditions differ (spm1d's ``anova1rm``; see `CAVEAT`).

    Parameters
    ----------
    curves
        By condition, shape (units, sample).
    phase
        In % of the cycle, shape (sample,).
    """
    stack = np.stack(list(curves.values()))
    k, n, samples = stack.shape
    means = stack.mean(axis=1)
    residual = stack - means[:, None] - stack.mean(axis=0) + stack.mean(axis=(0, 1))
    spread = means.max(axis=0) - means.min(axis=0)
    reason = _why_not(residual.reshape(-1, samples), n, stack)
    if reason:
        return _undefined("anova", spread, alpha, reason)
    import spm1d

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said in CAVEAT
        which, who = np.repeat(np.arange(k), n), np.tile(np.arange(n), k)
        test = spm1d.stats.anova1rm(stack.reshape(k * n, samples), which, who, equal_var=True)
        return _field("anova", test, test.inference(alpha), spread, phase, alpha)


def pairs(curves: Mapping[str, Array], phase: Array, *, alpha: float = ALPHA) -> list[Field]:
    """Compare every pair of conditions over the cycle by a paired SPM{t}, at alpha over the number of pairs.

    Parameters
    ----------
    curves
        By condition, shape (units, sample).
    phase
        In % of the cycle, shape (sample,).
    """
    chosen = list(combinations(curves, 2))
    return [_pair(a, b, curves, phase, alpha / len(chosen)) for a, b in chosen]


def _pair(a: str, b: str, curves: Mapping[str, Array], phase: Array, alpha: float) -> Field:
    difference, name = curves[a] - curves[b], f"{a} − {b}"
    mean = difference.mean(axis=0)
    reason = _why_not(difference - mean, len(difference), curves[a])
    if reason:
        return _undefined(name, mean, alpha, reason)
    import spm1d

    test = spm1d.stats.ttest_paired(curves[a], curves[b])
    return _field(name, test, test.inference(alpha, two_tailed=True), mean, phase, alpha)


def _why_not(residual: Array, units: int, values: Array) -> str:
    if units < FEWEST:
        return f"{units} held-out units: a field is tested from {FEWEST}."
    if not np.isfinite(residual).all():
        return "Some errors are not finite."
    if (np.ptp(residual, axis=0) <= ROUNDING * np.abs(values).max()).any():
        return "The difference is the same for all held-out units at some sample."
    return ""


def _undefined(name: str, difference: Array, alpha: float, reason: str) -> Field:
    return Field(name, np.full(difference.shape, np.nan), math.nan, (), difference, alpha, math.nan, reason)


def _field(name: str, test: Any, found: Any, difference: Array, phase: Array, alpha: float) -> Field:
    spans = tuple(
        Span(_place(cluster.endpoints[0], phase), _place(cluster.endpoints[1], phase), float(cluster.P))
        for cluster in found.clusters
    )
    return Field(name, np.asarray(test.z, float), float(found.zstar), spans, difference, alpha, float(test.fwhm))


def _place(sample: float, phase: Array) -> float:
    """Return where in the cycle, in %, a place between samples lies."""
    return float(np.interp(sample, np.arange(len(phase)), phase))
