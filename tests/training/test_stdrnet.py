"""The network against a plain numpy forward pass, finite differences, and one example it must learn."""

import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from flax.traverse_util import flatten_dict
from jax.test_util import check_grads

from nem2e_lib.error import Nem2eError
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Shape, _mean_squared_error
from nem2e_lib.training.stdrnet import STDRNet
from tests.support.oracle import forward

OPTIONS = [
    {"score": score, "decoder_state": state, "input_feeding": feeding, "forget_bias": bias}
    for (score, state, feeding), bias in zip(
        itertools.product(("dot", "general", "concat"), ("encoder", "zeros"), (False, True)),
        itertools.cycle((0.0, 1.0)),
    )
]
READINGS = [
    {"layers": 2},
    {"layers": 3, "score": "dot", "decoder_state": "zeros", "input_feeding": True},
    {"output": "at_once"},
    {"output": "at_once", "layers": 2, "score": "concat", "decoder_state": "zeros"},
]


def network(features=2, steps=4, **options):
    return STDRNet(features, steps, Configuration(units=5, **options), jax.random.key(1))


def weights_of(net):
    flat = flatten_dict(nnx.to_pure_dict(nnx.split(net)[1]), sep=".")
    return {name: np.asarray(value, np.float64) for name, value in flat.items()}


@pytest.mark.parametrize("options", OPTIONS + READINGS[:2], ids=str)
@pytest.mark.parametrize("teacher", [None, [0.3, -0.2, 0.5, 0.1]], ids=["own", "teacher"])
def test_forward_pass_is_numpys(options, teacher, strict):
    net, x = network(**options), np.random.default_rng(0).normal(size=(7, 2))
    given = None if teacher is None else jnp.asarray(teacher, jnp.float32)
    refined, attention = net(jnp.asarray(x, jnp.float32), given)
    expected, expected_attention = forward(weights_of(net), net.options, x, 4, teacher)
    np.testing.assert_allclose(refined, expected, atol=2e-6)
    np.testing.assert_allclose(attention, expected_attention, atol=2e-6)
    np.testing.assert_allclose(attention.sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("options", READINGS[2:], ids=str)
def test_all_samples_at_once_share_one_row_of_attention(options, strict):
    net, x = network(**options), np.random.default_rng(0).normal(size=(7, 2))
    refined, attention = net(jnp.asarray(x, jnp.float32))
    expected, expected_attention = forward(weights_of(net), net.options, x, 4)
    np.testing.assert_allclose(refined, expected, atol=2e-6)
    np.testing.assert_allclose(attention, expected_attention, atol=2e-6)
    np.testing.assert_array_equal(attention, np.tile(attention[:1], (4, 1)))
    assert weights_of(net)["readout"].shape == (5, 4)


@pytest.mark.parametrize("options", [{}, {"input_feeding": True, "layers": 2}, {"output": "at_once"}], ids=str)
@pytest.mark.parametrize("taught", [False, True])
def test_several_muscles_share_a_decoder(options, taught, strict):
    if taught and options.get("output"):
        pytest.skip("reads no output")
    rng = np.random.default_rng(0)
    x, teacher = rng.normal(size=(7, 2)), rng.normal(size=(4, 3)) if taught else None
    net = STDRNet(2, 4, Configuration(units=5, targets="all", **options), jax.random.key(1), 0, 3)
    refined, attention = net(
        jnp.asarray(x, jnp.float32), None if teacher is None else jnp.asarray(teacher, jnp.float32)
    )
    expected, expected_attention = forward(weights_of(net), net.options, x, 4, teacher, outputs=3)
    assert refined.shape == (4, 3)
    np.testing.assert_allclose(refined, expected, atol=2e-6)
    np.testing.assert_allclose(attention, expected_attention, atol=2e-6)


@pytest.mark.slow
def test_gradients_of_several_muscles_against_finite_differences():
    with jax.enable_x64(True):
        net = STDRNet(2, 4, Configuration(units=4, targets="all"), jax.random.key(1), 0, 3)
        graph, state = nnx.split(net)
        state = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), state)
        x = jnp.asarray(np.random.default_rng(0).normal(size=(6, 2)))
        target = jnp.asarray(np.random.default_rng(1).normal(size=(4, 3))).at[:, 1].set(jnp.nan)
        shape = Shape(2, 4, net.options, False, 0, 3)

        def loss(state, x):
            return _mean_squared_error(shape, nnx.merge(graph, state)(x)[0], target)

        check_grads(loss, (state, x), order=1, modes=["rev"], rtol=1e-5, atol=1e-6)
        refined = np.asarray(net(x)[0])
        known = np.array([0, 2])
        assert float(loss(state, x)) == pytest.approx(((refined - np.asarray(target))[:, known] ** 2).mean(), rel=1e-5)


