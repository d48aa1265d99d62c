"""What OpenSim 4.6 does that one has to know, each caught or mended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.loads import copy_own_loads
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.prepare import Workplace
from nem2e_lib.simulate.states import (
    activation_of_states,
    is_damaged,
    keep_states,
    repair_states,
    restore_states,
    save_activation,
)
from nem2e_lib.simulate.steps import computed_muscle_control, static_optimisation
from nem2e_lib.simulate.trial import SimulatedTrial

LABELS = (
    "/jointset/hip/hip_flexion_r/value",
    "/forceset/psoas_r/activation",
    "/forceset/psoas_r/fiber_length",
    "/forceset/glut_max1_r/activation",
)
OVER = b"UNKNOWN\nversion=1\nnRows=0\nnColumns=1\ninDegrees=no\nendheader\ntime\n"
"""What OpenSim 4.6 writes over the first bytes of a file of states."""


@pytest.fixture
def states(tmp_path):
    """States at the uneven steps of an integrator, the first 0.03 s late."""
    time = np.array([0.93, 0.93 + 1.6e-8, 0.9305, 0.94, 1.0])
    values = np.arange(20.0).reshape(5, 4) / 20
    write_storage(tmp_path / "cmc_states.sto", Storage("cmc", LABELS, time, values))
    return tmp_path / "cmc_states.sto"


@pytest.fixture(params=["a_long_name_of_a_tool", "somewhat_long", "cmc", "a"])
def damaged(request, tmp_path, states):
    """The same file as OpenSim 4.6 leaves it; how much is lost depends on the length of the name in its header."""
    whole = read_storage(states)
    write_storage(states, replace(whole, name=request.param))
    raw = states.read_bytes()
    states.write_bytes(OVER + raw[len(OVER) :])
    return states


def test_a_damaged_header_is_seen_and_repaired_with_the_same_data(states, damaged, tmp_path):
    assert is_damaged(damaged)
    repaired = read_storage(repair_states(damaged, tmp_path / "repaired.sto"))
    assert not is_damaged(tmp_path / "repaired.sto")
    assert repaired.labels == LABELS
    assert repaired.warnings == ()
    np.testing.assert_array_equal(repaired.values, np.arange(20.0).reshape(5, 4) / 20)


def test_activation_comes_from_a_damaged_file_alike(damaged):
    assert activation_of_states(damaged).labels == ("psoas_r", "glut_max1_r")


def test_a_header_with_nothing_after_it_cannot_be_repaired(tmp_path):
    (tmp_path / "cmc_states.sto").write_bytes(OVER)
    with pytest.raises(Nem2eError, match="no labels are left"):
        repair_states(tmp_path / "cmc_states.sto")


def test_real_files_of_states_are_read_alike(realdata):
    samples = realdata / "sto_samples"
    good = activation_of_states(samples / "opensim46_cmc_states_good_header.sto")
    assert is_damaged(samples / "opensim46_cmc_states_damaged_header.sto")
    bad = activation_of_states(samples / "opensim46_cmc_states_damaged_header.sto")
    assert len(good.labels) > 50
    assert set(good.labels) == set(bad.labels)


def test_a_whole_header_is_not_taken_for_a_damaged_one(states):
    assert not is_damaged(states)


def test_the_copy_kept_in_time_takes_the_place_of_what_the_exit_damages(states):
    whole = states.read_bytes()
    keep_states(states)
    states.write_bytes(OVER + whole[len(OVER) :])
    restore_states(states.parent)
    assert states.read_bytes() == whole
    assert list(states.parent.glob("*_kept.sto")) == []


def test_activation_comes_from_states_under_the_muscles_names(states):
    found = activation_of_states(states, ("glut_max1_r", "psoas_r"))
    assert found.labels == ("glut_max1_r", "psoas_r")
    assert found.time[0] == pytest.approx(0.93)
    np.testing.assert_allclose(found.values[-1], [19 / 20, 17 / 20])


def test_steps_too_short_to_matter_are_dropped_the_last_row_never(states):
    found = activation_of_states(states)
    assert len(found.time) == 4
    assert np.diff(found.time).min() > 1e-6
    assert found.time[-1] == 1.0


def test_a_file_without_activation_and_a_missing_muscle_are_refused(states, tmp_path):
    with pytest.raises(Nem2eError, match="no activation of muscle 'soleus_r'; it has psoas_r, glut_max1_r"):
        activation_of_states(states, ["soleus_r"])
    write_storage(tmp_path / "x.sto", Storage("x", ("a",), np.arange(3.0), np.ones((3, 1))))
    with pytest.raises(Nem2eError, match="no column /forceset/<muscle>/activation"):
        activation_of_states(tmp_path / "x.sto")


def test_activation_that_broke_down_is_never_written(tmp_path):
    broken = Storage("x", ("psoas_r",), np.arange(3.0), np.array([[0.1], [np.nan], [0.1]]))
    with pytest.raises(Nem2eError, match=r"'psoas_r' is not finite at 1 s"):
        save_activation(tmp_path / "a.sto", broken)
    assert not (tmp_path / "a.sto").exists()


def place(facts, tmp_path, window=(0.0, 1.0)) -> Workplace:
    made = Workplace(tmp_path, SimulatedTrial("walk"), Options(), tmp_path / "model.osim", window=window)
    made._facts[made.model] = facts
    return made


@pytest.mark.parametrize("step", [static_optimisation, computed_muscle_control])
def test_a_model_without_muscles_is_refused(facts, tmp_path, step):
    with pytest.raises(Nem2eError, match="has no muscles"):
        step(place(replace(facts, muscles=()), tmp_path))


def test_a_window_shorter_than_the_lead_of_computed_muscle_control_is_refused(facts, tmp_path):
    with pytest.raises(Nem2eError, match="too short"):
        computed_muscle_control(place(facts, tmp_path, (0.0, 0.03)))


LOADS = """<OpenSimDocument Version="20302"><ExternalLoads name="x"><objects>{objects}</objects>
<datafile>{data}</datafile></ExternalLoads></OpenSimDocument>"""
FORCE = """<ExternalForce name="right"><applied_to_body>{body}</applied_to_body>
<force_identifier>{force}</force_identifier><point_identifier>R_ground_force_p</point_identifier>
</ExternalForce>"""


def own_loads(folder, objects=None, data="grf.mot", body="calcn_r", force="R_ground_force_v"):
    objects = FORCE.format(body=body, force=force) if objects is None else objects
    (folder / "loads.xml").write_text(LOADS.format(objects=objects, data=data))
    return folder / "loads.xml"


@pytest.fixture
def target(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "external_loads.xml"


def test_loads_of_the_users_are_checked_and_point_to_the_same_force_file(force_file, facts, tmp_path, target):
    assert copy_own_loads(own_loads(tmp_path), None, facts, target) == (0.0, 1.0)
    assert "../grf.mot" in target.read_text()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"body": "foot_r"}, r"applied_to_body 'foot_r', but model 'made_up' has only the bodies pelvis, femur_r"),
        ({"force": "1_ground_force_v"}, r"has no column '1_ground_force_vx'; it has R_ground_force_vx"),
        ({"data": "gone.mot"}, r"<datafile> is gone\.mot, but there is no such file"),
        (
            {"objects": "<PrescribedForce name='old'/>"},
            r"'old' is a PrescribedForce, as OpenSim 2 wrote it.*ExternalForce",
        ),
        ({"objects": ""}, "holds no ExternalForce"),
        ({"force": ""}, r"'right' has neither force_identifier nor torque_identifier.*R_ground_force_v"),
    ],
)
def test_loads_that_do_not_fit_are_refused_in_one_sentence(force_file, facts, tmp_path, target, wrong, told):
    with pytest.raises(Nem2eError, match=told) as refused:
        copy_own_loads(own_loads(tmp_path, **wrong), None, facts, target)
    assert "\n" not in str(refused.value)
    assert not target.exists()


def test_a_set_of_forces_of_opensim_1_is_refused_alike(force_file, facts, tmp_path, target):
    old = "<ForceSet><objects><PrescribedForce name='old'/></objects></ForceSet>"
    (tmp_path / "loads.xml").write_text(f"<OpenSimDocument Version='10905'>{old}</OpenSimDocument>")
    with pytest.raises(Nem2eError, match="'old' is a PrescribedForce"):
        copy_own_loads(tmp_path / "loads.xml", force_file, facts, target)


def test_a_force_file_given_beside_the_loads_holds(force_file, facts, tmp_path, target):
    assert copy_own_loads(own_loads(tmp_path, data="gone.mot"), force_file, facts, target)[1] == 1.0
    assert "grf.mot" in target.read_text()
