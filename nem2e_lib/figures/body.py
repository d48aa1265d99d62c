"""A stick figure that walks or runs, and the names, regions and paths of the muscles on it (those of gait2392).

Joint angles are schematic: smooth curves through hand-set values of a typical gait cycle, right heel strike at 0 %.
They place the muscles; they are nobody's measured motion. Paths stand in `gait2392_paths.csv`, by the side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from scipy.interpolate import CubicSpline

from nem2e_lib.figures.panels import Float

REGIONS = ("trunk", "hip", "thigh", "shank", "arm", "other")
SIDES = {"r": "right", "l": "left", "": "no side"}
Path = tuple[tuple[str, float, float], ...]
"""Points: segment, share of its length, metres in front of it."""
Frame = tuple[Float, Float, Float]
"""Origin of a segment, unit axis along it, unit axis to its front."""

LENGTHS = {
    "trunk": 0.48,
    "pelvis": 0.12,
    "thigh": 0.42,
    "shank": 0.42,
    "foot": 0.17,
    "upper_arm": 0.28,
    "forearm": 0.25,
}
NEAR, FAR = "#3a4350", "#b3bbc5"
HEAD = 0.095
"""Radius of the head, metres."""
SIDE_COLOURS = {"right": "#D55E00", "left": "#009E73", "no side": "#D55E00"}
FAR_SHIFT = {"right": np.zeros(2), "left": np.array([0.045, 0.02])}

# degrees at percent of the cycle: hip and knee flexion, ankle dorsiflexion
ANGLES: dict[str, dict[str, tuple[tuple[float, ...], tuple[float, ...]]]] = {
    "walking": {
        "hip": ((0, 25, 50, 65, 80, 92), (30, 10, -11, 2, 27, 32)),
        "knee": ((0, 15, 40, 60, 72, 88), (4, 18, 6, 36, 60, 22)),
        "ankle": ((0, 8, 45, 62, 80), (0, -6, 11, -18, 2)),
    },
    "running": {
        "hip": ((0, 18, 38, 50, 70, 86), (36, 20, -10, 4, 44, 46)),
        "knee": ((0, 14, 36, 50, 66, 84), (18, 42, 18, 80, 104, 48)),
        "ankle": ((0, 16, 38, 55, 75), (4, 22, -22, -8, 4)),
    },
}
LEAN = {"walking": 3.0, "running": 9.0}
ARM_SWING = {"walking": 22.0, "running": 32.0}
ELBOW = {"walking": 18.0, "running": 85.0}


@dataclass(frozen=True)
class Actuator:
    """A column of the activation file.

    Attributes
    ----------
    column : str
        Its name in the file, such as ``tib_ant_r``.
    name : str
        Legible name; the column's own where it is none of gait2392's.
    region : str
        One of `REGIONS`.
    side : str
        ``right``, ``left`` or ``no side``.
    path : tuple of (segment, share of its length, metres in front of it)
        Empty where it cannot be drawn.
    """

    column: str
    name: str
    region: str
    side: str
    path: Path

    @property
    def label(self) -> str:
        """Name with the side's letter."""
        letter = {"right": " R", "left": " L"}.get(self.side, "")
        return self.name + letter


def actuator(column: str) -> Actuator:
    """Return what is known of a column; one unknown to gait2392 keeps its own name and is not drawn."""
    found = re.fullmatch(r"(?P<base>.+?)(?:_(?P<side>[rl]))?", column)
    base, side = (found["base"], found["side"] or "") if found else (column, "")
    row = _known().get(base)
    if row is None:
        return Actuator(column, column, "other", SIDES[side], ())
    return Actuator(column, row[0], row[1], SIDES[side], _path(row[2]))


def in_order(columns: Sequence[str]) -> list[Actuator]:
    """Return the actuators grouped by side and region: trunk, right leg, left leg, arms, others."""
    every = [actuator(c) for c in columns]
    return sorted(every, key=_rank)


def group_of(one: Actuator) -> str:
    """Return the group that a figure names: ``trunk``, ``right hip``, ``left shank``, ``other``."""
    return one.region if one.region in ("trunk", "other") else f"{one.side} {one.region}"


def _rank(one: Actuator) -> tuple[int, int, int]:
    block = {"trunk": 0, "arm": 3, "other": 4}.get(one.region, 1 if one.side == "right" else 2)
    return block, list(SIDES.values()).index(one.side), REGIONS.index(one.region)


def _path(text: str) -> Path:
    parts = [point.split() for point in text.split(";")]
    return tuple((segment, float(along), float(front)) for segment, along, front in parts)


@cache
def _known() -> dict[str, tuple[str, str, str]]:
    source = resources.files("nem2e_lib.figures").joinpath("gait2392_paths.csv")
    with source.open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype=str)
    return {r["muscle"]: (r["name"], r["region"], r["path"]) for r in table.to_dict("records")}


def joint_angle(joint: str, percent: float, motion: str) -> float:
    """Return a joint's angle in degrees; the curve closes on itself at 100 %."""
    return float(_curve(joint, _motion(motion))(percent % 100.0))


def pose(percent: float, motion: str) -> dict[tuple[str, str], Frame]:
    """Return the frame of every segment: origin, unit axis along it, unit axis to its front (m, x forward).

    Keys are (segment, side). The lower foot stands at height 0.
    """
    lean = LEAN[_motion(motion)]
    frames: dict[tuple[str, str], Frame] = {}
    for side, offset in (("right", 0.0), ("left", 50.0)):
        frames |= _side(side, percent + offset, motion, lean)
    lowest = min(float(p[1]) for side in ("right", "left") for p in _sole(frames["foot", side]))
    return {key: (origin - [0.0, lowest], along, front) for key, (origin, along, front) in frames.items()}


