"""Mains hum in raw EMG: found with the share it has, and taken out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.emg.envelope import Recipe, envelope, harmonics, notch
from nem2e_lib.data.quality.hum import hum_share, lines_share
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.load import load_study
from tests.support import lab

RAW = '[emg_processing]\nrecipe = "general"\n'
CLEAN = lab.raw_emg()


def humming(lines: dict[float, float], channel: int = 1) -> Storage:
    """Raw EMG with sinusoids in one channel, each so many times as strong as the EMG."""
    values, size = CLEAN.values.copy(), CLEAN.values[:, channel].std()
    for line, times in lines.items():
        values[:, channel] += times * size * np.sqrt(2) * np.sin(2 * np.pi * line * CLEAN.time + line)
    return Storage("emg", CLEAN.labels, CLEAN.time, values)


@pytest.mark.parametrize("rate", [500, 1000, 2000])
@pytest.mark.parametrize("mains", [50, 60])
def test_the_share_is_that_of_the_power(rate, mains):
    time = np.arange(0, 20, 1 / rate)
    noise = np.random.default_rng(0).normal(size=(len(time), 1))
    hum = np.sin(2 * np.pi * mains * time)[:, None] + 0.7 * np.sin(6 * np.pi * mains * time + 1)[:, None]
    expected = 0.745 / (0.745 + 1)
    assert expected - 0.1 < hum_share(noise + hum + 5, rate, mains)[0] < expected + 0.01
    assert hum_share(noise, rate, mains)[0] == 0
    assert hum_share(np.zeros((4000, 1)), rate, mains)[0] == 0


def test_no_line_is_asked_for_above_half_the_rate():
    assert harmonics(50, 1000, 450) == [50, 100, 150, 200, 250, 300, 350, 400, 450]
    assert harmonics(60, 250) == [60, 120]
    assert harmonics(50, 100) == []
    assert lines_share(np.ones((9, 2)), 100, []).shape == (0, 2)


@pytest.mark.parametrize("seconds", [1.7, 2.4, 4, 8])
def test_bursts_of_emg_do_not_hum(seconds):
    random, time = np.random.default_rng(int(10 * seconds)), np.arange(0, seconds, 1e-3)
    band = signal.butter(2, [50, 150], "bandpass", fs=1000, output="sos")
    for _ in range(30):
        bump = 0.02 + np.exp(-((((time / 1.1 + random.random()) % 1 - 0.5) / 0.08) ** 2))
        emg = (signal.sosfiltfilt(band, random.normal(size=len(time))) * bump)[:, None]
        assert max(hum_share(emg, 1000, mains)[0] for mains in (50, 60)) < 0.025


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ({50: 3.0}, "'R_TA' (50 Hz 9"),
        ({150: 2.0, 250: 2.0}, "'R_TA' (150 Hz 4"),
        ({180: 1.0, 300: 1.0}, "'R_TA' (180 Hz 3"),
        ({60.05: 1.0}, "'R_TA' (60 Hz 4"),
    ],
)
def test_a_humming_channel_is_named_with_its_lines_and_the_way_out(tmp_path, lines, told):
    folder = lab.study(tmp_path / "lab", measured=humming(lines), more=RAW)
    assert check_study(folder) == []
    (note,) = [note for note in study_notes(folder) if "[hum]" in note]
    assert f"emg.sto: mains hum in EMG {told}" in note
    mains = 60 if 180 in lines or 60.05 in lines else 50
    assert f"notch_hz = {mains} in study.toml, [emg_processing], takes it out." in note
    assert all(f"{round(line)} Hz" in note for line in lines)
    assert not any(name in note for name in ("R_SOL", "R_BF", "R_RF"))


@pytest.mark.parametrize("lines", [{50: 3.0}, {150: 2.0, 250: 2.0}, {50.1: 2.0, 150.3: 1.0}, {60: 5.0, 300: 1.0}])
def test_a_notch_gives_the_envelope_without_hum(tmp_path, lines):
    mains = 60 if 60 in lines else 50
    recipe = Recipe(notch_hz=mains, band_hz=(20, 450), low_pass_hz=6)
    raw, sound = humming(lines), envelope(CLEAN.values, 1000)
    assert np.corrcoef(envelope(raw.values, 1000)[:, 1], sound[:, 1])[0, 1] < 0.95
    found = envelope(raw.values, 1000, recipe)
    assert np.corrcoef(found[:, 1], sound[:, 1])[0, 1] > 0.99
    assert np.abs(found - sound).max() < 0.12 * sound.max()  # at the recording's ends too
    assert hum_share(notch(raw.values, 1000, recipe.lines_hz(1000)), 1000, mains)[1] < 0.01
    folder = lab.study(tmp_path / "lab", measured=raw, more=RAW + f"notch_hz = {mains}\n")
    (note,) = [note for note in study_notes(folder) if "[hum]" in note]
    assert f"; notch_hz = {mains} leaves 0.0% of it." in note
    cycles, _ = segment(load_study(folder))
    assert f"2 Hz wide notches at {mains} Hz and its harmonics" in cycles.attrs["emg_processing"]
    assert 0.5 <= cycles["emg_waveform"].max("phase").min() <= cycles["emg_waveform"].max() <= 1


def test_a_list_is_just_these_lines(tmp_path):
    recipe = Recipe(notch_hz=(150, 250))
    assert recipe.lines_hz(1000) == [150, 250]
    assert "notches at 150, 250 Hz" in str(recipe)
    folder = lab.study(tmp_path / "lab", measured=humming({150: 2, 250: 2}), more=RAW + "notch_hz = [150, 250]\n")
    (note,) = [note for note in study_notes(folder) if "[hum]" in note]
    assert "; notch_hz = [150.0, 250.0] leaves 0.0% of it." in note


def test_a_notch_leaves_what_is_beside_it():
    time = np.arange(0, 8, 1e-3)
    for away, low, high in ((0, 0, 0.01), (1, 0.69, 0.73), (5, 0.97, 1)):
        turns = 2 * np.pi * (100 + away) * time
        freed = notch(10 * np.sin(200 * np.pi * time) + np.cos(turns), 1000, [100])[2000:6000]
        through = 2 * abs((freed * np.exp(-1j * turns[2000:6000])).mean())
        assert low <= through <= high, away
