"""How STDR-Net reads its input: token after token, muscle beside muscle, or time after time with a weight on each.

Which of them is chosen by the option `spatial`; conditions that read one muscle always read token after token.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from nem2e_lib.refine.config import Configuration
from nem2e_lib.refine.initialise import Initialiser
from nem2e_lib.refine.recurrence import Linear, deferred_scan, lstm_cell


class Encoded(NamedTuple):
    """What an encoder hands over.

    Attributes
    ----------
    last
        Hidden and cell state that the decoder may start from, each (units,).
    states
        What the decoder attends to, shape (tokens, units).
    weights
        The encoder's own weight on each muscle, shape (samples, muscles), where it has one; otherwise None.
    """

    last: tuple[Array, Array]
    states: Array
    weights: Array | None


class LSTM(nnx.Module):
    """Weights of an LSTM layer: inputs (features, 4 * units), recurrent (units, 4 * units), bias (4 * units,)."""

    def __init__(self, features: int, init: Initialiser):
        self.inputs = nnx.Param(init.dense(features, 4 * init.units))
        self.recurrent = nnx.Param(init.recurrent(4))
        self.bias = nnx.Param(init.bias())

    def project(self, x: Array) -> Array:
        """Return the inputs' share of the gates, from (features,) to (4 * units,)."""
        return x @ self.inputs[...] + self.bias[...]

    def blank(self, dtype: Any) -> Array:
        """Return the state before the first token, shape (units,)."""
        return jnp.zeros(len(self.recurrent[...]), dtype)


class OverTokens(LSTM):
    """An LSTM over the tokens, whatever they are: each state has seen its token and those before it."""

    def __call__(self, x: Array) -> Encoded:
        """Read x of shape (tokens, features)."""
        zeros, recurrent = self.blank(x.dtype), {"recurrent": self.recurrent[...]}
        gates = jax.vmap(self.project)(x)
        last, states = deferred_scan(_over_tokens, x.shape[0], recurrent, None, (zeros, zeros), gates)
        return Encoded(last, states, None)


class PerMuscle(LSTM):
    """One LSTM shared by all muscles, over each one's waveform; its last state is the muscle's token.

    The muscles have no order: to permute them permutes the tokens. The decoder starts from the tokens' mean.
    """

    def __init__(self, init: Initialiser):
        super().__init__(1, init)

    def __call__(self, x: Array) -> Encoded:
        """Read x of shape (muscles, samples)."""
        zeros = jnp.zeros((x.shape[0], len(self.recurrent[...])), x.dtype)

        # Each step is a product of matrices for all muscles at once, so an ordinary scan forms the weights' gradient.
        def step(carry: tuple[Array, Array], now: Array) -> tuple[tuple[Array, Array], None]:
            hidden, cell = carry
            gates = jax.vmap(self.project)(now[:, None]) + hidden @ self.recurrent[...]
            return jax.vmap(lstm_cell)(gates, cell), None

        (hidden, cell), _ = jax.lax.scan(step, (zeros, zeros), x.T)
        return Encoded((hidden.mean(axis=0), cell.mean(axis=0)), hidden, None)


class InputAttention(LSTM):
    """An LSTM over time that weighs each muscle at each step (Qin et al. 2017, doi:10.24963/ijcai.2017/366, Eqs. 8-11).

    A weight depends on the muscle's whole waveform and on the LSTM's state before the step. The weights of a step sum
    to 1; inputs are multiplied by them and by the number of muscles, so that uniform weights leave inputs as they are.
    """

    def __init__(self, muscles: int, samples: int, init: Initialiser):
        super().__init__(muscles, init)
        self.keys = nnx.Param(init.dense(samples, init.units))
        self.query = nnx.Param(init.dense(2 * init.units, init.units))
        self.vector = nnx.Param(init.dense(init.units, 1))

    def __call__(self, x: Array) -> Encoded:
        """Read x of shape (muscles, samples)."""
        zeros, names = self.blank(x.dtype), ("inputs", "recurrent", "query")
        weights = {name: getattr(self, name)[...] for name in names}
        constants = (x @ self.keys[...], self.vector[...][:, 0], self.bias[...])
        last, (states, shares) = deferred_scan(_over_time, x.shape[1], weights, constants, (zeros, zeros), x.T)
        return Encoded(last, states, shares)


def encoder(features: int, muscles: int, configuration: Configuration, init: Initialiser) -> LSTM:
    """Return the encoder of a configuration.

    Parameters
    ----------
    features
        Size of a token.
    muscles
        How many muscles the tokens are; 0 where they are samples in time.
    configuration
        Its option `spatial` is read where tokens are muscles.
    init
        Draws the weights.
    """
    if muscles and configuration.spatial == "per_muscle":
        return PerMuscle(init)
    if muscles and configuration.spatial == "input_attention":
        return InputAttention(muscles, features, init)
    return OverTokens(features, init)


def _over_tokens(linear: Linear, constants: None, carry: tuple[Array, Array], gates: Array) -> tuple[Any, Array]:
    hidden, cell = carry
    hidden, cell = lstm_cell(gates + linear("recurrent", hidden), cell)
    return (hidden, cell), hidden


def _over_time(linear: Linear, constants: Any, carry: tuple[Array, Array], now: Array) -> tuple[Any, Any]:
    keys, vector, bias = constants
    hidden, cell = carry
    query = linear("query", jnp.concatenate([hidden, cell]))
    shares = jax.nn.softmax(jnp.tanh(keys + query[None]) @ vector)
    gates = linear("inputs", now.size * shares * now) + bias + linear("recurrent", hidden)
    hidden, cell = lstm_cell(gates, cell)
    return (hidden, cell), (hidden, shares)
