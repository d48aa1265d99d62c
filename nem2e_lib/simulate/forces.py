"""Ground reaction force files as the simulation needs them: whole plates in OpenSim's axes, read and written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.force.plates import Plate, Plates, read_plates
from nem2e_lib.data.force.sides import named
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]


def whole_plates(path: Path) -> tuple[Array, list[Plate], tuple[str, ...]]:
    """Read time, plates and notes from a force file (.mot, .sto).

    Labels as `nem2e_lib.data.force.names` understands them; a side is that which the names tell, of both plates.

    Raises
    ------
    Nem2eError
        If no complete plate is found, a value is missing under load, force points the wrong way or is not along y, or
        points look like millimetres.
    """
    storage = read_storage(path)
    held = read_plates(path, storage)
    whole = [plate for plate in held.plates if not any(part[0] in "vp" for part in plate.lacks)]
    if not whole:
        raise Nem2eError(
            f"{path}: no plate with the columns of force (vx, vy, vz) and of its point (px, py, pz) was found among "
            f"{', '.join(storage.labels[:9])}{' …' if len(storage.labels) > 9 else ''}; rename the columns to "
            "R_ground_force_vx … R_ground_torque_z and L_ground_force_vx … L_ground_torque_z, or give your own "
            "external loads file."
        )
    notes = [str(note) for note in held.notes]
    notes += [
        f"{path.name}: columns of {plate.name!r} make no complete plate; left out."
        for plate in held.plates
        if plate not in whole
    ]
    notes += [
        f"{path.name}: plate {plate.name!r} has no full moment; what is missing is taken as 0."
        for plate in whole
        if plate.lacks
    ]
    _check_axes(path, whole)
    return held.time, [_filled(held, plate) for plate in _sided(whole)], tuple(notes)


def _sided(plates: list[Plate]) -> list[Plate]:
    """Plates with the side that their names tell between them."""
    known = named(plates)
    if known is None:
        return plates
    of = {plate.name: side for side, some in zip(("right", "left"), known, strict=True) for plate in some}
    return [replace(plate, side=of.get(plate.name, "")) for plate in plates]


def _filled(held: Plates, plate: Plate) -> Plate:
    """What is missing where nobody stands on a plate is 0 there, and so is a moment that the file does not have."""
    kinds = {"v": plate.force, "p": plate.point, "m": plate.moment}
    missing = {kind: ~np.isfinite(values) for kind, values in kinds.items()}
    for kind, gaps in missing.items():
        has = np.array([f"{kind}{axis}" not in plate.lacks for axis in "xyz"])
        lost = (gaps & has).any(axis=1) & plate.trodden
        if lost.any():
            what = {"v": "force", "p": "point", "m": "moment"}[kind]
            raise Nem2eError(
                f"{held.path}: {what} of plate {plate.name!r} is not finite at {held.time[int(lost.argmax())]:.9g} s, "
                "under load; fill the gap."
            )
    force, point, moment = (np.where(missing[kind], 0.0, values) for kind, values in kinds.items())
    return replace(plate, force=force, point=point, moment=moment)


def write_plates(path: Path, time: Array, plates: dict[str, Plate]) -> Path:
    """Write plates under the names given: columns ``<name>_vx`` … ``<name>_mz``."""
    labels = tuple(f"{name}_{kind}{axis}" for name in plates for kind in "vpm" for axis in "xyz")
    values = np.column_stack([part for each in plates.values() for part in (each.force, each.point, each.moment)])
    write_storage(path, Storage("ground reaction", labels, time, values))
    return path


def _check_axes(path: Path, plates: list[Plate]) -> None:
    mean = np.mean([np.abs(np.nan_to_num(plate.force)).mean(axis=0) for plate in plates], axis=0)
    if mean.argmax() != 1:
        raise Nem2eError(
            f"{path}: force is largest along {'xyz'[mean.argmax()]}, but OpenSim's vertical is y; rotate the forces "
            "to x forward, y up, z right."
        )
    if sum(plate.force[:, 1].mean() for plate in plates) < 0:
        raise Nem2eError(
            f"{path}: vertical force is negative, the force of the person on the plate; negate force and moment."
        )
    largest = max(float(np.abs(np.nan_to_num(plate.point[plate.trodden])).max(initial=0.0)) for plate in plates)
    if largest > 100:
        raise Nem2eError(f"{path}: points of force reach {largest:.4g}, which looks like mm; give them in m.")
