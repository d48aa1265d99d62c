"""Recordings as a refiner reads them, and why it would refuse one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.cycles.segment import BESIDE, resample
from nem2e_lib.data.families import Family, likely, pairs
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.limits import TOLERANCE, Band, band_of_training, listed, no_activation, window, within
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.beside import SETS, read_beside
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.spans import Span

Array = NDArray[np.float64]

FEW = 3
"""Missing muscles up to which a name that is nearly right is the likeliest reason."""


def require_fit(manifest: Manifest, storage: Storage, where: str, names: Family | None = None) -> Storage:
    """Return the columns that a refiner reads, in its order, labels as in the file.

    Parameters
    ----------
    manifest
        Of the refiner.
    storage
        An activation file, or a file of states with activations in it.
    where
        File, for messages.
    names
        Family of models whose names the recording's muscles have, where they are not the refiner's.

    Raises
    ------
    Nem2eError
        If a muscle is missing or double, its values are not finite, or they are forces or per cent.
    """
    if len(storage.time) < 2:
        raise Nem2eError(f"{where}: found {len(storage.time)} rows, but at least 2 are expected.")
    labels = _labels(manifest, storage, where, names)
    values = np.ascontiguousarray(storage.values[:, [storage.labels.index(label) for label in labels]])
    chosen = dataclasses.replace(storage, labels=tuple(labels), values=values)
    _require_finite(chosen, where)
    if problem := no_activation(chosen.values):
        raise Nem2eError(f"{where}: {problem}")
    return chosen


def _labels(manifest: Manifest, storage: Storage, where: str, names: Family | None) -> list[str]:
    found: dict[str, list[str]] = {}
    for label in muscle_columns(storage.labels, told=manifest.muscles):
        found.setdefault(muscle_name(label), []).append(label)
    there = list(found)
    same = {name: [name] for name in there} if names is None else pairs(manifest.muscles, there, names)
    missing = [name for name in manifest.muscles if name not in same]
    if missing:
        hint = _otherwise(manifest, missing, there) if names is None else _under(manifest, missing, names)
        raise Nem2eError(_lacking(manifest, missing, there, where) + (hint or _else(manifest, missing, there)))
    of = {name: [label for own in same[name] for label in found[own]] for name in manifest.muscles}
    twice = [name for name, labels in of.items() if len(labels) > 1]
    if twice:
        raise Nem2eError(
            f"{where}: muscle {twice[0]!r} has more than one column ({', '.join(of[twice[0]])}); keep one of them."
        )
    return [of[name][0] for name in manifest.muscles]


def renamed(manifest: Manifest, read: Storage) -> dict[str, str]:
    """Return the muscles that a recording has under other names: the refiner's name to the recording's."""
    own = zip(manifest.muscles, map(muscle_name, read.labels), strict=True)
    return {muscle: name for muscle, name in own if muscle != name}


def _lacking(manifest: Manifest, missing: list[str], found: list[str], where: str) -> str:
    count = f"{len(missing)} of the {len(manifest.muscles)} muscles that the refiner reads are missing"
    shown = ", ".join(found[:6]) + (" …" if len(found) > 6 else "")
    return f"{where}: has no muscle {missing[0]!r}: {count}; found {shown or 'no muscle'}"


def _under(manifest: Manifest, missing: list[str], names: Family) -> str:
    """Say that a recording lacks muscles under the names of a family, too, and all of them."""
    return (
        f"; no one muscle of the {names.name} family is {' or '.join(missing)}{_way(manifest, missing, besides=names)}"
    )


def _otherwise(manifest: Manifest, missing: list[str], found: list[str]) -> str:
    """Offer the family under whose names the muscles that are missing are there; empty if none has any of them."""
    names, same = likely(missing, found)
    if not same:
        return ""
    some = ", ".join(f"{muscle} = {own[0]}" for muscle, own in list(same.items())[:4])
    told = f"; they go by the names of the {names.name} family ({some}{', …' if len(same) > 4 else ''})"
    rest = [muscle for muscle in missing if muscle not in same]
    if not rest:
        return f"{told}: refine with --names {names.name} (names={names.name!r} in Python)."
    return f"{told}, but no one muscle there is {' or '.join(rest)}{_way(manifest, rest, besides=names)}"


def _else(manifest: Manifest, missing: list[str], found: list[str]) -> str:
    """What to do where no family of models tells: a name that is nearly right, or fewer muscles."""
    hint = near(missing[0], _not_opposite(missing[0], found)) if len(missing) <= FEW else ""
    return hint or _way(manifest, missing)


def _way(manifest: Manifest, missing: list[str], besides: Family | None = None) -> str:
    if manifest.reads_all:
        return (
            f"; it reads all of them ({manifest.training.method}): use one_entire, a model that has them, or train on "
            "those that yours has ([activation] columns in study.toml)."
        )
    refinable = [out.name for out in manifest.outputs if out.muscle not in missing]
    names = f"--names {besides.name} and " if besides else ""
    return f"; refine those it has with {names}--muscles {','.join(refinable)}." if refinable else "."


def _not_opposite(name: str, found: list[str]) -> list[str]:
    """The other leg's muscle is never what was meant."""
    other = {"r": "_l", "l": "_r"}.get(name.rpartition("_")[2], "\n")
    return [each for each in found if not each.endswith(other)]


