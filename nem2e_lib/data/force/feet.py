"""Vertical force of both feet, from whatever columns a file has them in: what gait events are found in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import Note
from nem2e_lib.data.exports.channels import units
from nem2e_lib.data.exports.formats import read_recording
from nem2e_lib.data.force.plates import read_plates, without_gaps
from nem2e_lib.data.force.sides import Sides, contradiction, find_sides
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

FEET = ("right", "left")
IN_STUDY = "name them in study.toml, [grf] right and left"
"""How the user of a study names columns."""


@dataclass(frozen=True, eq=False)
class Feet:
    """Vertical force under both feet.

    Attributes
    ----------
    path : Path
    force : Storage
        In N, labels ``right`` and ``left``.
    columns : (right, left)
        Labels whose sum that is; empty for a foot that was not measured.
    notes : tuple of Note
    """

    path: Path
    force: Storage
    columns: tuple[tuple[str, ...], tuple[str, ...]]
    notes: tuple[Note, ...] = ()

    def later(self, offset_s: float) -> Feet:
        """Return the same with an offset added to its clock."""
        force = dataclasses.replace(self.force, time=self.force.time + offset_s) if offset_s else self.force
        return dataclasses.replace(self, force=force)


def read_feet(
    path: Path, right: Sequence[str] | None = None, left: Sequence[str] | None = None, *, how: str = IN_STUDY
) -> Feet:
    """Read vertical force under both feet; columns of one foot are added up.

    Parameters
    ----------
    path
        Force file (.sto, .mot, or an export).
    right, left
        Columns of vertical force, none for a foot that was not measured; found by name and place where both are None.
    how
        How the user is to name columns, for messages.

    Raises
    ------
    Nem2eError
        If the columns are not found or are in volts, it cannot be told which foot they are of, or a value is missing
        under load.
    """
    storage = read_recording(path)
    if len(storage.time) < 2:
        raise Nem2eError(f"{path}: found {len(storage.time)} rows, but at least 2 are expected.")
    sides = _found(path, storage, how) if right is None or left is None else _asked(path, storage, right, left, how)
    _refuse_volts(path, storage, (*sides.right, *sides.left))
    notes, sums = list(sides.notes), []
    for labels in (sides.right, sides.left):
        total = np.zeros(len(storage.time))
        for label in labels:
            column, told = without_gaps(path, storage.time, label, storage.column(label))
            total, notes = total + column, notes + told
        sums.append(total)
    force = dataclasses.replace(storage, labels=FEET, values=np.column_stack(sums))
    return Feet(path, force, (sides.right, sides.left), tuple(dict.fromkeys(notes)))


def _refuse_volts(path: Path, storage: Storage, labels: Sequence[str]) -> None:
    volts = [label for label in labels if units(storage).get(label, "").endswith("V")]
    if volts:
        raise Nem2eError(
            f"{path}: force column {volts[0]!r} is in V, the output of a plate's amplifier, but N are expected; export "
            "the plate's force."
        )


def known_columns(storage: Storage, path: Path = Path()) -> Sides | None:
    """Return the columns under each foot where names or pressure tell them, else None."""
    try:
        sides = find_sides(read_plates(path, storage))
    except Nem2eError:
        return None
    return sides if isinstance(sides, Sides) else None


def _found(path: Path, storage: Storage, how: str) -> Sides:
    held = read_plates(path, storage)
    sides = find_sides(held)
    if isinstance(sides, Sides):
        return sides
    found = "" if held.plates else f"; found {_some(storage.labels)}"
    raise Nem2eError(f"{path}: {sides}{found}; {how}.")


def _asked(path: Path, storage: Storage, right: Sequence[str], left: Sequence[str], how: str) -> Sides:
    missing = [label for label in (*right, *left) if label not in storage.labels]
    if missing:
        hint = near(missing[0], storage.labels) or f"; {how}."
        raise Nem2eError(f"{path}: no force column {missing[0]!r}; found {_some(storage.labels)}{hint}")
    return Sides(tuple(right), tuple(left), _crossed(path, storage, right, left))


def _crossed(path: Path, storage: Storage, right: Sequence[str], left: Sequence[str]) -> tuple[Note, ...]:
    """What the pressure says of columns that a user has named; nothing where the rest of the file cannot be read."""
    try:
        held = read_plates(path, storage)
    except Nem2eError:
        return ()
    of = {plate.vertical: plate for plate in held.plates}
    if len(right) != 1 or len(left) != 1 or not {*right, *left} <= set(of):
        return ()
    odd = contradiction(held, of[right[0]], of[left[0]])
    return () if odd is None else (odd,)


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:12]) + (", …" if len(labels) > 12 else "")
