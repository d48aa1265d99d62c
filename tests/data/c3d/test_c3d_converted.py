"""Tables that `study from-c3d` wrote and a person edited badly, results of another run, and a run that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib

import pytest

from nem2e_lib.data.c3d.convert import from_c3d
from nem2e_lib.data.c3d.study import study_of
from nem2e_lib.data.check import check_study
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from tests.data.c3d.test_c3d_convert import laboratory, simulated


@pytest.fixture
def folders(tmp_path):
    from_c3d(laboratory(tmp_path / "lab", events=True), tmp_path / "out")
    simulated(tmp_path / "sim", "S01_walk")
    return tmp_path


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("trials.csv", ",leg,", ",lag,", "no column 'leg'.*if 'lag' is meant"),
        ("trials.csv", ",right,", ",rigth,", "line 2: leg is 'rigth', but right, left or nothing is expected"),
        ("trials.csv", "S01_walk_emg.sto", "S01_wlak_emg.sto", "line 2: there is no file .*S01_wlak_emg.sto; run"),
        ("trials.csv", "S01_walk,S01", "S01_wlk,S01", "trial 'S01_wlk' is not in mapping/recordings.csv; did you mean"),
        ("contacts.csv", "right,0.7", "right,o.7", "line 2, column 'start_s': found 'o.7', but a finite number"),
        ("contacts.csv", "right,", "rigth,", "line 2: foot is 'rigth'"),
        (
            "mapping/channels.csv",
            "soleus,right,soleus",
            "soleus,right,per_long",
            "line 3: .*activations have no per_long_r",
        ),
        (
            "mapping/channels.csv",
            ",soleus,",
            ",calf,",
            "names no EMG 'soleus' any more, but the converted files have it",
        ),
    ],
)
def test_a_table_that_was_edited_badly_is_one_sentence(folders, table, old, new, told):
    path = folders / "out" / table
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    before = sorted(folders.rglob("*"))
    with pytest.raises(Nem2eError, match=told):
        study_of(folders / "out", folders / "sim", folders / "study")
    assert sorted(folders.rglob("*")) == before


@pytest.mark.parametrize(
    ("converted", "results", "told"),
    [
        ("lab", "sim", "has no folder mapping; name the one that 'nem2e study from-c3d' wrote"),
        ("out", "nowhere", "nowhere: no such folder; name the one that 'nem2e simulate run' wrote"),
        ("out", "other", "S01_walk: left out, there is no"),
    ],
)
def test_another_folder_is_one_sentence(folders, converted, results, told):
    simulated(folders / "other", "S09_walk")
    with pytest.raises(Nem2eError, match=told):
        study_of(folders / converted, folders / results, folders / "study")
    assert not (folders / "study").exists()


def test_muscles_are_called_as_the_model_of_another_family_calls_them(folders):
    path = folders / "sim" / "S01_walk" / "activation.sto"
    found = read_storage(path)
    labels = tuple(label.replace("tib_ant", "tibant") for label in found.labels)
    write_storage(path, Storage("a", labels, found.time, found.values))
    study_of(folders / "out", folders / "sim", folders / "study")
    settings = tomllib.loads((folders / "study" / "study.toml").read_text())
    assert settings["emg"] == {"tib_ant": "tibant_r", "soleus": "soleus_r"}
    assert check_study(folders / "study") == []


_KILLED = """
import sys
from pathlib import Path
from nem2e_lib.data.c3d import convert
write = convert.write_markers
def slow(path, markers):
    write(path, markers)
    print("begun", flush=True)
    input()
convert.write_markers = slow
convert.from_c3d(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_what_was_there_stays_where_a_run_is_killed(folders):
    table = folders / "out" / "mapping" / "subjects.csv"
    table.write_text(table.read_text().replace("60.0", "61.5"))
    before = {path: path.read_bytes() for path in (folders / "out").rglob("*") if path.is_file()}
    command = [sys.executable, "-c", _KILLED, str(folders / "lab"), str(folders / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.05)
    assert {path: path.read_bytes() for path in (folders / "out").rglob("*") if path.is_file()} == before
    made = from_c3d(folders / "lab", folders / "out")
    assert made.trials["mass_kg"].tolist() == ["61.5"]
