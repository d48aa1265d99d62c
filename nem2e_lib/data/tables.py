"""CSV tables that people type: read as text, so that every cell can be judged and named."""

from __future__ import annotations

import difflib
import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text
from nem2e_lib.errors import Nem2eError


def near(word: str, words: Iterable[str]) -> str:
    """A hint like ``; did you mean 'licence'?`` where a similar word exists, else nothing."""
    match = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {match[0]!r}?" if match else ""


def read_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Rows of a CSV file as stripped text, one column for each name asked for (empty if optional and absent).

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
        hint = "; separate the columns with commas." if ";" in found or "\t" in found else ""
        hint = hint or near(missing[0], table.columns) or "."
        raise Nem2eError(f"{path}: no column {missing[0]!r}; found {found}{hint}")
    if table.empty:
        raise Nem2eError(f"{path}: the table has no rows, but at least one is expected.")
    for name in set(optional) - set(table.columns):
        table[name] = ""
    table = table[[*required, *optional]].fillna("")
    return pd.DataFrame({name: table[name].str.strip() for name in table.columns})


def stray_columns(path: Path, known: Sequence[str]) -> list[str]:
    """Columns of a CSV file that are not known; Nem2eError if it is no table."""
    return [name for name in _parse(path, read_text(path)[0]).columns.str.strip() if name not in known]


def _parse(path: Path, text: str) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table: pd.DataFrame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
        return table
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise Nem2eError(f"{path}: not a table separated by commas ({reason}).") from None


def numbers(path: Path, table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """A column as finite numbers, shape (rows,).

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
    """A column as whole numbers from 0, shape (rows,).

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
