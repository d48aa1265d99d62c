"""Motion Analysis Cortex: analog counts (.anc) and forces (.forces)."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from nem2e_lib.data.exports.body import Body, read_body
from nem2e_lib.data.exports.channels import Channel, even_clock, gather, ticks
from nem2e_lib.data.exports.sheet import Sheet, cells, number
from nem2e_lib.data.storage.storage import Storage

ANALOG = "Motion Analysis Cortex, analog"
FORCES = "Motion Analysis Cortex, forces"

_AXES = {"F": "N", "M": "N.mm"}


def is_analog(sheet: Sheet) -> bool:
    """Whether the first line says so."""
    return re.match(r"file_type:\s*analog r/c ascii", sheet.first, re.IGNORECASE) is not None


def read_analog(sheet: Sheet) -> Storage:
    """Read counts of an analog card and scale them to V: a range of +-10000 mV and 16 bits are 2 x 10 / 2^16 V a count.

    Raises
    ------
    Nem2eError
        If names, rates or ranges are missing, or rates differ.
    """
    found = {
        words[0].lower(): (line, words[1:])
        for line, text in enumerate(sheet.lines[:60])
        if (words := cells(text, "\t")) and words[0].lower() in ("name", "rate", "range")
    }
    if set(found) != {"name", "rate", "range"}:
        raise sheet.refusal(
            "is an analog file of Cortex, but lines that start with Name, Rate and Range are expected; save it anew."
        )
    names, rates, ranges = (found[key][1] for key in ("name", "rate", "range"))
    if len(rates) < len(names) or len(ranges) < len(names):
        raise sheet.refusal(
            f"has {len(names)} names, {len(rates)} rates and {len(ranges)} ranges, but as many of each are expected; "
            "save it anew."
        )
    each = {number(cell) for cell in rates[: len(names)]}
    if not all(rate > 0 for rate in each):
        raise sheet.refusal("has a rate that is no number above 0; save it anew.")
    if len(each) > 1:
        raise sheet.refusal(
            f"its channels have several rates ({', '.join(f'{rate:g}' for rate in sorted(each))} Hz); one is expected."
        )
    start = found["range"][0] + 1
    body = read_body(sheet, (start, None), "\t", ["time", *names])
    precise = _stated(sheet, "PreciseRate:")
    rate = precise if precise > 0 and abs(precise / max(each) - 1) < 0.01 else max(each)
    time = even_clock(sheet, body.values[:, 0], body.decimals(0), rate, start)
    scale, unit, told = _scale(sheet, body, [number(cell) for cell in ranges[: len(names)]])
    channels = [Channel(name, unit, time, body.values[:, i + 1] * scale[i]) for i, name in enumerate(names)]
    return gather(sheet, ANALOG, channels, [*body.told, *told])


def _stated(sheet: Sheet, key: str) -> float:
    text = "\t".join(sheet.lines[:12])
    return number(text.partition(key)[2].strip("\t ").split("\t")[0]) if key in text else float("nan")


def _scale(sheet: Sheet, body: Body, ranges: list[float]) -> tuple[list[float], str, list[str]]:
    """V a count for each channel."""
    head, bits = "\n".join(sheet.lines[:6]), _stated(sheet, "BitDepth:")
    numbers = body.values[:, 1:]
    known = numbers[np.isfinite(numbers)]
    if (known != np.round(known)).any() or not bits > 0:
        what = "its values are no counts" if bits > 0 else "it states no BitDepth"
        return [1.0] * len(ranges), "", [f"Values were taken as they stand, their unit is not known: {what}."]
    if any(mv == 2**bits for mv in ranges):  # the first generation writes its levels there
        return [1.0] * len(ranges), "", ["Values are counts of the analog card; their range in mV is not stated."]
    if np.abs(known).max(initial=0) > 2**bits:
        raise sheet.refusal(f"has counts of {np.abs(known).max():g}, but BitDepth states {bits:g} bits; save it anew.")
    both = 1 if re.search(r"unipolar", head, re.IGNORECASE) else 2
    found = ", ".join(f"{mv:g}" for mv in sorted(set(ranges)))
    told = f"Counts were scaled to V by {bits:g} bits and the range of each channel ({found} mV)."
    forces = "Channels of force plates are in V, not N; the .forces file has them in N."
    return [both * mv / 1000 / 2**bits for mv in ranges], "V", [told, forces]


def is_forces(sheet: Sheet) -> bool:
    """Whether the first line says so."""
    return sheet.first.lower() == "[force data]"


def read_forces(sheet: Sheet) -> Storage:
    """Read forces in N, points of application in mm and free moments of each plate; sample 1 is at 0 s.

    Raises
    ------
    Nem2eError
        If rate or labels are missing, or samples do not follow each other.
    """
    # blanks and tabs separate, as whoever wrote the file pleased
    sheet = replace(sheet, lines=tuple(re.sub(r"[ \t]+", "\t", line.strip()) for line in sheet.lines))
    keys = {
        key.strip().lower(): value
        for line in sheet.lines[:20]
        if "=" in line
        for key, _, value in [line.partition("=")]
    }
    rate = number(keys.get("samplerate", ""))
    at = next((i for i, line in enumerate(sheet.lines[:20]) if line.lower().startswith("#sample")), None)
    if at is None or not rate > 0:
        raise sheet.refusal(
            "is a force file of Cortex, but SampleRate and a line that starts with #Sample are expected."
        )
    names = cells(sheet.lines[at], "\t")[1:]
    body = read_body(sheet, (at + 1, None), "\t", ["sample", *names])
    steps = np.diff(body.values[:, 0])
    if (steps != 1).any():
        row = int(np.argmax(steps != 1))
        raise sheet.refusal(
            f"line {at + 3 + row}: sample {body.values[row + 1, 0]:g} follows {body.values[row, 0]:g}; save it anew."
        )
    told = list(body.told)
    count = number(keys.get("numberofsamples", ""))
    if np.isfinite(count) and count != len(body.values):
        told.append(f"The header states {count:g} samples, but {len(body.values)} were found and read.")
    time = ticks(len(body.values), rate, (body.values[0, 0] - 1) / rate)
    channels = [
        Channel(name, _AXES.get(name[:1].upper(), "mm"), time, body.values[:, i + 1]) for i, name in enumerate(names)
    ]
    return gather(sheet, FORCES, channels, told)
