"""Which files are of one trial, by what their paths say: exactly that, or nothing.

Files of one laboratory are named alike. So how strictly names must agree is decided once for all files of a kind: as
strictly as any two of them do. A trial whose EMG was lost is then not given that of a trial with a similar name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nem2e_lib.data.intake.find import Found
from nem2e_lib.data.intake.names import Key, covers, only_here

_BEST = ("activation", "states", "solution", "controls")
_DONE = (
    "walk",
    "run",
    "gait",
    "jog",
    "sprint",
    "jump",
    "squat",
    "stair",
    "stand",
    "turn",
    "left",
    "right",
    "pre",
    "post",
)
"""Beginnings of words that tell what was done: they tell trials apart even where all files of a kind have them."""
_AGREE: tuple[Callable[[Key, Key], bool], ...] = (
    lambda one, other: one.order == other.order,
    lambda one, other: one.content == other.content,
    lambda one, other: one.once == other.once,
    lambda one, other: covers(one, other) or covers(other, one),
)
"""Ways in which two paths say the same, the strictest first."""


@dataclass
class Partners:
    """Files of one kind by the activation file of their trial, and files that may be of one but may be another's."""

    of: dict[Found, Found] = field(default_factory=dict)
    unclear: dict[Found, list[Found]] = field(default_factory=dict)


def best(files: Sequence[Found]) -> Iterator[tuple[Found, list[Found]]]:
    """Yield one activation file a trial, by its name (activation, states, controls), and those left over."""
    groups: dict[tuple[str, ...], list[Found]] = {}
    for file in files:
        groups.setdefault(file.key.written, []).append(file)
    for group in groups.values():
        rank = [next((i for i, word in enumerate(_BEST) if word in f.path.stem.lower()), len(_BEST)) for f in group]
        ranked = [file for _, file in sorted(zip(rank, group, strict=True), key=lambda pair: pair[0])]
        yield ranked[0], ranked[1:]


def apart(activations: Sequence[Found], others: Sequence[Found]) -> tuple[frozenset[str], frozenset[str]]:
    """Return words that all activations and none of the others have, and the reverse; matching leaves them aside.

    None where words on both sides tell what was done: walking is not running.
    """
    keys = [file.key for file in activations], [file.key for file in others]
    mine, theirs = only_here(*keys), only_here(*reversed(keys))
    if any(word.startswith(_DONE) for word in mine) and any(word.startswith(_DONE) for word in theirs):
        return frozenset(), frozenset()
    return mine, theirs


def partners(activations: Sequence[Found], others: Sequence[Found], aside: Iterable[str] = ()) -> Partners:
    """Match files of another kind to activation files, without the words `aside`.

    A file goes with an activation if their names agree and no other file's on either side agrees as well. Activations
    of single gait cycles, as their names say, share the file of their recording where that kind's names tell no cycles.
    """
    if any(file.key.cycles for file in activations) and not any(file.key.cycles for file in others):
        return _of_recordings(activations, others, aside)
    keys = {file: file.key.without(aside) for file in (*activations, *others)}
    for agree in _AGREE:
        fits = {one: [other for other in others if agree(keys[one], keys[other])] for one in activations}
        if any(fits.values()):
            return _unique(fits, keys)
    return Partners()


def _of_recordings(activations: Sequence[Found], others: Sequence[Found], aside: Iterable[str]) -> Partners:
    """Match recordings, each stood for by one activation without its cycle, and give all of its cycles what it has."""
    recordings: dict[tuple[str, ...], list[Found]] = {}
    for file in activations:
        recordings.setdefault(file.key.without(file.key.cycles).written, []).append(file)
    stand_ins = {replace(some[0], key=some[0].key.without(some[0].key.cycles)): some for some in recordings.values()}
    matched, found = partners(list(stand_ins), others, aside), Partners()
    for one, cycles in stand_ins.items():
        for file in cycles:
            if one in matched.of:
                found.of[file] = matched.of[one]
            elif one in matched.unclear:
                found.unclear[file] = matched.unclear[one]
    return found


def _unique(fits: Mapping[Found, list[Found]], keys: Mapping[Found, Key]) -> Partners:
    found, claims = Partners(), dict[Found, list[Found]]()
    for one, others in fits.items():
        for other in others:
            claims.setdefault(other, []).append(one)
    for one, others in fits.items():
        near = _nearest(one, others, keys)
        if len(near) == 1 and _alike(near[0], claims[near[0]], keys) == [one]:
            found.of[one] = near[0]
        elif others:
            found.unclear[one] = others
    return found


def _nearest(file: Found, others: Sequence[Found], keys: Mapping[Found, Key]) -> list[Found]:
    """Those written as the file is; else those that say the most of what it says; else those that say more."""
    alike = _alike(file, others, keys)
    fewer = [other for other in alike if len(keys[other].order) <= len(keys[file].order)]
    most = max((len(keys[other].order) for other in fewer), default=0)
    return [other for other in fewer if len(keys[other].order) == most] or alike


def _alike(file: Found, others: Sequence[Found], keys: Mapping[Found, Key]) -> list[Found]:
    """Those written as the file is if there are such (``01`` is not ``1``), else all."""
    return [other for other in others if keys[other].written == keys[file].written] or list(others)
