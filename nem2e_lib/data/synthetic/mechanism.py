"""From synergies to true, simulated and measured muscle activity in continuous time, and who runs and walks.

The chain is the paper's own two hypotheses (Teramae et al. 2025, section 1): the simulation is late, and it shares
the torque between redundant muscles as least effort would have it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from nem2e_lib.data.muscles import GAIT2392, LEG, base
from nem2e_lib.data.synthetic.body import SIDE, leg_strength, minimum_activation, synergies, trunk_strength
from nem2e_lib.data.synthetic.design import Design, Knobs
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_TONE = 0.02
"""Activation that every muscle keeps."""
_PEAK = 0.8
_NOISE_RATE = 200.0
_NOISE_SMOOTHING_S = 0.015
_LEGS = len(LEG)


@dataclass(frozen=True)
class Population:
    """What all subjects of a study share: weights (46, synergies) and their change from slowest to fastest speed."""

    weights: Array
    speed_change: Array


@dataclass(frozen=True)
class Subject:
    """A subject's own weights, and the shift (% of the cycle), log-width and log-amplitude of its synergies."""

    weights: Array
    shift: Array
    log_width: Array
    log_amplitude: Array
    shift_with_speed: Array
    amplitude_with_speed: Array


def _population(motion: str, knobs: Knobs, rng: np.random.Generator) -> Population:
    """Draw what a study's subjects share."""
    weights = synergies(motion).weights
    spread = np.exp(knobs.unevenness * rng.standard_normal(weights.shape) - knobs.unevenness**2 / 2)
    second = (rng.random(weights.shape) < knobs.second_synergy) * rng.random(weights.shape) * 0.5
    return Population(weights * spread + second, knobs.speed_sharing * rng.standard_normal(weights.shape))


def subject(group: Population, knobs: Knobs, rng: np.random.Generator) -> Subject:
    """Draw a subject."""
    count = group.weights.shape[1]
    draws = rng.standard_normal((5, count))
    return Subject(
        weights=group.weights * np.exp(knobs.subject_sharing * rng.standard_normal(group.weights.shape)),
        shift=knobs.subject_timing * draws[0],
        log_width=0.6 * knobs.subject_amplitude * draws[1],
        log_amplitude=knobs.subject_amplitude * draws[2],
        shift_with_speed=-3.0 + 0.8 * knobs.subject_timing * draws[3],
        amplitude_with_speed=0.5 + 0.8 * knobs.subject_amplitude * draws[4],
    )


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
        self, design: Design, group: Population, person: Subject, speed: int, knobs: Knobs, rng: np.random.Generator
    ):
        self._design, self._person, self._knobs = design, person, knobs
        self._pace = speed / max(1, len(design.speeds) - 1)
        duration = design.durations[speed] * np.exp(0.02 * rng.standard_normal())
        lengths = duration * np.exp(0.01 * rng.standard_normal(design.cycles + 4))
        edges = np.concatenate([[0.0], np.cumsum(lengths)]) - lengths[:2].sum() + design.margin * duration
        self._edges = edges
        self.strikes = edges[2 : 2 + design.cycles + 1]
        self.end = float(self.strikes[-1] + design.margin * duration)
        self.duration = float(duration)
        sharing = person.weights * np.exp(group.speed_change * (self._pace - 0.5))
        self._weights = one_electrode(design, sharing)
        shape = (2, len(lengths), sharing.shape[1])
        self._shift = knobs.cycle_timing * rng.standard_normal(shape)
        self._log_amplitude = knobs.cycle_amplitude * rng.standard_normal(shape)
        self._error = rng.standard_normal((len(lengths), 3, 2, 2 * len(SIDE)))
        self._noise_seed = int(rng.integers(2**63))

    def true(self, time: Array) -> Array:
        """Return the true activation, shape (times, 92), in gait2392's order."""
        return _body_order(self._side(time, 0), self._side(time, 1))

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
        grid = np.arange(-0.5, self.end + 0.5, 1.0 / _NOISE_RATE)
        true = self.true(time)[:, columns]
        if self._knobs.emg_noise == 0:
            return true
        white = np.random.default_rng(self._noise_seed).standard_normal((len(grid), 2 * len(SIDE)))[:, columns]
        smooth = gaussian_filter1d(white, _NOISE_SMOOTHING_S * _NOISE_RATE, axis=0)
        smooth *= self._knobs.emg_noise / smooth.std(axis=0)
        noise = np.stack([np.interp(time, grid, column) for column in smooth.T], axis=1)
        return np.asarray(np.clip(true + noise, 0.0, None))

    def phase(self, time: Array) -> Array:
        """Return the cycles since the first edge, growing by one from right heel strike to right heel strike."""
        return np.asarray(np.interp(time, self._edges, np.arange(len(self._edges))))

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


def one_electrode(design: Design, weights: Array) -> Array:
    """Drive muscles under one electrode alike, so that a copied channel measures its own muscle's true activity."""
    tied = weights.copy()
    for channel, electrode in design.electrodes.items():
        tied[SIDE.index(base(design.emg[channel]))] = weights[SIDE.index(base(design.emg[electrode]))]
    return tied


def least_effort(activation: Array) -> Array:
    """Return the activation of least effort with the joint torques of `activation`, both (frames, 92)."""
    leg, trunk = leg_strength(), trunk_strength()
    parts = [activation[:, :_LEGS], activation[:, _LEGS : 2 * _LEGS], activation[:, 2 * _LEGS :]]
    solved = [
        minimum_activation(strength, part @ strength.T) for strength, part in zip((leg, leg, trunk), parts, strict=True)
    ]
    return np.concatenate(solved, axis=1)


def torques(activation: Array) -> Array:
    """Return the joint torques of both legs and the lumbar spine, shape (frames, 15), in N·m."""
    leg, trunk = leg_strength(), trunk_strength()
    right, left, middle = np.split(activation, [_LEGS, 2 * _LEGS], axis=1)
    return np.concatenate([right @ leg.T, left @ leg.T, middle @ trunk.T], axis=1)


def _body_order(right: Array, left: Array) -> Array:
    """Put the muscles of both sides in gait2392's order: right leg, left leg, trunk muscles right and left in turn."""
    trunk = np.stack([right[:, _LEGS:], left[:, _LEGS:]], axis=2).reshape(len(right), -1)
    return np.concatenate([right[:, :_LEGS], left[:, :_LEGS], trunk], axis=1)


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
    return _population(design.motion, knobs, np.random.default_rng([seed, _code(design)]))


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
    """Return the column of gait2392 that each EMG channel's electrode measures."""
    electrodes = [design.electrodes.get(channel, channel) for channel in design.emg]
    return [GAIT2392.index(design.emg[electrode]) for electrode in electrodes]
