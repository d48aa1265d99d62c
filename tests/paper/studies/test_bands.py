"""What bands cover on every study: counted on drawn residuals, and the committed table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.paper.studies import bands
from nem2e_lib.refiner.bands import half_width, inside
from nem2e_lib.refiner.portrait import residuals
from nem2e_lib.rivals import MeanCurve, RidgeAll, evaluate
from tests.support.small import make_cycles


@pytest.fixture(scope="module")
def cycles():
    return make_cycles((2, 2, 3, 2))


def test_a_row_counts_what_the_others_bands_cover(cycles):
    results, lowest = evaluate(cycles, MeanCurve()), bands.floors(cycles)
    row = bands.covered(results, lowest)
    off = {name: residuals(results, name, lowest[name]) for name in map(str, cycles.channel.values)}
    assert row["covered"] == pytest.approx(np.mean([inside(*each).mean() for each in off.values()]))
    assert row["half_width"] == pytest.approx(np.mean([half_width(*each).mean() for each in off.values()]))
    assert (row["unit"], row["units"], row["muscles"]) == ("subject", 4, 2)
    assert row["muscle_low"] <= row["covered"] <= row["muscle_high"]
    assert row["widest_covered"] >= row["covered"]
    assert row["widest_half_width"] > row["half_width"]
    assert np.isnan(row["nested"])


def test_nested_residuals_are_of_models_that_had_not_seen_the_unit(cycles):
    results, lowest = evaluate(cycles, RidgeAll()), bands.floors(cycles)
    without = bands.without_each(cycles, results, RidgeAll())
    name, fold = str(cycles.channel.values[0]), 1
    off, unit = residuals(results, name, lowest[name])
    rest, _ = residuals(without[str(results.fold.values[fold])], name, lowest[name])
    share = (np.abs(off[unit == fold]) <= half_width(rest, unit[unit != fold])).mean()
    one = results.sel(channel=[name])
    alone = {label: less.sel(channel=[name]) for label, less in without.items()}
    others = [
        (
            np.abs(off[unit == k]) <= half_width(residuals(alone[str(label)], name, lowest[name])[0], unit[unit != k])
        ).mean()
        for k, label in enumerate(results.fold.values)
    ]
    assert others[fold] == share
    assert bands.covered(one, lowest, alone)["nested"] == pytest.approx(np.mean(others))


def test_the_error_of_the_others_is_hand_worked():
    off = np.array([[1.0, 2.0], [2.0, 1.0], [2.5, 2.0]])
    found = bands._error_rule(off, np.array([0, 1, 2]))
    # widths of the others: sqrt of (5.125, 2.5), (3.625, 4), (2.5, 2.5)
    assert found["error_covered"] == pytest.approx((0.5 + 0.5 + 0.0) / 3)
    assert found["error_half_width"] == pytest.approx(np.sqrt([11.25 / 3, 3.0]).mean())


def test_the_committed_table_keeps_what_bands_promise():
    table = pd.read_csv(bands.STUDY)
    assert set(table["study"]) == {"children", "runner", "walking", "running"}
    assert table.groupby("study")["synthetic"].first().to_dict() == {
        "children": False,
        "runner": False,
        "running": True,
        "walking": True,
    }
    known = table.groupby("study")["method"].agg(set)
    assert all({"mean_curve", "ridge_all", "pls"} <= methods for methods in known)
    assert table["covered"].between(0.85, 0.95).all()
    assert table["nested"].dropna().between(0.85, 0.95).all()
    assert (table["error_covered"] < 0.8).all()
