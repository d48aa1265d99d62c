"""``make paper`` takes folders by any name, and says what it cannot take, before anything runs."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

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
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", "-n", *arguments], cwd=ROOT, env=inherited, capture_output=True, text=True, check=False
    )


def words(done: subprocess.CompletedProcess[str], of: str) -> list[str]:
    """Words of the command that the shell would start, of the first line that holds this text."""
    assert done.returncode == 0, done.stderr
    return shlex.split(next(line for line in done.stdout.splitlines() if of in line))


@pytest.mark.parametrize("name", NAMES)
def test_a_study_and_a_folder_of_figures_go_by_any_name(tmp_path, name):
    study, out = tmp_path / name, tmp_path / f"out of {name}"
    study.mkdir()
    (study / "study.toml").touch()
    done = planned("paper", f"STUDY={study}", f"OUT={out}", f"BUILD={tmp_path / 'build'}")
    begun = words(done, "notebooks/01_download.ipynb")
    assert begun[begun.index("study") + 1] == str(study)
    assert words(done, "finish publish")[5] == str(out)
    assert words(done, "/index.html")[-1] == f"Open {out}/index.html"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("STUDY=Anna's", "STUDY=Anna's holds no study.toml"),
        ("BUILD=it's", "BUILD=it's has a sign in it"),
        ("SEED=1'2", "SEED=1'2 is not a whole number"),
        ("PROFILE=demo smoke", "PROFILE=demo smoke is not a profile"),
    ],
)
def test_what_cannot_be_taken_is_told(asked, sentence):
    done = planned("paper", asked)
    assert done.returncode != 0
    assert sentence in done.stderr
