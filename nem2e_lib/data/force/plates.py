"""Plates of a force file: found under the names in common use, with gaps where nobody stands on them as no force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import NO_FORCE, Note
from nem2e_lib.data.emg.clock import runs
from nem2e_lib.data.exports.formats import read_recording
from nem2e_lib.data.force.names import AXES, components, told_side
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONTACT_N = 20.0
"""Vertical force above which a plate is stood on."""
SWING_S = 0.08
"""A gap that is shorter is no swing."""
_EDGE = 0.3
"""Share of a plate's highest force that its last sample before a swing, and the first after it, may still have: at 100
Hz force falls by that much within a sample."""
_TURNED = 2.0
"""So many times as large as the vertical one, another component is the vertical one."""


@dataclass(frozen=True, eq=False)
class Plate:
    """Force of one plate on one person.

    Attributes
    ----------
    name : str
        As the file's labels call it; empty where they call it nothing.
    side : str
        ``right``, ``left``, or empty where the name does not tell.
    force, point, moment : float64 arrays, shape (rows, 3)
        In N, m and N·m, in OpenSim's ground frame (x forward, y up, z right); NaN where the file has no such column
        or no number, but in vertical force.
    vertical : str
        Label of the column of vertical force; ``+`` between those of plates that were joined.
    lacks : tuple of str
        Components that the file does not have, such as ``vx`` or ``pz``.
    up : int
        Which column of `force` is the vertical one.
    """

    name: str
    side: str
    force: Array
    point: Array
    moment: Array
    vertical: str = ""
    lacks: tuple[str, ...] = ()
    up: int = 1

    @property
    def load(self) -> Array:
        """Vertical force in N, shape (rows,)."""
        return self.force[:, self.up]

    @property
    def trodden(self) -> Flags:
        """Rows in which the plate is stood on."""
        return self.load > CONTACT_N


@dataclass(frozen=True, eq=False)
class Plates:
    """What a force file holds: its clock in s, shape (rows,), its plates, and what is to be told of them."""

    path: Path
    time: Array
    plates: tuple[Plate, ...]
    notes: tuple[Note, ...]

    @property
    def verticals(self) -> str:
        """The columns of vertical force as a list for messages."""
        return ", ".join(plate.vertical for plate in self.plates)


def read_plates(path: Path, storage: Storage | None = None) -> Plates:
    """Return every plate of which a file has the vertical force; `storage` is the file where it was read already.

    Raises
    ------
    Nem2eError
        If values are missing under load.
    """
    table = read_recording(path) if storage is None else storage
    plates, notes = [], list[Note]()
    for name, parts in components(table.labels).items():
        if any(f"v{axis}" in parts for axis in AXES):
            plate, told = _plate(path, table, name, parts)
            plates.append(plate)
            notes += told
    return Plates(path, table.time, tuple(plates), tuple(notes))


def _plate(path: Path, table: Storage, name: str, parts: Mapping[str, str]) -> tuple[Plate, list[Note]]:
    up = _up(path, table, parts)
    vertical = parts[f"v{AXES[up]}"]
    force, point, moment = (_vector(table, parts, kind) for kind in "vpm")
    force[:, up], notes = without_gaps(path, table.time, vertical, force[:, up])
    lacks = tuple(f"{kind}{axis}" for kind in "vpm" for axis in AXES if f"{kind}{axis}" not in parts)
    return Plate(name, told_side(name), force, point, moment, vertical, lacks, up), notes


def _up(path: Path, table: Storage, parts: Mapping[str, str]) -> int:
    """The vertical axis: OpenSim's y; where names are not OpenSim's, the one of the largest force."""
    size = {axis: _size(table.column(parts[f"v{axis}"])) for axis in AXES if f"v{axis}" in parts}
    largest = max(size, key=lambda axis: size[axis])
    if "vy" not in parts.get("vy", "").lower():
        return AXES.index(largest)
    if size[largest] > max(_TURNED * size["y"], CONTACT_N):
        raise Nem2eError(
            f"{path}: force is largest along {largest} ({parts[f'v{largest}']!r}), but OpenSim's vertical is y "
            f"({parts['vy']!r}); rotate the forces to x forward, y up, z right."
        )
    return 1


def _size(force: Array) -> float:
    """Mean size of what is finite."""
    return float(np.abs(force[np.isfinite(force)]).mean()) if np.isfinite(force).any() else 0.0


def _vector(table: Storage, parts: Mapping[str, str], kind: str) -> Array:
    nothing = np.full(len(table.time), np.nan)
    keys = [f"{kind}{axis}" for axis in AXES]
    return np.column_stack([table.column(parts[key]) if key in parts else nothing for key in keys])


def without_gaps(path: Path, time: Array, label: str, force: Array) -> tuple[Array, list[Note]]:
    """Return vertical force with no force where it is missing while no foot is on the plate, and a note of that.

    Raises
    ------
    Nem2eError
        If it is missing under load, or throughout.
    """
    gaps = np.asarray(~np.isfinite(force))
    if not gaps.any():
        return force, []
    if gaps.all():
        raise Nem2eError(f"{path}: column {label!r} holds no number at all; take it out, or export it anew.")
    for first, last in runs(gaps):
        _require_swing(path, time, label, force, first, last)
    rows = int(gaps.sum())
    told = f"column {label!r} holds no number in {rows} of {len(time)} rows, all while no foot is on the plate"
    return np.where(gaps, 0.0, force), [NO_FORCE.note(f"{path}: {told}: no force was taken there.")]


def _require_swing(path: Path, time: Array, label: str, force: Array, first: int, last: int) -> None:
    beside = [force[row] for row in (first - 1, last + 1) if 0 <= row < len(force)]
    lasts = float(time[min(last + 1, len(time) - 1)] - time[max(first - 1, 0)])
    allowed = CONTACT_N if lasts < SWING_S else max(CONTACT_N, _EDGE * float(np.nanmax(force)))
    if np.isinf(force[first : last + 1]).any() or max(beside) > allowed:
        raise Nem2eError(
            f"{path}: column {label!r} is {force[first]} at {time[first]:.9g} s, beside {max(beside):.4g} N, under "
            "load; fill the gap (with 0 only where no foot is on the plate), or cut the file."
        )
