"""A scan over time whose weights' gradient is formed once, after the loop.

Reverse-mode differentiation of `jax.lax.scan` adds one outer product to every weight's gradient at every step, so
the gradient matrices travel through memory as often as there are steps. Here the backward loop carries only the
gradient of each linear map's output; one matrix product over all steps then gives the weights' gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

Linear = Callable[[str, Array], Array]
Step = Callable[[Linear, Any, Any, Any], tuple[Any, Any]]
Weights = dict[str, Array]


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def deferred_scan(step: Step, length: int, weights: Weights, constants: Any, carry: Any, xs: Any) -> tuple[Any, Any]:
    """`jax.lax.scan` for steps that use their weights only through linear maps.

    Parameters
    ----------
    step
        `step(linear, constants, carry, x) -> (carry, y)`, where `linear(name, v)` is `v @ weights[name]`. Each name is
        used exactly once a step. The step closes over no traced array: what it reads comes through `constants`.
    length
        Number of steps.
    weights
        Matrices of shape (inputs, outputs).
    constants
        Arrays that every step reads, differentiated as usual.
    carry, xs
        As in `jax.lax.scan`.

    Returns
    -------
    tuple
        Last carry and the stacked `y`, as `jax.lax.scan` returns them.
    """
    (carry, ys), _ = _scan(step, length, weights, _no_taps(weights, length), constants, carry, xs)
    return carry, ys


def _no_taps(weights: Weights, length: int) -> Weights:
    return {name: jnp.zeros((length, weight.shape[1]), weight.dtype) for name, weight in weights.items()}


def _scan(
    step: Step, length: int, weights: Weights, taps: Weights, constants: Any, carry: Any, xs: Any
) -> tuple[tuple[Any, Any], Weights]:
    def body(carry: Any, inputs: Any) -> tuple[Any, Any]:
        tap, x = inputs
        seen: Weights = {}

        def linear(name: str, v: Array) -> Array:
            seen[name] = v
            return v @ weights[name] + tap[name]

        carry, y = step(linear, constants, carry, x)
        return carry, (y, seen)

    carry, (ys, seen) = jax.lax.scan(body, carry, (taps, xs), length=length)
    return (carry, ys), seen


def _forward(
    step: Step, length: int, weights: Weights, constants: Any, carry: Any, xs: Any
) -> tuple[tuple[Any, Any], Any]:
    run = partial(_scan, step, length, weights)
    out, pull_back, seen = jax.vjp(run, _no_taps(weights, length), constants, carry, xs, has_aux=True)
    return out, (pull_back, seen)


def _backward(step: Step, length: int, saved: Any, cotangent: Any) -> tuple[Any, ...]:
    pull_back, seen = saved
    taps, constants, carry, xs = pull_back(cotangent)
    return {name: seen[name].T @ taps[name] for name in taps}, constants, carry, xs


deferred_scan.defvjp(_forward, _backward)


@jax.custom_vjp
def lstm_cell(gates: Array, cell: Array) -> tuple[Array, Array]:
    """One LSTM update from its summed pre-activations (Hochreiter & Schmidhuber 1997, with forget gate).

    Its derivative is written out, so that a step keeps three arrays for the way back instead of a dozen.

    Parameters
    ----------
    gates
        Pre-activations of input gate, forget gate, candidate and output gate, shape (4 * units,).
    cell
        Cell state, shape (units,).

    Returns
    -------
    tuple
        Hidden state and cell state, each of shape (units,).
    """
    return _cell_forward(gates, cell)[0]


def _cell_forward(gates: Array, cell: Array) -> tuple[tuple[Array, Array], tuple[Array, Array, Array]]:
    # sigmoid(x) = (1 + tanh(x / 2)) / 2: one function for all four gates is one pass over them.
    half = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], gates.dtype), cell.shape[0])
    open_ = half * jnp.tanh(half * gates) + (1 - half)
    enter, forget, candidate, leave = jnp.split(open_, 4)
    after = forget * cell + enter * candidate
    squashed = jnp.tanh(after)
    return (leave * squashed, after), (open_, cell, squashed)


def _cell_backward(saved: tuple[Array, Array, Array], slopes: tuple[Array, Array]) -> tuple[Array, Array]:
    open_, cell, squashed = saved
    of_hidden, of_cell = slopes
    enter, forget, candidate, leave = jnp.split(open_, 4)
    through = of_cell + of_hidden * leave * (1 - squashed * squashed)
    gates = (
        through * candidate * enter * (1 - enter),
        through * cell * forget * (1 - forget),
        through * enter * (1 - candidate * candidate),
        of_hidden * squashed * leave * (1 - leave),
    )
    return jnp.concatenate(gates), through * forget


lstm_cell.defvjp(_cell_forward, _cell_backward)
