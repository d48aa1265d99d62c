"""What simple methods and the network reach on the open recordings, beside what was found with them before."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

import nem2e_lib as nem2e
from nem2e_lib.data.study.load import load_study
from nem2e_lib.paper.run import Run
from nem2e_lib.rivals import evaluate, rival
from nem2e_lib.simulate.people import STUDIES, verdicts
from nem2e_lib.training.config import profile

pytestmark = pytest.mark.realdata
LABELS = {"mean_curve": "training-mean curve", "pls": "partial least squares", "ridge_all": "ridge, all muscles"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, realdata: Path) -> Run:
    folder = tmp_path_factory.mktemp("open")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEM2E_REALDATA", str(realdata))
        patch.setenv("NEM2E_CACHE", str(folder / "cache"))
        return Run.begin(str(folder / "run"), data="open")


@pytest.fixture(scope="module")
def before(realdata: Path) -> pd.DataFrame:
    """Er that was found with nine children by hand, and its confidence interval, by the methods' labels."""
    return pd.read_csv(realdata / "children_walk" / "results" / "nine_children_leaderboard.csv").set_index("method")


def er(results: xr.Dataset) -> float:
    """Mean Er over held-out people or speeds, each the mean over electrodes."""
    errors = nem2e.errors(results)
    return float(errors.groupby(["label", "electrode"])["er"].mean().groupby("label").mean().mean())


def test_a_run_of_open_recordings_is_no_synthetic_one(run: Run) -> None:
    assert list(run.studies) == list(STUDIES) == ["children", "runner"]
    assert (run.data, run.is_synthetic) == ("open", False)
    assert Run.open(str(run.folder)).data == "open"
    told = run.describe().set_index("study")
    assert told["data"].tolist() == ["measured", "measured"]
    assert told["motion"].tolist() == ["walking", "running"]
    assert told.loc["children", ["subjects", "speeds", "trials", "EMG channels"]].tolist() == [9, 2, 14, 4]
    assert told.loc["runner", ["subjects", "speeds", "trials", "EMG channels"]].tolist() == [1, 4, 4, 11]


def test_each_trials_verdict_is_told(run: Run) -> None:
    for name, folder in run.studies.items():
        told = verdicts(folder)
        assert {trial.name for trial in load_study(folder).trials} <= set(told.index)
        assert told["verdict"].isin(["good", "acceptable", "poor"]).all(), name


def test_children_are_refined_as_well_as_by_hand(run: Run, before: pd.DataFrame) -> None:
    """The mean curve within 0.01: a peak is now that of the kept cycles, which moves it by 0.005."""
    cycles, _ = run.segment("children")
    found = {name: er(evaluate(cycles, rival(name))) for name in LABELS}
    assert found["mean_curve"] == pytest.approx(before.loc[LABELS["mean_curve"], "er_mean"], abs=0.01)
    for name, label in LABELS.items():
        assert before.loc[label, "ci_low"] < found[name] < before.loc[label, "ci_high"], name


def test_the_runner_is_refined_as_well_as_by_hand(run: Run) -> None:
    cycles, _ = run.segment("runner")
    assert er(evaluate(cycles, rival("mean_curve"))) == pytest.approx(-0.51, abs=0.01)
    assert -0.62 < er(evaluate(cycles, rival("ridge_all"))) < -0.58


@pytest.mark.slow
def test_the_network_refines_children_as_well_as_by_hand(run: Run, before: pd.DataFrame) -> None:
    cycles, _ = run.segment("children")
    for condition, label in (("one_entire", "One-Entire"), ("all_entire", "All-Entire")):
        found = er(nem2e.train(cycles, condition, profile("demo"), progress=False))
        assert before.loc[label, "ci_low"] < found < before.loc[label, "ci_high"], condition
