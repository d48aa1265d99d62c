"""One network for all muscles: a model a fold, channels that somebody lacks, and what cannot be done with it."""

import jax.numpy as jnp
import numpy as np
import pytest

from nem2e_lib.analysis.attention_interventions import UNIFORM_WEIGHTS, intervene
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.training import plan as plan_refiner
from nem2e_lib.training.batching import Batching
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.grid import grid
from nem2e_lib.training.results import load_models, load_networks
from nem2e_lib.training.stdrnet import parameters
from nem2e_lib.training.store import Store
from nem2e_lib.training.train import train_condition
from tests.support.oracle import forward
from tests.support.small import make_cycles

ALL = Configuration(units=6, epochs=3, targets="all")


def train(cycles, condition="one_entire", **options):
    return train_condition(cycles, condition, ALL, progress=False, **options)


def lacking():
    """A study whose first subject has no tib."""
    cycles = make_cycles()
    first, channel = cycles.subject.values == "s0", list(cycles.channel.values).index("tib")
    for name in ("emg", "emg_waveform"):
        cycles[name].values[first, :, channel] = np.nan
    return cycles


@pytest.mark.slow
@pytest.mark.parametrize(("condition", "features", "muscles"), [("one_entire", 2, 0), ("all_entire", 20, 5)])
def test_a_model_a_fold_refines_every_channel(condition, features, muscles, tmp_path):
    cycles = make_cycles()
    results = train(cycles, condition, store=tmp_path, batching=Batching(3, 3))
    assert results.attrs["models"] == results.sizes["fold"] == 3
    assert results.attrs["parameters"] == parameters(features, ALL, muscles, 20, 2)
    assert not np.allclose(results.refined[:, 0], results.refined[:, 1])
    np.testing.assert_array_equal(results.attention[:, 0], results.attention[:, 1])
    np.testing.assert_array_equal(results.validation_loss[:, 0], results.validation_loss[:, 1])
    work = grid(cycles, condition, ALL, data_hash(cycles))
    for row, channel in enumerate(work.channel_names):
        networks = load_networks(tmp_path, work, channel)
        for model in work.models:
            held, inputs = work.held(model), jnp.asarray(work.examples.inputs[0])
            found = networks[work.folds.labels[model.fold]](inputs[held])
            np.testing.assert_allclose(found, results.refined.values[0, row, held], atol=1e-6)
    if condition == "one_entire":
        one_by_one = train(cycles, condition, batching=Batching(3, 1))
        np.testing.assert_allclose(results.refined, one_by_one.refined, atol=2e-5)
        own = cycles.activation.sel(muscle="tib_ant_r")[4]
        np.testing.assert_allclose(work.examples.inputs[0, 4, :, 1], own, rtol=1e-6)


@pytest.mark.slow
def test_interventions_reach_every_channel(tmp_path):
    cycles = make_cycles()
    results = train(cycles, store=tmp_path)
    work = grid(cycles, "one_entire", ALL, data_hash(cycles))
    uniform = intervene(results, cycles, tmp_path).sel(intervention=UNIFORM_WEIGHTS).values[0]
    model = work.models[1]
    outcome = Store(tmp_path).load(work.key(model))
    weights = outcome.weights | {"score.keys": np.zeros_like(outcome.weights["score.keys"])}
    for cycle in work.held(model):
        expected, attention = forward(weights, ALL, work.examples.inputs[0, cycle], 20, outputs=2)
        np.testing.assert_allclose(attention, 1 / 20)
        np.testing.assert_allclose(uniform[:, cycle], expected.T, atol=1e-5)


@pytest.mark.slow
def test_the_validation_loss_is_the_error_of_all_channels():
    results = train(make_cycles())
    error = ((results.refined - results.measured) ** 2).mean(["sample", "channel"]).isel(seed=0)
    by_fold = error.groupby("fold_of_cycle").mean()
    np.testing.assert_allclose(results.validation_loss[0, 0, :, -1], by_fold, rtol=1e-4)


def test_nobody_is_judged_by_what_they_lack_and_their_other_muscles_are():
    cycles = lacking()
    results = train(cycles)
    first = (cycles.subject == "s0").values
    tib = results.sel(channel="tib").isel(seed=0)
    assert np.isnan(tib.refined[first]).all()
    assert np.isfinite(tib.refined[~first]).all()
    assert np.isfinite(results.refined.sel(channel="soleus")).all()
    lost = list(results.fold.values).index("s0")
    assert np.isnan(tib.validation_loss[lost]).all()
    assert np.isnan(tib.gradient[lost]).all()
    assert np.isfinite(results.validation_loss.sel(channel="soleus")).all()
    assert set(errors(results).groupby("muscle").size().items()) == {("soleus", 3), ("tib", 2)}


def test_the_held_out_subject_is_never_learned_from():
    cycles = make_cycles()
    changed = cycles.copy(deep=True)
    changed.emg[(cycles.subject == "s0").values] += 5.0
    before, after = train(cycles), train(changed)
    first = (cycles.subject == "s0").values
    np.testing.assert_array_equal(before.refined.isel(cycle=first), after.refined.isel(cycle=first))
    assert not np.allclose(before.refined.isel(cycle=~first), after.refined.isel(cycle=~first))


def test_quarters_are_joined_as_ever():
    results = train(make_cycles(), "one_quarter")
    assert results.refined.shape == (1, 2, 9, 20)
    assert results.attention.shape == (1, 2, 9, 20, 5)


def test_what_reads_one_muscle_alone_says_that_it_cannot(tmp_path):
    cycles = make_cycles()
    train(cycles, store=tmp_path)
    with pytest.raises(Nem2eError, match="the input of tib alone is given; train it with targets=one"):
        load_models(tmp_path, grid(cycles, "one_entire", ALL, data_hash(cycles)), "tib")
    with pytest.raises(Nem2eError, match="a refiner is kept muscle by muscle"):
        plan_refiner(cycles, "one_entire", ALL)


def test_a_key_names_every_channel():
    cycles = make_cycles()
    whole = grid(cycles, "all_entire", ALL, "")
    part = grid(cycles.sel(channel=["soleus"]), "all_entire", ALL, "")
    plain = grid(cycles, "all_entire", ALL.with_options(targets="one"), "")
    keys = {work.key(work.models[0]) for work in (whole, part, plain)}
    assert len(keys) == 3
