"""The refiner of a run: kept with its error, offered beside the pages, applied to a trial."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import write_newcomer, write_study
from nem2e_lib.figures.recording import refined_trial
from nem2e_lib.paper import keeping
from nem2e_lib.paper import run as pipeline
from nem2e_lib.refiner import Refiner, train


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
    return run


def kept(run: pipeline.Run, study: str) -> Path:
    """The run's refiner, as the notebook makes it."""
    results = run.train(study, "one_entire")
    settings, store = load_study(run.studies[study]).settings, run.of(study, "models")
    refiner = train(run.cycles(study), "one_entire", run.configuration, results=results, store=store, settings=settings)
    path = run.folder / keeping.FOLDER / f"{study}.refiner"
    path.parent.mkdir(parents=True)
    return refiner.save(path, "float16")


@pytest.mark.slow
def test_a_run_of_ones_own_study_keeps_a_refiner_and_shows_its_first_trial(tmp_path: Path) -> None:
    study = write_study("running", tmp_path / "mine", subjects=2, speeds=2)
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace("synthetic = true", "synthetic = false"))
    run = replace(made_run(tmp_path, "mine", study=str(study), name="mine"), page="09_refine")
    path = kept(run, "mine")
    refiner = Refiner.load(path)
    assert (refiner.manifest.training.held_out_units, refiner.manifest.training.profile) == (2, "smoke")
    assert not refiner.manifest.synthetic
    assert "What it covers cannot be measured on them." in keeping.bands(run, refiner.manifest)
    trial = keeping.example(run, "mine")
    assert "trained on this very trial" in trial.told
    refined = refiner.refine(trial.activation, grf=trial.grf, cycles=trial.cycles, definition="right-right")
    assert not any("taken to run" in note for note in refined.notes)
    emg = trial.measured(refined)["emg"]
    off = refined.mean.isel(channel=0) - emg.isel(channel=0).transpose("cycle", "sample").values
    told = refined.errors(emg)["rmse_refined"][0]
    assert told == pytest.approx(float(((off**2).mean("sample") ** 0.5).mean()))
    drawn = refined_trial(refined, trial.measured(refined)["emg_waveform"])
    assert run.show(drawn, "refined_trial").entry.files == ("refined_trial.svg", "refined_trial.csv.zip")
    assert "ACTIVATION.sto" in keeping.offer(run, path)
    assert (run.site / "refiner" / "mine.refiner").exists()
    assert not list((run.site / "refiner").glob("example*"))


@pytest.mark.slow
def test_a_refiner_too_large_for_the_pages_stays_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "SMOKE_SIZE", {"subjects": 2, "speeds": 1})
    run = made_run(tmp_path, "running")
    path = kept(run, "running")
    trial = keeping.example(run, "running")
    assert "has never seen" in trial.told
    refined = Refiner.load(path).refine(trial.activation, grf=trial.grf, cycles=trial.cycles)
    emg = trial.measured(refined)
    assert emg["emg"].dims == ("cycle", "sample", "channel")
    assert np.isfinite(emg["emg_waveform"]).all()
    monkeypatch.setattr(keeping, "PUBLISHED", 10)
    assert "stays with the run" in keeping.offer(run, path)
    assert not (run.site / "refiner").exists()
    monkeypatch.undo()
    assert "example_activation.sto" in keeping.offer(run, path)
