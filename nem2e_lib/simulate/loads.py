"""External loads: which foot the force of a plate acts on, told by where it acts, or by loads of the user's own."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.force.plates import CONTACT_N, Plate
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.posture import Posture
from nem2e_lib.simulate.xml import Value, find, node, object_set, read_document, save_tree

Array = NDArray[np.float64]

_FOOT = re.compile(r"calcn|calcaneus|heel|foot", re.IGNORECASE)
_SIDES = {"right": re.compile(r"(^r_|_r$|right)", re.IGNORECASE), "left": re.compile(r"(^l_|_l$|left)", re.IGNORECASE)}
_LOOKS = 40
"""Moments, at most, at which the places of feet are compared."""
DOCUMENT = "external_loads.xml"
"""Name of the document of loads among a trial's inputs."""
_IDENTIFIERS = ("force_identifier", "point_identifier", "torque_identifier")


def foot_bodies(facts: ModelFacts) -> dict[str, str]:
    """Return side to body of the foot that forces act on; a side is missing where no name tells it."""
    feet = [body for body in facts.bodies if _FOOT.search(body)]
    found = {side: [body for body in feet if pattern.search(body)] for side, pattern in _SIDES.items()}
    return {side: bodies[0] for side, bodies in found.items() if bodies}


def assign(
    facts: ModelFacts,
    model: Path,
    motion: Storage,
    time: Array,
    plates: list[Plate],
    chosen: Mapping[str, str],
    window: tuple[float, float] = (float("-inf"), float("inf")),
) -> dict[str, Plate]:
    """Return body to plate, for every plate that is stood on within a window of the motion, in s.

    What happens on the plates before and after does not matter: another foot may tread on them. A foot across two
    plates is carried by both.

    Raises
    ------
    Nem2eError
        If a chosen body or plate does not exist, the model has no body that is known as a foot, a plate's name
        tells another side than its place, or both feet use one plate.
    """
    _check_choice(facts, plates, chosen)
    motion = _within(motion, window)
    used = [plate for plate in plates if len(_loaded_rows(time, plate, motion))]
    feet = foot_bodies(facts)
    unknown = [plate for plate in used if plate.name not in chosen]
    if unknown and len(feet) < 2:
        raise Nem2eError(
            f"Model {facts.name!r} has no bodies known as the right and left foot (calcn_r, calcn_l); name the body "
            f"on which each plate acts, e.g. --foot {unknown[0].name}={facts.bodies[-1]}."
        )
    posture = Posture(model, motion) if unknown else None
    bodies = dict(chosen)
    for plate in unknown:
        assert posture is not None
        bodies[plate.name] = feet[_side(time, plate, motion, posture, feet)]
    return _merged(used, bodies)


def _within(motion: Storage, window: tuple[float, float]) -> Storage:
    """The rows of a window; the whole where it holds none."""
    rows = (motion.time >= window[0]) & (motion.time <= window[1])
    return replace(motion, time=motion.time[rows], values=motion.values[rows]) if rows.any() else motion


def _check_choice(facts: ModelFacts, plates: list[Plate], chosen: Mapping[str, str]) -> None:
    names = [plate.name for plate in plates]
    for plate, body in chosen.items():
        if plate not in names:
            raise Nem2eError(f"There is no plate {plate!r} in the force file; it has {', '.join(map(repr, names))}.")
        if body not in facts.bodies:
            raise Nem2eError(
                f"Plate {plate!r} shall act on body {body!r}, but model {facts.name!r} has only "
                f"{', '.join(facts.bodies)}."
            )


def _loaded_rows(time: Array, plate: Plate, motion: Storage) -> NDArray[np.int64]:
    """Rows of the motion at which the plate is stood on, `_LOOKS` of them at most."""
    vertical = np.interp(motion.time, time, plate.force[:, 1], left=0.0, right=0.0)
    rows = np.flatnonzero(vertical > CONTACT_N)
    return rows[np.unique(np.linspace(0, len(rows) - 1, _LOOKS).astype(int))] if len(rows) else rows


