"""Models small enough for tests, built with OpenSim: an arm with muscles, a block that stands on its feet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.storage.storage import Storage, write_storage

MASS_KG = 60.0


def save_arm(osim: Any, path: Path) -> Path:
    """Two links on the ground, elbow and shoulder, each with a flexor and an extensor."""
    arm = osim.Model()
    arm.setName("arm")
    centre, inertia = osim.Vec3(0, -0.15, 0), osim.Inertia(0.02, 0.002, 0.02)
    upper, lower = (osim.Body(name, 1.5, centre, inertia) for name in ("upper", "lower"))
    _pin(osim, arm, "shoulder", arm.getGround(), upper)
    _pin(osim, arm, "elbow", upper, lower)
    ground = arm.getGround()
    for name, side in (("flexor", 1.0), ("extensor", -1.0)):
        _muscle(osim, arm, f"shoulder_{name}", (ground, side * 0.05, 0.05), (upper, side * 0.05, -0.1))
        _muscle(osim, arm, f"elbow_{name}", (upper, side * 0.05, -0.2), (lower, side * 0.05, -0.1))
    arm.finalizeConnections()
    arm.printToXML(str(path))
    return path


def _pin(osim: Any, model: Any, name: str, parent: Any, child: Any) -> None:
    place = osim.Vec3(0, 0 if name == "shoulder" else -0.3, 0)
    joint = osim.PinJoint(name, parent, place, osim.Vec3(0), child, osim.Vec3(0), osim.Vec3(0))
    joint.updCoordinate().setName(f"{name}_angle")
    model.addBody(child)
    model.addJoint(joint)


def _muscle(
    osim: Any, model: Any, name: str, origin: tuple[Any, float, float], insertion: tuple[Any, float, float]
) -> None:
    muscle = osim.Thelen2003Muscle(name, 400.0, 0.10, 0.05, 0.0)
    for number, (body, x, y) in enumerate((origin, insertion)):
        muscle.addNewPathPoint(f"{name}_{number}", body, osim.Vec3(x, y, 0))
    model.addForce(muscle)


def arm_motion(path: Path) -> Path:
    """Both joints swing by 20 degrees about 30 for half a second."""
    time = np.linspace(0.0, 0.5, 51)
    swing = 30 + 20 * np.sin(2 * np.pi * time)
    write_storage(
        path, Storage("swing", ("shoulder_angle", "elbow_angle"), time, np.column_stack([swing, swing]), True)
    )
    return path


def save_block(osim: Any, path: Path) -> Path:
    """A floating pelvis of 60 kg with two feet welded to it, each with three markers."""
    block = osim.Model()
    block.setName("block")
    pelvis = osim.Body("pelvis", MASS_KG - 2, osim.Vec3(0), osim.Inertia(3, 3, 3))
    block.addBody(pelvis)
    block.addJoint(osim.FreeJoint("ground_pelvis", block.getGround(), pelvis))
    for name, z in (("calcn_r", 0.1), ("calcn_l", -0.1)):
        foot = osim.Body(name, 1.0, osim.Vec3(0), osim.Inertia(0.01, 0.01, 0.01))
        block.addBody(foot)
        weld = osim.WeldJoint(
            f"{name}_weld", pelvis, osim.Vec3(0, -1, z), osim.Vec3(0), foot, osim.Vec3(0), osim.Vec3(0)
        )
        block.addJoint(weld)
    for name, place in MARKERS.items():
        block.addMarker(osim.Marker(name, pelvis, osim.Vec3(*place)))
    coordinates = block.updCoordinateSet()
    names = ("rx", "ry", "rz", "tx", "ty", "tz")
    for index, name in enumerate(names):
        coordinates.get(index).setName(f"pelvis_{name}")
    block.finalizeConnections()
    block.printToXML(str(path))
    return path


def add_contacts(osim: Any, path: Path) -> Path:
    """Put two ways of contact with the ground under the block's feet, and one between its feet."""
    block = osim.Model(str(path))
    floor = osim.ContactHalfSpace(osim.Vec3(0), osim.Vec3(0, 0, -np.pi / 2), block.getGround(), "floor")
    block.addContactGeometry(floor)
    heels = {}
    for side in "rl":
        foot = block.getBodySet().get(f"calcn_{side}")
        heels[side] = osim.ContactSphere(0.03, osim.Vec3(0), foot, f"heel_{side}")
        block.addContactGeometry(heels[side])
    smooth = osim.SmoothSphereHalfSpaceForce("smooth_r", heels["r"], floor)
    smooth.set_stiffness(1e6)
    block.addForce(smooth)
    for name, geometries in {"rough_l": ("floor", "heel_l"), "between": ("heel_r", "heel_l")}.items():
        force = osim.HuntCrossleyForce()
        force.setName(name)
        for geometry in geometries:
            force.addGeometry(geometry)
        force.setStiffness(1e6)
        block.addForce(force)
    block.finalizeConnections()
    block.printToXML(str(path))
    return path


