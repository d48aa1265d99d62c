"""Delsys: EMGworks, with a clock before each channel, and Trigno Discover, with rates above columns of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nem2e_lib.data.exports.body import Body, read_body
from nem2e_lib.data.exports.channels import Channel, even_clock, gather, ticks, unit_of
from nem2e_lib.data.exports.plain import find_labels, read_labelled, stated
from nem2e_lib.data.exports.sheet import Sheet, cells, number, split
from nem2e_lib.data.storage.header import shown
from nem2e_lib.data.storage.storage import Storage

EMGWORKS = "Delsys EMGworks"
DISCOVER = "Delsys Trigno Discover"

_NO_EMG = re.compile(
    r"\b(?:acc|accel\w*|gyro\w*|mag|magnet\w*|imu|orientation|quat\w*|pitch|roll|yaw|temp\w*|pressure|hr|vo2|fsr)\b|"
    r"\((?:g|deg/s|rad/s|\u00b0/s|[u\u00b5\u03bc]t)\)",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"label: *(.+?) +sampling frequency: *([\d.,]+).*?(?:\bunit: *(\S+))?(?: +domain|$)", re.IGNORECASE
)
_LENGTH = 0.01  # share of the stated length that a channel may differ by
_FRAME_S = 0.0135
_TOLD = 8


def is_emgworks(sheet: Sheet) -> bool:
    """Whether there is a label ``X[s]``."""
    return any(re.search(r'(?:^|[,;\t])"?X ?\[s\]', line) for line in sheet.lines[:60])


def read_emgworks(sheet: Sheet) -> Storage:
    """Read a table with a column ``X[s]`` before each channel; channels of other sensors than EMG are left out."""
    above = [found for line in sheet.lines[:200] if (found := _STATED.search(line))]
    given = [(found.group(1).strip(), (found.group(3) or "").strip(",;")) for found in above]
    some = any(map(_is_emg, find_labels(sheet).labels))
    return read_labelled(sheet, EMGWORKS, given=given, leave=lambda label: not _is_wanted(label, some))


def _is_emg(label: str) -> bool:
    """Whether a channel is EMG by the kind of its signal, which stands after the sensor's name."""
    return "emg" in label.lower().rpartition(":")[2]


def _is_wanted(label: str, some: bool) -> bool:
    """Whether a channel is EMG, or may be where no channel says so."""
    return _is_emg(label) if some else not _NO_EMG.search(re.sub(r"[._]", " ", label))


def is_discover(sheet: Sheet) -> bool:
    """Whether one of the first lines names the program."""
    return any("trigno discover" in line.lower() for line in sheet.lines[:3])


def read_discover(sheet: Sheet) -> Storage:
    """Read lines of sensors, modes, channels and rates, and the columns below; the first sample is at 0 s.

    Where there are columns of time (``EMG 1 Time Series (s)``), each channel goes by the one to its left. A table of
    markers to the right of the signals is left out.

    Raises
    ------
    Nem2eError
        If the lines of the header are not there, or a time column contradicts its rate.
    """
    at, separator, names = _names(sheet)
    rates = _rates(sheet, at, separator, names)
    start = next((i for i in range(at + 1, len(sheet.lines)) if _is_row(sheet.lines[i], separator)), len(sheet.lines))
    sensors = _filled(split(sheet.lines[at - 2], separator), len(names))
    wide = len(split(sheet.lines[start], separator)) if start < len(sheet.lines) else len(names)
    labels = [*names, *(["marker"] * max(0, wide - len(names)))]
    body = read_body(sheet, (start, None), separator, labels, ragged=True, notes=range(len(names), len(labels)))
    told, channels, left = list(body.told), [], []
    some, clock = any(map(_is_emg, names)), None
    for i, name in enumerate(names):
        if "time series" in name.lower():
            clock = i
        elif not name or i in body.empty or i in body.words:
            left += [f"{sensors[i]}: {name or f'column {i + 1}'}"]
        elif not _is_wanted(name, some):
            left.append(f"{sensors[i]}: {name}")
        else:
            channels.append(_channel(sheet, body, f"{sensors[i]}: {name}", (i, clock), rates[i], start))
    if left:
        more = f" and {len(left) - _TOLD} more" if len(left) > _TOLD else ""
        told.append(f"Left out, no EMG: {', '.join(map(shown, left[:_TOLD]))}{more}.")
    if len(labels) > len(names):
        told.append("A table of markers beside the signals was left out.")
    length = stated(sheet, r"collection length[^:]*:", 4)
    for channel in channels:
        seconds = len(channel.time) / channel.rate_hz if channel.rate_hz else 0.0
        if abs(seconds - length) > max(_LENGTH * length, 0.1):
            told.append(f"{shown(channel.label)} is {seconds:.4g} s long, but the header states {length:.4g} s.")
    return gather(sheet, DISCOVER, channels, told)


