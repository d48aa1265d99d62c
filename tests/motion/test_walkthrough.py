"""The step-by-step notebook: what it needs is told, what it draws is what was found, and it runs where OpenSim is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.recording import activations, ground_force, over_time, postures, refined_trial
from nem2e_lib.motion import Plan, walkthrough
from nem2e_lib.paper.notebooks import run
from nem2e_lib.refiner.spans import Span
from nem2e_lib.simulate import osim
from tests.support.small_refiner import CHANNELS, constant, recording, write_cycles, write_force

ROOT = Path(__file__).resolve().parents[2]
LEVELS = np.array([[0.2, 0.5], [0.4, 0.7]])


def test_without_opensim_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(osim, "installed", lambda: False)
    with pytest.raises(Nem2eError, match=r"install it with pip install 'nem2e\[opensim\]'"):
        walkthrough.recording()


def test_without_a_recording_it_says_what_to_name(monkeypatch, tmp_path):
    monkeypatch.setattr(osim, "installed", lambda: True)
    monkeypatch.delenv("NEM2E_REALDATA", raising=False)
    with pytest.raises(Nem2eError, match="give model, motion and grf, or name"):
        walkthrough.recording()
    with pytest.raises(Nem2eError, match="motion is '', but a file is expected"):
        walkthrough.recording(model=__file__, grf=__file__)
    monkeypatch.setattr(walkthrough, "ROOT", tmp_path)
    with pytest.raises(Nem2eError, match="There is no refiner yet"):
        walkthrough.known_refiner()
    assert walkthrough.known_refiner("mine") == Path("mine")


def made(tmp_path: Path, emg: Storage | None) -> walkthrough.Recording:
    trial = walkthrough.SimulatedTrial("walk", Path("ik.mot"), grf=write_force(tmp_path / "grf.mot"))
    return walkthrough.Recording(trial, Path("m.osim"), walkthrough.Options(), emg)


def test_only_measured_muscles_are_shown_and_emg_is_cut_into_their_cycles(tmp_path):
    time = np.linspace(0, 3, 301)
    recorded = made(tmp_path, Storage("EMG", ("tib_ant_r",), time, 2 * time[:, None]))
    refiner = walkthrough.fitting(constant(LEVELS).save(tmp_path / "kept"), recorded)
    assert refiner.manifest.names == ("tib",)
    refined = constant(LEVELS).refine(recording(), cycles=write_cycles(tmp_path / "c.csv", [(0, 0.5, 1.5)]))
    emg = recorded.measured(refined)["emg_waveform"]
    np.testing.assert_allclose(emg.sel(channel="tib", phase=[0, 50, 100]).values, [[1.0, 2.0, 3.0]])
    assert np.isnan(emg.sel(channel="sol")).all()
    nothing = made(tmp_path, None).measured(refined)
    assert nothing.get("emg_waveform") is None
    assert refined.errors(nothing.get("emg"))[["rmse_refined", "within_band"]].isna().all(axis=None)


def test_computed_muscle_control_takes_the_first_seconds_and_the_cycles_whole_in_them(tmp_path):
    spans = [Span(0, 0.5, 1.5), Span(1, 1.5, 2.5)]
    trial = dataclasses.replace(made(tmp_path, None).trial, start_s=0.5, end_s=2.5)
    work = Plan(trial, spans, ("so",), ())
    assert list(walkthrough.methods(work)) == ["static optimisation"]
    glimpse = walkthrough.methods(work, 0.05)["computed muscle control"]
    assert (glimpse.trial.start_s, glimpse.trial.end_s, glimpse.spans) == (0.5, 0.55, [])
    assert walkthrough.methods(work, 1.2)["computed muscle control"].spans == spans[:1]
    assert walkthrough.methods(work, 9.0)["computed muscle control"].trial.end_s == 2.5


def test_the_picture_of_a_trial_holds_what_was_refined(tmp_path):
    refined = constant(LEVELS, synthetic=True).refine(
        recording(), cycles=write_cycles(tmp_path / "c.csv", [(0, 0.5, 1.5)])
    )
    table = Storage("EMG", ("tib_ant_r",), np.array([0.0, 3.0]), np.array([[0.1], [0.4]]))
    emg = made(tmp_path, table).measured(refined)["emg_waveform"]
    drawn = refined_trial(refined, emg)
    assert drawn.synthetic
    assert drawn.title.startswith("SYNTHETIC refiner – A trial refined")
    own = dataclasses.replace(refined, source=dataclasses.replace(refined.source, name="walk SYNTHETIC"))
    assert refined_trial(own).title.startswith("SYNTHETIC data – A trial refined")
    for muscle, axis in zip(CHANNELS, drawn.figure.axes, strict=True):
        assert drawn.data[drawn.data["muscle"] == muscle].iloc[:, 2:].max().max() < axis.get_ylim()[1]
    assert "1 cycle of one trial" in drawn.caption
    data = over_time(refined, emg)
    assert list(drawn.data) == ["muscle", "time_s", "simulated", "refined", "low", "high", "measured"]
    assert drawn.data["muscle"].unique().tolist() == list(CHANNELS)
    for series, rows in data.groupby("series"):
        same = drawn.data[["muscle", "time_s", series]].dropna().reset_index(drop=True)
        ordered = rows[["muscle", "time_s", "value"]].rename(columns={"value": series}).reset_index(drop=True)
        pd.testing.assert_frame_equal(same, ordered)
    by = {(m, s): rows for (m, s), rows in data.groupby(["muscle", "series"])}
    np.testing.assert_allclose(by["tib", "refined"]["value"], 0.6, rtol=1e-6)
    np.testing.assert_allclose(by["tib", "simulated"]["value"], recording().column("tib_ant_r"))
    np.testing.assert_allclose(by["tib", "measured"]["value"].iloc[[0, -1]], [0.15, 0.25])
    assert ("sol", "measured") not in by
    assert "EMG of this trial is not known" in refined_trial(refined).caption
    unknown = constant(LEVELS, known=False).refine(
        recording(), cycles=write_cycles(tmp_path / "c.csv", [(0, 0.5, 1.5)])
    )
    assert "there is no band" in refined_trial(unknown).caption
    assert "low" not in refined_trial(unknown).data


def test_pictures_of_the_way_there():
    lines = pd.DataFrame(
        [
            {"time_s": t, "body": b, "x0": 0.0, "y0": 0.9, "x1": 0.1, "y1": 0.5}
            for t in (0.0, 0.5)
            for b in ("femur_r", "torso")
        ]
    )
    arrows = pd.DataFrame([{"time_s": 0.5, "px": 0.1, "py": 0.0, "fx": 10.0, "fy": 900.0}])
    drawn = postures(lines, arrows)
    assert "2 postures over a gait cycle" in drawn.caption
    assert len(drawn.data) == 5
    force = Storage("f", ("right", "left"), np.linspace(0, 1, 11), np.ones((11, 2)))
    assert "1 heel strike; yellow: 1 cycle" in ground_force(force, np.array([0.2]), [(0.2, 0.9)]).caption
    found = {"static optimisation": recording(), "computed muscle control": recording(end=1.0)}
    drawn = activations(found, list(CHANNELS.values()), (0.5, 1.5))
    ends = drawn.data.groupby("method")["time_s"].max()
    assert ends["static optimisation"] == pytest.approx(1.5)
    assert ends["computed muscle control"] == pytest.approx(1.0)
    five = activations({"so": recording(labels=tuple("abcde"))}, list("abcde"), (0.5, 1.5)).figure.axes
    assert [bool(axis.get_xlabel()) for axis in five] == [False, False, True, True, True]


@pytest.mark.slow
@pytest.mark.realdata
def test_the_notebook_takes_running_to_refined_activity(realdata, tmp_path):
    pytest.importorskip("opensim")
    kept = constant(LEVELS, synthetic=True).save(tmp_path / "kept")
    given = {"folder": str(tmp_path / "work"), "refiner": str(kept), "cmc_s": 0.02}
    page = run(ROOT / "notebooks" / "12_motion_to_emg.ipynb", tmp_path / "page.html", given).read_text()
    assert page.count("data:image/svg+xml") == 4
    assert "refiner: one_entire, 2 seeds" in page
    assert "Couldn't find file" not in page
    assert (tmp_path / "work" / "refined.sto").exists()
