# mypy: allow-untyped-calls
"""Rivals without a network: mean curves, delay and gain, ridge regression, partial least squares.

What they choose (delays, gains, penalties, components) they choose inside the training cycles of a fold, never by its
held-out ones. What they need of scikit-learn to be fitted is loaded then: to predict they need none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.rivals.protocol import KNOWS_SPEED, Array, Fitted, Predict, Simulated, State, inner_folds

DELAYS_MS = np.arange(0.0, 301.0, 10.0)
"""Delays tried: electromechanical delays are 10 to 150 ms; twice that leaves room to be seen at the edge."""
LONGEST_MS = 150.0
"""No delay between a muscle's excitation and its force is thought to be longer: 30 to 100 ms are told of people, 50 to
56 on average (Cavanagh & Komi 1979, Eur. J. Appl. Physiol. 42:159-163); half as much again is for filters."""
PENALTIES = tuple(float(p) for p in np.logspace(-3, 3, 13))
COMPONENTS = (1, 2, 3, 4, 6, 8, 12, 16)


@dataclass(frozen=True)
class Identity:
    """OpenSim itself: the own muscle's simulated activation, unchanged. Its Er is 0."""

    reads: ClassVar[str] = "own"
    tuned_on: ClassVar[str] = "nothing"
    name: str = "identity"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Learn nothing."""
        return Fitted.of(self, State(), 0)

    def restored(self, state: State) -> Predict:
        """Return the own muscle's activation."""
        return lambda held: held.own_muscle


@dataclass(frozen=True)
class MeanCurve:
    """The mean EMG curve of the training cycles, whatever the simulation says."""

    reads: ClassVar[str] = "own"
    tuned_on: ClassVar[str] = "nothing"
    name: str = "mean_curve"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Take the mean over training cycles."""
        curve = measured.mean(axis=0)
        return Fitted.of(self, State({"curve": curve}), curve.size)

    def restored(self, state: State) -> Predict:
        """Return the kept curve for every cycle."""
        curve = state.arrays["curve"]
        return lambda held: np.repeat(curve[None], len(held), axis=0)


@dataclass(frozen=True)
class SpeedCurve:
    """The mean EMG curve as a straight line in speed, at every sample (cycles a second where speeds are not known).

    Where trials tell their condition, each has a line of its own height, of one slope. A condition that training lacks
    lies as high as those that it has on average.
    """

    reads: ClassVar[str] = "own"
    tuned_on: ClassVar[str] = "nothing"
    name: str = "speed_curve"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Regress every sample on speed, and condition, over training cycles."""
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        known = np.unique(simulated.condition)
        means = (simulated.condition[:, None] == known).mean(axis=0)
        facts = {"conditions": known.tolist(), "shares": means.tolist(), KNOWS_SPEED: simulated.knows_speed}
        line = make_pipeline(StandardScaler(), LinearRegression())
        line.fit(_circumstances(simulated, facts), _flat(measured))
        scaler, regression = line[0], line[1]
        slopes = (regression.coef_ / scaler.scale_).reshape(*measured.shape[1:], -1)
        arrays = {"intercept": measured.mean(axis=0) - slopes @ scaler.mean_, "coefficients": slopes}
        return Fitted.of(self, State(arrays, facts), (1 + len(known)) * measured[0].size)

    def restored(self, state: State) -> Predict:
        """Return the kept lines at the speed and condition of each cycle."""
        intercept, coefficients = state.arrays["intercept"], state.arrays["coefficients"]

        def predict(held: Simulated) -> Array:
            found: Array = np.einsum("scf,nf->nsc", coefficients, _circumstances(held, state.facts)) + intercept
            return found

        return predict


def _circumstances(some: Simulated, facts: Mapping[str, Any]) -> Array:
    """Speed, and which condition but the first, of each cycle; the shares of training where it lacks the condition."""
    which = (some.condition[:, None] == np.array(facts["conditions"])).astype(float)
    which[~which.any(axis=1)] = facts["shares"]
    pace = some.speed_m_s if facts[KNOWS_SPEED] else 1.0 / some.duration_s
    return np.column_stack([pace, which[:, 1:]])


