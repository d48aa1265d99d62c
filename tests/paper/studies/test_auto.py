"""What the table of `auto` and the single methods says."""

from __future__ import annotations

import pytest

from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.paper.studies import auto
from nem2e_lib.rivals import Auto, evaluate, rival
from tests.support.small import make_cycles


@pytest.fixture(scope="module")
def results():
    cycles = make_cycles((3, 3, 3))
    small = Auto(candidates=("mean_curve", "ridge_all", "delay_gain"))
    return [evaluate(cycles, one) for one in (rival("mean_curve"), rival("ridge_all"), rival("identity"), small)]


def test_each_method_stands_with_its_difference_to_the_mean_curve(results):
    told = auto.table(results)
    assert told["er"].is_monotonic_increasing
    means = {str(one.attrs["condition"]): per_unit(errors(one))["er"].mean() for one in results}
    assert told.set_index("method")["er"].to_dict() == pytest.approx(means)
    differences = told.set_index("method")["difference"]
    assert differences["ridge_all"] == pytest.approx(means["ridge_all"] - means["mean_curve"])
    assert differences.isna().sum() == 1  # the mean curve's own
    assert set(told["n"]) == {3}


@pytest.mark.parametrize(
    ("er", "said"), [(-0.5, "at least as good"), (-0.395, "within 0.01 of it"), (-0.3, "more than 0.01 off")]
)
def test_auto_is_set_against_the_best_single_method(results, er, said):
    told = auto.table(results)
    told.loc[told["method"] == "ridge_all", "er"] = -0.4
    told.loc[told["method"].isin(["mean_curve", "identity"]), "er"] = 0.0
    told.loc[told["method"] == "auto", "er"] = er
    (line,) = auto.found(told.assign(synthetic=True))
    assert line.startswith("SYNTHETIC tiny: auto has Er")
    assert f"(ridge, all muscles) \N{MINUS SIGN}0.400: {said}." in line
