"""How far simulated activation agrees with measured EMG as it stands: correlation over the cycle, best delay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.rivals.classical import advanced

Array = npt.NDArray[np.float64]

DELAYS_MS = range(0, 121, 5)
"""Delays that are tried: this project's choice, twice the delay that muscles have and more."""
GAIN = 0.01
"""Correlation that a delay must add before it is spoken of."""


def agreement(cycles: xr.Dataset) -> pd.DataFrame:
    """Correlate simulated activation with measured EMG over the gait cycle, muscle by muscle.

    Each cycle gives one r over its waveform; a person's r is the mean over its cycles, and the muscle's that over
    people. The best delay is the one by which EMG must be moved later, within the cycle, for the mean r to be highest.

    Parameters
    ----------
    cycles
        Segmented cycles (``cycles.nc``).

    Returns
    -------
    pandas.DataFrame
        Columns study, muscle, n (people), cycles, r, ci_low, ci_high (95 %, over people; NaN for one), delay_ms (NaN
        where none adds `GAIN` to r, or the longest tried is the best), r_delayed (at the best delay, else r).
    """
    return pd.DataFrame([_muscle(cycles, str(channel)) for channel in cycles.channel.values])


def _muscle(cycles: xr.Dataset, channel: str) -> dict[str, object]:
    one = cycles.sel(channel=channel)
    measured = one.emg_waveform.transpose("cycle", "phase").values
    simulated = one.activation_waveform.sel(muscle=one.target.item()).transpose("cycle", "phase").values
    there = np.isfinite(measured).all(axis=1) & np.isfinite(simulated).all(axis=1)
    people = cycles.subject.values[there].astype(str)
    duration = (cycles.end_s - cycles.start_s).values[there]
    by_delay = {
        delay: _by_person(_correlations(_later(measured[there], duration, delay), simulated[there]), people)
        for delay in DELAYS_MS
    }
    test, means = one_sample(by_delay[0]), {delay: float(np.mean(r)) for delay, r in by_delay.items()}
    best = max(means, key=lambda delay: means[delay])
    found = means[best] - means[0] > GAIN and best < DELAYS_MS[-1]
    return {
        "study": str(cycles.attrs["study"]),
        "muscle": channel,
        "n": len(by_delay[0]),
        "cycles": int(there.sum()),
        "r": means[0],
        "ci_low": test.ci_low,
        "ci_high": test.ci_high,
        "delay_ms": float(best) if found else np.nan,
        "r_delayed": means[best] if found else means[0],
    }


def _later(waveforms: Array, duration_s: Array, delay_ms: float) -> Array:
    return advanced(waveforms[..., None], duration_s, -delay_ms)[..., 0]


def _correlations(a: Array, b: Array) -> Array:
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    r: Array = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return r


def _by_person(r: Array, people: npt.NDArray[np.str_]) -> Array:
    return np.array([r[people == one].mean() for one in dict.fromkeys(people)])
