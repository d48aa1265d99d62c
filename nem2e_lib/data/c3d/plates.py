"""Force plates of a C3D recording: the ground's force on the person, where it acts, and the free moment.

After the C3D user guide's plate types (Motion Lab Systems 2021, https://www.c3d.org): 1 gives force, centre of
pressure and free moment; 2 force and moment about the transducers' origin; 3 the eight sensors of a Kistler plate;
4 is 2 with a calibration matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.c3d.recording import PlateGeometry, Recording
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.emg.envelope import low_pass
from nem2e_lib.data.force.baseline import find_zero, zero_of
from nem2e_lib.data.force.plates import CONTACT_N
from nem2e_lib.data.units import metres, newton_metres, newtons
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

CHANNELS = {1: 6, 2: 6, 3: 8, 4: 6}
"""How many analogue channels a plate of each type has."""
LEAST_N = 10.0
"""Below this vertical force the centre of pressure is not defined."""
_INSIDE = 0.5
"""Share of the loaded samples whose centre of pressure must lie on the plate; else its geometry is doubted."""
_MARGIN_M = 0.02
_SIDE_M = (0.1, 8.0)
"""Sides of a plate, of which the longest are those of treadmills and walkways."""
_SQUARE = 0.1
"""Cosine up to which two sides are at right angles, and share of a side by which its opposite may differ."""
_ZERO_N = 5.0
"""A plate whose vertical force is further from 0 while nobody stands on it is set to zero."""
_STEADY_N, _ZERO, _DRIFT = 10.0, 0.25, 0.1
"""Shares of its largest force up to which what it shows is its zero, if that is steady within so many N, and if not."""
_STUCK, _STUCK_S = 0.1, 0.1
"""Share of the samples in which a loaded plate's force may be exactly the same for longer than this."""


@dataclass(frozen=True, eq=False)
class PlateForce:
    """Force of one plate on whoever stands on it, in the laboratory's axes, on the clock of the analogue samples.

    Attributes
    ----------
    number : int
        From 1, as in the file.
    force : float64 array, shape (samples, 3)
        In N; points up under load.
    point : float64 array, shape (samples, 3)
        Centre of pressure on the plate's surface in m; NaN where less than `LEAST_N` press.
    moment : float64 array, shape (samples, 3)
        Free moment about the plate's normal through that point, in N·m; 0 where there is no point.
    corners : float64 array, shape (4, 3)
        In m.
    up : float64 array, shape (3,)
        The plate's normal, away from the ground.
    notes : tuple of str
        What is odd, one sentence each.
    """

    number: int
    force: Array
    point: Array
    moment: Array
    corners: Array
    up: Array
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Wrench:
    """What a plate's channels say: force and moment about the middle of its surface, in its own axes.

    Attributes
    ----------
    number : int
        From 1, as in the file.
    force, moment : float64 arrays, shape (samples, 3)
        In N and N·m, of the ground on the person; its zero taken off.
    corners : float64 array, shape (4, 3)
        In m.
    axes : float64 array, shape (3, 3)
        The plate's x, y and z (into the ground) in the laboratory, as columns.
    rate_hz : float
    notes : tuple of str
        What is odd, one sentence each.
    """

    number: int
    force: Array
    moment: Array
    corners: Array
    axes: Array
    rate_hz: float
    notes: tuple[str, ...]


def plate_forces(recording: Recording, cutoff_hz: float | None = None) -> list[PlateForce]:
    """Return the force of every plate of a recording; none where it has no plates.

    With a cutoff, force and moment are low-passed (zero-phase, order 4) before the centre of pressure is made of them,
    and are 0 while nobody presses.

    Raises
    ------
    Nem2eError
        With all plates that cannot be computed: an unknown type, channels, corners or a calibration that are missing,
        units that are not known.
    """
    found, left_out = wrenches(recording)
    if left_out:
        raise Nem2eError(f"{recording.path}: {'; '.join(left_out)}; export the plates anew.")
    return [pressing(wrench, cutoff_hz) for wrench in found]


