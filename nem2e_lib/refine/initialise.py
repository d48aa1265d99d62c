"""Initial weights of STDR-Net."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.nn.initializers import glorot_uniform, orthogonal

from nem2e_lib.refine.config import Configuration


class Initialiser:
    """Draws weight matrices one after another from one random key.

    `uniform` draws every weight within ±1/sqrt(units), the custom of LSTM libraries; `glorot_orthogonal` draws input
    weights by Glorot & Bengio (2010) and recurrent ones as orthogonal blocks (Saxe et al. 2014).
    """

    def __init__(self, configuration: Configuration, key: Array):
        self.units = configuration.units
        self._options = configuration
        self._key = key

    def dense(self, inputs: int, outputs: int) -> Array:
        """Return a feed-forward matrix of shape (inputs, outputs)."""
        if self._options.initialisation == "uniform":
            return self._uniform(inputs, outputs)
        return glorot_uniform()(self._next(), (inputs, outputs))

    def recurrent(self, gates: int) -> Array:
        """Return a recurrent matrix of shape (units, gates * units)."""
        if self._options.initialisation == "uniform":
            return self._uniform(self.units, gates * self.units)
        blocks = [orthogonal()(self._next(), (self.units, self.units)) for _ in range(gates)]
        return jnp.concatenate(blocks, axis=1)

    def bias(self) -> Array:
        """Return the gates' bias (4 * units,): zero but for the forget gate's option."""
        return jnp.zeros((4, self.units)).at[1].set(self._options.forget_bias).reshape(-1)

    def _uniform(self, inputs: int, outputs: int) -> Array:
        bound = self.units**-0.5
        return jax.random.uniform(self._next(), (inputs, outputs), minval=-bound, maxval=bound)

    def _next(self) -> Array:
        self._key, key = jax.random.split(self._key)
        return key
