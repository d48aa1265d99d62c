"""A study's leaderboard: ranks, and the difference to the mean curve, by hand."""

import numpy as np
import pytest

from nem2e_lib.analysis.board import board
from nem2e_lib.analysis.contrasts import NOT_SHOWN, OTHERWISE, SHOWN
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import holm, over_folds
from nem2e_lib.rivals import evaluate, rival
from nem2e_lib.rivals.own import as_rival
from tests.support.small import make_cycles

SIX = (2,) * 6


class Truth:
    """Knows what EMG was made of."""

    def fit(self, X, y):
        self.target = y.target

    def predict(self, X):
        return 0.5 * X.sel(input=self.target) + 0.1


def planted(counts=SIX):
    cycles = make_cycles(counts)
    own = cycles.activation.sel(muscle=cycles.target).values
    noise = np.random.default_rng(0).normal(size=own.shape)
    return cycles.assign(emg=(("cycle", "sample", "channel"), 0.5 * own + 0.1 + 1e-3 * noise))


@pytest.fixture(scope="module")
def results():
    cycles = planted()
    return [evaluate(cycles, one) for one in (rival("identity"), rival("mean_curve"), as_rival(Truth))]


def test_a_method_that_knows_the_truth_ranks_first_and_is_shown_to(results):
    table = board(results).table.set_index("method")
    assert table.index[0] == "Truth"
    assert table.loc["Truth", "answer"] == SHOWN
    assert table.loc["Truth", "rank_high"] == 1
    assert table.loc["Truth", "er_mean"] < -0.95
    assert table["answer"].drop("mean_curve").isin([SHOWN, NOT_SHOWN, OTHERWISE]).all()
    assert table.loc["mean_curve", ["difference", "answer"]].isna().all()
    assert board(results).synthetic


def test_differences_are_those_of_the_corrected_test_over_held_out_units(results):
    ranked = board(results)
    er = {one.attrs["condition"]: errors(one).groupby("label")["er"].mean() for one in results}
    others = ["identity", "Truth"]
    tests = {name: over_folds(er[name] - er["mean_curve"]) for name in others}
    table = ranked.table.set_index("method").loc[others]
    for name, test in tests.items():
        np.testing.assert_allclose(
            table.loc[name, ["difference", "difference_low", "difference_high", "difference_p_value"]].astype(float),
            [test.mean, test.ci_low, test.ci_high, test.p_value],
        )
    np.testing.assert_allclose(table["difference_p_holm"], holm([test.p_value for test in tests.values()]))
    assert set(ranked.errors["method"]) == {*others, "mean_curve"}
    assert len(ranked.fights) == 3


def test_few_units_show_nothing_and_a_board_of_one_has_no_difference():
    cycles = planted((2, 2, 2))
    mean = evaluate(cycles, rival("mean_curve"))
    few = board([mean, evaluate(cycles, as_rival(Truth))]).table
    assert few["answer"].dropna().tolist() == [NOT_SHOWN]
    alone = board([mean])
    assert alone.table["answer"].isna().all()
    assert alone.fights.empty


def test_a_method_that_is_the_mean_curve_is_not_shown_to_be_anything(results):
    class Curve:
        def fit(self, X, y):
            self.curve = y.mean("cycle")

        def predict(self, X):
            return self.curve.expand_dims(cycle=X.sizes["cycle"])

    row = board([*results, evaluate(planted(), as_rival(Curve))]).table.set_index("method").loc["Curve"]
    assert row[["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]
    assert row["answer"] == NOT_SHOWN
