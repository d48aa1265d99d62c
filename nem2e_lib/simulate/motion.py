"""Motion files (.mot, .sto) and marker files (.trc): what a model needs of them, in the unit that they state."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text
from nem2e_lib.data.markers.trc import Markers, read_markers, require_y_up
from nem2e_lib.data.quality.words import some
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.marker_set import how_to_give

Array = NDArray[np.float64]

LARGEST_RADIANS = 10.0
"""No joint angle exceeds this many radians (more than one and a half turns)."""
SMALLEST_DEGREES = 3.2
"""A motion whose every joint moves by less than this many degrees, but moves, is more likely in radians."""
STILL = 0.1
"""Joints that move by less, in radians, stand still in either unit."""
SLACK = 0.2
"""How far, in radians, a motion may leave the range that a model states and still be in radians."""
HELD_DEGREES = 2.0
"""A locked coordinate that a motion has further away than this is told: OpenSim's limit of good tracking."""
TRAVEL_M = 0.3
"""Whoever travels further has taken a step."""
WALKING_DEGREES = 10.0
"""Some joint moves by more in any step; the knee of walking by some 60 degrees."""
ROWS = 4
"""Rows of a motion that accelerations take at least; a pose has one."""
DISTANCES = "marker_distances.sto"
"""How far each marker is off in inverse kinematics, in its folder."""
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


def read_motion(path: Path, facts: ModelFacts, rows: int = ROWS) -> Motion:
    """Read a motion (.mot, .sto) for a model; other columns than its free coordinates, such as markers, are left.

    Locked and dependent coordinates follow from the model; OpenSim itself leaves dependent ones in degrees when it
    writes the others in radians.

    Labels may be bare (``knee_angle_r``) or paths of states (``/jointset/knee_r/knee_angle_r/value``).

    Raises
    ------
    Nem2eError
        If a free coordinate of the model has no column, a value is not finite, the file has fewer than `rows`
        rows, or the angles cannot be in the unit that the header states.
    """
    storage = read_storage(path)
    columns = {coordinate_of(label): label for label in reversed(storage.labels)}
    _check_columns(path, facts, columns)
    names = [each.name for each in facts.free]
    values = np.column_stack([storage.column(columns[name]) for name in names])
    _check_values(path, storage, names, values, rows)
    degrees, notes = _in_degrees(path, storage, facts, names, values)
    notes += _held(path, storage, facts, columns, 1.0 if degrees else float(np.rad2deg(1.0)))
    if not degrees:
        values = np.where(_rotational(facts, names), np.rad2deg(values), values)
    return Motion(Storage("Coordinates", tuple(names), storage.time, values, True), notes)


def write_motion(path: Path, motion: Motion) -> Path:
    """Write a motion in degrees, under a header that says so."""
    write_storage(path, motion.storage)
    return path


def coordinate_of(label: str) -> str:
    """Return the coordinate of a column, be its label bare or the path of a state."""
    parts = label.strip("/").split("/")
    return parts[-2] if len(parts) > 1 and parts[-1] == "value" else parts[-1]


def _check_columns(path: Path, facts: ModelFacts, columns: dict[str, str]) -> None:
    missing = [each.name for each in facts.free if each.name not in columns]
    if not missing:
        return
    if len(missing) == len(facts.free):
        raise Nem2eError(
            f"{path}: no column is a coordinate of model {facts.name!r} (found {some(list(columns), 5)}; expected "
            f"{some(missing, 5)}); give the motion that inverse kinematics made with this model."
        )
    raise Nem2eError(
        f"{path}: has no column for {some(missing, 5)}, free coordinates of model {facts.name!r}"
        f"{near(missing[0], set(columns) - set(facts.names))}; give the motion that inverse kinematics made with this "
        "model, or lock these coordinates at their default (--lock)."
    )


def _check_values(path: Path, storage: Storage, names: list[str], values: Array, rows: int) -> None:
    if len(values) < rows:
        raise Nem2eError(f"{path}: has {len(values)} rows of motion, but at least {rows} are needed for accelerations.")
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
        return True, _doubts_degrees(path, facts, names, values)
    if stated == "radians":
        return False, ()
    unit = "degrees" if largest > LARGEST_RADIANS else "radians"
    if SMALLEST_DEGREES < largest <= LARGEST_RADIANS:
        raise Nem2eError(
            f"{path}: the header does not say whether angles are in degrees, and the largest, {largest:.3g}, does not "
            "tell; write inDegrees=yes or inDegrees=no in the header."
        )
    return unit == "degrees", (f"{path.name}: the header states no unit of angle; taken as {unit}.",)


def _doubts_degrees(path: Path, facts: ModelFacts, names: list[str], values: Array) -> tuple[str, ...]:
    """Refuse or doubt degrees that a header states: small angles that a model could have in radians, or a gait without
    movement of joints.
    """
    kinds = {each.name: each for each in facts.coordinates}
    joints = [column for column, name in enumerate(names) if kinds[name].rotational and not kinds[name].root]
    turning = joints or list(np.flatnonzero(_rotational(facts, names)))
    if not turning:
        return ()
    moved = float(np.ptp(values[:, turning], axis=0).max())
    travelled = _travelled(facts, names, values)
    as_radians = all(
        kinds[names[column]].low - SLACK <= values[:, column].min()
        and values[:, column].max() <= kinds[names[column]].high + SLACK
        for column in turning
    )
    largest = float(np.abs(values[:, turning]).max())
    if STILL < moved < SMALLEST_DEGREES and (as_radians or largest < SMALLEST_DEGREES):
        if travelled <= TRAVEL_M:
            return (f"{path.name}: says degrees, but no angle exceeds {largest:.3g}; check that it is not radians.",)
        raise Nem2eError(
            f"{path}: the header says degrees (inDegrees=yes), but no angle exceeds {largest:.3g} while the body "
            f"travels {travelled:.2g} m, so that they must be radians; write inDegrees=no in the header."
        )
    if travelled > TRAVEL_M and moved < WALKING_DEGREES:
        return (
            f"{path.name}: says degrees, but no joint moves by more than {moved:.3g} degrees while the body travels "
            f"{travelled:.2g} m; check the unit of the angles.",
        )
    return ()


