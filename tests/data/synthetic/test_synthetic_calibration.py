"""The default studies hold what the conditions are meant to find: ridge regression in the network's place."""

from nem2e_lib.data.synthetic import synthetic_cycles
from tests.support.calibrate_synthetic import PAIRS, SETTINGS, measure


def test_running_has_something_to_gain_at_every_step():
    found = measure(synthetic_cycles("running", SETTINGS["default"]))
    assert 0.3 <= found["r raw"] <= 0.7
    assert -0.7 <= found["all_entire"] < found["one_entire"] < found["one_quarter"] < found["mean_curve"] < -0.2
    assert [found[f"{a} < {b}"] >= least for (a, b), least in zip(PAIRS, (11, 11, 13), strict=True)] == [True] * 3


def test_walking_is_refined_and_the_mean_curve_does_not_win():
    found = measure(synthetic_cycles("walking", SETTINGS["default"]))
    assert 0.3 <= found["r raw"] <= 0.7
    assert -0.7 <= found["all_entire"] < found["mean_curve"] < -0.2
    assert found["all_entire < mean_curve"] >= 3


def test_where_nothing_is_wrong_nothing_improves():
    found = measure(synthetic_cycles("walking", SETTINGS["no cause"]))
    assert min(found[name] for name in ("one_quarter", "one_entire", "all_entire", "mean_curve")) >= 0
    assert found["improved"] == 0
