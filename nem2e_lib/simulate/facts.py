"""What the steps need to know of a model: coordinates, muscles, bodies, root joint."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.osim import opensim
from nem2e_lib.simulate.said import explained

TRANSLATIONAL = 2
"""OpenSim's motion type of a coordinate in m; the others, also those that turn and shift at once, are in rad."""
_NO_ARM_M = 1e-4
_BETWEEN_BODIES = ("HuntCrossleyForce", "ElasticFoundationForce", "SmoothSphereHalfSpaceForce")
"""Contact forces that name the geometries between which they act."""
_ON_A_PLANE = ("ExponentialContactForce", "MeyerFregly2016Force")
"""Contact forces that act between a point and a plane fixed to the ground."""
_GEOMETRIES = re.compile(r"<(?P<tag>geometry|socket_sphere|socket_half_space)>(?P<names>[^<]*)</(?P=tag)>")


Place = tuple[float, float, float]
Frame = tuple[Place, Place, Place, Place]
"""Origin of a body in ground in m, and where its x, y and z axes point."""


@dataclass(frozen=True)
class Coordinate:
    """A generalised coordinate.

    `free`: neither locked, prescribed nor driven by others. `muscled`: a muscle has a moment arm about it in the
    default pose. `root`: of the joint between ground and the root body, unless muscles hold on to the ground (an arm
    mounted there has no residuals). `low` and `high`: the range that the model states, in rad or m. `locked_at`:
    where the model holds it, in rad or m. `body`: what its joint moves.
    """

    name: str
    rotational: bool
    free: bool
    root: bool = False
    muscled: bool = False
    low: float = float("-inf")
    high: float = float("inf")
    locked_at: float | None = None
    body: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """A model, described without OpenSim's objects.

    Attributes
    ----------
    mass_kg : float
    coordinates : tuple of Coordinate
        In the order of the model.
    muscles, bodies, markers, constraints : tuples of str
    other_forces : dict
        Forces that are no muscles: name to class.
    root_body : str
        Body that hangs on the ground by the joint with most coordinates; empty where there is none.
    root_mass_centre : (x, y, z) in m, in the root body's frame.
    markers : dict
        Marker to body.
    marker_places : dict
        Marker to its place on its body, m.
    parents : dict
        Body to parent body.
    frames : dict
        Body to its frame in the default posture.
    joint_places : dict
        Body to the centre of the joint that carries it, in ground in the default posture, m.
    held_by : dict
        Muscle to the bodies that points of its path are on.
    coordinate_actuators : dict
        Actuator of the model's own to the coordinate it acts on.
    ground_contacts : tuple of str
        Forces of the model's own that let the ground carry it, those that are switched off left out.
    """

    name: str
    mass_kg: float
    coordinates: tuple[Coordinate, ...]
    muscles: tuple[str, ...]
    bodies: tuple[str, ...]
    root_body: str = ""
    root_mass_centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    other_forces: dict[str, str] | None = None
    constraints: tuple[str, ...] = ()
    markers: dict[str, str] | None = None
    marker_places: dict[str, Place] = field(default_factory=dict)
    parents: dict[str, str] | None = None
    frames: dict[str, Frame] = field(default_factory=dict)
    joint_places: dict[str, Place] = field(default_factory=dict)
    coordinate_actuators: dict[str, str] | None = None
    ground_contacts: tuple[str, ...] = ()
    held_by: dict[str, tuple[str, ...]] | None = None

    def in_ground(self, body: str, place: Place) -> NDArray[np.float64]:
        """Return where a place on a body is in ground in the default posture, shape (3,), in m."""
        origin, *axes = np.array(self.frames[body])
        return np.asarray(origin + np.array(place) @ np.array(axes), np.float64)

    @property
    def free(self) -> tuple[Coordinate, ...]:
        """Coordinates that can move on their own."""
        return tuple(coordinate for coordinate in self.coordinates if coordinate.free)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all coordinates."""
        return tuple(coordinate.name for coordinate in self.coordinates)

    @property
    def floating(self) -> bool:
        """Whether the root joint has all six degrees of freedom, so that residuals are three forces and moments."""
        root = [coordinate.rotational for coordinate in self.free if coordinate.root]
        return root.count(True) == root.count(False) == 3


def load(path: Path) -> Any:
    """Load a model; Nem2eError in one sentence where OpenSim refuses it."""
    osim = opensim()
    if not path.is_file():
        raise Nem2eError(f"{path}: no such file; an OpenSim model (.osim) is expected.")
    try:
        return osim.Model(str(path))
    except RuntimeError as error:
        raise Nem2eError(f"{path}: OpenSim cannot read this model ({explained(str(error), '')}).") from None


def describe(path: Path) -> ModelFacts:
    """Describe the model of an .osim file (needs OpenSim)."""
    model = load(path)
    try:
        state = model.initSystem()
    except RuntimeError as error:
        raise Nem2eError(f"{path}: OpenSim cannot build this model ({explained(str(error), '')}).") from None
    root = _root_joint(model)
    body = root.getChildFrame().findBaseFrame().getName() if root else ""
    centre = model.getBodySet().get(body).getMassCenter() if body else (0.0, 0.0, 0.0)
    muscles = _names(model.getMuscles())
    return ModelFacts(
        name=model.getName(),
        mass_kg=model.getTotalMass(state),
        coordinates=_coordinates(model, state, root),
        muscles=muscles,
        bodies=_names(model.getBodySet()),
        root_body=body,
        root_mass_centre=(centre[0], centre[1], centre[2]),
        other_forces=_other_forces(model, set(muscles)),
        constraints=_names(model.getConstraintSet()),
        markers=_markers(model),
        marker_places={each.getName(): _place(_on_body(each)) for each in _members(model.getMarkerSet())},
        parents=_parents(model),
        frames={each.getName(): _frame(each, state) for each in _members(model.getBodySet())},
        joint_places=_joint_places(model, state),
        coordinate_actuators=_coordinate_actuators(model),
        ground_contacts=_ground_contacts(model),
        held_by={muscle.getName(): _held_by(muscle) for muscle in _members(model.getMuscles())},
    )


def _members(objects: Any) -> list[Any]:
    return [objects.get(index) for index in range(objects.getSize())]


def _names(objects: Any) -> tuple[str, ...]:
    return tuple(member.getName() for member in _members(objects))


def _root_joint(model: Any) -> Any:
    """The joint on the ground with most coordinates (a treadmill or a plate may hang there, too)."""
    on_ground = [
        joint for joint in _members(model.getJointSet()) if joint.getParentFrame().findBaseFrame().getName() == "ground"
    ]
    return max(on_ground, key=lambda joint: joint.numCoordinates(), default=None)


def _coordinates(model: Any, state: Any, root: Any) -> tuple[Coordinate, ...]:
    model.realizePosition(state)
    muscles = _members(model.getMuscles())
    rooted = root.getName() if root and not any(_holds_on_ground(muscle) for muscle in muscles) else ""
    return tuple(_coordinate(each, state, rooted, muscles) for each in _members(model.getCoordinateSet()))


def _holds_on_ground(muscle: Any) -> bool:
    """Whether a point of a muscle's path is fixed to the ground."""
    return "ground" in _held_by(muscle)