def wrenches(recording: Recording) -> tuple[list[Wrench], list[str]]:
    """Return what the plates say that can be computed, and why the others cannot, a clause each."""
    problems = {plate.number: "; ".join(_problems(recording, plate)) for plate in recording.plates}
    found = [_wrench(recording, plate) for plate in recording.plates if not problems[plate.number]]
    return found, [why for why in problems.values() if why]


def pressing(wrench: Wrench, cutoff_hz: float | None = None) -> PlateForce:
    """Return force, centre of pressure and free moment of a plate, low-passed before if a cutoff is given."""
    force, about, axes = wrench.force, wrench.moment, wrench.axes
    if cutoff_hz is not None:
        force, about = (low_pass(each, wrench.rate_hz, cutoff_hz) for each in (force, about))
        force = np.where(np.abs(force[:, 2:]) >= CONTACT_N, force, 0.0)
    places, pressed = _centre(force, about)
    free = about[:, 2] - places[:, 0] * force[:, 1] + places[:, 1] * force[:, 0]
    point = np.where(pressed[:, None], places @ axes.T + wrench.corners.mean(axis=0), np.nan)
    moment = np.where(pressed[:, None], free[:, None] * axes[:, 2], 0.0)
    return PlateForce(wrench.number, force @ axes.T, point, moment, wrench.corners, -axes[:, 2], wrench.notes)


