"""The deferred scan gives what `jax.lax.scan` gives, values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from nem2e_lib.training.recurrence import deferred_scan, lstm_cell


def step(linear, constants, carry, x):
    hidden, cell = carry
    hidden, cell = lstm_cell(linear("in", x) + linear("re", hidden) + constants, cell)
    return (hidden, cell), linear("out", hidden)


def plain(weights, constants, carry, xs):
    def body(carry, x):
        return step(lambda name, v: v @ weights[name], constants, carry, x)

    return jax.lax.scan(body, carry, xs)


def deferred(weights, constants, carry, xs):
    return deferred_scan(step, len(xs), weights, constants, carry, xs)


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(rng.normal(size=shape) * 0.4, jnp.float32)  # noqa: E731
    weights = {"in": draw(3, 20), "re": draw(5, 20), "out": draw(5, 2)}
    return weights, draw(20), (draw(5), draw(5)), draw(7, 3)


def test_same_values_as_scan(problem, strict):
    for ours, theirs in zip(jax.tree.leaves(deferred(*problem)), jax.tree.leaves(plain(*problem)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_same_gradients_as_scan(problem):
    def loss(run):
        return lambda *arguments: sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(run(*arguments)))

    ours = jax.grad(loss(deferred), argnums=(0, 1, 2, 3))(*problem)
    theirs = jax.grad(loss(plain), argnums=(0, 1, 2, 3))(*problem)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_gradients_against_finite_differences(problem):
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, np.float64)), problem)
        check_grads(lambda *a: deferred(*a)[1], wide, order=1, modes=["rev"], eps=1e-5, rtol=1e-6, atol=1e-6)


def test_lstm_cell_by_hand():
    # one unit, all gates at 0 but the candidate at 1: cell = .5 * 2 + .5 * tanh(1), hidden = .5 * tanh(cell)
    hidden, cell = lstm_cell(jnp.array([0.0, 0.0, 1.0, 0.0]), jnp.array([2.0]))
    assert float(cell[0]) == pytest.approx(1.0 + 0.5 * np.tanh(1.0), rel=1e-6)
    assert float(hidden[0]) == pytest.approx(0.5 * np.tanh(1.0 + 0.5 * np.tanh(1.0)), rel=1e-6)
