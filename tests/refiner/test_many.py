"""Many recordings by one refiner: each its own files, one that fails named, the others done."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.storage.storage import read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.many import plan, refine_many, told_once, trial_name
from tests.support.small_refiner import constant, recording, with_column, write_cycles, write_force

WALKS = ("anna_1", "anna_2", "ben_1")


@pytest.fixture
def lab(tmp_path):
    """Three recordings with their cycles, and a refiner."""
    constant(np.full((2, 2), 0.4)).save(tmp_path / "lab.refiner")
    for name in WALKS:
        write_storage(tmp_path / f"{name}_activation.sto", recording(name))
    rows = [f"{name},{number},{number + 0.1},{number + 1.1}" for name in WALKS for number in (0, 1)]
    (tmp_path / "cycles.csv").write_text("\n".join(["trial,cycle,start_s,end_s", *rows]) + "\n")
    return tmp_path


def run(lab, *more):
    files = [str(lab / f"{name}_activation.sto") for name in WALKS]
    return CliRunner().invoke(app, ["refine", str(lab / "lab.refiner"), *files, "--out", str(lab / "out"), *more])


def test_each_is_refined_as_it_would_be_alone(lab):
    done = run(lab, "--cycles", str(lab / "cycles.csv"))
    assert done.exit_code == 0, done.output
    table = pd.read_csv(lab / "out" / "summary.csv")
    assert table["trial"].tolist() == list(WALKS)
    assert (table["refined"] == 2).all()
    write_cycles(lab / "own.csv", [(0, 0.1, 1.1), (1, 1.1, 2.1)])
    alone = Refiner.load(lab / "lab.refiner").refine(lab / "ben_1_activation.sto", cycles=lab / "own.csv")
    alone.save(lab / "alone.sto")
    for ending in (".sto", "_band.sto", "_cycles.csv"):
        assert (lab / "out" / f"ben_1_refined{ending}").read_bytes() == (lab / f"alone{ending}").read_bytes()


def test_one_that_fails_is_named_and_the_others_are_done(lab):
    broken = with_column(recording("anna_2"), "soleus_r", np.nan)
    write_storage(lab / "anna_2_activation.sto", broken)
    done = run(lab, "--cycles", str(lab / "cycles.csv"))
    assert done.exit_code == 2
    assert "anna_2_activation.sto: not refined, the others are" in done.output
    table = pd.read_csv(lab / "out" / "summary.csv", keep_default_na=False).set_index("trial")
    assert "finite numbers are expected" in table.loc["anna_2", "error"]
    assert table.loc["anna_2", "file"] == ""
    assert [(lab / "out" / f"{name}_refined.sto").exists() for name in WALKS] == [True, False, True]


def test_files_of_each_are_found_by_its_name(lab):
    (lab / "forces").mkdir()
    for name in WALKS:
        write_force(lab / "forces" / f"{name}_grf.mot")
    done = run(lab, "--grf", str(lab / "forces" / "{trial}_grf.mot"))
    assert done.exit_code == 0, done.output
    refined = read_storage(lab / "out" / "anna_1_refined.sto")
    assert 0 < refined.column("refined").mean() < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grf": "one_grf.mot"}, "is one file, but there are 2 recordings; write {trial}"),
        ({"cycles": "no_trial.csv"}, "is a table of one recording, but there are several; add a column trial"),
    ],
)
def test_one_file_for_all_is_refused(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_cycles(tmp_path / "no_trial.csv", [(0, 0.1, 1.1)])
    activations = [tmp_path / "a_activation.sto", tmp_path / "b_activation.sto"]
    with pytest.raises(Nem2eError, match=message.replace("{", r"\{")):
        plan(activations, tmp_path / "out", **options)


def test_inputs_beside_activation_are_each_recording_s_own(tmp_path):
    activations = [tmp_path / "a_activation.sto", tmp_path / "b_activation.sto"]
    jobs = plan(activations, tmp_path / "out", beside={"moment": "id/{trial}_id.sto"})
    assert [str(job.beside["moment"]) for job in jobs] == ["id/a_id.sto", "id/b_id.sto"]
    with pytest.raises(Nem2eError, match=r"--moments id\.sto: is one file, but there are 2 recordings"):
        plan(activations, tmp_path / "out", beside={"moment": "id.sto"})


def test_two_of_one_name_are_refused(tmp_path):
    activations = [tmp_path / "s1" / "walk_activation.sto", tmp_path / "s2" / "walk_controls.sto"]
    with pytest.raises(Nem2eError, match=r"would both be written to .*walk_refined\.sto; rename one"):
        plan(activations, tmp_path / "out")


def test_a_trial_without_a_row_is_told(lab):
    text = (lab / "cycles.csv").read_text()
    (lab / "cycles.csv").write_text("\n".join(line for line in text.splitlines() if not line.startswith("ben")) + "\n")
    jobs = plan([lab / f"{name}_activation.sto" for name in WALKS], lab, cycles=str(lab / "cycles.csv"))
    done = list(refine_many(Refiner.load(lab / "lab.refiner"), jobs))
    assert [bool(outcome.error) for outcome in done] == [False, False, True]
    assert "the table of cycles has no row of trial ben_1; add its cycles" in done[2].error
    assert not list(lab.glob("ben_1_refined*"))
    notes = told_once(done)
    assert len(notes) == len(set(notes))


def test_many_need_a_folder(lab):
    files = [str(lab / f"{name}_activation.sto") for name in WALKS]
    done = CliRunner().invoke(app, ["refine", str(lab / "lab.refiner"), *files, "--out", str(lab / "out.sto")])
    assert done.exit_code == 2
    assert "there are 3 recordings, so --out must be a folder" in done.output
    assert not (lab / "out.sto").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("walk_activation.sto", "walk"), ("run_2_states_degrees.sto", "run_2"), ("w_controls.sto", "w"), ("a.sto", "a")],
)
def test_a_recording_is_called_without_its_kind(name, expected, tmp_path):
    assert trial_name(tmp_path / name) == expected
