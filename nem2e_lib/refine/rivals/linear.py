# mypy: allow-untyped-calls
"""Linear rivals: ridge regression on the own muscle or on all muscles, and partial least squares on all muscles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from sklearn.cross_decomposition import PLSRegression

from nem2e_lib.refine.rivals.protocol import Array, Fitted, Simulated
from nem2e_lib.refine.rivals.selection import best, out_of_fold, pick, values

PENALTIES = tuple(float(p) for p in np.logspace(-3, 3, 13))
COMPONENTS = (1, 2, 3, 4, 6, 8, 12, 16)


@dataclass(frozen=True)
class _Linear:
    """Whole waveforms in, whole waveforms out, one penalty a channel.

    Inputs stay on their common scale of 0 to 1: least effort leaves some muscles silent in training, and dividing by
    their spread would let a whisper in the held-out subject shout.
    """

    name: str
    options: tuple[float, ...] = field(repr=False, default=())

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Choose each channel's option by the inner folds, then fit all training cycles."""
        chosen = best(out_of_fold(self._predict, simulated, measured), measured)
        used = values(self.options, chosen)

        def predict(held: Simulated) -> Array:
            return pick(self._predict(simulated, measured, held), chosen)

        return Fitted(predict, self._size(simulated, measured), {"option": used})

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        raise NotImplementedError

    def _size(self, simulated: Simulated, measured: Array) -> int:
        return (_flat(simulated.activation).shape[1] + 1) * measured[0].size


class RidgeAll(_Linear):
    """Ridge regression of every EMG waveform on the waveforms of all muscles."""

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        return _ridge(simulated.activation, measured, held.activation, self.options)


class RidgeOwn(_Linear):
    """Ridge regression of an EMG waveform on the own muscle's waveform."""

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        own, new = simulated.own_muscle, held.own_muscle
        parts = [
            _ridge(own[..., [k]], measured[..., [k]], new[..., [k]], self.options) for k in range(measured.shape[-1])
        ]
        return np.concatenate(parts, axis=-1)

    def _size(self, simulated: Simulated, measured: Array) -> int:
        return (measured.shape[1] + 1) * measured[0].size


class PartialLeastSquares(_Linear):
    """Partial least squares of all EMG waveforms on the waveforms of all muscles; the option counts components."""

    def _predict(self, simulated: Simulated, measured: Array, held: Simulated) -> Array:
        x, y, new = _flat(simulated.activation), _flat(measured), _flat(held.activation)
        shift = x.mean(axis=0)
        turned, axes = _rotated(x - shift)
        most = min(len(x) - 1, turned.shape[1])
        run = _pls(turned, y, (new - shift) @ axes)
        return np.stack([run(min(int(count), most)).reshape(len(new), *measured.shape[1:]) for count in self.options])


def ridge_own(penalties: tuple[float, ...] = PENALTIES) -> RidgeOwn:
    """Return ridge regression on the own muscle with these penalties to choose from."""
    return RidgeOwn("ridge_own", penalties)


def ridge_all(penalties: tuple[float, ...] = PENALTIES) -> RidgeAll:
    """Return ridge regression on all muscles with these penalties to choose from."""
    return RidgeAll("ridge_all", penalties)


def partial_least_squares(components: tuple[int, ...] = COMPONENTS) -> PartialLeastSquares:
    """Return partial least squares with these numbers of components to choose from."""
    return PartialLeastSquares("pls", components)


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


def _pls(x: Array, y: Array, new: Array) -> Callable[[int], Array]:
    def run(components: int) -> Array:
        guess: Array = PLSRegression(components, scale=False).fit(x, y).predict(new)
        return guess

    return run
