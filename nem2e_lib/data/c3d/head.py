"""What a C3D file promises before its samples are read: counts, processor and parameters.

After the C3D user guide (Motion Lab Systems 2021, https://www.c3d.org). Counts are read here, apart from the
libraries that read samples, so that there is something to hold these against: each gives less than some files hold
without a word.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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
    marks : tuple of (str, float)
        Events of the header, where old writers put them: label and time in s.
    notes : tuple of str
        Where header, parameters and samples contradict each other, and which was believed, one sentence each.
    mended : bool
        Whether that was not the header.
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
    marks: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    mended: bool = False

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
    if raw[1:2] != bytes([_KEY]):
        raise Nem2eError(f"{path}: is no C3D file: its second byte is not 0x50; name a .c3d file.")
    if len(raw) < 2 * BLOCK:
        raise Nem2eError(f"{path}: is shorter than any C3D file: it was cut off; copy or export it anew.")
    start = (raw[0] - 1) * BLOCK
    if not 0 < start < len(raw) - 4 or raw[start + 3] not in PROCESSORS:
        raise Nem2eError(f"{path}: is no whole C3D file: its parameters are not where it says; export it anew.")
    reading = _Reading(PROCESSORS[raw[start + 3]])
    try:
        head = _believed(_head(raw, start, reading), len(raw), *reading.words(raw, 4))
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


def _head(raw: bytes, start: int, reading: _Reading) -> Head:
    """What the header says, word by word; of what it leaves out, what the parameters say."""
    points, measured, first, last = reading.words(raw, 2, 4)
    data_block, per_frame = reading.words(raw, 16, 2)
    scale, rate = reading.floats(raw[12:16])[0], reading.floats(raw[20:24])[0]
    notes: list[str] = []
    parameters = dict(_groups(raw, start, data_block, reading, notes))
    if measured and not per_frame:
        per_frame = 1
        notes.append("The header says 0 analogue samples a frame; one was taken.")
    if first == 0:
        first, last = 1, last + 1
        notes.append("Its frames are numbered from 0; the first was taken for the first of the capture, at 0 s.")
    said = _number(parameters, "POINT", "RATE")
    if not 0 < rate < np.inf and len(said) and said[0] > 0:
        rate = said[0]
        notes.append(f"The header has no frame rate; {rate:g} Hz was taken from POINT:RATE.")
    return Head(
        processor=reading.processor,
        points=points,
        channels=measured // per_frame if per_frame else 0,
        first_frame=first,
        frames=last - first + 1,
        samples_per_frame=per_frame,
        rate_hz=float(rate),
        scale=float(scale),
        data_block=data_block,
        parameters=parameters,
        marks=tuple(_marks(raw, reading)),
        notes=tuple(notes),
    )


_MARKED = 12345
"""Word 150 of the header where its labels of events have four letters."""


def _marks(raw: bytes, reading: _Reading) -> Iterator[tuple[str, float]]:
    key, count = reading.words(raw, 298, 2)
    if key != _MARKED or count > 18:
        return
    times = reading.floats(raw[304 : 304 + 4 * count])
    for place, time in enumerate(times.tolist()):
        label = _plain(raw[396 + 4 * place : 400 + 4 * place])
        if label and np.isfinite(time):
            yield label, float(time)


def _believed(head: Head, size: int, measured: int) -> Head:
    """What the header says if its samples fill the file to the end, else what the parameters say if theirs do.

    Parameters
    ----------
    size
        Bytes of the file.
    measured
        Analogue numbers a frame, which the header says, too.
    """
    first = [replace(head, first_frame=start, frames=frames) for start, frames in _frames(head)]
    for said in (*first, head):
        if _fills(said, size) and said.channels * said.samples_per_frame == measured:
            return said
    for other, told in _others(head):
        if _fills(other, size):
            return replace(other, notes=(*head.notes, told), mended=True)
    if head.channels * head.samples_per_frame != measured:
        raise ValueError(f"{measured} analogue numbers a frame are not {head.samples_per_frame} of each channel")
    said = (*first, head)[0]
    beyond = size - (said.data_block - 1) * BLOCK - said.frames * said.frame_bytes
    if beyond >= BLOCK and said.frame_bytes:
        told = f"Its counts promise {said.frames} frames, but {beyond} bytes more follow; these were not read."
        return replace(said, notes=(*said.notes, told))
    return said


def _fills(head: Head, size: int) -> bool:
    """Whether the samples end in the last block of the file."""
    return 0 <= size - (head.data_block - 1) * BLOCK - head.frames * head.frame_bytes < BLOCK


def _frames(head: Head) -> Iterator[tuple[int, int]]:
    """First frame and number of frames, where TRIAL or POINT say what the header's words, up to 65535, cannot."""
    trial = head.parameters.get("TRIAL", {})
    if "ACTUAL_START_FIELD" in trial and "ACTUAL_END_FIELD" in trial:
        start, end = (_long(trial[f"ACTUAL_{which}_FIELD"]) for which in ("START", "END"))
        if end >= start > 0:
            yield start, end - start + 1
    if head.frames < 1 or head.first_frame + head.frames - 1 >= 0xFFFF:
        for name in ("LONG_FRAMES", "FRAMES"):
            said = _number(head.parameters, "POINT", name)
            if len(said) and _count(said[0]) >= max(head.frames, 1):
                yield head.first_frame, _count(said[0])


