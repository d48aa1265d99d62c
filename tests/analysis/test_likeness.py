"""Statistics of signals: hand-worked values, planted truth, and how near generator 2 comes to the recordings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis.likeness import BOUNDS, STATISTICS, WHOLE, compare, correlations, departures, likeness
from nem2e_lib.data.synthetic import Knobs, synthetic_cycles
from nem2e_lib.paper.studies.generators import LIKENESS, RECORDED, recorded

PHASES, SAMPLES = np.linspace(0, 100, 101), np.linspace(0, 100, 20)
WAVE = np.sin(2 * np.pi * PHASES[:-1] / 100)
WAVE = np.append(WAVE, WAVE[0])


def value(table, statistic):
    return table.set_index("statistic")["value"][statistic]


def study(measured, simulated, people, trials, speeds):
    """A study of one channel from waveforms (cycles, 101)."""
    n = len(measured)
    at = np.interp(SAMPLES, PHASES, np.arange(101)).round().astype(int)
    coords = {
        "channel": ["tib"],
        "target": ("channel", ["tib_ant_r"]),
        "electrode": ("channel", ["tib"]),
        "muscle": ["tib_ant_r"],
        "subject": ("cycle", people),
        "trial": ("cycle", trials),
        "speed_m_s": ("cycle", speeds),
        "start_s": ("cycle", np.arange(n, dtype=float)),
        "end_s": ("cycle", np.arange(n) + 1.0),
    }
    data = {}
    for name, values in (("emg", measured), ("activation", simulated)):
        last = "channel" if name == "emg" else "muscle"
        data[name] = (("cycle", "sample", last), np.asarray(values)[:, at, None])
        data[f"{name}_waveform"] = (("cycle", "phase", last), np.asarray(values)[:, :, None])
    return xr.Dataset(data, coords, attrs={"study": "made", "synthetic": 1})


def test_hand_worked_sizes():
    measured = np.stack([0.2 + 0.1 * WAVE, 0.4 + 0.1 * WAVE])
    table = likeness(study(measured, 0.5 * measured, ["a", "b"], ["a1", "b1"], [1.0, 1.0]))
    assert value(table, "emg_mean") == pytest.approx(0.3, rel=1e-2)
    assert value(table, "size_ratio") == pytest.approx(0.5)
    assert value(table, "distance") == pytest.approx(0.5)
    assert value(table, "correlation") == pytest.approx(1.0)
    assert value(table, "emg_peak") == pytest.approx(0.4 / 0.3, rel=1e-2)
    assert value(table, "emg_floor") == pytest.approx(0.2 / 0.3, rel=1e-2)
    rms = np.sqrt((measured**2).mean())
    assert value(table, "emg_between_people") == pytest.approx(np.sqrt(0.02) / rms)  # var of .2 and .4, ddof 1
    assert np.isnan(
        [value(table, name) for name in ("emg_between_cycles", "emg_between_trials", "emg_with_speed")]
    ).all()
    assert value(table, "departure_people") != value(table, "departure_people")  # a constant departure has no r


def test_saturated_samples_are_counted():
    measured = np.stack([np.where(PHASES < 25, 1.0, 0.2)] * 2)
    table = likeness(study(measured, 0.1 + 0.1 * measured, ["a", "b"], ["a1", "b1"], [1.0, 1.0]))
    assert value(table, "emg_saturated") == pytest.approx(25 / 101)
    assert value(table, "simulated_saturated") == 0.0


def test_variation_is_taken_apart():
    rng = np.random.default_rng(0)
    person, trial, cycle = (sd * rng.standard_normal(n) for sd, n in ((0.3, 60), (0.2, 240), (0.1, 960)))
    who, which = np.repeat(np.arange(60), 16), np.repeat(np.arange(240), 4)
    level = 2.0 + person[who] + trial[which] + cycle
    waves = level[:, None] * np.ones(101)
    names = [f"p{k}" for k in who], [f"t{k}" for k in which]
    table = likeness(study(waves, waves + 0.01 * WAVE, *names, np.ones(960)))
    rms = np.sqrt((waves**2).mean())
    found = [value(table, f"emg_between_{what}") * rms for what in ("people", "trials", "cycles")]
    np.testing.assert_allclose(found, [person.std(ddof=1), 0.2, 0.1], rtol=0.12)


def test_the_share_of_speed_is_found_and_is_zero_where_there_is_none():
    rng = np.random.default_rng(1)
    speed = np.tile([1.0, 2.0, 3.0, 4.0], 50)
    people, trials = [f"p{k // 4}" for k in range(200)], [f"t{k}" for k in range(200)]
    noise = rng.standard_normal(200)
    for slope in (0.0, 0.5):
        waves = 5.0 + (slope * speed + noise)[:, None] * np.ones(101)
        expected = slope**2 * speed.var() / (slope**2 * speed.var() + 1.0)
        found = value(likeness(study(waves, waves + 0.01 * WAVE, people, trials, speed)), "emg_with_speed")
        assert found == pytest.approx(expected, abs=0.07)


def test_departures_are_from_the_others_alone():
    waves = np.arange(4.0)[:, None] * np.ones((4, 3))
    away = departures(waves, np.array(["a", "a", "b", "c"]))
    np.testing.assert_allclose(away[:, 0], [0 - 2.5, 1 - 2.5, 2 - 4 / 3, 3 - 1.0])
    assert np.isnan(departures(waves, np.full(4, "a"))).all()
    assert correlations(np.array([[1.0, 2.0, 3.0]]), np.array([[3.0, 2.0, 1.0]])) == pytest.approx(-1.0)
    assert np.isnan(correlations(np.ones((1, 3)), np.array([[3.0, 2.0, 1.0]]))).all()


def test_a_simulation_that_is_right_tells_every_departure():
    right = replace(Knobs().only(), emg_noise=0.0)
    table = likeness(synthetic_cycles("walking", right, subjects=3, speeds=2))
    for statistic in ("correlation", "departure_people", "departure_trials"):
        assert value(table, statistic) == pytest.approx(1.0)
    assert value(table, "distance") == pytest.approx(0.0, abs=1e-9)


def test_every_statistic_has_a_bound_and_the_others_side_is_told():
    assert set(BOUNDS) == set(STATISTICS) | set(WHOLE)
    real = pd.DataFrame({"statistic": ["emg_mean", "correlation", "emg_with_speed"], "value": [0.2, 0.5, np.nan]})
    made = pd.DataFrame({"statistic": ["emg_mean", "correlation", "emg_with_speed"], "value": [0.1, 0.45, 0.3]})
    table = compare(made, real).set_index("statistic")
    assert table.loc["emg_mean", "away"] == pytest.approx(2.0)
    assert table["within"].to_dict() == {"emg_mean": False, "correlation": True}


def committed(motion):
    rows = pd.read_csv(LIKENESS)
    return rows[(rows["study"] == RECORDED[motion]) & rows["generator"].isna()]


@pytest.mark.parametrize(("motion", "seed"), [("walking", 0), ("walking", 3), ("running", 0)])
def test_generator_2_lies_within_its_bounds_of_the_recordings(motion, seed):
    table = compare(likeness(synthetic_cycles(motion, seed=seed)), committed(motion))
    assert len(table) >= 17
    assert table[~table["within"]].empty, table[~table["within"]].to_string()


def test_generator_1_does_not():
    table = compare(likeness(synthetic_cycles("walking", generator=1)), committed("walking")).set_index("statistic")
    for statistic in ("emg_saturated", "components_99", "departure_people"):
        assert not table.loc[statistic, "within"]


def test_the_committed_table_holds_every_seed_of_generator_2_within_its_bounds():
    rows = pd.read_csv(LIKENESS)
    made = rows[rows["generator"] == 2]
    assert made.groupby("motion")["data_seed"].nunique().min() >= 4
    for (motion, _), one in made.groupby(["motion", "data_seed"]):
        table = compare(one, committed(motion))
        assert table[~table["within"]].empty, table[~table["within"]].to_string()


@pytest.mark.slow
@pytest.mark.realdata
def test_the_committed_values_are_those_of_the_recordings(realdata, tmp_path, monkeypatch):
    monkeypatch.setenv("NEM2E_REALDATA", str(realdata))
    for motion, cycles in recorded(tmp_path).items():
        found, kept = likeness(cycles), committed(motion)
        assert found["statistic"].tolist() == kept["statistic"].tolist()
        np.testing.assert_allclose(found["value"], kept["value"], rtol=1e-6)
