"""What training will cost, told before it begins."""

import pytest

from nem2e_lib.training.batching import Batching, choose, even_blocks
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.forecast import duration, forecast, probe, traffic
from nem2e_lib.training.grid import grid
from nem2e_lib.training.stdrnet import parameters
from tests.support.small import make_cycles


def work(**options):
    return grid(make_cycles(), "one_entire", Configuration(**({"units": 8, "epochs": 3} | options)), "")


def test_updates_are_counted_for_what_is_left():
    made = work()
    cost = forecast(made, choose(made), made.models[:2])
    assert (cost.models, cost.updates, cost.measured) == (2, 2 * 3 * 6, False)
    assert "2 models, 36 updates in all: about 1 second (estimated)" in str(cost)


@pytest.mark.slow
def test_a_long_run_is_measured_first(monkeypatch):
    made = work(units=64, epochs=200_000)
    assert probe(made, choose(made), 1e-4) > 0
    monkeypatch.setattr("nem2e_lib.training.forecast.probe", lambda *_: 2e-3)
    cost = forecast(made, choose(made), made.models)
    assert cost.measured
    assert "(measured on this machine)" in str(cost)
    assert cost.seconds == pytest.approx(2e-3 * cost.updates * 7 / 6)


def test_traffic_by_hand():
    moved = traffic(units=10, features=1, tokens=20, steps=20)
    assert moved["encoder"] == 2 * 20 * (10 * 40) * 4
    assert moved["decoder"] == 2 * 20 * ((10 * 40 + 10 * 10) * 4 + 2 * 20 * 10 * 4)
    assert moved["adam"] == 28 * parameters(1, Configuration(units=10))


def test_parameters_by_hand():
    # two LSTMs, keys, combination, readout
    assert parameters(1, Configuration(units=10)) == 2 * (40 + 400 + 40) + 100 + 200 + 10 + 1


def test_blocks_are_of_one_size_where_the_models_can_be_cut_so():
    for models, width in ((40, 3), (160, 3), (160, 2), (160, 4), (36, 3)):
        plan = even_blocks(models, width, 2)
        assert models % plan.block == plan.block % (2 * plan.width) == 0
        assert abs(plan.width - width) <= 1
    assert even_blocks(160, 1, 2) == Batching(2, 1)
    assert even_blocks(7, 3, 2) == Batching(7, 3)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (61, "61 seconds"), (600, "10 minutes"), (7200, "2 hours"), (86400 * 40, "40 days")],
)
def test_time_spans_are_as_coarse_as_they_are_known(seconds, words):
    assert duration(seconds) == words


def test_large_models_train_one_after_another_and_memory_stays_bounded():
    large, small = work(units=700), work(units=64)
    assert choose(large).width == 1
    assert choose(small).width > 1
    assert forecast(large, choose(large), large.models[:1]).memory < 16e9
    assert "one after another" in str(Batching(2, 1))
