"""Own cycles: planted differences of a person are found with many, and believed as far as people differ."""

from __future__ import annotations

import numpy as np
import pytest

from nem2e_lib.refiner.adapting import SHAPE, Adaptation, Priors, Seen, Spread, fit, paying, priors, rmse, spread

SAMPLES = 20
PHASE = np.linspace(0, 1, SAMPLES)
NOBODY = Spread(0.0, 0.0, 0.0)


def bump(at: float = 0.4, width: float = 0.12) -> np.ndarray:
    """A burst that is the same at 0 and 100 %."""
    return sum(np.exp(-0.5 * ((PHASE - at - turn) / width) ** 2) for turn in (-1, 0, 1))


def labels(values) -> np.ndarray:
    return np.asarray(list(values), str)


def seen(predicted, measured, unit=None, circumstance=None, lasts: float = 1.0) -> Seen:
    n = len(predicted)
    return Seen(
        np.asarray(predicted, float),
        np.asarray(measured, float),
        np.full(n, lasts),
        labels(["p"] * n if unit is None else unit),
        labels(["free"] * n if circumstance is None else circumstance),
    )


def known(stages, gain=NOBODY, delay=NOBODY, shape=NOBODY) -> Priors:
    return Priors(gain, delay, shape, tuple(stages), 9)


def test_the_share_is_that_of_the_formula_by_hand():
    four = Spread(3.0, 0.0, 1.0)
    assert four.share(labels("a")) == pytest.approx(0.75)  # 3 / (3 + 1)
    assert four.share(labels("aaa")) == pytest.approx(0.9)  # 3 / (3 + 1/3)
    two = Spread(3.0, 2.0, 1.0)
    assert two.share(labels("aa")) == pytest.approx(3 / (3 + 2 + 1 / 2))
    assert two.share(labels("ab")) == pytest.approx(3 / (3 + 2 / 2 + 1 / 2))
    # circumstances count alike: the mean of one cycle and of the mean of three has the noise (1 + 1/3) / 4
    assert two.share(labels("abbb")) == pytest.approx(3 / (3 + 1 + (1 + 1 / 3) / 4))
    assert NOBODY.share(labels("a")) == 0.0
    # for one speed alone, what it does to a person is the person's
    assert two.share(labels("aa"), same=True) == pytest.approx((3 + 2) / (3 + 2 + 1 / 2))


def test_shape_is_shrunk_by_hand():
    own = seen([[0.2] * SAMPLES] * 2, [[0.4] * SAMPLES, [0.6] * SAMPLES])
    found = fit(own, known(SHAPE, shape=Spread(0.02, 0.0, 0.02)))
    np.testing.assert_allclose(found.shape, 0.3 * 2 / 3)  # mean difference 0.3, share 1 / (1 + 1/2)
    assert (found.gain, found.delay_ms) == (1.0, 0.0)


def test_variances_are_those_of_products_by_hand():
    # person p: 1 and 3 at one speed, 2 at another; person q: -1 and 1 at one speed
    values, unit = np.array([1.0, 3.0, 2.0, -1.0, 1.0]), labels("pppqq")
    found = spread(values, unit, labels(["a", "a", "b", "a", "a"]))
    whole = ((1 + 9 + 4) / 3 + (1 + 1) / 2) / 2
    same = (1 * 3 + -1 * 1) / 2
    other = (1 * 2 + 3 * 2) / 2
    assert found.people == pytest.approx(min(other, same))  # the circumstance cannot take away from the person
    assert found.circumstances == pytest.approx(0.0)
    assert found.cycles == pytest.approx(whole - same)


def test_variances_that_were_planted_are_found():
    rng = np.random.default_rng(0)
    people, speeds, cycles = 300, 3, 4
    person = rng.normal(0, 2.0, (people, 1, 1))
    speed = rng.normal(0, 1.0, (people, speeds, 1))
    values = person + speed + rng.normal(0, 1.5, (people, speeds, cycles))
    names = np.indices(values.shape).reshape(3, -1)
    found = spread(values.ravel(), labels(names[0]), labels(names[1]))
    np.testing.assert_allclose((found.people, found.circumstances, found.cycles), (4.0, 1.0, 2.25), rtol=0.2)


def test_what_cannot_be_told_apart_is_not_believed_too_far():
    values = np.array([1.0, -1.0, 2.0])
    alone = spread(values, labels("pqr"), labels("aaa"))
    assert alone.people == 0.0  # one cycle each tells nothing of people
    assert alone.circumstances == pytest.approx(2.0)
    two = spread(np.array([1.0, 1.0, -1.0, -1.0]), labels("ppqq"), labels("aaaa"))
    assert (two.people, two.circumstances, two.cycles) == (1.0, 0.0, 0.0)
    against = spread(np.array([1.0, -1.0]), labels("pp"), labels("ab"))
    assert against.people == 0.0  # a negative product is no variance


