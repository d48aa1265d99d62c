"""Who runs and walks in a synthetic study: all its trials, drawn from one seed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nem2e_lib.data.muscles import GAIT2392
from nem2e_lib.data.synthetic.design import Design
from nem2e_lib.data.synthetic.knobs import Knobs
from nem2e_lib.data.synthetic.mechanism import Population, Trial, population, subject
from nem2e_lib.errors import Nem2eError


@dataclass(frozen=True)
class Take:
    """A trial with its labels."""

    subject: str
    speed: str
    speed_m_s: float
    trial: Trial

    @property
    def name(self) -> str:
        """Name of the trial: subject and speed."""
        return f"{self.subject}_{self.speed.replace('/', '').replace(' ', '')}"

    @property
    def labels(self) -> dict[str, str | float]:
        """Coordinates of its cycles."""
        return {"subject": self.subject, "speed": self.speed, "speed_m_s": self.speed_m_s, "trial": self.name}


def common(design: Design, knobs: Knobs, seed: int) -> Population:
    """Draw what all subjects of a study share."""
    if seed < 0:
        raise Nem2eError(f"synthetic study: the seed is {seed}, expected a whole number of 0 or more; change it.")
    return population(design.motion, knobs, np.random.default_rng([seed, _code(design)]))


def takes(design: Design, knobs: Knobs, seed: int) -> Iterator[Take]:
    """Yield the trials of a study, subject by subject and speed by speed.

    A trial depends on seed, motion, subject and speed alone: a study with fewer subjects is a part of the whole one.
    """
    motion, group = _code(design), common(design, knobs, seed)
    for person in range(design.subjects):
        own = subject(group, knobs, np.random.default_rng([seed, motion, 1 + person]))
        for index, (speed, speed_m_s) in enumerate(zip(design.speeds, design.speeds_m_s, strict=True)):
            rng = np.random.default_rng([seed, motion, 1 + person, 1 + index])
            yield Take(f"subject{person + 1:02d}", speed, speed_m_s, Trial(design, group, own, index, knobs, rng))


def _code(design: Design) -> int:
    return zlib.crc32(design.motion.encode())


def channel_columns(design: Design) -> list[int]:
    """Column of gait2392 that each EMG channel's electrode measures."""
    electrodes = [design.electrodes.get(channel, channel) for channel in design.emg]
    return [GAIT2392.index(design.emg[electrode]) for electrode in electrodes]
