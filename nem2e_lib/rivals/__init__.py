"""Rivals of STDR-Net: other methods under the very same folds, with one interface."""

from __future__ import annotations

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.classical import (
    Delay,
    Identity,
    MeanCurve,
    SpeedCurve,
    partial_least_squares,
    ridge_all,
    ridge_own,
)
from nem2e_lib.rivals.evaluate import evaluate
from nem2e_lib.rivals.lag_attention import LagAttention
from nem2e_lib.rivals.networks import Network
from nem2e_lib.rivals.protocol import Fitted, Rival, Simulated

__all__ = [
    "Fitted",
    "LagAttention",
    "Network",
    "Rival",
    "Simulated",
    "classical",
    "evaluate",
    "every",
    "networks",
    "rival",
]


def classical() -> list[Rival]:
    """Return the rivals without a network, simplest first."""
    return [
        Identity(),
        MeanCurve(),
        SpeedCurve(),
        Delay(),
        Delay(gain=True),
        ridge_own(),
        ridge_all(),
        partial_least_squares(),
    ]


def networks() -> list[Rival]:
    """Return the rivals that are trained by gradient descent on all muscles at once."""
    return [Network("lstm"), Network("transformer"), Network("convolution")]


def every() -> list[Rival]:
    """Return all rivals, lag attention last."""
    return [*classical(), *networks(), LagAttention()]


def rival(name: str) -> Rival:
    """Return the rival of a name.

    Raises
    ------
    Nem2eError
        If there is none.
    """
    known = {one.name: one for one in every()}
    if name not in known:
        raise Nem2eError(f"rival {name!r} is unknown, expected one of {', '.join(known)}; choose of these.")
    return known[name]
