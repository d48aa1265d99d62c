"""What a C3D file promises before its samples are read: counts, processor and parameters.

After the C3D user guide (Motion Lab Systems 2021, https://www.c3d.org). Counts are read here, apart from the
libraries that read samples, so that there is something to hold these against: each gives less than some files hold
without a word.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import read_bytes
from nem2e_lib.error import Nem2eError

BLOCK = 512
"""Bytes of a block, in which a C3D file counts."""
PROCESSORS = {84: "Intel", 85: "DEC", 86: "MIPS"}
"""Makers of processors, by the number that tells in what order and format bytes stand."""
_KEY = 0x50
_CHARACTERS, _BYTES, _INTEGERS, _FLOATS = -1, 1, 2, 4

Parameters = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Head:
    """The promise of a C3D file.

    Attributes
    ----------
    processor : str
        One of `PROCESSORS`.
    points, channels : int
        Markers (and what models write among them), and analogue channels.
    first_frame, frames : int
        Number of the first frame, from 1, and how many there are.
    samples_per_frame : int
        Analogue samples a frame.
    rate_hz : float
        Of the frames.
    scale : float
        Unit of points stored as integers; negative where they are stored as floats.
    data_block : int
        Where the samples start, in blocks from 1.
    parameters : mapping
        Group, then parameter, both in upper case, to a list of texts, an array, or a single text or number. Arrays
        have their axes as the file counts them, the first the fastest.
    """

    processor: str
    points: int
    channels: int
    first_frame: int
    frames: int
    samples_per_frame: int
    rate_hz: float
    scale: float
    data_block: int
    parameters: Parameters = field(repr=False)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return (4 * self.points + self.channels * self.samples_per_frame) * (4 if self.scale < 0 else 2)

    def texts(self, group: str, name: str) -> list[str]:
        """Return a parameter's texts; those of ``NAME2``, ``NAME3``, … follow, where 255 were not enough."""
        found: list[str] = []
        for more in self._parts(group, name):
            found += [more] if isinstance(more, str) else [str(text) for text in more]
        return found

    def numbers(self, group: str, name: str) -> NDArray[np.float64]:
        """Return a parameter's numbers in one row, as `texts`; empty where there are none."""
        parts = [np.ravel(each, order="F") for each in self._parts(group, name) if not isinstance(each, str | list)]
        return np.concatenate([np.empty(0), *parts])

    def _parts(self, group: str, name: str) -> Iterator[Any]:
        known = self.parameters.get(group, {})
        for number in ("", *map(str, range(2, 100))):
            if name + number not in known:
                return
            yield known[name + number]


def read_head(path: str | Path) -> Head:
    """Read what a C3D file promises.

    Raises
    ------
    Nem2eError
        If the file is no C3D file, its parameters are damaged, or fewer samples follow than it promises.
    """
    raw = read_bytes(path)
    if len(raw) < 2 * BLOCK or raw[1] != _KEY:
        raise Nem2eError(f"{path}: is no C3D file: its second byte is not 0x50; name a .c3d file.")
    start = (raw[0] - 1) * BLOCK
    if not 0 < start < len(raw) - 4 or raw[start + 3] not in PROCESSORS:
        raise Nem2eError(f"{path}: is no whole C3D file: its parameters are not where it says; export it anew.")
    reading = _Reading(PROCESSORS[raw[start + 3]])
    try:
        parameters = dict(_groups(raw, start, reading))
        head = _head(raw, reading, parameters)
    except (struct.error, IndexError, ValueError) as error:
        raise Nem2eError(f"{path}: its parameters are damaged ({error}); export it anew.") from None
    _refuse_impossible(path, head)
    _refuse_cut(path, head, len(raw))
    return head


@dataclass(frozen=True)
class _Reading:
    """Numbers as a processor writes them."""

    processor: str

    @property
    def order(self) -> str:
        return ">" if self.processor == "MIPS" else "<"

    def words(self, raw: bytes, offset: int, count: int = 1) -> tuple[int, ...]:
        return struct.unpack_from(f"{self.order}{count}H", raw, offset)

    def floats(self, raw: bytes) -> NDArray[np.float64]:
        return decode_floats(raw, self.processor)


def decode_floats(raw: bytes, processor: str) -> NDArray[np.float64]:
    """Return single-precision numbers as that processor writes them, shape (numbers,)."""
    if processor != "DEC":
        return np.frombuffer(raw, ">f4" if processor == "MIPS" else "<f4").astype(np.float64)
    # DEC's F format: the two words swapped, the exponent larger by two
    swapped = np.frombuffer(raw, "<u2").reshape(-1, 2)[:, ::-1].copy()
    return swapped.view("<f4").ravel().astype(np.float64) / 4


