"""Tables of any C3D file, without a mapping."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.c3d.export import export_c3d
from nem2e_lib.data.exports.channels import units
from nem2e_lib.data.markers.trc import read_markers
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError
from tests.data.c3d.test_c3d_convert import FIRST, MASS, RATE, laboratory, markers
from tests.support.c3d_file import write_c3d


def emg_only(path, units="V"):
    """A C3D file with two channels of an amplifier, 1000 Hz for 2 s, whose first frame is the eleventh."""
    time = np.arange(2000) / 1000.0
    values = np.column_stack([np.sin(2 * np.pi * 50 * time), np.cos(2 * np.pi * 80 * time)]) * 1e-3
    raw = write_c3d(
        np.zeros((200, 0, 3)),
        values,
        labels=[],
        channels=["SOL", "TA"],
        analog_scale=1.0,
        first_frame=11,
        analog_units=units,
    )
    path.write_bytes(raw)
    return time, values


def test_emg_alone_comes_out_as_it_was_recorded(tmp_path):
    time, values = emg_only(tmp_path / "walk.c3d")
    made = export_c3d(tmp_path / "walk.c3d", tmp_path / "out")
    (row,) = made.files.to_dict("records")
    assert row == {"file": "walk.c3d", "markers": "", "forces": "", "emg": "walk_emg.sto", "channels": "", "events": ""}
    emg = read_storage(tmp_path / "out" / "walk_emg.sto")
    assert emg.labels == ("SOL", "TA")
    assert units(emg) == {"SOL": "V", "TA": "V"}
    np.testing.assert_allclose(emg.time, 0.1 + time, atol=1e-9)
    np.testing.assert_allclose(emg.values, values, rtol=1e-6, atol=1e-12)
    told = "\n".join(made.told)
    assert "It holds no markers and no force plates." in told
    assert "its clock starts at 0.1 s" in told


def test_markers_forces_channels_and_events_each_in_a_table(tmp_path):
    source = laboratory(tmp_path / "lab", files=("Walk",), events=True)
    made = export_c3d(source, tmp_path / "out", cutoff_hz=None)
    (row,) = made.files.to_dict("records")
    assert row["markers"] == "S01/Walk/Walk01.trc"
    start = (FIRST - 1) / RATE
    trc = read_markers(tmp_path / "out" / row["markers"])
    assert trc.time[0] == pytest.approx(start)
    names, places = markers(walking=True)
    heel = places[:, names.index("RHEE")] / 1000
    turned = np.column_stack([-heel[:, 1], heel[:, 2], -heel[:, 0]])  # forward -y, up +z, right -x
    np.testing.assert_allclose(trc.places[:, trc.names.index("RHEE")], turned, atol=1e-5)
    force = read_storage(tmp_path / "out" / row["forces"])
    on = (force.time > start + 0.21) & (force.time < start + 0.79)
    np.testing.assert_allclose(force.column("1_ground_force_vy")[on], MASS * 9.81, rtol=1e-4)
    np.testing.assert_allclose(force.column("1_ground_force_px")[on], 0.4, atol=1e-4)
    events = pd.read_csv(tmp_path / "out" / row["events"])
    assert events["label"].tolist() == ["Foot Strike", "Foot Off", "Foot Strike"]
    np.testing.assert_allclose(events["time_s"], [0.7, 1.3, 1.9], atol=1e-6)
    emg = read_storage(tmp_path / "out" / row["emg"])
    assert emg.labels == ("Right Tibialis Anterior", "Right Soleus", "Left Soleus", "Spare")


def test_what_cannot_be_had_is_told_and_the_rest_is_written(tmp_path):
    """No plate, no parameter and no name of a marker tells which axis is up, and EMG does not need it."""
    rng = np.random.default_rng(0)
    places = rng.normal(size=(100, 1, 3)) + np.array([[0, 0, 0], [0, 0, 900], [300, 0, 1500]])
    raw = write_c3d(
        places,
        rng.normal(size=(1000, 2)),
        labels=["one", "two", "three"],
        channels=["SOL", "Trigger"],
        analog_units="N",
    )
    (tmp_path / "odd.c3d").write_bytes(raw)
    made = export_c3d(tmp_path / "odd.c3d", tmp_path / "out")
    assert any("Its markers are left out: neither force plates nor" in line for line in made.told)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["odd_analog.sto", "odd_emg.sto"]
    assert read_storage(tmp_path / "out" / "odd_analog.sto").labels == ("Trigger",)


def test_nothing_is_written_over_and_nothing_half(tmp_path):
    emg_only(tmp_path / "walk.c3d")
    out = tmp_path / "out"
    export_c3d(tmp_path / "walk.c3d", out)
    before = (out / "walk_emg.sto").read_bytes()
    with pytest.raises(Nem2eError, match=r"walk_emg\.sto: is there already; take it away or name a new folder\."):
        export_c3d(tmp_path / "walk.c3d", out)
    assert (out / "walk_emg.sto").read_bytes() == before
    (tmp_path / "more").mkdir()
    emg_only(tmp_path / "more" / "b.c3d")
    (tmp_path / "more" / "a.c3d").write_bytes(b"no C3D file at all")
    with pytest.raises(Nem2eError, match=r"a\.c3d: is no C3D file"):
        export_c3d(tmp_path / "more", out)
    assert [path.name for path in out.iterdir()] == ["walk_emg.sto"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("source", "told"),
    [("nowhere", "no such file or folder"), ("empty", "no .c3d file found below it"), ("x.c3d", "is no C3D file")],
)
def test_a_mistake_is_one_sentence(tmp_path, source, told):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.c3d").write_bytes(b"x" * 2000)
    ran = CliRunner().invoke(app, ["c3d", str(tmp_path / source), "--out", str(tmp_path / "out")])
    assert ran.exit_code == 2
    assert told in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_command_lists_what_it_wrote(tmp_path):
    emg_only(tmp_path / "walk.c3d", units="")
    ran = CliRunner().invoke(app, ["c3d", str(tmp_path / "walk.c3d"), "-o", str(tmp_path / "out"), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["files"][0]["emg"] == "walk_emg.sto"
    assert "units" not in read_storage(tmp_path / "out" / "walk_emg.sto").metadata
