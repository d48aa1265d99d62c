"""A stranger's folders become a study, cycles and refined activity."""

from __future__ import annotations

from pathlib import Path

import pytest

from nem2e_lib.data.checks import check_study
from nem2e_lib.errors import Nem2eError
from nem2e_lib.report import own_data
from nem2e_lib.report.pipeline import Run


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
