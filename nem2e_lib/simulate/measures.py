"""Facts that quality is judged by and only OpenSim knows, left in the trial's folder as ``facts.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from nem2e_lib.data.files import write_text
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.simulate.actuators import residual_names
from nem2e_lib.simulate.feet import Posture
from nem2e_lib.simulate.prepare import Workplace

FACTS = "facts.json"
_LOOKS = 25


def write_measures(place: Workplace, steps: Sequence[str]) -> None:
    """Write names of muscles and residuals, mass, height of the mass centre and violation of constraints."""
    facts = place.facts
    forces, moments = residual_names(facts)
    content = {
        "steps": list(steps),
        "model": facts.name,
        "mass_kg": facts.mass_kg,
        "muscles": list(facts.muscles),
        "rotational": [each.name for each in facts.coordinates if each.rotational],
        "muscled": [each.name for each in facts.coordinates if each.muscled],
        "residual_forces": forces,
        "residual_moments": moments,
        "constraints": list(facts.constraints),
        "asked": place.asked,
        "window": place.window,
        "notes": place.notes,
        **(_of_posture(place) if place.motion is not None else {}),
    }
    write_text(place.folder / FACTS, json.dumps(content, indent=1) + "\n")


def _of_posture(place: Workplace) -> dict[str, float]:
    motion = _in_degrees(read_storage(place.needs_motion()), place)
    rows = np.flatnonzero((motion.time >= place.window[0]) & (motion.time <= place.window[1]))
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, _LOOKS).astype(int))]
    posture = Posture(place.model, motion)
    heights = [posture.mass_centre(int(row))[1] for row in rows]
    apart = [posture.moved_by_constraints(int(row)) for row in rows] if place.facts.constraints else [0.0]
    return {"mass_centre_height_m": float(np.mean(heights)), "constraint_violation": float(np.max(apart))}


def _in_degrees(storage: Storage, place: Workplace) -> Storage:
    """Only coordinates, angles in degrees; results of residual reduction say so in their header."""
    names = tuple(name for name in place.facts.names if name in storage.labels)
    values = np.column_stack([storage.column(name) for name in names])
    if not storage.in_degrees:
        turning = {each.name for each in place.facts.coordinates if each.rotational}
        values = np.where([name in turning for name in names], np.rad2deg(values), values)
    return Storage(storage.name, names, storage.time, values, True)