def place(frames: Mapping[tuple[str, str], Frame], segment: str, side: str, along: float, front: float) -> Float:
    """Return a point of a segment in metres: a share of its length along it, then metres to its front."""
    origin, axis, normal = frames[segment, side]
    return origin + along * LENGTHS[segment] * axis + front * normal


def muscle_path(frames: Mapping[tuple[str, str], Frame], one: Actuator) -> Float:
    """Return the points (n, 2) of an actuator's path; (0, 2) where it has none."""
    side = one.side if one.side in ("right", "left") else "right"
    points = [place(frames, segment, side, along, front) for segment, along, front in one.path]
    return np.array(points).reshape(-1, 2)


def draw_body(axis: Axes, frames: Mapping[tuple[str, str], Frame]) -> None:
    """Draw bones, head and ground; the far (left) side first and paler."""
    for side, line in body_lines(frames):
        colour, wide = FAR if side == "left" else NEAR, 3.0 if side else 3.4
        axis.plot(*line.T, color=colour, lw=wide, solid_capstyle="round", solid_joinstyle="round", zorder=1)
        if side:
            axis.plot(*line.T, ls="", marker="o", ms=3.4, color=colour, zorder=1)
    middle = head(frames)
    axis.add_patch(Circle((float(middle[0]), float(middle[1])), HEAD, fc="white", ec=NEAR, lw=2.6, zorder=1))
    axis.plot([-0.62, 0.62], [0, 0], color="#9aa3ad", lw=1, zorder=0)


def body_lines(frames: Mapping[tuple[str, str], Frame]) -> list[tuple[str, Float]]:
    """Return the bones: leg, foot and arm of the left side, those of the right side, and the spine, which has none.

    Returns
    -------
    list of (side, points (n, 2) in metres)
    """
    spine = np.array([place(frames, "pelvis", "right", 0, 0), place(frames, "trunk", "right", 1, 0)])
    return [(side, line) for side in ("left", "right") for line in _bones(frames, side)] + [("", spine)]


def head(frames: Mapping[tuple[str, str], Frame]) -> Float:
    """Return the middle of the head, of radius `HEAD`, in metres, shape (2,)."""
    return place(frames, "trunk", "right", 1.32, 0.015)


def _bones(frames: Mapping[tuple[str, str], Frame], side: str) -> list[Float]:
    def at(segment: str, along: float, front: float = 0.0) -> Float:
        return place(frames, segment, side, along, front)

    leg = [at("thigh", 0), at("shank", 0), at("shank", 1)]
    foot = [at("shank", 1), *_sole(frames["foot", side]), at("shank", 1)]
    arm = [at("upper_arm", 0), at("upper_arm", 1), at("forearm", 1)]
    return [np.array(leg), np.array(foot), np.array(arm)]


def _sole(foot: Frame) -> list[Float]:
    origin, along, up = foot
    return [
        origin - 0.36 * LENGTHS["foot"] * along - 0.06 * up,
        origin + LENGTHS["foot"] * along - 0.065 * up,
    ]


def _side(side: str, percent: float, motion: str, lean: float) -> dict[tuple[str, str], Frame]:
    hip, knee, ankle = (joint_angle(j, percent, motion) for j in ("hip", "knee", "ankle"))
    swing = -ARM_SWING[_motion(motion)] * np.cos(2 * np.pi * percent / 100)
    root = FAR_SHIFT[side]
    frames: dict[tuple[str, str], Frame] = {("pelvis", side): _frame(root, -lean, up=True)}
    top = root + LENGTHS["pelvis"] * frames["pelvis", side][1]
    frames["trunk", side] = _frame(top, -lean, up=True)
    shoulder = top + 0.93 * LENGTHS["trunk"] * frames["trunk", side][1]
    frames |= _limb(side, ("thigh", "shank"), root, (hip, hip - knee))
    frames |= _limb(side, ("upper_arm", "forearm"), shoulder, (swing, swing + ELBOW[_motion(motion)]))
    ankle_joint = frames["shank", side][0] + LENGTHS["shank"] * frames["shank", side][1]
    sole = np.radians(hip - knee + ankle)
    frames["foot", side] = (
        ankle_joint,
        np.array([np.cos(sole), np.sin(sole)]),
        np.array([-np.sin(sole), np.cos(sole)]),
    )
    return frames


def _limb(
    side: str, names: tuple[str, str], origin: Float, degrees: tuple[float, float]
) -> dict[tuple[str, str], Frame]:
    upper = _frame(origin, degrees[0])
    lower = _frame(origin + LENGTHS[names[0]] * upper[1], degrees[1])
    return {(names[0], side): upper, (names[1], side): lower}


def _frame(origin: Float, degrees: float, *, up: bool = False) -> Frame:
    angle = np.radians(degrees)
    along = np.array([np.sin(-angle), np.cos(angle)]) if up else np.array([np.sin(angle), -np.cos(angle)])
    return origin, along, np.array([np.cos(angle), np.sin(angle)])


def _motion(motion: str) -> str:
    return motion if motion in ANGLES else "running" if "run" in motion else "walking"


@cache
def _curve(joint: str, motion: str) -> CubicSpline:
    percent, degrees = ANGLES[motion][joint]
    return CubicSpline([*percent, 100.0], [*degrees, degrees[0]], bc_type="periodic")
