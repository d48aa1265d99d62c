"""Training over the grid: padding, batching, resuming, folds that never see what they are tested on."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from nem2e_lib.analysis.attention import over_outputs
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.error import Nem2eError
from nem2e_lib.project import ROOT
from nem2e_lib.training import train as training
from nem2e_lib.training.batching import Batching
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import refiner, train_one
from nem2e_lib.training.folds import leave_nobody_out
from nem2e_lib.training.grid import Model, grid, initial_key
from nem2e_lib.training.results import load_models, load_results, save_results
from nem2e_lib.training.stdrnet import STDRNet
from nem2e_lib.training.train import chunk_of, plan, train_condition
from tests.support.small import make_cycles


def train(cycles, condition="one_entire", configuration=None, **options):
    return train_condition(
        cycles, condition, configuration or Configuration(units=6, epochs=3), progress=False, **options
    )


def assert_close(a, b, atol=2e-5):
    for name in ("refined", "attention", "gradient", "training_loss", "validation_loss"):
        np.testing.assert_allclose(a[name], b[name], atol=atol, err_msg=name)


def plain_loop(cycles, fold_label, configuration):
    """One model trained by an ordinary Python loop over cycles, as a reader would write it."""
    work = grid(cycles, "one_entire", configuration, "")
    model = Model(0, 1, work.folds.labels.index(fold_label), 0)
    net = STDRNet(1, 20, configuration, initial_key(configuration.seed, "tib", fold_label, 0))
    graph, state = nnx.split(net)
    optimiser = optax.adam(configuration.learning_rate)
    moments = optimiser.init(state)
    task = work.tasks(tuple(m for m in work.models if m == model))
    slope = jax.jit(jax.grad(lambda s, x, y: jnp.mean((nnx.merge(graph, s)(x)[0] - y) ** 2)))
    for epoch in np.asarray(task.shown[0]):
        for i in epoch:
            x, y = jnp.asarray(work.examples.inputs[1, i]), jnp.asarray(work.examples.targets[1, i])
            changes, moments = optimiser.update(slope(state, x, y), moments)
            state = optax.apply_updates(state, changes)
    return np.array([nnx.merge(graph, state)(jnp.asarray(work.examples.inputs[1, i]))[0] for i in work.held(model)])


def test_the_engine_is_a_plain_training_loop(cycles):
    configuration = Configuration(units=6, epochs=2)
    result = train(cycles, configuration=configuration)
    held = result.refined.sel(channel="tib").isel(seed=0, cycle=(result.subject == "s1").values)
    np.testing.assert_allclose(held, plain_loop(cycles, "s1", configuration), atol=1e-5)


@pytest.mark.slow
def test_one_models_training_batched_by_vmap_is_what_the_engine_trains(cycles):
    made = plan(cycles, "one_entire", Configuration(units=6, epochs=3))
    outcomes, models = made.train(progress=False), made.grid.held_out("tib")
    assert [(m.channel, m.fold) for m in models] == [(1, 0), (1, 1), (1, 2)]
    train_all = jax.jit(jax.vmap(partial(train_one, made.grid.shape()), in_axes=(None, 0)))
    weights, training, validation = train_all(made.grid.data(), made.grid.tasks(models))
    for row, model in enumerate(models):
        np.testing.assert_allclose(training[row], outcomes[model].training_loss, atol=1e-6)
        np.testing.assert_allclose(validation[row], outcomes[model].validation_loss, atol=1e-6)
        own = refiner({name: np.asarray(values[row]) for name, values in weights.items()}, made.grid.shape())
        held = made.grid.held(model)
        np.testing.assert_allclose(own(made.grid.examples.inputs[1, held]), outcomes[model].refined, atol=1e-5)


@pytest.mark.slow
def test_forecast_and_training_hash_the_cycles_once(cycles, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(training, "data_hash", lambda one: calls.append(1) or data_hash(one))
    made = plan(cycles, "one_entire", Configuration(units=6, epochs=3), channels=["tib"], store=tmp_path)
    assert made.cost.models == len(made.unfinished) == 3
    np.testing.assert_array_equal(made.run(progress=False).refined, train(cycles, channels=["tib"]).refined)
    everybody = made.with_folds(leave_nobody_out(cycles))
    assert (made.unfinished, len(everybody.unfinished), everybody.grid.examples is made.grid.examples) == ([], 1, True)
    assert len(calls) == 2  # the plan's, and that of the training it is compared with


def test_padding_changes_no_number():
    uneven = train(make_cycles((4, 2, 3)))
    assert uneven.sizes["fold"] == 3
    alone = plain_loop(make_cycles((4, 2, 3)), "s1", Configuration(units=6, epochs=3))
    held = uneven.refined.sel(channel="tib").isel(seed=0, cycle=(uneven.subject == "s1").values)
    np.testing.assert_allclose(held, alone, atol=1e-5)


@pytest.mark.slow
def test_orthogonal_weights_are_drawn_however_few_cores_there_are():
    """Factorised in a batch, they once waited for each other for ever: a process of its own can be ended."""
    code = (
        "from tests.support.small import make_cycles; from nem2e_lib.training.config import Configuration; "
        "from nem2e_lib.training.train import train_condition; "
        "made = Configuration(units=32, epochs=1, initialisation='glorot_orthogonal'); "
        "train_condition(make_cycles(), 'one_entire', made, progress=False)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("condition", ["one_quarter", "one_entire", "all_entire"])
def test_every_batching_gives_the_same_numbers(cycles, condition):
    one = train(cycles, condition, batching=Batching(100, 100))
    for other in (Batching(100, 1), Batching(2, 2), Batching(1, 1), Batching(5, 2), Batching(4, 1, 1)):
        assert_close(one, train(cycles, condition, batching=other))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"layers": 2}, {"output": "at_once"}], ids=str)
def test_other_readings_train_alike_however_they_are_batched(cycles, options):
    configuration = Configuration(units=8, epochs=20, learning_rate=3e-3, **options)
    one, *others = (train(cycles, configuration=configuration, batching=Batching(6, width)) for width in (6, 2, 1))
    for other in others:
        assert_close(one, other)
    assert (one.training_loss.isel(epoch=-1) < one.training_loss.isel(epoch=0)).all()
    assert not np.allclose(one.refined, train(cycles, configuration=Configuration(units=8, epochs=20)).refined)
    assert over_outputs(one) == ("output" not in options)


@pytest.mark.skipif(jax.default_backend() == "cpu", reason="JAX finds no graphics card")
def test_a_graphics_card_gives_the_same_numbers(cycles):
    card = train(cycles)
    with jax.default_device(jax.devices("cpu")[0]):
        processor = plain_loop(cycles, "s1", Configuration(units=6, epochs=3))
    held = card.refined.sel(channel="tib").isel(seed=0, cycle=(card.subject == "s1").values)
    np.testing.assert_allclose(held, processor, atol=1e-5)


@pytest.mark.slow
def test_another_executor_gives_the_same_numbers(cycles):
    with ThreadPoolExecutor(2) as pool:
        assert_close(train(cycles, batching=Batching(2, 2)), train(cycles, executor=pool))


def test_the_held_out_subject_is_never_learned_from(cycles):
    before = train(cycles)
    changed = cycles.copy(deep=True)
    changed.emg[(cycles.subject == "s0").values] += 5.0
    after = train(changed)
    np.testing.assert_array_equal(before.refined.isel(cycle=slice(0, 3)), after.refined.isel(cycle=slice(0, 3)))
    assert not np.allclose(before.refined.isel(cycle=slice(3, 6)), after.refined.isel(cycle=slice(3, 6)))


def test_same_seed_same_bytes_other_seed_other_numbers(cycles):
    one, again = train(cycles), train(cycles)
    np.testing.assert_array_equal(one.refined, again.refined)
    other = train(cycles, configuration=Configuration(units=6, epochs=3, seed=1))
    assert not np.allclose(one.refined, other.refined)
    ensemble = train(cycles, seeds=2)
    np.testing.assert_allclose(ensemble.refined[0], one.refined[0], atol=1e-6)
    np.testing.assert_allclose(ensemble.refined[1], other.refined[0], atol=1e-6)


def test_losses_fall_and_attention_sums_to_one(cycles):
    result = train(cycles, configuration=Configuration(units=16, epochs=60, learning_rate=3e-3))
    assert (result.training_loss.isel(epoch=-1) < 0.5 * result.training_loss.isel(epoch=0)).all()
    np.testing.assert_allclose(result.attention.sum("token"), 1.0, atol=1e-5)


def test_finished_models_are_found_again_and_damaged_ones_trained_anew(cycles, tmp_path, caplog):
    first = train(cycles, store=tmp_path, batching=Batching(2, 2))
    files = sorted(tmp_path.rglob("*.npz"))
    assert len(files) == first.attrs["models"] == 6
    stamps = {path: path.stat().st_mtime_ns for path in files}
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: len(whole) // 2])
    damaged = bytearray(files[3].read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    files[3].write_bytes(bytes(damaged))
    time.sleep(0.01)
    second = train(cycles, store=tmp_path, batching=Batching(2, 2))
    np.testing.assert_array_equal(first.refined, second.refined)
    assert {files[0].name, files[3].name} <= {word.split("/")[-1] for word in caplog.text.split()}
    assert files[0].read_bytes() == whole
    kept = [path for path in files if path.stat().st_mtime_ns == stamps[path]]
    assert 2 <= len(kept) <= 4


def test_the_hash_follows_what_made_the_result(cycles):
    hash_of = data_hash(cycles)
    base = grid(cycles, "one_entire", Configuration(), hash_of)
    model = base.models[0]
    others = [
        grid(cycles, "one_entire", Configuration(seed=1), hash_of),
        grid(cycles, "one_entire", Configuration(units=5), hash_of),
        grid(cycles, "all_entire", Configuration(), hash_of),
        grid(cycles, "one_entire", Configuration(), "other data"),
    ]
    assert len({base.key(model), *(other.key(model) for other in others)}) == 5
    assert base.key(model) == grid(cycles, "one_entire", Configuration(), hash_of, seeds=3).key(model)


def test_results_survive_the_disk(cycles, tmp_path):
    result = train(cycles, "all_entire")
    save_results(result, tmp_path / "a" / "all_entire.nc")
    back = load_results(tmp_path / "a" / "all_entire.nc")
    for name in result.data_vars:
        np.testing.assert_array_equal(result[name], back[name])
    assert back.token.values.tolist() == result.token.values.tolist()
    assert back.attrs["unit"] == "subject"
    assert list((tmp_path / "a").iterdir()) == [tmp_path / "a" / "all_entire.nc"]


@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_loaded_models_refine_as_they_did(cycles, tmp_path, scaling):
    configuration = Configuration(units=6, epochs=3, input_scaling=scaling)
    result = train(cycles, configuration=configuration, store=tmp_path)
    work = grid(cycles, "one_entire", configuration, data_hash(cycles))
    models = load_models(tmp_path, work, "tib")
    held = (cycles.subject == "s2").values
    inputs = cycles.activation.sel(muscle="tib_ant_r").values[held][..., None]
    expected = result.refined.sel(channel="tib").isel(seed=0, cycle=held)
    np.testing.assert_allclose(models["s2"](inputs), expected, atol=1e-6)


@pytest.mark.slow
def test_quarters_of_every_kind_train(cycles):
    for quarter in ("shared", "separate", "dense"):
        result = train(cycles, "one_quarter", Configuration(units=6, epochs=2, quarter=quarter))
        assert result.refined.shape == (1, 2, 9, 20)
        assert np.isfinite(result.refined).all()
        assert result.attention.sizes["output"] == 20


def test_a_loss_that_is_no_number_ends_training_at_once_and_is_told(cycles, monkeypatch):
    reports = []
    monkeypatch.setattr(training.Done, "during", lambda done, job, epochs, loss: reports.append(epochs))
    with pytest.raises(Nem2eError, match=r"one_entire, soleus, held out s0, seed 0.*from epoch [12] on.*learning_rate"):
        train(cycles, configuration=Configuration(units=6, epochs=60, learning_rate=1e38))
    assert len(reports) < 2


def test_epochs_are_cut_evenly_so_that_one_program_serves_them_all():
    for epochs in (1, 2, 18, 19, 71, 700):
        assert epochs % chunk_of(epochs) == 0
        assert epochs / chunk_of(epochs) >= min(epochs, 20)
    assert chunk_of(700) == 35


def test_unknown_channel_and_option_are_told(cycles):
    with pytest.raises(Nem2eError, match="soleuss"):
        train(cycles, channels=["soleuss"])
    with pytest.raises(Nem2eError, match="no option 'unit'; did you mean 'units'"):
        Configuration().with_options(unit=3)
    with pytest.raises(Nem2eError, match="dot, general, concat"):
        Configuration(score="cosine")
