"""Inputs beside activation: from the files that trials.csv names to segmented cycles, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import data_hash, load_cycles, save_cycles, segment
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.beside import of_leg, velocities
from nem2e_lib.data.study.load import load_study
from tests.support import lab

ANGLES = ("pelvis_tilt", "pelvis_tx", "hip_flexion_r", "knee_angle_r", "knee_angle_l", "arm_flex_r", "elbow_flex_r")


def table(labels, seconds=8.0, start=0.0, in_degrees=True):
    """Each column a wave of its own, of up to 40."""
    time = start + lab.clock(seconds, 100)
    waves = [40 * np.sin(2 * np.pi * time / lab.CYCLE_S + k) for k in range(len(labels))]
    return Storage("table", tuple(labels), time, np.column_stack(waves), in_degrees)


def with_files(folder, more="", **files):
    """A study whose one trial names tables, by column of trials.csv; `more` are further columns of cells."""
    lab.study(folder)
    cells = dict(pair.split("=") for pair in more.split())
    for column, storage in files.items():
        write_storage(folder / f"s1/{column}.sto", storage)
        cells[column] = f"s1/{column}.sto"
    rows = pd.read_csv(folder / "trials.csv", dtype=str).assign(**cells)
    rows.to_csv(folder / "trials.csv", index=False)
    return folder


def test_what_lies_beside_activation_is_cut_into_the_same_cycles_and_all_else_is_as_before(tmp_path):
    moments = table(["pelvis_tx_force", "knee_angle_r_moment", "hip_flexion_r_moment", "knee_angle_l_moment"])
    folder = with_files(tmp_path / "more", "mass_kg=50", angles=table(ANGLES), moments=moments, forces=lab.forces())
    study = load_study(folder)
    cycles, plain = segment(study)[0], segment(load_study(lab.study(tmp_path / "plain")))[0]
    names = [
        "angle:hip_flexion_r",
        "angle:knee_angle_r",
        "moment:knee_angle_r",
        "moment:hip_flexion_r",
        "grf:vertical_r",
    ]
    assert cycles.input.values.tolist() == names
    assert dict(zip(cycles.input_set.values, cycles.input_unit.values, strict=True)) == {
        "angle": "deg",
        "moment": "N·m/kg",
        "grf": "N/kg",
    }
    time = cycles.start_s.values[:, None] + np.linspace(0, 1, 20) * (cycles.end_s - cycles.start_s).values[:, None]
    knee = np.interp(time, moments.time, moments.column("knee_angle_r_moment")) / 50
    np.testing.assert_allclose(cycles.beside.sel(input="moment:knee_angle_r"), knee, atol=1e-12)
    force = np.interp(time, lab.clock(8.0, 500), lab.foot(lab.clock(8.0, 500))) / 50
    np.testing.assert_allclose(cycles.beside.sel(input="grf:vertical_r"), force, atol=1e-9)
    assert "beside" not in plain
    assert data_hash(cycles.drop_vars(["beside", "input", "input_set", "input_unit"])) == data_hash(plain)
    save_cycles(cycles, tmp_path / "cycles.nc")
    assert data_hash(load_cycles(tmp_path / "cycles.nc")) == data_hash(cycles)
    assert check_study(folder) == []
    assert not [note for note in study_notes(folder) if "not used" in note]


def test_radians_become_degrees_and_degrees_that_say_otherwise_are_refused(tmp_path):
    turned = table(["knee_angle_r"])
    radians = replace(turned, values=np.deg2rad(turned.values), in_degrees=False)
    study = load_study(with_files(tmp_path / "radians", angles=radians))
    np.testing.assert_allclose(study.beside("s1_free", "angle").values, turned.values)
    problems = check_study(with_files(tmp_path / "wrong", angles=replace(turned, in_degrees=False)))
    assert len(problems) == 1
    assert "'knee_angle_r' reaches 39.98" in problems[0]
    assert problems[0].endswith("write inDegrees=yes in the header.")


@pytest.mark.parametrize(
    ("files", "more", "told"),
    [
        (
            {"angles": table(["knee_angle_l", "pelvis_tilt"])},
            "",
            "no column is one of the joint angles of the measured leg",
        ),
        (
            {"moments": table(ANGLES)},
            "leg=left",
            "'knee_angle_l' too, so that it was not mirrored; leave the right leg out",
        ),
        ({"angles": table(ANGLES, start=100.0)}, "", "they must overlap on one clock"),
        (
            {"lengths": table(["soleus_l"])},
            "",
            "no column is one of the lengths of muscles of the measured leg (right)",
        ),
        ({"forces": table(["knee_angle_r"])}, "", "name them R_ground_force_vy or L_ground_force_vy"),
        ({}, "mass_kg=-3", "mass_kg is '-3', but a number above 0 is expected"),
        ({}, "moments=s1/nothing.sto", "moments is 's1/nothing.sto', but there is no such file"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, files, more, told):
    (problem,) = check_study(with_files(tmp_path, more, **files))
    assert told in problem


def test_a_foot_alone_is_told_by_its_name(tmp_path):
    both = lab.forces()
    alone = lab.relabelled(both.only(both.labels[:1]), lambda _: "R_ground_force_vy")
    study = load_study(with_files(tmp_path, "leg=left", forces=alone))
    np.testing.assert_allclose(study.beside("s1_free", "grf").values, both.values[:, :1])


def test_a_column_that_some_trials_lack_is_told(tmp_path):
    folder = with_files(tmp_path, angles=table(ANGLES))
    lab.add_trial(folder, "s2_free", subject="s2")
    (problem,) = check_study(folder)
    assert problem.endswith(
        "angles is given for 1 of 2 trials, trial 's2_free' is without; give it for all or for none."
    )


def test_trials_with_other_inputs_than_the_first_are_told(tmp_path):
    folder = with_files(tmp_path, angles=table(ANGLES))
    lab.add_trial(folder, "s2_free", subject="s2")
    write_storage(folder / "other.sto", table(["hip_flexion_r", "knee_r"]))
    rows = pd.read_csv(folder / "trials.csv", dtype=str)
    rows.loc[1, "angles"] = "other.sto"
    rows.to_csv(folder / "trials.csv", index=False)
    (problem,) = check_study(folder)
    assert "other.sto: no column of 'knee_angle_r'" in problem


def test_a_cycle_that_such_a_file_does_not_cover_is_skipped(tmp_path):
    whole = segment(load_study(with_files(tmp_path / "whole", angles=table(ANGLES))))[0]
    cycles, report = segment(load_study(with_files(tmp_path / "short", angles=table(ANGLES, seconds=4.0))))
    assert 0 < cycles.sizes["cycle"] < whole.sizes["cycle"]
    assert "incomplete: the file of joint angles ends at 4 s" in " ".join(report["reason"])


def test_one_leg_is_mirrored_by_its_names_and_velocities_are_derivatives():
    left = of_leg("moment", table(["knee_angle_r_moment", "knee_angle_l_moment"]), (), "left", mirrored=True)
    assert left.labels == ("knee_angle_r",)
    np.testing.assert_array_equal(left.values, table(["a", "b"]).values[:, [1]])
    line = Storage("lengths", ("soleus_r",), lab.clock(1.0, 50), 0.3 + 2.0 * lab.clock(1.0, 50)[:, None])
    np.testing.assert_allclose(velocities(line).values, 2.0)
