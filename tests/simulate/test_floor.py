"""Bare floor under a foot, against feet that step where the test says, on the laboratories that there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.force.plates import Plate
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import Coordinate, ModelFacts, describe
from nem2e_lib.simulate.floor import Ground, bare_floor, ground_of, loaded, standing, travels
from nem2e_lib.simulate.legs import find_legs
from nem2e_lib.simulate.loads import DOCUMENT, Load, _joined, assign, external_loads, loads_in
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.prepare import Workplace
from nem2e_lib.simulate.trial import SimulatedTrial
from nem2e_lib.simulate.xml import write_document
from tests.support.feet import foot_path, points_of, pressed
from tests.support.small_models import save_walker, walker_motion

TIME = np.linspace(0.0, 2.0, 201)
RIGHT = [(0.2, 0.8, 0.0), (1.3, 1.9, 1.2)]
LEFT = [(-0.35, 0.25, -0.6), (0.75, 1.35, 0.6), (1.85, 2.45, 1.8)]
SEEN_S = 0.05
"""A step is seen up to this much later: a foot has to be slow. It ends up to this much later, too, as it rolls off."""


def grounds(right, left, plates, *, time=TIME, asked=(0.0, 2.0), belt=0.0) -> dict[str, Ground]:
    """How feet meet the ground; `plates` are loads by foot: side to spans in s."""
    paths = {"right": foot_path(time, right, belt_m_s=belt), "left": foot_path(time, left, belt_m_s=belt, right_m=-0.1)}
    stands = standing(time, {side: points_of(path) for side, path in paths.items()})
    loads = [Load(f"calcn_{side[0]}", time, pressed(time, *spans)) for side, spans in plates.items()]
    return {side: ground_of(time, stands[side], loaded(time, [f"calcn_{side[0]}"], loads), asked) for side in paths}


def same(found, expected, margin: float = SEEN_S) -> bool:
    return len(found) == len(expected) and all(
        abs(start - on) <= margin and abs(off - end) <= margin
        for (start, end), (on, off) in zip(found, expected, strict=True)
    )


def test_two_plates_in_a_walkway_leave_a_foot_on_bare_floor_before_and_after():
    found = grounds(RIGHT, LEFT, {"right": [(0.2, 0.8)], "left": [(0.75, 1.35)]})
    assert same(found["right"].bare, [(1.3, 1.9)])
    assert same(found["left"].bare, [(0.0, 0.25), (1.85, 2.0)])
    assert found["right"].share == pytest.approx(0.6 / 1.2, abs=0.05)
    assert found["left"].share == pytest.approx(0.4 / 1.0, abs=0.06)
    assert found["left"].told.startswith("0.00 to 0.2")


def test_one_plate_alone_leaves_the_other_foot_on_bare_floor_throughout():
    found = grounds(RIGHT, LEFT, {"right": [(0.2, 0.8)]}, asked=(0.25, 1.25))
    assert found["right"].bare == ()
    assert same(found["left"].bare, [(0.75, 1.25)])
    assert found["left"].share == pytest.approx(1.0, abs=0.12)


def test_plates_under_every_step_leave_none():
    found = grounds(RIGHT, LEFT, {"right": [(0.2, 0.8), (1.3, 1.9)], "left": [(0.0, 0.25), (0.75, 1.35), (1.85, 2)]})
    assert found["right"].bare == found["left"].bare == ()
    assert found["right"].share == 0


@pytest.mark.parametrize("belt", [0.4, 0.8, 1.3, 2.0])
def test_a_treadmill_raises_no_alarm(belt):
    step = 0.6 * belt
    right = [(0.2, 0.8, step), (1.3, 1.9, step)]
    left = [(-0.35, 0.25, step), (0.75, 1.35, step), (1.85, 2.45, step)]
    found = grounds(
        right, left, {"right": [(0.2, 0.8), (1.3, 1.9)], "left": [(0.0, 0.25), (0.75, 1.35), (1.85, 2)]}, belt=belt
    )
    assert found["right"].bare == found["left"].bare == ()


def test_running_is_in_flight_between_steps_and_raises_no_alarm():
    right, left = [(0.1, 0.35, 0.0), (0.8, 1.05, 2.4)], [(0.45, 0.7, 1.2), (1.15, 1.4, 3.6)]
    spans = {"right": [(0.1, 0.35), (0.8, 1.05)], "left": [(0.45, 0.7), (1.15, 1.4)]}
    found = grounds(right, left, spans, asked=(0.1, 1.4))
    assert found["right"].bare == found["left"].bare == ()
    beside = grounds(right, left, {**spans, "left": [(0.45, 0.7)]}, asked=(0.1, 1.4))
    assert beside["right"].bare == ()
    assert same(beside["left"].bare, [(1.15, 1.4)])


def test_a_strike_at_the_very_end_is_no_bare_floor():
    """A cycle is simulated a little beyond the next strike of its foot."""
    found = grounds(RIGHT, LEFT, {"right": [(0.2, 0.8)], "left": [(0.75, 1.35)]}, asked=(0.2, 1.31))
    assert found["right"].bare == ()


def test_a_foot_that_only_passes_low_is_in_the_air():
    heel = np.column_stack([1.5 * TIME, np.full(len(TIME), 0.01), np.zeros(len(TIME))])
    still = np.zeros_like(heel)
    stands = standing(TIME, {"right": points_of(heel), "left": points_of(still)})
    assert not stands["right"].maybe.any()
    assert stands["left"].still.all()


def test_a_foot_held_up_is_not_on_the_floor():
    up = np.tile([0.0, 0.2, 0.1], (len(TIME), 1))
    stands = standing(TIME, {"right": points_of(up), "left": points_of(np.zeros_like(up))})
    assert not stands["right"].maybe.any()


@given(
    st.floats(0.3, 0.9), st.floats(0.35, 0.8), st.floats(0.4, 0.7), st.floats(0.9, 1.5), st.booleans(), st.booleans()
)
def test_whatever_the_gait_a_step_is_bare_if_no_force_is_under_it(start, stance, swing, step, first, second):
    on = [start, start + stance + swing]
    stances = [(each, each + stance, step * number) for number, each in enumerate(on)]
    time = np.arange(0.0, stances[-1][1] + 0.3, 0.01)
    spans = [(on, off) for (on, off, _), there in zip(stances, (first, second), strict=True) if there]
    expected = [(on, off) for (on, off, _), there in zip(stances, (first, second), strict=True) if not there]
    heel = points_of(foot_path(time, stances))
    stands = standing(time, {"right": heel, "left": heel + np.array([0, 0, -0.2])})["right"]
    loads = [Load("calcn_r", time, pressed(time, *spans))]
    asked = (start - 0.05, float(time[-1]))
    assert same(ground_of(time, stands, loaded(time, ["calcn_r"], loads), asked).bare, expected, 0.1)


@pytest.fixture
def biped() -> ModelFacts:
    """A pelvis, a trunk and two legs without toes; one muscle crosses to the trunk, one between the legs."""
    root = [Coordinate(f"pelvis_t{axis}", False, True, root=True, body="pelvis") for axis in "xy"]
    joints = [Coordinate(f"hip_{side}", True, True, muscled=True, body=f"femur_{side}") for side in "rl"]
    trunk = Coordinate("lumbar", True, True, muscled=True, body="torso")
    return ModelFacts(
        name="biped",
        mass_kg=60.0,
        coordinates=(*root, *joints, trunk),
        muscles=("psoas_r", "psoas_l", "ercspn_r", "odd"),
        bodies=("pelvis", "femur_r", "calcn_r", "femur_l", "calcn_l", "torso"),
        parents={"pelvis": "ground", "torso": "pelvis"}
        | {f"femur_{side}": "pelvis" for side in "rl"}
        | {f"calcn_{side}": f"femur_{side}" for side in "rl"},
        held_by={
            "psoas_r": ("torso", "femur_r"),
            "psoas_l": ("torso", "femur_l"),
            "ercspn_r": ("pelvis", "torso"),
            "odd": ("femur_r", "femur_l"),
        },
    )


def test_legs_are_branches_of_the_model_with_the_muscles_that_hold_on_to_them(biped):
    legs = find_legs(biped)
    assert legs["right"].foot == ("calcn_r",)
    assert legs["right"].coordinates == ("hip_r",)
    assert legs["right"].muscles == ("psoas_r",)
    assert legs["left"].muscles == ("psoas_l",)
    toes = replace(biped, bodies=(*biped.bodies, "toes_r"), parents={**(biped.parents or {}), "toes_r": "calcn_r"})
    assert find_legs(toes)["right"].foot == ("calcn_r", "toes_r")
    assert find_legs(replace(biped, bodies=("upper", "lower"))) == {}


def test_a_motion_that_holds_the_pelvis_tells_nothing_of_the_floor(biped):
    time = np.linspace(0, 1, 11)
    moving = np.column_stack([time, 1 + 0.01 * np.sin(time)])
    assert travels(biped, Storage("m", ("pelvis_tx", "pelvis_ty"), time, moving))
    assert not travels(biped, Storage("m", ("pelvis_tx", "pelvis_ty"), time, np.zeros_like(moving)))
    assert not travels(biped, Storage("m", ("hip_r",), time, moving[:, :1]))


def test_loads_are_read_with_the_bodies_that_they_act_on(tmp_path):
    time = np.array([0.0, 1.0])
    labels = tuple(f"plate_{kind}{axis}" for kind in "vpm" for axis in "xyz")
    write_storage(tmp_path / "grf.mot", Storage("f", labels, time, np.tile([30.0, 40, 0, 0, 0, 0, 0, 0, 0], (2, 1))))
    document = external_loads({"plate": "calcn_r"}, "grf.mot")
    write_document(tmp_path / DOCUMENT, document)
    (load,) = loads_in(tmp_path / DOCUMENT)
    assert load.body == "calcn_r"
    np.testing.assert_allclose(load.size, 50)
    for each in document.iter("isDisabled"):
        each.text = "true"
    write_document(tmp_path / DOCUMENT, document)
    assert loads_in(tmp_path / DOCUMENT) == []
    write_document(tmp_path / DOCUMENT, external_loads({}, ""))
    assert loads_in(tmp_path / DOCUMENT) == []


@pytest.mark.parametrize("toes", [False, True])
def test_the_feet_of_a_model_are_looked_at_in_its_motion(opensim, tmp_path, toes):
    place = walker(opensim, tmp_path, toes=toes, plates={"right": [(0.2, 0.8)], "left": [(0.75, 1.35)]})
    motion = walker_motion(TIME, foot_path(TIME, RIGHT), foot_path(TIME, LEFT))
    found = bare_floor(place, motion)
    assert same(found["right"].bare, [(1.3, 1.9)])
    assert same(found["left"].bare, [(0.0, 0.25), (1.85, 2.0)])
    assert len(place.notes) == 2
    assert "The right foot stands on floor without a plate (1.3" in place.notes[0]
    assert "those of the left leg are not touched" in place.notes[0]


def test_where_it_cannot_be_told_nothing_is_said_but_for_a_held_pelvis(opensim, tmp_path):
    place = walker(opensim, tmp_path, plates={})
    motion = walker_motion(TIME, foot_path(TIME, RIGHT), foot_path(TIME, LEFT))
    assert bare_floor(place, motion) == {}  # no force at all, which is told elsewhere
    assert place.notes == []
    held = walker(opensim, tmp_path, plates={"right": [(0.2, 0.8)]})
    still = replace(motion, values=np.where([name.startswith("pelvis") for name in motion.labels], 1.0, motion.values))
    assert bare_floor(held, still) == {}
    assert held.notes == [
        "The motion holds the pelvis in place, so that it cannot be told whether a foot stands on floor without a "
        "plate."
    ]


def walker(osim, folder: Path, *, plates, toes: bool = False) -> Workplace:
    """A place of work with a small model that walks on plates."""
    model = save_walker(osim, folder / "walker.osim", toes=toes)
    place = Workplace(folder, SimulatedTrial("walk"), Options(), model, asked=(0.0, 2.0))
    place.inputs.mkdir(exist_ok=True)
    names = [f"force_calcn_{side[0]}" for side in plates]
    labels = tuple(f"{name}_{kind}{axis}" for name in names for kind in "vpm" for axis in "xyz")
    columns = [pressed(TIME, *spans) if at == 1 else 0 * TIME for spans in plates.values() for at in range(9)]
    values = np.column_stack(columns) if columns else np.empty((len(TIME), 0))
    if names:
        write_storage(place.inputs / "grf.mot", Storage("forces", labels, TIME, values))
    loads = {name: name.removeprefix("force_") for name in names}
    write_document(place.inputs / DOCUMENT, external_loads(loads, "grf.mot" if names else ""))
    return place


def plate(name: str, vertical, ahead=0.0, side_m=0.0, shear=0.0, free=0.0) -> Plate:
    """A plate of whose force everything is known."""
    rows = len(vertical)
    force = np.column_stack([np.full(rows, shear), vertical, np.zeros(rows)])
    point = np.tile([ahead, 0.0, side_m], (rows, 1))
    moment = np.tile([0.0, free, 0.0], (rows, 1))
    return Plate(name, "", force, point, moment, f"{name}_vy")


def test_a_foot_across_two_plates_is_carried_by_both_about_any_point():
    first = plate("1", pressed(TIME, (0.2, 0.8)), ahead=0.1, side_m=0.05, shear=20.0, free=1.0)
    second = plate("2", pressed(TIME, (0.5, 0.9), newtons=200.0), ahead=0.5, side_m=0.15, shear=-5.0, free=2.0)
    joined = _joined(first, second)
    both, alone, after = (int(np.argmin(np.abs(TIME - at))) for at in (0.6, 0.3, 0.85))
    np.testing.assert_allclose(joined.force[both], [15, 800, 0])
    np.testing.assert_allclose(joined.point[both], [0.1 + 0.4 / 4, 0, 0.05 + 0.1 / 4])
    for about in (np.zeros(3), np.array([1.0, 0.0, 2.0])):
        apart = sum(
            np.cross(each.point[both] - about, each.force[both]) + each.moment[both] for each in (first, second)
        )
        np.testing.assert_allclose(
            np.cross(joined.point[both] - about, joined.force[both]) + joined.moment[both], apart, atol=1e-9
        )
    np.testing.assert_allclose(joined.point[alone], first.point[alone])
    np.testing.assert_allclose(joined.force[after], second.force[after])


def test_who_treads_on_a_plate_outside_the_window_does_not_matter(opensim, tmp_path):
    """The left foot follows on the right one's plate after 1.4 s."""
    model = save_walker(opensim, tmp_path / "walker.osim")
    right, left = [(0.2, 0.8, 0.0)], [(0.75, 1.35, 0.6), (1.4, 2.0, 0.0)]
    motion = walker_motion(TIME, foot_path(TIME, right), foot_path(TIME, left))
    point = np.where(TIME[:, None] < 1.2, [0.1, 0, 0.1], [0.1, 0, -0.1])
    both_feet = replace(plate("1", pressed(TIME, (0.2, 0.8), (1.4, 2.0))), point=point)
    with pytest.raises(Nem2eError, match=r"nearer the right foot for \d+% of its load"):
        assign(describe(model), model, motion, TIME, [both_feet], {})
    feet = assign(describe(model), model, motion, TIME, [both_feet], {}, (0.0, 1.3))
    assert list(feet) == ["calcn_r"]


def test_three_plates_and_more_are_given_to_the_feet_that_tread_on_them(opensim, tmp_path):
    model = save_walker(opensim, tmp_path / "walker.osim")
    motion = walker_motion(TIME, foot_path(TIME, RIGHT), foot_path(TIME, LEFT))
    where = {"1": (0.2, 0.8, 0.0, 0.1), "2": (0.75, 1.35, 0.6, -0.1), "3": (1.3, 1.9, 1.2, 0.1), "4": (3.0, 3.1, 9, 0)}
    plates = [plate(name, pressed(TIME, (on, off)), at + 0.1, z) for name, (on, off, at, z) in where.items()]
    feet = assign(describe(model), model, motion, TIME, plates, {})
    assert {body: each.name for body, each in feet.items()} == {"calcn_r": "1+3", "calcn_l": "2"}