def _held(
    path: Path, storage: Storage, facts: ModelFacts, columns: dict[str, str], in_degrees: float
) -> tuple[str, ...]:
    """Tell of coordinates that move in a motion and are locked in the model; `in_degrees` is the unit of angles."""
    held = []
    for each in facts.coordinates:
        if each.locked_at is None or not each.rotational or each.name not in columns:
            continue
        away = np.abs(in_degrees * storage.column(columns[each.name]) - np.rad2deg(each.locked_at))
        if np.nanmax(away, initial=0.0) > HELD_DEGREES:
            held.append(f"{each.name} ({np.nanmax(away):.3g} degrees)")
    if not held:
        return ()
    return (
        f"{path.name}: the model locks {', '.join(held)}, which the motion moves so far from there; held where it is "
        "locked.",
    )


def _travelled(facts: ModelFacts, names: list[str], values: Array) -> float:
    """How far the root moves, in m, along the axis in which it moves furthest."""
    along = {each.name for each in facts.coordinates if each.root and not each.rotational}
    columns = [column for column, name in enumerate(names) if name in along]
    return float(np.ptp(values[:, columns], axis=0).max(initial=0.0)) if columns else 0.0


def stated_unit(path: Path) -> str:
    """Return ``degrees``, ``radians`` or, where the header does not say, an empty string."""
    head = read_text(path)[0].split("endheader", 1)[0].lower().replace(" ", "")
    answers = [line.split("=", 1)[1].strip("\"'\t ") for line in head.split("\n") if line.startswith("indegrees=")]
    return {"yes": "degrees", "no": "radians"}.get(answers[-1], "") if answers else ""


def _rotational(facts: ModelFacts, names: list[str]) -> NDArray[np.bool_]:
    turning = {each.name for each in facts.coordinates if each.rotational}
    return np.array([name in turning for name in names])


def markers_for(
    path: Path, model: str, known: Mapping[str, str], others: Mapping[str, Sequence[str]] | None = None
) -> tuple[Markers, list[str]]:
    """Return the markers of a file, and the names of those that a model has too.

    Parameters
    ----------
    path
        A .trc file.
    model, known
        Name of the model, and its markers by name with the body that each is on.
    others
        Other names that a file may have for a marker; the first that is there is taken, and told.

    Raises
    ------
    Nem2eError
        If the file cannot be read, y does not point up in it, or it shares fewer than three markers with the model.
    """
    markers = _by_other_names(read_markers(path), others or {})
    low, high = ([name for name, body in known.items() if re.match(parts, body)] for parts in (_FEET, _TRUNK))
    require_y_up(path, markers, low, high)
    return markers, common_markers(path, markers, model, known)


def _by_other_names(markers: Markers, others: Mapping[str, Sequence[str]]) -> Markers:
    found = {
        next((other for other in also if other in markers.names), ""): name
        for name, also in others.items()
        if name not in markers.names
    }
    taken = {other: name for other, name in found.items() if other}
    if not taken:
        return markers
    note = f"Taken by another name: {', '.join(f'{other} for {name}' for other, name in taken.items())}."
    return replace(markers, names=tuple(taken.get(name, name) for name in markers.names), notes=(*markers.notes, note))


def common_markers(path: Path, markers: Markers, model: str, known: Mapping[str, str]) -> list[str]:
    """Return the markers that a file shows somewhere and a model has; Nem2eError where they are fewer than three."""
    seen = np.isfinite(markers.places[:, :, 0]).sum(axis=0)
    shared = [name for name, frames in zip(markers.names, seen, strict=True) if frames and name in known]
    if not known:
        raise Nem2eError(
            f"{path}: has {len(markers.names)} markers ({some(markers.names, 6)}), but model {model!r} has none; "
            f"{how_to_give()}."
        )
    if len(shared) < 3:
        raise Nem2eError(
            f"{path}: shares {len(shared)} marker names with model {model!r} (file: {', '.join(markers.names[:6])}; "
            f"model: {', '.join(list(known)[:6])}), but at least three are needed; rename the markers, or "
            f"{how_to_give()}."
        )
    return shared


def marker_distances(markers: Markers, located: Storage) -> Storage:
    """Return how far the markers of a model are from the measured ones, in m; NaN where a marker was not seen.

    Parameters
    ----------
    located : Storage
        Places of the model's markers as inverse kinematics reports them, columns ``<marker>_tx`` … ``<marker>_tz``, m.
    """
    names = [name for name in markers.names if f"{name}_tx" in located.labels]
    rows = np.abs(markers.time[None, :] - located.time[:, None]).argmin(axis=1)
    there = np.stack([np.column_stack([located.column(f"{name}_t{axis}") for axis in "xyz"]) for name in names], axis=1)
    measured = markers.places[rows][:, [markers.names.index(name) for name in names]]
    return Storage("marker distances", tuple(names), located.time, np.linalg.norm(there - measured, axis=2))
