"""Simulated against measured: known delays and correlations are found."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.analysis.agreement import agreement
from tests.support.small import make_cycles


def delayed(by_ms: float, durations: tuple[float, ...] = (1.0, 1.2, 0.8)) -> xr.Dataset:
    """Make EMG that is its muscle's activation, earlier by a time that is the same in cycles of any length."""
    cycles = make_cycles((1, 1, 1), channels=1)
    phases = np.linspace(0, 100, 101)
    centre = 60.0 - 100 * by_ms / 1000 / np.array(durations)
    own, emg = (np.exp(-0.5 * ((phases - c) / 8) ** 2) for c in (np.full((3, 1), 60.0), centre[:, None]))
    cycles["activation_waveform"][..., 0], cycles["emg_waveform"][..., 0] = own, emg
    return cycles.assign_coords(end_s=("cycle", list(durations)))


@pytest.mark.parametrize("by_ms", [20.0, 55.0, 100.0])
def test_a_delay_is_found_in_ms_whatever_the_length_of_cycles(by_ms: float) -> None:
    row = agreement(delayed(by_ms)).iloc[0]
    assert row["delay_ms"] == by_ms
    assert row["r_delayed"] == pytest.approx(1.0, abs=1e-3)
    assert row["r"] < 0.98


@pytest.mark.parametrize("by_ms", [0.0, -40.0, 300.0])
def test_no_delay_is_told_where_none_helps_or_the_longest_is_the_best(by_ms: float) -> None:
    row = agreement(delayed(by_ms)).iloc[0]
    assert np.isnan(row["delay_ms"])
    assert row["r_delayed"] == row["r"]


def test_r_is_the_mean_over_people_of_the_mean_over_their_cycles() -> None:
    cycles = make_cycles((3, 1), channels=1)
    phases = np.linspace(0, 2 * np.pi, 101)
    wave = np.sin(phases)
    cycles["activation_waveform"][..., 0] = wave
    cycles["emg_waveform"][..., 0] = np.stack([wave, wave, -wave, -wave])
    row = agreement(cycles).iloc[0]
    assert row["r"] == pytest.approx((1 / 3 - 1) / 2)
    assert (row["n"], row["cycles"]) == (2, 4)


def test_a_person_without_a_channel_is_left_out_and_counted() -> None:
    cycles = make_cycles((2, 2, 2))
    cycles["emg_waveform"][4:, :, 1] = np.nan
    table = agreement(cycles).set_index("muscle")
    assert table["n"].to_dict() == {"soleus": 3, "tib": 2}
    assert table["cycles"].to_dict() == {"soleus": 6, "tib": 4}
    assert np.isfinite(table["r"]).all()


def test_one_person_has_no_interval() -> None:
    row = agreement(make_cycles((4,), channels=1)).iloc[0]
    assert np.isfinite(row["r"])
    assert np.isnan(row["ci_low"])
