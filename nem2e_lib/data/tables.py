"""CSV tables and TOML that people type: read so that what is wrong in them can be named, with what was meant."""

from __future__ import annotations

import csv
import difflib
import io
import re
import string
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text
from nem2e_lib.error import Nem2eError


def near(word: str, words: Iterable[str]) -> str:
    """Return a hint like ``; did you mean 'licence'?`` where a similar word exists, else nothing."""
    match = _nearest(word, words)
    return f"; did you mean {match!r}?" if match else ""


def _nearest(word: str, words: Iterable[str]) -> str:
    known = list(words)
    same = [each for each in known if each.casefold() == word.casefold()]
    return next(iter(same or difflib.get_close_matches(word, known, n=1)), "")


def as_read(label: str) -> str:
    """Return a label as a person reads it: without regard to letter case, blanks and leading zeros."""
    plain = "".join(unicodedata.normalize("NFKC", label).casefold().split())
    return re.sub(r"(?<![\d.])0+(?=\d)", "", plain)


def read_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file's rows as stripped text, one column for each name asked for (empty if optional and absent).

    The index holds the lines of the file, its header being line 1.

    Raises
    ------
    Nem2eError
        If the file is no table, has no rows, or lacks a required column.
    """
    table = _parse(path, read_text(path)[0])
    missing = [name for name in required if name not in table.columns]
    if missing:
        found = ", ".join(table.columns)
        match = _nearest(missing[0], map(str, table.columns))
        hint = f"; if {match!r} is meant to be it, rename it." if match else "; add it."
        more = f" (and not {', '.join(map(repr, missing[1:]))})" if len(missing) > 1 else ""
        raise Nem2eError(f"{path}: no column {missing[0]!r}{more}; found {found}{hint}")
    if table.empty:
        raise Nem2eError(f"{path}: the table has no rows, but at least one is expected.")
    return table.reindex(columns=[*required, *optional], fill_value="")


def stray_columns(path: Path, known: Sequence[str]) -> list[str]:
    """Return the columns of a CSV file that are not known; Nem2eError if it is no table."""
    return [str(name) for name in _parse(path, read_text(path)[0]).columns if name not in known]


def _parse(path: Path, text: str) -> pd.DataFrame:
    """All cells of a CSV text, stripped; without columns and rows at the ends that spreadsheets leave empty."""
    head = text.lstrip().partition("\n")[0]
    for name, separator in (("semicolons", ";"), ("tabs", "\t")):
        if head.count(separator) > head.count(","):
            raise Nem2eError(
                f"{path}: the columns are separated by {name}, but commas are expected, and numbers with a decimal "
                "point; save it as CSV of that kind."
            )
    rows = _rows(path, text)
    header = rows.pop(min(rows)) if rows else []
    header = header[: max(map(_filled, [header, *rows.values()]), default=0)]
    wide = [line for line, row in rows.items() if any(row[len(header) :])]
    if wide:
        lines = ", ".join(map(str, wide[:6])) + (" …" if len(wide) > 6 else "")
        raise Nem2eError(
            f"{path}: line {lines}: rows have more cells than the header; a cell that holds a comma needs quotes, and "
            "numbers have a decimal point."
        )
    names = [name or f"(column {number})" for number, name in enumerate(header, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Nem2eError(f"{path}: column {twice[0]!r} occurs more than once; keep one of them.")
    cells = [(row + [""] * len(header))[: len(header)] for row in rows.values()]
    return pd.DataFrame(cells, index=list(rows), columns=names, dtype=str)


def _filled(row: Sequence[str]) -> int:
    """How many cells a row has up to its last that is not empty."""
    return max((number for number, cell in enumerate(row, start=1) if cell), default=0)


def _rows(path: Path, text: str) -> dict[int, list[str]]:
    """Cells by the line on which a row begins; lines without any are left out, and empty rows at the end."""
    reader, rows, line = csv.reader(io.StringIO(text), skipinitialspace=True, strict=True), dict[int, list[str]](), 1
    try:
        for row in reader:
            if row and not (line == 1 and re.fullmatch(r"sep=,?", row[0])):
                rows[line] = [cell.strip(_BLANK) for cell in row]
            line = reader.line_num + 1
    except csv.Error as error:
        raise Nem2eError(f"{path}: line {line}: not a table separated by commas ({error}).") from None
    while rows and not _filled(rows[max(rows)]):
        del rows[max(rows)]
    return rows


_BLANK = string.whitespace + "\u00a0\u2007\u202f\u200b\ufeff"
"""Blanks around a cell, among them those that spreadsheets and web pages leave and nobody sees."""


def parse_toml(path: str | Path, text: str) -> dict[str, Any]:
    """Return the content of a TOML text.

    Raises
    ------
    Nem2eError
        With the line that is wrong, if it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"at line (\d+)", str(error))
        line = text.splitlines()[int(where.group(1)) - 1].strip() if where else ""
        told = f" reads {line[:80]!r}" if line else ""
        raise Nem2eError(
            f"{path}: line {where.group(1) if where else 'last'}{told}, which is not valid TOML "
            f"({str(error).partition(' (at')[0].rstrip('.')}); texts, and names with blanks, stand in straight quotes: "
            '"R SOL" = "soleus_r".'
        ) from None


def numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column of `read_table` as finite numbers, shape (rows,); Nem2eError at the first cell that is none."""
    _refuse(number_problems(path, table, column))
    return _values(table, column)


def whole_numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.int64]:
    """Return a column of `read_table` as whole numbers from 0, shape (rows,); errors as `numbers`."""
    _refuse(number_problems(path, table, column, whole=True))
    return _values(table, column).astype(np.int64)


def number_problems(path: Path, table: pd.DataFrame, column: str, *, whole: bool = False) -> list[str]:
    """Return a sentence on every cell of a column that is no finite number, or no whole one from 0."""
    values = _values(table, column)
    bad = ~np.isfinite(values)
    known = np.where(bad, 0.0, values)
    odd = (known < 0) | (known % 1 != 0) | (known > 2**31 - 1) if whole else np.zeros_like(bad)
    what = np.where(odd, "a whole number from 0", "a finite number")
    return [
        f"{path}: line {line}, column {column!r}: found {cell!r}, but {expected} is expected"
        f"{'; write a decimal point.' if ',' in cell else '.'}"
        for line, cell, expected in zip(table.index[bad | odd], table[column][bad | odd], what[bad | odd], strict=True)
    ]


def _values(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = f" ({len(problems)} such cells in all)." if len(problems) > 1 else "."
        raise Nem2eError(problems[0].removesuffix(".") + more)
