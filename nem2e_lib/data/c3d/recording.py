"""A C3D recording with units, one clock, names, events and force plates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data import units
from nem2e_lib.data.c3d.head import Head, read_head
from nem2e_lib.data.c3d.samples import Samples, checked, read_samples
from nem2e_lib.data.c3d.second import Reading, second_readings
from nem2e_lib.data.files import files_below
from nem2e_lib.data.markers.body import FEW, INNER, LARGEST_M, SMALLEST_FEW_M, SMALLEST_M, span_m
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]
T = TypeVar("T")

_COMPUTED = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "MODELED_MARKERS", "REACTIONS")
"""Lists in POINT of what a model wrote among the markers."""
_AXES = "OALP"
_UNNAMED = ("*", "point ")
"""How trajectories begin that nobody gave a name."""


@dataclass(frozen=True)
class Event:
    """A moment that somebody or something marked; `context` is Left, Right, General or empty."""

    label: str
    context: str
    time_s: float


@dataclass(frozen=True, eq=False)
class PlateGeometry:
    """A force plate as the file describes it.

    Attributes
    ----------
    number : int
        From 1, as in the file.
    type : int
        Of the C3D format, 1 to 4 or another that is not known here.
    corners : float64 array, shape (4, 3)
        In the unit of the points.
    origin : float64 array, shape (3,)
        In the unit of the points.
    channels : tuple of int
        Analogue channels, from 0, in the order that the type says.
    calibration : float64 array
        CAL_MATRIX, shape (6, 6); empty where there is none.
    """

    number: int
    type: int
    corners: Array
    origin: Array
    channels: tuple[int, ...]
    calibration: Array


@dataclass(frozen=True, eq=False)
class Recording:
    """A C3D file.

    Attributes
    ----------
    path : Path
    head : Head
    labels, channels : tuple of str
        Names of points and of analogue channels, each once.
    points : float64 array, shape (frames, points, 3)
        In `unit`; NaN where a point was not seen.
    analog : float64 array, shape (samples, channels)
        Each in its unit.
    unit : str
        Of the points.
    analog_units : tuple of str
    events : tuple of Event
        In the order of time, on the clock of the samples.
    plates : tuple of PlateGeometry
    notes : tuple of str
        What is odd, one sentence each.
    """

    path: Path
    head: Head
    labels: tuple[str, ...]
    channels: tuple[str, ...]
    points: Array
    analog: Array
    unit: str
    analog_units: tuple[str, ...]
    events: tuple[Event, ...]
    plates: tuple[PlateGeometry, ...]
    notes: tuple[str, ...]

    @property
    def time(self) -> Array:
        """Times of the frames in s, the first frame of the *capture* at 0: that of the file is rarely its first."""
        return (self.head.first_frame - 1 + np.arange(self.head.frames)) / self.head.rate_hz

    @property
    def analog_rate_hz(self) -> float:
        """Samples of an analogue channel a second."""
        return self.head.rate_hz * self.head.samples_per_frame

    @property
    def analog_time(self) -> Array:
        """Times of the analogue samples in s, on the same clock."""
        first = (self.head.first_frame - 1) / self.head.rate_hz
        return first + np.arange(len(self.analog)) / self.analog_rate_hz

    @cached_property
    def computed(self) -> frozenset[str]:
        """Names of points that a model wrote: angles, moments, virtual markers."""
        return frozenset(name for kind in _COMPUTED for name in self.head.texts("POINT", kind))

    @cached_property
    def segment_axes(self) -> frozenset[str]:
        """Names of points that Plug-in Gait writes for a segment's axes: origin, anterior, lateral, proximal."""
        known = set(self.labels)
        fours = ({stem + end for end in _AXES} for stem in {name[:-1] for name in known})
        return frozenset(name for four in fours if four <= known for name in four)

    @cached_property
    def markers(self) -> tuple[str, ...]:
        """Names of points that were seen, are no outcome of a model, and that somebody named."""
        seen = np.flatnonzero(np.isfinite(self.points).any(axis=(0, 2)))
        named = (self.labels[index] for index in seen)
        return tuple(name for name in named if name not in self.computed and not name.startswith(_UNNAMED))

    @property
    def metre(self) -> float | None:
        """What one of `unit` is in m; None where that is not known."""
        return units.metres(self.unit)

    @cached_property
    def metres(self) -> Array:
        """The points in m, shape (frames, points, 3).

        Raises
        ------
        Nem2eError
            If the file does not say a unit of length, or the markers contradict it.
        """
        if self.metre is None:
            raise Nem2eError(
                f"{self.path}: POINT:UNITS is {self.unit!r}, but mm, cm, m or in is expected; export it with units."
            )
        metres = self.points * self.metre
        index = [self.labels.index(name) for name in self.markers]
        least = SMALLEST_M if len(index) >= FEW else SMALLEST_FEW_M
        if len(index) > 1 and not least <= (span := span_m(metres[:, index], INNER)) <= LARGEST_M:
            raise Nem2eError(
                f"{self.path}: its markers span {span:.3g} m if they are in {self.unit}, as it says, but {least:g} to "
                f"{LARGEST_M:g} m are expected of a person; correct POINT:UNITS."
            )
        return metres

    def point(self, label: str) -> Array:
        """Return a point's places in the file's unit, shape (frames, 3); Nem2eError if there is none of that name."""
        return self.points[:, _index(self.path, "point", label, self.labels)]

    def channel(self, label: str) -> Array:
        """Return an analogue channel, shape (samples,); Nem2eError if there is none of that name."""
        return self.analog[:, _index(self.path, "analogue channel", label, self.channels)]


