from __future__ import annotations

import json
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.cycles.segment import load_cycles
from tests.support import lab

GOOD = "walk\nversion=1\nnRows=2\nnColumns=3\ninDegrees=yes\nendheader\ntime\ta\tb\n0\t1\t2\n0.1\t3\t4\n"


def nem2e(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "x.sto"
    path.write_text(GOOD)
    return path


def test_version():
    assert nem2e("--version").stdout == f"nem2e {version('nem2e')}\n"


def test_inspect_as_json(table):
    facts = json.loads(nem2e("inspect", table, "--json").stdout)
    assert facts == {
        "kind": "OpenSim table",
        "name": "walk",
        "rows": 2,
        "columns": 3,
        "time_start": 0.0,
        "time_end": 0.1,
        "in_degrees": True,
        "labels": ["a", "b"],
        "warnings": [],
    }


def test_inspect_as_text(table):
    table.write_text(GOOD.replace("nRows=2", "nRows=3"))
    told = nem2e("inspect", table).stdout
    assert "rows        2\n" in told
    assert "labels (2)\n  a\n  b\n" in told
    assert "The header states 3 rows, but 2 were found and read." in told


@pytest.mark.parametrize("arguments", [("inspect", "no.sto"), ("study", "segment", "nowhere")])
def test_a_mistake_is_one_sentence(arguments):
    result = nem2e(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("nem2e: ")
    assert result.stderr.count("\n") == 1


def test_check(study_folder):
    result = nem2e("study", "check", study_folder)
    assert result.exit_code == 0
    assert "no problem found" in result.stdout
    assert "knee_angle_r_reserve" in result.stdout


def test_check_lists_problems(study_folder):
    (study_folder / "s1_slow_emg.sto").unlink()
    (study_folder / "s2_fast_grf.mot").unlink()
    result = nem2e("study", "check", study_folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line[:7] for line in result.stderr.splitlines()] == ["nem2e: ", "nem2e: "]
    result = nem2e("study", "check", study_folder, "--json")
    assert result.exit_code == 2
    facts = json.loads(result.stdout)
    assert facts["ok"] is False
    assert len(facts["problems"]) == 2


def test_segment(study_folder, tmp_path):
    (study_folder / "cycles.csv").write_text("trial,cycle,start_s,end_s\ns1_slow,0,0.2,1.2\n")
    out, report = tmp_path / "c.nc", tmp_path / "segments.csv"
    result = nem2e("study", "segment", study_folder, "--out", out, "--report", report)
    assert result.exit_code == 0
    assert result.stdout == f"{out}: cycles 1, muscles 4, channels 2; skipped 3.\n"
    assert result.stderr.count("skipped: trial ") == 3
    assert load_cycles(out).sizes["cycle"] == 1
    assert len(report.read_text().splitlines()) == 5


def test_a_failed_segment_leaves_nothing(study_folder, tmp_path):
    (study_folder / "s1_slow_emg.sto").write_text(GOOD)
    out = tmp_path / "c.nc"
    assert nem2e("study", "segment", study_folder, "--out", out).exit_code == 2
    assert not out.exists()


def test_a_model_decides_what_is_a_muscle(tmp_path):
    folder = lab.study(tmp_path / "lab", act=lab.beside(lab.activation(), {"mine_r": 0.5, "thing": 0.1}))
    told = json.loads(nem2e("study", "check", folder, "--json").stdout)
    assert any(
        "left out because no family of models names a muscle so (2): mine_r, thing" in note for note in told["notes"]
    )
    osim = lab.model(tmp_path / "m.osim", [*lab.MUSCLES, "mine_r"], {"thing": "PathActuator"})
    notes = json.loads(nem2e("study", "check", folder, "--model", osim, "--json").stdout)["notes"]
    assert len(notes) == 1
    assert "columns not taken for muscles (1): thing (PathActuator); taken are 9" in notes[0]
    nem2e("study", "segment", folder, "--model", osim, "--out", tmp_path / "c.nc")
    assert list(load_cycles(tmp_path / "c.nc").muscle.values) == [*lab.MUSCLES, "mine_r"]
    assert nem2e("study", "check", folder, "--model", tmp_path / "no.osim").stderr.endswith(
        "check the path and its spelling.\n"
    )
