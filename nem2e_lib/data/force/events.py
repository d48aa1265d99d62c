"""Contacts of both feet and the cycles between them: what one foot's plate hides, the other's shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data import gait
from nem2e_lib.data.checks import (
    ALTERNATION,
    BRIEF,
    COVERAGE,
    EARLY,
    LONG,
    NOISE,
    OTHER_FOOT,
    RHYTHM,
    SPLIT,
    TOUCH,
    ZERO,
    Check,
    Note,
)
from nem2e_lib.data.force.baseline import find_zero
from nem2e_lib.data.force.feet import FEET, Feet
from nem2e_lib.data.gait import Limits

Array = NDArray[np.float64]
Reason = tuple[Check, str]

LONGEST_S, SHORTEST_S = 5.0, 0.25
"""Of a cycle cut from force: walking after a stroke, sprinting."""
_AROUND = 9
"""Contacts, or cycles, with which one is compared: speed may change over a recording."""
_FEWEST = 3
"""With fewer, nothing is usual."""
_LOADED = 0.25
"""Share of a foot's usual highest force at which it counts as loaded."""
_TOLD = 6
"""Touches that are told with their times."""
_CARRIED = 0.85
"""Share of body weight over a cycle that both plates must carry for no step to have missed them."""
_STANDS = 0.9
"""Share of a cycle with the other foot's plate loaded from which on that plate tells nothing."""
_REGULAR = (0.8, 1.25)
"""Of the usual length: a cycle that may be one although the other foot's plate tells nothing."""
_MOVING = 0.5
"""Share of the usual highest force by which force varies where somebody moves."""
_CLEARLY = 0.25
"""Share of steps up to which they are those on the wrong plates, and not the others."""
_ABOVE_NOISE = 5.0
"""Standard deviations of a plate's noise above which force is a foot's."""
_LOST_CYCLES = 3
"""A span between two heel strikes that is so many cycles long holds cycles that were not seen."""


