"""OpenSim storage files (.sto, .mot): a strict reader, and a writer whose numbers come back bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import decode, read_text, replacing
from nem2e_lib.data.storage_body import components, parse_body, split_cells
from nem2e_lib.data.storage_header import Header, parse_header
from nem2e_lib.errors import Nem2eError

Array = NDArray[np.float64]


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
        """Values of one column, shape (rows,); Nem2eError if there is no such label."""
        if label not in self.labels:
            raise Nem2eError(f"Table {self.name!r} has no column {label!r}; it has {', '.join(self.labels)}.")
        return self.values[:, self.labels.index(label)]


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
    text, odd = read_text(path)
    header = parse_header(text, str(path))
    header.warnings[:0] = odd
    table = _table(header, text, str(path))
    _check_counts(header, table)
    _check_time(header, table, str(path))
    _check_finite(header, table)
    return Storage(
        header.name,
        tuple(header.labels),
        np.ascontiguousarray(table[:, 0]),
        np.ascontiguousarray(table[:, 1:]),
        header.in_degrees,
        header.metadata,
        tuple(header.warnings),
    )


def write_storage(path: str | Path, storage: Storage) -> None:
    """Write a table as OpenSim 4 reads it; what is read back is equal, bit for bit.

    Raises
    ------
    Nem2eError
        If shapes do not fit, time runs backwards, or name, labels or metadata cannot stand in a header.
    """
    head = _head(storage)
    _check_writable(path, storage, head)
    table = np.column_stack([storage.time, storage.values]).tolist()
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head)
        file.writelines("\t".join(map(repr, row)) + "\n" for row in table)


def describe_storage(storage: Storage) -> dict[str, Any]:
    """Facts about a table, ready for JSON.

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


def _table(header: Header, text: str, path: str) -> Array:
    body, first_line = text[header.body :], text.count("\n", 0, header.body) + 1
    size = components(header.metadata.get("DataType", "double"), path)
    if size > 1:
        header.warnings.append(
            f"Cells hold {size} numbers (DataType={header.metadata['DataType']}): "
            f"each column was split into {size}, with _1 to _{size} after its label."
        )
        body = split_cells(body, header.labels, size, path, first_line)
        header.labels = [f"{label}_{i}" for label in header.labels for i in range(1, size + 1)]
        header.metadata["DataType"] = "double"
        header.declared.pop("columns", None)
    if header.damaged:
        body = _without_cut_row(header, body)
    return parse_body(body, len(header.labels) + 1, path, first_line)


def _without_cut_row(header: Header, body: str) -> str:
    """A process that left its header overwritten may have left its last row unfinished, too."""
    rows = body.rstrip().split("\n")
    if 0 < len(rows[-1].split()) <= len(header.labels):
        header.warnings.append(
            f"The last row, at time {rows[-1].split()[0]} s, is cut off after {len(rows[-1].split())} of "
            f"{len(header.labels) + 1} values; it was left out."
        )
        rows.pop()
    return "\n".join(rows)


def _check_counts(header: Header, table: Array) -> None:
    for what, found in zip(("rows", "columns"), table.shape, strict=True):
        stated = header.declared.get(what, str(found))
        if stated != str(found):
            header.warnings.append(f"The header states {stated} {what}, but {found} were found and read.")


def _check_time(header: Header, table: Array, path: str) -> None:
    time = table[:, 0]
    if not np.isfinite(time).all():
        row = int(np.argmin(np.isfinite(time))) + 1
        raise Nem2eError(f"{path}: row {row}: time is {time[row - 1]}, but a finite number of s is expected.")
    step = np.diff(time)
    if (step < 0).any():
        row = int(np.argmax(step < 0)) + 1
        raise Nem2eError(
            f"{path}: row {row + 1}: time runs backwards from {time[row - 1]} to {time[row]} s; "
            "sort the rows or split the file."
        )
    if (step == 0).any():
        row = int(np.argmax(step == 0)) + 2
        header.warnings.append(f"Time {time[row - 1]:.9g} s occurs more than once, first again in row {row}.")


def _check_finite(header: Header, table: Array) -> None:
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = bad[0]
        header.warnings.append(
            f"Values that are not finite: {len(bad)}, the first in column {header.labels[column - 1]!r} "
            f"at {table[row, 0]:.9g} s."
        )


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


def _check_writable(path: str | Path, storage: Storage, head: str) -> None:
    shape = (len(storage.time), len(storage.labels))
    if storage.values.shape != shape or storage.time.ndim != 1:
        raise Nem2eError(f"{path}: values have shape {storage.values.shape}, but {shape} is expected.")
    told = (storage.name, tuple(storage.labels), storage.metadata)
    if _told_back(head, str(path)) != told:
        raise Nem2eError(
            f"{path}: name, labels or metadata cannot stand in a header: no tabs, line breaks, outer blanks "
            "or outer quotes, no label twice and no '=' in the name are expected."
        )
    _check_time(Header(), storage.time[:, None], str(path))


def _told_back(head: str, path: str) -> tuple[str, tuple[str, ...], dict[str, str]] | None:
    """What the reader would make of a header; None if it would refuse it."""
    try:
        header = parse_header(decode(head.encode("utf-8"), path)[0], path)
    except (Nem2eError, UnicodeEncodeError):
        return None
    return header.name, tuple(header.labels), header.metadata
