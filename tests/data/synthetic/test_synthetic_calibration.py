"""The studies hold what the conditions are meant to find: ridge regression in the network's place."""

import pytest

from nem2e_lib.data.synthetic import Knobs, Knobs1, synthetic_cycles
from tests.support.calibrate_synthetic import PAIRS, measure, settings


def test_running_of_generator_1_has_something_to_gain_at_every_step():
    found = measure(synthetic_cycles("running", settings(Knobs1)["default"]))
    assert 0.3 <= found["r raw"] <= 0.7
    assert -0.7 <= found["all_entire"] < found["one_entire"] < found["one_quarter"] < found["mean_curve"] < -0.2
    assert [found[f"{a} < {b}"] >= least for (a, b), least in zip(PAIRS, (11, 11, 13), strict=True)] == [True] * 3


def test_walking_of_generator_1_is_refined_and_the_mean_curve_does_not_win():
    found = measure(synthetic_cycles("walking", settings(Knobs1)["default"]))
    assert 0.3 <= found["r raw"] <= 0.7
    assert -0.7 <= found["all_entire"] < found["mean_curve"] < -0.2
    assert found["all_entire < mean_curve"] >= 3


@pytest.mark.parametrize("motion", ["walking", "running"])
def test_in_generator_2_much_is_gained_and_little_of_it_by_what_a_person_does(motion):
    found = measure(synthetic_cycles(motion))
    assert 0.3 <= found["r raw"] <= 0.55
    assert -0.65 <= found["all_entire"] < found["mean_curve"] < -0.3
    assert found["mean_curve"] - found["all_entire"] < 0.12, "the simulation tells more of a person than in recordings"
    assert abs(found["all_entire"] - found["one_entire"]) < 0.08
    assert found["one_entire"] < found["one_quarter"]


def test_the_delay_alone_is_undone_by_the_muscle_itself():
    found = measure(synthetic_cycles("walking", settings(Knobs)["delay_ms alone"]))
    assert found["one_entire"] < -0.15 < found["all_entire"]
    assert found["mean_curve"] > 0


@pytest.mark.parametrize("kind", [Knobs1, Knobs])
def test_where_nothing_is_wrong_nothing_improves(kind):
    found = measure(synthetic_cycles("walking", settings(kind)["no cause"]))
    assert min(found[name] for name in ("one_quarter", "one_entire", "all_entire", "mean_curve")) >= 0
    assert found["improved"] == 0
