"""How far a refiner is off on people whom its models had not seen, muscle by muscle and phase by phase."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.refiner.manifest import HeldOut

Array = NDArray[np.float64]


def held_out(results: xr.Dataset) -> dict[str, HeldOut]:
    """Return the held-out error of every muscle of a trained condition.

    Parameters
    ----------
    results
        A trained condition (see the architecture page), each prediction by a model that had not seen its subject. The
        mean over seeds counts as the prediction, as `Refiner` gives it.

    Returns
    -------
    dict
        EMG name to `HeldOut`. Units (subjects, or speeds of a single subject) count alike, whatever their cycles.
    """
    table = errors(results, ensemble=True)
    found = {}
    for index, name in enumerate(map(str, results.channel.values)):
        rows = table[table["muscle"] == name]
        squares = unit_squares(results, index)
        rate = one_sample(rows["er"].to_numpy())
        found[name] = HeldOut(
            float(rows["rmse_opensim"].mean()),
            float(rows["rmse_refined"].mean()),
            known(rate.mean),
            known(rate.ci_low),
            known(rate.ci_high),
            tuple(np.sqrt(squares.mean(axis=0)).tolist()),
            coverage(results, index, squares),
            between_seeds(results.refined.isel(channel=index).transpose("seed", "cycle", "sample").values),
            int(rows["diverged"].sum()),
        )
    return found


def unit_squares(results: xr.Dataset, channel: int) -> Array:
    """Mean squared error of the mean over seeds, by held-out unit and sample, shape (units, samples)."""
    squares = _errors(results, channel) ** 2
    of_cycle = results.fold_of_cycle.values
    return np.stack([squares[of_cycle == unit].mean(axis=0) for unit in np.unique(of_cycle)])


def coverage(results: xr.Dataset, channel: int, squares: Array) -> float | None:
    """Share of held-out samples within the band that the other units' errors give, the mean over units."""
    of_cycle, distance = results.fold_of_cycle.values, np.abs(_errors(results, channel))
    if len(squares) < 2:
        return None
    shares = []
    for row, unit in enumerate(np.unique(of_cycle)):
        band = np.sqrt(np.delete(squares, row, axis=0).mean(axis=0))
        shares.append(float((distance[of_cycle == unit] <= band).mean()))
    return float(np.mean(shares))


def between_seeds(refined: Array) -> tuple[float, ...] | None:
    """Standard deviation between seeds (ddof 1) at each sample, root mean square over cycles; None with one seed.

    Parameters
    ----------
    refined
        Shape (seeds, cycles, samples).
    """
    if len(refined) < 2:
        return None
    return tuple(np.sqrt(refined.var(axis=0, ddof=1).mean(axis=0)).tolist())


def known(value: float) -> float | None:
    """The number, or None where it is not one."""
    return float(value) if math.isfinite(value) else None


def _errors(results: xr.Dataset, channel: int) -> Array:
    one = results.isel(channel=channel)
    difference = one.refined.mean("seed") - one.measured
    return np.asarray(difference.transpose("cycle", "sample").values, np.float64)
