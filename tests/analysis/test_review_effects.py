"""Effect sizes, intervals and Bayes factors against R's values for its `sleep` data and against integrals."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, norm, ttest_1samp

from nem2e_lib.analysis.review import bayes_factor, bca, effect, hedges_factor, in_words

# R's data set `sleep` (Student 1908): extra hours, group 1 minus group 2, ten patients.
SLEEP = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]) - np.array(
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
)


def test_d_and_g_of_the_sleep_data_are_those_of_r():
    t = float(ttest_1samp(SLEEP, 0).statistic)
    assert t == pytest.approx(-4.0621, abs=5e-5)  # R: t.test(extra ~ group, paired = TRUE)
    found = effect(t, 10)
    # R, effectsize::cohens_d and hedges_g, paired: -1.28 [-2.12, -0.41] and -1.17 [-1.94, -0.38]
    assert [found.d, found.d_low, found.d_high] == pytest.approx([-1.28, -2.12, -0.41], abs=0.006)
    assert [found.g, found.g_low, found.g_high] == pytest.approx([-1.17, -1.94, -0.38], abs=0.006)


def test_bayes_factor_of_the_sleep_data_is_that_of_r():
    # R, BayesFactor::ttestBF(sleep differences): 17.259
    assert bayes_factor(float(ttest_1samp(SLEEP, 0).statistic), 10) == pytest.approx(17.259, abs=0.001)


def below(t: float, shift: float, freedom: int) -> float:
    """P(T < t) of the noncentral t by integrating over s = sqrt(chi² / ν)."""

    def density(s: float) -> float:
        return norm.cdf(t * s - shift) * 2 * s * freedom * chi2.pdf(freedom * s * s, freedom)

    return quad(density, 0, 10, limit=400, points=[0.5, 1, 1.5])[0]


@pytest.mark.parametrize(("t", "n"), [(-4.06, 10), (0.0, 8), (0.01, 8), (2.0, 3), (60.0, 10), (-200.0, 10), (3.0, 2)])
def test_limits_are_the_noncentralities_that_leave_a_fortieth_on_either_side(t, n):
    found = effect(t, n)
    assert below(t, found.d_low * n**0.5, n - 1) == pytest.approx(0.975, abs=1e-4)
    assert below(t, found.d_high * n**0.5, n - 1) == pytest.approx(0.025, abs=1e-4)
    assert found.d_low < found.d < found.d_high


def test_hedges_factor():
    # ν = 2: Γ(1) / (1 · Γ(1/2)) = 1 / sqrt(π);  ν = 9: Γ(4.5) / (sqrt(4.5) Γ(4)) = 11.6317 / (2.1213 · 6) = .9139
    assert hedges_factor(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert hedges_factor(9) == pytest.approx(0.9139, abs=5e-5)
    assert math.isnan(hedges_factor(1))


def test_an_undefined_test_has_undefined_effects():
    assert all(math.isnan(value) for value in vars(effect(math.nan, 8)).values())
    assert math.isnan(bayes_factor(math.nan, 8))


def test_bca_lies_about_the_mean_and_leans_with_the_skew():
    values = np.array([-0.1, -0.12, -0.11, -0.09, -0.1, -0.13, -0.08, -0.9])
    found = bca(values)
    assert found.low < values.mean() < found.high
    assert values.mean() - found.low > found.high - values.mean()
    assert bca(values) == found


def efron(values: np.ndarray) -> np.ndarray:
    """BCa limits of the mean, step by step (Efron 1987)."""
    n = len(values)
    means = np.random.default_rng(5).choice(values, (20_000, n)).mean(axis=1)
    bias = norm.ppf(((means < values.mean()).mean() + (means <= values.mean()).mean()) / 2)
    left_out = np.array([np.delete(values, i).mean() for i in range(n)])
    off = left_out.mean() - left_out
    acceleration = (off**3).sum() / (6 * (off**2).sum() ** 1.5)
    z = bias + norm.ppf([0.025, 0.975])
    return np.quantile(means, norm.cdf(bias + z / (1 - acceleration * z)))


def test_bca_of_the_sleep_data_is_efrons():
    found = bca(SLEEP)
    assert [found.low, found.high] == pytest.approx(efron(SLEEP), abs=0.06)


@pytest.mark.parametrize("values", [[-0.2] * 8, [-0.1, -0.2], [-0.1], [-0.1, math.nan, -0.2]])
def test_bca_says_why_it_is_undefined(values):
    found = bca(values)
    assert math.isnan(found.low)
    assert found.reason


def test_bayes_factors_in_words():
    assert in_words(2.0) == "anecdotal for an effect"
    assert in_words(0.2) == "moderate for none"
    assert in_words(1e6) == "extreme for an effect"
    assert in_words(math.nan) == "undefined"
