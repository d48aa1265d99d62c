"""BTS Bioengineering: text of tracks (.emt), with a unit and a rate for all of them."""

from __future__ import annotations

import math
import re

from nem2e_lib.data.exports.body import read_body
from nem2e_lib.data.exports.channels import Channel, even_clock, gather
from nem2e_lib.data.exports.plain import stated
from nem2e_lib.data.exports.sheet import Sheet, cells
from nem2e_lib.data.storage.storage import Storage

NAME = "BTS tracks"


def is_bts(sheet: Sheet) -> bool:
    """Whether the first line says so."""
    return sheet.first.lower().startswith("bts ascii format")


def read_bts(sheet: Sheet) -> Storage:
    """Read tracks over time: EMG, force, or any other kind but points and cycles.

    Raises
    ------
    Nem2eError
        If it holds no tracks over time, or frames are missing.
    """
    keys = {
        key.strip().lower(): value.strip()
        for line in sheet.lines[:30]
        for key, mark, value in [line.partition(":")]
        if mark
    }
    kind = keys.get("type", "")
    at = next(
        (i for i, line in enumerate(sheet.lines[:40]) if re.match(r"\s*frame\s*\t\s*time\b", line, re.IGNORECASE)), None
    )
    if at is None or "point" in kind.lower() or "3d" in kind.lower():
        raise sheet.refusal(
            f"holds {kind or 'something else'} of BTS, but tracks over time are expected, with labels that start with "
            "Frame and Time; export the EMG tracks or forces."
        )
    labels = cells(sheet.lines[at], "\t")
    start = next((i for i in range(at + 1, len(sheet.lines)) if sheet.lines[i].strip()), at + 1)
    body = read_body(sheet, (start, None), "\t", labels)
    rate = stated(sheet, "frequency")
    time = even_clock(sheet, body.values[:, 1], body.decimals(1), rate if math.isfinite(rate) else None, start)
    told, frames = list(body.told), stated(sheet, "frames")
    if math.isfinite(frames) and frames != len(time):
        told.append(f"The header states {frames:g} frames, but {len(time)} were found and read.")
    unit = keys.get("measure unit", "")
    channels = [
        Channel(label, unit, time, body.values[:, i])
        for i, label in enumerate(labels)
        if i > 1 and i not in {*body.words, *body.empty}
    ]
    return gather(sheet, NAME, channels, told, {"kind": kind} if kind else None)
