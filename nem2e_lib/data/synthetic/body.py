"""A body like gait2392's: forces, moment arms, synergies, and its redundancy resolved by least effort.

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
from nem2e_lib.error import Nem2eError

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
def synergies(motion: str, file: str = "synergies.csv") -> Synergies:
    """Return the synergies of `running` or `walking` from a table of this folder."""
    table = _table(file)
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
    with files("nem2e_lib.data.synthetic").joinpath(file).open(encoding="utf-8") as lines:
        return pd.read_csv(lines)


_TOLERANCE = 1e-9
_STEPS = 200


def minimum_activation(strength: Array, torques: Array) -> Array:
    """Solve min Σ a² with `strength` · a = torque and 0 ≤ a ≤ 1 at every frame (Thelen et al. 2003; exponent 2).

    The dual has one unknown a torque: a = clip(strengthᵀλ, 0, 1), and a damped Newton iteration finds the λ at which
    the torques are met, for all frames at once.

    Parameters
    ----------
    strength
        Moment arm times maximum force, shape (torques, muscles), in N·m.
    torques
        Shape (frames, torques), in N·m. They must be reachable with activations in 0 to 1.

    Returns
    -------
    NDArray
        Activations, shape (frames, muscles).

    Raises
    ------
    Nem2eError
        If the torques of a frame cannot be met.
    """
    scale = np.linalg.norm(strength, axis=1)
    rows, wanted = strength / scale[:, None], torques / scale
    dual = np.zeros_like(wanted)
    for _ in range(_STEPS):
        gap = _gap(rows, dual, wanted)
        open_frames = np.abs(gap).max(axis=1) > _TOLERANCE
        if not open_frames.any():
            return np.asarray(np.clip(dual @ rows, 0.0, 1.0))
        dual[open_frames] += _newton(rows, dual[open_frames], wanted[open_frames], gap[open_frames])
    worst = int(np.abs(_gap(rows, dual, wanted)).max(axis=1).argmax())
    raise Nem2eError(f"minimum activation: the torques of frame {worst} cannot be met by activations of 0 to 1.")


def _gap(rows: Array, dual: Array, wanted: Array) -> Array:
    return wanted - np.clip(dual @ rows, 0.0, 1.0) @ rows.T


def _objective(rows: Array, dual: Array, wanted: Array) -> Array:
    """Dual function to be maximised; its gradient is the gap in torque."""
    drive = dual @ rows
    activation = np.clip(drive, 0.0, 1.0)
    return (dual * wanted).sum(axis=1) - (activation * drive - 0.5 * activation**2).sum(axis=1)


def _newton(rows: Array, dual: Array, wanted: Array, gap: Array) -> Array:
    drive = dual @ rows
    free = ((drive > 0.0) & (drive < 1.0)).astype(float)
    curvature = np.einsum("im,fm,jm->fij", rows, free, rows) + 1e-8 * np.eye(len(rows))
    step = np.linalg.solve(curvature, gap[..., None])[..., 0]
    before, slope = _objective(rows, dual, wanted), (gap * step).sum(axis=1)
    length = np.ones(len(dual))
    for _ in range(40):
        gain = _objective(rows, dual + length[:, None] * step, wanted) - before
        short = gain < 1e-4 * length * slope - 1e-14
        if not short.any():
            break
        length[short] *= 0.5
    return length[:, None] * step
