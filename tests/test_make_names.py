"""``make paper`` takes folders by any name, and says what it cannot take, before anything runs."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.making import make

ROOT = Path(__file__).resolve().parents[1]
NAMES = (
    "Anna's study",
    'Jürgen "J" Müller',
    "costs$b $(HOME)",
    "x, y (z); rm",
    "-dash",
    "hash#tag %",
    "two  blanks",
    r"back\slash",
    "tick`id`",
)


def planned(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What make would run."""
    return make("-n", *arguments)


def words(done: subprocess.CompletedProcess[str], of: str) -> list[str]:
    """Words of the command that the shell would start, of the first line that holds this text."""
    assert done.returncode == 0, done.stderr
    return shlex.split(next(line for line in done.stdout.splitlines() if of in line))


def published_to(done: subprocess.CompletedProcess[str]) -> str:
    """The folder that the site would be published to: after the run's own."""
    said = words(done, "finish publish")
    return said[said.index("publish") + 2]


@pytest.mark.parametrize("name", NAMES)
def test_a_study_and_a_folder_of_figures_go_by_any_name(tmp_path, name):
    study, out = tmp_path / name, tmp_path / f"out of {name}"
    study.mkdir()
    (study / "study.toml").touch()
    done = planned("paper", f"STUDY={study}", f"OUT={out}", f"BUILD={tmp_path / 'build'}")
    begun = words(done, "notebooks/01_download.ipynb")
    assert begun[begun.index("study") + 1] == str(study)
    assert published_to(done) == str(out)
    assert words(done, "/index.html")[-1] == f"Open {out}/index.html"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("STUDY=Anna's", "STUDY=Anna's holds no study.toml"),
        ("BUILD=it's", "BUILD=it's has a sign in it"),
        ("SEED=1'2", "SEED=1'2 is not a whole number"),
        ("PROFILE=demo smoke", "PROFILE=demo smoke is not a profile"),
        ("DATA=closed", "DATA=closed is not known: DATA=open takes the open recordings of real people"),
        ("DATA=o'pen $x", "DATA=o'pen $x is not known"),
        ("DATA=synthetic-1 STUDY=mine", "DATA=synthetic-1 and STUDY=mine are two choices of studies"),
        ("DATA=synthetic-1 SIMULATE=1", "SIMULATE=1 simulates the open recordings and needs DATA=open"),
        ("DATA=open STUDY=mine", "DATA=open and STUDY=mine are two choices of studies"),
        ("DATA=open SIMULATE=yes", "SIMULATE=yes is neither 0 nor 1"),
        ("SIMULATE=1", "SIMULATE=1 simulates the open recordings and needs DATA=open"),
        ("DATA=open PROFILE=smoke OUT=figures/people", "never writes into figures/"),
    ],
)
def test_what_cannot_be_taken_is_told(asked, sentence):
    done = planned("paper", *re.split(r" (?=[A-Z]+=)", asked))
    assert done.returncode != 0
    assert sentence in done.stderr


def test_open_recordings_have_a_run_and_a_site_of_their_own(tmp_path):
    done = planned("paper", "DATA=open", f"BUILD={tmp_path}")
    begun = words(done, "notebooks/01_download.ipynb")
    assert begun[begun.index("data") + 1] == "open"
    assert begun[begun.index("simulate") + 1] == "False"
    assert begun[begun.index("folder") + 1] == f"{tmp_path}/open-demo-seed0"
    trained = [line for line in done.stdout.splitlines() if "notebooks/03_train.ipynb" in line]
    assert [sum(f"-p study {study} " in line for line in trained) for study in ("children", "runner")] == [3, 3]
    assert published_to(done) == "figures/people"
    assert "11_own_data" not in done.stdout


def test_the_generator_before_has_a_run_and_a_site_of_its_own(tmp_path):
    done = planned("paper", "DATA=synthetic-1", f"BUILD={tmp_path}")
    begun = words(done, "notebooks/01_download.ipynb")
    assert begun[begun.index("data") + 1] == "synthetic-1"
    assert begun[begun.index("folder") + 1] == f"{tmp_path}/synthetic-1-demo-seed0"
    assert published_to(done) == f"{tmp_path}/synthetic-1-demo-seed0/figures"
    assert "notebooks/11_own_data" in done.stdout
    assert "17_people" not in done.stdout


def test_simulating_anew_gets_what_it_needs_first(tmp_path):
    done = planned("paper", "DATA=open", "SIMULATE=1", f"BUILD={tmp_path}", "-W", "requirements-extra.lock")
    begun = words(done, "notebooks/01_download.ipynb")
    assert begun[begun.index("simulate") + 1] == "True"
    assert "requirements-extra.lock" in done.stdout
