"""Is a recording told that is unlike training, and a person who is like it let alone? ``make study-reach``.

docs/reach.csv tells how many cycles lie outside training (`nem2e_lib.refiner.reach`): of people left out, of the same
people changed on purpose, and of one study held against another. Beside it stand other ways to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.refiner.reach import MEASURES, Reach, learn, rank
from nem2e_lib.refiner.refined import BEYOND, LONGER, SHORTER
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.folds import leave_one_out

Array = NDArray[np.float64]
Units = NDArray[np.integer]
Distance = Callable[[Array, Array], Array]
"""Activation and seconds of cycles to how far each is; beyond 1 is outside."""

TABLE = ROOT / "docs" / "reach.csv"
"""Columns trained_on, used_on, change, reads, muscles, method, unit, units, units_outside, cycles, cycles_outside,
distance (median over cycles), foremost (the measure by which most cycles are farthest; of `REACH` alone), synthetic,
commit."""
LEFT_OUT, UNCHANGED = "left out", "none"
ALL, MEASURED = "all muscles", "measured muscles"
"""What a refiner reads: every muscle of the study, or those alone that EMG was measured of."""
REACH, RANGE, NEAREST, MAHALANOBIS = "reach", "range", "nearest cycle", "mahalanobis"
NOISE, SHARE = 0.05, 0.9
"""Standard deviation of the noise planted; share of the variance that components of `MAHALANOBIS` hold."""

Change = Callable[[Array, Array], tuple[Array, Array]]


def changes(muscles: list[str]) -> dict[str, Change]:
    """Return what is done to cycles on purpose, by name; what the muscles do not allow is left away."""
    rows = {name: row for row, name in enumerate(muscles)}
    other = [rows.get(name[:-2] + {"_r": "_l", "_l": "_r"}.get(name[-2:], name[-2:]), -1) for name in muscles]
    made: dict[str, Change] = {UNCHANGED: lambda a, s: (a, s)}
    made |= {f"amplitude x {gain:g}": partial(_louder, gain) for gain in (0.5, 0.7, 1.4, 2.0)}
    made |= {f"{share:.0%} of the cycle later": partial(_later, share) for share in (0.05, 0.1, 0.25)}
    made |= {f"duration x {ratio:g}": partial(_longer, ratio) for ratio in (0.7, 1.4)}
    made[f"noise of {NOISE:g}"] = lambda a, s: (a + np.random.default_rng(0).normal(0, NOISE, a.shape), s)
    made["every second sample"] = lambda a, s: (_coarser(a), s)
    if min(other) >= 0 and other != list(range(len(muscles))):
        made["left for right"] = lambda a, s: (a[:, :, other], s)
    if "tib_ant_r" in rows and "soleus_r" in rows:
        one, two = rows["tib_ant_r"], rows["soleus_r"]
        swapped = [{one: two, two: one}.get(row, row) for row in range(len(muscles))]
        made["tib_ant_r and soleus_r swapped"] = lambda a, s: (a[:, :, swapped], s)
        made["soleus_r x 3"] = lambda a, s: (np.where(np.arange(len(muscles)) == two, 3 * a, a), s)
    return made


def _louder(gain: float, activation: Array, seconds: Array) -> tuple[Array, Array]:
    return activation * gain, seconds


def _longer(ratio: float, activation: Array, seconds: Array) -> tuple[Array, Array]:
    return activation, seconds * ratio


def _later(share: float, activation: Array, seconds: Array) -> tuple[Array, Array]:
    """Activation later by a share of the cycle, whose last sample is the first of the next one."""
    last = activation.shape[1] - 1
    low, weight = divmod((np.arange(last + 1) - share * last) % last, 1)
    weight = weight[:, None]
    later = activation[:, low.astype(int)] * (1 - weight) + activation[:, low.astype(int) + 1] * weight
    return later, seconds


def _coarser(activation: Array) -> Array:
    """Straight lines between every second sample."""
    kept = activation[:, ::2]
    at = np.arange(activation.shape[1]) / 2
    low = np.minimum(at.astype(int), kept.shape[1] - 1)
    return (kept[:, low] + kept[:, np.minimum(np.ceil(at).astype(int), kept.shape[1] - 1)]) / 2


def _in_range(activation: Array, seconds: Array, units: Units) -> Distance:
    """What was noted before distances were: a muscle that leaves its range by a quarter of it, an odd duration."""
    low, high = activation.min(axis=(0, 1)), activation.max(axis=(0, 1))
    free = BEYOND * np.maximum(high - low, 0.05)

    def distance(new: Array, lasts: Array) -> Array:
        leaves = np.maximum((low - new).max(axis=1), (new - high).max(axis=1)) / free
        odd = (lasts < SHORTER * seconds.min()) | (lasts > LONGER * seconds.max())
        return np.where(odd, np.inf, leaves.max(axis=1))

    return distance


def _nearest(activation: Array, seconds: Array, units: Units) -> Distance:
    """Root mean square difference to the nearest cycle of training."""
    return lambda new, lasts: np.array([np.sqrt(((activation - own) ** 2).mean(axis=(1, 2)).min()) for own in new])


def _mahalanobis(activation: Array, seconds: Array, units: Units) -> Distance:
    """Mahalanobis distance with a covariance of few components and one variance for all others (probabilistic PCA).

    Tipping and Bishop (1999), doi:10.1111/1467-9868.00196.
    """
    rows = activation.reshape(len(activation), -1)
    centre = rows.mean(axis=0)
    _, singular, axes = np.linalg.svd(rows - centre, full_matrices=False)
    variances = singular**2 / (len(rows) - 1)
    kept = min(int(np.searchsorted(np.cumsum(variances) / variances.sum(), SHARE)) + 1, len(rows) - 2)
    rest = variances[kept:].sum() / (rows.shape[1] - kept)

    def distance(new: Array, lasts: Array) -> Array:
        own = new.reshape(len(new), -1) - centre
        along = own @ axes[:kept].T
        left = ((own**2).sum(axis=1) - (along**2).sum(axis=1)).clip(min=0)
        return np.sqrt((along**2 / variances[:kept]).sum(axis=1) + left / rest)

    return distance


def _calibrated(fit: Callable[[Array, Array, Units], Distance]) -> Callable[[Array, Array, Units], Distance]:
    """Divide a distance by that of the farthest unit left out, by the same rule as `learn`."""

    def fitted(activation: Array, seconds: Array, units: Units) -> Distance:
        farthest = []
        for unit in np.unique(units):
            own = units == unit
            farthest.append(fit(activation[~own], seconds[~own], units[~own])(activation[own], seconds[own]).max())
        limit = sorted(farthest)[rank(len(farthest)) - 1]
        whole = fit(activation, seconds, units)
        return lambda new, lasts: whole(new, lasts) / limit

    return fitted


def _reach(activation: Array, seconds: Array, units: Units) -> Reach:
    found = learn(activation, seconds, units)
    assert found is not None  # studies have four units or more, of which one is left out
    return found


OTHERS = {RANGE: _in_range, NEAREST: _calibrated(_nearest), MAHALANOBIS: _calibrated(_mahalanobis)}


def table(studies: dict[str, xr.Dataset]) -> pd.DataFrame:
    """Return what each way to tell says of people left out, changed on purpose, and of other studies.

    Parameters
    ----------
    studies
        Segmented cycles by name.

    Returns
    -------
    pandas.DataFrame
        See `TABLE`, without the commit.
    """
    rows: list[dict[str, object]] = []
    for name, cycles in studies.items():
        for reads, muscles in _read(cycles).items():
            rows += _changed(name, reads, _taken(cycles, muscles), cycles)
    for (name, cycles), (other, used) in permutations(studies.items(), 2):
        for reads, muscles in _read(cycles).items():
            shared = [muscle for muscle in muscles if muscle in used.muscle.values]
            rows += _across((name, other), reads, _taken(cycles, shared), _taken(used, shared), (cycles, used))
    return pd.DataFrame(rows)


def _read(cycles: xr.Dataset) -> dict[str, list[str]]:
    every = list(map(str, cycles.muscle.values))
    return {ALL: every, MEASURED: [name for name in every if name in cycles.target.values]}


def _taken(cycles: xr.Dataset, muscles: list[str]) -> tuple[Array, Array, Units, list[str]]:
    activation = cycles.activation.sel(muscle=muscles).transpose("cycle", "sample", "muscle").values
    return activation, (cycles.end_s - cycles.start_s).values, leave_one_out(cycles).of_cycle, muscles


def _changed(
    name: str, reads: str, taken: tuple[Array, Array, Units, list[str]], cycles: xr.Dataset
) -> Iterator[dict[str, object]]:
    activation, seconds, units, muscles = taken
    each = np.unique(units)
    own = [units == unit for unit in each]
    by_reach = [_reach(activation[~one], seconds[~one], units[~one]) for one in own]
    others = {
        method: [fit(activation[~one], seconds[~one], units[~one]) for one in own] for method, fit in OTHERS.items()
    }
    for change, make in changes(muscles).items():
        new = [make(activation[one], seconds[one]) for one in own]
        facts = {"trained_on": name, "used_on": LEFT_OUT, "change": change, "reads": reads, "muscles": len(muscles)}
        told = [reach.distances(*cycle) for reach, cycle in zip(by_reach, new, strict=True)]
        foremost = [distances.foremost(row) for distances in told for row in range(len(distances.total))]
        unit = leave_one_out(cycles).unit
        synthetic = bool(int(cycles.attrs["synthetic"]))
        yield facts | _counted(REACH, [one.total for one in told], unit, foremost, synthetic)
        for method, fitted in others.items():
            distances = [one(*cycle) for one, cycle in zip(fitted, new, strict=True)]
            yield facts | _counted(method, distances, unit, [], synthetic)


def _across(
    names: tuple[str, str],
    reads: str,
    taken: tuple[Array, Array, Units, list[str]],
    used: tuple[Array, Array, Units, list[str]],
    cycles: tuple[xr.Dataset, xr.Dataset],
) -> Iterator[dict[str, object]]:
    activation, seconds, units, muscles = taken
    of_unit = [used[2] == unit for unit in np.unique(used[2])]
    facts = {"trained_on": names[0], "used_on": names[1], "change": UNCHANGED, "reads": reads, "muscles": len(muscles)}
    unit = leave_one_out(cycles[1]).unit
    synthetic = any(bool(int(each.attrs["synthetic"])) for each in cycles)
    told = _reach(activation, seconds, units).distances(used[0], used[1])
    foremost = [told.foremost(row) for row in range(len(told.total))]
    yield facts | _counted(REACH, [told.total[own] for own in of_unit], unit, foremost, synthetic)
    for method, fit in OTHERS.items():
        total = fit(activation, seconds, units)(used[0], used[1])
        yield facts | _counted(method, [total[own] for own in of_unit], unit, [], synthetic)


def _counted(method: str, distances: list[Array], unit: str, foremost: list[str], synthetic: bool) -> dict[str, object]:
    every = np.concatenate(distances)
    return {
        "method": method,
        "unit": unit,
        "units": len(distances),
        "units_outside": sum(bool((own > 1).any()) for own in distances),
        "cycles": len(every),
        "cycles_outside": int((every > 1).sum()),
        "distance": float(np.median(every)) if np.isfinite(np.median(every)) else np.nan,
        "foremost": max(MEASURES, key=foremost.count) if foremost else "",
        "synthetic": synthetic,
    }


def study(folder: Path | str) -> Path:
    """Write `TABLE` of every study of ``make paper``.

    Parameters
    ----------
    folder
        Where data are kept.
    """
    studies: dict[str, xr.Dataset] = {}
    for data in (OPEN, ""):
        run = Run.begin(str(Path(folder) / (data or "synthetic")), data=data)
        studies |= {name: run.segment(name)[0] for name in run.studies}
    write_csv(TABLE, table(studies).assign(commit=commit()))
    return TABLE


def main(folder: str) -> None:
    """``FOLDER``."""
    path = study(folder)
    shown = pd.read_csv(path)
    print(shown[shown["method"] == REACH].drop(columns=["method", "commit"]).round(2).to_string(index=False))


if __name__ == "__main__":
    script(main)
