"""Tables of a simulated trial beside its activation: lengths against geometry by hand."""

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.simulate.inputs import of_trial
from nem2e_lib.simulate.posture import Posture
from tests.support.small_models import arm_motion, save_arm


def test_lengths_of_muscles_are_those_of_the_geometry(opensim, tmp_path):
    arm = save_arm(opensim, tmp_path / "arm.osim")
    motion = read_storage(arm_motion(tmp_path / "swing.mot"))
    posture = Posture(arm, motion)
    assert posture.lengths(("elbow_flexor",)) == pytest.approx([0.2])  # straight: from 0.2 to 0.4 m below the shoulder
    for row in (0, 25, 40):
        turn = np.deg2rad(motion.column("elbow_angle")[row])
        about = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        ends = [0.05, 0.1], about @ [0.05, -0.1]  # from the elbow
        assert posture.lengths(("elbow_flexor",), row) == pytest.approx([np.hypot(*(ends[1] - ends[0]))], abs=1e-9)


def test_a_folder_without_tables_has_none(tmp_path):
    assert of_trial(tmp_path) == {}
