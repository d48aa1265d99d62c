"""The mixed model against the paired t-test, an analysis of variance, a REML of its own, and planted truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin as pg
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from nem2e_lib.analysis.mixed import mixed
from nem2e_lib.analysis.statistics import one_sample, paired

PAIR = (("one_entire", "one_quarter"),)


def planted(
    seed: int,
    people: int = 8,
    muscles: int = 6,
    effects: tuple[float, ...] = (-0.3, -0.4),
    sd: tuple[float, float, float, float] = (0.1, 0.08, 0.06, 0.05),
    sd_muscle_condition: float = 0.0,
) -> pd.DataFrame:
    """Rows as of `metrics.errors`; `sd` of people, muscles, people's response to a condition, and the rest."""
    random = np.random.default_rng(seed)
    names = ("one_quarter", "one_entire", "all_entire")[: len(effects)]
    of_person, of_muscle = random.normal(0, sd[0], people), random.normal(0, sd[1], muscles)
    response, of_both = random.normal(0, sd[2], (people, len(effects))), random.normal(0, 0.06, (people, muscles))
    by_muscle = random.normal(0, sd_muscle_condition, (muscles, len(effects)))
    rows = [
        {
            "muscle": f"m{m}",
            "electrode": f"m{m}",
            "label": f"p{p}",
            "condition": name,
            "er": effects[c]
            + of_person[p]
            + of_muscle[m]
            + of_both[p, m]
            + response[p, c]
            + by_muscle[m, c]
            + random.normal(0, sd[3]),
        }
        for p in range(people)
        for m in range(muscles)
        for c, name in enumerate(names)
    ]
    return pd.DataFrame(rows).assign(study="planted", unit="subject", synthetic=True, er_mean_curve=np.nan)


def test_two_conditions_give_the_paired_t_test_over_people() -> None:
    errors = planted(0)
    row = mixed(errors, PAIR).iloc[0]
    wide = (
        errors.groupby(["label", "condition"])["er"]
        .mean()
        .reset_index()
        .pivot_table(index="label", columns="condition", values="er")
    )
    test = one_sample(wide["one_entire"] - wide["one_quarter"])
    expected = (test.mean, test.ci_low, test.ci_high, test.t, test.p_value)
    assert tuple(row[["difference", "ci_low", "ci_high", "t", "p_value"]]) == pytest.approx(expected, rel=2e-3)
    assert (row["scope"], row["df"], row["n_units"], row["n_muscles"]) == ("these muscles", 7, 8, 6)
    beside = (row["paired_difference"], row["paired_ci_low"], row["paired_ci_high"])
    assert beside == pytest.approx((test.mean, test.ci_low, test.ci_high))


def test_three_conditions_give_the_error_of_the_analysis_of_variance() -> None:
    errors = planted(1, effects=(-0.3, -0.4, -0.35))
    row = mixed(errors, PAIR).iloc[0]
    means = errors.groupby(["label", "condition"])["er"].mean().reset_index()
    table = pg.rm_anova(means, dv="er", within="condition", subject="label", detailed=True)
    error = float(np.sqrt(2 * table["MS"].iloc[1] / 8))
    half = (row["ci_high"] - row["ci_low"]) / 2
    assert half / student.ppf(0.975, 7) == pytest.approx(error, rel=2e-3)


def reml(values: NDArray[np.float64], fixed: NDArray[np.float64], effects: list[NDArray[np.float64]]) -> tuple:
    """Coefficients and their covariance at the largest restricted likelihood, by plain numpy."""
    start = float(values.var())

    def parts(variances: NDArray[np.float64]) -> tuple:
        v = variances[-1] * np.eye(len(values)) + sum(s * z @ z.T for s, z in zip(variances, effects, strict=False))
        inverse = np.linalg.inv(v)
        covariance = np.linalg.inv(fixed.T @ inverse @ fixed)
        beta = covariance @ fixed.T @ inverse @ values
        rest = values - fixed @ beta
        loss = np.linalg.slogdet(v)[1] - np.linalg.slogdet(covariance)[1] + rest @ inverse @ rest
        return loss, beta, covariance

    bounds = [(0.0, None)] * len(effects) + [(1e-6, None)]
    with threadpool_limits(1):
        found = minimize(
            lambda v: parts(100 * v * start)[0],
            np.full(len(bounds), 1e-2),
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-14, "gtol": 1e-8},
        )
    _, beta, covariance = parts(100 * found.x * start)
    return beta, covariance


