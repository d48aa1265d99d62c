"""Methods of the leaderboard in a refiner: their kept states, and what they make of cycles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import BESIDE, CONDITION
from nem2e_lib.data.muscles import same_leg
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.archive import Weights
from nem2e_lib.refiner.manifest import Fit, Manifest
from nem2e_lib.refiner.recording import blank
from nem2e_lib.rivals import Keepable, Simulated, rival
from nem2e_lib.rivals.inputs import Inputs
from nem2e_lib.rivals.protocol import Predict, State

Array = NDArray[np.float64]


def kept(name: str, settings: dict[str, Any]) -> Keepable:
    """Return a method with the settings that it was fitted with.

    Raises
    ------
    Nem2eError
        If there is no such method, it cannot be kept, or it has no such setting.
    """
    method = rival(name)
    known = {each.name for each in fields(method)}
    if not hasattr(method, "restored") or set(settings) - known:
        raise Nem2eError(f"rival {name!r} with settings {json.dumps(settings)} cannot be kept; update nem2e.")
    as_tuples = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    return cast("Keepable", replace(method, **as_tuples))


@dataclass(frozen=True, eq=False)
class Methods:
    """The fitted methods of a manifest: one for each set of channels that have the same cycles.

    Attributes
    ----------
    manifest : Manifest
    weights : dict
        float32 arrays by name, ``0/coefficients`` of the first fit.
    """

    manifest: Manifest
    weights: Weights

    def require_whole(self) -> None:
        """Refuse weights from which the method that the manifest names cannot predict."""
        told = f"refiner of study {self.manifest.origin.study}: "
        try:
            made = self.curves(blank(self.manifest))
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise Nem2eError(
                f"{told}its weights are not those of {self.manifest.training.method} ({error}); get the file anew."
            ) from None
        if not np.isfinite(made).all():
            raise Nem2eError(f"{told}a cycle of rest is refined to what is no number; get the file anew.")

    def only(self, outputs: Sequence[int]) -> Weights:
        """Return the weights of some of the refined muscles: all of them, since channels are fitted together."""
        return self.weights

    def curves(self, cycles: xr.Dataset) -> Array:
        """Return refined activity, shape (1, outputs, cycles, samples)."""
        found: dict[str, Array] = {}
        for fit, predict in zip(self.manifest.fits, self._predicts, strict=True):
            guess = predict(simulated(self.manifest, fit, cycles))
            if guess.shape != (cycles.sizes["cycle"], cycles.sizes["sample"], len(fit.channels)):
                raise ValueError(f"what it predicts has shape {guess.shape}")
            found |= {name: guess[..., fit.channels.index(name)] for name in fit.refines}
        return np.stack([found[name] for name in self.manifest.names])[None]

    @cached_property
    def _predicts(self) -> list[Predict]:
        training = self.manifest.training
        method = kept(training.method, training.configuration)
        whole = State({name: np.asarray(values, np.float64) for name, values in self.weights.items()})
        parts = [whole.under(str(index)) for index in range(len(self.manifest.fits))]
        return [
            method.restored(State(part.arrays, fit.facts)) for fit, part in zip(self.manifest.fits, parts, strict=True)
        ]


def simulated(manifest: Manifest, fit: Fit, cycles: xr.Dataset) -> Simulated:
    """Return what a fitted method sees of cycles to be refined.

    Muscles that a refiner of fewer outputs does not read are 0: they reach only outputs that it no longer has.

    Raises
    ------
    Nem2eError
        If it reads speed or inputs beside activation that the cycles do not have.
    """
    count, there = cycles.sizes["cycle"], set(cycles.muscle.values.tolist()) & set(manifest.muscles)
    shape = (count, cycles.sizes["sample"])
    own = {name: cycles.activation.sel(muscle=name).transpose("cycle", "sample").values for name in there}
    activation = np.stack([own.get(name, np.zeros(shape)) for name in fit.muscles], axis=-1).astype(float)
    blank_texts = np.full(count, "")
    speed = cycles.speed_m_s.values.astype(float) if "speed_m_s" in cycles.coords else np.full(count, np.nan)
    if manifest.needs_speed and not np.isfinite(speed).all():
        raise Nem2eError(
            f"study {cycles.attrs.get('study', '')}: the refiner reads the speed of locomotion, but it is not known; "
            "give it with --speed, in m/s (speed_m_s in Python)."
        )
    seen = Simulated(
        activation,
        speed,
        (cycles.end_s - cycles.start_s).values.astype(float),
        blank_texts,
        blank_texts,
        np.array([fit.muscles.index(target) for target in fit.targets]),
        cycles[CONDITION].values.astype(str) if CONDITION in cycles.coords else blank_texts,
        np.stack([same_leg(target, fit.muscles) for target in fit.targets]),
        np.empty((count, 0)),
        _beside(fit, cycles),
        tuple(fit.units),
    )
    return Inputs.of_content(fit.inputs).apply(seen) if fit.inputs else seen


def _beside(fit: Fit, cycles: xr.Dataset) -> Array:
    """Inputs beside activation, as the study or the recording has them; shape (cycles, samples, inputs)."""
    there = cycles.input.values.tolist() if BESIDE in cycles else []
    missing = [name for name in fit.units if name not in there]
    if missing:
        raise Nem2eError(
            f"study {cycles.attrs.get('study', '')}: the refiner reads {missing[0]!r} beside activation ("
            f"{len(missing)} of {len(fit.units)} such are missing); name files of it in trials.csv."
        )
    if not fit.units:
        return np.empty((cycles.sizes["cycle"], cycles.sizes["sample"], 0))
    return np.asarray(cycles[BESIDE].sel(input=list(fit.units)).transpose("cycle", "sample", "input").values, float)
