"""Which pairs scale what, where a file lacks markers too, and the tables of what came of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.markers.trc import Markers
from nem2e_lib.simulate.marker_set import MarkerSet, Rule, SetMarker
from nem2e_lib.simulate.sizing import (
    factor_table,
    fit_in_doubt,
    fit_table,
    measurement_set,
    plan_by_rules,
    sides_in_doubt,
)

NAMES = ("RHJC", "LHJC", "RKNE", "LKNE", "RASI", "LASI")
RIGHT, LEFT = (("RHJC", "RKNE"),), (("LHJC", "LKNE"),)
SET = MarkerSet(
    path=None,  # type: ignore[arg-type]
    name="made up",
    markers={name: SetMarker("pelvis", {"": (0.0, 0.0, 0.0)}) for name in NAMES},
    scale=(
        Rule(("femur_r",), "xyz", RIGHT, (("RASI", "RKNE"),), LEFT),
        Rule(("femur_l",), "xyz", LEFT, (("LASI", "LKNE"),), RIGHT),
        Rule(("pelvis",), "z", (("RASI", "LASI"), ("RHJC", "LHJC"))),
    ),
)


@pytest.fixture
def legs(facts):
    return replace(facts, bodies=("pelvis", "femur_r", "femur_l", "torso"))


def test_each_body_and_axis_has_its_pairs(legs):
    plan = plan_by_rules(SET, legs, NAMES, "static.trc")
    assert plan.pairs["femur_r", "y"] == RIGHT
    assert plan.pairs["femur_l", "x"] == LEFT
    assert plan.pairs["pelvis", "z"] == plan.pairs["pelvis", "x"] == (("RASI", "LASI"), ("RHJC", "LHJC"))
    assert set(plan.pairs["torso", "y"]) == {*RIGHT, *LEFT, *plan.pairs["pelvis", "z"]}
    assert plan.notes == ["static.trc: torso: nothing measures them; scaled by all pairs of the others."]


@pytest.mark.parametrize(
    ("lost", "pairs", "told"),
    [
        (
            {"RHJC"},
            (("RASI", "RKNE"),),
            "femur_r: there is no RHJC, so that RASI-RKNE scales in place",
        ),
        ({"RKNE"}, LEFT, "femur_r: there is no RKNE, so that the other side's LHJC-LKNE scales."),
        ({"RHJC", "RASI"}, LEFT, "there is no RHJC, so that the other side's"),
    ],
)
def test_what_stands_in_for_a_marker_that_is_not_there_is_told(legs, lost, pairs, told):
    plan = plan_by_rules(SET, legs, [name for name in NAMES if name not in lost], "static.trc")
    assert plan.pairs["femur_r", "x"] == pairs
    assert plan.pairs["femur_l", "x"] == LEFT
    assert told in " ".join(plan.notes)


def test_a_pair_that_is_left_of_several_scales_alone(legs):
    plan = plan_by_rules(SET, legs, [name for name in NAMES if name != "LHJC"], "static.trc")
    assert plan.pairs["pelvis", "z"] == (("RASI", "LASI"),)
    assert "pelvis along z: there is no LHJC, so that RASI-LASI alone scales" in " ".join(plan.notes)
    plan = plan_by_rules(SET, legs, ["RHJC", "RKNE"], "static.trc")
    assert plan.pairs["pelvis", "z"] == plan.pairs["femur_l", "z"] == RIGHT
    assert "so that RASI-LASI, RHJC-LHJC cannot scale" in " ".join(plan.notes)


def test_the_table_tells_measured_and_models_distance_and_the_other_side(legs):
    """A right thigh of 0.8 and a left one of 0.9 times 0.4 m; the frame in which a marker is lost does not count."""
    there = {"RHJC": (0, 1, 0.1), "LHJC": (0, 1, -0.1), "RKNE": (0, 0.6, 0.1), "LKNE": (0, 0.6, -0.1)}
    places = {name: np.array(place, float) for name, place in there.items()}
    seen = np.array([[(0, 1, 0.1), (0, 1, -0.1), (0, 0.68, 0.1), (0, 0.64, -0.1)]] * 3, float)
    seen[1, 2] = np.nan
    markers = Markers(tuple(places), np.arange(3) / 100, seen)
    setup = measurement_set(plan_by_rules(replace(SET, scale=SET.scale[:2]), legs, list(places), "static.trc"))
    factors = {"femur_r": (0.8, 0.8, 0.8), "femur_l": (0.9, 0.9, 0.9), "ground": (1.0, 1.0, 1.1)}
    table = factor_table(setup, markers, places, factors).set_index(["body", "axes"])
    right = table.loc["femur_r", "xyz"]
    assert right["pairs"] == "RHJC-RKNE"
    assert right["measured_m"] == pytest.approx(0.32)
    assert right["model_m"] == pytest.approx(0.4)
    assert right["other_side"] == 0.9
    assert right["difference"] == pytest.approx(0.8 / 0.9 - 1)
    assert table.loc["femur_l", "xyz"]["measured_m"] == pytest.approx(0.36)
    assert list(table.loc["ground"].index) == ["xy", "z"]
    (note,) = sides_in_doubt(table.reset_index())
    assert str(note).startswith("Right and left factors differ by more than 5%: femur 0.800 and 0.900 by RHJC-RKNE;")
    assert list(sides_in_doubt(table.reset_index().query("body == 'ground'"))) == []


def test_markers_that_decide_a_pose_and_are_far_off_are_told():
    markers = Markers(
        ("A", "B", "C"), np.array([0.0, 0.01]), np.array([[[0, 0, 0], [1, 0, 0], [np.nan] * 3]] * 2, float)
    )
    there = {"A": np.array([0.0, 0.03, 0.0]), "B": np.array([1.0, 0.0, 0.05]), "C": np.zeros(3)}
    table = fit_table(markers, there, dict.fromkeys("ABC", "pelvis"), {"A": 10.0, "B": 1.0})
    expected = pd.DataFrame({"marker": ["A", "B"], "body": "pelvis", "weight": [10.0, 1.0], "error_m": [0.03, 0.05]})
    pd.testing.assert_frame_equal(table, expected)
    (note,) = fit_in_doubt(table)
    assert "1 of 1 markers more than 2 cm off (A 3.0 cm)" in str(note)
