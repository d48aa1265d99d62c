"""Measures against values worked out by hand from the trial in `conftest.simulated`."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.measures import marker_errors, saturated, violation
from nem2e_lib.simulate.quality import (
    RULES,
    VERDICTS,
    judge,
    save_quality,
    summary,
    trial_folders,
    verdicts,
    worst,
)


@pytest.fixture
def table(simulated):
    return judge(simulated).set_index(["step", "measure"])


def test_residuals_are_the_largest_component_and_its_share_of_the_external_force(table):
    assert table.loc[("rra", "residual_force_peak"), "value"] == 40
    assert table.loc[("rra", "residual_force_rms"), "value"] == pytest.approx(40)
    assert table.loc[("rra", "residual_force_share"), "value"] == pytest.approx(np.hypot(40, 30) / 500)
    assert table.loc[("rra", "residual_moment_share"), "value"] == pytest.approx(2 / (500 * 1.0))
    assert table.loc[("rra", "residual_force_peak"), "where"].startswith("FY at")


def test_reserves_are_judged_only_where_muscles_cross(table):
    assert table.loc[("cmc", "reserve_peak"), "value"] == 5
    assert table.loc[("cmc", "reserve_share"), "value"] == pytest.approx(0.05)
    assert table.loc[("cmc", "reserve_share"), "where"] == "hip_flexion_r"


def test_tracking_errors_come_in_degrees_and_centimetres(table):
    assert table.loc[("rra", "tracking_angle_rms"), "value"] == pytest.approx(3)
    assert table.loc[("rra", "tracking_translation_peak"), "value"] == pytest.approx(1)


def test_saturated_muscles_are_named(table):
    assert table.loc[("cmc", "saturated_muscles"), "value"] == 1
    assert table.loc[("cmc", "saturated_muscles"), "where"] == "glut_max1_r"


def test_a_muscle_saturated_for_an_instant_of_uneven_steps_is_not_counted():
    time = np.concatenate([np.linspace(0, 0.01, 50), np.linspace(0.02, 1, 50)])
    activation = np.where(time <= 0.01, 1.0, 0.2)[:, None]
    assert saturated(Storage("a", ("soleus_r",), time, activation)).value == 0
    assert saturated(Storage("a", ("soleus_r",), np.linspace(0, 1, 100), activation)).value == 1


def test_the_verdict_is_the_worst_that_counts_and_says_why(simulated, table):
    told = summary(simulated)
    assert table.loc[("rra", "residual_force_peak"), "verdict"] == "poor"
    assert not table.loc[("rra", "residual_force_peak"), "counts"]
    assert told["verdict"] == "acceptable"
    assert "residual_force_share 0.1" in told["why"]
    assert "saturated_muscles 1 muscles (glut_max1_r)" in told["why"]
    assert "of peak external force (at 0.3 s)" in told["why"]


def test_tables_for_people_and_programs_say_the_same(simulated, tmp_path):
    written = save_quality(tmp_path, [simulated, tmp_path / "failed"])
    kept = json.loads((tmp_path / "quality.json").read_text())
    assert [trial["trial"] for trial in kept] == ["walk"]
    assert kept[0]["verdict"] == "acceptable"
    assert len(kept[0]["measures"]) == len(written) == len((tmp_path / "quality.csv").read_text().splitlines()) - 1
    assert trial_folders(tmp_path) == trial_folders(simulated) == [simulated]


def test_a_folder_without_simulation_is_refused(tmp_path):
    with pytest.raises(Nem2eError, match="no finished simulation"):
        judge(tmp_path)
    with pytest.raises(Nem2eError, match="no finished simulation"):
        trial_folders(tmp_path)


def test_unmet_accelerations_are_read_from_what_static_optimisation_says(tmp_path):
    said = tmp_path / "violation.txt"
    said.write_text(
        "time = 0.21 Performance = 9 Constraint violation = 6e-10\n[info] time = 0.22 x Constraint violation = 0.5\n"
    )
    (found,) = violation(said, (0.0, 1.0))
    assert found.value == 0.5
    assert found.where == "at 0.22 s"
    assert list(violation(tmp_path / "nothing.txt", (0.0, 1.0))) == []


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_a_source_and_ordered_limits(name):
    rule = RULES[name]
    assert rule.source
    assert rule.good <= rule.acceptable
    assert rule.judge(rule.good) == ("good" if np.isfinite(rule.good) else "not judged")
    assert rule.judge(float("nan")) == "not judged"


@given(st.floats(0, 1e3), st.floats(0, 1e3))
def test_a_larger_value_is_never_judged_better(one, other):
    rule = RULES["residual_force_peak"]
    low, high = sorted((one, other))
    assert VERDICTS.index(rule.judge(low)) <= VERDICTS.index(rule.judge(high))


def test_the_worst_verdict_passes_over_what_could_not_be_judged():
    assert worst(["good", "not judged", "acceptable"]) == "acceptable"
    assert worst(["not judged"]) == "not judged"


def test_what_is_simulated_around_the_asked_window_is_not_judged(simulated):
    """The peaks of the made-up trial are at 0.3 s; margins must not decide, nor the settling of muscle control."""
    facts = json.loads((simulated / "facts.json").read_text())
    (simulated / "facts.json").write_text(json.dumps({**facts, "asked": [0.5, 0.9]}))
    inside = judge(simulated).set_index(["step", "measure"])["value"]
    assert inside["rra", "residual_force_share"] == pytest.approx(40 / 500)
    assert inside["cmc", "reserve_peak"] == 0
    (simulated / "facts.json").write_text(json.dumps({**facts, "asked": [0.3, 0.9]}))
    assert judge(simulated).set_index(["step", "measure"])["value"]["cmc", "reserve_peak"] == 5
    (simulated / "facts.json").write_text(json.dumps({**facts, "asked": [0.3, 0.9], "window": [0.28, 0.93]}))
    assert judge(simulated).set_index(["step", "measure"])["value"]["cmc", "reserve_peak"] == 0


def test_unmet_accelerations_outside_the_asked_window_do_not_count(tmp_path):
    said = tmp_path / "violation.txt"
    said.write_text("time = 0.21 Constraint violation = 6e-10\ntime = 0.22 Constraint violation = 0.5\n")
    (found,) = violation(said, (0.1, 0.21))
    assert (found.value, found.where) == (6e-10, "at 0.21 s")


def test_the_marker_furthest_off_is_named_with_its_time(tmp_path):
    time = np.array([0.0, 0.1, 0.2])
    off = np.array([[0.01, 0.02], [0.01, np.nan], [0.03, 0.05]])
    write_storage(tmp_path / "marker_distances.sto", Storage("d", ("LKNE", "SACR"), time, off))
    found = {each.measure: each for each in marker_errors(tmp_path, (0.0, 1.0))}
    assert (found["marker_peak"].value, found["marker_peak"].where) == (pytest.approx(5), "SACR at 0.2 s")
    assert found["marker_rms"].value == pytest.approx(100 * np.sqrt((0.03**2 + 0.05**2) / 2))
    inside = {each.measure: each for each in marker_errors(tmp_path, (0.0, 0.1))}
    assert (inside["marker_peak"].value, inside["marker_peak"].where) == (pytest.approx(2), "SACR at 0 s")
    assert inside["marker_rms"].where == "at 0 s"


LEGS = {
    "right": {"foot": ["calcn_r"], "coordinates": ["hip_flexion_r"], "muscles": ["glut_max1_r"]},
    "left": {"foot": ["calcn_l"], "coordinates": ["hip_flexion_l"], "muscles": ["psoas_l"]},
}


@pytest.fixture
def walk(tmp_path):
    """Static optimisation of two legs over a second; the left foot is on bare floor from 0.6 to 1 s.

    There the left hip takes 50 of its 50 N·m from the reserve, psoas_l is saturated and the residuals are as large as
    the force; before, all is well, and glut_max1_r would be saturated only if its 0.04 s counted more than they last.
    """
    folder = tmp_path / "walk"
    for step in ("inputs", "id", "so/results"):
        (folder / step).mkdir(parents=True)
    time = np.linspace(0.0, 1.0, 101)
    late, ones = np.where(time >= 0.6, 1.0, 0.0), np.ones(101)

    def write(path, **columns):
        write_storage(folder / path, Storage("walk", tuple(columns), time, np.column_stack(list(columns.values()))))

    write("inputs/grf.mot", force_calcn_r_vx=0 * ones, force_calcn_r_vy=500 * ones, force_calcn_r_vz=0 * ones)
    right, left = 2 * ones, 1 + 49 * late
    forces = {"FX": 0 * ones, "FY": 20 + 480 * late, "FZ": 0 * ones, "MX": ones, "MY": 0 * ones, "MZ": 0 * ones}
    write(
        "so/results/so_StaticOptimization_force.sto",
        **forces,
        hip_flexion_r_reserve=right,
        hip_flexion_l_reserve=left,
        lumbar_extension_reserve=0.5 * ones,
    )
    moments = dict.fromkeys(("hip_flexion_r_moment", "hip_flexion_l_moment"), 50 * ones)
    write("id/joint_moments.sto", **moments, lumbar_extension_moment=20 * ones)
    write(
        "so/activation.sto", glut_max1_r=np.where(time < 0.04, 1.0, 0.3), psoas_l=0.2 + 0.8 * late, ercspn_r=0.1 * ones
    )
    known = {
        "steps": ["so"],
        "rotational": ["hip_flexion_r", "hip_flexion_l", "lumbar_extension"],
        "muscled": ["hip_flexion_r", "hip_flexion_l", "lumbar_extension"],
        "residual_forces": ["FX", "FY", "FZ"],
        "residual_moments": ["MX", "MY", "MZ"],
        "window": [0.0, 1.0],
        "constraints": [],
        "mass_centre_height_m": 1.0,
        "leg": "",
        "legs": LEGS,
        "floor": {
            "right": {"bare": [], "ground_s": 0.6, "share": 0.0},
            "left": {"bare": [[0.6, 1.0]], "ground_s": 0.8, "share": 0.5},
        },
    }
    (folder / "facts.json").write_text(json.dumps(known))
    return folder


def say(folder, **changed):
    """Change what is known of a trial."""
    facts = json.loads((folder / "facts.json").read_text())
    (folder / "facts.json").write_text(json.dumps({**facts, **changed}))


def test_a_leg_is_judged_while_its_foot_is_not_on_bare_floor(walk):
    value = judge(walk).set_index(["measure", "leg"])["value"]
    assert value["reserve_share", "right"] == pytest.approx(0.04)
    assert value["reserve_share", "left"] == pytest.approx(1 / 50)  # and not 50 / 50
    assert value["reserve_share", ""] == pytest.approx(1.0)
    assert value["saturated_muscles", "left"] == value["saturated_muscles", "right"] == 0
    assert value["saturated_muscles", ""] == 1
    assert value["bare_floor", "left"] == 0.5
    assert value["residual_force_share", ""] == pytest.approx(1.0)
    assert value["residual_force_share_on_plates", ""] == pytest.approx(20 / 500)
    assert value["residual_moment_share_on_plates", ""] == pytest.approx(1 / 500)


def test_residuals_under_a_foot_on_bare_floor_are_expected_and_count_against_no_leg(walk):
    table = judge(walk)
    residuals = table[table["measure"].str.startswith("residual_") & ~table["measure"].str.endswith("on_plates")]
    assert residuals["expected"].all()
    assert not residuals["counts"].any()
    assert set(residuals["verdict"]) == {"not judged"}
    assert not table.loc[~table.index.isin(residuals.index), "expected"].any()
    assert verdicts(table) == {"right": "good", "left": "acceptable", "residuals": "good"}


def test_the_verdict_is_that_of_the_leg_that_was_measured(walk):
    assert summary(walk)["verdict"] == "acceptable"
    assert summary(walk)["why"] == "left leg, floor bare_floor 0.5 of the foot's time on the ground (0.60 to 1.00 s)"
    say(walk, leg="right")
    told = summary(walk)
    assert (told["verdict"], told["why"]) == ("good", "")
    assert (told["verdict_right"], told["verdict_left"]) == ("good", "acceptable")
    assert (told["bare_floor_right"], told["bare_floor_left"]) == ("", "0.60 to 1.00 s")
    assert told["reserve_share_right"] == pytest.approx(0.04)
    say(walk, leg="left")
    assert summary(walk)["verdict"] == "acceptable"
    floor = json.loads((walk / "facts.json").read_text())["floor"]
    say(walk, floor={**floor, "left": {**floor["left"], "share": 1.0}})
    assert summary(walk)["verdict"] == "poor"


def test_without_bare_floor_the_whole_body_is_judged_as_ever(walk):
    every = {side: {"bare": [], "ground_s": 0.6, "share": 0.0} for side in LEGS}
    say(walk, floor=every)
    told = summary(walk)
    assert told["verdict"] == "poor"
    assert "so residual_force_share 1 of peak external force" in told["why"]
    assert "so reserve_share 1 of peak joint moment (hip_flexion_l)" in told["why"]
    assert "verdict_residuals" not in told
    say(walk, floor={}, legs={})
    without = summary(walk)
    assert {key: value for key, value in told.items() if key in without} == without
    say(walk, floor=every, legs=LEGS, leg="right")
    assert "residual_force_share" in summary(walk)["why"]  # every foot is on a plate: residuals count


def test_both_tables_tell_the_legs(walk, tmp_path):
    say(walk, leg="right")
    save_quality(tmp_path, [walk])
    (told,) = json.loads((tmp_path / "quality.json").read_text())
    assert told["leg"] == "right"
    assert told["verdicts"] == {"right": "good", "left": "acceptable", "residuals": "good"}
    assert told["bare_floor_s"] == {"right": [], "left": [[0.6, 1.0]]}
    table = pd.read_csv(tmp_path / "quality.csv", keep_default_na=False)
    counted = table[table["counts"]]
    assert set(counted["leg"]) == {"right"}
    assert table.loc[table["leg"] == "left", "measure"].tolist() == [
        "reserve_peak",
        "reserve_share",
        "saturated_muscles",
        "bare_floor",
    ]


def test_a_leg_on_bare_floor_throughout_has_no_measure_of_its_muscles(walk):
    say(walk, floor={"left": {"bare": [[0.0, 1.0]], "ground_s": 1.0, "share": 1.0}}, leg="left")
    table = judge(walk)
    assert table.loc[table["leg"] == "left", "measure"].tolist() == ["bare_floor"]
    assert summary(walk)["verdict"] == "poor"
    assert verdicts(table)["residuals"] == "not judged"
