"""Hyper-parameters chosen inside the training cycles of a fold, never by its held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.refine.rivals.protocol import Array, Simulated, inner_folds

FitMany = Callable[[Simulated, Array, Simulated], Array]
"""From training cycles, their EMG and held-out cycles to every candidate's prediction: (candidates, cycles, samples,
channels)."""


def out_of_fold(predict: FitMany, simulated: Simulated, measured: Array) -> Array:
    """Predict every training cycle from the other inner folds; shape (candidates, cycles, samples, channels)."""
    parts = [
        (out, predict(simulated.take(kept), measured[kept], simulated.take(out)))
        for kept, out in inner_folds(simulated)
    ]
    guesses = np.empty((len(parts[0][1]), *measured.shape))
    for out, guess in parts:
        guesses[:, out] = guess
    return guesses


def best(guesses: Array, measured: Array) -> NDArray[np.intp]:
    """Return each channel's candidate with the least RMSE, mean over cycles; shape (channels,).

    The mean of the cycles' RMSE is what Er is made of (Teramae et al. 2025, Eq. 1).
    """
    error = np.sqrt(((guesses - measured) ** 2).mean(axis=2)).mean(axis=1)
    return np.asarray(error.argmin(axis=0))


def pick(candidates: Array, chosen: NDArray[np.intp]) -> Array:
    """Return each channel's chosen candidate: from (candidates, …, channels) to (…, channels)."""
    return np.stack([candidates[k, ..., channel] for channel, k in enumerate(chosen)], axis=-1)


def values(options: Sequence[float], chosen: NDArray[np.intp]) -> list[float]:
    """Return the options chosen, one a channel."""
    return [float(options[k]) for k in chosen]
