"""The kernel of `nem2e_lib.rivals.kernel_ridge` and its readout: what they are, without how they are learned.

In the numbers of whoever calls: NumPy where a kept method predicts, JAX where it is learned.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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

    lag: Any
    log_width: Any
    weight: Any
    log_power_in: Any
    log_power_out: Any
    log_penalty: Any
    log_reach: Any
    shared: Any
    log_cycle: Any
    log_told: Any


class Cycles(NamedTuple):
    """Activation (cycles, samples, muscles), duration in s (cycles,), what is told, in sds (cycles, numbers)."""

    activation: Any
    duration: Any
    told: Any


class Scale(NamedTuple):
    """Training mean of the powered activation (samples, muscles), and the size of deviations from it."""

    mean: Any
    size: Any


def namespace(*some: Any) -> Any:
    """Return NumPy, or JAX's, whichever the numbers are of; JAX where any of them is."""
    found = [one.__array_namespace__() for one in some if hasattr(one, "__array_namespace__")]
    return next((one for one in found if one is not np), np)


def softmax(logits: Any) -> Any:
    """Return the softmax over the last axis."""
    raised = namespace(logits).exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


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
    logs = {name: np.log(np.float32(value)) for name, value in values.items()}
    lags = np.linspace(-0.5, 1.5, heads) if heads != 1 else np.ones(1)
    width, weight = np.full(heads, np.log(40.0), np.float32), np.zeros(heads, np.float32)
    return Learned(lags.astype(np.float32), width, weight, shared=np.float32(-1.0), **logs)


