"""Refiners that are kept: trained once, saved with all that is known of them, applied to recordings without EMG.

The names below are loaded when they are first used, so that the command line starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib.refiner.refiner import Refiner
    from nem2e_lib.refiner.training import train

_HOMES = {"Refiner": "refiner", "train": "training"}

__all__ = ["Refiner", "train"]


__getattr__ = on_first_use(__name__, _HOMES)
