"""Which foot trod on which force plate, from when to when, and why a contact cannot be used.

A foot beside its plate, two feet on one, or a plate that is left long before or after the foot leaves the ground give a
force that is not that foot's; what is computed from it looks as good as any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.c3d.axes import Axes
from nem2e_lib.data.c3d.feet import SIDES, Feet
from nem2e_lib.data.c3d.plates import PlateForce
from nem2e_lib.data.c3d.recording import Recording
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.force.plates import CONTACT_N

Array = NDArray[np.float64]

_SHORTEST_S = 0.1
_EVENT_S = 0.06
"""A plate's first or last moment may be this far from the event of heel strike or foot off."""
_LOW_M, _STILL_M_S = 0.06, 0.3
"""A marker of a foot that is lower and slower stands on the ground; resting height is taken off."""
_BESIDE_M = 0.01
_SHARED = 0.02
"""Share of a contact in which the other foot may stand on the plate."""
_SINGLE_SUPPORT = (0.85, 1.1)
"""Mean force in body weights while the other foot swings."""
_GRAVITY = 9.81
_SHORTEST_CYCLE_S = 0.5
_MISSING_S = 0.3
"""An event of heel strike that comes so much later than the heel marker's is that of a later step: one is missing."""
_HEEL_AHEAD_M, _HEEL_LATE_S = 0.05, 0.034
"""The heel is furthest ahead of the pelvis this long before it strikes (Zeni et al. 2008,
doi:10.1016/j.gaitpost.2007.07.007; the delay as measured on ten children with force plates)."""

COLUMNS = ("plate", "foot", "start_s", "off_s", "next_strike_s", "strike_by", "speed_m_s", "body_weights", "doubts")
"""Columns of the table of contacts; `doubts` is empty for a contact that can be used."""


@dataclass(frozen=True, eq=False)
class Walk:
    """A recording in OpenSim's axes: its markers (m), and its plates' forces (N), points and corners (m)."""

    recording: Recording
    axes: Axes
    feet: Feet
    forces: Sequence[PlateForce]
    mass_kg: float

    def place(self, name: str) -> Array:
        """A marker, shape (frames, 3)."""
        return self.axes.turn(self.recording.metres[:, self.recording.labels.index(name)])

    def events(self, side: str, *words: str) -> Array:
        """Times of a foot's events whose label has all of the words, in s."""
        return np.array(
            [
                event.time_s
                for event in self.recording.events
                if event.context.lower() == side and all(word in event.label.lower() for word in words)
            ]
        )

    def strikes(self, side: str) -> Array:
        """Events of heel strike."""
        return self.events(side, "strike")

    def offs(self, side: str) -> Array:
        """Events of foot off."""
        return self.events(side, "off")


@dataclass(frozen=True, eq=False)
class _Tread:
    """A plate that is trodden on: by which foot (empty where no marker tells), from when to when, with which force."""

    plate: PlateForce
    foot: str
    press: Array
    start: float
    off: float


def find_contacts(walk: Walk) -> pd.DataFrame:
    """Return a row for each time that a plate is trodden on, `COLUMNS`, in the order of time.

    `next_strike_s` is when the same foot strikes again: by the file's events, else on a plate, else by its heel marker;
    missing where none tells. `speed_m_s` is that of the pelvis until then, `body_weights` the mean force of single
    support.
    """
    treads = [tread for plate in walk.forces for tread in _on_plate(walk, plate)]
    table = pd.DataFrame([_contact(walk, tread, treads) for tread in treads], columns=list(COLUMNS))
    return table.sort_values("start_s", kind="stable", ignore_index=True)


def _on_plate(walk: Walk, plate: PlateForce) -> Iterator[_Tread]:
    time, press = walk.recording.analog_time, plate.force @ plate.up
    for first, last in runs(press > CONTACT_N):
        start, off = float(time[first]), float(time[last])
        if off - start >= _SHORTEST_S:
            yield _Tread(plate, _foot(walk, plate, start, off), press, start, off)


def _contact(walk: Walk, tread: _Tread, treads: Sequence[_Tread]) -> dict[str, Any]:
    plate, foot, press, start, off = tread.plate, tread.foot, tread.press, tread.start, tread.off
    doubts: list[str] = []
    after, by = _next_strike(walk, tread, treads)
    weights = _single_support(walk, foot, press, start, off)
    if foot:
        doubts += _against_events(walk, foot, start, off)
        doubts += _beside(walk, plate, foot, start, off)
    else:
        doubts.append("no marker tells the foot")
    if walk.mass_kg > 0 and not _SINGLE_SUPPORT[0] <= weights <= _SINGLE_SUPPORT[1]:
        doubts.append(f"mean force of single support is {weights:.2f} body weights")
    if not by:
        doubts.append("the same foot does not strike again in the recording")
    row = (plate.number, foot, start, off, after, by, _speed(walk, start, after), weights, "; ".join(doubts))
    return dict(zip(COLUMNS, row, strict=True))


