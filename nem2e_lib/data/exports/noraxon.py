"""Noraxon myoRESEARCH: text and spreadsheets with a preamble, columns of words, and units in the labels."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from nem2e_lib.data.exports.plain import read_labelled, stated
from nem2e_lib.data.exports.sheet import Sheet, cells, number
from nem2e_lib.data.storage.header import shown
from nem2e_lib.data.storage.storage import Storage

NAME = "Noraxon myoRESEARCH"

_WIDEST = 1 << 14  # columns of a spreadsheet
_CELL = re.compile(r"(?:^|;)([XYK])((?:[^;]|;;)*)")


def is_noraxon(sheet: Sheet) -> bool:
    """Whether one of the first lines names the program, or has the keys of its preamble."""
    head = "\n".join(sheet.lines[:12])
    return re.search(r"myoresearch|noraxon|\bbegin_time\b.*\bfrequency\b", head, re.IGNORECASE) is not None


def read_noraxon(sheet: Sheet) -> Storage:
    """Read its .csv (keys and values in two lines) or .txt (a key a line), with either decimal sign."""
    rate, start, count = _preamble(sheet)
    read = read_labelled(sheet, NAME, rate_hz=rate if math.isfinite(rate) else None, start_s=start)
    if math.isfinite(count) and count != len(read.time):
        told = f"The header states {count:g} rows, but {len(read.time)} were found and read."
        return replace(read, warnings=(*read.warnings, told))
    return read


def _preamble(sheet: Sheet) -> tuple[float, float, float]:
    """Rate in Hz, first time in s and number of rows as the preamble states them; NaN where it does not."""
    for line, below in zip(sheet.lines[:12], sheet.lines[1:13], strict=False):
        for separator in ";,\t":
            keys = [key.lower() for key in cells(line, separator)]
            if "frequency" in keys and "begin_time" in keys:
                told = dict(zip(keys, cells(below, separator), strict=False))
                rate, start, count = (number(told.get(key, "")) for key in ("frequency", "begin_time", "count"))
                return rate, start, count
    rate = next(
        (
            found
            for key in ("frequency", "sampling ?rate", "sample ?rate")
            if math.isfinite(found := stated(sheet, key, 12))
        ),
        math.nan,
    )
    return rate, math.nan, math.nan


def is_sylk(sheet: Sheet) -> bool:
    """Whether it is a spreadsheet in Microsoft's symbolic link format (.slk)."""
    return sheet.lines[0].startswith("ID;P")


def read_sylk(sheet: Sheet) -> Storage:
    """Read the same from a spreadsheet (.slk): records ``C;Y1;X1;K"Time,s"``, where X and Y stay until they change."""
    rows, x, y = dict[int, dict[int, str]](), 1, 1
    for line in sheet.lines:
        if line.startswith(("C;", "F;")):
            fields = dict[str, str](_CELL.findall(line[1:]))
            place = [fields.get("X", str(x)), fields.get("Y", str(y))]
            if not all(map(str.isdecimal, place)) or int(place[0]) > _WIDEST:
                raise sheet.refusal(
                    f"is a spreadsheet (.slk) with a record {shown(line)} that cannot be read; save it anew."
                )
            x, y = map(int, place)
            if "K" in fields:
                rows.setdefault(y, {})[x] = fields["K"].replace(";;", ";").strip('"').replace("\t", " ")
    width = max((max(row) for row in rows.values()), default=0)
    text = ["\t".join(row.get(i, "") for i in range(1, width + 1)) for _, row in sorted(rows.items())]
    return read_noraxon(replace(sheet, lines=tuple(text)))
