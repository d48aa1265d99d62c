"""Set-ups made for a model: what stands in them, without OpenSim."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.actuators import ideal_actuators, reserve_actuators, residual_names
from nem2e_lib.simulate.facts import Coordinate
from nem2e_lib.simulate.loads import external_loads, foot_bodies
from nem2e_lib.simulate.options import Options, check_steps
from nem2e_lib.simulate.setups import (
    REDUCTION_WEIGHT,
    cmc_setup,
    ik_setup,
    marker_tasks,
    own_files,
    own_setup,
    rra_setup,
    so_setup,
    tracking_tasks,
)
from nem2e_lib.simulate.sizing import every_pair, measurement_set, plan_without_rules
from nem2e_lib.simulate.steps import rows_each
from nem2e_lib.simulate.xml import find, read_document, text_of, write_document

WINDOW = (0.2, 0.9)


def names(element: ET.Element) -> list[str]:
    return [member.get("name", "") for member in element.find("objects") or []]


def forces(element: ET.Element) -> dict[str, float]:
    members = element.find("objects") or []
    return {each.get("name", ""): float(each.findtext("optimal_force", "nan")) for each in members}


def test_a_floating_model_gets_six_residuals_at_the_roots_mass_centre(facts):
    made = ideal_actuators(facts)
    assert names(made) == ["FX", "FY", "FZ", "MX", "MY", "MZ", "hip_flexion_r", "lumbar_extension", "arm_flex_r"]
    point = made.find(".//PointActuator")
    assert point.findtext("body") == "pelvis"
    assert [float(text) for text in point.findtext("point").split()] == [-0.07, 0.0, 0.0]
    assert forces(made)["FY"] < forces(made)["hip_flexion_r"] / 10


def test_a_planar_model_gets_a_residual_a_root_coordinate(facts):
    gone = ("pelvis_list", "pelvis_tz")
    planar = replace(facts, coordinates=tuple(each for each in facts.coordinates if each.name not in gone))
    assert not planar.floating
    assert names(ideal_actuators(planar))[:4] == [
        "pelvis_tilt_residual",
        "pelvis_rotation_residual",
        "pelvis_tx_residual",
        "pelvis_ty_residual",
    ]
    assert residual_names(planar) == (
        ["pelvis_tx_residual", "pelvis_ty_residual"],
        ["pelvis_tilt_residual", "pelvis_rotation_residual"],
    )


def test_reserves_are_weak_where_muscles_cross_and_strong_where_none_do(facts):
    made = forces(reserve_actuators(facts, 2.0, {"lumbar_*": 20.0}, residual=100.0))
    assert made["hip_flexion_r_reserve"] == 2
    assert made["lumbar_extension_reserve"] == 20
    assert made["arm_flex_r_reserve"] == made["FX"] == 100
    assert "mtp_angle_r_reserve" not in made
    assert "pelvis_tx_reserve" not in made


def test_a_reserve_for_nothing_is_refused(facts):
    with pytest.raises(Nem2eError, match=r"'lumber_\*' fits no free coordinate .* lumbar_extension"):
        reserve_actuators(facts, 2.0, {"lumber_*": 20.0})


def test_tasks_follow_free_coordinates_critically_damped(facts):
    made = tracking_tasks(facts, {"pelvis_tx": 5.0}, REDUCTION_WEIGHT)
    assert names(made) == [each.name for each in facts.free]
    weight = {task.get("name"): float(task.findtext("weight").split()[0]) for task in made.iter("CMC_Joint")}
    assert weight["pelvis_tx"] == 5
    assert weight["hip_flexion_r"] == REDUCTION_WEIGHT
    for task in made.iter("CMC_Joint"):
        kp, kv = (float(task.findtext(tag).split()[0]) for tag in ("kp", "kv"))
        assert kv == 2 * kp**0.5


def test_loads_name_the_columns_that_are_written():
    (load,) = external_loads({"force_calcn_r": "calcn_r"}, "grf.mot").iter("ExternalForce")
    assert load.findtext("applied_to_body") == "calcn_r"
    assert load.findtext("point_identifier") == "force_calcn_r_p"
    assert external_loads({}, "grf.mot").findtext("datafile") == "grf.mot"


def test_every_path_in_a_set_up_is_relative():
    options = Options()
    made = [
        rra_setup("../inputs/model.osim", "../inputs/motion.sto", WINDOW, options, "torso"),
        cmc_setup("../inputs/model.osim", "../inputs/motion.sto", WINDOW, options, -1.0),
        so_setup("../inputs/model.osim", "../inputs/motion.sto", WINDOW, options, 6.0),
        ik_setup("../inputs/model.osim", "../inputs/markers.trc", marker_tasks(["KNEE"]), WINDOW, "motion.mot"),
    ]
    for setup in made:
        named = [each.text for each in setup.iter() if each.tag.endswith(("_file", "_files", "_directory"))]
        paths = [text for text in named if text]
        assert paths
        assert not [path for path in paths if re.match(r"/|[A-Za-z]:", path)]


def test_a_set_up_survives_writing_and_reading(tmp_path):
    setup = cmc_setup("m.osim", "q.sto", WINDOW, Options(fast_target=False), -1.0)
    path = write_document(tmp_path / "setup.xml", setup)
    again = find(path, read_document(path), "CMCTool")
    assert again.findtext("initial_time") == "0.2"
    assert again.findtext("use_fast_optimization_target") == "false"
    assert again.findtext("lowpass_cutoff_frequency") == "-1.0"


def test_values_are_written_as_opensim_reads_them():
    assert text_of(True) == "true"
    assert text_of((0.0, 1.0)) == "0.0 1.0"
    assert text_of("torso") == "torso"
    assert float(text_of(0.1 + 0.2)) == 0.1 + 0.2


OWN = """<OpenSimDocument Version="40000"><CMCTool name="mine"><model_file>C:/elsewhere.osim</model_file>
<initial_time>5</initial_time><cmc_time_window>0.005</cmc_time_window><force_set_files>{actuators}</force_set_files>
<task_set_file>tasks.xml</task_set_file></CMCTool></OpenSimDocument>"""


def test_a_set_up_of_the_users_keeps_what_is_its_own(tmp_path):
    mine = tmp_path / "mine"
    folder = tmp_path / "out" / "cmc"
    mine.mkdir()
    folder.mkdir(parents=True)
    for name in ("strong.xml", "tasks.xml"):
        (mine / name).write_text("<OpenSimDocument/>")
    (mine / "setup.xml").write_text(OWN.format(actuators="strong.xml"))
    made = own_setup(mine / "setup.xml", cmc_setup("m.osim", "q.sto", WINDOW, Options(), 6.0), folder)
    assert made.findtext("cmc_time_window") == "0.005"
    assert made.findtext("model_file") == "m.osim"
    assert made.findtext("initial_time") == "0.2"
    assert made.findtext("desired_kinematics_file") == "q.sto"
    assert (folder / made.findtext("force_set_files")).resolve() == (mine / "strong.xml").resolve()
    assert [path.name for path in own_files(mine / "setup.xml")] == ["setup.xml", "strong.xml", "tasks.xml"]


def test_a_set_up_for_another_tool_or_with_a_missing_file_is_refused(tmp_path):
    (tmp_path / "setup.xml").write_text(OWN.format(actuators="gone.xml"))
    with pytest.raises(Nem2eError, match=r"holds CMCTool, but a document with <RRATool> is expected"):
        own_setup(tmp_path / "setup.xml", rra_setup("m", "q", WINDOW, Options(), ""), tmp_path)
    with pytest.raises(Nem2eError, match=r"<force_set_files> names gone\.xml"):
        own_setup(tmp_path / "setup.xml", cmc_setup("m", "q", WINDOW, Options(), 6.0), tmp_path)


def test_what_is_no_xml_is_refused(tmp_path):
    (tmp_path / "setup.xml").write_text("<OpenSimDocument><CMCTool>")
    with pytest.raises(Nem2eError, match="no well-formed XML"):
        read_document(tmp_path / "setup.xml")


def test_bodies_are_measured_by_their_own_markers_first(facts):
    pairs = every_pair(facts, ["ASIS.R", "ASIS.L", "SACR", "KNEE"])
    assert pairs["pelvis"] == (("ASIS.R", "ASIS.L"), ("ASIS.R", "SACR"), ("ASIS.L", "SACR"))
    assert pairs["femur_r"] == (("KNEE", "ASIS.R"), ("KNEE", "ASIS.L"), ("KNEE", "SACR"))
    assert pairs["torso"] == ()
    made = measurement_set(plan_without_rules(facts, ["ASIS.R", "ASIS.L", "SACR", "KNEE"]))
    scaled = [scale.get("name") for scale in made.iter("BodyScale")]
    assert sorted(scaled) == sorted(facts.bodies)


def test_a_body_is_measured_over_its_length_and_not_over_a_cluster(facts):
    on = {"HIP": 0.0, "KNEE": -0.4, "TH1": -0.15, "TH2": -0.2, "TH3": -0.25}
    thigh = replace(
        facts, markers=dict.fromkeys(on, "femur_r"), marker_places={name: (0.0, y, 0.0) for name, y in on.items()}
    )
    assert every_pair(thigh, list(on))["femur_r"] == (("HIP", "KNEE"),)
    assert every_pair(thigh, ["TH1", "TH2", "TH3"])["femur_r"] == (("TH1", "TH3"),)


def test_feet_are_known_by_their_names(facts):
    assert foot_bodies(facts) == {"right": "calcn_r", "left": "calcn_l"}
    assert foot_bodies(replace(facts, bodies=("pelvis", "r_foot"))) == {"right": "r_foot"}


def test_steps_come_in_their_order_and_unknown_ones_are_refused():
    assert check_steps(["so", "cmc", "rra"]) == ("rra", "cmc", "so")
    with pytest.raises(Nem2eError, match="'cmcc' was given"):
        check_steps(["cmcc"])
    with pytest.raises(Nem2eError, match="no step"):
        check_steps([])


@pytest.mark.parametrize("wrong", [{"strength": 0}, {"cutoff_hz": -6}, {"time_limit_s": 0}, {"setups": {"cmcc": "x"}}])
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(Nem2eError):
        Options(**wrong)


def test_options_that_change_no_result_are_not_in_its_hash(tmp_path):
    assert Options(geometry=tmp_path, time_limit_s=9).content() == Options().content()
    assert Options(strength=2).content() != Options().content()
    assert Coordinate("a", True, True).muscled is False


@pytest.mark.parametrize(("rate_hz", "rows"), [(60, 1), (100, 1), (1000, 10)])
def test_static_optimisation_keeps_to_its_rate(tmp_path, rate_hz, rows):
    time = np.arange(50) / rate_hz
    write_storage(tmp_path / "q.sto", Storage("q", ("hip",), time, time[:, None]))
    assert rows_each(tmp_path / "q.sto") == rows
    setup = so_setup("m", "q.sto", WINDOW, Options(), -1.0, rows)
    assert setup.findtext(".//step_interval") == str(rows)
