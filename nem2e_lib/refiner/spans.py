"""The gait cycles of a recording without EMG: from ground reaction force, or from a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data import gait
from nem2e_lib.data.checks import Note
from nem2e_lib.data.cycles.find import gap
from nem2e_lib.data.force.events import Events, find_events
from nem2e_lib.data.force.feet import read_feet
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.trials import EDGE_S, Cycle
from nem2e_lib.data.tables import numbers, read_table, whole_numbers
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import GaitCycle

Array = NDArray[np.float64]

PLATES = "+"
_BY_OPTION = "name the right and the left one with --grf-columns RIGHT,LEFT (RIGHT1+RIGHT2,LEFT for several plates)"
NEAR = 0.1
"""Share of a cycle within which its start must lie of a heel strike of the foot that starts it."""


@dataclass(frozen=True)
class Span:
    """A cycle of a recording in s; `reason` says why it cannot be refined, or is empty."""

    number: int
    start_s: float
    end_s: float
    reason: str = ""


@dataclass(frozen=True)
class Found:
    """The cycles of a recording, and what is to be told of its force."""

    spans: list[Span]
    notes: tuple[Note, ...] = ()


def as_asked(cycle: GaitCycle, definition: str | None, threshold_n: float | None) -> GaitCycle:
    """Return how a recording's cycles are cut: as the refiner's, at another force threshold where one is asked for.

    Raises
    ------
    Nem2eError
        If they are known to run between other heel strikes than the refiner's, or the threshold is no force.
    """
    if definition is not None and definition not in gait.CYCLES:
        raise Nem2eError(f"cycle definition {definition!r} is unknown, expected one of {', '.join(gait.CYCLES)}.")
    if definition is not None and definition != cycle.definition:
        raise Nem2eError(
            f"The recording's cycles run {definition}, but the refiner was trained on {cycle.definition} cycles; give "
            f"cycles that run {cycle.definition}, or a refiner that was trained on {definition} ones."
        )
    if threshold_n is None:
        return cycle
    if not 0 < threshold_n < np.inf:
        raise Nem2eError(f"force threshold is {threshold_n}, but more than 0 N is expected.")
    return dataclasses.replace(cycle, threshold_n=threshold_n)


def find(
    recording: Storage,
    cycle: GaitCycle,
    where: str,
    *,
    grf: str | Path | None = None,
    cycles: str | Path | Sequence[Span] | None = None,
    columns: tuple[str, str] | None = None,
    what: str = "activation",
) -> Found:
    """Return a recording's cycles: those given, checked against the force where there is some, else those it tells.

    Parameters
    ----------
    recording
        What is to be cut: its clock.
    cycle
        How cycles are cut; see `as_asked`.
    where, what
        The recording's name, and what it is of, for messages.
    grf, cycles, columns
        As `nem2e_lib.refiner.Refiner.refine` takes them.

    Raises
    ------
    Nem2eError
        If there is neither force nor table, they contradict each other, or there is no complete cycle.
    """
    events = None if grf is None else read_events(grf, cycle, columns)
    if cycles is not None:
        given = read_spans(cycles) if isinstance(cycles, str | Path) else check_spans(cycles, where)
        if events is not None:
            require_strikes(given, events, cycle)
        return Found(given, () if events is None else events.notes)
    if events is None:
        raise Nem2eError(
            f"{where}: without heel strikes there are no cycles; give the ground reaction force (--grf) or a table "
            "with columns cycle, start_s and end_s (--cycles)."
        )
    start, end = float(recording.time[0]), float(recording.time[-1])
    spans = of_force(events, recording, cycle, where, what=what)
    return Found(spans, (*events.notes, *events.coverage(cycle.definition, start, end)))


def read_events(path: str | Path, cycle: GaitCycle, columns: tuple[str, str] | None = None) -> Events:
    """Contacts of both feet, found as those of the refiner's study were.

    Parameters
    ----------
    path
        Ground reaction force (.mot, .sto).
    cycle
        The refiner's; its threshold and shortest stance and swing are used.
    columns
        Names of the right and the left vertical column, where the file does not tell; ``+`` between several plates.

    Raises
    ------
    Nem2eError
        If a column is not found, its foot cannot be told, or force is missing under load.
    """
    right, left = (None, None) if columns is None else (name.split(PLATES) for name in columns)
    limits = gait.Limits(cycle.threshold_n, cycle.min_stance_s, cycle.min_swing_s)
    return find_events(read_feet(Path(path), right, left, how=_BY_OPTION), limits)


def of_force(events: Events, recording: Storage, cycle: GaitCycle, where: str, *, what: str) -> list[Span]:
    """Cycles between heel strikes, each with the reason why it cannot be refined; `what` is said to be on their clock.

    Raises
    ------
    Nem2eError
        If force and recording share no time, or there is no complete cycle.
    """
    start, end = float(recording.time[0]), float(recording.time[-1])
    first, last = events.feet.force.time[[0, -1]]
    if first >= end or start >= last:
        raise Nem2eError(
            f"{events.feet.path}: force runs from {first:.6g} to {last:.6g} s, but the {what} of "
            f"{where} from {start:.6g} to {end:.6g} s: they do not overlap; give both on one clock."
        )
    found = events.cycles(cycle.definition)
    if not found:
        told = events.why_no_cycle().replace("complete cycle", f"complete {cycle.definition} cycle")
        raise Nem2eError(f"{events.feet.path}: {told}; give a longer recording, or the cycles with --cycles.")
    return [Span(number, *span) for number, span in enumerate(found)]


def read_spans(path: str | Path) -> list[Span]:
    """Cycles of a table (CSV) with columns cycle, start_s and end_s.

    Raises
    ------
    Nem2eError
        If a column is missing, a number is none, a cycle ends before it starts, occurs twice or overlaps another.
    """
    file = Path(path)
    table = read_table(file, ("cycle", "start_s", "end_s"))
    columns = whole_numbers(file, table, "cycle"), numbers(file, table, "start_s"), numbers(file, table, "end_s")
    return check_spans([Span(int(n), float(s), float(e)) for n, s, e in zip(*columns, strict=True)], str(path))


def check_spans(spans: Sequence[Span], where: str) -> list[Span]:
    """Return cycles in the order of time; Nem2eError where they cannot be one after another."""
    ordered = sorted(spans, key=lambda span: span.start_s)
    for span in ordered:
        if not span.end_s > span.start_s:
            raise Nem2eError(
                f"{where}: cycle {span.number} ends at {span.end_s} s, not after its start {span.start_s} s."
            )
    for one, following in pairwise(ordered):
        if following.start_s < one.end_s - EDGE_S:
            raise Nem2eError(
                f"{where}: cycle {following.number} starts at {following.start_s} s, before cycle {one.number} ends at "
                f"{one.end_s} s; give cycles that follow one another."
            )
    twice = [span.number for span in ordered if [each.number for each in ordered].count(span.number) > 1]
    if twice:
        raise Nem2eError(f"{where}: cycle {twice[0]} has more than one row; number each anew.")
    if not ordered:
        raise Nem2eError(f"{where}: holds no cycle, but at least one is expected.")
    return ordered


def require_strikes(spans: Sequence[Span], events: Events, cycle: GaitCycle) -> None:
    """Refuse cycles of a table whose start or end is no heel strike of the foot that the refiner's definition names.

    Raises
    ------
    Nem2eError
        With the first such cycle, and the foot that does strike there.
    """
    first, last = events.feet.force.time[[0, -1]]
    for span in spans:
        for what, side, time in zip(
            ("starts", "ends"), cycle.definition.split("-"), (span.start_s, span.end_s), strict=True
        ):
            if first < time < last and not _near(events.of(side).strikes, span, time):
                other = "left" if side == "right" else "right"
                near = _near(events.of(other).strikes, span, time)
                found = f"the {other} foot strikes" if near else "no foot strikes"
                raise Nem2eError(
                    f"Cycle {span.number} {what} at {time:.6g} s, where {found} by {events.feet.path}, but the refiner "
                    f"was trained on {cycle.definition} cycles; give cycles between these heel strikes."
                )


def _near(strikes: Array, span: Span, time: float) -> bool:
    return bool((np.abs(strikes - time) <= NEAR * (span.end_s - span.start_s)).any())


def usable(spans: Sequence[Span], signal: Storage, name: str, what: str = "activation") -> list[Span]:
    """Cycles with the reason filled in where a signal, the activation, does not cover one."""
    return [
        dataclasses.replace(
            span,
            reason=span.reason or gap(what, signal, Cycle(name, span.number, span.start_s, span.end_s)) or "",
        )
        for span in spans
    ]
