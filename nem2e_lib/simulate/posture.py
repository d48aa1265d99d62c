"""A model in the postures of a motion: where its bodies, its mass centre and its joints are (needs OpenSim)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import TRANSLATIONAL, describe, load
from nem2e_lib.simulate.motion import read_motion
from nem2e_lib.simulate.osim import opensim, quiet

Array = NDArray[np.float64]


def postures(model: str | Path, motion: str | Path, times: Sequence[float]) -> pd.DataFrame:
    """Lines from joint to joint of a model at some times of a motion, which draw it from the side.

    Parameters
    ----------
    model, motion
        OpenSim model (.osim) and joint angles (.mot, .sto).
    times
        In s, within the motion.

    Returns
    -------
    DataFrame
        A row a line: time_s, body, and its ends x0, y0, z0, x1, y1, z1 in m, in OpenSim's ground frame (x forward,
        y up, z right).

    Raises
    ------
    Nem2eError
        If OpenSim is not installed, a file cannot be read, or a time is outside the motion.
    """
    with quiet():
        posture = _posture(Path(model), Path(motion), times)
        return pd.DataFrame([{"time_s": time, **line} for row, time in enumerate(times) for line in posture.lines(row)])


def marker_places(model: str | Path, motion: str | Path, time: float) -> dict[str, Array]:
    """Return where the markers of a model are at a time of a motion: name to place in ground, shape (3,), in m.

    Raises
    ------
    Nem2eError
        If OpenSim is not installed, a file cannot be read, or the time is outside the motion.
    """
    with quiet():
        return _posture(Path(model), Path(motion), [time]).markers(0)


def _posture(model: Path, motion: Path, times: Sequence[float]) -> Posture:
    """A model in the postures that a motion has at some times."""
    table = read_motion(motion, describe(model), rows=1).storage
    start, end = float(table.time[0]), float(table.time[-1])
    for time in times:
        if not start <= time <= end:
            raise Nem2eError(
                f"{motion}: runs from {start:.6g} to {end:.6g} s, but a posture at {time:.6g} s was asked for."
            )
    values = np.column_stack([np.interp(times, table.time, column) for column in table.values.T])
    return Posture(model, Storage(table.name, table.labels, np.array(times), values, True))


class Posture:
    """A model put into the postures of a motion, angles in degrees, a row at a time."""

    def __init__(self, model: Path, motion: Storage) -> None:
        self._model: Any = load(model)
        self._state = self._model.initSystem()
        self._motion = motion
        named = [self._model.getCoordinateSet().get(name) for name in motion.labels]
        self._coordinates = [None if each.isConstrained(self._state) else each for each in named]

    def place(self, row: int, body: str) -> Array:
        """Return where a body's mass centre is in ground at a row of the motion, shape (3,), in m."""
        self._take(row)
        return self._mass_centre_of(body)

    def markers(self, row: int) -> dict[str, Array]:
        """Return where the model's markers are in ground at a row, each of shape (3,), in m."""
        self._take(row)
        self._model.realizePosition(self._state)
        every = self._model.getMarkerSet()
        found = [every.get(index) for index in range(every.getSize())]
        return {each.getName(): _vector(each.getLocationInGround(self._state)) for each in found}

    def points(self, row: int, bodies: Sequence[str]) -> Array:
        """Return origin and mass centre of some bodies in ground at a row, shape (2 · bodies, 3), in m."""
        self._take(row)
        self._model.realizePosition(self._state)
        segments = [self._model.getBodySet().get(body) for body in bodies]
        ends = [
            (_vector(each.getPositionInGround(self._state)), self._mass_centre_of(each.getName())) for each in segments
        ]
        return np.array(ends).reshape(-1, 3)

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

    def lines(self, row: int) -> list[dict[str, Any]]:
        """Return one line a joint, from its parent's joint to its own; a body without a child gets one to its mass
        centre. Each has body, x0, y0, z0, x1, y1, z1, in m.
        """
        self._take(row)
        self._model.realizePosition(self._state)
        joints = [self._model.getJointSet().get(index) for index in range(self._model.getJointSet().getSize())]
        place, parent = {}, {}
        for joint in joints:
            body = joint.getChildFrame().findBaseFrame().getName()
            place[body] = _vector(joint.getChildFrame().getPositionInGround(self._state))
            parent[body] = joint.getParentFrame().findBaseFrame().getName()
        lines = [_line(body, place[above], place[body]) for body, above in parent.items() if above in place]
        ends = [body for body in place if body not in parent.values()]
        return [*lines, *(_line(body, place[body], self._mass_centre_of(body)) for body in ends)]

    def unbalanced(self, row: int | None = None, activation: float | None = None) -> list[str]:
        """Return the muscles whose fibre and tendon have no equilibrium at a row; without one, in the default posture.

        `activation` stands in for the model's default one.
        """
        if row is None:
            self._state = self._model.initSystem()
        else:
            self._take(row)
        self._model.realizeVelocity(self._state)
        return [muscle.getName() for muscle in self._muscles() if not _balances(muscle, self._state, activation)]

    def lengths(self, muscles: Sequence[str], row: int | None = None) -> Array:
        """Return lengths of muscles with their tendons at a row, or in the default posture; shape (muscles,), in m."""
        if row is None:
            self._state = self._model.initSystem()
        else:
            self._take(row)
        self._model.realizePosition(self._state)
        return np.array([self._model.getMuscles().get(name).getLength(self._state) for name in muscles])

    def save_start(self, row: int, path: Path, activation: float | None = None) -> None:
        """Write the model with the posture of a row as its default, and a default activation where one is given."""
        self._take(row)
        for coordinate in self._coordinates:
            if coordinate is not None:
                coordinate.setDefaultValue(coordinate.getValue(self._state))
        for muscle in self._muscles() if activation is not None else []:
            properties = [muscle.getPropertyByIndex(index) for index in range(muscle.getNumProperties())]
            for each in properties:
                if each.getName() == "default_activation":
                    opensim().PropertyHelper.setValueDouble(activation, each)
        self._model.printToXML(str(path))

    def measures(self, name: str) -> str:
        """Say how long a muscle is at the present posture, and what it is made of."""
        muscle = self._model.getMuscles().get(name)
        return (
            f"{muscle.getLength(self._state):.4g} m long, optimal fibre {muscle.get_optimal_fiber_length():.4g} m, "
            f"slack tendon {muscle.get_tendon_slack_length():.4g} m"
        )

    def _muscles(self) -> list[Any]:
        muscles = self._model.updMuscles()
        return [muscles.get(index) for index in range(muscles.getSize())]

    def _mass_centre_of(self, body: str) -> Array:
        segment = self._model.getBodySet().get(body)
        return _vector(segment.findStationLocationInGround(self._state, segment.getMassCenter()))

    def _values(self, row: int) -> list[float]:
        values = zip(self._coordinates, self._motion.values[row], strict=True)
        return [float(np.deg2rad(v) if each is not None and _turns(each) else v) for each, v in values]

    def _take(self, row: int) -> None:
        for coordinate, value in zip(self._coordinates, self._values(row), strict=True):
            if coordinate is not None:
                coordinate.setValue(self._state, value, False)
        self._model.assemble(self._state)


def _balances(muscle: Any, state: Any, activation: float | None) -> bool:
    try:
        if activation is not None:
            muscle.setActivation(state, activation)
        muscle.computeEquilibrium(state)
    except RuntimeError:
        return False
    return True


def _turns(coordinate: Any) -> bool:
    return bool(coordinate.getMotionType() != TRANSLATIONAL)


def _line(body: str, start: Array, end: Array) -> dict[str, Any]:
    names = ("x0", "y0", "z0", "x1", "y1", "z1")
    return {"body": body, **dict(zip(names, [*start.tolist(), *end.tolist()], strict=True))}


def _vector(place: Any) -> Array:
    return np.array([place.get(axis) for axis in range(3)])
