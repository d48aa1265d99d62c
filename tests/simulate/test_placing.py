"""The shipped marker set on legs of known size: what scaling and inverse kinematics find is what was put in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.markers.trc import Markers, read_markers, write_markers
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate import Options, SimulatedTrial, simulate
from nem2e_lib.simulate.facts import describe, load
from nem2e_lib.simulate.marker_set import MarkerSet, SetMarker, read_marker_set
from nem2e_lib.simulate.placing import places, put, skeleton
from nem2e_lib.simulate.posture import Posture
from tests.support.small_models import save_legs

SIZES = {"pelvis": 0.85, "femur_r": 0.8, "femur_l": 0.82, "tibia_r": 0.9, "tibia_l": 0.97}
"""Feet are as long as the model's; the left shank is over 5 % longer than the right one."""
ANGLES = {"hip_flexion_r": 30.0, "knee_angle_r": -40.0, "ankle_angle_r": 10.0, "hip_flexion_l": -15.0}
SET = read_marker_set("plug_in_gait")


@pytest.fixture
def legs(opensim, tmp_path) -> Path:
    return save_legs(opensim, tmp_path / "legs.osim")


@pytest.fixture
def person(opensim, tmp_path) -> Path:
    """Smaller legs with the set's markers on them: where these are is what a laboratory would measure."""
    path = save_legs(opensim, tmp_path / "person.osim", SIZES)
    model = load(path)
    list(put(SET, describe(path), model, keep=False))
    model.printToXML(str(path))
    return path


def measured(person: Path, path: Path, angles: dict[str, float] | None = None, without: str = "") -> Path:
    """Markers of the person at some joint angles (deg), standing 0.9 m high, as a file."""
    names = describe(person).names
    values = [[{"pelvis_ty": 0.9, **(angles or {})}.get(name, 0.0) for name in names]] * 5
    there = Posture(person, Storage("posture", names, np.arange(5) / 100, np.array(values), True)).markers(0)
    chosen = {name: place for name, place in there.items() if name not in without.split()}
    frames = np.tile(np.array(list(chosen.values())), (5, 1, 1))
    write_markers(path, Markers(tuple(chosen), np.arange(5) / 100, frames))
    return path


def run(trial: SimulatedTrial, model: Path, out: Path, *steps: str, **options):
    row = simulate([trial], model, out, steps=steps, options=Options(**options), progress=False).iloc[0]
    assert row["status"] == "done", f"{row['reason']}\n{row['log_tail']}"
    return row


def test_sizes_and_angles_of_a_person_are_found_again(person, legs, tmp_path):
    static, walk = measured(person, tmp_path / "static.trc"), measured(person, tmp_path / "walk.trc", ANGLES)
    trial = SimulatedTrial("walk", static=static, markers=walk)
    row = run(trial, legs, tmp_path / "out", "scale", "ik", marker_set="plug_in_gait")
    factors = pd.read_csv(tmp_path / "out/walk/scale/factors.csv").set_index("body")
    for body, size in SIZES.items():
        assert factors.loc[body, "factor"] == pytest.approx(size, abs=1e-4)
        assert factors.loc[body, "measured_m"] == pytest.approx(size * factors.loc[body, "model_m"], abs=1e-5)
    assert factors.loc["calcn_r", "factor"] == pytest.approx(1, abs=1e-4)
    assert factors.loc["tibia_r", ["pairs", "axes"]].tolist() == ["RFEO-RTIO", "xyz"]
    assert factors.loc["tibia_r", "difference"] == pytest.approx(0.9 / 0.97 - 1, abs=1e-3)
    fit = pd.read_csv(tmp_path / "out/walk/scale/static_fit.csv")
    assert len(fit) == len(describe(person).markers or {})
    assert fit["error_m"].max() < 2e-3
    motion = read_storage(tmp_path / "out/walk/ik/motion.mot")
    for name in describe(legs).names:
        if not name.startswith("pelvis"):
            assert motion.column(name)[2] == pytest.approx(ANGLES.get(name, 0.0), abs=1.0)
    assert "tibia 0.900 and 0.970 by RFEO-RTIO; check these markers in the static pose. [left_right]" in row["notes"]
    assert "[static_fit]" not in row["notes"]
    assert "C7, T10, CLAV, STRN, RSHO, LSHO and 8 more are left out, for model 'legs' has no torso" in row["notes"]


