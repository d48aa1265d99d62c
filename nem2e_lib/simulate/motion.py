"""Motion files (.mot, .sto) and marker files (.trc): what a model needs of them, in the unit that they state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text
from nem2e_lib.data.markers.trc import Markers, read_markers, require_y_up
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts

Array = NDArray[np.float64]

LARGEST_RADIANS = 10.0
"""No joint angle exceeds this many radians (more than one and a half turns)."""
SMALLEST_DEGREES = 3.2
"""A motion whose every joint angle stays below this many degrees is more likely in radians."""
_FEET, _TRUNK = r"(?i)(calcn|toes|talus|foot)", r"(?i)(pelvis|torso|thorax|trunk|head)"
"""How bodies begin that are down, and up, in a person who stands or walks."""


@dataclass(frozen=True)
class Motion:
    """A motion that fits a model.

    Attributes
    ----------
    storage : Storage
        Columns named by coordinate, angles in degrees.
    notes : tuple of str
        What was odd but could be understood.
    """

    storage: Storage
    notes: tuple[str, ...] = ()

    @property
    def span(self) -> tuple[float, float]:
        """First and last time in s."""
        return float(self.storage.time[0]), float(self.storage.time[-1])


def read_motion(path: Path, facts: ModelFacts) -> Motion:
    """Read a motion (.mot, .sto) for a model; other columns than its free coordinates, such as markers, are left.

    Locked and dependent coordinates follow from the model; OpenSim itself leaves dependent ones in degrees when it
    writes the others in radians.

    Labels may be bare (``knee_angle_r``) or paths of states (``/jointset/knee_r/knee_angle_r/value``).

    Raises
    ------
    Nem2eError
        If a free coordinate of the model has no column, a value is not finite, the file has fewer than four
        rows, or the angles cannot be in the unit that the header states.
    """
    storage = read_storage(path)
    columns = {_coordinate(label): label for label in reversed(storage.labels)}
    _check_columns(path, facts, columns)
    names = [each.name for each in facts.free]
    values = np.column_stack([storage.column(columns[name]) for name in names])
    _check_values(path, storage, names, values)
    degrees, notes = _in_degrees(path, storage, facts, names, values)
    if not degrees:
        values = np.where(_rotational(facts, names), np.rad2deg(values), values)
    return Motion(Storage("Coordinates", tuple(names), storage.time, values, True), notes)


def write_motion(path: Path, motion: Motion) -> Path:
    """Write a motion in degrees, under a header that says so."""
    write_storage(path, motion.storage)
    return path


def _coordinate(label: str) -> str:
    parts = label.strip("/").split("/")
    return parts[-2] if len(parts) > 1 and parts[-1] == "value" else parts[-1]


def _check_columns(path: Path, facts: ModelFacts, columns: dict[str, str]) -> None:
    missing = [each.name for each in facts.free if each.name not in columns]
    if not missing:
        return
    if len(missing) == len(facts.free):
        raise Nem2eError(
            f"{path}: no column is a coordinate of model {facts.name!r} (found {_few(list(columns))}; expected "
            f"{_few(missing)}); give the motion that inverse kinematics made with this model."
        )
    raise Nem2eError(
        f"{path}: has no column for {_few(missing)}, free coordinates of model {facts.name!r}; give the motion "
        "that inverse kinematics made with this model, or lock these coordinates at their default (--lock)."
    )


def _check_values(path: Path, storage: Storage, names: list[str], values: Array) -> None:
    if len(values) < 4:
        raise Nem2eError(f"{path}: has {len(values)} rows of motion, but at least four are needed for accelerations.")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise Nem2eError(
            f"{path}: column {names[column]!r} is not finite at {storage.time[row]:.9g} s; fill the gap or cut it off."
        )


def _in_degrees(
    path: Path, storage: Storage, facts: ModelFacts, names: list[str], values: Array
) -> tuple[bool, tuple[str, ...]]:
    """Whether angles are in degrees, by the header where it says so and the values allow it."""
    angles = np.abs(values[:, _rotational(facts, names)])
    largest = float(angles.max(initial=0.0))
    stated = stated_unit(path)
    if stated == "radians" and largest > LARGEST_RADIANS:
        name = [n for n, turning in zip(names, _rotational(facts, names), strict=True) if turning]
        worst = name[int(angles.max(axis=0).argmax())]
        raise Nem2eError(
            f"{path}: the header says radians (inDegrees=no), but {worst!r} reaches {largest:.4g}, which can only "
            "be degrees; write inDegrees=yes in the header."
        )
    if stated == "degrees":
        note = (
            f"{path.name}: the header says degrees, but no angle exceeds {largest:.3g}; check that it is not radians."
        )
        return True, (note,) if largest < SMALLEST_DEGREES else ()
    if stated == "radians":
        return False, ()
    unit = "degrees" if largest > LARGEST_RADIANS else "radians"
    if SMALLEST_DEGREES < largest <= LARGEST_RADIANS:
        raise Nem2eError(
            f"{path}: the header does not say whether angles are in degrees, and the largest, {largest:.3g}, does not "
            "tell; write inDegrees=yes or inDegrees=no in the header."
        )
    return unit == "degrees", (f"{path.name}: the header states no unit of angle; taken as {unit}.",)


def stated_unit(path: Path) -> str:
    """Return ``degrees``, ``radians`` or, where the header does not say, an empty string."""
    head = read_text(path)[0].split("endheader", 1)[0].lower().replace(" ", "")
    answers = [line.split("=", 1)[1].strip("\"'\t ") for line in head.split("\n") if line.startswith("indegrees=")]
    return {"yes": "degrees", "no": "radians"}.get(answers[-1], "") if answers else ""


def _rotational(facts: ModelFacts, names: list[str]) -> NDArray[np.bool_]:
    turning = {each.name for each in facts.coordinates if each.rotational}
    return np.array([name in turning for name in names])


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def markers_for(path: Path, model: str, known: dict[str, str]) -> tuple[Markers, list[str]]:
    """Return the markers of a file, and the names of those that a model has too.

    Parameters
    ----------
    path
        A .trc file.
    model, known
        Name of the model, and its markers by name with the body that each is on.

    Raises
    ------
    Nem2eError
        If the file cannot be read, y does not point up in it, or it shares fewer than three markers with the model.
    """
    markers = read_markers(path)
    low, high = ([name for name, body in known.items() if re.match(parts, body)] for parts in (_FEET, _TRUNK))
    require_y_up(path, markers, low, high)
    return markers, common_markers(path, markers, model, known)


def common_markers(path: Path, markers: Markers, model: str, known: dict[str, str]) -> list[str]:
    """Return the markers that file and model share; Nem2eError where they are fewer than three."""
    shared = [name for name in markers.names if name in known]
    if len(shared) < 3:
        raise Nem2eError(
            f"{path}: shares {len(shared)} marker names with model {model!r} (file: {', '.join(markers.names[:6])}; "
            f"model: {', '.join(list(known)[:6]) or 'none'}), but at least three are needed; rename the markers, or "
            "add them to the model."
        )
    return shared
