"""``nem2e fetch``: what it shows, fetches and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nem2e_lib.cli.main import app


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and an empty folder in place of the network."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("NEM2E_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NEM2E_REALDATA", str(tmp_path / "empty"))
    monkeypatch.delenv("NEM2E_MIRROR", raising=False)
    return tmp_path


def nem2e(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_list_shows_the_sets_and_their_files_and_fetches_nothing(alone: Path) -> None:
    told = nem2e("fetch", "--list").stdout
    assert "children_walk: 36 files, 53.0 MB, MIT\n" in told
    assert "  people   12\n" in told
    assert "Hamner SR, Delp SL (2013) J Biomech 46:780-787" in told
    assert len([line for line in told.splitlines() if line.startswith("    ")]) == 51
    assert not (alone / "cache").exists()


def test_list_as_json() -> None:
    facts = json.loads(nem2e("fetch", "--list", "--json", "HC030A").stdout)
    assert [(row["set"], row["people"], row["files"]) for row in facts["sets"]] == [("children_walk", 12, 3)]
    assert [file["size"] for file in facts["files"]] == [1_834_048, 1_158_064, 2_970_112]


@pytest.mark.parametrize(
    ("name", "told"),
    [("*.osim", "nem2e: Not fetched: hamner_subject01/model/"), ("nobody", "nem2e: 'nobody': no open")],
)
def test_what_cannot_be_fetched_is_one_sentence(name: str, told: str) -> None:
    result = nem2e("fetch", name)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("nem2e: ")]
    assert line.startswith(told)


def test_files_are_laid_out(alone: Path, realdata: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEM2E_REALDATA", str(realdata))
    result = nem2e("fetch", "HC030A", "*.osim", "--out", alone / "out")
    assert result.stdout == f"{alone / 'out'}: 4 files, 6.7 MB.\n"
    files = [path.relative_to(alone / "out") for path in (alone / "out").rglob("*") if path.is_file()]
    assert len(files) == 4
    assert all((alone / "out" / path).read_bytes() == (realdata / path).read_bytes() for path in files)
