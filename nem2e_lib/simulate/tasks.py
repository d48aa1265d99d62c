"""Tracking tasks made for a model: which coordinates to follow, and how closely."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from nem2e_lib.simulate.facts import Coordinate, ModelFacts
from nem2e_lib.simulate.xml import Value, node, object_set

KP, KV = 100.0, 20.0
"""Gains of the tracking errors and their rates, critically damped: kv = 2·sqrt(kp) (Thelen & Anderson 2006,
doi:10.1016/j.jbiomech.2005.02.010)."""


REDUCTION_WEIGHT = 10.0
"""Weight of every coordinate in residual reduction. Measured on running at 2 m/s with the optimal forces of
`actuators.RESIDUAL_COST`: weight 1 lets the pelvis tilt by 9 degrees, 100 leaves residuals of 80 N, 10 keeps
1.2 degrees, 1.5 cm and 21 N."""


def tracking_tasks(facts: ModelFacts, weights: Mapping[str, float] | None = None, default: float = 1.0) -> ET.Element:
    """Return a CMC_TaskSet that follows every free coordinate.

    Parameters
    ----------
    weights : mapping, optional
        Coordinate to weight, `default` where it names none.
    """
    chosen = weights or {}
    return object_set("CMC_TaskSet", [_task(each, chosen.get(each.name, default)) for each in facts.free], name="tasks")


def _task(coordinate: Coordinate, weight: float) -> ET.Element:
    values: dict[str, Value] = {
        "on": True,
        "weight": [weight, 1.0, 1.0],
        "active": [True, False, False],
        "kp": [KP, 1.0, 1.0],
        "kv": [KV, 1.0, 1.0],
        "ka": [1.0, 1.0, 1.0],
        "coordinate": coordinate.name,
        "limit": 0.0,
    }
    return node("CMC_Joint", values, coordinate.name)


def marker_tasks(markers: Sequence[str], weights: Mapping[str, float] | None = None) -> ET.Element:
    """Return an IKTaskSet that follows the markers, with weight 1 where `weights` names none."""
    chosen = weights or {}
    return object_set(
        "IKTaskSet",
        [node("IKMarkerTask", {"apply": True, "weight": chosen.get(name, 1.0)}, name) for name in markers],
        name="tasks",
    )
