"""Which plates are under the right foot and which under the left: by their names, else by where the force acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import SIDES, Note
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.force.plates import CONTACT_N, SWING_S, Plate, Plates

Array = NDArray[np.float64]

_APART_M = 0.05
"""Pressure of two feet lies further apart than this, to the side, where it is to tell them."""
_ALIKE = 0.9
"""Share of pairs of contacts that must say the same."""
_IN_ROW_M = 0.35
"""Pressure of two plates lies further apart than this along the way where they lie one behind the other: there a walk
across them at an angle, or a turn, looks like a step width."""
_BELT_M = 0.4
"""Pressure that moves further than this while a foot is down is carried by a belt: a foot is shorter."""
_STEADY = 0.8
"""Share of contacts that must have one direction of travel."""
_ORDER = ("", "1")
"""OpenSim's own examples: ``ground_force_vy`` and ``1_ground_force_vy``; the unnamed plate is the right one."""


@dataclass(frozen=True)
class Sides:
    """Columns of vertical force under each foot, and what is to be told of that."""

    right: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class Ahead:
    """Direction of travel in the ground plane (x, z), and how it is known; empty where +x is taken for it."""

    direction: Array
    told_by: str

    def __str__(self) -> str:
        """For messages."""
        if not self.told_by:
            return "walking along OpenSim's +x, which the file does not tell, with z to the right"
        return f"walking along {_axis(self.direction)}, as {self.told_by} tells"


def _axis(direction: Array) -> str:
    largest = int(np.argmax(np.abs(direction)))
    return f"{'+' if direction[largest] > 0 else '-'}{'xz'[largest]}"


def named(plates: Sequence[Plate]) -> tuple[list[Plate], list[Plate]] | None:
    """Return the plates (right, left) whose names tell a side, or None where the names do not tell both sides.

    Of two plates with one that tells its side, the other is of the other side.
    """
    found = {side: [plate for plate in plates if plate.side == side] for side in ("right", "left")}
    rest = [plate for plate in plates if not plate.side]
    if len(plates) == 2 and len(rest) == 1:
        found["left" if found["right"] else "right"] = rest
    return (found["right"], found["left"]) if found["right"] and found["left"] else None


def find_sides(held: Plates) -> Sides | str:
    """Return which columns are under which foot, or why that cannot be told.

    Names that tell a side are believed; where the pressure lies the other way round, that is told. Two plates whose
    names tell none are told apart by the place of the pressure, across the direction of travel. Without it only
    OpenSim's own order is known: ``ground_force_vy`` right, ``1_ground_force_vy`` left.
    """
    if not held.plates:
        return "no columns of vertical force under a known name"
    by_name = named(held.plates)
    if by_name is not None:
        return _by_name(held, *by_name)
    used = [plate for plate in held.plates if plate.trodden.any()]
    plates = used if len(used) == 2 else held.plates
    if len(plates) != 2:
        return f"the names of {held.verticals} do not tell which foot is on which plate"
    ahead = direction_of_travel(held.time, plates)
    order = by_place(held.time, plates, ahead)
    convention = tuple(sorted(plate.name for plate in plates)) == _ORDER
    if order is None:
        if convention:
            right, left = sorted(plates, key=lambda plate: plate.name)
            return Sides((right.vertical,), (left.vertical,))
        return f"the names of {held.verticals} do not tell which foot is on which plate, nor does the pressure"
    right, left = order
    told = (
        f"{held.path}: the names of {right.vertical!r} and {left.vertical!r} tell no side; the pressure of "
        f"{right.vertical!r} lies {_apart(held.time, right, left, ahead):.2f} m further to the right ({ahead}): it was "
        "taken for the right foot's"
    )
    quiet = convention and right.name == _ORDER[0]
    advice = "; name the columns where this is wrong."
    return Sides((right.vertical,), (left.vertical,), () if quiet else (SIDES.note(told + advice),))


def _by_name(held: Plates, right: list[Plate], left: list[Plate]) -> Sides:
    notes = []
    other = [plate.vertical for plate in held.plates if plate not in (*right, *left) and plate.trodden.any()]
    if other:
        notes.append(SIDES.note(f"{held.path}: {', '.join(other)} is of neither foot by name; it was left out."))
    if len(right) == len(left) == 1 and (odd := contradiction(held, right[0], left[0])):
        notes.append(odd)
    return Sides(tuple(plate.vertical for plate in right), tuple(plate.vertical for plate in left), tuple(notes))


def contradiction(held: Plates, right: Plate, left: Plate) -> Note | None:
    """Return a note where what is called the right foot's acts to the left of what is called the left foot's."""
    ahead = direction_of_travel(held.time, [right, left])
    order = by_place(held.time, [right, left], ahead)
    if order is None or order[0] is right:
        return None
    return SIDES.note(
        f"{held.path}: {right.vertical!r} is called the right foot's, but its pressure lies "
        f"{_apart(held.time, left, right, ahead):.2f} m to the left of {left.vertical!r} ({ahead}); the names were "
        "believed: are the feet crossed, or the columns swapped?"
    )