def _foot(walk: Walk, plate: PlateForce, start: float, off: float) -> str:
    """The foot whose markers are nearest to where the force acts; empty where none is known."""
    time = walk.recording.time
    rows = np.flatnonzero((time >= start) & (time <= off))
    point = walk.axes.turn(plate.point)
    at = np.column_stack([_between(time[rows], walk.recording.analog_time, point[:, axis]) for axis in (0, 2)])
    away = {}
    for side in SIDES:
        if names := walk.feet.of(side):
            middle = np.nanmean([walk.place(name)[rows][:, [0, 2]] for name in names], axis=0)
            away[side] = float(np.nanmean(np.linalg.norm(middle - at, axis=1)))
    known = {side: distance for side, distance in away.items() if np.isfinite(distance)}
    return min(known, key=known.__getitem__) if len(known) == len(SIDES) else ""


def _between(at: Array, time: Array, values: Array) -> Array:
    known = np.isfinite(values)
    return np.interp(at, time[known], values[known], left=np.nan, right=np.nan)


def _against_events(walk: Walk, foot: str, start: float, off: float) -> Iterator[str]:
    strikes, offs = walk.strikes(foot), walk.offs(foot)
    if len(strikes) and np.abs(strikes - start).min() > _EVENT_S and strikes.min() - _EVENT_S < start:
        yield f"no event of heel strike within {_EVENT_S:g} s of the plate's first load"
    later = offs[offs > start + 0.2]
    if len(later) and abs(late := off - later[0]) > _EVENT_S:
        yield f"the plate is left {late:+.2f} s from foot off"


def _beside(walk: Walk, plate: PlateForce, foot: str, start: float, off: float) -> Iterator[str]:
    other = SIDES[1 - SIDES.index(foot)]
    shared = _standing_on(walk, plate, other, start, off)
    if shared > _SHARED:
        yield f"the {other} foot stands on the plate, too, for {shared:.0%} of the contact"
    over = _overhang(walk, plate, foot, start, off)
    if over > 0:
        yield f"the foot reaches {1e3 * over:.0f} mm over the plate's edge"


def _standing_on(walk: Walk, plate: PlateForce, side: str, start: float, off: float) -> float:
    """Share of the contact in which a marker of that foot is low, still, and over the plate."""
    time = walk.recording.time
    rows = (time >= start) & (time <= off)
    hit = np.zeros(int(rows.sum()), bool)
    for name in walk.feet.of(side):
        place = walk.place(name)
        speed = np.linalg.norm(np.gradient(place, time, axis=0), axis=1)
        standing = (_height(walk, plate, place) < _LOW_M) & (speed < _STILL_M_S)
        hit |= (standing & (_outside(walk, plate, place) <= 2 * _BESIDE_M))[rows]
    return float(hit.mean()) if len(hit) else 0.0


def _overhang(walk: Walk, plate: PlateForce, side: str, start: float, off: float) -> float:
    """How far in m the lowest markers of a foot that stands still lie outside the plate, at the median; 0 if inside."""
    time = walk.recording.time
    rows = (time >= start + 0.05) & (time <= off - 0.1)
    farthest = 0.0
    for names in (walk.feet.heel.get(side, ()), walk.feet.toe.get(side, ()), walk.feet.rest.get(side, ())):
        for name in names:
            place = walk.place(name)
            speed = np.linalg.norm(np.gradient(place, time, axis=0), axis=1)
            standing = rows & (_height(walk, plate, place) < _LOW_M) & (speed < _STILL_M_S)
            if standing.sum() > 2:
                farthest = max(farthest, float(np.median(_outside(walk, plate, place)[standing])))
    return farthest if farthest > _BESIDE_M else 0.0


def _height(walk: Walk, plate: PlateForce, place: Array) -> Array:
    return place[:, 1] - float(walk.axes.turn(plate.corners)[:, 1].mean())


