"""Numbers out of what OpenSim's tools wrote: residuals, reserves, tracking errors, saturation, constraints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.storage import Storage, read_storage

Array = NDArray[np.float64]

SATURATED, SHARE_OF_TIME = 0.99, 0.05
"""A muscle is saturated if its activation exceeds the first for more than the second of the time."""
_VIOLATION = re.compile(r"time = (\S+) .*Constraint violation = (\S+)")
_FORCES = {
    "rra": "rra/results/rra_Actuation_force.sto",
    "cmc": "cmc/results/cmc_Actuation_force.sto",
    "so": "so/results/so_StaticOptimization_force.sto",
}


@dataclass(frozen=True)
class Measured:
    """Value of a measure (a key of `rules.RULES`), and where it is worst."""

    measure: str
    value: float
    where: str = ""


def measure_step(folder: Path, step: str, facts: Mapping[str, Any]) -> Iterator[Measured]:
    """Yield what can be measured of a step from its files."""
    if step in _FORCES:
        forces = read_storage(folder / _FORCES[step])
        external = external_peak(folder / "inputs" / "grf.mot", facts)
        yield from residuals(forces, facts, external)
    if step in ("cmc", "so"):
        yield from reserves(forces, read_storage(folder / "id" / "joint_moments.sto"), facts)
        yield saturated(read_storage(folder / step / "activation.sto"))
    if step in ("rra", "cmc"):
        yield from tracking(read_storage(folder / step / "results" / f"{step}_pErr.sto"), facts["rotational"])
    if step == "so":
        yield from violation(folder / "so" / "violation.txt")
    if step == "ik":
        yield from marker_errors(folder / "ik")
    if step in _FORCES and facts.get("constraints"):
        yield Measured("constraint_violation", float(facts["constraint_violation"]), ", ".join(facts["constraints"]))


def external_peak(path: Path, facts: Mapping[str, Any]) -> float:
    """Peak of the net ground reaction force in the window, N; NaN where there is none."""
    if not path.is_file():
        return float("nan")
    storage = read_storage(path)
    inside = (storage.time >= facts["window"][0]) & (storage.time <= facts["window"][1])
    parts = [[storage.column(label) for label in storage.labels if label.endswith(f"_v{axis}")] for axis in "xyz"]
    net = np.array([np.sum(part, axis=0)[inside] for part in parts])
    return float(np.linalg.norm(net, axis=0).max(initial=0.0)) or float("nan")


def residuals(forces: Storage, facts: Mapping[str, Any], external_n: float) -> Iterator[Measured]:
    """Yield residual forces and moments: the largest component's peak and root mean square, and shares."""
    height = float(facts.get("mass_centre_height_m", float("nan")))
    for kind, scale in (("force", external_n), ("moment", external_n * height)):
        names = [name for name in facts[f"residual_{kind}s"] if name in forces.labels]
        if names:
            values = np.column_stack([forces.column(name) for name in names])
            peak, where = _peak(forces.time, names, values)
            yield Measured(f"residual_{kind}_peak", peak, where)
            root = _rms(forces.time, values)
            yield Measured(f"residual_{kind}_rms", float(root.max()), names[int(root.argmax())])
            yield Measured(f"residual_{kind}_share", float(np.linalg.norm(values, axis=1).max() / scale))


def reserves(forces: Storage, moments: Storage, facts: Mapping[str, Any]) -> Iterator[Measured]:
    """Yield reserve torques at coordinates that muscles cross, and their share of the peak net joint moment."""
    names = [name for name in facts["muscled"] if f"{name}_reserve" in forces.labels]
    if not names:
        return
    values = np.column_stack([forces.column(f"{name}_reserve") for name in names])
    peak, where = _peak(forces.time, names, values)
    yield Measured("reserve_peak", peak, where)
    net = np.array([_moment_peak(moments, name) for name in names])
    share = np.abs(values).max(axis=0) / net
    yield Measured("reserve_share", float(np.nanmax(share)), names[int(np.nanargmax(share))])


def _moment_peak(moments: Storage, coordinate: str) -> float:
    labels = [f"{coordinate}_{kind}" for kind in ("moment", "force") if f"{coordinate}_{kind}" in moments.labels]
    return float(np.abs(moments.column(labels[0])).max()) if labels else float("nan")


def saturated(activation: Storage) -> Measured:
    """Return how many muscles are saturated, and which."""
    width = np.gradient(activation.time) if len(activation.time) > 1 else np.ones(1)
    share = ((activation.values > SATURATED) * width[:, None]).sum(axis=0) / width.sum()
    names = [name for name, part in zip(activation.labels, share, strict=True) if part > SHARE_OF_TIME]
    return Measured("saturated_muscles", float(len(names)), ", ".join(names))


def tracking(errors: Storage, rotational: Sequence[str]) -> Iterator[Measured]:
    """Yield tracking errors of angles in degrees and of translations in cm; the files are in rad and m."""
    turning = set(rotational)
    kinds = {
        "angle": ([name for name in errors.labels if name in turning], float(np.rad2deg(1.0))),
        "translation": ([name for name in errors.labels if name not in turning], 100.0),
    }
    for kind, (names, scale) in kinds.items():
        if names:
            values = scale * np.column_stack([errors.column(name) for name in names])
            root = _rms(errors.time, values)
            yield Measured(f"tracking_{kind}_rms", float(root.max()), names[int(root.argmax())])
            yield Measured(f"tracking_{kind}_peak", *_peak(errors.time, names, values))


def violation(source: Path) -> Iterator[Measured]:
    """Yield the largest violation of accelerations that static optimisation told."""
    if source.is_file():
        found = _VIOLATION.findall(source.read_text(encoding="utf-8", errors="replace"))
        if found:
            time, value = max(found, key=lambda each: float(each[1]))
            yield Measured("acceleration_violation", float(value), f"at {float(time):.4g} s")


def marker_errors(folder: Path) -> Iterator[Measured]:
    """Yield marker errors of inverse kinematics in cm."""
    for path in sorted(folder.glob("*_ik_marker_errors.sto")):
        storage = read_storage(path)
        yield Measured("marker_rms", 100 * float(np.max(storage.column("marker_error_RMS"))))
        yield Measured("marker_peak", 100 * float(np.max(storage.column("marker_error_max"))))


def _rms(time: Array, values: Array) -> Array:
    """Root mean square over time, whose steps may differ, shape (columns,)."""
    if len(time) < 2:
        return np.abs(values[0])
    return np.sqrt(np.trapezoid(values**2, time, axis=0) / (time[-1] - time[0]))


def _peak(time: Array, names: Sequence[str], values: Array) -> tuple[float, str]:
    row, column = divmod(int(np.abs(values).argmax()), values.shape[1])
    return float(abs(values[row, column])), f"{names[column]} at {time[row]:.4g} s"
