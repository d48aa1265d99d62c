"""Leaving out a subject, a speed, a block of cycles, or nobody; and training on less of the rest."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import CONDITION, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.units import BLOCK, BLOCKS, CYCLES_A_BLOCK, unit_name

Mask = NDArray[np.bool_]
NOBODY = "nobody"
"""Unit of the one fold that trains on all."""


@dataclass(frozen=True)
class Folds:
    """Which cycles each fold holds out.

    Attributes
    ----------
    unit
        `subject`, `speed`, `condition` or `block`: what is held out, and the unit of analysis; `nobody` for the one
        fold that trains on all.
    labels
        Held-out subject, speed or block of each fold; empty for nobody.
    of_cycle
        Fold that holds a cycle out, shape (cycles,); -1 where none does.
    only
        Where a fold is to train on some of the other cycles alone: which, shape (folds, cycles); see `some_units`
        and those below it.
    """

    unit: str
    labels: tuple[str, ...]
    of_cycle: NDArray[np.int32]
    only: Mask | None = None

    def shown(self, fold: int) -> Mask:
        """Return which cycles a fold trains on, shape (cycles,)."""
        others: Mask = np.asarray(self.of_cycle != fold)
        return others if self.only is None else others & self.only[fold]


def leave_one_out(cycles: xr.Dataset) -> Folds:
    """Return the folds of a study: by subject; of one subject by speed; at one speed by condition, or else by block.

    Blocks are `BLOCKS` runs of neighbouring cycles, trial after trial in the study's order, in a trial by time, and as
    equal as can be. A block's neighbours, which are trained on, are much like it: the error over blocks is optimistic,
    holds for other cycles of the same recording alone, and says nothing of other people or speeds.

    Raises
    ------
    Nem2eError
        If there is one subject at one speed with too few cycles for blocks.
    """
    told = [CONDITION] if CONDITION in cycles.coords else []
    for unit in ("subject", "speed", *told):
        labels, of_cycle = np.unique(cycles[unit].values.astype(str), return_inverse=True)
        if len(labels) > 1:
            return Folds(unit, tuple(labels.tolist()), of_cycle.astype(np.int32))
    return _blocks(cycles)


def _blocks(cycles: xr.Dataset) -> Folds:
    count, least = cycles.sizes["cycle"], BLOCKS * CYCLES_A_BLOCK
    if count < least:
        raise Nem2eError(
            f"study {cycles.attrs['study']}: all cycles are of one subject at one speed, and to leave blocks of them "
            f"out {least} are needed, but there are {count}; add cycles, another speed or another subject to "
            "trials.csv."
        )
    trials = cycles.trial.values.astype(str)
    turn = {name: place for place, name in enumerate(dict.fromkeys(trials.tolist()))}
    order = np.lexsort((cycles.start_s.values, [turn[name] for name in trials.tolist()]))
    of_cycle = np.empty(count, np.int32)
    for block, chosen in enumerate(np.array_split(order, BLOCKS)):
        of_cycle[chosen] = block
    return Folds(BLOCK, tuple(f"{BLOCK} {block + 1}" for block in range(BLOCKS)), of_cycle)


def require_units(cycles: xr.Dataset, folds: Folds) -> None:
    """Refuse a channel that leaves a fold nothing to train on, since the others were recorded without it.

    Raises
    ------
    Nem2eError
        With the first such channel.
    """
    for name, there in zip(cycles.channel.values, recorded(cycles.emg), strict=True):
        for fold in np.unique(folds.of_cycle[there & (folds.of_cycle >= 0)]).tolist():
            if not (folds.shown(fold) & there).any():
                raise Nem2eError(
                    f"study {cycles.attrs['study']}: EMG {name!s} was recorded of {folds.labels[fold]} alone, so that "
                    f"nothing is left to train on; take it out of study.toml, [emg], or add "
                    f"{unit_name(folds.unit, 2)} with it."
                )


def nested(cycles: xr.Dataset, folds: Folds) -> tuple[Folds, Mask]:
    """Return folds that choose something for others without looking at what those hold out.

    For each fold the next unit of which all its channels were recorded is held out of what it trains on. A unit that is
    next to two folds is trained for without both. Where nobody is held out, everybody is in turn.

    Parameters
    ----------
    cycles
        Segmented cycles, on the channels that are refined.
    folds
        For which something is chosen.

    Returns
    -------
    tuple
        The inner folds, and which of them choose for which fold, shape (folds, inner folds).

    Raises
    ------
    Nem2eError
        If the folds train on some of the others alone, or nothing would be left to train on.
    """
    study = cycles.attrs["study"]
    if folds.unit == NOBODY:
        inner = leave_one_out(cycles)
        return inner, np.full((1, len(inner.labels)), True)
    if folds.only is not None:
        raise Nem2eError(
            f"study {study}: weights=least holds a further unit out of all others, but here training is on some of "
            "them alone; choose weights=last or average."
        )
    there = recorded(cycles.emg)
    count = len(folds.labels)
    has = np.stack([there[:, folds.of_cycle == fold].any(axis=1) for fold in range(count)])
    following = [_following(fold, has) for fold in range(count)]
    used = sorted({unit for unit in following if unit is not None})
    of_cycle = np.full_like(folds.of_cycle, -1)
    for place, chosen in enumerate(used):
        of_cycle[folds.of_cycle == chosen] = place
    chosen_for = np.array([[own == chosen for chosen in used] for own in following])
    only = [~np.isin(folds.of_cycle, np.flatnonzero(chosen_for[:, place])) for place in range(len(used))]
    inner = Folds(folds.unit, tuple(folds.labels[unit] for unit in used), of_cycle, np.array(only))
    for fold, unit in enumerate(following):
        shown = unit is not None and inner.shown(used.index(unit))
        if unit is None or not (there[has[fold]] & shown).any(axis=1).all():
            raise Nem2eError(
                f"study {study}: weights=least holds a further {unit_name(folds.unit, 1)} out beside "
                f"{folds.labels[fold]}, but of some EMG then none is left to train on or to choose by; choose "
                "weights=last or average."
            )
    return inner, chosen_for


def _following(fold: int, has: Mask) -> int | None:
    """Return the next unit that has every channel of a fold's; `has` is (units, channels)."""
    turn = [(fold + step) % len(has) for step in range(1, len(has))]
    return next((unit for unit in turn if has[unit][has[fold]].all()), None)


