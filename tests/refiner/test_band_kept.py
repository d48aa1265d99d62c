"""The band in a refiner: made of those left out, kept in the file, laid about a recording, told to people."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from nem2e_lib.figures.bands import calibration
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.bands import LEVELS, half_width, inside
from nem2e_lib.refiner.fitting import fit
from nem2e_lib.refiner.manifest import Band, Calibration, from_json
from nem2e_lib.refiner.portrait import band, floors, held_out, residuals
from nem2e_lib.rivals import evaluate, rival
from tests.support.small import make_cycles
from tests.support.small_refiner import constant, recording, write_cycles

WIDE = tuple(np.linspace(0.2, 0.4, 20).tolist())
MEASURED = (Calibration(0.5, 0.52, 0.4, 0.64), Calibration(0.9, 0.88, 0.8, 0.96))


def with_bands(refiner: Refiner, told: Band | None) -> Refiner:
    outputs = tuple(replace(out, held_out=replace(out.held_out, band=told)) for out in refiner.manifest.outputs)
    return replace(refiner, manifest=replace(refiner.manifest, outputs=outputs))


@pytest.fixture(scope="module")
def cycles():
    return make_cycles((3, 2, 3, 1))


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    spans = write_cycles(tmp_path_factory.mktemp("cycles") / "c.csv", [(0, 0.5, 1.5)])
    refiner = with_bands(constant(np.array([[0.3, 0.6]])), Band(0.9, WIDE, MEASURED))
    return refiner.refine(recording(), cycles=spans)


def test_it_is_made_of_those_left_out_and_kept(cycles, tmp_path):
    made = fit(cycles, rival("ridge_all"))
    results, name = evaluate(cycles, rival("ridge_all")), str(cycles.channel.values[1])
    off, unit = residuals(results, name, floors(cycles)[name])
    told = made.manifest.outputs[1].held_out
    np.testing.assert_allclose(told.band.half_width, half_width(off, unit))
    assert told.half_width == told.band.half_width
    shares = inside(off, unit, LEVELS).mean(axis=2)
    np.testing.assert_allclose([each.covered for each in told.band.calibration], shares.mean(axis=0))
    assert told.covered == pytest.approx(shares[:, LEVELS.index(0.9)].mean())
    assert len(told.band.by_phase) == 20
    assert told.band.note == "4 subjects are fewer than the 9 from which on any rule could promise 90 %."
    assert Refiner.load(made.save(tmp_path / "a.refiner")).manifest.outputs == made.manifest.outputs


def test_residuals_are_those_of_what_a_recording_would_be_given(cycles):
    """Refined activity below 0 is set to 0 where EMG never was negative, and the band is about what is given."""
    results, name = evaluate(cycles, rival("ridge_all")), str(cycles.channel.values[0])
    low = results.assign(refined=results.refined - 5)
    measured = results.measured.sel(channel=name).values
    np.testing.assert_allclose(residuals(low, name, 0.0)[0], measured)
    assert (residuals(low, name)[0] > measured).all()
    assert floors(cycles.assign(emg_waveform=cycles.emg_waveform - 1)) == {
        str(n): -np.inf for n in cycles.channel.values
    }


def test_two_units_have_a_band_that_nobody_could_measure_and_one_has_none(cycles):
    rng = np.random.default_rng(0)
    two = band(rng.normal(size=(4, 20)), np.array([0, 0, 1, 1]), "speed")
    assert (two.calibration, two.covered, two.by_phase) == ((), None, None)
    assert two.note == (
        "2 speeds are fewer than the 9 from which on any rule could promise 90 %. What it covers cannot be measured on "
        "them."
    )
    assert band(rng.normal(size=(2, 20)), np.array([0, 0]), "subject") is None
    assert band(np.full((2, 20), np.nan), np.array([0, 1]), "subject") is None
    assert band(rng.normal(size=(9, 20)), np.arange(9), "subject").note == ""
    assert held_out(evaluate(cycles.isel(cycle=slice(0, 5)), rival("mean_curve")))["tib"].band.calibration == ()


def test_it_lies_about_refined_activity_and_not_below_zero(refined):
    told = refined.band()
    first = int(np.argmin(np.abs(told.time - 0.5)))
    last = int(np.argmin(np.abs(told.time - 1.5)))
    np.testing.assert_allclose(told.column("tib_ant_r_low")[[first, last]], [0.4, 0.2], rtol=1e-5)
    np.testing.assert_allclose(told.column("tib_ant_r_high")[[first, last]], [0.8, 1.0], rtol=1e-5)
    np.testing.assert_allclose(told.column("soleus_r_low")[[first, last]], [0.1, 0.0], atol=1e-6)
    np.testing.assert_allclose(told.column("soleus_r_held_out")[[first, last]], [0.1, 0.2], rtol=1e-5)
    assert told.metadata["nem2e_band"] == "90 % nominal; it covers 88 % of held-out samples."


def test_what_lies_within_is_counted_by_it(refined):
    guess = refined.mean.transpose("cycle", "sample", "channel")
    inside_it = refined.errors(guess + 0.99 * np.array(WIDE)[:, None]).set_index("muscle")
    assert inside_it.loc["tib", "within_band"] == 1.0
    assert inside_it.loc["tib", "held_out_within_band"] == 0.88
    assert refined.errors(guess + 1.01 * np.array(WIDE)[:, None])["within_band"].tolist() == [0.0, 0.0]


def test_a_file_from_before_keeps_its_band_and_says_so(tmp_path):
    content = json.loads(with_bands(constant(np.array([[0.3, 0.6]])), Band(0.9, WIDE)).manifest.to_json())
    for out in content["outputs"]:
        del out["held_out"]["band"]
    training = content["training"]
    training["condition"] = training.pop("method")
    del training["reads"], content["fits"]
    old = from_json(json.dumps({**content, "format_version": 1}), "old.refiner")
    told = old.outputs[0].held_out
    assert (told.half_width, told.covered) == (told.by_phase, told.coverage)
    assert old.band_level is None
    assert old.calibration().empty
    assert "band: ± the held-out error (root mean square at each sample), which has no nominal level." in str(old)
    spans = write_cycles(tmp_path / "c.csv", [(0, 0.5, 1.5)])
    laid = replace(constant(np.array([[0.3, 0.6]])), manifest=replace(old, weights=None))
    laid = laid.refine(recording(), cycles=spans).band()
    np.testing.assert_allclose(laid.column("tib_ant_r_high") - 0.6, laid.column("tib_ant_r_held_out"), rtol=1e-5)


def test_the_calibration_is_drawn():
    manifest = with_bands(constant(np.array([[0.3, 0.6]]), synthetic=True), Band(0.9, WIDE, MEASURED)).manifest
    drawn = calibration(manifest)
    assert drawn.data.to_dict("list")["covered"] == [0.52, 0.88] * 2
    assert drawn.data["muscle"].tolist() == ["sol", "sol", "tib", "tib"]
    assert drawn.title.startswith("SYNTHETIC data – ")
    assert "it covers 88 % of held-out samples" in drawn.caption
