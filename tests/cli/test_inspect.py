"""``nem2e inspect`` of everything that people have in their folders, told by content."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.cycles.segment import save_cycles
from nem2e_lib.data.storage.storage import write_storage
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.results import save_results
from nem2e_lib.training.train import train_condition
from tests.support import lab
from tests.support.marker_files import HEIGHTS, NAMES, text, walker
from tests.support.small import make_cycles
from tests.support.small_refiner import constant

ROOT = Path(__file__).resolve().parents[2]


def facts(path: Path) -> dict:
    done = CliRunner().invoke(app, ["inspect", str(path), "--json"])
    assert done.exit_code == 0, done.output + repr(done.exception)
    shown = CliRunner().invoke(app, ["inspect", str(path)])
    assert shown.exit_code == 0, shown.output + repr(shown.exception)
    return json.loads(done.stdout)


def refused(path: Path) -> str:
    done = CliRunner().invoke(app, ["inspect", str(path)])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), repr(done.exception)
    return done.stderr


def test_a_marker_file_by_any_name(tmp_path):
    places = walker()
    places[:3, 0] = np.nan
    path = tmp_path / "walk.txt"
    path.write_text("\ufeff" + text(places * 1000, unit="mm"), encoding="utf-8")
    found = facts(path)
    assert found["kind"] == "marker file"
    assert (found["markers"], found["frames"], found["unit"], found["up"]) == (12, 30, "mm", "+y")
    assert found["rate_hz"] == pytest.approx(100)
    assert found["span_m"] == pytest.approx(1.41, abs=0.01)
    assert found["labels"] == list(NAMES)
    assert found["missing"] == ["SACR: 10%"]


def test_a_c3d_recording(tmp_path):
    pytest.importorskip("ezc3d")
    from tests.support.c3d_file import write_c3d

    places = walker(20)[..., [2, 0, 1]] * 1000  # z up
    analog = np.arange(400.0).reshape(200, 2)
    path = tmp_path / "walk.dat"
    path.write_bytes(
        write_c3d(places, analog, labels=list(NAMES), channels=["Fz1", "EMG 1"], first_frame=11, rate_hz=100.0)
    )
    found = facts(path)
    assert found["kind"] == "C3D recording"
    assert (found["points"], found["frames"], found["first_frame"], found["last_frame"]) == (12, 20, 11, 30)
    assert (found["rate_hz"], found["analog_rate_hz"], found["time_start"]) == (100, 1000, pytest.approx(0.1))
    assert (found["unit"], found["up"]) == ("mm", "+z")
    assert found["span_m"] == pytest.approx(max(HEIGHTS) - min(HEIGHTS), abs=0.01)
    assert found["markers"] == list(NAMES)
    assert [name.partition(" [")[0] for name in found["channels"]] == ["Fz1", "EMG 1"]
    for length in (3, 700, 1500, path.stat().st_size - 600):
        (tmp_path / "cut.c3d").write_bytes(path.read_bytes()[:length])
        refused(tmp_path / "cut.c3d")


def test_real_c3d(realdata):
    pytest.importorskip("ezc3d")
    found = facts(realdata / "children_walk/c3d/HC002D/Straight/HC002D06.c3d")
    assert (found["points"], found["frames"], found["up"], len(found["plates"])) == (286, 255, "+z", 2)
    assert found["subject"]["bodymass"] == pytest.approx(32.1)
    assert "1.350 s Left Foot Strike" in found["events"]
    assert "Voltage.L Rect [V]" in found["channels"]


def test_an_export(tmp_path):
    (tmp_path / "emg.csv").write_text("Time [s],R_SOL,R_TA\n0,1,2\n0.001,3,4\n")
    found = facts(tmp_path / "emg.csv")
    assert (found["kind"], found["labels"], found["rows"]) == ("recording exported as text", ["R_SOL", "R_TA"], 2)


@pytest.mark.slow
def test_cycles_and_what_was_trained_on_them(tmp_path):
    cycles = make_cycles((2, 2), channels=1)
    save_cycles(cycles, tmp_path / "cycles.nc")
    found = facts(tmp_path / "cycles.nc")
    assert (found["kind"], found["holds"], found["cycles"]) == ("NetCDF", "gait cycles of a study", 4)
    assert (found["subjects"], found["channels"]) == (["s0: 2", "s1: 2"], ["soleus of soleus_r"])
    results = train_condition(cycles, "one_entire", Configuration(units=3, epochs=1), progress=False)
    save_results(results, tmp_path / "kept")
    found = facts(tmp_path / "kept")
    assert (found["condition"], found["held_out"]) == ("one_entire", ["s0", "s1"])
    assert found["errors"][0]["muscle"] == "soleus"


def test_a_refiner(tmp_path):
    constant(np.array([[0.2, 0.5]])).save(tmp_path / "anything")
    assert facts(tmp_path / "anything")["origin"]["study"] == "lab"


def test_a_study(tmp_path):
    found = facts(lab.study(tmp_path / "lab"))
    assert (found["kind"], found["study"], found["trials"]) == ("study folder", "lab", 1)
    assert found["channels"] == list(lab.EMG)
    assert found["subjects"] == ["s1: 1"]


def test_a_model_and_a_set_up(tmp_path):
    (tmp_path / "leg").write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><Model name="leg"><ForceSet name="f"><objects>'
        '<Thelen2003Muscle name="soleus_r"/><CoordinateActuator name="reserve"/></objects></ForceSet>'
        '<JointSet><objects><PinJoint name="knee"><coordinates><Coordinate name="knee_angle_r"/></coordinates>'
        "</PinJoint></objects></JointSet></Model></OpenSimDocument>"
    )
    found = facts(tmp_path / "leg")
    assert (found["name"], found["muscles"], found["coordinates"]) == ("leg", ["soleus_r"], ["knee_angle_r"])
    (tmp_path / "setup.xml").write_text('<OpenSimDocument Version="40000"><CMCTool name="x"/></OpenSimDocument>')
    assert facts(tmp_path / "setup.xml")["holds"] == "a set-up of CMCTool"


def test_what_is_none_of_them_is_refused(tmp_path):
    (tmp_path / "empty.trc").touch()
    (tmp_path / "word.doc").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(99))
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 20)
    assert "is empty" in refused(tmp_path / "empty.trc")
    assert "an old Excel or Word file" in refused(tmp_path / "word.doc")
    refused(tmp_path / "noise")
    assert "is a folder without a study.toml" in refused(tmp_path)
    assert "no such file" in refused(tmp_path / "none")


READERS = """
import sys
from pathlib import Path
from nem2e_lib.data.cycles.segment import load_cycles
from nem2e_lib.data.emg.table import read_emg_table
from nem2e_lib.data.markers.trc import read_markers
from nem2e_lib.data.exports.formats import read_export
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.tables import read_table
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.archive import is_refiner
from nem2e_lib.simulate.manifest import file_hash
from nem2e_lib.simulate.xml import read_document
from nem2e_lib.training.results import load_results
from nem2e_lib.cli.inspect import inspect

