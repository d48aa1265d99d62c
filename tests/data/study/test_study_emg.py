"""Raw EMG in a study folder: processed, normalised, dropped out, and on another clock."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.find import find_cycles
from nem2e_lib.data.cycles.normalise import normalised
from nem2e_lib.data.cycles.segment import load_cycles, save_cycles, segment
from nem2e_lib.data.emg.envelope import RECIPES, envelope
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError

RATE = 1000
TRIALS = ("s1_slow", "s1_fast", "s2_slow", "s2_fast")
STRENGTH = dict(zip(TRIALS, (1.0, 2.0, 3.0, 4.0), strict=True))
EXTRA_S = 0.5  # that EMG starts before activation, with a jump to tell the devices' clocks


def raw_emg(trial: str) -> Storage:
    time = np.arange(-EXTRA_S, 3, 1 / RATE)
    seed = TRIALS.index(trial)
    values = np.random.default_rng(seed).normal(size=(len(time), 2)) * STRENGTH[trial]
    values[time < -0.3] *= 50
    return Storage(trial, ("sol", "tib"), time, values + 7)


def ask_for(folder, text: str) -> None:
    path = folder / "study.toml"
    path.write_text(path.read_text() + "\n[emg_processing]\n" + text)


@pytest.fixture
def raw_study(study_folder):
    for trial in TRIALS:
        write_storage(study_folder / f"{trial}_emg.sto", raw_emg(trial))
    return study_folder


def plain(trial: str, recipe: str = "hamner2013") -> np.ndarray:
    return envelope(raw_emg(trial).values, RATE, RECIPES[recipe])


def highest_of_cycles(study, trial: str) -> np.ndarray:
    """Of the kept cycles, by straight lines between samples at a hundredth of a millisecond."""
    report, time = find_cycles(study), raw_emg(trial).time
    spans = report.loc[report["kept"] & (report["trial"] == trial), ["start_s", "end_s"]].to_numpy()
    assert len(spans)
    at = np.concatenate([np.arange(start, end, 1e-5) for start, end in spans])
    return np.array([np.interp(at, time, column).max() for column in plain(trial).T])


def measured(study):
    return normalised(study, find_cycles(study))


def test_raw_emg_is_refused_without_a_recipe(raw_study):
    for trial in TRIALS:
        emg = raw_emg(trial)
        write_storage(raw_study / f"{trial}_emg.sto", Storage(trial, emg.labels, emg.time, emg.values - 7))
    assert "swings about zero" in check_study(raw_study)[0]
    assert "[emg_processing]" in check_study(raw_study)[0]


def test_subject_maximum_over_the_kept_cycles_of_all_trials(raw_study):
    ask_for(raw_study, 'recipe = "hamner2013"')
    assert check_study(raw_study) == []
    study = load_study(raw_study)
    for trial in TRIALS:
        subject = [t for t in TRIALS if t[:2] == trial[:2]]
        highest = np.max([highest_of_cycles(study, t) for t in subject], axis=0)
        np.testing.assert_allclose(measured(study)(trial).values, plain(trial) / highest, rtol=1e-4)


def test_a_percentile_of_the_peaks_of_cycles(raw_study):
    ask_for(raw_study, 'recipe = "hamner2013"\npercentile = 50')
    cycles, report = segment(load_study(raw_study))
    assert "percentile 50 of the peaks of kept cycles" in cycles.attrs["emg_processing"]
    study = load_study(raw_study)
    spans = report.loc[report["trial"].isin(TRIALS[:2]), ["trial", "start_s", "end_s"]]
    peaks = []
    for trial, start, end in spans.itertuples(index=False):
        time = raw_emg(trial).time
        peaks.append(plain(trial)[(time >= start) & (time <= end)].max(axis=0))
    expected = plain("s1_slow") / np.median(peaks, axis=0)
    np.testing.assert_allclose(measured(study)("s1_slow").values, expected, rtol=2e-3)


def test_other_trials_never_include_the_trial_itself(raw_study):
    ask_for(raw_study, 'recipe = "hamner2013"\nnormalise = "other_trials"')
    before = load_study(raw_study)
    emg = raw_emg("s1_slow")
    write_storage(raw_study / "s1_slow_emg.sto", Storage("x", emg.labels, emg.time, emg.values * 10))
    after = load_study(raw_study)
    first, then = measured(before), measured(after)
    np.testing.assert_allclose(then("s1_slow").values, 10 * first("s1_slow").values, rtol=1e-9)
    highest = highest_of_cycles(before, "s1_fast")
    np.testing.assert_allclose(first("s1_slow").values, plain("s1_slow") / highest, rtol=1e-4)
    for trial in ("s2_slow", "s2_fast"):
        np.testing.assert_array_equal(then(trial).values, first(trial).values)


def test_other_trials_need_two(raw_study):
    ask_for(raw_study, 'recipe = "hamner2013"\nnormalise = "other_trials"')
    path = raw_study / "trials.csv"
    path.write_text("\n".join(row for row in path.read_text().splitlines() if "s1_fast" not in row))
    assert re.search(
        "'other_trials' needs two trials a subject, but 's1' has only 's1_slow'", check_study(raw_study)[0]
    )


def test_references_are_recordings_of_their_own(raw_study):
    ask_for(raw_study, 'recipe = "hamner2013"\nnormalise = "references"')
    assert any("references.csv: no such file" in problem for problem in check_study(raw_study))
    write_storage(raw_study / "mvc.sto", raw_emg("s2_fast"))
    (raw_study / "references.csv").write_text("subject,emg\ns1,mvc.sto\ns2,nowhere.sto\n")
    assert any("line 3: emg is 'nowhere.sto', but there is no such" in problem for problem in check_study(raw_study))
    (raw_study / "references.csv").write_text("subject,emg\ns1,mvc.sto\ns2,mvc.sto\n")
    study = load_study(raw_study)
    highest = plain("s2_fast").max(axis=0)
    np.testing.assert_allclose(measured(study)("s1_slow").values, plain("s1_slow") / highest, rtol=1e-6)
    (raw_study / "references.csv").write_text("subject,emg\ns1,mvc.sto\n")
    assert any("no row of subject 's2'; found s1" in problem for problem in check_study(raw_study))


def test_own_steps_and_no_normalisation(raw_study):
    ask_for(raw_study, 'low_pass_hz = 6\nband_hz = [30, 400]\nlow_pass_order = 2\nnormalise = "none"')
    found = load_study(raw_study).emg("s1_slow").values
    from nem2e_lib.data.emg.envelope import Recipe

    recipe = Recipe(band_hz=(30, 400), low_pass_hz=6, low_pass_order=2)
    np.testing.assert_allclose(found, envelope(raw_emg("s1_slow").values, RATE, recipe), rtol=1e-6)


def test_what_was_done_is_kept_with_the_cycles(raw_study, tmp_path):
    ask_for(raw_study, 'recipe = "general"')
    cycles, report = segment(load_study(raw_study))
    assert report["kept"].all()
    assert "20-450 Hz band-pass" in cycles.attrs["emg_processing"]
    assert cycles.attrs["emg_processing"].endswith("normalise = subject_max (highest peak of kept cycles)")
    save_cycles(cycles, tmp_path / "cycles.nc")
    assert load_cycles(tmp_path / "cycles.nc").attrs == cycles.attrs
    assert float(cycles["emg_waveform"].max()) <= 1


@pytest.mark.parametrize("filling", [np.nan, 7.0])
def test_a_cycle_in_which_a_sensor_dropped_out_is_skipped(raw_study, filling):
    emg = raw_emg("s1_slow")
    emg.values[(emg.time > 1.5) & (emg.time < 1.9), 1] = filling
    write_storage(raw_study / "s1_slow_emg.sto", emg)
    ask_for(raw_study, 'recipe = "hamner2013"')
    assert check_study(raw_study) == []
    _, report = segment(load_study(raw_study))
    skipped = report[~report["kept"]]
    assert skipped[["trial", "number"]].to_numpy().tolist() == [["s1_slow", 1]]
    assert re.match(r"EMG 'tib' dropped out from 1\.4\d+ to 1\.9\d+ s \((no number|one and)", skipped["reason"].iloc[0])


MISTAKES = [
    (
        'recipe = "hamner"',
        r"recipe is 'hamner', but hamner2013, general, envelope is expected; did you mean",
    ),
    ("offset = true", "has neither recipe nor low_pass_hz"),
    ("", "has neither recipe nor low_pass_hz"),
    ('recipe = "general"\nnormalise = "cycle_max"', "normalise is 'cycle_max', but subject_max, other_trials"),
    ('recipe = "general"\nband_hz = [450, 20]', r"band_hz is \[450, 20\], but two rising numbers"),
    ('recipe = "general"\nband_hz = 20', "band_hz is 20, but two numbers is expected"),
    ('recipe = "general"\nnotch_hz = 0', "notch_hz is 0, but more than 0 Hz"),
    ('recipe = "general"\nnotch_hz = []', r"notch_hz is \[\], but more than 0 Hz"),
    ('recipe = "general"\nnotch_hz = "50"', "notch_hz is '50', but a number or a list of numbers is expected"),
    ('recipe = "general"\nnotch_hz = [150, 600]', "at 1000 Hz cannot be freed of 600 Hz"),
    ('recipe = "envelope"\nnotch_hz = 50', "recipe = 'envelope' has none"),
    ('recipe = "general"\npercentile = 0', "percentile is 0, but more than 0 and up to 100"),
    ('recipe = "general"\nnormalise = "none"\npercentile = 50', "with normalise = 'none' leave it out"),
    ('recipe = "general"\nlow_pass_hz = -1', "low_pass_hz is -1, but more than 0 Hz"),
    ('recipe = "general"\nlow_pass_order = 3', "low_pass_order is 3, but a whole number from 2 to 20 that is even"),
    ('recipe = "general"\nband_ordr = 4', r"unknown key \[emg_processing\] 'band_ordr'; did you mean 'band_order'"),
    ('recipe = "general"\nband_hz = [20, 900]', "at 1000 Hz cannot be band-passed from 20 to 900 Hz"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes_in_emg_processing(raw_study, text, message):
    ask_for(raw_study, text)
    problems = check_study(raw_study)
    assert any(re.search(message, problem) for problem in problems), problems
    with pytest.raises(Nem2eError):
        load_study(raw_study)


def test_envelopes_are_not_processed_again(study_folder):
    ask_for(study_folder, 'recipe = "hamner2013"')
    assert "so it is an envelope already" in check_study(study_folder)[0]


def test_a_cycle_table_cannot_be_processed(raw_study):
    ask_for(raw_study, 'recipe = "hamner2013"')
    (raw_study / "emg.csv").write_text("cycle,emg,phase_pct,value\n")
    path = raw_study / "trials.csv"
    path.write_text(path.read_text().replace("s1_slow_emg.sto", "emg.csv"))
    assert any("EMG as a cycle table, but [emg_processing]" in problem for problem in check_study(raw_study))


def shift(folder, kind: str, trial: str, seconds: float) -> None:
    """A file whose device started that much after the trial's clock, so that its own times are earlier."""
    suffix = "mot" if kind == "grf" else "sto"
    path = folder / f"{trial}_{kind}.{suffix}"
    table = read_storage(path)
    write_storage(path, Storage(table.name, table.labels, table.time - seconds, table.values))