def _side(time: Array, plate: Plate, motion: Storage, posture: Posture, feet: Mapping[str, str]) -> str:
    """Side of the nearer foot while the plate is stood on."""
    rows = _loaded_rows(time, plate, motion)
    point = np.column_stack([np.interp(motion.time[rows], time, plate.point[:, axis]) for axis in range(3)])
    distance = {side: _distance(point, posture, rows, body) for side, body in feet.items()}
    right = float(np.mean(distance["right"] < distance["left"]))
    if 0.25 < right < 0.75:
        raise Nem2eError(
            f"Plate {plate.name!r} is nearer the right foot for {right:.0%} of its load and nearer the left for the "
            "rest, but one foot a plate is expected; give external loads of your own that split it."
        )
    nearer = "right" if right > 0.5 else "left"
    if plate.side and plate.side != nearer:
        raise Nem2eError(
            f"Plate {plate.name!r} is called {plate.side}, but its force acts nearer the {nearer} foot; swap the "
            f"columns of the force file, or name the bodies, e.g. --foot {plate.name}={feet[nearer]}."
        )
    return nearer


def _distance(point: Array, posture: Posture, rows: NDArray[np.int64], body: str) -> Array:
    """Distance in m from the force to a foot, shape (rows,): in space, as a swinging foot may pass beside the other."""
    return np.linalg.norm(point - np.array([posture.place(int(row), body) for row in rows]), axis=1)


def _merged(plates: list[Plate], bodies: Mapping[str, str]) -> dict[str, Plate]:
    """One plate a body: steps on several plates follow one another, or one step is on several."""
    merged: dict[str, Plate] = {}
    for plate in plates:
        body = bodies[plate.name]
        merged[body] = _joined(merged[body], plate) if body in merged else plate
    return merged


def _joined(first: Plate, second: Plate) -> Plate:
    """Two plates as one: where both are stood on, their forces add, at the point where both together act."""
    on_first, on_second = first.trodden, second.trodden
    both = (on_first & on_second)[:, None]
    force, point, moment = (
        np.where(on_second[:, None], getattr(second, name), getattr(first, name))
        for name in ("force", "point", "moment")
    )
    share = (first.force[:, 1] / np.where(both[:, 0], first.force[:, 1] + second.force[:, 1], 1.0))[:, None]
    middle = share * first.point + (1 - share) * second.point
    turning = [np.cross(each.point - middle, each.force) + each.moment for each in (first, second)]
    force = np.where(both, first.force + second.force, force)
    point = np.where(both, middle, point)
    moment = np.where(both, turning[0] + turning[1], moment)
    vertical = f"{first.vertical}+{second.vertical}"
    return Plate(f"{first.name}+{second.name}", first.side, force, point, moment, vertical)


def external_loads(feet: Mapping[str, str], data_file: str) -> ET.Element:
    """Return ExternalLoads for a force file written by `nem2e_lib.simulate.forces`.

    Parameters
    ----------
    feet : mapping
        Name of the plate in that file to the body it acts on.
    data_file : str
        Path as it shall stand in the document.
    """
    loads = object_set("ExternalLoads", [_load(plate, body) for plate, body in feet.items()], name="ground_reaction")
    ET.SubElement(loads, "datafile").text = data_file
    return loads


def _load(plate: str, body: str) -> ET.Element:
    values: dict[str, Value] = {
        "isDisabled": False,
        "applied_to_body": body,
        "force_expressed_in_body": "ground",
        "point_expressed_in_body": "ground",
        "force_identifier": f"{plate}_v",
        "point_identifier": f"{plate}_p",
        "torque_identifier": f"{plate}_m",
        "data_source_name": "",
    }
    return node("ExternalForce", values, plate)


def copy_own_loads(path: Path, grf: Path | None, facts: ModelFacts, target: Path) -> tuple[float, float]:
    """Write external loads to `target`, its force file named relative to there; return the forces' first and last time.

    `grf` stands in for the force file that the document names.

    Raises
    ------
    Nem2eError
        If the document holds legacy PrescribedForce loads or none, a body is not in the model, the force file is
        not there, or it has no column for a load.
    """
    tree = read_document(path)
    _check_kind(path, tree.getroot())
    loads = find(path, tree, "ExternalLoads")
    data_file = _data_file(path, loads, grf)
    data = read_storage(data_file)
    for load in loads.iter("ExternalForce"):
        _check_bodies(path, load, facts)
        _check_columns(path, load, data_file, data)
    find(path, tree, "datafile").text = os.path.relpath(data_file.resolve(), target.parent.resolve())
    save_tree(target, tree)
    return float(data.time[0]), float(data.time[-1])


