"""Where a model's joints are during a motion: lines that draw it from the side (needs OpenSim)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import describe, first_line, load
from nem2e_lib.simulate.motion import read_motion
from nem2e_lib.simulate.osim import opensim


def postures(model: str | Path, motion: str | Path, times: Sequence[float]) -> pd.DataFrame:
    """Lines from joint to joint of a model at some times of a motion.

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
        return _postures(Path(model), Path(motion), times)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenSim from telling of every mesh that it does not find."""
    logger = opensim().Logger
    before = logger.getLevelString()
    logger.setLevelString("Error")
    try:
        yield
    finally:
        with _unsaid():
            logger.setLevelString(before)


@contextmanager
def _unsaid() -> Iterator[None]:
    """Keep the remark on the new level out of the standard output, which may be read by a program."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


def _postures(model: Path, motion: Path, times: Sequence[float]) -> pd.DataFrame:
    facts = describe(model)
    table = read_motion(motion, facts).storage
    start, end = float(table.time[0]), float(table.time[-1])
    for time in times:
        if not start <= time <= end:
            raise Nem2eError(
                f"{motion}: runs from {start:.6g} to {end:.6g} s, but a posture at {time:.6g} s was asked for."
            )
    opened = load(model)
    state = _state(opened, model)
    turning = {each.name for each in facts.coordinates if each.rotational}
    rows: list[dict[str, Any]] = []
    for time in times:
        _place(opened, state, table, time, turning)
        rows += [{"time_s": time, **line} for line in _lines(opened, state)]
    return pd.DataFrame(rows)


def _state(model: Any, path: str | Path) -> Any:
    try:
        return model.initSystem()
    except RuntimeError as error:
        raise Nem2eError(f"{path}: OpenSim cannot build this model ({first_line(error)}).") from None


def _place(model: Any, state: Any, table: Storage, time: float, turning: set[str]) -> None:
    coordinates = model.updCoordinateSet()
    for label, column in zip(table.labels, table.values.T, strict=True):
        value = float(np.interp(time, table.time, column))
        coordinates.get(label).setValue(state, np.deg2rad(value) if label in turning else value, False)
    model.assemble(state)
    model.realizePosition(state)


def _lines(model: Any, state: Any) -> list[dict[str, Any]]:
    """One line a joint, from its parent's joint to its own; bodies without a child get one to their mass centre."""
    joints = [model.getJointSet().get(index) for index in range(model.getJointSet().getSize())]
    place = {
        joint.getChildFrame().findBaseFrame().getName(): _point(joint.getChildFrame().getPositionInGround(state))
        for joint in joints
    }
    parent = {
        joint.getChildFrame().findBaseFrame().getName(): joint.getParentFrame().findBaseFrame().getName()
        for joint in joints
    }
    lines = [_line(body, place[above], place[body]) for body, above in parent.items() if above in place]
    for body in sorted(set(place) - set(parent.values())):
        own = model.getBodySet().get(body)
        lines.append(_line(body, place[body], _point(own.findStationLocationInGround(state, own.getMassCenter()))))
    return lines


def _line(body: str, start: tuple[float, ...], end: tuple[float, ...]) -> dict[str, Any]:
    ends = [*zip(("x0", "y0", "z0"), start, strict=True), *zip(("x1", "y1", "z1"), end, strict=True)]
    return {"body": body, **dict(ends)}


def _point(vector: Any) -> tuple[float, ...]:
    return tuple(float(vector.get(axis)) for axis in range(3))
