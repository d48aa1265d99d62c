"""Recordings as a refiner reads them, and why it would refuse one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.columns import muscle_columns, muscle_name
from nem2e_lib.data.cycles.segment import resample
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.spans import Span

Array = NDArray[np.float64]

SLACK = 0.05
"""Above 1 and below 0, activation may lie by this much, or by as much as it did in training."""
FEW = 3
"""Missing muscles up to which a name that is nearly right is the likeliest reason."""


def require_fit(manifest: Manifest, storage: Storage, where: str) -> Storage:
    """Return the columns that a refiner reads, in its order, labels as in the file.

    Parameters
    ----------
    manifest
        Of the refiner.
    storage
        An activation file, or a file of states with activations in it.
    where
        File, for messages.

    Raises
    ------
    Nem2eError
        If a muscle is missing or double, or its values are not finite or no activation.
    """
    if len(storage.time) < 2:
        raise Nem2eError(f"{where}: found {len(storage.time)} rows, but at least 2 are expected.")
    labels = _labels(manifest, storage, where)
    values = np.ascontiguousarray(storage.values[:, [storage.labels.index(label) for label in labels]])
    chosen = dataclasses.replace(storage, labels=tuple(labels), values=values)
    _require_finite(chosen, where)
    _require_activation(manifest, chosen, where)
    return chosen


def _labels(manifest: Manifest, storage: Storage, where: str) -> list[str]:
    found: dict[str, list[str]] = {}
    for label in [*muscle_columns(storage.labels), *_exact(manifest, storage)]:
        found.setdefault(muscle_name(label), []).append(label)
    missing = [name for name in manifest.muscles if name not in found]
    if missing:
        raise Nem2eError(_lacking(manifest, missing, list(found), where))
    twice = [name for name in manifest.muscles if len(set(found[name])) > 1]
    if twice:
        raise Nem2eError(
            f"{where}: muscle {twice[0]!r} has more than one column ({', '.join(found[twice[0]])}); keep one of them."
        )
    return [found[name][0] for name in manifest.muscles]


def _exact(manifest: Manifest, storage: Storage) -> list[str]:
    """Columns that carry a muscle's name but do not look like a muscle's, such as arms' actuators."""
    looked = set(muscle_columns(storage.labels))
    return [label for label in storage.labels if label in set(manifest.muscles) and label not in looked]


def _lacking(manifest: Manifest, missing: list[str], found: list[str], where: str) -> str:
    count = f"{len(missing)} of the {len(manifest.muscles)} muscles that the refiner reads are missing"
    shown = ", ".join(found[:6]) + (" …" if len(found) > 6 else "")
    hint = near(missing[0], _not_opposite(missing[0], found)) if len(missing) <= FEW else ""
    if manifest.training.condition == "all_entire":
        way = (
            "; it reads all of them (all_entire): use one_entire, a model that has them, or train on those that yours "
            "has ([activation] columns in study.toml)."
        )
    else:
        refinable = [out.name for out in manifest.outputs if out.muscle in found]
        way = f"; refine those it has with --muscles {','.join(refinable)}." if refinable else "."
    return f"{where}: has no muscle {missing[0]!r}: {count}; found {shown or 'no muscle'}{hint or way}"


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


def _require_activation(manifest: Manifest, chosen: Storage, where: str) -> None:
    for column, (label, told) in enumerate(zip(chosen.labels, manifest.inputs, strict=True)):
        values = chosen.values[:, column]
        low, high = min(0.0, told.low) - SLACK, max(1.0, told.high) + SLACK
        worst = float(values.min() if values.min() < low else values.max())
        if not low <= worst <= high:
            row = int(np.argmax(values == worst))
            raise Nem2eError(
                f"{where}: column {label!r} is {worst:.4g} at {chosen.time[row]:.6g} s, but "
                f"{manifest.activation_unit}, is expected{_perhaps(worst)}"
            )


def _perhaps(worst: float) -> str:
    if 1.5 < worst <= 110:
        return "; it may be in per cent: divide by 100."
    return "; it may be a file of forces: give the activations." if worst > 110 else "; give the activations."


def segmented(manifest: Manifest, chosen: Storage, spans: Sequence[Span], name: str) -> xr.Dataset:
    """Cut a recording into cycles as the refiner's study was cut: the content of ``cycles.nc`` without EMG."""
    return _cycles(manifest, name, lambda points: cut(chosen, spans, points, manifest.cycle.resampling))


def cut(table: Storage, spans: Sequence[Span], points: Array, resampling: str) -> Array:
    """Values of each cycle at `points` (%), shape (cycles, points, columns)."""
    return np.stack([resample(table, s.start_s, s.end_s, s.number, points, resampling) for s in spans])


def blank(manifest: Manifest) -> xr.Dataset:
    """One cycle of rest: enough to know the shape of what the networks read."""
    rest = _cycles(manifest, "blank", lambda points: np.zeros((1, len(points), len(manifest.muscles))))
    return with_targets(manifest, rest)


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
        raise Nem2eError(_lacking(manifest, missing, list(map(str, cycles.muscle.values)), study))


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