MARKERS = {"ASIS.R": (0.1, 0.0, 0.15), "ASIS.L": (0.1, 0.0, -0.15), "SACR": (-0.15, 0.05, 0.0), "TOP": (0.0, 0.3, 0.02)}


def standing(path: Path, height_m: float = 1.05) -> Path:
    """The block stands still for a quarter of a second."""
    time = np.linspace(0.0, 0.25, 26)
    values = np.zeros((26, 6))
    values[:, 4] = height_m
    labels = tuple(f"pelvis_{name}" for name in ("rx", "ry", "rz", "tx", "ty", "tz"))
    write_storage(path, Storage("standing", labels, time, values, True))
    return path


def standing_forces(path: Path, share: float = 1.0, swapped: bool = False) -> Path:
    """Each foot carries half the weight, times `share`, where it stands."""
    time = np.linspace(0.0, 0.3, 301)
    columns, labels = [], []
    for side, z in (("R", -0.1 if swapped else 0.1), ("L", 0.1 if swapped else -0.1)):
        values = (0.0, share * MASS_KG * 9.80665 / 2, 0.0, 0.0, 0.0, z, 0.0, 0.0, 0.0)
        names = [f"force_{kind}{axis}" for kind in "vp" for axis in "xyz"] + [f"torque_{axis}" for axis in "xyz"]
        labels += [f"{side}_ground_{name}" for name in names]
        columns += [np.full(301, value) for value in values]
    write_storage(path, Storage("forces", tuple(labels), time, np.column_stack(columns)))
    return path