@dataclass(frozen=True, eq=False)
class Foot:
    """Contacts of one foot.

    Attributes
    ----------
    side : str
    time, force : float64 arrays, shape (rows,)
        In s and N, the plate's zero taken off where it moves.
    start, end : float64 arrays, shape (contacts,)
        In s, infinite where the recording begins or ends in the contact.
    threshold_n : float
    """

    side: str
    time: Array
    force: Array
    start: Array
    end: Array
    threshold_n: float

    @property
    def strikes(self) -> Array:
        """Times of heel strike in s."""
        return self.start[np.isfinite(self.start)]

    @cached_property
    def peaks(self) -> Array:
        """Highest force of each contact in N."""
        first, last = np.searchsorted(self.time, self.start), np.searchsorted(self.time, self.end)
        return np.array([self.force[a : max(b, a + 1)].max(initial=0.0) for a, b in zip(first, last, strict=True)])

    @cached_property
    def usual_peak(self) -> float:
        """Median highest force in N; 0 without a contact."""
        return float(np.median(self.peaks)) if len(self.peaks) else 0.0

    @property
    def stance(self) -> Array:
        """Length of each contact in s; at least so long where the recording ends in it, NaN where it begins in it."""
        length = np.minimum(self.end, self.time[-1]) - self.start
        return np.where(np.isfinite(self.start), length, np.nan)

    @property
    def whole(self) -> Array:
        """Length of each contact in s, NaN where the recording begins or ends in it."""
        return np.where(np.isfinite(self.end), self.stance, np.nan)

    @property
    def swing(self) -> Array:
        """Length of the swing before each contact in s; NaN for the first."""
        return np.concatenate([[np.nan], self.start[1:] - self.end[:-1]])[: len(self.start)]

    @cached_property
    def loading(self) -> Array:
        """Time from each heel strike until the foot is loaded in s; NaN where there is none."""
        return np.array([self._loading(start) for start in self.start])

    def _loading(self, start: float) -> float:
        if not np.isfinite(start):
            return np.nan
        first = int(np.searchsorted(self.time, start))
        loaded = self.force[first:] > _LOADED * self.usual_peak
        return float(self.time[first + int(loaded.argmax())] - start) if loaded.any() else np.nan

    @cached_property
    def usual(self) -> dict[str, Array]:
        """Stance, swing and loading of the contacts around each, in s."""
        return {name: around(getattr(self, name)) for name in ("whole", "swing", "loading")}

    @cached_property
    def doubts(self) -> list[list[Reason]]:
        """What is wrong with each contact as the start or the end of a cycle."""
        return [list(self._doubts(row, self.usual)) for row in range(len(self.start))]

    def _doubts(self, row: int, usual: dict[str, Array]) -> Iterator[Reason]:
        at, foot = f"at {self.start[row]:.4g} s", f"the {self.side} foot's plate"
        share, strength = self.whole[row] / usual["whole"][row], self.peaks[row] / max(self.usual_peak, 1e-9)
        if share < BRIEF.limit:
            yield BRIEF, f"the contact {at} on {foot} lasts {self.whole[row]:.2g} s, {share:.2f} times the usual"
        elif len(self.start) >= _FEWEST and strength < BRIEF.limit and np.isfinite(self.whole[row]):
            yield BRIEF, f"the contact {at} on {foot} bears {self.peaks[row]:.3g} N, {strength:.2f} times the usual"
        gap = self.swing[row] / usual["swing"][row]
        if gap < SPLIT.limit:
            yield SPLIT, f"{foot} is unloaded for only {self.swing[row]:.2g} s before {at[3:]}"
        if self.loading[row] > usual["loading"][row] + EARLY.limit:
            yield EARLY, f"{foot} is touched {at}, but loaded only {self.loading[row]:.2g} s later"

    def too_long(self, row: int) -> list[Reason]:
        """Why a contact cannot be of one step, if it lasts too long."""
        share = self.stance[row] / self.usual["whole"][row]
        if not share > LONG.limit:
            return []
        told = f"the {self.side} foot's plate stays loaded for {self.stance[row]:.3g} s from {self.start[row]:.4g} s on"
        return [(LONG, f"{told}, {share:.2f} times the usual: its next heel strike may be hidden")]

    def row(self, strike: float) -> int:
        """The contact that starts at a time."""
        return int(np.argmin(np.abs(self.start - strike)))

    def share_loaded(self, start_s: float, end_s: float) -> float:
        """Share of a span with the plate loaded."""
        rows = slice(*np.searchsorted(self.time, [start_s, end_s]))
        return float(np.mean(self.force[rows] > self.threshold_n)) if rows.stop > rows.start else 0.0