@dataclass(frozen=True)
class Delay:
    """The own muscle's simulated activation earlier by the delay that fits the training cycles best.

    Attributes
    ----------
    gain
        Whether a gain is fitted too, by least squares.
    """

    reads: ClassVar[str] = "own"
    tuned_on: ClassVar[str] = "training folds: delay"
    gain: bool = False

    @property
    def name(self) -> str:
        """`delay` or `delay_gain`."""
        return "delay_gain" if self.gain else "delay"

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Choose each channel's delay, and gain, with the least squared error over training cycles."""
        own, lasts = simulated.own_muscle, simulated.duration_s
        moved = np.stack([advanced(own, lasts, delay) for delay in DELAYS_MS])
        gains = _gains(moved, measured) if self.gain else np.ones((len(DELAYS_MS), measured.shape[-1]))
        error = ((gains[:, None, None] * moved - measured) ** 2).mean(axis=(1, 2))
        best = error.argmin(axis=0)
        arrays = {"delay_ms": DELAYS_MS[best], "gain": gains[best, np.arange(len(best))]}
        told = {name: values.tolist() for name, values in arrays.items()}
        return Fitted.of(self, State(arrays), len(best) * (1 + self.gain), told)

    def restored(self, state: State) -> Predict:
        """Return the own muscle's activation earlier by the kept delay, times the kept gain."""

        def predict(held: Simulated) -> Array:
            each = held.own_muscle
            delays = state.arrays["delay_ms"]
            parts = [advanced(each[..., [k]], held.duration_s, delay) for k, delay in enumerate(delays)]
            return state.arrays["gain"] * np.concatenate(parts, axis=-1)

        return predict


@dataclass(frozen=True)
class _Linear:
    """Whole waveforms in, whole waveforms out, one penalty a channel.

    Inputs stay on their common scale of 0 to 1: least effort leaves some muscles silent in training, and dividing by
    their spread would let a whisper in the held-out subject shout.
    """

    tuned_on: ClassVar[str] = "training folds, nested: penalty"
    name: str
    options: tuple[float, ...]

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Choose each channel's option by the inner folds, then fit all training cycles."""
        chosen = best(out_of_fold(self._predict, simulated, measured), measured)
        state = State(self._coefficients(simulated, measured, chosen))
        told = {"option": values(self.options, chosen)}
        return Fitted.of(self, state, self._size(simulated, measured), told)

    def restored(self, state: State) -> Predict:
        """Return inputs times the kept coefficients, from training means of both."""
        shift, mean, coefficients = (state.arrays[name] for name in ("shift", "mean", "coefficients"))

        def predict(held: Simulated) -> Array:
            found: Array = np.tensordot(_flat(held.inputs) - shift, coefficients, axes=1) + mean
            return found

        return predict

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        raise NotImplementedError

    def _coefficients(self, simulated: Simulated, measured: Array, chosen: NDArray[np.intp]) -> dict[str, Array]:
        """Fit each channel by its chosen option: shift (inputs,), mean and coefficients (inputs, samples, channels)."""
        raise NotImplementedError

    def _size(self, simulated: Simulated, measured: Array) -> int:
        return (_flat(simulated.inputs).shape[1] + 1) * measured[0].size


@dataclass(frozen=True)
class RidgeOwn(_Linear):
    """Ridge regression of an EMG waveform on the own muscle's waveform."""

    reads: ClassVar[str] = "own"
    name: str = "ridge_own"
    options: tuple[float, ...] = field(default=PENALTIES, repr=False)

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        parts = []
        for k in range(measured.shape[-1]):
            own, new = (some.with_told(some.own_muscle[..., [k]]) for some in (simulated, held))
            parts.append(_ridge(own, measured[..., [k]], new, self.options))
        return np.concatenate(parts, axis=-1)

    def _coefficients(self, simulated: Simulated, measured: Array, chosen: NDArray[np.intp]) -> dict[str, Array]:
        parts = []
        for k in range(measured.shape[-1]):
            own = simulated.with_told(simulated.own_muscle[..., [k]])
            parts.append(_ridge_coefficients(own, measured[..., [k]], self.options, chosen[[k]]))
        whole = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in ("mean", "coefficients")}
        return whole | {"shift": np.stack([part["shift"] for part in parts], axis=-1)}

    def restored(self, state: State) -> Predict:
        """Return the own muscle's waveform times the kept coefficients, from training means of both."""
        shift, mean, coefficients = (state.arrays[name] for name in ("shift", "mean", "coefficients"))

        def predict(held: Simulated) -> Array:
            own = held.own_muscle
            each = [_flat(held.with_told(own[..., [k]])) - shift[:, k] for k in range(own.shape[-1])]
            return np.stack([x @ coefficients[..., k] + mean[..., k] for k, x in enumerate(each)], axis=-1)

        return predict

    def _size(self, simulated: Simulated, measured: Array) -> int:
        return ((1 + simulated.told.shape[1]) * measured.shape[1] + 1) * measured[0].size


