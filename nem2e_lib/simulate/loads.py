"""External loads: which columns of a force file act on which foot, made here or given by the user."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.xml import Value, find, node, object_set, read_document, save_tree

# --- External loads: which columns of a force file act on which foot ---


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


# --- External loads of the user's own: checked against model and force file before OpenSim sees them ---

_IDENTIFIERS = {
    "force_identifier": ("x", "y", "z"),
    "point_identifier": ("x", "y", "z"),
    "torque_identifier": ("x", "y", "z"),
}


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
    for tag, axes in _IDENTIFIERS.items():
        identifier = _text(load, tag)
        missing = [identifier + axis for axis in axes if identifier and identifier + axis not in data.labels]
        if missing:
            raise Nem2eError(
                f"{path}: load {load.get('name')!r} has {tag} {identifier!r}, but {data_file.name} has no column "
                f"{missing[0]!r}; it has {', '.join(data.labels)}."
            )


def _stem(data: Storage) -> str:
    """A stem of columns that end in x, y and z, as an example."""
    stems = [label[:-1] for label in data.labels if label.endswith("x")]
    return stems[0] if stems else "ground_force_v"