def test_what_a_decoder_of_one_step_cannot_read_is_refused():
    for option in ({"input_feeding": True}, {"decoder_input": "teacher"}):
        with pytest.raises(Nem2eError, match=f"output is 'at_once' and {next(iter(option))} is .* no output before it"):
            Configuration(output="at_once", **option)


def test_stored_names_are_those_of_before_the_readings():
    plain = Configuration().to_json()
    later = {"layers": 2, "output": "at_once", "targets": "all"}
    assert not set(later) & set(json.loads(plain))
    assert json.loads(Configuration(**later).to_json()) == {**json.loads(plain), **later}
    with pytest.raises(Nem2eError, match="layers is 0, expected a number above 0"):
        Configuration(layers=0)


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[5], OPTIONS[10], *READINGS], ids=str)
def test_gradients_against_finite_differences(options):
    with jax.enable_x64(True):
        net = network(**options)
        graph, state = nnx.split(net)
        state = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), state)
        x = jnp.asarray(np.random.default_rng(0).normal(size=(6, 2)))
        check_grads(lambda s, x: nnx.merge(graph, s)(x)[0], (state, x), order=1, modes=["rev"], rtol=1e-5, atol=1e-6)


def test_initial_weights_follow_the_option():
    uniform, glorot = network(), network(initialisation="glorot_orthogonal", forget_bias=1.0)
    assert np.abs(weights_of(uniform)["encoder.recurrent"]).max() <= 5**-0.5
    block = weights_of(glorot)["encoder.recurrent"][:, :5]
    np.testing.assert_allclose(block @ block.T, np.eye(5), atol=1e-5)
    np.testing.assert_array_equal(weights_of(glorot)["encoder.bias"], np.repeat([0.0, 1.0, 0.0, 0.0], 5))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"decoder_state": "zeros"}, {"decoder_input": "teacher"}, {"layers": 2}, {"output": "at_once"}],
    ids=str,
)
def test_it_overfits_one_example(options):
    net = STDRNet(1, 20, Configuration(units=24, **options), jax.random.key(0))
    graph, state = nnx.split(net)
    phase = jnp.linspace(0.0, 2 * jnp.pi, 20)
    x, y = (0.5 + 0.4 * jnp.sin(phase))[:, None], 0.3 + 0.2 * jnp.cos(2 * phase)
    optimiser = optax.adam(5e-3)

    def loss(state):
        teacher = y if options.get("decoder_input") == "teacher" else None
        return jnp.mean((nnx.merge(graph, state)(x, teacher)[0] - y) ** 2)

    @jax.jit
    def train(state):
        def update(carry, _):
            state, moments = carry
            now, gradient = jax.value_and_grad(loss)(state)
            changes, moments = optimiser.update(gradient, moments)
            return (optax.apply_updates(state, changes), moments), now

        return jax.lax.scan(update, (state, optimiser.init(state)), None, length=1500)[1]

    # the last step alone may be one of Adam's spikes
    assert float(train(state)[-100:].min()) < 1e-3 * float(jnp.var(y))
