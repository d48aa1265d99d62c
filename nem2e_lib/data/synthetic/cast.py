"""Who runs and walks in a study, trial by trial, by either generator."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nem2e_lib.data.synthetic import first, second
from nem2e_lib.data.synthetic.body import Synergies, synergies
from nem2e_lib.data.synthetic.design import Design
from nem2e_lib.data.synthetic.knobs import Knobs, Knobs1
from nem2e_lib.data.synthetic.mechanism import Array, one_electrode
from nem2e_lib.error import Nem2eError


@dataclass(frozen=True)
class Take:
    """A trial with its labels."""

    subject: str
    speed: str
    speed_m_s: float
    trial: first.Trial | second.Trial

    @property
    def name(self) -> str:
        """Name of the trial: subject and speed."""
        return f"{self.subject}_{self.speed.replace('/', '').replace(' ', '')}"

    @property
    def labels(self) -> dict[str, str | float]:
        """Coordinates of its cycles."""
        return {"subject": self.subject, "speed": self.speed, "speed_m_s": self.speed_m_s, "trial": self.name}


def takes(design: Design, knobs: Knobs | Knobs1, seed: int) -> Iterator[Take]:
    """Yield the trials of a study, subject by subject and speed by speed.

    A trial depends on seed, motion, subject and speed alone: a study with fewer subjects is a part of the whole one.
    """
    for person in range(design.subjects):
        for index, trial in enumerate(_trials(design, knobs, seed, person)):
            yield Take(f"subject{person + 1:02d}", design.speeds[index], design.speeds_m_s[index], trial)


def _trials(design: Design, knobs: Knobs | Knobs1, seed: int, person: int) -> Iterator[first.Trial | second.Trial]:
    """Yield the trials of a person, from the slowest speed."""
    key = (seed, _code(design), 1 + person)
    if isinstance(knobs, Knobs1):
        group = first.population(design.motion, knobs, _common(design, seed))
        own = first.subject(group, knobs, np.random.default_rng(key))
        for index in range(len(design.speeds)):
            yield first.Trial(design, group, own, index, knobs, np.random.default_rng((*key, 1 + index)))
    else:
        crowd = second.population(design.motion, knobs, _common(design, seed))
        who = second.subject(crowd, knobs, np.random.default_rng(key))
        for index in range(len(design.speeds)):
            yield second.Trial(design, crowd, who, index, knobs, np.random.default_rng((*key, 1 + index)))


def common_drive(design: Design, knobs: Knobs | Knobs1, seed: int) -> tuple[Synergies, Array]:
    """Return a study's synergies, and how strongly each drives each of a side's muscles in all subjects."""
    if isinstance(knobs, Knobs1):
        group = first.population(design.motion, knobs, _common(design, seed))
        return synergies(design.motion), one_electrode(design, group.weights)
    crowd = second.population(design.motion, knobs, _common(design, seed))
    return second.common_synergies(design.motion), one_electrode(design, crowd.weights)


def _common(design: Design, seed: int) -> np.random.Generator:
    """Draws what all subjects of a study share."""
    if seed < 0:
        raise Nem2eError(f"synthetic study: the seed is {seed}, expected a whole number of 0 or more; change it.")
    return np.random.default_rng([seed, _code(design)])


def _code(design: Design) -> int:
    return zlib.crc32(design.motion.encode())
