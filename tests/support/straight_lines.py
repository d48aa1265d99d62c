"""A small study of straight lines, so that results are exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nem2e_lib.data.storage.storage import Storage, write_storage

MUSCLES = ("soleus_r", "tib_ant_r", "soleus_l", "tib_ant_l")
STRIKES = {"right": (0.2, 1.2, 2.2), "left": (0.7, 1.7, 2.7)}
RAMP_N_PER_S = 7000.0
SETTINGS = """\
name = "small"
motion = "straight lines"
simulated_by = "a straight line"
cycle = "right-right"
synthetic = true
citation = "nobody"
licence = "MIT"

[emg]
sol = "soleus_r"
tib = "tib_ant_r"
"""


def force(time: np.ndarray, strikes: tuple[float, ...]) -> np.ndarray:
    """Vertical force in N of contacts of 0.3 s that rise and fall with a known slope, shape (rows,)."""
    contacts = [np.minimum(time - start, start + 0.3 - time) * RAMP_N_PER_S for start in strikes]
    return np.clip(np.max(contacts, axis=0), 0, 700)


def write_trial(folder: Path, trial: str) -> None:
    """The three files of one trial of 3 s."""
    slow, quick = np.linspace(0, 3, 301), np.linspace(0, 3, 1501)
    reserve = np.full_like(slow, 9.0)
    activation = [0.1 + 0.01 * m + 0.2 * slow for m in range(len(MUSCLES))]
    labels = (*(f"/forceset/{muscle}" for muscle in MUSCLES), "knee_angle_r_reserve")
    values = np.column_stack([*activation, reserve])
    write_storage(folder / f"{trial}_activation.sto", Storage("a", labels, slow, values))
    emg = np.column_stack([0.05 + 0.1 * c + 0.1 * quick for c in range(3)])
    write_storage(folder / f"{trial}_emg.sto", Storage("e", ("sol", "tib", "other"), quick, emg))
    feet = np.column_stack([force(quick, STRIKES["right"]), force(quick, STRIKES["left"])])
    labels = ("ground_force_vy", "l_ground_force_vy")
    write_storage(folder / f"{trial}_grf.mot", Storage("g", labels, quick, feet))
