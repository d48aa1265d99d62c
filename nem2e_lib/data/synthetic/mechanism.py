"""What every generator shares: the clock of a trial, torques, least effort, and the order of the body's muscles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from nem2e_lib.data.muscles import GAIT2392, LEG, base
from nem2e_lib.data.synthetic.body import SIDE, leg_strength, minimum_activation, trunk_strength
from nem2e_lib.data.synthetic.design import Design
from nem2e_lib.data.synthetic.knobs import Knobs, Knobs1

Array = NDArray[np.float64]

_NOISE_RATE = 200.0
_LEGS = len(LEG)


@dataclass(frozen=True)
class Habits:
    """A subject's own weights, and the shift (% of the cycle), log-width and log-amplitude of its synergies.

    Attributes
    ----------
    weights
        Shape (46, synergies).
    shift, log_width, log_amplitude, shift_with_speed, amplitude_with_speed
        Of each synergy, and what speed adds, shape (synergies,).
    """

    weights: Array
    shift: Array
    log_width: Array
    log_amplitude: Array
    shift_with_speed: Array
    amplitude_with_speed: Array


def habits(weights: Array, knobs: Knobs | Knobs1, rng: np.random.Generator) -> Habits:
    """Draw a subject's habits about the weights that all subjects share."""
    draws = rng.standard_normal((5, weights.shape[1]))
    return Habits(
        weights=weights * np.exp(knobs.subject_sharing * rng.standard_normal(weights.shape)),
        shift=knobs.subject_timing * draws[0],
        log_width=0.6 * knobs.subject_amplitude * draws[1],
        log_amplitude=knobs.subject_amplitude * draws[2],
        shift_with_speed=-3.0 + 0.8 * knobs.subject_timing * draws[3],
        amplitude_with_speed=0.5 + 0.8 * knobs.subject_amplitude * draws[4],
    )


def shared_weights(weights: Array, knobs: Knobs | Knobs1, rng: np.random.Generator) -> Array:
    """Draw the weights of all subjects: uneven, and of some muscles a second synergy's too."""
    spread = np.exp(knobs.unevenness * rng.standard_normal(weights.shape) - knobs.unevenness**2 / 2)
    second = (rng.random(weights.shape) < knobs.second_synergy) * rng.random(weights.shape) * 0.5
    return np.asarray(weights * spread + second)


class Clock:
    """When a trial's heel strikes are, and where in the gait cycle any time lies.

    Parameters
    ----------
    design
        Durations and number of cycles of the study.
    speed
        Index of the speed, 0 the slowest.
    rng
        Draws the duration of the trial's cycles, then of each.

    Attributes
    ----------
    strikes
        Right heel strikes of the cycles that are whole, s.
    end, duration
        End of the trial and mean duration of a cycle, s.
    cycles
        How many cycles are drawn, those before and after the recorded ones included.
    """

    def __init__(self, design: Design, speed: int, rng: np.random.Generator):
        duration = design.durations[speed] * np.exp(0.02 * rng.standard_normal())
        lengths = duration * np.exp(0.01 * rng.standard_normal(design.cycles + 4))
        self._edges = np.concatenate([[0.0], np.cumsum(lengths)]) - lengths[:2].sum() + design.margin * duration
        self.strikes = self._edges[2 : 2 + design.cycles + 1]
        self.end = float(self.strikes[-1] + design.margin * duration)
        self.duration = float(duration)
        self.cycles = len(lengths)

    def phase(self, time: Array) -> Array:
        """Return the cycles since the first edge, growing by one from right heel strike to right heel strike."""
        return np.asarray(np.interp(time, self._edges, np.arange(len(self._edges))))


def pace(design: Design, speed: int) -> float:
    """Return where a speed lies between the slowest, 0, and the fastest, 1."""
    return speed / max(1, len(design.speeds) - 1)


def smooth_noise(time: Array, end: float, seed: int, columns: list[int], smoothing_s: float, size: float) -> Array:
    """Return noise of sd `size`, smooth over `smoothing_s`, shape (times, columns): the same whenever it is asked.

    `columns` are those of the 92 muscles, each of which has noise of its own.
    """
    grid = np.arange(-0.5, end + 0.5, 1.0 / _NOISE_RATE)
    white = np.random.default_rng(seed).standard_normal((len(grid), 2 * len(SIDE)))[:, columns]
    smooth = gaussian_filter1d(white, smoothing_s * _NOISE_RATE, axis=0)
    smooth *= size / smooth.std(axis=0)
    return np.stack([np.interp(time, grid, column) for column in smooth.T], axis=1)


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


def body_order(right: Array, left: Array) -> Array:
    """Put the muscles of both sides in gait2392's order: right leg, left leg, trunk muscles right and left in turn."""
    trunk = np.stack([right[:, _LEGS:], left[:, _LEGS:]], axis=2).reshape(len(right), -1)
    return np.concatenate([right[:, :_LEGS], left[:, :_LEGS], trunk], axis=1)


def channel_columns(design: Design) -> list[int]:
    """Return the column of gait2392 that each EMG channel's electrode measures."""
    electrodes = [design.electrodes.get(channel, channel) for channel in design.emg]
    return [GAIT2392.index(design.emg[electrode]) for electrode in electrodes]
