"""What is measured of a simulated trial from its files: of the whole body, and of each leg while its foot has a plate.

Limits and verdicts are those of `nem2e_lib.simulate.quality`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.simulate.floor import Span, around, spans_told
from nem2e_lib.simulate.motion import DISTANCES
from nem2e_lib.simulate.options import LEAD_S

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

FLOOR = "floor"
"""What stands for a step where the feet are judged."""
_INSTANT_S = 1e-6
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
    """Value of a measure (a key of `quality.RULES`), where it is worst, and whose: a leg, or empty: the whole body."""

    measure: str
    value: float
    where: str = ""
    leg: str = ""


@dataclass(frozen=True)
class Part:
    """What is measured together: the whole body, or a leg; its coordinates and muscles, and when it is left out."""

    leg: str
    coordinates: tuple[str, ...]
    turning: frozenset[str]
    muscles: frozenset[str] | None
    without: tuple[Span, ...]

    def keep(self, time: Array) -> Flags:
        """Return the rows at which it is measured."""
        keep = np.ones(len(time), bool)
        for start, end in self.without:
            keep &= (time <= start) | (time >= end)
        return keep


def measure_step(folder: Path, step: str, facts: Mapping[str, Any]) -> Iterator[Measured]:
    """Yield what can be measured of a step from its files; of `FLOOR`, how long each foot is on bare floor."""
    span = span_of(step, facts)
    if step in _FORCES:
        forces = within(read_storage(folder / _FORCES[step]), span)
        external = external_peak(folder / "inputs" / "grf.mot", facts)
        yield from residuals(forces, facts, external)
        yield from residuals_on_plates(forces, facts, external)
    if step in ("cmc", "so"):
        moments = within(read_storage(folder / "id" / "joint_moments.sto"), span)
        activation = within(read_storage(folder / step / "activation.sto"), span)
        for part in _parts(facts):
            yield from reserves(forces, moments, part)
            yield from saturated_of(activation, part)
    if step in ("rra", "cmc"):
        errors = within(read_storage(folder / step / "results" / f"{step}_pErr.sto"), span)
        for part in _parts(facts):
            yield from tracking(errors, part)
    if step == "so":
        yield from violation(folder / "so" / "violation.txt", span)
    if step == "ik":
        yield from marker_errors(folder / "ik", span)
    if step in _FORCES and facts.get("constraints"):
        yield Measured("constraint_violation", float(facts["constraint_violation"]), ", ".join(facts["constraints"]))
    if step == FLOOR:
        for leg, ground in facts["floor"].items():
            yield Measured("bare_floor", float(ground["share"]), spans_told(ground["bare"]), leg)


def _parts(facts: Mapping[str, Any]) -> Iterator[Part]:
    """The whole body, and each leg, without the time around which its foot is on bare floor."""
    turning = frozenset(facts["rotational"])
    yield Part("", tuple(facts["muscled"]), turning, None, ())
    for leg, own in facts.get("legs", {}).items():
        bare = facts.get("floor", {}).get(leg, {}).get("bare", [])
        coordinates = tuple(own["coordinates"])
        yield Part(leg, coordinates, turning & set(coordinates), frozenset(own["muscles"]), tuple(around(bare)))


def span_of(step: str, facts: Mapping[str, Any]) -> tuple[float, float]:
    """Return the first and last time in s that count: what was asked for, not what is simulated around it.

    Computed muscle control settles first; where the recording has nothing before what was asked for, that is left out.
    """
    start, end = facts.get("asked") or facts["window"]
    start, end = float("-inf") if start is None else start, float("inf") if end is None else end
    return (max(start, facts["window"][0] + LEAD_S) if step == "cmc" else start), end


def within(storage: Storage, span: tuple[float, float]) -> Storage:
    """Return the rows of a span; the whole where it holds none."""
    rows = (storage.time >= span[0] - _INSTANT_S) & (storage.time <= span[1] + _INSTANT_S)
    if not rows.any():
        return storage
    return replace(storage, time=storage.time[rows], values=storage.values[rows])


def external_peak(path: Path, facts: Mapping[str, Any]) -> float:
    """Peak of the net ground reaction force in what was asked for, N; NaN where there is none."""
    if not path.is_file():
        return float("nan")
    storage = within(read_storage(path), facts.get("asked") or facts["window"])
    parts = [[storage.column(label) for label in storage.labels if label.endswith(f"_v{axis}")] for axis in "xyz"]
    net = np.array([np.sum(part, axis=0) for part in parts])
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
            size = np.linalg.norm(values, axis=1)
            when = f"at {forces.time[int(size.argmax())]:.4g} s"
            yield Measured(f"residual_{kind}_share", float(size.max() / scale), when)


def residuals_on_plates(forces: Storage, facts: Mapping[str, Any], external_n: float) -> Iterator[Measured]:
    """Yield the shares of residuals while no foot is on bare floor, where one is at other times."""
    bare = bare_floor_in(facts)
    rows = Part("", (), frozenset(), None, tuple(around(bare))).keep(forces.time)
    if bare and rows.any():
        on_plates = replace(forces, time=forces.time[rows], values=forces.values[rows])
        for found in residuals(on_plates, facts, external_n):
            if found.measure.endswith("share"):
                yield replace(found, measure=f"{found.measure}_on_plates")


def reserves(forces: Storage, moments: Storage, part: Part) -> Iterator[Measured]:
    """Yield reserve torques at coordinates that muscles cross, and their share of the peak net joint moment."""
    names = [name for name in part.coordinates if f"{name}_reserve" in forces.labels]
    keep = part.keep(forces.time)
    if not names or not keep.any():
        return
    values = np.column_stack([forces.column(f"{name}_reserve") for name in names])[keep]
    peak, where = _peak(forces.time[keep], names, values)
    yield Measured("reserve_peak", peak, where, part.leg)
    net = np.array([_moment_peak(moments, name, part.keep(moments.time)) for name in names])
    share = np.abs(values).max(axis=0) / net
    if np.isfinite(share).any():
        yield Measured("reserve_share", float(np.nanmax(share)), names[int(np.nanargmax(share))], part.leg)


def _moment_peak(moments: Storage, coordinate: str, keep: Flags) -> float:
    labels = [f"{coordinate}_{kind}" for kind in ("moment", "force") if f"{coordinate}_{kind}" in moments.labels]
    return float(np.abs(moments.column(labels[0])[keep]).max()) if labels and keep.any() else float("nan")


def saturated_of(activation: Storage, part: Part) -> Iterator[Measured]:
    """Yield how many muscles of a part of the body are saturated, and which."""
    keep = part.keep(activation.time)
    own = [part.muscles is None or muscle_name(label) in part.muscles for label in activation.labels]
    if any(own) and keep.any():
        labels = tuple(label for label, mine in zip(activation.labels, own, strict=True) if mine)
        found = saturated(replace(activation, labels=labels, values=activation.values[:, own]), keep)
        yield replace(found, leg=part.leg)


def saturated(activation: Storage, keep: Flags | None = None) -> Measured:
    """Return how many muscles are saturated, and which; `keep` are the rows that count."""
    width = np.gradient(activation.time) if len(activation.time) > 1 else np.ones(1)
    width = width if keep is None else np.where(keep, width, 0.0)
    share = ((activation.values > SATURATED) * width[:, None]).sum(axis=0) / width.sum()
    names = [name for name, part in zip(activation.labels, share, strict=True) if part > SHARE_OF_TIME]
    return Measured("saturated_muscles", float(len(names)), ", ".join(names))


def tracking(errors: Storage, part: Part) -> Iterator[Measured]:
    """Yield tracking errors of angles in degrees and, of the whole body, translations in cm; files are in rad and m."""
    keep = part.keep(errors.time)
    kinds = {"angle": ([name for name in errors.labels if name in part.turning], float(np.rad2deg(1.0)))}
    if not part.leg:
        kinds["translation"] = ([name for name in errors.labels if name not in part.turning], 100.0)
    for kind, (names, scale) in kinds.items():
        if names and keep.any():
            values = scale * np.column_stack([errors.column(name) for name in names])
            root = _rms(errors.time, values, keep)
            yield Measured(f"tracking_{kind}_rms", float(root.max()), names[int(root.argmax())], part.leg)
            yield Measured(f"tracking_{kind}_peak", *_peak(errors.time[keep], names, values[keep]), part.leg)


def violation(source: Path, span: tuple[float, float]) -> Iterator[Measured]:
    """Yield the largest violation of accelerations that static optimisation told."""
    if source.is_file():
        told = _VIOLATION.findall(source.read_text(encoding="utf-8", errors="replace"))
        found = [(float(time), float(value)) for time, value in told]
        inside = [each for each in found if span[0] - _INSTANT_S <= each[0] <= span[1] + _INSTANT_S]
        if found:
            time, value = max(inside or found, key=lambda each: each[1])
            yield Measured("acceleration_violation", value, f"at {time:.4g} s")


def marker_errors(folder: Path, span: tuple[float, float]) -> Iterator[Measured]:
    """Yield marker errors of inverse kinematics in cm, and where: the worst frame, and the marker furthest off."""
    path = folder / DISTANCES
    if not path.is_file():
        return
    storage = within(read_storage(path), span)
    seen = np.isfinite(storage.values)
    distance = 100 * np.where(seen, storage.values, 0.0)
    root = np.sqrt((distance**2).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))
    row = int(root.argmax())
    yield Measured("marker_rms", float(root[row]), f"at {storage.time[row]:.4g} s")
    yield Measured("marker_peak", *_peak(storage.time, storage.labels, distance))


def _rms(time: Array, values: Array, keep: Flags | None = None) -> Array:
    """Root mean square over time, whose steps may differ, shape (columns,); `keep` are the rows that count."""
    if len(time) < 2:
        return np.abs(values[0])
    width = np.gradient(time)
    width[[0, -1]] /= 2  # so that this is the trapezoidal rule
    width = width if keep is None else np.where(keep, width, 0.0)
    return np.asarray(np.sqrt((values**2 * width[:, None]).sum(axis=0) / width.sum()))


def _peak(time: Array, names: Sequence[str], values: Array) -> tuple[float, str]:
    row, column = divmod(int(np.abs(values).argmax()), values.shape[1])
    return float(abs(values[row, column])), f"{names[column]} at {time[row]:.4g} s"


def bare_floor_in(facts: Mapping[str, Any]) -> list[Span]:
    """Return when any foot stands on bare floor."""
    return [(start, end) for ground in facts.get("floor", {}).values() for start, end in ground["bare"]]
