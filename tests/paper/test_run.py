"""Where a run lies."""

from __future__ import annotations

from pathlib import Path

from nem2e_lib.project import project


def test_the_project_is_the_librarys_or_the_nearest_around_the_notebook(tmp_path: Path) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "site-packages"
    notebooks = checkout / "notebooks"
    for folder in (notebooks, elsewhere):
        folder.mkdir(parents=True)
    (checkout / "paper.mk").touch()
    assert project(checkout, elsewhere) == checkout
    assert project(elsewhere, notebooks) == checkout
    assert project(elsewhere, elsewhere) == elsewhere
