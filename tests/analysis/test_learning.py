"""Costs of training on less, on a table whose answer is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import learning
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.paper.studies.learning import growing
from tests.support.planted import study


def rows(levels, units=5, draws=2):
    rng = np.random.default_rng(0)
    base = rng.normal(-0.5, 0.05, units)
    return pd.DataFrame(
        [
            {
                "experiment": learning.SUBJECTS,
                "study": "x",
                "condition": "one_entire",
                "level": level,
                "reference": "4",
                "trained_on": f"{level} subjects",
                "order": float(level),
                "n_training": 3 * int(level),
                "draw": draw,
                "label": f"s{unit}",
                "unit": "subject",
                "synthetic": True,
                "er": base[unit] + cost + 0.02 * (draw - (draws - 1) / 2) + 0.001 * unit * cost,
                "er_mean_curve": -0.4,
            }
            for level, cost in levels.items()
            for draw in range(draws)
            for unit in range(units)
        ]
    )


def test_the_cost_of_a_level_is_its_rise_over_the_reference_with_draws_averaged():
    found = learning.learning_summary(rows({"1": 0.2, "2": 0.1, "4": 0.0})).set_index("level")
    assert found.loc["1", "cost"] == pytest.approx(0.2 + 0.001 * 2 * 0.2)
    assert found.loc["1", "cost_ci_low"] > 0.19
    assert np.isnan(found.loc["4", "cost"])
    assert (found["n"] == 5).all()
    assert (found["draws"] == 2).all()
    assert found.loc["2", "cost_p_holm"] >= found.loc["2", "cost_p_value"]
    np.testing.assert_allclose(found["against_curve"], found["er_mean"] + 0.4)


def test_speeds_come_slowest_first_with_the_units_that_have_them():
    trained = study(subjects=3, speeds=2)
    results = trained.results.assign_coords(
        speed_m_s=("cycle", [2.0, 1.0] * 3), end_s=("cycle", np.ones(6)), start_s=("cycle", np.zeros(6))
    )
    one_less = results.isel(cycle=[0, 1, 2, 4, 5])  # s1 has no second speed
    found = dict(learning.of_speeds(one_less))
    assert list(found) == ["v1", "v0"]
    assert found["v1"].fold.values.tolist() == ["s0", "s2"]
    whole = errors(found["v1"])
    assert set(whole["label"]) == {"s0", "s2"}
    assert np.isfinite(whole["er"]).all()
    table = learning.unit_errors(found["v1"])
    np.testing.assert_allclose(table["er"], whole.groupby("label")["er"].mean())
    unknown = xr.where(results.speed_m_s > 0, np.nan, 0.0)
    timed = results.assign_coords(speed_m_s=unknown, end_s=("cycle", [0.5, 1.0] * 3))
    assert [name for name, _ in learning.of_speeds(timed)] == ["v1", "v0"]


def test_levels_grow_threefold_up_to_all_there_is():
    assert growing(9) == [1, 3, 9]
    assert growing(7) == [1, 3, 7]
    assert growing(4) == [1, 4]
    assert growing(3) == [1, 3]
    assert growing(1) == [1]
