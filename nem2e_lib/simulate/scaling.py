"""Scaling: measurements made from the markers that model and static trial share."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from itertools import combinations, product

from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.tasks import marker_tasks
from nem2e_lib.simulate.xml import Value, node, object_set

Pair = tuple[str, str]
UNMEASURED = "all"
"""Name of the measurement that scales bodies without markers of their own: every pair of the others."""


def measurements(facts: ModelFacts, shared: Sequence[str]) -> dict[str, list[Pair]]:
    """Return body to marker pairs whose distances scale it.

    Pairs on one body do not depend on posture and come first; a body with fewer than two markers is measured from
    its markers to its parent's; a body without any takes all pairs of the others (key `UNMEASURED`).
    """
    on = facts.markers or {}
    of_body = {body: [name for name in shared if on[name] == body] for body in facts.bodies}
    pairs = {body: list(combinations(names, 2)) for body, names in of_body.items()}
    for body, parent in (facts.parents or {}).items():
        if body in pairs and not pairs[body]:
            pairs[body] = list(product(of_body[body], of_body.get(parent, [])))
    return pairs


def measurement_set(facts: ModelFacts, shared: Sequence[str]) -> ET.Element:
    """Return the MeasurementSet of `measurements`; every body is scaled alike along its three axes."""
    pairs = measurements(facts, shared)
    every = [pair for own in pairs.values() for pair in own]
    measured = {body: own or every for body, own in pairs.items()}
    alone = {body: own for body, own in measured.items() if pairs[body]}
    rest = [body for body in measured if not pairs[body]]
    members = [_measurement(body, own, [body]) for body, own in alone.items()]
    return object_set("MeasurementSet", [*members, *([_measurement(UNMEASURED, every, rest)] if rest else [])])


def _measurement(name: str, pairs: Sequence[Pair], bodies: Sequence[str]) -> ET.Element:
    marker_pairs = [node("MarkerPair", {"markers": " ".join(pair)}) for pair in pairs]
    scales = [node("BodyScale", {"axes": "X Y Z"}, body) for body in bodies]
    return node(
        "Measurement",
        {"apply": True},
        name,
        [object_set("MarkerPairSet", marker_pairs), object_set("BodyScaleSet", scales)],
    )


def scale_setup(
    model: str,
    markers: str,
    facts: ModelFacts,
    shared: Sequence[str],
    window: tuple[float, float],
    mass_kg: float | None,
    weights: Mapping[str, float],
) -> ET.Element:
    """Return the set-up of scaling: sizes from marker pairs, mass if known, markers then moved to where they were."""
    scaler: dict[str, Value] = {
        "apply": True,
        "scaling_order": "measurements",
        "MeasurementSet": measurement_set(facts, shared),
        "marker_file": markers,
        "time_range": window,
        "preserve_mass_distribution": True,
        "output_model_file": "results/scaled_before_markers.osim",
        "output_scale_file": "results/scale_factors.xml",
    }
    placer: dict[str, Value] = {
        "apply": True,
        "IKTaskSet": marker_tasks(shared, weights),
        "marker_file": markers,
        "coordinate_file": "",
        "time_range": window,
        "output_motion_file": "results/static.mot",
        "output_model_file": "model_scaled.osim",
        "max_marker_movement": -1.0,
    }
    tool: dict[str, Value] = {
        "mass": mass_kg if mass_kg is not None else facts.mass_kg,
        "height": -1.0,
        "age": -1.0,
        "notes": "",
        "GenericModelMaker": node("GenericModelMaker", {"model_file": model}),
        "ModelScaler": node("ModelScaler", scaler),
        "MarkerPlacer": node("MarkerPlacer", placer),
    }
    return node("ScaleTool", tool, "scale")
