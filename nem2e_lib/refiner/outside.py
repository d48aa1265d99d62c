"""What is told of cycles that lie far from those that a refiner was trained on (`nem2e_lib.refiner.reach`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import reach
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.reach import Distances, Limits, Reach
from nem2e_lib.refiner.spans import Span

DISTANCE, OUTSIDE = "distance", "outside_training"
"""Columns: how far a cycle lies from training, and 1 where that is outside, 0 elsewhere."""
MOST = 3
"""Muscles that are named."""


def reach_of(manifest: Manifest) -> Reach | None:
    """Return what a manifest tells of training; None where it does not, as of refiners that were made before it did.

    Raises
    ------
    Nem2eError
        If it is damaged.
    """
    if manifest.reach is None:
        return None
    curves = [(each.mean, each.spread) for each in manifest.inputs]
    if {len(curve) for both in curves for curve in both} != {manifest.cycle.samples}:
        raise Nem2eError(
            f"refiner of study {manifest.origin.study}: the mean curves of its inputs have other than "
            f"{manifest.cycle.samples} samples; get the file anew."
        )
    mean, spread = (np.array(each, np.float64).T for each in zip(*curves, strict=True))
    limits = manifest.reach.limits
    numbers = [*limits.values(), manifest.reach.seconds, *spread.ravel().tolist()]
    if not (
        {reach.MUSCLE, reach.DURATION} <= set(limits) <= set(reach.MEASURES)
        and np.isfinite(mean).all()
        and all(math.isfinite(each) and each > 0 for each in numbers)
    ):
        raise Nem2eError(
            f"refiner of study {manifest.origin.study}: spread and limits of its training are no positive numbers of "
            "known measures; get the file anew."
        )
    return Reach(mean, spread, manifest.reach)


def distances(manifest: Manifest, cycles: xr.Dataset, spans: Sequence[Span]) -> Distances | None:
    """Return how far cycles lie from training; None where the refiner does not tell.

    Parameters
    ----------
    manifest
        Of the refiner.
    cycles
        Activation of the refined cycles, muscles in the refiner's order.
    spans
        The same cycles.
    """
    own = reach_of(manifest)
    if own is None:
        return None
    activation = cycles.activation.transpose("cycle", "sample", "muscle").values
    return own.distances(activation, np.array([span.end_s - span.start_s for span in spans]))


def note(manifest: Manifest, spans: Sequence[Span], found: Distances) -> Iterator[str]:
    """Tell of cycles outside training: how many, the farthest with its number, why, and the muscles that depart most.

    Parameters
    ----------
    manifest
        Of the refiner.
    spans
        The refined cycles, as in `found`.
    """
    limits = manifest.reach
    count = int(found.outside.sum())
    if not count or limits is None:
        return
    worst = int(found.total.argmax())
    alarms = f" ({limits.alarms})" if limits.alarms else ""
    yield (
        f"{count} of {len(spans)} cycles lie outside training, farthest cycle {spans[worst].number} with a distance of "
        f"{found.total[worst]:.2f}, where {limits.one}{alarms}: {why(manifest, spans[worst], found, worst)}; muscles "
        f"that depart most are {_most(manifest, found, worst)}. Curves of these cycles are marked ({OUTSIDE}), and the "
        "held-out error does not hold for them."
    )


def why(manifest: Manifest, span: Span, found: Distances, cycle: int) -> str:
    """Say in words by what a cycle is farthest, with its size and its limit."""
    limits = manifest.reach
    assert limits is not None
    name = found.foremost(cycle)
    size, limit = found.measures[cycle][reach.MEASURES.index(name)], limits.limits[name]
    ratio, factor = math.exp(size), f"limit {math.exp(limit):.3g} times more or less"
    muscle = manifest.muscles[int(found.muscles[cycle].argmax())]
    side = "later" if size > 0 else "earlier"
    texts = {
        reach.PATTERN: f"its curves depart by {size:.3g} SD of training, all muscles together (limit {limit:.3g})",
        reach.MUSCLE: f"{muscle} departs by {size:.3g} SD of training (limit of any muscle {limit:.3g})",
        reach.AMPLITUDE: f"it is {ratio:.3g} times as active as training ({factor})",
        reach.TIMING: f"its muscles are {abs(size):.3g} % of the cycle {side} (limit {limit:.3g} %)",
        reach.ROUGHNESS: f"its curves bend {ratio:.3g} times as much as those of training ({factor})",
        reach.DURATION: f"it lasts {span.end_s - span.start_s:.3g} s, in training {limits.seconds:.3g} s ({factor})",
    }
    return texts[name]


def _most(manifest: Manifest, found: Distances, cycle: int) -> str:
    order = np.argsort(-found.muscles[cycle], kind="stable")[:MOST]
    named = [f"{manifest.muscles[row]} ({found.muscles[cycle][row]:.1f} SD)" for row in order.tolist()]
    return ", ".join(named)


def said(limits: Limits, found: Distances) -> str:
    """Return how far the cycles of a recording lie, in a sentence without a full stop."""
    low, high = found.total.min(), found.total.max()
    span = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    return f"distance to training {span}; {limits.one}"


def facts(manifest: Manifest, found: Distances) -> dict[str, Any]:
    """Return what a program may want to know, ready for JSON: limits, and each measure and muscle, a number a cycle."""
    limits = manifest.reach
    assert limits is not None
    judged = {name: row for row, name in enumerate(reach.MEASURES) if name in limits.limits}
    return {
        "distance": found.total.tolist(),
        "one": limits.one,
        "left_out": {"unit": limits.unit, "units": limits.units, "beyond": limits.beyond},
        "limits": limits.limits,
        "measures": {name: found.measures[:, row].tolist() for name, row in judged.items()},
        "muscles": {name: found.muscles[:, row].tolist() for row, name in enumerate(manifest.muscles)},
    }
