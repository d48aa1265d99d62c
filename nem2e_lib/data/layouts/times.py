"""Where the cycles of an activation file start and end: its set-up, heel strikes, or its own span."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data import gait
from nem2e_lib.data.columns import vertical_columns
from nem2e_lib.data.cycles import unlikely
from nem2e_lib.data.files import read_text
from nem2e_lib.data.storage import Storage
from nem2e_lib.errors import Nem2eError

Span = tuple[float, float]

FORCE = ("ground_force_vy", "l_ground_force_vy")
"""Columns of vertical force in N, right and left, in the force files of a study that is made."""
SNAP_S = 0.01
"""A cycle that ends up to this long outside its activation file is cut at the file's end, and told: at 120 Hz force
knows a heel strike to 8 ms."""
_NUMBER = r"\s*([-+]?[0-9.]+(?:[eE][-+]?\d+)?)\s*"


def setup_span(path: Path, shown: str) -> Span:
    """Read ``initial_time`` and ``final_time`` of a set-up file, in s; a comment may stand above its first line.

    Raises
    ------
    Nem2eError
        If either is missing, there more than once with different values, or the end is not after the start.
    """
    text = re.sub(r"<!--.*?-->", "", read_text(path)[0], flags=re.DOTALL)
    start, end = (_only(text, name, shown) for name in ("initial_time", "final_time"))
    if end <= start:
        raise Nem2eError(f"{shown}: final_time {end:g} is not after initial_time {start:g}; mend it or leave it out.")
    return start, end


def _only(text: str, name: str, shown: str) -> float:
    values = {float(value) for value in re.findall(f"<{name}>{_NUMBER}</{name}>", text)}
    if len(values) != 1:
        told = "none" if not values else ", ".join(f"{value:g}" for value in sorted(values))
        raise Nem2eError(f"{shown}: one number <{name}> is expected, found {told}; is this a set-up of CMC or RRA?")
    return values.pop()


def force_spans(grf: Storage, threshold_n: float) -> list[Span]:
    """Right heel strike to right heel strike, of cycles that can be ones (`cycles.unlikely`)."""
    columns = (grf.column(label) for label in FORCE)
    strikes, other = (gait.heel_strikes(grf.time, force, threshold_n=threshold_n) for force in columns)
    spans = gait.cycles(strikes, other, "right-right")
    return [(float(s), float(e)) for s, e in spans if not unlikely(s, e, other)]


def force_columns(labels: tuple[str, ...], right: list[str], left: list[str]) -> tuple[str, str] | None:
    """Columns of vertical force: those under names in common use, or the first that a layout names."""
    known = vertical_columns(labels)
    if known is not None:
        return known
    pair = [next((name for name in names if name in labels), None) for names in (right, left)]
    return (pair[0], pair[1]) if pair[0] and pair[1] and pair[0] != pair[1] else None


def inside(spans: list[Span], time: NDArray[np.float64]) -> list[Span]:
    """Those that an activation file covers, cut at its ends where they pass them by up to `SNAP_S`."""
    first, last = float(time[0]), float(time[-1])
    return [
        (max(start, first), min(end, last)) for start, end in spans if start >= first - SNAP_S and end <= last + SNAP_S
    ]
