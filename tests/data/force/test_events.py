"""Cycles kept are true ones, whatever the plates did: both feet are asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.find import find_cycles
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.force.feet import FEET
from nem2e_lib.data.gait import heel_strikes
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.load import load_study
from tests.support import lab
from tests.support.steps import Walk, events, wrong_cycles

GAITS = st.one_of(
    st.tuples(st.floats(0.55, 0.85), st.floats(0.35, 0.45)),
    st.tuples(st.floats(0.85, 2.0), st.floats(0.53, 0.75)),
)
"""Running and walking: length of a cycle in s, share of it on the ground."""


def walk(gait, seed, **more) -> Walk:
    return Walk(*gait, seconds=24.0, irregular=0.015, seed=seed, **more)


def judged(made: Walk, forces, **limits):
    """Cycles kept, those that are false, and the true ones."""
    kept = [(start, end) for start, end, why in events(made.time, forces, **limits).cycles() if not why]
    return kept, wrong_cycles(kept, made.true_cycles()), made.true_cycles()


@settings(max_examples=15, deadline=None)
@given(GAITS, st.integers(0, 99), st.sampled_from([0.0, 3.0, 10.0]), st.floats(-1.2, 1.2), st.floats(-60, 60))
def test_drift_jumps_and_noise_lose_no_cycle(gait, seed, noise, drift, jump):
    made, random = walk(gait, seed), np.random.default_rng(seed)
    forces = made.forces() + drift * made.time[:, None] + np.where(made.time > 13.3, jump, 0.0)[:, None]
    kept, false, true = judged(made, forces + noise * random.normal(size=forces.shape))
    assert false == []
    assert len(kept) >= len(true) - 3


@settings(max_examples=15, deadline=None)
@given(GAITS, st.integers(0, 99), st.sampled_from(["wrong", "missed"]), st.sampled_from(FEET), st.integers(5, 8))
def test_a_step_on_the_other_plate_or_beside_them_makes_no_false_cycle(gait, seed, how, foot, step):
    made = walk(gait, seed, **{how: [(foot, step)]})
    kept, false, true = judged(made, made.forces())
    assert false == []
    assert len(kept) >= len(true) - 4


@settings(max_examples=10, deadline=None)
@given(GAITS, st.integers(0, 99), st.floats(0.1, 0.8), st.floats(0.05, 0.2))
def test_a_plate_that_fails_for_a_moment_makes_no_false_cycle(gait, seed, when, lasts):
    made = walk(gait, seed)
    forces, start = made.forces(), made.strikes["right"][6] + when * gait[0] * gait[1]
    forces[(made.time > start) & (made.time < start + lasts), 0] = 0.0
    kept, false, true = judged(made, forces)
    assert false == []
    assert len(kept) >= len(true) - 3


def test_a_sound_plate_gives_the_same_strikes_bit_for_bit():
    made = Walk(irregular=0.02)
    forces = made.forces() + 2.0 * np.random.default_rng(0).normal(size=(len(made.time), 2)) + 3.0
    found = events(made.time, forces)
    assert found.notes == ()
    for foot, force in zip((found.right, found.left), forces.T, strict=True):
        assert np.array_equal(foot.strikes, heel_strikes(made.time, force))


@pytest.mark.parametrize("stances", [(0.8, 0.55), (0.55, 0.8)])
def test_gait_after_a_stroke_is_not_refused(stances):
    right, left = (Walk(1.6, stance, other=0.6, irregular=0.03) for stance in stances)
    forces = np.column_stack([right.forces()[:, 0], left.forces()[:, 1]])
    kept, false, true = judged(right, forces)
    assert false == []
    assert len(kept) == len(true)


def test_one_foot_alone_is_judged_by_itself():
    made = Walk(wrong=[("left", 9)], stance=0.42, other=0.55)
    forces = made.forces()
    forces[:, 1] = 0.0
    kept, false, true = judged(made, forces)
    assert false == []
    assert len(true) - 3 <= len(kept) < len(true)


def test_speeding_up_is_no_doubt():
    made = Walk(1.5, ramp=0.45, irregular=0.02, seconds=60.0)
    kept, _, true = judged(made, made.forces())
    assert len(kept) == len(true)


def test_strides_that_are_lost_are_told():
    made = Walk(seconds=60.0)
    forces = made.forces() + 0.7 * made.time[:, None]
    found = events(made.time, forces, baseline="off")
    (note, *_) = found.coverage("right-right", 0.0, 60.0)
    assert "29 of 54 expected strides are missing, from 27.9 s on" in str(note)
    assert "the right plate no longer unloads" in str(note)
    forces = made.forces()
    forces[made.time > 30.0, 0] = 0.0
    notes = " ".join(map(str, events(made.time, forces).coverage("right-right", 0.0, 60.0)))
    assert "the right plate shows no load there" in notes
    assert events(made.time, made.forces()).coverage("right-right", 0.0, 60.0) == []


def test_standing_before_a_walk_is_no_stride_that_is_lost():
    made = Walk(seconds=30.0)
    time = np.arange(0, 40, 1 / 500)
    standing = np.full((len(time) - len(made.time), 2), 350.0)
    assert events(time, np.vstack([standing, made.forces()])).coverage("right-right", 0.0, 40.0) == []


def starts(folder):
    report = find_cycles(load_study(folder))
    return report.loc[report["kept"], "start_s"].to_numpy(), report


def test_a_study_on_a_plate_that_drifts_has_all_its_cycles(tmp_path):
    made = lab.forces(60.0)
    drifting = Storage("forces", made.labels, made.time, made.values + 0.7 * made.time[:, None])
    folder = lab.study(tmp_path, grf=drifting, seconds=60.0)
    found, _ = starts(folder)
    np.testing.assert_allclose(found, lab.strikes(60.0)[:-1], atol=0.005)
    assert any("the right plate's zero moves from 0" in note and "[zero]" in note for note in study_notes(folder))
    folder = lab.study(tmp_path / "off", grf=drifting, seconds=60.0, more='[grf]\nbaseline = "off"\n')
    assert any("29 of 54 expected strides are missing" in note for note in study_notes(folder))


def belts(stance: float) -> Storage:
    """A left step at the fourth right cycle falls on the right belt."""
    made = Walk(1.1, stance, seconds=12.0, other=0.55 if stance < 0.5 else 0.5, wrong=[("left", 5)])
    return Storage("forces", ("ground_force_vy", "1_ground_force_vy"), made.time, made.forces())


@pytest.mark.parametrize("stance", [0.6, 0.45])
def test_a_foot_on_the_other_belt_is_skipped_with_the_reason(tmp_path, stance):
    made = Walk(1.1, stance, seconds=12.0)
    found, report = starts(lab.study(tmp_path, grf=belts(stance), seconds=12.0))
    true = [start for start, _ in made.true_cycles()]
    assert all(np.abs(np.array(true) - start).min() < 0.01 for start in found)
    assert len(found) == len(true) - 2
    skipped = report[~report["kept"] & (report["start_s"] < 6)]
    assert skipped["reason"].str.contains("right plate|plate stays loaded").all()
    folder = lab.study(tmp_path / "heeded", grf=belts(0.45), seconds=12.0, more='[checks]\nother_foot = "ignore"\n')
    assert check_study(folder) == []


def test_a_touch_in_passing_is_no_step_and_is_told(tmp_path):
    spoilt = lab.forces()
    spoilt.values[(spoilt.time > 1.25) & (spoilt.time < 1.4), 0] += 150  # the right foot swings
    folder = lab.study(tmp_path / "lab", grf=spoilt)
    dataset, _ = segment(load_study(folder))
    np.testing.assert_allclose(dataset["start_s"], lab.strikes()[:6], atol=0.002)
    (note,) = study_notes(folder)
    assert "1 brief and weak touch on the right plate at 1.25 s: no steps, left out." in note
    assert note.endswith("[touch]")
