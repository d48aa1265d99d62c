"""From a laboratory's axes to OpenSim's (x forward, y up, z right): told by plates, markers and the way people go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.c3d.feet import Feet, find_pelvis, mean_place
from nem2e_lib.data.c3d.plates import PlateForce
from nem2e_lib.data.c3d.recording import Recording
from nem2e_lib.data.markers.body import up as upright
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]
_Rows = NDArray[np.intp]

_WALKED_M = 0.5
"""Whoever goes less far stands, or walks on a treadmill: then the feet tell where is forward."""
_UPRIGHT = 0.95
"""Cosine up to which an axis of the laboratory is taken for the vertical that plates or markers tell."""
_ASIDE = 20.0
"""Degrees between the way and the axis that is taken for forward, from which this is told."""
_WAYS = ("the way onto the first plate", "the way the person goes")
_FLOOR_M, _TALL_M = (-0.1, 0.4), 2.5
"""Where the lowest marker of a body is above the floor, and how tall it may be."""


@dataclass(frozen=True, eq=False)
class Axes:
    """How a laboratory stands to OpenSim's ground.

    Attributes
    ----------
    rotation : float64 array, shape (3, 3)
        Its rows are OpenSim's x, y and z in the laboratory's axes: ``places @ rotation.T``.
    told : str
        What they are and by what they were found, one sentence.
    notes : tuple of str
        What is odd, one sentence each.
    """

    rotation: Array
    told: str
    notes: tuple[str, ...] = ()

    def turn(self, vectors: Array) -> Array:
        """Return vectors of the laboratory, shape (..., 3), in OpenSim's axes."""
        return vectors @ self.rotation.T


def find_axes(recording: Recording, forces: Sequence[PlateForce], feet: Feet) -> Axes:
    """Return the axes of a recording: up by the plates (else by markers, else by the file's word), then forward.

    Forward is the axis of the laboratory nearest to the way the person goes while the first plate is trodden on, or
    throughout; of one who stays, nearest to where the feet point, or the pelvis.

    Raises
    ------
    Nem2eError
        If there are no markers, or neither tells a direction.
    """
    if not recording.markers:
        why = f"none of its {recording.head.points} points has a name and was seen" if recording.head.points else ""
        raise Nem2eError(f"{recording.path}: {why or 'has no markers'}, so that up and forward are not known.")
    places = recording.metres[:, [recording.labels.index(name) for name in recording.markers]]
    up, by_up, notes = _up(recording, forces, places)
    forward, by_forward, way = _forward(recording, forces, places, feet, up)
    aside = float(np.degrees(np.arctan2(np.linalg.norm(np.cross(way, forward) @ up), way @ forward)))
    if aside > _ASIDE and by_forward in _WAYS:
        notes.append(f"The way is {aside:.0f} degrees beside {_name(forward)}, which was taken for forward.")
    rotation = np.array([forward, up, np.cross(forward, up)])
    names = " ".join(f"{axis} {_name(row)}," for axis, row in zip(("forward", "up"), rotation, strict=False))
    told = f"{names} right {_name(rotation[2])}: up by {by_up}, forward by {by_forward}."
    return Axes(rotation, told, tuple(notes))


def _up(recording: Recording, forces: Sequence[PlateForce], places: Array) -> tuple[Array, str, list[str]]:
    screen = next(iter(recording.head.texts("POINT", "Y_SCREEN")), "")
    said, body = _axis(screen), upright(recording.markers, places)
    standing = _axis(body.axis) if body else None
    notes: list[str] = []
    if forces:
        up = np.mean([plate.up for plate in forces], axis=0)
        floor = np.mean([plate.corners.mean(axis=0) for plate in forces], axis=0)
        if np.nanmedian(places @ up) < floor @ up:
            up = -up
            notes.append("The plates' corners run the other way round: their normals point down; they were turned.")
        nearest, by = _nearest(up, range(3)), "the force plates"
        if body and standing is not None and not np.array_equal(standing, nearest):
            notes.append(f"The plates lie across {_name(nearest)}, but {body.why}.")
    elif standing is not None and body:
        nearest, by = standing, f"the markers: {body.why}"
    elif said is not None:
        nearest, by = said, "POINT:Y_SCREEN"
        if np.nanmedian(places @ said) < 0:
            nearest, by = -said, "the markers, which are not below the floor"
    else:
        nearest, by = _above_the_floor(recording, places), "the markers, which stand on the floor along no other axis"
    if said is not None and abs(said @ nearest) < _UPRIGHT:
        across = f"the plates lie across {_name(nearest)}" if forces else f"{_name(nearest)} was taken, by {by}"
        notes.append(f"POINT:Y_SCREEN says that {screen} is up, but {across}.")
    return nearest, by, notes


