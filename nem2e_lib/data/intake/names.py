"""What the words of a file's path tell: which files are of one trial, who moved, and how fast.

Which muscle the label of a channel may mean is `data.muscles`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_NO_WORD = frozenset(
    """
    activation activations states controls solution emg raw env envelope envelopes processed filtered normalized
    normalised electromyography grf grfs grd force forces ground reaction fp plate plates static optimization
    optimisation staticoptimization act so cmc rra moco inverse results result analyze data opensim newcop3 v24 v240
    """.split()  # noqa: SIM905
)
_WHO = r"subject|subj|sub|participant|part|patient|pt|person|proband|volunteer|athlete|runner|s|p|ab|gil"
_SUBJECT = re.compile(rf"(?:{_WHO})0*\d+", re.IGNORECASE)
_SPLIT = re.compile(r"[^\w.\u2212]+|_|(?<![0-9])\.|\.(?![0-9])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_RUN = re.compile(r"[^\W0-9_]+|\u2212?[0-9]+(?:\.[0-9]+)*")
_NUMBER = re.compile(r"\u2212?[0-9]+(?:[.p][0-9]+)*")
_MINUS = re.compile(r"(?:(?<=[\s_])|^)-(?=[0-9])")
"""A minus, where a hyphen would join two words: ``slope_-5``, not ``walk-5``."""
_APOSTROPHE = re.compile(r"(?<=[^\W0-9_])['\u2019](?=[^\W0-9_])")
_DATE = re.compile(
    r"(?<![^\W_])(?:(?P<y>(?:19|20)[0-9]{2})(?P<a> - |[-_. ]?)(?P<m>0[1-9]|1[0-2])(?P=a)(?P<d>0[1-9]|[12][0-9]|3[01])"
    r"(?P<time>T[0-9]{4,6})?|[0-3]?[0-9](?P<b> - |[-_. ])[0-3]?[0-9](?P=b)(?:19|20)[0-9]{2})(?![^\W_])"
)
_SPEED = re.compile(r"(?:x|v|very)?(?:slow|fast)|free|comfortable|preferred|normal|self|sprint", re.IGNORECASE)
_RATE = re.compile(r"(?:v|speed)?([0-9]+(?:[.p][0-9]+)?)(ms|mps|kmh|kph)", re.IGNORECASE)
_MUSCLES = re.compile(r"[0-9]+(?:muscles?|dof)")


def words(relative: Path) -> tuple[str, ...]:
    """Return the words of a path that may name the trial, in lower case; what names a kind of file is left out.

    A number belongs to the word for a person before it: ``Subject 01`` and ``sub-01`` are one word each. A word that
    comes again is left out, a number is not.
    """
    found: list[str] = []
    for part in [*relative.parent.parts, relative.stem]:
        before = ""
        for word, what in _words(part):
            if word.isdecimal() and re.fullmatch(_WHO, before) and found and found[-1] == before:
                found[-1] += word
            elif what != "kind":
                found.append(word)
            before = word
    return tuple(word for at, word in enumerate(found) if _NUMBER.fullmatch(word) or word not in found[:at])


@dataclass(frozen=True)
class Key:
    """What a path says of its trial, without what names a kind of file: ``walk 01``, ``walk_1``, ``Walk01`` are one.

    Attributes
    ----------
    order : tuple of str
        Every word in its order; a number belongs to the word before it, if there is one in the same folder's name.
    written : tuple of str
        The same with numbers as they are written, ``01`` or ``1``.
    kinds : tuple of str
        What each word is: ``person``, ``date``, ``speed``, ``counted`` (with a number), ``number`` or ``word``.
    """

    order: tuple[str, ...]
    written: tuple[str, ...]
    kinds: tuple[str, ...]

    def of(self, kind: str) -> tuple[str, ...]:
        """Words of one kind in their order; counted ones are sorted by the word that they count."""
        found = [word for word, own in zip(self.order, self.kinds, strict=True) if own == kind]
        return tuple(sorted(found, key=_stem) if kind == "counted" else found)

    @property
    def content(self) -> tuple[tuple[str, ...], ...]:
        """Words of every kind: order counts within a kind, so that ``left right`` is not ``right left``."""
        return tuple(self.of(kind) for kind in _KINDS)

    @property
    def once(self) -> tuple[tuple[str, ...], ...]:
        """The same, each word once: a person may be named by a folder and again by the file. Bare numbers all count."""
        some = zip(_KINDS, self.content, strict=True)
        return tuple(found if kind == "number" else tuple(dict.fromkeys(found)) for kind, found in some)

    @property
    def cycles(self) -> tuple[str, ...]:
        """Words that number a gait cycle of a recording: ``cycle3``."""
        return tuple(word for word in self.of("counted") if _stem(word) in _CYCLE)

    def without(self, aside: Iterable[str]) -> Key:
        """The same without some words."""
        left = [each for each in zip(self.order, self.written, self.kinds, strict=True) if each[0] not in set(aside)]
        return Key(*(tuple(each[at] for each in left) for at in range(3)))


_CYCLE = frozenset({"cycle", "cyc", "gaitcycle", "gc", "stride"})
_KINDS = ("person", "date", "speed", "counted", "number", "word")


def keys(relative: Path) -> Key:
    """Return what a path says of its trial."""
    found: list[tuple[str, str, str]] = []
    for part in [*relative.parent.parts, relative.stem]:
        open_word = False
        for word, kind in _tokens(part):
            if kind == "number" and open_word:
                stem = found[-1][0]
                own = "person" if re.fullmatch(_WHO, stem) else "counted"
                found[-1] = stem + _plain(word), stem + word, own
            elif kind != "kind":
                found.append((_plain(word), word, kind))
            open_word = kind in ("word", "speed") and word.isalpha() if kind != "kind" else open_word
    return Key(*(tuple(each[at] for each in found) for at in range(3)))


def _plain(word: str) -> str:
    return re.sub(r"(?<![0-9.])0+(?=[0-9])", "", word)


def _stem(word: str) -> str:
    return word.rstrip("0123456789.\u2212")


def _tokens(part: str) -> Iterator[tuple[str, str]]:
    """Yield the words of a folder's or file's name, numbers apart, with what each is; see `Key`, or ``kind``."""
    for word, what in _words(part):
        if what:
            yield word, what
        elif _RATE.fullmatch(word) or _SPEED.fullmatch(word):
            yield word, "speed"
        elif _NUMBER.fullmatch(word):
            yield word, "number"
        elif not word[0].isalpha():
            yield word, "word"
        else:
            for run in _RUN.findall(word):
                yield run, "kind" if run in _NO_WORD else "word" if run[0].isalpha() else "number"


def _words(part: str) -> Iterator[tuple[str, str]]:
    """Yield the words of a folder's or file's name in lower case: ``kind`` (of file), ``date``, or nothing."""
    text = _MINUS.sub("\u2212", _APOSTROPHE.sub("", unicodedata.normalize("NFC", part)))
    at = 0
    for date in _DATE.finditer(text):
        yield from _between(text[at : date.start()])
        day = "-".join(date.group("y", "m", "d")) + (date["time"] or "") if date["y"] else date[0]
        yield "-".join(re.split(r"[-_. ]+", day.lower())), "date"
        at = date.end()
    yield from _between(text[at:])


def _between(text: str) -> Iterator[tuple[str, str]]:
    for piece in filter(None, _SPLIT.split(text)):
        for word in [piece] if piece.lower() in _NO_WORD else _CAMEL.split(piece):
            known = word.lower() in _NO_WORD or _MUSCLES.fullmatch(word.lower())
            yield word.lower(), "kind" if known else ""


def covers(mine: Key, theirs: Key) -> bool:
    """Whether every word of the other is here, in the same order among those of its kind.

    A bare number may be that of the one word that is counted here: ``2`` is that of ``trial 2``.
    """
    rest = theirs
    counted = [word for word in mine.of("counted") if word not in theirs.of("counted")]
    if len(counted) == 1 and not mine.of("number") and theirs.of("number") == (counted[0][len(_stem(counted[0])) :],):
        rest = theirs.without(theirs.of("number"))
    return all(_within(some, own) for some, own in zip(rest.once, mine.once, strict=True))


def _within(some: Sequence[str], all_of: Sequence[str]) -> bool:
    """Whether words come in this order among others."""
    left = iter(all_of)
    return all(word in left for word in some)


def only_here(mine: Sequence[Key], others: Iterable[Key]) -> frozenset[str]:
    """Return words without number that all files of one kind and none of another have: they tell no trial apart."""
    if len(mine) < 2:
        return frozenset()
    shared = frozenset.intersection(*(frozenset(key.of("word")) for key in mine))
    return shared - frozenset().union(*(key.order for key in others))


def subject(words: Sequence[str]) -> str:
    """Return the word that names who moved; empty if none does."""
    return next((word for word in words if _SUBJECT.fullmatch(word)), "")


def speed(words: Sequence[str]) -> tuple[str, str]:
    """Return the label of the speed and its value in m/s as text; empty where no word says them.

    ``3.5ms`` and ``12.6kmh`` have a unit; ``speed 3.0`` has none, so that it is a label only.
    """
    for before, word in zip(["", *words], words, strict=False):
        if rate := _RATE.fullmatch(word):
            metres = float(rate.group(1).replace("p", ".")) / (3.6 if rate.group(2).startswith("k") else 1)
            return word, f"{metres:.4g}"
        if label := _SPEED.match(word):
            return label.group(0), ""
        if before in ("speed", "velocity") and _NUMBER.fullmatch(word):
            return word, ""
    return "", ""
