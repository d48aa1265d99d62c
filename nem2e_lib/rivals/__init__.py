"""Rivals of STDR-Net: other methods under the very same folds, with one interface.

A method is added to the leaderboard in three steps:

1. Write it: a frozen dataclass whose fields are its settings, with an id as `name`, ``fit(simulated, measured)`` that
   returns a `Fitted` (`nem2e_lib.rivals.protocol`), and `tuned_on`, which says what of it was chosen on which data. It
   reads `Simulated.inputs`, which has speed and duration where all rivals are told them, and what else `evaluate` is
   asked to give (`nem2e_lib.rivals.inputs`). Methods without a network are
   in `nem2e_lib.rivals.classical`, networks in `nem2e_lib.rivals.networks`, kernel ridge regression in
   `nem2e_lib.rivals.kernel_ridge`.
2. Add it to the list in `every`, below.
3. Say what readers are shown of it: its label, and its colour if it has one of its own, in `METHOD_LABELS` and
   `METHOD_COLOURS` of `nem2e_lib.figures.style`.

The next run of 08_rivals evaluates it and ranks it with all others. It never sees EMG of what is held out, because
``predict`` is given simulation alone.
"""

from __future__ import annotations

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.classical import (
    Delay,
    DelayedRidge,
    Identity,
    MeanCurve,
    PartialLeastSquares,
    RidgeAll,
    RidgeOwn,
    SpeedCurve,
)
from nem2e_lib.rivals.evaluation import chosen, evaluate
from nem2e_lib.rivals.kernel_ridge import KernelRidge
from nem2e_lib.rivals.networks import Network
from nem2e_lib.rivals.protocol import Fitted, Keepable, Rival, Simulated, State, simulated_cycles

__all__ = [
    "Delay",
    "DelayedRidge",
    "Fitted",
    "Identity",
    "Keepable",
    "KernelRidge",
    "MeanCurve",
    "Network",
    "PartialLeastSquares",
    "RidgeAll",
    "RidgeOwn",
    "Rival",
    "Simulated",
    "SpeedCurve",
    "State",
    "chosen",
    "evaluate",
    "every",
    "rival",
    "simulated_cycles",
    "why_not_told",
]


def every() -> list[Rival]:
    """Return all rivals, simplest first: linear ones, networks for all muscles at once, kernel ridge regression."""
    return [
        Identity(),
        MeanCurve(),
        SpeedCurve(),
        Delay(),
        Delay(gain=True),
        RidgeOwn(),
        RidgeAll(),
        DelayedRidge(),
        PartialLeastSquares(),
        Network("lstm"),
        Network("transformer"),
        Network("convolution"),
        KernelRidge(heads=0),
        KernelRidge(),
    ]


def why_not_told(one: Rival) -> str:
    """Say why it makes no difference to a rival whether it is told speed and duration; empty where it may."""
    if isinstance(one, SpeedCurve):
        return "has speed by nature"
    return "has no inputs to add it to" if isinstance(one, Identity | MeanCurve | Delay) else ""


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