def _require_finite(chosen: Storage, where: str) -> None:
    bad = np.argwhere(~np.isfinite(chosen.values))
    if len(bad):
        row, column = bad[0]
        raise Nem2eError(
            f"{where}: column {chosen.labels[column]!r} is {chosen.values[row, column]} at {chosen.time[row]:.9g} s "
            f"({len(bad)} such in all), but finite numbers are expected; mend or cut the file."
        )


def limits(manifest: Manifest) -> Band:
    """Lowest and highest activation that a refiner takes in a cycle: 0 to 1, or what training had, and a tolerance."""
    low, high = ([getattr(told, end) for told in manifest.inputs] for end in ("low", "high"))
    return band_of_training(manifest.muscles, low, high)


def in_range(manifest: Manifest, chosen: Storage, spans: Sequence[Span]) -> list[Span]:
    """Cycles with the reason filled in where activation leaves what the refiner takes (`limits`)."""
    named = with_names(chosen)
    return [span if span.reason else dataclasses.replace(span, reason=_beyond(manifest, named, span)) for span in spans]


def with_names(chosen: Storage) -> Storage:
    """The columns under the names of their muscles."""
    return dataclasses.replace(chosen, labels=tuple(map(muscle_name, chosen.labels)))


def _beyond(manifest: Manifest, named: Storage, span: Span) -> str:
    stretch = window(span.start_s, span.end_s, manifest.cycle.resampling, manifest.cycle.samples)
    found = within(named, limits(manifest), *stretch)
    if not found:
        return ""
    return (
        f"activation is outside 0 to 1 by more than {TOLERANCE:g}, and further than in training ({listed(found)}): "
        "simulate it anew there"
    )


def segmented(
    manifest: Manifest, chosen: Storage, spans: Sequence[Span], name: str, speed_m_s: float | None = None
) -> xr.Dataset:
    """Cut a recording into cycles as the refiner's study was cut: the content of ``cycles.nc`` without EMG."""
    cycles = _cycles(manifest, name, lambda points: cut(chosen, spans, points, manifest.cycle.resampling))
    return _timed(cycles, [(span.start_s, span.end_s) for span in spans], speed_m_s)


def cut(table: Storage, spans: Sequence[Span], points: Array, resampling: str) -> Array:
    """Values of each cycle at `points` (%), shape (cycles, points, columns)."""
    return np.stack([resample(table, s.start_s, s.end_s, s.number, points, resampling) for s in spans])


def blank(manifest: Manifest) -> xr.Dataset:
    """One cycle of rest: enough to know the shape of what the networks read."""
    rest = _cycles(manifest, "blank", lambda points: np.zeros((1, len(points), len(manifest.muscles))))
    rest = _timed(with_targets(manifest, rest), [(0.0, manifest.cycle.longest_s)], 1.0)
    return _joined(rest, {name: np.zeros((1, manifest.cycle.samples)) for name in manifest.beside})


def read_inputs(manifest: Manifest, files: Mapping[str, str | Path], mass_kg: float | None) -> dict[str, Storage]:
    """Read the inputs beside activation that a refiner reads, by set; columns are called as in training.

    Parameters
    ----------
    manifest
        Of the refiner.
    files
        File of each set, as ``{"moment": "id.sto"}``.
    mass_kg
        Body mass, by which moments and forces are divided where those of training were.

    Raises
    ------
    Nem2eError
        If a set is missing or is not read, a file lacks a column, or mass is needed and not known.
    """
    needed: dict[str, list[str]] = {}
    for name in manifest.beside:
        needed.setdefault(name.partition(":")[0], []).append(name)
    spare = [name for name in files if name not in needed]
    if spare:
        read = " and ".join(needed) or "activation alone"
        raise Nem2eError(f"{files[spare[0]]}: is of {spare[0]!r}, but the refiner reads {read}; leave it out.")
    tables = {}
    for which, names in needed.items():
        each = SETS[which]
        if which not in files:
            raise Nem2eError(f"The refiner reads {each.what} beside activation; give their file with --{each.column}.")
        found = read_beside(which, Path(files[which]), [out.muscle for out in manifest.outputs], manifest.muscles, "")
        missing = [name for name in names if name not in found.labels]
        if missing:
            own, known = missing[0].partition(":")[2], [label.partition(":")[2] for label in found.labels]
            hint = near(own, known) or f"; found {', '.join(known)}."
            raise Nem2eError(f"{files[which]}: no column of {own!r}, which the refiner reads{hint}")
        by_mass = any(manifest.beside[name].endswith("/kg") for name in names)
        if by_mass and mass_kg is None:
            raise Nem2eError(f"The refiner reads {each.what} by body mass; give it with --mass, in kg.")
        scale = 1 / mass_kg if by_mass and mass_kg else 1.0
        chosen = found.only(names)
        tables[which] = dataclasses.replace(chosen, values=chosen.values * scale)
    return tables


