"""Rivals of STDR-Net: other methods under the very same folds, with one interface.

A method is added to the leaderboard in three steps:

1. Write it: a frozen dataclass whose fields are its settings, with an id as `name`, ``fit(simulated, measured)`` that
   returns a `Fitted` (`nem2e_lib.rivals.protocol`), and `tuned_on`, which says what of it was chosen on which data. It
   reads `Simulated.inputs`, which has speed and duration where all rivals are told them, and what else `evaluate` is
   asked to give (`nem2e_lib.rivals.inputs`). Methods without a network are
   in `nem2e_lib.rivals.classical`, networks in `nem2e_lib.rivals.networks`, kernel ridge regression in
   `nem2e_lib.rivals.kernel_ridge`.
2. Add it to a list below: of methods without a network, of networks, or of kernels.
3. Say what readers are shown of it: its label, and its colour if it has one of its own, in `METHOD_LABELS` and
   `METHOD_COLOURS` of `nem2e_lib.figures.style`.

The next run of 08_rivals evaluates it and ranks it with all others. It never sees EMG of what is held out, because
``predict`` is given simulation alone.

A method that is to stay in a file of its own joins without any of these: `nem2e_lib.rivals.own.as_rival` makes a rival
of whatever has ``fit`` and ``predict``, of arrays with named dims or a scikit-learn estimator, and ``nem2e leaderboard
STUDY --add my_methods:Method`` ranks it (docs/add_your_method.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nem2e_lib.error import Nem2eError
from nem2e_lib.lazy import on_first_use

if TYPE_CHECKING:
    from nem2e_lib.rivals.auto import Auto
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

_CLASSICAL = (
    "Delay",
    "DelayedRidge",
    "Identity",
    "MeanCurve",
    "PartialLeastSquares",
    "RidgeAll",
    "RidgeOwn",
    "SpeedCurve",
)
_PROTOCOL = ("Fitted", "Keepable", "Rival", "Simulated", "State", "simulated_cycles")
_HOMES = {
    **dict.fromkeys(_CLASSICAL, "classical"),
    **dict.fromkeys(_PROTOCOL, "protocol"),
    **dict.fromkeys(("chosen", "evaluate"), "evaluation"),
    "Auto": "auto",
    "KernelRidge": "kernel_ridge",
    "Network": "networks",
}

__all__ = [
    "Auto",
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
    "slow",
    "why_not_told",
]


__getattr__ = on_first_use(__name__, _HOMES)


def every() -> list[Rival]:
    """Return all rivals, simplest first: linear ones, networks for all muscles at once, kernel ridge regression."""
    return [*_without_network(), *_networks(), *_kernels()]


def _without_network() -> list[Rival]:
    from nem2e_lib.rivals import classical

    return [
        classical.Identity(),
        classical.MeanCurve(),
        classical.SpeedCurve(),
        classical.Delay(),
        classical.Delay(gain=True),
        classical.RidgeOwn(),
        classical.RidgeAll(),
        classical.DelayedRidge(),
        classical.PartialLeastSquares(),
    ]


def _networks() -> list[Rival]:
    from nem2e_lib.rivals.networks import Network

    return [Network("lstm"), Network("transformer"), Network("convolution")]


def _kernels() -> list[Rival]:
    from nem2e_lib.rivals.kernel_ridge import KernelRidge

    return [KernelRidge(heads=0), KernelRidge()]


def _weighed() -> list[Rival]:
    from nem2e_lib.rivals.auto import Auto

    return [Auto()]


def slow(one: Rival) -> bool:
    """Tell whether a rival takes minutes where others take seconds: networks, kernel ridge regression, and `auto`."""
    return one.name in {each.name for each in (*_networks(), *_kernels(), *_weighed())}


def why_not_told(one: Rival) -> str:
    """Say why it makes no difference to a rival whether it is told speed and duration; empty where it may."""
    from nem2e_lib.rivals import classical

    if isinstance(one, classical.SpeedCurve):
        return "has speed by nature"
    without = classical.Identity | classical.MeanCurve | classical.Delay
    return "has no inputs to add it to" if isinstance(one, without) else ""


ALIASES = {"ridge": "ridge_all", "mean_curve_by_speed": "speed_curve"}
"""Other names that people give to rivals."""


def rival(name: str) -> Rival:
    """Return the rival of a name, or of an alias: of the leaderboard, or `auto`, which weighs several of these.

    Raises
    ------
    Nem2eError
        If there is none.
    """
    for some in (_without_network, _weighed, _kernels, _networks):  # JAX is loaded only for what needs it
        for one in some():
            if one.name == ALIASES.get(name, name):
                return one
    known = ", ".join(one.name for one in (*every(), *_weighed()))
    raise Nem2eError(f"rival {name!r} is unknown, expected one of {known}; choose of these.")
