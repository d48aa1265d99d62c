"""Timing and size of estimates whose errors are planted, and their way over cycles and people to an interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis import timing
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import one_sample, over_folds
from nem2e_lib.error import Nem2eError

SAMPLES = 41
PHASE = np.linspace(0, 100, SAMPLES)


def burst(peak: float, height: float = 0.8) -> NDArray[np.float64]:
    angle = 2 * np.pi * (PHASE - peak) / 100
    return height * np.exp(4 * (np.cos(angle) - 1))


def results(
    measured: NDArray[np.float64],
    *,
    refined: NDArray[np.float64] | None = None,
    targets: tuple[str, ...] = ("tib_ant_r", "soleus_r"),
    trials: tuple[int, ...] = (0, 1, 2),
) -> xr.Dataset:
    """Lay out (channels, people x trials, samples) as a trained condition would be; each trial has its own speed."""
    count = measured.shape[1]
    people = count // len(trials)
    dims = ("channel", "cycle", "sample")
    own = np.tile(np.array(trials), people)
    names = [target.split("_")[0] for target in targets]
    guess = measured if refined is None else refined
    coords = {
        "channel": names,
        "target": ("channel", list(targets)),
        "electrode": ("channel", names),
        "fold": [f"P{k}" for k in range(people)],
        "fold_of_cycle": ("cycle", np.repeat(np.arange(people), len(trials))),
        "speed": ("cycle", [f"v{k}" for k in own]),
        "trial": ("cycle", [f"P{p}_{k}" for p, k in zip(np.repeat(range(people), len(trials)), own, strict=True)]),
    }
    return xr.Dataset(
        {
            "measured": (dims, measured),
            "simulated": (dims, measured + 0.1),
            "mean_curve": (dims, measured),
            "refined": (("seed", *dims), guess[None]),
        },
        coords,
        {"study": "planted", "condition": "one_entire", "unit": "subject", "synthetic": 1},
    )


@pytest.fixture(scope="module")
def planted() -> tuple[xr.Dataset, dict[str, NDArray[np.float64]]]:
    """4 people with 3 cycles of 2 muscles; person p is estimated 5 + p % late and at half the height."""
    own = np.array([[burst(20 + 3 * c + 40 * m) for c in range(12)] for m in range(2)])
    late = np.array([[burst(25 + c // 3 + 3 * c + 40 * m, 0.4) for c in range(12)] for m in range(2)])
    return results(own), {"late": late}


def mean_of(table: pd.DataFrame, **where: str) -> pd.Series:
    rows = table
    for name, value in where.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_planted_lateness_and_size_come_back_with_their_interval(planted: tuple) -> None:
    found = timing.summary(timing.per_unit(timing.compared(*planted)))
    test = one_sample([5.0, 6.0, 7.0, 8.0])
    for measure in ("onset_error", "offset_error", "peak_error"):
        row = mean_of(found, method="late", muscle="tib", measure=measure)
        assert (row["mean"], row["ci_low"], row["ci_high"]) == pytest.approx(
            (test.mean, test.ci_low, test.ci_high), abs=0.25
        )
        assert (row["n"], row["cycles"], row["of_cycles"]) == (4, 12, 12)
    height = mean_of(found, method="late", muscle="tib", measure="height_error")
    assert height["mean"] == pytest.approx(-0.4, abs=0.02)


def test_early_across_heel_strike_is_early_and_not_late() -> None:
    own, guess = np.array([[burst(2)] * 6] * 2), np.array([[burst(94)] * 6] * 2)
    table = timing.compared(results(own), {"early": guess})
    rows = table[table["method"] == "early"]
    assert rows["peak_error"].to_numpy() == pytest.approx(-8, abs=0.3)
    assert rows["peak_off"].to_numpy() == pytest.approx(8, abs=0.3)
    values = timing.summary(timing.per_unit(table))
    assert mean_of(values, method="early", muscle="tib", measure="peak")["mean"] == pytest.approx(94, abs=0.3)


def test_a_burst_that_is_missing_is_counted_and_has_no_time() -> None:
    own = np.array([[burst(20) + burst(70, 0.5)] * 6] * 2)
    guess = np.array([[burst(21), burst(21), np.full(SAMPLES, 0.2), burst(21), burst(21), burst(21)]] * 2)
    table = timing.compared(results(own), {"guess": guess})
    found = timing.summary(timing.per_unit(table))
    missed = mean_of(found, method="guess", muscle="tib", measure="missed")
    assert missed["mean"] == pytest.approx((4 / 3 + 1) / 2)  # a person's third cycle misses both
    onset = mean_of(found, method="guess", muscle="tib", measure="onset_error")
    assert (onset["cycles"], onset["of_cycles"], onset["n"]) == (5, 6, 2)
    said = timing.without_burst(table)
    assert said[["method", "muscle", "reason", "cycles", "of_cycles"]].to_numpy().tolist() == [
        ["guess", "tib", "no modulation", 1, 6],
        ["guess", "soleus", "no modulation", 1, 6],
    ]


def test_rmse_is_that_of_the_errors_and_cycles_count_alike_by_speed(planted: tuple) -> None:
    data, methods = planted
    random = np.random.default_rng(0).random(methods["late"].shape)
    trained = data.assign(refined=(("seed", "channel", "cycle", "sample"), random[None]))
    mine = timing.per_unit(timing.compared(trained, timing.estimates({"one_entire": trained})))
    ours = errors(trained).set_index(["muscle", "label"])
    for method, column in {"one_entire": "rmse_refined", "opensim": "rmse_opensim"}.items():
        rows = mine[(mine["method"] == method) & (mine["measure"] == "rmse")].set_index(["muscle", "label"])["value"]
        assert rows.to_numpy() == pytest.approx(ours.loc[rows.index, column].to_numpy())


def test_correlations_are_averaged_as_fishers_z(planted: tuple) -> None:
    data, methods = planted
    table = timing.compared(data, methods)
    rows = table[(table["method"] == "late") & (table["muscle"] == "tib")]
    z = np.arctanh(rows["correlation"]).groupby(rows["label"]).mean()
    test = one_sample(z)
    row = mean_of(timing.summary(timing.per_unit(table)), method="late", muscle="tib", measure="correlation")
    assert (row["mean"], row["ci_low"], row["ci_high"]) == pytest.approx(
        np.tanh([test.mean, test.ci_low, test.ci_high])
    )


def test_contrasts_are_paired_over_people(planted: tuple) -> None:
    data, methods = planted
    units = timing.per_unit(timing.compared(data, {**methods, "opensim": data.measured.values + 0.1}))
    row = mean_of(
        timing.contrasts(timing.over_muscles(units), "opensim"), method="late", measure="peak_off", muscle="all muscles"
    )
    test = over_folds([5.0, 6.0, 7.0, 8.0])
    assert (row["difference"], row["ci_low"], row["ci_high"]) == pytest.approx(
        (test.mean, test.ci_low, test.ci_high), abs=0.3
    )
    assert (row["against"], row["n"]) == ("opensim", 4)


def test_one_person_has_a_mean_and_no_interval() -> None:
    own = np.array([[burst(20)] * 3] * 2)
    found = timing.summary(timing.per_unit(timing.compared(results(own), {"same": own})))
    row = mean_of(found, method="same", muscle="tib", measure="peak_error")
    assert row["mean"] == pytest.approx(0)
    assert np.isnan(row["ci_low"])
    assert row["reason"] == "defined in 1 held-out unit: an interval needs two."


def test_cocontraction_of_planted_antagonists() -> None:
    own = np.stack([np.array([burst(20)] * 6), np.array([burst(70)] * 6)])
    together = np.stack([np.array([burst(20)] * 6), np.array([burst(20, 0.4)] * 6)])
    found = timing.summary(timing.per_unit(timing.cocontraction(results(own), {"together": together})))
    assert mean_of(found, method="together", muscle="tib–soleus", measure="overlap")["mean"] == pytest.approx(2 / 3)
    row = mean_of(found, method="together", muscle="tib–soleus", measure="overlap_error")
    assert row["mean"] == pytest.approx(
        2 / 3 - mean_of(found, method="measured", muscle="tib–soleus", measure="overlap")["mean"]
    )


def test_no_antagonists_is_said_in_a_sentence() -> None:
    own = np.array([[burst(20)] * 3] * 2)
    alone = results(own, targets=("soleus_r", "med_gas_r"))
    assert timing.cocontraction(alone, {}).empty
    said = timing.no_antagonists(alone)
    assert said.startswith(
        "planted: co-contraction cannot be told, because no two of its muscles (soleus_r, med_gas_r)"
    )
    assert said.count(". ") == 0
    assert timing.no_antagonists(results(own)) == ""


def test_predictions_of_another_shape_are_refused(planted: tuple) -> None:
    with pytest.raises(Nem2eError, match=r"timing of late: .* \(2, 12, 20\), expected \(2, 12, 41\)"):
        timing.compared(planted[0], {"late": np.zeros((2, 12, 20))})


def test_what_thinning_costs_is_less_than_the_spacing() -> None:
    phase, points = np.linspace(0, 100, 101), np.linspace(0, 100, 20)
    wave = np.stack([np.exp(4 * (np.cos(2 * np.pi * (phase - 10 * c) / 100) - 1)) for c in range(6)])
    thin = np.stack([np.interp(points, phase, one) for one in wave])
    cycles = xr.Dataset(
        {
            "emg_waveform": (("cycle", "phase", "channel"), wave[..., None]),
            "emg": (("cycle", "sample", "channel"), thin[..., None]),
        },
        {
            "channel": ["tib"],
            "electrode": ("channel", ["tib"]),
            "target": ("channel", ["tib_ant_r"]),
            "subject": ("cycle", ["A", "A", "B", "B", "C", "C"]),
            **{name: ("cycle", ["1"] * 6) for name in ("speed", "trial")},
        },
        {"study": "planted", "synthetic": 1},
    )
    table = timing.thinning(cycles)
    assert set(table["method"]) == {"thinned"}
    assert table[["onset_off", "offset_off", "peak_off"]].to_numpy().max() < 1.5
    assert table["height_error"].max() <= 0
    assert table["correlation"].min() > 0.99


def test_channels_of_an_electrode_are_taken_once(planted: tuple) -> None:
    data = planted[0].assign_coords(electrode=("channel", ["tib", "tib"]))
    assert timing.one_an_electrode(data).channel.values.tolist() == ["tib"]
