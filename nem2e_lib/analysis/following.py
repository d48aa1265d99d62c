"""How far an output follows what is particular to a cycle, beside the training-mean curve, which follows nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.controls import unit_weights
from nem2e_lib.analysis.metrics import FLAT

Array = NDArray[np.float64]

MEASURES = {
    "slope": "slope of the output's deviation from the training-mean curve on the EMG's (0: replays it, 1: follows)",
    "r": "correlation of the two deviations",
    "slope_within": "the same slope for deviations from the unit's own mean: from cycle to cycle and speed to speed",
    "r_within": "correlation of these",
    "variance_share": "variance of the output over a unit's cycles, as a share of the EMG's",
    "explained": "share of the EMG's squared deviation from the training-mean curve that the output removes",
}
"""What is measured, in words."""


def following(results: xr.Dataset, output: xr.DataArray | None = None, method: str = "") -> pd.DataFrame:
    """Regress an output's deviations on the measured EMG's, one row a muscle and held-out unit.

    Deviations are taken from the training-mean curve of the fold, which is the same for all cycles of a unit, through
    the origin: an output that replays the curve has slope 0. A unit's sums weight its cycles as its RMSE does.

    Parameters
    ----------
    results
        A trained condition.
    output
        What is examined, dims (channel, cycle, sample); the refined activation, mean over seeds, by default.
    method
        Its name; the condition's by default.

    Returns
    -------
    pandas.DataFrame
        Columns study, method, muscle, electrode, unit, label, n_cycles, the `MEASURES`, synthetic, reason. A
        correlation is NaN where the output never leaves the curve; what is measured over the cycles of a unit is NaN
        where it has one cycle, and `reason` says so.
    """
    shown = results.refined.mean("seed") if output is None else output
    dims = ("channel", "cycle", "sample")
    guess, measured, curve = (a.transpose(*dims).values for a in (shown, results.measured, results.mean_curve))
    weights = unit_weights(results)
    rows = []
    for fold, label in enumerate(results.fold.values.astype(str)):
        for channel, muscle in enumerate(results.channel.values.astype(str)):
            own = weights[channel, fold]
            held, weight = own > 0, own[own > 0]
            if not held.any():
                continue
            out, emg = (values[[channel]][:, held] - curve[[channel]][:, held] for values in (guess, measured))
            values = {name: float(value[0]) for name, value in _measures(out, emg, weight).items()}
            reason = "" if held.sum() > 1 else "the unit has one cycle"
            rows.append(
                {
                    "muscle": muscle,
                    "electrode": str(results.electrode.values[channel]),
                    "label": label,
                    "n_cycles": int(held.sum()),
                    **values,
                    "reason": reason,
                }
            )
    table = pd.DataFrame(rows).assign(
        study=results.attrs["study"],
        method=method or results.attrs["condition"],
        unit=results.attrs["unit"],
        synthetic=bool(results.attrs["synthetic"]),
    )
    first = ["study", "method", "muscle", "electrode", "unit", "label", "n_cycles", *MEASURES]
    return table[[*first, "synthetic", "reason"]]


def _measures(out: Array, emg: Array, weight: Array) -> dict[str, Array]:
    """Return every measure of each channel; deviations have shape (channels, cycles, samples)."""
    oo, ee, oe = _products(out, emg, weight)
    inner = [values - np.einsum("cks,k->cs", values, weight)[:, None] for values in (out, emg)]
    within = _products(inner[0], inner[1], weight) if len(weight) > 1 else np.full((3, len(out)), np.nan)
    return {
        "slope": _over(oe, ee),
        "r": _correlation(oo, ee, oe),
        "slope_within": _over(within[2], within[1]),
        "r_within": _correlation(within[0], within[1], within[2]),
        "variance_share": _over(within[0], within[1]),
        "explained": _over(2.0 * oe - oo, ee),
    }


def _products(out: Array, emg: Array, weight: Array) -> Array:
    """Sums of out·out, emg·emg and out·emg over samples and weighted cycles, shape (3, channels)."""
    pairs = (out, out), (emg, emg), (out, emg)
    return np.stack([np.einsum("cks,cks,k->c", a, b, weight) for a, b in pairs])


def _correlation(oo: Array, ee: Array, oe: Array) -> Array:
    """NaN where the output does not vary but for rounding."""
    return np.where(oo > FLAT * ee, _over(oe, np.sqrt(oo * ee)), np.nan)


def _over(above: Array, below: Array) -> Array:
    """NaN where nothing varies."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
