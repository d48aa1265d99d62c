"""The samples of a C3D file, decoded here and held against what ezc3d reads.

A library alone is not enough: ezc3d 1.7 refuses files of MIPS processors and those whose ANALOG:OFFSET are real numbers
(most of some laboratories), and gives no frames or no channels of some writers without a word; c3d 0.6 refuses the
latter kind of offsets as well, and others. The format's samples are one table of numbers, so they are decoded here,
all that the head promises; where ezc3d reads them, too, both must agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.c3d.head import BLOCK, Head, decode_floats
from nem2e_lib.data.c3d.second import Reading
from nem2e_lib.data.files import read_bytes
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_SAME = 1e-4
"""Two readers agree if no value differs by more than this share of the largest of its kind (single precision)."""
_ROWS = 8192
"""Rows that are held against each other at a time: files are large."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Every sample of a file.

    Attributes
    ----------
    points : float64 array, shape (frames, points, 3)
        In the unit of the file; NaN where a point was not seen.
    analog : float64 array, shape (frames x samples a frame, channels)
        Scaled as the file says.
    zero, unit : float64 arrays, shape (channels,)
        What is taken off each channel's stored numbers, and what one of these is.
    unchecked : str
        Why no second reader confirms them; empty if ezc3d does.
    """

    points: Array
    analog: Array
    zero: Array
    unit: Array
    unchecked: str = ""


def read_samples(path: str | Path, head: Head) -> Samples:
    """Read all that the head promises, not yet held against another reader (`checked`).

    Raises
    ------
    Nem2eError
        If the analogue scales do not fit the channels.
    """
    raw = read_bytes(path)
    start = (head.data_block - 1) * BLOCK
    stored = _decoded(raw[start : start + head.frames * head.frame_bytes], head)
    places = stored[:, : 4 * head.points].reshape(head.frames, head.points, 4)
    unit = 1.0 if head.scale < 0 else head.scale
    unseen = (places[:, :, 3:] < 0) | ~np.isfinite(places[:, :, :3]).all(axis=2, keepdims=True)
    points = np.where(unseen, np.nan, places[:, :, :3] * unit)
    analog = stored[:, 4 * head.points :].reshape(head.frames * head.samples_per_frame, head.channels)
    zero, scale = (_each(path, head, name, usual) for name, usual in (("OFFSET", 0.0), ("SCALE", 1.0)))
    general = head.numbers("ANALOG", "GEN_SCALE")
    zero, scale = _unsigned(head, zero), scale * (general[0] if len(general) else 1.0)
    analog -= zero  # in place, since files are large
    analog *= scale
    return Samples(points, analog, zero, scale)


def _decoded(raw: bytes, head: Head) -> Array:
    """The numbers as they are stored, shape (frames, numbers of a frame)."""
    if head.scale < 0:
        return decode_floats(raw, head.processor).reshape(head.frames, -1)
    kind = ">i2" if head.processor == "MIPS" else "<i2"
    stored = np.frombuffer(raw, kind).reshape(head.frames, -1).astype(np.float64)
    if _is_unsigned(head):
        stored[:, 4 * head.points :] %= 2**16
    return stored


def _is_unsigned(head: Head) -> bool:
    return any(text.upper().startswith("UNS") for text in head.texts("ANALOG", "FORMAT"))


def _unsigned(head: Head, zero: Array) -> Array:
    """Offsets as they are meant: a signed word that stands for one above 32767 is negative.

    -32768 is the middle of an unsigned word's range in any case, since it is no signed word's.
    """
    negative = (zero < 0) & (zero == np.rint(zero))
    meant = negative if _is_unsigned(head) else zero == -(2**15)
    return np.where(meant, zero % 2**16, zero)


def _each(path: str | Path, head: Head, name: str, usual: float) -> Array:
    """A number for each channel; one that is given stands for all, none for the usual one."""
    numbers = head.numbers("ANALOG", name)
    if len(numbers) >= head.channels:
        return numbers[: head.channels]
    if len(numbers) > 1:
        raise Nem2eError(
            f"{path}: ANALOG:{name} has {len(numbers)} numbers for {head.channels} channels, so that the others' "
            "values are not known; export it anew."
        )
    return np.full(head.channels, numbers[0] if len(numbers) else usual)


def checked(path: str | Path, head: Head, samples: Samples, data: Reading | str) -> Samples:
    """Return the same if ezc3d agrees, and told where it does not read the file, or less of it.

    Parameters
    ----------
    data
        What `second.second_readings` gives for the file.

    Raises
    ------
    Nem2eError
        If ezc3d reads other values.
    """
    if isinstance(data, str):
        return _unchecked(samples, data)
    points = np.moveaxis(data["points"][:3], 0, -1).swapaxes(0, 1)
    analog = data["analogs"][0].T
    if points.shape != samples.points.shape or analog.shape != samples.analog.shape:
        return _unchecked(samples, f"ezc3d reads {_sizes(points, analog)} of {_sizes(samples.points, samples.analog)}")
    for what, one, other in (("points", samples.points, points), ("analogue channels", samples.analog, analog)):
        away, largest = 0.0, 1e-12
        for start in range(0, len(one), _ROWS):
            part, theirs = one[start : start + _ROWS], other[start : start + _ROWS]
            theirs = theirs if what == "points" else _as_meant(head, samples, part, theirs)
            both = np.isfinite(part) & np.isfinite(theirs)
            away = max(away, float(np.abs(np.where(both, part - theirs, 0.0)).max(initial=0.0)))
            largest = max(largest, float(np.abs(part[both]).max(initial=0.0)))
        if away > _SAME * largest:
            if head.mended:
                return _unchecked(samples, "ezc3d believes its header")
            raise Nem2eError(
                f"{path}: its {what} are not read alike by two readers (they differ by up to {away:.3g}); its scales "
                "contradict each other: export it anew."
            )
    return samples


def _as_meant(head: Head, samples: Samples, own: Array, theirs: Array) -> Array:
    """Ezc3d's channels without what it is known to do: it takes the sizes of offsets, and words for signed ones."""
    given = head.numbers("ANALOG", "OFFSET")[: head.channels]
    sizes = np.abs(given) if len(given) == head.channels else samples.zero
    analog = theirs + (sizes - samples.zero) * samples.unit
    if head.scale > 0 and _is_unsigned(head):
        turn = 2**16 * samples.unit
        apart = np.divide(own - analog, turn, out=np.zeros_like(analog), where=turn != 0)
        analog += np.rint(apart) * turn
    return analog


def _unchecked(samples: Samples, why: str) -> Samples:
    return replace(samples, unchecked=why)


def _sizes(points: Array, analog: Array) -> str:
    return f"{len(points)} frames x {points.shape[1]} points and {len(analog)} samples x {analog.shape[1]} channels"
