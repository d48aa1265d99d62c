"""The numbers of an OpenSim storage file: read in C, in parts, and row by row where that fails.

The fast way is pandas, several parts at a time. Rows that it cannot tell are read one by one: strictly, and with a
refusal in words.
"""

from __future__ import annotations

import csv
import io
import os
import re
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.storage.header import Header, shown
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

PART_BYTES = 16 << 20
"""At most about so much text is read at a time, by each thread."""

_FEW_BYTES, _FEW_ROWS = 1 << 16, 300  # not worth importing pandas, and its cost for each column
_LEAST_SHARED = 1 << 20
_THREADS = min(4, os.cpu_count() or 1)
_NAN = [sign + name for sign in ("", "+", "-") for name in ("nan", "NaN", "NAN")]
_LOOSE = (b"\v", b"\f")  # blanks to pandas, but not here

_NUMERIC = b"0123456789+-.eE \t\n"
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_WINDOWS_NAN = re.compile(rb"[+-]?(?:1\.#(?:QNAN|SNAN|IND)0*|nan\(\w*\))", re.IGNORECASE)
_WINDOWS_INF = re.compile(rb"([+-]?)1\.#INF0*", re.IGNORECASE)
_LABELS = re.compile(rb'^[ \t]*"?(?:endheader|time)"?(?:[ \t].*)?$', re.IGNORECASE | re.MULTILINE)
_COMMA = re.compile(rb"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_FORTRAN = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)[dD][+-]?\d+")


def parse_table(raw: bytes, header: Header, path: str) -> tuple[Array, Array]:
    """Read time, shape (rows,), and values, shape (rows, columns without time), below a header.

    Cells that hold vectors are split, and a last row that a process left unfinished is left out and told in the
    header's warnings.

    Raises
    ------
    Nem2eError
        If a row is too short or too long or holds something else than numbers.
    """
    if header.size > 1:
        raw = _split_cells(raw, header.body, header.cells, header.size, path)
    if header.damaged:
        raw = _without_cut_row(raw, header)
    return parse_body(raw, header.body, len(header.labels) + 1, path)


def _split_cells(raw: bytes, start: int, labels: list[str], size: int, path: str) -> bytes:
    """Bytes of a table of vectors (cells like ``1,2,3``) as one of plain numbers; line ends stay where they are.

    Raises
    ------
    Nem2eError
        If a cell does not hold `size` numbers.
    """
    first = raw.count(b"\n", 0, start) + 1
    sound = (b"\t" + b"," * (size - 1)) * len(labels) + b"\n"
    for number, line in enumerate(io.BytesIO(raw[start:])):
        if line.translate(None, b"0123456789+-.eE") == sound:
            continue
        for label, cell in zip(labels, line.split(None, len(labels) + 1)[1:], strict=False):
            if cell.count(b",") != size - 1:
                raise Nem2eError(
                    f"{path}: line {first + number}, column {shown(label)}: found "
                    f"{shown(cell.decode('utf-8', 'replace'))}, but {size} numbers joined by commas are expected."
                )
    return raw[:start] + raw[start:].replace(b",", b" ")


def _without_cut_row(raw: bytes, header: Header) -> bytes:
    """A process that left its header overwritten may have left its last row unfinished, too."""
    whole = raw.rstrip(b" \t\n")
    start = max(whole.rfind(b"\n") + 1, header.body)
    cells = whole[start:].split(None, len(header.labels) + 1)
    if 0 < len(cells) <= len(header.labels):
        header.warnings.append(
            f"The last row, at time {cells[0][:40].decode('utf-8', 'replace')} s, is cut off after {len(cells)} of "
            f"{len(header.labels) + 1} values; it was left out."
        )
        return raw[:start]
    return raw


def parse_body(raw: bytes, start: int, columns: int, path: str) -> tuple[Array, Array]:
    """Read time, shape (rows,), and values, shape (rows, columns - 1), separated by blanks or tabs.

    Parameters
    ----------
    raw : bytes
        A whole file.
    start : int
        Where the line after the labels starts.
    columns : int
        Number of columns with time.
    path : str
        For messages only.

    Raises
    ------
    Nem2eError
        If a row is too short or too long or holds something else than numbers.
    """
    tables, rows = [], 0
    for (begin, end), table in _in_parts(raw, start, columns):
        tables.append(parse_rows(raw, begin, end, columns, path, rows) if table is None else table)
        rows += len(tables[-1])
    # columns lie together, as pandas lays them; it is also how they are used
    time, values = np.empty(rows), np.empty((rows, columns - 1), order="F")
    for table in reversed(tables):
        time[rows - len(table) : rows], values[rows - len(table) : rows] = table[:, 0], table[:, 1:]
        rows -= len(tables.pop())
    return time, values


