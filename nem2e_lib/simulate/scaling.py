"""What a model is scaled to: the mass of the person, which belongs to the trial, and sizes that a person can have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.marker_set import SetMarker, read_marker_set
from nem2e_lib.simulate.options import BY_MASS, Options
from nem2e_lib.simulate.trial import SimulatedTrial
from nem2e_lib.simulate.xml import find, read_document

UNSTATED = -1.0
"""Mass in a set-up by which OpenSim leaves the mass of the model to the scale factors."""
_SAME_KG = 0.05
"""Masses that differ by less are the same: a decimal of a scale for people."""
_SAME_SHARE = 1e-3
POSSIBLE, LIKELY = (0.2, 5.0), (0.5, 1.6)
"""Scale factors of a body: beyond the first the markers are in another unit or on another body; beyond the second there
is doubt. A newborn has half an adult's length or less, a child of eight some three quarters."""

ALIKE = (0.8, 1.25)
"""Share of the model's mass at which its muscles may stay as strong as they are."""


def stated_mass(path: Path) -> float | None:
    """Return ``<mass>`` of a set-up for scaling in kg; None where it states none (OpenSim writes -1).

    Raises
    ------
    Nem2eError
        If it is no number.
    """
    text = (find(path, read_document(path), "ScaleTool").findtext("mass") or "").strip()
    try:
        mass = float(text) if text else UNSTATED
    except ValueError:
        raise Nem2eError(f"{path}: <mass> is {text!r}, but a number in kg is expected, or -1 for none.") from None
    if math.isnan(mass) or mass == math.inf:
        raise Nem2eError(f"{path}: <mass> is {text}, but a number in kg is expected, or -1 for none.")
    return mass if mass > 0 else None


def chosen_mass(trial: SimulatedTrial, options: Options) -> tuple[float | None, tuple[str, ...]]:
    """Return the mass that a model is scaled to in kg, and what to know of it; None where nobody says one.

    That of the trial holds, whatever the set-up says; without it, that of the set-up is taken.
    """
    path = Path(options.setups["scale"]) if "scale" in options.setups else None
    stated = stated_mass(path) if path else None
    given = trial.mass_kg
    if path is None or stated is None:
        return given, ()
    if given is None:
        return stated, (
            f"No mass_kg was given: {stated:g} kg, the <mass> of {path.name}, is taken; check that it is the person's.",
        )
    if abs(given - stated) <= _SAME_KG:
        return given, ()
    return given, (f"{path.name}: its <mass> of {stated:g} kg is not used, for mass_kg of the trial is {given:g} kg.",)


def check_mass(where: str, found_kg: float, asked_kg: float) -> None:
    """Refuse a scaled model that does not weigh what was asked for."""
    if abs(found_kg - asked_kg) > _SAME_SHARE * asked_kg:
        raise Nem2eError(
            f"{where}: the scaled model weighs {found_kg:.2f} kg, but {asked_kg:.2f} kg were asked for; let the "
            "set-up's ModelScaler apply (<apply>true), or leave out --setup scale."
        )


def chosen_strength(trial: SimulatedTrial, options: Options, model_kg: float) -> tuple[float, tuple[str, ...]]:
    """Return the factor on maximum isometric force, and what to know of it.

    Raises
    ------
    Nem2eError
        If it is to follow the mass of the person, and nobody says that.
    """
    if options.strength != BY_MASS:
        return float(options.strength), ()
    mass = chosen_mass(trial, options)[0]
    if mass is None:
        raise Nem2eError(
            f"Trial {trial.trial!r}: strength {BY_MASS!r} needs the mass of the person; give mass_kg (--mass)."
        )
    factor = (mass / model_kg) ** (2 / 3)
    told = f"({mass:.1f} kg / {model_kg:.1f} kg of the model) to the power of 2/3 = {factor:.3f}"
    return factor, (f"Strength by mass: {told} on every maximum isometric force.",)


def unscaled_strength(before_kg: float, after_kg: float, strength: float | str) -> list[str]:
    """Return a sentence where a person is much lighter or heavier than the model and the muscles stay as they were."""
    ratio = after_kg / before_kg
    if strength != 1.0 or ALIKE[0] <= ratio <= ALIKE[1]:
        return []
    return [
        f"Scaling takes the model from {before_kg:.1f} to {after_kg:.1f} kg and leaves the strength of its muscles; by "
        f"mass to the power of 2/3 it would be {ratio ** (2 / 3):.2f} (--strength {BY_MASS})."
    ]


def set_up_markers(path: Path) -> Mapping[str, SetMarker]:
    """Return the markers of the marker set that a set-up for scaling names; empty where it names none.

    Raises
    ------
    Nem2eError
        If the file is not there, or is no marker set.
    """
    named = (find(path, read_document(path), "ScaleTool").findtext(".//marker_set_file") or "").strip()
    if named in ("", "Unassigned"):
        return {}
    if not (path.parent / named).is_file():
        raise Nem2eError(
            f"{path}: <marker_set_file> names {named}, but there is no such file beside the set-up; put it there."
        )
    return read_marker_set(path.parent / named).markers


def scale_factors(path: Path) -> dict[str, tuple[float, ...]]:
    """Return body to its three scale factors, as OpenSim wrote them; empty where it did not."""
    if not path.is_file():
        return {}
    return {
        (each.findtext("segment") or "").strip(): tuple(float(part) for part in (each.findtext("scales") or "").split())
        for each in read_document(path).getroot().iter("Scale")
    }


def check_factors(static: Path, factors: Mapping[str, tuple[float, ...]]) -> list[str]:
    """Return a sentence on doubtful sizes, if any.

    Raises
    ------
    Nem2eError
        If a body would get a size that no person has.
    """
    impossible = {body: three for body, three in factors.items() if not _within(three, POSSIBLE)}
    if impossible:
        raise Nem2eError(
            f"{static}: scaling by these markers makes {_sizes(impossible)} of the model's size, which no person has; "
            "check the unit of the markers, and that each is on the body that the model has it on."
        )
    doubtful = {body: three for body, three in factors.items() if not _within(three, LIKELY)}
    if not doubtful:
        return []
    return [
        f"{static.name}: scaling makes {_sizes(doubtful)} of the model's size; check the markers that measure them."
    ]


def _within(factors: tuple[float, ...], limits: tuple[float, float]) -> bool:
    return bool(np.all((np.array(factors) >= limits[0]) & (np.array(factors) <= limits[1])))


def _sizes(factors: Mapping[str, tuple[float, ...]]) -> str:
    told = [
        f"{body} {max(three, key=lambda factor: abs(np.log(abs(factor) or 1e-9))):.3g}"
        for body, three in factors.items()
    ]
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")
