"""Generator 1: six synergies, noise of a fixed size, and an error of the simulation that is drawn anew every cycle.

The chain is the paper's own two hypotheses (Teramae et al. 2025, section 1): the simulation is late, and it shares
the torque between redundant muscles as least effort would have it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.synthetic.body import SIDE, synergies
from nem2e_lib.data.synthetic.design import Design
from nem2e_lib.data.synthetic.knobs import Knobs1
from nem2e_lib.data.synthetic.mechanism import (
    Clock,
    Habits,
    body_order,
    habits,
    least_effort,
    one_electrode,
    pace,
    shared_weights,
    smooth_noise,
)

Array = NDArray[np.float64]

_TONE = 0.02
"""Activation that every muscle keeps."""
_PEAK = 0.8
_NOISE_SMOOTHING_S = 0.015


@dataclass(frozen=True)
class Population:
    """What all subjects of a study share: weights (46, synergies) and their change from slowest to fastest speed."""

    weights: Array
    speed_change: Array


def population(motion: str, knobs: Knobs1, rng: np.random.Generator) -> Population:
    """Draw what a study's subjects share."""
    weights = shared_weights(synergies(motion).weights, knobs, rng)
    return Population(weights, knobs.speed_sharing * rng.standard_normal(weights.shape))


def subject(group: Population, knobs: Knobs1, rng: np.random.Generator) -> Habits:
    """Draw a subject."""
    return habits(group.weights, knobs, rng)


class Trial:
    """One trial: its heel strikes and its muscle activity at any time.

    Parameters
    ----------
    design
        Durations and number of cycles of the study.
    group, person
        What is common, and what is the subject's.
    speed
        Index of the speed, 0 the slowest.
    knobs
        Strength of every mechanism.
    rng
        Generator of this trial alone.
    """

    def __init__(
        self, design: Design, group: Population, person: Habits, speed: int, knobs: Knobs1, rng: np.random.Generator
    ):
        self._design, self._person, self._knobs = design, person, knobs
        self._pace = pace(design, speed)
        self._clock = Clock(design, speed, rng)
        self.strikes, self.end, self.duration = self._clock.strikes, self._clock.end, self._clock.duration
        self.phase = self._clock.phase
        sharing = person.weights * np.exp(group.speed_change * (self._pace - 0.5))
        self._weights = one_electrode(design, sharing)
        shape = (2, self._clock.cycles, sharing.shape[1])
        self._shift = knobs.cycle_timing * rng.standard_normal(shape)
        self._log_amplitude = knobs.cycle_amplitude * rng.standard_normal(shape)
        self._error = rng.standard_normal((self._clock.cycles, 3, 2, 2 * len(SIDE)))
        self._noise_seed = int(rng.integers(2**63))

    def true(self, time: Array) -> Array:
        """Return the true activation, shape (times, 92), in gait2392's order."""
        return body_order(self._side(time, 0), self._side(time, 1))

    def simulated(self, time: Array) -> Array:
        """Return the simulated activation: late, sharing by least effort, with a smooth error of each muscle's own."""
        knobs = self._knobs
        late = self.true(time - knobs.delay_ms / 1000.0)
        if knobs.redundancy > 0:
            late = late + knobs.redundancy * (least_effort(late) - late)
        if knobs.simulation_error > 0:
            late = late * (1.0 + knobs.simulation_error * self._relative_error(time))
        return np.asarray(np.clip(late, 0.0, 1.0))

    def measured(self, time: Array, columns: list[int]) -> Array:
        """Return the measured envelopes of some muscles: true activation with noise, never below zero."""
        true = self.true(time)[:, columns]
        if self._knobs.emg_noise == 0:
            return true
        size = self._knobs.emg_noise
        noise = smooth_noise(time, self.end, self._noise_seed, columns, _NOISE_SMOOTHING_S, size)
        return np.asarray(np.clip(true + noise, 0.0, None))

    def _side(self, time: Array, left: int) -> Array:
        """Activation of one side's 46 muscles: bursts of each synergy in each cycle, half a cycle later on the left."""
        person, pattern = self._person, synergies(self._design.motion)
        centre = pattern.centre + person.shift + person.shift_with_speed * self._pace + self._shift[left] + 50.0 * left
        width = pattern.width * np.exp(person.log_width)
        amplitude = np.exp(person.log_amplitude + person.amplitude_with_speed * self._pace + self._log_amplitude[left])
        cycle = np.arange(len(self._shift[left]))[:, None]
        where = 100.0 * (self.phase(time)[:, None, None] - cycle)
        bursts = (amplitude * np.exp(-0.5 * ((where - centre) / width) ** 2)).sum(axis=1)
        return np.asarray(np.clip(_TONE + _PEAK * bursts @ self._weights.T, 0.0, 1.0))

    def _relative_error(self, time: Array) -> Array:
        phase = self.phase(time)
        middles = np.arange(len(self._error)) + 0.5
        total = np.zeros((len(time), self._error.shape[-1]))
        for harmonic in (1, 2, 3):
            for part, wave in enumerate((np.cos, np.sin)):
                nodes = self._error[:, harmonic - 1, part]
                strength = np.stack([np.interp(phase, middles, column) for column in nodes.T], axis=1)
                total += strength * wave(2 * np.pi * harmonic * phase)[:, None] / harmonic
        return total
