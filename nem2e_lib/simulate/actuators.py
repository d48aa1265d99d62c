"""Actuators made for a model: residuals at the root, reserves or ideal torques at the joints."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from fnmatch import fnmatchcase

from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import Coordinate, ModelFacts
from nem2e_lib.simulate.xml import Value, node, object_set

RESIDUAL_FORCES = ("FX", "FY", "FZ")
RESIDUAL_MOMENTS = ("MX", "MY", "MZ")
IDEAL = 300.0
"""Optimal force, N or N·m, of the ideal joint actuators of residual reduction: cheap beside the residuals."""
UNMUSCLED = 100.0
"""Optimal force, N or N·m, of the actuator of a coordinate that no muscle crosses (arms of a running model)."""
_AT_ROOT = "; at the root there are residuals instead"
RESIDUAL_COST = {"FX": 4.0, "FY": 8.0, "FZ": 4.0, "MX": 2.0, "MY": 2.0, "MZ": 2.0}
"""Optimal force of residuals, N and N·m: low, so that they cost (OpenSim's best practices of residual reduction)."""


def ideal_actuators(facts: ModelFacts) -> ET.Element:
    """Return the force set of residual reduction: residuals, and an ideal actuator a free coordinate."""
    joints = [_coordinate_actuator(each, each.name, IDEAL) for each in facts.free if not each.root]
    return object_set("ForceSet", [*residuals(facts), *joints], name="residual_reduction")


def reserve_actuators(
    facts: ModelFacts, reserve: float, reserves: Mapping[str, float], residual: float | None = None
) -> ET.Element:
    """Return what stands beside the muscles: residuals and a weak reserve a free coordinate.

    Parameters
    ----------
    reserve : float
        Optimal force, N·m or N, at coordinates that muscles cross.
    reserves : mapping
        Pattern of coordinate names (``lumbar_*``) to optimal force; the first that fits holds.
    residual : float, optional
        Optimal force of every residual; without it `RESIDUAL_COST`. Where accelerations are met exactly (static
        optimisation, fast target) residuals follow from the motion alone, and this only scales the problem.

    Raises
    ------
    Nem2eError
        If a pattern fits no free coordinate of the model.
    """
    check_patterns(facts, reserves)
    joints = [
        _coordinate_actuator(each, f"{each.name}_reserve", optimal_reserve(each, reserve, reserves))
        for each in facts.free
        if not each.root
    ]
    return object_set("ForceSet", [*residuals(facts, residual), *joints], name="reserves")


def optimal_reserve(coordinate: Coordinate, reserve: float, reserves: Mapping[str, float]) -> float:
    """Return the optimal force of a coordinate's reserve; `reserve_actuators` explains the rule."""
    asked = [force for pattern, force in reserves.items() if fnmatchcase(coordinate.name, pattern)]
    return asked[0] if asked else reserve if coordinate.muscled else UNMUSCLED


def check_patterns(facts: ModelFacts, reserves: Mapping[str, float]) -> None:
    """Refuse a reserve for coordinates that the model does not have."""
    there = [each.name for each in facts.free if not each.root]
    for pattern in reserves:
        if not any(fnmatchcase(name, pattern) for name in there):
            raise Nem2eError(
                f"Reserve {pattern!r} fits no free coordinate of model {facts.name!r}; it has {', '.join(there)}"
                f"{near(pattern, there)}{_AT_ROOT if _fits_root(facts, pattern) else ''}."
            )


def _fits_root(facts: ModelFacts, pattern: str) -> bool:
    return any(each.root and fnmatchcase(each.name, pattern) for each in facts.free)


def residuals(facts: ModelFacts, optimal: float | None = None) -> list[ET.Element]:
    """Return residual actuators of the root: FX … MZ at its mass centre, or one a coordinate of a planar root."""
    if not facts.floating:
        roots = [each for each in facts.free if each.root]
        return [_coordinate_actuator(each, f"{each.name}_residual", optimal or _planar(each)) for each in roots]
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    cost = {name: optimal or force for name, force in RESIDUAL_COST.items()}
    forces = [_point(facts, name, axis, cost[name]) for name, axis in zip(RESIDUAL_FORCES, axes, strict=True)]
    moments = [_torque(facts, name, axis, cost[name]) for name, axis in zip(RESIDUAL_MOMENTS, axes, strict=True)]
    return [*forces, *moments]


def residual_names(facts: ModelFacts) -> tuple[list[str], list[str]]:
    """Names of the residual forces and of the residual moments of `residuals`."""
    if facts.floating:
        return list(RESIDUAL_FORCES), list(RESIDUAL_MOMENTS)
    roots = [each for each in facts.free if each.root]
    return (
        [f"{each.name}_residual" for each in roots if not each.rotational],
        [f"{each.name}_residual" for each in roots if each.rotational],
    )


def _planar(coordinate: Coordinate) -> float:
    return RESIDUAL_COST["MX"] if coordinate.rotational else RESIDUAL_COST["FX"]


def _coordinate_actuator(coordinate: Coordinate, name: str, optimal: float) -> ET.Element:
    return node("CoordinateActuator", {**_UNBOUNDED, "coordinate": coordinate.name, "optimal_force": optimal}, name)


def _point(facts: ModelFacts, name: str, axis: tuple[float, ...], optimal: float) -> ET.Element:
    values: dict[str, Value] = {
        **_UNBOUNDED,
        "body": facts.root_body,
        "point": facts.root_mass_centre,
        "point_is_global": False,
        "direction": axis,
        "force_is_global": True,
        "optimal_force": optimal,
    }
    return node("PointActuator", values, name)


def _torque(facts: ModelFacts, name: str, axis: tuple[float, ...], optimal: float) -> ET.Element:
    values: dict[str, Value] = {
        **_UNBOUNDED,
        "bodyA": facts.root_body,
        "bodyB": "ground",
        "torque_is_global": True,
        "axis": axis,
        "optimal_force": optimal,
    }
    return node("TorqueActuator", values, name)


_UNBOUNDED: dict[str, Value] = {"min_control": "-Inf", "max_control": "Inf"}