@dataclass(frozen=True)
class RidgeAll(_Linear):
    """Ridge regression of every EMG waveform on the waveforms of all muscles."""

    name: str = "ridge_all"
    options: tuple[float, ...] = field(default=PENALTIES, repr=False)

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        return _ridge(simulated.inputs, measured, held.inputs, self.options)

    def _coefficients(self, simulated: Simulated, measured: Array, chosen: NDArray[np.intp]) -> dict[str, Array]:
        return _ridge_coefficients(simulated.inputs, measured, self.options, chosen)


@dataclass(frozen=True)
class PartialLeastSquares(_Linear):
    """Partial least squares of all EMG waveforms on the waveforms of all muscles; the option counts components."""

    tuned_on: ClassVar[str] = "training folds, nested: components"
    name: str = "pls"
    options: tuple[float, ...] = field(default=COMPONENTS, repr=False)

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        fitted = _components(simulated, measured, self.options)
        scores = (_flat(held.inputs) - fitted.shift) @ fitted.axes
        guesses = [scores[:, :count] @ fitted.loadings[:count] + fitted.mean for count in fitted.counts]
        return np.stack(guesses).reshape(len(fitted.counts), len(held), *measured.shape[1:])

    def _coefficients(self, simulated: Simulated, measured: Array, chosen: NDArray[np.intp]) -> dict[str, Array]:
        fitted = _components(simulated, measured, self.options)
        loadings = fitted.loadings.reshape(-1, *measured.shape[1:])
        used = np.arange(len(loadings))[:, None] < fitted.counts[chosen]
        coefficients = np.tensordot(fitted.axes, loadings * used[:, None], axes=1)
        return {"shift": fitted.shift, "mean": fitted.mean.reshape(measured.shape[1:]), "coefficients": coefficients}


class _Components(NamedTuple):
    """Partial least squares: means of inputs and targets, axes (inputs, components), loadings (components, targets).

    `counts` are the components that each option comes to. They are found one after another: the first few of many are
    those of a fit with few.
    """

    shift: Array
    mean: Array
    axes: Array
    loadings: Array
    counts: NDArray[np.intp]


def _components(simulated: Simulated, measured: Array, options: Sequence[float]) -> _Components:
    from sklearn.cross_decomposition import PLSRegression

    x, y = _flat(simulated.inputs), _flat(measured)
    shift = x.mean(axis=0)
    turned, axes = _rotated(x - shift)
    counts = np.minimum([int(count) for count in options], min(len(x) - 1, turned.shape[1]))
    fitted = PLSRegression(int(counts.max()), scale=False).fit(turned, y)
    return _Components(shift, y.mean(axis=0), axes @ fitted.x_rotations_, fitted.y_loadings_.T, counts)


