"""Marker files (.trc): read as strictly as OpenSim's tables, written as OpenSim reads them.

After the format's description in OpenSim's documentation, and what programs really write: seven header keys instead of
eight, coordinates numbered from 5, no coordinates at all, 0 0 0 for a marker that was not seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text, replacing
from nem2e_lib.data.markers.body import TURNS, contradiction, up
from nem2e_lib.data.units import metres
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

RATE = 0.01
"""Share by which DataRate may differ from what the times say."""
ROUNDING_S = 0.002
"""Difference between the first and the last time that comes of rounding them."""
_KEYS = (
    *("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units"),
    *("OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"),
)
_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_COORDINATE = re.compile(r"([XYZ])\d*", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Markers:
    """Trajectories of markers.

    Attributes
    ----------
    names : tuple of str
        Each once.
    time : float64 array, shape (frames,)
        In s, increasing.
    places : float64 array, shape (frames, markers, 3)
        In m; NaN where a marker was not seen.
    unit : str
        Of the file.
    notes : tuple of str
        What is odd in the file, one sentence each.
    """

    names: tuple[str, ...]
    time: Array
    places: Array
    unit: str = "m"
    notes: tuple[str, ...] = ()

    @property
    def rate_hz(self) -> float:
        """Frames a second, by the times; NaN for a single frame."""
        steps = np.diff(self.time)
        even = steps[steps < 1.5 * np.median(steps)] if len(steps) else steps  # times are often rounded, so the mean
        return 1.0 / float(even.mean()) if len(even) else float("nan")


def read_markers(path: str | Path) -> Markers:
    """Read a .trc file.

    Raises
    ------
    Nem2eError
        If the file is no .trc, its names and columns do not fit each other, a cell is no number, time is missing or
        does not increase, or its unit is unknown or not that of a body.
    """
    text, notes = read_text(path)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    _refuse_other(path, lines)
    cells_of = _Cells("\t" in lines[3][1])
    header, odd = _header(path, lines, cells_of)
    first = _first_row(lines, cells_of)
    told = _coordinates(path, lines[4:first], cells_of)
    sure = told is not None and _float(header.get("NumMarkers", "")) == told
    names, apart = _names(path, lines[3], cells_of, told, sure=sure)
    rows = lines[first:]
    table, short = _table(path, rows, cells_of, names, whole=text.endswith("\n"))
    time, places = table[:, 0], table[:, 1:].reshape(len(table), len(names), 3)
    _refuse_parts(path, rows, names, places)
    _refuse_times(path, rows, time)
    _refuse_other_clock(path, header, time)
    seen, hidden = _without_zeros(names, places)
    unit = header["Units"]
    in_metres = seen * (metres(unit) or float("nan"))
    wrong = contradiction(in_metres, len(names), unit)
    if wrong:
        raise Nem2eError(f"{path}: {wrong}; correct Units in line {lines[2][0]}.")
    odd += [*apart, *short, *hidden, *_stated(header, time, len(names))]
    return Markers(names, time, in_metres, unit, (*notes, *odd))


Lines = Sequence[tuple[int, str]]


def _refuse_other(path: str | Path, lines: Lines) -> None:
    head = [line for _, line in lines[:4]]
    if len(head) < 4 or not re.match(r'(?i)"?frame\s*#?', head[3]):
        raise Nem2eError(
            f"{path}: is no marker file; a .trc with 'PathFileType' in line 1 and 'Frame#  Time  <markers>' in line 4 "
            "is expected."
        )
    if "\t" not in head[3] and re.search("[,;]", head[3]):
        raise Nem2eError(f"{path}: line {lines[3][0]} is separated by commas or semicolons; save it with tabs.")


@dataclass(frozen=True)
class _Cells:
    """Cuts lines into cells: at tabs, or at runs of blanks in a file without tabs."""

    tabs: bool

    def __call__(self, line: str) -> list[str]:
        cells = line.split("\t") if self.tabs else line.split()
        return [cell.strip().strip('"') for cell in cells]


def _header(path: str | Path, lines: Lines, cells_of: _Cells) -> tuple[dict[str, str], list[str]]:
    """Entries by their usual name, as far as keys and values stand below each other, and what is odd."""
    (_, above), (number, below) = lines[1:3]
    keys = [cell for cell in cells_of(above) if cell]
    usual = {key.lower(): key for key in _KEYS}
    keys = [usual.get(key.lower(), key) for key in keys]
    ways = [_trimmed(cells_of(below)), [cell for cell in cells_of(below) if cell], below.split()]
    fitting = [way for way in ways if metres(dict(zip(keys, way, strict=False)).get("Units", "")) is not None]
    if not fitting:
        found = dict(zip(keys, ways[0], strict=False)).get("Units", "")
        raise Nem2eError(
            f"{path}: line {number} states units {found!r}, but mm, cm or m is expected below 'Units' of line "
            f"{lines[1][0]}."
        )
    values = next((way for way in fitting if len(way) == len(keys)), fitting[0])
    header = dict(zip(keys, values, strict=False))
    odd = []
    if len(keys) != len(values):
        odd.append(f"The header has {len(keys)} keys and {len(values)} values; those up to Units were read.")
        header = {key: header[key] for key in list(header)[: list(header).index("Units") + 1]}
    elif len(keys) != len(_KEYS):
        odd.append(f"The header has {len(keys)} entries where {len(_KEYS)} are usual.")
    return header, odd


def _first_row(lines: Lines, cells_of: _Cells) -> int:
    """Index of the first line of numbers: the fifth, or the one below the coordinates."""
    return next((i for i in range(4, len(lines)) if not _is_coordinates(cells_of(lines[i][1]))), len(lines))


def _is_coordinates(cells: Sequence[str]) -> bool:
    return bool(told := [cell for cell in cells if cell]) and all(_COORDINATE.fullmatch(cell) for cell in told)


def _coordinates(path: str | Path, lines: Lines, cells_of: _Cells) -> int | None:
    """Return how many markers the line X1 Y1 Z1 … has coordinates of, wherever it counts from; None without it."""
    if not lines:
        return None
    number, line = lines[0]
    letters = "".join(cell[0].upper() for cell in cells_of(line) if cell)
    if letters != "XYZ" * (len(letters) // 3):
        raise Nem2eError(
            f"{path}: line {number} names coordinates {' '.join(cells_of(line)[:8]).strip()} …, but X, Y and Z of one "
            "marker after another are expected; put the columns in this order."
        )
    return len(letters) // 3


def _names(
    path: str | Path, line: tuple[int, str], cells_of: _Cells, told: int | None, *, sure: bool
) -> tuple[tuple[str, ...], list[str]]:
    """Names of the markers, each above the first of its three columns, or one after another; and what is odd.

    Names that stand above other columns are taken one after another where they are as many as the line below has
    coordinates of, and the header agrees (`sure`).
    """
    number, text = line
    apart: list[str] = []
    cells = _trimmed(cells_of(text)[2:])
    named = [cell for cell in cells if cell]
    if len(cells) > 1 and len(named) < len(cells):  # with gaps: every third cell has a name, and no other
        names = cells[::3]
        astray = [cell for index, cell in enumerate(cells) if index % 3 and cell]
        if astray and sure and len(named) == told:
            names = named
            apart.append(
                f"Names of line {number} do not stand above their columns ({astray[0]!r}); they were taken one after "
                f"another, for header, coordinates and names agree on {told} markers."
            )
        elif astray:
            raise Nem2eError(
                f"{path}: line {number}: marker {astray[0]!r} does not stand above the first of three columns; put two "
                "tabs behind the name of every marker."
            )
    else:
        names = _of_columns(named)
    if not names:
        raise Nem2eError(f"{path}: line {number} names no marker; 'Frame#  Time  <markers>' is expected.")
    if "" in names:
        raise Nem2eError(
            f"{path}: line {number}: marker {names.index('') + 1} has no name, so that the columns below it are "
            "nobody's; name it or take its columns out."
        )
    if told is not None and told != len(names):
        raise Nem2eError(
            f"{path}: line {number} names {len(names)} markers, but the line below has coordinates of {told}; give "
            "every marker its three columns."
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Nem2eError(
            f"{path}: line {number} names marker {twice[0]!r} {names.count(twice[0])} times; give each a name of its "
            "own."
        )
    return tuple(names), apart


def _trimmed(cells: list[str]) -> list[str]:
    """Cells without the blank ones at the end."""
    last = max((index for index, cell in enumerate(cells) if cell), default=-1)
    return cells[: last + 1]


def _of_columns(named: list[str]) -> list[str]:
    """Names that stand for a marker each, or thrice with their coordinate: ``hip_x hip_y hip_z``."""
    ends = [name[-1:].lower() for name in named]
    if len(named) > 2 and ends == list("xyz") * (len(named) // 3):
        roots = [name[:-1].rstrip("_.- :") for name in named]
        if roots[::3] == roots[1::3] == roots[2::3] and all(roots):
            return roots[::3]
    return named


def _table(
    path: str | Path, rows: Lines, cells_of: _Cells, names: Sequence[str], *, whole: bool
) -> tuple[Array, list[str]]:
    """Time and coordinates, shape (frames, 1 + 3 x markers), NaN where a cell is blank; and what is odd.

    A row may lack the cells of its last markers, as when blanks at its end were trimmed; not the last row of a file
    that does not end with a line (`whole`), which is cut off.
    """
    if not rows:
        raise Nem2eError(f"{path}: has no frames, but positions of {len(names)} markers are expected below its header.")
    width, table, short = 2 + 3 * len(names), [], []
    for number, line in rows:
        cells = cells_of(line)
        cells = cells[:width] if not any(cells[width:]) else cells
        may_lack = cells_of.tabs and (whole or number != rows[-1][0])
        if len(cells) != width and not (may_lack and 2 <= len(cells) < width and (len(cells) - 2) % 3 == 0):
            raise Nem2eError(
                f"{path}: line {number} has {len(cells)} cells, but {width} are expected: frame, time and three "
                f"coordinates of each of {len(names)} markers; "
                f"{'is the file cut off?' if len(cells) < width else 'name the others, or take them out.'}"
            )
        if len(cells) < width:
            short.append(number)
            cells += [""] * (width - len(cells))
        table.append([_number(path, number, cell, index, names) for index, cell in enumerate(cells[1:])])
    told = f"Rows that lack cells at their end: {len(short)}, the first in line {short[0]}; " if short else ""
    return np.array(table), [f"{told}their last markers were taken for not seen."] if told else []


def _refuse_parts(path: str | Path, rows: Lines, names: Sequence[str], places: Array) -> None:
    count = np.isfinite(places).sum(axis=2)
    part = (count > 0) & (count < 3)
    if part.any():
        row, marker = np.argwhere(part)[0]
        raise Nem2eError(
            f"{path}: line {rows[row][0]}: marker {names[marker]!r} has {count[row, marker]} of its three coordinates; "
            "give all, or none where it was not seen."
        )


def _number(path: str | Path, number: int, cell: str, index: int, names: Sequence[str]) -> float:
    try:
        value = float(cell) if cell else float("nan")
    except ValueError:
        value = float("inf")
    if np.isinf(value):
        what = f"{'XYZ'[(index - 1) % 3]} of marker {names[(index - 1) // 3]!r}" if index else "time"
        advice = "write decimal points instead of commas" if _COMMA.fullmatch(cell) else "a number is expected"
        raise Nem2eError(f"{path}: line {number}: {what} is {cell[:40]!r}; {advice}.")
    return value


def _refuse_times(path: str | Path, rows: Lines, time: Array) -> None:
    if not np.isfinite(time).all():
        number = rows[int(np.argmin(np.isfinite(time)))][0]
        raise Nem2eError(f"{path}: line {number} has no time, but a number of s is expected in the second column.")
    step = np.diff(time)
    if (step <= 0).any():
        index = int(np.argmax(step <= 0))
        raise Nem2eError(
            f"{path}: line {rows[index + 1][0]}: time goes from {time[index]:g} to {time[index + 1]:g} s, but it must "
            "increase; sort the frames, or split the file."
        )


def _refuse_other_clock(path: str | Path, header: dict[str, str], time: Array) -> None:
    """Refuse times that are plainly ms, or numbers of frames."""
    rate = _float(header.get("DataRate", ""))
    if rate is None or len(time) < 3:
        return
    step = float(np.median(np.diff(time)))
    counted = "ms" if abs(rate * step / 1000 - 1) < 0.1 else "numbers of frames" if step == 1 and rate > 2 else ""
    if counted:
        raise Nem2eError(
            f"{path}: times step by {step:g} where DataRate is {rate:g}: they look like {counted}, but s are expected "
            "in the second column."
        )


def _without_zeros(names: Sequence[str], places: Array) -> tuple[Array, list[str]]:
    """The places with NaN where a marker is at 0 0 0 exactly, as some programs write of one that was not seen."""
    zero = (places == 0).all(axis=2)
    told = [f"{name} ({int(count)})" for name, count in zip(names, zero.sum(axis=0), strict=True) if count]
    if not told:
        return places, []
    few = ", ".join(told[:5]) + (f" and {len(told) - 5} more" if len(told) > 5 else "")
    note = f"Markers at exactly 0 0 0 were taken for not seen, in so many frames: {few}."
    return np.where(zero[:, :, None], np.nan, places), [note]


def _stated(header: dict[str, str], time: Array, markers: int) -> Iterator[str]:
    """What the header states otherwise than the table has it; the table is believed."""
    for key, found, what in (("NumFrames", len(time), "frames"), ("NumMarkers", markers, "markers")):
        stated = _float(header.get(key, ""))
        if stated is not None and stated != found:
            yield f"The header states {key} {stated:g}, but {found} {what} were found and read."
    steps = np.diff(time)
    gaps = steps > 1.5 * np.median(steps) if len(steps) else steps
    rate = _float(header.get("DataRate", ""))
    if rate is not None and len(steps) and not gaps.any():
        span = float(time[-1] - time[0])
        step = span / len(steps)
        if abs(rate * step - 1) > RATE + ROUNDING_S / span:
            yield f"The header states DataRate {rate:g}, but by the times there are {1 / step:.6g} frames a second."
    if gaps.any():
        at = int(np.argmax(gaps))
        yield f"There are no frames between {time[at]:g} and {time[at + 1]:g} s."


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def require_y_up(path: str | Path, markers: Markers, low: Sequence[str] = (), high: Sequence[str] = ()) -> None:
    """Refuse markers whose vertical axis is plainly not y, which it is for OpenSim.

    Parameters
    ----------
    path, markers
        The file and what was read of it.
    low, high
        Markers on the feet, and on pelvis or trunk, where they are known; see `body.up`.

    Raises
    ------
    Nem2eError
        If another axis than y points up.
    """
    found = up(markers.names, markers.places, low, high)
    if found is not None and found.axis != "+y":
        raise Nem2eError(
            f"{path}: {found.axis} points up ({found.why}), but y does in OpenSim; write {TURNS[found.axis]} in place "
            "of x, y, z, and turn the forces alike."
        )


def write_markers(path: str | Path, markers: Markers) -> None:
    """Write markers in m as OpenSim 4 reads them; a marker that was not seen is blank.

    Rows end in a tab: without it OpenSim loses the last cell where that is blank.

    Raises
    ------
    Nem2eError
        If the file cannot be written.
    """
    rate, frames, name = markers.rate_hz, len(markers.time), Path(path).name
    rate = 1.0 if np.isnan(rate) else rate
    values = [rate, rate, frames, len(markers.names), "m", rate, 1, frames]
    head = [
        ["PathFileType", "4", "(X/Y/Z)", name],
        _KEYS,
        [value if isinstance(value, str) else f"{value:.9g}" for value in values],
        ["Frame#", "Time", *(cell for each in markers.names for cell in (each, "", ""))],
        ["", "", *(f"{axis}{number}" for number in range(1, len(markers.names) + 1) for axis in "XYZ")],
        [],
    ]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines("\t".join(cells) + "\n" for cells in head)
        for number, (time, row) in enumerate(zip(markers.time, markers.places.reshape(frames, -1), strict=True), 1):
            cells = ["" if cell == "nan" else cell for cell in map(repr, row.tolist())]
            cells += [""] * (not cells[-1])  # OpenSim passes over a last cell that is blank
            file.write("\t".join([str(number), repr(float(time)), *cells]) + "\n")
