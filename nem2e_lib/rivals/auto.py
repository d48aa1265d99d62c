"""The method for whoever has no favourite: candidates, weighed muscle by muscle by their error on people left out.

Every candidate predicts the training cycles from the other inner folds, and the answer is that mean of the candidates
which has the least squared error there, with weights of 0 or more that sum to 1 (stacking: Wolpert 1992,
doi:10.1016/S0893-6080(05)80023-1; Breiman 1996, doi:10.1007/BF00117832). The mean curve is a candidate: where
simulation tells nothing of a muscle, nothing else earns a weight.

Few people tell few weights, and with one person less they would be others. So they are sought many times, each time
with the people weighed anew at random, and their mean is used (the Bayesian bootstrap: Rubin 1981,
doi:10.1214/aos/1176345338; of weights of methods: Yao et al. 2018, doi:10.1214/17-BA1091). What all people agree on
stays as it is, and what hangs on one of them is shared out. What else was tried is counted in docs/tried.csv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

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
from nem2e_lib.rivals.protocol import Array, Fitted, Keepable, Predict, Rival, Simulated, State, groups, inner_folds

MEAN_CURVE = MeanCurve().name
"""What every weight is compared with, so it is a candidate always."""
CANDIDATES = (MEAN_CURVE, "delay_gain", "ridge_own", "ridge_all", "delayed_ridge", "pls", "kernel_ridge")
"""By default: what differs in what it reads, and is fitted in seconds."""
_ACTIVATION_ALONE = {KernelRidge(heads=heads).name for heads in (0, 3)}
"""Candidates that refuse other inputs."""
LEAST = 0.005
"""A smaller weight is none: it changes no number that is shown, and a candidate less need be kept."""
_WEIGHT = "weight"
"""Where the weights of a state's candidates are kept."""


def known() -> dict[str, Keepable]:
    """Return what may be a candidate, by id."""
    each: list[Keepable] = [
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
        Further ones where speed is among the inputs (`nem2e_lib.rivals.inputs`), and only there.
    """

    tuned_on: ClassVar[str] = "training folds, nested: weights of candidates; the rule of weighing by hand"
    candidates: tuple[str, ...] = CANDIDATES
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
            is lower than the mean curve's, for each channel. Candidates without a weight for other reasons are
            named: by `no_number` where predictions were no finite numbers, by `other_inputs` where there are inputs
            beside activation, which alone they take.
        """
        wanted = self.candidates + (self.where_told if simulated.told.size else ())
        unable = [name for name in wanted if (simulated.names or not simulated.activates) and name in _ACTIVATION_ALONE]
        names = [name for name in wanted if name not in unable]
        each = [known()[name] for name in names]
        errors = np.stack([left_out(one, simulated, measured) for one in each]) - measured
        lost = np.array(~np.isfinite(errors).all(axis=(1, 2, 3)), bool)
        if lost[names.index(MEAN_CURVE)]:
            raise Nem2eError(
                "auto: the mean curve of the training cycles is no finite number, expected EMG that is; leave channels "
                "and cycles without EMG out."
            )
        unit = groups(simulated)
        weights = np.zeros((len(names), measured.shape[-1]))
        weights[~lost] = weighed(errors[~lost], unit)
        found = {name: error for name, error, gone in zip(names, errors, lost, strict=True) if not gone}
        rmse = {name: _mean(_rmse(error), unit) for name, error in found.items()}
        rmse[self.name] = crossed(errors[~lost], unit)
        opensim = _mean(_rmse(simulated.own_muscle - measured), unit)
        told: dict[str, Any] = {
            "weights": _listed(dict(zip(names, weights, strict=True))),
            "inner_er": _listed({name: _er(value, opensim) for name, value in rmse.items()}),
            "below_mean_curve": (rmse[self.name] < rmse[MEAN_CURVE]).tolist(),
        }
        if lost.any():
            told["no_number"] = [name for name, gone in zip(names, lost, strict=True) if gone]
        if unable:
            told["other_inputs"] = unable
        used = {name: weight for name, weight in zip(names, weights, strict=True) if weight.any()}
        fits = {name: known()[name].fit(simulated, measured) for name in used}
        parts = {name: one.state or State() for name, one in fits.items()}
        parts[_WEIGHT] = State(used)
        parameters = sum(one.parameters for one in fits.values()) + int((weights > 0).sum())
        return Fitted.of(self, State.of_parts(parts), parameters, told)

    def restored(self, state: State) -> Predict:
        """Return the weighed mean of the candidates that were kept."""
        weights = state.under(_WEIGHT).arrays
        each = [(weights[name], known()[name].restored(state.under(name))) for name in sorted(weights)]

        def predict(held: Simulated) -> Array:
            return np.asarray(np.sum([weight * one(held) for weight, one in each], axis=0))

        return predict


def left_out(one: Rival, simulated: Simulated, measured: Array) -> Array:
    """Predict every training cycle by a fit to the other inner folds; shape (cycles, samples, channels).

    Kernel ridge regression knows a shorter way to the same (`KernelRidge.out_of_fold`).
    """
    if isinstance(one, KernelRidge):
        return one.out_of_fold(simulated, measured)
    guesses = np.empty_like(measured)
    for kept, out in inner_folds(simulated):
        guesses[out] = one.fit(simulated.take(kept), measured[kept]).predict(simulated.take(out))
    return guesses


# --- Weights: least square of a weighed mean, over draws of people ---

DRAWS = 50
"""How often people are weighed anew. A weight's standard error is at most 0.5 / 50 ** 0.5 = 0.07, mostly far less."""


def weighed(errors: Array, unit: NDArray[np.intp], draws: int = DRAWS, seed: int = 0) -> Array:
    """Return the weight of each candidate in each channel, shape (candidates, channels); columns sum to 1.

    Parameters
    ----------
    errors
        Of left-out predictions, shape (candidates, cycles, samples, channels).
    unit
        Which unit a cycle is of, shape (cycles,). The cycles of a unit count alike.
    draws, seed
        How often units are weighed anew, and from which seed.
    """
    _, of_cycle, count = np.unique(unit, return_inverse=True, return_counts=True)
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(count)), draws) / count
    products = np.einsum("acsk,bcsk->kcab", errors, errors) / errors.shape[2]
    found = [np.mean([least_square(one) for one in np.tensordot(shares[:, of_cycle], own, 1)], 0) for own in products]
    weights = np.stack(found, axis=1)
    weights[weights < LEAST] = 0.0
    return np.asarray(weights / weights.sum(axis=0))


def crossed(errors: Array, unit: NDArray[np.intp]) -> Array:
    """Return the RMSE of each channel where each unit is refined by weights sought without it; shape (channels,).

    The candidates' fits that predict the other units have seen it, so this is slightly too low; what is measured on
    outer folds is not.
    """
    each = np.unique(unit)
    found = np.empty((len(each), errors.shape[-1]))
    for k, label in enumerate(each):
        out = unit == label
        weights = weighed(errors[:, ~out], unit[~out])
        found[k] = _rmse((weights[:, None, None] * errors[:, out]).sum(axis=0)).mean(axis=0)
    return np.asarray(found.mean(axis=0))


def least_square(product: Array) -> Array:
    """Return the w of least w' P w that is nowhere below 0 and sums to 1.

    The least of w' P w + (sum of w - 1)^2 has its direction: where w sums to 1 and is then stretched at will, the least
    along it is p / (1 + p) with p = w' P w, which rises with p.
    """
    from scipy.optimize import nnls  # to predict it is not needed

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