def test_crossed_effects_with_holes_agree_with_a_reml_of_its_own() -> None:
    errors = planted(2, people=6, muscles=4, effects=(-0.3, -0.4, -0.2), sd_muscle_condition=0.05)
    errors = errors.drop(errors.index[[3, 17, 40, 41, 67]])
    row = mixed(errors, PAIR).iloc[1]
    keys = [["label"], ["label", "muscle"], ["label", "condition"], ["muscle"], ["muscle", "condition"]]
    effects = [pd.get_dummies(errors[k].agg("-".join, axis=1)).to_numpy(float) for k in keys]
    conditions = sorted(errors["condition"].unique())
    fixed = pd.get_dummies(errors["condition"])[conditions].to_numpy(float)
    beta, covariance = reml(errors["er"].to_numpy(), fixed, effects)
    weights = np.array([{"one_entire": 1.0, "one_quarter": -1.0}.get(name, 0.0) for name in conditions])
    error = float(np.sqrt(weights @ covariance @ weights))
    assert row["scope"] == "other muscles"
    assert row["difference"] == pytest.approx(weights @ beta, rel=1e-3)
    assert row["difference"] / row["t"] == pytest.approx(error, rel=5e-3)
    assert (row["df"], row["rows"]) == (3, 67)


def test_muscles_are_counted_as_their_own_paired_tests_say() -> None:
    errors = planted(8).assign(er_mean_curve=-0.1)
    row = mixed(errors, (("one_entire", "mean_curve"),)).iloc[0]
    tests = paired(errors, "one_entire", "mean_curve")
    assert row["muscles_lower"] == ((tests["p_holm"] < 0.05) & (tests["difference"] < 0)).sum() > 0
    assert row["muscles_higher"] == ((tests["p_holm"] < 0.05) & (tests["difference"] > 0)).sum()


def test_a_variance_of_nothing_is_told_and_not_swallowed() -> None:
    table = mixed(planted(3, sd=(0.0, 0.1, 0.0, 0.1)), PAIR)
    assert table["warned"].str.contains("is at its boundary, 0: fitted without it|failed to converge").all()


def test_the_mean_curve_and_a_missing_er_are_told() -> None:
    errors = planted(4).assign(er_mean_curve=-0.3)
    errors.loc[5, "er"] = np.nan
    table = mixed(errors)
    assert set(zip(table["a"], table["b"], strict=True)) == {
        ("one_entire", "one_quarter"),
        ("one_quarter", "mean_curve"),
        ("one_entire", "mean_curve"),
    }
    assert (table["left_out"] == 1).all()


def test_one_unit_and_one_muscle_are_refused_with_the_reason() -> None:
    (one, other) = mixed(planted(5, people=1), PAIR)["reason"]
    assert one == other == "1 held-out unit: a random effect needs two."
    (one, other) = mixed(planted(5, muscles=1), PAIR)["reason"]
    assert one == other == "1 muscle: the model needs two, and its own test is the paired one."


def test_channels_of_an_electrode_count_once() -> None:
    errors = planted(6)
    copy = errors[errors["muscle"] == "m0"].assign(muscle="copy")
    both = mixed(pd.concat([errors, copy], ignore_index=True), PAIR)
    assert both[["difference", "ci_low"]].to_numpy() == pytest.approx(
        mixed(errors, PAIR)[["difference", "ci_low"]].to_numpy()
    )


def test_log_ratio_is_that_of_rmse() -> None:
    errors = planted(7)
    row = mixed(errors, PAIR, "log_ratio").iloc[0]
    assert row["difference"] == pytest.approx(
        np.log1p(errors["er"]).groupby(errors["condition"]).mean().loc[["one_quarter", "one_entire"]].diff().iloc[1]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("scope", "spread"), [("these muscles", 0.0), ("other muscles", 0.06)])
def test_intervals_cover_planted_truth(scope: str, spread: float) -> None:
    covered = []
    for seed in range(200):
        table = mixed(planted(1000 + seed, sd_muscle_condition=spread), PAIR)
        row = table[table["scope"] == scope].iloc[0]
        covered.append(row["ci_low"] <= -0.1 <= row["ci_high"])
    assert 0.90 <= np.mean(covered) <= 0.99  # 0.95 within its own sampling error; a wider one is too careful
