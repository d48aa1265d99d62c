"""Names of muscles."""

import pytest

from nem2e_lib.analysis import published
from nem2e_lib.data import muscles as m


def test_gait2392_has_92_muscles_and_running_102_columns():
    assert len(set(m.GAIT2392)) == 92
    assert len(m.LEG) == 43
    assert len(set(m.GAIT2392) | set(m.ARM_ACTUATORS)) == 102


def test_channels_are_those_of_the_published_tables():
    table = published.results()
    assert set(m.RUNNING_EMG) == set(table[table["dataset"] == "running"]["muscle"])
    assert set(m.WALKING_EMG) == set(table[table["dataset"] == "walking"]["muscle"])
    assert set(m.RUNNING_EMG.values()) <= set(m.GAIT2392)
    assert len({m.RUNNING_ELECTRODES.get(name, name) for name in m.RUNNING_EMG}) == 11


@pytest.mark.parametrize(
    ("muscle", "side", "region"),
    [
        ("soleus_r", "right", "shank"),
        ("rect_fem_l", "left", "thigh"),
        ("glut_max1_r", "right", "hip"),
        ("ercspn_l", "left", "trunk"),
        ("elbow_flex_r", "right", "arm"),
        ("something", "none", "other"),
    ],
)
def test_side_and_region(muscle, side, region):
    assert (m.side(muscle), m.region(muscle)) == (side, region)


def test_every_muscle_has_a_region():
    assert "other" not in {m.region(name) for name in (*m.GAIT2392, *m.ARM_ACTUATORS)}