def _held_by(muscle: Any) -> tuple[str, ...]:
    points = _members(muscle.getGeometryPath().getPathPointSet())
    return tuple(dict.fromkeys(point.getParentFrame().findBaseFrame().getName() for point in points))


def _coordinate(coordinate: Any, state: Any, root: str, muscles: list[Any]) -> Coordinate:
    """Root coordinates are never muscled: constraints elsewhere can make up moment arms about them."""
    in_root = coordinate.getJoint().getName() == root
    arms = (abs(muscle.computeMomentArm(state, coordinate)) for muscle in muscles)
    return Coordinate(
        name=coordinate.getName(),
        rotational=coordinate.getMotionType() != TRANSLATIONAL,
        free=not coordinate.isConstrained(state),
        root=in_root,
        muscled=not in_root and any(arm > _NO_ARM_M for arm in arms),
        low=coordinate.getRangeMin(),
        high=coordinate.getRangeMax(),
        locked_at=coordinate.getValue(state) if coordinate.getLocked(state) else None,
        body=coordinate.getJoint().getChildFrame().findBaseFrame().getName(),
    )


def _other_forces(model: Any, muscles: set[str]) -> dict[str, str]:
    forces = _members(model.getForceSet())
    return {force.getName(): force.getConcreteClassName() for force in forces if force.getName() not in muscles}


def _markers(model: Any) -> dict[str, str]:
    markers = _members(model.getMarkerSet())
    return {marker.getName(): marker.getParentFrame().findBaseFrame().getName() for marker in markers}


def _parents(model: Any) -> dict[str, str]:
    joints = _members(model.getJointSet())
    return {
        joint.getChildFrame().findBaseFrame().getName(): joint.getParentFrame().findBaseFrame().getName()
        for joint in joints
    }


def _on_body(marker: Any) -> Any:
    """Where a marker is on its body, be it attached to a frame there."""
    frame = marker.getParentFrame()
    return frame.findTransformInBaseFrame().shiftFrameStationToBase(marker.get_location())


def _place(vector: Any) -> Place:
    return float(vector[0]), float(vector[1]), float(vector[2])


def _frame(body: Any, state: Any) -> Frame:
    corners = (opensim().Vec3(*(float(axis == each) for axis in range(3))) for each in range(3))
    origin = body.getPositionInGround(state)
    axes = [body.expressVectorInGround(state, corner) for corner in corners]
    return _place(origin), _place(axes[0]), _place(axes[1]), _place(axes[2])


def _joint_places(model: Any, state: Any) -> dict[str, Place]:
    return {
        joint.getChildFrame().findBaseFrame().getName(): _place(joint.getChildFrame().getPositionInGround(state))
        for joint in _members(model.getJointSet())
    }


def _coordinate_actuators(model: Any) -> dict[str, str]:
    actuator = opensim().CoordinateActuator
    found = [actuator.safeDownCast(force) for force in _members(model.getForceSet())]
    return {each.getName(): each.get_coordinate() for each in found if each is not None}


def _ground_contacts(model: Any) -> tuple[str, ...]:
    """Contact forces between the ground and another body; those inside a joint are left out.

    A plate or a treadmill that hangs on the ground beside the person counts as ground.
    """
    root = _root_joint(model)
    person = root.getChildFrame().findBaseFrame().getName() if root else ""
    ground = {body for body, parent in _parents(model).items() if parent == "ground" and body != person} | {"ground"}
    place = {
        each.getName(): each.getFrame().findBaseFrame().getName() for each in _members(model.getContactGeometrySet())
    }
    found = []
    for force in _members(model.getForceSet()):
        kind = force.getConcreteClassName()
        if kind not in (*_BETWEEN_BODIES, *_ON_A_PLANE) or not force.get_appliesForce():
            continue
        named = [name for match in _GEOMETRIES.finditer(force.dump()) for name in match["names"].split()]
        bodies = {place.get(name.rsplit("/", 1)[-1], "") for name in named}
        if kind in _ON_A_PLANE or bodies & ground:
            found.append(force.getName())
    return tuple(found)
