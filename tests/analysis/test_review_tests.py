"""Tests of dependent conditions against R's documented examples and hand-worked values."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from nem2e_lib.analysis.review import benjamini_hochberg, contrasts, friedman, repeated_measures, signed_rank
from nem2e_lib.analysis.statistics import holm

FITNESS = [[45, 50, 55], [42, 42, 45], [36, 41, 43], [39, 35, 40], [51, 55, 59], [44, 49, 56]]
"""Six people at three times (Laerd Statistics, "Repeated measures ANOVA")."""
ROUNDING = """5.40 5.50 5.55 5.85 5.70 5.75 5.20 5.60 5.50 5.55 5.50 5.40 5.90 5.85 5.70 5.45 5.55 5.60 5.40 5.40 5.35
5.45 5.50 5.35 5.25 5.15 5.00 5.85 5.80 5.70 5.25 5.20 5.10 5.65 5.55 5.45 5.60 5.35 5.45 5.05 5.00 4.95 5.50 5.50 5.40
5.45 5.55 5.50 5.55 5.55 5.35 5.45 5.50 5.55 5.50 5.45 5.25 5.65 5.60 5.40 5.70 5.65 5.55 6.30 6.30 6.25"""
"""Hollander & Wolfe (1973), p. 140: the example of R's friedman.test."""


def test_repeated_measures_of_a_textbook():
    found = repeated_measures(FITNESS)
    # SPSS: F = 12.534; Greenhouse-Geisser .638, df 1.277 and 6.384, p = .009
    assert found["f"] == pytest.approx(12.534, abs=5e-4)
    assert found["epsilon"] == pytest.approx(0.638, abs=5e-4)
    assert (found["df1"], found["df2"]) == pytest.approx((1.277, 6.384), abs=5e-4)
    assert found["p_gg"] == pytest.approx(0.009, abs=5e-4)


def test_with_two_conditions_f_is_t_squared():
    y = np.array(FITNESS, float)[:, :2]
    found, paired = repeated_measures(y), ttest_rel(y[:, 0], y[:, 1])
    assert found["f"] == pytest.approx(paired.statistic**2)
    assert found["p_gg"] == pytest.approx(paired.pvalue)


@given(st.integers(0, 10_000))
def test_epsilon_is_between_its_bounds_and_a_units_level_does_not_matter(seed):
    random = np.random.default_rng(seed)
    y = random.normal(size=(8, 3))
    found, moved = repeated_measures(y), repeated_measures(y + random.normal(size=(8, 1)) * 10)
    assert 0.5 - 1e-9 <= found["epsilon"] <= 1 + 1e-9
    assert found["p_gg"] == pytest.approx(moved["p_gg"], rel=1e-6, abs=1e-12)


def test_what_cannot_be_tested_says_why():
    same = np.tile([0.1, 0.2, 0.3], (8, 1))
    for y, word in ((same, "same amount"), ([[1.0, 2, 3]], "needs two"), ([[1, 2, math.nan]] * 3, "undefined")):
        found = repeated_measures(y)
        assert math.isnan(found["p_gg"])
        assert word in found["reason"]


def test_friedman_is_that_of_r():
    # R: Friedman chi-squared = 11.143, df = 2, p-value = 0.003805
    assert friedman(np.array(ROUNDING.split(), float).reshape(-1, 3)) == pytest.approx(0.003805, abs=5e-7)
    assert math.isnan(friedman(np.ones((5, 3))))


def test_wilcoxon_is_that_of_r():
    # R's example of wilcox.test (Hollander & Wolfe 1973, p. 29): V = 40, one-sided p = 0.01953
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    assert signed_rank(x - y) == pytest.approx(2 * 0.01953, abs=1e-5)
    assert math.isnan(signed_rank(np.zeros(5)))


def test_families_by_hand():
    # Holm: 4 * .01, 3 * .02, then never less than before; BH: min over p (m / rank)
    p = [0.04, 0.01, np.nan, 0.03, 0.02]
    assert holm(p) == pytest.approx([0.06, 0.04, np.nan, 0.06, 0.06], nan_ok=True)
    assert benjamini_hochberg(p) == pytest.approx([0.04, 0.04, np.nan, 0.04, 0.04], nan_ok=True)
    assert np.isnan(holm([np.nan])).all()


def test_contrasts_are_paired_and_corrected_over_the_pairs():
    table = pd.DataFrame(FITNESS, columns=["a", "b", "c"], dtype=float)
    found = contrasts(table).set_index(["a", "b"])
    raw = {pair: ttest_rel(table[pair[0]], table[pair[1]]).pvalue for pair in found.index}
    assert found["p_value"].to_dict() == pytest.approx(raw)
    smallest = min(raw, key=raw.get)
    assert found.loc[smallest, "p_holm"] == pytest.approx(3 * raw[smallest])
    assert found.loc[("a", "c"), "difference"] == pytest.approx(table["a"].mean() - table["c"].mean())
