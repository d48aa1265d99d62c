"""Which foot stands on which plate: by where the force acts, checked against what the plate is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts, load
from nem2e_lib.simulate.forces import CONTACT_N, Plate

Array = NDArray[np.float64]

_FOOT = re.compile(r"calcn|calcaneus|heel|foot", re.IGNORECASE)
_SIDES = {"right": re.compile(r"(^r_|_r$|right)", re.IGNORECASE), "left": re.compile(r"(^l_|_l$|left)", re.IGNORECASE)}
_LOOKS = 40
"""Moments, at most, at which the places of feet are compared."""


def foot_bodies(facts: ModelFacts) -> dict[str, str]:
    """Return side to body of the foot that forces act on; a side is missing where no name tells it."""
    feet = [body for body in facts.bodies if _FOOT.search(body)]
    found = {side: [body for body in feet if pattern.search(body)] for side, pattern in _SIDES.items()}
    return {side: bodies[0] for side, bodies in found.items() if bodies}


def assign(
    facts: ModelFacts, model: Path, motion: Storage, time: Array, plates: list[Plate], chosen: Mapping[str, str]
) -> dict[str, Plate]:
    """Return body to plate, for every plate that is stood on while the motion lasts.

    Raises
    ------
    Nem2eError
        If a chosen body or plate does not exist, the model has no body that is known as a foot, a plate's name
        tells another side than its place, both feet use one plate, or a foot two plates at once.
    """
    _check_choice(facts, plates, chosen)
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
    return _merged(time, used, bodies)


class Posture:
    """A model put into the postures of a motion."""

    def __init__(self, model: Path, motion: Storage) -> None:
        self._model: Any = load(model)
        self._state = self._model.initSystem()
        self._motion = motion
        named = [self._model.getCoordinateSet().get(name) for name in motion.labels]
        self._coordinates = [None if each.isConstrained(self._state) else each for each in named]

    def place(self, row: int, body: str) -> Array:
        """Return where a body's mass centre is in ground at a row of the motion, shape (3,), in m."""
        self._take(row)
        segment = self._model.getBodySet().get(body)
        return _vector(segment.findStationLocationInGround(self._state, segment.getMassCenter()))

    def mass_centre(self, row: int) -> Array:
        """Return where the mass centre of the whole model is at a row, shape (3,), in m."""
        self._take(row)
        self._model.realizePosition(self._state)
        return _vector(self._model.calcMassCenterPosition(self._state))

    def moved_by_constraints(self, row: int) -> float:
        """Return how far the model's constraints move any free coordinate from its value, in rad or m."""
        self._take(row)
        turned = np.array(self._values(row))
        now = [np.nan if each is None else each.getValue(self._state) for each in self._coordinates]
        return float(np.nanmax(np.abs(np.array(now) - turned)))

    def _values(self, row: int) -> list[float]:
        values = zip(self._coordinates, self._motion.values[row], strict=True)
        return [float(np.deg2rad(v) if each is not None and each.getMotionType() == 1 else v) for each, v in values]

    def _take(self, row: int) -> None:
        for coordinate, value in zip(self._coordinates, self._values(row), strict=True):
            if coordinate is not None:
                coordinate.setValue(self._state, value, False)
        self._model.assemble(self._state)


def _vector(place: Any) -> Array:
    return np.array([place.get(axis) for axis in range(3)])


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


def _merged(time: Array, plates: list[Plate], bodies: Mapping[str, str]) -> dict[str, Plate]:
    """One plate a body: steps on several plates follow one another."""
    merged: dict[str, Plate] = {}
    for plate in plates:
        body = bodies[plate.name]
        merged[body] = _joined(time, merged[body], plate, body) if body in merged else plate
    return merged


def _joined(time: Array, first: Plate, second: Plate, body: str) -> Plate:
    on_first, on_second = (plate.force[:, 1] > CONTACT_N for plate in (first, second))
    both = on_first & on_second
    if both.any():
        raise Nem2eError(
            f"Plates {first.name!r} and {second.name!r} both act on {body!r} at {time[int(both.argmax())]:.9g} s, but "
            "one plate at a time is expected; give external loads of your own."
        )
    rows = on_second[:, None]
    force, point, moment = (
        np.where(rows, getattr(second, name), getattr(first, name)) for name in ("force", "point", "moment")
    )
    vertical = f"{first.vertical}+{second.vertical}"
    return Plate(f"{first.name}+{second.name}", first.side, force, point, moment, vertical)
