"""Learning kernel ridge regression: its readout in closed form, its delays and scales by gradient descent."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from nem2e_lib.rivals.kernel import (
    Cycles,
    Learned,
    Targets,
    by_cycle,
    guess_by_cycle,
    kernel,
    namespace,
    phases,
    scale,
    some,
    targets,
)
from nem2e_lib.rivals.protocol import Array
from nem2e_lib.training.numerics import pinned

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Multiples of the learned penalty; each channel weighs them by their left-out error."""

SOFTNESS = 0.03
"""A factor whose left-out error is this share above the best one's weighs 1/e of it."""


def left_out(
    learned: Learned, cycles: Cycles, measured: jax.Array, groups: int, factor: jax.Array | float = 1.0
) -> jax.Array:
    """Predict every cycle by a readout that was solved without its group, in closed form.

    Parameters
    ----------
    cycles, measured
        Sorted by group, every group of the same number of cycles.
    factor
        Multiplies the penalty.

    Returns
    -------
    jax.Array
        EMG, shape (cycles, samples, channels).
    """
    goal, scaling = targets(learned, measured), scale(learned, cycles.activation)
    if not learned.lag.size:
        out = np.arange(len(measured)).reshape(groups, -1)
        kept = np.stack([np.setdiff1d(np.arange(len(measured)), some) for some in out])
        parts = jax.vmap(lambda k, o: by_cycle(learned, scaling, some(cycles, k), some(cycles, o)))(kept, out)
        values = goal.values.reshape(measured.shape)[kept]
        solved = jax.vmap(solved_by_cycle, (0, 0, None))(parts[0], values, factor * jnp.exp(learned.log_penalty))
        guesses = jax.vmap(guess_by_cycle)(parts[1], solved)
        return goal.back(guesses.reshape(measured.shape))
    similar = kernel(learned, scaling, cycles, cycles)
    inverse = jnp.linalg.inv(similar + factor * jnp.exp(learned.log_penalty) * jnp.eye(len(similar)))
    size = len(similar) // groups
    own = jnp.stack([inverse[g * size : (g + 1) * size, g * size : (g + 1) * size] for g in range(groups)])
    residual = jnp.linalg.solve(own, (inverse @ goal.values).reshape(groups, size, -1))
    return goal.back((goal.values - residual.reshape(goal.values.shape)).reshape(measured.shape))


def solve(learned: Learned, cycles: Cycles, measured: Any, factor: Any) -> Any:
    """Solve the readout for training cycles: weights of these in what is predicted, by channel (the last axis)."""
    xp = namespace(measured, cycles.activation, learned.log_penalty)
    goal, scaling, penalty = targets(learned, measured), scale(learned, cycles.activation), xp.exp(learned.log_penalty)
    if not learned.lag.size:
        similar = by_cycle(learned, scaling, cycles, cycles)[0]
        return solved_by_cycle(similar, goal.values.reshape(measured.shape), factor * penalty)
    similar = kernel(learned, scaling, cycles, cycles)
    ridge = factor * penalty * xp.eye(len(similar), dtype=similar.dtype)
    if xp is np:
        return np.linalg.solve(similar + ridge, goal.values)
    return jax.scipy.linalg.solve(similar + ridge, goal.values, assume_a="pos")


def solved_by_cycle(similar: Any, values: Any, penalty: Any) -> Any:
    """Solve kernel ridge regression on cycles as a whole; shape (axes of phase, cycles, channels).

    The kernel is S x P + J x C: likeness of cycles by that of phases, and the mean curve's own term, J of ones. Along
    the eigenvectors of P it falls apart into a small kernel for each, but for the mean curve's term, of the rank of C,
    which the matrix inversion lemma adds (Rasmussen & Williams 2006, Eq. A.9).
    """
    xp = namespace(similar, values, penalty)
    power, axes, along = phases(values.shape[1])
    turned = xp.einsum("sj,nsc->jnc", axes, values)
    ridges = power[:, None, None] * similar + penalty * xp.eye(len(similar), dtype=similar.dtype)
    ones = xp.ones((*turned.shape[:2], 1), dtype=turned.dtype)
    solved = xp.linalg.solve(ridges, xp.concatenate([turned, ones], axis=-1))
    own, constant = solved[..., :-1], solved[..., -1]
    inner = xp.eye(len(power), dtype=similar.dtype) + along.T @ (constant.sum(axis=1)[:, None] * along)
    small = xp.linalg.solve(inner, along.T @ own.sum(axis=1))
    return own - constant[..., None] * (along @ small)[:, None]


