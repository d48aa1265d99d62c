"""Tables with a line of labels, whatever stands above it: time in one column, or a clock before each channel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.exports.body import Body, read_body
from nem2e_lib.data.exports.channels import Channel, even_clock, gather, is_unit, unit_of
from nem2e_lib.data.exports.sheet import Sheet, cells, number, split
from nem2e_lib.data.storage.header import shown
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

NAME = "table of text"

_SEPARATORS = ("\t", ";", ",")
_LABELS_WITHIN = 200  # lines
_CLOCK = re.compile(
    r"(?:.*\btime series|(?:(?:abs|rel|elaps|record)\w*[ _])?time(?:[ _]?stamps?)?|x(?= *[\[(])|t|"
    r"zeit|temps|tiempo|tempo|tijd)[ _]*"
    r"(?:[\[(,]? *(s|sec|secs|seconds?|ms|msec|milliseconds?)? *[\])]?)?(?:[._ ]?\d+)?",
    re.IGNORECASE,
)
"""A label of time; a number after it is a spreadsheet's, for one that occurs more than once."""
_BARE = re.compile(r"t[._ ]?\d*", re.IGNORECASE)
_COUNTER = re.compile(
    r"|#|no\.?|n|index|frames?|sub[ _]?frames?|samples?|sample[ _]?(?:no|number|#)|rows?|unnamed: ?\d+", re.IGNORECASE
)
_REMARK = re.compile(r"activity|markers?|events?|comments?|labels?|notes?|phase|trigger text", re.IGNORECASE)
_EVEN = 1e-3  # a column that rises as evenly as this, of its mean step, may be a clock
_LEAST_HZ, _MOST_HZ = 25.0, 1e5
_FEW = 20  # rows, below which no column is taken for a clock by its values
_TOLD = 8


@dataclass(frozen=True)
class Labels:
    """Where the labels are, and what they are."""

    line: int
    start: int
    separator: str
    labels: tuple[str, ...]
    units: tuple[str, ...]
    time: int


def read_plain(sheet: Sheet) -> Storage:
    """Read a table in which nothing but labels and numbers is known."""
    return read_labelled(sheet, NAME)


def read_labelled(
    sheet: Sheet,
    name: str,
    *,
    rate_hz: float | None = None,
    start_s: float | None = None,
    given: Sequence[tuple[str, str]] = (),
    leave: Callable[[str], bool] = lambda _: False,
    metadata: dict[str, str] | None = None,
) -> Storage:
    """Read a table with a line of labels.

    A column goes by the nearest column of time to its left. Columns of words and counters of rows are left out and
    told.

    Parameters
    ----------
    sheet : Sheet
    name : str
        Of the format.
    rate_hz, start_s : float, optional
        What a header states of the first clock.
    given : sequence of (str, str)
        Labels and units that a header tells, where the labels do not.
    leave : callable
        Whether a label is of a sensor that is not wanted.
    metadata : dict, optional

    Raises
    ------
    Nem2eError
        If there are no labels with time among them, or the numbers cannot be read.
    """
    found = find_labels(sheet)
    clocks = [i for i, label in enumerate(found.labels) if _is_clock(label, i == found.time)]
    remarks = [i for i, label in enumerate(found.labels) if _REMARK.fullmatch(label)]
    body = read_body(sheet, (found.start, None), found.separator, found.labels, ragged=len(clocks) > 1, notes=remarks)
    told = [*body.told, *_above(sheet, found, name)]
    times = {i: _time(sheet, found, body, i, rate_hz if i == found.time else None) for i in clocks}
    if start_s is not None and np.isfinite(start_s) and len(clocks) == 1:
        told += _other_start(times[found.time], start_s)
    channels, columns, left = [], list[int](), dict[str, list[str]]()
    known = dict(given)
    for i, label in enumerate(found.labels):
        why = _left(found, body, i, label, clocks, leave)
        if why is None:
            own = max((clock for clock in clocks if clock < i), default=found.time)
            unit = found.units[i] or unit_of(label) or known.get(label, "")
            channels.append(Channel(label or f"column {i + 1}", unit, times[own], body.values[: len(times[own]), i]))
            columns.append(i)
        elif why:
            left.setdefault(why, []).append(label or f"column {i + 1}")
    _refuse_hidden_clocks(sheet, body, dict(zip(columns, channels, strict=True)))
    told += [f"Left out, {why}: {', '.join(map(shown, some[:_TOLD]))}." for why, some in left.items()]
    return gather(sheet, name, channels, told, metadata)


def find_labels(sheet: Sheet) -> Labels:
    """Find the line of labels: one with a label of time above a number, and as many cells as the line of numbers.

    Raises
    ------
    Nem2eError
        If there is none.
    """
    lines = sheet.lines[:_LABELS_WITHIN]
    for index, line in enumerate(lines):
        for separator in _SEPARATORS:
            labels = cells(line, separator)
            time = next((i for i, label in enumerate(labels[:4]) if _CLOCK.fullmatch(label)), None)
            if len(labels) < 2 or time is None:
                continue
            below = _below(lines, index + 1, separator, time)
            if below is None:
                continue
            units, start = below
            width = len(split(lines[start], separator))
            if width >= len(labels) or _clocks(labels) > 1:
                return Labels(index, start, separator, tuple(labels), _fitted(units, len(labels)), time)
    raise _no_labels(sheet)


def _clocks(labels: Sequence[str]) -> int:
    return sum(_CLOCK.fullmatch(label) is not None for label in labels)


def _fitted(units: Sequence[str], width: int) -> tuple[str, ...]:
    return tuple([*units, *[""] * width][:width])


