"""Trials in processes of their own: with a stand-in for OpenSim that really is another process."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import pandas as pd
import pytest

from nem2e_lib.cli.simulate import show_table
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate import batch, osim
from nem2e_lib.simulate.batch import make_jobs, simulate
from nem2e_lib.simulate.manifest import (
    all_done,
    base_key,
    is_done,
    judged,
    mark_done,
    read_manifest,
    step_key,
    write_manifest,
)
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.prepare import MESHES
from nem2e_lib.simulate.runner import Outcome, keep_violations, read_job, run_job, tail, write_job
from nem2e_lib.simulate.trial import SimulatedTrial, read_trials

STAND_IN = """
import json, sys, time
from pathlib import Path
job = json.loads(Path(sys.argv[1]).read_text())
folder = Path(job["folder"])
print("[info] computing", job["trial"]["trial"])
print("[warning] Couldn't find file 'bone.vtp'.")
name = job["trial"]["trial"]
if name.startswith("crash"):
    print("[error] it broke down", flush=True)
    sys.exit(7)
if name.startswith("mistake"):
    (folder / "outcome.json").write_text(json.dumps({"status": "failed", "reason": "no muscle.", "notes": []}))
    sys.exit(2)
if name.startswith("slow"):
    print("[info] still computing", flush=True)
    time.sleep(60)
(folder / "outcome.json").write_text(json.dumps({"status": "done", "reason": "", "notes": ["odd"]}))
"""


@pytest.fixture
def run(tmp_path):
    """`run_job` with a stand-in for the worker."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    return partial(run_job, command=(sys.executable, str(tmp_path / "stand_in.py")))


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.osim").write_text("<OpenSimDocument/>")
    return tmp_path / "model.osim"


@pytest.fixture
def with_opensim(monkeypatch):
    monkeypatch.setattr(batch, "require", lambda: None)


def trials(motion, *names):
    return [SimulatedTrial(name, motion=motion) for name in names]


def job(tmp_path, model, motion_file, name="walk", **options):
    return make_jobs(trials(motion_file, name), model, tmp_path / "out", ["so"], Options(**options))[0]


def test_a_failed_trial_is_named_while_others_go_on(run, model, motion_file, tmp_path, with_opensim, monkeypatch):
    monkeypatch.setattr(batch, "summary", lambda folder: {"verdict": "good"})
    table = simulate(
        trials(motion_file, "crash", "a", "mistake", "b"),
        model,
        tmp_path / "out",
        steps=["so"],
        run=run,
        progress=False,
        workers=2,
    )
    status = dict(zip(table["trial"], table["status"], strict=True))
    assert status == {"crash": "failed", "a": "done", "mistake": "failed", "b": "done"}
    crash = table.set_index("trial").loc["crash"]
    assert "ended with code 7" in crash["reason"]
    assert crash["log_tail"].splitlines()[-1] == "[error] it broke down"
    assert "vtp" not in crash["log_tail"]
    mistake = table.set_index("trial").loc["mistake"]
    assert (mistake["reason"], mistake["mistake"], mistake["log_tail"]) == ("no muscle.", True, "")
    assert not crash["mistake"]
    assert (tmp_path / "out" / "simulations.csv").read_text().count(",failed,") == 2
    assert "computing a" in (tmp_path / "out" / "a" / "log.txt").read_text()


def test_exit_codes_tell_a_mistake_from_a_failure(capsys):
    told = {"status": "failed", "reason": "no muscle.", "mistake": True, "log_tail": "", "log": "a/log.txt"}
    mistake, failure = {"trial": "a", **told}, {"trial": "b", **told, "mistake": False, "log_tail": "[error] broke"}
    done = {"trial": "c", "status": "done", "verdict": "good", "seconds": 1.0, "notes": "", "activation": ""}
    codes = [show_table(pd.DataFrame(rows), False) for rows in ([mistake], [failure], [mistake, failure])]
    assert codes == [2, 1, 1]
    assert "nem2e: Trial 'a': no muscle.\n    log: a/log.txt\n" in capsys.readouterr().err
    assert show_table(pd.DataFrame([{**done, "mistake": False}]), False) == 0


def test_the_executor_may_be_any(run, model, motion_file, tmp_path, with_opensim, monkeypatch):
    monkeypatch.setattr(batch, "summary", lambda folder: {"verdict": "good"})
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # JAX has run here: a fork would lock up
        table = simulate(
            trials(motion_file, "a"), model, tmp_path / "out", steps=["so"], run=run, executor=pool, progress=False
        )
    assert table["status"].tolist() == ["done"]
    assert table["notes"].tolist() == ["odd"]