def _head(raw: bytes, reading: _Reading, parameters: Parameters) -> Head:
    points, measured, first, last = reading.words(raw, 2, 4)
    data_block, per_frame = reading.words(raw, 16, 2)
    scale, rate = reading.floats(raw[12:16])[0], reading.floats(raw[20:24])[0]
    frames = last - first + 1
    trial = parameters.get("TRIAL", {})
    if "ACTUAL_START_FIELD" in trial and "ACTUAL_END_FIELD" in trial:
        start, end = (_long(trial[f"ACTUAL_{which}_FIELD"]) for which in ("START", "END"))
        if end >= start > 0:
            first, frames = start, end - start + 1
    elif frames < 0 or last == 0xFFFF:
        frames = int(np.ravel(parameters.get("POINT", {}).get("LONG_FRAMES", frames))[0])
    return Head(
        processor=reading.processor,
        points=points,
        channels=measured // per_frame if per_frame else 0,
        first_frame=first,
        frames=frames,
        samples_per_frame=per_frame,
        rate_hz=float(rate),
        scale=float(scale),
        data_block=data_block,
        parameters=parameters,
    )


def _long(value: Any) -> int:
    """A number of frames in two words, the lower one first, or in one."""
    words = [int(word) & 0xFFFF for word in np.ravel(value)]
    return words[0] + (words[1] << 16 if len(words) > 1 else 0)


def _groups(raw: bytes, start: int, reading: _Reading) -> Iterator[tuple[str, dict[str, Any]]]:
    names: dict[int, str] = {}
    found: dict[int, dict[str, Any]] = {}
    place, end = start + 4, min(start + raw[start + 2] * BLOCK, len(raw)) if raw[start + 2] else len(raw)
    while place + 2 < end:
        length, group = struct.unpack_from("bb", raw, place)
        if length == 0 or group == 0:
            break
        name = raw[place + 2 : place + 2 + abs(length)].decode("latin-1").strip().upper()
        place += 2 + abs(length)
        (step,) = struct.unpack_from(f"{reading.order}h", raw, place)
        if group < 0:
            names[-group] = name
        else:
            found.setdefault(group, {})[name] = _value(raw, place + 2, reading)
        if step <= 0:
            break
        place += step
    for group, parameters in found.items():
        yield names.get(group, f"GROUP {group}"), parameters


def _value(raw: bytes, place: int, reading: _Reading) -> Any:
    kind, dimensions = struct.unpack_from("bB", raw, place)
    shape = tuple(raw[place + 2 : place + 2 + dimensions])
    start, count = place + 2 + dimensions, int(np.prod(shape, dtype=int))
    data = raw[start : start + count * abs(kind)]
    if len(data) < count * abs(kind):
        raise ValueError("one of them reaches beyond the end of the file")
    if kind == _CHARACTERS:
        return _texts(data, shape)
    if kind not in (_BYTES, _INTEGERS, _FLOATS):
        raise ValueError(f"one of them has the unknown type {kind}")
    if kind == _FLOATS:
        numbers = reading.floats(data)
    else:
        numbers = np.frombuffer(data, f"{reading.order}i{kind}").astype(np.float64)
    return numbers.reshape(shape, order="F") if shape else float(numbers[0])


def _texts(data: bytes, shape: tuple[int, ...]) -> str | list[str]:
    width = shape[0] if shape else len(data)
    cells = [data[at : at + width].decode("latin-1").rstrip("\0 ").strip() for at in range(0, len(data), width or 1)]
    return cells if len(shape) > 1 else (cells or [""])[0]


def _refuse_impossible(path: str | Path, head: Head) -> None:
    if head.frames < 1 or (head.points == 0 and head.channels == 0):
        raise Nem2eError(
            f"{path}: promises {head.frames} frames of {head.points} points and {head.channels} analogue channels: "
            "there is nothing in it to read; export it anew."
        )
    if not 0 < head.rate_hz < np.inf:
        raise Nem2eError(f"{path}: its frame rate is {head.rate_hz:g} Hz, but more than 0 is expected; export it anew.")


def _refuse_cut(path: str | Path, head: Head, size: int) -> None:
    there = (size - (head.data_block - 1) * BLOCK) // head.frame_bytes
    if there < head.frames:
        raise Nem2eError(
            f"{path}: promises {head.frames} frames, but only {max(there, 0)} are there: the file was cut off; copy "
            "or export it anew."
        )
