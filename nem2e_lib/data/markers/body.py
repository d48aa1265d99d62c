"""What markers on a body say of themselves, whatever their file says: how large it is, and which axis points up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALLEST_M, LARGEST_M = 0.3, 6.0
"""Span in m of a body's markers in one frame: half a leg, and a person with the marked corners of a walkway."""
FEW, SMALLEST_FEW_M = 10, 0.03
"""Below so many markers they may be of one segment, which may be as small as this."""
INNER = 0.8
"""Share of the markers that must lie within the largest span: a few may be of something else in the room."""
UPRIGHT = 0.8
"""Share of the way from the feet up to the trunk that lies along one axis, for this to be the vertical one."""

AXES = "xyz"
_LOW = re.compile(r"(?i)(hee|heel|toe|ank|cal|mt[1-5]|d[1-5]m|p[1-5]m|meta|foot|mall)")
_HIGH = re.compile(r"(?i)(asi|psi|sac|shou?|acr|c7|t10|clav|ster?n|head|hed|pelv|neck|jug)")

TURNS = {
    "+x": "-y, x, z",
    "-x": "y, -x, z",
    "-y": "x, -y, -z",
    "+z": "x, z, -y",
    "-z": "x, -z, y",
}
"""What to write in place of x, y, z so that the axis which points up becomes y, by a rotation."""


@dataclass(frozen=True)
class Up:
    """Which axis points up, e.g. ``+z``, and how that is known."""

    axis: str
    why: str


def span_m(places: Array, inner: float = 1.0) -> float:
    """Return the median over frames of the largest extent of the markers along an axis, in the unit of `places`.

    Parameters
    ----------
    places
        Shape (frames, markers, 3), NaN where a marker was not seen.
    inner
        Share of the markers, those in the middle, whose extent is taken.

    Returns
    -------
    float
        NaN if no two markers were ever seen in one frame.
    """
    extents = _extents(places, inner)
    return float(np.median(extents.max(axis=1))) if len(extents) else float("nan")


def contradiction(places: Array, markers: int, unit: str) -> str:
    """Return why places in m cannot be a body's if the unit is as stated; empty where they can.

    Parameters
    ----------
    places
        In m, as the unit stated makes of them, shape (frames, markers, 3).
    markers
        How many there are.
    unit
        As stated.
    """
    span, most = span_m(places), span_m(places, INNER)
    smallest = SMALLEST_M if markers >= FEW else SMALLEST_FEW_M
    if np.isnan(span) or (span >= smallest and most <= LARGEST_M):
        return ""
    return (
        f"its {markers} markers lie within {span:.3g} m if they are in {unit}, as it says, but {smallest:g} to "
        f"{LARGEST_M:g} m are expected of a body"
    )


def up(names: Sequence[str], places: Array, low: Sequence[str] = (), high: Sequence[str] = ()) -> Up | None:
    """Tell which axis points up: the one along which the trunk lies above the feet; None where that is not plain.

    Parameters
    ----------
    names
        Of the markers.
    places
        Shape (frames, markers, 3).
    low, high
        Markers that are known to be on the feet, and on pelvis or trunk; where none is there, those with usual names.
    """
    lower, upper = _chosen(names, low, _LOW), _chosen(names, high, _HIGH)
    upper = [index for index in upper if index not in lower]
    if not lower or not upper:
        return None
    way = _middle(places[:, upper]) - _middle(places[:, lower])
    way = way[np.isfinite(way).all(axis=1)]
    if not len(way):
        return None
    middle = np.median(way, axis=0)
    length = float(np.linalg.norm(middle))
    index = int(np.argmax(np.abs(middle)))
    if not length or abs(middle[index]) < UPRIGHT * length:
        return None
    axis = f"{'+' if middle[index] > 0 else '-'}{AXES[index]}"
    return Up(axis, f"{names[upper[0]]} lies above {names[lower[0]]} along {axis}")


def _chosen(names: Sequence[str], known: Sequence[str], usual: re.Pattern[str]) -> list[int]:
    found = [index for index, name in enumerate(names) if name in known]
    return found or [index for index, name in enumerate(names) if usual.search(name)]


def _middle(places: Array) -> Array:
    """Mean of the markers that are seen in a frame, shape (frames, 3); NaN where none is."""
    seen = np.isfinite(places)
    count = seen.sum(axis=1)
    return np.where(count > 0, np.where(seen, places, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _extents(places: Array, inner: float) -> Array:
    """Extent along each axis of the markers seen, in the frames in which two or more are, shape (frames, 3)."""
    seen = np.isfinite(places).all(axis=2)
    some = places[seen.sum(axis=1) >= 2]
    if not len(some):
        return np.empty((0, 3))
    ordered, counts = np.sort(some, axis=1), np.isfinite(some).sum(axis=1)  # NaN come last
    return _quantile(ordered, counts, (1 + inner) / 2) - _quantile(ordered, counts, (1 - inner) / 2)


def _quantile(ordered: Array, counts: NDArray[np.intp], share: float) -> Array:
    """That quantile of the first so many along axis 1, shape (frames, 3), linear between neighbours.

    As `numpy.nanquantile`, which takes a hundred times as long.
    """
    place = share * (counts - 1)
    below = np.floor(place).astype(np.intp)
    lower, upper = (
        np.take_along_axis(ordered, np.minimum(each, counts - 1)[:, None, :], axis=1)[:, 0]
        for each in (below, below + 1)
    )
    return np.asarray(lower + (upper - lower) * (place - below))
