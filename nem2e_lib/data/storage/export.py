"""Recordings that an amplifier's program exported as text: read as a storage file would be."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text
from nem2e_lib.data.storage.header import bare, shown, unique_labels
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError

EXPORTS = (".csv", ".tsv", ".txt")
"""Suffixes of such files."""
_TIME = re.compile(r"time *(?:[\[(,]? *(s|sec|seconds|ms)? *[\])]?)?", re.IGNORECASE)


def read_csv_recording(path: str | Path) -> Storage:
    """Read a table with one line of labels, time first, separated by commas, semicolons or tabs.

    Time is in s, or in ms where its label says so. What stands above the labels in some exports is to be taken away.

    Raises
    ------
    Nem2eError
        If the first label is not time, a line is short or long, a cell is no number, or time runs backwards.
    """
    text = read_text(path)[0]
    head, _, body = text.partition("\n")
    separator = max(",;\t", key=head.count)
    labels = [bare(label) for label in head.rstrip(separator + "\n ").split(separator)]
    unit = _TIME.fullmatch(labels[0])
    if {"cycle", "phase_pct"} <= set(labels):
        raise Nem2eError(f"{path}: is EMG cut into cycles; name it in trials.csv, beside a cycles.csv (docs/study.md).")
    if unit is None:
        raise Nem2eError(
            f"{path}: the first line starts with {shown(labels[0])}, but a label line that starts with 'time' is "
            "expected, and nothing above it."
        )
    table = _numbers(path, body, separator, len(labels))
    time = table[:, 0] * (1e-3 if str(unit.group(1)).lower() == "ms" else 1.0)
    if not np.isfinite(time).all() or (np.diff(time) < 0).any():
        row = int(np.argmax(~np.isfinite(time) | (np.diff(time, prepend=time[:1]) < 0)))
        raise Nem2eError(f"{path}: line {row + 2}: time is {time[row]:g} s, but rising numbers are expected; mend it.")
    return Storage(Path(path).stem, tuple(unique_labels(labels[1:])), time, table[:, 1:])


def _numbers(path: str | Path, body: str, separator: str, columns: int) -> NDArray[np.float64]:
    try:
        frame = pd.read_csv(
            io.StringIO(body),
            sep=separator,
            header=None,
            names=list(range(columns)),
            dtype=str,
            index_col=False,
            keep_default_na=False,
            skip_blank_lines=False,
            engine="c",
            on_bad_lines="error",
        )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise Nem2eError(
            f"{path}: its lines do not have the {columns} cells of the label line ({' '.join(str(error).split())}); "
            "export it anew."
        ) from None
    while len(frame) and (frame.iloc[-1].fillna("") == "").all():
        frame = frame.iloc[:-1]
    numbers = frame.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    for row, column in np.argwhere(~np.isfinite(numbers)).tolist():
        cell = str(frame.iloc[row, column])
        if cell.strip().lower().lstrip("+-") not in ("nan", "inf"):
            advice = "write numbers with a decimal point" if "," in cell else "a number is expected, or nan"
            raise Nem2eError(f"{path}: line {row + 2}, column {column + 1}: found {shown(cell)}; {advice}.")
    return np.asarray(numbers)
