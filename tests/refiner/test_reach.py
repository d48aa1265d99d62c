"""Distance to training: by hand, on planted changes, and among people who are alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nem2e_lib.refiner import reach
from nem2e_lib.refiner.reach import FLOOR, LEAST, MEASURES, Limits, Reach, learn, rank

SAMPLES, MUSCLES = 20, 6


def people(count: int, seed: int = 0, cycles: int = 2, muscles: int = MUSCLES):
    """Bursts of muscles at their own times; people differ in size, timing and duration of all that they do."""
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 1, SAMPLES)[:, None]
    peaks, heights = np.random.default_rng(99).uniform(0, 1, muscles), np.linspace(0.2, 0.7, muscles)
    activation, seconds, units = [], [], []
    for person in range(count):
        gain, own = np.exp(rng.normal(0, 0.1)), np.exp(rng.normal(0, 0.15, muscles))
        late, lasts = rng.normal(0, 0.01), np.exp(rng.normal(0, 0.08))
        for _ in range(cycles):
            burst = np.exp(4 * (np.cos(2 * np.pi * (phase - peaks - late)) - 1))
            curve = 0.02 + gain * own * heights * burst + rng.normal(0, 0.01, (SAMPLES, muscles))
            activation.append(curve.clip(0.01, 1))
            seconds.append(lasts * np.exp(rng.normal(0, 0.02)))
            units.append(person)
    return np.array(activation), np.array(seconds), np.array(units)


@pytest.fixture(scope="module")
def training():
    return people(10)


@pytest.fixture(scope="module")
def learnt(training) -> Reach:
    return learn(*training)


@pytest.fixture(scope="module")
def others():
    activation, seconds, _ = people(10, seed=5)
    return activation, seconds


def test_measures_and_distance_by_hand():
    """Two muscles, four samples; the last sample is the first of the next cycle."""
    mean = np.array([[0.1, 0.3], [0.2, 0.3], [0.3, 0.3], [0.1, 0.3]])
    limits = dict(zip(MEASURES, (2.0, 4.0, 0.5, 10.0, 1.0, 0.5), strict=True))
    own = Reach(mean, np.full_like(mean, 0.1), Limits(limits, "subject", 5, 0, 1.2))
    cycle = mean + np.array([0.1, 0.0])
    found, muscles = own.measures(cycle[None], np.array([1.2 * np.e]))
    # One muscle is one spread above its mean, the other none; level 0.2375 became 0.2875.
    np.testing.assert_allclose(muscles, [[1.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(found, [[np.sqrt(0.5), 1.0, np.log(0.2875 / 0.2375), 0.0, 0.0, 1.0]], atol=1e-12)
    distances = own.distances(cycle[None], np.array([1.2 * np.e]))
    shares = [np.sqrt(0.5) / 2, 1 / 4, np.log(0.2875 / 0.2375) / 0.5, 0, 0, 2]
    np.testing.assert_allclose(distances.shares, [shares], atol=1e-12)
    np.testing.assert_allclose(distances.total, [sum(share**4 for share in shares) ** 0.25])
    assert distances.outside.tolist() == [True]
    assert distances.foremost(0) == "duration"


def test_spread_and_duration_by_hand():
    """Three people of 0.1, 0.2 and 0.3; the third has two cycles, and still counts once."""
    activation = np.array([0.1, 0.2, 0.3, 0.3])[:, None, None] * np.ones((4, 5, 1))
    own = learn(activation, np.array([1.0, 1.0, 8.0, 8.0]), np.array([0, 1, 2, 2]))
    np.testing.assert_allclose(own.mean, 0.2)
    np.testing.assert_allclose(own.spread, np.sqrt(0.01 + FLOOR**2))  # variance 0.02 / 3 * 3 / 2
    assert own.told.seconds == pytest.approx(2.0)
    assert own.told.beyond is None  # three are too few to judge one by two


def test_limits_by_hand(monkeypatch):
    """A measure's scale is mean + 2 SD of the farthest cycles; each unit is held against scales of the others."""
    monkeypatch.setattr(reach, "_LEAST", np.zeros(2))
    sizes = [np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([[2.0, 4.0]]), np.array([[4.0, 3.0]])]
    farthest = np.array([[3.0, 2.0], [2.0, 4.0], [4.0, 3.0]])
    distances = []
    for unit, own in enumerate(sizes):
        rest = np.delete(farthest, unit, axis=0)
        scale = rest.mean(axis=0) + 2 * rest.std(axis=0, ddof=1)
        distances.append(max(((row / scale) ** 4).sum() ** 0.25 for row in own))
    expected = (farthest.mean(axis=0) + 2 * farthest.std(axis=0, ddof=1)) * max(distances)
    np.testing.assert_allclose(reach._limits(sizes), expected)


@pytest.mark.parametrize(("units", "place"), [(3, 3), (10, 10), (18, 18), (19, 19), (20, 20), (39, 38), (59, 57)])
def test_which_of_those_left_out_has_distance_one(units, place):
    """The rank of split conformal prediction: ceil(0.95 (n + 1)), and the farthest where there are too few."""
    assert rank(units) == place


def test_training_lies_within(training, learnt):
    activation, seconds, _ = training
    assert not learnt.distances(activation, seconds).outside.any()


def test_people_who_are_alike_rarely_lie_beyond():
    """One in eleven at most is expected among exchangeable people; 200 of them, each ten against new ones."""
    beyond = []
    for seed in range(20):
        own = learn(*people(10, seed=100 + seed, cycles=1))
        activation, seconds, _ = people(10, seed=500 + seed, cycles=1)
        beyond += own.distances(activation, seconds).outside.tolist()
    assert 0 < np.mean(beyond) < 0.13


