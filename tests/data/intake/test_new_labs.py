"""`nem2e study new` on trees as laboratories keep them: one folder for everything, decoys, other names and units."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.intake.names import covers, keys, speed, subject, words
from nem2e_lib.data.intake.new import new_study
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError

MUSCLES = ("soleus_r", "tib_ant_r", "soleus_l", "tib_ant_l")
TIME = np.arange(0, 4, 0.01)


def activity(seed: int = 0) -> np.ndarray:
    phase = np.random.default_rng(seed).random(len(MUSCLES))
    return 0.5 + 0.4 * np.sin(2 * np.pi * (TIME[:, None] + phase))


def save(path: Path, labels: tuple[str, ...], values: np.ndarray, time: np.ndarray = TIME) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_storage(path, Storage(path.stem, labels, time, values))


def raw(labels: tuple[str, ...], seed: int, offset: float = 0.0) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    time = np.arange(0, 4, 5e-4)
    return labels, offset + 1e-4 * np.random.default_rng(seed).standard_normal((len(time), len(labels))), time


def forces() -> np.ndarray:
    return np.clip(1500 * np.sin(2 * np.pi * (TIME[:, None] + [0.25, 0.75])), 0, None)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder a person with everything in it, and what computed muscle control leaves beside the states."""
    root = tmp_path / "lab data"
    for number in (1, 2):
        for pace in ("Slow", "Fast"):
            place = root / f"Subject {number:02d}" / pace
            states = tuple(f"/forceset/{muscle}/activation" for muscle in MUSCLES)
            save(place / "cmc" / "walk_states.sto", states, activity(number))
            save(place / "cmc" / "walk_controls.sto", MUSCLES, activity(number))
            save(place / "cmc" / "walk_Actuation_force.sto", MUSCLES, 0.9 * activity(number))
            save(place / "rra" / "walk_states.sto", ("/jointset/knee_r/knee_angle_r/value",), activity()[:, :1])
            save(place / "EMG" / "raw emg.sto", *raw(("R SOLEUS", "R TIBIALIS ANTERIOR"), number, offset=2.5))
            save(place / "forces" / "walk_grf.mot", ("ground_force_vy", "1_ground_force_vy"), forces())
            (place / "video.avi").write_bytes(b"no table")
            (place / "markers.c3d").write_bytes(b"no table")
    return root


def test_one_folder_for_everything(tree: Path, tmp_path: Path) -> None:
    made = new_study(tmp_path / "own", tree, tree, tree)
    assert list(made.trials["subject"]) == ["subject01", "subject01", "subject02", "subject02"]
    assert all(path.endswith("cmc/walk_states.sto") for path in made.trials["activation"])
    for kind, end in (("emg", "EMG/raw emg.sto"), ("grf", "forces/walk_grf.mot")):
        assert list(made.trials[kind]) == [
            f"{kind}/Subject {who}/{pace}/{end}" for who in ("01", "02") for pace in ("Fast", "Slow")
        ]
    told = [text.partition("left out, ")[2] for text in made.told]
    assert sorted(set(told)) == [
        "",
        "neither activation, EMG nor vertical force.",
        "no column under a known name of a muscle.",
        "walk_states.sto of the same trial is used.",
    ]
    assert len(told) == 16
    assert sum("markers.c3d: is no C3D file" in text for text in made.told) == 4
    settings = tomllib.loads((tmp_path / "own" / "study.toml").read_text())
    assert settings["emg"] == {"R SOLEUS": "soleus_r", "R TIBIALIS ANTERIOR": "tib_ant_r"}
    assert settings["emg_processing"]["recipe"] == "general"
    assert check_study(tmp_path / "own") == []
    assert not list((tmp_path / "own").rglob("*controls*"))


def test_the_same_without_naming_kinds(tree: Path) -> None:
    made = new_study(tree)
    assert made.trials["emg"].iloc[0] == "Subject 01/Fast/EMG/raw emg.sto"
    assert sum("is no C3D file" in text for text in made.told) == 4


def test_left_leg_and_plates_of_other_names_and_percent(tmp_path: Path) -> None:
    for pace in ("1.5mps", "6.3kmh"):
        save(tmp_path / "act" / f"sub-03_run_{pace}_so_activation.sto", MUSCLES, activity())
        save(tmp_path / "emg" / f"sub03_Run_{pace}.sto", ("L_SOL", "L_TA"), 100 * activity()[:, 2:])
        save(tmp_path / "grf" / f"Sub 3 run {pace}.mot", ("FP2_Fz", "FP1_Fz", "FP1_Mz"), np.c_[forces(), TIME])
    made = new_study(tmp_path / "own", tmp_path / "act", tmp_path / "emg", tmp_path / "grf")
    assert list(made.trials["speed_m_s"]) == ["1.5", "1.75"]
    assert all(made.trials["emg"])
    assert all(made.trials["grf"])
    text = (tmp_path / "own" / "study.toml").read_text()
    assert tomllib.loads(text)["cycle"] == "left-left"
    assert "# columns that may be it: FP2_Fz, FP1_Fz\n" in text
    assert any("vertical force of the right and the left foot is not known" in line for line in made.to_do)
    filled = text.replace('# right = "…"', 'right = "FP2_Fz"').replace('# left = "…"', 'left = ["FP1_Fz"]')
    (tmp_path / "own" / "study.toml").write_text(filled)
    assert check_study(tmp_path / "own") == []
    study = load_study(tmp_path / "own")
    cycles, _ = segment(study, phases=1001)
    assert float(cycles["emg_waveform"].max()) == pytest.approx(1, abs=1e-3)


