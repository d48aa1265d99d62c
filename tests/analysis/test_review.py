"""The review on planted effects: found where there is one, once an electrode."""

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis import review
from nem2e_lib.analysis.statistics import summary, tukey

CONDITIONS = ("one_quarter", "one_entire", "all_entire")


def errors(effects, channels=(("soleus", "soleus"),), n=8, noise=0.05, level=0.0, seed=0):
    """Er of every channel: effect of the condition + level of the subject + noise."""
    random = np.random.default_rng(seed)
    levels = random.normal(scale=level, size=n)
    rows = [
        {
            "study": "walking",
            "muscle": muscle,
            "electrode": electrode,
            "condition": condition,
            "label": f"s{i}",
            "er": effect + levels[i] + random.normal(scale=noise),
            "unit": "subject",
            "synthetic": True,
            "r2_pearson": 0.5,
            "r2_sse": 0.5,
            "er_mean_curve": -0.1,
        }
        for muscle, electrode in channels
        for condition, effect in zip(CONDITIONS, effects, strict=True)
        for i in range(n)
    ]
    return pd.DataFrame(rows)


def test_a_planted_improvement_is_found_and_nothing_is_not():
    found = review.improvement(errors((-0.3, 0.0, 0.2))).set_index("condition")
    assert found["verdict"].to_dict() == {
        "one_quarter": "improves",
        "one_entire": "no improvement shown",
        "all_entire": "becomes worse",
    }
    assert found.loc["one_quarter", "bf10"] > 100
    assert found.loc["one_quarter", "bca_high"] < 0
    assert found.loc["all_entire", "er_mean"] > 0


def test_channels_of_one_electrode_count_once():
    table = errors((-0.3, -0.2, -0.1), channels=[("glmax1", "glmax"), ("glmax2", "glmax"), ("tib", "tib")])
    found = review.improvement(table)
    assert list(found["electrode"].unique()) == ["glmax", "tib"]
    mean = table[(table["electrode"] == "glmax") & (table["condition"] == "one_entire")]["er"].mean()
    row = found[(found["electrode"] == "glmax") & (found["condition"] == "one_entire")].iloc[0]
    assert row["er_mean"] == pytest.approx(mean)
    assert row["n"] == 8
    family = found[found["condition"] == "one_entire"]
    assert family["p_holm"].min() == pytest.approx(2 * family["p_folds"].min())
    assert (family["p_folds"] > family["p_value"]).all()


def test_from_few_units_no_improvement_is_shown():
    few = errors((-0.3, -0.2, -0.1))
    found = review.improvement(few[few["label"].isin(few["label"].unique()[:5])])
    assert (found["p_holm"] < 0.05).any()
    assert set(found["verdict"]) == {"no improvement shown"}


def test_shared_subjects_hide_a_difference_from_tukey_and_not_from_the_paired_test():
    table = errors((-0.1, -0.2, -0.3), noise=0.03, level=0.4)
    side = review.differences_side_by_side(tukey(table), review.differences(table), summary(table))
    assert set(side["as_published_verdict"]) == {"no difference shown"}
    assert set(side["verdict"]) == {"differs"}
    assert side["changes"].all()
    assert side["as_published_difference"].to_numpy() == pytest.approx(side["difference"].to_numpy())
    assert review.said(side).startswith("3 of 3 verdicts change: soleus")


def test_side_by_side_has_every_muscle_and_says_what_is_undefined():
    table = errors((-0.3, -0.2, -0.1), channels=[("glmax1", "glmax"), ("glmax2", "glmax"), ("tib", "tib")])
    table.loc[(table["muscle"] == "tib") & (table["label"] == "s3"), "er"] = np.nan
    side = review.improvement_side_by_side(summary(table), review.improvement(table))
    assert len(side) == 9
    tib = side[side["muscle"] == "tib"]
    assert set(tib["verdict"]) == {"undefined"}
    assert tib["reason"].str.contains("undefined for 1 of 8").all()
    assert (side.loc[side["muscle"] != "tib", "verdict"] == "improves").all()
    pairs = review.differences(table)
    assert set(pairs.loc[pairs["electrode"] == "tib", "verdict"]) == {"undefined"}


def test_one_condition_has_no_differences():
    table = errors((-0.3, -0.2, -0.1))
    assert review.differences(table[table["condition"] == "one_entire"]).empty