def read_c3d(path: str | Path) -> Recording:
    """Read a C3D file.

    Raises
    ------
    Nem2eError
        If it is none, is damaged or cut off, or its scales contradict each other.
    """
    (found,) = read_many([path])
    if isinstance(found, Nem2eError):
        raise found
    return found


def require_one_person(recording: Recording) -> None:
    """Refuse markers of two people, told by the names before a colon.

    Raises
    ------
    Nem2eError
        If two such names have half of their markers' names in common.
    """
    sets: dict[str, set[str]] = {}
    for name in recording.markers:
        who, colon, marker = name.partition(":")
        if colon:
            sets.setdefault(who, set()).add(marker)
    people = sorted(
        one
        for one, own in sets.items()
        if any(len(own & rest) * 2 > min(len(own), len(rest)) for other, rest in sets.items() if other != one)
    )
    if people:
        raise Nem2eError(
            f"{recording.path}: holds markers of {len(people)} people ({', '.join(people)}); export a file of each."
        )


def read_many(paths: Sequence[str | Path]) -> list[Recording | Nem2eError]:
    """Read C3D files; where `read_c3d` would raise, the error stands in its place."""
    decoded: list[tuple[Head, Samples] | Nem2eError] = [_caught(_decoded, path) for path in paths]
    sound = [(path, each) for path, each in zip(paths, decoded, strict=True) if not isinstance(each, Nem2eError)]
    seconds = second_readings([path for path, _ in sound], [head.frames for _, (head, _) in sound])
    return [
        each if isinstance(each, Nem2eError) else _caught(_recording, path, each[0], each[1], next(seconds))
        for path, each in zip(paths, decoded, strict=True)
    ]


def read_all(paths: Sequence[Path]) -> dict[Path, Recording]:
    """Read C3D files, each under its path.

    Raises
    ------
    Nem2eError
        With every file that cannot be read.
    """
    read = read_many(paths)
    problems = [str(each) for each in read if isinstance(each, Nem2eError)]
    if problems:
        raise Nem2eError(" ".join([*problems, "Take these files away or mend them."]))
    return {path: each for path, each in zip(paths, read, strict=True) if not isinstance(each, Nem2eError)}


def c3d_below(folder: Path) -> list[Path]:
    """Return the C3D files below a folder, in any arrangement; Nem2eError where there is none."""
    paths = files_below(folder, ".c3d")
    if not paths:
        raise Nem2eError(f"{folder}: no .c3d file found below it.")
    return paths


def _caught(read: Callable[..., T], *arguments: object) -> T | Nem2eError:
    try:
        return read(*arguments)
    except Nem2eError as error:
        return error


def _decoded(path: str | Path) -> tuple[Head, Samples]:
    head = read_head(path)
    return head, read_samples(path, head)