def test_a_name_without_a_leg_is_told(tmp_path: Path) -> None:
    save(tmp_path / "s1_walk_activation.sto", MUSCLES, activity())
    save(tmp_path / "s1_walk_emg.sto", ("SOL", "R_TA"), activity()[:, :2])
    made = new_study(tmp_path)
    assert any(": SOL: the name does not tell the leg" in line for line in made.to_do)
    assert 'SOL = "soleus_r"  # or the left one?' in (tmp_path / "study.toml").read_text()


def test_emg_on_another_clock_is_told_as_that(tree: Path, tmp_path: Path) -> None:
    path = tree / "Subject 01" / "Fast" / "EMG" / "raw emg.sto"
    labels, values, time = raw(("R SOLEUS", "R TIBIALIS ANTERIOR"), 1)
    save(path, labels, values, time + 100.0005)
    new_study(tmp_path / "own", tree, tree, tree)
    problems = check_study(tmp_path / "own")
    assert len(problems) == 1
    assert "raw emg.sto: time runs from 100" in problems[0]
    assert "one clock" in problems[0]


def test_raw_emg_with_an_offset_is_no_envelope(tree: Path, tmp_path: Path) -> None:
    new_study(tmp_path / "own", tree, tree, tree)
    settings = tmp_path / "own" / "study.toml"
    settings.write_text(settings.read_text().partition("[emg_processing]")[0])
    assert "of its power above 50 Hz, but a smooth envelope is expected" in check_study(tmp_path / "own")[0]


def test_nothing_is_left_behind_where_copying_fails(tree: Path, tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nem2e_lib.data.intake.new.shutil.copyfile", full)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Nem2eError, match=r"own: cannot be written \(No space left on device\); make room"):
        new_study(tmp_path / "own", tree, tree, tree)
    assert sorted(tmp_path.iterdir()) == before


def test_other_peoples_files_are_not_taken_for_ones_own() -> None:
    mine = keys(Path("S01 trial 2 states.sto"))
    for path in ("s1_Trial02_emg.sto", "s1/2.sto", "2.sto"):
        assert covers(mine, keys(Path(path))), path
    for path in ("s2_trial1.sto", "1.sto", "s1/trial1.sto"):
        assert not covers(mine, keys(Path(path))), path


@pytest.mark.parametrize(
    ("path", "who", "pace"),
    [
        ("Subject 04/walk_slow.sto", "subject04", ("slow", "")),
        ("sub-07_task-walk_speed-1.2.sto", "sub07", ("1.2", "")),
        ("P3/FastWalk2_states.sto", "p3", ("fast", "")),
        ("anna/12.6kmh.sto", "", ("12.6kmh", "3.5")),
        ("AB06.run.3p5ms.sto", "ab06", ("3p5ms", "3.5")),
    ],
)
def test_who_and_how_fast(path: str, who: str, pace: tuple[str, str]) -> None:
    found = words(Path(path))
    assert (subject(found), speed(found)) == (who, pace)


@pytest.mark.parametrize(
    ("head", "separator", "scale"), [("time", ",", 1), ("Time (s)", ";", 1), ("Time [ms]", "\t", 1e3)]
)
def test_emg_exported_as_csv(tmp_path: Path, head: str, separator: str, scale: float) -> None:
    save(tmp_path / "act" / "s1_walk_activation.sto", MUSCLES, activity())
    labels, values, time = raw(("R SOL", "R TA"), 1)
    rows = [separator.join(map(repr, row)) for row in np.c_[np.round(time * scale, 6), values].tolist()]
    (tmp_path / "emg").mkdir()
    (tmp_path / "emg" / "S01 walk.csv").write_text("\n".join([separator.join([head, *labels]), *rows]) + "\n")
    made = new_study(tmp_path / "own", tmp_path / "act", tmp_path / "emg")
    assert made.trials["emg"].tolist() == ["emg/S01 walk.sto"]
    found = read_storage(tmp_path / "own" / "emg" / "S01 walk.sto")
    assert found.labels == labels
    np.testing.assert_allclose(found.time, time, atol=1e-9)
    np.testing.assert_array_equal(found.values, values)
