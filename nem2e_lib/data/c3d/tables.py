"""What a C3D recording holds as tables that OpenSim reads: markers, forces of plates, and analogue channels.

All stand on the recording's own clock, whose 0 is the first frame of the capture and not of the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from nem2e_lib.data.c3d.axes import Axes, find_axes
from nem2e_lib.data.c3d.feet import find_feet
from nem2e_lib.data.c3d.plates import PlateForce, pressing, wrenches
from nem2e_lib.data.c3d.recording import Recording
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.markers.trc import Markers
from nem2e_lib.data.muscles import meaning
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.units import volts
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

CUTOFF_HZ = 20.0
"""Low-pass of plates' forces and moments before the centre of pressure is made of them."""
BRIDGED_S = 0.2
"""Gaps of a marker up to this long are bridged by a cubic spline; longer ones stay blank."""
FORMAT = "C3D"
"""What the metadata of a table say of where it comes from."""
_WHOLE = 0.9
"""A frame counts if this share of the markers is seen; before the first and after the last such one is left out."""


def plate_channels(recording: Recording) -> frozenset[str]:
    """Return the names of analogue channels that are a force plate's."""
    return frozenset(
        recording.channels[place]
        for plate in recording.plates
        for place in plate.channels
        if place < len(recording.channels)
    )


def emg_channels(recording: Recording) -> list[str]:
    """Return the analogue channels that are no force plate's and whose name or unit may be EMG's."""
    plates = plate_channels(recording)
    return [
        name
        for name, unit in zip(recording.channels, recording.analog_units, strict=True)
        if name not in plates and (volts(unit) is not None or meaning(name)[0])
    ]


def channel_table(recording: Recording, names: Mapping[str, str] | Sequence[str]) -> Storage:
    """Return analogue channels as they are, under their names or others; `exports.channels.units` tells their units."""
    labels = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
    values = np.column_stack([recording.channel(name) for name in labels])
    given = {label: recording.analog_units[recording.channels.index(name)].strip() for name, label in labels.items()}
    metadata = {"format": FORMAT, "rate_hz": f"{recording.analog_rate_hz:g}"}
    if all(given.values()):
        metadata["units"] = json.dumps(given, ensure_ascii=False)
    return Storage(recording.path.stem, tuple(labels.values()), recording.analog_time, values, metadata=metadata)


def in_volts(recording: Recording, table: Storage, names: Sequence[str]) -> tuple[Storage, list[str]]:
    """Return a table of channels in V, so that recordings agree, and what is told of their units.

    A channel in a unit of no voltage, or in none, stays as it is.

    Parameters
    ----------
    names
        Of the table's columns in the recording, in the same order.
    """
    given = [recording.analog_units[recording.channels.index(name)].strip() for name in names]
    factors = [volts(unit) for unit in given]
    told = []
    for unit in dict.fromkeys(given):
        those, factor = ", ".join(name for name, own in zip(names, given, strict=True) if own == unit), volts(unit)
        if factor is None:
            told.append(f"EMG of {those} has {f'the unit {unit!r}' if unit else 'no unit'}; it stays as it is.")
        elif factor != 1.0:
            told.append(f"EMG of {those} is in {unit}; it was written in V.")
    values = table.values * np.array([factor or 1.0 for factor in factors])
    units = {label: "V" if factor else unit for label, factor, unit in zip(table.labels, factors, given, strict=True)}
    kept = {"units": json.dumps(units, ensure_ascii=False)} if all(given) else {}
    return replace(table, values=values, metadata={**table.metadata, **kept}), told


def force_table(recording: Recording, forces: Sequence[PlateForce], axes: Axes, name: str) -> Storage:
    """Return the ground's force, its place and the free moment of every plate in OpenSim's axes and names."""
    labels: list[str] = []
    columns: list[Array] = []
    for plate in forces:
        turned = (axes.turn(part) for part in (plate.force, np.nan_to_num(plate.point), plate.moment))
        for kind, values in zip(("force_v", "force_p", "torque_"), turned, strict=True):
            labels += [f"{plate.number}_ground_{kind}{axis}" for axis in "xyz"]
            columns.append(values)
    return Storage(name, tuple(labels), recording.analog_time, np.hstack(columns))


