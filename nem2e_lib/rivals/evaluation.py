# mypy: allow-untyped-calls
"""A rival under the very same folds as STDR-Net, laid out as a trained condition, so that all are read alike."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nem2e_lib.data.cycles.segment import cycle_coords, data_hash, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.inputs import DEFAULT, SPEED, Inputs, parse_inputs, require_sets, told
from nem2e_lib.rivals.protocol import Array, Fitted, Rival, simulated_cycles
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.folds import Folds, leave_one_out, mean_curves, require_units
from nem2e_lib.training.numerics import altered, pinned
from nem2e_lib.training.results import STUDY_ATTRS, load_results, save_results
from nem2e_lib.training.units import BLOCK

NO_SETTING = {"setting": False}
"""Metadata of a rival's field that is none of its settings."""
RIVALS_VERSION = "7f3a9d52e0c84b16"
"""Of what a rival gives for the same data: another value here makes every kept evaluation be made anew."""


def evaluate(
    cycles: xr.Dataset,
    rival: Rival,
    keep: Path | None = None,
    *,
    circumstances: bool = False,
    inputs: str = told(DEFAULT),
) -> xr.Dataset:
    """Fit a rival once a fold of `leave_one_out` and let it refine the cycles that the fold holds out.

    Where channels were not recorded of everybody, those that have the same cycles are refined together: by the rival
    fitted to these cycles, on all channels that each of them has. So a channel that somebody lacks is refined as in the
    study without that person.

    Parameters
    ----------
    cycles
        Segmented cycles (see `nem2e_lib.data.cycles.segment`).
    rival
        Any method that keeps the `Rival` protocol.
    keep
        File to keep the result in. What it holds is read instead of made anew if it is of the same data, method,
        settings and `RIVALS_VERSION`.
    circumstances
        Whether the rival is told speed, duration and condition of each cycle: the set ``speed``. The leaderboard ranks
        without.
    inputs
        Sets that it is given (`nem2e_lib.rivals.inputs`), as ``activation+moment``; scaled inside the training cycles
        of each fold. Methods that see the own muscle alone, or no simulation at all, stay as they are.

    Returns
    -------
    xarray.Dataset
        Variables `refined` (seed, channel, cycle, sample), `simulated`, `measured`, `mean_curve` and `diverged` (a
        prediction is no finite number; seed, channel, fold), with the coordinates of a trained condition, so that
        `analysis.metrics.errors` reads it. Attributes `condition` (the
        rival's name), `parameters` (mean over folds, all channels), `seconds` (fitting and refining, all folds),
        `settings` and `chosen` (hyper-parameters by fold), both JSON, and `code`.

    Raises
    ------
    Nem2eError
        If nothing can be left out, a value is not finite, the study lacks a set of inputs, or the rival's prediction
        has another shape; what a rival refuses is told with the fold.
    """
    sets = parse_inputs("+".join([inputs, SPEED] if circumstances and SPEED not in inputs else [inputs]))
    require_sets(cycles, sets)
    stored = None if keep is None else _stored(keep, cycles, rival, sets)
    if stored is not None:
        return stored
    result = _evaluated(cycles, rival, sets).assign_attrs(_told_inputs(sets))
    if keep is not None:
        save_results(result, keep)
    return result


def chosen(result: xr.Dataset) -> list[dict[str, Any]]:
    """Return what an evaluated rival has chosen or learned inside the training cycles of each fold, one row a fold."""
    by_fold: dict[str, dict[str, Any]] = json.loads(result.attrs["chosen"])
    return [{"study": result.attrs["study"], "held_out": label, **found} for label, found in by_fold.items()]


def settings(rival: Rival) -> str:
    """Return a rival's settings as JSON: its fields, but for those marked by `NO_SETTING`."""
    fields = [f for f in dataclasses.fields(rival) if f.metadata.get("setting", True)]
    return json.dumps({f.name: getattr(rival, f.name) for f in fields})


