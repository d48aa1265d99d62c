"""Ground reaction forces whose heel strikes are those of the trial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.synthetic.mechanism import Trial

Array = NDArray[np.float64]

COLUMNS = tuple(f"{foot}ground_force_{part}" for foot in ("", "l_") for part in ("vx", "vy", "vz", "px", "py", "pz"))
_WEIGHT_N = 700.0
_STRIKE_N = 20.0


def ground_reaction(trial: Trial, time: Array, motion: str, stance: float, noise: Array) -> Array:
    """Forces (N) and centres of pressure (m) of both feet on a treadmill, shape (times, 12).

    The vertical force passes 20 N at the trial's heel strikes; a foot in the air shows `noise` (N), shape (times, 2).
    """
    feet = []
    for left in (0, 1):
        phase = (trial.phase(time) - 0.5 * left) % 1.0
        share = phase / stance
        on = share < 1.0
        vertical = np.where(on, _STRIKE_N + _load(share, motion), np.abs(noise[:, left]))
        fore_aft = np.where(on, -0.2 * _WEIGHT_N * np.sin(2 * np.pi * share), 0.0)
        lateral = np.where(on, (0.05 - 0.1 * left) * _WEIGHT_N * np.sin(np.pi * share), 0.0)
        pressure = np.where(on, 0.25 - 0.5 * share, 0.0)
        width = np.where(on, 0.08 - 0.16 * left, 0.0)
        feet.append(np.stack([fore_aft, vertical, lateral, pressure, np.zeros_like(share), width], axis=1))
    return np.concatenate(feet, axis=1)


def _load(share: Array, motion: str) -> Array:
    inside = np.clip(share, 0.0, 1.0)
    if motion == "running":
        return 2.4 * _WEIGHT_N * np.sin(np.pi * inside)
    return _WEIGHT_N * (1.2 * np.sin(np.pi * inside) + 0.35 * np.sin(3 * np.pi * inside))
