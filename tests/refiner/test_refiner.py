"""Refining a recording: its own time base, refined cycles in place, the rest marked, the band beside it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import Configuration
from tests.support.small_refiner import (
    constant,
    held_out,
    random_refiner,
    recording,
    with_column,
    write_cycles,
    write_force,
)

LEVELS = np.array([[0.2, 0.5], [0.4, 0.7]])
CROSSING = 20 / 7000


@pytest.fixture
def cycles(tmp_path):
    return write_cycles(tmp_path / "cycles.csv", [(0, 0.5, 1.5), (1, 1.5, 2.5)])


@pytest.fixture
def refined(cycles):
    return constant(LEVELS).refine(recording(), cycles=cycles)


def test_cycles_are_those_between_right_heel_strikes(tmp_path):
    refined = constant(LEVELS).refine(recording(), grf=write_force(tmp_path / "grf.mot"))
    spans = [(span.start_s, span.end_s) for span in refined.refined]
    np.testing.assert_allclose(spans, [(0.1 + CROSSING, 1.1 + CROSSING), (1.1 + CROSSING, 2.1 + CROSSING)], atol=1e-4)


def test_what_is_odd_in_the_force_is_among_the_notes(tmp_path):
    sound = read_storage(write_force(tmp_path / "grf.mot"))
    write_storage(tmp_path / "grf.mot", dataclasses.replace(sound, values=sound.values + 60.0))
    refined = constant(LEVELS).refine(recording(), grf=tmp_path / "grf.mot")
    np.testing.assert_allclose([span.start_s for span in refined.refined], [0.1 + CROSSING, 1.1 + CROSSING], atol=1e-4)
    assert any("the right plate's zero is off by 60 N" in note for note in refined.notes)


def test_values_stand_in_their_cycles_and_nowhere_else(refined):
    table = refined.storage("nan")
    time = recording().time
    inside = (time >= 0.5) & (time <= 2.5)
    assert table.labels == ("soleus_r", "tib_ant_r", "refined")
    np.testing.assert_array_equal(table.time, time)
    np.testing.assert_array_equal(table.column("refined"), inside.astype(float))
    np.testing.assert_allclose(table.values[inside, :2], np.broadcast_to([0.3, 0.6], (inside.sum(), 2)), rtol=1e-6)
    assert np.isnan(table.values[~inside, :2]).all()


def test_the_rest_may_stay_as_it_was_simulated(refined):
    table, source = refined.storage(), recording()
    inside = table.column("refined") == 1
    assert table.labels == (*source.labels, "refined")
    np.testing.assert_array_equal(table.values[~inside, :-1], source.values[~inside])
    np.testing.assert_array_equal(table.column("rect_fem_r"), source.column("rect_fem_r"))
    np.testing.assert_allclose(table.column("tib_ant_r")[inside], 0.6, rtol=1e-6)


def test_the_band_is_the_held_out_error_by_phase_and_the_spread_between_seeds(refined):
    band = refined.band()
    row = int(np.argmin(np.abs(band.time - 1.0)))  # 50 % of the first cycle
    np.testing.assert_allclose(band.column("soleus_r_held_out")[row], 0.15, rtol=1e-6)
    np.testing.assert_allclose(band.column("soleus_r_low")[row], 0.15, rtol=1e-6)
    np.testing.assert_allclose(band.column("soleus_r_high")[row], 0.45, rtol=1e-6)
    np.testing.assert_allclose(band.column("tib_ant_r_between_seeds")[row], np.std([0.5, 0.7], ddof=1), rtol=1e-6)
    first = int(np.argmin(np.abs(band.time - 0.5)))
    np.testing.assert_allclose(band.column("tib_ant_r_held_out")[first], held_out().by_phase[0], rtol=1e-6)
    assert (band.time[0], band.time[-1]) == (0.5, 2.5)
    assert np.isfinite(band.values).all()


def test_three_files_are_left_and_read_again(refined, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    paths = refined.save(out / "walk.sto")
    assert sorted(path.name for path in out.iterdir()) == ["walk.sto", "walk_band.sto", "walk_cycles.csv"]
    again = read_storage(paths[0])
    np.testing.assert_array_equal(again.values, refined.storage().values)
    assert again.metadata["nem2e_refiner"].startswith("lab, one_entire, data abab")
    assert pd.read_csv(paths[2])["refined"].tolist() == [True, True]
    with pytest.raises(Nem2eError, match="OpenSim knows"):
        refined.save(out / "walk.csv")
    with pytest.raises(Nem2eError, match="expected simulated or nan"):
        refined.save(out / "walk.sto", "zero")


def test_measured_emg_is_cut_into_the_refined_cycles_and_errors_stand_beside_those_held_out(refined):
    time = np.linspace(0.5, 2.0, 151)
    measured = refined.measured(Storage("emg", ("tib",), time, 0.2 * time[:, None]))
    np.testing.assert_allclose(measured["emg"].sel(channel="tib")[0], np.linspace(0.1, 0.3, 20))
    assert np.isnan(measured["emg"].sel(channel="sol")).all()
    assert np.isnan(measured["emg_waveform"].sel(channel="tib")[1]).sum() == 50  # the table ends amid the second cycle
    by_muscle = refined.measured(Storage("emg", ("tib_ant_r",), recording().time, recording().values[:, 1:2]))
    told = refined.errors(by_muscle["emg"]).set_index("muscle").loc["tib"]
    assert told["rmse_simulated"] == pytest.approx(0)
    given = refined.cycles.activation.sel(muscle="tib_ant_r").values
    assert told["rmse_refined"] == pytest.approx(np.sqrt(((0.6 - given) ** 2).mean(axis=1)).mean(), rel=1e-6)
    assert told["within_band"] == pytest.approx((np.abs(0.6 - given) <= np.array(held_out().by_phase)).mean())
    assert (told["held_out_rmse"], told["held_out_within_band"]) == (0.15, 0.7)
    partly = refined.errors(measured["emg"]).set_index("muscle")
    assert np.isfinite(partly.loc["tib", ["rmse_refined", "within_band"]].astype(float)).all()
    assert partly.loc["sol", ["rmse_refined", "within_band"]].isna().all()


def test_a_refiner_tells_its_error_and_itself():
    known, unknown = constant(LEVELS), constant(LEVELS, known=False)
    assert str(known).startswith("refiner of 2 muscles, one_entire, 2 seed(s)")
    table = known.manifest.errors()
    assert table.loc[1, ["muscle", "of", "er"]].tolist() == ["tib", "tib_ant_r", -0.5]
    assert unknown.manifest.errors()["rmse_refined"].isna().all()


def with_curves(refined, curves):
    """A refined recording whose networks said something else; shape (cycles, samples) for both muscles and seeds."""
    values = np.broadcast_to(curves, (2, 2, *curves.shape))
    return dataclasses.replace(refined, curves=xr.DataArray(values.copy(), refined.curves.coords, refined.curves.dims))


@settings(max_examples=40)
@given(curves=arrays(np.float64, (2, 20), elements=st.floats(0, 1, width=32)))
def test_between_samples_curves_do_not_overshoot_and_at_samples_they_are_met(refined, curves):
    over = with_curves(refined, curves)
    column = over.storage().column("soleus_r")
    time, phases = over.read.time, over.mean.sample.values
    for cycle, span in enumerate(over.refined):
        rows = np.flatnonzero((time >= span.start_s) & (time < span.end_s))
        phase = (time[rows] - span.start_s) / (span.end_s - span.start_s) * 100
        left = np.minimum(np.searchsorted(phases, phase, side="right") - 1, len(phases) - 2)
        ends = np.stack([curves[cycle][left], curves[cycle][left + 1]])
        assert (column[rows] >= ends.min(axis=0) - 1e-6).all()
        assert (column[rows] <= ends.max(axis=0) + 1e-6).all()
        np.testing.assert_allclose(column[rows[0]], curves[cycle][0], atol=1e-6)


def test_a_row_on_the_border_belongs_to_the_later_cycle(refined):
    curves = np.stack([np.full(20, 0.1), np.full(20, 0.9)])
    column, time = with_curves(refined, curves).storage().column("soleus_r"), refined.read.time
    np.testing.assert_allclose(column[np.isclose(time, 1.5)], 0.9)
    np.testing.assert_allclose(column[np.isclose(time, 2.5)], 0.9)


def test_activity_is_not_below_zero_where_emg_never_was(cycles):
    below = constant(np.array([[-0.2, 0.5], [-0.1, 0.5]])).refine(recording(), cycles=cycles)
    assert float(below.mean.sel(channel="sol").max()) == 0
    assert any("below 0 were set to 0" in note and "sol most often, 100.0%" in note for note in below.notes)
    signed = constant(np.array([[-0.2, 0.5], [-0.2, 0.5]]), emg_low=-0.4).refine(recording(), cycles=cycles)
    np.testing.assert_allclose(signed.mean.sel(channel="sol"), -0.2, rtol=1e-6)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_labels_of_states_and_another_order_of_columns_change_nothing(condition, cycles):
    refiner, plain = random_refiner(condition), recording()
    order = [2, 3, 0, 1]
    states = dataclasses.replace(
        plain,
        labels=tuple(
            f"/forceset/{plain.labels[i]}/activation" if i < 3 else "/jointset/knee/knee_angle/value" for i in order
        ),
        values=plain.values[:, order],
    )
    first, second = (refiner.refine(each, cycles=cycles) for each in (plain, states))
    np.testing.assert_array_equal(first.curves, second.curves)
    assert float(first.curves.std()) > 0
    assert second.storage("nan").labels[0] == "/forceset/soleus_r/activation"
    assert second.storage().labels == (*states.labels, "refined")


@pytest.mark.parametrize("quarter", ["separate", "dense"])
def test_every_reading_of_one_quarter_refines(quarter, cycles):
    options = Configuration(units=3, epochs=1, quarter=quarter, input_scaling="none")
    curves = random_refiner("one_quarter", configuration=options).refine(recording(), cycles=cycles).curves
    assert curves.sizes == {"seed": 2, "channel": 2, "cycle": 2, "sample": 20}
    assert np.isfinite(curves).all()


def test_a_cycle_alone_is_refined_as_among_others(tmp_path, cycles):
    refiner = random_refiner("all_entire")
    alone = refiner.refine(recording(), cycles=write_cycles(tmp_path / "one.csv", [(7, 1.5, 2.5)]))
    both = refiner.refine(recording(), cycles=cycles)
    np.testing.assert_allclose(alone.curves[:, :, 0], both.curves[:, :, 1], atol=1e-6)


def test_some_muscles_are_refined_as_with_all(cycles):
    refiner = random_refiner("one_entire")
    some = refiner.only(["tib"]).refine(with_column(recording(), "soleus_r", 5.0), cycles=cycles)
    both = refiner.refine(recording(), cycles=cycles)
    np.testing.assert_allclose(some.curves[:, 0], both.curves[:, 1], atol=1e-6)
    with pytest.raises(Nem2eError, match="has no muscle 'gas'; it refines sol, tib"):
        refiner.only(["gas"])


def test_cycles_that_cannot_be_refined_are_told_with_the_reason(tmp_path):
    rows = [(0, -0.5, 0.5), (1, 0.5, 1.5), (2, 2.5, 3.5)]
    refined = constant(LEVELS).refine(recording(), cycles=write_cycles(tmp_path / "c.csv", rows))
    assert refined.table()["refined"].tolist() == [False, True, False]
    assert "starts at 0 s, after the cycle" in refined.notes[0]
    assert "ends at 3 s, before the cycle" in refined.notes[1]


def test_notes_say_what_is_odd(tmp_path, cycles):
    short = write_cycles(tmp_path / "c.csv", [(0, 0.5, 1.0), (1, 1.0, 1.5)])
    notes = " ".join(constant(LEVELS[:1], known=False).refine(recording(), cycles=short).notes)
    assert "2 of the cycles last unlike those of training (0.9 to 1.1 s), such as cycle 0 with 0.5 s" in notes
    assert "taken to run right-right" in notes
    assert "error on people whom it has not seen is unknown" in notes
    assert "no spread between seeds" in notes
    high = with_column(recording(), "tib_ant_r", 0.9)
    low = dataclasses.replace(constant(LEVELS), manifest=small_range(constant(LEVELS).manifest))
    told = " ".join(low.refine(high, cycles=cycles).notes)
    assert "most of all tib_ant_r (0.9 to 0.9; in training 0 to 0.2): the refiner extrapolates" in told
    assert "extrapolates" not in " ".join(constant(LEVELS).refine(high, cycles=cycles).notes)


def small_range(manifest):
    return dataclasses.replace(manifest, inputs=tuple(dataclasses.replace(each, high=0.2) for each in manifest.inputs))


def test_a_seed_that_diverged_in_training_gives_no_answer(cycles):
    made = constant(np.array([[0.2, 0.5], [9.0, 0.7], [0.4, 0.6]]))
    outputs = tuple(
        dataclasses.replace(out, diverged=(1,) if out.name == "sol" else ()) for out in made.manifest.outputs
    )
    refined = dataclasses.replace(made, manifest=dataclasses.replace(made.manifest, outputs=outputs)).refine(
        recording(), cycles=cycles
    )
    np.testing.assert_allclose(refined.mean.sel(channel="sol"), 0.3, rtol=1e-6)
    np.testing.assert_allclose(refined.mean.sel(channel="tib"), 0.6, rtol=1e-6)
    np.testing.assert_allclose(refined.spread.sel(channel="sol"), np.std([0.2, 0.4], ddof=1), rtol=1e-6)
    assert "sol: training diverged with seed(s) 1, which are left out." in refined.notes


def test_without_a_held_out_error_the_band_is_unknown(cycles):
    band = constant(LEVELS, known=False).refine(recording(), cycles=cycles).band()
    assert band.labels == ("soleus_r_between_seeds", "tib_ant_r_between_seeds")


@pytest.mark.parametrize(("synthetic", "name"), [(True, "walk"), (True, "SYNTHETIC walk"), (False, "SYNTHETIC walk")])
def test_synthetic_is_said_wherever_something_is(synthetic, name, cycles):
    refined = constant(LEVELS, synthetic=synthetic).refine(recording(name), cycles=cycles)
    assert refined.storage().name == "SYNTHETIC refined activity"
    assert refined.band().name.startswith("SYNTHETIC")
    warned = [note for note in refined.notes if note.startswith("SYNTHETIC")]
    assert len(warned) == synthetic
    assert any("does not say that it is SYNTHETIC" in note for note in warned) == (synthetic and name == "walk")


def test_real_ones_are_not_called_synthetic(refined):
    assert refined.storage().name == "refined activity"
    assert not refined.facts()["synthetic"]


def test_muscles_under_two_names_keep_both(cycles):
    made = constant(LEVELS)
    twice = tuple(dataclasses.replace(out, muscle="soleus_r") for out in made.manifest.outputs)
    manifest = dataclasses.replace(made.manifest, outputs=twice, inputs=made.manifest.inputs[:1])
    refined = dataclasses.replace(made, manifest=manifest).refine(recording(), cycles=cycles)
    assert refined.storage("nan").labels == ("soleus_r_sol", "soleus_r_tib", "refined")
    table, source = refined.storage(), recording()
    assert table.labels == (*source.labels, "soleus_r_sol", "soleus_r_tib", "refined")
    inside = table.column("refined") == 1
    np.testing.assert_array_equal(table.column("soleus_r"), source.column("soleus_r"))
    np.testing.assert_allclose(table.column("soleus_r_tib")[inside], 0.6, rtol=1e-6)
    np.testing.assert_array_equal(table.column("soleus_r_tib")[~inside], source.column("soleus_r")[~inside])


@pytest.mark.slow
def test_opensim_reads_what_is_left(refined, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it writes a log where it is
    opensim = pytest.importorskip("opensim")
    written = [path for rest in ("simulated", "nan") for path in refined.save(tmp_path / f"{rest}.sto", rest)[:2]]
    for path in written:
        table, own = opensim.TimeSeriesTable(str(path)), read_storage(path)
        assert list(table.getColumnLabels()) == list(own.labels)
        np.testing.assert_array_equal(np.array(table.getIndependentColumn()), own.time)
        np.testing.assert_array_equal(table.getMatrix().to_numpy(), own.values)
        if path.name != "nan.sto":  # the reader behind OpenSim's plots stops at what is no number
            assert opensim.Storage(str(path)).getSize() == len(own.time)


def test_states_of_opensim_refine_as_they_come(realdata, cycles):
    path = realdata / "sto_samples" / "opensim46_cmc_states_good_header.sto"
    time = read_storage(path).time
    span = write_cycles(cycles.with_name("states.csv"), [(0, float(time[0]), float(time[-1]))])
    refined = constant(LEVELS).refine(path, cycles=span)
    assert np.array_equal(refined.storage().time, time)
    write_storage(cycles.with_name("out.sto"), refined.storage())