def _rmse(guess: Any, measured: Any) -> Any:
    """RMSE of each channel, mean over cycles, as Er is made of (Teramae et al. 2025, Eq. 1)."""
    return jnp.sqrt(((guess - measured) ** 2).mean(axis=1) + 1e-10).mean(axis=0)


@pinned()
def learned(
    start: Learned,
    cycles: Cycles,
    measured: Any,
    drawn: Any,
    updates: int,
    units: int,
    rate: float,
    prior: float,
) -> tuple[Learned, Array]:
    """Learn delays and scales from draws of cycles, then weigh penalties on the draws that are left.

    Parameters
    ----------
    start
        Where learning starts.
    cycles, measured
        Training cycles and their EMG, of about 1 in size.
    drawn
        Cycles of each draw, as many from every unit, sorted by unit; shape (draws, cycles).
    updates
        How many draws are learned from, an update each.
    units, rate, prior
        Units, Adam's step at the start, and weight of the squared distance from `start`.

    Returns
    -------
    Learned, ndarray
        What was learned, and the shares of `FACTORS` (factors, channels).
    """
    found = start
    if updates:  # what was drawn is gathered here, so that folds of unequal size share one compiled program
        shown = some(cycles, drawn[:updates]), measured[drawn[:updates]]
        found = _learn(rate, prior, units, found, measured.std(axis=(0, 1)) + 1e-6, *shown)
    return found, _shares(found, cycles, measured, drawn[updates:], units)


@pinned()
def solved(found: Learned, training: Cycles, measured: Any) -> tuple[Targets, Any]:
    """Return the targets, and the readout by every penalty factor (the first axis)."""
    return _solve(found, training, measured)


def solved_in_numpy(found: Learned, training: Cycles, measured: Array) -> tuple[Targets, Array]:
    """Return the same as `solved` without compiling it, which takes longer than few cycles take to be solved."""
    learned = Learned(*(np.asarray(part) for part in found))
    return targets(learned, measured), np.stack([solve(learned, training, measured, factor) for factor in FACTORS])


@partial(jax.jit, static_argnums=(0, 1, 2))
def _learn(
    rate: float, prior: float, units: int, start: Learned, spread: Any, cycles: Cycles, measured: Any
) -> Learned:
    """Learn from draws of cycles, an update each: the first axis of `cycles` and `measured`."""
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, len(measured)), b1=0.8, b2=0.95)

    def loss(learned: Learned, some: Cycles, emg: Any) -> Any:
        error = (_rmse(left_out(learned, some, emg, units), emg) / spread).mean()
        return error + prior * sum(((a - b) ** 2).sum() for a, b in zip(learned, start, strict=True))

    def update(carry: Any, drawn: Any) -> tuple[Any, None]:
        learned, memory = carry
        change, memory = optimiser.update(jax.grad(loss)(learned, *drawn), memory, learned)
        return (optax.apply_updates(learned, change), memory), None

    return jax.lax.scan(update, (start, optimiser.init(start)), (cycles, measured))[0][0]


def _shares(learned: Learned, cycles: Cycles, measured: Any, drawn: NDArray[np.intp], units: int) -> Array:
    """Weigh each channel's penalty factors by their left-out error; shape (factors, channels), columns sum to 1."""
    error = np.mean([np.asarray(_errors(units, learned, some(cycles, c), measured[c])) for c in drawn], axis=0)
    weight = np.exp(-(error / error.min(axis=0) - 1.0) / SOFTNESS)
    return np.asarray(weight / weight.sum(axis=0))


@partial(jax.jit, static_argnums=0)
def _errors(units: int, learned: Learned, cycles: Cycles, measured: Any) -> Any:
    one = lambda factor: _rmse(left_out(learned, cycles, measured, units, factor), measured)  # noqa: E731
    return jax.lax.map(one, jnp.asarray(FACTORS))


@jax.jit
def _solve(learned: Learned, training: Cycles, measured: Any) -> tuple[Targets, Any]:
    """Return the targets, and the readout by every penalty factor (the first axis)."""
    one = lambda factor: solve(learned, training, measured, factor)  # noqa: E731
    return targets(learned, measured), jax.lax.map(one, jnp.asarray(FACTORS))