def test_how_many_lie_beyond_is_counted_by_leaving_each_out(training, learnt):
    activation, seconds, units = training
    expected = 0
    for unit in range(10):
        own = units == unit
        others = learn(activation[~own], seconds[~own], units[~own])
        expected += bool(others.distances(activation[own], seconds[own]).outside.any())
    assert learnt.told.beyond == expected
    assert learnt.told.alarms == f"{expected} of 10 subjects left out lay beyond what the others set"


def shifted(activation, share):
    """Every curve later by a share of the cycle, which is closed."""
    at = (np.arange(SAMPLES) - share * (SAMPLES - 1)) % (SAMPLES - 1)
    low = np.floor(at).astype(int)
    weight = (at - low)[:, None]
    return activation[:, low] * (1 - weight) + activation[:, low + 1] * weight


CHANGES = {
    "twice as active": (lambda a, s: (2 * a, s), "amplitude"),
    "half as active": (lambda a, s: (a / 2, s), "amplitude"),
    "10 % later": (lambda a, s: (shifted(a, 0.1), s), "timing"),
    "10 % earlier": (lambda a, s: (shifted(a, -0.1), s), "timing"),
    "half a cycle later": (lambda a, s: (shifted(a, 0.5), s), "timing"),
    "half as long": (lambda a, s: (a, s / 2), "duration"),
    "twice as long": (lambda a, s: (a, 2 * s), "duration"),
    "rough": (lambda a, s: (a + 0.08 * np.tile([[1], [-1]], (SAMPLES // 2, 1)), s), "roughness"),
    "two muscles swapped": (lambda a, s: (a[:, :, [5, 1, 2, 3, 4, 0]], s), ""),
    "one muscle dead": (lambda a, s: (np.where(np.arange(MUSCLES) == 5, 0.01, a), s), ""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_planted_changes_are_found_and_named(learnt, others, change):
    make, measure = CHANGES[change]
    found = learnt.distances(*make(*others))
    assert found.outside.mean() > 0.8
    if measure:
        assert [found.foremost(cycle) for cycle in range(20)].count(measure) > 15
    else:
        assert set(found.muscles.argmax(axis=1)) <= {0, 5}


@pytest.mark.parametrize("share", [-0.4, -0.1, 0.05, 0.25])
def test_a_delay_is_measured_in_per_cent_of_the_cycle(learnt, share):
    found, _ = learnt.measures(shifted(learnt.mean[None], share), np.array([1.0]))
    assert found[0, MEASURES.index("timing")] == pytest.approx(100 * share, abs=1)


def test_order_of_muscles_cycles_and_people_does_not_matter(training, learnt, others):
    activation, seconds, units = training
    rng = np.random.default_rng(1)
    muscles, cycles = rng.permutation(MUSCLES), rng.permutation(len(units))
    names = rng.permutation(10)
    own = learn(activation[cycles][:, :, muscles], seconds[cycles], names[units[cycles]])
    new, lasts = others
    again, first = own.distances(new[:, :, muscles], lasts), learnt.distances(new, lasts)
    np.testing.assert_allclose(again.total, first.total)
    np.testing.assert_allclose(again.muscles, first.muscles[:, muscles])
    assert own.told.beyond == learnt.told.beyond


def test_units_of_time_do_not_matter(training, learnt, others):
    activation, seconds, units = training
    own = learn(activation, 1000 * seconds, units)
    np.testing.assert_allclose(own.distances(others[0], 1000 * others[1]).total, learnt.distances(*others).total)


def test_cycles_that_are_all_one_leave_limits_that_are_not_zero():
    activation, seconds = np.full((4, SAMPLES, 2), 0.2), np.ones(4)
    own = learn(activation, seconds, np.arange(4))
    assert own.told.limits == LEAST
    assert own.told.beyond == 0
    np.testing.assert_array_equal(own.distances(activation, seconds).total, 0)
    assert own.distances(activation + 0.5, seconds).outside.all()
    np.testing.assert_array_equal(own.distances(np.zeros_like(activation), seconds).outside, True)


def test_too_few_people_say_nothing():
    assert learn(*people(2)) is None


def test_of_fewer_muscles_only_what_still_holds_is_judged(learnt, others):
    activation, seconds = others
    some = Reach(learnt.mean[:, [5, 2]], learnt.spread[:, [5, 2]], learnt.told.of_fewer())
    found = some.distances(activation[:, :, [5, 2]], seconds)
    judged = [name for name, share in zip(MEASURES, found.shares[0], strict=True) if np.isfinite(share)]
    assert judged == ["muscle", "duration"]
    whole = learnt.distances(activation, seconds)
    np.testing.assert_allclose(found.muscles, whole.muscles[:, [5, 2]])
    assert (found.total <= whole.total).all()


def test_one_is_said_in_words(learnt):
    assert learnt.told.one == (
        "1 is as far as the farthest of 10 subjects of training, each left out once, lay from the others"
    )
    many = replace(learnt.told, units=40, unit="block")
    assert (
        many.one
        == "1 is as far as 95% of blocks of cycles lie from the others, by 40 blocks of cycles left out once each"
    )
    assert replace(many, beyond=None).alarms == ""


def test_every_measure_has_a_least_scale():
    assert tuple(LEAST) == MEASURES