def _told_inputs(sets: Sequence[str]) -> dict[str, Any]:
    """What a result tells of its inputs; those that are no rule alone."""
    plain = {"circumstances": int(SPEED in sets)}
    rest = tuple(name for name in sets if name != SPEED)
    return plain if rest == DEFAULT else plain | {"inputs": told(sets)}


def _stored(path: Path, cycles: xr.Dataset, rival: Rival, sets: Sequence[str]) -> xr.Dataset | None:
    """Read what was kept of the same data, method and settings; None where there is no such thing."""
    if not path.exists():
        return None
    stored = load_results(path)
    expected = {
        "data_hash": data_hash(cycles),
        "condition": rival.name,
        "settings": settings(rival),
        "code": RIVALS_VERSION,
        "inputs": None,
        **_told_inputs(sets),
        "arithmetic": altered() or None,
    }
    return stored if all(stored.attrs.get(name) == value for name, value in expected.items()) else None


def _evaluated(cycles: xr.Dataset, rival: Rival, sets: Sequence[str]) -> xr.Dataset:
    """Evaluate the channels that have the same cycles together, each such part as a study of its own."""
    folds = leave_one_out(cycles)
    require_units(cycles, folds)
    together = fitted_together(cycles, folds)
    if len(together) == 1:
        return _whole(cycles, rival, sets, folds)
    parts = []
    for study, alike, own in together:
        part = _whole(study, rival, sets, own)
        parts.append(part.assign_attrs(channels=study.sizes["channel"]).sel(channel=alike))
    return _joined(cycles, parts)


def fitted_together(cycles: xr.Dataset, folds: Folds) -> list[tuple[xr.Dataset, list[str], Folds]]:
    """Return the studies that a method is fitted to where channels were not recorded of everybody.

    One for each set of cycles that a channel has: these cycles, with all channels that each of them has; the channels
    that have just these cycles, which are the ones to be taken from there; and the folds over these cycles.
    """
    there = recorded(cycles.emg)
    parts = []
    for own in np.unique(there, axis=0)[::-1]:
        study = cycles.isel(cycle=own, channel=(there | ~own).all(axis=1))
        parts.append((study, cycles.channel.values[(there == own).all(axis=1)].tolist(), _without_empty(folds, own)))
    return parts


def _without_empty(folds: Folds, there: NDArray[np.bool_]) -> Folds:
    """The folds over some of the cycles alone; those that hold none of them out are gone."""
    kept, of_cycle = np.unique(folds.of_cycle[there], return_inverse=True)
    return Folds(folds.unit, tuple(folds.labels[fold] for fold in kept), of_cycle.astype(np.int32))


def _joined(cycles: xr.Dataset, parts: list[xr.Dataset]) -> xr.Dataset:
    """Lay the parts out as one study; what a part chose is told under the channels that it is of."""
    folds = leave_one_out(cycles)
    laid = [part.refined.reindex(cycle=cycles.cycle.values) for part in parts]
    refined = xr.concat(laid, "channel", coords="minimal", compat="override", join="exact")
    refined = refined.sel(channel=cycles.channel.values)  # in the order of the study
    result = _laid_out(cycles, refined.values[0].transpose(1, 2, 0), folds)
    shares = [part.sizes["channel"] / part.attrs["channels"] for part in parts]
    found = {label: dict[str, Any]() for label in folds.labels}
    for part in parts:
        own = ", ".join(map(str, part.channel.values))
        for label, chosen_there in json.loads(part.attrs["chosen"]).items():
            found[label] |= {f"{key} ({own})": value for key, value in chosen_there.items()}
    facts = {
        "models": sum(part.attrs["models"] for part in parts),
        "seconds": sum(part.attrs["seconds"] for part in parts),
        "parameters": sum(part.attrs["parameters"] * share for part, share in zip(parts, shares, strict=True)),
        "chosen": json.dumps(found),
        "data_hash": data_hash(cycles),
    }
    attributes = {name: value for name, value in parts[0].attrs.items() if name != "channels"}
    return result.assign_attrs(attributes | facts)


