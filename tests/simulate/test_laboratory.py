"""A laboratory's own angles and moments beside simulated ones: known offsets, sizes and signs come out."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.c3d.convert import from_c3d
from nem2e_lib.data.c3d.recording import read_c3d
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate import Options, read_trials, simulate
from nem2e_lib.simulate.laboratory import agreement, curves

MASS_KG = 40.0
CONTACTS = pd.DataFrame(
    [
        {"foot": "right", "start_s": 0.2, "off_s": 0.8, "next_strike_s": 1.3, "doubts": ""},
        {"foot": "left", "start_s": 0.7, "off_s": 1.2, "next_strike_s": "", "doubts": "two feet on it"},
    ]
)
TIME = np.linspace(0.0, 1.5, 151)
WAVE = np.sin(2 * np.pi * TIME)


def laboratory(**points: np.ndarray) -> SimpleNamespace:
    """A recording with the first components of some points."""
    values = np.stack([np.column_stack([wave, 0 * wave, 0 * wave]) for wave in points.values()], axis=1)
    return SimpleNamespace(labels=tuple(points), points=values, time=TIME)


@pytest.fixture
def recording():
    """Hip 20 to 40 deg, knee 30 to 70 deg of flexion; moments per kg: extensors of knee and hip, plantar flexors."""
    return laboratory(
        RHipAngles=30 + 10 * WAVE,
        RKneeAngles=50 + 20 * WAVE,
        RHipMoment=600 * WAVE,
        RKneeMoment=400 * WAVE,
        RAnkleMoment=1200 * WAVE,
    )


@pytest.fixture
def folder(tmp_path):
    """OpenSim's signs, the hip 5 deg more flexed, the knee's moment 1.1 times as large."""
    return write(tmp_path, knee=-1.0)


def write(folder: Path, knee: float) -> Path:
    for name in ("ik", "id"):
        (folder / name).mkdir()
    angles = np.column_stack([35 + 10 * WAVE, knee * (50 + 20 * WAVE)])
    write_storage(folder / "ik/motion.mot", Storage("ik", ("hip_flexion_r", "knee_angle_r"), TIME, angles, True))
    labels = ("hip_flexion_r_moment", "knee_angle_r_moment", "ankle_angle_r_moment")
    moments = MASS_KG * np.column_stack([-0.6 * WAVE, -knee * 0.44 * WAVE, -1.2 * WAVE])
    write_storage(folder / "id/joint_moments.sto", Storage("id", labels, TIME, moments))
    return folder


def check(table: pd.DataFrame) -> None:
    rows = table.set_index(["quantity", "joint"])
    joints = {"angle": ("hip", "knee"), "moment": ("hip", "knee", "ankle")}
    assert sorted(rows.index) == sorted((quantity, joint) for quantity, own in joints.items() for joint in own)
    assert (rows["foot"] == "right").all()
    assert rows["r"].to_numpy() == pytest.approx(1.0)
    assert rows.loc[("angle", "hip"), ["offset", "rms", "peak_simulated", "peak_laboratory"]].tolist() == pytest.approx(
        [5.0, 0.0, 45.0, 40.0], abs=0.1
    )
    assert rows.loc[("angle", "hip"), ["start_s", "end_s"]].tolist() == [0.2, 1.3]
    assert rows.loc[("moment", "hip"), ["start_s", "end_s"]].tolist() == pytest.approx([0.22, 0.78])
    assert rows.loc[("moment", "knee"), "peak_simulated"] == pytest.approx(0.44, abs=1e-3)
    assert rows.loc[("moment", "knee"), "peak_laboratory"] == pytest.approx(0.4, abs=1e-3)
    assert rows.loc[("moment", "ankle"), "rms"] == pytest.approx(0, abs=1e-9)


def test_offset_size_and_agreement_of_each_joint(folder, recording):
    check(agreement(folder, recording, CONTACTS, MASS_KG))


def test_a_knee_that_flexes_in_the_positive_direction_is_told_by_its_angles(tmp_path, recording):
    check(agreement(write(tmp_path, knee=1.0), recording, CONTACTS, MASS_KG))


def test_moments_that_are_not_per_kg_are_told_by_their_size(folder, recording):
    moments = [index for index, label in enumerate(recording.labels) if label.endswith("Moment")]
    recording.points[:, moments] *= MASS_KG
    check(agreement(folder, recording, CONTACTS, MASS_KG))


def test_what_the_laboratory_does_not_have_throughout_is_left_out(folder, recording):
    recording.points[50:60, recording.labels.index("RHipAngles")] = np.nan
    table = agreement(folder, recording, CONTACTS, MASS_KG)
    assert ("angle", "hip") not in set(zip(table["quantity"], table["joint"], strict=True))
    assert agreement(folder, laboratory(RASI=WAVE), CONTACTS, MASS_KG).empty
    drawn = curves(folder, recording, CONTACTS, MASS_KG)
    assert np.isfinite(drawn[["simulated", "laboratory"]].to_numpy()).all()


def test_a_walk_without_a_contact_of_use_or_without_angles_is_refused(folder, recording, tmp_path):
    with pytest.raises(Nem2eError, match="no contact with a plate is of use"):
        agreement(folder, recording, CONTACTS[1:], MASS_KG)
    with pytest.raises(Nem2eError, match=r"motion\.mot: no such file; simulate the trial with the steps ik and id"):
        agreement(tmp_path / "none", recording, CONTACTS, MASS_KG)


@pytest.mark.slow
@pytest.mark.realdata
def test_a_child_walks_with_the_moments_of_its_laboratory(realdata, tmp_path):
    """From C3D by the shipped marker set on an adult's model; the truth is Plug-in Gait's own, in the same file."""
    pytest.importorskip("opensim")
    source, child = realdata / "children_walk" / "c3d", "HC030A"
    shutil.copytree(source / child, tmp_path / "c3d" / child)
    from_c3d(tmp_path / "c3d", tmp_path / "trials")
    (straight,) = [each for each in read_trials(tmp_path / "trials/trials.csv") if each.trial.endswith("_straight")]
    options = Options(marker_set="plug_in_gait", strength="mass")
    model = realdata / "hamner_subject01/model/Hamner2010_v4_subject01.osim"
    table = simulate([straight], model, tmp_path / "out", steps=("scale", "ik", "id"), options=options, progress=False)
    assert table["status"].tolist() == ["done"], table["reason"].tolist()
    contacts = pd.read_csv(tmp_path / "trials/contacts.csv", keep_default_na=False)
    contacts = contacts[(contacts["trial"] == straight.trial) & (contacts["foot"] == straight.leg)]
    (path,) = (source / child / "Straight").glob("*.c3d")
    found = agreement(tmp_path / "out" / straight.trial, read_c3d(path), contacts, straight.mass_kg or 0.0)
    moments = found[found["quantity"] == "moment"].groupby("joint")["r"].min()
    assert moments["ankle"] > 0.99
    assert moments["knee"] > 0.95
    assert moments["hip"] > 0.95
    angles = found[found["quantity"] == "angle"].groupby("joint")["r"].min()
    assert angles[["hip", "knee"]].min() > 0.99
    assert angles["ankle"] > 0.85
    peaks = (found["peak_simulated"] / found["peak_laboratory"])[found["joint"] == "ankle"]
    assert peaks.between(0.6, 1.4).all()
