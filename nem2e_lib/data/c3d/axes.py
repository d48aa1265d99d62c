"""From a laboratory's axes to OpenSim's (x forward, y up, z right): told by plates, markers and the way people go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.c3d.feet import Feet
from nem2e_lib.data.c3d.plates import PlateForce
from nem2e_lib.data.c3d.recording import Recording
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]
_Rows = NDArray[np.intp]

_WALKED_M = 0.5
"""Whoever goes less far stands, or walks on a treadmill: then the feet tell where is forward."""
_UPRIGHT = 0.95
"""Cosine up to which an axis of the laboratory is taken for the vertical that plates or markers tell."""


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
    """Return the axes of a recording: up by the plates (else the file's own word, else the markers), then forward.

    Forward is the axis of the laboratory nearest to the way the person goes while the first plate is trodden on, or
    throughout; of one who stays, nearest to where the feet point.

    Raises
    ------
    Nem2eError
        If there are no markers, or neither tells a direction.
    """
    places = recording.metres[:, [recording.labels.index(name) for name in recording.markers]]
    if not places.shape[1]:
        raise Nem2eError(f"{recording.path}: has no markers, so that up and forward are not known.")
    up, by_up, notes = _up(recording, forces, places)
    forward, by_forward = _forward(recording, forces, places, feet, up)
    rotation = np.array([forward, up, np.cross(forward, up)])
    names = " ".join(f"{axis} {_name(row)}," for axis, row in zip(("forward", "up"), rotation, strict=False))
    told = f"{names} right {_name(rotation[2])}: up by {by_up}, forward by {by_forward}."
    return Axes(rotation, told, tuple(notes))


def _up(recording: Recording, forces: Sequence[PlateForce], places: Array) -> tuple[Array, str, list[str]]:
    screen = next(iter(recording.head.texts("POINT", "Y_SCREEN")), "")
    said = _axis(screen)
    notes: list[str] = []
    if forces:
        up = np.mean([plate.up for plate in forces], axis=0)
        floor = np.mean([plate.corners.mean(axis=0) for plate in forces], axis=0)
        if np.nanmedian(places @ up) < floor @ up:
            up = -up
            notes.append("The plates' corners run the other way round: their normals point down; they were turned.")
        nearest = _nearest(up, range(3))
        if said is not None and abs(said @ nearest) < _UPRIGHT:
            notes.append(f"POINT:Y_SCREEN says that {screen} is up, but the plates lie across {_name(nearest)}.")
        return nearest, "the force plates", notes
    if said is not None:
        return said, "POINT:Y_SCREEN", notes
    low = np.nanmin(places, axis=(0, 1))
    # markers stay above the floor, where the laboratory's zero is, and go along the others
    axis = int(np.argmax(low))
    return np.eye(3)[axis], "the markers, none of which is below the floor", notes


def _forward(
    recording: Recording, forces: Sequence[PlateForce], places: Array, feet: Feet, up: Array
) -> tuple[Array, str]:
    flat = [axis for axis in range(3) if abs(up[axis]) < 1 - _UPRIGHT]
    there = np.isfinite(places[:, :, 0])
    seen = np.flatnonzero(there.mean(axis=1) > 0.5 * there.any(axis=0).mean())
    for rows, by in _stretches(recording, forces, seen):
        both = there[rows[0]] & there[rows[-1]]
        way = (places[rows[-1], both] - places[rows[0], both]).mean(axis=0) if both.any() else np.zeros(3)
        if np.linalg.norm(way[flat]) >= _WALKED_M * (1 if len(rows) == len(seen) else 0.5):
            return _nearest(way, flat), by
    pointing = feet.pointing(recording)
    if pointing is not None and np.linalg.norm(pointing[flat]) > 0:
        return _nearest(pointing, flat), "where the feet point"
    raise Nem2eError(
        f"{recording.path}: nobody walks and no marker of heel and toe is known by name, so that forward is not known; "
        "name the markers of the feet."
    )


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
            yield rows, "the way onto the first plate"
    if len(seen) > 1:
        yield seen, "the way the person goes"


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
