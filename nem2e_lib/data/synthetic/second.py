"""Generator 2, calibrated on recordings: errors and habits that stay from cycle to cycle, EMG as electrodes give it.

The chain is the paper's own two hypotheses (Teramae et al. 2025, section 1), as in generator 1. What is added was asked
for by the recordings (docs/synthetic.md): the model that shares out the torques is wrong in its own way for each muscle
and person, people share their torques in ways of their own, and EMG is a curve of activation times gains, with noise
that grows with the signal and nothing that cuts it off at 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.synthetic.body import SIDE, Synergies, synergies
from nem2e_lib.data.synthetic.design import Design, design
from nem2e_lib.data.synthetic.knobs import Knobs
from nem2e_lib.data.synthetic.mechanism import (
    Clock,
    Habits,
    body_order,
    habits,
    least_effort,
    one_electrode,
    shared_weights,
    smooth_noise,
)

Array = NDArray[np.float64]

_TONE = 0.012
"""Activation that every muscle keeps."""
_SOFT = 4.0
"""How sharply true activation nears its limit of 1."""
_NOISE_SMOOTHING_S = 0.03
"""Of an envelope that was low-passed at 6 Hz."""
_HARMONICS = np.arange(1, 4)
_WAVES = 2 * len(_HARMONICS)
_MUSCLES = len(SIDE)


@dataclass(frozen=True)
class Population:
    """What all subjects of a study share.

    Attributes
    ----------
    weights, speed_change
        Weights (46, synergies) and their change from slowest to fastest speed.
    pattern_with_speed, error, error_with_speed
        Change of each muscle's true activation with speed; the simulation's error, and its change with speed: strength
        of each wave, shape (6, 46).
    curve
        −A of each muscle, shape (46,).
    """

    weights: Array
    speed_change: Array
    pattern_with_speed: Array
    error: Array
    error_with_speed: Array
    curve: Array


@dataclass(frozen=True)
class Subject:
    """What is a subject's own.

    Attributes
    ----------
    habits
        How it drives its synergies.
    pattern, error
        Change of true activation and error of the simulation: strength of each wave, shape (2 sides, 6, 46).
    log_gain
        Of its electrodes, shape (2 sides, 46), but for what normalising makes of it.
    """

    habits: Habits
    pattern: Array
    error: Array
    log_gain: Array


def common_synergies(motion: str) -> Synergies:
    """Return the synergies of generator 2: twice as many as a leg has torques."""
    return synergies(motion, "synergies_calibrated.csv")


def population(motion: str, knobs: Knobs, rng: np.random.Generator) -> Population:
    """Draw what a study's subjects share."""
    weights = shared_weights(common_synergies(motion).weights, knobs, rng)
    return Population(
        weights=weights,
        speed_change=knobs.speed_sharing * rng.standard_normal(weights.shape),
        pattern_with_speed=knobs.speed_pattern * rng.standard_normal((_WAVES, _MUSCLES)),
        error=knobs.simulation_error * rng.standard_normal((_WAVES, _MUSCLES)),
        error_with_speed=knobs.simulation_error_speed * rng.standard_normal((_WAVES, _MUSCLES)),
        curve=knobs.emg_curve * (0.5 + rng.random(_MUSCLES)),
    )


def subject(group: Population, knobs: Knobs, rng: np.random.Generator) -> Subject:
    """Draw a subject."""
    both = (2, _WAVES, _MUSCLES)
    return Subject(
        habits=habits(group.weights, knobs, rng),
        pattern=knobs.subject_pattern * rng.standard_normal(both),
        error=knobs.simulation_error_person * rng.standard_normal(both),
        log_gain=knobs.emg_gain * rng.standard_normal((2, _MUSCLES)),
    )


