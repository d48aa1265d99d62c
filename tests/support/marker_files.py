"""Marker files (.trc) of a walking figure whose places are known, written as asked and spoilt as asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NAMES = ("SACR", "RASI", "LASI", "C7", "CLAV", "RSHO", "LSHO", "RKNE", "LKNE", "RHEE", "LHEE", "RTOE")
HEIGHTS = (0.95, 0.97, 0.97, 1.45, 1.35, 1.4, 1.4, 0.5, 0.5, 0.05, 0.05, 0.04)
KEYS = (
    *("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units"),
    *("OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"),
)


def walker(frames: int = 30) -> np.ndarray:
    """Places in m, y up, walking along x at 1.2 m/s, shape (frames, markers, 3)."""
    time = np.arange(frames) / 100
    random = np.random.default_rng(0)
    still = np.column_stack([random.uniform(-0.2, 0.2, len(NAMES)), HEIGHTS, random.uniform(-0.2, 0.2, len(NAMES))])
    return still + np.stack([1.0 + 1.2 * time, np.zeros(frames), np.full(frames, 0.5)], axis=1)[:, None]


def text(
    places: np.ndarray,
    *,
    names: Sequence[str] = NAMES,
    unit: str = "m",
    keys: Sequence[str] = KEYS,
    first: int | None = 1,
    rate: float = 100.0,
    step: float = 0.01,
    gap: str = "\t\t\t",
    end: str = "\n",
    blank: bool = True,
    changed: dict[str, object] | None = None,
) -> str:
    """Return the text of a file; places are written as they are, NaN as blank cells; `first` is that of X1 Y1 Z1."""
    frames, count = len(places), len(names)
    values = dict(zip(KEYS, (rate, rate, frames, count, unit, rate, 1, frames), strict=True)) | (changed or {})
    rows = [
        f"PathFileType\t4\t(X/Y/Z)\twalk.trc{end}",
        "\t".join(keys) + end,
        "\t".join(str(values[key]) for key in keys) + end,
        "Frame#\tTime\t" + gap.join(names) + end,
    ]
    if first is not None:
        rows.append("\t\t" + "\t".join(f"{axis}{i}" for i in range(first, first + count) for axis in "XYZ") + end)
    rows += [end] if blank else []
    for index, row in enumerate(places.reshape(frames, -1)):
        cells = ["" if np.isnan(value) else f"{value:.6f}" for value in row]
        rows.append("\t".join([str(index + 1), f"{index * step:.5f}", *cells]) + end)
    return "".join(rows)
