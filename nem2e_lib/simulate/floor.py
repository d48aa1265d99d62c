"""When a foot stands on floor without a force plate, which no force file shows.

Residuals then carry what the floor does: they and that leg's muscles are wrong, those of the other leg are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.force.plates import CONTACT_N
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.simulate.facts import ModelFacts
from nem2e_lib.simulate.legs import Leg, find_legs
from nem2e_lib.simulate.loads import DOCUMENT, Load, loads_in
from nem2e_lib.simulate.posture import Posture
from nem2e_lib.simulate.prepare import Workplace

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Span = tuple[float, float]

LOW_M, STILL_M_S = 0.04, 0.3
"""A point of a foot that is no higher above its lowest, and slower, stands; the belt of a treadmill is faster."""
ROLLING_M_S = 0.8
"""So slow is a low foot that rolls off."""
SHORTEST_S = 0.1
"""What is still for less is the end of a step on a plate, or a foot that turns round in the air."""
_INSIDE_S = 0.025
"""Of what was asked for; a cycle is simulated a little beyond the strike that ends it."""
AROUND_S = 0.1
"""Before it is still, and after, a foot that stands on bare floor carries load, too."""
_RATE_HZ = 100.0
_REACH_S = 0.02
_LOWEST = 0.05


@dataclass(frozen=True)
class Ground:
    """How a foot meets the ground while results are asked for.

    Attributes
    ----------
    bare : tuple of (start, end) in s
        When it stands on floor without a plate.
    ground_s : float
        How long it is on the ground at all, s.
    """

    bare: tuple[Span, ...]
    ground_s: float

    @property
    def share(self) -> float:
        """Share of its time on the ground that it is on bare floor; 0 where it never is on the ground."""
        return sum(end - start for start, end in self.bare) / self.ground_s if self.ground_s > 0 else 0.0

    @property
    def told(self) -> str:
        """When, in words: ``2.61 to 3.05 s``; empty for never."""
        return spans_told(self.bare)


def spans_told(spans: Sequence[Span]) -> str:
    """Return spans of time in words."""
    return ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in spans)


def bare_floor(place: Workplace, motion: Storage) -> dict[str, Ground]:
    """Return how each foot of a trial meets the ground, side to `Ground`; what the user should know goes to the notes.

    Empty where it cannot be told: no forces are given, the model's feet are not known, or its pelvis is held in place.

    Parameters
    ----------
    motion : Storage
        Coordinates of the model, angles in degrees.
    """
    loads, legs = loads_in(place.inputs / DOCUMENT), find_legs(place.facts)
    if not loads or not legs:
        return {}
    if not travels(place.facts, motion):
        place.notes.append(
            "The motion holds the pelvis in place, so that it cannot be told whether a foot stands on floor without a "
            "plate."
        )
        return {}
    found = meet_ground(place, motion, legs, loads)
    for side, ground in found.items():
        if ground.bare:
            other = {"right": "left", "left": "right"}[side]
            place.notes.append(
                f"The {side} foot stands on floor without a plate ({ground.told}): residuals and muscles of the "
                f"{side} leg are wrong then, those of the {other} leg are not touched."
            )
    return found


def travels(facts: ModelFacts, motion: Storage) -> bool:
    """Whether a motion moves the pelvis: at least two of its translations are free, and not at one value throughout."""
    along = [each.name for each in facts.free if each.root and not each.rotational and each.name in motion.labels]
    return sum(bool(np.ptp(motion.column(name)) > 0) for name in along) >= 2


def meet_ground(place: Workplace, motion: Storage, legs: Mapping[str, Leg], loads: Sequence[Load]) -> dict[str, Ground]:
    """Look at the feet over what was asked for, `_RATE_HZ` times a second."""
    start = max(place.asked[0] - AROUND_S, float(motion.time[0]))
    end = min(place.asked[1] + AROUND_S, float(motion.time[-1]))
    time = np.linspace(start, end, max(2, round((end - start) * _RATE_HZ) + 1))
    values = np.column_stack([np.interp(time, motion.time, column) for column in motion.values.T])
    posture = Posture(place.model, Storage(motion.name, motion.labels, time, values, True))
    points = {side: np.array([posture.points(row, leg.foot) for row in range(len(time))]) for side, leg in legs.items()}
    stands = standing(time, points)
    return {
        side: ground_of(time, stands[side], loaded(time, leg.foot, loads), place.asked) for side, leg in legs.items()
    }


@dataclass(frozen=True, eq=False)
class Stands:
    """When a foot is on the ground, flags of shape (rows,): `still` for sure, `maybe` also while it rolls off."""

    still: Flags
    maybe: Flags


def standing(time: Array, points: Mapping[str, Array]) -> dict[str, Stands]:
    """Return when each foot stands: one of its points is low, and slow.

    Parameters
    ----------
    time : shape (rows,), s
    points : mapping
        Side to places of points of that foot, shape (rows, points, 3), m, y up; the feet have the same points, and low
        is what is near the lowest that a point gets on either foot.
    """
    names = list(points)
    alike = len({points[side].shape for side in names}) == 1
    found = {}
    for side in names:
        heights = np.concatenate([points[each][:, :, 1] for each in (names if alike else [side])])
        low = points[side][:, :, 1] < np.quantile(heights, _LOWEST, axis=0) + LOW_M
        speed = _speed(time, points[side])
        still, maybe = ((low & (speed < limit)).any(axis=1) for limit in (STILL_M_S, ROLLING_M_S))
        found[side] = Stands(still, maybe)
    return found


def _speed(time: Array, places: Array) -> Array:
    """Speed in m/s over `_REACH_S` to both sides, shape (rows, points): noise of single frames counts less."""
    reach = max(1, round(_REACH_S / float(np.median(np.diff(time)))))
    rows = np.arange(len(time))
    before, after = np.maximum(rows - reach, 0), np.minimum(rows + reach, len(time) - 1)
    way = np.linalg.norm(places[after] - places[before], axis=2)
    return np.asarray(way / (time[after] - time[before])[:, None])


def loaded(time: Array, foot: Sequence[str], loads: Sequence[Load]) -> Flags:
    """Return when forces act on the bodies of a foot, shape (rows,)."""
    on_foot = [load for load in loads if load.body in foot]
    force = [np.interp(time, load.time, load.size, left=0.0, right=0.0) for load in on_foot]
    return np.asarray(np.sum(force, axis=0) > CONTACT_N) if force else np.zeros(len(time), bool)


def ground_of(time: Array, stands: Stands, under: Flags, asked: Span) -> Ground:
    """Return spans of bare floor within what was asked for: from when the foot is still until it is off, without force.

    Each has to be still for `SHORTEST_S`, and to last `_INSIDE_S` in what was asked for.
    """
    step = float(np.median(np.diff(time)))
    still = [first for first, last in runs(stands.still & ~under) if time[last] - time[first] >= SHORTEST_S - step / 2]
    spans = []
    for first, last in runs(stands.maybe & ~under):
        if begins := [row for row in still if first <= row <= last]:
            spans.append((float(time[begins[0]]), float(time[last])))
    inside = [(max(start, asked[0]), min(end, asked[1])) for start, end in spans]
    kept = tuple((round(start, 4), round(end, 4)) for start, end in inside if end - start >= _INSIDE_S)
    within = (time >= asked[0] - step / 2) & (time <= asked[1] + step / 2)
    return Ground(kept, round(float(((stands.maybe | under) & within).sum() * step), 4))


def around(spans: Sequence[Span]) -> list[Span]:
    """Return spans with `AROUND_S` to both sides."""
    return [(start - AROUND_S, end + AROUND_S) for start, end in spans]
