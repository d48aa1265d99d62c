"""Electrodes that measure a muscle, and those that came off, against signals of known kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from nem2e_lib.data.c3d.electrodes import live
from nem2e_lib.data.c3d.mapping import propose
from nem2e_lib.data.c3d.recording import read_c3d

RATE = 1000.0
TIME = np.arange(0, 3, 1 / RATE)
NOISE = np.random.default_rng(8).normal(size=len(TIME))
EMG = sosfiltfilt(butter(2, [30, 200], "bandpass", fs=RATE, output="sos"), NOISE) * (1 + np.sin(2 * np.pi * TIME))
HUM = np.sin(2 * np.pi * 50 * TIME)

SIGNALS = {
    "a muscle": (EMG, True),
    "a muscle with an offset": (EMG + 5, True),
    "a muscle a thousand times smaller": (1e-3 * EMG, True),
    "a muscle with some hum": (EMG + 0.2 * HUM, True),
    "an amplifier's noise": (NOISE, False),
    "hum alone": (HUM + 0.1 * NOISE, False),
    "an amplifier at its rails": (np.clip(20 * EMG, -1.25, 1.25), False),
    "nothing": (np.full(len(TIME), 0.3), False),
    "gaps": (np.where(TIME > 2, np.nan, EMG), False),
}


@pytest.mark.parametrize("what", SIGNALS)
def test_a_channel_is_live_if_it_looks_like_emg(what):
    values, expected = SIGNALS[what]
    assert live(values, RATE) is expected


@pytest.mark.realdata
@pytest.mark.slow
def test_the_leg_that_was_measured_in_twelve_children_is_the_one_known(realdata):
    """By the README of the data: dead legs are noise in some, hum and rails a thousand times as large in others."""
    root = realdata / "children_walk" / "c3d"
    mapping, to_do = propose(root, {path: read_c3d(path) for path in sorted(root.rglob("*.c3d"))})
    legs = dict(zip(mapping.subjects["subject"], mapping.subjects["leg"], strict=True))
    left, right = ("HC030A", "HC032A", "HC036A", "HC039A"), ("HC002D", "HC031A", "HC033A", "HC038A", "HC044A", "HC050A")
    dead = ("HC040A", "HC055A")
    assert legs == dict.fromkeys(right, "right") | dict.fromkeys(left, "left") | dict.fromkeys(dead, "")
    assert any("no channel of HC040A, HC055A looks like EMG" in each for each in to_do)
