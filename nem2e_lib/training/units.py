"""What evaluation leaves out, in words: subjects, speeds, or blocks of cycles of one recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

BLOCK = "block"
BLOCKS, CYCLES_A_BLOCK = 5, 2
"""Blocks that the cycles of one person at one speed are left out in, and cycles that each needs at least."""

_WORDS = {BLOCK: ("block of cycles", "blocks of cycles")}

CAVEAT = (
    "Left out are blocks of cycles of one person at one speed: neighbouring cycles are alike and blocks are no "
    "independent people, so errors are optimistic, and errors and tests hold for other cycles of this recording alone."
)
"""What stands beside every error and test over blocks."""


def unit_name(unit: str, number: int = 1) -> str:
    """Return a unit of analysis in words: ``subject``, ``subjects``, ``block of cycles``, ``blocks of cycles``."""
    one, many = _WORDS.get(unit, (unit, f"{unit}s"))
    return one if number == 1 else many


def units_said(number: int, unit: str, which: str = "") -> str:
    """Return ``3 subjects``, or ``5 held-out blocks of cycles`` where `which` is ``held-out``."""
    return " ".join(filter(None, [str(number), which, unit_name(unit, number)]))


def others(unit: str, who: str = "people") -> str:
    """Return whose EMG the models of a fold are trained on: ``other people``, ``the same person's other speeds``."""
    return f"other {who}" if unit == "subject" else f"the same person's other {unit_name(unit, 2)}"


def caveat(units: Iterable[object]) -> str:
    """Return what is to be said where these are the units; empty for subjects and speeds."""
    return CAVEAT if BLOCK in set(map(str, units)) else ""


def units_of_each(numbers: Mapping[str, int], unit: str, which: str = "") -> str:
    """Return how many units there are, and of which muscles there are fewer: ``10 subjects (bi: 9)``."""
    most = max(numbers.values())
    fewer = ", ".join(f"{name}: {number}" for name, number in numbers.items() if number < most)
    return units_said(most, unit, which) + (f" ({fewer})" if fewer else "")