@dataclass(frozen=True, eq=False)
class Load:
    """Size of a force on a body: `time` in s and `size` in N, both of shape (rows,)."""

    body: str
    time: Array
    size: Array


def loads_in(path: Path) -> list[Load]:
    """Return the forces of a document that a trial simulates with; those switched off are left out."""
    loads = find(path, read_document(path), "ExternalLoads")
    named = _text(loads, "datafile")
    data = read_storage(path.parent / named) if named else None
    return [
        Load(_text(each, "applied_to_body").rsplit("/", 1)[-1], data.time, _size(data, _text(each, "force_identifier")))
        for each in loads.iter("ExternalForce")
        if data is not None and _text(each, "force_identifier") and _applies(each)
    ]


def _size(data: Storage, identifier: str) -> Array:
    force = np.column_stack([data.column(identifier + axis) for axis in "xyz"])
    return np.asarray(np.linalg.norm(np.nan_to_num(force), axis=1))


def _applies(load: ET.Element) -> bool:
    return _text(load, "appliesForce").lower() != "false" and _text(load, "isDisabled").lower() != "true"


def _check_kind(path: Path, loads: ET.Element) -> None:
    legacy = [each.get("name", "") for each in loads.iter("PrescribedForce")]
    if legacy:
        raise Nem2eError(
            f"{path}: load {legacy[0]!r} is a PrescribedForce, as OpenSim 2 wrote it, which no tool of OpenSim 4 "
            "applies as an external load; write it as an ExternalForce (applied_to_body, force_identifier, "
            "point_identifier), or give the force file alone with --grf and let the loads be made."
        )
    if next(loads.iter("ExternalForce"), None) is None:
        raise Nem2eError(f"{path}: holds no ExternalForce, but one a foot is expected.")


def _text(element: ET.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _data_file(path: Path, loads: ET.Element, grf: Path | None) -> Path:
    if grf is not None:
        if loads.find("datafile") is None:
            ET.SubElement(loads, "datafile")
        return grf
    named = _text(loads, "datafile")
    if not named:
        raise Nem2eError(f"{path}: names no <datafile>; give the force file with --grf.")
    data_file = path.parent / named
    if not data_file.is_file():
        raise Nem2eError(f"{path}: <datafile> is {named}, but there is no such file beside it; give it with --grf.")
    return data_file


def _check_bodies(path: Path, load: ET.Element, facts: ModelFacts) -> None:
    for tag in ("applied_to_body", "force_expressed_in_body", "point_expressed_in_body"):
        body = _text(load, tag).rsplit("/", 1)[-1]
        if body and body not in ("ground", *facts.bodies):
            raise Nem2eError(
                f"{path}: load {load.get('name')!r} has {tag} {body!r}, but model {facts.name!r} has only the bodies "
                f"{', '.join(facts.bodies)}."
            )


def _check_columns(path: Path, load: ET.Element, data_file: Path, data: Storage) -> None:
    if not (_text(load, "force_identifier") or _text(load, "torque_identifier")):
        raise Nem2eError(
            f"{path}: load {load.get('name')!r} has neither force_identifier nor torque_identifier, so it would apply "
            f"nothing; name its columns of {data_file.name}, such as {_stem(data)}."
        )
    for tag in _IDENTIFIERS:
        identifier = _text(load, tag)
        missing = [identifier + axis for axis in "xyz" if identifier and identifier + axis not in data.labels]
        if missing:
            raise Nem2eError(
                f"{path}: load {load.get('name')!r} has {tag} {identifier!r}, but {data_file.name} has no column "
                f"{missing[0]!r}; it has {', '.join(data.labels)}."
            )


def _stem(data: Storage) -> str:
    """A stem of columns that end in x, y and z, as an example."""
    stems = [label[:-1] for label in data.labels if label.endswith("x")]
    return stems[0] if stems else "ground_force_v"