def _names(sheet: Sheet) -> tuple[int, str, list[str]]:
    """Line and cells of the names of the channels."""
    for at in range(3, min(20, len(sheet.lines))):
        separator = max(",;\t", key=sheet.lines[at].count)
        names = cells(sheet.lines[at], separator)
        if any(re.search(r"\((?:[mu\u00b5\u03bc]?V|G|g|deg/s|s|\d+ ?Hz)\b.*\)", name) for name in names):
            return at, separator, names
    raise sheet.refusal(
        "is of Trigno Discover, but no line of channels such as 'EMG 1 (mV)' stands among its first 20; export it anew."
    )


def _rates(sheet: Sheet, at: int, separator: str, names: Sequence[str]) -> list[float]:
    """Rate of each channel, from the line below its name or, in the first versions, from the name itself."""
    below = split(sheet.lines[at + 1], separator) if at + 1 < len(sheet.lines) else []
    stated = below if any("hz" in cell.lower() for cell in below) else list(names)
    found = []
    for cell in [*stated, *[""] * len(names)][: len(names)]:
        hertz = re.search(r"(-?[\d.,]+) *Hz", cell, re.IGNORECASE)
        found.append(_precise(number(hertz.group(1))) if hertz else float("nan"))
    return found


def _precise(rate: float) -> float:
    """The rate of which the first versions print the whole part: a base station sends whole samples every 13.5 ms."""
    precise = round(rate * _FRAME_S) / _FRAME_S
    return precise if rate == round(rate) and abs(precise - rate) < 1 else rate


def _is_row(line: str, separator: str) -> bool:
    found = split(line, separator)
    if "type" in [cell.lower() for cell in found]:  # of the table of markers, beside sample intervals
        return False
    return any(found[:2]) and all(
        not cell or re.fullmatch(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?|nan", cell, re.IGNORECASE) for cell in found[:2]
    )


def _filled(sensors: list[str], width: int) -> list[str]:
    """A sensor's name stands above its first channel only."""
    found = list[str]()
    for i in range(width):
        own = sensors[i] if i < len(sensors) else ""
        found.append(own or (found[-1] if found else ""))
    return found


def _channel(sheet: Sheet, body: Body, label: str, columns: tuple[int, int | None], rate: float, start: int) -> Channel:
    column, clock = columns
    values = body.values[:, column]
    if clock is not None:
        times = body.values[:, clock]
        rows = int(np.isfinite(times).sum())
        time = even_clock(sheet, times[:rows], body.decimals(clock), rate if rate > 0 else None, start)
        return Channel(label, unit_of(label), time, values[:rows])
    if not rate > 0:
        raise sheet.refusal(
            f"there is no column of time, and the line of rates states none for {shown(label)}; export it anew with "
            "time."
        )
    known = np.isfinite(values)
    rows = len(values) - int(np.argmax(known[::-1]))
    return Channel(label, unit_of(label), ticks(rows, rate), values[:rows])
