"""Force files under every name in common use, with gaps, and the side that names or the pressure tell."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.force.feet import read_feet
from nem2e_lib.data.force.names import components, told_side
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support import lab

TOLD = [
    ("ground_force_vy", "l_ground_force_vy"),
    ("R_ground_force_vy", "L_ground_force_vy"),
    ("ground_force_r_vy", "ground_force_l_vy"),
    ("ground_force_right_vy", "ground_force_left_vy"),
    ("ground_force_vy_r", "ground_force_vy_l"),
    ("force_calcn_r_vy", "force_calcn_l_vy"),
    ("ground_force_calcn_r_vy", "ground_force_calcn_l_vy"),
    ("Treadmill_R_vy", "Treadmill_L_vy"),
    ("R_Fz", "L_Fz"),
    ("RightPlate.ForceFz", "LeftPlate.ForceFz"),
    ("GRF_vy_R", "GRF_vy_L"),
    ("ground_force_vy", "1_ground_force_vy"),
]
ASKED = [
    ("ground_force1_vy", "ground_force2_vy"),
    ("ground_force_1_vy", "ground_force_2_vy"),
    ("1_ground_force_vy", "2_ground_force_vy"),
    ("FP1_vy", "FP2_vy"),
    ("f1_2", "f2_2"),
    ("FP1.ForceFz", "FP2.ForceFz"),
    ("Force.Fz1", "Force.Fz2"),
]


def saved(tmp_path, storage: Storage):
    write_storage(tmp_path / "grf.mot", storage)
    return tmp_path / "grf.mot"


@pytest.mark.parametrize("names", TOLD)
@pytest.mark.parametrize("turned", [False, True])
def test_a_side_in_the_name_is_believed_in_any_order(tmp_path, names, turned):
    made = lab.forces(names=names)
    order = [1, 0] if turned else [0, 1]
    labels = tuple(made.labels[column] for column in order)
    feet = read_feet(saved(tmp_path, Storage("f", labels, made.time, made.values[:, order])))
    assert feet.columns == ((names[0],), (names[1],))
    np.testing.assert_array_equal(feet.force.values, made.values)
    assert feet.notes == ()


@pytest.mark.parametrize("names", ASKED)
def test_plates_without_a_side_are_asked_for(tmp_path, names):
    told = f"names of {re.escape(', '.join(names))} do not tell which foot .* name them in study.toml"
    with pytest.raises(Nem2eError, match=told):
        read_feet(saved(tmp_path, lab.forces(names=names)))
    assert read_feet(tmp_path / "grf.mot", [names[1]], [names[0]]).columns == ((names[1],), (names[0],))


def placed(names, z, *, shear=0.0, right_first=True) -> Storage:
    """Forces with the pressure of each plate at a place z, and shear that pushes along x."""
    made, labels, columns = lab.forces(), [], []
    for name, place, foot in zip(names, z, (0, 1) if right_first else (1, 0), strict=True):
        load = made.values[:, foot]
        part = lab.phase(made.time, ("right", "left")[foot]) / lab.STANCE
        labels += [f"{name}_vx", f"{name}_vy", f"{name}_pz"]
        columns += [np.where(part < 1, -shear * np.cos(np.pi * part), 0.0), load, np.where(load > 0, place, np.nan)]
    return Storage("f", tuple(labels), made.time, np.column_stack(columns))


NUMBERED, ORDERED = ("ground_force_1", "ground_force_2"), ("ground_force", "1_ground_force")


@pytest.mark.parametrize("names", [NUMBERED, ORDERED])
@pytest.mark.parametrize(("shear", "side"), [(0.0, -1), (90.0, -1), (-90.0, 1)])
def test_plates_without_a_side_get_it_from_the_pressure(tmp_path, names, shear, side):
    """The first plate is under the left foot: at negative z walking along +x, at positive z walking along -x."""
    feet = read_feet(saved(tmp_path, placed(names, (0.12 * side, -0.12 * side), shear=shear, right_first=False)))
    assert feet.columns == ((f"{names[1]}_vy",), (f"{names[0]}_vy",))
    np.testing.assert_array_equal(feet.force.values, lab.forces().values)
    (note,) = feet.notes
    assert "0.24 m further to the right" in str(note)
    assert ("which the file does not tell" if shear == 0 else "as the shear force tells") in str(note)


def test_a_belt_tells_the_direction_of_travel(tmp_path):
    made = placed(NUMBERED, (0.12, -0.12), right_first=False)
    carried = [np.where(made.values[:, c] > 0, lab.phase(made.time, s), np.nan) for c, s in ((1, "left"), (4, "right"))]
    labels = (*made.labels, "ground_force_1_px", "ground_force_2_px")
    table = Storage("f", labels, made.time, np.column_stack([made.values, *carried]))
    feet = read_feet(saved(tmp_path, table))
    assert feet.columns == (("ground_force_2_vy",), ("ground_force_1_vy",))
    assert "walking along -x, as the belt tells" in str(feet.notes[0])


def test_a_name_that_the_pressure_contradicts_is_believed_and_told(tmp_path):
    names = ("ground_force_r", "ground_force_l")
    feet = read_feet(saved(tmp_path, placed(names, (-0.12, 0.12), shear=90.0)))
    assert feet.columns[0] == ("ground_force_r_vy",)
    assert "its pressure lies 0.24 m to the left" in str(feet.notes[0])
    assert read_feet(saved(tmp_path, placed(names, (0.12, -0.12), shear=90.0))).notes == ()
    assert read_feet(saved(tmp_path, placed(names, (-0.12, 0.12), shear=-90.0))).notes == ()


def test_a_study_whose_first_plate_is_the_left_one_has_right_cycles(tmp_path):
    folder = lab.study(tmp_path, grf=placed(ORDERED, (-0.12, 0.12), right_first=False))
    np.testing.assert_allclose(load_study(folder).events("s1_free").right.strikes, lab.strikes(), atol=0.003)
    assert any("[sides]" in note for note in study_notes(folder))


def test_no_number_in_swing_is_no_force_and_told(tmp_path):
    made = lab.forces()
    table = Storage("f", made.labels, made.time, np.where(made.values > 0, made.values, np.nan))
    feet = read_feet(saved(tmp_path, table))
    np.testing.assert_array_equal(feet.force.values, made.values)
    assert len(feet.notes) == 2
    assert f"'ground_force_vy' holds no number in {int((made.values[:, 0] == 0).sum())} of 4001 rows" in str(
        feet.notes[0]
    )
    assert check_study(lab.study(tmp_path / "s", grf=table)) == []


@pytest.mark.parametrize(("first", "last", "value"), [(350, 351, np.nan), (350, 420, np.nan), (300, 301, np.inf)])
def test_no_number_under_load_is_refused_with_its_place(tmp_path, first, last, value):
    made = lab.forces()
    made.values[first:last, 0] = value
    with pytest.raises(
        Nem2eError, match=rf"'ground_force_vy' is {value} at 0\.\d+ s, beside .* under load; fill the gap"
    ):
        read_feet(saved(tmp_path, made))


def test_force_that_was_not_turned_to_opensims_axes_is_refused(tmp_path):
    made = lab.forces()
    labels = ("R_ground_force_vy", "R_ground_force_vz", "L_ground_force_vy", "L_ground_force_vz")
    small = 0.1 * made.values
    table = Storage(
        "f", labels, made.time, np.column_stack([small[:, 0], made.values[:, 0], small[:, 1], made.values[:, 1]])
    )
    with pytest.raises(Nem2eError, match=r"force is largest along z .* rotate the forces"):
        read_feet(saved(tmp_path, table))


def test_what_is_no_force_is_none():
    assert components(("FX", "MZ", "pelvis_tx", "hip_flexion_r_moment", "soleus_r", "time_reserve")) == {}
    assert [told_side(name) for name in ("calcn_l", "Treadmill_R", "RightPlate", "FP1", "", "plate")] == [
        "left",
        "right",
        "right",
        "",
        "",
        "",
    ]
