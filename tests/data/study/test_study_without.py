"""Trials without a channel, with a condition, of one leg or the other: from trials.csv to segmented cycles."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import circumstances, data_hash, load_cycles, recorded, save_cycles, segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support import lab

RAW = '[emg_processing]\nrecipe = "general"\nnormalise = "subject_max"\n'
SHARES = '[emg_processing]\nrecipe = "envelope"\nnormalise = "{}"\n'


def lacking(storage, name="R_BF"):
    """A recording without one of its columns."""
    kept = [number for number, label in enumerate(storage.labels) if label != name]
    return replace(storage, labels=tuple(storage.labels[k] for k in kept), values=storage.values[:, kept])


def dead(storage, name="R_BF"):
    return lab.changed(storage, lambda _, values: np.where(np.array(storage.labels) == name, 0.0, values))


def with_column(folder, name, cells):
    path = folder / "trials.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.assign(**{name: cells}).to_csv(path, index=False)


def two_people(folder, second, more="", first=None):
    lab.study(folder, more=more, measured=first)
    lab.add_trial(folder, "s2_free", measured=second, subject="s2")
    return folder


@pytest.mark.parametrize("make", [lacking, dead], ids=["no column", "dead column"])
def test_a_channel_that_a_trial_does_without_is_nan_there_and_all_else_is_as_before(tmp_path, make):
    whole = segment(load_study(two_people(tmp_path / "whole", lab.emg())))[0]
    folder = two_people(tmp_path / "less", make(lab.emg()))
    with pytest.raises(Nem2eError, match=r"s2_free_emg\.sto: .*'R_BF'.*trials\.csv, column without"):
        load_study(folder)
    with_column(folder, "without", ["", "R_BF"])
    cycles = segment(load_study(folder))[0]
    lost = (cycles.subject.values == "s2")[:, None] & (cycles.channel.values == "R_BF")
    np.testing.assert_array_equal(np.isnan(cycles.emg.values), np.broadcast_to(lost[:, None], cycles.emg.shape))
    np.testing.assert_array_equal(recorded(cycles.emg).T, ~lost)
    for name in ("activation", "emg", "emg_waveform"):
        np.testing.assert_array_equal(cycles[name].values, np.where(np.isnan(cycles[name]), np.nan, whole[name].values))
    save_cycles(cycles, tmp_path / "cycles.nc")
    assert data_hash(load_cycles(tmp_path / "cycles.nc")) == data_hash(cycles)
    assert check_study(folder) == []
    (told,) = [note for note in study_notes(folder) if note.endswith("[without]")]
    assert "s2_free without EMG 'R_BF': it is learnt and judged on 1 of 2 subjects." in told


@pytest.mark.parametrize("make", [lacking, dead], ids=["no column", "dead column"])
def test_raw_emg_without_a_channel(tmp_path, make):
    whole = segment(load_study(two_people(tmp_path / "whole", lab.raw_emg(), RAW, lab.raw_emg())))[0]
    folder = two_people(tmp_path / "less", make(lab.raw_emg()), RAW, lab.raw_emg())
    with pytest.raises(Nem2eError, match=r"'R_BF'.*name it in trials\.csv, column without"):
        load_study(folder)
    with_column(folder, "without", ["", "R_BF"])
    cycles = segment(load_study(folder))[0]
    np.testing.assert_array_equal(cycles.emg.values, np.where(np.isnan(cycles.emg), np.nan, whole.emg.values))
    assert int(np.isnan(cycles.emg).all("sample").sum()) == int((cycles.subject == "s2").sum()) > 0
    assert check_study(folder) == []
    assert not [note for note in study_notes(folder) if "R_BF" in note and "[without]" not in note]


def test_what_is_wrong_in_without_is_told_at_once(tmp_path):
    folder = two_people(tmp_path, lab.emg())
    with_column(folder, "without", ["R_BV; R_TA", "R_SOL;R_TA;R_BF;R_RF"])
    problems = check_study(folder)
    assert [problem.partition("trials.csv: ")[2] for problem in problems] == [
        "trial 's1_free': without names 'R_BV', which is no EMG name; did you mean 'R_BF'?",
        "trial 's2_free' does without every EMG channel; take it out.",
        "every trial does without EMG 'R_TA'; take it out of study.toml, [emg].",
    ]


def test_a_cycle_table_without_a_channel(tmp_path):
    folder = two_people(tmp_path, lab.emg())
    spans = "s1_free,0,0.5,1.6\ns2_free,0,0.5,1.6\n"
    (folder / "cycles.csv").write_text("trial,cycle,start_s,end_s\n" + spans, encoding="utf-8")
    rows = "".join(f"0,{name},0,.1\n0,{name},100,.3\n" for name in lab.EMG if name != "R_TA")
    (folder / "s1/emg.csv").write_text("cycle,emg,phase_pct,value\n" + rows, encoding="utf-8")
    text = (folder / "trials.csv").read_text(encoding="utf-8").replace("s1/emg.sto", "s1/emg.csv")
    (folder / "trials.csv").write_text(text, encoding="utf-8")
    with pytest.raises(Nem2eError, match=r"no EMG 'R_TA' .* column without"):
        load_study(folder)
    with_column(folder, "without", ["R_TA", ""])
    emg = segment(load_study(folder))[0].emg.sel(cycle=0)
    assert np.isnan(emg.sel(channel="R_TA")).all()
    np.testing.assert_allclose(emg.sel(channel="R_BF"), np.linspace(0.1, 0.3, 20))


def test_a_condition_is_a_coordinate_and_may_stand_for_the_speed(tmp_path):
    folder = two_people(tmp_path, lab.emg())
    plain = segment(load_study(folder))[0]
    assert "condition" not in plain.coords
    np.testing.assert_array_equal(circumstances(plain), plain.speed.values)
    with_column(folder, "condition", ["straight", "turn"])
    cycles, report = segment(load_study(folder))
    np.testing.assert_array_equal(cycles.emg.values, plain.emg.values)
    assert dict(zip(cycles.subject.values, circumstances(cycles), strict=True)) == {
        "s1": "free, straight",
        "s2": "free, turn",
    }
    assert set(report["condition"]) == {"straight", "turn"}
    table = pd.read_csv(folder / "trials.csv", dtype=str)
    table.drop(columns="speed").to_csv(folder / "trials.csv", index=False)
    alone = segment(load_study(folder))[0]
    assert set(circumstances(alone)) == {"straight", "turn"}
    save_cycles(alone, tmp_path / "cycles.nc")
    assert set(circumstances(load_cycles(tmp_path / "cycles.nc"))) == {"straight", "turn"}
    with_column(folder, "condition", ["straight", ""])
    assert [problem.partition("trials.csv: ")[2] for problem in check_study(folder)] == [
        "line 3: speed is empty; give a label such as free or fast."
    ]
    table.drop(columns=["speed", "condition"]).to_csv(folder / "trials.csv", index=False)
    assert "no column 'speed'" in check_study(folder)[0]


@pytest.mark.parametrize("how", ["subject_max", "other_trials"])
def test_each_leg_is_normalised_by_its_own_electrodes(tmp_path, how):
    """The left leg's amplifier has a tenth of the gain: alone each leg rises to 1, together the left to a tenth."""
    quiet = lab.changed(lab.emg(), lambda _, values: values / 10)
    folder = lab.study(tmp_path, more=SHARES.format(how))
    for name, measured in (("right2", lab.emg()), ("left1", quiet), ("left2", quiet)):
        lab.add_trial(folder, name, measured=measured)
    together = segment(load_study(folder))[0]
    left = np.char.startswith(together.trial.values.astype(str), "left")
    with_column(folder, "leg", ["right", "right", "left", "left"])
    alone = segment(load_study(folder))[0]
    np.testing.assert_allclose(alone.emg.values[left], 10 * together.emg.values[left])
    np.testing.assert_allclose(alone.emg.values[left], alone.emg.values[~left])
    np.testing.assert_array_equal(alone.emg.values[~left], together.emg.values[~left])
    assert alone.attrs["emg_processing"] == f"{together.attrs['emg_processing']}, each leg's electrodes alone"
    notes = study_notes(folder)
    assert any(
        note.endswith("EMG of s1 comes from both legs; each leg is divided by its own maximum. [legs]")
        for note in notes
    )
    assert not any("[gain" in note for note in notes)
    with_column(folder, "leg", ["right", "right", "Left", "left"])
    assert "line 4: leg is 'Left', but left or right is expected." in check_study(folder)[0]