def _above_the_floor(recording: Recording, places: Array) -> Array:
    """The one axis along which the markers are a body on the floor, where the laboratory's zero is."""
    low, high = np.nanmin(places, axis=(0, 1)), np.nanmax(places, axis=(0, 1))
    stands = np.flatnonzero((low > _FLOOR_M[0]) & (low < _FLOOR_M[1]) & (high - low < _TALL_M))
    if len(stands) != 1:
        raise Nem2eError(
            f"{recording.path}: neither force plates nor POINT:Y_SCREEN nor names of markers tell which axis is up; "
            "export it with POINT:Y_SCREEN, or name markers of feet and pelvis."
        )
    return np.asarray(np.eye(3)[stands[0]])


def _forward(
    recording: Recording, forces: Sequence[PlateForce], places: Array, feet: Feet, up: Array
) -> tuple[Array, str, Array]:
    """The axis, by what it was found, and the way itself."""
    flat = [axis for axis in range(3) if abs(up[axis]) < 1 - _UPRIGHT]
    there = np.isfinite(places[:, :, 0])
    seen = np.flatnonzero(there.mean(axis=1) > 0.5 * there.any(axis=0).mean())
    for rows, by in _stretches(recording, forces, seen):
        both = there[rows[0]] & there[rows[-1]]
        way = (places[rows[-1], both] - places[rows[0], both]).mean(axis=0) if both.any() else np.zeros(3)
        if np.linalg.norm(way[flat]) >= _WALKED_M * (1 if len(rows) == len(seen) else 0.5):
            return _nearest(way, flat), by, way
    for pointing, by in ((feet.pointing(recording), "where the feet point"), (_facing(recording), "the pelvis")):
        if pointing is not None and np.linalg.norm(pointing[flat]) > 0:
            return _nearest(pointing, flat), by, pointing
    raise Nem2eError(
        f"{recording.path}: nobody walks and no marker of heel and toe is known by name, so that forward is not known; "
        "name the markers of the feet."
    )


def _facing(recording: Recording) -> Array | None:
    """The mean direction from the back of the pelvis to its front; None where its markers are not known."""
    front, back = ([mean_place(recording, [name]) for name in names] for names in find_pelvis(recording.markers))
    if not front or not back:
        return None
    way = np.mean(front, axis=0) - np.mean(back, axis=0)
    seen = way[np.isfinite(way).all(axis=1)]
    return np.asarray(seen.mean(axis=0)) if len(seen) else None


def _stretches(recording: Recording, forces: Sequence[PlateForce], seen: _Rows) -> Iterator[tuple[_Rows, str]]:
    """Frames to look at, and what they are called."""
    pressed = [
        recording.analog_time[np.flatnonzero(np.isfinite(plate.point[:, 0]))]
        for plate in forces
        if np.isfinite(plate.point[:, 0]).sum() > 1
    ]
    if pressed:
        first = min(pressed, key=lambda times: float(times[0]))
        time = recording.time[seen]
        rows = seen[(time >= first[0]) & (time <= first[-1])]
        if len(rows) > 1:
            yield rows, _WAYS[0]
    if len(seen) > 1:
        yield seen, _WAYS[1]


def _nearest(direction: Array, axes: Sequence[int] | range) -> Array:
    """The axis of the laboratory, with its sign, that is nearest to a direction."""
    axis = max(axes, key=lambda each: abs(direction[each]))
    return np.eye(3)[axis] * (1.0 if direction[axis] >= 0 else -1.0)


def _axis(text: str) -> Array | None:
    """The unit vector that ``+Z`` and the like mean; None if it is none."""
    plain = text.strip().upper()
    if len(plain) == 2 and plain[0] in "+-" and plain[1] in "XYZ":
        return np.eye(3)["XYZ".index(plain[1])] * (1.0 if plain[0] == "+" else -1.0)
    return None


def _name(vector: Array) -> str:
    axis = int(np.argmax(np.abs(vector)))
    return f"{'+' if vector[axis] > 0 else '-'}{'xyz'[axis]}"
