"""Bands from residuals on units left out: hand-worked, planted, and what they are indifferent to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.refiner.bands import LEVELS, half_width, inside, needed

SAMPLES = 20
ACTIVE = 0.05 + 0.2 * np.exp(-(((np.arange(SAMPLES) - 8) / 3) ** 2))
"""How far off a refiner usually is: most where the muscle is active."""


def drawn(rng: np.random.Generator, units: int, cycles: int = 2, *, alike: float = 0.7, unlike: float = 0.3):
    """Residuals of units that are each off in their own way (`alike`) and size (`unlike`), and each cycle's unit."""
    own = rng.normal(size=(units, 1, SAMPLES)) * alike
    of_cycle = rng.normal(size=(units, cycles, SAMPLES)) * np.sqrt(1 - alike**2)
    size = np.exp(unlike * rng.normal(size=(units, 1, 1)))
    return (size * (own + of_cycle) * ACTIVE).reshape(-1, SAMPLES), np.repeat(np.arange(units), cycles)


def test_hand_worked():
    """Two units, two samples: each is judged by the other's scale, which of one unit is flat; of two, half is."""
    residuals = np.array([[1.0, -3.0], [-2.0, 2.0]])
    of_first, of_second = 5**0.5, 2.0  # root mean square of 1 and 3
    scores = sorted([1 / of_second, 3 / of_second, 2 / of_first, 2 / of_first])
    both = np.sqrt([(2.5 * 4.5) ** 0.5, (6.5 * 4.5) ** 0.5])  # mean squares at each sample, 4.5 over the cycle
    np.testing.assert_allclose(half_width(residuals, [0, 1], 0.75), scores[2] * both)
    np.testing.assert_allclose(half_width(residuals, [0, 1], 0.76), scores[3] * both)
    several = half_width(residuals, [0, 1], [0.25, 0.5])
    np.testing.assert_allclose(several, np.outer(scores[:2], both))


def test_what_is_inside_is_judged_by_the_other_units_alone():
    residuals, unit = drawn(np.random.default_rng(0), 4)
    found = inside(residuals, unit)
    rest = unit != 2
    expected = (np.abs(residuals[unit == 2]) <= half_width(residuals[rest], unit[rest])).mean(axis=0)
    np.testing.assert_allclose(found[2], expected)
    wild = residuals.copy()
    wild[unit == 2] *= 100
    assert not inside(wild, unit)[2].any()
    assert inside(residuals, unit, LEVELS).shape == (4, len(LEVELS), SAMPLES)


def test_residuals_of_models_that_had_not_seen_the_unit_either_take_the_place_of_the_others():
    residuals, unit = drawn(np.random.default_rng(1), 5)
    same = np.stack([np.where((unit == own)[:, None], np.nan, residuals) for own in range(5)])
    np.testing.assert_array_equal(inside(residuals, unit, of_others=same), inside(residuals, unit))
    assert inside(residuals, unit, of_others=3 * same).mean() > inside(residuals, unit).mean()


@pytest.mark.parametrize("units", [2, 3, 4, 9])
@pytest.mark.parametrize("unlike", [0.0, 0.5])
def test_the_next_unit_is_covered_nearly_as_often_as_said(units, unlike):
    """Planted: units drawn alike. Nothing is promised with few; within two hundredths it is kept all the same."""
    rng = np.random.default_rng(units)
    covered = []
    for _ in range(150):
        residuals, unit = drawn(rng, units, unlike=unlike)
        following, _ = drawn(rng, 20, 1, unlike=unlike)
        covered.append((np.abs(following) <= half_width(residuals, unit)).mean())
    assert 0.88 < np.mean(covered) < 0.93


def test_it_is_as_wide_as_residuals_are_at_each_moment():
    residuals, unit = drawn(np.random.default_rng(3), 40, 4)
    wide = half_width(residuals, unit)
    assert np.corrcoef(wide, ACTIVE)[0, 1] > 0.99
    by_phase = inside(residuals, unit).mean(axis=0)
    assert by_phase.min() > 0.8


@given(st.floats(1e-6, 1e6), st.integers(2, 6))
def test_it_scales_with_residuals_and_has_no_sign(scale, units):
    residuals, unit = drawn(np.random.default_rng(units), units)
    wide = half_width(residuals, unit)
    np.testing.assert_allclose(half_width(-scale * residuals, unit), scale * wide, rtol=1e-6)


@given(st.lists(st.integers(1, 4), min_size=3, max_size=5), st.randoms(use_true_random=False))
def test_units_weigh_alike_whatever_their_cycles(copies, random):
    """Cycles that repeat a unit's own, in any order and under any name, change nothing."""
    residuals, unit = drawn(np.random.default_rng(len(copies)), len(copies), 1)
    rows = [own for own, times in enumerate(copies) for _ in range(times)]
    random.shuffle(rows)
    names = np.array([f"s{9 - own}" for own in range(len(copies))])
    np.testing.assert_allclose(half_width(residuals[rows], names[unit[rows]], 0.85), half_width(residuals, unit, 0.85))


def test_wider_at_a_higher_level_and_without_others_unknown():
    residuals, unit = drawn(np.random.default_rng(5), 6)
    assert (np.diff(half_width(residuals, unit, LEVELS), axis=0) >= 0).all()
    assert np.isnan(half_width(residuals[:2], unit[:2])).all()
    assert np.isnan(inside(residuals[:4], unit[:4])).all()
    assert np.isfinite(half_width(residuals[:4], unit[:4])).all()


def test_no_error_at_all_has_no_band_and_one_that_others_never_had_no_bound():
    assert not half_width(np.zeros((3, 4)), [0, 1, 2]).any()
    odd = np.zeros((3, 4))
    odd[0] = 1.0
    assert np.isinf(half_width(odd, [0, 1, 2])).all()


@pytest.mark.parametrize(("level", "units"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19)])
def test_how_many_units_a_promise_takes(level, units):
    assert needed(level) == units


@pytest.mark.parametrize(
    ("residuals", "unit", "said"),
    [
        (np.zeros((2, 3)), [0], "expected"),
        (np.zeros(3), [0, 0, 0], "expected"),
        (np.array([[0.0, np.nan], [1.0, 1.0]]), [0, 1], "finite"),
    ],
)
def test_what_is_no_residual_is_refused(residuals, unit, said):
    with pytest.raises(ValueError, match=said):
        half_width(residuals, unit)
