"""Every step on models small enough to take seconds; skipped where OpenSim is not installed."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.markers.trc import read_markers
from nem2e_lib.data.storage.storage import read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate import Options, SimulatedTrial, judge, simulate
from nem2e_lib.simulate.facts import describe
from nem2e_lib.simulate.prepare import missing_meshes, other_format
from nem2e_lib.simulate.states import activation_of_states, is_damaged
from tests.support.small_models import (
    MARKERS,
    MASS_KG,
    add_contacts,
    arm_motion,
    save_arm,
    save_block,
    save_markers,
    standing,
    standing_forces,
)

ARM = {"reserve": 0.1, "cutoff_hz": 20.0}
MUSCLES = ("shoulder_flexor", "elbow_flexor", "shoulder_extensor", "elbow_extensor")


@pytest.fixture
def arm(opensim, tmp_path):
    return save_arm(opensim, tmp_path / "arm.osim")


@pytest.fixture
def block(opensim, tmp_path):
    return save_block(opensim, tmp_path / "block.osim")


def one(trial: SimulatedTrial, model: Path, out: Path, *steps: str, **options):
    return simulate([trial], model, out, steps=steps, options=Options(**options), progress=False).iloc[0]


def test_a_model_is_described(arm, block):
    arm_facts, block_facts = describe(arm), describe(block)
    assert arm_facts.muscles == MUSCLES
    assert [(each.name, each.muscled, each.root) for each in arm_facts.coordinates] == [
        ("shoulder_angle", True, False),
        ("elbow_angle", True, False),
    ]
    assert block_facts.floating
    assert block_facts.root_body == "pelvis"
    assert block_facts.mass_kg == pytest.approx(MASS_KG)
    assert block_facts.markers == dict.fromkeys(MARKERS, "pelvis")


def test_an_arm_from_motion_to_activation_by_both_ways(arm, tmp_path):
    trial = SimulatedTrial("swing", motion=arm_motion(tmp_path / "swing.mot"), start_s=0.1, end_s=0.3)
    row = one(trial, arm, tmp_path / "out", "cmc", "so", **ARM)
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    folder = tmp_path / "out" / "swing"
    controlled, shared = (read_storage(folder / step / "activation.sto") for step in ("cmc", "so"))
    assert controlled.labels == shared.labels == MUSCLES
    assert controlled.time[0] <= 0.1
    assert controlled.time[-1] >= 0.3 - 1e-6
    assert np.ptp(np.diff(controlled.time)) > 0
    for muscle in ("shoulder_flexor", "elbow_flexor"):
        one_way, other = (
            np.interp(np.linspace(0.25, 0.3, 9), made.time, made.column(muscle)) for made in (controlled, shared)
        )
        assert np.abs(one_way - other).max() < 0.15
    np.testing.assert_array_equal(read_storage(folder / "activation.sto").values, controlled.values)
    assert not is_damaged(folder / "cmc" / "results" / "cmc_states.sto")
    table = judge(folder).set_index(["step", "measure"])["value"]
    assert table["cmc", "tracking_angle_rms"] < 2
    assert table["so", "acceleration_violation"] < 1e-3


def stretched(opensim, path: Path, slack_m: float) -> Path:
    """The arm with a shoulder flexor of short fibres: in equilibrium only where the shoulder is bent far enough."""
    arm = opensim.Model(str(save_arm(opensim, path)))
    flexor = arm.updMuscles().get(0)
    flexor.set_optimal_fiber_length(0.01)
    flexor.set_tendon_slack_length(slack_m)
    arm.finalizeConnections()
    arm.printToXML(str(path))
    return path


@pytest.mark.parametrize(
    ("step", "start_s", "slack_m", "where"),
    [("cmc", 0.1, 0.1, "in the model's default posture; computed"), ("so", 0.0, 0.079, "at 0 s; static")],
)
def test_a_muscle_without_equilibrium_is_started_elsewhere_and_told(opensim, tmp_path, step, start_s, slack_m, where):
    model = stretched(opensim, tmp_path / "arm.osim", slack_m)
    motion = arm_motion(tmp_path / "swing.mot")
    trial = SimulatedTrial("swing", motion=motion, start_s=start_s, end_s=start_s + 0.1)
    row = one(trial, model, tmp_path / "out", step, **ARM)
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    assert f"Fibre and tendon of shoulder_flexor have no equilibrium {where}" in row["notes"]
    told = re.search(r"was started again from the posture at ([\d.]+) s", row["notes"])
    assert told
    first = read_storage(tmp_path / "out/swing/activation.sto").time[0]
    assert first == pytest.approx(float(told[1]) + (0.03 if step == "cmc" else 0.0), abs=1e-3)
    assert ("Activation covers" in row["notes"]) == (step == "so")


@pytest.mark.parametrize("step", ["cmc", "so"])
def test_a_muscle_that_never_balances_is_named_with_its_lengths(opensim, tmp_path, step):
    model = stretched(opensim, tmp_path / "arm.osim", 0.05)
    trial = SimulatedTrial("swing", motion=arm_motion(tmp_path / "swing.mot"), start_s=0.1, end_s=0.2)
    row = one(trial, model, tmp_path / "out", step, **ARM)
    assert row["mistake"]
    assert "fibre and tendon of muscle 'shoulder_flexor' have no equilibrium" in row["reason"]
    assert "optimal fibre 0.01 m, slack tendon 0.05 m" in row["reason"]
    assert row["log_tail"] == ""


def test_formats_that_opensim_converts_are_told(block, tmp_path):
    motion = standing(tmp_path / "stand.mot")
    trial = SimulatedTrial("stand", motion=motion, grf=standing_forces(tmp_path / "grf.mot"), end_s=0.05)
    text = block.read_text()
    for version, told in (("20302", "of before OpenSim 3"), ("99000", "newer than the"), ("30000", "")):
        newer = tmp_path / "block2.osim"
        newer.write_text(re.sub(r'Version="\d+"', f'Version="{version}"', text, count=1))
        written = re.sub(r'Version="\d+"', 'Version="40600"', text, count=1)
        (tmp_path / "written.osim").write_text(written)
        note = other_format(newer, tmp_path / "written.osim")
        assert told in note
        assert bool(told) == bool(note)
    assert "is in format" not in one(trial, block, tmp_path / "out", "rra", adjusted_body="")["notes"]


def test_a_trial_is_skipped_when_it_is_run_again_and_a_step_when_another_is_added(arm, tmp_path):
    trial = SimulatedTrial("swing", motion=arm_motion(tmp_path / "swing.mot"), start_s=0.1, end_s=0.2)
    assert one(trial, arm, tmp_path / "out", "so", **ARM)["status"] == "done"
    assert one(trial, arm, tmp_path / "out", "so", **ARM)["status"] == "skipped"
    made = (tmp_path / "out/swing/so/activation.sto").stat().st_mtime_ns
    row = one(trial, arm, tmp_path / "out", "cmc", "so", **ARM)
    assert row["status"] == "done", row["reason"]
    assert (tmp_path / "out/swing/so/activation.sto").stat().st_mtime_ns == made
    assert "so of swing is done already" in (tmp_path / "out/swing/log.txt").read_text()
    values = judge(tmp_path / "out/swing").set_index(["step", "measure"])["value"]
    assert values["so", "acceleration_violation"] < 1e-3


def test_a_users_own_set_up_is_followed(arm, tmp_path):
    (tmp_path / "own.xml").write_text(
        "<OpenSimDocument Version='40000'><AnalyzeTool><AnalysisSet><objects><StaticOptimization name='s'>"
        "<on>true</on><step_interval>2</step_interval><activation_exponent>3</activation_exponent>"
        "</StaticOptimization></objects></AnalysisSet></AnalyzeTool></OpenSimDocument>"
    )
    trial = SimulatedTrial("swing", motion=arm_motion(tmp_path / "swing.mot"), start_s=0.1, end_s=0.2)
    row = one(trial, arm, tmp_path / "out", "so", setups={"so": str(tmp_path / "own.xml")}, **ARM)
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    assert np.diff(read_storage(tmp_path / "out/swing/so/activation.sto").time)[0] == pytest.approx(0.02)
    assert "elbow_angle_reserve" in (tmp_path / "out/swing/log.txt").read_text()
    (tmp_path / "mine.xml").write_text(
        (tmp_path / "out/swing/so/actuators.xml").read_text().replace("_reserve", "_help")
    )
    own = (tmp_path / "own.xml").read_text()
    own = own.replace("<AnalyzeTool>", "<AnalyzeTool><force_set_files>mine.xml</force_set_files>")
    (tmp_path / "own.xml").write_text(own)
    row = one(trial, arm, tmp_path / "out", "so", setups={"so": str(tmp_path / "own.xml")}, **ARM)
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    assert "elbow_angle_help" in (tmp_path / "out/swing/log.txt").read_text()


def test_a_block_that_stands_needs_no_residual(block, tmp_path):
    trial = SimulatedTrial(
        "stand", motion=standing(tmp_path / "stand.mot"), grf=standing_forces(tmp_path / "grf.mot"), end_s=0.05
    )
    row = one(trial, block, tmp_path / "out", "rra", adjusted_body="")
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    assert row["residual_force_peak"] < 0.5
    assert row["verdict"] == "good"
    setup = ET.parse(tmp_path / "out/stand/inputs/external_loads.xml")
    assert sorted(each.text for each in setup.iter("applied_to_body")) == ["calcn_l", "calcn_r"]


def test_weight_that_is_not_carried_is_called_poor(block, tmp_path):
    grf = standing_forces(tmp_path / "grf.mot", share=0.7)
    trial = SimulatedTrial("stand", motion=standing(tmp_path / "stand.mot"), grf=grf, end_s=0.05)
    row = one(trial, block, tmp_path / "out", "rra", adjusted_body="")
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    assert row["verdict"] == "poor"


def test_a_ground_that_would_push_twice_is_refused_until_the_models_own_is_switched_off(opensim, block, tmp_path):
    model = add_contacts(opensim, block)
    assert describe(model).ground_contacts == ("smooth_r", "rough_l")
    motion = standing(tmp_path / "stand.mot", height_m=1.02)
    trial = SimulatedTrial("stand", motion=motion, grf=standing_forces(tmp_path / "grf.mot"), end_s=0.05)
    row = one(trial, model, tmp_path / "out", "rra", adjusted_body="")
    assert row["mistake"]
    assert "(smooth_r, rough_l), and grf.mot has the measured ones" in row["reason"]
    row = one(trial, model, tmp_path / "out", "rra", adjusted_body="", without_contacts=True)
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    assert row["residual_force_peak"] < 0.5
    assert "(smooth_r, rough_l) were switched off" in row["notes"]
    pressed = replace(trial, trial="pressed", grf=None)
    row = one(pressed, model, tmp_path / "out", "rra", adjusted_body="")
    assert row["residual_force_peak"] > 1
    assert "must come from the model's own contact forces (smooth_r, rough_l)" in row["notes"]


@pytest.mark.parametrize(("given", "kg", "told"), [(75.0, 75.0, "is not used"), (None, 45.8, "45.8 kg, the <mass>")])
def test_the_mass_is_the_trials_then_the_set_ups_never_a_silent_one(block, tmp_path, given, kg, told):
    static = save_markers(tmp_path / "static.trc", scale=1.1)
    trial = SimulatedTrial("first", static=static, mass_kg=60.0)
    assert one(trial, block, tmp_path / "out", "scale")["notes"] == ""
    made = (tmp_path / "out/first/scale/setup_scale.xml").read_text()
    own = made.replace("<mass>60.0</mass>", "<mass>45.8</mass>")
    own = own.replace(">model_scaled.osim<", ">subject01.osim<")
    (tmp_path / "own.xml").write_text(own)
    trial = SimulatedTrial("stand", static=static, mass_kg=given)
    row = one(trial, block, tmp_path / "out", "scale", setups={"scale": str(tmp_path / "own.xml")})
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    assert told in row["notes"]
    assert describe(tmp_path / "out/stand/scale/model_scaled.osim").mass_kg == pytest.approx(kg, abs=0.01)


@pytest.mark.parametrize(("unit", "reason"), [("cm", "makes pelvis 10"), ("m", "correct Units in line 3")])
def test_markers_in_another_unit_than_stated_are_refused_by_the_size_they_make(block, tmp_path, unit, reason):
    static = save_markers(tmp_path / "static.trc")
    static.write_text(static.read_text().replace("\tmm\t", f"\t{unit}\t"))
    row = one(SimulatedTrial("stand", static=static, mass_kg=60.0), block, tmp_path / "out", "scale")
    assert row["mistake"]
    assert reason in row["reason"]


def test_doubtful_sizes_without_pairs_are_told_with_the_ways_to_name_them(block, tmp_path):
    plain, large = (save_markers(tmp_path / f"{size}.trc", scale=size) for size in (1.0, 1.7))
    notes = [
        one(SimulatedTrial(f.stem, static=f, mass_kg=60.0), block, tmp_path / "out", "scale")["notes"]
        for f in (plain, large)
    ]
    assert "--setup scale=FILE" not in notes[0]
    assert "makes pelvis 1.7, calcn_r 1.7" in notes[1]
    assert (
        "marker set ([[scale]] in a .toml), or give the laboratory's own set-up of scaling (--setup scale=FILE)"
        in notes[1]
    )


def test_the_marker_that_is_furthest_off_is_named(block, tmp_path):
    markers = save_markers(tmp_path / "walk.trc")
    lines = markers.read_text().splitlines()
    cells = lines[8].split("\t")
    cells[5] = str(float(cells[5]) + 60)
    markers.write_text("\n".join([*lines[:8], "\t".join(cells), *lines[9:]]) + "\n")
    row = one(SimulatedTrial("stand", markers=markers), block, tmp_path / "out", "ik", marker_weights={"ASIS.L": 0.01})
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    table = judge(tmp_path / "out/stand").set_index("measure")
    assert table.loc["marker_peak", "where"] == "ASIS.L at 0.02 s"
    assert table.loc["marker_peak", "value"] == pytest.approx(6, abs=0.2)
    told = read_storage(tmp_path / "out/stand/ik/ik_ik_marker_errors.sto")
    assert table.loc["marker_rms", "value"] == pytest.approx(100 * told.column("marker_error_RMS").max(), rel=1e-3)
    assert table.loc["marker_peak", "value"] == pytest.approx(100 * told.column("marker_error_max").max(), rel=1e-3)


def test_a_model_is_scaled_and_then_followed_by_its_markers(block, tmp_path):
    static = save_markers(tmp_path / "static.trc", scale=1.1)
    trial = SimulatedTrial("stand", static=static, markers=static, mass_kg=75.0)
    row = one(trial, block, tmp_path / "out", "scale", "ik")
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    scaled = ET.parse(tmp_path / "out/stand/scale/results/scale_factors.xml")
    factors = {each.findtext("segment"): each.findtext("scales", "").split() for each in scaled.iter("Scale")}
    for body in ("pelvis", "calcn_r", "calcn_l"):
        np.testing.assert_allclose([float(number) for number in factors[body]], 1.1, atol=1e-6)
    assert describe(tmp_path / "out/stand/scale/model_scaled.osim").mass_kg == pytest.approx(75, abs=0.01)
    motion = read_storage(tmp_path / "out/stand/ik/motion.mot")
    assert motion.column("pelvis_ty") == pytest.approx(1.0, abs=1e-3)
    assert row["marker_rms"] < 0.1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"motion": "other"}, "no column is a coordinate of model 'block'"),
        ({"start_s": 0.2, "end_s": 0.9}, "together cover 0 to 0.25 s"),
        ({"grf": "late"}, "forces run from 5 to 5.3 s, but the motion of trial 'stand' from 0 to 0.25 s"),
        ({"grf": "swapped"}, "is called right, but its force acts nearer the left foot"),
        ({"steps": "cmc"}, "has no muscles"),
        ({"muscles": ("soleus_r",)}, "has no muscle 'soleus_r'"),
        ({"geometry": "gone"}, "no such folder; the folder of the model's bone meshes"),
        ({"feet": {"R": "foot_r"}}, "shall act on body 'foot_r', but model 'block' has only pelvis, calcn_r, calcn_l"),
        ({"adjusted_body": "torso"}, "Adjusted body 'torso' is not in model 'block'"),
    ],
    ids=["motion", "window", "late", "swapped", "muscles", "names", "geometry", "feet", "body"],
)
def test_wrong_inputs_get_one_sentence(block, tmp_path, change, told):
    change = dict(change)
    grf = standing_forces(tmp_path / "grf.mot", swapped=change.get("grf") == "swapped")
    if change.pop("grf", "") == "late":
        late = read_storage(grf)
        write_storage(grf, replace(late, time=late.time + 5))
    motion = arm_motion(tmp_path / "m.mot") if change.pop("motion", "") else standing(tmp_path / "m.mot")
    numbers = {key: change.pop(key) for key in ("start_s", "end_s") if key in change}
    if "geometry" in change:
        change["geometry"] = tmp_path / change["geometry"]
    trial = SimulatedTrial("stand", motion=motion, grf=grf, **numbers)
    row = one(trial, block, tmp_path / "out", change.pop("steps", "rra"), **change)
    assert row["status"] == "failed"
    assert told in row["reason"]
    assert "\n" not in row["reason"]


def test_meshes_that_cannot_be_found_are_told_once(opensim, tmp_path):
    model = opensim.Model(str(save_block(opensim, tmp_path / "block.osim")))
    model.updBodySet().get("pelvis").attachGeometry(opensim.Mesh("pelvis.vtp"))
    model.finalizeConnections()
    model.printToXML(str(tmp_path / "boned.osim"))
    assert "1 of 1 bone meshes (pelvis.vtp …)" in missing_meshes(tmp_path / "boned.osim", None)
    (tmp_path / "Geometry").mkdir()
    with pytest.raises(Nem2eError, match="holds none of the 1 meshes"):
        missing_meshes(tmp_path / "boned.osim", tmp_path / "Geometry")
    (tmp_path / "Geometry" / "pelvis.vtp").write_text("")
    assert missing_meshes(tmp_path / "boned.osim", None) == ""


def test_opensim_refuses_prescribed_forces_as_external_loads_in_words_of_its_own(arm, opensim, tmp_path):
    """The trap itself: why `own_loads` refuses them first."""
    (tmp_path / "loads.xml").write_text(
        "<OpenSimDocument Version='20302'><ExternalLoads name='x'><objects><PrescribedForce name='old'>"
        "<body>lower</body></PrescribedForce></objects></ExternalLoads></OpenSimDocument>"
    )
    with pytest.raises(RuntimeError, match="append invalid object of type PrescribedForce"):
        opensim.ExternalLoads(str(tmp_path / "loads.xml"), True)
    trial = SimulatedTrial("swing", motion=arm_motion(tmp_path / "swing.mot"), loads=tmp_path / "loads.xml")
    row = one(trial, arm, tmp_path / "out", "so", **ARM)
    assert row["status"] == "failed"
    assert "write it as an ExternalForce" in row["reason"]


def test_what_is_no_model_and_no_marker_file_are_refused(opensim, tmp_path):
    (tmp_path / "x.osim").write_text("<OpenSimDocument")
    with pytest.raises(Nem2eError, match="OpenSim cannot read this model"):
        describe(tmp_path / "x.osim")
    (tmp_path / "x.trc").write_text("a\nb\n")
    with pytest.raises(Nem2eError, match="no marker file"):
        read_markers(tmp_path / "x.trc")


DAMAGE = """
import sys
import opensim
tool = opensim.CMCTool(sys.argv[1])
tool.run()
"""


def test_opensim_damages_its_states_when_the_interpreter_ends(arm, tmp_path):
    """The trap itself, so that it is noticed when OpenSim mends it."""
    trial = SimulatedTrial("swing", motion=arm_motion(tmp_path / "swing.mot"), start_s=0.1, end_s=0.15)
    row = one(trial, arm, tmp_path / "out", "cmc", **ARM)
    assert row["status"] == "done", row["reason"] + row["log_tail"]
    folder = tmp_path / "out" / "swing" / "cmc"
    ended = subprocess.run(
        [sys.executable, "-c", DAMAGE, "setup_cmc.xml"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (folder / "results" / "cmc_states.sto").stat().st_size > 10_000, ended.stdout[-500:] + ended.stderr[-500:]
    assert is_damaged(folder / "results" / "cmc_states.sto")
    again = activation_of_states(folder / "results" / "cmc_states.sto", MUSCLES)
    np.testing.assert_allclose(again.values, read_storage(folder / "activation.sto").values, atol=1e-9)
