"""Equivalence tests, beside pingouin's and a worked example."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.analysis import published
from nem2e_lib.analysis.equivalence import (
    DIFFERENT,
    EQUIVALENT,
    IMPROVES,
    MARGIN,
    NO_IMPROVEMENT,
    UNDECIDED,
    margin_reason,
    pairs,
    tost,
    tost_of,
)


def test_a_worked_example() -> None:
    # standard error .05 / 3; t = (.1 - .02) / .016667 = 4.8; its distribution on 8 degrees of freedom is known:
    # P(|T| < t) = s (1 + c/2 + 3 c^2/8 + 5 c^3/16), s = t / sqrt(8 + t^2) = .861550, c = 8 / (8 + t^2) = .257732
    within = 4.8 / 31.04**0.5 * sum(k * (8 / 31.04) ** i for i, k in enumerate((1, 1 / 2, 3 / 8, 5 / 16)))
    # 95 % quantile of t on 8 degrees of freedom 1.859548: .02 -+ 1.859548 * .016667
    found = tost_of(0.02, 0.05, 9)
    assert found.p_value == found.p_below == pytest.approx((1 - within) / 2)
    assert found.p_value == pytest.approx(0.000678, abs=5e-7)
    assert (found.ci_low, found.ci_high) == pytest.approx((-0.010992, 0.050992), abs=1e-6)
    assert (found.answer, found.improvement) == (EQUIVALENT, NO_IMPROVEMENT)


@given(st.integers(3, 30), st.floats(-0.3, 0.3), st.floats(0.01, 0.5), st.floats(0.01, 0.5), st.integers(0, 99))
def test_p_is_pingouins_and_the_interval_decides_as_p_does(
    n: int, mean: float, sd: float, margin: float, seed: int
) -> None:
    values = np.random.default_rng(seed).normal(mean, sd, n)
    found = tost(values, margin)
    assert found.p_value == pytest.approx(float(pg.tost(values, 0, bound=margin)["pval"].iloc[0]), abs=1e-9)
    assert found.p_difference == pytest.approx(float(pg.ttest(values, 0)["p_val"].iloc[0]), abs=1e-9)
    if abs(found.p_value - 0.05) > 1e-9:
        assert (found.p_value < 0.05) == (-margin < found.ci_low and found.ci_high < margin)


@pytest.mark.parametrize(
    ("mean", "sd", "answer", "improvement"),
    [
        (0.0, 0.05, EQUIVALENT, NO_IMPROVEMENT),
        (0.0, 0.5, UNDECIDED, UNDECIDED),
        (-0.3, 0.1, DIFFERENT, IMPROVES),
        (0.3, 0.1, DIFFERENT, NO_IMPROVEMENT),
        (0.2, 0.5, UNDECIDED, NO_IMPROVEMENT),
        (0.1, 0.5, UNDECIDED, UNDECIDED),
        (-0.05, 0.01, DIFFERENT, IMPROVES),  # certain, however small
        (0.05, 0.01, DIFFERENT, NO_IMPROVEMENT),
    ],
)
def test_three_answers(mean: float, sd: float, answer: str, improvement: str) -> None:
    found = tost_of(mean, sd, 10)
    assert (found.answer, found.improvement) == (answer, improvement)


def test_equivalence_is_found_at_the_margin_in_one_of_twenty_at_most() -> None:
    # the error that matters: a mean that lies on the margin must seldom be called none
    rng = np.random.default_rng(0)
    found = [tost(rng.normal(-MARGIN, 0.1, 10)).p_above < 0.05 for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0.05, abs=0.015)


def test_without_a_test_nothing_is_decided() -> None:
    for values in ([0.1], [0.0, 0.0, 0.0], [0.1, np.nan, 0.2]):
        found = tost(values)
        assert found.reason
        assert (found.answer, found.improvement, found.said) == (UNDECIDED, UNDECIDED, found.reason)


def test_pairs_are_of_the_same_people() -> None:
    rows = pd.DataFrame(
        [(m, f"s{i}", c, er) for m, shift in (("a", 0.0), ("b", 0.4)) for i in range(6) for c, er in
         (("x", i * 0.3 + shift + 0.01 * (i % 3)), ("y", i * 0.3))],
        columns=["muscle", "label", "condition", "er"],
    )  # fmt: skip
    found = pairs(rows.sample(frac=1, random_state=0), "x", "y")
    assert {name: test.answer for name, test in found.items()} == {"a": DIFFERENT, "b": DIFFERENT}
    x = rows[(rows["muscle"] == "b") & (rows["condition"] == "x")]["er"].to_numpy()
    y = rows[(rows["muscle"] == "b") & (rows["condition"] == "y")]["er"].to_numpy()
    assert found["b"].p_difference == pytest.approx(float(pg.ttest(x, y, paired=True)["p_val"].iloc[0]))
    assert found["b"].p_value == pytest.approx(float(pg.tost(x, y, bound=MARGIN, paired=True)["pval"].iloc[0]))
    lost = rows[~((rows["label"] == "s0") & (rows["condition"] == "x"))]
    assert pairs(lost, "x", "y")["a"].n == 5


def test_the_margin_lies_between_what_the_paper_calls_an_improvement_and_what_it_does_not() -> None:
    table = published.results()
    better = table[table["er_mean"] < 0]
    called = better["p_value"] < 0.05
    least, most = better.loc[called, "er_mean"].max(), better.loc[~called, "er_mean"].min()
    assert most < -MARGIN < least
    assert f"{least:+.2f}, the largest that is not {most:+.2f}" in margin_reason()
