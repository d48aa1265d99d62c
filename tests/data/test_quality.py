from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.quality.electrodes import copies
from nem2e_lib.data.quality.emg import pinned_share
from nem2e_lib.data.quality.force import held_s
from nem2e_lib.data.quality.notes import quality_notes
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from tests.support import realdata as hamner

TRIALS = ("s1_slow", "s1_fast", "s2_slow", "s2_fast")
RATE = 1000


def rewrite(path, edit) -> None:
    table = read_storage(path)
    values = table.values.copy()
    edit(table.time, values)
    write_storage(path, Storage(table.name, table.labels, table.time, values))


def say(folder, text: str) -> None:
    path = folder / "study.toml"
    path.write_text(path.read_text() + "\n" + text)


def raw(seed: int) -> Storage:
    time = np.arange(0, 3, 1 / RATE)
    burst = 1 + 0.9 * np.sin(2 * np.pi * time)
    values = burst[:, None] * np.random.default_rng(seed).normal(size=(len(time), 2))
    return Storage("raw", ("sol", "tib"), time, values)


@pytest.fixture
def raw_study(study_folder):
    for seed, trial in enumerate(TRIALS):
        write_storage(study_folder / f"{trial}_emg.sto", raw(seed))
    say(study_folder, '[emg_processing]\nrecipe = "general"')
    return study_folder


def notes_of(folder) -> list[str]:
    assert check_study(folder) == []
    return quality_notes(load_study(folder))


def test_a_sound_raw_study_has_nothing_but_the_plateau_of_its_force(raw_study):
    notes = notes_of(raw_study)
    assert all("seems to be clipped" in note for note in notes), notes
    assert len(notes) == 8
    assert "right vertical force stays at its highest value, 700 N, for 0.1 s" in notes[0]


def test_force_that_peaks_is_not_clipped(raw_study):
    for trial in TRIALS:
        rewrite(raw_study / f"{trial}_grf.mot", lambda time, values: values.__imul__(1 + 0.01 * np.sin(time)[:, None]))
    assert notes_of(raw_study) == []


@pytest.mark.parametrize("line", [50, 60])
def test_hum_is_named_with_its_share(raw_study, line):
    def add(time, values):
        values[:, 1] += 0.8 * np.sin(2 * np.pi * line * time)

    rewrite(raw_study / "s1_slow_emg.sto", add)
    (note,) = [note for note in notes_of(raw_study) if "mains hum" in note]
    assert f"s1_slow_emg.sto: mains hum in EMG 'tib' ({line} Hz " in note
    assert f"% of its power); notch_hz = {line} in study.toml, [emg_processing], takes it out." in note
    assert "'sol'" not in note


def test_clipped_raw_emg(raw_study):
    rewrite(raw_study / "s2_slow_emg.sto", lambda time, values: np.clip(values, -1.5, 1.5, out=values))
    (note,) = [note for note in notes_of(raw_study) if "again and again" in note]
    assert "s2_slow_emg.sto: EMG is clipped" in note
    assert pinned_share(np.random.default_rng(0).normal(size=(5000, 1)))[0] == 0


def test_dead_channel(raw_study):
    rewrite(raw_study / "s1_fast_emg.sto", lambda time, values: values[:, 0].__imul__(1e-3))
    assert any("s1_fast_emg.sto: EMG hardly varies, maybe a dead channel" in note for note in notes_of(raw_study))


@pytest.mark.parametrize("gain", [1.0, -3.0])
def test_copied_channels(raw_study, gain):
    for trial in TRIALS[:3]:
        rewrite(raw_study / f"{trial}_emg.sto", lambda time, values: values[:, 1].__imul__(0))
        rewrite(raw_study / f"{trial}_emg.sto", lambda time, values: values[:, 1].__iadd__(gain * values[:, 0]))
    (note,) = [note for note in notes_of(raw_study) if "copy" in note]
    assert "EMG 'tib' is a copy of 'sol' in 3 of 4 recordings" in note
    assert 'say tib = "sol" in study.toml, [electrodes]' in note
    say(raw_study, '[electrodes]\ntib = "sol"')
    (note,) = [note for note in notes_of(raw_study) if "electrode" in note]
    assert "says that EMG 'tib' and 'sol' are one electrode, but they are copies only in 3 of 4 recordings" in note


def test_copies_are_copies_whatever_their_gain():
    one = np.random.default_rng(0).normal(size=500)
    assert copies(one, one)
    assert copies(one, 2e6 * one)
    assert not copies(one, one + 1e-3)
    assert not copies(one, 0 * one)
    assert not copies(np.ones(9), np.ones(9))


