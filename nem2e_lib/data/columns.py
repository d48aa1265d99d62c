"""Which columns of an OpenSim file are muscles, and which are vertical ground reaction force."""

from __future__ import annotations

import re
from collections.abc import Sequence

_STATE = re.compile(r"(?:^|.*/)([^/]+)[./|]activation")
_NO_MUSCLE = re.compile(r"reserve|residual|torque|lambda_|^[FM][XYZ]$", re.IGNORECASE)
_VERTICAL = (
    ("ground_force_vy", "l_ground_force_vy"),
    ("ground_force_vy", "1_ground_force_vy"),
    ("R_ground_force_vy", "L_ground_force_vy"),
    ("r_ground_force_vy", "l_ground_force_vy"),
    ("ground_force_r_vy", "ground_force_l_vy"),
    ("ground_force_right_vy", "ground_force_left_vy"),
    ("ground_force_vy_r", "ground_force_vy_l"),
)


def muscle_name(label: str) -> str:
    """Return the name of the muscle in a column label.

    ``soleus_r``, ``soleus_r.activation`` and ``/forceset/soleus_r/activation`` are all ``soleus_r``; so is
    ``/forceset/soleus_r``.
    """
    state = _STATE.fullmatch(label)
    return state.group(1) if state else label.rsplit("/", 1)[-1] or label


def is_state(label: str) -> bool:
    """Whether a label is an activation among states, as ``soleus_r.activation`` and ``…/activation`` are."""
    return _STATE.fullmatch(label) is not None


def muscle_columns(labels: Sequence[str]) -> list[str]:
    """Return the labels that are activations.

    In a file of states (any label ends in ``activation``) only those; else every column but reserves,
    residuals (``FX`` … ``MZ``), torque actuators and constraint multipliers.
    """
    states = [label for label in labels if is_state(label)]
    return states or [label for label in labels if not _NO_MUSCLE.search(label.rsplit("/", 1)[-1])]


def vertical_columns(labels: Sequence[str]) -> tuple[str, str] | None:
    """Return the labels (right, left) of vertical ground reaction force under the names in common use, or None."""
    return next((pair for pair in _VERTICAL if set(pair) <= set(labels)), None)
