"""A refiner's manifest, drawn from what it was trained on."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.settings import Settings
from nem2e_lib.refine.conditions import own_muscle
from nem2e_lib.refine.engine import ENGINE_VERSION
from nem2e_lib.refine.grid import Grid
from nem2e_lib.refiner import manifest as told
from nem2e_lib.refiner.held_out import held_out

_LIBRARIES = ("nem2e", "jax", "flax", "optax", "numpy")


def portrait(
    cycles: xr.Dataset,
    work: Grid,
    results: xr.Dataset | None,
    settings: Settings,
    profile: str,
    diverged: dict[str, tuple[int, ...]],
) -> told.Manifest:
    """Return the manifest of a refiner that a grid of models makes.

    Parameters
    ----------
    cycles
        What they were trained on.
    work
        The grid, which holds nobody out.
    results
        The same configuration leaving one out; None where the error is not known.
    settings
        Of the study.
    profile
        Name of the configuration.
    diverged
        Seeds whose training diverged, by EMG name.
    """
    seeds = tuple(work.configuration.seed + seed for seed in range(work.seeds))
    known = held_out(results) if results is not None else {}
    training = told.Training(
        work.condition,
        json.loads(work.configuration.to_json()),
        profile,
        seeds,
        work.epochs,
        work.epochs * work.longest,
        str(results.attrs["unit"]) if results is not None else "",
        results.sizes["fold"] if results is not None else 0,
    )
    outputs = tuple(
        _output(cycles, index, diverged.get(name, ()), known.get(name)) for index, name in enumerate(work.channel_names)
    )
    read = cycles if work.condition == "all_entire" else cycles.isel(muscle=_own(cycles))
    origin = _origin(cycles, work.data_hash)
    return told.Manifest(
        origin,
        training,
        _gait_cycle(cycles, settings),
        _inputs(read),
        outputs,
        _versions(),
        told.WARNING if origin.synthetic else "",
    )


def _own(cycles: xr.Dataset) -> NDArray[np.intp]:
    """Places of the muscles that EMG was measured of, in the order of the activation files."""
    own_muscle(cycles)  # tells which is missing
    return np.flatnonzero(np.isin(cycles.muscle.values, cycles.target.values))


def _inputs(cycles: xr.Dataset) -> tuple[told.Input, ...]:
    values = cycles.activation_waveform.transpose(..., "muscle").values.reshape(-1, cycles.sizes["muscle"])
    ends = zip(cycles.muscle.values, values.min(axis=0), values.max(axis=0), strict=True)
    return tuple(told.Input(str(name), float(low), float(high)) for name, low, high in ends)


def _output(cycles: xr.Dataset, channel: int, diverged: tuple[int, ...], error: told.HeldOut | None) -> told.Output:
    one = cycles.isel(channel=channel)
    low, high = float(one.emg_waveform.min()), float(one.emg_waveform.max())
    electrode = str(one.electrode.values) if "electrode" in one.coords else str(one.channel.values)
    return told.Output(str(one.channel.values), str(one.target.values), electrode, low, high, 0.0, diverged, error)


def _gait_cycle(cycles: xr.Dataset, settings: Settings) -> told.GaitCycle:
    seconds = (cycles.end_s - cycles.start_s).values
    return told.GaitCycle(
        str(cycles.attrs.get("cycle_definition", settings.cycle)),
        settings.threshold_n,
        settings.min_stance_s,
        settings.min_swing_s,
        str(cycles.attrs.get("resampling", settings.resampling)),
        cycles.sizes["sample"],
        cycles.sizes["phase"],
        float(seconds.min()),
        float(seconds.max()),
    )


def _origin(cycles: xr.Dataset, key: str) -> told.Origin:
    facts = cycles.attrs
    texts = {name: str(facts.get(name, "")) for name in ("study", "motion", "simulated_by", "citation", "licence")}
    return told.Origin(
        synthetic=bool(facts["synthetic"]),
        emg=str(facts.get("emg_processing", "envelopes as the study's files give them")),
        subjects=tuple(np.unique(cycles.subject.values.astype(str)).tolist()),
        speeds=tuple(np.unique(cycles.speed.values.astype(str)).tolist()),
        cycles=cycles.sizes["cycle"],
        data_hash=key,
        **texts,
    )


def _versions() -> dict[str, str]:
    return {
        **{name: version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
        "engine": ENGINE_VERSION,
    }