@dataclass(frozen=True)
class DelayedRidge:
    """Ridge regression of a sample of EMG on the leg's muscles at one moment, a delay later; all phases alike.

    Each channel's delay and penalty are chosen together by the inner folds, among all pairs: delays from 0 to the
    longest that physiology knows (`LONGEST_MS`) in steps of 10 ms, the same time in cycles of any duration. It has some
    44 coefficients a channel (in gait2392 the 43 muscles of a leg, and a constant), and phase is not among its inputs.

    Near the end of a cycle the moment wanted lies beyond it. Gait is taken as periodic: it is looked up at the start of
    the same cycle, since no trial is sure to hold what follows. Between samples activation is linear.
    """

    reads: ClassVar[str] = "leg"
    tuned_on: ClassVar[str] = f"training folds, nested: delay (0 to {LONGEST_MS:.0f} ms) and penalty"
    name: str = "delayed_ridge"
    delays_ms: tuple[float, ...] = field(default=tuple(np.arange(0.0, LONGEST_MS + 1.0, 10.0).tolist()), repr=False)
    penalties: tuple[float, ...] = field(default=PENALTIES, repr=False)

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Choose each channel's delay and penalty by the inner folds, then fit all training cycles."""
        chosen = best(out_of_fold(self._predict, simulated, measured), measured)
        delay, penalty = np.unravel_index(chosen, (len(self.delays_ms), len(self.penalties)))
        told = {"delay_ms": values(self.delays_ms, delay), "penalty": values(self.penalties, penalty)}
        more = simulated.beside.shape[-1] + simulated.told.shape[1] + 1
        size = simulated.activates * int(simulated.leg.sum()) + more * measured.shape[-1]
        return Fitted.of(self, State(self._coefficients(simulated, measured, told)), size, told)

    def restored(self, state: State) -> Predict:
        """Return activation a delay earlier times the kept coefficients."""
        delays, constant, coefficients = (state.arrays[name] for name in ("delay_ms", "constant", "coefficients"))

        def predict(held: Simulated) -> Array:
            found = np.empty((*held.activation.shape[:2], len(delays)))
            for delay in np.unique(delays):
                same = delays == delay
                moved = held.with_told(advanced(held.waveforms(), held.duration_s, float(delay)))
                found[..., same] = moved @ coefficients[:, same] + constant[same]
            return found

        return predict

    def _coefficients(
        self, simulated: Simulated, measured: Array, told: Mapping[str, Sequence[float]]
    ) -> dict[str, Array]:
        """Fit each channel by its delay and penalty; coefficients are 0 for muscles of the other leg."""
        coefficients = np.zeros((simulated.inputs.shape[-1], measured.shape[-1]))
        more = np.ones(simulated.beside.shape[-1] + simulated.told.shape[1], bool)
        constant = np.empty(measured.shape[-1])
        for channel, (delay, penalty) in enumerate(zip(told["delay_ms"], told["penalty"], strict=True)):
            leg = simulated.leg[channel]
            moved = advanced(simulated.waveforms(leg), simulated.duration_s, delay)
            x, y = _rows(simulated.with_told(moved)), _rows(measured[..., [channel]])
            used = np.concatenate([leg, more]) if simulated.activates else more
            coefficients[used, channel] = _slopes(x, y, (penalty,))[0, :, 0]
            constant[channel] = y.mean() - x.mean(axis=0) @ coefficients[used, channel]
        return {"delay_ms": np.array(told["delay_ms"]), "constant": constant, "coefficients": coefficients}

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        """Predict by every delay and penalty, from one decomposition a delay and leg."""
        shape = (len(self.delays_ms), len(self.penalties), len(held), *measured.shape[1:])
        guesses = np.empty(shape)
        for leg in np.unique(simulated.leg, axis=0):
            channels = (simulated.leg == leg).all(axis=1)
            for k, delay in enumerate(self.delays_ms):
                x, new = (
                    _rows(some.with_told(advanced(some.waveforms(leg), some.duration_s, delay)))
                    for some in (simulated, held)
                )
                found = _ridge_rows(x, _rows(measured[..., channels]), new, self.penalties)
                guesses[k][..., channels] = found.reshape(*shape[1:4], -1)
        return guesses.reshape(-1, *shape[2:])


def _rows(waveforms: Array) -> Array:
    """Every sample of every cycle as a row."""
    return waveforms.reshape(-1, waveforms.shape[-1])


def _flat(waveforms: Array) -> Array:
    return waveforms.reshape(len(waveforms), -1)


def _rotated(centred: Array) -> tuple[Array, Array]:
    """Rotate rows into the space they span: the same distances in far fewer columns. Also return the axes."""
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return centred @ axes.T, axes.T


def _ridge(inputs: Array, targets: Array, new: Array, penalties: tuple[float, ...]) -> Array:
    """Every penalty's prediction from one decomposition (Hastie et al. 2009, Eq. 3.47); the mean is not penalised."""
    x, y = _flat(inputs), _flat(targets)
    shift, mean = x.mean(axis=0), y.mean(axis=0)
    left, size, axes = np.linalg.svd(x - shift, full_matrices=False)
    along, held = left.T @ (y - mean), (_flat(new) - shift) @ axes.T
    shrunk = size / (size**2 + np.asarray(penalties)[:, None])
    return (held * shrunk[:, None] @ along + mean).reshape(len(penalties), len(new), *targets.shape[1:])


def _ridge_coefficients(
    inputs: Array, targets: Array, penalties: tuple[float, ...], chosen: NDArray[np.intp]
) -> dict[str, Array]:
    """Return what `_ridge` predicts from by each channel's penalty: shift, mean and coefficients, of inputs alone."""
    x, mean = _flat(inputs), targets.mean(axis=0)
    shift = x.mean(axis=0)
    left, size, axes = np.linalg.svd(x - shift, full_matrices=False)
    along = (left.T @ _flat(targets - mean)).reshape(-1, *mean.shape)
    shrunk = size[:, None] / (size[:, None] ** 2 + np.asarray(penalties)[chosen])
    return {"shift": shift, "mean": mean, "coefficients": np.tensordot(axes.T, shrunk[:, None] * along, axes=1)}


