from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.find import find_cycles
from nem2e_lib.data.cycles.segment import (
    VARIABLES,
    data_hash,
    load_cycles,
    resample,
    save_cycles,
    save_report,
    segment,
    skipped,
)
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support import realdata as hamner
from tests.support.straight_lines import MUSCLES, force

STRIKE = 20 / 7000  # the small study's force crosses 20 N that long after a contact starts
CYCLES = "trial,cycle,start_s,end_s\n"
TRIALS = ("s1_slow", "s1_fast", "s2_slow", "s2_fast")


def edit(path, **changes):
    table = read_storage(path)
    fields = {"labels": table.labels, "time": table.time, "values": table.values} | changes
    write_storage(path, Storage(table.name, **fields))


def test_straight_lines_come_back_exactly(study_folder):
    cycles, report = segment(load_study(study_folder))
    assert dict(cycles.sizes) == {"cycle": 8, "sample": 20, "phase": 101, "muscle": 4, "channel": 2}
    assert report["kept"].all()
    starts = np.tile([0.2, 1.2], 4) + STRIKE
    np.testing.assert_allclose(cycles["start_s"], starts, atol=1e-12)
    np.testing.assert_allclose(cycles["end_s"], starts + 1, atol=1e-12)
    for points, suffix in (("sample", ""), ("phase", "_waveform")):
        time = starts[:, None] + cycles[points].to_numpy() / 100
        expected = 0.1 + 0.01 * np.arange(4) + 0.2 * time[..., None]
        np.testing.assert_allclose(cycles[f"activation{suffix}"], expected, atol=1e-12)
        expected = 0.05 + 0.1 * np.arange(2) + 0.1 * time[..., None]
        np.testing.assert_allclose(cycles[f"emg{suffix}"], expected, atol=1e-12)


def test_labels(study_folder):
    cycles, _ = segment(load_study(study_folder))
    assert cycles["subject"].values.tolist() == ["s1"] * 4 + ["s2"] * 4
    assert cycles["speed"].values.tolist() == ["slow", "slow", "fast", "fast"] * 2
    assert cycles["number"].values.tolist() == [0, 1] * 4
    assert cycles["target"].values.tolist() == ["soleus_r", "tib_ant_r"]
    assert cycles["sample"].values[[0, 1, -1]].tolist() == [0, 100 / 19, 100]
    assert {name: cycles.attrs[name] for name in ("study", "synthetic", "kept", "skipped")} == {
        "study": "small",
        "synthetic": 1,
        "kept": 8,
        "skipped": 0,
    }


def test_right_to_left_cycles(study_folder):
    path = study_folder / "study.toml"
    path.write_text(path.read_text().replace("right-right", "right-left"))
    cycles, _ = segment(load_study(study_folder))
    np.testing.assert_allclose(cycles["end_s"] - cycles["start_s"], 0.5)
    assert cycles.sizes["cycle"] == 12
    assert cycles.attrs["cycle_definition"] == "right-left"


def test_left_cycles(study_folder):
    path = study_folder / "study.toml"
    path.write_text(path.read_text().replace("right-right", "left-left"))
    cycles, report = segment(load_study(study_folder))
    assert report["kept"].all()
    np.testing.assert_allclose(cycles["start_s"][:2], np.array([0.7, 1.7]) + STRIKE, atol=1e-12)


def test_means_over_a_spacing(study_folder):
    """The mean of a straight line is its middle; a fast ripple is not picked but averaged."""
    lines, _ = segment(load_study(study_folder))
    path = study_folder / "study.toml"
    path.write_text('resampling = "mean"\n' + path.read_text())
    means, _ = segment(load_study(study_folder))
    assert means.attrs["resampling"] == "mean"
    assert "resampling" not in lines.attrs
    np.testing.assert_allclose(means["activation"], lines["activation"], atol=1e-12)
    ripple = np.sin(2 * np.pi * 19 * np.linspace(0, 3, 3001))
    for trial in TRIALS:
        table = Storage("a", (*MUSCLES,), np.linspace(0, 3, 3001), np.tile(0.3 + 0.1 * ripple[:, None], 4))
        write_storage(study_folder / f"{trial}_activation.sto", table)
    means, _ = segment(load_study(study_folder))
    np.testing.assert_allclose(means["activation"], 0.3, atol=2e-4)
    path.write_text(path.read_text().replace('"mean"', '"linear"'))
    picked, _ = segment(load_study(study_folder))
    assert abs(picked["activation"] - 0.3).max() > 0.01