@pinned()
def _whole(cycles: xr.Dataset, rival: Rival, sets: Sequence[str], folds: Folds) -> xr.Dataset:
    simulated = simulated_cycles(cycles, folds, sets)
    measured = cycles.emg.transpose("cycle", "sample", "channel").values.astype(float)
    refined, fitted = np.full_like(measured, np.nan), {}
    begun = time.perf_counter()
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other longer than they compute
        for fold, label in enumerate(folds.labels):
            held = folds.of_cycle == fold
            seen = Inputs.fit(simulated, ~held, sets).apply(simulated)
            with _in_fold(folds, fold):
                fitted[label] = rival.fit(seen.take(~held), measured[~held])
                refined[held] = _checked(fitted[label].predict(seen.take(held)), refined[held], rival)
    seconds = time.perf_counter() - begun
    return _laid_out(cycles, refined, folds).assign_attrs(_attributes(cycles, rival, fitted, seconds, folds))


@contextmanager
def _in_fold(folds: Folds, fold: int) -> Iterator[None]:
    """Say in which fold a mistake was found."""
    label = folds.labels[fold]
    held = label if folds.unit == BLOCK else f"{folds.unit} {label}"
    try:
        yield
    except Nem2eError as mistake:
        raise Nem2eError(f"fold {fold + 1} of {len(folds.labels)} ({held} held out): {mistake}") from mistake


def _checked(guess: Array, expected: Array, rival: Rival) -> Array:
    if guess.shape != expected.shape:
        raise Nem2eError(
            f"rival {rival.name}: its prediction has shape {guess.shape}, expected {expected.shape} (cycles, samples, "
            "channels); mend its predict."
        )
    return guess


def _laid_out(cycles: xr.Dataset, refined: Array, folds: Folds) -> xr.Dataset:
    measured = cycles.emg.transpose("channel", "cycle", "sample").values
    dims = ("channel", "cycle", "sample")
    return xr.Dataset(
        {
            "refined": (("seed", *dims), refined.transpose(2, 0, 1)[None]),
            "simulated": (dims, np.where(np.isnan(measured), np.nan, own_muscle(cycles).values)),
            "measured": (dims, measured),
            "mean_curve": (dims, mean_curves(measured, folds.of_cycle)),
            "diverged": (("seed", "channel", "fold"), _not_finite(refined, measured, folds)[None]),
        },
        coords={
            "seed": [0],
            "fold": list(folds.labels),
            "fold_of_cycle": ("cycle", folds.of_cycle),
            **{
                name: cycles[name]
                for name in ("sample", "channel", "cycle", "target", "electrode", *cycle_coords(cycles))
            },
        },
    )


def _not_finite(refined: Array, measured: Array, folds: Folds) -> NDArray[np.bool_]:
    """Tell which channels of which folds have a prediction that is no number; shape (channels, folds)."""
    lost = np.isnan(measured).transpose(1, 2, 0)
    bad = np.array(np.logical_not(np.isfinite(refined) | lost).any(axis=1), bool)
    by_fold = [bad[folds.of_cycle == fold].any(axis=0) for fold in range(len(folds.labels))]
    return np.stack(by_fold, axis=1)


def _attributes(
    cycles: xr.Dataset, rival: Rival, fitted: dict[str, Fitted], seconds: float, folds: Folds
) -> dict[str, Any]:
    return {
        **{name: cycles.attrs[name] for name in STUDY_ATTRS},
        "condition": rival.name,
        "profile": "",
        "unit": folds.unit,
        "models": len(fitted),
        "seconds": seconds,
        "parameters": float(np.mean([one.parameters for one in fitted.values()])),
        "settings": settings(rival),
        "code": RIVALS_VERSION,
        "data_hash": data_hash(cycles),
        "chosen": json.dumps({label: dict(one.chosen) for label, one in fitted.items()}),
        **({"arithmetic": told} if (told := altered()) else {}),
    }
