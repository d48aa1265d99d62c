"""Gait events from vertical ground reaction force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def contacts(
    time: Array,
    force: Array,
    *,
    threshold_n: float = 20.0,
    min_stance_s: float = 0.08,
    min_swing_s: float = 0.08,
) -> list[tuple[float, float]]:
    """Start and end of each contact of a foot with the ground, in s.

    A foot is on the ground while its vertical force exceeds the threshold; the moment of crossing is linear
    between samples. Gaps shorter than a swing are closed first, then contacts shorter than a stance left out.
    A contact already there at the first sample starts at -inf; one still there at the last ends at inf.

    Parameters
    ----------
    time, force : float64 arrays, shape (rows,)
        In s, never decreasing, and in N.
    """
    flanks = np.flatnonzero(np.diff(force > threshold_n, prepend=False, append=False))
    joined: list[tuple[float, float]] = []
    for rows in flanks.reshape(-1, 2).tolist():
        start, end = (_crossing(time, force, row, threshold_n) for row in rows)
        if joined and start - joined[-1][1] < min_swing_s:
            start = joined.pop()[0]
        joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= min_stance_s]


def _crossing(time: Array, force: Array, row: int, threshold: float) -> float:
    """Time between row - 1 and row at which force is at the threshold."""
    if row == 0:
        return -np.inf
    if row == len(time):
        return np.inf
    below, above = sorted((force[row - 1], force[row]))
    share = (threshold - below) / (above - below)
    share = share if force[row] > force[row - 1] else 1 - share
    return float(time[row - 1] + share * (time[row] - time[row - 1]))


def heel_strikes(time: Array, force: Array, **options: float) -> Array:
    """Times of heel strike in s: the starts of `contacts`, which also explains the options."""
    return np.array([start for start, _ in contacts(time, force, **options) if np.isfinite(start)])


def toe_offs(time: Array, force: Array, **options: float) -> Array:
    """Times of toe-off in s: the ends of `contacts`, which also explains the options."""
    return np.array([end for _, end in contacts(time, force, **options) if np.isfinite(end)])


def cycles(right: Array, left: Array, definition: str = "right-right") -> list[tuple[float, float]]:
    """Start and end of gait cycles in s, from heel strikes of both feet.

    ``right-right`` runs from a right heel strike to the next right one; ``right-left`` to the next left one
    (Teramae et al. 2025, caption of Figure 3), provided it comes before the next right one.
    """
    if definition == "right-right":
        return list(pairwise(right.tolist()))
    pairs = []
    for start, limit in pairwise([*right, np.inf]):
        after = left[(left > start) & (left < limit)]
        if len(after):
            pairs.append((float(start), float(after[0])))
    return pairs
