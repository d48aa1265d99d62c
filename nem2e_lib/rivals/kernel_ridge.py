"""Kernel ridge regression of EMG with a learned delay, and the same without its delayed heads.

How alike two samples of two cycles are is a sum of terms, each of which fades as they move apart in the cycle:
activation of all muscles as delayed heads see it, activation over the whole cycle, what is told of it (speed and
duration, where rivals are told), and the mean curve. A head is a moving average of activation: a bell over time whose
delay and width, in ms, are learned. Its weights depend on the time between two samples alone and never on what is
there, so this is no attention model, though the bell is a softmax. Without heads (`heads=0`) all else is learned anew,
which tells what the delay is worth.

The readout is solved in closed form (ridge regression in its dual form, Saunders et al. 1998), so the error on training
units that were left out of it is known exactly (Rasmussen & Williams 2006, section 5.4.2), and delays, widths, powers
and penalties are learned from it by gradient descent. The number of heads, their start, the prior, updates, shifted
copies and widths of fixed terms are not learned: they were chosen by hand (docs/tried.csv).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.classical import shifted
from nem2e_lib.rivals.protocol import Array, Fitted, Predict, Simulated, State, groups
from nem2e_lib.training.numerics import pinned

# --- The model: heads at a delay, and a readout in closed form ---

LAG_MS = 60.0
"""Unit of the learned lags, so it decides where heads start and how far the prior lets them move. It was chosen by hand
and equals the delay that the first SYNTHETIC studies are made with (`nem2e_lib.data.synthetic`)."""

FLOOR = 1e-3
"""Added before a power is taken: silent muscles stay finite."""

_CURVE, _CURVE_WIDTH, _CYCLE_WIDTH = 20.0, 0.6, 1.0  # strength and width, in samples, of the mean curve's own term


class Learned(NamedTuple):
    """What is learned by gradient descent; logarithms where a number must be positive.

    Attributes
    ----------
    lag, log_width
        Centre of each head's score in units of `LAG_MS` (positive: later in the cycle than the output), and log of its
        width in ms; shape (heads,).
    weight
        Logits of the heads' shares, shape (heads,).
    log_power_in, log_power_out
        Powers to which activation and EMG are raised: below 1, small activity counts for more.
    log_penalty, log_reach, shared
        Ridge penalty; how many samples of phase coefficients stay alike over; logit of the share that they all share.
    log_cycle, log_told
        Strength of the whole cycle's activation, and of what is told of it, as further inputs.
    """

    lag: jax.Array
    log_width: jax.Array
    weight: jax.Array
    log_power_in: jax.Array
    log_power_out: jax.Array
    log_penalty: jax.Array
    log_reach: jax.Array
    shared: jax.Array
    log_cycle: jax.Array
    log_told: jax.Array


class Cycles(NamedTuple):
    """Activation (cycles, samples, muscles), duration in s (cycles,), what is told, in sds (cycles, numbers)."""

    activation: jax.Array
    duration: jax.Array
    told: jax.Array


class Scale(NamedTuple):
    """Training mean of the powered activation (samples, muscles), and the size of deviations from it."""

    mean: jax.Array
    size: jax.Array


def initial(heads: int) -> Learned:
    """Return where learning starts: heads from half a unit of lag before the output to one and a half after it."""
    values = {
        "log_power_in": 1.0,
        "log_power_out": 0.5,
        "log_penalty": 1.0,
        "log_reach": 3.0,
        "log_cycle": 0.1,
        "log_told": 0.03,
    }
    logs = {name: jnp.log(jnp.float32(value)) for name, value in values.items()}
    lags = np.linspace(-0.5, 1.5, heads) if heads != 1 else np.ones(1)
    width = jnp.full(heads, np.log(40.0), jnp.float32)
    return Learned(jnp.asarray(lags, jnp.float32), width, jnp.zeros(heads), shared=jnp.float32(-1.0), **logs)


def lags(samples: int) -> np.ndarray:
    """Samples from an output (row) to a token (column) around the cycle, whose last sample is the next one's first."""
    period = samples - 1
    straight = np.subtract.outer(np.arange(samples), np.arange(samples)).T
    return (straight + period // 2) % period - period // 2


def bells(learned: Learned, duration: jax.Array, samples: int) -> jax.Array:
    """Return the weight of each sample for each output, shape (cycles, heads, output, sample); rows sum to 1."""
    ms = lags(samples) * duration[:, None, None, None] * 1000.0 / (samples - 1)
    away = (ms - LAG_MS * learned.lag[:, None, None]) / jnp.exp(learned.log_width)[:, None, None]
    return jax.nn.softmax(-0.5 * away**2, axis=-1)


def scale(learned: Learned, activation: jax.Array) -> Scale:
    """Return mean and size of training activation, from (cycles, samples, muscles)."""
    raised = (activation + FLOOR) ** jnp.exp(learned.log_power_in)
    mean = raised.mean(axis=0)
    return Scale(mean, jnp.sqrt(((raised - mean) ** 2).sum(axis=-1).mean()) + 1e-12)


def kernel(learned: Learned, scaling: Scale, a: Cycles, b: Cycles) -> jax.Array:
    """Return the similarity of every sample of `a` with every sample of `b`, shape (rows of a, rows of b)."""
    samples = a.activation.shape[1]
    apart = np.abs(lags(samples))
    (heads_a, whole_a), (heads_b, whole_b) = (_tokens(learned, scaling, part) for part in (a, b))
    cycle = _alike(learned, whole_a, whole_b, a, b)
    total = cycle[:, None, :, None] * bell(apart, _CYCLE_WIDTH)[None, :, None]
    total = total + _CURVE * bell(apart, _CURVE_WIDTH)[None, :, None]
    if learned.lag.size:
        local = (heads_a @ heads_b.T).reshape(len(a.told), samples, len(b.told), samples)
        common = jax.nn.sigmoid(learned.shared)
        phase = common + (1.0 - common) * bell(apart, jnp.exp(learned.log_reach))
        total = total + local * phase[None, :, None]
    return total.reshape(len(a.told) * samples, -1)


def _alike(learned: Learned, whole_a: jax.Array, whole_b: jax.Array, a: Cycles, b: Cycles) -> jax.Array:
    """How alike cycles are as a whole, shape (cycles of a, cycles of b)."""
    activation = jnp.exp(learned.log_cycle) * whole_a @ whole_b.T / a.activation.shape[1]
    return activation + jnp.exp(learned.log_told) * a.told @ b.told.T


def _tokens(learned: Learned, scaling: Scale, cycles: Cycles) -> tuple[jax.Array, jax.Array]:
    raised = (cycles.activation + FLOOR) ** jnp.exp(learned.log_power_in)
    values = (raised - scaling.mean) / scaling.size
    count, samples, _ = values.shape
    if not learned.lag.size:
        return jnp.zeros((count * samples, 0)), values.reshape(count, -1)
    share = jnp.sqrt(jax.nn.softmax(learned.weight))
    weights = bells(learned, cycles.duration, samples) * share[:, None, None]
    seen = jnp.einsum("nhts,nsm->nthm", weights, values)
    return seen.reshape(count * samples, -1), values.reshape(count, -1)


def bell(apart: np.ndarray, width: jax.Array | float) -> jax.Array:
    """Return how alike two phases of the cycle are: 1 at the same one, like a Gaussian of this width in samples nearby.

    The periodic kernel (MacKay 1998): on a circle a Gaussian of the distance itself is no kernel, and the readout could
    not be solved where `width` is a large part of the cycle.
    """
    turn = 2.0 * np.pi / (len(apart) - 1)
    return jnp.exp((np.cos(turn * apart) - 1.0) / (turn * width) ** 2)


class Targets(NamedTuple):
    """EMG raised to a power and standardised, (rows, channels), with what leads back to EMG."""

    values: jax.Array
    mean: jax.Array
    spread: jax.Array
    power: jax.Array

    def back(self, values: jax.Array) -> jax.Array:
        """Return EMG from standardised values of any leading shape."""
        return jnp.clip(values * self.spread + self.mean, FLOOR, None) ** (1.0 / self.power)


def targets(learned: Learned, measured: jax.Array) -> Targets:
    """Return the targets of the readout from EMG of shape (cycles, samples, channels), about 1 in size."""
    power = jnp.exp(learned.log_power_out)
    raised = (jnp.clip(measured, 0.0, None) + 1e-4) ** power
    mean, spread = raised.mean(axis=(0, 1)), raised.std(axis=(0, 1)) + 1e-6
    return Targets(((raised - mean) / spread).reshape(-1, measured.shape[-1]), mean, spread, power)


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
        parts = jax.vmap(lambda k, o: _by_cycle(learned, scaling, _some(cycles, k), _some(cycles, o)))(kept, out)
        values = goal.values.reshape(measured.shape)[kept]
        solved = jax.vmap(_solved_by_cycle, (0, 0, None))(parts[0], values, factor * jnp.exp(learned.log_penalty))
        guesses = jax.vmap(_guess_by_cycle)(parts[1], solved)
        return goal.back(guesses.reshape(measured.shape))
    similar = kernel(learned, scaling, cycles, cycles)
    inverse = jnp.linalg.inv(similar + factor * jnp.exp(learned.log_penalty) * jnp.eye(len(similar)))
    size = len(similar) // groups
    own = jnp.stack([inverse[g * size : (g + 1) * size, g * size : (g + 1) * size] for g in range(groups)])
    residual = jnp.linalg.solve(own, (inverse @ goal.values).reshape(groups, size, -1))
    return goal.back((goal.values - residual.reshape(goal.values.shape)).reshape(measured.shape))


def solve(learned: Learned, cycles: Cycles, measured: jax.Array, factor: jax.Array) -> jax.Array:
    """Solve the readout for training cycles: weights of these in what is predicted, by channel (the last axis)."""
    goal, scaling = targets(learned, measured), scale(learned, cycles.activation)
    if not learned.lag.size:
        similar = _by_cycle(learned, scaling, cycles, cycles)[0]
        return _solved_by_cycle(similar, goal.values.reshape(measured.shape), factor * jnp.exp(learned.log_penalty))
    similar = kernel(learned, scaling, cycles, cycles)
    ridge = factor * jnp.exp(learned.log_penalty) * jnp.eye(len(similar))
    return jax.scipy.linalg.solve(similar + ridge, goal.values, assume_a="pos")


def refine(learned: Learned, cycles: Cycles, goal: Targets, solved: jax.Array, held: Cycles) -> jax.Array:
    """Refine held-out cycles by what `solve` gave for training cycles; shape (cycles, samples, channels).

    `goal` is that of the training cycles; its values are not read.
    """
    scaling = scale(learned, cycles.activation)
    if not learned.lag.size:
        return goal.back(_guess_by_cycle(_by_cycle(learned, scaling, cycles, held)[1], solved))
    guess = kernel(learned, scaling, held, cycles) @ solved
    return goal.back(guess.reshape(*held.activation.shape[:2], -1))


# --- Without heads the kernel is one of cycles by one of phases, which is solved in a hundredth of the time ---


def _by_cycle(learned: Learned, scaling: Scale, cycles: Cycles, held: Cycles) -> tuple[jax.Array, jax.Array]:
    """How alike training cycles, and held-out ones, are to training cycles: (n, n) and (held, n)."""
    whole, new = (_tokens(learned, scaling, part)[1] for part in (cycles, held))
    return _alike(learned, whole, whole, cycles, cycles), _alike(learned, new, whole, held, cycles)


def _some(cycles: Cycles, chosen: Any) -> Cycles:
    return Cycles(*(part[chosen] for part in cycles))


def _phases(samples: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Eigenvalues and eigenvectors of the likeness of phases, and along these a root of the mean curve's own term."""
    apart = np.abs(lags(samples))
    with jax.ensure_compile_time_eval():  # the widths are fixed, so that nothing here is to be learned
        cycle, curve = (np.asarray(bell(apart, width), float) for width in (_CYCLE_WIDTH, _CURVE_WIDTH))
    power, axes = np.linalg.eigh(cycle)
    heights, curves = np.linalg.eigh(_CURVE * curve)
    along = axes.T @ curves * np.sqrt(np.clip(heights, 0.0, None))
    return np.clip(power, 0.0, None).astype(np.float32), axes.astype(np.float32), along.astype(np.float32)


def _solved_by_cycle(similar: jax.Array, values: jax.Array, penalty: jax.Array) -> jax.Array:
    """Solve kernel ridge regression on cycles as a whole; shape (axes of phase, cycles, channels).

    The kernel is S x P + J x C: likeness of cycles by that of phases, and the mean curve's own term, J of ones. Along
    the eigenvectors of P it falls apart into a small kernel for each, but for the mean curve's term, of the rank of C,
    which the matrix inversion lemma adds (Rasmussen & Williams 2006, Eq. A.9).
    """
    power, axes, along = _phases(values.shape[1])
    turned = jnp.einsum("sj,nsc->jnc", axes, values)
    ridges = power[:, None, None] * similar + penalty * jnp.eye(len(similar))
    ones = jnp.ones((*turned.shape[:2], 1))
    solved = jnp.linalg.solve(ridges, jnp.concatenate([turned, ones], axis=-1))
    own, constant = solved[..., :-1], solved[..., -1]
    inner = jnp.eye(len(power)) + along.T @ (constant.sum(axis=1)[:, None] * along)
    small = jnp.linalg.solve(inner, along.T @ own.sum(axis=1))
    return own - constant[..., None] * (along @ small)[:, None]


def _guess_by_cycle(new: jax.Array, solved: jax.Array) -> jax.Array:
    """Predict held-out cycles, whose likeness to the training cycles is `new`; shape (held, samples, channels)."""
    power, axes, along = _phases(len(solved))
    guess = power[:, None, None] * (new @ solved) + (along @ (along.T @ solved.sum(axis=1)))[:, None]
    return jnp.einsum("sj,jhc->hsc", axes, guess)


# --- The rival: what of it is learned inside the training cycles, and how ---

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Multiples of the learned penalty; each channel weighs them by their left-out error."""

SOFTNESS = 0.03
"""A factor whose left-out error is this share above the best one's weighs 1/e of it."""

ROWS_LEARNED, ROWS_SOLVED = 720, 3000
"""Samples (cycles times samples) that an update, and the last solution, look at, at most: their cost grows as the cube
of these. Where there are more, cycles are drawn, as many from every unit; shifted copies are added where they fit."""


@dataclass(frozen=True)
class KernelRidge:
    """Kernel ridge regression on all muscles: through heads at learned delays, and on the cycle as a whole.

    Lags, widths, shares, powers and penalties are learned inside the training cycles, by gradient descent on the error
    of left-out training units, and the readout by least squares. The attributes are not learned.

    Attributes
    ----------
    heads
        Delays, of which each sees all muscles. With none it is kernel ridge regression on the cycle as a whole, all
        else learned as before.
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

    tuned_on: ClassVar[str] = "training folds, nested: what is learned; design by hand"
    heads: int = 3
    updates: int = 20
    learning_rate: float = 0.1
    prior: float = 0.003
    draws: int = 4
    shift: float = 0.5
    seed: int = 0

    @property
    def name(self) -> str:
        """`delayed_kernel_ridge`, or `kernel_ridge` without heads."""
        return "delayed_kernel_ridge" if self.heads else "kernel_ridge"

    @pinned()
    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Learn delays and scales on left-out training units, then solve the readout on all training cycles.

        Raises
        ------
        Nem2eError
            If it is given other inputs than activation and speed.
        """
        if simulated.names or not simulated.activates:
            raise Nem2eError(
                f"rival {self.name}: raises its inputs to powers, so that it takes activation, and speed, alone; leave "
                "the other sets of inputs out, or choose another method."
            )
        view, size = _View.of(simulated), _size(measured)
        simulated, measured = _with_copies(simulated, measured, self.shift)
        target = jnp.asarray(measured / size, jnp.float32)
        cycles, by_unit = view.cycles(simulated), _by_unit(groups(simulated))
        drawn = _draws(by_unit, measured.shape[1], self.updates + self.draws, self.seed)
        learned, units = initial(self.heads), len(by_unit)
        if self.updates:  # what was drawn is gathered here, so that folds of unequal size share one compiled program
            shown = _some(cycles, drawn[: self.updates]), target[drawn[: self.updates]]
            spread = target.std(axis=(0, 1)) + 1e-6
            learned = _learn(self.learning_rate, self.prior, units, learned, spread, *shown)
        shares = _shares(learned, cycles, target, drawn[self.updates :], units)
        used = _at_most(by_unit, ROWS_SOLVED // measured.shape[1], self.seed)
        training, known = jax.tree.map(lambda part: part[used], cycles), target[used]
        goal, solved = _solve(learned, training, known)
        arrays = {
            **{f"learned.{name}": part for name, part in learned._asdict().items()},
            **{f"training.{name}": part for name, part in training._asdict().items()},
            **{f"target.{name}": part for name, part in goal._asdict().items() if name != "values"},
            **{"told.mean": view.mean, "told.spread": view.spread},
            **{"solved": solved, "shares": shares, "size": size},
        }
        readout = (self.heads + 1) * measured.shape[1] * simulated.activation.shape[2] * measured.shape[2]
        learnt = sum(int(np.size(part)) for part in learned) + readout
        state = State({name: np.asarray(part, float) for name, part in arrays.items()})
        return Fitted.of(self, state, learnt, _told(learned))

    def restored(self, state: State) -> Predict:
        """Return the readout that was solved on the kept training cycles."""

        def some(start: str) -> dict[str, jax.Array]:
            names = [name for name in state.arrays if name.startswith(f"{start}.")]
            return {name.removeprefix(f"{start}."): jnp.asarray(state.arrays[name], jnp.float32) for name in names}

        learned, training = Learned(**some("learned")), Cycles(**some("training"))
        goal, solved = Targets(values=jnp.empty(0), **some("target")), jnp.asarray(state.arrays["solved"], jnp.float32)
        view = _View(state.arrays["told.mean"], state.arrays["told.spread"])
        shares, size = state.arrays["shares"], state.arrays["size"]

        @pinned()
        def predict(held: Simulated) -> Array:
            rows = np.resize(np.arange(len(held)), len(held) + -len(held) % _TOGETHER)  # a program a few sizes
            guesses = _refine(learned, training, goal, solved, view.cycles(held.take(rows)))[:, : len(held)]
            return np.asarray((guesses * shares[:, None, None]).sum(axis=0), float) * size

        return predict


_TOGETHER = 8
"""Cycles that are refined together, at least: folds and recordings of unequal size share compiled programs."""


@dataclass(frozen=True)
class _View:
    """How what is told is seen: as training standard deviations from its training mean."""

    mean: Array
    spread: Array

    @classmethod
    def of(cls, simulated: Simulated) -> _View:
        spread = simulated.told.std(axis=0)
        return cls(simulated.told.mean(axis=0), np.where(spread > 0, spread, 1.0))

    def cycles(self, simulated: Simulated) -> Cycles:
        told = (simulated.told - self.mean) / self.spread
        activation = np.clip(simulated.activation, 0.0, None)
        return Cycles(*(jnp.asarray(part, jnp.float32) for part in (activation, simulated.duration_s, told)))


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
    error = np.mean([np.asarray(_errors(units, learned, _some(cycles, c), measured[c])) for c in drawn], axis=0)
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


@jax.jit
def _refine(learned: Learned, training: Cycles, goal: Targets, solved: Any, held: Cycles) -> Any:
    return jax.lax.map(lambda each: refine(learned, training, goal, each, held), solved)


def _told(learned: Learned) -> dict[str, Any]:
    """What has been learned, in the field's units."""
    told: dict[str, Any] = {
        "power_in": round(float(np.exp(learned.log_power_in)), 3),
        "power_out": round(float(np.exp(learned.log_power_out)), 3),
        "penalty": round(float(np.exp(learned.log_penalty)), 4),
    }
    if not learned.lag.size:
        return told
    share = jax.nn.softmax(learned.weight)
    return {
        "lag_ms": np.round(LAG_MS * learned.lag, 1).tolist(),
        "width_ms": np.round(np.exp(learned.log_width), 1).tolist(),
        "share": np.round(share, 3).tolist(),
        "mean_lag_ms": round(float((share * LAG_MS * learned.lag).sum()), 1),
        **told,
    }
