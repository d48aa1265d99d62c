"""The numbers of an OpenSim storage file: read in C, explained in Python only when that fails."""

from __future__ import annotations

import io
import re

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.errors import Nem2eError

Array = NDArray[np.float64]

_WINDOWS_NAN = re.compile(r"(?<![\w.])[+-]?(?:1\.#(?:QNAN|SNAN|IND)0*|nan\(\w*\))", re.IGNORECASE)
_WINDOWS_INF = re.compile(r"(?<![\w.])([+-]?)1\.#INF0*", re.IGNORECASE)
_COMPONENTS = {"vec3": 3, "unitvec3": 3, "quaternion": 4, "spatialvec": 6}


def components(data_type: str, path: str) -> int:
    """Numbers in one cell of a table of this ``DataType`` (``double``: 1, ``Vec3``: 3, …).

    Raises
    ------
    Nem2eError
        If the type is not known.
    """
    kind = data_type.lower()
    if kind == "double":
        return 1
    vec = re.fullmatch(r"vec([2-9])", kind)
    if kind not in _COMPONENTS and not vec:
        raise Nem2eError(f"{path}: the header says DataType={data_type}, but double or Vec3 is expected.")
    return int(vec.group(1)) if vec else _COMPONENTS[kind]


def parse_body(text: str, columns: int, path: str, first_line: int) -> Array:
    """Numbers of a table, shape (rows, columns), separated by blanks or tabs.

    Parameters
    ----------
    text : str
        Everything below the labels.
    columns : int
        Number of columns with time.
    path : str
        For messages only.
    first_line : int
        Number in the file of the line at which `text` starts, for messages only.

    Raises
    ------
    Nem2eError
        If a row is too short or too long or holds something else than numbers.
    """
    if not text.strip(" \t\n"):
        return np.empty((0, columns))
    text = _WINDOWS_INF.sub(r"\1inf", _WINDOWS_NAN.sub("nan", text)) if "(" in text or "#" in text else text
    try:
        table = np.loadtxt(io.StringIO(text), ndmin=2, comments=None)
    except ValueError as error:
        raise Nem2eError(_explain(text, columns, path, first_line) or f"{path}: {error}.") from None
    if table.shape[1] != columns:
        raise Nem2eError(_explain(text, columns, path, first_line))
    return table


def split_cells(text: str, labels: list[str], size: int, path: str, first_line: int) -> str:
    """Text of a table of vectors (cells like ``1,2,3``) as one of plain numbers.

    Raises
    ------
    Nem2eError
        If a cell does not hold `size` numbers.
    """
    for number, cells in _rows(text):
        for label, cell in zip(labels, cells[1:], strict=False):
            if cell.count(",") != size - 1:
                raise Nem2eError(
                    f"{path}: line {first_line + number}, column {label!r}: found {cell!r}, "
                    f"but {size} numbers joined by commas are expected."
                )
    return text.replace(",", " ")


def _rows(text: str) -> list[tuple[int, list[str]]]:
    return [(n, line.split()) for n, line in enumerate(text.split("\n")) if line.strip()]


def _explain(text: str, columns: int, path: str, first_line: int) -> str:
    for row, (number, cells) in enumerate(_rows(text), start=1):
        where = f"{path}: row {row} (line {first_line + number})"
        wrong = next((cell for cell in cells if not _is_number(cell)), None)
        if wrong is not None and re.fullmatch(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", wrong):
            return f"{where}: found {wrong!r} with a decimal comma; write numbers with a decimal point."
        if wrong is not None:
            return f"{where}: found {wrong[:40]!r}, but a number is expected."
        if len(cells) != columns:
            return (
                f"{where}: found {len(cells)} values, but the label line names {columns} columns "
                "(time included); the row may be cut off or a cell empty."
            )
    return ""


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell
