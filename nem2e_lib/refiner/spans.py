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
from nem2e_lib.data.columns import vertical_columns
from nem2e_lib.data.cycles.find import gap, unlikely
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.data.study.settings import Settings
from nem2e_lib.data.study.signals import read_grf
from nem2e_lib.data.study.trials import EDGE_S, Cycle
from nem2e_lib.data.tables import numbers, read_table, whole_numbers
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import GaitCycle

Array = NDArray[np.float64]

PLATES = "+"
NEAR = 0.1
"""Share of a cycle within which its start must lie of a heel strike of the foot that starts it."""


@dataclass(frozen=True)
class Span:
    """A cycle of a recording in s; `reason` says why it cannot be refined, or is empty."""

    number: int
    start_s: float
    end_s: float
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Strikes:
    """Heel strikes of a force file in s by foot, and the span of time that it covers."""

    path: str
    right: Array
    left: Array
    start_s: float
    end_s: float
    why: str

    def of(self, side: str) -> Array:
        """Those of one foot."""
        return self.right if side == "right" else self.left


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
) -> list[Span]:
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
    strikes = None if grf is None else read_strikes(grf, cycle, columns)
    if cycles is not None:
        given = read_spans(cycles) if isinstance(cycles, str | Path) else check_spans(cycles, where)
        if strikes is not None:
            require_strikes(given, strikes, cycle)
        return given
    if strikes is None:
        raise Nem2eError(
            f"{where}: without heel strikes there are no cycles; give the ground reaction force (--grf) or a table "
            "with columns cycle, start_s and end_s (--cycles)."
        )
    return of_force(strikes, recording, cycle, where, what=what)


def read_strikes(path: str | Path, cycle: GaitCycle, columns: tuple[str, str] | None = None) -> Strikes:
    """Heel strikes of both feet, found as those of the refiner's study were.

    Parameters
    ----------
    path
        Ground reaction force (.mot, .sto), vertical columns under a known name.
    cycle
        The refiner's; its threshold and shortest stance and swing are used.
    columns
        Names of the right and the left vertical column, where they are not known; ``+`` between several plates.

    Raises
    ------
    Nem2eError
        If a column is not found or its values are not finite.
    """
    storage = read_storage(path)
    named = columns or vertical_columns(storage.labels)
    sides = [tuple(name.split(PLATES)) for name in named or ()]
    missing = [name for side in sides for name in side if name not in storage.labels]
    if named is None or missing:
        what = f"no column {missing[0]!r}" if missing else "no columns of vertical force under both feet by known names"
        raise Nem2eError(
            f"{path}: {what}; found {', '.join(storage.labels[:12])}{' …' if len(storage.labels) > 12 else ''}; name "
            "the right and the left one with --grf-columns RIGHT,LEFT (RIGHT1+RIGHT2,LEFT for several plates)."
        )
    force = read_grf(Path(path), Settings(grf_right=sides[0], grf_left=sides[1]))
    limits = {"threshold_n": cycle.threshold_n, "min_stance_s": cycle.min_stance_s, "min_swing_s": cycle.min_swing_s}
    right, left = (gait.heel_strikes(force.time, each, **limits) for each in force.values.T)
    reasons = [
        f"{side}: {why}"
        for side, each in zip(("right", "left"), force.values.T, strict=True)
        if (why := gait.why_no_strike(each, cycle.threshold_n))
    ]
    return Strikes(str(path), right, left, float(force.time[0]), float(force.time[-1]), "; ".join(reasons))


def of_force(strikes: Strikes, recording: Storage, cycle: GaitCycle, where: str, *, what: str) -> list[Span]:
    """Cycles between heel strikes, each with the reason why it cannot be refined; `what` is said to be on their clock.

    Raises
    ------
    Nem2eError
        If force and recording share no time, or there is no complete cycle.
    """
    start, end = float(recording.time[0]), float(recording.time[-1])
    if strikes.start_s >= end or start >= strikes.end_s:
        raise Nem2eError(
            f"{strikes.path}: force runs from {strikes.start_s:.6g} to {strikes.end_s:.6g} s, but the {what} of "
            f"{where} from {start:.6g} to {end:.6g} s: they do not overlap; give both on one clock."
        )
    found = gait.cycles(strikes.right, strikes.left, cycle.definition)
    if not found:
        raise Nem2eError(
            f"{strikes.path}: no complete {cycle.definition} cycle: {len(strikes.right)} right and {len(strikes.left)} "
            f"left heel strikes above {cycle.threshold_n:g} N{'; ' if strikes.why else ''}{strikes.why}; give a longer "
            "recording, or the cycles with --cycles."
        )
    other = strikes.of("left" if cycle.definition.startswith("right") else "right")
    return [Span(number, *span, unlikely(*span, other)) for number, span in enumerate(found)]


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


def require_strikes(spans: Sequence[Span], strikes: Strikes, cycle: GaitCycle) -> None:
    """Refuse cycles of a table whose start or end is no heel strike of the foot that the refiner's definition names.

    Raises
    ------
    Nem2eError
        With the first such cycle, and the foot that does strike there.
    """
    for span in spans:
        for what, side, time in zip(
            ("starts", "ends"), cycle.definition.split("-"), (span.start_s, span.end_s), strict=True
        ):
            if strikes.start_s < time < strikes.end_s and not _near(strikes.of(side), span, time):
                other = "left" if side == "right" else "right"
                found = f"the {other} foot strikes" if _near(strikes.of(other), span, time) else "no foot strikes"
                raise Nem2eError(
                    f"Cycle {span.number} {what} at {time:.6g} s, where {found} by {strikes.path}, but the refiner was "
                    f"trained on {cycle.definition} cycles; give cycles between these heel strikes."
                )


def _near(strikes: Array, span: Span, time: float) -> bool:
    return bool((np.abs(strikes - time) <= NEAR * (span.end_s - span.start_s)).any())


def usable(spans: Sequence[Span], activation: Storage, name: str) -> list[Span]:
    """Cycles with the reason filled in where the activation does not cover one."""
    return [
        dataclasses.replace(
            span,
            reason=span.reason
            or gap("activation", activation, Cycle(name, span.number, span.start_s, span.end_s))
            or "",
        )
        for span in spans
    ]
