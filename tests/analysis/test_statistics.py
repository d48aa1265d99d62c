"""Statistics against values worked by hand and against scipy."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nem2e_lib.analysis.statistics import (
    FEWEST,
    comparisons,
    counts,
    holm,
    one_sample,
    over_folds,
    paired,
    ranking,
    sign_flips,
    summary,
    tukey,
)
from nem2e_lib.error import Nem2eError

COLUMNS = {"electrode": "e", "unit": "subject", "synthetic": True, "r2_pearson": 0.5, "r2_sse": 0.4}


def table(**conditions):
    rows = [
        {
            "study": "s",
            "muscle": muscle,
            "condition": name,
            "label": f"p{i}",
            "er": er,
            "er_mean_curve": -0.1,
            **COLUMNS,
        }
        for name, muscles in conditions.items()
        for muscle, values in muscles.items()
        for i, er in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_one_sample_by_hand():
    # mean -.2, deviations -.2 0 .2: sd = sqrt(.08 / 2) = .2; t = -.2 / (.2 / sqrt 3) = -sqrt 3; d = -1;
    # t(.975, 2) = 4.30265: half width 4.30265 * .2 / sqrt 3 = .496827; p = 2 P(T2 < -sqrt 3) = 1 - sqrt(3/5)
    test = one_sample([-0.4, -0.2, 0.0])
    assert test.mean == pytest.approx(-0.2)
    assert test.sd == pytest.approx(0.2)
    assert test.t == pytest.approx(-(3**0.5))
    assert test.cohen_d == pytest.approx(-1.0)
    assert test.ci_low == pytest.approx(-0.696827, abs=1e-6)
    assert test.ci_high == pytest.approx(0.296827, abs=1e-6)
    assert test.p_value == pytest.approx(1 - 0.6**0.5, abs=1e-9)


@given(
    st.lists(st.floats(-1, 1).map(lambda x: round(x, 4)), min_size=3, max_size=12).filter(lambda v: np.ptp(v) > 1e-3)
)
def test_one_sample_is_scipys(values):
    ours, theirs = one_sample(values), stats.ttest_1samp(values, 0.0)
    interval = theirs.confidence_interval()
    assert ours.t == pytest.approx(theirs.statistic, rel=1e-6, abs=1e-9)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9)
    assert np.sign(ours.cohen_d) == np.sign(ours.mean)


@pytest.mark.parametrize(
    ("values", "reason"), [([-0.5], "a test needs two"), ([-0.5, np.nan], "1 of 2"), ([-0.5, -0.5], "the same")]
)
def test_an_undefined_test_says_why(values, reason):
    test = one_sample(values)
    assert np.isnan(test.p_value)
    assert reason in test.reason


def test_summary_holds_over_the_muscles_of_a_condition():
    low, high, none = [-0.5, -0.45, -0.55, -0.5], [-0.3, -0.1, -0.4, -0.2], [0.1, -0.1, 0.05, -0.02]
    found = summary(table(one_entire={"a": low, "b": high, "c": none}))
    assert found["improved"].tolist() == [True, True, False]
    p = [stats.ttest_1samp(values, 0).pvalue for values in (low, high, none)]
    np.testing.assert_allclose(found["p_value"], p, rtol=1e-9)
    # Holm by hand: smallest times 3, middle times 2, largest times 1, never falling
    np.testing.assert_allclose(found["p_holm"], [3 * p[0], max(3 * p[0], 2 * p[1]), p[2]], rtol=1e-9)
    assert found["n_units"].tolist() == [4, 4, 4]


def test_tukey_is_scipys():
    rng = np.random.default_rng(0)
    groups = {
        name: rng.normal(shift, 0.2, 6)
        for name, shift in (("one_quarter", 0), ("one_entire", -0.3), ("all_entire", -0.5))
    }
    found = tukey(table(**{name: {"a": values} for name, values in groups.items()}))
    assert len(found) == 3
    expected = stats.tukey_hsd(*groups.values()).pvalue
    names = list(groups)
    for row in found.to_dict("records"):
        assert row["p_value"] == pytest.approx(expected[names.index(row["a"]), names.index(row["b"])], abs=1e-4)
        assert row["difference"] == pytest.approx(groups[row["a"]].mean() - groups[row["b"]].mean())


def test_conditions_that_cannot_be_compared_are_told_not_dropped():
    groups = {"one_quarter": {"a": [0.1, 0.3]}, "one_entire": {"a": [0.0, np.nan]}, "all_entire": {"a": [-0.1, 0.1]}}
    found = tukey(table(**groups))
    assert len(found) == 3
    assert found["p_value"].isna().all()
    assert set(found["reason"]) == {"Er is undefined in 1 of 6 cases."}
    single = tukey(table(one_quarter={"a": [0.1]}, one_entire={"a": [0.2]}))
    assert single["reason"].item() == "One held-out unit: a test needs two."
    assert single["difference"].item() == pytest.approx(0.1 * (1 if single["a"].item() == "one_entire" else -1))
    assert tukey(table(one_entire={"a": [0.1, 0.2]})).empty


def test_rounding_is_no_variation():
    assert one_sample([0.1 + 0.2, 0.3, 0.3]).reason == "Er is the same for all held-out units."


def test_paired_is_scipys_and_knows_the_mean_curve():
    a, b = [-0.5, -0.4, -0.6, -0.45], [-0.3, -0.35, -0.4, -0.25]
    data = table(all_entire={"m": a}, one_entire={"m": b})
    row = paired(data, "all_entire", "one_entire").iloc[0]
    assert row["difference"] == pytest.approx(np.mean(a) - np.mean(b))
    assert row["p_value"] == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert counts(paired(data, "all_entire", "one_entire"))["below_p05"].tolist() == [1]
    assert counts(paired(data, "one_entire", "all_entire"))["below_p05"].tolist() == [0]
    curve = paired(data, "one_entire", "mean_curve").iloc[0]
    assert curve["difference"] == pytest.approx(np.mean(b) + 0.1)
    with pytest.raises(Nem2eError, match="one_quarter"):
        paired(data, "one_quarter", "one_entire")


def test_ranking_puts_the_mean_curve_among_the_conditions():
    found = ranking(table(one_entire={"a": [-0.3, -0.5]}, one_quarter={"a": [0.1, 0.1]}))
    assert found["method"].tolist() == ["one_entire", "mean_curve", "one_quarter"]
    np.testing.assert_allclose(found["er_mean"], [-0.4, -0.1, 0.1])


def test_holm_is_made_over_each_family_and_undefined_tests_do_not_count():
    # Holm: 3 * .01, 2 * .02, then never less than before
    p = pd.Series([0.03, 0.01, np.nan, 0.02, 0.04])
    assert holm(p[:4]) == pytest.approx([0.04, 0.03, np.nan, 0.04], nan_ok=True)
    found = p.groupby(["a", "a", "a", "a", "b"], sort=False).transform(holm)
    assert found.to_numpy() == pytest.approx([0.04, 0.03, np.nan, 0.04, 0.04], nan_ok=True)
    assert np.isnan(holm([np.nan])).all()
    assert holm([]).shape == (0,)


def test_counts_are_the_muscles_below_and_surely_below():
    low, high = [-0.5, -0.4, -0.6, -0.45], [-0.3, -0.35, -0.4, -0.25]
    found = counts(
        comparisons(table(one_entire={"a": high, "b": high}, all_entire={"a": low, "b": [-0.2, -0.5, -0.3, -0.4]}))
    )
    row = found.set_index(["a", "b"]).loc[("all_entire", "one_entire")]
    assert row[["muscles", "below", "below_p05"]].tolist() == [2, 2, 1]
    assert list(found) == ["study", "a", "b", "muscles", "below", "below_p05"]
    assert len(found) == 3


def test_folds_that_share_training_data_widen_the_interval_by_hand():
    # d = 1, 2, 3, 4: mean 2.5, s² = 5/3, Nadeau & Bengio's variance (1/4 + 1/3) s² = 35/36
    found = over_folds([1.0, 2.0, 3.0, 4.0])
    assert found.t == pytest.approx(2.5 / math.sqrt(35 / 36))
    assert found.p_value == pytest.approx(0.0850, abs=2e-4)  # R: 2 * pt(-2.535463, 3)
    half = 3.182446305 * math.sqrt(35 / 36)  # R: qt(.975, 3)
    assert (found.ci_low, found.ci_high) == pytest.approx((2.5 - half, 2.5 + half))
    assert (found.mean, found.sd, found.n, found.cohen_d) == pytest.approx(
        (2.5, math.sqrt(5 / 3), 4, 2.5 / math.sqrt(5 / 3))
    )


def test_the_correction_is_that_of_random_splits_with_one_unit_tested():
    # a second implementation: the corrected resampled t-test of J runs with n_test / n_train, as published
    rng = np.random.default_rng(3)
    for n in (2, 5, 8, 10, 30):
        d = rng.normal(-0.2, 0.3, n)
        error = np.sqrt((1 / n + 1 / (n - 1)) * np.var(d, ddof=1))
        low, high = stats.t.interval(0.95, n - 1, loc=d.mean(), scale=error)
        found, plain = over_folds(d), one_sample(d)
        assert (found.ci_low, found.ci_high) == pytest.approx((low, high))
        assert plain.t / found.t == pytest.approx(np.sqrt(1 + n / (n - 1)))
        assert found.p_value > plain.p_value


def test_an_undefined_test_stays_so_over_folds():
    assert over_folds([0.5]).reason == one_sample([0.5]).reason != ""
    assert math.isnan(over_folds([0.5, 0.5, 0.5]).p_value)
    assert math.isnan(sign_flips([0.5]))
    assert math.isnan(sign_flips([0.5, math.nan]))


@pytest.mark.parametrize("n", [2, 5, 6, 9])
def test_flipping_signs_is_exact_for_few_units(n):
    rng = np.random.default_rng(n)
    d = rng.normal(0.3, 0.5, n)
    means = [abs(np.mean(d * signs)) for signs in itertools.product((-1, 1), repeat=n)]
    assert sign_flips(d) == pytest.approx(np.mean(np.array(means) >= abs(d.mean()) - 1e-12))
    assert sign_flips(np.abs(d)) == pytest.approx(2 / 2**n)  # the least there can be
    other = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True)
    assert sign_flips(d) == pytest.approx(other.pvalue)


def test_below_the_fewest_units_no_signs_reach_five_per_cent():
    assert sign_flips(np.arange(1.0, FEWEST)) > 0.05
    assert sign_flips(np.arange(1.0, FEWEST + 1)) < 0.05


def test_many_units_are_flipped_at_random_the_same_each_time():
    d = np.random.default_rng(0).normal(0.1, 0.4, 25)
    assert sign_flips(d) == sign_flips(d) == pytest.approx(one_sample(d).p_value, abs=0.02)
