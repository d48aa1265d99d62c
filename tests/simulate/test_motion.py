from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.motion import markers_for, read_motion, stated_unit, write_motion
from tests.support.made_up_trial import motion_storage
from tests.support.small_models import save_markers


def test_angles_are_read_in_degrees_and_markers_left(tmp_path, facts):
    plain = motion_storage(facts)
    more = Storage("walk", (*plain.labels, "ASIS.R_tx"), plain.time, np.column_stack([plain.values, plain.time]), True)
    write_storage(tmp_path / "a.mot", more)
    motion = read_motion(tmp_path / "a.mot", facts)
    assert motion.storage.labels == tuple(each.name for each in facts.free)
    np.testing.assert_array_equal(motion.storage.values, plain.values[:, :-1])
    assert motion.notes == ()
    assert motion.span == (0.0, 1.0)


@given(st.floats(0.2, 3.0))
def test_radians_become_degrees_and_translations_stay(tmp_path, facts, amplitude):
    plain = motion_storage(facts, amplitude, degrees=False)
    write_storage(tmp_path / "a.mot", plain)
    motion = read_motion(tmp_path / "a.mot", facts)
    turning, values = [each.rotational for each in facts.free], plain.values[:, :-1]
    np.testing.assert_allclose(motion.storage.values, np.where(turning, np.rad2deg(values), values))
    written = write_motion(tmp_path / "b.mot", motion)
    assert stated_unit(written) == "degrees"


def test_degrees_under_a_header_that_says_radians_are_caught(tmp_path, facts):
    write_storage(tmp_path / "a.mot", motion_storage(facts, 40.0, degrees=False))
    with pytest.raises(Nem2eError, match=r"says radians.*reaches 4[0-9.]*.*write inDegrees=yes") as refused:
        read_motion(tmp_path / "a.mot", facts)
    assert "a.mot" in str(refused.value)


def test_radians_under_a_header_that_says_degrees_are_noted(tmp_path, facts):
    write_storage(tmp_path / "a.mot", motion_storage(facts, 0.7, degrees=True))
    assert "check that it is not radians" in read_motion(tmp_path / "a.mot", facts).notes[0]


def walking(facts, amplitude: float, travel_m: float, degrees: bool = True) -> Storage:
    plain = motion_storage(facts, amplitude, degrees)
    plain.values[:, plain.labels.index("pelvis_tx")] = travel_m * plain.time
    return plain


def ranged(facts):
    """The hip bends by two radians at most, as models state it."""
    bent = [replace(each, low=-0.5, high=2.1) if each.name == "hip_flexion_r" else each for each in facts.coordinates]
    return replace(facts, coordinates=tuple(bent))


def test_radians_under_a_header_that_says_degrees_are_refused_where_the_body_walks(tmp_path, facts):
    write_storage(tmp_path / "a.mot", walking(facts, 0.4, 1.4))
    with pytest.raises(Nem2eError, match=r"no angle exceeds 0\.4 while the body travels 1\.4 m.*write inDegrees=no"):
        read_motion(tmp_path / "a.mot", ranged(facts))


def test_a_gait_whose_joints_hardly_move_is_doubted(tmp_path, facts):
    write_storage(tmp_path / "a.mot", walking(facts, 3.0, 1.4))
    (note,) = read_motion(tmp_path / "a.mot", ranged(facts)).notes
    assert "no joint moves by more than 6 degrees while the body travels 1.4 m" in note


@pytest.mark.parametrize(("amplitude", "travel"), [(30.0, 1.4), (30.0, 0.0), (5.0, 0.0), (0.0, 0.0), (0.04, 0.0)])
def test_real_degrees_pass_without_a_word(tmp_path, facts, amplitude, travel):
    write_storage(tmp_path / "a.mot", walking(facts, amplitude, travel))
    assert read_motion(tmp_path / "a.mot", ranged(facts)).notes == ()


def test_what_moves_in_the_motion_and_is_locked_in_the_model_is_told(tmp_path, facts):
    locked = [replace(each, locked_at=0.0) if each.name == "mtp_angle_r" else each for each in facts.coordinates]
    write_storage(tmp_path / "a.mot", motion_storage(facts, 30.0))
    (note,) = read_motion(tmp_path / "a.mot", replace(facts, coordinates=tuple(locked))).notes
    assert "the model locks mtp_angle_r (30 degrees)" in note
    write_storage(tmp_path / "a.mot", motion_storage(facts, 0.6, degrees=False))
    (note,) = read_motion(tmp_path / "a.mot", replace(facts, coordinates=tuple(locked))).notes
    assert "mtp_angle_r (34.4 degrees)" in note
    held = [replace(each, locked_at=0.52) if each.locked_at == 0.0 else each for each in locked]
    still = motion_storage(facts, 30.0)
    still.values[:, -1] = np.rad2deg(0.52)
    write_storage(tmp_path / "a.mot", still)
    assert read_motion(tmp_path / "a.mot", replace(facts, coordinates=tuple(held))).notes == ()


