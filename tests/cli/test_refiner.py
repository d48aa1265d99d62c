"""``nem2e train``, ``nem2e refine`` and ``nem2e inspect`` as someone types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli import refiner
from nem2e_lib.cli.main import app
from nem2e_lib.data.cycles.segment import save_cycles
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.synthetic import write_study
from nem2e_lib.refiner import Refiner
from tests.support import lab
from tests.support.small import make_cycles
from tests.support.small_refiner import constant, recording, with_column, write_cycles, write_force

LEVELS = np.array([[0.2, 0.5], [0.4, 0.7]])


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    constant(LEVELS, synthetic=True).save("lab.refiner")
    write_storage("walk.sto", recording())
    write_force(Path("grf.mot"))
    return tmp_path


def nem2e(*words: str, code: int = 0):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output + repr(done.exception)
    return done


def test_refine_writes_three_files_and_warns(here):
    done = nem2e("refine", "lab.refiner", "walk.sto", "--grf", "grf.mot", "--out", "out.sto")
    assert "note: SYNTHETIC: made up. This recording does not say that it is SYNTHETIC." in done.stderr
    assert done.stdout.startswith("out.sto: 2 muscles refined in 2 of 2 cycles.")
    assert read_storage("out.sto").labels == (*recording().labels, "refined")
    assert {"out_band.sto", "out_cycles.csv"} <= {path.name for path in here.iterdir()}


def test_refine_answers_programs(here):
    write_cycles(Path("c.csv"), [(3, 0.5, 1.5)])
    done = nem2e(
        "refine",
        "lab.refiner",
        "walk.sto",
        "--cycles",
        "c.csv",
        "--muscles",
        "tib",
        "--rest",
        "nan",
        "-o",
        "o.sto",
        "--json",
    )
    told = json.loads(done.stdout)
    assert told["muscles"] == {"tib": "tib_ant_r"}
    assert told["cycles"] == [{"cycle": 3, "start_s": 0.5, "end_s": 1.5, "refined": True, "reason": ""}]
    assert told["files"] == ["o.sto", "o_band.sto", "o_cycles.csv"]
    assert read_storage("o.sto").labels == ("tib_ant_r", "refined")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lab.refiner", "walk.sto"], "without heel strikes"),
        (["no.refiner", "walk.sto", "--grf", "grf.mot"], "no.refiner: no such file"),
        (["walk.sto", "walk.sto", "--grf", "grf.mot"], "walk.sto: is no refiner"),
        (["lab.refiner", "walk.sto", "--grf", "no.mot"], "no.mot: no such file"),
        (["lab.refiner", "grf.mot", "--grf", "grf.mot"], "grf.mot: has no muscle 'soleus_r'"),
        (["lab.refiner", "walk.sto", "--grf", "grf.mot", "--cycle", "left-left"], "trained on right-right"),
        (["lab.refiner", "walk.sto", "--grf", "grf.mot", "--grf-columns", "a"], "RIGHT,LEFT is expected"),
        (["lab.refiner", "walk.sto", "--grf", "grf.mot", "--muscles", "gas"], "no muscle 'gas'"),
        (["lab.refiner", "walk.sto", "--grf", "grf.mot", "--rest", "zero"], "expected simulated or nan"),
        (["lab.refiner", "walk.sto", "--grf", "grf.mot", "--out", "no/o.sto"], "there is no folder no"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(here, words, message):
    before = sorted(here.iterdir())
    done = nem2e("refine", *([] if "--out" in words else ["--out", "o.sto"]), *words, code=2)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(here.iterdir()) == before


def test_inspect_tells_what_a_refiner_is(here):
    told = nem2e("inspect", "lab.refiner").stdout
    assert "refiner of 2 muscles, one_entire, 2 seed(s)" in told
    assert "SYNTHETIC" in told
    assert "sol\tsoleus_r\t0.300\t0.150\t-0.50\t70 %" in told
    assert "Er\t± held-out error covers" in told
    assert json.loads(nem2e("inspect", "lab.refiner", "--json").stdout)["origin"]["study"] == "lab"
    assert "columns" in nem2e("inspect", "walk.sto").stdout


def test_train_refuses_before_it_trains(here, tmp_path, monkeypatch):
    monkeypatch.setattr(refiner, "LONG", 0.0)
    save_cycles(make_cycles((2, 2)), tmp_path / "cycles.nc")
    for words, message in [
        (["--out", "."], "is a folder, but the name of a file"),
        (["--out", "no/x"], "there is no folder no"),
        (["--out", "x", "--condition", "all_entire", "--seeds", "0"], "--seeds is 0"),
        (["--out", "x", "--seeds", "2"], "--seeds is an option of STDR-Net, but --method is auto; leave it out"),
        (["--out", "x", "--half"], "--half is an option of STDR-Net, but --method is auto"),
        (["--out", "x", "--method", "some"], "--method some is unknown, expected auto, all_entire, one_entire"),
        (["--out", "x", "--method", "one_entire", "--profile", "quick"], "profile 'quick' is unknown"),
        (["--out", "x", "--method", "one_entire", "--muscles", "gas"], "no EMG channel 'gas'"),
        (["--out", "x", "--muscles", "gas"], "no muscle 'gas'; it has soleus, tib"),
        (["--out", "x", "--method", "one_entire", "--profile", "smoke"], "start again with --yes"),
        (["--out", "x", "--method", "one_entire", "--inputs", "activation+moment"], "reads activation alone"),
        (["--out", "x", "--inputs", "activation+moment"], "has no inputs 'moment'"),
    ]:
        assert message in nem2e("train", "cycles.nc", *words, code=2).stderr
    assert "no study.toml found" in nem2e("train", "nowhere", "--out", "x", code=2).stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_study_becomes_a_refiner_that_refines_its_recordings(here, tmp_path):
    study = write_study("running", tmp_path / "study", subjects=3, speeds=2)
    done = nem2e(
        "train",
        "study",
        "--condition",
        "one_entire",
        "--profile",
        "smoke",
        "--seeds",
        "2",
        "--muscles",
        "tib,bi",
        "--out",
        "kept",
        "--half",
    )
    assert "held-out error: 12 models" in done.stderr
    assert "refiner: 4 models" in done.stderr
    assert not (tmp_path / "kept.models").exists()
    told = Refiner.load("kept").manifest
    assert told.names == ("tib", "bi")
    assert told.training.held_out_units == 3
    trial = next((study / "activation").glob("*.sto"))
    grf = study / "grf" / trial.name.replace("activation.sto", "grf.mot")
    done = nem2e("refine", "kept", str(trial), "--grf", str(grf), "--out", "o.sto")
    assert "SYNTHETIC" in done.stderr
    assert "does not say that it is SYNTHETIC" not in done.stderr
    assert np.isfinite(read_storage("o.sto").values).all()
    write_storage("broken.sto", with_column(read_storage(trial), "tib_ant_r", np.nan))
    assert (
        "'tib_ant_r' is nan" in nem2e("refine", "kept", "broken.sto", "--grf", str(grf), "-o", "o.sto", code=2).stderr
    )


@pytest.mark.slow
def test_a_minute_on_a_treadmill_becomes_a_refiner_that_says_what_its_error_is_of(here):
    lab.study(Path("study"), seconds=16.0)
    nem2e("train", "study", "--condition", "one_entire", "--profile", "smoke", "--seeds", "1", "--out", "kept")
    said = nem2e("inspect", "kept").stdout
    assert "leaving out 5 blocks of cycles one by one" in said
    assert "ONE PERSON AT ONE SPEED" in said
    done = nem2e("refine", "kept", "study/s1/act.sto", "--grf", "study/s1/grf.mot", "--out", "o.sto")
    assert "other cycles of the same recording" in done.stderr
    lab.study(Path("short"), seconds=10.0)
    assert "10 are needed, but there are" in nem2e("train", "short", "-o", "x", code=2).stderr


def test_a_recording_under_other_names_is_refined_and_told(here):
    plain = recording()
    own = tuple({"tib_ant_r": "tibant_r"}.get(label, label) for label in plain.labels)
    write_storage("other.sto", Storage("walk", own, plain.time, plain.values))
    words = ("refine", "lab.refiner", "other.sto", "--grf", "grf.mot", "--out", "out.sto")
    assert "refine with --names rajagopal" in nem2e(*words, code=2).stderr
    done = nem2e(*words, "--names", "rajagopal")
    assert "read as the refiner's own: tib_ant_r = tibant_r." in done.stderr
    assert read_storage("out.sto").labels == (*own, "refined")
    nem2e("refine", "lab.refiner", "walk.sto", "--grf", "grf.mot", "--out", "twin.sto")
    np.testing.assert_array_equal(read_storage("out.sto").values, read_storage("twin.sto").values)
    told = json.loads(nem2e(*words, "--names", "rajagopal", "--json").stdout)
    assert any("tib_ant_r = tibant_r" in note for note in told["notes"])