def _in_parts(raw: bytes, start: int, columns: int) -> Iterator[tuple[tuple[int, int], Array | None]]:
    def read(part: tuple[int, int]) -> Array | None:
        return parse_fast(raw, part[0], part[1], columns)

    parts = list(pairwise(_cuts(raw, start)))
    if len(parts) < 2:
        yield from ((part, read(part)) for part in parts)
        return
    with ThreadPoolExecutor(_THREADS) as threads:
        try:
            tables = threads.map(read, parts)
        except RuntimeError as error:  # no room for a thread
            raise MemoryError from error
        yield from zip(parts, tables, strict=True)


def _cuts(raw: bytes, start: int) -> Iterator[int]:
    """Line starts that share the numbers out evenly among the threads, and the end."""
    length = len(raw) - start
    size = length if length < _LEAST_SHARED else length // (_THREADS * -(-length // (_THREADS * PART_BYTES))) + 1
    yield start
    while start < len(raw):
        start = raw.find(b"\n", start + size) + 1 or len(raw)
        yield start


def parse_fast(raw: bytes, start: int, stop: int, columns: int) -> Array | None:
    """Read the numbers in ``raw[start:stop]``, shape (rows, columns), or None where pandas cannot tell.

    What it gives is what `parse_rows` gives, bit for bit. Blanks by which pandas would be more lenient are left to
    that one, and so is a first line of another width, which pandas would take for the whole table's.
    """
    if stop - start < _FEW_BYTES or stop - start > 2 * PART_BYTES + _FEW_BYTES:
        return None
    if any(raw.find(blank, start, stop) >= 0 for blank in _LOOSE) or not _starts_well(raw, start, stop, columns):
        return None
    # A number with a plus sign and blanks beside it is not rounded rightly by pandas 3.1 where tabs alone separate.
    signs = raw.find(b"+", start, stop) >= 0 and raw.find(b" ", start, stop) >= 0
    separators = (r"\s+",) if signs else ("\t", r"\s+")
    for nan in (False, True):  # most tables have none, and to look for them takes time
        if nan and raw.find(b"n", start, stop) < 0 and raw.find(b"N", start, stop) < 0:
            return None
        for separator in separators:
            table = _read(_Source(raw, start, stop), separator, nan)
            if table is not None and table.shape[1] == columns:
                return table
    return None


def _starts_well(raw: bytes, start: int, stop: int, columns: int) -> bool:
    """Whether the first line is as wide as the table, and there are rows enough for pandas to be worth its while.

    Where a whole column says True or False, pandas takes that for numbers; then the first line says so.
    """
    found = re.compile(rb"[ \t\n]*([^\n]*)").match(raw, start, stop)
    first = found.group(1) if found else b""
    if len(first.split(None, columns)) != columns or re.search(rb"[us]", first, re.IGNORECASE):
        return False
    return len(first) * _FEW_ROWS <= stop - start


def _read(source: Any, separator: str, nan: bool) -> Array | None:
    import pandas as pd

    try:
        frame = pd.read_csv(
            source,
            sep=separator,
            header=None,
            dtype=np.float64,
            engine="c",
            quoting=csv.QUOTE_NONE,
            na_filter=nan,
            keep_default_na=False,
            na_values=_NAN,
            low_memory=False,
            **_exact(pd.__version__),
        )
    except ValueError:  # which pandas' own errors are
        return None
    return frame.to_numpy()


def _exact(version: str) -> dict[str, Any]:
    """Before pandas 3.1, only one of its converters rounded rightly; since then, all do."""
    old = tuple(map(int, version.split(".")[:2])) < (3, 1)
    return {"float_precision": "round_trip"} if old else {}


class _Source:
    """Part of some bytes, read as pandas reads from a file that is open in binary mode."""

    def __init__(self, raw: bytes, start: int, stop: int) -> None:
        self.raw, self.start, self.stop = raw, start, stop

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def read(self, size: int) -> bytes:
        begin, self.start = self.start, min(self.start + size, self.stop)
        return self.raw[begin : self.start]


def parse_rows(raw: bytes, start: int, stop: int, columns: int, path: str, row: int = 0) -> Array:
    """Read the numbers in ``raw[start:stop]``, shape (rows, columns), separated by blanks or tabs.

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
