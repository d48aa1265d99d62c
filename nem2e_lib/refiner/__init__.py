"""Refiners that are kept: trained once, saved with all that is known of them, applied to recordings without EMG.

The names below are loaded when they are first used, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nem2e_lib.refiner.refiner import Refiner
    from nem2e_lib.refiner.training import train

_HOMES = {"Refiner": "refiner", "train": "training"}

__all__ = ["Refiner", "train"]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