def test_bridged_dropped_uneven_and_slow(raw_study):
    emg = raw(9)
    emg.values[100:105, 0] = np.nan
    emg.values[(emg.time > 2.4) & (emg.time < 2.9), 1] = np.nan
    write_storage(raw_study / "s1_slow_emg.sto", emg)
    uneven = raw(8)
    time = uneven.time + 0.004 * np.sin(uneven.time * 5)
    write_storage(raw_study / "s2_slow_emg.sto", Storage("x", uneven.labels, time - time[0], uneven.values))
    slow = raw(7)
    write_storage(raw_study / "s2_fast_emg.sto", Storage("x", slow.labels, slow.time[::2], slow.values[::2]))
    path = raw_study / "study.toml"
    path.write_text(path.read_text().replace("general", "hamner2013"))
    notes = "\n".join(study_notes(raw_study))
    assert "5 values of EMG that were no numbers lie in short gaps and were bridged" in notes
    assert "EMG 'tib' dropped out from 2.4 to 2.9 s (no number)" in notes
    assert "s2_slow_emg.sto: the clock of the EMG is uneven; it was resampled to " in notes
    assert "s2_fast_emg.sto: EMG at 500 Hz, but 1000 Hz or more are recommended" in notes


def test_saturated_and_constant_activation(study_folder):
    for trial in TRIALS[:2]:
        rewrite(study_folder / f"{trial}_activation.sto", lambda time, values: values[:, 1].__setitem__(time > 2, 1))
    rewrite(study_folder / "s2_slow_activation.sto", lambda time, values: values[:, 0].__setitem__(time > 1.1, 0.02))
    notes = notes_of(study_folder)
    (note,) = [note for note in notes if "is saturated" in note]
    assert (
        "activation is saturated (above 0.99) in 2 of 4 trials; 1 muscles, each in its worst trial: tib_ant_r (33%"
        in note
    )
    (note,) = [note for note in notes if "is constant" in note]
    assert "activation of 'soleus_r' is constant in 1 of 8 cycles (s2_slow 1): its correlation with EMG" in note


def test_skipped_cycles_are_counted(study_folder):
    (study_folder / "cycles.csv").write_text(
        "trial,cycle,start_s,end_s\n"
        + "".join(f"{trial},{n},{0.2 + n},{1.2 + n}\n" for trial in TRIALS for n in range(2))
        + "s1_slow,2,2.2,2.5\n"
    )
    assert any("1 of 9 cycles are skipped" in note for note in notes_of(study_folder))


def test_a_misspelt_column_is_told(study_folder):
    path = study_folder / "trials.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{rows[0]},emg_ofset_s", *(f"{row},1" for row in rows[1:])]))
    assert any("column 'emg_ofset_s' is not used; did you mean 'emg_offset_s'?" in n for n in study_notes(study_folder))


def test_longest_run():
    time = np.arange(10) / 10
    assert held_s(time, time > 0.55) == pytest.approx(0.3)
    assert held_s(time, time > 0.75) == 0


def test_the_command_tells_notes_in_both_ways(raw_study):
    plain = CliRunner().invoke(app, ["study", "check", str(raw_study)])
    assert plain.exit_code == 0
    assert "note: " in plain.stdout
    facts = json.loads(CliRunner().invoke(app, ["study", "check", str(raw_study), "--json"]).stdout)
    assert facts["ok"]
    assert sum("clipped" in note for note in facts["notes"]) == 8
    assert all("\n" not in note and note.endswith("]") for note in facts["notes"])


@pytest.mark.realdata
def test_saturated_plantarflexors_of_the_fastest_real_run(realdata, tmp_path):
    notes = notes_of(hamner.build(tmp_path / "study"))
    assert len(notes) == 1
    assert "activation is saturated (above 0.99) in 2 of 4 trials" in notes[0]
    assert "soleus_r" in notes[0]


@pytest.mark.realdata
def test_copied_channels_of_the_published_names(realdata, tmp_path):
    folder = hamner.build(tmp_path / "study")
    for path in (folder / "emg").glob("*.csv"):
        rows = path.read_text().splitlines()
        path.write_text("\n".join([*rows, *(row.replace("glmax1", "glmax2") for row in rows if "glmax1" in row)]))
    path = folder / "study.toml"
    path.write_text(path.read_text() + 'glmax2 = "glut_max2_r"\n')
    assert any("EMG 'glmax2' is a copy of 'glmax1' in 4 of 4 recordings" in note for note in notes_of(folder))
