"""Recordings in a laboratory's own arrangement become a study, cycles and refined activity."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import summary
from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.intake.find import list_files
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic.stranger import LABELS, RATE_HZ, SPARE, write_recordings
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.cycles import cycle_timeline, cycle_waveforms
from nem2e_lib.figures.waveforms import refined_curves
from nem2e_lib.paper import own
from nem2e_lib.paper.run import Run
from nem2e_lib.training.train import train_condition
from tests.support import realdata


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("run"), "smoke", 0, {}, "11_own_data")


@pytest.fixture(scope="module")
def folders(run: Run) -> own.Folders:
    return own.recordings(run)


@pytest.fixture(scope="module")
def study(folders: own.Folders) -> Path:
    made = own.begin(folders)
    assert SPARE in " ".join(made.to_do)
    assert len(made.trials) == 6
    own.fill_in(folders, made.folder)
    return made.folder


def text_of(study: Path) -> str:
    return (study / "study.toml").read_text(encoding="utf-8")


def test_recordings_are_raw_and_the_same_for_a_seed(folders: own.Folders, tmp_path: Path) -> None:
    again = write_recordings(tmp_path, 0)
    first = sorted(folders.emg.iterdir())[0]
    assert first.read_bytes() == (again["emg"] / first.name).read_bytes()
    emg = read_storage(first)
    assert emg.labels == (*LABELS.values(), SPARE)
    assert np.diff(emg.time) == pytest.approx(1 / RATE_HZ)
    assert abs(emg.values.mean()) < 0.05 * np.abs(emg.values).mean()


def test_files_are_listed_and_say_synthetic(folders: own.Folders) -> None:
    table = list_files(folders.activation, folders.emg, folders.grf)
    assert table.groupby("kind").size().to_dict() == {"EMG": 6, "activation": 6, "force": 6}
    assert folders.data == "SYNTHETIC"
    assert set(table.loc[table["kind"] == "EMG", "rate_hz"]) == {1000}


def test_the_example_is_sound_and_leaves_the_unknown_channel_out(study: Path) -> None:
    assert check_study(study) == []
    settings = tomllib.loads(text_of(study))
    assert settings["synthetic"] is True
    assert set(settings["emg"]) == set(LABELS.values())
    assert settings["emg_processing"]["recipe"] == "general"
    told = " ".join(own.check(study))
    assert f"{study.name}: activation is saturated" in told
    assert str(study.parent) not in told


def test_two_cycles_are_skipped_each_with_its_reason(run: Run, study: Path) -> None:
    cycles, report = segment(load_study(study))
    assert cycles.attrs["synthetic"] == 1
    for name, drawn in {"a": cycle_timeline(report, synthetic=True), "b": cycle_waveforms(cycles)}.items():
        assert run.show(drawn, name).entry.title.startswith("SYNTHETIC")
    reasons = report.loc[~report["kept"], "reason"]
    assert [("dropped out" in why, "EMG ends" in why) for why in reasons] == [(True, False), (False, True)]


def trained(run: Run, cycles: xr.Dataset) -> xr.Dataset:
    given = {"channels": own.channels(run, cycles), "profile": run.profile, "progress": False}
    return train_condition(cycles, "one_entire", run.configuration, store=run.folder / "models", **given)


@pytest.mark.slow
def test_refined_activity_of_people_who_were_held_out(run: Run, study: Path) -> None:
    results = trained(run, segment(load_study(study))[0])
    rows = summary(errors(results))
    assert run.show(refined_curves(results, errors(results), name="Refined"), "own_refined").entry.synthetic
    assert len(rows) == own.SMOKE_CHANNELS
    assert set(rows["n_units"]) == {3}


def test_all_channels_are_trained_but_in_the_smoke_profile(run: Run, study: Path) -> None:
    cycles = segment(load_study(study))[0]
    assert own.channels(dataclasses.replace(run, profile="demo"), cycles) == list(cycles.channel.values)
    assert own.channels(run, cycles) == list(cycles.channel.values[:2])


def test_a_study_of_ones_own_is_neither_overwritten_nor_filled_in(
    folders: own.Folders, study: Path, tmp_path: Path
) -> None:
    mine = dataclasses.replace(folders, example=False)
    assert mine.data == "yours"
    with pytest.raises(Nem2eError, match="exists already and may hold your own lines"):
        own.begin(mine)
    before = text_of(study)
    assert own.begin(mine, str(study)).folder == study
    assert "yours to write" in own.fill_in(mine, study)
    assert text_of(study) == before
    with pytest.raises(Nem2eError, match=r"study\.toml"):
        own.begin(mine, str(tmp_path))


def test_one_folder_alone_and_a_wrong_study_are_refused(run: Run, study: Path, tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match="name both"):
        own.recordings(run, activation=str(tmp_path))
    (tmp_path / "study.toml").write_text(text_of(study))
    with pytest.raises(Nem2eError, match=r"trials\.csv(.|\n)*Mend these"):
        own.check(tmp_path)


REAL = pytest.mark.skipif(not os.environ.get("NEM2E_REALDATA"), reason="NEM2E_REALDATA is not set")


@REAL
@pytest.mark.realdata
def test_real_running_goes_through(tmp_path: Path) -> None:
    made, run = realdata.build(tmp_path / "study"), Run(tmp_path, "smoke", 0, {}, "11_own_data")
    mine = own.recordings(run, *(str(made / kind) for kind in ("activation", "emg", "grf")))
    study = own.begin(mine, str(made)).folder
    own.check(study)
    cycles, report = segment(load_study(study))
    assert (cycles.sizes["channel"], len(set(cycles.speed.values.tolist()))) == (11, 4)
    drawn = [cycle_timeline(report, synthetic=False), cycle_waveforms(cycles)]
    assert all("SYNTHETIC" not in each.title for each in drawn)
    assert len(summary(errors(trained(run, cycles)))) == own.SMOKE_CHANNELS


@REAL
@pytest.mark.realdata
def test_real_walking_whose_simulation_is_too_short_is_told_so(tmp_path: Path) -> None:
    source = str(Path(os.environ["NEM2E_REALDATA"]) / "opensim_core_walk")
    made = own.begin(own.recordings(Run(tmp_path, "smoke", 0, {}), source, source, source))
    study = made.folder
    assert "subject is empty" in " ".join(made.to_do)
    trials = (study / "trials.csv").read_text().splitlines()
    trials[1] = "walk,s1,free,," + trials[1].split(",", 4)[4]
    (study / "trials.csv").write_text("\n".join(trials) + "\n")
    (study / "study.toml").write_text(text_of(study).replace('motion = ""', 'motion = "walking"'))
    with pytest.raises(Nem2eError, match=r"'walk' has no usable gait cycle \(incomplete: activation starts at 0.45"):
        own.check(study)