def _ridge_rows(x: Array, y: Array, new: Array, penalties: tuple[float, ...]) -> Array:
    """Every penalty's prediction where there are many rows of few columns; the mean is not penalised."""
    guesses: Array = (new - x.mean(axis=0)) @ _slopes(x, y, penalties) + y.mean(axis=0)
    return guesses


def _slopes(x: Array, y: Array, penalties: tuple[float, ...]) -> Array:
    """Every penalty's coefficients, shape (penalties, columns of x, columns of y)."""
    centred = x - x.mean(axis=0)
    power, axes = np.linalg.eigh(centred.T @ centred)
    along = axes.T @ (centred.T @ (y - y.mean(axis=0)))
    shrunk = 1.0 / (np.clip(power, 0.0, None) + np.asarray(penalties)[:, None])
    slopes: Array = axes @ (shrunk[:, :, None] * along)
    return slopes


# --- Delays ---


def advanced(waveforms: Array, duration_s: Array, delay_ms: float) -> Array:
    """Return waveforms as they were before a delay, wrapping around the gait cycle.

    Parameters
    ----------
    waveforms
        Samples from 0 to 100 % of the cycle, shape (cycles, samples, channels).
    duration_s
        Of each cycle, shape (cycles,).
    delay_ms
        The same time for all, so its share of the cycle differs from cycle to cycle.
    """
    return shifted(waveforms, (waveforms.shape[1] - 1) * delay_ms / 1000.0 / duration_s)


def shifted(waveforms: Array, by: Array | float) -> Array:
    """Return each cycle's waveforms earlier by `by` samples, shape (cycles,) or one number, wrapping around the cycle.

    Between samples it is linear. The last sample, 100 %, is the next cycle's first.
    """
    period = waveforms.shape[1] - 1
    at = (np.arange(period + 1) + np.broadcast_to(by, len(waveforms))[:, None]) % period
    low = np.minimum(np.floor(at).astype(int), period - 1)  # a hair before 0 % is rounded to 100 %
    part = (at - low)[..., None]
    rows = np.arange(len(waveforms))[:, None]
    return (1.0 - part) * waveforms[rows, low] + part * waveforms[rows, low + 1]


def _gains(moved: Array, measured: Array) -> Array:
    """Return the least-squares gain of every delay and channel; 0 where the simulation is silent."""
    power = (moved**2).sum(axis=(1, 2))
    product = (moved * measured).sum(axis=(1, 2))
    return np.divide(product, power, out=np.zeros_like(power), where=power > 0)


# --- Options chosen by the inner folds ---

FitMany = Callable[[Simulated, Array, Simulated], Array]
"""From training cycles, their EMG and held-out cycles to every candidate's prediction: (candidates, cycles, samples,
channels)."""


def out_of_fold(predict: FitMany, simulated: Simulated, measured: Array) -> Array:
    """Predict every training cycle from the other inner folds; shape (candidates, cycles, samples, channels)."""
    parts = [
        (out, predict(simulated.take(kept), measured[kept], simulated.take(out)))
        for kept, out in inner_folds(simulated)
    ]
    guesses = np.empty((len(parts[0][1]), *measured.shape))
    for out, guess in parts:
        guesses[:, out] = guess
    return guesses


def best(guesses: Array, measured: Array) -> NDArray[np.intp]:
    """Return each channel's candidate with the least RMSE, mean over cycles; shape (channels,).

    The mean of the cycles' RMSE is what Er is made of (Teramae et al. 2025, Eq. 1).
    """
    error = np.sqrt(((guesses - measured) ** 2).mean(axis=2)).mean(axis=1)
    return np.asarray(error.argmin(axis=0))


def pick(candidates: Array, chosen: NDArray[np.intp]) -> Array:
    """Return each channel's chosen candidate: from (candidates, …, channels) to (…, channels)."""
    return np.stack([candidates[k, ..., channel] for channel, k in enumerate(chosen)], axis=-1)


def values(options: Sequence[float], chosen: NDArray[np.intp]) -> list[float]:
    """Return the options chosen, one a channel."""
    return [float(options[k]) for k in chosen]