class Trial:
    """One trial: its heel strikes and its muscle activity at any time.

    Parameters
    ----------
    design
        Durations, number of cycles and level of EMG of the study.
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
        self._person, self._knobs, self._motion = person, knobs, design.motion
        self._pace = _paces(design.motion)[speed]
        self._clock = Clock(design, speed, rng)
        self.strikes, self.end, self.duration = self._clock.strikes, self._clock.end, self._clock.duration
        self.phase = self._clock.phase
        alike = one_electrode(design, np.arange(_MUSCLES, dtype=float)).astype(int)
        self._weights = _sharing(design.motion, group, person, self._pace)[alike]
        cycles, both = (2, self._clock.cycles), (2, _WAVES, _MUSCLES)
        self._shift = knobs.cycle_timing * rng.standard_normal((*cycles, self._weights.shape[1]))
        self._log_amplitude = knobs.cycle_amplitude * rng.standard_normal((*cycles, self._weights.shape[1]))
        off = _off(design.motion, self._pace)
        own = person.pattern + off * group.pattern_with_speed + knobs.trial_pattern * rng.standard_normal(both)
        own_by_cycle = knobs.cycle_pattern * rng.standard_normal((*cycles, _WAVES, _MUSCLES))
        wrong = group.error + off * group.error_with_speed + person.error
        self._error = wrong + knobs.simulation_error_trial * rng.standard_normal(both)
        self._error_by_cycle = knobs.simulation_error_cycle * rng.standard_normal((*cycles, _WAVES, _MUSCLES))
        self._noise_seed = int(rng.integers(2**63))
        self._pattern, self._pattern_by_cycle = own[..., alike], own_by_cycle[..., alike]
        peaks = reference(design.motion, group, person)[:, alike]
        gains = np.exp(person.log_gain) * (design.emg_level / peaks) ** knobs.emg_normalised
        self._gain = body_order(gains[:1], gains[1:])[0]
        self._curve = body_order(group.curve[None], group.curve[None])[0]

    def true(self, time: Array) -> Array:
        """Return the true activation, shape (times, 92), in gait2392's order."""
        return body_order(self._side(time, 0), self._side(time, 1))

    def simulated(self, time: Array) -> Array:
        """Return the simulated activation: late, of a wrong model, shared by least effort."""
        knobs = self._knobs
        then = time - knobs.delay_ms / 1000.0
        late = self.true(then)
        if any(getattr(knobs, name) > 0 for name in knobs.causes["simulation_error"]):
            late = np.clip(late * np.exp(self._wrong(then)), 0.0, 1.0)
        if knobs.redundancy > 0:
            late = late + knobs.redundancy * (least_effort(late) - late)
        return np.asarray(np.clip(late, 0.0, 1.0))

    def measured(self, time: Array, columns: list[int]) -> Array:
        """Return the measured envelopes of some muscles: a curve of the true activation, with gains and noise."""
        emg = self._gain[columns] * excitation(self.true(time)[:, columns], self._curve[columns])
        size = self._knobs.emg_noise
        if size == 0:
            return emg
        noise = smooth_noise(time, self.end, self._noise_seed, columns, _NOISE_SMOOTHING_S, size)
        return np.asarray(emg * np.exp(noise - size**2 / 2))

    def _side(self, time: Array, left: int) -> Array:
        """Activation of one side's 46 muscles: bursts of each synergy in each cycle, half a cycle later on the left."""
        phase = self.phase(time)
        bursts = _bursts(
            self._motion, self._person, self._pace, phase - 0.5 * left, self._shift[left], self._log_amplitude[left]
        )
        change = _smooth(phase, self._pattern[left], self._pattern_by_cycle[left], left)
        return _activation(self._motion, bursts @ self._weights.T, change)

    def _wrong(self, time: Array) -> Array:
        """Log of the factor by which the model takes each muscle for stronger than it is, shape (times, 92)."""
        phase = self.phase(time)
        sides = (_smooth(phase, self._error[left], self._error_by_cycle[left], left) for left in (0, 1))
        return body_order(*sides)


