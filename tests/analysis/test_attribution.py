"""Attribution of networks whose answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from nem2e_lib.analysis.attribution import attribute
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.stdrnet import STDRNet

RNG = np.random.default_rng(0)
TOKENS, FEATURES, STEPS = 5, 3, 4
X, BASELINE = RNG.normal(size=(6, TOKENS, FEATURES)), RNG.normal(size=(TOKENS, FEATURES))


def linear(weights, x):
    return jnp.einsum("otf,ntf->no", weights, x)


def squares(weights, x):
    return jnp.einsum("otf,ntf->no", weights, x**2)


def test_a_linear_models_attributions_are_its_weights_times_the_input():
    w = RNG.normal(size=(STEPS, TOKENS, FEATURES))
    found = attribute(Partial(linear, jnp.asarray(w, jnp.float32)), X, BASELINE)
    parts = np.einsum("otf,ntf->not", w, X - BASELINE)
    np.testing.assert_allclose(found.integrated, np.abs(parts).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.occlusion, np.abs(parts).mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.gradient, np.linalg.norm(w, axis=-1), rtol=1e-5)
    assert found.gap < 1e-5


def test_integrated_gradients_of_squares_by_hand():
    # the integral of 2 w x along the straight path, times the way, is w (x² − b²)
    w = RNG.normal(size=(STEPS, TOKENS, FEATURES))
    found = attribute(Partial(squares, jnp.asarray(w, jnp.float32)), X, BASELINE)
    parts = np.einsum("otf,ntf->not", w, X**2 - BASELINE**2)
    np.testing.assert_allclose(found.integrated, np.abs(parts).mean(axis=0), rtol=1e-4, atol=1e-5)


def test_a_token_that_is_not_read_gets_nothing():
    w = RNG.normal(size=(STEPS, TOKENS, FEATURES))
    w[:, 2] = 0.0
    found = attribute(Partial(squares, jnp.asarray(w, jnp.float32)), X, BASELINE)
    for name in ("gradient", "integrated", "occlusion"):
        np.testing.assert_array_equal(getattr(found, name)[:, 2], 0.0)
        assert (getattr(found, name)[:, [0, 1, 3, 4]] > 0).all()


@pytest.mark.parametrize("spatial", ["muscle_lstm", "per_muscle", "input_attention"])
def test_integrated_gradients_add_up_to_the_outputs_change(spatial):
    net = STDRNet(FEATURES, FEATURES, Configuration(units=6, spatial=spatial), jax.random.key(0), TOKENS)
    found = attribute(Partial(lambda x: jax.vmap(lambda one: net(one)[0])(x)), X, BASELINE)
    assert found.gap < 1e-3
