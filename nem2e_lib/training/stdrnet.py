"""STDR-Net: a sequence-to-sequence LSTM with Luong attention, written for one gait cycle.

The option `spatial` chooses its encoder; conditions that read one muscle always read token after token.

Teramae et al. (2025), section 3.1.2 and Figure 2; attention as in Luong et al. (2015), doi:10.18653/v1/D15-1166.
Callers add cycles, muscles and folds with `jax.vmap`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.custom_batching import sequential_vmap
from jax.nn.initializers import glorot_uniform, orthogonal

from nem2e_lib.training.config import Configuration
from nem2e_lib.training.recurrence import Linear, Weights, deferred_scan, lstm_cell

# --- Initial weights of STDR-Net ---


class Initialiser:
    """Draws weight matrices one after another from one random key.

    `uniform` draws every weight within ±1/sqrt(units), the custom of LSTM libraries; `glorot_orthogonal` draws input
    weights by Glorot & Bengio (2010) and recurrent ones as orthogonal blocks (Saxe et al. 2014).
    """

    def __init__(self, configuration: Configuration, key: Array):
        self.units, self.layers = configuration.units, configuration.layers
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
        # One model after another: where several are drawn at once, the factorisations of a batch wait for each other's
        # threads, and for ever where there are few cores.
        draw = sequential_vmap(lambda key: orthogonal()(key, (self.units, self.units)))
        return jnp.concatenate([draw(self._next()) for _ in range(gates)], axis=1)

    def bias(self) -> Array:
        """Return the gates' bias (4 * units,): zero but for the forget gate's option."""
        return jnp.zeros((4, self.units)).at[1].set(self._options.forget_bias).reshape(-1)

    def _uniform(self, inputs: int, outputs: int) -> Array:
        bound = self.units**-0.5
        return jax.random.uniform(self._next(), (inputs, outputs), minval=-bound, maxval=bound)

    def _next(self) -> Array:
        self._key, key = jax.random.split(self._key)
        return key


# --- How STDR-Net reads its input ---

State = tuple[Array, Array]
"""Hidden and cell state of an LSTM layer."""


class Encoded(NamedTuple):
    """What an encoder hands over.

    Attributes
    ----------
    last
        Hidden and cell state that each layer of the decoder may start from, lowest layer first, each (units,).
    states
        What the decoder attends to, the top layer's, shape (tokens, units).
    weights
        The encoder's own weight on each muscle, shape (samples, muscles), where it has one; otherwise None.
    """

    last: tuple[State, ...]
    states: Array
    weights: Array | None


class LSTM(nnx.Module):
    """Weights of an LSTM layer: inputs (features, 4 * units), recurrent (units, 4 * units), bias (4 * units,).

    `above` are the layers above it, which read its states: `layer_2`, `layer_3`, …
    """

    def __init__(self, features: int, init: Initialiser, layers: int = 1):
        self.inputs = nnx.Param(init.dense(features, 4 * init.units))
        self.recurrent = nnx.Param(init.recurrent(4))
        self.bias = nnx.Param(init.bias())
        self.height = layers
        for k in range(2, layers + 1):
            setattr(self, f"layer_{k}", LSTM(init.units, init))

    @property
    def above(self) -> tuple[LSTM, ...]:
        """The layers above this one, lowest first."""
        return tuple(getattr(self, f"layer_{k}") for k in range(2, self.height + 1))

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
        return Encoded(*_through((self, *self.above), x), None)


def _through(layers: tuple[LSTM, ...], x: Array) -> tuple[tuple[State, ...], Array]:
    """Send a sequence through layers; return the last state of each and all states of the top one."""
    ends = []
    for layer in layers:
        zeros, recurrent = layer.blank(x.dtype), {"recurrent": layer.recurrent[...]}
        gates = jax.vmap(layer.project)(x)
        last, x = deferred_scan(_over_tokens, x.shape[0], recurrent, None, (zeros, zeros), gates)
        ends.append(last)
    return tuple(ends), x


class PerMuscle(LSTM):
    """One LSTM shared by all muscles, over each one's waveform; its last state is the muscle's token.

    The muscles have no order: to permute them permutes the tokens. The decoder starts from the tokens' mean.
    """

    def __init__(self, init: Initialiser):
        super().__init__(1, init, init.layers)

    def __call__(self, x: Array) -> Encoded:
        """Read x of shape (muscles, samples)."""
        ends, sequence = [], x.T[..., None]
        for layer in (self, *self.above):
            (hidden, cell), sequence = _all_muscles(layer, sequence)
            ends.append((hidden.mean(axis=0), cell.mean(axis=0)))
        return Encoded(tuple(ends), hidden, None)


def _all_muscles(layer: LSTM, sequence: Array) -> tuple[State, Array]:
    """Send waveforms of all muscles through a layer, shape (samples, muscles, features)."""
    zeros = jnp.zeros((sequence.shape[1], len(layer.recurrent[...])), sequence.dtype)

    # Each step is a product of matrices for all muscles at once, so an ordinary scan forms the weights' gradient.
    def step(carry: State, now: Array) -> tuple[State, Array]:
        hidden, cell = carry
        gates = jax.vmap(layer.project)(now) + hidden @ layer.recurrent[...]
        hidden, cell = jax.vmap(lstm_cell)(gates, cell)
        return (hidden, cell), hidden

    return jax.lax.scan(step, (zeros, zeros), sequence)


class InputAttention(LSTM):
    """An LSTM over time that weighs each muscle at each step (Qin et al. 2017, doi:10.24963/ijcai.2017/366, Eqs. 8-11).

    A weight depends on the muscle's whole waveform and on the LSTM's state before the step. The weights of a step sum
    to 1; inputs are multiplied by them and by the number of muscles, so that uniform weights leave inputs as they are.
    """

    def __init__(self, muscles: int, samples: int, init: Initialiser):
        super().__init__(muscles, init, init.layers)
        self.keys = nnx.Param(init.dense(samples, init.units))
        self.query = nnx.Param(init.dense(2 * init.units, init.units))
        self.vector = nnx.Param(init.dense(init.units, 1))

    def __call__(self, x: Array) -> Encoded:
        """Read x of shape (muscles, samples)."""
        zeros, names = self.blank(x.dtype), ("inputs", "recurrent", "query")
        weights = {name: getattr(self, name)[...] for name in names}
        constants = (x @ self.keys[...], self.vector[...][:, 0], self.bias[...])
        last, (states, shares) = deferred_scan(_over_time, x.shape[1], weights, constants, (zeros, zeros), x.T)
        ends, states = _through(self.above, states)
        return Encoded((last, *ends), states, shares)


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
    return OverTokens(features, init, init.layers)


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


# --- STDR-Net: a sequence-to-sequence LSTM with Luong attention, written for one gait cycle ---


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


def parameters(features: int, configuration: Configuration, muscles: int = 0, steps: int = 20, outputs: int = 0) -> int:
    """Return how many numbers an STDR-Net of a configuration learns; sizes as for `STDRNet`."""
    blank = nnx.eval_shape(lambda: STDRNet(features, steps, configuration, jax.random.key(0), muscles, outputs))
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(blank)))


def _one_later(teacher: Array) -> Array:
    """Return what each step is shown of a measured output (steps, outputs): the sample before; zero first."""
    return jnp.concatenate([jnp.zeros_like(teacher[:1]), teacher[:-1]])


class STDRNet(nnx.Module):
    """The refinement network for one example.

    Parameters
    ----------
    features
        Size of an input token: 1 for temporal attention, the number of samples for spatial attention.
    steps
        Samples of the output sequence.
    configuration
        Its options (`units`, `layers`, `score`, `decoder_state`, `input_feeding`, `output`, …).
    key
        JAX random key of the initial weights.
    muscles
        How many muscles the tokens are, for the option `spatial`; 0 where they are samples in time.
    outputs
        How many muscles it refines at once, for the option `targets`; 0 for a network of one muscle, whose output has
        no axis of muscles.
    """

    def __init__(
        self, features: int, steps: int, configuration: Configuration, key: Array, muscles: int = 0, outputs: int = 0
    ):
        init = Initialiser(configuration, key)
        units, at_once = configuration.units, configuration.output == "at_once"
        emitted = max(outputs, 1) * (steps if at_once else 1)
        self.steps, self.outputs, self.options = steps, outputs, configuration
        self.encoder = encoder(features, muscles, configuration, init)
        self.decoder = LSTM(0 if at_once else emitted, init, init.layers)
        self.score = Score(configuration.score, init)
        self.combine = nnx.Param(init.dense(2 * units, units))
        self.readout = nnx.Param(init.dense(units, emitted))
        self.offset = nnx.Param(jnp.zeros(emitted))
        if configuration.input_feeding:
            self.feed = nnx.Param(init.dense(units, 4 * units))

    def __call__(self, x: Array, teacher: Array | None = None, attended: Array | None = None) -> tuple[Array, Array]:
        """Refine one sequence.

        Parameters
        ----------
        x
            Simulated activation, shape (tokens, features).
        teacher
            Measured output fed to the decoder instead of its own, in the shape of what is refined.
        attended
            Another sequence like x, whose encoder states the decoder attends to in place of those of x: an
            intervention on what attention hands over.

        Returns
        -------
        tuple
            Refined activation (steps,), with `outputs` (steps, outputs), and attention (steps, tokens), whose rows sum
            to 1: the decoder's, or the encoder's own where `spatial` is `input_attention`, with a row for each sample
            that it reads. With `output` `at_once` the decoder has one row for all outputs, which is repeated.
        """
        last, states, own = self.encoder(x)
        if attended is not None:
            states = self.encoder(attended).states
        start = last if self.options.decoder_state == "encoder" else jax.tree.map(jnp.zeros_like, last)
        previous = None if teacher is None else _one_later(teacher.reshape(self.steps, -1))
        refined, attention = self._decode(states, start, previous)
        refined = refined.reshape(self.steps, self.outputs) if self.outputs else refined.reshape(self.steps)
        return refined, attention if own is None else own

    def _decode(self, states: Array, start: tuple[State, ...], previous: Array | None) -> tuple[Array, Array]:
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
        for k, layer in enumerate(self.decoder.above):
            weights |= {f"inputs {k}": layer.inputs[...], f"recurrent {k}": layer.recurrent[...]}
        constants = (
            *self.score.constants(states),
            self.decoder.inputs[...],
            self.decoder.bias[...],
            self.offset[...],
            tuple(layer.bias[...] for layer in self.decoder.above),
        )
        at_once = self.options.output == "at_once"
        attentional = jnp.zeros(self.options.units, states.dtype)
        carry = (start, jnp.zeros(len(self.decoder.inputs[...]), states.dtype), attentional)
        if at_once:
            _, (refined, attention) = deferred_scan(self._step(), 1, weights, constants, carry, None)
            return refined, jnp.broadcast_to(attention, (self.steps, attention.shape[1]))
        _, (refined, attention) = deferred_scan(self._step(), self.steps, weights, constants, carry, previous)
        return refined, attention

    def _step(self) -> Any:
        kind, feeding, at_once = self.options.score, self.options.input_feeding, self.options.output == "at_once"

        def step(linear: Linear, constants: Any, carry: Any, teacher: Array | None) -> tuple[Any, Any]:
            keys, vector, inputs, bias, offset, biases = constants
            ((hidden, cell), *above), own, attentional = carry
            gates = (own if teacher is None else teacher) @ inputs + bias + linear("recurrent", hidden)
            if feeding:
                gates = gates + linear("feed", attentional)
            hidden, cell = lstm_cell(gates, cell)
            states = [(hidden, cell)]
            for k, (before, its_cell) in enumerate(above):
                gates = linear(f"inputs {k}", hidden) + biases[k] + linear(f"recurrent {k}", before)
                hidden, its_cell = lstm_cell(gates, its_cell)
                states.append((hidden, its_cell))
            attention = _align(linear, kind, keys, vector, hidden)
            attentional = jnp.tanh(linear("contexts", attention) + linear("combine", hidden))
            output = linear("readout", attentional) + offset
            return (tuple(states), own if at_once else output, attentional), (output, attention)

        return step
