"""A new study from folders of files as laboratories have them."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.check import check_study
from nem2e_lib.data.intake.new import new_study
from nem2e_lib.data.muscles import candidates, meaning
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import write_study
from nem2e_lib.error import Nem2eError
from tests.support import lab

MUSCLES = ["soleus_r", "med_gas_r", "lat_gas_r", "tib_ant_r", "soleus_l", "rect_fem_r"]


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """A SYNTHETIC study's files under a stranger's names and labels, without study.toml and trials.csv."""
    made, lab = write_study("walking", tmp_path / "made", subjects=2, speeds=2), tmp_path / "lab"
    for row in pd.read_csv(made / "trials.csv").itertuples():
        number, speed = row.subject[-2:], row.speed
        for kind, name in (
            ("activation", f"P{number}/{speed}_StaticOptimization_activation.sto"),
            ("emg", f"P{number}/{speed} EMG.sto"),
            ("grf", f"P{number}_{speed}_grf.mot"),
        ):
            to = lab / kind / name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(made / getattr(row, kind), to)
    return lab


def folders(lab: Path) -> dict[str, Path]:
    return {kind: lab / kind for kind in ("activation", "emg", "grf")}


def test_files_of_a_trial_find_each_other_by_their_names(laboratory: Path, tmp_path: Path) -> None:
    made = new_study(tmp_path / "own", **folders(laboratory))
    assert len(made.trials) == 4
    assert made.told == ()
    for row in made.trials.itertuples():
        assert row.subject in ("p01", "p02")
        words = {row.subject.upper(), row.speed}
        assert all(word in path for word in words for path in (row.activation, row.emg, row.grf))
    written = pd.read_csv(tmp_path / "own" / "trials.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(written, made.trials.astype(str), check_dtype=False)


def test_what_is_filled_in_passes_the_check(laboratory: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    new_study(own, **folders(laboratory))
    settings = tomllib.loads((own / "study.toml").read_text())
    assert settings["emg"]["soleus"] == "soleus_r"
    assert settings["synthetic"] is False
    assert [p for p in check_study(own) if "motion" not in p] == []
    text = (own / "study.toml").read_text()
    (own / "study.toml").write_text(text.replace('motion = ""', 'motion = "walking"'))
    assert check_study(own) == []


def test_a_channel_that_may_be_several_muscles_is_left_to_the_user(tmp_path: Path) -> None:
    time = np.arange(0, 2, 0.01)
    rng = np.random.default_rng(0)
    (tmp_path / "s1_slow_emg").mkdir()
    write_storage(tmp_path / "s1_slow_activation.sto", Storage("a", tuple(MUSCLES), time, rng.random((200, 6))))
    labels = ("R_Gastrocnemius", "SOL_R", "Pin 3", "TibAnt")
    write_storage(tmp_path / "s1_slow_emg.sto", Storage("e", labels, time, rng.random((200, 4))))
    made = new_study(tmp_path)
    text = (tmp_path / "study.toml").read_text()
    assert tomllib.loads(text)["emg"] == {"SOL_R": "soleus_r", "TibAnt": "tib_ant_r"}
    assert '# R_Gastrocnemius = "…"  # one of med_gas_r, lat_gas_r' in text
    assert '# "Pin 3" = "…"  # no muscle of that name' in text
    assert any('R_Gastrocnemius, "Pin 3"' in line for line in made.to_do)
    assert any(line.startswith("trials.csv: grf is empty for 1 of 1 trials") for line in made.to_do)
    assert made.trials.loc[0, "activation"] == "s1_slow_activation.sto"
    assert not (tmp_path / "activation").exists()


def test_raw_emg_gets_a_recipe(tmp_path: Path) -> None:
    time, rng = np.arange(0, 3, 0.001), np.random.default_rng(0)
    write_storage(tmp_path / "p2_fast_states.sto", Storage("a", ("soleus_r",), time, rng.random((3000, 1))))
    write_storage(tmp_path / "p2_fast_emg.sto", Storage("e", ("soleus",), time, rng.standard_normal((3000, 1))))
    new_study(tmp_path)
    assert tomllib.loads((tmp_path / "study.toml").read_text())["emg_processing"]["recipe"] == "general"


@pytest.mark.parametrize(
    ("label", "means", "side"),
    [
        ("tibant_r", ["tib_ant"], "r"),
        ("/forceset/tib_ant_r/activation", ["tib_ant"], "r"),
        ("EMG tibialis anterior right", ["tib_ant"], "r"),
        ("L_VastusLateralis", ["vas_lat"], "l"),
        ("RBF", ["bifemlh"], "r"),
        ("Avanti sensor 3: R SOL - EMG 3", ["soleus"], "r"),
        ("Lt Gastroc Med [mV]", ["med_gas"], "l"),
        ("rtibant", ["tib_ant"], "r"),
        ("vasti_l", ["vas_med", "vas_int", "vas_lat"], "l"),
        ("1_R_SOL", ["soleus"], "r"),
        ("rect", ["rect_fem"], ""),
        ("Pin 3", [], ""),
        ("HamL_r", ["bifemlh"], "r"),
        ("HamM_l", ["semimem", "semiten"], "l"),
        ("PerL_r", ["per_long"], "r"),
        ("GAS_M_R", ["med_gas"], "r"),
        ("GasL", ["med_gas", "lat_gas"], "l"),
        ("rightexternaloblique", ["extobl"], "r"),
    ],
)
def test_names_that_laboratories_use(label: str, means: list[str], side: str) -> None:
    assert meaning(label) == (means, side)


def test_the_name_itself_comes_first() -> None:
    assert candidates("soleus_l", MUSCLES) == ["soleus_l"]
    assert candidates("soleus", MUSCLES) == ["soleus_r"]


def test_what_cannot_be_done_is_said_in_one_sentence(laboratory: Path, tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match=r"nowhere: no such folder"):
        new_study(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Nem2eError, match=r"no file with activations.*'nem2e simulate run' makes activations"):
        new_study(tmp_path / "empty")
    new_study(tmp_path / "own", **folders(laboratory))
    with pytest.raises(Nem2eError, match=r"study\.toml: exists already"):
        new_study(tmp_path / "own", **folders(laboratory))


def test_the_command_tells_what_is_to_do(laboratory: Path, tmp_path: Path) -> None:
    options = [part for kind, folder in folders(laboratory).items() for part in (f"--{kind}", str(folder))]
    result = CliRunner().invoke(app, ["study", "new", str(tmp_path / "own"), *options, "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.output)
    assert len(facts["trials"]) == 4
    assert any("motion is empty" in line for line in facts["to_do"])


@pytest.mark.realdata
@pytest.mark.skipif(not os.environ.get("NEM2E_REALDATA"), reason="NEM2E_REALDATA is not set")
def test_a_real_walking_recording_becomes_a_study(tmp_path: Path) -> None:
    source = Path(os.environ["NEM2E_REALDATA"]) / "opensim_core_walk"
    for path in [*source.glob("*.sto"), *source.glob("*.mot")]:
        shutil.copy(path, tmp_path)
    made = new_study(tmp_path)
    row = made.trials.iloc[0]
    assert (row.activation, row.emg, row.grf) == (
        "moco_inverse_18muscles_solution.sto",
        "electromyography.sto",
        "grf_walk.mot",
    )
    emg = tomllib.loads((tmp_path / "study.toml").read_text())["emg"]
    assert emg["soleus"] == "soleus_r"
    assert emg["tibialis_anterior"] == "tib_ant_r"


def test_a_model_is_copied_into_the_study_and_decides(tmp_path: Path) -> None:
    files, names = tmp_path / "files", {"soleus_r": "m1", "tib_ant_r": "m2"}
    table = lab.relabelled(lab.activation(), lambda label: names.get(label, label.replace("_", "")))
    (files / "a").mkdir(parents=True)
    write_storage(files / "a/s1_free_activation.sto", lab.beside(table, {"drive": 0.1}))
    write_storage(files / "a/s1_free_emg.sto", lab.emg(channels={"m1": "soleus_r", "m2": "tib_ant_r"}))
    write_storage(files / "a/s1_free_grf.mot", lab.forces())
    osim = lab.model(tmp_path / "mine.osim", table.labels, {"drive": "CoordinateActuator"})
    made = new_study(tmp_path / "own", files / "a", files / "a", files / "a", osim)
    assert len(made.trials) == 1
    settings = tomllib.loads((tmp_path / "own/study.toml").read_text())
    assert settings["activation"] == {"model": "model/mine.osim"}
    assert settings["emg"] == {"m1": "m1", "m2": "m2"}
    assert (tmp_path / "own/model/mine.osim").read_bytes() == osim.read_bytes()
    for line in ('motion = ""', 'simulated_by = ""'):
        text = (tmp_path / "own/study.toml").read_text()
        (tmp_path / "own/study.toml").write_text(text.replace(line, line.replace('""', '"walking"')))
    assert check_study(tmp_path / "own") == []
    assert load_study(tmp_path / "own").muscles == table.labels
    with pytest.raises(Nem2eError, match="no such file"):
        new_study(tmp_path / "other", files / "a", model=tmp_path / "no.osim")
    assert not (tmp_path / "other").exists()


def test_a_model_in_the_study_folder_stays_where_it_is(tmp_path: Path) -> None:
    own = lab.study(tmp_path / "own")
    for name in ("study.toml", "trials.csv"):
        (own / name).unlink()
    osim = lab.model(own / "osim/mine.osim", lab.MUSCLES)
    new_study(own, model=osim)
    assert tomllib.loads((own / "study.toml").read_text())["activation"] == {"model": "osim/mine.osim"}
    assert not (own / "model").exists()


def test_channels_find_muscles_under_another_familys_names(tmp_path: Path) -> None:
    names = {"soleus": "soleus", "tib_ant": "tibant", "bifemlh": "bflh140", "rect_fem": "recfem"}
    own = lab.study(
        tmp_path / "own", act=lab.relabelled(lab.activation(), lambda label: names[label[:-2]] + label[-2:])
    )
    for name in ("study.toml", "trials.csv"):
        (own / name).unlink()
    new_study(own)
    told = tomllib.loads((own / "study.toml").read_text())["emg"]
    assert told == {"R_SOL": "soleus_r", "R_TA": "tibant_r", "R_BF": "bflh140_r", "R_RF": "recfem_r"}
