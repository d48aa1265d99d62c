"""Training a refiner on everybody, and its error on those left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import Refiner, train
from nem2e_lib.refiner.portrait import between_seeds, coverage, floors, held_out, unit_squares
from nem2e_lib.refiner.training import diverged_seeds, plan
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Outcome
from nem2e_lib.training.folds import leave_nobody_out, leave_one_out
from nem2e_lib.training.grid import Model, grid
from nem2e_lib.training.train import plan as plan_training
from nem2e_lib.training.train import train_condition
from tests.support.small import make_cycles

TINY = Configuration(units=3, epochs=2)


def made_results(seeds: int = 2) -> xr.Dataset:
    """Three subjects with one, two and three cycles; errors drawn."""
    rng = np.random.default_rng(1)
    of_cycle = np.array([0, 1, 1, 2, 2, 2])
    measured = rng.uniform(0.2, 0.8, (2, 6, 20))
    lead = ("channel", "cycle", "sample")
    return xr.Dataset(
        {
            "refined": (("seed", *lead), measured + rng.normal(0, 0.1, (seeds, 2, 6, 20))),
            "simulated": (lead, measured + rng.normal(0, 0.3, measured.shape)),
            "measured": (lead, measured),
            "mean_curve": (lead, measured * 0 + 0.5),
        },
        coords={
            "channel": ["sol", "tib"],
            "electrode": ("channel", ["sol", "tib"]),
            "fold": ["a", "b", "c"],
            "fold_of_cycle": ("cycle", of_cycle),
            "speed": ("cycle", ["free"] * 6),
            "trial": ("cycle", [f"t{i}" for i in range(6)]),
            "seed": range(seeds),
        },
        attrs={"study": "x", "condition": "one_entire", "unit": "subject", "synthetic": 0},
    )


def test_held_out_error_is_that_of_the_mean_over_seeds_with_units_alike():
    results = made_results()
    told = held_out(results)["tib"]
    off = results.refined.values.mean(axis=0)[1] - results.measured.values[1]
    per_unit = np.stack([(off[rows] ** 2).mean(axis=0) for rows in ([0], [1, 2], [3, 4, 5])])
    np.testing.assert_allclose(told.by_phase, np.sqrt(per_unit.mean(axis=0)))
    np.testing.assert_allclose(unit_squares(results, 1), per_unit)
    table = errors(results, ensemble=True).query("muscle == 'tib'")
    np.testing.assert_allclose(told.rmse_refined, table["rmse_refined"].mean())
    np.testing.assert_allclose(told.er, table["er"].mean())
    assert told.er_low < told.er < told.er_high


def test_the_spread_between_seeds_is_a_standard_deviation():
    refined = np.array([[[1.0, 2.0]], [[3.0, 2.0]]])
    np.testing.assert_allclose(between_seeds(refined), [2**0.5, 0.0])
    assert between_seeds(refined[:1]) is None
    assert held_out(made_results(1))["sol"].between_seeds is None


def test_coverage_takes_the_band_from_the_other_units():
    results = made_results()
    squares = np.array([[4.0] * 20, [0.0] * 20, [0.0] * 20])
    off = np.abs(results.refined.mean("seed").isel(channel=0).values - results.measured.isel(channel=0).values)
    expected = np.mean([(off[rows] <= band).mean() for rows, band in (([0], 0), ([1, 2], 2**0.5), ([3, 4, 5], 2**0.5))])
    np.testing.assert_allclose(coverage(results, 0, squares), expected)
    assert coverage(results.isel(cycle=[0]), 0, squares[:1]) is None


def test_the_models_that_are_kept_are_trained_on_everybody():
    cycles = make_cycles((2, 3))
    nobody = leave_nobody_out(cycles)
    work = grid(cycles, "one_entire", TINY, "h", folds=nobody)
    assert [work.shown(model).tolist() for model in work.models] == [list(range(5))] * 2
    assert [work.held(model).tolist() for model in work.models] == [list(range(5))] * 2
    left = grid(cycles, "one_entire", TINY, "h")
    assert left.folds.labels == leave_one_out(cycles).labels == ("s0", "s1")
    keys = {work.key(model) for model in work.models} | {left.key(model) for model in left.models}
    assert len(keys) == len(work.models) + len(left.models)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    cycles = make_cycles((2, 2))
    return (
        cycles,
        store,
        train(cycles, "one_entire", TINY, seeds=2, muscles=["tib"], leave_out=False, store=store, progress=False),
    )


def test_a_refiner_says_what_it_was_trained_on(trained):
    cycles, _, refiner = trained
    told = refiner.manifest
    assert told.names == ("tib",)
    assert told.muscles == ("tib_ant_r",)
    assert told.origin.subjects == ("s0", "s1")
    assert told.training.seeds == (0, 1)
    assert told.training.held_out_by == ""
    assert told.outputs[0].held_out is None
    assert told.synthetic
    assert told.warning.startswith("SYNTHETIC")
    assert told.inputs[0].high == pytest.approx(float(cycles.activation_waveform.sel(muscle="tib_ant_r").max()))


def test_its_weights_give_the_training_error_that_its_manifest_tells(trained):
    cycles, store, refiner = trained
    refined = refiner.predict(cycles)
    assert refined.dims == ("seed", "channel", "cycle", "sample")
    error = refined.mean("seed").sel(channel="tib") - cycles.emg.sel(channel="tib")
    assert refiner.manifest.outputs[0].training_rmse == pytest.approx(float((error**2).mean() ** 0.5))
    work = grid(
        cycles.sel(channel=["tib"]),
        "one_entire",
        TINY,
        refiner.manifest.origin.data_hash,
        seeds=2,
        folds=leave_nobody_out(cycles),
    )
    from nem2e_lib.training.store import Store

    model = Model(1, 0, 0, 0)
    kept = Store(store).load(work.key(model))
    assert kept is not None
    assert kept.refined.size == kept.attention.size == kept.gradient.size == 0  # nobody asks a refiner for these
    planned = plan_training(cycles.sel(channel=["tib"]), "one_entire", TINY, seeds=2, folds=leave_nobody_out(cycles))
    looked = planned.train(progress=False)[model]
    np.testing.assert_array_equal(kept.training_loss, looked.training_loss)
    np.testing.assert_allclose(refined.values[1, 0], looked.refined, atol=1e-5)


def test_a_model_that_was_not_looked_at_is_trained_again_where_its_outputs_are_wanted(tmp_path):
    cycles = make_cycles((2, 2))
    whole = plan_training(cycles, "one_entire", TINY, channels=["tib"], folds=leave_nobody_out(cycles), store=tmp_path)
    (blind,) = replace(whole, look=False).train(progress=False).values()
    (seen,) = whole.train(progress=False).values()
    assert (blind.refined.size, seen.refined.shape) == (0, (4, 20))
    assert replace(whole, look=False).train(progress=False)[whole.grid.models[0]].refined.shape == (4, 20)



def test_finished_models_are_not_trained_again_and_give_the_same_file(trained, tmp_path):
    cycles, store, refiner = trained
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*.npz")}
    again = train(cycles, "one_entire", TINY, seeds=2, muscles=["tib"], leave_out=False, store=store, progress=False)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*.npz")} == before
    assert again.save(tmp_path / "a").read_bytes() == refiner.save(tmp_path / "b").read_bytes()
    assert plan(cycles, "one_entire", TINY, seeds=2, muscles=["tib"], leave_out=False, store=store).kept.models == 0


def test_what_cannot_be_trained_is_told():
    cycles = make_cycles((2, 2))
    for muscles, message in [
        (["gas"], "there is no EMG channel 'gas', it has soleus, tib"),
        ([], "no muscle is chosen"),
    ]:
        with pytest.raises(Nem2eError, match=message):
            train(cycles, "one_entire", TINY, muscles=muscles)
    with pytest.raises(Nem2eError, match="results given have another data_hash"):
        train(cycles, "one_entire", TINY, results=made_results())
    alone = make_cycles((2,), speeds=("free",))
    with pytest.raises(Nem2eError, match="at one speed"):
        plan(alone, "one_entire", TINY)
    assert plan(alone, "one_entire", TINY, leave_out=False).held_out is None


def test_diverged_seeds_are_those_far_above_every_other_model_of_the_muscle():
    work = grid(make_cycles((2, 2)), "one_entire", TINY, "h", seeds=2, folds=leave_nobody_out(make_cycles((2, 2))))
    blank = Outcome(*(np.zeros(1, np.float32) for _ in range(5)), {})

    def fitted(*losses: float) -> dict:
        return {
            model: blank._replace(training_loss=np.array([1.0, loss]))
            for model, loss in zip(work.models, losses, strict=True)
        }

    others = xr.Dataset({"training_loss": (("seed", "channel", "fold", "epoch"), np.full((2, 2, 2, 2), 0.1))})
    assert diverged_seeds(work, fitted(0.1, 0.1, 0.1, 0.1), None) == {"soleus": (), "tib": ()}
    assert diverged_seeds(work, fitted(0.1, 0.1, 0.1, 0.51), others) == {"soleus": (), "tib": (1,)}
    assert diverged_seeds(work, fitted(0.1, 0.1, 0.1, 0.49), others) == {"soleus": (), "tib": ()}
    with pytest.raises(Nem2eError, match=r"soleus: training diverged with every seed \(0, 1\)"):
        diverged_seeds(work, fitted(0.9, 0.1, 0.9, 0.1), others)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "options"),
    [("one_quarter", {"quarter": "separate"}), ("one_quarter", {}), ("all_entire", {"input_scaling": "standard"})],
)
def test_every_condition_trains_leaves_out_saves_and_comes_back(condition, options, tmp_path):
    cycles, chosen = make_cycles((2, 3, 2)), TINY.with_options(**options)
    results = train_condition(cycles, condition, chosen, seeds=2, store=tmp_path / "s", progress=False)
    given = train(cycles, condition, chosen, seeds=2, results=results, store=tmp_path / "s", progress=False)
    found = train(cycles, condition, chosen, seeds=2, store=tmp_path / "s", progress=False)
    assert given.manifest == found.manifest
    assert given.manifest.outputs[1].held_out == held_out(results, floors(cycles))["tib"]
    loaded = Refiner.load(given.save(tmp_path / "kept"))
    np.testing.assert_array_equal(loaded.predict(cycles), given.predict(cycles))
    assert given.manifest.training.held_out_units == 3