def _recording(path: str | Path, head: Head, decoded: Samples, second: Reading | str) -> Recording:
    samples = checked(path, head, decoded, second)
    labels, odd_points = _names(head.texts("POINT", "LABELS"), head.points, "point")
    channels, odd_channels = _names(head.texts("ANALOG", "LABELS"), head.channels, "channel")
    points, hidden = _without_zeros(head, labels, samples.points)
    events, renamed = _events(head)
    return Recording(
        path=Path(path),
        head=head,
        labels=labels,
        channels=channels,
        points=points,
        analog=samples.analog,
        unit=next(iter(head.texts("POINT", "UNITS")), ""),
        analog_units=_units(head),
        events=events,
        plates=tuple(_plates(head)),
        notes=(*head.notes, *odd_points, *odd_channels, *hidden, *renamed, *_odd(head, samples)),
    )


def _without_zeros(head: Head, labels: Sequence[str], points: Array) -> tuple[Array, list[str]]:
    """The points with NaN where a marker is at 0 0 0 exactly, as some programs write of one that was not seen."""
    computed = {name for kind in _COMPUTED for name in head.texts("POINT", kind)}
    zero = (points == 0).all(axis=2) & np.array([name not in computed for name in labels], bool)
    told = [f"{name} ({int(count)})" for name, count in zip(labels, zero.sum(axis=0), strict=True) if count]
    if not told:
        return points, []
    few = ", ".join(told[:5]) + (f" and {len(told) - 5} more" if len(told) > 5 else "")
    note = f"Markers at exactly 0 0 0 were taken for not seen, in so many frames: {few}."
    return np.where(zero[:, :, None], np.nan, points), [note]


def _units(head: Head) -> tuple[str, ...]:
    """The unit of each channel; one text that is no list stands for all."""
    given = head.texts("ANALOG", "UNITS")[: head.channels]
    if isinstance(head.parameters.get("ANALOG", {}).get("UNITS"), str):
        return tuple(given) * head.channels
    return (*given, *[""] * (head.channels - len(given)))


def _index(path: Path, what: str, label: str, labels: Sequence[str]) -> int:
    if label not in labels:
        raise Nem2eError(f"{path}: no {what} {label!r}; it has {', '.join(labels[:12])}{', …' * (len(labels) > 12)}.")
    return labels.index(label)


def _names(given: Sequence[str], count: int, what: str) -> tuple[tuple[str, ...], list[str]]:
    """Each its own name: those missing are numbered, those that occur again are told apart by their place."""
    named = [*given[:count], *[""] * (count - len(given))]
    told = [] if len(given) >= count else [f"It names {len(given)} of {count} {what}s; the others have numbers."]
    named = [name or f"{what} {number}" for number, name in enumerate(named, start=1)]
    twice = [name for name, times in Counter(named).items() if times > 1]
    if twice:
        told.append(f"{what.capitalize()}s of one name are told apart by a number: {', '.join(twice)}.")
        named = [f"{name} ({place})" if name in twice else name for place, name in enumerate(named, start=1)]
    return tuple(named), told


def _events(head: Head) -> tuple[tuple[Event, ...], list[str]]:
    """Events in the order of time, and which were renamed: those of the parameters, else those of the header."""
    found = sorted(_given_events(head), key=lambda event: event.time_s)
    known = [_plain_event(event) for event in found]
    told = {f"{old.label} as {new.context} {new.label}" for old, new in zip(found, known, strict=True) if old != new}
    return tuple(known), [f"Events were read so: {', '.join(sorted(told))}."] if told else []


_SIDED = re.compile(r"(?i)(?P<side>left|right|[lr])[ _.-]*(?P<what>[a-z][a-z _.-]*)")
_STRIKES = re.compile(r"(?i)(hs|ic|fs|fc|(heel|foot)[ _.-]*(strike|contact|on|down)|initial[ _.-]*contact)")
_OFFS = re.compile(r"(?i)(to|fo|(toe|foot)[ _.-]*(off|up))")


def _plain_event(event: Event) -> Event:
    """The event in the usual words if its label alone tells the side: ``RHS``, ``Left toe off``."""
    fit = _SIDED.fullmatch(event.label.strip())
    if event.context or fit is None:
        return event
    side = "Left" if fit["side"].lower().startswith("l") else "Right"
    for pattern, label in ((_STRIKES, "Foot Strike"), (_OFFS, "Foot Off")):
        if pattern.fullmatch(fit["what"].strip()):
            return Event(label, side, event.time_s)
    return event


