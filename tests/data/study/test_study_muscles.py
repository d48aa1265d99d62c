"""A study takes its model's muscles, or those of known families, and nothing else without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.families import FAMILIES
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support.lab import EMG, MUSCLES, activation, beside, clock, emg, model, relabelled, study

FORCES = {  # of a static optimisation with Rajagopal's torque-driven arms, a spring and a ligament
    "Right_GRF": 0.0,
    "Left_GRF": 0.0,
    "AnkleLimitSpringDamper": 0.0,
    "PCL_r": 0.0,
    "lumbar_ext": 0.35,
    "shoulder_flex_r": -0.1,
    "pro_sup_l": 0.02,
}
ACTUATORS = {  # of Moco, from -1 to 1
    "/forceset/tau_lumbar_extension/activation": 0.5,
    "/forceset/tau_pelvis_tilt/activation": -0.2,
    "/forceset/reserve_jointset_ankle_r_ankle_angle_r/activation": 0.01,
}
REST = {  # of Moco without activation states
    "/jointset/hip_r/hip_flexion_r/value": 0.3,
    "/jointset/hip_r/hip_flexion_r/speed": 1.2,
    "/forceset/reserve_jointset_ankle_r_ankle_angle_r": 0.0,
    "/forceset/lumbar_ext": 0.0,
    "implicit_auxiliary_derivative_x": 0.01,
}


def states(label: str) -> str:
    return f"/forceset/{label}/activation"


def controls(label: str) -> str:
    return f"/forceset/{label}"


def cycles_of(folder: Path, osim: Path | None = None) -> xr.Dataset:
    return segment(load_study(folder, osim))[0]


@pytest.mark.parametrize(
    ("table", "kinds"),
    [
        (beside(activation(), FORCES), ("external load", "passive force", "ligament", "torque actuator")),
        (beside(relabelled(activation(), states), ACTUATORS), ("torque actuator", "reserve")),
        (beside(relabelled(activation(), controls), REST), ("coordinate", "coordinate speed", "reserve", "derivative")),
    ],
    ids=["static optimisation", "moco actuators", "moco controls"],
)
def test_the_eight_muscles_and_no_other_column_reach_the_cycles(tmp_path, table, kinds):
    folder = study(tmp_path / "odd", act=table)
    assert check_study(folder) == []
    found = cycles_of(folder)
    assert found.sizes["cycle"] == 6
    assert tuple(found.muscle.values) == MUSCLES
    xr.testing.assert_equal(found, cycles_of(study(tmp_path / "sound")))
    note = next(note for note in study_notes(folder) if note.endswith("[no_muscle]"))
    assert all(f"({kind})" in note for kind in kinds)
    assert f"taken are 8: {', '.join(MUSCLES)}" in note
    assert not any("[unknown_muscle]" in note for note in study_notes(folder))


def test_nothing_is_said_where_all_columns_are_muscles(tmp_path):
    assert study_notes(study(tmp_path / "sound")) == []


def test_files_that_are_alike_are_told_once(tmp_path):
    folder = study(tmp_path / "odd", act=beside(activation(), FORCES))
    rows = (folder / "trials.csv").read_text()
    (folder / "s1/other.sto").write_bytes((folder / "s1/act.sto").read_bytes())
    again = rows.splitlines()[1].replace("s1_free", "s1_again").replace("s1/act.sto", "s1/other.sto")
    (folder / "trials.csv").write_text(f"{rows}{again}\n")
    notes = [note for note in study_notes(folder) if "[no_muscle]" in note]
    assert len(notes) == 1
    assert "act.sto and 1 more: columns not taken for muscles (7)" in notes[0]


def test_a_column_that_no_family_knows_is_left_and_named(tmp_path):
    folder = study(tmp_path / "odd", act=beside(activation(), {"thing_r": 0.5}))
    assert tuple(load_study(folder).muscles) == MUSCLES
    (note,) = (note for note in study_notes(folder) if "[unknown_muscle]" in note)
    assert "left out because no family of models names a muscle so (1): thing_r; if these are muscles, give" in note
    (folder / "study.toml").write_text((folder / "study.toml").read_text() + '[checks]\nunknown_muscle = "ignore"\n')
    assert "[checks] has notes ignored: unknown_muscle (1)" in study_notes(folder)[-1]


def test_a_column_that_emg_or_columns_name_is_a_muscle_by_that_word(tmp_path):
    table = beside(activation(), {"thing_r": 0.4 + 0.3 * np.sin(clock(8, 100)), "arm_flex_r": -0.1})
    more = 'X = "thing_r"\n'
    measured = emg(channels={**EMG, "X": "thing_r"})
    folder = study(tmp_path / "named", act=table, measured=measured, more=more)
    assert tuple(load_study(folder).muscles) == (*MUSCLES, "thing_r")
    assert not any("[unknown_muscle]" in note for note in study_notes(folder))
    listed = ", ".join(f'"{name}"' for name in (*MUSCLES, "arm_flex_r"))
    arms = study(tmp_path / "columns", act=table, more=f"[activation]\ncolumns = [{listed}]\n")
    assert tuple(load_study(arms).muscles) == (*MUSCLES, "arm_flex_r")


def test_a_model_of_names_that_nobody_knows_is_taken_and_told(tmp_path):
    own = {name: f"m{number}" for number, name in enumerate(MUSCLES)}
    table = beside(relabelled(activation(), own.__getitem__), {"FX": 9.0, "hip_flexion_r_reserve": 2.0})
    folder = study(tmp_path / "own", act=table)
    text = (folder / "study.toml").read_text()
    for name, new in own.items():
        text = text.replace(f'"{name}"', f'"{new}"')
    (folder / "study.toml").write_text(text)
    found = cycles_of(folder)
    assert list(found.muscle.values) == list(own.values())
    np.testing.assert_array_equal(found.activation, cycles_of(study(tmp_path / "sound")).activation)
    (note,) = (note for note in study_notes(folder) if "[unknown_muscle]" in note)
    assert (
        "taken for muscles although no family of models names them so (4): m4, m5, m6, m7;" in note
    )  # [emg] has the others


def test_the_model_of_study_toml_decides(tmp_path):
    table = beside(activation(), {"thing_r": 0.5, "exo_r": 0.1, "elbow_drive": 0.2})
    folder = study(tmp_path / "odd", act=table, more='[activation]\nmodel = "model/mine.osim"\n')
    assert "no such file" in check_study(folder)[0]
    osim = model(folder / "model/mine.osim", [*MUSCLES, "thing_r", "psoas_r"], {"elbow_drive": "CoordinateActuator"})
    assert check_study(folder) == []
    assert tuple(cycles_of(folder).muscle.values) == (*MUSCLES, "thing_r")
    notes = study_notes(folder)
    assert "(2): exo_r (exoskeleton); elbow_drive (CoordinateActuator); taken are 9" in notes[0]
    assert "has no column of 1 of the model's muscles: psoas_r. [missing_muscle]" in notes[1]
    fewer = model(tmp_path / "fewer.osim", MUSCLES[:4])
    assert tuple(load_study(folder, fewer).muscles) == MUSCLES[:4]
    assert len(check_study(folder, osim)) == 0
    with pytest.raises(
        Nem2eError, match=r"R_TA = 'tib_ant_r' is no muscle .* as .*one\.osim has no muscle of that name"
    ):
        load_study(folder, model(tmp_path / "one.osim", ["soleus_r"]))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("model = 3", r"\[activation\] model is 3, but text in quotes"),
        ('model = "../m.osim"', "model is '../m.osim', but a path inside the study folder"),
        ('model = "study.toml"', "no well-formed XML"),
    ],
)
def test_a_model_that_is_none(tmp_path, line, message):
    folder = study(tmp_path / "odd", more=f"[activation]\n{line}\n")
    with pytest.raises(Nem2eError, match=message):
        load_study(folder)


def test_a_target_in_another_familys_spelling_is_offered_the_right_name(tmp_path):
    of = {
        value: name for name, value in FAMILIES["rajagopal"].counterparts.items() if value and not name.endswith("140")
    }
    table: Storage = relabelled(activation(), lambda label: f"{of[label[:-2]]}{label[-2:]}")
    folder = study(tmp_path / "rajagopal", act=table)
    (problem,) = check_study(folder)
    assert "R_TA = 'tib_ant_r' is no muscle column" in problem
    assert "it has 'tibant_r', which is that muscle as rajagopal names it" in problem