def _outside(walk: Walk, plate: PlateForce, place: Array) -> Array:
    """Distance in m of places from the plate's rectangle, along the ground; 0 on it."""
    corners = walk.axes.turn(plate.corners)[:, [0, 2]]
    away = np.maximum(corners.min(axis=0) - place[:, [0, 2]], place[:, [0, 2]] - corners.max(axis=0))
    return np.maximum(away, 0.0).max(axis=1)


def _single_support(walk: Walk, foot: str, press: Array, start: float, off: float) -> float:
    """Mean force in body weights while the other foot swings: between its events, else in the middle half."""
    if not (walk.mass_kg > 0 and foot):
        return float("nan")
    other, time = SIDES[1 - SIDES.index(foot)], walk.recording.analog_time
    left = walk.offs(other)
    back = walk.strikes(other)
    left, back = left[(left > start) & (left < off)], back[(back > start + 0.2) & (back < off + 0.05)]
    quarter = (off - start) / 4
    first, last = (left[0] + 0.02, back[0] - 0.02) if len(left) and len(back) else (start + quarter, off - quarter)
    return float(press[(time >= first) & (time <= last)].mean() / (walk.mass_kg * _GRAVITY))


def _speed(walk: Walk, start: float, end: float) -> float:
    """How far the back of the pelvis goes along the ground in a second, in m/s; NaN where it is not seen throughout."""
    behind, _ = _pelvis(walk)
    rows = (walk.recording.time >= start) & (walk.recording.time <= end)
    if behind is None or rows.sum() < 2:
        return float("nan")
    steps = np.linalg.norm(np.diff(behind[rows][:, [0, 2]], axis=0), axis=1)
    first, last = walk.recording.time[rows][[0, -1]]
    return float(steps.sum() / (last - first))


def _next_strike(walk: Walk, tread: _Tread, treads: Sequence[_Tread]) -> tuple[float, str]:
    """When the foot strikes again, and what tells it; NaN and nothing where nothing does.

    A plate that it treads on before the next event, or a heel marker that strikes well before it, tell of an event that
    the file lacks.
    """
    if not tread.foot:
        return float("nan"), ""
    soonest = tread.start + _SHORTEST_CYCLE_S
    on_plates = np.sort([each.start for each in treads if each.foot == tread.foot])
    found = {"event": walk.strikes(tread.foot), "plate": on_plates, "heel marker": heel_strikes(walk, tread.foot)}
    first = {by: float(times[times > soonest].min()) for by, times in found.items() if (times > soonest).any()}
    if "event" in first and first["event"] > first.get("plate", np.inf) + _EVENT_S:
        del first["event"]
    if "event" in first and first["event"] > first.get("heel marker", np.inf) + _MISSING_S:
        del first["event"]
    return next(((first[by], by) for by in found if by in first), (float("nan"), ""))


def heel_strikes(walk: Walk, side: str) -> Array:
    """Return heel strikes in s by the heel marker: where it is furthest ahead of the pelvis (Zeni et al. 2008).

    The pelvis is the middle of its markers (ASI, PSI, SACR and the like), and ahead is where it faces, so that a person
    who turns is followed. Empty where a marker is missing.
    """
    pelvis, facing = _pelvis(walk)
    heels = walk.feet.heel.get(side, ())
    if pelvis is None or facing is None or not heels:
        return np.empty(0)
    time, heel = walk.recording.time, np.mean([walk.place(name) for name in heels], axis=0)
    ahead = ((heel - pelvis)[:, [0, 2]] * facing).sum(axis=1)
    found = [
        time[row] + _HEEL_LATE_S
        for row in range(3, len(time) - 3)
        if np.isfinite(near := ahead[row - 3 : row + 4]).all() and near.argmax() == 3 and near[3] > _HEEL_AHEAD_M
    ]
    return np.array(found)


def _pelvis(walk: Walk) -> tuple[Array | None, Array | None]:
    """The back of the pelvis, shape (frames, 3), and where the pelvis faces along the ground, shape (frames, 2)."""
    plain = {label.rpartition(":")[2].upper(): label for label in walk.recording.markers}
    front = [plain[name] for name in ("RASI", "LASI", "RASIS", "LASIS", "R.ASIS", "L.ASIS") if name in plain]
    back = [plain[n] for n in ("SACR", "RPSI", "LPSI", "RPSIS", "LPSIS", "V.SACRAL", "SACRUM") if n in plain]
    if len(front) < 2 or not back:
        return None, None
    behind = np.mean([walk.place(name) for name in back], axis=0)
    way = (np.mean([walk.place(name) for name in front], axis=0) - behind)[:, [0, 2]]
    return behind, way / np.linalg.norm(way, axis=1, keepdims=True)
