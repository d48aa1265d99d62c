"""Curves through samples that neither overshoot nor wiggle, to the bit as scipy's `PchipInterpolator`.

A copy of what a library has, for one reason: to load that library takes as long as to refine a recording.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def monotone(x: Array, y: Array, at: Array) -> Array:
    """Interpolate by cubics whose slopes are harmonic means of their neighbours' (Fritsch & Butland 1984).

    Parameters
    ----------
    x : float64 array, shape (samples,)
        Two or more, rising.
    y : float64 array, shape (curves, samples)
        Finite.
    at : float64 array, shape (points,)
        Within the samples.

    Returns
    -------
    float64 array, shape (curves, points)
    """
    step, d = np.diff(x), _slopes(x, y)
    rise = np.diff(y) / step
    bend = (d[:, :-1] + d[:, 1:] - 2 * rise) / step
    cubic, square = bend / step, (rise - d[:, :-1]) / step - bend
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(step) - 1)
    s = at - x[k]
    return y[:, k] + d[:, k] * s + square[:, k] * (s * s) + cubic[:, k] * (s * s * s)


def _slopes(x: Array, y: Array) -> Array:
    """Slope of each curve at each sample, shape (curves, samples): 0 where it turns."""
    step = np.diff(x)
    rise = np.diff(y) / step
    if len(step) == 1:
        return np.repeat(rise, 2, axis=1)
    before, after = rise[:, :-1], rise[:, 1:]
    turns = (np.sign(before) != np.sign(after)) | (before == 0) | (after == 0)
    early, late = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(turns, 0.0, 1.0 / ((early / before + late / after) / (early + late)))
    first = _end(step[0], step[1], rise[:, 0], rise[:, 1])
    last = _end(step[-1], step[-2], rise[:, -1], rise[:, -2])
    return np.concatenate([first[:, None], inner, last[:, None]], axis=1)


def _end(step: float, next_step: float, rise: Array, next_rise: Array) -> Array:
    """Slope at an end, of the parabola through three samples, held so that the curve keeps its direction."""
    slope = ((2 * step + next_step) * rise - step * next_rise) / (step + next_step)
    steep = (np.sign(rise) != np.sign(next_rise)) & (np.abs(slope) > 3 * np.abs(rise))
    return np.where(np.sign(slope) != np.sign(rise), 0.0, np.where(steep, 3.0 * rise, slope))