@given(st.integers(2, 40), st.lists(st.floats(1e-6, 0.3), min_size=3, max_size=60), st.integers(0, 99))
def test_means_equal_a_fine_sum(points, steps, seed):
    time = np.concatenate([[0.0], np.cumsum(steps)])
    signal = Storage("a", ("x",), time, np.random.default_rng(seed).normal(size=(len(time), 1)))
    start, end = 0.1 * time[-1], 0.8 * time[-1]
    found = resample(signal, start, end, 0, np.linspace(0, 100, points), "mean")[:, 0]
    centres = np.linspace(start, end, points)
    half = (centres[1] - centres[0]) / 2
    for value, centre in zip(found, centres, strict=True):
        low, high = max(centre - half, 0), min(centre + half, time[-1])
        fine = low + (high - low) * (np.arange(20000) + 0.5) / 20000
        assert value == pytest.approx(np.interp(fine, time, signal.values[:, 0]).mean(), abs=2e-3)


def write_forces(folder, right, left):
    for trial in TRIALS:
        time = np.linspace(0, 6, 6001)
        feet = np.column_stack([feet_force(time, right), feet_force(time, left)])
        write_storage(folder / f"{trial}_grf.mot", Storage("g", ("ground_force_vy", "l_ground_force_vy"), time, feet))


def feet_force(time, strikes):
    return force(time, strikes) if len(strikes) else np.zeros_like(time)


def test_a_missed_heel_strike_is_seen_by_the_other_foot(study_folder):
    write_forces(study_folder, (0.2, 2.2), (0.7, 1.7))
    report = report_of(study_folder)
    assert set(report["reason"]) == {"2 heel strikes of the other foot within it: one of this foot was missed"}


def report_of(folder):
    return find_cycles(load_study(folder))


def test_no_cycle_takes_five_seconds(study_folder):
    write_forces(study_folder, (0.2, 5.5), ())
    report = report_of(study_folder)
    assert set(report["reason"]) == {"lasts 5.3 s, but 0.25 to 5 s are expected of a gait cycle"}


def test_overground_plates_of_one_foot_are_added_up(study_folder):
    time = np.linspace(0, 3, 3001)
    plates = np.column_stack([feet_force(time, (0.2,)), feet_force(time, (0.7,)), feet_force(time, (1.2,))])
    for trial in TRIALS:
        write_storage(study_folder / f"{trial}_grf.mot", Storage("g", ("FP1", "FP2", "FP3"), time, plates))
    path = study_folder / "study.toml"
    path.write_text(path.read_text() + '[grf]\nright = ["FP1", "FP3"]\nleft = "FP2"\n')
    cycles, report = segment(load_study(study_folder))
    assert report["kept"].all()
    np.testing.assert_allclose(cycles["start_s"], 0.2 + STRIKE, atol=1e-6)
    path.write_text(path.read_text().replace('left = "FP2"', "left = []"))
    np.testing.assert_allclose(segment(load_study(study_folder))[0]["end_s"], 1.2 + STRIKE, atol=1e-6)


def test_one_contact_of_each_foot_makes_no_cycle(study_folder):
    write_forces(study_folder, (0.2,), (0.7,))
    report = report_of(study_folder)
    (reason,) = set(report["reason"])
    assert reason.startswith("no complete cycle: 1 right and 1 left heel strikes found above 20 N; one step a foot")
    assert reason.endswith("cycles.csv can hold it")
    write_forces(study_folder, (), (0.7,))
    report = report_of(study_folder)
    assert report["reason"][0].endswith(
        "0 right and 1 left heel strikes found above 20 N; right: its force is zero throughout"
    )