def vertical_table(recording: Recording, forces: Sequence[PlateForce], name: str) -> Storage:
    """Return the force along each plate's normal alone, which needs no markers to know where forward is."""
    labels = tuple(f"{plate.number}_ground_force_vy" for plate in forces)
    values = np.column_stack([plate.force @ plate.up for plate in forces])
    return Storage(name, labels, recording.analog_time, values)


def forces_of(recording: Recording, name: str, cutoff_hz: float | None = None) -> tuple[Storage, list[str]]:
    """Return the table of a recording's plates and what is to be told of them.

    Raises
    ------
    Nem2eError
        If it has no plates, or none can be computed.
    """
    if not recording.plates:
        raise Nem2eError(f"{recording.path}: has no force plates; name a recording that has, or do without forces.")
    plates, left_out = wrenches(recording)
    if not plates:
        raise Nem2eError(f"{recording.path}: {'; '.join(left_out)}.")
    forces = [pressing(plate, cutoff_hz) for plate in plates]
    told = [*(f"Left out: {each}." for each in left_out), *(note for plate in forces for note in plate.notes)]
    try:
        axes = find_axes(recording, forces, find_feet(recording.markers))
    except Nem2eError as error:
        why = str(error).removeprefix(f"{recording.path}: ").rstrip(".")
        return vertical_table(recording, forces, name), [*told, f"Vertical force alone was taken: {why}."]
    return force_table(recording, forces, axes, name), [axes.told, *axes.notes, *told]


def starts_late(recording: Recording) -> str:
    """Say on which clock the tables of a recording stand whose first frame is not the capture's."""
    return (
        f"Its first frame is number {recording.head.first_frame}, so that its clock starts at {recording.time[0]:g} s; "
        f"files of other programs on the same frames may start at 0 s, {recording.time[0]:g} s earlier."
    )


def marker_table(recording: Recording, axes: Axes, *, centres: bool) -> tuple[Markers, list[str]]:
    """Return the markers in OpenSim's axes, and what was bridged and what stays blank.

    With a static pose go, as `centres`, the origins of Plug-in Gait's segments, which are joint centres.
    """
    names = [name for name in recording.markers if name not in recording.segment_axes]
    origins = [name for name in recording.markers if centres and name in recording.segment_axes and name[-1] == "O"]
    places = axes.turn(recording.metres)
    index = {name: recording.labels.index(name) for name in (*names, *origins)}
    seen = np.isfinite(places[:, [index[name] for name in names], 0]).mean(axis=1)
    rows = np.flatnonzero(seen >= _WHOLE * seen.max(initial=0.0))
    span = slice(int(rows[0]), int(rows[-1]) + 1)
    longest = round(BRIDGED_S * recording.head.rate_hz)
    filled = {name: _bridged(places[:, at], longest) for name, at in index.items()}
    blank = {name: int(np.isnan(each[span, 0]).sum()) for name, each in filled.items() if name in names}
    lost = sum(int(np.isnan(places[span, index[name], 0]).sum()) for name in names)
    bridged = lost - sum(blank.values())
    shown = np.asarray(np.round(np.stack([each[span] for each in filled.values()], axis=1), 6), np.float64)
    told = [f"{bridged} places of markers in gaps up to {BRIDGED_S:g} s were bridged."] if bridged else []
    gaps = ", ".join(f"{name} ({count})" for name, count in blank.items() if count)
    told += [f"Markers that stay blank in some frames: {gaps}."] if gaps else []
    return Markers(tuple(filled), recording.time[span], shown), told


def _bridged(place: Array, longest: int) -> Array:
    """A marker, shape (frames, 3), its inner gaps of at most `longest` frames filled by a cubic spline."""
    lost = np.isnan(place[:, 0])
    if not lost.any() or (~lost).sum() < 4:
        return place
    spline, filled = CubicSpline(np.flatnonzero(~lost), place[~lost]), place.copy()
    for first, last in runs(lost):
        if first > 0 and last < len(place) - 1 and last - first < longest:
            filled[first : last + 1] = spline(np.arange(first, last + 1))
    return filled
