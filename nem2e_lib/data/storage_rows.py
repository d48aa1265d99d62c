"""Rows of an OpenSim storage file one by one: strict, and the place where a refusal is put into words."""

from __future__ import annotations

import io
import re
from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.errors import Nem2eError

Array = NDArray[np.float64]

_NUMERIC = b"0123456789+-.eE \t\n"
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_WINDOWS_NAN = re.compile(rb"[+-]?(?:1\.#(?:QNAN|SNAN|IND)0*|nan\(\w*\))", re.IGNORECASE)
_WINDOWS_INF = re.compile(rb"([+-]?)1\.#INF0*", re.IGNORECASE)
_LABELS = re.compile(rb'^[ \t]*"?(?:endheader|time)"?(?:[ \t].*)?$', re.IGNORECASE | re.MULTILINE)
_COMMA = re.compile(rb"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_FORTRAN = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)[dD][+-]?\d+")


def parse_rows(raw: bytes, start: int, stop: int, columns: int, path: str, row: int = 0) -> Array:
    """Numbers in ``raw[start:stop]``, shape (rows, columns), separated by blanks or tabs.

    Numbers are decimal, ``nan``, ``inf``, or what Windows writes for these (``-1.#IND``, ``nan(ind)``).

    Parameters
    ----------
    raw : bytes
        A whole file.
    start, stop : int
        Where whole lines of numbers start and stop.
    columns : int
        Number of columns with time.
    path : str
        For messages only.
    row : int
        How many rows came before.

    Raises
    ------
    Nem2eError
        If a row is too short or too long or holds something else than numbers.
    """
    numbers = array("d")
    for number, line in _lines(raw, start, stop):
        row += 1
        values = _values(line, columns)
        if values is None:
            where = f"{path}: row {row} (line {_line_number(raw, start) + number})"
            raise Nem2eError(_explain(line, columns, where, _LABELS.search(raw, start, stop) is not None))
        numbers.extend(values)
    return np.frombuffer(numbers, dtype=np.float64).reshape(-1, columns)


def _lines(raw: bytes, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    part = raw[start:stop]
    if part.strip(b" \t\n"):
        for number, line in enumerate(io.BytesIO(part), start=1):
            if line := line.strip(b" \t\n"):
                yield number, line


def _values(line: bytes, columns: int) -> list[float] | None:
    """Numbers of a line, or None if they are not `columns` numbers."""
    cells = line.split(None, columns)
    if len(cells) != columns:
        return None
    try:
        if not line.translate(None, _NUMERIC):
            return [float(cell) for cell in cells]
        return [_value(cell) for cell in _cells(line, columns)]
    except ValueError:
        return None


def _cells(line: bytes, most: int) -> list[bytes]:
    return re.split(rb"[ \t]+", line, maxsplit=most)


def _value(cell: bytes) -> float:
    if _NUMBER.fullmatch(cell):
        return float(cell)
    if _WINDOWS_NAN.fullmatch(cell):
        return float("nan")
    if infinite := _WINDOWS_INF.fullmatch(cell):
        return float(infinite.group(1) + b"inf")
    raise ValueError(cell)


def _line_number(raw: bytes, start: int) -> int:
    return raw.count(b"\n", 0, start)


def _explain(line: bytes, columns: int, where: str, two_tables: bool) -> str:
    wrong = next((cell for cell in _cells(line, columns)[:columns] if not _is_value(cell)), None)
    if wrong is not None and two_tables:
        return f"{where}: another header starts: two tables in one file; give each its own .sto or .mot file."
    if wrong is not None:
        return f"{where}: found {_what(wrong)}."
    count = sum(1 for _ in re.finditer(rb"[^ \t]+", line))
    return (
        f"{where}: found {count} values, but the label line names {columns} columns "
        f"(time included); {_why(count, columns)}."
    )


def _is_value(cell: bytes) -> bool:
    try:
        _value(cell)
    except ValueError:
        return False
    return True


def _why(count: int, columns: int) -> str:
    if columns == 1:
        return "the labels may have been overwritten or lost"
    if count < columns:
        return "the row may be cut off or a cell empty"
    return "two rows may have run into one, or a label be missing"


def _what(cell: bytes) -> str:
    text = cell[:40].decode("utf-8", "replace") + ("…" if len(cell) > 40 else "")
    if _COMMA.fullmatch(cell):
        return f"{text!r} with a decimal comma; write numbers with a decimal point"
    if b"," in cell or b";" in cell:
        return f"{text!r}, but numbers are expected, separated by tabs or blanks"
    if _FORTRAN.fullmatch(cell):
        return f"{text!r} with a Fortran exponent; write E instead of D"
    if cell[:1] in (b"#", b"%") or cell.startswith((b"//", b"/*")):
        return f"{text!r}, but a number is expected; comments may stand above 'endheader' only"
    return f"{text!r}, but a number is expected; write decimal numbers, or nan where there is none"
