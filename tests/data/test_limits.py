"""Activation outside 0 to 1: only a cycle counts, the same for studies and for refiners."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.limits import Excursion, band, band_of_training, beside, listed, no_activation, window, within
from nem2e_lib.data.muscles import ARM_ACTUATORS
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support import lab


def spoilt(start_s: float, end_s: float, seconds: float = 8.0, **values: float) -> Storage:
    """Sound activation with other values of some muscles from one time to another."""
    sound = lab.activation(seconds)
    rows = (sound.time >= start_s) & (sound.time <= end_s)
    for muscle, value in values.items():
        sound.values[rows, sound.labels.index(muscle)] = value
    return sound


def test_a_start_that_has_not_settled_costs_no_cycle(tmp_path: Path) -> None:
    sound, _ = segment(load_study(lab.study(tmp_path / "sound")))
    folder = lab.study(tmp_path / "lab", act=spoilt(0, 0.03, soleus_r=-0.3, tib_ant_r=1.4))
    assert check_study(folder) == []
    (note,) = study_notes(folder)
    assert "where no cycle is, which does not matter: s1_free (tib_ant_r 1.4 at 0 s, soleus_r -0.3 at 0 s)" in note
    assert note.endswith("[unsettled]")
    cycles, report = segment(load_study(folder))
    assert report["kept"].sum() == len(report) == 6
    np.testing.assert_array_equal(cycles.activation, sound.activation)


def test_even_a_start_at_which_every_muscle_is_beyond_1(tmp_path: Path) -> None:
    folder = lab.study(tmp_path / "lab", act=spoilt(0, 0.1, **dict.fromkeys(lab.MUSCLES, 3.0)))
    assert segment(load_study(folder))[1]["kept"].sum() == 6


def test_a_cycle_in_which_the_simulation_broke_down_is_skipped_and_told(tmp_path: Path) -> None:
    folder = lab.study(tmp_path / "lab", act=spoilt(3.0, 3.3, soleus_r=1.45, tib_ant_r=-0.6))
    assert check_study(folder) == []
    notes = study_notes(folder)
    (note,) = [note for note in notes if note.endswith("[activation_range]")]
    assert "in 1 cycle(s), which are skipped: cycle 2 (tib_ant_r -0.6 at 3 s, soleus_r 1.45 at 3 s)" in note
    assert "[activation] tolerance" in note
    cycles, report = segment(load_study(folder))
    assert report["kept"].tolist() == [True, True, False, True, True, True]
    assert "tib_ant_r -0.6 at 3 s, soleus_r 1.45 at 3 s" in report["reason"][2]
    assert cycles.number.values.tolist() == [0, 1, 3, 4, 5]
    assert cycles.activation.max() <= 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[activation]\ntolerance = 0.6\n", "[overshoot]"),
        ('[checks]\nactivation_range = "ignore"\n', "[checks] has notes ignored: activation_range (1)."),
    ],
)
def test_who_means_such_values_says_so(tmp_path: Path, more: str, told: str) -> None:
    folder = lab.study(tmp_path / "lab", act=spoilt(3.0, 3.3, soleus_r=1.45, tib_ant_r=-0.6), more=more)
    cycles, report = segment(load_study(folder))
    assert report["kept"].all()
    assert cycles.activation.max() == 1.45
    (note,) = study_notes(folder)
    assert note.endswith(told)


@pytest.mark.parametrize(("value", "skipped", "notes"), [(-1e-3, 0, 0), (1.01, 0, 0), (-0.04, 0, 1), (1.06, 1, 2)])
def test_rounding_is_silent_and_what_is_more_is_told(tmp_path: Path, value: float, skipped: int, notes: int) -> None:
    folder = lab.study(tmp_path / "lab", act=spoilt(3.0, 3.3, soleus_r=value))
    assert (~segment(load_study(folder))[1]["kept"]).sum() == skipped
    assert len(study_notes(folder)) == notes


def test_a_trial_all_of_whose_cycles_fall_is_a_problem_that_says_how_to_go_on(tmp_path: Path) -> None:
    folder = lab.study(tmp_path / "lab", act=spoilt(0.2, 7.5, soleus_r=1.3))
    (problem,) = check_study(folder)
    assert "'s1_free' has no usable gait cycle (activation is outside 0 to 1 by more than 0.05 (soleus_r 1.3" in problem
    assert "simulate it anew there, or set [activation] tolerance in study.toml" in problem


@pytest.mark.parametrize("tolerance", ["-0.1", "nan", "inf", '"wide"'])
def test_a_tolerance_that_is_none(tmp_path: Path, tolerance: str) -> None:
    (problem,) = check_study(lab.study(tmp_path / "lab", more=f"[activation]\ntolerance = {tolerance}\n"))
    assert "[activation] tolerance is" in problem


def test_what_is_resampled_as_a_mean_reaches_beyond_the_cycle(tmp_path: Path) -> None:
    spike = spoilt(0.475, 0.485, soleus_r=3.0)
    for more, kept in (("", 6), ('resampling = "mean"\n', 5)):
        folder = lab.study(tmp_path / f"lab{kept}", act=spike)
        text = (folder / "study.toml").read_text()
        (folder / "study.toml").write_text(more + text)
        assert segment(load_study(folder))[1]["kept"].sum() == kept


def test_actuators_of_the_arms_push_both_ways(tmp_path: Path) -> None:
    muscles = (*lab.MUSCLES, "arm_flex_r", "knee_reserve_r")
    act = lab.activation(muscles=muscles)
    act.values[:, -2:] = np.sin(act.time)[:, None] * [0.9, 40]
    more = f"[activation]\ncolumns = {list(muscles)}\n"
    folder = lab.study(tmp_path / "lab", act=act, more=more.replace("'", '"'))
    assert segment(load_study(folder))[1]["kept"].sum() == 6
    assert [note for note in study_notes(folder) if "outside 0 to 1" in note] == []
    limits = band(("soleus_r", *ARM_ACTUATORS))
    assert (limits.low[0], limits.high[0]) == (-0.05, 1.05)
    assert np.isinf(limits.low[1:]).all()


@given(
    st.lists(st.floats(-0.5, 1.5), min_size=4, max_size=12),
    st.floats(0, 11),
    st.floats(0.1, 5),
)
def test_within_is_what_resampling_can_meet(values: list[float], start: float, length: float) -> None:
    signal = Storage("a", ("soleus_r",), np.arange(float(len(values))), np.array(values)[:, None])
    points = np.interp(np.linspace(start, start + length, 2001), signal.time, values)
    found = within(signal, band(signal.labels), start, start + length)
    meets = points.min() < -0.05 or points.max() > 1.05
    if meets:
        assert found
        assert found[0].beyond >= max(-0.05 - points.min(), points.max() - 1.05) - 1e-9
    for one in found:
        assert start <= one.time_s <= start + length
        assert one.value == pytest.approx(np.interp(one.time_s, signal.time, values))


def test_beside_is_all_that_no_cycle_has() -> None:
    time = np.arange(10.0)
    signal = Storage("a", ("soleus_r", "tib_ant_r"), time, np.full((10, 2), 0.5))
    signal.values[[0, 5], 0] = [2.0, 3.0]
    signal.values[9, 1] = -1
    limits = band(signal.labels)
    assert [(one.muscle, one.value, one.time_s) for one in beside(signal, limits, [(4, 6)])] == [
        ("soleus_r", 2, 0),
        ("tib_ant_r", -1, 9),
    ]
    assert beside(signal, limits, [(0, 6), (6, 9)]) == []


def test_training_may_have_gone_further() -> None:
    limits = band_of_training(("soleus_r", "tib_ant_r"), (-0.2, 0.1), (0.9, 1.3))
    np.testing.assert_allclose(limits.low, [-0.25, -0.05])
    np.testing.assert_allclose(limits.high, [1.05, 1.35])


def test_the_window_of_a_cycle() -> None:
    assert window(1, 2, "linear") == (1, 2)
    assert window(1, 2, "mean", samples=11) == (0.95, 2.05)


def test_what_cannot_be_activation() -> None:
    sound = lab.activation().values
    assert no_activation(sound) == ""
    assert no_activation(100 * sound).endswith("they may be in per cent: divide by 100.")
    assert no_activation(900 * sound).endswith("is this a file of forces?")
    start = sound.copy()
    start[:30] = 50
    assert no_activation(start) == ""


def test_many_muscles_are_counted() -> None:
    every = [Excursion(f"m{i}", 2.0, 1.0, 0.9) for i in range(5)]
    assert listed(every) == "m0 2 at 1 s, m1 2 at 1 s, m2 2 at 1 s and 2 more"
    assert listed(every[:1]) == "m0 2 at 1 s"


def test_a_file_of_forces_is_refused_whole(tmp_path: Path) -> None:
    forces = lab.activation()
    act = dataclasses.replace(forces, values=1000 * forces.values)
    with pytest.raises(Nem2eError, match="file of forces"):
        load_study(lab.study(tmp_path / "lab", act=act))
