"""docs/add_your_method.md does what it says: its code is run, and its output compared with what it shows."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.cli.leaderboard import FILES
from nem2e_lib.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "add_your_method.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"[+−]?\d+\.\d+")
NEAR = 0.005
"""Er is shown with three digits, and machines round otherwise."""


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, flags=re.M | re.S)


def numbers(line: str) -> list[float]:
    return [float(each.replace("−", "-")) for each in NUMBER.findall(line)]


def test_the_page_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    *code, session = blocks("python")
    text = "\n\n".join(code)
    assert sum(bool(line.strip()) for line in code[0].splitlines()) <= 11
    Path("my_methods.py").write_text(text)
    commands = [line for line in blocks("sh")[0].splitlines() if line]
    for line in commands:
        program, *words = shlex.split(line)
        assert program == "nem2e"
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
    sys.modules.pop("my_methods", None)
    said, given = blocks("text")[0].splitlines(), done.stdout.splitlines()
    assert len(said) == len(given)
    for lines in zip(given, said, strict=True):
        ours, theirs = (re.sub(r"\s+\d+\.\d$", "", line) for line in lines)  # without seconds
        assert NUMBER.sub("", ours).split() == NUMBER.sub("", theirs).split()
        assert numbers(ours) == pytest.approx(numbers(theirs), abs=NEAR)
    names: dict[str, object] = {}
    exec(compile(text + "\n" + session, "page", "exec"), names)
    table = errors(names["results"])
    by_page = next(numbers(line)[0] for line in said if "Gain" in line)
    electrodes = table.groupby(["label", "electrode"])["er"].mean()
    assert electrodes.groupby("label").mean().mean() == pytest.approx(by_page, abs=NEAR)


def test_the_page_names_every_file_option_and_place():
    assert set(re.findall(r"^\| `(\w+\.\w+)` \|", PAGE, flags=re.M)) == set(FILES)
    options = set(re.findall(r"^\| `(--[\w-]+)` \|", PAGE, flags=re.M))
    assert options == {"--add", "--methods", "--results", "--inputs", "--out", "--json"}
    assert "docs/add_your_method.md" in (ROOT / "README.md").read_text()
    assert "add_your_method.md" in (ROOT / "docs" / "architecture.md").read_text()
