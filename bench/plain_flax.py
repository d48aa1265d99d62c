"""The same training in plain Flax: `nnx.RNN`, a decoder cell in a scan, `jax.vmap` over models."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from bench.work import Floats, Work


class Net(nnx.Module):
    """STDR-Net with the general score from Flax's own layers."""

    def __init__(self, features: int, units: int, rngs: nnx.Rngs):
        self.encoder = nnx.RNN(nnx.OptimizedLSTMCell(features, units, rngs=rngs), return_carry=True)
        self.decoder = nnx.OptimizedLSTMCell(1, units, rngs=rngs)
        self.keys = nnx.Linear(units, units, use_bias=False, rngs=rngs)
        self.combine = nnx.Linear(2 * units, units, use_bias=False, rngs=rngs)
        self.readout = nnx.Linear(units, 1, rngs=rngs)

    def __call__(self, x: jax.Array, steps: int) -> jax.Array:
        """Refine one sequence, from (tokens, features) to (steps,)."""
        zeros = jnp.zeros((1, self.decoder.hidden_features))
        (cell, hidden), states = self.encoder(x[None], initial_carry=(zeros, zeros))
        carry, states = (cell[0], hidden[0]), states[0]
        keys = self.keys(states)

        def step(carry: Any, _: None) -> tuple[Any, jax.Array]:
            memory, output = carry
            memory, hidden = self.decoder(memory, output)
            attention = jax.nn.softmax(keys @ hidden)
            output = self.readout(jnp.tanh(self.combine(jnp.concatenate([attention @ states, hidden]))))
            return (memory, output), output

        return jax.lax.scan(step, (carry, jnp.zeros(1)), None, length=steps)[1][:, 0]


def _state(weights: dict[str, Floats], template: Any) -> Any:
    pairs = {
        ("encoder", "cell", "dense_i", "kernel"): "encoder.inputs",
        ("encoder", "cell", "dense_h", "kernel"): "encoder.recurrent",
        ("encoder", "cell", "dense_h", "bias"): "encoder.bias",
        ("decoder", "dense_i", "kernel"): "decoder.inputs",
        ("decoder", "dense_h", "kernel"): "decoder.recurrent",
        ("decoder", "dense_h", "bias"): "decoder.bias",
        ("keys", "kernel"): "score.keys",
        ("combine", "kernel"): "combine",
        ("readout", "kernel"): "readout",
        ("readout", "bias"): "offset",
    }
    pure: dict[str, Any] = {}
    for path, name in pairs.items():
        node = pure
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = jnp.asarray(weights[name])
    nnx.replace_by_pure_dict(template, pure)
    return template


class Contender:
    """The compiled training of the first models of a work."""

    def __init__(self, work: Work, models: int, updates: int):
        chosen = work.models[:models]
        features, steps = work.inputs(chosen[0]).shape[-1], work.targets(chosen[0]).shape[-1]
        self._count = len(chosen) * updates
        graph, _, rest = nnx.split(Net(features, work.units, nnx.Rngs(0)), nnx.Param, ...)
        states = [
            _state(work.weights(m), nnx.split(Net(features, work.units, nnx.Rngs(0)), nnx.Param, ...)[1])
            for m in chosen
        ]
        optimiser = optax.adam(1e-3)
        self._state = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        self._moments = jax.vmap(optimiser.init)(self._state)
        self._inputs = jnp.stack([jnp.asarray(work.inputs(m)[:updates]) for m in chosen])
        self._targets = jnp.stack([jnp.asarray(work.targets(m)[:updates]) for m in chosen])

        def loss(state: Any, x: jax.Array, y: jax.Array) -> jax.Array:
            return jnp.mean((nnx.merge(graph, state, rest)(x, steps) - y) ** 2)

        def update(carry: Any, example: Any) -> tuple[Any, jax.Array]:
            state, moments = carry
            value, gradient = jax.value_and_grad(loss)(state, *example)
            changes, moments = optimiser.update(gradient, moments, state)
            return (optax.apply_updates(state, changes), moments), value

        self._train = jax.jit(jax.vmap(lambda s, m, x, y: jax.lax.scan(update, (s, m), (x, y))))

    def train(self) -> tuple[float, Floats]:
        """Train; return seconds per model-step and the first model's losses."""
        began = time.perf_counter()
        _, losses = jax.block_until_ready(self._train(self._state, self._moments, self._inputs, self._targets))
        return (time.perf_counter() - began) / self._count, np.asarray(losses[0])
