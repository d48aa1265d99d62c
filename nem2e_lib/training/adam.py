"""Adam whose step passes over the weights once."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array


class Moments(NamedTuple):
    """Updates so far, and the decaying means of gradients and of their squares, in the shapes of the weights."""

    steps: Array
    mean: Any
    square: Any


def adam(
    learning_rate: float, decay: float = 0.9, decay_square: float = 0.999, small: float = 1e-8
) -> optax.GradientTransformation:
    """Return Adam (Kingma & Ba 2015, doi:10.48550/arXiv.1412.6980), the numbers of `optax.adam` but for rounding.

    Large models are bound by memory: weights, gradient and both moments should be read once a step. XLA computes arrays
    in one loop where none needs another, so the change of a weight is computed from the moments before the step and not
    from those after it, in the order of operations at the end of section 2 of the paper.

    Parameters
    ----------
    learning_rate
        Step size.
    decay, decay_square
        How much of the means is kept a step, β1 and β2.
    small
        What keeps the division sound, ε.
    """

    def init(params: Any) -> Any:
        return Moments(jnp.zeros((), jnp.int32), *(jax.tree.map(jnp.zeros_like, params) for _ in range(2)))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        count = state.steps + 1
        short, short_square = (1 - jnp.float32(kept) ** count for kept in (decay, decay_square))
        size, floor = learning_rate * jnp.sqrt(short_square) / short, small * jnp.sqrt(short_square)

        def change(slope: Array, mean: Array, square: Array) -> Array:
            # Written unlike the moments below, so that nothing in it is the same and would be kept in memory for both.
            rooted = (1 - decay_square) ** 0.5 * slope
            square = square - (1 - decay_square) * square + rooted * rooted
            return -size * (slope + decay * (mean - slope)) / (jnp.sqrt(square) + floor)

        def toward(kept: float, mean: Array, value: Array) -> Array:
            return kept * mean + (1 - kept) * value

        changes = jax.tree.map(change, updates, state.mean, state.square)
        means = jax.tree.map(lambda m, g: toward(decay, m, g), state.mean, updates)
        squares = jax.tree.map(lambda v, g: toward(decay_square, v, g * g), state.square, updates)
        return changes, Moments(count, means, squares)

    return optax.GradientTransformation(init, update)
