"""What maps may be read as, from tables in which the answer is planted."""

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis import attention_verdicts as verdicts
from nem2e_lib.analysis.attention_verdicts import CHANGES, FAILS, HOLDS, OPTIONS, UNKNOWN

ENCODERS = ("muscle_lstm", "per_muscle", "input_attention")


def made(good=("per_muscle",), er=None):
    """Tables of a study in which the maps of `good` pass every test and the others fail every one."""
    tables = {name: [] for name in ("encoders", "seeds", "agreement", "order", "planted")}
    rng = np.random.default_rng(0)
    for spatial in (*ENCODERS, "time_tokens"):
        fine = spatial in good
        about = {"spatial": spatial, "score": "general", "decoder_state": "encoder"}
        tables["encoders"] += [
            {
                **about,
                "seed": seed,
                "muscle": "tib",
                "label": f"s{s}",
                "er": (er or {}).get(spatial, -0.5) + 0.01 * s,
                "er_mean_curve": -0.4,
                "entropy": 0.6 if fine else 0.99,
                "uniform_change": 0.2 if fine else 0.01,
            }
            for seed in range(3)
            for s in range(4)
        ]
        if spatial == "time_tokens":
            continue
        tables["seeds"] += [{**about, "muscle": "tib", "a": "0", "b": "1", "spearman": 0.9 if fine else 0.1}]
        tables["agreement"] += [
            {**about, "muscle": "tib", "a": "attention", "b": b, "spearman": 0.8 if fine else 0.0}
            for b in ("gradient", "occlusion")
        ]
        tables["order"] += [
            {
                "spatial": spatial,
                "muscle": "tib",
                "tokens": 102,
                "entropy": 0.9,
                "a": a,
                "b": b,
                "phase": 50.0,
                "by_muscle": (0.8 if fine else 0.05) + 0.01 * rng.random(),
                "by_position": 0.05 if fine else 0.8,
                "neighbours": 2.0,
            }
            for a, b in (("file", "reversed"), ("file", "shuffled 0"))
        ]
        tables["planted"] += [
            {**about, "muscle": "tib", "tokens": 102, "measure": measure, "precision": precision}
            for measure, precision in (("attention", 0.9 if fine else 0.1), ("gradient", 0.9))
        ]
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def delays(slope, gradient, offset=0.0):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {
                "causes": "all",
                "decoder_state": "encoder",
                "delay_ms": true,
                "muscle": muscle,
                "seed": seed,
                "entropy": 0.9,
                "er": -0.5,
                "er_mean_curve": -0.4,
                "attention_centre_ms": slope * true + rng.normal(),
                "attention_peak_ms": 227.0,
                "attention_edge": True,
                "gradient_ms": offset + gradient * true + rng.normal(),
                "gradient_edge": False,
            }
            for muscle in ("tib", "soleus")
            for seed in range(2)
            for true in (0.0, 30.0, 60.0, 90.0)
        ]
    )


def test_a_map_that_passes_every_test_is_readable_and_the_others_say_what_fails():
    read = verdicts.readings(made()).set_index("spatial")
    assert list(read["readable"]) == [HOLDS if name == "per_muscle" else FAILS for name in read.index]
    assert read.loc["per_muscle", "fails"] == ""
    for words in ("uniform weights", "order changes", "other seeds", "occlusion", "planted"):
        assert words in read.loc["muscle_lstm", "fails"]
    assert "time_tokens" not in read.index


@pytest.mark.parametrize(
    ("table", "column", "value", "words"),
    [
        ("encoders", "uniform_change", 0.04, "uniform weights in place of its own cost less than 0.05 of Er"),
        ("seeds", "spearman", 0.4, "other seeds"),
        ("order", "by_muscle", 0.01, "order changes"),
        ("agreement", "spearman", 0.3, "occlusion"),
        ("planted", "precision", 0.2, "planted"),
    ],
)
def test_each_test_alone_forbids_reading(table, column, value, words):
    tables = made()
    attended = tables[table].get("measure", pd.Series("attention", tables[table].index)) == "attention"
    tables[table].loc[attended & (tables[table]["spatial"] == "per_muscle"), column] = value
    read = verdicts.readings(tables).set_index("spatial")
    assert words in read.loc["per_muscle", "fails"]
    assert ";" not in read.loc["per_muscle", "fails"]


