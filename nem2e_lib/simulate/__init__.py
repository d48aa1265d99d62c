"""Simulation with OpenSim, an optional extra: scale, inverse kinematics, residual reduction, muscle control.

The names below are loaded when they are first used, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nem2e_lib.simulate.batch import simulate
    from nem2e_lib.simulate.options import STEPS, Options
    from nem2e_lib.simulate.quality import judge
    from nem2e_lib.simulate.trial import SimulatedTrial, read_trials

_HOMES = {
    "simulate": "batch",
    "STEPS": "options",
    "Options": "options",
    "judge": "quality",
    "SimulatedTrial": "trial",
    "read_trials": "trial",
}

__all__ = ["STEPS", "Options", "SimulatedTrial", "judge", "read_trials", "simulate"]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
