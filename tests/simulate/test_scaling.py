"""The mass that a model is scaled to, and sizes that no person has."""

from __future__ import annotations

import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.scaling import (
    UNSTATED,
    check_factors,
    check_mass,
    chosen_mass,
    chosen_strength,
    scale_factors,
    set_up_markers,
    stated_mass,
    unscaled_strength,
)
from nem2e_lib.simulate.setups import marker_tasks, own_setup, scale_setup
from nem2e_lib.simulate.sizing import measurement_set, plan_without_rules
from nem2e_lib.simulate.trial import SimulatedTrial, check_trials

SET_UP = """<OpenSimDocument Version="40000"><ScaleTool name="mine">{mass}
<GenericModelMaker><model_file>C:/other.osim</model_file><marker_set_file>markers.xml</marker_set_file></GenericModelMaker>
<ModelScaler><apply>true</apply><preserve_mass_distribution>false</preserve_mass_distribution>
<marker_file>old.trc</marker_file><output_model_file>old_scaled.osim</output_model_file></ModelScaler>
<MarkerPlacer><apply>{placed}</apply><marker_file>old.trc</marker_file><time_range>3 4</time_range>
<output_model_file>old_placed.osim</output_model_file></MarkerPlacer></ScaleTool></OpenSimDocument>"""
MARKERS = """<OpenSimDocument Version="40000"><MarkerSet><objects>
<Marker name="SACR"><socket_parent_frame>/bodyset/pelvis</socket_parent_frame><location>-0.1 0 0</location></Marker>
<Marker name="KNEE"><body>femur_r</body><location>0 -0.4 0.1</location></Marker>
</objects></MarkerSet></OpenSimDocument>"""


@pytest.fixture
def write(tmp_path):
    def write(mass="<mass>45.8</mass>", placed="true"):
        (tmp_path / "scale.xml").write_text(SET_UP.format(mass=mass, placed=placed))
        (tmp_path / "markers.xml").write_text(MARKERS)
        return tmp_path / "scale.xml"

    return write


def chosen(path, mass_kg):
    return chosen_mass(SimulatedTrial("walk", mass_kg=mass_kg), Options(setups={"scale": str(path)}))


def test_the_mass_of_the_trial_beats_that_of_the_set_up_and_says_so(write):
    mass, (note,) = chosen(write(), 32.1)
    assert mass == 32.1
    assert note == "scale.xml: its <mass> of 45.8 kg is not used, for mass_kg of the trial is 32.1 kg."
    assert chosen(write(), 45.8) == (45.8, ())


def test_without_a_mass_of_the_trial_that_of_the_set_up_is_taken_and_told(write):
    mass, (note,) = chosen(write(), None)
    assert mass == 45.8
    assert "No mass_kg was given: 45.8 kg, the <mass> of scale.xml, is taken" in note
    assert chosen_mass(SimulatedTrial("walk", mass_kg=70.0), Options()) == (70.0, ())


@pytest.mark.parametrize("mass", ["<mass>-1</mass>", "<mass/>", "", "<mass>0</mass>"])
def test_what_opensim_writes_for_no_mass_is_none(write, mass):
    assert stated_mass(write(mass)) is None
    assert chosen(write(mass), None) == (None, ())
    assert chosen(write(mass), 32.1) == (32.1, ())


@pytest.mark.parametrize("mass", ["heavy", "nan", "inf"])
def test_a_mass_that_is_no_number_is_refused(write, mass):
    with pytest.raises(Nem2eError, match=f"<mass> is '?{mass}"):
        stated_mass(write(f"<mass>{mass}</mass>"))


@pytest.mark.parametrize("mass", [-1.0, 0.0, float("nan"), 32100.0])
def test_a_mass_that_no_person_has_is_refused(mass):
    with pytest.raises(Nem2eError, match="a person's mass in kg is expected"):
        check_trials([SimulatedTrial("walk", mass_kg=mass)])


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(Nem2eError, match="start_s 2 is not before end_s 1"):
        check_trials([SimulatedTrial("walk", start_s=2.0, end_s=1.0)])
    with pytest.raises(Nem2eError, match="end_s is nan"):
        check_trials([SimulatedTrial("walk", end_s=float("nan"))])


def test_a_scaled_model_of_another_mass_is_refused():
    check_mass("walk", 32.1001, 32.1)
    with pytest.raises(Nem2eError, match=r"weighs 72\.84 kg, but 32\.10 kg were asked for"):
        check_mass("walk", 72.84, 32.1)


def merged(path, facts, mass):
    shared = ["ASIS.R", "ASIS.L", "SACR"]
    measured = measurement_set(plan_without_rules(facts, shared))
    made = scale_setup("model.osim", "static.trc", measured, marker_tasks(shared), (0.0, 0.5), mass)
    return own_setup(path, made, path.parent)


