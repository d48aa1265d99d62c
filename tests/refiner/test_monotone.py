"""Curves through samples are those of scipy, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from nem2e_lib.refiner.monotone import monotone


@pytest.mark.parametrize("samples", [2, 3, 4, 20, 101])
def test_the_same_as_scipy_to_the_bit(samples):
    rng = np.random.default_rng(samples)
    for x in (np.linspace(0, 100, samples), np.cumsum(rng.uniform(0.1, 3, samples))):
        y = rng.normal(size=(40, samples))
        y[:8] = np.cumsum(np.abs(y[:8]), axis=1)  # rising
        y[8:12] = np.round(y[8:12])  # level stretches
        y[12] = 0.3
        y[13] = np.linspace(0, 1, samples)
        at = np.sort(np.concatenate([x, rng.uniform(x[0], x[-1], 500)]))
        np.testing.assert_array_equal(monotone(x, y, at), PchipInterpolator(x, y, axis=1)(at))


def test_it_keeps_between_neighbours_and_goes_through_the_samples():
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([[0.0, 0.0, 1.0, 1.0]])
    np.testing.assert_array_equal(monotone(x, y, x), y)
    between = monotone(x, y, np.array([0.5, 1.25, 1.5, 2.5]))[0]
    assert between.tolist() == [0.0, pytest.approx(3 / 16 - 2 / 64), 0.5, 1.0]  # 3 s² - 2 s³ at 1/4
