"""All-Entire's encoders against plain numpy, finite differences, and the order of the muscles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from flax.traverse_util import flatten_dict
from jax.test_util import check_grads

from nem2e_lib.analysis.attention import over_muscles
from nem2e_lib.analysis.attribution import attribute
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.batching import encoder_states
from nem2e_lib.training.conditions import examples
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.grid import grid
from nem2e_lib.training.results import load_networks, load_results, save_results
from nem2e_lib.training.stdrnet import STDRNet, parameters
from nem2e_lib.training.train import train_condition
from tests.support.oracle import forward

MUSCLES, SAMPLES = 7, 4
SPATIAL = ["muscle_lstm", "per_muscle", "input_attention"]
X = np.random.default_rng(0).normal(size=(MUSCLES, SAMPLES))


def network(spatial, **options):
    configuration = Configuration(units=5, spatial=spatial, forget_bias=0.5, **options)
    return STDRNet(SAMPLES, SAMPLES, configuration, jax.random.key(1), MUSCLES)


def weights_of(net):
    flat = flatten_dict(nnx.to_pure_dict(nnx.split(net)[1]), sep=".")
    return {name: np.asarray(value, np.float64) for name, value in flat.items()}


@pytest.mark.parametrize("spatial", SPATIAL)
@pytest.mark.parametrize("options", [{}, {"score": "concat", "decoder_state": "zeros"}, {"layers": 2}], ids=str)
@pytest.mark.parametrize("teacher", [None, [0.3, -0.2, 0.5, 0.1]], ids=["own", "teacher"])
def test_forward_pass_is_numpys(spatial, options, teacher, strict):
    net = network(spatial, **options)
    given = None if teacher is None else jnp.asarray(teacher, jnp.float32)
    refined, attention = net(jnp.asarray(X, jnp.float32), given)
    expected, expected_attention = forward(weights_of(net), net.options, X, SAMPLES, teacher, muscles=True)
    assert attention.shape == (SAMPLES, MUSCLES)
    np.testing.assert_allclose(refined, expected, atol=2e-6)
    np.testing.assert_allclose(attention, expected_attention, atol=2e-6)
    np.testing.assert_allclose(attention.sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("spatial", SPATIAL)
def test_all_samples_at_once_by_every_encoder(spatial, strict):
    net = network(spatial, output="at_once", layers=2)
    refined, attention = net(jnp.asarray(X, jnp.float32))
    expected, expected_attention = forward(weights_of(net), net.options, X, SAMPLES, muscles=True)
    np.testing.assert_allclose(refined, expected, atol=2e-6)
    np.testing.assert_allclose(attention, expected_attention, atol=2e-6)
    assert bool(np.ptp(attention, axis=0).max() > 0) == (spatial == "input_attention")  # a row a sample that it reads


@pytest.mark.parametrize("spatial", SPATIAL)
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_against_finite_differences(spatial, layers):
    with jax.enable_x64(True):
        graph, state = nnx.split(network(spatial, layers=layers))
        state = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), state)
        check_grads(
            lambda s, x: nnx.merge(graph, s)(x), (state, jnp.asarray(X)), order=1, modes=["rev"], rtol=1e-5, atol=1e-6
        )


def test_per_muscle_has_no_order_and_muscle_lstm_has():
    order = np.random.default_rng(3).permutation(MUSCLES)
    for spatial in SPATIAL[:2]:
        net = network(spatial)
        refined, attention = net(jnp.asarray(X, jnp.float32))
        other, permuted = net(jnp.asarray(X[order], jnp.float32))
        same = bool(np.allclose(refined, other, atol=1e-6) and np.allclose(attention[:, order], permuted, atol=1e-6))
        assert same == (spatial == "per_muscle")


def test_uniform_input_weights_leave_the_input_as_it_is():
    net = network("input_attention")
    net.encoder.vector = nnx.Param(jnp.zeros_like(net.encoder.vector[...]))
    plain = STDRNet(MUSCLES, SAMPLES, Configuration(units=5), jax.random.key(0))
    for name in ("inputs", "recurrent", "bias"):
        setattr(plain.encoder, name, getattr(net.encoder, name))
    for name in ("decoder", "score", "combine", "readout", "offset"):
        setattr(plain, name, getattr(net, name))
    x = jnp.asarray(X, jnp.float32)
    np.testing.assert_allclose(net(x)[0], plain(x.T)[0], atol=1e-6)
    np.testing.assert_allclose(net(x)[1], 1 / MUSCLES, atol=1e-7)


@pytest.mark.slow
def test_the_option_is_all_entires_alone(cycles):
    plain = Configuration(units=6, epochs=2)
    one, other = (
        train_condition(cycles, "one_entire", chosen, channels=["tib"], progress=False)
        for chosen in (plain, plain.with_options(spatial="per_muscle"))
    )
    np.testing.assert_array_equal(one.refined, other.refined)


@pytest.mark.slow
@pytest.mark.parametrize("spatial", ["per_muscle", "input_attention", "time_tokens"])
def test_results_keep_muscles_or_say_that_there_are_none(cycles, spatial, tmp_path):
    configuration = Configuration(units=6, epochs=2, spatial=spatial, token_order="shuffled")
    results = train_condition(cycles, "all_entire", configuration, channels=["tib"], progress=False)
    save_results(results, tmp_path / "all.nc")
    results = load_results(tmp_path / "all.nc")
    mapped = spatial != "time_tokens"
    assert over_muscles(results) == mapped
    np.testing.assert_array_equal(results.token, cycles.muscle if mapped else cycles.sample)
    assert results.gradient.sizes["token"] == results.attention.sizes["token"] == (5 if mapped else 20)
    np.testing.assert_allclose(results.attention.sum("token"), 1.0, atol=1e-5)
    features, muscles = (20, 5) if mapped else (5, 0)
    assert results.attrs["parameters"] == parameters(features, configuration, muscles)


def test_a_shuffled_order_is_its_seeds(cycles):
    def tokens(**options):
        return list(examples(cycles, "all_entire", Configuration(**options)).tokens)

    drawn = [tokens(token_order="shuffled", order_seed=seed) for seed in range(6)]
    assert len({tuple(one) for one in drawn}) > 3
    assert all(sorted(one) == sorted(cycles.muscle.values) for one in drawn)
    assert tokens(token_order="shuffled", order_seed=2) == drawn[2]
    # names of stored results stay what they were before the seed was there
    assert "order_seed" not in Configuration(order_seed=3).to_json()
    assert '"order_seed": 3' in Configuration(token_order="shuffled", order_seed=3).to_json()


def test_time_tokens_are_all_muscles_at_a_time(cycles):
    made = examples(cycles, "all_entire", Configuration(spatial="time_tokens", token_order="file"))
    assert made.inputs.shape == (1, 9, 20, 5)
    assert made.muscles == 0
    np.testing.assert_allclose(made.inputs[0, 4], cycles.activation.values[4], rtol=1e-6)


def test_an_unknown_encoder_is_refused():
    with pytest.raises(Nem2eError, match="spatial is 'muscle_gru', expected one of muscle_lstm, per_muscle"):
        Configuration(spatial="muscle_gru")


@pytest.mark.slow
def test_stored_networks_give_the_results_outputs_and_gradients(cycles, tmp_path):
    configuration = Configuration(units=6, epochs=2, spatial="per_muscle", input_scaling="standard")
    results = train_condition(cycles, "all_entire", configuration, channels=["tib"], store=tmp_path, progress=False)
    work = grid(cycles.sel(channel=["tib"]), "all_entire", configuration, data_hash(cycles))
    networks = load_networks(tmp_path, work, "tib")
    inputs = work.examples.inputs[0]
    for model in work.models:
        fold, label, held = model.fold, work.folds.labels[model.fold], work.held(model)
        expected = results.refined.isel(seed=0, channel=0, cycle=held)
        np.testing.assert_allclose(networks[label](jnp.asarray(inputs[held])), expected, atol=1e-6)
        found = attribute(networks[label], inputs[held], inputs[work.shown(model)].mean(axis=0), nodes=32)
        gradient = results.gradient.isel(seed=0, channel=0, fold=fold).sel(token=work.examples.tokens)
        np.testing.assert_allclose(found.gradient, gradient, rtol=1e-3, atol=1e-6)
        assert found.gap < 1e-2


def test_per_muscle_goes_through_a_state_for_each_sample(cycles):
    def states(condition, spatial):
        return encoder_states(grid(cycles, condition, Configuration(spatial=spatial), ""))

    assert states("all_entire", "muscle_lstm") == 5
    assert states("all_entire", "per_muscle") == 5 * 20
    assert states("all_entire", "time_tokens") == states("one_entire", "per_muscle") == 20
