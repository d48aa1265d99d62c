"""Lag attention: the refiner whose attention must carry the information, learned from held-out error alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from nem2e_lib.refine.rivals import lag_kernel
from nem2e_lib.refine.rivals.delay import shifted
from nem2e_lib.refine.rivals.lag_kernel import LAG_MS, Cycles, Learned
from nem2e_lib.refine.rivals.protocol import Array, Fitted, Simulated, groups

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Multiples of the learned penalty; each channel weighs them by their left-out error."""

SOFTNESS = 0.03
"""A factor whose left-out error is this share above the best one's weighs 1/e of it."""

ROWS_LEARNED, ROWS_SOLVED = 720, 3000
"""Samples (cycles times samples) that an update, and the last solution, look at, at most: their cost grows as the cube
of these. Where there are more, cycles are drawn, as many from every unit; shifted copies are added where they fit."""


@dataclass(frozen=True)
class LagAttention:
    """Heads that attend by relative lag, all muscles as values, a readout solved in closed form.

    Every number is learned inside the training cycles: lags, widths, shares, powers and penalties by gradient descent
    on the error of left-out training units, the readout by least squares.

    Attributes
    ----------
    heads
        Lags that are attended to.
    updates, learning_rate
        Of Adam.
    prior
        Weight of the squared distance from where learning started: few units tell little.
    draws
        Sets of cycles on which the channels' penalties are weighed.
    shift
        Training cycles are also shown this many samples earlier and later, simulation and EMG together.
    seed
        Of the draws of cycles.
    """

    heads: int = 3
    updates: int = 20
    learning_rate: float = 0.1
    prior: float = 0.003
    draws: int = 4
    shift: float = 0.5
    seed: int = 0

    name: str = "lag_attention"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Learn attention on left-out training units, then solve the readout on all training cycles."""
        view, size = _View.of(simulated), _size(measured)
        simulated, measured = _with_copies(simulated, measured, self.shift)
        target = jnp.asarray(measured / size, jnp.float32)
        cycles, by_unit = view.cycles(simulated), _by_unit(groups(simulated))
        drawn = _draws(by_unit, measured.shape[1], self.updates + self.draws, self.seed)
        learned, units = lag_kernel.initial(self.heads), len(by_unit)
        if self.updates:
            learned = _learn(self.learning_rate, self.prior, units, learned, cycles, target, drawn[: self.updates])
        shares = _shares(learned, cycles, target, drawn[self.updates :], units)
        used = _at_most(by_unit, ROWS_SOLVED // measured.shape[1], self.seed)
        training, known = jax.tree.map(lambda part: part[used], cycles), target[used]

        def predict(held: Simulated) -> Array:
            guesses = _refine(learned, training, known, view.cycles(held))
            return np.asarray((guesses * shares[:, None, None]).sum(axis=0), float) * size

        readout = (self.heads + 1) * measured.shape[1] * simulated.activation.shape[2] * measured.shape[2]
        learnt = sum(int(np.size(part)) for part in learned) + readout
        return Fitted(predict, learnt, _told(learned), partial(_attention, learned, view, samples=measured.shape[1]))


@dataclass(frozen=True)
class _View:
    """How speed is seen: as training standard deviations from its training mean."""

    mean: float
    spread: float

    @classmethod
    def of(cls, simulated: Simulated) -> _View:
        return cls(float(simulated.pace.mean()), float(simulated.pace.std()) or 1.0)

    def cycles(self, simulated: Simulated) -> Cycles:
        pace = (simulated.pace - self.mean) / self.spread
        activation = np.clip(simulated.activation, 0.0, None)
        return Cycles(*(jnp.asarray(part, jnp.float32) for part in (activation, simulated.duration_s, pace)))


def _with_copies(simulated: Simulated, measured: Array, shift: float) -> tuple[Simulated, Array]:
    if not shift or 3 * measured.shape[0] * measured.shape[1] > ROWS_SOLVED:
        return simulated, measured
    moves = np.repeat([0.0, -shift, shift], len(simulated))
    again = np.tile(np.arange(len(simulated)), 3)
    copies = simulated.take(again)
    return replace(copies, activation=shifted(copies.activation, moves)), shifted(measured[again], moves)


def _size(measured: Array) -> Array:
    """Root mean square of each channel, so that volts and shares of a maximum are treated alike."""
    size = np.sqrt((measured**2).mean(axis=(0, 1)))
    return np.where(size > 0, size, 1.0)


def _by_unit(unit: NDArray[Any]) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(unit == label) for label in np.unique(unit)]


def _draws(by_unit: list[NDArray[np.intp]], samples: int, count: int, seed: int) -> NDArray[np.intp]:
    """Draw equally many cycles from each unit, `count` times; shape (count, cycles), sorted by unit."""
    each = max(1, min(min(map(len, by_unit)), ROWS_LEARNED // samples // len(by_unit)))
    generator = np.random.default_rng(seed)
    return np.stack([np.concatenate([generator.choice(c, each, replace=False) for c in by_unit]) for _ in range(count)])


def _at_most(by_unit: list[NDArray[np.intp]], most: int, seed: int) -> NDArray[np.intp]:
    if sum(map(len, by_unit)) <= most:
        return np.sort(np.concatenate(by_unit))
    generator, each = np.random.default_rng(seed), max(1, most // len(by_unit))
    return np.sort(np.concatenate([generator.permutation(c)[:each] for c in by_unit]))


def _rmse(guess: Any, measured: Any) -> Any:
    """RMSE of each channel, mean over cycles, as Er is made of (Teramae et al. 2025, Eq. 1)."""
    return jnp.sqrt(((guess - measured) ** 2).mean(axis=1) + 1e-10).mean(axis=0)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _learn(rate: float, prior: float, units: int, start: Learned, cycles: Cycles, measured: Any, drawn: Any) -> Learned:
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, len(drawn)), b1=0.8, b2=0.95)
    spread = measured.std(axis=(0, 1)) + 1e-6

    def loss(learned: Learned, chosen: Any) -> Any:
        some, emg = jax.tree.map(lambda part: part[chosen], cycles), measured[chosen]
        error = (_rmse(lag_kernel.left_out(learned, some, emg, units), emg) / spread).mean()
        return error + prior * sum(((a - b) ** 2).sum() for a, b in zip(learned, start, strict=True))

    def update(carry: Any, chosen: Any) -> tuple[Any, None]:
        learned, memory = carry
        change, memory = optimiser.update(jax.grad(loss)(learned, chosen), memory, learned)
        return (optax.apply_updates(learned, change), memory), None

    return jax.lax.scan(update, (start, optimiser.init(start)), drawn)[0][0]


def _shares(learned: Learned, cycles: Cycles, measured: Any, drawn: NDArray[np.intp], units: int) -> Array:
    """Weigh each channel's penalty factors by their left-out error; shape (factors, channels), columns sum to 1."""
    error = np.mean([np.asarray(_errors(units, learned, cycles, measured, chosen)) for chosen in drawn], axis=0)
    weight = np.exp(-(error / error.min(axis=0) - 1.0) / SOFTNESS)
    return np.asarray(weight / weight.sum(axis=0))


