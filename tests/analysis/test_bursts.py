"""Bursts with planted onset, offset and peak; co-contraction against hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nem2e_lib.analysis.bursts import (
    ALWAYS,
    BRIEF,
    SILENT,
    STEADY,
    UNDEFINED,
    antagonists,
    bursts,
    circular_mean,
    matched,
    overlap,
    rudolph,
    wrapped,
)

PHASE = np.linspace(0, 100, 101)


def triangle(peak: float, half: float, height: float = 1.0, points: int = 101) -> NDArray[np.float64]:
    phase = np.linspace(0, 100, points)
    return np.clip(1 - np.abs(wrapped(phase - peak)) / half, 0, None) * height


def times(curve: NDArray[np.float64]) -> list[tuple[float, float, float]]:
    return [(one.onset, one.offset, one.peak) for one in bursts(curve)[0]]


def test_a_burst_begins_where_it_passes_a_fifth_of_its_height() -> None:
    (found,) = times(triangle(60, 20))
    assert found == pytest.approx((44, 76, 60))


def test_a_burst_may_cross_heel_strike() -> None:
    (found,), _ = bursts(triangle(97, 20))
    assert (found.onset, found.offset, found.peak) == pytest.approx((81, 13, 97))
    assert (found.length, found.middle) == pytest.approx((32, 97))


def test_two_bursts_are_two_and_the_threshold_is_of_the_higher_one() -> None:
    assert times(triangle(20, 10) + triangle(70, 10, 0.5)) == [
        pytest.approx((12, 28, 20)),
        pytest.approx((64, 76, 70)),
    ]


def test_a_gap_shorter_than_the_limit_is_none_and_so_is_a_burst() -> None:
    step = np.where((PHASE >= 20) & (PHASE <= 40) & (np.abs(PHASE - 30) > 1), 1.0, 0.0)
    (found,) = times(step)
    assert found[:2] == pytest.approx((19.2, 40.8))
    assert len(bursts(step, shortest=1.0)[0]) == 2
    assert bursts(triangle(50, 2)) == ([], BRIEF)


def test_why_there_is_no_burst() -> None:
    assert bursts(np.zeros(20)) == ([], SILENT)
    assert bursts(np.full(20, 0.3)) == ([], STEADY)
    assert bursts(0.3 + 0.05 * np.sin(PHASE / 5)) == ([], STEADY)
    assert bursts(np.where(PHASE == 50, 0.0, 1.0) + np.where(np.abs(PHASE - 20) < 10, 9.0, 0), share=0.01) == (
        [],
        ALWAYS,
    )
    assert bursts(np.append(np.zeros(19), np.nan)) == ([], UNDEFINED)


def test_a_cycle_that_does_not_close_begins_or_ends_at_heel_strike() -> None:
    (found,) = times(np.where(PHASE > 70, 1.0, 0.0) * (PHASE - 70) / 30)
    assert found[:2] == pytest.approx((76, 0))
    (found,) = times(np.where(PHASE < 30, 1.0, 0.0) * (30 - PHASE) / 30)
    assert found[:2] == pytest.approx((0, 24))


@pytest.mark.parametrize("points", [20, 101])
@pytest.mark.parametrize("centre", [3.0, 37.3, 50.0, 81.9, 99.0])
def test_a_planted_burst_is_found_within_a_fifth_of_the_spacing(points: int, centre: float) -> None:
    # a von Mises burst: half of its width at share s of its height is known in closed form
    phase, sharp = np.linspace(0, 100, points), 3.0
    angle = 2 * np.pi * (phase - centre) / 100
    curve = (np.exp(sharp * np.cos(angle)) - np.exp(-sharp)) / (np.exp(sharp) - np.exp(-sharp))
    level = np.exp(-sharp) + 0.2 * (np.exp(sharp) - np.exp(-sharp))
    half = np.arccos(np.log(level) / sharp) * 100 / (2 * np.pi)
    (found,), _ = bursts(curve)
    tolerance = 100 / (points - 1) / 5
    assert abs(wrapped(found.onset - (centre - half))) < tolerance
    assert abs(wrapped(found.offset - (centre + half))) < tolerance
    assert abs(wrapped(found.peak - centre)) < tolerance


CURVES = st.lists(st.floats(0, 1), min_size=19, max_size=19).map(np.array)


@settings(deadline=None, max_examples=200)
@given(CURVES, st.integers(0, 18))
def test_shifting_a_closed_cycle_shifts_its_bursts(values: NDArray[np.float64], steps: int) -> None:
    curve, moved = (np.append(x, x[0]) for x in (values, np.roll(values, steps)))
    before, after = bursts(curve), bursts(moved)
    assert before[1] == after[1]
    shift = steps * 100 / 19

    def set_of(spans: list, by: float) -> list[tuple[float, ...]]:
        rows = [((one.onset + by) % 100, (one.offset + by) % 100, one.length) for one in spans]
        return sorted(tuple(round(x, 6) % 100 for x in row) for row in rows)

    assert np.allclose(set_of(before[0], shift), set_of(after[0], 0.0), atol=1e-5)


@settings(deadline=None, max_examples=200)
@given(CURVES, st.floats(0.05, 50))
def test_size_does_not_move_timing(values: NDArray[np.float64], gain: float) -> None:
    (before, why), (after, also) = bursts(values), bursts(values * gain)
    if values.max() < 1e-100:
        return  # products of such numbers are rounded to 0
    assert why == also
    assert [(b.onset, b.offset, b.peak) for b in after] == [pytest.approx((a.onset, a.offset, a.peak)) for a in before]
    assert [b.height for b in after] == [pytest.approx(a.height * gain) for a in before]


@settings(deadline=None)
@given(CURVES)
def test_bursts_do_not_overlap_and_leave_a_gap(values: NDArray[np.float64]) -> None:
    found, reason = bursts(values)
    assert bool(found) != bool(reason)
    assert sum(one.length for one in found) <= 100
    assert all(one.length >= 5 and (one.peak - one.onset + 3) % 100 <= one.length + 6 for one in found)


def test_bursts_are_matched_to_the_nearest_across_heel_strike() -> None:
    measured, _ = bursts(triangle(98, 10) + triangle(45, 10, 0.8))
    estimate, _ = bursts(triangle(4, 10))
    ((own, theirs),) = matched(measured, estimate)
    assert (own.peak, theirs.peak) == pytest.approx((98, 4))
    assert len(matched(measured, measured)) == 2
    assert matched(measured, []) == []


def test_times_are_averaged_on_the_circle() -> None:
    assert circular_mean([95, 5]) == pytest.approx(0, abs=1e-9)
    # 3 at -18 degrees and 1 at 54: sines add up to -0.1180, cosines to 3.4410
    assert circular_mean([95, 15], [3, 1]) == pytest.approx(np.degrees(np.arctan(-0.1180 / 3.4410)) / 3.6, abs=1e-3)
    assert np.isnan(circular_mean([25, 75]))
    assert np.isnan(circular_mean([]))
    assert wrapped([60, -60, 50, 10]) == pytest.approx([-40, 40, -50, 10])


def test_falconer_and_winter_by_hand() -> None:
    a, b = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.5, 0.0])
    assert overlap(a, b) == pytest.approx(2 * 0.5 / 1.5)
    assert overlap(a, a) == pytest.approx(1)
    assert overlap(a, 0 * a - 1) == pytest.approx(0)
    assert np.isnan(overlap(0 * a, 0 * a))


def test_rudolph_by_hand() -> None:
    # (0.2 / 0.8) * 1.0 and (0.5 / 0.5) * 1.0, and a point at which both are silent
    assert rudolph([0.2, 0.5, 0.0], [0.8, 0.5, 0.0]) == pytest.approx((0.25 + 1.0) / 3)


def test_antagonists_are_found_by_function_and_side() -> None:
    assert antagonists(["tib_ant_r", "soleus_r", "rect_fem_r", "bifemlh_l"]) == [("ankle", 0, 1)]
    assert antagonists(["tibant_r", "gasmed_r", "vaslat_r", "semimem_r"]) == [("ankle", 0, 1), ("knee", 2, 3)]
    assert antagonists(["soleus_r", "med_gas_r", "glut_max1_r"]) == []
