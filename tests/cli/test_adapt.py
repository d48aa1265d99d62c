"""``nem2e adapt`` as someone types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.cycles.segment import save_cycles
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.fitting import fit
from nem2e_lib.rivals import rival
from tests.support.small import make_cycles


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    fit(make_cycles((4, 4, 4)), rival("mean_curve")).save("lab.refiner")
    save_cycles(make_cycles((4,), seed=5).assign_attrs(study="ward"), "anna.nc")
    return tmp_path


def nem2e(*words: str, code: int = 0):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output + repr(done.exception)
    return done


def test_a_refiner_is_adapted_and_says_so_when_looked_at(here):
    done = nem2e("adapt", "lab.refiner", "anna.nc", "--out", "anna.refiner", "--cycles", "3")
    assert "the first 3 of 4 cycles are taken" in done.stderr
    assert "note: " in done.stderr
    assert "ADAPTED TO" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "anna.refiner: adapted to SYNTHETIC s0 of ward with 3 own cycles."
    adapted = Refiner.load("anna.refiner").manifest.outputs[0].adapted
    assert lines[2].split("\t")[0] == "soleus"
    assert lines[2].split("\t")[-1] == f"{adapted.rmse_left_out:.3f}"
    assert "adapted to SYNTHETIC s0 of ward with 3 own cycles" in nem2e("inspect", "anna.refiner").stdout


def test_it_answers_programs(here):
    done = nem2e("adapt", "lab.refiner", "anna.nc", "--out", "anna.refiner", "--json")
    told = json.loads(done.stdout)
    assert told["person"]["cycles"] == 4
    assert set(told["muscles"]) == {"soleus", "tib"}
    assert len(told["muscles"]["tib"]["change"]["shape"]) == 20


def test_a_mistake_is_one_sentence_and_leaves_nothing(here):
    def said(*words: str) -> str:
        return nem2e("adapt", *words, code=2).stderr

    assert "is the refiner that is adapted" in said("lab.refiner", "anna.nc", "--out", "lab.refiner")
    assert "5 own cycles are asked for" in said("lab.refiner", "anna.nc", "-o", "out.refiner", "--cycles", "5")
    people = make_cycles((2, 2))
    save_cycles(people.assign_attrs(study="ward"), "both.nc")
    assert "has cycles of 2 people" in said("lab.refiner", "both.nc", "-o", "out.refiner")
    assert not Path("out.refiner").exists()
    assert np.isfinite(Refiner.load("lab.refiner").predict(people).values).all()