@partial(jax.jit, static_argnums=0)
def _errors(units: int, learned: Learned, cycles: Cycles, measured: Any, chosen: Any) -> Any:
    some, emg = jax.tree.map(lambda part: part[chosen], cycles), measured[chosen]
    one = lambda factor: _rmse(lag_kernel.left_out(learned, some, emg, units, factor), emg)  # noqa: E731
    return jax.lax.map(one, jnp.asarray(FACTORS))


@jax.jit
def _refine(learned: Learned, training: Cycles, measured: Any, held: Cycles) -> Any:
    return jax.lax.map(
        lambda factor: lag_kernel.refine(learned, training, measured, held, factor), jnp.asarray(FACTORS)
    )


def _attention(learned: Learned, view: _View, held: Simulated, *, samples: int) -> Array:
    """Weight of each token for each output, heads weighed by their share; shape (cycles, output, token)."""
    weights = lag_kernel.attention(learned, view.cycles(held).duration, samples)
    return np.asarray(jnp.einsum("h,nhts->nts", jax.nn.softmax(learned.weight), weights), float)


def _told(learned: Learned) -> dict[str, Any]:
    """What has been learned, in the field's units."""
    share = jax.nn.softmax(learned.weight)
    return {
        "lag_ms": np.round(LAG_MS * learned.lag, 1).tolist(),
        "width_ms": np.round(np.exp(learned.log_width), 1).tolist(),
        "share": np.round(share, 3).tolist(),
        "mean_lag_ms": round(float((share * LAG_MS * learned.lag).sum()), 1),
        "power_in": round(float(np.exp(learned.log_power_in)), 3),
        "power_out": round(float(np.exp(learned.log_power_out)), 3),
        "penalty": round(float(np.exp(learned.log_penalty)), 4),
    }
