"""The optimiser beside optax's."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.training.adam import adam


@given(st.integers(0, 2**31 - 1), st.sampled_from([1e-6, 1.0, 1e3]))
def test_it_steps_as_optax_does(seed, size):
    rng = np.random.default_rng(seed)
    ours, theirs = adam(1e-2), optax.adam(1e-2)
    weights = {"matrix": jnp.asarray(rng.normal(size=(3, 4)), jnp.float32), "bias": jnp.zeros(4)}
    other, moments, others = weights, ours.init(weights), theirs.init(weights)
    for _ in range(30):
        slopes = jax.tree.map(lambda w: jnp.asarray(size * rng.normal(size=w.shape), jnp.float32), weights)
        changes, moments = ours.update(slopes, moments, weights)
        weights = optax.apply_updates(weights, changes)
        changes, others = theirs.update(slopes, others, other)
        other = optax.apply_updates(other, changes)
    for a, b in zip(jax.tree.leaves(weights), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_a_gradient_of_zero_changes_nothing():
    weights = {"bias": jnp.arange(3.0)}
    optimiser = adam(1e-2)
    changes, moments = optimiser.update(jax.tree.map(jnp.zeros_like, weights), optimiser.init(weights))
    np.testing.assert_array_equal(changes["bias"], np.zeros(3))
    assert moments.steps == 1