def _others(head: Head) -> Iterator[tuple[Head, str]]:
    """What the parameters say instead of the header, and what to tell of it."""
    counts = {}
    for group, found in (("POINT", head.points), ("ANALOG", head.channels)):
        used = _number(head.parameters, group, "USED")
        counts[group] = _count(used[0]) if len(used) else found
    fills = "the latter fill the file and were taken."
    told = f"{counts['POINT']} and {counts['ANALOG']}; {fills}"
    told = f"The header says {head.points} points and {head.channels} channels, the parameters {told}"
    yield replace(head, points=counts["POINT"], channels=counts["ANALOG"]), told
    scale = _number(head.parameters, "POINT", "SCALE")
    if head.scale >= 0:
        real = -(abs(head.scale) or 1.0)
        yield replace(head, scale=real), "Its numbers are real ones by their size, though POINT:SCALE is not negative."
    elif len(scale) and scale[0] > 0:
        told = f"The header says that numbers are real ones, POINT:SCALE that they are integers; {fills}"
        yield replace(head, scale=float(scale[0])), told
    frames = _number(head.parameters, "POINT", "FRAMES")
    if len(frames):
        count = _count(frames[0])
        yield replace(head, frames=count), f"The header says {head.frames} frames, POINT:FRAMES {count}; {fills}"
    block = _number(head.parameters, "POINT", "DATA_START")
    if len(block) and block[0] > 1:
        told = (
            f"The header says that samples start in block {head.data_block}, POINT:DATA_START in {block[0]:g}; {fills}"
        )
        yield replace(head, data_block=int(block[0])), told


def _number(parameters: Parameters, group: str, name: str) -> NDArray[np.float64]:
    """A parameter's numbers in one row; none where there is no such parameter or it is a text."""
    value = parameters.get(group, {}).get(name, ())
    return np.ravel(np.asarray(() if isinstance(value, str | list) else value, np.float64), order="F")


def _count(value: float) -> int:
    """A count in one word, which some read and write as a signed number."""
    return int(value) % 2**16 if value < 0 else int(value)


def _long(value: Any) -> int:
    """A number of frames in two words, the lower one first, or in one."""
    words = [int(word) & 0xFFFF for word in np.ravel(value)]
    return words[0] + (words[1] << 16 if len(words) > 1 else 0)


def _groups(
    raw: bytes, start: int, data_block: int, reading: _Reading, notes: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    names: dict[int, str] = {}
    found: dict[int, dict[str, Any]] = {}
    # the number of blocks may be 0 or too small; the last record says by itself that it is the last
    place, samples = start + 4, (data_block - 1) * BLOCK
    section = raw[:samples] if samples > start else raw
    while place + 2 < len(section):
        length, group = struct.unpack_from("bb", section, place)
        if length == 0 or group == 0:
            break
        name = _plain(section[place + 2 : place + 2 + abs(length)]).upper()
        place += 2 + abs(length)
        try:
            (step,) = struct.unpack_from(f"{reading.order}H", section, place)
            if group < 0:
                names[-group] = name
            else:
                found.setdefault(group, {})[name] = _value(section, place + 2, reading)
        except (struct.error, IndexError, ValueError):
            if len(raw) < samples or not _has_scales(names, found):
                raise
            notes.append(f"Its parameters reach into its samples; {name} and those after it were not read.")
            break
        if step == 0:
            break
        place += step
    for group, parameters in found.items():
        yield names.get(group, f"GROUP {group}"), parameters


def _has_scales(names: Mapping[int, str], found: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether what gives samples their names and units was read."""
    known = {names.get(group): parameters for group, parameters in found.items()}
    return {"LABELS", "UNITS"} <= known.get("POINT", {}).keys() and "SCALE" in known.get("ANALOG", {"SCALE": ()})


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
    cells = [_plain(data[at : at + width]) for at in range(0, len(data), width or 1)]
    return cells if len(shape) > 1 else (cells or [""])[0]


def _plain(raw: bytes) -> str:
    """Text up to the first zero byte: UTF-8, of which the last letter may have been cut, else Latin-1."""
    text = raw.split(b"\0", 1)[0].strip()
    if text.isascii():
        return text.decode("ascii")
    try:
        decoded = codecs.getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()
    whole = len(decoded.encode()) == len(text) or not decoded.isascii()
    return (decoded if whole else text.decode("latin-1")).strip()


def _refuse_impossible(path: str | Path, head: Head) -> None:
    if "ROTATION" in head.parameters and head.points == 0 and head.channels == 0:
        raise Nem2eError(f"{path}: holds rotations of segments only, no markers and no channels; export these as well.")
    if head.frames < 1 or (head.points == 0 and head.channels == 0):
        raise Nem2eError(
            f"{path}: promises {head.frames} frames of {head.points} points and {head.channels} analogue channels: "
            "there is nothing in it to read; export it anew."
        )
    if head.points and not 0 < abs(head.scale) < np.inf:
        raise Nem2eError(f"{path}: POINT:SCALE is {head.scale:g}, so that its places have no unit; export it anew.")
    if not 0 < head.rate_hz < np.inf:
        raise Nem2eError(f"{path}: its frame rate is {head.rate_hz:g} Hz, but more than 0 is expected; export it anew.")


def _refuse_cut(path: str | Path, head: Head, size: int) -> None:
    there = (size - (head.data_block - 1) * BLOCK) // head.frame_bytes
    if there < head.frames:
        raise Nem2eError(
            f"{path}: promises {head.frames} frames, but only {max(there, 0)} are there: the file was cut off; copy "
            "or export it anew."
        )
