"""Vertical forces of two plates under somebody whose steps are known, spoilt as asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from nem2e_lib.data.force.events import Events, find_events
from nem2e_lib.data.force.feet import FEET, Feet
from nem2e_lib.data.gait import Limits
from nem2e_lib.data.storage.storage import Storage

WEIGHT_N = 700.0


@dataclass
class Walk:
    """Steps of both feet, and the plate that each falls on.

    Attributes
    ----------
    cycle_s, stance, other : float
        Length of a cycle, share of it on the ground, share of it until the left foot strikes.
    irregular : float
        Standard deviation of a cycle's length, as a share of it.
    ramp : float
        By which share cycles are shorter at the end than at the start.
    wrong : sequence of (side, step)
        Steps that fall on the other plate.
    missed : sequence of (side, step)
        Steps that fall on no plate.
    """

    cycle_s: float = 1.1
    stance: float = 0.6
    other: float = 0.5
    seconds: float = 30.0
    rate_hz: float = 500.0
    irregular: float = 0.0
    ramp: float = 0.0
    seed: int = 0
    wrong: Sequence[tuple[str, int]] = ()
    missed: Sequence[tuple[str, int]] = ()
    strikes: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        random, starts = np.random.default_rng(self.seed), [0.4 - 2 * self.cycle_s]
        while starts[-1] < self.seconds + 2 * self.cycle_s:
            length = self.cycle_s * (1 - self.ramp * np.clip(starts[-1] / self.seconds, 0, 1))
            starts.append(starts[-1] + length * (1 + self.irregular * random.normal()))
        right = np.array(starts)
        self.strikes = {"right": right[:-1], "left": right[:-1] + self.other * np.diff(right)}
        self.lengths = np.diff(right)

    @property
    def time(self) -> np.ndarray:
        return np.arange(round(self.seconds * self.rate_hz) + 1) / self.rate_hz

    def forces(self) -> np.ndarray:
        """Force on the right and the left plate in N, shape (rows, 2); mean over a cycle is body weight."""
        time, plates = self.time, np.zeros((round(self.seconds * self.rate_hz) + 1, 2))
        for foot, side in enumerate(FEET):
            for step, (start, length) in enumerate(zip(self.strikes[side], self.lengths, strict=True)):
                if (side, step) not in self.missed:
                    plate = 1 - foot if (side, step) in self.wrong else foot
                    plates[:, plate] += contact(time, start, length, self.stance)
        return plates

    def true_cycles(self, side: str = "right") -> list[tuple[float, float]]:
        inside = self.strikes[side]
        return [(a, b) for a, b in pairwise(inside.tolist()) if a > 0 and b < self.seconds]


def contact(time: np.ndarray, start: float, length: float, stance: float) -> np.ndarray:
    part = (time - start) / (stance * length)
    arch = np.sin(np.pi * part.clip(0, 1))
    shape = (1.1 * arch**0.6 - 0.25 * arch**4) if stance > 0.5 else arch**0.8
    mean = 0.674 if stance > 0.5 else 0.69
    return np.where((part > 0) & (part < 1), WEIGHT_N / (2 * stance * mean) * shape, 0.0)


def events(time: np.ndarray, forces: np.ndarray, **limits: float) -> Events:
    """What is found in the forces of two plates."""
    feet = Feet(Path("grf.mot"), Storage("grf", FEET, time, forces), (("r",), ("l",)))
    return find_events(feet, Limits(**limits))


def wrong_cycles(kept: Sequence[tuple[float, float]], truth: Sequence[tuple[float, float]], within: float = 0.02):
    """Those that are none of the true ones."""
    return [k for k in kept if not any(abs(k[0] - t[0]) < within and abs(k[1] - t[1]) < within for t in truth)]
