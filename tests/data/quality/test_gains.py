"""EMG that changes its size: artefacts, units, gains, and recordings that EMG is normalised by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.quality.gains import times, unit_hint
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.load import load_study
from tests.support import lab

RAW = '[emg_processing]\nrecipe = "general"\n'
SOUND = lab.raw_emg()


def peaks(folder: Path) -> np.ndarray:
    """The peak of each cycle and channel as segmented, shape (cycles, channels)."""
    assert check_study(folder) == []
    return segment(load_study(folder))[0]["emg_waveform"].max("phase").values


def knocked(*at_s: float, recording: Storage = SOUND) -> Storage:
    """A recording whose first electrode is knocked for 60 ms each time, some 50 times its EMG."""

    def knock(time, values):
        for start in at_s:
            during = (time >= start) & (time < start + 0.06)
            values[during, 0] += 5e-3 * np.sin(np.pi * (time[during] - start) / 0.06)
        return values

    return lab.changed(recording, knock)


def louder(recording: Storage, factor: object, after_s: float = -1) -> Storage:
    return lab.changed(recording, lambda time, values: np.where((time > after_s)[:, None], values * factor, values))


def test_a_sound_recording_has_no_note(tmp_path):
    folder = lab.study(tmp_path / "lab", measured=SOUND, more=RAW)
    lab.add_trial(folder, "s1_more", measured=lab.raw_emg(seed=5))
    assert study_notes(folder) == []
    assert np.all(peaks(folder) > 0.5)


def test_an_artefact_after_the_last_cycle_sets_no_maximum(tmp_path):
    sound = peaks(lab.study(tmp_path / "sound", measured=SOUND, more=RAW))
    folder = lab.study(tmp_path / "lab", measured=knocked(7.43), more=RAW)
    found = peaks(folder)
    assert np.all((found[:, 0] > 0.5) & (found[:, 0] <= 1))
    np.testing.assert_allclose(found, sound, rtol=0.02)
    assert study_notes(folder) == []


@pytest.mark.parametrize("at", [(3.2,), (3.2, 5.2)])
def test_an_artefact_within_a_cycle_is_told_with_its_time(tmp_path, at):
    folder = lab.study(tmp_path / "lab", measured=knocked(*at), more=RAW)
    (note,) = study_notes(folder)
    assert note.endswith("[artefact]")
    assert "'R_SOL' (9." in note
    assert all(f"times at {start + 0.03:.3g} s" in note for start in at)
    assert "sets the maximum" in note
    assert "percentile = 50" in note
    assert np.median(peaks(folder)[:, 0]) < 0.15
    (note,) = study_notes(lab.study(folder, measured=knocked(*at), more=RAW + "percentile = 50\n"))
    assert "sets the maximum" not in note
    assert np.median(peaks(folder)[:, 0]) == pytest.approx(1, abs=0.1)


def test_an_artefact_is_told_where_a_subject_has_one_cycle(tmp_path):
    folder = lab.study(tmp_path / "lab", measured=knocked(3.2), more=RAW)
    (folder / "cycles.csv").write_text("trial,cycle,start_s,end_s\ns1_free,0,2.7,3.8\n")
    (note,) = study_notes(folder)
    assert "at 3.23 s" in note
    lab.study(folder, measured=SOUND, more=RAW)
    assert study_notes(folder) == []


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        (1000, "V and the other in mV?"),
        (1e6, "V and the other in uV?"),
        (10, "a gain changed?"),
        (5, "a gain changed?"),
    ],
)
def test_a_file_in_another_unit_is_told_with_the_factor_and_mended_by_its_scale(tmp_path, factor, told):
    other = lab.raw_emg(seed=5)
    folder = lab.study(tmp_path / "lab", measured=SOUND, more=RAW)
    lab.add_trial(folder, "s1_more", measured=other)
    sound = peaks(folder)
    write_storage(folder / "s1/s1_more_emg.sto", louder(other, factor))
    (note,) = study_notes(folder)
    assert note.endswith("[gains]")
    assert "is larger in trial 's1_more' than in 's1_free'" in note
    assert told in note
    said = [float(part.split(" times")[0]) for part in note.split("(")[1:]]
    assert len(said) == 4
    np.testing.assert_allclose(said, factor, rtol=0.2)
    table = folder / "trials.csv"
    rows = table.read_text().splitlines()
    table.write_text(f"{rows[0]},emg_scale\n{rows[1]},\n{rows[2]},{1 / factor}\n")
    assert study_notes(folder) == []
    np.testing.assert_allclose(peaks(folder), sound, rtol=1e-6)


def test_one_channel_with_another_gain_in_half_of_the_trials(tmp_path):
    folder = lab.study(tmp_path / "lab", measured=SOUND, more=RAW)
    for seed, factor in enumerate((1, 20, 20), start=5):
        lab.add_trial(folder, f"t{seed}", measured=louder(lab.raw_emg(seed=seed), [1, factor, 1, 1]))
    (note,) = study_notes(folder)
    assert note.endswith("[gain]")
    assert "EMG 'R_TA' (2" in note
    assert "is larger in trial 't6', 't7' than in 's1_free', 't5'" in note


def test_envelopes_of_cycles_are_compared_too(tmp_path):
    folder = lab.study(tmp_path / "lab", measured=lab.emg())
    lab.add_trial(folder, "percent", measured=louder(lab.emg(), 100))
    (note,) = [note for note in study_notes(folder) if note.endswith("[gains]")]
    assert "is one in % and the other from 0 to 1" in note


@pytest.mark.parametrize(("factor", "what"), [(10, "larger"), (4, "larger"), (0.1, "smaller")])
def test_a_gain_that_changes_in_a_recording(tmp_path, factor, what):
    folder = lab.study(tmp_path / "lab", measured=louder(SOUND, [1, factor, 1, 1], after_s=4.2), more=RAW)
    (note,) = study_notes(folder)
    assert note.endswith("[gain_step]")
    assert "from the cycle at 4.90" in note
    assert f"times {what})" in note
    assert "'R_SOL'" not in note
    said = float(note.split("'R_TA' (")[1].split(" times")[0])
    assert said == pytest.approx(max(factor, 1 / factor), rel=0.3)


def test_an_electrode_that_comes_off(tmp_path):
    noise = 1e-6 * np.random.default_rng(1).normal(size=SOUND.values.shape)
    off = lab.changed(SOUND, lambda time, values: np.where((time > 5)[:, None] & (np.arange(4) == 1), noise, values))
    (note,) = study_notes(lab.study(tmp_path / "lab", measured=off, more=RAW))
    assert "'R_TA' (" in note
    assert "did an electrode come off?" in note


def contraction(size: object = 1.0) -> Storage:
    """A contraction held for 3 s, twice walking's bursts."""
    time = lab.clock(6, 1000)
    held = ((time > 1) & (time < 4))[:, None] + 0.02
    noise = np.random.default_rng(9).normal(size=(len(time), 4))
    return Storage("mvc", SOUND.labels, time, 1e-4 * held * noise * size)


