# mypy: allow-untyped-calls
"""Leaving a person and a speed out at once: a new person at a speed that no person of the training has shown.

Where trials are of one speed but tell their condition, as straight and turn, a condition is left out in a speed's
place. What is lost is Er minus that of leaving the person alone out, on the very same cycles. Training is smaller, too,
by the cycles of that speed: the loss is of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nem2e_lib.analysis.control_tests import over_electrodes
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.data.cycles.segment import CONDITION, recorded
from nem2e_lib.rivals.protocol import Rival, simulated_cycles
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.folds import Folds, mean_curves, without_speed

Array = NDArray[np.float64]
Trainer = Callable[[xr.Dataset, Folds], xr.Dataset]
"""Trains a study under given folds and returns its results, laid out as a trained condition."""


def by_circumstance(cycles: xr.Dataset) -> tuple[xr.Dataset, str]:
    """Return a study with its conditions in the place of its speeds, where there is one speed, and which of them it is.

    Returns
    -------
    xarray.Dataset, str
        The study, and `speed` or `condition`.
    """
    if CONDITION not in cycles.coords or len(np.unique(cycles.speed.values.astype(str))) > 1:
        return cycles, "speed"
    return cycles.assign_coords(speed=("cycle", cycles[CONDITION].values.astype(str))), CONDITION


def cannot(cycles: xr.Dataset) -> str:
    """Say why a person and a speed cannot be left out of a study at once; empty where they can."""
    study, name = str(cycles.attrs["study"]), by_circumstance(cycles)
    speeds = sorted(set(name[0].speed.values.astype(str)))
    people = len(set(cycles.subject.values.astype(str)))
    if people > 1 and len(speeds) > 1:
        return ""
    return (
        f"{study}: a person and a speed cannot be left out at once; it has {people} "
        f"{'person' if people == 1 else 'people'} at {len(speeds)} {name[1]}{'s' * (len(speeds) != 1)} "
        f"({', '.join(speeds)}), expected two of each."
    )


def rivals_apart(cycles: xr.Dataset, rival: Rival) -> xr.Dataset:
    """Refine every cycle by a rival that was fitted to other people at other speeds; laid out as a trained condition.

    Channels that some cycles lack are refined by a rival fitted to the cycles that have them, as in `rivals.evaluate`.
    """

    def fitted(some: xr.Dataset, folds: Folds) -> xr.Dataset:
        parts = [_fitted(part, rival, _within(folds, own)).sel(channel=names) for own, part, names in _alike(some)]
        refined = xr.concat([part.reindex(cycle=some.cycle) for part in parts], "channel", join="exact")
        return _laid_out(some, refined.sel(channel=some.channel.values), folds, rival.name)

    return apart(cycles, fitted)


def apart(cycles: xr.Dataset, train: Trainer) -> xr.Dataset:
    """Refine every cycle by a model of other people at other speeds than its own; laid out as a trained condition.

    Parameters
    ----------
    cycles
        Segmented cycles.
    train
        Trains once a speed, under folds that leave it out beside a person.

    Raises
    ------
    Nem2eError
        If the study has one person, or one speed and one condition.
    """
    study, _ = by_circumstance(cycles)
    speeds = study.speed.values.astype(str)
    parts = []
    for speed in dict.fromkeys(speeds.tolist()):
        result = train(study, without_speed(study, speed))
        parts.append(result.isel(cycle=np.flatnonzero(speeds == speed)))
    variables = ["refined", "simulated", "measured", "mean_curve"]
    joined = xr.concat([part[variables] for part in parts], "cycle", join="exact", coords="minimal", compat="override")
    return joined.sortby("cycle").assign_coords(fold=parts[0].fold).assign_attrs(parts[0].attrs)


def _alike(cycles: xr.Dataset) -> Iterator[tuple[NDArray[np.bool_], xr.Dataset, list[str]]]:
    """Yield the channels that have the same cycles: these cycles, the study on them, and the channels' names."""
    there = recorded(cycles.emg)
    for own in np.unique(there, axis=0):
        part = cycles.isel(cycle=own, channel=(there | ~own).all(axis=1))
        yield own, part, cycles.channel.values[(there == own).all(axis=1)].tolist()


def _within(folds: Folds, own: NDArray[np.bool_]) -> Folds:
    only = None if folds.only is None else folds.only[:, own]
    return Folds(folds.unit, folds.labels, folds.of_cycle[own], only)


