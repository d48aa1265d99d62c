"""Marker files (.trc): which markers they have, over what time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import read_text
from nem2e_lib.errors import Nem2eError

_UNITS = {"mm": 1e-3, "m": 1.0, "cm": 1e-2}


@dataclass(frozen=True)
class Markers:
    """Trajectories of markers.

    Attributes
    ----------
    names : tuple of str
    time : float64 array, shape (rows,)
        In s.
    places : float64 array, shape (rows, markers, 3)
        In m; NaN where a marker was not seen.
    """

    names: tuple[str, ...]
    time: NDArray[np.float64]
    places: NDArray[np.float64]


def read_markers(path: Path) -> Markers:
    """Read a .trc file.

    Raises
    ------
    Nem2eError
        If the file is no .trc, states no known unit, or a row does not fit its header.
    """
    lines = read_text(path)[0].split("\n")
    if len(lines) < 6 or not lines[3].lower().startswith("frame#"):
        raise Nem2eError(f"{path}: is no marker file; a .trc with 'Frame#  Time  <markers>' in line 4 is expected.")
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=False))
    unit = header.get("Units", "").strip()
    if unit not in _UNITS:
        raise Nem2eError(f"{path}: line 3 states units {unit!r}, but mm, cm or m is expected.")
    names = tuple(name.strip() for name in lines[3].split("\t")[2:] if name.strip())
    table = np.array([_row(path, number, line, len(names)) for number, line in enumerate(lines[5:], 6) if line.strip()])
    if not len(table):
        raise Nem2eError(f"{path}: has no frames, but marker positions are expected from line 6 on.")
    return Markers(names, table[:, 1], table[:, 2:].reshape(len(table), len(names), 3) * _UNITS[unit])


def _row(path: Path, number: int, line: str, markers: int) -> list[float]:
    cells = line.split("\t")
    width = 2 + 3 * markers
    cells = (cells + [""] * width)[:width]
    try:
        return [float(cell) if cell.strip() else float("nan") for cell in cells]
    except ValueError:
        raise Nem2eError(
            f"{path}: line {number} holds a cell that is no number; frame, time and positions are expected."
        ) from None


def common_markers(path: Path, markers: Markers, model: str, known: dict[str, str]) -> list[str]:
    """Return the markers that file and model share; Nem2eError where they are fewer than three."""
    shared = [name for name in markers.names if name in known]
    if len(shared) < 3:
        raise Nem2eError(
            f"{path}: shares {len(shared)} marker names with model {model!r} (file: {', '.join(markers.names[:6])}; "
            f"model: {', '.join(list(known)[:6]) or 'none'}), but at least three are needed; rename the markers, or "
            "add them to the model."
        )
    return shared
