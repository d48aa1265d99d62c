"""Electrodes that are dead, also most of them, and electrodes that were swapped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.check import study_notes
from nem2e_lib.data.quality.electrodes import noisy
from nem2e_lib.data.quality.phases import centre
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from tests.support import lab

RAW = '[emg_processing]\nrecipe = "general"\n'
SOUND = lab.raw_emg()
NAMES = np.array(SOUND.labels)


def dead(channels: list[int], size: float, hum: float = 0.0) -> Storage:
    """Channels with nothing but an amplifier's noise, and perhaps mains hum."""

    def silence(time, values):
        noise = np.random.default_rng(3).normal(size=values.shape)
        values[:, channels] = size * noise[:, channels] + hum * np.sin(2 * np.pi * 50 * time)[:, None]
        return values

    return lab.changed(SOUND, silence)


def blamed(notes: list[str], *checks: str) -> set[str]:
    told = [note for note in notes if any(note.endswith(f"[{check}]") for check in checks)]
    return {name for name in SOUND.labels if any(repr(name) in note for note in told)}


@pytest.mark.parametrize("channels", [[2], [1, 2, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("size", [1e-6, 2e-5])
@pytest.mark.parametrize("rate", [500, 1000, 2000])
def test_dead_channels_are_told_however_many(tmp_path, channels, size, rate):
    sound = lab.raw_emg(rate_hz=rate)
    noise = size * np.random.default_rng(3).normal(size=sound.values.shape)
    recording = lab.changed(sound, lambda time, values: np.where(np.isin(np.arange(4), channels), noise, values))
    recipe = '[emg_processing]\nrecipe = "hamner2013"\n' if rate == 500 else RAW
    notes = study_notes(lab.study(tmp_path / "lab", measured=recording, more=recipe))
    assert blamed(notes, "dead", "unmodulated") == set(NAMES[channels])
    assert {note.rpartition("[")[2] for note in notes} <= {"dead]", "unmodulated]", "rate]"}


def test_dead_channels_that_hum_are_dead_too(tmp_path):
    notes = study_notes(lab.study(tmp_path / "lab", measured=dead([1, 2, 3], 1e-5, hum=2e-5), more=RAW))
    assert blamed(notes, "dead", "unmodulated") == blamed(notes, "hum") == set(NAMES[1:])


def test_a_working_channel_that_hums_is_not_dead(tmp_path):
    hum = 1e-4 * np.sin(2 * np.pi * 50 * SOUND.time)[:, None]
    notes = study_notes(lab.study(tmp_path / "lab", measured=lab.changed(SOUND, lambda _, v: v + hum), more=RAW))
    assert {note.rpartition("[")[2] for note in notes} == {"hum]"}


def test_dead_envelopes(tmp_path):
    flat = lab.changed(
        lab.emg(), lambda time, v: np.column_stack([v[:, 0], *(0.1 + 1e-3 * np.sin(7 * time + k) for k in range(3))])
    )
    notes = study_notes(lab.study(tmp_path / "lab", measured=flat))
    assert blamed(notes, "dead") == set(NAMES[1:])
    assert blamed(notes, "phase") == set()


def test_noise_is_told_from_emg_by_its_spectrum():
    random = np.random.default_rng(0)
    white = random.normal(size=(6000, 1))
    emg = np.convolve(white[:, 0], np.ones(4), "same")[:, None]
    assert noisy(np.hstack([white, emg]), 1000).tolist() == [True, False]
    assert not noisy(white, 500).any()


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(("order", "odd"), [([1, 0, 2, 3], {"R_SOL", "R_TA"}), ([2, 1, 0, 3], {"R_SOL", "R_BF"})])
def test_swapped_electrodes(tmp_path, raw, order, odd):
    sound = SOUND if raw else lab.emg()
    swapped = lab.changed(sound, lambda _, values: values[:, order])
    (note,) = study_notes(lab.study(tmp_path / "lab", measured=swapped, more=RAW if raw else ""))
    assert note.endswith("were electrodes swapped? [phase]")
    assert "'R_SOL' (soleus_r) peaks at " in note
    assert "but 20 to 55 % is usual (as of 'R_TA' or 'R_BF')" in note
    assert "peaks at 40 % of the cycle and centres at 40 %" in note
    assert {name for name in SOUND.labels if f"{name!r} (" in note} == odd


@pytest.mark.parametrize("cycle", ["right-right", "left-left"])
def test_electrodes_of_the_other_leg(tmp_path, cycle):
    more, left = f'{RAW}[grf]\nright = "ground_force_vy"\nleft = "1_ground_force_vy"\n', {}
    for name, muscle in lab.EMG.items():
        left[name] = f"{muscle[:-1]}l"
    folder = lab.study(tmp_path / "lab", measured=lab.raw_emg(channels=left), more=more)
    path = folder / "study.toml"
    path.write_text(f'cycle = "{cycle}"\n{path.read_text()}')
    assert blamed(study_notes(folder), "phase") == {"R_SOL", "R_TA", "R_BF"}
    text = path.read_text()
    for name, muscle in lab.EMG.items():
        text = text.replace(f'"{name}" = "{muscle}"', f'"{name}" = "{left[name]}"')
    path.write_text(text)
    assert study_notes(folder) == []


def test_running_has_other_phases(tmp_path):
    folder = lab.study(
        tmp_path / "lab", measured=lab.changed(SOUND, lambda _, values: values[:, [1, 0, 2, 3]]), more=RAW
    )
    path = folder / "study.toml"
    path.write_text(path.read_text().replace('"walking"', '"running"'))
    assert study_notes(folder) == []


def test_the_centre_of_a_burst_is_where_it_is():
    phase = np.linspace(0, 100, 101)
    for at in (0.0, 3.0, 40.0, 97.0):
        away = (phase - at + 50) % 100 - 50
        found, share = centre(0.2 + np.exp(-((away / 8) ** 2)))
        assert (found - at + 50) % 100 - 50 == pytest.approx(0, abs=0.3)
        assert share > 0.8
    assert centre(np.ones(101)) == (0, 0)


CHILDREN = "children_walk/study/nine_children_four_muscles"


@pytest.mark.realdata
def test_children_raise_no_doubt_on_their_emg(realdata: Path):
    for study in (CHILDREN, "children_walk/study/ten_children_three_muscles"):
        notes = study_notes(realdata / study)
        assert [note for note in notes if not note.endswith("[saturated]")] == []


@pytest.mark.realdata
def test_swapped_electrodes_of_a_child_are_named(realdata: Path, tmp_path: Path):
    folder = tmp_path / "children"
    shutil.copytree(realdata / CHILDREN, folder)
    for path in (folder / "HC038A").glob("*_emg.sto"):
        os.chmod(path, 0o644)
        table = read_storage(path)
        order = [table.labels.index({"hams": "gast", "gast": "hams"}.get(label, label)) for label in table.labels]
        write_storage(path, Storage(table.name, table.labels, table.time, table.values[:, order]))
    (note,) = [note for note in study_notes(folder) if note.endswith("[phase]")]
    assert "subject 'HC038A': EMG 'hams' (bifemlh_r) peaks at 40 %" in note
    assert "'gast' (med_gas_r) peaks at 9" in note