def _centre(force: Array, about: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Centre of pressure in the plate's axes, shape (samples, 3), and where there is one."""
    pressed = np.abs(force[:, 2]) >= LEAST_N
    weight = np.where(pressed, force[:, 2], 1.0)
    return np.column_stack([-about[:, 1] / weight, about[:, 0] / weight, np.zeros(len(weight))]), pressed


def _problems(recording: Recording, plate: PlateGeometry) -> Iterator[str]:
    who = f"force plate {plate.number}"
    if plate.type not in CHANNELS:
        yield f"{who} is of type {plate.type}, but types {', '.join(map(str, CHANNELS))} are known"
        return
    wanted = CHANNELS[plate.type]
    named = plate.channels[:wanted]
    strange = {each + 1 for each in named if not 0 <= each < len(recording.channels)}
    if len(named) < wanted:
        yield f"{who} names {len(named)} channels, but needs {wanted}"
    elif strange:
        yield f"{who} names channel {', '.join(map(str, sorted(strange)))} of {len(recording.channels)}"
    if recording.metre is None:
        yield f"{who} has corners in the unit {recording.unit!r}, but mm, cm, m or in is expected"
    elif why := _no_rectangle(plate.corners * recording.metre):
        yield f"{who} {why}"
    if plate.origin.shape != (3,) or not np.isfinite(plate.origin).all():
        yield f"{who} has no origin"
    if plate.type == 4 and (plate.calibration.shape[:2] != (6, 6) or not np.linalg.det(plate.calibration)):
        yield f"{who} is of type 4 and has no calibration matrix"
    if len(named) == wanted and not strange:
        for unit, names in _by_unit(recording, plate).items():
            if any(_factor(plate.type, place, unit, 1.0) is None for place in names):
                told = ", ".join(names.values())
                yield f"{who} has {told} in {unit!r}, which is no unit of theirs"


def _by_unit(recording: Recording, plate: PlateGeometry) -> dict[str, dict[int, str]]:
    """Names of the plate's channels by their place, for each of their units."""
    found: dict[str, dict[int, str]] = {}
    for place, channel in enumerate(plate.channels[: CHANNELS[plate.type]]):
        found.setdefault(recording.analog_units[channel], {})[place] = recording.channels[channel]
    return found


def _no_rectangle(corners: Array) -> str:
    """Why corners are not a plate's; empty where they are."""
    if corners.shape != (4, 3) or not np.isfinite(corners).all() or not np.ptp(corners, axis=0).any():
        return "has no corners"
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    if not (_SIDE_M[0] <= lengths.min() and lengths.max() <= _SIDE_M[1]):
        return f"has sides of {', '.join(f'{length:.3g}' for length in lengths)} m, which no plate has"
    skew = abs(sides[0] @ sides[1]) / (lengths[0] * lengths[1])
    if skew > _SQUARE or np.linalg.norm(sides[0] + sides[2]) > _SQUARE * lengths[0]:
        return "has corners that are no rectangle, in the order round it"
    return ""


def _factor(kind: int, place: int, unit: str, metre: float) -> float | None:
    """What one of a channel's unit is in N, N·m or m, by its place among those of the plate; None if it is another's.

    A calibration matrix gives N, and moments in N times the unit of the points, of whatever unit its channels have.
    """
    known = _known(kind, place, unit)
    usual = 1.0 if kind == 3 or place < 3 else metre
    return usual if known is None and (kind == 4 or _is_assumed(kind, place, unit)) else known


def _known(kind: int, place: int, unit: str) -> float | None:
    if kind == 3 or place < 3:
        return newtons(unit)
    return metres(unit) if kind == 1 and place < 5 else newton_metres(unit)


def _is_assumed(kind: int, place: int, unit: str) -> bool:
    """Whether the format's own unit stands for one that is missing, or for N, which some give all channels."""
    return not unit.strip() or (place >= 3 and kind != 3 and newtons(unit) is not None)


def _wrench(recording: Recording, plate: PlateGeometry) -> Wrench:
    metre = recording.metre or 1.0
    corners, axes, notes = plate.corners * metre, _axes(plate.corners), list[str]()
    if plate.origin[2] > 0:
        notes.append(f"Plate {plate.number}: its origin lies above the surface; its sign was turned.")
    notes += _assumed_notes(recording, plate)
    index = list(plate.channels[: CHANNELS[plate.type]])
    raw, told = _without_zero(recording, plate, recording.analog[:, index])
    force, about = _about_the_middle(recording, plate, raw, metre)
    load = force[:, 2]
    notes += _places_notes(plate, corners, force, about)
    if np.sum(load[np.abs(load) >= CONTACT_N]) > 0:  # z points into the ground: the person's force on the plate
        force, about = -force, -about
        notes.append(f"Plate {plate.number} gives the person's force on the plate; it was turned.")
    return Wrench(plate.number, force, about, corners, axes, recording.analog_rate_hz, (*notes, *told))


def _axes(corners: Array) -> Array:
    """The plate's x, y and z (into the ground) in the laboratory, as columns; corners run round it from +x +y."""
    x = corners[0] - corners[1] + corners[3] - corners[2]
    y = corners[0] - corners[3] + corners[1] - corners[2]
    z = np.cross(x, y)
    return np.column_stack([each / np.linalg.norm(each) for each in (x, np.cross(z, x), z)])


def _vertical(plate: PlateGeometry, raw: Array) -> Array:
    """The vertical force of a plate's channels, shape (samples,), in their unit."""
    if plate.type == 3:
        return np.asarray(raw[:, 4:8].sum(axis=1), np.float64)
    return np.asarray(raw @ plate.calibration[2, :6] if plate.type == 4 else raw[:, 2], np.float64)


def _without_zero(recording: Recording, plate: PlateGeometry, raw: Array) -> tuple[Array, list[str]]:
    """A plate's channels less what they show while nobody stands on it, where that is much, and what is told of it."""
    scale = 1.0 if plate.type == 4 else newtons(recording.analog_units[plate.channels[2]]) or 1.0
    load = _vertical(plate, raw) * scale
    load = load if load.max(initial=0.0) > -load.min(initial=0.0) else -load
    told = []
    if (stuck := _stuck(load, recording.analog_rate_hz)) > _STUCK:
        told.append(
            f"Plate {plate.number}: its force is loaded and exactly constant in {stuck:.0%} of the samples; its "
            "amplifier was off or at its end."
        )
    zero = find_zero(recording.analog_time, load, CONTACT_N)
    if zero is None or zero.off <= _ZERO_N:
        return raw, told
    if zero.off > load.max() * (_ZERO if zero.high - zero.low <= _STEADY_N else _DRIFT):
        told.append(f"Plate {plate.number}: its zero {zero}, or somebody leans on it; nothing was taken off.")
        return raw, told
    linear = [place for place in range(raw.shape[1]) if not (plate.type == 1 and place in (3, 4))]
    raw = raw.copy()
    for place in linear:
        raw[:, place] -= zero_of(zero, recording.analog_time, raw[:, place])
    return raw, [*told, f"Plate {plate.number}: its zero {zero} while nobody stands on it; it was taken off."]


def _stuck(load: Array, rate_hz: float) -> float:
    """Share of the samples that are loaded and the same as the one before for long."""
    same = (np.diff(load) == 0) & (load[1:] > CONTACT_N)
    return sum(last - first + 1 for first, last in runs(same) if last - first > _STUCK_S * rate_hz) / max(len(load), 1)


def _about_the_middle(recording: Recording, plate: PlateGeometry, raw: Array, metre: float) -> tuple[Array, Array]:
    """Force in N, and moment about the middle of the plate's surface in N·m, in the plate's axes."""
    units = [recording.analog_units[channel] for channel in plate.channels[: raw.shape[1]]]
    factors = [_factor(plate.type, place, unit, metre) or 1.0 for place, unit in enumerate(units)]
    # ORIGIN points from the transducers up to the surface, so that its z is negative; some write the opposite
    origin = np.array(plate.origin) * metre * (-1.0 if plate.origin[2] > 0 else 1.0)
    if plate.type == 4:
        raw = raw @ plate.calibration[:6, :6].T
    raw = raw * np.array(factors)
    if plate.type == 3:
        return _of_sensors(raw, origin)
    force, rest = raw[:, :3], raw[:, 3:]
    if plate.type == 1:
        x, y, free = rest.T
        return force, np.column_stack([y * force[:, 2], -x * force[:, 2], free + x * force[:, 1] - y * force[:, 0]])
    return force, rest + np.cross(force, origin)


def _of_sensors(raw: Array, origin: Array) -> tuple[Array, Array]:
    """Type 3: forces fx12, fx34, fy14, fy23, fz1 to fz4 of sensors at (a, b), (-a, b), (-a, -b) and (a, -b)."""
    a, b, depth = abs(origin[0]), abs(origin[1]), origin[2]
    x12, x34, y14, y23, z1, z2, z3, z4 = raw.T
    force = np.column_stack([x12 + x34, y14 + y23, z1 + z2 + z3 + z4])
    moment = np.column_stack([b * (z1 + z2 - z3 - z4), a * (z2 + z3 - z1 - z4), b * (x34 - x12) + a * (y14 - y23)])
    return force, moment + np.cross(force, [0.0, 0.0, depth])


def _assumed_notes(recording: Recording, plate: PlateGeometry) -> Iterator[str]:
    for unit, names in _by_unit(recording, plate).items():
        assumed = [name for place, name in names.items() if _is_assumed(plate.type, place, unit)]
        if assumed and plate.type != 4:
            yield (
                f"Plate {plate.number}: {', '.join(assumed)} have {f'the unit {unit!r}' if unit else 'no unit'}; N, "
                f"{recording.unit} and N times {recording.unit} were taken."
            )


def _places_notes(plate: PlateGeometry, corners: Array, force: Array, about: Array) -> Iterator[str]:
    places, pressed = _centre(force, about)
    if not pressed.any():
        yield f"Plate {plate.number}: nobody stands on it."
        return
    half = np.array([np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[0] - corners[3])]) / 2
    inside = float((np.abs(places[pressed, :2]) <= half + _MARGIN_M).all(axis=1).mean())
    if inside < _INSIDE:
        yield (
            f"Plate {plate.number}: the centre of pressure lies on it in {inside:.0%} of the loaded samples only; its "
            "units, origin, corners or the baseline of its channels are not right."
        )
