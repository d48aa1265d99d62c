"""Refiners that are kept: trained once, saved with all that is known of them, applied to recordings without EMG."""

from __future__ import annotations

from nem2e_lib.refiner.refiner import Refiner
from nem2e_lib.refiner.training import train

__all__ = ["Refiner", "train"]