def test_steps_need_not_be_even(study_folder):
    time = np.concatenate([np.linspace(0, 1, 40), 1 + np.geomspace(1e-8, 2, 400)])
    for trial in TRIALS:
        path = study_folder / f"{trial}_activation.sto"
        values = 0.1 + 0.01 * np.arange(5) + 0.2 * time[:, None]
        edit(path, time=time, values=values)
    cycles, _ = segment(load_study(study_folder))
    when = cycles["start_s"].to_numpy()[:, None] + cycles["sample"].to_numpy() / 100
    np.testing.assert_allclose(cycles["activation"][..., 0], 0.1 + 0.2 * when, atol=1e-9)


def test_skipped_cycles_tell_why(study_folder):
    rows = ["s1_slow,0,0.2,1.2", "s1_slow,1,1.2,2.2", "s1_slow,2,2.2,2.5", "s2_slow,0,0.2,1.2"]
    (study_folder / "cycles.csv").write_text(CYCLES + "\n".join([*rows, "s2_fast,0,1,2", ""]))
    table = read_storage(study_folder / "s2_fast_emg.sto")
    keep = (table.time < 1.3) | (table.time > 1.5)
    edit(study_folder / "s2_fast_emg.sto", time=table.time[keep], values=table.values[keep])
    cycles, report = segment(load_study(study_folder))
    reasons = report.loc[~report["kept"], ["trial", "reason"]].to_numpy().tolist()
    assert reasons == [
        ["s1_slow", "lasts 0.3 s, 0.30 times the median of this subject and speed"],
        ["s1_fast", "no complete cycle: cycles.csv has no row for this trial"],
        ["s2_fast", "EMG has no sample for 0.204 s, more than 10% of the cycle"],
    ]
    assert cycles["trial"].values.tolist() == ["s1_slow", "s1_slow", "s2_slow"]
    assert (cycles.attrs["kept"], cycles.attrs["skipped"]) == (3, 3)
    assert len(check_study(study_folder)) == 2


def test_cycles_that_a_signal_does_not_cover(study_folder):
    path = study_folder / "s1_slow_activation.sto"
    table = read_storage(path)
    edit(path, time=table.time[50:200], values=table.values[50:200])
    _, report = segment(load_study(study_folder))
    assert report["reason"][:2].tolist() == [
        "incomplete: activation starts at 0.5 s, after the cycle",
        "incomplete: activation ends at 1.99 s, before the cycle",
    ]


def test_a_trial_whose_cycles_are_all_cut_off_tells_where_the_first_is(study_folder):
    path = study_folder / "s1_slow_activation.sto"
    table = read_storage(path)
    edit(path, time=table.time[50:90], values=table.values[50:90])
    (problem,) = check_study(study_folder)
    start, end = find_cycles(load_study(study_folder))[["start_s", "end_s"]].iloc[0]
    assert f"after the cycle; the first cycle goes from {start:.4g} to {end:.4g} s); record or simulate more" in problem


def test_cycles_skipped_for_one_reason_are_told_together():
    rows = [("a", number, number in (4, 5), "" if number in (4, 5) else "starts late") for number in range(8)]
    rows += [("b", 0, False, "starts late")]
    report = pd.DataFrame(rows, columns=["trial", "number", "kept", "reason"])
    assert skipped(report) == [
        "skipped: trial a, cycles 0 to 3, 6 to 7: starts late",
        "skipped: trial b, cycle 0: starts late",
    ]


def test_no_cycle_at_all(study_folder):
    for trial in TRIALS:
        table = read_storage(study_folder / f"{trial}_grf.mot")
        edit(study_folder / f"{trial}_grf.mot", values=0 * table.values)
    with pytest.raises(Nem2eError, match=r"no complete gait cycle in any of 4 trials; trial 's1_slow': no complete"):
        segment(load_study(study_folder))