def leave_nobody_out(cycles: xr.Dataset) -> Folds:
    """Return the one fold that trains on every cycle: the models that are kept once their error is known."""
    return Folds(NOBODY, ("",), np.full(cycles.sizes["cycle"], -1, np.int32))


def training_order(
    sequences: NDArray[np.int32], epochs: int, seed: int, label: str, part: int = 0
) -> NDArray[np.int32]:
    """Order in which a fold's training sequences are shown, shuffled anew each epoch.

    Depends on the seed and the held-out label alone, so a model sees the same order whatever it is trained beside.

    Returns
    -------
    NDArray
        Indices of sequences, shape (epochs, sequences).
    """
    generator = np.random.default_rng([seed, zlib.crc32(label.encode()), part])
    return generator.permuted(np.tile(sequences, (epochs, 1)), axis=1)


def mean_curves(
    emg: NDArray[np.floating], of_cycle: NDArray[np.int32], only: Mask | None = None
) -> NDArray[np.floating]:
    """Training-mean EMG curve of each cycle's fold: the simplest rival.

    Parameters
    ----------
    emg
        Measured EMG, shape (channels, cycles, samples).
    of_cycle
        Fold of each cycle, shape (cycles,).
    only
        Cycles that each fold trains on, shape (folds, cycles); all others by default.

    Returns
    -------
    NDArray
        Same shape as `emg`; row c is the mean over the cycles that its fold trains on, NaN where no fold holds it out,
        and where the EMG is NaN because its channel was not recorded.
    """
    curves = np.full_like(emg, np.nan)
    recorded = np.isfinite(emg).any(axis=-1)
    for there in np.unique(recorded, axis=0):
        alike = (recorded == there).all(axis=1)
        for fold in np.unique(of_cycle[(of_cycle >= 0) & there]):
            held = (of_cycle == fold) & there
            shown = there & (of_cycle != fold) if only is None else there & (of_cycle != fold) & only[fold]
            curves[np.ix_(alike, held)] = emg[alike][:, shown].mean(axis=1, keepdims=True)
    return curves


# --- training on less, or on something else: folds that hold out as `leave_one_out` does ---


def some_units(cycles: xr.Dataset, count: int, draw: int = 0) -> Folds:
    """Train each fold on the cycles of `count` of the other units, drawn anew for each fold and draw.

    A larger count adds units to those of a smaller one.

    Raises
    ------
    Nem2eError
        If there are not so many.
    """
    _require_whole(cycles)
    folds = leave_one_out(cycles)
    _require(count, len(folds.labels) - 1, f"training {unit_name(folds.unit, 2)}")
    return _with(folds, lambda fold: np.isin(folds.of_cycle, _drawn_units(folds, fold, draw)[:count]))


def some_cycles(cycles: xr.Dataset, count: int, draw: int = 0) -> Folds:
    """Train each fold on `count` of the other cycles, taken in turn from all other units, drawn as in `some_units`.

    Raises
    ------
    Nem2eError
        If a fold has not so many.
    """
    _require_whole(cycles)
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


def _require_whole(cycles: xr.Dataset) -> None:
    """Refuse channels that somebody lacks: folds of a fixed size would be smaller for them."""
    lost = ~recorded(cycles.emg).all(axis=1)
    if lost.any():
        raise Nem2eError(
            f"study {cycles.attrs['study']}: EMG {cycles.channel.values[lost][0]!s} is not there in every cycle, but "
            "training on less compares folds of one size; choose channels that everybody has."
        )


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