def save_markers(path: Path, scale: float = 1.0, height_m: float = 1.0) -> Path:
    """Markers of the standing block, `scale` times as large, in mm, for five frames."""
    names = list(MARKERS)
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"100\t100\t5\t{len(names)}\tmm\t100\t1\t5",
        "Frame#\tTime\t" + "\t\t\t".join(names),
        "\t\t" + "\t".join(f"{axis}{k}" for k in range(1, len(names) + 1) for axis in "XYZ"),
        "",
    ]
    for frame in range(5):
        places = [1000 * (scale * np.array(MARKERS[name]) + [0, height_m, 0]) for name in names]
        lines.append("\t".join([str(frame + 1), f"{frame / 100}", *(f"{x:.5f}" for place in places for x in place)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def save_walker(osim: Any, path: Path, *, toes: bool = False) -> Path:
    """A pelvis that moves in the sagittal plane with two feet that move freely beside it, with or without toes."""
    walker = osim.Model()
    walker.setName("walker")
    pelvis = osim.Body("pelvis", MASS_KG - 2, osim.Vec3(0), osim.Inertia(3, 3, 3))
    _planar(osim, walker, "pelvis", walker.getGround(), pelvis, 0.0)
    for side, z in (("r", 0.1), ("l", -0.1)):
        foot = osim.Body(f"calcn_{side}", 1.0, osim.Vec3(0.1, 0.02, 0), osim.Inertia(0.01, 0.01, 0.01))
        _planar(osim, walker, f"foot_{side}", pelvis, foot, z)
        if toes:
            tip = osim.Body(f"toes_{side}", 0.1, osim.Vec3(0.03, 0, 0), osim.Inertia(0.001, 0.001, 0.001))
            walker.addBody(tip)
            at = osim.Vec3(0.18, 0, 0)
            walker.addJoint(osim.WeldJoint(f"tip_{side}", foot, at, osim.Vec3(0), tip, osim.Vec3(0), osim.Vec3(0)))
    walker.finalizeConnections()
    walker.printToXML(str(path))
    return path


def _planar(osim: Any, model: Any, name: str, parent: Any, child: Any, z: float) -> None:
    joint = osim.PlanarJoint(name, parent, osim.Vec3(0, 0, z), osim.Vec3(0), child, osim.Vec3(0), osim.Vec3(0))
    for index, kind in enumerate(("tilt", "tx", "ty")):
        joint.upd_coordinates(index).setName(f"{name}_{kind}")
    model.addBody(child)
    model.addJoint(joint)


def walker_motion(time: NDArray[np.float64], right: NDArray[np.float64], left: NDArray[np.float64]) -> Storage:
    """Coordinates of the walker, angles in degrees, whose feet are at places of shape (rows, 3)."""
    ahead, up = time.copy(), 0.9 + 0.02 * np.sin(2 * np.pi * time)
    flat = 0 * time
    columns = {"pelvis_tilt": flat, "pelvis_tx": ahead, "pelvis_ty": up}
    for side, path in (("r", right), ("l", left)):
        columns |= {
            f"foot_{side}_tilt": flat,
            f"foot_{side}_tx": path[:, 0] - ahead,
            f"foot_{side}_ty": path[:, 1] - up,
        }
    return Storage("walk", tuple(columns), time, np.column_stack(list(columns.values())), True)


LEG_JOINTS = {
    "femur": ("pelvis", (-0.0698, -0.067, 0.0817)),
    "tibia": ("femur", (-0.005, -0.4323, 0.0)),
    "talus": ("tibia", (0.0, -0.4781, 0.0)),
    "calcn": ("talus", (-0.0547, -0.0471, 0.0089)),
    "toes": ("calcn", (0.2007, 0.0, 0.0)),
}
"""Body to its parent, and where the joint is there on the right side, m, in a skeleton like gait2392."""


def save_legs(osim: Any, path: Path, sizes: dict[str, float] | None = None) -> Path:
    """A floating pelvis on two legs that bend at hip, knee and ankle; `sizes` are factors on bodies, by name."""
    chosen, legs = sizes or {}, osim.Model()
    legs.setName("legs")
    bodies = {"pelvis": osim.Body("pelvis", 10.0, osim.Vec3(0), osim.Inertia(0.1, 0.1, 0.1))}
    legs.addBody(bodies["pelvis"])
    free = osim.FreeJoint("ground_pelvis", legs.getGround(), bodies["pelvis"])
    for index, name in enumerate(("rx", "ry", "rz", "tx", "ty", "tz")):
        free.upd_coordinates(index).setName(f"pelvis_{name}")
    legs.addJoint(free)
    for side, mirror in (("r", 1.0), ("l", -1.0)):
        for name, (above, (x, y, z)) in LEG_JOINTS.items():
            body = osim.Body(f"{name}_{side}", 2.0, osim.Vec3(0), osim.Inertia(0.01, 0.01, 0.01))
            parent = bodies[above] if above == "pelvis" else bodies[f"{above}_{side}"]
            size = chosen.get(parent.getName(), 1.0)
            ends = (
                parent,
                osim.Vec3(size * x, size * y, mirror * size * z),
                osim.Vec3(0),
                body,
                osim.Vec3(0),
                osim.Vec3(0),
            )
            legs.addBody(body)
            bodies[body.getName()] = body
            if name in ("calcn", "toes"):
                legs.addJoint(osim.WeldJoint(f"{name}_{side}_weld", *ends))
                continue
            joint = osim.PinJoint(f"{name}_{side}_pin", *ends)
            joint.updCoordinate().setName(
                {"femur": "hip_flexion", "tibia": "knee_angle", "talus": "ankle_angle"}[name] + f"_{side}"
            )
            legs.addJoint(joint)
    legs.finalizeConnections()
    legs.printToXML(str(path))
    return path
