"""What a study may tell of a trial beside activation and EMG: angles, moments, muscle lengths, forces, as named sets.

Each set is a column of ``trials.csv`` that names a file a trial, on the clock of the trial's activation. Of a file
those columns are taken that are of the legs whose EMG was measured: where somebody stands in the room, how the pelvis
is turned in it, arms and the other leg are no part of what moves the muscle.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.exports.formats import read_recording
from nem2e_lib.data.force.feet import FEET, read_feet
from nem2e_lib.data.force.plates import read_plates
from nem2e_lib.data.labels import muscle_name, parse
from nem2e_lib.data.muscles import base, region, side
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class InputSet:
    """A set of inputs: the column of ``trials.csv`` that names its files, what it is in words, and its unit."""

    name: str
    column: str
    what: str
    unit: str


SETS = {
    each.name: each
    for each in (
        InputSet("angle", "angles", "joint angles", "deg"),
        InputSet("moment", "moments", "net joint moments", "N·m"),
        InputSet("length", "lengths", "lengths of muscles", "of the file"),
        InputSet("velocity", "velocities", "velocities of muscles", "of the file a second"),
        InputSet("grf", "forces", "vertical force under the measured foot", "N"),
    )
}
"""Every set that `Study.beside` can have, in order."""
OF_MUSCLES = ("length", "velocity")
PER_MASS = ("moment", "grf")
"""Sets that are divided by body mass where it is told."""
LARGEST_RADIANS = 10.0
"""No joint angle exceeds this many radians (more than one and a half turns)."""
_ARM = ("arm", "shoulder", "elbow", "wrist", "pro")
_IN_THE_ROOM = ("pelvis", "ground")
_AXES = ("_tx", "_ty", "_tz")
_ENDS = ("_moment", "_force", "_torque")
_QUANTITIES = {"angle": ("", "value"), "moment": ("", "moment", "force")}


def read_beside(which: str, path: Path, targets: Sequence[str], muscles: Sequence[str], leg: str) -> Storage:
    """Read what a file has of a set; labels are the set and the name, as ``moment:knee_angle_r``.

    Parameters
    ----------
    which : str
        Of `SETS`.
    path : Path
    targets, muscles : sequence of str
        Muscles that EMG was measured of, and all that were simulated.
    leg : str
        Whose electrodes were recorded; empty where that is not told.

    Raises
    ------
    Nem2eError
        If no column is of the measured leg, the file has both legs of a trial that was mirrored, a value is not finite,
        or angles cannot be in the unit that the header states.
    """
    sides = tuple(dict.fromkeys(side(target) for target in targets))
    if which == "grf":
        return _force(path, sides, leg)
    storage = read_recording(path)
    if len(storage.time) < 2:
        raise Nem2eError(f"{path}: found {len(storage.time)} rows, but at least 2 are expected.")
    found = _columns(which, storage.labels, muscles)
    _refuse_both(path, found, sides, leg)
    taken = {name: label for name, label in found.items() if side(name) in sides}
    if not taken:
        raise Nem2eError(
            f"{path}: no column is one of the {SETS[which].what} of the measured leg ({' or '.join(sides)}); found "
            f"{_some(storage.labels)}; a name ends in _r or _l."
        )
    values = _finite(path, storage, list(taken.values()))
    if which == "angle":
        values = _degrees(path, storage, list(taken), values)
    labels = tuple(f"{which}:{name}" for name in taken)
    return dataclasses.replace(storage, labels=labels, values=values)


def of_leg(which: str, storage: Storage, muscles: Sequence[str], leg: str, *, mirrored: bool = False) -> Storage:
    """Return the columns of a table that are of one leg, by their names alone; `mirrored` calls them the right one's.

    Coordinates of a leg have the same sign on either side in OpenSim's models (adduction is adduction), so that only
    names change.
    """
    taken = {name: label for name, label in _columns(which, storage.labels, muscles).items() if side(name) == leg}
    plain = storage.only(taken.values())
    names = tuple(f"{base(name)}_r" if mirrored else name for name in taken)
    return dataclasses.replace(plain, labels=names)


def velocities(lengths: Storage) -> Storage:
    """Return how fast lengths change, in their unit a second, by central differences."""
    return dataclasses.replace(lengths, values=np.gradient(lengths.values, lengths.time, axis=0))


def same_inputs(path: Path, storage: Storage, first: Storage, first_path: Path) -> Storage:
    """Return the columns that the first trial has, in its order; Nem2eError where the two have not the same."""
    missing = [label for label in first.labels if label not in storage.labels]
    if missing:
        name = missing[0].partition(":")[2]
        known = [label.partition(":")[2] for label in storage.labels]
        raise Nem2eError(
            f"{path}: no column of {name!r}, which {first_path} has; all trials must have the same"
            f"{near(name, known) or '.'}"
        )
    new = [label.partition(":")[2] for label in storage.labels if label not in first.labels]
    if new:
        raise Nem2eError(f"{path}: column of {new[0]!r} is not in {first_path}; all trials must have the same.")
    return storage.only(first.labels)


def _columns(which: str, labels: Iterable[str], muscles: Sequence[str]) -> dict[str, str]:
    """Name to label: muscles that were simulated, or joints that are no arm's and not the pelvis in the room."""
    found = dict[str, str]()
    for name, label in _named(which, labels):
        able = _of_a_leg(name) and (base(name) in map(base, muscles) if which in OF_MUSCLES else _is_joint(name))
        if able:
            found.setdefault(name, label)
    return found


