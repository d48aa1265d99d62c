"""Rivals that are networks: a plain LSTM, a Transformer, a temporal convolution.

Each reads all muscles at once and gives all channels. It is written for one gait cycle, from (samples, muscles) to
(samples, channels), and `Network` trains it by gradient descent, stopped early inside the training cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from nem2e_lib.rivals.protocol import Array, Fitted, Predict, Simulated, State, inner_folds
from nem2e_lib.training.numerics import pinned
from nem2e_lib.training.recurrence import lstm_cell


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


KINDS = {"lstm": RecurrentNet, "transformer": TransformerNet, "convolution": ConvolutionNet}
"""Networks by the id of their rival; another one is a line here and one in `nem2e_lib.rivals.every`."""


@dataclass(frozen=True)
class Network:
    """A network that predicts, for all channels at once, how far EMG is from the training-mean curve.

    Attributes
    ----------
    kind
        Of `KINDS`: `lstm`, `transformer` or `convolution`.
    units
        Width of its layers.
    checkpoints, updates
        The number of updates is chosen among this many equally spaced ones up to `updates`, by the error on one inner
        fold that the network is first trained without.
    batch, learning_rate
        Cycles an update, and Adam's step at the start (it falls to zero by a cosine over `updates`).
    seed
        Of initial weights and order.
    """

    tuned_on: ClassVar[str] = "an inner training fold: updates; layers, width and learning rate by hand"
    kind: str
    units: int = 32
    updates: int = 160
    checkpoints: int = 8
    batch: int = 16
    learning_rate: float = 3e-3
    seed: int = 0

    @property
    def name(self) -> str:
        """Id in tables: the kind."""
        return self.kind

    @pinned()
    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Choose the number of updates on an inner fold, then train on all training cycles."""
        kept, out = next(inner_folds(simulated))
        inner = self._train(simulated.take(kept), measured[kept])
        each = [inner.predict(k, simulated.take(out)) for k in range(self.checkpoints)]
        error = [np.sqrt(((guess - measured[out]) ** 2).mean(axis=1)).mean() for guess in each]
        stop = int(np.argmin(error))
        whole = self._train(simulated, measured)
        updates = (stop + 1) * self.updates // self.checkpoints
        return Fitted.of(self, whole.state(stop), whole.size, {"updates": updates})

    def restored(self, state: State) -> Predict:
        """Return the kept weights in a network of this kind."""
        shift, scale, curve, spread = (state.arrays[name] for name in ("shift", "scale", "curve", "spread"))
        network = _network(self.kind, len(shift), len(spread), len(curve), self.units, 0)
        parts: Any = nnx.split(network, nnx.Param, ...)
        definition, weights, rest = parts
        kept = [jnp.asarray(state.arrays[name], jnp.float32) for name in _names(weights)]
        whole = jax.tree.unflatten(jax.tree.structure(weights), kept)
        one = jax.tree.map(lambda leaf: leaf[None], whole)
        trained = _Trained(definition, one, rest, _Scaling(shift, float(scale), curve, spread))
        return lambda held: trained.predict(0, held)

    def _train(self, simulated: Simulated, measured: Array) -> _Trained:
        scaling = _Scaling.of(simulated, measured)
        x, y = scaling.inputs(simulated), scaling.targets(measured)
        generator = np.random.default_rng(self.seed)
        rows = self.updates * self.batch
        order = np.concatenate([generator.permutation(len(x)) for _ in range(rows // len(x) + 1)])[:rows]
        network = _network(self.kind, x.shape[-1], y.shape[-1], x.shape[1], self.units, self.seed)
        parts: Any = nnx.split(network, nnx.Param, ...)
        definition, weights, rest = parts
        shape = self.checkpoints, self.updates // self.checkpoints, self.batch
        states = _descend(definition, self.learning_rate, weights, rest, _padded(x), _padded(y), order.reshape(shape))
        return _Trained(definition, states, rest, scaling)


def _network(kind: str, inputs: int, channels: int, samples: int, units: int, seed: int) -> Any:
    return KINDS[kind](inputs, channels, samples, units, nnx.Rngs(seed))


def _names(weights: Any) -> list[str]:
    """Name of every array of weights, in their order."""
    return [f"weights{jax.tree_util.keystr(path)}" for path, _ in jax.tree_util.tree_flatten_with_path(weights)[0]]


@dataclass(frozen=True)
class _Scaling:
    """Inputs around each muscle's mean on one common scale; targets as deviations from the training-mean curve."""

    shift: Array
    scale: float
    curve: Array
    spread: Array

    @classmethod
    def of(cls, simulated: Simulated, measured: Array) -> _Scaling:
        x, curve = simulated.inputs, measured.mean(axis=0)
        shift = x.mean(axis=(0, 1))
        spread = np.sqrt(((measured - curve) ** 2).mean(axis=(0, 1)))
        scale = float(np.sqrt(((x - shift) ** 2).mean()))
        return cls(shift, scale or 1.0, curve, np.where(spread > 0, spread, 1.0))

    def inputs(self, simulated: Simulated) -> Any:
        return jnp.asarray((simulated.inputs - self.shift) / self.scale, jnp.float32)

    def targets(self, measured: Array) -> Any:
        return jnp.asarray((measured - self.curve) / self.spread, jnp.float32)


@dataclass(frozen=True)
class _Trained:
    """A network's weights at every checkpoint."""

    definition: Any
    states: Any
    rest: Any
    scaling: _Scaling

    @property
    def size(self) -> int:
        return sum(int(np.prod(leaf.shape[1:])) for leaf in jax.tree.leaves(self.states))

    def state(self, checkpoint: int) -> State:
        """Return the weights at a checkpoint, with the scaling, as they are kept."""
        leaves = [np.asarray(leaf[checkpoint], float) for leaf in jax.tree.leaves(self.states)]
        scaling = {f.name: np.asarray(getattr(self.scaling, f.name), float) for f in fields(_Scaling)}
        return State(dict(zip(_names(self.states), leaves, strict=True)) | scaling)

    @pinned()
    def predict(self, checkpoint: int, held: Simulated) -> Array:
        state = jax.tree.map(lambda leaf: leaf[checkpoint], self.states)
        out = _refine(self.definition, state, self.rest, _padded(self.scaling.inputs(held)))[: len(held)]
        return np.asarray(out, float) * self.scaling.spread + self.scaling.curve


def _padded(rows: Any, multiple: int = 16) -> Any:
    """Add rows of zeros that nothing reads, so that folds of unequal size share one compiled program."""
    missing = -len(rows) % multiple
    return jnp.pad(rows, ((0, missing), (0, 0), (0, 0)))


@partial(jax.jit, static_argnums=0)
def _refine(definition: Any, state: Any, rest: Any, x: Any) -> Any:
    return jax.vmap(lambda cycle: nnx.merge(definition, state, rest)(cycle))(x)


@partial(jax.jit, static_argnums=(0, 1))
def _descend(definition: Any, rate: float, weights: Any, rest: Any, x: Any, y: Any, order: Any) -> Any:
    """Train by Adam on the mean squared error; `order` is (checkpoints, updates, batch). Weights at each checkpoint."""
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, order.shape[0] * order.shape[1]))

    def loss(state: Any, chosen: Any) -> Any:
        return jnp.mean((_refine(definition, state, rest, x[chosen]) - y[chosen]) ** 2)

    def update(carry: Any, chosen: Any) -> tuple[Any, None]:
        state, memory = carry
        change, memory = optimiser.update(jax.grad(loss)(state, chosen), memory, state)
        return (optax.apply_updates(state, change), memory), None

    def stretch(carry: Any, chosen: Any) -> tuple[Any, Any]:
        carry, _ = jax.lax.scan(update, carry, chosen)
        return carry, carry[0]

    return jax.lax.scan(stretch, (weights, optimiser.init(weights)), order)[1]
