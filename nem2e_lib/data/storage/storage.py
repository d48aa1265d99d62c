"""OpenSim storage files (.sto, .mot): a strict reader, and a writer whose numbers come back bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import plain, read_bytes, replacing
from nem2e_lib.data.storage.header import Header, parse_header, shown, split_vectors
from nem2e_lib.data.storage.numbers import parse_table
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_ROWS = 1000  # written at a time


@dataclass(frozen=True, eq=False)
class Storage:
    """A table over time, as OpenSim stores it.

    Attributes
    ----------
    name : str
        First line of the file.
    labels : tuple of str
        Column labels without ``time``, verbatim.
    time : float64 array, shape (rows,)
        In s, never decreasing.
    values : float64 array, shape (rows, columns)
        In the unit of the file.
    in_degrees : bool
        What the header says of angles; False where it says nothing.
    metadata : dict
        Other header entries; free text of the header under the key ``text``.
    warnings : tuple of str
        What the reader found odd, one sentence each.
    """

    name: str
    labels: tuple[str, ...]
    time: Array
    values: Array
    in_degrees: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def column(self, label: str) -> Array:
        """Return the values of one column, shape (rows,); Nem2eError if there is no such label."""
        if label not in self.labels:
            raise Nem2eError(f"Table {self.name!r} has no column {label!r}; it has {', '.join(self.labels)}.")
        return self.values[:, self.labels.index(label)]

    def only(self, labels: Iterable[str]) -> Storage:
        """Return the table of these columns alone, in this order, without the header's other entries."""
        chosen = tuple(labels)
        values = np.stack([self.column(label) for label in chosen], axis=1)
        return Storage(self.name, chosen, self.time, values, self.in_degrees)


def read_storage(path: str | Path) -> Storage:
    """Read an OpenSim .sto or .mot file.

    Tables of vectors (``DataType=Vec3``) become plain ones with labels ``name_1``, ``name_2``, ``name_3``,
    as OpenSim's own ``flatten()`` names them. Values that are not finite are kept and told in the warnings.

    Raises
    ------
    Nem2eError
        If the file is no such table, a row is short, long or not numeric, or time is missing, not finite or
        runs backwards.
    """
    place = str(path)
    try:
        raw = plain(read_bytes(place, lambda head: _refuse_early(head, place)), place)
        header = parse_header(raw, place)
        split_vectors(header, place)
        time, values = parse_table(raw, header, place)
        _refuse_times(time, place)
        odd = (*header.warnings, *_odd(header, time, values))
    except MemoryError:
        raise Nem2eError(f"{path}: the table does not fit into memory; split it over time.") from None
    return Storage(header.name, tuple(header.labels), time, values, header.in_degrees, header.metadata, odd)


def _refuse_early(head: bytes, path: str) -> None:
    """Refuse, before the rest is read, what cannot be a table."""
    parse_header(plain(head, path), path)


def _refuse_times(time: Array, path: str) -> None:
    if not np.isfinite(time).all():
        row = int(np.argmin(np.isfinite(time))) + 1
        raise Nem2eError(f"{path}: row {row}: time is {time[row - 1]}, but a finite number of s is expected.")
    back = np.diff(time) < 0
    if back.any():
        row = int(np.argmax(back)) + 1
        raise Nem2eError(
            f"{path}: row {row + 1}: time runs backwards from {time[row - 1]} to {time[row]} s; "
            "sort the rows or split the file."
        )


def _odd(header: Header, time: Array, values: Array) -> Iterator[str]:
    """What is told of numbers and not refused: other counts than stated, times that repeat, values not finite."""
    for what, found in (("rows", len(time)), ("columns", values.shape[1] + 1)):
        stated = header.declared.get(what, str(found))
        if stated.lstrip("0") != str(found).lstrip("0"):
            told = stated if stated.isdecimal() and len(stated) < 40 else shown(stated)
            yield f"The header states {told} {what}, but {found} were found and read."
    same = np.diff(time) == 0
    if same.any():
        row = int(np.argmax(same)) + 2
        yield f"Time {time[row - 1]:.9g} s occurs more than once, first again in row {row}."
    finite = np.isfinite(values)
    count = finite.size - np.count_nonzero(finite)
    if count:
        row, column = divmod(int(np.argmin(finite)), values.shape[1])
        yield (
            f"Values that are not finite: {count}, the first in column {shown(header.labels[column], 80)} "
            f"at {time[row]:.9g} s."
        )


def write_storage(path: str | Path, storage: Storage) -> None:
    """Write a table as OpenSim 4 reads it; what is read back is equal, bit for bit.

    Raises
    ------
    Nem2eError
        If shapes do not fit, time runs backwards, or name, labels or metadata cannot stand in a header.
    """
    head = _head(storage)
    _refuse_unwritable(path, storage, head)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head)
        for start in range(0, len(storage.time), _ROWS):
            part = slice(start, start + _ROWS)
            table = np.column_stack([storage.time[part], storage.values[part]]).tolist()
            file.writelines("\t".join(map(repr, row)) + "\n" for row in table)


def _head(storage: Storage) -> str:
    entries = {"version": "1", **storage.metadata}
    text = entries.pop("text", "")
    lines = [
        storage.name,
        f"version={entries.pop('version')}",
        f"nRows={len(storage.time)}",
        f"nColumns={len(storage.labels) + 1}",
        f"inDegrees={'yes' if storage.in_degrees else 'no'}",
        *(f"{key}={value}" for key, value in entries.items()),
        *([text] if text else []),
        "endheader",
        "\t".join(["time", *storage.labels]),
    ]
    return "\n".join(lines) + "\n"


def _refuse_unwritable(path: str | Path, storage: Storage, head: str) -> None:
    shape = (len(storage.time), len(storage.labels))
    if storage.values.shape != shape or storage.time.ndim != 1:
        raise Nem2eError(f"{path}: values have shape {storage.values.shape}, but {shape} is expected.")
    told = (storage.name, tuple(storage.labels), storage.metadata)
    if _told_back(head, str(path)) != told:
        raise Nem2eError(
            f"{path}: name, labels or metadata cannot stand in a header: no tabs, line breaks, outer blanks "
            "or outer quotes, no label twice and no '=' in the name are expected."
        )
    _refuse_times(storage.time, str(path))


def _told_back(head: str, path: str) -> tuple[str, tuple[str, ...], dict[str, str]] | None:
    """What the reader would make of a header; None if it would refuse it."""
    try:
        header = parse_header(plain(head.encode("utf-8"), path), path)
    except (Nem2eError, UnicodeEncodeError):
        return None
    return header.name, tuple(header.labels), header.metadata


def describe_storage(storage: Storage) -> dict[str, Any]:
    """Return facts about a table, ready for JSON.

    ``columns`` counts time, as ``nColumns`` in the header does; ``labels`` leaves it out. ``time_start`` and
    ``time_end`` are in s, and None for a table without rows.
    """
    rows = len(storage.time)
    return {
        "name": storage.name,
        "rows": rows,
        "columns": len(storage.labels) + 1,
        "time_start": float(storage.time[0]) if rows else None,
        "time_end": float(storage.time[-1]) if rows else None,
        "in_degrees": storage.in_degrees,
        "labels": list(storage.labels),
        "warnings": list(storage.warnings),
    }
