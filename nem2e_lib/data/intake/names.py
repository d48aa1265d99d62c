"""What the words of a file's path tell: which files are of one trial, who moved, and how fast.

Which muscle the label of a channel may mean is `data.muscles`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_NO_WORD = frozenset(
    """
    activation activations states controls solution emg raw env envelope envelopes processed filtered normalized
    normalised electromyography grf grfs grd force forces ground reaction fp plate plates static optimization
    optimisation staticoptimization so cmc rra moco inverse results result analyze data opensim newcop3 v24 v240
    """.split()  # noqa: SIM905
)
_WHO = r"subject|subj|sub|participant|part|patient|pt|person|proband|volunteer|athlete|runner|s|p|ab|gil"
_SUBJECT = re.compile(rf"(?:{_WHO})0*\d+", re.IGNORECASE)
_SPLIT = re.compile(r"[^A-Za-z0-9.]+|(?<!\d)\.|\.(?!\d)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_SPEED = re.compile(r"(?:x|v|very)?(?:slow|fast)|free|comfortable|preferred|normal|self|sprint", re.IGNORECASE)
_RATE = re.compile(r"(?:v|speed)?(\d+(?:[.p]\d+)?)(ms|mps|kmh|kph)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.p]\d+)?")


def words(relative: Path) -> tuple[str, ...]:
    """Return the words of a path that may name the trial, in lower case; what names a kind of file is left out.

    A number belongs to the word for a person before it: ``Subject 01`` and ``sub-01`` are one word each.
    """
    found: list[str] = []
    for part in [*relative.parent.parts, relative.stem]:
        before = ""
        for word in _split(part):
            if word.isdigit() and re.fullmatch(_WHO, before) and found and found[-1] == before:
                found[-1] += word
            elif word not in _NO_WORD:
                found.append(word)
            before = word
    return tuple(dict.fromkeys(found))


def _split(part: str) -> list[str]:
    pieces = [piece for piece in _SPLIT.split(part) if piece]
    split = [[piece] if piece.lower() in _NO_WORD else _CAMEL.split(piece) for piece in pieces]
    return [word.lower() for some in split for word in some]


def keys(relative: Path) -> frozenset[str]:
    """Return the words as they are compared: ``walk 01``, ``walk_1`` and ``Walk01`` are all ``walk1``."""
    found: list[str] = []
    for part in [*relative.parent.parts, relative.stem]:
        before = ""
        for word in _split(part):
            if word.isdigit() and before and found:
                found[-1] += str(int(word))
                before = ""
            elif word not in _NO_WORD:
                found.append(re.sub(r"(?<![\d.])0+(?=\d)", "", word))
                before = word if word.isalpha() else ""
            else:
                before = ""
    return frozenset(found)


def covers(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether every key of the other is here; a bare number may be that of one word here that names no person."""
    return all(key in mine or _numbered(mine, key) for key in theirs)


def _numbered(mine: frozenset[str], key: str) -> bool:
    ends = [word for word in mine if re.fullmatch(rf"[a-z]+{key}", word) and not _SUBJECT.fullmatch(word)]
    return key.isdigit() and len(ends) == 1


def only_here(mine: Sequence[frozenset[str]], others: Iterable[frozenset[str]]) -> frozenset[str]:
    """Return words without number that all files of one kind and none of another have: they tell no trial apart."""
    if len(mine) < 2:
        return frozenset()
    shared = frozenset.intersection(*mine) - frozenset().union(*others)
    return frozenset(word for word in shared if word.isalpha())


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