def test_a_trial_is_stopped_after_its_time_limit(run, model, motion_file, tmp_path):
    started = time.monotonic()
    outcome = run(job(tmp_path, model, motion_file, "slow", time_limit_s=2.0))
    assert outcome.status == "failed"
    assert "time limit of 2 s" in outcome.reason
    assert outcome.tail[-1] == "[info] still computing"
    assert time.monotonic() - started < 50


def test_meshes_that_a_model_lacks_are_told_once(model, motion_file, tmp_path, with_opensim, monkeypatch):
    monkeypatch.setattr(batch, "summary", lambda folder: {"verdict": "good"})
    lacks, odd = f"model.osim: 79 of 79 {MESHES} are not there.", "Its own."
    table = simulate(
        trials(motion_file, "a", "b"),
        model,
        tmp_path / "out",
        steps=["so"],
        run=lambda job: Outcome(job.trial.trial, "done", notes=(lacks, odd)),
        progress=False,
    )
    assert table["notes"].tolist() == [f"{lacks} {odd}", odd]


def test_another_mass_of_a_set_up_is_told_before_anything_runs(model, tmp_path, with_opensim, monkeypatch, capsys):
    monkeypatch.setattr(batch, "summary", lambda folder: {"verdict": "good"})
    for name, text in (("scale.xml", "<ScaleTool><mass>45.8</mass></ScaleTool>"), ("static.trc", "")):
        (tmp_path / name).write_text(text)
    told = []

    def run(job):
        told.append(capsys.readouterr().err)
        return Outcome(job.trial.trial, "done")

    child = SimulatedTrial("child", static=tmp_path / "static.trc", mass_kg=32.1)
    options = Options(setups={"scale": str(tmp_path / "scale.xml")})
    with ThreadPoolExecutor(1) as pool:
        simulate([child], model, tmp_path / "out", steps=["scale"], options=options, executor=pool, run=run)
    assert "its <mass> of 45.8 kg is not used, for mass_kg of the trial is 32.1 kg" in told[0]


def test_an_executor_that_breaks_fails_the_trial_only(model, motion_file, tmp_path, with_opensim):
    def broken(job):
        raise OSError("no space left")

    table = simulate(trials(motion_file, "a"), model, tmp_path / "out", steps=["so"], run=broken, progress=False)
    assert table["status"].tolist() == ["failed"]
    assert "no space left" in table["reason"][0]


def finish(made):
    """Leave the folder of a job as a finished simulation does."""
    base = base_key(made.trial, made.model, made.options)
    (made.folder / "so").mkdir(parents=True)
    (made.folder / "so" / "activation.sto").write_text("a")
    mark_done(made.folder, "so", step_key(base, "so", made.steps), 1.0)
    told = {**judged(made.steps, made.trial.leg), "notes": ["seen"]}
    write_manifest(made.folder, {**read_manifest(made.folder), **told})


def test_a_finished_trial_is_skipped(run, model, motion_file, tmp_path):
    made = job(tmp_path, model, motion_file, "crash")
    finish(made)
    assert run(made) == Outcome("crash", "skipped", notes=("seen",))


@pytest.mark.parametrize("change", ["motion", "option", "result", "step"])
def test_whatever_a_result_depends_on_makes_it_be_computed_again(model, motion_file, tmp_path, change):
    made = job(tmp_path, model, motion_file)
    finish(made)
    assert all_done(made.folder, base_key(made.trial, made.model, made.options), made.steps)
    if change == "motion":
        motion_file.write_text(motion_file.read_text() + "\n")
    elif change == "option":
        made = replace(made, options=Options(strength=2))
    elif change == "result":
        (made.folder / "so" / "activation.sto").write_text("b")
    else:
        made = replace(made, steps=("rra", "so"))
    assert not all_done(made.folder, base_key(made.trial, made.model, made.options), made.steps)


def test_another_leg_is_judged_anew_without_simulating_again(model, motion_file, tmp_path):
    made = job(tmp_path, model, motion_file)
    finish(made)
    other = replace(made.trial, leg="left")
    assert base_key(other, model, made.options) == base_key(made.trial, model, made.options)
    assert not all_done(made.folder, base_key(other, model, made.options), made.steps, "left")


def test_renamed_inputs_with_the_same_content_are_the_same(model, motion_file, tmp_path):
    made = job(tmp_path, model, motion_file)
    other = tmp_path / "again.mot"
    other.write_bytes(motion_file.read_bytes())
    renamed = replace(made.trial, motion=other)
    assert base_key(renamed, model, made.options) == base_key(made.trial, model, made.options)


