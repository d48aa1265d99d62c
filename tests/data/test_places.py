"""Paths that people type: found as they are meant, or told in what they differ."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from nem2e_lib.data.places import place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("s1/act.sto", "s1/Walk 01 fast.sto", "M\u00fcller/\u00fc.sto", 'Anna\'s/a "b".sto'):
        (tmp_path / "study" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "study" / name).touch()
    (tmp_path / "outside.sto").touch()
    return tmp_path / "study"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("s1/act.sto", "s1/act.sto"),
        ("s1\\act.sto", "s1/act.sto"),
        (".\\s1\\act.sto", "s1/act.sto"),
        ("s1//act.sto", "s1/act.sto"),
        ("s1/x/../act.sto", "s1/act.sto"),
        (unicodedata.normalize("NFD", "M\u00fcller/\u00fc.sto"), "M\u00fcller/\u00fc.sto"),
        ('Anna\'s\\a "b".sto', 'Anna\'s/a "b".sto'),
    ],
)
def test_the_file_that_is_meant(folder: Path, text: str, name: str) -> None:
    file, problem = place(folder, text)
    assert problem == ""
    assert file.samefile(folder / name)


def test_a_file_that_really_has_a_backslash_in_its_name_wins(folder: Path) -> None:
    for name in ("s1\\act.sto", "C:\\data.sto"):
        (folder / name).touch()
        assert place(folder, name) == (folder / name, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("S1/act.sto", "there is 's1/act.sto': letter case differs; correct it."),
        ("s1\\ACT.sto", "there is 's1/act.sto': letter case differs; correct it."),
        ("s1/Walk01 fast.sto", "there is 's1/Walk 01 fast.sto': blanks differ; correct it."),
        ("s1/Walk\u00a001 fast.sto", "there is 's1/Walk 01 fast.sto': blanks differ; correct it."),
        ("M\u00dcLLER/\u00fc.sto", "there is 'M\u00fcller/\u00fc.sto': letter case differs; correct it."),
        ("s1/act.mot", "there is no such file in {}: 's1' has no 'act.mot'; did you mean 'act.sto'?"),
        ("s01/act.sto", "there is no such file in {}; did you mean 's1'?"),
        ("nowhere/at/all.sto", "there is no such file in {}; check its spelling."),
        ("s1", "this is a folder in {}, and a file is expected."),
        ("s1/" + 300 * "x", "there is no such file in {}: 's1' has no '" + 300 * "x" + "'; check its spelling."),
        ("..\\outside.sto", "a path inside the study folder is expected, with / between folders."),
        ("../outside.sto", "a path inside the study folder is expected, with / between folders."),
        ("s1\\..\\..\\outside.sto", "a path inside the study folder is expected, with / between folders."),
        ("C:\\data\\act.sto", "a path inside the study folder is expected, with / between folders."),
        ("\\\\server\\act.sto", "a path inside the study folder is expected, with / between folders."),
        ("/s1/act.sto", "a path inside the study folder is expected, with / between folders."),
        ("s1/\0act.sto", "a path inside the study folder is expected, with / between folders."),
    ],
)
def test_what_is_wrong_is_named(folder: Path, text: str, problem: str) -> None:
    assert place(folder, text)[1] == problem.format(folder)


def test_two_files_that_differ_in_case_only_are_not_chosen_between(folder: Path) -> None:
    (folder / "s1/ACT.sto").touch()
    assert place(folder, "s1/Act.sto")[1].startswith("there is no such file")
    assert place(folder, "s1/ACT.sto")[1] == ""
