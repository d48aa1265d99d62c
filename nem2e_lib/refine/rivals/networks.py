"""Networks that read all muscles at once and give all channels: a plain LSTM, a Transformer, a temporal convolution.

Each is written for one gait cycle, from (samples, muscles) to (samples, channels); callers add cycles by `jax.vmap`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from nem2e_lib.refine.recurrence import lstm_cell


class RecurrentNet(nnx.Module):
    """An LSTM in each direction of time and a linear readout.

    Both directions, because a delayed simulation tells of EMG that has been: the future must be seen.
    """

    def __init__(self, muscles: int, channels: int, samples: int, units: int, rngs: nnx.Rngs):
        self.forward, self.backward = _Layer(muscles, units, rngs), _Layer(muscles, units, rngs)
        self.readout = nnx.Linear(2 * units, channels, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Refine one cycle."""
        return self.readout(jnp.concatenate([self.forward(x), self.backward(x[::-1])[::-1]], axis=-1))


class _Layer(nnx.Module):
    def __init__(self, features: int, units: int, rngs: nnx.Rngs):
        self.inputs = nnx.Linear(features, 4 * units, rngs=rngs)
        self.recurrent = nnx.Param(nnx.initializers.orthogonal()(rngs(), (units, 4 * units)))

    def __call__(self, x: jax.Array) -> jax.Array:
        weights = self.recurrent[...]

        def step(carry: tuple[jax.Array, jax.Array], gates: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
            hidden, cell = lstm_cell(gates + carry[0] @ weights, carry[1])
            return (hidden, cell), hidden

        rest = jnp.zeros(weights.shape[0], x.dtype)
        return jax.lax.scan(step, (rest, rest), self.inputs(x))[1]


class TransformerNet(nnx.Module):
    """Two encoder blocks of self-attention over samples (Vaswani et al. 2017), with learned positions."""

    def __init__(self, muscles: int, channels: int, samples: int, units: int, rngs: nnx.Rngs):
        self.embed = nnx.Linear(muscles, units, rngs=rngs)
        self.position = nnx.Param(0.02 * rngs.normal((samples, units)))
        self.blocks = nnx.List([_Block(units, rngs) for _ in range(2)])
        self.readout = nnx.Linear(units, channels, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Refine one cycle."""
        h = self.embed(x) + self.position[...]
        for block in self.blocks:
            h = block(h)
        return self.readout(h)


class _Block(nnx.Module):
    def __init__(self, units: int, rngs: nnx.Rngs):
        self.before, self.between = nnx.LayerNorm(units, rngs=rngs), nnx.LayerNorm(units, rngs=rngs)
        self.attend = nnx.MultiHeadAttention(4, units, decode=False, rngs=rngs)
        self.widen, self.narrow = nnx.Linear(units, 2 * units, rngs=rngs), nnx.Linear(2 * units, units, rngs=rngs)

    def __call__(self, h: jax.Array) -> jax.Array:
        h = h + self.attend(self.before(h))
        return h + self.narrow(nnx.gelu(self.widen(self.between(h))))


class ConvolutionNet(nnx.Module):
    """A temporal convolution: residual layers over three neighbours, 1, 2 and 4 samples apart (Bai et al. 2018).

    Neighbours wrap around the gait cycle.
    """

    def __init__(self, muscles: int, channels: int, samples: int, units: int, rngs: nnx.Rngs):
        self.embed = nnx.Linear(muscles, units, rngs=rngs)
        self.layers = nnx.List([nnx.Linear(3 * units, units, rngs=rngs) for _ in (1, 2, 4)])
        self.readout = nnx.Linear(units, channels, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Refine one cycle."""
        h = self.embed(x)
        for gap, layer in zip((1, 2, 4), self.layers, strict=True):
            h = h + nnx.gelu(layer(jnp.concatenate([jnp.roll(h, gap, axis=0), h, jnp.roll(h, -gap, axis=0)], axis=-1)))
        return self.readout(h)
