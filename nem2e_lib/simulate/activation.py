"""Muscle activation as a study folder accepts it, from what OpenSim's tools write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nem2e_lib.data.columns import muscle_name
from nem2e_lib.data.storage import Storage, read_storage, write_storage
from nem2e_lib.errors import Nem2eError
from nem2e_lib.simulate.osim import StepFailed
from nem2e_lib.simulate.states import read_states

INSTANT_S = 1e-6
"""Steps of the integrator shorter than this are dropped: they carry no information and upset interpolation."""


def activation_of_states(path: Path, muscles: Sequence[str] = ()) -> Storage:
    """Return activation from a file of states: columns ``/forceset/<muscle>/activation``, labelled by muscle.

    Time steps stay as the integrator chose them, unless shorter than `INSTANT_S`; computed muscle control starts
    0.03 s after the window asked for.

    Parameters
    ----------
    muscles : sequence of str
        Order of the columns; without it, that of the file.

    Raises
    ------
    Nem2eError
        If the file has no column of activation, or lacks one of `muscles`.
    """
    storage = read_states(path)
    columns = {muscle_name(label): label for label in storage.labels if label.endswith(("/activation", ".activation"))}
    if not columns:
        raise Nem2eError(
            f"{path}: has no column /forceset/<muscle>/activation; the states that computed muscle control writes "
            "(…_states.sto) are expected."
        )
    names = list(muscles) or list(columns)
    missing = [name for name in names if name not in columns]
    if missing:
        raise Nem2eError(f"{path}: has no activation of muscle {missing[0]!r}; it has {', '.join(columns)}.")
    values = np.column_stack([storage.column(columns[name]) for name in names])
    rows = _apart(storage.time)
    return Storage("activation", tuple(names), storage.time[rows], values[rows])


def _apart(time: np.ndarray) -> np.ndarray:
    """Rows whose time is more than an instant after the one before, and the last."""
    keep = np.append(np.diff(time) > INSTANT_S, True)
    return np.flatnonzero(keep)


def save_static_optimisation(results: Path, target: Path, muscles: Sequence[str]) -> None:
    """Write the muscles' columns of a static optimisation, without reserves and residuals."""
    storage = read_storage(results)
    values = np.column_stack([storage.column(name) for name in muscles])
    save_activation(target, Storage("activation", tuple(muscles), storage.time, values))


def save_activation(path: Path, storage: Storage) -> None:
    """Write activation; StepFailed where it is not finite, which no study accepts."""
    bad = np.argwhere(~np.isfinite(storage.values))
    if len(bad):
        row, column = bad[0]
        raise StepFailed(
            f"{path}: activation of {storage.labels[column]!r} is not finite at {storage.time[row]:.6g} s; "
            "the simulation broke down there."
        )
    write_storage(path, storage)
