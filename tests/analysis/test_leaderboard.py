"""The leaderboard against hand-worked values."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nem2e_lib.analysis import leaderboard
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals import evaluate, rival
from nem2e_lib.training.config import profile
from nem2e_lib.training.stdrnet import parameters
from tests.support.small import make_cycles

LABELS = ["s0", "s1", "s2", "s3"]


def rows(method, by_muscle, electrodes=None):
    """Rows of `metrics.errors` from Er by muscle, one value a held-out unit."""
    return (
        pd.DataFrame(
            {
                "study": "tiny",
                "condition": method,
                "muscle": muscle,
                "electrode": (electrodes or {}).get(muscle, muscle),
                "unit": "subject",
                "label": LABELS,
                "er": values,
                "synthetic": True,
            }
            for muscle, values in by_muscle.items()
        )
        .explode(["label", "er"])
        .astype({"er": float})
    )


def no_costs(*methods):
    return pd.DataFrame({"study": "tiny", "method": methods, "parameters": 1, "seconds": 1.0})


A = {"sol": [-0.5, -0.6, -0.55, -0.5], "tib": [-0.3, -0.4, -0.35, -0.3]}
B = {"sol": [-0.2, -0.2, -0.25, -0.2], "tib": [-0.1, -0.1, -0.05, -0.1]}


def test_copies_of_an_electrode_count_once():
    table = rows("a", {"gl1": [0.0] * 4, "gl2": [-0.4] * 4, "sol": [-0.6] * 4}, {"gl1": "gl", "gl2": "gl"})
    units = leaderboard.per_unit(table)
    np.testing.assert_allclose(units["er"], (-0.2 - 0.6) / 2)
    assert (units["n_electrodes"] == 2).all()


def test_standings_are_means_with_their_interval_over_units():
    table = leaderboard.standings(pd.concat([rows("b", B), rows("a", A)]), no_costs("a", "b"))
    assert table["method"].tolist() == ["a", "b"]
    assert table["rank"].tolist() == [1, 2]
    means = np.mean([A["sol"], A["tib"]], axis=0)
    low, high = stats.t.interval(0.95, 3, means.mean(), stats.sem(means))
    np.testing.assert_allclose(table.loc[0, ["er_mean", "ci_low", "ci_high"]].astype(float), [means.mean(), low, high])
    assert table[["wins", "losses"]].to_numpy().tolist() == [[1, 0], [0, 1]]


def test_duels_are_paired_and_corrected_by_holm():
    noise = {"sol": [-0.21, -0.19, -0.24, -0.22], "tib": [-0.1, -0.12, -0.04, -0.09]}
    fights = leaderboard.duels(pd.concat([rows("a", A), rows("b", B), rows("c", noise)]))
    means = {name: np.mean([by["sol"], by["tib"]], axis=0) for name, by in {"a": A, "b": B, "c": noise}.items()}
    t = np.array([stats.ttest_rel(means[x], means[y]).statistic for x, y in (("a", "b"), ("a", "c"), ("b", "c"))])
    raw = 2 * stats.t.sf(np.abs(t) / np.sqrt(1 + 4 / 3), 3)  # four units: 1/4 + 1/3 in place of 1/4
    np.testing.assert_allclose(fights["p_value"], raw)
    order = np.argsort(raw)
    holm = np.empty(3)
    holm[order] = np.minimum(np.maximum.accumulate(raw[order] * [3, 2, 1]), 1)
    np.testing.assert_allclose(fights["p_holm"], holm)
    assert fights["winner"].tolist() == ["a", "a", ""]


def test_equal_methods_cannot_be_told_apart():
    fights = leaderboard.duels(pd.concat([rows("a", A), rows("b", A)]))
    assert fights["winner"].tolist() == [""]
    assert np.isnan(fights["p_holm"].iloc[0])
    assert "the same" in fights["reason"].iloc[0]


def test_one_undefined_prediction_makes_its_method_undefined():
    broken = {**A, "tib": [np.nan, -0.4, -0.35, -0.3]}
    table = leaderboard.standings(pd.concat([rows("a", broken), rows("b", B)]), no_costs("a", "b"))
    assert table["method"].tolist() == ["b", "a"]
    assert table["er_mean"].isna().tolist() == [False, True]
    assert pd.isna(table.loc[1, "rank"])
    assert "undefined for 1 of 4" in table.loc[1, "reason"]


def test_a_muscle_undefined_for_all_is_left_out_for_all():
    copied = [np.nan] * 4
    table = pd.concat([rows("a", {**A, "bi": copied}), rows("b", {**B, "bi": copied})])
    units = leaderboard.per_unit(table)
    assert (units["n_electrodes"] == 2).all()
    assert units["er"].notna().all()


def test_methods_on_other_cycles_are_refused():
    short = rows("b", {"sol": B["sol"]})
    with pytest.raises(Nem2eError, match=r"b of study tiny has 4 rows .* expected the 8"):
        leaderboard.per_unit(pd.concat([rows("a", A), short]))
    with pytest.raises(Nem2eError, match="a of study tiny has 16 rows"):
        leaderboard.per_unit(pd.concat([rows("a", A), rows("a", A)]))


def test_costs_of_rivals_and_of_trained_conditions():
    flat = evaluate(make_cycles(), rival("mean_curve"))
    configuration = profile("smoke")
    trained = flat.drop_attrs().assign_attrs(
        study="tiny", condition="all_entire", seconds=3.0, configuration=configuration.to_json()
    )
    table = leaderboard.costs([flat, trained]).set_index("method")
    assert table.loc["mean_curve", "parameters"] == 20 * 2
    assert table.loc["all_entire", "parameters"] == 2 * parameters(20, configuration)
    assert table.loc["all_entire", "seconds"] == 3.0


def test_a_method_sees_its_duels_as_its_own():
    fights = leaderboard.duels(pd.concat([rows("a", A), rows("b", B), rows("c", B)]))
    own = leaderboard.against(fights, "b")
    assert own["rival"].tolist() == ["a", "c"]
    first = fights.iloc[0]
    assert own.iloc[0][["difference", "low", "high"]].tolist() == [-first.difference, -first.ci_high, -first.ci_low]
    pd.testing.assert_frame_equal(
        leaderboard.against(fights, "a")[["difference", "low", "high"]],
        fights.loc[fights["a"] == "a", ["difference", "ci_low", "ci_high"]].set_axis(
            ["difference", "low", "high"], axis=1
        ),
    )


def test_what_is_said_names_the_best_and_whom_it_does_not_surely_beat():
    close = {"sol": [-0.51, -0.58, -0.56, -0.49], "tib": [-0.3, -0.41, -0.34, -0.31]}
    table = pd.concat([rows("a", A), rows("b", B), rows("c", close)])
    standings = leaderboard.standings(table, no_costs("a", "b", "c"))
    (said,) = leaderboard.said(standings, leaderboard.duels(table), str.upper)
    assert said.startswith(
        "tiny: A has the lowest Er (−0.44). Over all pairs, for exploring, it is lower than that of 1 of 2 others"
    )
    assert said.endswith("not shown to be lower than: C.")
    undefined = standings.assign(er_mean=np.nan)
    assert leaderboard.said(undefined, leaderboard.duels(table)) == ["tiny: Er is undefined for every method."]


def test_the_interval_of_a_rank_is_that_of_every_draw_of_units():
    """Against all 4^4 equally likely draws of four units."""
    close = {"sol": [-0.56, -0.52, -0.58, -0.46], "tib": [-0.3, -0.4, -0.35, -0.3]}
    units = leaderboard.per_unit(pd.concat([rows("a", A), rows("b", B), rows("c", close)]))
    found = leaderboard.rank_intervals(units).set_index("method")
    wide = units.pivot_table(index="label", columns="method", values="er")
    draws = np.array(np.meshgrid(*[range(4)] * 4)).reshape(4, -1).T
    ranks = wide.to_numpy()[draws].mean(axis=1).round(12)
    ranks = pd.DataFrame(ranks, columns=wide.columns).rank(axis=1, method="min")
    for method in "abc":
        expected = ranks[method].quantile([0.025, 0.975], interpolation="nearest")
        assert found.loc[method, ["rank_low", "rank_high"]].tolist() == expected.tolist()
    assert found.loc["b"].tolist()[-2:] == [3, 3]
    assert found.loc["a", "rank_low"] == found.loc["c", "rank_low"] == 1
    assert found.loc["a", "rank_high"] == found.loc["c", "rank_high"] == 2


def test_a_method_whose_er_is_undefined_has_no_rank_and_no_interval():
    broken = {**A, "tib": [np.nan, -0.4, -0.35, -0.3]}
    table = leaderboard.standings(pd.concat([rows("a", broken), rows("b", B)]), no_costs("a", "b")).set_index("method")
    assert table.loc["b", ["rank", "rank_low", "rank_high"]].tolist() == [1, 1, 1]
    assert table.loc["a", ["rank", "rank_low", "rank_high"]].isna().all()


def test_what_being_told_adds_is_paired_and_corrected_over_methods():
    better = {muscle: [value - 0.02 + 0.005 * k for k, value in enumerate(values)] for muscle, values in A.items()}
    worse = {muscle: [value + 0.01 * k for k, value in enumerate(values)] for muscle, values in B.items()}
    units = leaderboard.per_unit(pd.concat([rows("a", A), rows("b", B), rows("c", B)]))
    told_units = leaderboard.per_unit(pd.concat([rows("a", better), rows("b", worse)]))
    table = leaderboard.told(units, told_units, {"c": "has no inputs"}).set_index("method")
    np.testing.assert_allclose(table.loc["a", "difference"], np.mean([-0.02, -0.015, -0.01, -0.005]))
    np.testing.assert_allclose(table.loc["b", "difference"], 0.015)
    difference = np.mean([better["sol"], better["tib"]], axis=0) - np.mean([A["sol"], A["tib"]], axis=0)
    error = difference.std(ddof=1) * np.sqrt(1 / 4 + 1 / 3)  # one of four is left out, so that three are learned from
    np.testing.assert_allclose(table.loc["a", "p_value"], 2 * stats.t.sf(abs(difference.mean()) / error, 3))
    interval = stats.t.interval(0.95, 3, difference.mean(), error)
    np.testing.assert_allclose(table.loc["a", ["ci_low", "ci_high"]].astype(float), interval)
    smaller, larger = sorted(table.loc[["a", "b"], "p_value"])
    assert sorted(table["p_holm"].dropna()) == pytest.approx([2 * smaller, max(2 * smaller, larger)])
    assert table.loc["c", "reason"] == "has no inputs"
    assert pd.isna(table.loc["c", "er_told"])


def test_the_leaderboard_is_read_with_intervals_in_a_cell_and_what_was_tuned_beside_the_rank():
    table = pd.concat([rows("a", A), rows("b", B)])
    standings, units = leaderboard.standings(table, no_costs("a", "b")), leaderboard.per_unit(table)
    gains = leaderboard.told(units, units[units["method"] == "a"], {"b": "has no inputs"})
    shown = leaderboard.for_reading(standings, gains, {"a": "nothing"}, "{:.2f}".format)
    assert shown["rank"].tolist() == ["1 [1, 1]", "2 [2, 2]"]
    assert shown["Er"].str.startswith(("-0.44 [", "-0.15 [")).all()
    assert shown["Er, told speed and duration"].tolist() == ["-0.44", "has no inputs"]
    assert shown["tuned on"].tolist() == ["nothing", "not said"]
