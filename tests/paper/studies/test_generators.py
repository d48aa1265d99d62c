"""How alike the order of methods is: hand-worked ranks, intervals over data seeds, and the committed table."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nem2e_lib.data.synthetic import synthetic_cycles
from nem2e_lib.paper.studies import generators

METHODS = ["a", "b", "c", "d"]


def rows(er, generator=None, seed=None):
    n = len(er)
    table = pd.DataFrame({"motion": "walking", "design": "people", "method": METHODS[:n], "er": er})
    return table.assign(
        generator=pd.Series([generator] * n, dtype="Int64"), data_seed=pd.Series([seed] * n, dtype="Int64")
    )


def test_ranks_are_those_worked_by_hand():
    real = rows([-0.4, -0.3, -0.2, -0.1])
    made = [rows([-0.1, -0.2, -0.3, -0.4], 1, 0), rows([-0.3, -0.4, -0.2, -0.1], 2, 0)]
    found = generators.concordance(pd.concat([real, *made])).set_index("generator")
    assert found.loc[1, "kendall"] == pytest.approx(-1.0)
    assert found.loc[2, "kendall"] == pytest.approx(4 / 6)  # one of six pairs is turned
    assert found.loc[2, "spearman"] == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert found.loc[2, "distance"] == pytest.approx(np.sqrt(0.02 / 4))


def test_intervals_are_over_data_seeds_and_paired():
    rng = np.random.default_rng(0)
    found = pd.DataFrame(
        [
            {"motion": "walking", "design": "people", "generator": g, "data_seed": s}
            | {name: rng.random() for name in ("kendall", "spearman", "distance")}
            for g in (1, 2)
            for s in range(5)
        ]
    )
    table = generators.over_seeds(found).set_index(["measure", "generator"])
    first, second = (found.loc[found["generator"] == g, "distance"].to_numpy() for g in (1, 2))
    low, high = stats.t.interval(0.95, 4, (second - first).mean(), stats.sem(second - first))
    row = table.loc[("distance", "2 - 1")]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert row["p_value"] == pytest.approx(stats.ttest_rel(second, first).pvalue)


def test_one_person_leaves_a_speed_out():
    made = synthetic_cycles("running", subjects=1, generator=2)
    table = generators._ranked(made.isel(channel=[0, 3]), "running", generators.ALONE, 2, 0, None)
    assert set(table["unit"]) == {"speed"}
    assert table.set_index("method").loc["identity", "er"] == 0.0
    assert table["er"].notna().all()


def test_the_committed_table_has_the_recordings_and_both_generators():
    table = pd.read_csv(generators.ORDERS)
    found = generators.concordance(table)
    assert found.groupby(["motion", "design", "generator"])["data_seed"].nunique().min() >= 4
    assert table.loc[table["generator"].isna(), "study"].unique().tolist() == ["children", "runner"]
    assert table[["study", "motion", "design", "generator", "data_seed", "method"]].duplicated().sum() == 0
