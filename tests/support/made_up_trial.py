"""A made-up motion and made-up forces of two feet."""

from __future__ import annotations

import numpy as np

from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.simulate.facts import ModelFacts

WEIGHT_N = 700.0
MARGIN = np.linspace(0.0, 1.0, 201)


def motion_storage(facts: ModelFacts, amplitude: float = 30.0, degrees: bool = True) -> Storage:
    """A motion of one second at 100 Hz: angles swing, translations are small."""
    time = np.linspace(0.0, 1.0, 101)
    sizes = [amplitude if each.rotational else 0.1 for each in facts.coordinates]
    columns = [size * np.sin(2 * np.pi * time + k) for k, size in enumerate(sizes)]
    return Storage("walk", facts.names, time, np.column_stack(columns), degrees)


def force_storage(prefixes: tuple[str, str] = ("R_", "L_"), start: float = 0.0) -> Storage:
    """Forces of two plates at 200 Hz, the right one loaded in the first half, the left one in the second."""
    time = start + MARGIN
    labels, columns = [], []
    for prefix, loaded in zip(prefixes, (MARGIN < 0.5, MARGIN >= 0.5), strict=True):
        for kind, axes in (("force_v", (0.05, 1.0, 0.01)), ("force_p", (0.1, 0.0, 0.2)), ("torque_", (0.0, 0.01, 0.0))):
            scale = WEIGHT_N if kind != "force_p" else 1.0
            for axis, share in zip("xyz", axes, strict=True):
                labels.append(f"{prefix}ground_{kind}{axis}")
                columns.append(np.where(loaded, share * scale, 0.0))
    return Storage("forces", tuple(labels), time, np.column_stack(columns))