@pytest.mark.parametrize("gain", [0.6, 1.5])
@pytest.mark.parametrize("delay", [-40.0, 0.0, 60.0])
def test_planted_gain_delay_and_shape_are_recovered_with_many_cycles(gain, delay):
    rng = np.random.default_rng(1)
    lasts, count = 0.95, 200
    heights = rng.uniform(0.5, 1.0, (count, 1))
    curves = heights * bump()
    shape = 0.1 * np.cos(2 * np.pi * PHASE)
    truth = Adaptation(gain, delay, tuple(shape.tolist()))  # a shape may stand for gain and delay: the curve counts
    measured = truth.apply(curves, np.full(count, lasts)) + rng.normal(0, 0.02, curves.shape)
    wide = known(("delay", "gain", "shape"), Spread(1.0, 0.0, 0.01), Spread(1e4, 0.0, 100.0), Spread(0.1, 0.0, 0.001))
    own = seen(curves, measured, lasts=lasts)
    found = fit(own, wide)
    after = found.apply(own.predicted, own.duration_s)
    np.testing.assert_allclose(after, truth.apply(curves, own.duration_s), atol=0.06)
    assert rmse(after, measured).mean() < 0.35 * rmse(curves, measured).mean()


def test_gain_and_delay_alone_are_recovered_exactly_and_halved_where_half_is_believed():
    curves = np.array([[0.5], [0.8]]) * bump()
    truth = Adaptation(1.4, 50.0, (0.0,) * SAMPLES)
    own = seen(curves, truth.apply(curves, np.ones(2)))
    sure = fit(own, known(("delay", "gain"), Spread(1.0, 0.0, 0.0), Spread(1.0, 0.0, 0.0)))
    assert (sure.gain, sure.delay_ms) == (pytest.approx(1.4), 50.0)
    half = fit(own.take(np.array([0])), known(("delay", "gain"), Spread(1.0, 0.0, 1.0), Spread(1.0, 0.0, 1.0)))
    assert (half.gain, half.delay_ms) == (pytest.approx(1.2), 25.0)
    np.testing.assert_array_equal(half.shape, 0.0)


def test_a_curve_after_a_small_negative_delay_is_whole():
    curves = bump()[None]
    moved = Adaptation(1.0, -1e-16, (0.0,) * SAMPLES).apply(curves, np.ones(1))
    np.testing.assert_allclose(moved, curves, atol=1e-9)


def test_where_people_do_not_differ_nothing_changes():
    rng = np.random.default_rng(2)
    curves = rng.uniform(0, 1, (5, SAMPLES))
    found = fit(seen(curves, rng.uniform(0, 1, curves.shape)), known(("delay", "gain", "shape")))
    assert found == Adaptation(1.0, 0.0, (0.0,) * SAMPLES)
    np.testing.assert_array_equal(found.apply(curves, np.ones(5)), curves)
    none = fit(seen(np.empty((0, SAMPLES)), np.empty((0, SAMPLES))), known(SHAPE, shape=Spread(1.0, 0.0, 0.0)))
    assert none == found


def people(count: int, gain: float, shape: float, seed: int = 3, cycles: int = 4) -> Seen:
    """People who differ from the refiner in gain and by a curve; the last is odd in neither's noise."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(count), cycles)
    curves = rng.uniform(0.2, 1.0, (len(unit), 1)) * bump() + 0.05
    gains = np.repeat(1 + gain * rng.normal(size=count), cycles)[:, None]
    added = np.repeat(shape * rng.normal(size=(count, 3)), cycles, axis=0) @ np.stack(
        [np.cos(2 * np.pi * k * PHASE) for k in (1, 2, 3)]
    )
    return seen(curves, gains * curves + added + rng.normal(0, 0.03, curves.shape), unit)


def test_stages_are_chosen_by_what_left_out_people_need():
    assert paying([people(6, gain=0.5, shape=0.0)]) == ("gain",)
    assert paying([people(6, gain=0.0, shape=0.1)]) == SHAPE


def test_with_one_cycle_it_helps_those_who_were_left_out_and_with_more_it_helps_more():
    group = people(12, gain=0.0, shape=0.1)
    last, rest = group.take(group.unit == "11"), group.take(group.unit != "11")
    told = priors(rest, SHAPE)
    assert told.units == 11
    new = last.take(np.array([3]))
    errors = [
        rmse(fit(last.take(np.arange(k)), told).apply(new.predicted, new.duration_s), new.measured)[0] for k in range(4)
    ]
    assert errors[1] < 0.6 * errors[0]
    assert errors[3] < errors[1]


def test_somebody_like_everybody_is_hardly_changed_by_one_cycle():
    group = people(12, gain=0.0, shape=0.002)
    told = priors(group, SHAPE)
    assert told.shape.share(labels("a")) < 0.2
