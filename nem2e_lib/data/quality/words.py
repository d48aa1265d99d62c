"""How channels, muscles and cycles that are in doubt are told in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


def some(items: Sequence[str], most: int = 6) -> str:
    """Return the first of some items, and how many more there are."""
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def named(names: Sequence[str], values: NDArray[np.float64], odd: Callable[[float], bool], text: str) -> str:
    """Return the names whose value is odd, each with it as `text` formats it; empty if none is."""
    return ", ".join(
        f"{name!r} ({text.format(value)})" for name, value in zip(names, values.tolist(), strict=True) if odd(value)
    )
