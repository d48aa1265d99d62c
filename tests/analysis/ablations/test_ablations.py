"""One factor at a time: variants from the options' types, cuts by hand, effects against scipy."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_rel

from nem2e_lib.analysis.ablations import Bench, Reading, Variant, effects, read, readings, said, unfinished, variants
from nem2e_lib.analysis.ablations.variants import Cutting, Normalisation, normalised
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.config import Configuration, Quarter, Score, Spatial
from tests.support.small import make_cycles

BASE = Configuration(units=4, epochs=1)


def test_every_value_that_a_type_names_is_varied_once():
    found = variants(BASE)
    assert len({(v.condition, v.option, v.value) for v in found}) == len(found)
    for option, named, condition in (
        ("score", Score, "one_entire"),
        ("quarter", Quarter, "one_quarter"),
        ("spatial", Spatial, "all_entire"),
        ("emg_normalisation", Normalisation, "one_entire"),
    ):
        default = getattr(BASE, option, "none")
        values = [v.value for v in found if v.option == option and v.condition == condition]
        assert values == [value for value in get_args(named) if value != default]
    assert {v.needs for v in found} == {"retrain", "recut", "reanalyse"}
    assert not {v.option for v in found} & {"seed", "epochs"}


def test_a_default_is_no_variant():
    found = variants(replace(BASE, score="dot", units=16))
    assert ("score", "dot") not in {(v.option, v.value) for v in found}
    assert ("score", "general") in {(v.option, v.value) for v in found}
    assert 16 not in {v.value for v in found if v.option == "units"}


@pytest.mark.parametrize(("over", "same"), [("cycle", "cycle"), ("trial", "trial"), ("subject", "subject")])
def test_emg_reaches_one_once_in_every_set(over, same):
    cycles = make_cycles()
    peak = normalised(cycles, over).emg_waveform.max("phase").groupby(same).max()
    np.testing.assert_allclose(peak.values, 1.0)


def test_the_training_maximum_does_not_know_the_held_out_subject():
    cycles = make_cycles()
    training = cycles.subject.values != "s0"
    louder = cycles.copy(deep=True)
    louder.emg.values[~training] *= 7
    louder.emg_waveform.values[~training] *= 7
    plain, loud = (normalised(one, "training", training) for one in (cycles, louder))
    np.testing.assert_allclose(loud.emg.values[training], plain.emg.values[training])
    np.testing.assert_allclose(loud.emg.values[~training], 7 * plain.emg.values[~training])
    np.testing.assert_allclose(plain.emg_waveform.values[training].max(axis=(0, 1)), 1.0)


def test_a_silent_channel_has_no_maximum():
    cycles = make_cycles()
    cycles.emg_waveform.values[0, :, 1] = 0
    with pytest.raises(Nem2eError, match="EMG tib is silent throughout a cycle"):
        normalised(cycles, "cycle")


def test_cuts_do_what_their_options_say(study_folder):
    study = load_study(study_folder)
    (whole,), (half,) = Cutting().pieces(study), Cutting(cycle="right-left").pieces(study)
    last = half.cycles.end_s.values - half.cycles.start_s.values
    np.testing.assert_allclose(last, 0.5, atol=0.02)
    assert Cutting(samples=50).pieces(study)[0].cycles.sizes["sample"] == 50
    pieces = Cutting(emg_normalisation="training").pieces(study)
    assert [piece.folds.labels for piece in pieces] == [("s1",), ("s2",)]
    assert [set(piece.cycles.subject.values[piece.folds.of_cycle == 0]) for piece in pieces] == [{"s1"}, {"s2"}]
    assert set(whole.folds.labels) == {"s1", "s2"}


@pytest.mark.slow
def test_a_bench_lays_variants_beside_the_default_and_trains_nothing_twice(study_folder, tmp_path):
    bench = Bench(load_study(study_folder), BASE, ("sol", "tib"), tmp_path / "models", seeds=2)
    chosen = [
        Variant("one_entire", "score", "dot", "retrain"),
        Variant("one_entire", "units", 8, "retrain", 1),
        Variant("one_entire", "emg_normalisation", "training", "recut"),
        Variant("one_entire", "er", "mean_of_ratios", "reanalyse"),
        Variant("one_entire", "r2", "sse", "reanalyse"),
    ]
    rows = pd.concat([bench.seed_rows("one_entire"), *(bench.rows(one) for one in chosen)], ignore_index=True)
    assert rows.groupby(["option", "value"]).size().eq(2).all()
    assert np.isfinite(rows[["here", "base", "entropy", "base_entropy"]]).all(axis=None)
    first = errors(bench.default("one_entire")[0].isel(seed=[0]))
    own = rows[rows["option"] == "score"].set_index("label")["base"]
    pd.testing.assert_series_equal(own, first.groupby("label")["er"].mean(), check_names=False)
    assert rows.loc[rows["option"] == "units", "electrodes"].eq(1).all()
    assert rows.loc[rows["option"] == "units", "units"].eq(8).all()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "models").rglob("*.npz")}
    again = Bench(load_study(study_folder), BASE, ("sol", "tib"), tmp_path / "models", seeds=2)
    pd.testing.assert_frame_equal(again.rows(chosen[2]), bench.rows(chosen[2]))
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "models").rglob("*.npz")}


def test_a_trained_condition_is_read_by_every_choice_after_training(study_folder, tmp_path):
    bench = Bench(load_study(study_folder), BASE, ("sol", "tib"), tmp_path / "models", seeds=2)
    (results,) = bench.default("one_entire")
    rows = readings(results)
    assert list(dict.fromkeys(zip(rows["option"], rows["value"], strict=True))) == [
        ("er", "mean_of_ratios"),
        ("r2", "sse"),
        ("ensemble", "True"),
    ]
    usual = read([results], Reading(), "Er")["value"]
    own = rows[rows["option"] == "er"].set_index("label")
    pd.testing.assert_series_equal(own["base"], usual, check_names=False)
    pd.testing.assert_series_equal(
        own["here"], read([results], Reading(er="mean_of_ratios"), "Er")["value"], check_names=False
    )
    assert "ensemble" not in set(readings(results.isel(seed=[0]))["option"])


def planted(differences: dict[str, np.ndarray]) -> pd.DataFrame:
    base = np.linspace(-0.5, -0.3, 10)
    parts = [
        pd.DataFrame(
            {
                "study": "s",
                "condition": "one_entire",
                "option": option,
                "value": "x",
                "default": "y",
                "needs": "retrain",
                "measure": "Er",
                "unit": "subject",
                "label": [f"s{k}" for k in range(10)],
                "here": base + difference,
                "base": base,
                "entropy": 0.5,
                "base_entropy": 0.9,
                "diverged": 0,
                "models": 5,
                "electrodes": 5,
                "units": 32,
                "updates": 800,
                "synthetic": True,
            }
        )
        for option, difference in differences.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_effects_are_paired_and_measured_against_seeds():
    noise = np.random.default_rng(0).normal(0, 0.002, 10)
    rows = planted(
        {"seed": np.full(10, 0.02) + noise, "score": 0.1 + noise, "units": 0.01 + noise, "cycle": 0.05 + 100 * noise}
    )
    table = effects(rows).set_index("option")
    assert table["verdict"].to_dict() == {
        "seed": "yardstick",
        "score": "matters",
        "units": "no more than seeds",
        "cycle": "not sure",
    }
    score = rows[rows["option"] == "score"]
    plain = ttest_rel(score["here"], score["base"])
    wider = np.sqrt(1 + 10 / 9)  # Nadeau & Bengio's 1/10 + 1/9 for 1/10
    p_value = 2 * student.sf(abs(plain.statistic) / wider, 9)
    assert table.loc["score", "p_value"] == pytest.approx(p_value)
    interval, mean = plain.confidence_interval(), (score["here"] - score["base"]).mean()
    expected = [mean + wider * (end - mean) for end in (interval.low, interval.high)]
    assert table.loc["score", ["ci_low", "ci_high"]].tolist() == pytest.approx(expected)
    assert table["seed_range"].iloc[0] == pytest.approx(abs(table.loc["seed", "difference"]))
    assert np.isnan(table.loc["seed", "p_holm"])
    assert table.loc["score", "p_holm"] == pytest.approx(3 * p_value)
    assert "1 of 3 variants" in said(table.reset_index())


def test_from_few_units_nothing_is_shown_however_large_the_effect():
    noise = np.random.default_rng(0).normal(0, 0.002, 10)
    rows = planted({"seed": 0.01 + noise, "score": 0.3 + noise, "units": noise})
    few = effects(rows[rows["label"].isin(["s0", "s1", "s2", "s3"])])
    assert few.set_index("option").loc["score", "p_holm"] < 0.001
    assert list(few["verdict"]) == ["yardstick", "too few units", "no more than seeds"]
    assert said(few).startswith("From 4 held-out units nothing is shown, it takes 6. 1 of 2 variants change Er by more")
    assert "surely" in said(effects(rows))


def test_training_that_is_not_at_its_end_is_told():
    noise = np.random.default_rng(0).normal(0, 0.002, 10)
    rows = planted({"seed": 0.01 + noise, "updates": -0.1 + noise}).assign(default="800", value="3200")
    assert unfinished(effects(rows)).startswith(
        "The default's training is not at its end: 3200 updates change Er by -0.10"
    )
    assert unfinished(effects(rows.assign(value="200"))) == ""
    ended = planted({"seed": 0.01 + noise, "updates": noise}).assign(default="800", value="3200")
    assert unfinished(effects(ended)) == ""
