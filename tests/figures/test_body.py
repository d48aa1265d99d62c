"""The stick figure: closed cycle, rigid bones, muscles of gait2392 on it."""

import numpy as np
import pytest

from nem2e_lib.figures.body import LENGTHS, actuator, group_of, in_order, muscle_path, place, pose
from tests.support import made_up


@pytest.mark.parametrize("motion", ["walking", "running"])
def test_pose_is_periodic_rigid_and_stands_on_the_ground(motion: str) -> None:
    start, end = pose(0, motion), pose(100, motion)
    for key in start:
        np.testing.assert_allclose(start[key][0], end[key][0], atol=1e-9)
    for percent in range(0, 100, 10):
        frames = pose(percent, motion)
        knee, hip = frames["shank", "right"][0], frames["thigh", "right"][0]
        assert np.linalg.norm(knee - hip) == pytest.approx(LENGTHS["thigh"])
        heels = [
            place(frames, "foot", s, along, v)[1]
            for s in ("right", "left")
            for along, v in ((-0.36, -0.06), (1, -0.065))
        ]
        assert min(heels) == pytest.approx(0)
        for origin, along, front in frames.values():
            assert along @ front == pytest.approx(0, abs=1e-12)
            assert np.isfinite(origin).all()


@pytest.mark.parametrize("motion", ["walking", "running"])
def test_right_heel_strike_is_at_zero_and_left_at_fifty(motion: str) -> None:
    for percent, near, far in ((0, "right", "left"), (50, "left", "right")):
        frames = pose(percent, motion)
        assert frames["foot", near][0][0] > frames["foot", far][0][0] + 0.2


def test_every_muscle_of_the_model_has_a_place() -> None:
    frames = pose(20, "running")
    for column in made_up.MUSCLES + made_up.ARMS:
        one = actuator(column)
        assert one.region != "other", column
        path = muscle_path(frames, one)
        assert len(path) >= 2
        assert np.hypot(*np.diff(path, axis=0).T).sum() < 0.9
        assert len(one.name) <= 18


def test_unknown_columns_keep_their_name_and_are_not_drawn() -> None:
    one = actuator("recfem_r")
    assert (one.name, one.region, one.side, one.path) == ("recfem_r", "other", "right", ())
    assert muscle_path(pose(0, "walking"), one).shape == (0, 2)


def test_order_groups_sides_and_regions() -> None:
    groups = [group_of(a) for a in in_order(made_up.ARMS + made_up.MUSCLES)]
    runs = [g for i, g in enumerate(groups) if i == 0 or groups[i - 1] != g]
    legs = [f"{side} {region}" for side in ("right", "left") for region in ("hip", "thigh", "shank")]
    assert runs == ["trunk", *legs, "right arm", "left arm"]
    assert groups.count("right hip") == 21
