"""A study of ready activations and C3D recordings: EMG and forces come out of the C3D files."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.intake.new import new_study
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support.c3d_file import write_c3d

RATE, PER_FRAME, SECONDS, STRIDE = 100.0, 10, 12.0, 1.2
EMG = ("R SOL", "R TA", "Footswitch")
BURST = {"R SOL": 0.3, "R TA": 0.9}
"""Where in the cycle each muscle is most active."""


def bump(time: np.ndarray, centre: float, first_strike: float) -> np.ndarray:
    phase = ((time - first_strike) / STRIDE - centre + 0.5) % 1 - 0.5
    return 0.05 + 0.8 * np.exp(-0.5 * (phase / 0.08) ** 2)


def treadmill(path: Path, first_frame: int = 1, seed: int = 0) -> float:
    """Write a C3D of a walk on two belts; returns when the right foot first strikes, on the capture's clock."""
    frames = int(SECONDS * RATE)
    start = (first_frame - 1) / RATE
    clock = np.arange(frames * PER_FRAME) / (RATE * PER_FRAME)  # from the file's first frame
    strikes = {"r": 0.4, "l": 0.4 + STRIDE / 2}
    analog = []
    for foot in "lr":  # plate 1 is the left belt
        phase = (clock - strikes[foot]) / STRIDE % 1
        down = np.where(
            (clock >= strikes[foot]) & (phase < 0.62), 700.0 * np.sqrt(np.sin(np.pi * np.clip(phase / 0.62, 0, 1))), 0
        )
        block = np.zeros((len(clock), 6))
        block[:, 2] = -down
        analog.append(block)
    rng = np.random.default_rng(seed)
    raw = [rng.normal(size=len(clock)) * bump(clock, BURST[name], strikes["r"]) * 1e-3 for name in EMG[:2]]
    analog += [np.column_stack([*raw, np.zeros(len(clock))])]
    labels = ["RASI", "LASI", "RHEE", "RTOE", "LHEE", "LTOE", "RKNE", "LKNE"]
    ahead, side, up = (
        [0.1, 0.1, -0.1, 0.1, -0.1, 0.1, 0, 0],
        [0.1, -0.1] + [0.1] * 2 + [-0.1] * 2 + [0.1, -0.1],
        [1.0, 1, 0, 0, 0, 0, 0.5, 0.5],
    )
    places = np.tile(
        1000 * np.column_stack([ahead, [-each for each in side], [each + 0.03 for each in up]]), (frames, 1, 1)
    )
    corners = [np.array([[500, 50, 0], [500, 450, 0], [-500, 450, 0], [-500, 50, 0]], float)]  # the left one is at +y
    corners += [corners[0] - [0, 500, 0]]
    group = {
        "USED": 2,
        "TYPE": np.array([2, 2]),
        "CORNERS": np.stack([each[::-1].T for each in corners], axis=2).astype(np.float32),
        "ORIGIN": np.zeros((3, 2), np.float32),
        "CHANNEL": np.arange(1, 13).reshape(2, 6).T,
    }
    names = [f"{kind}{plate}" for plate in (1, 2) for kind in ("Fx", "Fy", "Fz", "Mx", "My", "Mz")]
    content = write_c3d(
        places,
        np.column_stack(analog),
        labels=labels,
        channels=[*names, *EMG],
        per_frame=PER_FRAME,
        rate_hz=RATE,
        analog_scale=1.0,
        first_frame=first_frame,
        more={
            "FORCE_PLATFORM": group,
            "POINT": {"Y_SCREEN": "+Z"},
            "SUBJECTS": {"NAMES": ["Anna"]},
            "ANALOG": {"UNITS": (["N"] * 3 + ["Nmm"] * 3) * 2 + ["V"] * 3},
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return start + strikes["r"]


def activation(path: Path, first_strike: float, start: float, end: float) -> None:
    time = np.arange(start, end, 0.01)
    values = np.column_stack([bump(time, BURST["R SOL"], first_strike), bump(time, BURST["R TA"], first_strike)])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_storage(path, Storage(path.stem, ("soleus_r", "tib_ant_r"), time, values))


def laboratory(root: Path, first_frame: int = 1, counts_from_file: bool = False) -> dict[str, Path]:
    for who in ("s01", "s02"):
        strike = treadmill(root / "c3d" / who / "walk_slow.c3d", first_frame)
        start = 0.0 if counts_from_file else (first_frame - 1) / RATE
        strike -= (first_frame - 1) / RATE if counts_from_file else 0
        activation(
            root / "so" / who / "walk_slow_StaticOptimization_activation.sto", strike, start + 0.02, start + 11.5
        )
    return {"activation": root / "so", "emg": root / "c3d", "grf": root / "c3d"}


def test_emg_and_forces_come_out_of_c3d_files_on_their_clock(tmp_path):
    lab = laboratory(tmp_path / "lab", first_frame=301)
    made = new_study(tmp_path / "study", **lab)
    assert made.trials["emg"].tolist() == [f"emg/{who}/walk_slow_emg.sto" for who in ("s01", "s02")]
    assert made.trials["grf"].tolist() == [f"grf/{who}/walk_slow_grf.sto" for who in ("s01", "s02")]
    assert "emg_offset_s" not in made.trials
    settings = tomllib.loads((tmp_path / "study" / "study.toml").read_text())
    assert settings["emg"] == {"R SOL": "soleus_r", "R TA": "tib_ant_r"}
    assert settings["emg_processing"]["recipe"] == "general"
    assert check_study(tmp_path / "study") == []
    emg = read_storage(tmp_path / "study" / made.trials["emg"][0])
    assert emg.time[0] == pytest.approx(3.0)
    cycles, _ = segment(load_study(tmp_path / "study"))
    assert cycles.sizes["cycle"] == 2 * 9
    assert float(cycles["start_s"][0]) == pytest.approx(3.4, abs=0.01)
    for channel in range(2):  # envelopes peak where the activation does
        simulated = cycles["activation_waveform"].mean("cycle")[:, channel].to_numpy().argmax()
        measured = cycles["emg_waveform"].mean("cycle")[:, channel].to_numpy().argmax()
        assert abs(int(simulated) - int(measured)) <= 4


def test_an_activation_that_counts_from_the_files_first_frame_gets_an_offset(tmp_path):
    made = new_study(tmp_path / "study", **laboratory(tmp_path / "lab", first_frame=1501, counts_from_file=True))
    assert made.trials["emg_offset_s"].tolist() == made.trials["grf_offset_s"].tolist() == ["-15", "-15"]
    assert any("taken to count from the file's first frame" in line for line in made.to_do)
    assert check_study(tmp_path / "study") == []
    cycles, _ = segment(load_study(tmp_path / "study"))
    assert cycles.sizes["cycle"] == 2 * 9


def test_a_clock_that_may_be_either_is_asked_about(tmp_path):
    lab = laboratory(tmp_path / "lab", first_frame=101)
    for path in lab["activation"].rglob("*.sto"):  # one cycle of simulation, which lies within both
        activation(path, 1.4, 2.5, 4.0)
    made = new_study(tmp_path / "study", **lab)
    assert any("do not start with their capture" in line and "-1 for that trial" in line for line in made.to_do)


def test_a_c3d_file_without_emg_or_plates_is_told(tmp_path):
    lab = laboratory(tmp_path / "lab")
    raw = write_c3d(np.zeros((50, 2, 3)), np.zeros((500, 1)), labels=["A", "B"], channels=["Trigger"], analog_units="N")
    (lab["emg"] / "odd.c3d").write_bytes(raw)
    (lab["emg"] / "none.c3d").write_bytes(b"no C3D")
    made = new_study(tmp_path / "study", **lab)
    told = "\n".join(made.told)
    assert "odd.c3d: no analogue channel that may be EMG; it has Trigger." in told
    assert "odd.c3d: has no force plates" in told
    assert "none.c3d: is no C3D file" in told


def test_c3d_files_among_activations_hold_none(tmp_path):
    treadmill(tmp_path / "a" / "walk.c3d")
    with pytest.raises(Nem2eError, match=r"no file with activations.*a C3D file holds no activation"):
        new_study(tmp_path / "study", activation=tmp_path / "a")
    assert not (tmp_path / "study").exists()


def test_cycles_of_one_recording_are_read_once(tmp_path):
    """Two cycles that were simulated apart: each is a trial, both are cut from the recording that they share."""
    strike = treadmill(tmp_path / "lab" / "c3d" / "walk_1.c3d")
    for number in (2, 4):
        start = strike + number * STRIDE
        name = f"walk_1_cycle{number:02d}_StaticOptimization_activation.sto"
        activation(tmp_path / "lab" / "so" / name, strike, start - 0.05, start + STRIDE + 0.05)
    made = new_study(tmp_path / "study", tmp_path / "lab" / "so", tmp_path / "lab" / "c3d", tmp_path / "lab" / "c3d")
    assert made.trials["emg"].tolist() == ["emg/walk_1_emg.sto"] * 2
    assert made.trials["subject"].tolist() == ["Anna"] * 2
    made.trials.assign(subject="s1", speed="free").to_csv(tmp_path / "study" / "trials.csv", index=False)
    study = load_study(tmp_path / "study")
    first, second = study.trials
    assert study.emg(first.name) is study.emg(second.name)
    assert study.events(first.name) is study.events(second.name)
    assert study.activation(first.name) is not study.activation(second.name)
    cycles, _ = segment(study)
    assert cycles.sizes["cycle"] == 2
    np.testing.assert_allclose(cycles["start_s"], [strike + 2 * STRIDE, strike + 4 * STRIDE], atol=0.01)