def test_static_optimisation_after_the_same_reduction_does_not_depend_on_muscle_control():
    assert step_key("x", "so", ("rra", "cmc", "so")) == step_key("x", "so", ("rra", "so"))
    assert step_key("x", "so", ("so",)) != step_key("x", "so", ("rra", "so"))
    assert not is_done(None, {"steps": {}}, "so", "x")  # type: ignore[arg-type]


def test_a_damaged_manifest_is_told(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(Nem2eError, match="is damaged; delete it"):
        read_manifest(tmp_path)


def test_jobs_travel_as_files(model, motion_file, tmp_path):
    made = job(tmp_path, model, motion_file, reserves={"lumbar_*": 20.0}, geometry=tmp_path)
    made.folder.mkdir(parents=True)
    again = read_job(write_job(made))
    assert again.trial == made.trial
    assert again.options.reserves == {"lumbar_*": 20.0}
    assert base_key(again.trial, again.model, again.options) == base_key(made.trial, made.model, made.options)


def test_the_way_to_opensim_is_told_where_it_is_missing(model, motion_file, tmp_path, monkeypatch):
    monkeypatch.setattr(osim.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Nem2eError, match=r"pip install 'nem2e\[opensim\]'"):
        simulate(trials(motion_file, "a"), model, tmp_path / "out", steps=["so"])
    assert not (tmp_path / "out").exists()


def test_trials_that_cannot_be_are_refused_before_any_runs(model, motion_file, tmp_path):
    with pytest.raises(Nem2eError, match=r"gone\.osim: no such file, but its model is expected"):
        make_jobs(trials(motion_file, "a"), tmp_path / "gone.osim", tmp_path, ["so"], Options())
    with pytest.raises(Nem2eError, match="occurs more than once"):
        make_jobs(trials(motion_file, "a", "a"), model, tmp_path, ["so"], Options())
    with pytest.raises(Nem2eError, match="cannot be that of a folder"):
        make_jobs(trials(motion_file, "../a"), model, tmp_path, ["so"], Options())
    with pytest.raises(Nem2eError, match="has no model"):
        make_jobs(trials(motion_file, "a"), None, tmp_path, ["so"], Options())
    with pytest.raises(Nem2eError, match="no trial"):
        make_jobs([], model, tmp_path, ["so"], Options())


def test_a_table_of_trials_is_read_relative_to_itself(motion_file, tmp_path):
    (tmp_path / "trials.csv").write_text("trial,motion,start_s,mass_kg,colour\nwalk,ik.mot,0.5,,blue\n")
    (trial,) = read_trials(tmp_path / "trials.csv")
    assert trial == SimulatedTrial("walk", motion=tmp_path / "ik.mot", start_s=0.5)
    (tmp_path / "trials.csv").write_text("trial,motion,start_s\nwalk,ik.mot,soon\n")
    with pytest.raises(Nem2eError, match="line 2, column 'start_s': found 'soon'"):
        read_trials(tmp_path / "trials.csv")
    (tmp_path / "trials.csv").write_text("trial,motion,leg\nwalk,ik.mot,left\n")
    assert read_trials(tmp_path / "trials.csv")[0].leg == "left"
    (tmp_path / "trials.csv").write_text("trial,motion,leg\nwalk,ik.mot,lfet\n")
    with pytest.raises(Nem2eError, match="column 'leg': found 'lfet', but right or left or an empty cell is expected"):
        read_trials(tmp_path / "trials.csv")
    (tmp_path / "trials.csv").write_text("trial,motion\nwalk,s1\\ik.mot\n")
    assert read_trials(tmp_path / "trials.csv")[0].motion == tmp_path / "s1/ik.mot"


def test_the_end_of_a_log_leaves_out_what_says_nothing(tmp_path):
    (tmp_path / "log.txt").write_text("one\n\n[warning] Couldn't find file 'a.vtp'.\ntwo\nthree\n")
    assert tail(tmp_path / "log.txt", 2) == ("two", "three")
    assert tail(tmp_path / "none.txt") == ()


def test_what_static_optimisation_said_outlives_the_log(tmp_path):
    (tmp_path / "so").mkdir()
    (tmp_path / "log.txt").write_text("hello\ntime = 1 Performance = 2 Constraint violation = 3\n")
    keep_violations(tmp_path / "log.txt", tmp_path / "so")
    assert (tmp_path / "so" / "violation.txt").read_text().count("\n") == 1