def _given_events(head: Head) -> Iterator[Event]:
    labels, contexts = head.texts("EVENT", "LABELS"), head.texts("EVENT", "CONTEXTS")
    times = head.parameters.get("EVENT", {}).get("TIMES")
    if times is None or isinstance(times, str | list) or np.ndim(times) == 0 or np.size(times) % 2:
        yield from (Event(label, "", time) for label, time in head.marks)
        return
    minutes_seconds = np.reshape(times, (2, -1), order="F")
    for place, (minutes, seconds) in enumerate(minutes_seconds.T.tolist()):
        label = labels[place] if place < len(labels) else ""
        context = contexts[place] if place < len(contexts) else ""
        yield Event(label, context, 60 * minutes + seconds)


def _plates(head: Head) -> Iterator[PlateGeometry]:
    group = head.parameters.get("FORCE_PLATFORM", {})
    used = int(np.ravel(group.get("USED", 0))[0])
    kinds = head.numbers("FORCE_PLATFORM", "TYPE")
    for plate in range(min(used, len(kinds))):
        yield PlateGeometry(
            number=plate + 1,
            type=int(kinds[plate]),
            corners=_slice(group.get("CORNERS"), plate, 3).T,
            origin=_slice(group.get("ORIGIN"), plate, 2),
            channels=_channels(_slice(group.get("CHANNEL"), plate, 2)),
            calibration=_slice(group.get("CAL_MATRIX"), plate, 3),
        )


def _channels(numbers: Array) -> tuple[int, ...]:
    """Channels from 0, without the zeros that fill up the plates which have fewer."""
    last = int(np.flatnonzero(numbers > 0)[-1]) + 1 if (numbers > 0).any() else 0
    return tuple(int(each) - 1 for each in numbers[:last])


def _slice(value: Any, plate: int, dimensions: int) -> Array:
    """A plate's part of a parameter, its last axis; empty where there is none. One plate may come without that axis."""
    array = np.asarray(value if value is not None and not isinstance(value, str | list) else [], np.float64)
    if array.ndim == dimensions - 1 and array.size and plate == 0:
        return array
    return array[..., plate] if array.ndim == dimensions and array.shape[-1] > plate else np.empty(0)


def _odd(head: Head, samples: Samples) -> Iterator[str]:
    if samples.unchecked:
        yield f"No second reader confirms its samples: {samples.unchecked}."
    for group, found in (("POINT", head.points), ("ANALOG", head.channels)):
        used = head.numbers(group, "USED")
        if len(used) and int(used[0]) % 2**16 != found:
            yield f"{group}:USED says {used[0]:g}, but the header and the samples have {found}."
    rate = head.numbers("ANALOG", "RATE")
    if head.channels and len(rate) and abs(rate[0] - head.rate_hz * head.samples_per_frame) > 0.5:
        yield (
            f"ANALOG:RATE says {rate[0]:g} Hz, but {head.samples_per_frame} samples a frame at {head.rate_hz:g} Hz are "
            f"{head.rate_hz * head.samples_per_frame:g} Hz; the latter was taken."
        )
    if (general := next(iter(head.numbers("ANALOG", "GEN_SCALE")), 1.0)) <= 0:
        yield f"ANALOG:GEN_SCALE is {general:g}, by which every channel was multiplied."
    if none := np.flatnonzero(samples.unit == 0).tolist():
        yield f"ANALOG:SCALE is 0 of {len(none)} of {head.channels} channels, which are 0 throughout."
    scale = next(iter(head.numbers("POINT", "SCALE")), head.scale)
    if head.points and head.scale > 0 and abs(scale - head.scale) > 1e-4 * head.scale:
        yield f"POINT:SCALE says {scale:.4g}, but the header {head.scale:.4g}; the latter was taken."
    said = next(iter(head.numbers("POINT", "RATE")), head.rate_hz)
    if abs(said - head.rate_hz) > 0.01:
        yield f"POINT:RATE says {said:g} Hz, but the header {head.rate_hz:g} Hz; the latter was taken."
