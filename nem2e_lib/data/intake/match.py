"""What a layout finds among files: trials with their parts, what is left, and what is missing."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from nem2e_lib.data.intake.layout import KINDS, Layout
from nem2e_lib.data.intake.source import Entry

Parts = dict[str, str]


@dataclass(frozen=True)
class Match:
    """A file that fits a pattern: what it is, its named parts in lower case, and the pattern's place in its list."""

    entry: Entry
    kind: str
    parts: Parts
    rank: int


@dataclass(frozen=True)
class Row:
    """A trial to be: an activation file and the files that go with it; `doubts` has what could not be settled."""

    name: str
    subject: str
    speed: str
    parts: Parts
    files: dict[str, Entry]
    doubts: tuple[str, ...] = ()


@dataclass
class Matched:
    """Trials, files that were left (by rule, or because no pattern fits), and what is missing, one sentence each."""

    rows: list[Row] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    ruled_out: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    expected: int | None = None

    @property
    def table(self) -> dict[tuple[str, str], int]:
        """How many trials each subject has at each speed."""
        return dict(Counter((row.subject, row.speed) for row in self.rows))


def match(layout: Layout, entries: Sequence[Entry]) -> Matched:
    """Find a layout's files among `entries`."""
    found = Matched()
    matches: list[Match] = []
    for entry in entries:
        if any(rule.fullmatch(name) for rule in layout.leave for name in entry.names):
            found.ruled_out.append(entry.path)
            continue
        fits = list(_fits(layout, entry))
        matches += fits
        if not fits:
            found.left.append(entry.path)
    found.counts = {kind: sum(each.kind == kind for each in matches) for kind in KINDS}
    _rows(layout, matches, found)
    found.rows = _of_one_name(found.rows)
    _missing(layout, found)
    return found


def _fits(layout: Layout, entry: Entry) -> Iterator[Match]:
    for kind, patterns in layout.patterns.items():
        for rank, pattern in enumerate(patterns):
            if fit := next(filter(None, map(pattern.fullmatch, entry.names)), None):
                parts = {key: value.lower() for key, value in fit.groupdict().items() if value is not None}
                yield Match(entry, kind, parts, rank)
                break


def _rows(layout: Layout, matches: Sequence[Match], found: Matched) -> None:
    of = {kind: [each for each in matches if each.kind == kind] for kind in KINDS}
    groups: dict[tuple[tuple[str, str], ...], list[Match]] = {}
    for each in of["activation"]:
        groups.setdefault(tuple(sorted(each.parts.items())), []).append(each)
    for key, group in sorted(groups.items(), key=lambda item: _order(layout, dict(item[0]))):
        parts = dict(key)
        files: dict[str, Entry] = {}
        doubts: list[str] = []
        for kind in KINDS:
            entry, doubt = _choose(kind, parts, group if kind == "activation" else of[kind])
            files |= {kind: entry} if entry else {}
            doubts += [doubt] if doubt else []
        name = _fill(layout.say("trial"), parts)
        found.rows.append(Row(name, _subject(layout, parts), parts.get("speed", ""), parts, files, tuple(doubts)))


def _order(layout: Layout, parts: Parts) -> tuple[object, ...]:
    known = [str(speed) for speed in layout.table("expected").get("speed", [])]
    speed = parts.get("speed", "")
    rest = [(len(value), value) for key, value in sorted(parts.items()) if key not in ("subject", "speed")]
    return (parts.get("subject", ""), known.index(speed) if speed in known else len(known), speed, tuple(rest))


def _subject(layout: Layout, parts: Parts) -> str:
    return _fill(layout.say("subject"), parts)


def _fill(text: str, parts: Parts) -> str:
    for key, value in parts.items():
        text = text.replace("{" + key + "}", value)
    return text


def _choose(kind: str, parts: Parts, matches: Sequence[Match]) -> tuple[Entry | None, str]:
    """The file of a kind that agrees in most parts, by the earliest pattern; in doubt the reason."""
    fits = [each for each in matches if _agree(each.parts, parts)]
    if not fits:
        return None, ""
    best = min(_closeness(each) for each in fits)
    chosen = [each.entry for each in fits if _closeness(each) == best]
    return chosen[0], _doubt(kind, chosen)


def _doubt(kind: str, chosen: Sequence[Entry]) -> str:
    if len(chosen) == 1:
        return ""
    first = chosen[0]
    other = next((each for each in chosen[1:] if each.size != first.size or _bytes(each) != _bytes(first)), None)
    if other is None:
        return ""
    return (
        f"{kind}: {first.path} and {other.path} differ, but fit the same pattern with the same parts; take one "
        "away, or name one of them under leave in the layout"
    )


def _bytes(entry: Entry) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        entry.save(Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def _closeness(each: Match) -> tuple[int, int]:
    return -len(each.parts), each.rank


def _agree(some: Parts, wanted: Parts) -> bool:
    return all(wanted.get(key) == value for key, value in some.items())


def _missing(layout: Layout, found: Matched) -> None:
    expected = layout.table("expected")
    have, each = found.table, int(expected.get("each", 1))
    subjects = [_subject(layout, {"subject": str(s).lower()}) for s in expected.get("subject", [])]
    people = subjects or sorted({row.subject for row in found.rows})
    speeds = [str(speed).lower() for speed in expected.get("speed", [])]
    found.expected = len(people) * len(speeds) * each if subjects and speeds else None
    present = {row.subject for row in found.rows}
    for subject in people:
        if subject not in present:
            found.missing.append(f"{subject}: no activation file, {len(speeds) * each} expected")
    for subject, speed in product([who for who in people if who in present], speeds):
        number = have.get((subject, speed), 0)
        if number < each:
            found.missing.append(f"{subject}, speed {speed}: {number} of {each} activation files found")
        elif number > each:
            found.missing.append(f"{subject}, speed {speed}: {number} activation files found, {each} expected")
    for row in found.rows:
        lack = [kind for kind in ("emg", "grf") if layout.patterns.get(kind) and kind not in row.files]
        found.missing += [f"{row.name}: no {kind} file" for kind in lack]


def _of_one_name(rows: Sequence[Row]) -> list[Row]:
    """The rows, with a doubt where several would be one trial."""
    times = Counter(row.name for row in rows)
    doubt = "{} activation files would be this one trial; let the key trial of the layout name more of their parts"
    return [
        replace(row, doubts=(*row.doubts, doubt.format(times[row.name]))) if times[row.name] > 1 else row
        for row in rows
    ]