def _below(lines: Sequence[str], at: int, separator: str, time: int) -> tuple[list[str], int] | None:
    """Units and the line of the first numbers, if they stand below the labels."""
    units: list[str] = []
    for index in range(at, min(at + 3, len(lines))):
        found = cells(lines[index], separator)
        if len(found) > time and re.fullmatch(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?", found[time]):
            return units, index
        if not units and found and all(not cell or is_unit(cell) or _SECONDS.fullmatch(cell) for cell in found):
            units = found
        elif found:
            return None
    return None


_SECONDS = re.compile(r"s|sec|secs|seconds?|ms|msec|milliseconds?", re.IGNORECASE)


def _no_labels(sheet: Sheet) -> Nem2eError:
    if {"cycle", "phase_pct"} <= set(re.split(r"\W+", sheet.first)):
        return sheet.refusal("is EMG cut into cycles; name it in trials.csv, beside a cycles.csv (docs/study.md).")
    if re.match(r"time +\S", sheet.first, re.IGNORECASE) and not re.search("[,;\t]", sheet.first):
        return sheet.refusal(
            "has blanks between its columns; put tabs or semicolons there, so that labels may have blanks."
        )
    return sheet.refusal(
        f"starts with {shown(sheet.first)}, but no program's export is known that does (docs/study.md), and no line of "
        "labels with time in it stands above numbers; export it as text with a column 'time' in s, or give it one."
    )


def _is_clock(label: str, first: bool) -> bool:
    return first or (_CLOCK.fullmatch(label) is not None and not _BARE.fullmatch(label))


def _above(sheet: Sheet, found: Labels, name: str) -> Iterator[str]:
    if name == NAME and (lines := sum(bool(line.strip(" \t,;")) for line in sheet.lines[: found.line])):
        yield f"{lines} lines above the labels (line {found.line + 1}) were not read: {shown(sheet.first)}."


def _time(sheet: Sheet, found: Labels, body: Body, column: int, rate_hz: float | None) -> Array:
    label, values = found.labels[column], body.values[:, column]
    known = np.isfinite(values)
    if _clocks(found.labels) > 1 and np.nanmax(values, initial=0) > 0:
        known &= np.arange(len(values)) <= np.flatnonzero(values > 0)[-1]  # some pad with zeros what has ended
    last = len(known) - int(np.argmax(known[::-1])) if known.any() else 0
    if not known[:last].all() or (last < len(known) and column == found.time and _clocks(found.labels) < 2):
        row = int(np.argmin(known))
        raise sheet.refusal(
            f"line {found.start + row + 1}: there is no time in column {column + 1} ({shown(label)}); mend it."
        )
    match = _CLOCK.fullmatch(label)
    unit = found.units[column] or (match.group(1) if match and match.group(1) else "")
    milli = unit.lower().startswith("m")
    decimals = body.decimals(column) + (3 if milli else 0)
    time = even_clock(sheet, values[:last] * (1e-3 if milli else 1.0), decimals, rate_hz, found.start)
    rate = (last - 1) / (time[-1] - time[0])
    if rate > _MOST_HZ or (not unit and rate < _LEAST_HZ and rate_hz is None and last > _FEW):
        raise sheet.refusal(
            f"column {column + 1} ({shown(label)}) taken in s makes {rate:.4g} Hz, which no EMG has; if it is in ms or "
            "counts samples, say so in its label: 'time (s)' or 'time (ms)'."
        )
    return time


def _other_start(time: Array, start_s: float) -> Iterator[str]:
    if abs(time[0] - start_s) > 1e-3:
        yield f"The header states that it begins at {start_s:g} s; its time column, at {time[0]:g} s, was taken."


def _left(
    found: Labels, body: Body, column: int, label: str, clocks: Sequence[int], leave: Callable[[str], bool]
) -> str | None:
    """Why a column is left out; empty where that goes without saying, None if it is a channel."""
    if column in clocks:
        return ""
    if column in body.words:
        return "columns of words"
    if column in body.empty:
        return "" if not label else "columns without a number"
    if _COUNTER.fullmatch(label) and (column < found.time or label) and _counts(body.values[:, column]):
        return "counters of rows"
    return "no EMG" if leave(label) else None


def _counts(values: Array) -> bool:
    return bool(np.isfinite(values).all() and (values == np.round(values)).all() and (np.diff(values) >= 0).all())


def _refuse_hidden_clocks(sheet: Sheet, body: Body, channels: dict[int, Channel]) -> None:
    """Refuse a column that rises evenly under another name: perhaps the clock of those after it."""
    for index, channel in channels.items():
        column = channel.values[np.isfinite(channel.values)]
        steps = np.diff(column)
        if len(column) <= _FEW or (steps <= 0).any():
            continue
        mean, digit = float(steps.mean()), 10.0 ** -body.decimals(index)
        if mean > digit / 2 and np.abs(steps - mean).max() <= max(_EVEN * mean, 1.1 * digit):
            raise sheet.refusal(
                f"column {index + 1} ({shown(channel.label)}) rises evenly as a clock does; call it 'time (s)' if it "
                "is the clock of the columns after it, or take it out."
            )


def stated(sheet: Sheet, key: str, within: int = 40) -> float:
    """Return the number after a key at the start of one of the first lines; NaN where there is none."""
    for line in sheet.lines[:within]:
        if re.match(rf"\W*{key}(?![a-z])", line, re.IGNORECASE):
            return number(re.split(key, line, maxsplit=1, flags=re.IGNORECASE)[1])
    return float("nan")
