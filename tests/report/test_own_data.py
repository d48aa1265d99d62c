"""A stranger's folders become a study, cycles and refined activity."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from nem2e_lib.data.checks import check_study
from nem2e_lib.data.template import new_study
from nem2e_lib.errors import Nem2eError
from nem2e_lib.report import own_data
from nem2e_lib.report.pipeline import Run
from tests import realdata


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("run"), "smoke", 0, {})


@pytest.fixture(scope="module")
def study(run: Run) -> Path:
    return own_data.begin(run, own_data.files(run), motion="running")[0]


def test_the_example_becomes_a_sound_study_that_says_synthetic(run: Run, study: Path) -> None:
    assert check_study(study) == []
    assert "synthetic = true" in (study / "study.toml").read_text()
    assert "SYNTHETIC" in (run.site / "own_trials.html").read_text()
    told = own_data.check(study)
    assert "1 of 24 cycles are skipped" in told
    assert str(study.parent) not in told


def test_cycles_and_errors_are_those_of_the_example(run: Run, study: Path) -> None:
    cycles, pictures = own_data.cut(run, study)
    assert (cycles.sizes["cycle"], cycles.sizes["channel"]) == (23, 5)
    assert len(pictures) == 2
    own_data.refine(run, cycles, "one_entire", units=4, updates=8)
    rows = (run.site / "own_errors.csv").read_text().splitlines()
    assert len(rows) == 1 + 5
    assert "Figure 3" not in (run.site / "own_refined.svg").read_text()


def test_a_study_that_is_there_is_used_as_it_is(run: Run, study: Path, tmp_path: Path) -> None:
    given = own_data.Files(tmp_path, tmp_path, None, synthetic=False)
    before = (study / "study.toml").read_bytes()
    folder, _ = own_data.begin(run, given, str(study), "walking")
    assert (folder / "study.toml").read_bytes() == before


def test_half_of_the_folders_or_a_wrong_study_is_refused(run: Run, study: Path, tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match="name both"):
        own_data.files(run, activation=str(tmp_path))
    (tmp_path / "study.toml").write_text((study / "study.toml").read_text())
    with pytest.raises(Nem2eError, match=r"trials\.csv"):
        own_data.check(tmp_path)


REAL = pytest.mark.skipif(not os.environ.get("NEM2E_REALDATA"), reason="NEM2E_REALDATA is not set")


@REAL
@pytest.mark.realdata
def test_real_running_goes_through(run: Run, tmp_path: Path) -> None:
    made = realdata.build(tmp_path / "study")
    given = own_data.Files(made / "activation", made / "emg", made / "grf", synthetic=False)
    folder, _ = own_data.begin(run, given, str(made))
    assert "No problem found." in own_data.check(folder)
    cycles, pictures = own_data.cut(run, folder)
    assert len(set(cycles.speed.values.tolist())) == 4
    assert cycles.sizes["channel"] == 11
    assert "SYNTHETIC" not in pictures[0].entry.title
    saved = own_data.refine(run, cycles, "one_entire", units=4, updates=8)
    assert saved[-1].entry.title == "Improvement rate of each muscle"


@REAL
@pytest.mark.realdata
def test_real_walking_whose_simulation_is_too_short_is_told_so(run: Run, tmp_path: Path) -> None:
    source, files = Path(os.environ["NEM2E_REALDATA"]) / "opensim_core_walk", tmp_path / "files"
    files.mkdir()
    for name in ("moco_inverse_18muscles_solution.sto", "electromyography.sto", "grf_walk.mot"):
        shutil.copy(source / name, files)
    new_study(files)
    trials = (files / "trials.csv").read_text().replace("18muscles,,,", "walk,s1,free,")
    (files / "trials.csv").write_text(trials)
    text = (files / "study.toml").read_text().replace('motion = ""', 'motion = "walking"')
    (files / "study.toml").write_text(text)
    with pytest.raises(Nem2eError, match=r"'walk' has no usable gait cycle \(incomplete: activation starts at 0.45"):
        own_data.check(files)