def test_planted_muscles_that_the_network_did_not_learn_say_nothing():
    tables = made()
    tables["planted"]["precision"] = 0.1
    read = verdicts.readings(tables).set_index("spatial")
    assert "planted" not in " ".join(read["fails"])
    assert read.loc["per_muscle", "readable"] == UNKNOWN


def test_what_was_not_measured_cannot_be_told():
    tables = made()
    tables["seeds"] = tables["seeds"][tables["seeds"]["spatial"] != "per_muscle"]
    assert verdicts.readings(tables).set_index("spatial").loc["per_muscle", "readable"] == UNKNOWN
    assert verdicts.speaks_against({"occlusion_spearman": 0.1, "seeds_spearman": np.nan}) == [
        "it does not agree with occlusion"
    ]


def test_entropy_decides_nothing():
    tables, sharp = made(), made()
    sharp["encoders"]["entropy"] = 0.1
    uniform = made()
    uniform["encoders"]["entropy"] = 1.0
    for other in (sharp, uniform):
        assert list(verdicts.readings(other)["readable"]) == list(verdicts.readings(tables)["readable"])


def test_chance_of_a_top_ten():
    # P(4 or more of 10 among 10 of 102) is about .01, P(3 or more) about .06
    assert verdicts.chance_precision(102) == pytest.approx(0.3)


def test_order_summary_follows_what_overlaps_beyond_chance():
    summary = verdicts.order_summary(made()["order"]).set_index("spatial")
    assert list(summary["follows"]) == ["position", "muscle", "position"]
    assert (summary["orders"] == 3).all()
    assert 0 < summary["chance"].iloc[0] < summary["chance_95"].iloc[0] < 0.25


def test_slopes_tell_a_delay_from_a_map_that_stands_still():
    table = verdicts.slopes(delays(0.0, 1.0)).set_index("measure")
    assert table.loc["gradient", "slope"] == pytest.approx(1.0, abs=0.05)
    assert table.loc["gradient", "n"] == 4
    assert table.loc["gradient", "ci_low"] < table.loc["gradient", "slope"] < table.loc["gradient", "ci_high"]
    assert table.loc["gradient", "reads_as_delay"] == HOLDS
    assert table.loc["attention_centre", "reads_as_delay"] == FAILS
    # lags at the greatest lag considered have no peak, and no slope is made of them
    assert table.loc["attention_peak", "n"] == 0
    assert table.loc["attention_peak", "reads_as_delay"] == FAILS


def test_a_lag_that_moves_with_the_delay_but_is_not_it_shows_its_changes():
    table = verdicts.slopes(delays(0.0, 1.0, offset=60.0)).set_index("measure")
    assert table.loc["gradient", "offset_ms"] == pytest.approx(60.0, abs=3)
    assert table.loc["gradient", "reads_as_delay"] == CHANGES


def test_the_default_changes_only_for_a_readable_map_of_equal_error():
    def advice(**options):
        tables = made(**options)
        return verdicts.recommendation(verdicts.encoder_summary(tables["encoders"]), verdicts.readings(tables))

    assert "the map of per_muscle, general score, decoder from encoder passes every test" in advice()
    assert "no reason to change the default" in advice(good=())
    # readable, but worse in every held-out subject
    worse = {"per_muscle": -0.45, "muscle_lstm": -0.5}
    assert "no reason to change the default" in advice(er=worse)


def test_the_verdict_tells_both_maps():
    tables = made()
    words = verdicts.verdict(verdicts.readings(tables), verdicts.slopes(delays(0.0, 1.0)))
    assert words.startswith("Spatial maps that pass every test: per_muscle.")
    assert "attention: no, it moves" in words
    assert "input gradient: yes, it moves 1.0" in words
    none = verdicts.verdict(verdicts.readings(made(good=())), verdicts.slopes(delays(1.0, 0.0)))
    assert none.startswith("No spatial attention map passes every test")
    assert "attention: yes, it moves" in none
    assert "input gradient: no, it moves" in none