def lags(samples: int) -> np.ndarray:
    """Samples from an output (row) to a token (column) around the cycle, whose last sample is the next one's first."""
    period = samples - 1
    straight = np.subtract.outer(np.arange(samples), np.arange(samples)).T
    return (straight + period // 2) % period - period // 2


def bells(learned: Learned, duration: Any, samples: int) -> Any:
    """Return the weight of each sample for each output, shape (cycles, heads, output, sample); rows sum to 1."""
    ms = lags(samples) * duration[:, None, None, None] * 1000.0 / (samples - 1)
    away = (ms - LAG_MS * learned.lag[:, None, None]) / namespace(learned.log_width).exp(learned.log_width)[
        :, None, None
    ]
    return softmax(-0.5 * away**2)


def scale(learned: Learned, activation: Any) -> Scale:
    """Return mean and size of training activation, from (cycles, samples, muscles)."""
    xp = namespace(activation, learned.log_power_in)
    raised = (activation + FLOOR) ** xp.exp(learned.log_power_in)
    mean = raised.mean(axis=0)
    return Scale(mean, xp.sqrt(((raised - mean) ** 2).sum(axis=-1).mean()) + 1e-12)


def kernel(learned: Learned, scaling: Scale, a: Cycles, b: Cycles) -> Any:
    """Return the similarity of every sample of `a` with every sample of `b`, shape (rows of a, rows of b)."""
    samples, xp = a.activation.shape[1], namespace(a.activation, learned.log_reach)
    apart = np.abs(lags(samples))
    (heads_a, whole_a), (heads_b, whole_b) = (_tokens(learned, scaling, part) for part in (a, b))
    cycle = _alike(learned, whole_a, whole_b, a, b)
    total = cycle[:, None, :, None] * bell(apart, _CYCLE_WIDTH)[None, :, None]
    total = total + _CURVE * bell(apart, _CURVE_WIDTH)[None, :, None]
    if learned.lag.size:
        local = (heads_a @ heads_b.T).reshape(len(a.told), samples, len(b.told), samples)
        common = 1.0 / (1.0 + xp.exp(-learned.shared))
        phase = common + (1.0 - common) * bell(apart, xp.exp(learned.log_reach))
        total = total + local * phase[None, :, None]
    return total.reshape(len(a.told) * samples, -1)


def _alike(learned: Learned, whole_a: Any, whole_b: Any, a: Cycles, b: Cycles) -> Any:
    """How alike cycles are as a whole, shape (cycles of a, cycles of b)."""
    xp = namespace(learned.log_cycle, whole_a)
    activation = xp.exp(learned.log_cycle) * whole_a @ whole_b.T / a.activation.shape[1]
    return activation + xp.exp(learned.log_told) * a.told @ b.told.T


def _tokens(learned: Learned, scaling: Scale, cycles: Cycles) -> tuple[Any, Any]:
    xp = namespace(learned.log_power_in, cycles.activation)
    raised = (cycles.activation + FLOOR) ** xp.exp(learned.log_power_in)
    values = (raised - scaling.mean) / scaling.size
    count, samples, _ = values.shape
    if not learned.lag.size:
        return xp.zeros((count * samples, 0)), values.reshape(count, -1)
    share = xp.sqrt(softmax(learned.weight))
    weights = bells(learned, cycles.duration, samples) * share[:, None, None]
    seen = xp.einsum("nhts,nsm->nthm", weights, values)
    return seen.reshape(count * samples, -1), values.reshape(count, -1)


def bell(apart: np.ndarray, width: Any | float) -> Any:
    """Return how alike two phases of the cycle are: 1 at the same one, like a Gaussian of this width in samples nearby.

    The periodic kernel (MacKay 1998): on a circle a Gaussian of the distance itself is no kernel, and the readout could
    not be solved where `width` is a large part of the cycle.
    """
    turn = 2.0 * np.pi / (len(apart) - 1)
    return namespace(width).exp((np.cos(turn * apart) - 1.0) / (turn * width) ** 2)


class Targets(NamedTuple):
    """EMG raised to a power and standardised, (rows, channels), with what leads back to EMG."""

    values: Any
    mean: Any
    spread: Any
    power: Any

    def back(self, values: Any) -> Any:
        """Return EMG from standardised values of any leading shape."""
        return namespace(values).clip(values * self.spread + self.mean, FLOOR, None) ** (1.0 / self.power)


def targets(learned: Learned, measured: Any) -> Targets:
    """Return the targets of the readout from EMG of shape (cycles, samples, channels), about 1 in size."""
    xp = namespace(measured, learned.log_power_out)
    power = xp.exp(learned.log_power_out)
    raised = (xp.clip(measured, 0.0, None) + 1e-4) ** power
    mean, spread = raised.mean(axis=(0, 1)), raised.std(axis=(0, 1)) + 1e-6
    return Targets(((raised - mean) / spread).reshape(-1, measured.shape[-1]), mean, spread, power)


def refine(learned: Learned, cycles: Cycles, goal: Targets, solved: Any, held: Cycles) -> Any:
    """Refine held-out cycles by what `solve` gave for training cycles; shape (cycles, samples, channels).

    `goal` is that of the training cycles; its values are not read.
    """
    scaling = scale(learned, cycles.activation)
    if not learned.lag.size:
        return goal.back(guess_by_cycle(by_cycle(learned, scaling, cycles, held)[1], solved))
    guess = kernel(learned, scaling, held, cycles) @ solved
    return goal.back(guess.reshape(*held.activation.shape[:2], -1))


# --- Without heads the kernel is one of cycles by one of phases, which is solved in a hundredth of the time ---


def by_cycle(learned: Learned, scaling: Scale, cycles: Cycles, held: Cycles) -> tuple[Any, Any]:
    """How alike training cycles, and held-out ones, are to training cycles: (n, n) and (held, n)."""
    whole, new = (_tokens(learned, scaling, part)[1] for part in (cycles, held))
    return _alike(learned, whole, whole, cycles, cycles), _alike(learned, new, whole, held, cycles)


def some(cycles: Cycles, chosen: Any) -> Cycles:
    """Return some of the cycles, by index."""
    return Cycles(*(part[chosen] for part in cycles))


def phases(samples: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Eigenvalues and eigenvectors of the likeness of phases, and along these a root of the mean curve's own term."""
    apart = np.abs(lags(samples))
    cycle, curve = (np.asarray(bell(apart, width), float) for width in (_CYCLE_WIDTH, _CURVE_WIDTH))
    power, axes = np.linalg.eigh(cycle)
    heights, curves = np.linalg.eigh(_CURVE * curve)
    along = axes.T @ curves * np.sqrt(np.clip(heights, 0.0, None))
    return np.clip(power, 0.0, None).astype(np.float32), axes.astype(np.float32), along.astype(np.float32)


def guess_by_cycle(new: Any, solved: Any) -> Any:
    """Predict held-out cycles, whose likeness to the training cycles is `new`; shape (held, samples, channels)."""
    power, axes, along = phases(len(solved))
    guess = power[:, None, None] * (new @ solved) + (along @ (along.T @ solved.sum(axis=1)))[:, None]
    return namespace(guess).einsum("sj,jhc->hsc", axes, guess)
