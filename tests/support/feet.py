"""Feet that step where and when a test says: on a walkway, on belts, running."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Stance = tuple[float, float, float]
"""A foot is on the ground from the first to the second time in s, where the third tells, in m ahead."""

LIFT_M, LENGTH_M = 0.12, 0.18


def foot_path(time: Array, stances: Sequence[Stance], *, belt_m_s: float = 0.0, right_m: float = 0.1) -> Array:
    """Place of a foot's heel, shape (rows, 3), m: still in stance, or with the belt; through the air between.

    Before the first stance it comes down, and after the last it goes up, as from and to another step.
    """
    step = stances[0][1] - stances[0][0] + 0.4
    before = (stances[0][0] - step, stances[0][1] - step, stances[0][2] - 1.2)
    after = (stances[-1][0] + step, stances[-1][1] + step, stances[-1][2] + 1.2)
    every = [before, *stances, after]
    ahead, height = np.full(len(time), np.nan), np.zeros(len(time))
    for (on, off, at), (following, _, to) in pairwise(every):
        stands = (time >= on) & (time <= off)
        ahead[stands] = at - belt_m_s * (time[stands] - on)
        swings = (time > off) & (time < following)
        share = (time[swings] - off) / (following - off)
        start = at - belt_m_s * (off - on)
        ahead[swings] = start + (to - start) * share**2 * (3 - 2 * share)
        height[swings] = LIFT_M * np.sin(np.pi * share) ** 2
    known = np.isfinite(ahead)
    ahead = np.interp(time, time[known], ahead[known])
    return np.column_stack([ahead, height, np.full(len(time), right_m)])


def points_of(heel: Array) -> Array:
    """Two points of a foot that stays level: heel and toe, shape (rows, 2, 3)."""
    return np.stack([heel, heel + np.array([LENGTH_M, 0.0, 0.0])], axis=1)


def pressed(time: Array, *spans: tuple[float, float], newtons: float = 600.0) -> Array:
    """Vertical force that is there in some spans, shape (rows,)."""
    on_plate = np.zeros(len(time), bool)
    for on, off in spans:
        on_plate |= (time >= on) & (time <= off)
    return np.where(on_plate, newtons, 0.0)
