"""Leaving one subject out, or one speed where there is a single subject, or nobody."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.errors import Nem2eError


@dataclass(frozen=True)
class Folds:
    """Which cycles each fold holds out.

    Attributes
    ----------
    unit
        `subject` or `speed`: what is held out, and the unit of analysis; `nobody` for the one fold that trains on all.
    labels
        Held-out subject or speed of each fold; empty for nobody.
    of_cycle
        Fold that holds a cycle out, shape (cycles,); -1 where none does.
    only
        Where a fold is to train on some of the other cycles alone: which, shape (folds, cycles); see `refine.subsets`.
    """

    unit: str
    labels: tuple[str, ...]
    of_cycle: NDArray[np.int32]
    only: NDArray[np.bool_] | None = None

    def shown(self, fold: int) -> NDArray[np.bool_]:
        """Return which cycles a fold trains on, shape (cycles,)."""
        others: NDArray[np.bool_] = np.asarray(self.of_cycle != fold)
        return others if self.only is None else others & self.only[fold]


def leave_one_out(cycles: xr.Dataset) -> Folds:
    """Return the folds of a study: by subject, or by speed where the study has one subject.

    Raises
    ------
    Nem2eError
        If there is one subject at one speed, so that nothing can be left out.
    """
    unit = "subject" if len(np.unique(cycles.subject.values)) > 1 else "speed"
    labels, of_cycle = np.unique(cycles[unit].values.astype(str), return_inverse=True)
    if len(labels) < 2:
        raise Nem2eError(
            f"study {cycles.attrs['study']}: all cycles are of one subject at one speed, expected at least two "
            "subjects or two speeds to leave one out; add trials to trials.csv."
        )
    return Folds(unit, tuple(labels.tolist()), of_cycle.astype(np.int32))


def leave_nobody_out(cycles: xr.Dataset) -> Folds:
    """Return the one fold that trains on every cycle: the models that are kept once their error is known."""
    return Folds("nobody", ("",), np.full(cycles.sizes["cycle"], -1, np.int32))


def training_order(
    sequences: NDArray[np.int32], epochs: int, seed: int, label: str, part: int = 0
) -> NDArray[np.int32]:
    """Order in which a fold's training sequences are shown, shuffled anew each epoch.

    Depends on the seed and the held-out label alone, so a model sees the same order whatever it is trained beside.

    Returns
    -------
    NDArray
        Indices of sequences, shape (epochs, sequences).
    """
    generator = np.random.default_rng([seed, zlib.crc32(label.encode()), part])
    return generator.permuted(np.tile(sequences, (epochs, 1)), axis=1)


def mean_curves(
    emg: NDArray[np.floating], of_cycle: NDArray[np.int32], only: NDArray[np.bool_] | None = None
) -> NDArray[np.floating]:
    """Training-mean EMG curve of each cycle's fold: the simplest rival.

    Parameters
    ----------
    emg
        Measured EMG, shape (channels, cycles, samples).
    of_cycle
        Fold of each cycle, shape (cycles,).
    only
        Cycles that each fold trains on, shape (folds, cycles); all others by default.

    Returns
    -------
    NDArray
        Same shape as `emg`; row c is the mean over the cycles that its fold trains on, NaN where no fold holds it out.
    """
    curves = np.full_like(emg, np.nan)
    for fold in np.unique(of_cycle[of_cycle >= 0]):
        held = of_cycle == fold
        shown = ~held if only is None else ~held & only[fold]
        curves[:, held] = emg[:, shown].mean(axis=1, keepdims=True)
    return curves