def test_the_verdict_names_the_setting_of_a_map_and_tells_what_was_not_tested():
    tables = made(good=())
    lag = verdicts.slopes(delays(1.0, 0.0))
    words = verdicts.verdict(verdicts.readings(tables), lag).splitlines()
    assert sum(line.startswith("muscle_lstm, general score, decoder from encoder: ") for line in words) == 1
    assert not any("Not every test" in line for line in words)
    tables = made()
    tables["seeds"] = tables["seeds"][tables["seeds"]["spatial"] != "per_muscle"]
    words = verdicts.verdict(verdicts.readings(tables), lag).splitlines()
    told = (
        "Not every test was made, and none speaks against the map, of: per_muscle, general score, decoder from encoder."
    )
    assert told in words
    assert not any(line.startswith("per_muscle") for line in words)


def test_er_is_compared_within_held_out_subjects():
    er = {"muscle_lstm": -0.5, "per_muscle": -0.4, "input_attention": -0.6}
    table = verdicts.encoder_summary(made(er=er)["encoders"]).set_index("spatial")
    assert table.loc["per_muscle", "difference"] == pytest.approx(0.1)
    assert list(table["equal"]) == [True, False, True, True]
    assert list(table.reset_index()[OPTIONS].columns) == OPTIONS
    assert (table["n"] == 4).all()


def asked(uniform, p_value=0.001, half=0.01, value=0.6, n=10):
    """Answer for one condition whose uniform weights change Er by `uniform`, with intervals of this half width."""
    about = {"study": "running", "condition": "one_entire", "synthetic": True}
    changed = pd.DataFrame(
        [
            {
                **about,
                "intervention": name,
                "change": change,
                "ci_low": change - half,
                "ci_high": change + half,
                "n": n,
                "unit": "subject",
            }
            for name, change in (("uniform_weights", uniform), ("other_context", 0.1), ("no_context", 0.4))
        ]
    )
    nulls = [{**about, "test": "occlusion", "value": value, "null": n, "p_value": p} for n, p in p_value_of(p_value)]
    entropies = pd.DataFrame([{**about, "muscle": name, "entropy": share} for name, share in (("a", 0.9), ("b", 1.0))])
    return verdicts.own_verdicts(entropies, changed, pd.DataFrame(nulls)).iloc[0]


def p_value_of(p_value):
    return [("other_muscles", p_value), ("random_maps", 0.001)]


def test_weights_that_can_be_taken_away_say_nothing_whatever_the_entropy():
    found = asked(0.02)
    assert (found["verdict"], bool(found["spoken_against"])) == ("shown otherwise", True)
    assert found["sentence"].startswith("The weights matter little: uniform ones in their place change Er by +0.020")
    assert "The context is needed: without one Er changes by +0.400 (95 % CI +0.390 to +0.410)" in found["sentence"]
    assert found["sentence"].endswith(
        "with another cycle's by +0.100 (95 % CI +0.090 to +0.110); it tells of this cycle."
    )
    assert found["entropy"] == pytest.approx(0.95)
    assert (found["effect"], found["ci_low"], found["ci_high"]) == pytest.approx((0.02, 0.01, 0.03))


def test_weights_that_matter_and_agree_with_occlusion_show_where_the_network_looks():
    found = asked(0.2)
    assert (found["verdict"], bool(found["spoken_against"])) == ("shown", False)
    assert "The weights matter: uniform ones" in found["sentence"]
    assert "beyond random and other muscles' maps (p = 0.001)" in found["sentence"]


def test_too_few_units_decide_nothing_in_words_either():
    found = asked(0.02, n=4)
    assert found["verdict"] == "not shown"
    assert found["sentence"].startswith("4 held-out subjects are too few to decide: uniform weights in place")
    assert "matter" not in found["sentence"]
    assert "needed" not in found["sentence"]


@pytest.mark.parametrize(
    ("options", "verdict", "words"),
    [
        ({"uniform": 0.2, "p_value": 0.3}, "not shown", "not beyond random and other muscles' maps (p = 0.300)"),
        ({"uniform": 0.2, "p_value": np.nan}, "not shown", "which has no null here"),
        ({"uniform": 0.05, "half": 0.02}, "not shown", "Whether the weights matter is not decided"),
        ({"uniform": 0.05, "half": np.nan}, "cannot be told", "no interval can be made"),
    ],
)
def test_what_is_not_decided_is_not_shown(options, verdict, words):
    found = asked(**options)
    assert (found["verdict"], bool(found["spoken_against"])) == (verdict, True)
    assert words in found["sentence"]
