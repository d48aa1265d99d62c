"""How far a trial has come, from its log."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nem2e_lib.simulate import SimulatedTrial, batch, simulate
from nem2e_lib.simulate.runner import Outcome, reached, shorten

REDUCTION = "[info] Loaded model\nnem2e: residual reduction of a, b, 1.0000 to 3.0000 s\n"
CONTROL = "nem2e: computed muscle control of a, 2.0000 to 3.0000 s\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[info] Loaded model a\n", ""),
        (REDUCTION, "residual reduction"),
        (f"{REDUCTION}[info] CMC::computeControls, t = 1.5000000000000004\n", "residual reduction 25 %"),
        (f"{REDUCTION}[info] CMC::computeControls, t = 2.9\n{CONTROL}", "computed muscle control"),
        (f"{CONTROL}[info] CMC::computeControls, t = 2.001\n[info] x = 3\n", "computed muscle control 0 %"),
        ("nem2e: static optimisation of a, -0.5000 to 0.5000 s\ntime = -2.5e-1 Performance = 3\n", "optimisation 25 %"),
        ("nem2e: inverse dynamics of a, 0.0000 to 1.0000 s\ntime = 0.5\n", "inverse dynamics"),
    ],
)
def test_the_last_step_and_its_share(tmp_path, text, told):
    (tmp_path / "log.txt").write_text(text)
    assert reached(tmp_path / "log.txt").endswith(told)
    assert bool(told) == bool(reached(tmp_path / "log.txt"))


def test_a_log_that_is_not_there_yet_tells_nothing(tmp_path):
    assert reached(tmp_path / "log.txt") == ""


def test_the_log_keeps_one_line_on_missing_meshes(tmp_path):
    lost = "[warning] Couldn't find file '{}.vtp'.\n"
    (tmp_path / "log.txt").write_text(f"[info] a\n{lost.format('sacrum')}{lost.format('femur')}[info] b\n")
    shorten(tmp_path / "log.txt")
    kept = (tmp_path / "log.txt").read_text().splitlines()
    assert kept[0] == "[warning] Couldn't find file 'sacrum.vtp'."
    assert kept[1] == "nem2e: 1 more lines on meshes that are not there were left out"
    assert kept[2:] == ["[info] a", "[info] b"]
    shorten(tmp_path / "gone.txt")


def test_long_work_shows_where_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(batch, "require", lambda: None)
    monkeypatch.setattr(batch, "_beat", lambda: 0.05)
    (tmp_path / "model.osim").write_text("<OpenSimDocument/>")

    def run(job):
        job.folder.mkdir(parents=True)
        job.log.write_text(f"{CONTROL}[info] CMC::computeControls, t = 2.4\n")
        time.sleep(0.5)
        return Outcome("walk", "failed", reason="no")

    with ThreadPoolExecutor(1) as pool:
        simulate([SimulatedTrial("walk")], tmp_path / "model.osim", tmp_path / "out", run=run, executor=pool)
    assert "walk: computed muscle control 40 %" in capsys.readouterr().err
