"""Options that name what the model does not have, or that nothing heeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.asked import check_asked
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.prepare import Workplace
from nem2e_lib.simulate.trial import SimulatedTrial
from tests.support.small_models import save_markers


def place(facts, **options) -> Workplace:
    trial = options.pop("trial", SimulatedTrial("walk", grf=Path("grf.mot")))
    made = Workplace(Path("out"), trial, Options(**options), Path("model.osim"))
    made._facts[made.model] = facts
    return made


def notes(facts, steps=("rra", "cmc"), **options) -> str:
    made = place(facts, **options)
    check_asked(made, steps)
    return " ".join(made.notes)


MEASURE = """<OpenSimDocument Version="40000"><ScaleTool><ModelScaler><MeasurementSet><objects><Measurement name="leg">
<apply>{2}</apply><MarkerPairSet><objects><MarkerPair><markers>{0} SACR</markers></MarkerPair></objects></MarkerPairSet>
<BodyScaleSet><objects><BodyScale name="{1}"/></objects></BodyScaleSet></Measurement></objects></MeasurementSet>
</ModelScaler></ScaleTool></OpenSimDocument>"""
TASKS = """<OpenSimDocument Version="40000"><InverseKinematicsTool><IKTaskSet><objects>
<IKMarkerTask name="{0}"><apply>true</apply><weight>2</weight></IKMarkerTask>
<IKCoordinateTask name="{1}"><apply>true</apply><weight>2</weight></IKCoordinateTask>
</objects></IKTaskSet></InverseKinematicsTool></OpenSimDocument>"""


def own(folder: Path, text: str = TASKS, step: str = "ik") -> dict[str, str]:
    (folder / "mine.xml").write_text(text)
    return {step: str(folder / "mine.xml")}


@pytest.fixture
def seen(tmp_path) -> SimulatedTrial:
    """A trial with markers of a few of the model's, KNEE not among them."""
    path = save_markers(tmp_path / "walk.trc")
    return SimulatedTrial("walk", markers=path, static=path)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ("ASIS.X", "pelvis"),
            r"'leg' uses marker 'ASIS.X', which is not in model 'made_up'; did you mean",
        ),
        (
            ("KNEE", "pelvis"),
            r"uses marker 'KNEE', which is not in .*walk\.trc; OpenSim would leave",
        ),
        (("ASIS.R", "pelvus"), r"scales body 'pelvus', which is not in model 'made_up'; did you mean 'pelvis'"),
    ],
)
def test_a_measurement_that_opensim_would_drop_is_refused(facts, tmp_path, seen, names, told):
    setups = own(tmp_path, MEASURE.format(*names, "true"), "scale")
    with pytest.raises(Nem2eError, match=told):
        check_asked(place(facts, trial=seen, setups=setups), ("scale",))
    for good in (MEASURE.format(*names, "false"), MEASURE.format("ASIS.R", "pelvis", "")):
        assert notes(facts, ("scale",), trial=seen, setups=own(tmp_path, good, "scale")) == ""


def test_tasks_that_opensim_would_drop_are_told(facts, tmp_path, seen):
    setups = own(tmp_path, TASKS.format("KNEE", "hip_flexion_r"))
    assert "mine.xml: markers KNEE are not followed" in notes(facts, ("ik",), trial=seen, setups=setups)
    assert notes(facts, ("ik",), trial=seen, setups=own(tmp_path, TASKS.format("SACR", "hip_flexion_r"))) == ""
    with pytest.raises(Nem2eError, match="coordinate 'hip_flexion', which is not in model 'made_up'; did you mean"):
        check_asked(place(facts, trial=seen, setups=own(tmp_path, TASKS.format("SACR", "hip_flexion"))), ("ik",))


