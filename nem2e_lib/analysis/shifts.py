"""Inputs moved in the cycle: how the error rises with the shift, and whether the output moves along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.analysis.control_inputs import shift_matrix
from nem2e_lib.analysis.controls import Trained, ask, er_of_units, unit_weights
from nem2e_lib.analysis.metrics import FLAT

Array = NDArray[np.float64]

STEPS = 20
LAGS = 100
"""Lags at which outputs are compared: 1 % of the cycle apart."""
NEAR = 25.0
"""Largest shift (%) over which the output's lag is regressed on the shift; beyond it, lags turn over."""


@dataclass(frozen=True)
class Shifts:
    """What happens when the input comes earlier by a shift.

    Attributes
    ----------
    shift, lag
        In % of the cycle, −50 to below 50; shapes (shifts,) and (lags,).
    er
        Per muscle and held-out unit, against the original EMG and OpenSim error, shape (shifts, channels, folds).
    correlation
        Mean correlation of the shifted input's output with the unchanged input's output that comes earlier by a lag,
        shape (shifts, folds, lags): a ridge on shift = lag where the output moves along, on lag 0 where it stays.
    """

    shift: Array
    lag: Array
    er: Array
    correlation: Array

    @property
    def moved(self) -> Array:
        """Lag of the output in %, shape (shifts, folds): where the correlation is greatest."""
        found: Array = self.lag[np.argmax(np.nan_to_num(self.correlation, nan=-2.0), axis=-1)]
        return np.where(np.isnan(self.correlation).all(axis=-1), np.nan, found)

    @property
    def share(self) -> Array:
        """Slope of the output's lag on the shift within ±`NEAR`, shape (folds,): 1 moves along, 0 stays."""
        near = (np.abs(self.shift) <= NEAR) & (self.shift != 0)
        x = self.shift[near]
        slope: Array = (x[:, None] * self.moved[near]).sum(axis=0) / (x**2).sum()
        return slope


def shifts(trained: Trained, steps: int = STEPS) -> Shifts:
    """Move every input through the whole cycle in equal steps (periodic, on the 101-phase waveforms)."""
    shift = np.arange(steps) * 100.0 / steps - 50.0
    samples, phases = trained.cycles.sample.values, trained.cycles.sizes["phase"]
    matrices = np.stack([shift_matrix(s / 100.0, samples, phases) for s in [*shift, 0.0]])
    outputs = ask(trained, lambda channel: np.einsum("kmp,tsp->tkms", trained.waveform(channel), matrices))
    er = np.stack([er_of_units(trained, out[None]) for out in outputs[:-1]])
    correlation = _correlations(outputs[:-1], outputs[-1], samples)
    weights = unit_weights(trained.results)
    return Shifts(shift, lags(), er, _over_units(correlation, weights, _electrode_weights(trained)))


def lags() -> Array:
    """Lags in % of the cycle, −50 to 49."""
    return np.arange(LAGS) * 100.0 / LAGS - 50.0


def _correlations(moved: Array, still: Array, samples: Array) -> Array:
    """Correlate each output with the still one, earlier by each lag, shape (shifts, channels, cycles, lags)."""
    grid = np.arange(LAGS) * 100.0 / LAGS
    a, b = (_standard(_at(values, samples, grid)) for values in (moved, still))
    # sum over t of a(t) b(t + lag), for all lags at once
    product = np.fft.irfft(np.conj(np.fft.rfft(a)) * np.fft.rfft(b), n=LAGS) / LAGS
    correlation: Array = np.fft.fftshift(product, axes=-1)
    return correlation


def _at(values: Array, samples: Array, grid: Array) -> Array:
    flat = values.reshape(-1, values.shape[-1])
    rows = [np.interp(grid, samples, row) for row in flat]
    return np.asarray(rows, float).reshape(*values.shape[:-1], len(grid))


def _standard(values: Array) -> Array:
    """Mean 0 and sd 1 over the cycle; NaN where the output is constant."""
    centred = values - values.mean(axis=-1, keepdims=True)
    sd = centred.std(axis=-1, keepdims=True)
    flat = np.ptp(values, axis=-1, keepdims=True) <= FLAT * np.abs(values).max(axis=-1, keepdims=True)
    return np.where(flat, np.nan, centred / np.where(flat, 1.0, sd))


def _electrode_weights(trained: Trained) -> Array:
    """Return each channel's weight: electrodes count alike, and so do the channels of one; shape (channels,)."""
    electrode = pd.Series(trained.results.electrode.values.astype(str))
    return np.asarray(1.0 / electrode.map(electrode.value_counts()) / electrode.nunique(), float)


def _over_units(correlation: Array, cycles: Array, channels: Array) -> Array:
    """Weighted mean over channels and the cycles of each unit, of those whose outputs vary."""
    weight = cycles[:, None, :] * channels[None, :, None]
    there = np.isfinite(correlation)
    total = np.einsum("tckl,fck->tfl", np.where(there, correlation, 0.0), weight)
    share = np.einsum("tckl,fck->tfl", there.astype(float), weight)
    return np.where(share > 0, total / np.where(share > 0, share, 1.0), np.nan)
