"""What is a muscle among the columns of real kinds of files: what is taken, what is left, and as what."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.columns import FOREIGN, UNKNOWN, Columns, muscle_columns, sort_columns
from nem2e_lib.data.labels import Label, muscle_name, parse
from nem2e_lib.data.model import read_model
from nem2e_lib.data.muscles import ARM_ACTUATORS, GAIT2392
from nem2e_lib.data.storage.storage import read_storage
from tests.support.lab import MUSCLES, model

LEG = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle", "subtalar_angle", "mtp_angle")
PELVIS = tuple(f"pelvis_{motion}" for motion in ("tilt", "list", "rotation", "tx", "ty", "tz"))
BACK = ("lumbar_extension", "lumbar_bending", "lumbar_rotation")
COORDINATES = (*PELVIS, *(f"{joint}_{side}" for side in "rl" for joint in LEG), *BACK)
RESIDUALS = ("FX", "FY", "FZ", "MX", "MY", "MZ")
TORQUES = ("lumbar_ext", "lumbar_bend", "lumbar_rot", "shoulder_flex_r", "shoulder_add_l", "wrist_flex_r", "pro_sup_l")


def kinds(columns: Columns) -> dict[str, set[str]]:
    """Labels left, by what they are said to be."""
    found: dict[str, set[str]] = {}
    for label, kind in columns.left.items():
        found.setdefault(kind, set()).add(label)
    return found


def test_static_optimisation_tells_every_force_of_the_model_and_only_muscles_are_taken():
    others = ("Right_GRF", "Left_GRF", "AnkleLimitSpringDamper", "PCL_r", "pat_lig_r", *TORQUES)
    told = sort_columns([*MUSCLES, *others])
    assert told.muscles == MUSCLES
    assert told.unknown == ()
    assert kinds(told) == {
        "external load": {"Right_GRF", "Left_GRF"},
        "passive force": {"AnkleLimitSpringDamper"},
        "ligament": {"PCL_r", "pat_lig_r"},
        "torque actuator": set(TORQUES),
    }


def test_controls_of_computed_muscle_control():
    reserves = tuple(f"{name}_reserve" for name in COORDINATES)
    told = sort_columns(
        [*GAIT2392, *RESIDUALS, *reserves, *ARM_ACTUATORS, "hip_flexion_r_moment", "pelvis_tilt_corrector"]
    )
    assert told.muscles == GAIT2392
    assert kinds(told) == {
        "residual": set(RESIDUALS),
        "reserve": set(reserves),
        "torque actuator": {*ARM_ACTUATORS, "hip_flexion_r_moment", "pelvis_tilt_corrector"},
    }


@pytest.mark.parametrize(
    "name",
    [
        "PlantarFlexAssist",
        "ActiveAFO",
        "exo_hip_r",
        "soleus_exo_r",
        "Exo_TA",
        "HipExosuit_l",
        "ankle_motor_r",
        "device_1",
    ],
)
def test_exoskeletons_assist_muscles_and_are_none(name):
    assert sort_columns([*MUSCLES, name]).left == {name: "exoskeleton"}


@pytest.mark.parametrize(
    "name", ["BiarticularSpringDamper", "KneeLimit_r", "BackBushing", "knee_stop_r", "ankle_passive"]
)
def test_passive_forces(name):
    assert sort_columns([*MUSCLES, name]).left == {name: "passive force"}


def test_states_of_opensim_3():
    states = [f"{name}{end}" for name in GAIT2392 for end in (".activation", ".fiber_length")]
    told = sort_columns(
        [*COORDINATES, *(f"{name}_u" for name in COORDINATES), "r_elbow_flex", "r_elbow_flex_u", *states]
    )
    assert [muscle_name(label) for label in told.muscles] == list(GAIT2392)
    assert {kind: len(labels) for kind, labels in kinds(told).items()} == {
        "coordinate": 24,
        "coordinate speed": 24,
        "fibre length": 92,
    }


def moco(name: str, quantity: str = "") -> str:
    return f"/forceset/{name}{'/' * bool(quantity)}{quantity}"


def test_activation_of_torque_actuators_is_not_a_muscles():
    actuators = [
        moco(name, "activation") for name in ("tau_lumbar_extension", "reserve_jointset_ankle_r_ankle_angle_r")
    ]
    told = sort_columns([*(moco(name, "activation") for name in MUSCLES), *actuators])
    assert [muscle_name(label) for label in told.muscles] == list(MUSCLES)
    assert list(told.left.values()) == ["torque actuator", "reserve"]


def test_a_solution_of_moco_with_controls_alone():
    joints = [f"/jointset/hip_r/hip_flexion_r/{part}" for part in ("value", "speed")]
    controls = [moco(name) for name in (*MUSCLES, "reserve_jointset_hip_r_hip_flexion_r", "lumbar_ext")]
    told = sort_columns([*joints, *controls, "lambda_cid21_p0", "implicit_auxiliary_derivative_x"])
    assert told.muscles == tuple(controls[:8])
    assert list(told.left.values()) == [
        "coordinate",
        "coordinate speed",
        "reserve",
        "torque actuator",
        "constraint multiplier",
        "derivative",
    ]


def test_a_solution_of_moco_with_states_and_controls():
    muscles = [moco(name, "activation") for name in MUSCLES]
    told = sort_columns([*muscles, *map(moco, MUSCLES), moco("tau_hip_r", "activation"), moco("tau_hip_r")])
    assert told.muscles == tuple(muscles)
    assert kinds(told) == {
        "excitation": set(map(moco, MUSCLES)),
        "torque actuator": {moco("tau_hip_r", "activation"), moco("tau_hip_r")},
    }


def test_muscles_without_dynamics_are_their_controls_although_actuators_have_states():
    labels = [moco("tau_hip_r", "activation"), moco("soleus_r", "activation"), *map(moco, MUSCLES), moco("tau_hip_r")]
    told = sort_columns(labels)
    assert told.muscles == (moco("soleus_r", "activation"), *map(moco, MUSCLES[1:]))


@pytest.mark.parametrize("family", [("hamstrings_r", "vasti_l"), ("tibant_r", "gaslat140_r"), ("BIClong", "TRImed")])
def test_other_families_and_coordinates_of_the_same_table(family):
    told = sort_columns([*family, "knee_angle_r", "elbow_flex_r"])
    assert told.muscles == family
    assert told.unknown == ()


def test_names_with_dots_and_strokes():
    spine = (
        "QL_post_I.1-L3_r",
        "MF_m1t.1_r",
        "Ps_L1_L2_IVD_l",
        "LTpT_T5_r",
        "IL_R10_r",
        "EO5_r",
        "IO1_r",
        "rect_abd_r",
    )
    assert muscle_columns(spine) == list(spine)
    assert [muscle_name(moco(name, "activation")) for name in spine] == list(spine)
    assert parse("supmult-C4/5-C2") == Label("supmult-C4/5-C2")
    assert parse("/jointset/hip_r/hip_flexion_r/value") == Label("hip_flexion_r", "value", "jointset")


def test_a_name_that_nobody_knows_is_left_out_beside_known_ones_and_told():
    told = sort_columns([*MUSCLES, "my_muscle_r", "tibialis_posterior_r"])
    assert told.muscles == (*MUSCLES, "tibialis_posterior_r")  # spelt as a muscle
    assert told.left == {"my_muscle_r": UNKNOWN}
    assert told.unknown == ("my_muscle_r", "tibialis_posterior_r")


def test_somebodys_word_or_a_fibre_makes_a_muscle():
    assert sort_columns([*MUSCLES, "my_muscle_r"], told=["my_muscle_r"]) == Columns((*MUSCLES, "my_muscle_r"), {})
    states = sort_columns(["soleus_r.activation", "mine_r.activation", "mine_r.fiber_length", "drive.activation"])
    assert states.muscles == ("soleus_r.activation", "mine_r.activation")
    assert states.unknown == ("mine_r.activation", "drive.activation")


def test_a_model_that_nobody_knows_is_taken_whole_but_what_says_that_it_is_none():
    told = sort_columns(["m1_r", "m2_r", "m1_r_reserve", "FX", "exo_r", "hip_flexion_r"])
    assert told.muscles == told.unknown == ("m1_r", "m2_r")
    states = sort_columns(["m1/activation", "m2/activation", "m1", "m2", "drive", "tau_hip/activation"])
    assert states.muscles == ("m1/activation", "m2/activation")
    assert states.left["drive"] == UNKNOWN


def test_a_model_decides(tmp_path: Path):
    own = ("soleus_r", "my_muscle_r", "elbow_flexor_r", "psoas_r")
    given = read_model(
        model(tmp_path / "m.osim", own, {"elbow_drive": "CoordinateActuator", "tib_ant_r": "PathActuator"})
    )
    labels = [
        "soleus_r",
        "my_muscle_r",
        "elbow_flexor_r",
        "elbow_drive",
        "tib_ant_r",
        "hip_flexion_r",
        "vas_med_r",
        "x_reserve",
    ]
    told = sort_columns(labels, given, told=["vas_med_r"])
    assert told.muscles == ("soleus_r", "my_muscle_r", "elbow_flexor_r")
    assert told.absent == ("psoas_r",)
    assert told.unknown == ()
    assert told.left == {
        "elbow_drive": "CoordinateActuator",
        "tib_ant_r": "PathActuator",
        "hip_flexion_r": "coordinate",
        "vas_med_r": FOREIGN,
        "x_reserve": "reserve",
    }


names = st.sampled_from([*MUSCLES, *TORQUES, *RESIDUALS, "my_muscle_r", "other", "hip_flexion_r", "exo_l"])
ends = st.sampled_from(["", "/activation", "/value", "/speed", "/force", "/excitation"])


@given(st.lists(st.builds(lambda name, end: f"/forceset/{name}{end}", names, ends), unique=True, max_size=30))
def test_every_column_is_taken_or_left_and_never_a_quantity_a_muscle(labels):
    told = sort_columns(labels)
    assert sorted([*told.muscles, *told.left]) == sorted(labels)
    assert not set(told.muscles) & set(told.left)
    assert all(parse(label).quantity in ("", "activation", "excitation") for label in told.muscles)
    assert not {muscle_name(label) for label in told.muscles} & {
        *TORQUES,
        *RESIDUALS,
        "hip_flexion_r",
        "exo_l",
        "value",
    }
    assert set(told.unknown) <= {*told.muscles, *(label for label, kind in told.left.items() if kind == UNKNOWN)}


@pytest.mark.realdata
def test_real_files(realdata):
    solution = sort_columns(read_storage(realdata / "opensim_core_walk/moco_inverse_18muscles_solution.sto").labels)
    assert (len(solution.muscles), solution.unknown) == (18, ())
    assert set(solution.left.values()) == {
        "tendon force",
        "coordinate",
        "coordinate speed",
        "torque actuator",
        "reserve",
        "excitation",
        "constraint multiplier",
        "derivative",
    }
    for name in ("good", "damaged"):
        states = sort_columns(read_storage(realdata / f"sto_samples/opensim46_cmc_states_{name}_header.sto").labels)
        assert (len(states.muscles), states.unknown) == (92, ())
        assert set(states.left.values()) == {"coordinate", "coordinate speed", "fibre length"}
    given = read_model(realdata / "hamner_subject01/model/Hamner2010_v4_subject01.osim")
    assert given.muscles == GAIT2392
