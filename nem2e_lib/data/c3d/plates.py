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

from nem2e_lib.data.c3d.recording import METRES, PlateGeometry, Recording
from nem2e_lib.data.emg.envelope import low_pass
from nem2e_lib.data.force.plates import CONTACT_N
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

CHANNELS = {1: 6, 2: 6, 3: 8, 4: 6}
"""How many analogue channels a plate of each type has."""
LEAST_N = 10.0
"""Below this vertical force the centre of pressure is not defined."""
_FORCES = {"N": 1.0, "kN": 1e3}
_MOMENTS = {"Nm": 1.0, "Nmm": 1e-3, "Ncm": 1e-2, "kNm": 1e3, "kNmm": 1.0}
_INSIDE = 0.5
"""Share of the loaded samples whose centre of pressure must lie on the plate; else its geometry is doubted."""
_MARGIN_M = 0.02


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
    problems = [problem for plate in recording.plates for problem in _problems(recording, plate)]
    if problems:
        raise Nem2eError(f"{recording.path}: {'; '.join(problems)}; export the plates anew, or leave forces out.")
    return [_plate(recording, plate, cutoff_hz) for plate in recording.plates]


def _problems(recording: Recording, plate: PlateGeometry) -> Iterator[str]:
    who = f"force plate {plate.number}"
    if plate.type not in CHANNELS:
        yield f"{who} is of type {plate.type}, but types {', '.join(map(str, CHANNELS))} are known"
        return
    wanted = CHANNELS[plate.type]
    if len(plate.channels) < wanted or max(plate.channels[:wanted]) >= len(recording.channels):
        yield f"{who} names {len(plate.channels)} channels of {len(recording.channels)}, but needs {wanted}"
    if plate.corners.shape != (4, 3) or np.linalg.norm(plate.corners[0] - plate.corners[2]) == 0:
        yield f"{who} has no corners"
    if plate.origin.shape != (3,):
        yield f"{who} has no origin"
    if plate.type == 4 and plate.calibration.shape[:2] != (6, 6):
        yield f"{who} is of type 4 and has no calibration matrix"
    if recording.unit not in METRES:
        yield f"{who} has corners in the unit {recording.unit!r}, but {', '.join(METRES)} is expected"
    for channel in plate.channels[:wanted]:
        unit = _plain(recording.analog_units[channel]) if channel < len(recording.analog_units) else ""
        if unit and unit not in (*_FORCES, *_MOMENTS, *METRES):
            yield f"{who} has channel {recording.channels[channel]!r} in the unit {unit!r}"


def _plain(unit: str) -> str:
    return "".join(letter for letter in unit if letter.isalpha())


def _plate(recording: Recording, plate: PlateGeometry, cutoff_hz: float | None) -> PlateForce:
    metre = METRES[recording.unit]
    corners, axes = plate.corners * metre, _axes(plate.corners)
    force, at_centre = _wrench(recording, plate, metre)
    if cutoff_hz is not None:
        force, at_centre = (low_pass(each, recording.analog_rate_hz, cutoff_hz) for each in (force, at_centre))
        force = np.where(np.abs(force[:, 2:]) >= CONTACT_N, force, 0.0)
    pressed = np.abs(force[:, 2]) >= LEAST_N
    weight = np.where(pressed, force[:, 2], 1.0)
    x, y = -at_centre[:, 1] / weight, at_centre[:, 0] / weight
    free = at_centre[:, 2] - x * force[:, 1] + y * force[:, 0]
    local = np.column_stack([x, y, np.zeros(len(x))])
    point = np.where(pressed[:, None], local @ axes.T + corners.mean(axis=0), np.nan)
    moment = np.where(pressed[:, None], free[:, None] * axes[:, 2], 0.0)
    up, lifted = -axes[:, 2], force @ axes.T
    notes = list(_geometry_notes(plate, corners, axes, local[pressed]))
    loaded = lifted @ up
    if np.sum(loaded[np.abs(loaded) >= LEAST_N]) < 0:  # the person's force on the plate
        lifted, moment = -lifted, -moment
        notes.append(f"Plate {plate.number} gives the person's force on the plate; it was turned.")
    return PlateForce(plate.number, lifted, point, moment, corners, up, tuple(notes))


def _axes(corners: Array) -> Array:
    """The plate's x, y and z (into the ground) in the laboratory, as columns; corners run round it from +x +y."""
    x = corners[0] - corners[1] + corners[3] - corners[2]
    y = corners[0] - corners[3] + corners[1] - corners[2]
    z = np.cross(x, y)
    return np.column_stack([each / np.linalg.norm(each) for each in (x, np.cross(z, x), z)])


def _wrench(recording: Recording, plate: PlateGeometry, metre: float) -> tuple[Array, Array]:
    """Force in N, and moment about the middle of the plate's surface in N·m, in the plate's axes."""
    count = CHANNELS[plate.type]
    index = list(plate.channels[:count])
    raw = recording.analog[:, index]
    units = [_plain(recording.analog_units[channel]) for channel in index]
    # ORIGIN points from the transducers up to the surface, so that its z is negative; some write the opposite
    origin = np.array(plate.origin) * metre * (-1.0 if plate.origin[2] > 0 else 1.0)
    if plate.type == 3:
        return _of_sensors(raw * np.array([_FORCES.get(unit, 1.0) for unit in units]), origin)
    if plate.type == 1:
        force = raw[:, :3] * np.array([_FORCES.get(unit, 1.0) for unit in units[:3]])
        place = raw[:, 3:5] * np.array([METRES.get(unit, metre) for unit in units[3:5]])
        free = raw[:, 5] * _MOMENTS.get(units[5], metre)
        x, y = place.T
        return force, np.column_stack([y * force[:, 2], -x * force[:, 2], free + x * force[:, 1] - y * force[:, 0]])
    if plate.type == 4:
        raw = raw @ plate.calibration[:6, :6].T
    force = raw[:, :3] * np.array([_FORCES.get(unit, 1.0) for unit in units[:3]])
    moment = raw[:, 3:] * np.array([_MOMENTS.get(unit, metre) for unit in units[3:]])
    return force, moment + np.cross(force, origin)


def _of_sensors(raw: Array, origin: Array) -> tuple[Array, Array]:
    """Type 3: forces fx12, fx34, fy14, fy23, fz1 to fz4 of sensors at (a, b), (-a, b), (-a, -b) and (a, -b)."""
    a, b, depth = abs(origin[0]), abs(origin[1]), origin[2]
    x12, x34, y14, y23, z1, z2, z3, z4 = raw.T
    force = np.column_stack([x12 + x34, y14 + y23, z1 + z2 + z3 + z4])
    moment = np.column_stack([b * (z1 + z2 - z3 - z4), a * (z2 + z3 - z1 - z4), b * (x34 - x12) + a * (y14 - y23)])
    return force, moment + np.cross(force, [0.0, 0.0, depth])


def _geometry_notes(plate: PlateGeometry, corners: Array, axes: Array, places: Array) -> Iterator[str]:
    if plate.origin[2] > 0:
        yield f"Plate {plate.number}: its origin lies above the surface; its sign was turned."
    if not len(places):
        yield f"Plate {plate.number}: nobody stands on it."
        return
    half = np.array([np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[0] - corners[3])]) / 2
    inside = float((np.abs(places[:, :2]) <= half + _MARGIN_M).all(axis=1).mean())
    if inside < _INSIDE:
        yield (
            f"Plate {plate.number}: the centre of pressure lies on it in {inside:.0%} of the loaded samples only; its "
            "units, origin, corners or the baseline of its channels are not right."
        )