def test_emg_tables_need_no_clock(study_folder):
    (study_folder / "cycles.csv").write_text(CYCLES + "".join(f"{trial},0,0.2,1.2\n" for trial in TRIALS))
    rows = [f"0,{emg},{p},{p / 100 + 0.1}" for emg in ("sol", "tib") for p in range(0, 101, 10)]
    (study_folder / "emg.csv").write_text("\n".join(["cycle,emg,phase_pct,value", *rows]))
    path = study_folder / "trials.csv"
    path.write_text(path.read_text().replace("s1_slow_emg.sto", "emg.csv"))
    cycles, _ = segment(load_study(study_folder))
    np.testing.assert_allclose(cycles["emg"][0, :, 0], cycles["sample"] / 100 + 0.1)


def test_save_and_load(study_folder, tmp_path):
    cycles, report = segment(load_study(study_folder))
    save_cycles(cycles, tmp_path / "a.nc")
    save_cycles(cycles, tmp_path / "b.nc")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    back = load_cycles(tmp_path / "a.nc")
    xr.testing.assert_identical(back, cycles)
    assert all(back[name].dtype == cycles[name].dtype for name in back.variables)
    assert data_hash(back) == data_hash(cycles)
    save_report(report, tmp_path / "segments.csv")
    header = "study,subject,speed,trial,number,start_s,end_s,duration_s,kept,reason"
    assert (tmp_path / "segments.csv").read_text().startswith(header)


def test_text_of_any_script_comes_back(study_folder, tmp_path):
    cycles, _ = segment(load_study(study_folder))
    cycles.attrs["citation"] = "Grüße — 歩行"
    cycles.attrs["licence"] = ""
    cycles = cycles.assign_coords(subject=("cycle", ["Zoë"] * 8))
    save_cycles(cycles, tmp_path / "a.nc")
    xr.testing.assert_identical(load_cycles(tmp_path / "a.nc"), cycles)


def test_hash_follows_the_content(study_folder):
    cycles, _ = segment(load_study(study_folder))
    assert data_hash(cycles) == data_hash(segment(load_study(study_folder))[0])
    for name in VARIABLES:
        other = cycles.copy(deep=True)
        other[name].values[0, 0, 0] += 1e-12
        assert data_hash(other) != data_hash(cycles)
    assert data_hash(cycles.assign_attrs(study="other")) != data_hash(cycles)
    assert data_hash(cycles.isel(muscle=slice(None, None, -1))) != data_hash(cycles)


def test_files_that_are_no_cycles(study_folder, tmp_path):
    path = tmp_path / "a.nc"
    with pytest.raises(Nem2eError, match="no such file"):
        load_cycles(path)
    path.write_text("hello")
    with pytest.raises(Nem2eError, match="not a NetCDF 3 file"):
        load_cycles(path)
    cycles, _ = segment(load_study(study_folder))
    save_cycles(cycles.drop_vars("emg"), path)
    with pytest.raises(Nem2eError, match="no variable 'emg' over cycle, sample, channel"):
        load_cycles(path)
    save_cycles(cycles, path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(Nem2eError, match="damaged"):
        load_cycles(path)


def test_too_few_points(study_folder):
    with pytest.raises(Nem2eError, match="samples=1"):
        segment(load_study(study_folder), samples=1)


@pytest.mark.realdata
def test_one_real_subject(realdata, tmp_path):
    folder = hamner.build(tmp_path / "study")
    assert check_study(folder) == []
    cycles, report = segment(load_study(folder))
    assert dict(cycles.sizes) == {"cycle": 22, "sample": 20, "phase": 101, "muscle": 92, "channel": 11}
    assert report["kept"].all()
    assert np.unique(cycles["speed_m_s"], return_counts=True)[1].tolist() == [6, 5, 6, 5]
    assert not any(np.isnan(cycles[name].to_numpy()).any() for name in VARIABLES)
    assert cycles["activation"].min() >= 0
    assert cycles["activation"].max() <= 1.0001
    assert len(set(cycles["electrode"].values)) == 11
    with pytest.raises(Nem2eError, match="exists already"):
        hamner.build(folder)


def test_the_real_study_asks_for_its_data(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("NEM2E_REALDATA", raising=False)
    assert hamner.main([str(tmp_path / "out")]) == 2
    assert "NEM2E_REALDATA is not set" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
