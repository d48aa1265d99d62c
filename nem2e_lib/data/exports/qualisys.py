"""Qualisys Track Manager: tables of analog channels and of force plates (.tsv), with a header of keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nem2e_lib.data.exports.body import read_body
from nem2e_lib.data.exports.channels import Channel, even_clock, gather, is_unit, ticks, unit_of
from nem2e_lib.data.exports.sheet import Sheet, cells, number, split
from nem2e_lib.data.storage.storage import Storage

NAME = "Qualisys Track Manager"

_KEYS = re.compile(
    r"FILE_VERSION|(?:TOT_)?NO_OF_[A-Z_]+|FREQUENCY|TIME_STAMP|FIRST_[A-Z]+|DESCRIPTION|DATA_INCLUDED|EVENT|"
    r"(?:CHANNEL|FP|FORCE|MARKER|TRAJECTORY|BODY|CAMERA|COORDINATE|UNIT|ANALOG|START)[A-Z0-9_]*"
)
_COUNT = re.compile(r"sample|frame|#", re.IGNORECASE)


def is_qualisys(sheet: Sheet) -> bool:
    """Whether the first lines are keys of such a file."""
    head = [line.split("\t")[0].strip() for line in sheet.lines[:40]]
    return bool({"NO_OF_SAMPLES", "TOT_NO_OF_CHAN", "NO_OF_FRAMES", "CHANNEL_NAMES"} & set(head))


def read_qualisys(sheet: Sheet) -> Storage:
    """Read keys, labels where they stand above the numbers, and numbers with or without sample and time before them.

    Raises
    ------
    Nem2eError
        If it holds markers, channels of several rates without time, or columns that no key names.
    """
    keys, at = _keys(sheet)
    if "MARKER_NAMES" in keys or (keys.get("DATA_INCLUDED") or [""])[0].upper() in ("3D", "2D", "6D"):
        raise sheet.refusal(
            "holds markers of Qualisys, no analog channels; export analog data (_a.tsv) or force (_f.tsv)."
        )
    columns, start = _columns(sheet, keys, at)
    body = read_body(sheet, (start, None), "\t", columns)
    told = list(body.told)
    rate = _rate(sheet, keys)
    time = None
    if "time" in [name.lower() for name in columns]:
        clock = [name.lower() for name in columns].index("time")
        time = even_clock(sheet, body.values[:, clock], body.decimals(clock), rate, start)
    elif rate is None:
        raise sheet.refusal("states no FREQUENCY and has no column of time; export it anew with its header.")
    else:
        first = number((keys.get("FIRST_SAMPLE") or [""])[0])
        start_s = (first - 1) / rate if first > 1 else 0.0
        time = ticks(len(body.values), rate, start_s)
        told += [f"It starts at sample {first:g}, so that time starts at {start_s:.6g} s."] if start_s else []
    count = number((keys.get("NO_OF_SAMPLES") or keys.get("CHANNEL_SAMPLE_COUNTS") or [""])[0])
    if np.isfinite(count) and count != len(time):
        told.append(f"The header states {count:g} samples, but {len(time)} were found and read.")
    units = dict(zip(keys.get("CHANNEL_NAMES", []), keys.get("CHANNEL_UNITS", []), strict=False))
    skip = {i for i, name in enumerate(columns) if name.lower() == "time" or _COUNT.fullmatch(name)}
    channels = [
        Channel(name, units.get(name, "") or unit_of(name), time, body.values[:, i])
        for i, name in enumerate(columns)
        if i not in skip | {*body.words, *body.empty}
    ]
    gains = {cell for cell in keys.get("CHANNEL_GAIN", []) if number(cell) != 1}
    if gains:
        told.append(f"CHANNEL_GAIN is not 1 throughout ({', '.join(sorted(gains))}); values were taken as they stand.")
    return gather(sheet, NAME, channels, told)


def _keys(sheet: Sheet) -> tuple[dict[str, list[str]], int]:
    """Keys of the header with their values, and the line below them."""
    keys = dict[str, list[str]]()
    for index, line in enumerate(sheet.lines):
        found = split(line, "\t")
        if line.strip() and not _KEYS.fullmatch(found[0]):
            return keys, index
        if line.strip():
            keys[found[0]] = cells(line, "\t")[1:]
    return keys, len(sheet.lines)


def _columns(sheet: Sheet, keys: dict[str, list[str]], at: int) -> tuple[list[str], int]:
    """Labels of the columns, sample and time included, and the line where the numbers start."""
    found = cells(sheet.lines[at], "\t") if at < len(sheet.lines) else []
    names = keys.get("CHANNEL_NAMES", [])
    if found and not any(_is_number(cell) for cell in found):
        start = at + 1
        below = cells(sheet.lines[start], "\t") if start < len(sheet.lines) else []
        if below and all(is_unit(cell) or not cell or cell == "s" for cell in below):
            start += 1
        return found, start
    extra = len(found) - len(names)
    before: Sequence[str] = {0: (), 1: ("Time",), 2: ("Sample", "Time")}.get(extra, ("?",) if names else ())
    if not names or "?" in before:
        raise sheet.refusal(
            f"line {at + 1} has {len(found)} numbers, but CHANNEL_NAMES has {len(names)} names; export it anew, with "
            "the header and the labels of columns."
        )
    if extra == 1 and "." not in found[0] and "," not in found[0]:
        before = ("Sample",)
    return [*before, *names], at


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?|nan", cell, re.IGNORECASE) is not None


def _rate(sheet: Sheet, keys: dict[str, list[str]]) -> float | None:
    stated = keys.get("FREQUENCY") or keys.get("CHANNEL_FREQUENCIES") or []
    rates = {number(cell) for cell in stated if cell}
    if len(rates) > 1:
        raise sheet.refusal(
            f"its channels have several rates ({', '.join(f'{rate:g}' for rate in sorted(rates))} Hz) in one table, "
            "whose rows cannot be placed in time; export EMG and force into files of their own."
        )
    rate = rates.pop() if rates else float("nan")
    return rate if rate > 0 else None
