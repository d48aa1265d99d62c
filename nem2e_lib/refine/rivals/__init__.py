"""Rivals of STDR-Net: other methods under the very same folds, with one interface."""

from __future__ import annotations

from nem2e_lib.refine.rivals.curves import Identity, MeanCurve, SpeedCurve
from nem2e_lib.refine.rivals.delay import Delay
from nem2e_lib.refine.rivals.evaluate import evaluate
from nem2e_lib.refine.rivals.linear import partial_least_squares, ridge_all, ridge_own
from nem2e_lib.refine.rivals.protocol import Fitted, Rival, Simulated

__all__ = ["Fitted", "Rival", "Simulated", "classical", "evaluate"]


def classical() -> list[Rival]:
    """Return the rivals without a network, simplest first."""
    return [
        Identity(), MeanCurve(), SpeedCurve(), Delay(), Delay(gain=True), ridge_own(), ridge_all(),
        partial_least_squares(),
    ]  # fmt: skip
