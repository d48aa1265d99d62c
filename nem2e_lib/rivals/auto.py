"""The method for whoever has no favourite: several candidates, weighed muscle by muscle by what they do on people left out.

Every candidate predicts the training cycles from the other inner folds, and the answer is the mean of the candidates
that has the least error there: weights of 0 or more that sum to 1 (stacking: Wolpert 1992,
doi:10.1016/S0893-6080(05)80023-1; Breiman 1996, doi:10.1007/BF00117832). The mean curve is a candidate. Where simulation
tells nothing of a muscle, nothing else earns a weight.

Few people tell few weights. So they are sought twice, for the muscle alone and for all muscles together, and the mean of
both is used: the first sees what a muscle has of its own, the second stands on as many more cycles as there are muscles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.classical import (
    Delay,
    DelayedRidge,
    Identity,
    MeanCurve,
    PartialLeastSquares,
    RidgeAll,
    RidgeOwn,
    SpeedCurve,
)
from nem2e_lib.rivals.kernel_ridge import KernelRidge
from nem2e_lib.rivals.protocol import Array, Fitted, Rival, Simulated, groups, inner_folds

MEAN_CURVE = MeanCurve().name
"""What every weight is compared with, so it is a candidate always."""
LINEAR = (MEAN_CURVE, "delay_gain", "ridge_own", "ridge_all", "delayed_ridge", "pls")
"""Candidates by default."""
LEAST = 0.005
"""A smaller weight is none: it changes no number that is shown, and a candidate less need be kept."""


def known() -> dict[str, Rival]:
    """Return what may be a candidate, by id."""
    each: list[Rival] = [
        Identity(),
        MeanCurve(),
        SpeedCurve(),
        Delay(),
        Delay(gain=True),
        RidgeOwn(),
        RidgeAll(),
        DelayedRidge(),
        PartialLeastSquares(),
        KernelRidge(heads=0),
        KernelRidge(),
    ]
    return {one.name: one for one in each}


@dataclass(frozen=True)
class Auto:
    """Candidates, weighed muscle by muscle by their error on left-out training units.

    Attributes
    ----------
    candidates
        Ids of the methods that are weighed, the mean curve among them; see `known`.
    where_told
        Further ones where cycles' speed and duration are told (`protocol.with_circumstances`), and only there.
    """

    tuned_on: ClassVar[str] = "training folds, nested: weights of candidates; the rule of weighing by hand"
    candidates: tuple[str, ...] = LINEAR
    where_told: tuple[str, ...] = (SpeedCurve().name,)
    name: str = "auto"

    def __post_init__(self) -> None:
        """Refuse candidates that are not known, are named twice or lack the mean curve."""
        named = (*self.candidates, *self.where_told)
        unknown = [one for one in named if one not in known()]
        if unknown:
            raise Nem2eError(
                f"auto: candidate {unknown[0]!r} is unknown, expected one of {', '.join(known())}; choose of these."
            )
        twice = [one for one in named if named.count(one) > 1]
        if twice:
            raise Nem2eError(f"auto: candidate {twice[0]!r} is named twice, expected once; leave one out.")
        if MEAN_CURVE not in self.candidates:
            raise Nem2eError(
                f"auto: {MEAN_CURVE} is not among the candidates ({', '.join(self.candidates)}), expected it always, "
                "since it is what to fall back on; add it."
            )

    def fit(self, simulated: Simulated, measured: Array) -> Fitted:
        """Weigh the candidates on the inner folds, then fit those that have a weight to all training cycles.

        Returns
        -------
        Fitted
            Its `chosen` has, by candidate and with a number a channel: `weights`; `inner_er`, Er on the inner folds,
            where that of `auto` is by weights that were sought without the unit; and `below_mean_curve`, whether this
            is lower than the mean curve's, for each channel. `no_number` names candidates whose predictions were no
            finite numbers; they have no weight.
        """
        names = self.candidates + (self.where_told if simulated.told.size else ())
        each = [known()[name] for name in names]
        errors = np.stack([left_out(one, simulated, measured) - measured for one in each])
        lost = ~np.isfinite(errors).all(axis=(1, 2, 3))
        if lost[names.index(MEAN_CURVE)]:
            raise Nem2eError(
                "auto: the mean curve of the training cycles is no finite number, expected EMG that is; leave channels "
                "and cycles without EMG out."
            )
        unit = groups(simulated)
        size = _mean(_rmse(errors[names.index(MEAN_CURVE)]), unit)
        weights = np.zeros((len(names), measured.shape[-1]))
        weights[~lost] = weighed(errors[~lost], unit, size)
        used = [k for k in range(len(names)) if weights[k].any()]
        fitted = [(weights[k], each[k].fit(simulated, measured)) for k in used]

        def predict(held: Simulated) -> Array:
            return np.sum([weight * one.predict(held) for weight, one in fitted], axis=0)

        found = {name: error for name, error, gone in zip(names, errors, lost, strict=True) if not gone}
        rmse = {name: _mean(_rmse(error), unit) for name, error in found.items()}
        rmse[self.name] = crossed(errors[~lost], unit, size)
        opensim = _mean(_rmse(simulated.own_muscle - measured), unit)
        told: dict[str, Any] = {
            "weights": _listed(dict(zip(names, weights, strict=True))),
            "inner_er": _listed({name: _er(value, opensim) for name, value in rmse.items()}),
            "below_mean_curve": (rmse[self.name] < size).tolist(),
        }
        if lost.any():
            told["no_number"] = [name for name, gone in zip(names, lost, strict=True) if gone]
        parameters = sum(one.parameters for _, one in fitted) + int((weights > 0).sum())
        return Fitted(predict, parameters, told)


def left_out(one: Rival, simulated: Simulated, measured: Array) -> Array:
    """Predict every training cycle by a fit to the other inner folds; shape (cycles, samples, channels)."""
    guesses = np.empty_like(measured)
    for kept, out in inner_folds(simulated):
        guesses[out] = one.fit(simulated.take(kept), measured[kept]).predict(simulated.take(out))
    return guesses


# --- Weights: least mean RMSE of a weighted mean ---


def weighed(errors: Array, unit: NDArray[np.intp], size: Array) -> Array:
    """Return the weight of each candidate in each channel: the mean of that channel's own and of all channels' best.

    Parameters
    ----------
    errors
        Of left-out predictions, shape (candidates, cycles, samples, channels).
    unit
        Which unit a cycle is of, shape (cycles,). Units count alike, and so do the cycles of a unit.
    size
        What errors of a channel are measured by where all are looked at together, shape (channels,): the mean curve's,
        so that quiet muscles count as loud ones do.

    Returns
    -------
    numpy.ndarray
        Shape (candidates, channels); none below 0, columns sum to 1.
    """
    products = np.einsum("acsk,bcsk->kcab", errors, errors) / errors.shape[2]
    share = _share(unit)
    products = products / np.where(size > 0, size, 1.0)[:, None, None, None] ** 2
    together = least_rmse(products.reshape(-1, *products.shape[2:]), np.tile(share, len(products)))
    weights = np.stack([(least_rmse(own, share) + together) / 2 for own in products], axis=1)
    weights[weights < LEAST] = 0.0
    return np.asarray(weights / weights.sum(axis=0))


def crossed(errors: Array, unit: NDArray[np.intp], size: Array) -> Array:
    """Return the RMSE of each channel where each unit is refined by weights sought without it; shape (channels,).

    The candidates' fits that predict the other units have seen it, so this is slightly too low; what is measured on
    outer folds is not.
    """
    each = np.unique(unit)
    found = np.empty((len(each), errors.shape[-1]))
    for k, label in enumerate(each):
        out = unit == label
        weights = weighed(errors[:, ~out], unit[~out], size)
        found[k] = _rmse((weights[:, None, None] * errors[:, out]).sum(axis=0)).mean(axis=0)
    return found.mean(axis=0)


def least_rmse(products: Array, share: Array, updates: int = 50) -> Array:
    """Return the weights that give a weighted mean of predictions the least mean RMSE; shape (candidates,).

    RMSE is what Er is made of (Teramae et al. 2025, Eq. 1). It is convex in the weights, and each update puts a
    parabola above the root of every cycle's mean square that touches it where we are, so it falls at every update
    (Hunter & Lange 2004, doi:10.1198/0003130042836).

    Parameters
    ----------
    products
        Mean product of the errors of each two candidates, shape (cycles, candidates, candidates).
    share
        Weight of a cycle, shape (cycles,).
    updates
        At most.
    """
    weights = np.full(products.shape[1], 1.0 / products.shape[1])
    floor = 1e-6 * np.sqrt(np.einsum("caa->ca", products).mean()) + 1e-12
    for _ in range(updates):
        rmse = np.sqrt(np.clip(np.einsum("a,cab,b->c", weights, products, weights), 0.0, None))
        before, weights = weights, _least_square(np.tensordot(share / np.maximum(rmse, floor), products, 1))
        if np.abs(weights - before).max() < 1e-4:
            break
    return weights


def _least_square(product: Array) -> Array:
    """Return the w of least w' P w that is nowhere below 0 and sums to 1.

    Least squares of w' P w + (sum of w - 1)^2 without the second condition have the same direction: along any w they are
    P' / (1 + P'), P' being w' P w at a sum of 1, and that rises with P'.
    """
    size = float(np.trace(product)) / len(product)
    power, axes = np.linalg.eigh(product / size if size > 0 else product)
    root = np.sqrt(np.clip(power, 0.0, None))[:, None] * axes.T
    found, _ = nnls(np.vstack([root, np.ones(len(product))]), np.append(np.zeros(len(product)), 1.0))
    return np.asarray(found / found.sum())


def _share(unit: NDArray[np.intp]) -> Array:
    """Weight of each cycle where units count alike, and cycles within a unit; shape (cycles,), sums to 1."""
    _, of_cycle, count = np.unique(unit, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / (len(count) * count[of_cycle]))


def _rmse(errors: Array) -> Array:
    """From errors (cycles, samples, channels) to (cycles, channels)."""
    return np.asarray(np.sqrt((errors**2).mean(axis=1)))


def _mean(values: Array, unit: NDArray[np.intp]) -> Array:
    """Mean over cycles where units count alike: from (cycles, channels) to (channels,)."""
    return np.asarray(_share(unit) @ values)


def _er(rmse: Array, opensim: Array) -> Array:
    """Er, Eq. 2; not a number where the simulation is right."""
    return np.divide(rmse, opensim, out=np.full_like(rmse, np.nan), where=opensim > 0) - 1.0


def _listed(values: Mapping[str, Array]) -> dict[str, list[float | None]]:
    """Numbers as JSON takes them: what is none is null."""
    return {
        name: [round(float(one), 4) if np.isfinite(one) else None for one in value] for name, value in values.items()
    }