def by_place(time: Array, plates: Sequence[Plate], ahead: Ahead) -> tuple[Plate, Plate] | None:
    """Return two plates (right, left) by where the force acts, or None where that does not tell."""
    one, other = plates
    places = [_places(time, plate) for plate in plates]
    if any("pz" in plate.lacks for plate in plates) or not all(len(place) for place in places):
        return None
    across = [place @ _to_the_right(ahead.direction) for place in places]
    apart = float(np.median(across[0]) - np.median(across[1]))
    along = abs(float(np.median(places[0] @ ahead.direction) - np.median(places[1] @ ahead.direction)))
    share = float(np.mean(np.sign(across[0][:, None] - across[1][None, :]) == np.sign(apart)))
    if abs(apart) < _APART_M or along > _IN_ROW_M or share < _ALIKE:
        return None
    return (one, other) if apart > 0 else (other, one)


def _apart(time: Array, right: Plate, left: Plate, ahead: Ahead) -> float:
    across = [np.median(_places(time, plate) @ _to_the_right(ahead.direction)) for plate in (right, left)]
    return float(across[0] - across[1])


def _to_the_right(direction: Array) -> Array:
    """Forward × up in OpenSim's axes, as (x, z)."""
    return np.array([-direction[1], direction[0]])


def _places(time: Array, plate: Plate) -> Array:
    """Where the force acts in each contact, as (x, z) in m; an axis that the file lacks is 0."""
    rows = [plate.point[first : last + 1, [0, 2]] for first, last in _contacts(time, plate)]
    known = [np.nan_to_num(_means(each)) for each in rows]
    return np.array(known).reshape(-1, 2)


def _means(values: Array) -> Array:
    """Mean of what is finite in each column; NaN where nothing is."""
    return np.array(
        [column[np.isfinite(column)].mean() if np.isfinite(column).any() else np.nan for column in values.T]
    )


def _contacts(time: Array, plate: Plate) -> list[tuple[int, int]]:
    """First and last row of each time that the plate is stood on."""
    level = max(CONTACT_N, 0.1 * float(plate.load.max(initial=0.0)))
    found = runs(plate.load > level)
    return [(first, last) for first, last in found if time[last] - time[first] >= SWING_S]


def direction_of_travel(time: Array, plates: Sequence[Plate]) -> Ahead:
    """Return the direction of travel by how the feet brake and push off, else by how a belt carries the pressure.

    In every contact the ground first brakes and then pushes on (Winter 2009), on a treadmill as on the ground. The
    centre of pressure moves from heel to toe on the ground, but backwards with the foot on a belt: it tells only
    where it moves further than a foot is long. Where neither tells, +x is taken, as OpenSim's models face.
    """
    for told_by, moves in (
        ("the shear force", [_push(time, plate) for plate in plates]),
        ("the belt", [_carried(time, plate) for plate in plates]),
    ):
        every = np.vstack(moves)
        mean = every.mean(axis=0) if len(every) else np.zeros(2)
        if np.linalg.norm(mean) > 0 and np.mean(every @ mean > 0) >= _STEADY:
            return Ahead(mean / np.linalg.norm(mean), told_by)
    return Ahead(np.array([1.0, 0.0]), "")


def _push(time: Array, plate: Plate) -> Array:
    """Shear (x, z) of the second half of each contact less that of the first, in N."""
    if "vx" in plate.lacks or plate.up != 1:
        return np.empty((0, 2))
    found = []
    for first, last in _contacts(time, plate):
        shear = np.nan_to_num(plate.force[first : last + 1, [0, 2]])
        half = len(shear) // 2
        found.append(shear[half:].mean(axis=0) - shear[:half].mean(axis=0) if half else np.zeros(2))
    clear = [each for each in found if np.linalg.norm(each) > CONTACT_N / 2]
    return np.array(clear).reshape(-1, 2)


def _carried(time: Array, plate: Plate) -> Array:
    """Direction against which the pressure of each contact is carried, where it is carried far."""
    found = []
    for first, last in _contacts(time, plate):
        path = plate.point[first : last + 1, [0, 2]]
        rows = path[np.isfinite(path).any(axis=1)]
        if len(rows) > 4:
            fifth = len(rows) // 5 or 1
            moved = np.nan_to_num(rows[-fifth:].mean(axis=0) - rows[:fifth].mean(axis=0))
            found += [-moved] if np.linalg.norm(moved) > _BELT_M else []
    return np.array(found).reshape(-1, 2)
