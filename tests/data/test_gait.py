from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nem2e_lib.data.force.feet import read_feet
from nem2e_lib.data.gait import contacts, cycles, heel_strikes, why_no_strike


def toe_offs(time, force, **options):
    return np.array([end for _, end in contacts(time, force, **options) if np.isfinite(end)])


def test_crossing_is_linear_between_samples():
    time, force = np.arange(6) * 0.1, np.array([0.0, 0.0, 80.0, 80.0, 0.0, 0.0])
    np.testing.assert_allclose(heel_strikes(time, force, threshold_n=20), [0.125])
    np.testing.assert_allclose(toe_offs(time, force, threshold_n=20), [0.375])


@given(st.floats(0.11, 0.5), st.floats(0.11, 0.6), st.floats(1, 200), st.floats(50, 2000))
def test_a_known_ramp_is_found_at_any_rate(stance, swing, threshold, rate):
    assume(min(stance, swing) > 0.08 + 2 / rate)  # a crossing is known to a sample
    time = np.arange(0, 3, 1 / rate)
    phase = np.mod(time - 0.05, stance + swing)
    force = 1000 * (phase < stance)
    starts = np.arange(0.05, 2.9, stance + swing)
    starts = starts[starts + stance < time[-1]]
    found = heel_strikes(time, force, threshold_n=threshold)[: len(starts)]
    np.testing.assert_allclose(found, starts, atol=1 / rate + 1e-9)


def test_chatter_around_the_threshold_is_one_contact():
    time = np.arange(0, 1, 0.001)
    force = np.where((time > 0.2) & (time < 0.6), 500.0, 0.0)
    force[(time > 0.205) & (time < 0.215)] = 10.0
    force[(time > 0.8) & (time < 0.81)] = 50.0
    assert len(contacts(time, force)) == 1
    np.testing.assert_allclose(contacts(time, force)[0], (0.2, 0.6), atol=0.002)


def test_contacts_cut_by_the_edges_are_no_events():
    time, force = np.arange(0, 1, 0.01), np.full(100, 500.0)
    force[30:50] = 0
    assert contacts(time, force) == [(-np.inf, pytest.approx(0.2996)), (pytest.approx(0.4904), np.inf)]
    assert len(heel_strikes(time, force)) == len(toe_offs(time, force)) == 1
    assert contacts(time, np.zeros(100)) == []


def test_cycle_definitions():
    right, left = np.array([0.0, 1.0, 2.0]), np.array([0.5, 2.5, 2.8])
    assert cycles(right, left) == [(0.0, 1.0), (1.0, 2.0)]
    assert cycles(right, left, "right-left") == [(0.0, 0.5), (2.0, 2.5)]
    assert cycles(right[:1], left) == []
    mirror = {"left-left": "right-right", "left-right": "right-left"}
    for definition in mirror:
        assert cycles(right, left, definition) == cycles(left, right, mirror[definition])


@pytest.mark.parametrize(
    ("force", "why"),
    [
        (np.zeros(9), "its force is zero throughout"),
        (np.array([0, -700.0, 0]), "falls to -700 N and never rises above 0 N: its sign is turned"),
        (np.array([0, 1.2, 0]), "never rises above 1.2: it is in body weights"),
        (np.array([0, 15.0, 0]), "never rises above 15 N"),
        (np.array([25, 700.0, 25]), "never falls below 25 N: take off the plate's offset"),
        (np.array([0, 700.0, 0]), ""),
    ],
)
def test_what_explains_that_there_is_no_strike(force, why):
    assert why in why_no_strike(force, 20)
    assert bool(why) == bool(why_no_strike(force, 20))


@pytest.mark.realdata
def test_published_events_of_running(realdata):
    folder = realdata / "hamner_subject01"
    index = pd.read_csv(folder / "emg" / "subject01_cycle_index.csv")
    seen = 0
    for speed, rows in index.groupby("speed_m_s"):
        grf = read_feet(folder / "grf" / f"Run_{int(speed)}0002_GRF_newCOP3_v24.mot").force
        force = grf.column("right")
        strikes, offs = heel_strikes(grf.time, force), toe_offs(grf.time, force)
        edges = np.append(rows["t_start"], rows["t_end"].iloc[-1])
        np.testing.assert_allclose(strikes[: len(edges)], edges, atol=0.007)
        for off in rows["t_toe_off"]:
            assert np.abs(offs - off).min() < 0.03  # the source finds toe-off at another threshold
        seen += len(cycles(strikes[: len(edges)], np.array([])))
    assert seen == 22


@pytest.mark.realdata
def test_published_events_of_walking(realdata):
    grf = read_feet(realdata / "opensim_core_walk" / "grf_walk.mot").force
    right, left = grf.values.T
    np.testing.assert_allclose(heel_strikes(grf.time, right), [0.2675, 1.412], atol=0.0015)
    np.testing.assert_allclose(toe_offs(grf.time, right), [1.024, 2.168], atol=0.001)
    np.testing.assert_allclose(heel_strikes(grf.time, left), [0.8365], atol=0.0015)
    np.testing.assert_allclose(toe_offs(grf.time, left), [1.5895], atol=0.001)
