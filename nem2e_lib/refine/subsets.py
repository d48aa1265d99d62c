"""Folds that hold out as `leave_one_out` does, but train on part of what is left: designs of the learning curves."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.errors import Nem2eError
from nem2e_lib.refine.conditions import own_muscle
from nem2e_lib.refine.folds import Folds, leave_one_out

Mask = NDArray[np.bool_]


def some_units(cycles: xr.Dataset, count: int, draw: int = 0) -> Folds:
    """Train each fold on the cycles of `count` of the other units, drawn anew for each fold and draw.

    A larger count adds units to those of a smaller one.

    Raises
    ------
    Nem2eError
        If there are not so many.
    """
    folds = leave_one_out(cycles)
    _require(count, len(folds.labels) - 1, f"training {folds.unit}s")
    return _with(folds, lambda fold: np.isin(folds.of_cycle, _drawn_units(folds, fold, draw)[:count]))


def some_cycles(cycles: xr.Dataset, count: int, draw: int = 0) -> Folds:
    """Train each fold on `count` of the other cycles, taken in turn from all other units, drawn as in `some_units`.

    Raises
    ------
    Nem2eError
        If a fold has not so many.
    """
    folds = leave_one_out(cycles)
    fewest = min(int(folds.shown(fold).sum()) for fold in range(len(folds.labels)))
    _require(count, fewest, "training cycles")
    return _with(folds, lambda fold: np.isin(np.arange(len(folds.of_cycle)), _turns(folds, fold, draw)[:count]))


def without_speed(cycles: xr.Dataset, speed: str) -> Folds:
    """Train no fold on cycles of a speed; held out are whole subjects, that speed among their cycles.

    Raises
    ------
    Nem2eError
        If the study has one subject, or no cycle of another speed.
    """
    folds = leave_one_out(cycles)
    speeds = cycles.speed.values.astype(str)
    if folds.unit != "subject" or speed not in speeds or len(set(speeds)) < 2:
        raise Nem2eError(
            f"study {cycles.attrs['study']}: speed {speed!r} cannot be left out beside a subject; the study has "
            f"{len(set(cycles.subject.values.tolist()))} subject(s) at {', '.join(sorted(set(speeds)))}; expected two "
            "of each."
        )
    return _with(folds, lambda fold: speeds != speed)


def joined(studies: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Lay the cycles of two motions side by side, on the EMG channels that both have, own muscles alone.

    Subjects are named ``study:subject``, so that equal names are not taken for one person. One-Entire alone can be
    trained on it.

    Raises
    ------
    Nem2eError
        If they have no channel in common.
    """
    names = [set(map(str, one.channel.values)) for one in studies.values()]
    first = next(iter(studies.values()))
    common = [str(name) for name in first.channel.values if set.intersection(*names) >= {str(name)}]
    if not common:
        raise Nem2eError(f"{', '.join(studies)}: no EMG channel is in all of them; map one muscle alike in [emg].")
    parts = [_own(one.sel(channel=common), study) for study, one in studies.items()]
    whole = xr.concat(parts, dim="cycle", data_vars="minimal", coords="minimal", compat="override", join="exact")
    return whole.assign_coords(cycle=np.arange(whole.sizes["cycle"])).assign_attrs(study="+".join(studies))


def _own(cycles: xr.Dataset, study: str) -> xr.Dataset:
    """Return a study whose muscles are the channels' own, under the channels' names."""
    subjects = [f"{study}:{name}" for name in cycles.subject.values]
    moved = {
        f"activation{suffix}": own_muscle(cycles, f"activation{suffix}")
        .rename(channel="muscle")
        .drop_vars(["target", "electrode"], errors="ignore")
        .transpose("cycle", ..., "muscle")
        for suffix in ("", "_waveform")
    }
    emg = cycles[["emg", "emg_waveform"]].assign_coords(target=("channel", cycles.channel.values))
    trials = [f"{study}:{name}" for name in cycles.trial.values]
    named = emg.assign(moved).assign_coords(subject=("cycle", subjects), trial=("cycle", trials))
    return named.assign_coords(motion=("cycle", [study] * cycles.sizes["cycle"]))


def across(cycles: xr.Dataset, target: str, trained_on: str) -> Folds:
    """Leave subjects of one of the `joined` studies out and train on the `other`, on the `same`, or on `both`.

    Cycles of the other study are never held out, so that folds train on equally many cycles and for equally long.

    Raises
    ------
    Nem2eError
        If there is no such study, it has one subject, or `trained_on` is none of these.
    """
    if trained_on not in ("same", "other", "both"):
        raise Nem2eError(f"across: trained_on is {trained_on!r}, expected same, other or both; choose one.")
    own = cycles.motion.values.astype(str) == target
    labels, index = np.unique(cycles.subject.values.astype(str)[own], return_inverse=True)
    if len(labels) < 2:
        raise Nem2eError(f"across: {target!r} has {len(labels)} subject(s), expected two or more to leave one out.")
    of_cycle = np.full(len(own), -1, np.int32)
    of_cycle[own] = index
    chosen = {"same": own, "other": ~own, "both": np.full(len(own), True)}[trained_on]
    return _with(Folds("subject", tuple(labels.tolist()), of_cycle), lambda fold: chosen)


def _with(folds: Folds, chosen: Callable[[int], Mask]) -> Folds:
    return replace(folds, only=np.stack([chosen(fold) for fold in range(len(folds.labels))]))


def _drawn_units(folds: Folds, fold: int, draw: int) -> NDArray[np.intp]:
    others = np.delete(np.arange(len(folds.labels)), fold)
    return np.random.default_rng([draw, zlib.crc32(folds.labels[fold].encode())]).permutation(others)


def _turns(folds: Folds, fold: int, draw: int) -> NDArray[np.intp]:
    """Cycles of the other units in turn: the first of each, then the second of each, …"""
    generator = np.random.default_rng([draw, zlib.crc32(folds.labels[fold].encode()), 1])
    rows = [
        (turn, place, cycle)
        for place, unit in enumerate(_drawn_units(folds, fold, draw))
        for turn, cycle in enumerate(generator.permutation(np.flatnonzero(folds.of_cycle == unit)))
    ]
    return np.array([cycle for _, _, cycle in sorted(rows)], np.intp)


def _require(count: int, most: int, what: str) -> None:
    if not 1 <= count <= most:
        raise Nem2eError(f"learning curve: {count} {what} are wanted, expected 1 to {most}; change it.")