def with_inputs(
    manifest: Manifest, cycles: xr.Dataset, spans: Sequence[Span], tables: Mapping[str, Storage]
) -> xr.Dataset:
    """Join to segmented cycles what was read beside activation (`read_inputs`), cut as they were."""
    points, found = cycles.sample.values, dict[str, Array]()
    for table in tables.values():
        values = cut(table, spans, points, manifest.cycle.resampling)
        found |= {name: values[..., column] for column, name in enumerate(table.labels)}
    return _joined(cycles, found)


def _joined(cycles: xr.Dataset, inputs: Mapping[str, Array]) -> xr.Dataset:
    """Join inputs beside activation, each of shape (cycles, samples)."""
    if not inputs:
        return cycles
    values = np.stack(list(inputs.values()), axis=-1)
    return cycles.assign({BESIDE: (("cycle", "sample", "input"), values)}).assign_coords(input=list(inputs))


def _timed(cycles: xr.Dataset, spans: Sequence[tuple[float, float]], speed_m_s: float | None) -> xr.Dataset:
    """The cycles with their start and end in s, and the speed of locomotion; NaN where it is not known."""
    starts, ends = zip(*spans, strict=True)
    speed = np.full(len(spans), np.nan if speed_m_s is None else speed_m_s)
    told = {"start_s": np.array(starts), "end_s": np.array(ends), "speed_m_s": speed}
    return cycles.assign_coords({name: ("cycle", values) for name, values in told.items()})


def _cycles(manifest: Manifest, name: str, values: Callable[[Array], Array]) -> xr.Dataset:
    """Activation of cycles at both grids of points; `values` gives it at some, shape (cycles, points, muscles)."""
    cycle = manifest.cycle
    points = {"sample": np.linspace(0, 100, cycle.samples), "phase": np.linspace(0, 100, cycle.phases)}
    waves = {dim: values(at) for dim, at in points.items()}
    count = len(waves["sample"])
    return xr.Dataset(
        {
            "activation": (("cycle", "sample", "muscle"), waves["sample"]),
            "activation_waveform": (("cycle", "phase", "muscle"), waves["phase"]),
        },
        coords={
            **points,
            "muscle": list(manifest.muscles),
            "cycle": np.arange(count),
            "trial": ("cycle", [name] * count),
        },
        attrs={"study": name, "cycle_definition": cycle.definition, "resampling": cycle.resampling},
    )


def require_cycles(manifest: Manifest, cycles: xr.Dataset) -> None:
    """Refuse segmented cycles that a refiner does not fit.

    Raises
    ------
    Nem2eError
        If they are cut by another definition, resampled otherwise, or lack a muscle.
    """
    study, cycle = f"study {cycles.attrs.get('study', '')}", manifest.cycle
    definition = cycles.attrs.get("cycle_definition", cycle.definition)
    if definition != cycle.definition:
        raise Nem2eError(
            f"{study}: its cycles run {definition}, but the refiner was trained on {cycle.definition} ones; cut it so "
            f"(cycle = {cycle.definition!r} in study.toml)."
        )
    if cycles.attrs.get("resampling", "linear") != cycle.resampling:
        raise Nem2eError(
            f"{study}: its cycles are resampled with {cycles.attrs.get('resampling', 'linear')!r}, but the refiner was "
            f"trained with {cycle.resampling!r}; set resampling in study.toml."
        )
    if (cycles.sizes["sample"], cycles.sizes["phase"]) != (cycle.samples, cycle.phases):
        raise Nem2eError(
            f"{study}: a cycle has {cycles.sizes['sample']} samples, but the refiner was trained on {cycle.samples}; "
            "segment it again."
        )
    missing = [name for name in manifest.muscles if name not in cycles.muscle.values]
    if missing:
        there = list(map(str, cycles.muscle.values))
        raise Nem2eError(_lacking(manifest, missing, there, study) + _else(manifest, missing, there))


def with_targets(manifest: Manifest, cycles: xr.Dataset) -> xr.Dataset:
    """The cycles with the refiner's muscles and outputs alone, and EMG that is zero because nobody reads it."""
    kept = cycles[["activation", "activation_waveform"]].sel(muscle=list(manifest.muscles))
    count = cycles.sizes["cycle"]
    emg = {
        name: (("cycle", dim, "channel"), np.zeros((count, cycles.sizes[dim], len(manifest.outputs))))
        for name, dim in (("emg", "sample"), ("emg_waveform", "phase"))
    }
    kept = kept.drop_vars([name for name in ("channel", "target", "electrode") if name in kept.coords])
    return kept.assign(emg).assign_coords(
        channel=list(manifest.names), target=("channel", [out.muscle for out in manifest.outputs])
    )