def test_known_names_pass_without_a_word(facts):
    weights = {"weights": {"hip_flexion_r": 50.0}, "marker_weights": {"SACR": 20.0, "KNEE": 0.0}}
    assert notes(facts, ("scale", "ik", "rra"), **weights, feet={"R": "calcn_r"}) == ""
    assert notes(facts, reserves={"lumbar_*": 20.0}) == ""


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (
            {"marker_weights": {"SACRO": 1.0}},
            r"'SACRO' \(did you mean 'SACR'\?\).*markers are ASIS.R, ASIS.L, SACR, KNEE",
        ),
        (
            {"weights": {"hip_flexion": 1.0, "XX": 1.0}},
            r"'hip_flexion' \(did you mean 'hip_flexion_r'\?\), 'XX': model",
        ),
        ({"weights": {"SACR": 1.0}}, "'SACR' goes with --marker-weight; its coordinates are pelvis_tilt, "),
        ({"marker_weights": {"pelvis_tilt": 1.0}}, "'pelvis_tilt' goes with --weight; its markers are ASIS.R, "),
    ],
)
def test_a_weight_of_nothing_is_refused_with_what_was_meant(facts, weights, told):
    with pytest.raises(Nem2eError, match=told) as refused:
        check_asked(place(facts, **weights), ("ik",))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wrong", [{"SACR": -1.0}, {"SACR": float("nan")}, {"SACR": float("inf")}])
def test_a_weight_that_is_no_weight_is_refused(wrong):
    with pytest.raises(Nem2eError, match="Weight of 'SACR' is"):
        Options(weights=wrong)
    with pytest.raises(Nem2eError, match="Weight of 'SACR' is"):
        Options(marker_weights=wrong)
    with pytest.raises(Nem2eError, match="Reserve of 'SACR' is"):
        Options(reserves=wrong)
    with pytest.raises(Nem2eError, match="Option strength is"):
        Options(strength=wrong["SACR"])


def test_a_reserve_at_the_root_is_refused_for_there_are_residuals(facts):
    with pytest.raises(Nem2eError, match=r"'pelvis_t.' fits no free coordinate .*; at the root"):
        check_asked(place(facts, reserves={"pelvis_t?": 1.0}), ("so",))
    with pytest.raises(Nem2eError, match="did you mean 'hip_flexion_r'"):
        check_asked(place(facts, reserves={"hip_flexion": 1.0}), ("so",))


def test_what_nothing_heeds_is_told(facts, tmp_path):
    assert "SACR have no effect" in notes(facts, ("so",), marker_weights={"SACR": 2.0})
    setups = own(tmp_path, TASKS.format("SACR", "hip_flexion_r"))
    assert "KNEE have no effect" in notes(facts, ("ik",), marker_weights={"KNEE": 2.0}, setups=setups)
    assert "marker set plug_in_gait has no effect" in notes(facts, ("so",), marker_set="plug_in_gait")
    assert "none of the steps tracks coordinates" in notes(facts, ("ik",), weights={"hip_flexion_r": 2.0})
    assert "the model locks them" in notes(facts, weights={"mtp_angle_r": 2.0})
    assert "mine.xml has no effect: inverse kinematics (ik)" in notes(facts, setups=own(tmp_path))
    assert "Reserves have no effect" in notes(facts, ("rra",), reserves={"lumbar_*": 20.0})
    walk = SimulatedTrial("walk", loads=Path("loads.xml"))
    assert "loads.xml says where" in notes(facts, trial=walk, feet={"R": "calcn_r"})
    heavy = SimulatedTrial("walk", grf=Path("grf.mot"), mass_kg=32.1)
    assert "the model weighs 70.0 kg" in notes(facts, trial=heavy)
    assert notes(facts, trial=replace(heavy, mass_kg=70.2)) == ""


def test_a_ground_that_pushes_twice_is_refused(facts):
    touching = replace(facts, ground_contacts=("heel_r", "heel_l"))
    with pytest.raises(Nem2eError, match=r"\(heel_r, heel_l\), and grf.mot has the measured ones.*--without-contacts"):
        check_asked(place(touching), ("so",))
    assert notes(touching, ("scale", "ik")) == ""
    assert notes(touching, ("so",), trial=SimulatedTrial("walk")) == ""
