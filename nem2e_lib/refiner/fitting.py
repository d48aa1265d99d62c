# mypy: allow-untyped-calls
"""Fitting a method of the leaderboard to keep: to everybody, with its error on those left out beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.data.study.settings import Settings
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import ALL, OWN, Fit, Training
from nem2e_lib.refiner.portrait import left_out, portrait
from nem2e_lib.refiner.refiner import Refiner
from nem2e_lib.rivals import Fitted, Rival, evaluate, simulated_cycles
from nem2e_lib.rivals.evaluation import fitted_together
from nem2e_lib.rivals.evaluation import settings as settings_of
from nem2e_lib.rivals.inputs import ACTIVATION, DEFAULT, SPEED, Inputs, parse_inputs, require_sets
from nem2e_lib.training.folds import Folds, leave_one_out
from nem2e_lib.training.numerics import pinned


def fit(
    cycles: xr.Dataset,
    method: Rival,
    *,
    muscles: Iterable[str] | None = None,
    leave_out: bool = True,
    inputs: str = ACTIVATION,
    keep: Path | None = None,
    settings: Settings | None = None,
) -> Refiner:
    """Fit a method to every subject of a study, and find its error by leaving one out.

    Parameters
    ----------
    cycles
        Segmented cycles (`nem2e_lib.data.cycles.segment`).
    method
        Of the leaderboard (`nem2e_lib.rivals.rival`); one that can be kept.
    muscles
        EMG names to refine; all by default.
    leave_out
        Without it the error remains unknown and the manifest says so.
    inputs
        Sets that it is given (`nem2e_lib.rivals.inputs`), as ``activation+moment``.
    keep
        File of the evaluation that leaves one out; what is found there is not made again.
    settings
        The study's, for the force threshold that its cycles were cut with; the default one where it is not given.

    Raises
    ------
    Nem2eError
        If a muscle is unknown, the method cannot be kept or reads no such inputs, or nothing can be left out.
    """
    if not hasattr(method, "restored"):
        raise Nem2eError(f"rival {method.name}: it cannot be kept in a refiner's file, only judged; choose another.")
    sets = parse_inputs(inputs)
    require_sets(cycles, sets)
    if sets != DEFAULT and reads(method) == OWN:
        raise Nem2eError(
            f"rival {method.name}: it reads its own muscle at most, so inputs {inputs!r} make no difference; "
            "leave them out, or choose another method."
        )
    known_by = data_hash(cycles)
    cycles = of_muscles(cycles, muscles)
    results = evaluate(cycles, method, keep, inputs=inputs) if leave_out else None
    fits, weights = [], {}
    for index, (study, alike, folds) in enumerate(fitted_together(cycles, _units(cycles))):
        fitted, scaling = _fitted(study, method, folds, sets)
        assert fitted.state is not None
        fits.append(_told(study, alike, fitted, scaling))
        for name, values in fitted.state.arrays.items():
            weights[f"{index}/{name}"] = np.asarray(values, np.float32)
    training = Training(method.name, json.loads(settings_of(method)), "", (0,), 0, 0, *left_out(results), reads(method))
    names = cycles.channel.values.tolist()
    manifest = portrait(cycles, names, training, results, settings or Settings(), data_hash=known_by, fits=tuple(fits))
    return Refiner(manifest, weights).with_training_errors(cycles)


def reads(method: Rival) -> str:
    """Return which muscles a refined one is made of: its own, its leg's, or all."""
    return str(getattr(method, "reads", ALL))


def of_muscles(cycles: xr.Dataset, muscles: Iterable[str] | None) -> xr.Dataset:
    """Return the cycles with some EMG channels alone, in the study's order; Nem2eError for one that it lacks."""
    there = cycles.channel.values.tolist()
    wanted = there if muscles is None else list(muscles)
    for name in wanted:
        if name not in there:
            raise Nem2eError(f"study {cycles.attrs['study']}: no muscle {name!r}; it has {', '.join(there)}.")
    return cycles.sel(channel=[name for name in there if name in wanted])


def _units(cycles: xr.Dataset) -> Folds:
    """What is kept together where a method chooses by leaving out: as for its error, else subjects."""
    try:
        return leave_one_out(cycles)
    except Nem2eError:  # too few cycles of one recording for an error on others, but enough to be fitted to
        labels, of_cycle = np.unique(cycles.subject.values.astype(str), return_inverse=True)
        return Folds("subject", tuple(labels.tolist()), of_cycle.astype(np.int32))


@pinned()
def _fitted(study: xr.Dataset, method: Rival, folds: Folds, sets: Sequence[str]) -> tuple[Fitted, Inputs]:
    measured: NDArray[np.float64] = study.emg.transpose("cycle", "sample", "channel").values.astype(float)
    with threadpool_limits(1):  # as when one is left out: the same sums in the same order
        simulated = simulated_cycles(study, folds, sets)
        scaling = Inputs.fit(simulated, np.ones(len(simulated), bool), sets)
        return method.fit(scaling.apply(simulated), measured), scaling


def _told(study: xr.Dataset, alike: list[str], fitted: Fitted, scaling: Inputs) -> Fit:
    assert fitted.state is not None
    channels: list[str] = study.channel.values.tolist()
    chosen: dict[str, Any] = json.loads(json.dumps(dict(fitted.chosen)))
    return Fit(
        tuple(channels),
        tuple(study.target.values.tolist()),
        tuple(alike),
        tuple(study.muscle.values.tolist()),
        study.sizes["cycle"],
        dict(fitted.state.facts),
        chosen,
        fitted.state.needs_speed or (SPEED in scaling.sets and scaling.by_speed),
        fitted.state.keeps_training,
        json.loads(json.dumps(scaling.content())),
        {name: str(study.input_unit.sel(input=name).values) for name in scaling.names},
    )