for reader in (
    load_cycles, lambda path: read_emg_table(path, []), read_markers, read_export, read_storage,
    lambda path: read_table(path, []),
    Refiner.load, is_refiner, file_hash, read_document, load_results, inspect,
):
    for place in sys.argv[1:]:
        try:
            reader(Path(place))
        except Nem2eError as error:
            assert "is a pipe or device" in str(error), error
        else:
            raise AssertionError(reader)
"""


def test_no_reader_waits_for_a_pipe_or_a_device(tmp_path):
    os.mkfifo(tmp_path / "pipe.sto")
    done = subprocess.run(
        [sys.executable, "-c", READERS, str(tmp_path / "pipe.sto"), "/dev/zero"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_study_with_a_pipe_in_it_is_told(tmp_path):
    folder = lab.study(tmp_path / "lab")
    for name in ("s1/act.sto", "s1/emg.sto", "s1/grf.mot"):
        kept = tmp_path / "kept"
        shutil.move(folder / name, kept)
        os.mkfifo(folder / name)
        done = CliRunner().invoke(app, ["study", "check", str(folder)])
        assert (done.exit_code, "s1/" in done.stderr) == (2, True)
        (folder / name).unlink()
        shutil.move(kept, folder / name)


def test_a_table_stays_what_its_name_says(tmp_path):
    write_storage(tmp_path / "walk.data", lab.emg(1.0))
    assert facts(tmp_path / "walk.data")["kind"] == "OpenSim table"
    (tmp_path / "markers.sto").write_text(text(walker()))
    assert "looks like a marker file (.trc)" in refused(tmp_path / "markers.sto")
