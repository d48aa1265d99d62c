"""CSV tables and TOML that people type: read so that what is wrong in them can be named, with what was meant."""

from __future__ import annotations

import difflib
import io
import re
import tomllib
import warnings
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
    return next(iter(difflib.get_close_matches(word, list(words), n=1)), "")


def read_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file's rows as stripped text, one column for each name asked for (empty if optional and absent).

    Raises
    ------
    Nem2eError
        If the file is no table, has no rows, or lacks a required column.
    """
    table = _parse(path, read_text(path)[0])
    table.columns = table.columns.str.strip()
    missing = [name for name in required if name not in table.columns]
    if missing:
        found = ", ".join(table.columns)
        match = _nearest(missing[0], map(str, table.columns))
        match = match or next((str(name) for name in table.columns if str(name).lower() == missing[0].lower()), "")
        hint = f"; if {match!r} is meant to be it, rename it." if match else "; add it."
        raise Nem2eError(f"{path}: no column {missing[0]!r}; found {found}{hint}")
    table = _without_empty_end(table)
    if table.empty:
        raise Nem2eError(f"{path}: the table has no rows, but at least one is expected.")
    for name in set(optional) - set(table.columns):
        table[name] = ""
    table = table[[*required, *optional]].fillna("")
    return pd.DataFrame({name: table[name].str.strip() for name in table.columns})


def stray_columns(path: Path, known: Sequence[str]) -> list[str]:
    """Return the columns of a CSV file that are not known; Nem2eError if it is no table."""
    return [name for name in _parse(path, read_text(path)[0]).columns.str.strip() if name not in known]


def _without_empty_end(table: pd.DataFrame) -> pd.DataFrame:
    """The table without the rows of empty cells that spreadsheets leave below it."""
    filled = [any(str(cell).strip() for cell in row) for row in table.fillna("").to_numpy()]
    return table.iloc[: max((number for number, some in enumerate(filled, start=1) if some), default=0)]


def _parse(path: Path, text: str) -> pd.DataFrame:
    head = text.lstrip().partition("\n")[0]
    for name, separator in (("semicolons", ";"), ("tabs", "\t")):
        if head.count(separator) > head.count(","):
            raise Nem2eError(
                f"{path}: the columns are separated by {name}, but commas are expected, and numbers with a decimal "
                "point; save it as CSV of that kind."
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table: pd.DataFrame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
        return table
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise Nem2eError(f"{path}: {_reason(str(error))}.") from None


def _reason(error: str) -> str:
    if wide := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        expected, line, found = wide.groups()
        return f"line {line}: found {found} cells, but {expected} are expected; a cell that holds a comma needs quotes"
    if "Length of header" in error:
        return "rows have more cells than the header; a cell that holds a comma needs quotes"
    return f"not a table separated by commas ({' '.join(error.split()).rstrip('.')})"


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
    """Return a column as finite numbers, shape (rows,).

    Raises
    ------
    Nem2eError
        If a cell is not a finite number; rows are counted as lines of the file, the header being line 1.
    """
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise Nem2eError(
            f"{path}: line {row + 2}, column {column!r}: found {table[column].iloc[row]!r}, "
            "but a finite number is expected."
        )
    return values


def whole_numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.int64]:
    """Return a column as whole numbers from 0, shape (rows,).

    Raises
    ------
    Nem2eError
        If a cell is none; rows are counted as in `numbers`.
    """
    values = numbers(path, table, column)
    bad = (values < 0) | (values % 1 != 0) | (values > 2**31 - 1)
    if bad.any():
        row = int(np.argmax(bad))
        raise Nem2eError(
            f"{path}: line {row + 2}, column {column!r}: found {table[column].iloc[row]!r}, "
            "but a whole number from 0 is expected."
        )
    return values.astype(np.int64)
