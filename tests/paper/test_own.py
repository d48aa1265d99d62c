"""Recordings in a laboratory's own arrangement become a study, cycles and refined activity."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.check import check_study
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.synthetic.stranger import LABELS, RATE_HZ, SPARE, write_recordings
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import own
from nem2e_lib.paper.run import Run
from tests.support import realdata


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> own.Folders:
    return own.recordings(Run(tmp_path_factory.mktemp("run"), "smoke", 0, {}))


@pytest.fixture(scope="module")
def study(folders: own.Folders) -> Path:
    where, told = own.begin(folders)
    assert SPARE in told
    own.fill_in(folders, where)
    return where


def test_recordings_are_raw_and_the_same_for_a_seed(folders: own.Folders, tmp_path: Path) -> None:
    again = write_recordings(tmp_path, 0)
    first = sorted(folders.emg.iterdir())[0]
    assert first.read_bytes() == (again["emg"] / first.name).read_bytes()
    emg = read_storage(first)
    assert emg.labels == (*LABELS.values(), SPARE)
    assert np.diff(emg.time) == pytest.approx(1 / RATE_HZ)
    assert abs(emg.values.mean()) < 0.05 * np.abs(emg.values).mean()


def test_files_are_listed_and_say_synthetic(folders: own.Folders) -> None:
    table = own.files(folders)
    assert table.groupby("kind").size().to_dict() == {"EMG": 6, "activation": 6, "force": 6}
    assert set(table["data"]) == {"SYNTHETIC"}
    assert set(table.loc[table["kind"] == "EMG", "rate_hz"]) == {1000}


def test_the_example_is_sound_and_leaves_the_unknown_channel_out(study: Path) -> None:
    assert check_study(study) == []
    settings = tomllib.loads(own.settings(study))
    assert settings["synthetic"] is True
    assert set(settings["emg"]) == set(LABELS.values())
    assert settings["emg_processing"]["recipe"] == "general"
    told = own.check(study)
    assert "no problem found" in told
    assert str(study.parent) not in told


def test_two_cycles_are_skipped_each_with_its_reason(folders: own.Folders, study: Path) -> None:
    found = own.cut(folders.run, study)
    assert len(own.pictures(found)) == 2
    own.skipped(found)
    rows = pd.read_csv(folders.run.site / "own_skipped.csv")
    assert [("dropped out" in reason, "EMG ends" in reason) for reason in rows.reason] == [(True, False), (False, True)]
    assert found.synthetic


@pytest.mark.slow
def test_refined_activity_of_people_who_were_held_out(folders: own.Folders, study: Path) -> None:
    found = own.cut(folders.run, study)
    saved = own.outcome(found, own.train(found, "one_entire"))
    assert len(saved) == 2
    rows = pd.read_csv(folders.run.site / "own_errors.csv")
    assert len(rows) == own.SMOKE_CHANNELS
    assert set(rows["n_units"]) == {3}


def test_a_study_of_ones_own_is_neither_overwritten_nor_filled_in(folders: own.Folders, study: Path) -> None:
    mine = own.Folders(folders.run, folders.activation, folders.emg, folders.grf, False)
    with pytest.raises(Nem2eError, match="exists already and may hold your own lines"):
        own.begin(mine)
    before = own.settings(study)
    assert own.begin(mine, str(study))[0] == study
    assert "yours to write" in own.fill_in(mine, study)
    assert own.settings(study) == before


def test_one_folder_alone_and_a_wrong_study_are_refused(folders: own.Folders, study: Path, tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match="name both"):
        own.recordings(folders.run, activation=str(tmp_path))
    (tmp_path / "study.toml").write_text(own.settings(study))
    with pytest.raises(Nem2eError, match=r"trials\.csv(.|\n)*Mend these"):
        own.check(tmp_path)


REAL = pytest.mark.skipif(not os.environ.get("NEM2E_REALDATA"), reason="NEM2E_REALDATA is not set")


@REAL
@pytest.mark.realdata
def test_real_running_goes_through(folders: own.Folders, tmp_path: Path) -> None:
    made = realdata.build(tmp_path / "study")
    mine = own.Folders(Run(tmp_path, "smoke", 0, {}), made / "activation", made / "emg", made / "grf", False)
    study, _ = own.begin(mine, str(made))
    assert "no problem found" in own.check(study)
    found = own.cut(mine.run, study)
    assert (found.cycles.sizes["channel"], len(set(found.cycles.speed.values.tolist()))) == (11, 4)
    assert all("SYNTHETIC" not in saved.entry.title for saved in own.pictures(found))
    assert own.outcome(found, own.train(found, "one_entire"))[-1].entry.title == "Your recordings: errors"


@REAL
@pytest.mark.realdata
def test_real_walking_whose_simulation_is_too_short_is_told_so(folders: own.Folders, tmp_path: Path) -> None:
    source = Path(os.environ["NEM2E_REALDATA"]) / "opensim_core_walk"
    mine = own.Folders(Run(tmp_path, "smoke", 0, {}), source, source, source, False)
    study, told = own.begin(mine)
    assert "subject is empty" in told
    trials = (study / "trials.csv").read_text().splitlines()
    trials[1] = "walk,s1,free,," + trials[1].split(",", 4)[4]
    (study / "trials.csv").write_text("\n".join(trials) + "\n")
    (study / "study.toml").write_text(own.settings(study).replace('motion = ""', 'motion = "walking"'))
    with pytest.raises(Nem2eError, match=r"'walk' has no usable gait cycle \(incomplete: activation starts at 0.45"):
        own.check(study)
