"""Raw EMG to envelopes: remove offset, band-pass, rectify, low-pass, normalise.

Every step takes and returns an array whose first axis is time, so that steps chain. What cutoff and order mean after
the two passes of a zero-phase filter is said in `emg_filters`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nem2e_lib.data.emg_filters import band_pass, finite, low_pass
from nem2e_lib.errors import Nem2eError

Array = NDArray[np.float64]

__all__ = [
    "RECIPES",
    "Recipe",
    "band_pass",
    "envelope",
    "find_recipe",
    "low_pass",
    "normalise",
    "rectify",
    "remove_offset",
]


@dataclass(frozen=True)
class Recipe:
    """Steps from raw EMG to an envelope, in this order; a cutoff of None leaves the step out.

    Attributes
    ----------
    offset : bool
        Subtract the mean of the recording.
    band_hz : (float, float) or None
        Lower and upper cutoff of the band-pass in Hz.
    band_order, low_pass_order : int
        Order of both passes together (even), or of each where `per_pass` says so.
    rectify : bool
        Full-wave.
    low_pass_hz : float or None
        Cutoff of the envelope in Hz.
    per_pass : bool
        Cutoffs and orders are those of a single pass (`emg_filters`).
    source : str
        Where the recipe comes from.
    """

    offset: bool = True
    band_hz: tuple[float, float] | None = None
    band_order: int = 4
    rectify: bool = True
    low_pass_hz: float | None = None
    low_pass_order: int = 4
    per_pass: bool = False
    source: str = ""

    def __str__(self) -> str:
        way = "each pass" if self.per_pass else "both passes together"
        steps = ["offset removed"] if self.offset else []
        if self.band_hz is not None:
            steps.append(f"{self.band_hz[0]:g}-{self.band_hz[1]:g} Hz band-pass (order {self.band_order})")
        steps += ["full-wave rectified"] if self.rectify else []
        if self.low_pass_hz is not None:
            steps.append(f"{self.low_pass_hz:g} Hz low-pass (order {self.low_pass_order})")
        if not steps:
            return "taken as it is"
        filtered = self.band_hz is not None or self.low_pass_hz is not None
        return ", ".join(steps) + (f"; zero-phase Butterworth, cutoffs and orders of {way}" if filtered else "")


RECIPES = {
    "hamner2013": Recipe(
        low_pass_hz=10.0,
        source=(
            "offset, rectification and 10 Hz as in the running data of Hamner & Delp (2013), "
            "doi:10.1016/j.jbiomech.2012.11.024; the order is this project's choice"
        ),
    ),
    "general": Recipe(
        band_hz=(20.0, 450.0),
        low_pass_hz=6.0,
        source=(
            "20 Hz against movement artefact (De Luca et al. 2010, doi:10.1016/j.jbiomech.2010.01.027), the "
            "upper edge under the 500 Hz of SENIAM and of the ISEK standards (Hermens et al. 2000, "
            "doi:10.1016/S1050-6411(00)00027-4; Merletti 1999), 6 Hz for gait (Winter 2009)"
        ),
    ),
    "envelope": Recipe(offset=False, rectify=False, source="for EMG that was processed before and is only normalised"),
}
"""Recipes by name."""


def envelope(raw: ArrayLike, rate_hz: float, recipe: Recipe | str = "general") -> Array:
    """Linear envelope of raw EMG, in its unit; not normalised.

    Filters ring: beside a strong burst the envelope may fall a little below zero, and is left so.

    Parameters
    ----------
    raw : float array, shape (rows,) or (rows, channels)
        Evenly sampled (`emg_clock.even` makes it so) and finite.
    rate_hz : float
        Samples a second.
    recipe : Recipe or str
        A name of `RECIPES`, or steps of your own.

    Raises
    ------
    Nem2eError
        If the recipe is unknown, a value is not finite, the recording is shorter than one period of the lowest
        cutoff, or the rate does not allow a filter.
    """
    recipe = find_recipe(recipe)
    values = finite(raw)
    if recipe.offset:
        values = remove_offset(values)
    if recipe.band_hz is not None:
        values = band_pass(values, rate_hz, *recipe.band_hz, recipe.band_order, per_pass=recipe.per_pass)
    if recipe.rectify:
        values = rectify(values)
    if recipe.low_pass_hz is not None:
        values = low_pass(values, rate_hz, recipe.low_pass_hz, recipe.low_pass_order, per_pass=recipe.per_pass)
    return values


def find_recipe(recipe: Recipe | str) -> Recipe:
    """The recipe of that name; Nem2eError if there is none."""
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise Nem2eError(f"EMG recipe {recipe!r} is unknown; known recipes are {', '.join(RECIPES)}.")
    return RECIPES[recipe]


def remove_offset(raw: ArrayLike) -> Array:
    """Each channel less its mean over the recording, shape as given."""
    values = np.asarray(raw, np.float64)
    return values - values.mean(axis=0)


def rectify(raw: ArrayLike) -> Array:
    """Absolute values (full-wave rectification), shape as given."""
    return np.abs(np.asarray(raw, np.float64))


def normalise(values: ArrayLike, reference: ArrayLike) -> Array:
    """Envelopes as a share of a reference, shape as given.

    Parameters
    ----------
    values : float array, shape (rows,) or (rows, channels)
    reference : float or array, shape (channels,)
        Such as a subject's maximum over all trials; never one cycle's own.

    Raises
    ------
    Nem2eError
        If a reference is not above 0.
    """
    scale = np.asarray(reference, np.float64)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise Nem2eError(f"EMG cannot be normalised by {scale.tolist()}: references above 0 are expected.")
    return np.asarray(values, np.float64) / scale
