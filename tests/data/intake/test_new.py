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
from nem2e_lib.data.synthetic import write_study
from nem2e_lib.error import Nem2eError

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
    with pytest.raises(Nem2eError, match=r"no .sto or .mot file with activations"):
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
