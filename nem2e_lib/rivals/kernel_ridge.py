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

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.classical import shifted
from nem2e_lib.rivals.kernel import (
    LAG_MS,
    Cycles,
    Learned,
    Targets,
    initial,
    refine,
    softmax,
    some,
)
from nem2e_lib.rivals.protocol import KEEPS_TRAINING, Array, Fitted, Predict, Simulated, State, groups, inner_folds

ROWS_LEARNED, ROWS_SOLVED = 720, 3000
"""Samples (cycles times samples) that an update, and the last solution, look at, at most: their cost grows as the cube
of these. Where there are more, cycles are drawn, as many from every unit; shifted copies are added where they fit."""

Solver = Callable[[Learned, Cycles, Any], tuple[Targets, Any]]
"""From what was learned, training cycles and their EMG to targets and the readout; see `kernel_learning.solved`."""


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

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Learn delays and scales on left-out training units, then solve the readout on all training cycles.

        Raises
        ------
        Nem2eError
            If it is given other inputs than activation and speed.
        """
        from nem2e_lib.rivals import kernel_learning  # JAX, which to predict is not needed

        return self._fit(simulated, measured, kernel_learning.solved)

    def out_of_fold(self, simulated: Simulated, measured: Array) -> Array:
        """Predict every training cycle by a fit to the other inner folds; shape (cycles, samples, channels).

        All is learned anew without the fold. It is what `fit` and `predict` give but for rounding, in half the time.
        """
        from nem2e_lib.rivals import kernel_learning

        found = np.empty_like(measured)
        for kept, out in inner_folds(simulated):
            fitted = self._fit(simulated.take(kept), measured[kept], kernel_learning.solved_in_numpy)
            found[out] = fitted.predict(simulated.take(out))
        return found

    def _fit(self, simulated: Simulated, measured: Array, solved_by: Solver) -> Fitted:
        from nem2e_lib.rivals import kernel_learning

        if simulated.names or not simulated.activates:
            raise Nem2eError(
                f"rival {self.name}: raises its inputs to powers, so that it takes activation, and speed, alone; leave "
                "the other sets of inputs out, or choose another method."
            )
        view, size = _View.of(simulated), _size(measured)
        simulated, measured = _with_copies(simulated, measured, self.shift)
        target = np.asarray(measured / size, np.float32)
        cycles, by_unit = view.cycles(simulated), _by_unit(groups(simulated))
        drawn = _draws(by_unit, measured.shape[1], self.updates + self.draws, self.seed)
        used = _at_most(by_unit, ROWS_SOLVED // measured.shape[1], self.seed)
        training, known = some(cycles, used), target[used]
        learned, found = kernel_learning.learned(
            initial(self.heads), cycles, target, drawn, self.updates, len(by_unit), self.learning_rate, self.prior
        )
        goal, solved = solved_by(learned, training, known)
        arrays = {
            **{f"learned.{name}": part for name, part in learned._asdict().items()},
            **{f"training.{name}": part for name, part in training._asdict().items()},
            **{f"target.{name}": part for name, part in goal._asdict().items() if name != "values"},
            **{"told.mean": view.mean, "told.spread": view.spread},
            **{"solved": solved, "shares": found, "size": size},
        }
        readout = (self.heads + 1) * measured.shape[1] * simulated.activation.shape[2] * measured.shape[2]
        learnt = sum(int(np.size(part)) for part in learned) + readout
        state = State({name: np.asarray(part, float) for name, part in arrays.items()}, {KEEPS_TRAINING: True})
        return Fitted.of(self, state, learnt, _told(learned))

    def restored(self, state: State) -> Predict:
        """Return the readout that was solved on the kept training cycles."""
        learned, training, goal, view = _kept(state)
        solved, shares, size = (state.arrays[name] for name in ("solved", "shares", "size"))

        def predict(held: Simulated) -> Array:
            guesses = [refine(learned, training, goal, each, view.cycles(held)) for each in solved]
            found: Array = (np.stack(guesses) * shares[:, None, None]).sum(axis=0) * size
            return found

        return predict


def _kept(state: State) -> tuple[Learned, Cycles, Targets, _View]:
    """What a state holds, as it is computed with; the values of the targets are not kept."""

    def part(start: str) -> dict[str, Array]:
        names = [name for name in state.arrays if name.startswith(f"{start}.")]
        return {name.removeprefix(f"{start}."): np.asarray(state.arrays[name]) for name in names}

    goal = Targets(values=np.empty(0), **part("target"))
    return Learned(**part("learned")), Cycles(**part("training")), goal, _View(**part("told"))


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
        return Cycles(*(np.asarray(part, np.float32) for part in (activation, simulated.duration_s, told)))


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


def _told(learned: Learned) -> dict[str, Any]:
    """What has been learned, in the field's units."""
    told: dict[str, Any] = {
        "power_in": round(float(np.exp(learned.log_power_in)), 3),
        "power_out": round(float(np.exp(learned.log_power_out)), 3),
        "penalty": round(float(np.exp(learned.log_penalty)), 4),
    }
    if not learned.lag.size:
        return told
    share = softmax(np.asarray(learned.weight))
    return {
        "lag_ms": np.round(LAG_MS * learned.lag, 1).tolist(),
        "width_ms": np.round(np.exp(learned.log_width), 1).tolist(),
        "share": np.round(share, 3).tolist(),
        "mean_lag_ms": round(float((share * LAG_MS * learned.lag).sum()), 1),
        **told,
    }
