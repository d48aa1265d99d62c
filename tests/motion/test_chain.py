"""From motion to refined activity: which cycles can be simulated; the whole chain where OpenSim is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.motion import angles_or_markers, needed_steps, plan
from nem2e_lib.refiner.spans import Span
from nem2e_lib.simulate.osim import installed
from nem2e_lib.simulate.trial import SimulatedTrial
from tests.support.small_refiner import CHANNELS, constant, write_cycles, write_force

LEVELS = np.array([[0.2, 0.5], [0.4, 0.7]])
CROSSING = 20 / 7000


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_force(Path("grf.mot"))
    write_storage("ik.mot", motion(0.0, 3.0))
    return tmp_path


def motion(start: float, end: float) -> Storage:
    time = np.arange(start, end + 1e-9, 0.01)
    return Storage("Coordinates", ("knee_angle_r",), time, np.zeros((len(time), 1)), True)


def trial(**more) -> SimulatedTrial:
    return SimulatedTrial("walk", Path("ik.mot"), grf=Path("grf.mot"), **more)


def test_the_window_is_that_of_the_whole_cycles(here):
    work = plan(trial(), constant(LEVELS))
    assert [span.number for span in work.spans] == [0, 1]
    np.testing.assert_allclose([work.trial.start_s, work.trial.end_s], [0.1 + CROSSING, 2.1 + CROSSING], atol=1e-4)
    assert work.left == ()
    assert str(work).startswith(
        "walk: 2 cycle(s), 0.102857 to 2.10286 s, by residual reduction + computed muscle control"
    )
    assert work.seconds == pytest.approx(465 * 2 + 10, rel=1e-3)
    assert plan(trial(), constant(LEVELS), steps=["so"]).seconds < work.seconds


def test_a_window_of_ones_own_leaves_the_cycles_outside(here):
    work = plan(trial(start_s=1.0, end_s=2.5), constant(LEVELS))
    assert [span.number for span in work.spans] == [1]
    assert work.left == ("Not simulated, for activation can be had from 1 to 2.5 s: cycle 0 (0.102857 to 1.10286 s).",)


def test_cycles_that_the_lead_of_computed_muscle_control_cuts_are_left(here):
    write_storage("ik.mot", motion(0.09, 2.12))
    assert [span.number for span in plan(trial(), constant(LEVELS), steps=["so"]).spans] == [0]
    with pytest.raises(Nem2eError, match=r"no cycle can be simulated whole. Not simulated, for .* cycle 0"):
        plan(trial(), constant(LEVELS))


@pytest.mark.parametrize(
    ("change", "steps", "message"),
    [
        ({"grf": None}, ("cmc",), "no heel strikes; give them"),
        ({"motion": None}, ("cmc",), "has no motion"),
        ({}, ("rra",), "end without muscle activation; add cmc or so"),
        ({}, ("walk",), "'walk' was given"),
        ({"start_s": 0.5, "end_s": 1.0}, ("so",), "no cycle can be simulated whole"),
    ],
)
def test_what_cannot_be_planned_is_told_before_anything_is_simulated(here, change, steps, message):
    from dataclasses import replace

    with pytest.raises(Nem2eError, match=message):
        plan(replace(trial(), **change), constant(LEVELS), steps=steps)


def test_forces_on_another_clock(here):
    write_force(Path("grf.mot"), shift=100.0)
    with pytest.raises(Nem2eError, match=r"from 100 to 103 s, but the motion of trial 'walk' from 0 to 3 s: they"):
        plan(trial(), constant(LEVELS))


def test_cycles_may_be_given(here):
    given = plan(trial(), constant(LEVELS), cycles=[Span(4, 0.1, 1.1)])
    assert [span.number for span in given.spans] == [4]
    write_cycles(Path("c.csv"), [(4, 0.6, 1.6)])
    with pytest.raises(Nem2eError, match="where the left foot strikes"):
        plan(trial(), constant(LEVELS), cycles=Path("c.csv"))


def test_sides_that_names_tell_are_found(here):
    time = np.linspace(0, 3, 1501)
    feet = read_storage("grf.mot").values
    labels, columns = [], []
    for name, force in zip(("2", "right", "left"), (feet[:, 0] * 0, *feet.T), strict=True):
        for kind in "vp":
            for axis in "xyz":
                labels.append(f"ground_force_{name}_{kind}{axis}")
                columns.append(force if kind + axis == "vy" else np.zeros(len(time)))
    write_storage("grf.mot", Storage("f", tuple(labels), time, np.column_stack(columns)))
    assert [span.number for span in plan(trial(), constant(LEVELS)).spans] == [0, 1]


def test_what_a_file_name_asks_for():
    assert angles_or_markers(Path("a.TRC")) == (None, Path("a.TRC"))
    assert angles_or_markers(Path("a.mot")) == (Path("a.mot"), None)
    markers = SimulatedTrial("walk", markers=Path("a.trc"), static=Path("s.trc"))
    assert needed_steps(markers, ("rra", "cmc")) == ("scale", "ik", "rra", "cmc")
    assert needed_steps(trial(), ("so",)) == ("so",)


def test_a_model_that_is_not_there_is_told_first(here):
    if not installed():
        pytest.skip("OpenSim is not installed")
    constant(LEVELS).save("kept")
    done = CliRunner().invoke(
        app, ["run", "ik.mot", "--refiner", "kept", "--out", "o.sto", "--model", "no.osim", "--grf", "grf.mot"]
    )
    assert done.exit_code == 2
    assert "no.osim: no such file, but an OpenSim model" in done.stderr


@pytest.mark.slow
@pytest.mark.realdata
def test_running_is_simulated_and_refined_from_the_command_line(realdata, tmp_path, monkeypatch):
    """Static optimisation of the second cycle at 2 m/s, then a refiner whose answer is known."""
    opensim = pytest.importorskip("opensim")
    monkeypatch.chdir(tmp_path)
    data = realdata / "hamner_subject01"
    constant(LEVELS, synthetic=True).save("kept")
    words = [
        "run",
        str(data / "ik" / "Run_20002_IK.mot"),
        "--grf",
        str(data / "grf" / "Run_20002_GRF_newCOP3_v24.mot"),
        "--model",
        str(data / "model" / "Hamner2010_v4_subject01.osim"),
        "--refiner",
        "kept",
        "--out",
        "refined.sto",
        "--steps",
        "so",
        "--start",
        "0.9",
        "--end",
        "1.9",
        "--cutoff",
        "15",
        "--strength",
        "2",
        "--max-velocity",
        "15",
        "--reserve",
        "lumbar_*=20",
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "static optimisation: about" in done.stderr
    assert "does not say that it is SYNTHETIC" in done.stderr
    assert "Quality of the simulation" in done.stderr
    table = opensim.TimeSeriesTable("refined.sto")
    own = read_storage("refined.sto")
    assert len(own.labels) == 92 + 1
    assert list(table.getColumnLabels()) == list(own.labels)
    inside = own.column("refined") == 1
    assert 0.6 < np.ptp(own.time[inside]) < 0.9
    for level, muscle in zip(LEVELS.mean(axis=0), CHANNELS.values(), strict=True):
        np.testing.assert_allclose(own.column(muscle)[inside], level, rtol=1e-6)
    wrong = CliRunner().invoke(app, [*words, "--muscles", "sol", "--geometry", "nowhere"])
    assert wrong.exit_code == 2
    assert "nowhere: no such folder" in wrong.stderr


@pytest.mark.slow
@pytest.mark.realdata
def test_a_model_without_the_refiners_muscles_is_told_in_one_sentence(realdata, tmp_path, monkeypatch):
    from dataclasses import replace

    pytest.importorskip("opensim")
    monkeypatch.chdir(tmp_path)
    data, made = realdata / "hamner_subject01", constant(LEVELS)
    inputs = (replace(made.manifest.inputs[0], muscle="soleus_right"), made.manifest.inputs[1])
    outputs = (replace(made.manifest.outputs[0], muscle="soleus_right"), made.manifest.outputs[1])
    replace(made, manifest=replace(made.manifest, inputs=inputs, outputs=outputs)).save("kept")
    done = CliRunner().invoke(
        app,
        [
            "run",
            str(data / "ik" / "Run_20002_IK.mot"),
            "--grf",
            str(data / "grf" / "Run_20002_GRF_newCOP3_v24.mot"),
            "--model",
            str(data / "model" / "Hamner2010_v4_subject01.osim"),
            "--refiner",
            "kept",
            "--out",
            "o.sto",
            "--steps",
            "so",
            "--start",
            "0.9",
            "--end",
            "1.9",
        ],
    )
    assert done.exit_code == 2
    assert "has no muscle 'soleus_right'" in done.stderr
    assert not (tmp_path / "o.sto").exists()


def test_a_model_of_another_family_is_told_and_taken_by_its_names(tmp_path, monkeypatch):
    from dataclasses import replace
    from types import SimpleNamespace

    from nem2e_lib.motion.sides import require_muscles

    pytest.importorskip("opensim")
    made, there = constant(LEVELS), ("soleus_r", "tibant_r", "recfem_r")
    monkeypatch.setattr(
        "nem2e_lib.simulate.prepare.describe", lambda model: SimpleNamespace(name="adult", muscles=there)
    )
    muscles = ("tib_ant_r", "rect_fem_r")
    inputs = tuple(replace(each, muscle=name) for each, name in zip(made.manifest.inputs, muscles, strict=True))
    outputs = tuple(replace(each, muscle=name) for each, name in zip(made.manifest.outputs, muscles, strict=True))
    made = replace(made, manifest=replace(made.manifest, inputs=inputs, outputs=outputs))
    trial, model = SimulatedTrial("walk"), tmp_path / "adult.osim"
    with pytest.raises(Nem2eError, match="they go by the names of the rajagopal family there: add --names rajagopal"):
        require_muscles(trial, model, made)
    assert require_muscles(trial, model, made, "rajagopal") == ("tibant_r", "recfem_r")
    with pytest.raises(Nem2eError, match="has no muscle 'tib_ant_r'"):
        require_muscles(trial, model, made, "gait2392")
