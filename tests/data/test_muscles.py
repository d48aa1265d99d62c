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


@pytest.mark.parametrize(
    ("label", "muscles", "side"),
    [
        ("RT SOLEUS (uV)", ["soleus"], "r"),
        ("RT SOLEUS,uV", ["soleus"], "r"),
        ("RT TIB.ANT. (uV)", ["tib_ant"], "r"),
        ("LT TIBIALIS ANT.(µV)", ["tib_ant"], "l"),
        ("RT MED. GASTRO,uV", ["med_gas"], "r"),
        ("LT GASTRO MED", ["med_gas"], "l"),
        ("LT LAT. GASTRO (uV)", ["lat_gas"], "l"),
        ("RT VLO (uV)", ["vas_lat"], "r"),
        ("RT VMO (uV)", ["vas_med"], "r"),
        ("RT BICEPS FEM. (uV)", ["bifemlh"], "r"),
        ("RT RECTUS FEM. (uV)", ["rect_fem"], "r"),
        ("RT SEMITEND. (uV)", ["semiten"], "r"),
        ("RT GLUT. MAX. (uV)", ["glut_max1"], "r"),
        ("Avanti sensor 1: EMG 1 R SOL", ["soleus"], "r"),
        ("R VASTUS LATERALIS (1): dEMG.A 1", ["vas_lat"], "r"),
        ("R Soleus (12345): EMG 1 (mV)", ["soleus"], "r"),
        ("Voltage.L Rect", ["rect_fem"], "l"),
        ("Voltage.Tibialis Ant R", ["tib_ant"], "r"),
        ("Electric Potential.R TA", ["tib_ant"], "r"),
        ("R_TA.IM EMG1", ["tib_ant"], "r"),
        ("LeftSOL.IM EMG1", ["soleus"], "l"),
        ("EMG01.IM EMG1", [], ""),
        ("EMG 02 00002 (00002): EMG 1 (mV)", [], ""),
        ("Voltage:Right Soleus~2", ["soleus"], "r"),
        ("Right Biceps femoris caput longus", ["bifemlh"], "r"),
        ("L Tib Ant", ["tib_ant"], "l"),
        ("TA_R [uV]", ["tib_ant"], "r"),
        ("TA_uV", ["tib_ant"], ""),
        ("R_GM", ["glut_med1", "glut_max1", "med_gas"], "r"),
        ("BICEPS BR. LT (uV)", [], "l"),
        ("Force.Fz", [], ""),
    ],
)
def test_names_of_channels(label, muscles, side):
    found, leg = m.meaning(label)
    assert (sorted(found), leg) == (sorted(muscles), side)


@pytest.mark.parametrize("label", ["Biceps", "R BICEPS", "RT BICEPS (uV)", "RBiceps", "Biceps_R", "Voltage.Biceps L"])
def test_biceps_may_be_of_the_arm(label):
    assert m.doubt(label) == "biceps femoris or biceps brachii?"


@pytest.mark.parametrize("label", ["BICEPS FEM.", "R BF", "bi", "RT SOLEUS (uV)", "bifemlh_r"])
def test_other_names_leave_nothing_open(label):
    assert m.doubt(label) == ""