def reference(motion: str, group: Population, person: Subject) -> Array:
    """Return the peak of a subject's excitation in an even gait at the fastest speed, shape (2 sides, 46).

    What EMG is normalised to, as most laboratories do by the largest peak that they have.
    """
    phase, still, fastest = np.linspace(1.0, 2.0, 51), np.zeros((4, group.weights.shape[1])), _paces(motion)[-1]
    driven = _bursts(motion, person, fastest, phase, still, still) @ _sharing(motion, group, person, fastest).T
    none = np.zeros((1, _WAVES, _MUSCLES))
    patterns = person.pattern + _off(motion, fastest) * group.pattern_with_speed
    sides = (_activation(motion, driven, _smooth(phase, pattern, none, 0)) for pattern in patterns)
    return np.stack([excitation(side, group.curve).max(axis=0) for side in sides])


def _paces(motion: str) -> Array:
    """How far each speed of a motion is from the slowest: 0 to its `Design.speed_effect`."""
    plan = design(motion)
    return plan.speed_effect * np.linspace(0.0, 1.0, len(plan.speeds))


def _off(motion: str, pace: float) -> float:
    """How far a pace is from the middle one."""
    return float(pace - _paces(motion).mean())


def _sharing(motion: str, group: Population, person: Subject, pace: float) -> Array:
    """A subject's weights at a pace."""
    return np.asarray(person.habits.weights * np.exp(group.speed_change * _off(motion, pace)))


def _bursts(motion: str, person: Subject, pace: float, phase: Array, shift: Array, log_amplitude: Array) -> Array:
    """Bursts of each synergy in each cycle, shape (times, synergies); shift and log-amplitude (cycles, synergies)."""
    pattern, habit = common_synergies(motion), person.habits
    centre = pattern.centre + habit.shift + habit.shift_with_speed * pace + shift
    width = pattern.width * np.exp(habit.log_width)
    amplitude = np.exp(habit.log_amplitude + habit.amplitude_with_speed * pace + log_amplitude)
    where = 100.0 * (phase[:, None, None] - np.arange(len(shift))[:, None])
    return np.asarray((amplitude * np.exp(-0.5 * ((where - centre) / width) ** 2)).sum(axis=1))


def _activation(motion: str, driven: Array, change: Array) -> Array:
    """Activation of muscles that are driven, with a change on a log scale; it nears 1 and never reaches it."""
    wanted = _TONE + design(motion).effort * driven * np.exp(change)
    return np.asarray(wanted / (1.0 + wanted**_SOFT) ** (1.0 / _SOFT))


def _smooth(phase: Array, staying: Array, by_cycle: Array, left: int) -> Array:
    """Sum the waves of a smooth change of variance 1 for strengths of sd 1, shape (times, 46).

    Parameters
    ----------
    phase
        Cycles since the trial's first edge, shape (times,).
    staying
        Strengths that stay from cycle to cycle, shape (6, 46).
    by_cycle
        Those of each cycle, shape (cycles, 6, 46): a cycle's own in its middle, between two middles a mixture.
    left
        1 for the left side, whose waves come half a cycle later.
    """
    turn = 2 * np.pi * (phase - 0.5 * left)[:, None] * _HARMONICS
    waves = np.concatenate([np.cos(turn) / _HARMONICS, np.sin(turn) / _HARMONICS], axis=1)
    waves /= np.sqrt((1.0 / _HARMONICS**2).sum())
    steady = waves @ staying
    if not by_cycle.any():
        return np.asarray(steady)
    middles = np.arange(len(by_cycle)) + 0.5
    near = np.stack([np.interp(phase, middles, row) for row in np.eye(len(by_cycle))], axis=1)
    spread = (near[:, :, None] * waves[:, None, :]).reshape(len(phase), -1)
    return np.asarray(steady + spread @ by_cycle.reshape(-1, by_cycle.shape[-1]))


def excitation(activation: Array, curve: Array) -> Array:
    """Return the excitation of which an activation is the curve a = (exp(A u) − 1) / (exp(A) − 1).

    Lloyd & Besier (2003), Eq. 5 (doi:10.1016/S0021-9290(03)00010-1), solved for u; `curve` is −A, of the columns of
    `activation`. At 0 it is a straight line.
    """
    bend = np.where(curve > 0, curve, 1.0)
    return np.where(curve > 0, np.log1p(activation * np.expm1(-bend)) / -bend, activation)