def _fitted(cycles: xr.Dataset, rival: Rival, folds: Folds) -> xr.DataArray:
    simulated = simulated_cycles(cycles, folds)
    measured = cycles.emg.transpose("cycle", "sample", "channel").values.astype(float)
    refined = np.full_like(measured, np.nan)
    with threadpool_limits(1):
        for fold in np.unique(folds.of_cycle).tolist():
            held, shown = folds.of_cycle == fold, folds.shown(fold)
            refined[held] = rival.fit(simulated.take(shown), measured[shown]).predict(simulated.take(held))
    coords = {name: cycles[name] for name in ("cycle", "sample", "channel")}
    return xr.DataArray(refined, coords, ("cycle", "sample", "channel"))


def _laid_out(cycles: xr.Dataset, refined: xr.DataArray, folds: Folds, method: str) -> xr.Dataset:
    dims = ("channel", "cycle", "sample")
    measured = cycles.emg.transpose(*dims).values
    arrays = {
        "refined": (("seed", *dims), refined.transpose(*dims).values[None]),
        "simulated": (dims, np.where(np.isnan(measured), np.nan, own_muscle(cycles).transpose(*dims).values)),
        "measured": (dims, measured),
        "mean_curve": (dims, mean_curves(measured, folds.of_cycle, folds.only)),
    }
    coords = {name: one for name, one in cycles.coords.items() if not {"muscle", "phase"} & set(one.dims)}
    held = {"seed": [0], "fold": list(folds.labels), "fold_of_cycle": ("cycle", folds.of_cycle)}
    return xr.Dataset(arrays, coords | held, cycles.attrs | {"condition": method, "unit": folds.unit})


def unit_errors(apart: Mapping[str, xr.Dataset], together: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return Er of each method and person under both ways of leaving out, mean over electrodes.

    Parameters
    ----------
    apart, together
        Results by method: of `apart`, and of leaving the person alone out.

    Returns
    -------
    pandas.DataFrame
        Columns study, method, left_out (`person`, `person and speed`, or with condition in a speed's place), label, er,
        unit, synthetic; the mean curve is a method by itself.
    """
    parts = []
    for said, results in ((PERSON, together), (AND_SPEED, apart)):
        for method, one in results.items():
            parts.append(_units(one).assign(method=method, left_out=said))
        curve = _units(next(iter(results.values())))
        parts.append(curve.assign(er=curve["er_mean_curve"], method="mean_curve", left_out=said))
    columns = ["study", "method", "left_out", "label", "er", "unit", "synthetic"]
    return pd.concat(parts, ignore_index=True)[columns]


PERSON, AND_SPEED = "person", "person and speed"


def _units(results: xr.Dataset) -> pd.DataFrame:
    table = errors(results)
    return over_electrodes(table[table["er"].notna()], ["study", "unit", "label", "synthetic"], ["er", "er_mean_curve"])


def losses(units: pd.DataFrame) -> pd.DataFrame:
    """Test what leaving the speed out costs beside leaving the person out, paired over people.

    Returns
    -------
    pandas.DataFrame
        One row a study and method, lowest Er first: er_person, er_apart (means over people), rise (er_apart minus
        er_person) with ci_low and ci_high, p_value, against_curve (er_apart minus that of the mean curve, the speed
        left out of it too) with curve_ci_low and curve_ci_high, n, unit, synthetic, reason.
    """
    rows = []
    for (study, unit, synthetic), group in units.groupby(["study", "unit", "synthetic"], sort=False):
        wide = group.pivot_table(index="label", columns=["method", "left_out"], values="er", sort=False)
        for method in dict.fromkeys(group["method"]):
            own, other = wide[method][PERSON], wide[method][AND_SPEED]
            rise, curve = one_sample(other - own), one_sample(other - wide["mean_curve"][AND_SPEED])
            tested = {"rise": rise.mean, "ci_low": rise.ci_low, "ci_high": rise.ci_high, "p_value": rise.p_value}
            beside = {"against_curve": curve.mean, "curve_ci_low": curve.ci_low, "curve_ci_high": curve.ci_high}
            head: dict[str, Any] = {"study": study, "method": method, "er_person": own.mean(), "er_apart": other.mean()}
            last = {"n": rise.n, "unit": unit, "synthetic": synthetic, "reason": rise.reason}
            rows.append({**head, **tested, **(beside if method != "mean_curve" else {}), **last})
    return pd.DataFrame(rows).sort_values(["study", "er_apart"], ignore_index=True, kind="stable")


def methods(cycles: xr.Dataset, rivals: Iterable[Rival]) -> dict[str, xr.Dataset]:
    """Return `rivals_apart` of several rivals, by name."""
    return {rival.name: rivals_apart(cycles, rival) for rival in rivals}
