"""STDR-Net: a sequence-to-sequence LSTM with Luong attention, written for one gait cycle.

Teramae et al. (2025), section 3.1.2 and Figure 2; attention as in Luong et al. (2015), doi:10.18653/v1/D15-1166.
Callers add cycles, muscles and folds with `jax.vmap`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from nem2e_lib.refine.config import Configuration
from nem2e_lib.refine.encoders import LSTM, encoder
from nem2e_lib.refine.initialise import Initialiser
from nem2e_lib.refine.recurrence import Linear, Weights, deferred_scan, lstm_cell


class Score(nnx.Module):
    """Luong's alignment score of one decoder state with every encoder state."""

    def __init__(self, kind: str, init: Initialiser):
        self.kind = kind
        if kind != "dot":
            self.keys = nnx.Param(init.dense(init.units, init.units))
        if kind == "concat":
            self.query = nnx.Param(init.dense(init.units, init.units))
            self.vector = nnx.Param(init.dense(init.units, 1))

    def weights(self, states: Array) -> Weights:
        """Return the matrices that every decoder step uses, of encoder states (tokens, units)."""
        if self.kind == "concat":
            return {"query": self.query[...]}
        return {"keys": (states if self.kind == "dot" else states @ self.keys[...]).T}

    def constants(self, states: Array) -> tuple[Array, Array]:
        """Return W h_s (tokens, units) and the vector v (units,) of the concat score; empty for the others."""
        if self.kind == "concat":
            return states @ self.keys[...], self.vector[...][:, 0]
        return jnp.zeros(0), jnp.zeros(0)


def _align(linear: Linear, kind: str, keys: Array, vector: Array, hidden: Array) -> Array:
    if kind == "concat":
        return jax.nn.softmax(jnp.tanh(keys + linear("query", hidden)[None]) @ vector)
    return jax.nn.softmax(linear("keys", hidden))


def parameters(features: int, configuration: Configuration, muscles: int = 0) -> int:
    """Return how many numbers an STDR-Net of a configuration learns; sizes as for `STDRNet`."""
    blank = nnx.eval_shape(lambda: STDRNet(features, 1, configuration, jax.random.key(0), muscles))
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(blank)))


class STDRNet(nnx.Module):
    """The refinement network for one example.

    Parameters
    ----------
    features
        Size of an input token: 1 for temporal attention, the number of samples for spatial attention.
    steps
        Samples of the output sequence.
    configuration
        Its options (`units`, `score`, `decoder_state`, `input_feeding`, …).
    key
        JAX random key of the initial weights.
    muscles
        How many muscles the tokens are, for the option `spatial`; 0 where they are samples in time.
    """

    def __init__(self, features: int, steps: int, configuration: Configuration, key: Array, muscles: int = 0):
        init = Initialiser(configuration, key)
        units = configuration.units
        self.steps, self.options = steps, configuration
        self.encoder = encoder(features, muscles, configuration, init)
        self.decoder = LSTM(1, init)
        self.score = Score(configuration.score, init)
        self.combine = nnx.Param(init.dense(2 * units, units))
        self.readout = nnx.Param(init.dense(units, 1))
        self.offset = nnx.Param(jnp.zeros(1))
        if configuration.input_feeding:
            self.feed = nnx.Param(init.dense(units, 4 * units))

    def __call__(self, x: Array, teacher: Array | None = None) -> tuple[Array, Array]:
        """Refine one sequence.

        Parameters
        ----------
        x
            Simulated activation, shape (tokens, features).
        teacher
            Measured output fed to the decoder instead of its own, shape (steps,).

        Returns
        -------
        tuple
            Refined activation (steps,) and attention (steps, tokens), whose rows sum to 1: the decoder's, or the
            encoder's own where `spatial` is `input_attention`, with a row for each sample that it reads.
        """
        last, states, own = self.encoder(x)
        zeros = jnp.zeros_like(last[0])
        start = last if self.options.decoder_state == "encoder" else (zeros, zeros)
        refined, attention = self._decode(states, start, teacher)
        return refined, attention if own is None else own

    def _decode(self, states: Array, start: tuple[Array, Array], teacher: Array | None) -> tuple[Array, Array]:
        # The combination of context and state is linear: its share of the context is attention over states that are
        # combined once, instead of a product with the matrix at every step.
        of_context, of_hidden = jnp.split(self.combine[...], 2)
        weights = {
            "recurrent": self.decoder.recurrent[...],
            "contexts": states @ of_context,
            "combine": of_hidden,
            "readout": self.readout[...],
        }
        weights |= self.score.weights(states)
        if self.options.input_feeding:
            weights["feed"] = self.feed[...]
        constants = (
            *self.score.constants(states),
            self.decoder.inputs[...],
            self.decoder.bias[...],
            self.offset[...],
        )
        previous = None if teacher is None else jnp.concatenate([jnp.zeros(1, teacher.dtype), teacher[:-1]])[:, None]
        attentional = jnp.zeros(self.options.units, states.dtype)
        carry = (*start, jnp.zeros(1, states.dtype), attentional)
        _, (refined, attention) = deferred_scan(self._step(), self.steps, weights, constants, carry, previous)
        return refined[:, 0], attention

    def _step(self) -> Any:
        kind, feeding = self.options.score, self.options.input_feeding

        def step(linear: Linear, constants: Any, carry: Any, teacher: Array | None) -> tuple[Any, Any]:
            keys, vector, inputs, bias, offset = constants
            hidden, cell, own, attentional = carry
            gates = (own if teacher is None else teacher) @ inputs + bias + linear("recurrent", hidden)
            if feeding:
                gates = gates + linear("feed", attentional)
            hidden, cell = lstm_cell(gates, cell)
            attention = _align(linear, kind, keys, vector, hidden)
            attentional = jnp.tanh(linear("contexts", attention) + linear("combine", hidden))
            output = linear("readout", attentional) + offset
            return (hidden, cell, output, attentional), (output, attention)

        return step
