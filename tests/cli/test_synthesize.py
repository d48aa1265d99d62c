"""``nem2e synthesize``."""

import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import Knobs, Knobs1, write_study

SMALL = ["--subjects", "1", "--speeds", "1"]


def run(*arguments):
    return CliRunner().invoke(app, ["synthesize", *map(str, arguments)])


def test_it_writes_what_write_study_writes(tmp_path):
    result = run("walking", "--out", tmp_path / "a", "--seed", 3, "--knob", "delay_ms=100", *SMALL)
    assert result.exit_code == 0, result.output
    assert "SYNTHETIC walking, 1 subjects, 1 trials, 1 cycles" in result.output
    write_study("walking", tmp_path / "b", Knobs(delay_ms=100.0), 3, subjects=1, speeds=1)
    trials = [load_study(tmp_path / name).trials for name in "ab"]
    first, second = (read_storage(folder[0].activation) for folder in trials)
    assert (first.values == second.values).all()


def test_the_generator_before_is_written_by_its_number(tmp_path):
    result = run("walking", "--out", tmp_path / "a", "--generator", 1, "--knob", "delay_ms=100", *SMALL)
    assert result.exit_code == 0, result.output
    write_study("walking", tmp_path / "b", Knobs1(delay_ms=100.0), subjects=1, speeds=1)
    first, second = (sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--knob", "dealy_ms=1"), "'dealy_ms' is not a knob; choose one of delay_ms"),
        (("--knob", "delay_ms=soon"), "'soon' is not a number"),
        (("--knob", "delay_ms"), "'' is not a number"),
        (("--knob", "delay_ms=nan"), "delay_ms is nan"),
        (("--seed", "-1"), "the seed is -1"),
        (("--generator", "3"), "generator 3 is unknown, expected 1 or 2"),
        (("--generator", "1", "--knob", "emg_curve=1"), "'emg_curve' is not a knob; choose one of delay_ms"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(arguments, words, tmp_path):
    result = run("walking", "--out", tmp_path / "a", *arguments, *SMALL)
    assert result.exit_code == 2
    assert words in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "a").exists()
