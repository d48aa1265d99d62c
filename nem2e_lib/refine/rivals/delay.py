"""Rivals that undo an electromechanical delay, and a wrong gain, of the own muscle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nem2e_lib.refine.rivals.protocol import Array, Fitted, Simulated

DELAYS_MS = np.arange(0.0, 301.0, 10.0)
"""Delays tried: electromechanical delays are 10 to 150 ms; twice that leaves room to be seen at the edge."""


def advanced(waveforms: Array, duration_s: Array, delay_ms: float) -> Array:
    """Return waveforms as they were before a delay, wrapping around the gait cycle.

    Parameters
    ----------
    waveforms
        Samples from 0 to 100 % of the cycle, shape (cycles, samples, channels).
    duration_s
        Of each cycle, shape (cycles,).
    delay_ms
        The same time for all, so its share of the cycle differs from cycle to cycle.
    """
    return shifted(waveforms, (waveforms.shape[1] - 1) * delay_ms / 1000.0 / duration_s)


def shifted(waveforms: Array, by: Array | float) -> Array:
    """Return each cycle's waveforms earlier by `by` samples, shape (cycles,) or one number, wrapping around the cycle.

    Between samples it is linear. The last sample, 100 %, is the next cycle's first.
    """
    period = waveforms.shape[1] - 1
    at = (np.arange(period + 1) + np.broadcast_to(by, len(waveforms))[:, None]) % period
    low = np.floor(at).astype(int)
    part = (at - low)[..., None]
    rows = np.arange(len(waveforms))[:, None]
    return (1.0 - part) * waveforms[rows, low] + part * waveforms[rows, low + 1]


@dataclass(frozen=True)
class Delay:
    """The own muscle's simulated activation earlier by the delay that fits the training cycles best.

    Attributes
    ----------
    gain
        Whether a gain is fitted too, by least squares.
    """

    gain: bool = False

    @property
    def name(self) -> str:
        """`delay` or `delay_gain`."""
        return "delay_gain" if self.gain else "delay"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Choose each channel's delay, and gain, with the least squared error over training cycles."""
        own, lasts = simulated.own_muscle, simulated.duration_s
        moved = np.stack([advanced(own, lasts, delay) for delay in DELAYS_MS])
        gains = _gains(moved, measured) if self.gain else np.ones((len(DELAYS_MS), measured.shape[-1]))
        error = ((gains[:, None, None] * moved - measured) ** 2).mean(axis=(1, 2))
        best = error.argmin(axis=0)
        delays, gain = DELAYS_MS[best], gains[best, np.arange(len(best))]

        def predict(held: Simulated) -> Array:
            each = held.own_muscle
            parts = [advanced(each[..., [k]], held.duration_s, delay) for k, delay in enumerate(delays)]
            return gain * np.concatenate(parts, axis=-1)

        return Fitted(predict, len(delays) * (1 + self.gain), {"delay_ms": delays.tolist(), "gain": gain.tolist()})


def _gains(moved: Array, measured: Array) -> Array:
    """Return the least-squares gain of every delay and channel; 0 where the simulation is silent."""
    power = (moved**2).sum(axis=(1, 2))
    product = (moved * measured).sum(axis=(1, 2))
    return np.divide(product, power, out=np.zeros_like(power), where=power > 0)