def test_what_belongs_to_the_trial_is_set_in_each_part_of_a_set_up(write, facts):
    setup = merged(write(), facts, 32.1)
    assert setup.findtext("mass") == "32.1"
    assert setup.findtext("GenericModelMaker/model_file") == "model.osim"
    assert setup.findtext("ModelScaler/marker_file") == setup.findtext("MarkerPlacer/marker_file") == "static.trc"
    assert setup.findtext("MarkerPlacer/time_range") == "0.0 0.5"
    assert setup.findtext("ModelScaler/output_model_file") == "results/scaled_before_markers.osim"
    assert setup.findtext("MarkerPlacer/output_model_file") == "model_scaled.osim"
    assert setup.findtext("ModelScaler/preserve_mass_distribution") == "false"
    assert merged(write("<mass>45.8</mass>"), facts, UNSTATED).findtext("mass") == "-1.0"


def test_scaling_that_moves_no_markers_ends_with_what_the_scaler_writes(write, facts):
    assert merged(write(placed="false"), facts, 32.1).findtext("ModelScaler/output_model_file") == "model_scaled.osim"


def test_markers_of_the_set_up_count(write):
    found = set_up_markers(write())
    assert {name: each.body for name, each in found.items()} == {"SACR": "pelvis", "KNEE": "femur_r"}
    assert found["KNEE"].places[""] == (0.0, -0.4, 0.1)


def test_a_marker_set_of_the_set_up_that_is_not_there_is_named(write):
    path = write()
    path.with_name("markers.xml").unlink()
    with pytest.raises(
        Nem2eError, match=r"scale\.xml: <marker_set_file> names markers\.xml, but there is no such file"
    ):
        set_up_markers(path)


def test_sizes_that_no_person_has_are_refused_and_odd_ones_told(tmp_path):
    scale = "<Scale><scales>{0} {0} {0}</scales><segment>{1}</segment></Scale>"
    both = scale.format(0.78, "femur_r") + scale.format(1.7, "hand_r")
    (tmp_path / "f.xml").write_text(f"<OpenSimDocument><ScaleSet>{both}</ScaleSet></OpenSimDocument>")
    factors = scale_factors(tmp_path / "f.xml")
    assert factors == {"femur_r": (0.78,) * 3, "hand_r": (1.7,) * 3}
    assert scale_factors(tmp_path / "gone.xml") == {}
    assert check_factors(tmp_path / "s.trc", {"femur_r": (0.78,) * 3}) == []
    (note,) = check_factors(tmp_path / "s.trc", factors)
    assert "makes hand_r 1.7 of the model's size" in note
    with pytest.raises(Nem2eError, match=r"makes femur_r 0\.00078 of the model's size.*unit of the markers"):
        check_factors(tmp_path / "s.trc", {"femur_r": (0.00078,) * 3, "torso": (1.0,) * 3})
    with pytest.raises(Nem2eError, match="torso"):
        check_factors(tmp_path / "s.trc", {"torso": (1.0, float("nan"), 1.0)})


def test_muscles_of_another_size_of_person_are_told():
    (note,) = unscaled_strength(72.84, 32.1, 1.0)
    assert "from 72.8 to 32.1 kg" in note
    assert "it would be 0.58 (--strength mass)" in note
    assert unscaled_strength(72.84, 32.1, 0.58) == unscaled_strength(72.84, 80.0, 1.0) == []


def test_strength_by_mass_is_the_mass_ratio_to_two_thirds_and_told():
    child = SimulatedTrial("walk", mass_kg=32.1)
    factor, (note,) = chosen_strength(child, Options(strength="mass"), 72.84)
    assert factor == pytest.approx(0.579, abs=1e-3)
    assert note.startswith("Strength by mass: (32.1 kg / 72.8 kg of the model) to the power of 2/3 = 0.579 on every")
    assert chosen_strength(child, Options(strength=0.6), 72.84) == (0.6, ())
    with pytest.raises(Nem2eError, match="strength 'mass' needs the mass of the person; give mass_kg"):
        chosen_strength(SimulatedTrial("walk"), Options(strength="mass"), 72.84)


def test_a_set_ups_mass_will_do_for_the_strength(write):
    options = Options(strength="mass", setups={"scale": str(write())})
    assert chosen_strength(SimulatedTrial("walk"), options, 45.8)[0] == 1.0


@pytest.mark.parametrize("wrong", ["weight", -1.0, 0.0, float("nan"), "1,0"])
def test_a_strength_that_is_none_is_refused(wrong):
    with pytest.raises(Nem2eError, match="a number above 0 or 'mass' is expected"):
        Options(strength=wrong)
