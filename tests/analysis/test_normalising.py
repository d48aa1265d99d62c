"""What EMG is divided by: the divisors by hand, and what they leave of the order of methods."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import normalising
from nem2e_lib.rivals import Identity, RidgeOwn, evaluate


@pytest.fixture(scope="module")
def cycles() -> xr.Dataset:
    """4 people of 2 trials with a cycle each; the EMG of the second trial and of each person is of another size."""
    random = np.random.default_rng(0)
    subject, trial = np.repeat(["A", "B", "C", "D"], 2), [f"{p}{k}" for p in "ABCD" for k in range(2)]
    gain = np.outer([1, 2, 3, 4], [1.0, 0.5]).ravel()
    wave = random.random((8, 101, 1)) * gain[:, None, None]
    thin = wave[:, np.linspace(0, 100, 20).astype(int)]
    dims = ("cycle", "sample", "channel")
    names = ("study", "motion", "simulated_by", "cycle_definition", "citation", "licence")
    return xr.Dataset(
        {
            "activation": (("cycle", "sample", "muscle"), random.random((8, 20, 1))),
            "emg": (dims, thin),
            "emg_waveform": (("cycle", "phase", "channel"), wave),
        },
        {
            "cycle": np.arange(8, dtype=np.int32),
            "sample": np.linspace(0, 100, 20),
            "phase": np.linspace(0, 100, 101),
            "muscle": ["tib_ant_r"],
            "channel": ["tib"],
            "target": ("channel", ["tib_ant_r"]),
            "electrode": ("channel", ["tib"]),
            "subject": ("cycle", subject),
            "trial": ("cycle", trial),
            "speed": ("cycle", ["1"] * 8),
            "speed_m_s": ("cycle", np.ones(8)),
            "number": ("cycle", np.ones(8, np.int32)),
            "start_s": ("cycle", np.zeros(8)),
            "end_s": ("cycle", np.ones(8)),
        },
        dict.fromkeys(names, "planted") | {"synthetic": 1},
    )


@pytest.mark.parametrize(
    ("scale", "divisor"),
    [
        ("as given", lambda wave: np.ones(8)),
        ("maximum of the study", lambda wave: np.full(8, wave.max())),
        ("maximum of the person", lambda wave: np.repeat(wave.reshape(4, -1).max(axis=1), 2)),
        ("maximum of the trial", lambda wave: wave.max(axis=1)),
        ("95th percentile of the person", lambda wave: np.repeat(np.percentile(wave.reshape(4, -1), 95, axis=1), 2)),
        ("mean of the person", lambda wave: np.repeat(wave.reshape(4, -1).mean(axis=1), 2)),
    ],
)
def test_each_divisor_by_hand(cycles: xr.Dataset, scale: str, divisor) -> None:
    own = divisor(cycles.emg_waveform.values[..., 0])
    found = normalising.scaled(cycles, scale)
    assert found.emg.values[..., 0] == pytest.approx(cycles.emg.values[..., 0] / own[:, None])
    assert found.emg_waveform.values[..., 0] == pytest.approx(cycles.emg_waveform.values[..., 0] / own[:, None])
    assert found.emg.dims == cycles.emg.dims


def test_every_scale_is_named_and_made(cycles: xr.Dataset) -> None:
    for scale in normalising.SCALES:
        assert np.isfinite(normalising.scaled(cycles, scale).emg).all()


def test_a_channel_that_somebody_lacks_stays_missing_without_warning(cycles: xr.Dataset) -> None:
    some = cycles.copy(deep=True)
    some.emg[:2], some.emg_waveform[:2] = np.nan, np.nan
    found = normalising.scaled(some, "95th percentile of the person")
    assert np.isnan(found.emg[:2]).all()
    assert np.isfinite(found.emg[2:]).all()


def test_methods_are_evaluated_anew_and_the_simulation_stays(cycles: xr.Dataset) -> None:
    scales = ("as given", "mean of the person")
    methods = {rival.name: partial(evaluate, rival=rival) for rival in (Identity(), RidgeOwn())}
    rows = normalising.sensitivity(cycles, methods, scales)
    assert set(rows["method"]) == {"identity", "ridge_own", "mean_curve"}
    assert rows.loc[rows["method"].eq("identity"), "er"].to_numpy() == pytest.approx(0)
    assert (rows.loc[rows["method"].eq("mean_curve"), "against_curve"] == 0).all()
    table = normalising.by_scale(rows)
    assert len(table) == 6
    best = table.loc[table.groupby("scale")["er_mean"].idxmin(), ["scale", "rank"]]
    assert (best["rank"] == 1).all()


def test_rank_correlation_by_hand() -> None:
    er = {"as given": (-0.5, -0.4, -0.3, 0.0), "mean of the person": (-0.4, -0.5, -0.3, 0.0)}
    rows = [
        {"study": "s", "scale": scale, "method": name, "er_mean": value, "synthetic": True}
        for scale, values in er.items()
        for name, value in zip("abcd", values, strict=True)
    ]
    given, other = normalising.orders(pd.DataFrame(rows)).to_dict("records")
    assert (given["spearman"], given["kendall"], given["best"]) == (1.0, 1.0, "a")
    assert other["spearman"] == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert other["kendall"] == pytest.approx((5 - 1) / 6)
    assert (other["best"], other["order"], other["er_from"], other["er_to"]) == ("b", "b, a, c, d", -0.5, 0.0)