def test_a_column_that_is_called_otherwise_is_guessed(tmp_path, facts):
    plain = motion_storage(facts)
    labels = tuple("hip_flexion_R" if label == "hip_flexion_r" else label for label in plain.labels)
    write_storage(tmp_path / "a.mot", replace(plain, labels=labels))
    with pytest.raises(Nem2eError, match="did you mean 'hip_flexion_R'"):
        read_motion(tmp_path / "a.mot", facts)


def test_someone_who_stands_with_bent_hips_is_not_doubted(tmp_path, facts):
    """Sway of a degree about five: no hip has five radians."""
    plain = motion_storage(facts, 0.5)
    plain.values[:, plain.labels.index("hip_flexion_r")] += 5
    write_storage(tmp_path / "a.mot", plain)
    assert read_motion(tmp_path / "a.mot", ranged(facts)).notes == ()


@pytest.mark.parametrize(("amplitude", "unit"), [(40.0, "degrees"), (0.8, "radians")])
def test_a_header_that_says_nothing_is_told_from_the_values(tmp_path, facts, amplitude, unit):
    path = _simm(tmp_path, motion_storage(facts, amplitude))
    motion = read_motion(path, facts)
    assert f"taken as {unit}" in motion.notes[0]
    assert np.abs(motion.storage.values).max() == pytest.approx(40 if unit == "degrees" else np.rad2deg(0.8), rel=0.01)


def test_a_header_that_says_nothing_about_doubtful_values_is_refused(tmp_path, facts):
    with pytest.raises(Nem2eError, match="does not say whether angles are in degrees"):
        read_motion(_simm(tmp_path, motion_storage(facts, 6.0)), facts)


def test_a_motion_of_another_model_is_refused(tmp_path, facts):
    write_storage(tmp_path / "a.mot", Storage("x", ("hip_r",), np.arange(5.0), np.ones((5, 1)), True))
    with pytest.raises(Nem2eError, match=r"no column is a coordinate of model 'made_up'.*hip_r"):
        read_motion(tmp_path / "a.mot", facts)


def test_a_missing_free_coordinate_is_refused_and_a_locked_one_is_not(tmp_path, facts):
    plain = motion_storage(facts)
    keep = [label not in ("mtp_angle_r",) for label in plain.labels]
    write_storage(tmp_path / "a.mot", _only(plain, keep))
    assert "mtp_angle_r" not in read_motion(tmp_path / "a.mot", facts).storage.labels
    keep = [label != "hip_flexion_r" for label in plain.labels]
    write_storage(tmp_path / "a.mot", _only(plain, keep))
    with pytest.raises(Nem2eError, match="no column for hip_flexion_r"):
        read_motion(tmp_path / "a.mot", facts)


def test_states_labels_are_understood(tmp_path, facts):
    plain = motion_storage(facts)
    labels = tuple(f"/jointset/some_joint/{name}/value" for name in plain.labels)
    write_storage(tmp_path / "a.sto", Storage("x", labels, plain.time, plain.values, True))
    assert read_motion(tmp_path / "a.sto", facts).storage.labels == tuple(each.name for each in facts.free)


def test_a_dependent_coordinate_left_in_degrees_among_radians_does_not_matter(tmp_path, facts):
    plain = motion_storage(facts, 0.6, degrees=False)
    plain.values[:, -1] = 72.0
    write_storage(tmp_path / "a.sto", plain)
    assert "mtp_angle_r" not in read_motion(tmp_path / "a.sto", facts).storage.labels


def test_a_gap_in_a_coordinate_is_refused(tmp_path, facts):
    plain = motion_storage(facts)
    plain.values[7, 6] = np.nan
    write_storage(tmp_path / "a.mot", plain)
    with pytest.raises(Nem2eError, match=r"'hip_flexion_r' is not finite at 0\.07 s"):
        read_motion(tmp_path / "a.mot", facts)


def _only(storage: Storage, keep: list[bool]) -> Storage:
    labels = tuple(label for label, kept in zip(storage.labels, keep, strict=True) if kept)
    return Storage(storage.name, labels, storage.time, storage.values[:, keep], storage.in_degrees)


def _simm(folder, storage: Storage):
    """A SIMM motion file, whose header knows no inDegrees."""
    rows = np.column_stack([storage.time, storage.values])
    lines = ["name walk", f"datacolumns {rows.shape[1]}", f"datarows {len(rows)}", "endheader"]
    lines += ["\t".join(["time", *storage.labels]), *("\t".join(map(repr, row)) for row in rows.tolist())]
    (folder / "simm.mot").write_text("\n".join(lines) + "\n")
    return folder / "simm.mot"


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({}, r"but model 'bare' has none; give .*--marker-set \(.*plug_in_gait.*<marker_set_file>"),
        ({"C7": "torso"}, "shares 0 .*; rename"),
    ],
)
def test_markers_of_a_model_that_has_none_of_them_are_refused_with_the_ways_to_give_them(tmp_path, known, told):
    with pytest.raises(Nem2eError, match=told) as refused:
        markers_for(save_markers(tmp_path / "walk.trc"), "bare", known)
    assert "--marker-set" in str(refused.value)
    assert "\n" not in str(refused.value)