def around(values: Array) -> Array:
    """Return the median of the `_AROUND` values around each, itself included, shape (values,).

    NaNs do not count; at the ends the nearest are taken. NaN where there are fewer than three.
    """
    known = np.flatnonzero(np.isfinite(values))
    found = np.full(len(values), np.nan)
    if len(known) < _FEWEST:
        return found
    width = min(_AROUND, len(known))
    for row in range(len(values)):
        first = int(np.clip(np.searchsorted(known, row) - width // 2, 0, len(known) - width))
        found[row] = np.median(values[known[first : first + width]])
    return found


@dataclass(frozen=True, eq=False)
class Events:
    """Contacts of both feet, and what is to be told of the plates."""

    feet: Feet
    right: Foot
    left: Foot
    limits: Limits
    notes: tuple[Note, ...]

    def of(self, side: str) -> Foot:
        """One foot."""
        return self.right if side == "right" else self.left

    def cycles(self, definition: str = "right-right", ignored: Sequence[str] = ()) -> list[tuple[float, float, str]]:
        """Return start and end of each gait cycle in s, and why it can be none; empty if it can.

        Parameters
        ----------
        definition
            One of `gait.CYCLES`.
        ignored
            Names of checks that are not to be heeded.
        """
        first, last = definition.split("-")
        spans = gait.cycles(self.right.strikes, self.left.strikes, definition)
        lengths = np.array([end - start for start, end in spans])
        usual = around(np.where(lengths <= LONGEST_S, lengths, np.nan))
        found = []
        for (start, end), length in zip(spans, usual.tolist(), strict=True):
            reasons = self._reasons(first, last, start, end, length)
            heeded = (text for check, text in reasons if check is None or check.name not in ignored)
            found.append((start, end, next(heeded, "")))
        return found

    def _reasons(
        self, first: str, last: str, start: float, end: float, usual_s: float
    ) -> Iterator[tuple[Check | None, str]]:
        one, two, length = self.of(first), self.of(last), end - start
        shortest = SHORTEST_S if first == last else SHORTEST_S / 2
        if not shortest <= length <= LONGEST_S:
            yield None, f"lasts {length:.3g} s, but {shortest:g} to {LONGEST_S:g} s are expected of a gait cycle"
        if first == last:
            yield from self._other_foot(one, start, end, usual_s)
        yield from one.too_long(one.row(start))
        for foot, time in ((one, start), (two, end)):
            yield from foot.doubts[foot.row(time)]
            if time in self._out_of_turn[foot.side]:
                yield (
                    ALTERNATION,
                    f"the heel strike at {time:.4g} s on the {foot.side} plate comes when the other foot's is due",
                )
        share = length / usual_s
        if not 1 / RHYTHM.limit <= share <= RHYTHM.limit and np.isfinite(share):
            yield RHYTHM, f"lasts {length:.3g} s, {share:.2f} times as long as those around it"

    def _other_foot(self, foot: Foot, start: float, end: float, usual_s: float) -> Iterator[Reason]:
        other = self.left if foot.side == "right" else self.right
        strikes = int(((other.strikes > start) & (other.strikes < end)).sum())
        if strikes > 1:
            yield OTHER_FOOT, f"{strikes} heel strikes of the other foot within it: one of this foot was missed"
        if strikes or not len(other.strikes) or other.share_loaded(start, end) > _STANDS:
            return
        weight = self._carried(start, end) / self._weight
        if weight > _CARRIED:
            told = f"the {other.side} foot has no contact of its own within it, but the plates bear the whole weight"
            yield OTHER_FOOT, f"{told}: it was on the {foot.side} plate"
        elif not _REGULAR[0] <= (end - start) / usual_s <= _REGULAR[1]:
            yield OTHER_FOOT, f"the {other.side} foot has no contact within it, and it lasts {end - start:.3g} s"

    def _carried(self, start: float, end: float) -> float:
        """Mean force on both plates in N."""
        rows = slice(*np.searchsorted(self.right.time, [start, end]))
        return float((self.right.force[rows] + self.left.force[rows]).mean()) if rows.stop > rows.start else 0.0

    @cached_property
    def _steady(self) -> Array:
        """Start, length and share until the other foot's strike of cycles with one such strike, right ones first."""
        found = []
        for foot, other in ((self.right, self.left), (self.left, self.right)):
            for start, end in zip(foot.strikes[:-1], foot.strikes[1:], strict=True):
                inside = other.strikes[(other.strikes > start) & (other.strikes < end)]
                if len(inside) == 1 and end - start <= LONGEST_S:
                    share = (inside[0] - start) / (end - start)
                    found.append((start, end - start, share if foot is self.right else 1 - share))
        return np.array(found).reshape(-1, 3)

    @cached_property
    def _weight(self) -> float:
        """Mean force on both plates over a cycle in N, which is body weight; NaN where it is not known."""
        means = [self._carried(start, start + length) for start, length, _ in self._steady]
        return float(np.median(means)) if means else np.nan

    @cached_property
    def _out_of_turn(self) -> dict[str, set[float]]:
        """Heel strikes, by side, of the lesser part of each row of steps that breaks the turn of right and left.

        Where it is not clearly the lesser, those of the whole row.
        """
        found: dict[str, set[float]] = {"right": set(), "left": set()}
        for row in self._rows():
            odd = [strike for strike in row if strike[2] == 1]
            even = [strike for strike in row if strike[2] == 0]
            lesser = min(odd, even, key=len)
            for time, side, _ in row if len(lesser) > _CLEARLY * len(row) else lesser:
                found[side].add(time)
        return found

    def _rows(self) -> list[list[tuple[float, str, int]]]:
        """Rows of steps that follow one another: time, side, and whether sides were changed an odd number of times."""
        steps = sorted((float(time), side) for side in FEET for time in self.of(side).strikes)
        if len(self._steady) < _FEWEST or not steps:
            return []
        rows, changed = [[(*steps[0], 0)]], 0
        for (before, side), (time, now) in pairwise(steps):
            turned = self._turned(before, side, time, now)
            if turned is None:
                rows.append([])
                changed = 0
            elif turned:
                changed = 1 - changed
            rows[-1].append((time, now, changed))
        return rows

    def _turned(self, before: float, side: str, time: float, now: str) -> bool | None:
        """Whether a strike comes when the other foot's is due; None where it comes when neither is, or in a stumble.

        Feet that change plates tread on one together, or one after the other: a late step alone is none.
        """
        nearest = np.argsort(np.abs(self._steady[:, 0] - before))[:_AROUND]
        length, share = np.median(self._steady[nearest, 1:], axis=0)
        ahead = (time - before) / length
        to_other = share if side == "right" else 1 - share
        of_same = abs(ahead - max(1.0, np.round(ahead)))
        of_other = abs(ahead - to_other - max(0.0, np.round(ahead - to_other)))
        as_it_is, else_wise = (of_same, of_other) if side == now else (of_other, of_same)
        if ahead > _LOST_CYCLES or min(as_it_is, else_wise) > ALTERNATION.limit:
            return None
        if as_it_is <= else_wise:
            return False
        seen = side == now or self.of(side).too_long(self.of(side).row(before))
        return True if seen else None

    def why_no_cycle(self) -> str:
        """Say what explains that there is no complete cycle."""
        count = [len(foot.strikes) for foot in (self.right, self.left)]
        found = f"no complete cycle: {count[0]} right and {count[1]} left heel strikes found above"
        told = [f"{found} {self.limits.threshold_n:g} N"]
        for foot in (self.right, self.left):
            why = gait.why_no_strike(foot.force, self.limits.threshold_n) if not len(foot.strikes) else ""
            told += [f"{foot.side}: {why}"] if why else []
        measured = [one for one, columns in zip(count, self.feet.columns, strict=True) if columns]
        if set(measured) == {1}:
            told.append("one step a foot is no cycle: if the next heel strike is known, cycles.csv can hold it")
        return "; ".join(told)

    def coverage(self, definition: str, start_s: float, end_s: float) -> list[Note]:
        """Return a note where strides are missing though somebody moves on the plates, between two times in s."""
        found = self.cycles(definition)
        kept = [end - start for start, end, reason in found if not reason]
        notes = [self._silent(side) for side in FEET]
        if kept:
            notes.append(self._missing(definition.split("-")[0], found, float(np.median(kept)), start_s, end_s))
        return [note for note in notes if note is not None]

    def _silent(self, side: str) -> Note | None:
        columns, foot = self.feet.columns[FEET.index(side)], self.of(side)
        other = self.left if side == "right" else self.right
        if not columns or len(foot.start) or len(other.start) < _FEWEST:
            return None
        why = gait.why_no_strike(foot.force, self.limits.threshold_n) or "no contact is found"
        return COVERAGE.note(f"{self.feet.path}: {side} foot ({'+'.join(columns)}): {why}, while the other foot walks.")

    def _missing(
        self, side: str, found: Sequence[tuple[float, float, str]], usual_s: float, start_s: float, end_s: float
    ) -> Note | None:
        foot = self.of(side)
        first, last = max(start_s, float(foot.time[0])), min(end_s, float(foot.time[-1]))
        gaps = [(first, found[0][0]), (found[-1][1], last)]
        gaps = [gap for gap in gaps if gap[1] - gap[0] >= COVERAGE.limit * usual_s]
        gaps += [(start, end) for start, end, _ in found if end - start >= _LOST_CYCLES * usual_s]
        lost = [gap for gap in sorted(gaps) if self._moving(foot, *gap)]
        missing = sum(int((end - start) / usual_s + 0.05) for start, end in lost)
        if not missing:
            return None
        seen = sum(end - start < _LOST_CYCLES * usual_s for start, end, _ in found)
        start, end = lost[0]
        when = f"from {start:.4g} s {f'to {end:.4g} s' if end < last else 'on'}"
        return COVERAGE.note(
            f"{self.feet.path}: {missing} of {seen + missing} expected strides are missing, {when}: "
            f"{self._why(foot, start, end)}."
        )

    def _moving(self, foot: Foot, start: float, end: float) -> bool:
        """Whether somebody moves on the plates: force comes and goes, or the other foot steps on."""
        other = self.left if foot.side == "right" else self.right
        rows = slice(*np.searchsorted(foot.time, [start, end]))
        steps = int(((other.strikes > start) & (other.strikes < end)).sum())
        varies = float(np.ptp(np.percentile(foot.force[rows], [5, 95]))) if rows.stop > rows.start else 0.0
        return steps >= COVERAGE.limit or varies > _MOVING * foot.usual_peak > 0

    def _why(self, foot: Foot, start: float, end: float) -> str:
        """What the plate does in the later half of a gap, when the last step that was seen is over."""
        first, last = np.searchsorted(foot.time, [(start + end) / 2, end])
        later = foot.force[first : max(last, first + 1)]
        if later.max() <= foot.threshold_n:
            return f"the {foot.side} plate shows no load there (at most {later.max():.3g} N)"
        if later.min() > foot.threshold_n:
            return f"the {foot.side} plate no longer unloads (it stays above {later.min():.3g} N)"
        return f"no heel strike of the {foot.side} foot is found there"


def find_events(feet: Feet, limits: Limits) -> Events:
    """Return the contacts of both feet in their vertical force, a zero that moves taken off first."""
    found = [_foot(feet, side, limits) for side in FEET]
    (right, first), (left, second) = found
    return Events(feet, right, left, limits, (*feet.notes, *first, *second))


def _foot(feet: Feet, side: str, limits: Limits) -> tuple[Foot, list[Note]]:
    time, force, threshold = feet.force.time, feet.force.column(side), limits.threshold_n
    notes, plate = list[Note](), f"{feet.path}: the {side} plate's"
    zero = find_zero(time, force, threshold) if limits.baseline == "swing" else None
    if zero is not None and zero.off > ZERO.limit * threshold:
        force = force - zero.values
        notes.append(ZERO.note(f"{plate} zero {zero}: taken off before heel strikes are found."))
    if zero is not None and zero.noise > NOISE.limit * threshold:
        threshold = max(threshold, _ABOVE_NOISE * zero.noise)
        told = f"noise has a standard deviation of {zero.noise:.3g} N: contacts were found above {threshold:.3g} N"
        notes.append(NOISE.note(f"{plate} {told}, not {limits.threshold_n:g} N."))
    found = gait.contacts(
        time, force, threshold_n=threshold, min_stance_s=limits.min_stance_s, min_swing_s=limits.min_swing_s
    )
    start, end = np.array(found).reshape(-1, 2).T
    foot, touches = _without_touches(Foot(side, time, force, start, end, threshold))
    if len(touches):
        times = ", ".join(f"{time:.4g}" for time in touches[:_TOLD]) + (", …" if len(touches) > _TOLD else "")
        told = f"{len(touches)} brief and weak touch{'es' * (len(touches) > 1)} on the {side} plate at {times} s"
        notes.append(TOUCH.note(f"{feet.path}: {told}: no steps, left out."))
    return foot, notes


def _without_touches(foot: Foot) -> tuple[Foot, Array]:
    """Leave out what is both so short and so weak that no step can be it; returns the times of that, too."""
    brief = foot.whole < TOUCH.limit * around(foot.whole)
    touches = brief & (foot.peaks < TOUCH.limit * foot.usual_peak)
    start, end = foot.start[~touches], foot.end[~touches]
    return Foot(foot.side, foot.time, foot.force, start, end, foot.threshold_n), foot.start[touches]