def test_what_depends_on_markers_that_are_not_there_is_told(person, legs, tmp_path):
    static = measured(person, tmp_path / "static.trc", without="RFEO RTIO RHJC SACR")
    walk = measured(person, tmp_path / "walk.trc", without="RHEE RTOE RD5M RLCA RSTL RP1M RD1M RP5M")
    trial = SimulatedTrial("walk", static=static, markers=walk)
    row = run(trial, legs, tmp_path / "out", "scale", "ik", marker_set="plug_in_gait")
    factors = pd.read_csv(tmp_path / "out/walk/scale/factors.csv").set_index("body")
    assert factors.loc["tibia_r", "pairs"] == "RKNE-RANK"
    assert factors.loc["tibia_r", "factor"] == pytest.approx(0.9, abs=0.03)
    assert "static.trc: pelvis: there is no SACR, so that RASI-LASI alone scales." in row["notes"]
    told = "femur_r: there is no RHJC and no RFEO, so that RASI-RKNE scales in place of RHJC-RFEO"
    assert told in row["notes"]
    assert "walk.trc: SACR are not followed, for the static pose does not have them." in row["notes"]
    assert "walk.trc: has no RHEE, RLCA, RSTL, RP1M, RD1M, RP5M and 2 more" in row["notes"]
    assert "; no marker follows calcn_r." in row["notes"]


def test_weights_of_the_set_and_the_users_stand_in_the_set_up(person, legs, tmp_path):
    walk = measured(person, tmp_path / "walk.trc")
    trial = SimulatedTrial("walk", markers=walk)
    row = run(trial, person, tmp_path / "out", "ik", marker_set="plug_in_gait", marker_weights={"RKNE": 7.0})
    setup = (tmp_path / "out/walk/ik/setup_ik.xml").read_text()
    tasks = {part.split('"')[1]: part for part in setup.split("<IKMarkerTask ")[1:]}
    for name, weight, applies in (("RKNE", 7.0, "true"), ("RASI", 20.0, "true"), ("RHJC", 0.0, "false")):
        assert f"<weight>{weight}</weight>" in tasks[name]
        assert f"<apply>{applies}</apply>" in tasks[name]
    assert "markers stay where model 'legs' has them" in row["notes"]


def test_without_scaling_a_models_own_places_hold(person, legs):
    """They may be those of this very person; others are where the set has them, and told."""
    facts, model = describe(person), load(person)
    away = {"": (0.3, 0.3, 0.3)}
    moved = replace(SET, markers={name: replace(each, places=away) for name, each in SET.markers.items()})
    assert "stay where" in " ".join(put(moved, facts, model, keep=True))
    kept = model.getMarkerSet().get("RKNE").get_location()
    assert [kept[axis] for axis in range(3)] == pytest.approx(facts.marker_places["RKNE"])
    model = load(legs)
    assert "are where the set has them on anybody" in " ".join(put(moved, describe(legs), model, keep=True))
    assert model.getMarkerSet().get("RKNE").get_location()[0] == 0.3


def test_places_follow_the_size_of_a_models_bodies(person, legs):
    """The ankle's centre is at the ankle, whatever the model's size."""
    for path, size in ((legs, 1.0), (person, 0.9)):
        facts = describe(path)
        assert skeleton(facts) == "gait2392"
        body, place = places(SET, facts)["RTIO"]
        assert body == "tibia_r"
        assert place == pytest.approx((0.0, -0.4781 * size, 0.0), abs=1e-4)
        assert facts.in_ground(body, place) == pytest.approx(np.array(facts.joint_places["talus_r"]), abs=1e-4)


def test_a_body_that_nobody_knows_is_refused_with_what_was_meant(facts):
    """A body that other models have is told; a slip of the pen is not."""
    own = MarkerSet(Path("own.toml"), "own", {"KNEE": SetMarker("femurr", {"": (0.0, 0.0, 0.0)})})
    told = r"own\.toml: marker 'KNEE' is on 'femurr'; did you mean 'femur_r': model 'made_up'"
    with pytest.raises(Nem2eError, match=told):
        places(own, facts)
    assert places(replace(own, markers={"ELB": SetMarker("humerus_r", {"": (0.0, 0.0, 0.0)})}), facts) == {}
    with pytest.raises(Nem2eError, match="'RASI' has places for models like gait2392 and rajagopal, but 'made_up'"):
        places(SET, facts)
    assert skeleton(facts) == ""
    rest = ("pelvis", "femur_r", "tibia_r", "calcn_r")
    assert skeleton(replace(facts, bodies=rest)) == "gait2392"
    assert skeleton(replace(facts, bodies=(*rest, "patella_r"))) == "rajagopal"
    assert skeleton(replace(facts, bodies=rest, muscles=("recfem_r", "soleus_r"))) == "rajagopal"


def test_a_marker_by_another_name_is_taken_and_told(person, legs, tmp_path):
    static = measured(person, tmp_path / "static.trc")
    found = read_markers(static)
    other = {"RFEO": "RKJC", "LFEO": "LKJC"}
    write_markers(static, replace(found, names=tuple(other.get(name, name) for name in found.names)))
    row = run(SimulatedTrial("s", static=static), legs, tmp_path / "out", "scale", marker_set="plug_in_gait")
    assert "Taken by another name: RKJC for RFEO, LKJC for LFEO." in row["notes"]
    factors = pd.read_csv(tmp_path / "out/s/scale/factors.csv").set_index("body")
    assert factors.loc["femur_r", "factor"] == pytest.approx(0.8, abs=1e-4)
