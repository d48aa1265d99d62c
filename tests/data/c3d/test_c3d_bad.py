"""What people have instead of what is expected: right, or one sentence, and nothing half-written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.c3d.convert import from_c3d
from nem2e_lib.data.exports.channels import units
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError
from tests.data.c3d.test_c3d_convert import CORNERS, EMG, FIRST, MASS, analog, markers
from tests.support.c3d_file import write_c3d

PLATE = ["N"] * 3 + ["Nmm"] * 3


def recorded(
    path, *, walking=True, points=True, channels=True, plates=True, names=None, emg_units=("V",) * 4, emg=1.0, **groups
):
    """A file of one person; parts of it may be missing."""
    labels, places = markers(walking)
    named, values = analog(walking)
    values = values * np.array([1.0] * 6 + [emg] * len(EMG))
    if not points:
        labels, places = [], np.empty((len(places), 0, 3))
    if not channels:
        named, values = [], np.empty((0, 0))
    more = {"SUBJECTS": {"NAMES": ["S01"]}, "PROCESSING": {"BODYMASS": np.array([MASS], np.float32)}}
    more |= {"ANALOG": {"UNITS": [*PLATE, *emg_units]}} if channels else {}
    if plates and channels:
        more["FORCE_PLATFORM"] = {
            "USED": 1,
            "TYPE": np.array([2]),
            "CORNERS": CORNERS.T[:, :, None].astype(np.float32),
            "ORIGIN": np.array([0.0, 0, -40])[:, None].astype(np.float32),
            "CHANNEL": np.arange(1, 7)[:, None],
        }
    for group, parameters in groups.items():
        more[group] = more.get(group, {}) | parameters
    usual = {"per_frame": 10, "analog_scale": 1.0 if emg == 1.0 else 1e-6, "first_frame": FIRST}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write_c3d(places, values, labels=names or labels, channels=named, more=more, **usual))
    return path.parent


def refused(source, out, told):
    with pytest.raises(Nem2eError, match=told) as caught:
        from_c3d(source, out)
    assert not out.exists()
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("unit", "size"), [("V", 1.0), ("Volts", 1.0), ("mV", 1e3), ("millivolts", 1e3), ("uV", 1e6), ("\u00b5V", 1e6)]
)
def test_emg_is_written_in_v_whatever_it_was_recorded_in(tmp_path, unit, size):
    source = recorded(tmp_path / "lab/Walk.c3d", emg_units=[unit] * 4, emg=size)
    made = from_c3d(source, tmp_path / "out")
    table = read_storage(tmp_path / "out" / made.trials["emg"][0])
    np.testing.assert_allclose(table.column("soleus"), analog(True)[1][:, 7], atol=1e-6)
    assert units(table)["soleus"] == "V"
    assert any("it was written in V" in line for line in made.told) == (unit not in ("V", "Volts"))


@pytest.mark.parametrize(("unit", "told"), [("", "has no unit; it stays as it is"), ("ADC", "has the unit 'ADC'")])
def test_emg_without_a_unit_stays_and_is_told(tmp_path, unit, told):
    made = from_c3d(recorded(tmp_path / "lab/Walk.c3d", emg_units=[unit] * 4), tmp_path / "out")
    table = read_storage(tmp_path / "out" / made.trials["emg"][0])
    np.testing.assert_allclose(table.column("soleus"), analog(True)[1][:, 7], atol=1e-6)
    assert any(told in line for line in made.told)


def test_a_walk_without_plates_has_markers_and_emg(tmp_path):
    made = from_c3d(recorded(tmp_path / "lab/Walk.c3d", plates=False), tmp_path / "out")
    (trial,) = made.trials.to_dict("records")
    assert trial["grf"] == ""
    assert trial["emg"]
    assert made.contacts.empty


def test_points_only(tmp_path):
    made = from_c3d(recorded(tmp_path / "lab/Walk.c3d", channels=False), tmp_path / "out")
    (trial,) = made.trials.to_dict("records")
    assert (trial["grf"], trial["emg"]) == ("", "")
    assert any("no analogue channel looks like EMG" in line for line in made.to_do)


def test_analogue_only_is_refused(tmp_path):
    refused(recorded(tmp_path / "lab/Walk.c3d", points=False), tmp_path / "out", "Walk.c3d: has no markers, so that up")


def test_one_file_that_cannot_be_converted_is_left_alone_and_told(tmp_path):
    recorded(tmp_path / "lab/MVC.c3d", points=False)
    source = recorded(tmp_path / "lab/Walk.c3d")
    made = from_c3d(source, tmp_path / "out")
    assert made.trials["trial"].tolist() == ["S01_Walk"]
    assert any("MVC.c3d is of kind leave: it has no markers" in line for line in made.to_do)
    table = tmp_path / "out/mapping/recordings.csv"
    table.write_text(table.read_text().replace("leave", "walk"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Nem2eError, match=r"'MVC\.c3d' has kind walk, but holds no markers"):
        from_c3d(source, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_walk_that_is_called_static_is_no_pose(tmp_path):
    recorded(tmp_path / "lab/Static.c3d", walking=True)
    made = from_c3d(recorded(tmp_path / "lab/Walk.c3d"), tmp_path / "out")
    assert any("Static.c3d is called static, but its markers move by" in line for line in made.to_do)
    assert any("S01 has no file of kind static" in line for line in made.to_do)
    assert made.trials["static"].tolist() == [""]


@pytest.mark.parametrize("name", ["Pascal", "Carla", "local"])
def test_a_name_that_holds_the_letters_of_cal_is_no_pose(tmp_path, name):
    recorded(tmp_path / f"lab/{name}/Walk.c3d")
    made = from_c3d(tmp_path / "lab", tmp_path / "out")
    assert len(made.trials) == 1


def test_two_people_in_a_file_are_refused(tmp_path):
    own, places = markers(True)
    labels = [f"{who}:{name}" for who in ("Anna", "Ben") for name in own]
    places = np.concatenate([places, places + np.array([1000, 0, 0])], axis=1)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/Walk.c3d").write_bytes(write_c3d(places, np.empty((0, 0)), labels=labels, channels=[]))
    refused(tmp_path / "lab", tmp_path / "out", r"holds markers of 2 people \(Anna, Ben\)")


def test_a_subject_before_the_labels_changes_nothing(tmp_path):
    names = [f"HC002D:{name}" for name in markers(True)[0]]
    made = from_c3d(recorded(tmp_path / "lab/Walk.c3d", names=names), tmp_path / "out")
    plain = from_c3d(recorded(tmp_path / "other/Walk.c3d"), tmp_path / "plain")
    pd.testing.assert_frame_equal(made.contacts, plain.contacts)


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"TYPE": np.array([21])}, "force plate 1 is of type 21"),
        ({"CHANNEL": np.zeros((6, 1), int)}, "names 0 channels, but needs 6"),
        ({"CHANNEL": np.array([[1, 0, 3, 4, 5, 6]]).T}, "names channel 0 of 10"),
        ({"CHANNEL": np.arange(95, 101)[:, None]}, "names channel 95, 96, 97, 98, 99, 100 of 10"),
        ({"CORNERS": np.zeros((3, 4, 1), np.float32)}, "has no corners"),
        ({"CORNERS": (1e6 * CORNERS).T[:, :, None].astype(np.float32)}, "which no plate has"),
        ({"CORNERS": CORNERS[[0, 2, 1, 3]].T[:, :, None].astype(np.float32)}, "no rectangle, in the order round it"),
    ],
)
def test_a_plate_that_cannot_be_computed_is_left_out_and_told(tmp_path, group, told):
    made = from_c3d(recorded(tmp_path / "lab/Walk.c3d", FORCE_PLATFORM=group), tmp_path / "out")
    assert any("Left out: " in line and told in line for line in made.told)
    assert made.trials["grf"].tolist() == [""]


def test_the_zero_of_a_plate_is_taken_off_and_told(tmp_path):
    plain = from_c3d(recorded(tmp_path / "lab/Walk.c3d"), tmp_path / "plain")
    values = analog(True)[1]
    values[:, :6] += [3.0, -2.0, 15.0, 4000.0, -2000.0, 100.0]  # on the plate: 15 N down
    source = recorded(tmp_path / "other/Walk.c3d")
    raw = (source / "Walk.c3d").read_bytes()
    (source / "Walk.c3d").write_bytes(raw[: len(raw) - values.size * 4 - len(markers(True)[1]) * 7 * 16])
    with (source / "Walk.c3d").open("ab") as file:
        places = markers(True)[1]
        points = np.concatenate([places, np.zeros((*places.shape[:2], 1))], axis=2).reshape(len(places), -1)
        file.write(np.hstack([points, values.reshape(len(places), -1)]).astype("<f4").tobytes())
    made = from_c3d(source, tmp_path / "out")
    assert any("its zero is off by -15 N while nobody stands on it; it was taken off" in line for line in made.told)
    table, as_it_is = (
        read_storage(tmp_path / where / each.trials["grf"][0]) for where, each in (("out", made), ("plain", plain))
    )
    np.testing.assert_allclose(table.values, as_it_is.values, atol=1e-3)


def test_a_plate_that_stands_still_is_doubted(tmp_path):
    places, values = markers(True)[1], analog(True)[1]
    values[:, :6] += np.random.default_rng(0).normal(size=(len(values), 6)) * 0.3
    values[1500:, :6] = values[1500, :6] - [0, 0, 2500.0, 0, 0, 0]
    source = recorded(tmp_path / "lab/Walk.c3d")
    head = (source / "Walk.c3d").read_bytes()
    size = values.size * 4 + len(places) * 7 * 16
    points = np.concatenate([places, np.zeros((*places.shape[:2], 1))], axis=2).reshape(len(places), -1)
    body = np.hstack([points, values.reshape(len(places), -1)]).astype("<f4").tobytes()
    (source / "Walk.c3d").write_bytes(head[:-size] + body)
    made = from_c3d(source, tmp_path / "out")
    assert any("is loaded and exactly constant in 50% of the samples" in line for line in made.told)


def test_units_of_plates_that_are_missing_are_those_of_the_format_and_told(tmp_path):
    source = recorded(tmp_path / "lab/Walk.c3d", ANALOG={"UNITS": [""] * 6 + ["V"] * 4})
    made = from_c3d(source, tmp_path / "out")
    plain = from_c3d(recorded(tmp_path / "other/Walk.c3d"), tmp_path / "plain")
    assert any("have no unit; N, mm and N times mm were taken" in line for line in made.told)
    pd.testing.assert_frame_equal(made.contacts, plain.contacts)


def test_a_mass_that_is_missing_is_to_do_and_a_mapping_without_channels_is_told(tmp_path):
    source = recorded(tmp_path / "lab/Walk.c3d", PROCESSING={"BODYMASS": np.array([0.0], np.float32)})
    made = from_c3d(source, tmp_path / "out")
    assert any("S01 has no mass_kg" in line for line in made.to_do)
    table = tmp_path / "out/mapping/channels.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(f"{line.split(',')[0]},,,," for line in lines[1:])]) + "\n")
    with pytest.raises(Nem2eError, match="names no EMG at all"):
        from_c3d(source, tmp_path / "out")


def test_a_mapping_that_names_a_channel_of_no_file_is_refused(tmp_path):
    source = recorded(tmp_path / "lab/Walk.c3d")
    from_c3d(source, tmp_path / "out")
    table = tmp_path / "out/mapping/channels.csv"
    table.write_text(table.read_text().replace("Right Soleus", "Rihgt Soleus"))
    with pytest.raises(Nem2eError, match=r"channels.csv: line 3: no file has an analogue channel 'Rihgt Soleus'"):
        from_c3d(source, tmp_path / "out")
