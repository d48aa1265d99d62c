"""Ground reaction force files: plates found under the names in common use, checked, and written under one."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_LABEL = re.compile(
    r"(?P<before>.*?)_?(?:ground_?)?(?:reaction_?)?(?P<what>force|torque|moment|cop)(?P<within>.*?)_?"
    r"(?P<kind>[vpm]?)(?P<axis>[xyz])(?:_(?P<after>\w+))?",
    re.IGNORECASE,
)
_C3D = re.compile(r"(?P<kind>[fpm])(?P<within>\d+)_(?P<axis>[123xyz])", re.IGNORECASE)
_SIDES = {"r": "right", "right": "right", "l": "left", "left": "left"}
CONTACT_N = 20.0
"""Vertical force above which a plate is stood on."""


@dataclass(frozen=True)
class Plate:
    """Force of one plate on one person.

    Attributes
    ----------
    name : str
        As the file's labels call it; empty where they call it nothing.
    side : str
        ``right``, ``left``, or empty where the name does not tell.
    force, point, moment : float64 arrays, shape (rows, 3)
        In N, m and N·m, in OpenSim's ground frame (x forward, y up, z right).
    vertical : str
        Label of the column of vertical force; ``+`` between those of plates that were joined.
    """

    name: str
    side: str
    force: Array
    point: Array
    moment: Array
    vertical: str = ""


def read_plates(path: Path) -> tuple[Array, list[Plate], tuple[str, ...]]:
    """Read time, plates and notes from a force file (.mot, .sto).

    Labels as ``ground_force_vx``, ``l_ground_force_px``, ``1_ground_torque_x``, ``R_ground_force_vx``,
    ``ground_force_r_vx``, ``ground_force_1_vx``, ``ground_moment_1_mx``, ``force_calcn_r_vx`` or ``f1_1`` are
    understood.

    Raises
    ------
    Nem2eError
        If no complete plate is found, a force is not finite, force points the wrong way or is not along y, or
        points look like millimetres.
    """
    storage = read_storage(path)
    found = _components(storage.labels)
    complete = {name: parts for name, parts in found.items() if _has(parts, "v") and _has(parts, "p")}
    if not complete:
        raise Nem2eError(
            f"{path}: no plate with the columns of force (vx, vy, vz) and of its point (px, py, pz) was found among "
            f"{', '.join(storage.labels[:9])}{' …' if len(storage.labels) > 9 else ''}; rename the columns to "
            "R_ground_force_vx … R_ground_torque_z and L_ground_force_vx … L_ground_torque_z, or give your own "
            "external loads file."
        )
    notes = [
        f"{path.name}: columns of {name!r} make no complete plate; left out." for name in set(found) - set(complete)
    ]
    plates = []
    for name, parts in complete.items():
        plate, odd = _plate(path, storage, name, parts, set(complete))
        plates.append(plate)
        notes += odd
    _check_axes(path, plates)
    return storage.time, plates, tuple(notes)


def write_plates(path: Path, time: Array, plates: dict[str, Plate]) -> Path:
    """Write plates under the names given: columns ``<name>_vx`` … ``<name>_mz``."""
    labels = tuple(f"{name}_{kind}{axis}" for name in plates for kind in "vpm" for axis in "xyz")
    values = np.column_stack([part for each in plates.values() for part in (each.force, each.point, each.moment)])
    write_storage(path, Storage("ground reaction", labels, time, values))
    return path


def _components(labels: tuple[str, ...]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for label in labels:
        plain = _LABEL.fullmatch(label)
        c3d = _C3D.fullmatch(label)
        if plain:
            name = "_".join(
                part.strip("_") for part in (plain["before"], plain["within"], plain["after"] or "") if part
            )
            found[name][_kind(plain["what"], plain["kind"]) + plain["axis"].lower()] = label
        elif c3d:
            axis = {"1": "x", "2": "y", "3": "z"}.get(c3d["axis"], c3d["axis"].lower())
            found[c3d["within"]][{"f": "v"}.get(c3d["kind"].lower(), c3d["kind"].lower()) + axis] = label
    return found


def _kind(what: str, kind: str) -> str:
    return {"force": kind.lower() or "v", "cop": "p"}.get(what.lower(), "m")


def _has(parts: dict[str, str], kind: str) -> bool:
    return all(f"{kind}{axis}" in parts for axis in "xyz")


def _plate(path: Path, storage: Storage, name: str, parts: dict[str, str], names: set[str]) -> tuple[Plate, list[str]]:
    force, point = (_vector(storage, parts, kind) for kind in "vp")
    moment = _vector(storage, parts, "m")
    if not np.isfinite(force).all():
        row = int(np.argmin(np.isfinite(force).all(axis=1)))
        raise Nem2eError(f"{path}: force of plate {name!r} is not finite at {storage.time[row]:.9g} s; fill the gap.")
    notes = (
        [] if _has(parts, "m") else [f"{path.name}: plate {name!r} has no full moment; what is missing is taken as 0."]
    )
    point, moment = (_without_gaps(path, storage.time, name, force, each) for each in (point, moment))
    return Plate(name, _side(name, names), force, point, moment, parts["vy"]), notes


def _vector(storage: Storage, parts: dict[str, str], kind: str) -> Array:
    nothing = np.zeros(len(storage.time))
    keys = [f"{kind}{axis}" for axis in "xyz"]
    return np.column_stack([storage.column(parts[key]) if key in parts else nothing for key in keys])


def _without_gaps(path: Path, time: Array, name: str, force: Array, values: Array) -> Array:
    """Points and moments may be missing where nobody stands on the plate: 0 there."""
    gaps = np.asarray(~np.isfinite(values).all(axis=1))
    lost = gaps & (force[:, 1] > CONTACT_N)
    if lost.any():
        raise Nem2eError(
            f"{path}: point or moment of plate {name!r} is not finite at {time[int(lost.argmax())]:.9g} s, under load; "
            "fill the gap."
        )
    return np.where(gaps[:, None], 0.0, values)


def _side(name: str, names: set[str]) -> str:
    told = [_SIDES[part] for part in name.lower().split("_") if part in _SIDES]
    if told:
        return told[-1]
    others = names - {name}
    if name == "" and len(others) == 1:  # OpenSim's examples: the unnamed plate is under the right foot
        return "right"
    return "left" if name == "1" and others == {""} else ""


def _check_axes(path: Path, plates: list[Plate]) -> None:
    mean = np.mean([np.abs(plate.force).mean(axis=0) for plate in plates], axis=0)
    if mean.argmax() != 1:
        raise Nem2eError(
            f"{path}: force is largest along {'xyz'[mean.argmax()]}, but OpenSim's vertical is y; rotate the forces "
            "to x forward, y up, z right."
        )
    if sum(plate.force[:, 1].mean() for plate in plates) < 0:
        raise Nem2eError(
            f"{path}: vertical force is negative, the force of the person on the plate; negate force and moment."
        )
    largest = max(float(np.abs(plate.point[plate.force[:, 1] > CONTACT_N]).max(initial=0.0)) for plate in plates)
    if largest > 100:
        raise Nem2eError(f"{path}: points of force reach {largest:.4g}, which looks like mm; give them in m.")