@pytest.mark.parametrize("kind", ["activation", "emg", "grf"])
@pytest.mark.parametrize("raw", [False, True])
def test_offsets_undo_another_clock(study_folder, kind, raw):
    if raw:
        for trial in TRIALS:
            write_storage(study_folder / f"{trial}_emg.sto", raw_emg(trial))
        ask_for(study_folder, 'recipe = "hamner2013"')
    expected, _ = segment(load_study(study_folder))
    for trial in TRIALS:
        shift(study_folder, kind, trial, 0.37)
    moved, _ = segment(load_study(study_folder))
    assert not np.allclose(moved["emg"][:8], expected["emg"][: moved.sizes["cycle"]]) or kind == "activation"
    path = study_folder / "trials.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{rows[0]},{kind}_offset_s", *(f"{row},0.37" for row in rows[1:])]))
    found, _ = segment(load_study(study_folder))
    for name in ("activation", "emg", "start_s", "end_s"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


def test_mistakes_in_offsets(study_folder):
    path = study_folder / "trials.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{rows[0]},emg_offset_s", *(f"{row},soon" for row in rows[1:])]))
    assert "line 2: emg_offset_s is 'soon', but a number of seconds" in check_study(study_folder)[0]
    path.write_text("\n".join([f"{rows[0]},emg_offset_s", *(f"{row},100" for row in rows[1:])]))
    assert "they must overlap on one clock" in check_study(study_folder)[0]