def _named(which: str, labels: Iterable[str]) -> Iterator[tuple[str, str]]:
    for label in labels:
        each = parse(label)
        if which in OF_MUSCLES:
            yield muscle_name(label), label
        elif each.quantity in _QUANTITIES[which]:
            end = next((end for end in _ENDS if which == "moment" and each.name.endswith(end)), "")
            yield each.name.removesuffix(end), label


def _of_a_leg(name: str) -> bool:
    return region(name) not in ("trunk", "arm")


def _is_joint(name: str) -> bool:
    words = name.split("_")
    return words[0] not in (*_ARM, *_IN_THE_ROOM) and not name.endswith(_AXES)


def _refuse_both(path: Path, found: Iterable[str], sides: Sequence[str], leg: str) -> None:
    """A trial whose leg is another than its muscles' was mirrored; a file with both legs was not."""
    if not leg or len(sides) != 1 or sides[0] in (leg, "none"):
        return
    other = [name for name in found if side(name) == leg]
    if other:
        raise Nem2eError(
            f"{path}: the {leg} leg was measured and the study calls its muscles {sides[0]} ones (mirrored), but the "
            f"file has {other[0]!r} too, so that it was not mirrored; leave the {sides[0]} leg out and call the {leg} "
            f"leg's columns _{sides[0][0]}."
        )


def _finite(path: Path, storage: Storage, labels: Sequence[str]) -> Array:
    values = storage.only(labels).values
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise Nem2eError(
            f"{path}: column {labels[column]!r} is {values[row, column]} at {storage.time[row]:.9g} s ({len(bad)} such "
            "in all), but finite numbers are expected; mend or cut the file."
        )
    return values


def _degrees(path: Path, storage: Storage, names: Sequence[str], values: Array) -> Array:
    """Angles in degrees, by what the header says."""
    if storage.in_degrees:
        return values
    largest = np.abs(values).max(axis=0)
    if largest.max() > LARGEST_RADIANS:
        raise Nem2eError(
            f"{path}: the header does not say degrees, but {names[int(largest.argmax())]!r} reaches "
            f"{largest.max():.4g}, "
            "which are no radians; write inDegrees=yes in the header."
        )
    return np.rad2deg(values)


def _force(path: Path, sides: Sequence[str], leg: str) -> Storage:
    """Vertical force under the feet of the measured legs."""
    plates = read_plates(path, read_recording(path)).plates
    alone = {foot: [plates[0].vertical] if plates[0].side == foot else [] for foot in FEET} if len(plates) == 1 else {}
    told = alone if any(alone.values()) else {}  # two plates are told apart as for gait events
    feet = read_feet(path, **told, how="name them R_ground_force_vy or L_ground_force_vy")
    there = [foot for foot, columns in zip(FEET, feet.columns, strict=True) if columns]
    _refuse_both(path, [f"{foot}_{foot[0]}" for foot in there], sides, leg)
    missing = [foot for foot in sides if foot not in there]
    if missing:
        raise Nem2eError(f"{path}: has no force under the {missing[0]} foot, which was measured; found {_some(there)}.")
    labels = tuple(f"grf:vertical_{foot[0]}" for foot in sides)
    return dataclasses.replace(feet.force.only(sides), labels=labels)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
