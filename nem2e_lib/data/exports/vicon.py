"""Vicon Nexus: sections one below the other, of which ``Devices`` has EMG and force."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from nem2e_lib.data.exports.body import read_body
from nem2e_lib.data.exports.channels import Channel, gather, ticks
from nem2e_lib.data.exports.sheet import Sheet, cells, number, split
from nem2e_lib.data.storage.header import shown
from nem2e_lib.data.storage.storage import Storage

NAME = "Vicon Nexus"

_SECTIONS = ("devices", "trajectories", "model outputs", "joints", "segments", "events")
_MOST_SUBFRAMES = 1000
_FRAME = re.compile(r'"?frame"?[,;\t] *"?sub frame"?', re.IGNORECASE)


def is_vicon(sheet: Sheet) -> bool:
    """Whether there is a line of labels that starts with ``Frame,Sub Frame`` under the title of a section."""
    head = sheet.lines[:400]
    return any(_FRAME.match(line.strip()) for line in head) and any(_title(line) for line in head)


def _title(line: str) -> str:
    found = line.strip(' \t,;"').lower()
    return found if found in _SECTIONS else ""


def read_vicon(sheet: Sheet) -> Storage:
    """Read the section ``Devices``: rate, names of devices, labels, units, and a row a sample.

    A label is the device's output and the channel, as in the .c3d: ``Voltage.R SOL``, ``Force.Fz``; with the device's
    name before it where two devices have the same. Frame 1 is at 0 s.

    Raises
    ------
    Nem2eError
        If there is no such section, a sample is missing, or rate and frames do not go together.
    """
    titles = [(i, name) for i, line in enumerate(sheet.lines) if (name := _title(line))]
    at = next((i for i, name in titles if name == "devices"), None)
    if at is None:
        others = ", ".join(name.title() for _, name in titles)
        raise sheet.refusal(
            f"is of Vicon Nexus, but has no section 'Devices' (found: {others}); tick devices, with EMG and force "
            "plates, where Nexus exports ASCII."
        )
    head = next((i for i in range(at + 1, min(at + 6, len(sheet.lines))) if _FRAME.match(sheet.lines[i].strip())), None)
    rate = number(sheet.lines[at + 1]) if at + 1 < len(sheet.lines) else float("nan")
    if head is None or not rate > 0 or head + 2 >= len(sheet.lines):
        raise sheet.refusal(
            f"line {at + 1}: below 'Devices' a rate in Hz, names of devices and labels that start with Frame and Sub "
            "Frame are expected; export it anew."
        )
    separator = next(s for s in ",;\t" if s in sheet.lines[head])
    labels, units = cells(sheet.lines[head], separator), split(sheet.lines[head + 1], separator)
    stop = next((i for i in range(head + 2, len(sheet.lines)) if not sheet.lines[i].strip(" \t,;")), None)
    body = read_body(sheet, (head + 2, stop), separator, labels)
    names = _forward(split(sheet.lines[head - 1], separator), len(labels))
    start, more = _start(sheet, body.values[:, 0], body.values[:, 1], rate, head + 2)
    told = [*body.told, *more, *_others(titles)]
    time = ticks(len(body.values), rate, start)
    wanted = [i for i in range(2, len(labels)) if i not in body.words]
    full = _labels(names, labels, wanted)
    channels = [
        Channel(full[i], units[i] if i < len(units) else "", time, body.values[:, i])
        for i in wanted
        if i not in body.empty
    ]
    if empty := [full[i] for i in wanted if i in body.empty]:
        told.append(f"Left out, columns without a number: {', '.join(map(shown, empty[:8]))}.")
    return gather(sheet, NAME, channels, told)


def _forward(names: Sequence[str], width: int) -> list[str]:
    found = list[str]()
    for i in range(width):
        found.append((names[i] if i < len(names) else "") or (found[-1] if found else ""))
    return found


def _labels(names: Sequence[str], labels: Sequence[str], wanted: Sequence[int]) -> dict[int, str]:
    short = {i: f"{names[i].rpartition(' - ')[2]}.{labels[i]}".lstrip(".") for i in wanted}
    times = Counter(short.values())
    return {i: label if times[label] == 1 else f"{names[i]}.{labels[i]}" for i, label in short.items()}


def _start(sheet: Sheet, frame: np.ndarray, sub: np.ndarray, rate: float, line: int) -> tuple[float, list[str]]:
    """Time of the first sample in s, which frames and rate tell, and what is to be told of it."""
    each = int(np.nanmax(sub)) + 1 if np.isfinite(sub).any() else 1
    index = frame * each + sub
    gap = np.flatnonzero(~(np.diff(index) == 1))
    if not np.isfinite(index).all() or len(gap):
        row = int(gap[0]) + 1 if len(gap) else int(np.argmin(np.isfinite(index)))
        raise sheet.refusal(
            f"line {line + row + 1}: frame {frame[row]:g}, sub frame {sub[row]:g} does not follow the line above it; "
            "samples are missing, export it anew."
        )
    if frame[0] == 1 and sub[0] == 0:
        return 0.0, []
    start = float(((frame[0] - 1) * each + sub[0]) / rate)
    return start, [
        f"It starts at frame {frame[0]:g}, so that time starts at {start:.6g} s; if the trial's other files start at "
        f"0 s, give emg_offset_s (or grf_offset_s) = {-start:.6g} in trials.csv."
    ]


def _others(titles: Sequence[tuple[int, str]]) -> Iterator[str]:
    others = [name.title() for _, name in titles if name != "devices"]
    if others:
        yield f"Sections that were not read: {', '.join(others)}."