def referred(folder: Path, *recordings: Storage, scale: str = "") -> Path:
    lab.study(folder, measured=SOUND, more=RAW + 'normalise = "references"\n')
    rows = ["subject,emg,emg_scale"]
    for number, recording in enumerate(recordings):
        write_storage(folder / f"s1/mvc{number}.sto", recording)
        rows.append(f"s1,s1/mvc{number}.sto,{scale}")
    (folder / "references.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.parametrize("recording", [contraction(), lab.raw_emg(seed=8)], ids=["contraction", "walk"])
def test_sound_references(tmp_path, recording):
    assert study_notes(referred(tmp_path / "lab", recording)) == []


def test_a_reference_below_walking_is_used_and_told_with_its_factor(tmp_path):
    sound = peaks(referred(tmp_path / "sound", contraction()))
    folder = referred(tmp_path / "lab", contraction(np.array([0.17, 1, 1, 1])))
    (note,) = study_notes(folder)
    assert note.endswith("[reference_low]")
    assert "EMG rises to 'R_SOL' (" in note
    assert "the reference was not maximal" in note
    found = peaks(folder)
    np.testing.assert_allclose(found[:, 0], sound[:, 0] / 0.17, rtol=1e-6)
    assert float(note.split("'R_SOL' (")[1].split(" times")[0]) == pytest.approx(np.median(found[:, 0]), rel=0.05)
    assert np.median(found[:, 0]) == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize(("factor", "check"), [(1000, "reference_high"), (1e-3, "reference_low")])
def test_a_reference_in_another_unit(tmp_path, factor, check):
    folder = referred(tmp_path / "lab", contraction(factor))
    (note,) = study_notes(folder)
    assert note.endswith(f"[{check}]")
    assert "is one in V and the other in mV?" in note
    assert study_notes(referred(folder, contraction(factor), scale=str(1 / factor))) == []
    referred(folder, contraction(), scale="-1")
    assert any("line 2: emg_scale is '-1', but a number above 0" in problem for problem in check_study(folder))


def test_references_in_two_units(tmp_path):
    notes = study_notes(referred(tmp_path / "lab", contraction(), contraction(1000)))
    (note,) = [note for note in notes if "mvc1.sto" in note]
    assert "every channel is at least 1000 times larger than in another recording" in note


def test_an_artefact_that_sets_a_reference_is_told_with_its_time(tmp_path):
    folder = referred(tmp_path / "lab", knocked(5.0, recording=contraction()))
    (note,) = study_notes(folder)
    assert note.endswith("[reference_artefact]")
    assert "mvc0.sto: " in note
    assert "'R_SOL' (4." in note
    assert "times at 5.03 s)" in note
    shorter = replace(
        contraction(), time=contraction().time[:4500], values=knocked(5.0, recording=contraction()).values[:4500]
    )
    assert study_notes(referred(folder, shorter)) == []


def test_words():
    assert (times(9.96), times(99.9), times(1023)) == ("10 times", "100 times", "1000 times")
    assert "a gain changed" in unit_hint(7)


def test_mistakes_in_a_scale(tmp_path):
    folder = lab.study(tmp_path / "lab")
    table = folder / "trials.csv"
    rows = table.read_text().splitlines()
    table.write_text(f"{rows[0]},emg_scale\n{rows[1]},0\n")
    assert "line 2: emg_scale is '0', but a number above 0" in check_study(folder)[0]
