"""A body like gait2392's: maximum forces, moment arms, and the synergies that drive its muscles.

Maximum isometric forces are gait2392's (Delp et al. 1990, doi:10.1109/10.102791, with the changes of Thelen 2003);
moment arms are rounded mean values in cm, constant over the motion, positive for flexion, adduction, internal rotation,
knee extension, ankle dorsiflexion and inversion. The synergies are ours, after the usual description of gait in five or
six modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.muscles import LEG, TRUNK

Array = NDArray[np.float64]

SIDE = (*LEG, *TRUNK)
"""Muscles of one side of the body, as the synergies drive them: 43 of the leg and 3 of the trunk."""


@dataclass(frozen=True)
class Synergies:
    """Burst of each synergy: centre and width (sd) in % of the cycle, weights of shape (46 muscles, synergies)."""

    names: tuple[str, ...]
    centre: Array
    width: Array
    weights: Array


def leg_strength() -> Array:
    """Return moment arm times maximum force of one leg, shape (6 torques, 43 muscles), in N·m."""
    return _strength("body.csv", LEG)


def trunk_strength() -> Array:
    """Return the same for the lumbar spine, shape (3 torques, 6 muscles: right and left of each)."""
    return _strength("trunk.csv", tuple(f"{muscle}_{side}" for muscle in TRUNK for side in "rl"))


@cache
def synergies(motion: str) -> Synergies:
    """Return the synergies of `running` or `walking`."""
    table = _table("synergies.csv")
    weights = np.zeros((len(SIDE), len(table)))
    for column, row in enumerate(table["weights"]):
        words = row.split()
        for muscle, weight in zip(words[::2], words[1::2], strict=True):
            weights[SIDE.index(muscle), column] = float(weight)
    centre, width = (table[f"{motion}_{what}"].to_numpy(float) for what in ("centre", "width"))
    return Synergies(tuple(table["synergy"]), centre, width, weights)


@cache
def _strength(file: str, muscles: tuple[str, ...]) -> Array:
    table = _table(file).set_index("muscle").loc[list(muscles)]
    arms = table.drop(columns="max_force_n").to_numpy(float) / 100.0
    return (arms * table["max_force_n"].to_numpy(float)[:, None]).T


def _table(file: str) -> pd.DataFrame:
    with files("nem2e_lib.data.synthetic").joinpath(file).open() as lines:
        return pd.read_csv(lines)
