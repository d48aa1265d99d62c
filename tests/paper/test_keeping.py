"""The refiner of a run: kept with its error, offered beside the pages, applied to a trial."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.synthetic import write_newcomer, write_study
from nem2e_lib.paper import keeping
from nem2e_lib.paper import run as pipeline
from nem2e_lib.refiner import Refiner


def test_a_newcomer_is_in_no_study_of_the_same_seed(tmp_path: Path) -> None:
    files = write_newcomer("walking", tmp_path / "new", seed=3)
    study = write_study("walking", tmp_path / "study", seed=3, subjects=1, speeds=2)
    assert {path.name for path in files.values()} == {"example_activation.sto", "example_emg.sto", "example_grf.mot"}
    new, old = (
        read_storage(path) for path in (files["activation"], study / "activation" / "subject01_slow_activation.sto")
    )
    assert new.labels == old.labels
    assert new.name == "SYNTHETIC activation subject09_slow"
    rows = min(len(new.time), len(old.time))
    assert np.abs(new.values[:rows] - old.values[:rows]).max() > 0.1
    again = write_newcomer("walking", tmp_path / "again", seed=3)
    assert all(files[part].read_bytes() == again[part].read_bytes() for part in files)


def made_run(tmp_path: Path, short: str, **given: str) -> pipeline.Run:
    run = pipeline.Run.begin(str(tmp_path / "run"), "smoke", 0, **given)
    run.segment(short)
    run.train(short, "one_entire")
    return run


@pytest.mark.slow
def test_a_run_of_ones_own_study_keeps_a_refiner_and_shows_its_first_trial(tmp_path: Path) -> None:
    study = write_study("running", tmp_path / "mine", subjects=2, speeds=2)
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace("synthetic = true", "synthetic = false"))
    run = made_run(tmp_path, "mine", study=str(study), name="mine")
    path = keeping.keep(run)
    told = Refiner.load(path).manifest
    assert path == tmp_path / "run" / "refiner" / "mine.refiner"
    assert told.training.held_out_units == 2
    assert not told.synthetic
    trial = keeping.example(run, path)
    assert "trained on this very trial" in trial.told
    table = keeping.errors(trial)
    off = trial.refined.mean.isel(channel=0) - trial.measured["emg"].isel(channel=0).transpose("cycle", "sample").values
    assert table["rmse_refined"][0] == pytest.approx(float(((off**2).mean("sample") ** 0.5).mean()))
    assert keeping.picture(run, trial).entry.files == ("refined_trial.svg", "refined_trial.csv")
    assert "ACTIVATION.sto" in keeping.offer(run, path)
    assert (run.site / "refiner" / "mine.refiner").exists()
    assert not list((run.site / "refiner").glob("example*"))


@pytest.mark.slow
def test_a_refiner_too_large_for_the_pages_stays_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "SMOKE_SIZE", {"subjects": 2, "speeds": 1})
    run = made_run(tmp_path, "running")
    path = keeping.keep(run)
    assert "has never seen" in keeping.example(run, path).told
    monkeypatch.setattr(keeping, "PUBLISHED", 10)
    assert "stays with the run" in keeping.offer(run, path)
    assert not (run.site / "refiner").exists()
    monkeypatch.undo()
    assert "example_activation.sto" in keeping.offer(run, path)
