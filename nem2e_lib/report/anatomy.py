"""Names, regions and schematic paths of the actuators of a gait2392-like body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pandas as pd

REGIONS = ("trunk", "hip", "thigh", "shank", "arm", "other")
SIDES = {"r": "right", "l": "left", "": "no side"}
Path = tuple[tuple[str, float, float], ...]


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
    source = resources.files("nem2e_lib.report").joinpath("gait2392_paths.csv")
    with source.open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype=str)
    return {r["muscle"]: (r["name"], r["region"], r["path"]) for r in table.to_dict("records")}
