"""Files that belong to a study, told apart by their columns and matched by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nem2e_lib.data.columns import muscle_columns, vertical_columns
from nem2e_lib.data.storage import Storage, read_storage
from nem2e_lib.data.template_names import is_muscle
from nem2e_lib.errors import Nem2eError

KINDS = ("activation", "emg", "grf")
_NOISE = frozenset(
    """
    activation activations states controls solution emg raw env envelope envelopes processed filtered normalized
    normalised electromyography grf grfs grd force forces ground reaction plate plates static optimization
    optimisation staticoptimization so cmc rra moco inverse results result analyze data opensim newcop3 v24 v240
    """.split()  # noqa: SIM905
)
_SUBJECT = re.compile(r"(?:subject|subj|sub|participant|part|patient|pt|s|p|ab|gil)0*\d+", re.IGNORECASE)
_SPEED = re.compile(r"(?:x|v|very)?(?:slow|fast)|free|comfortable|preferred|normal|self|sprint", re.IGNORECASE)
_METRES = re.compile(r"(\d+(?:[.p]\d+)?)ms", re.IGNORECASE)
_VERTICAL = re.compile(r"(?:v|f|force_?)[yz]\d*$|_[yz]$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Found:
    """A file of a known kind; `inside` is its path in the study folder, `words` those that may name the trial."""

    path: Path
    inside: Path
    kind: str
    storage: Storage
    words: tuple[str, ...]


@dataclass
class Search:
    """What was found, and files that were left out with the reason."""

    files: list[Found] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Found]:
        """Files of one kind, in the order of their paths."""
        return [file for file in self.files if file.kind == kind]


def search(root: Path, kind: str | None = None) -> Search:
    """Every .sto and .mot below a folder; `kind` is what they hold where the caller knows it.

    Raises
    ------
    Nem2eError
        If there is no such folder.
    """
    if not root.is_dir():
        raise Nem2eError(f"{root}: no such folder; name the one that holds the {kind or 'study'} files.")
    found = Search()
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in (".sto", ".mot") and p.is_file()):
        try:
            storage = read_storage(path)
        except Nem2eError as error:
            found.left.append(str(error))
            continue
        relative = path.relative_to(root)
        held, why = _kind(relative, storage, kind)
        if held is None:
            found.left.append(f"{path}: left out, {why}.")
        else:
            inside = relative if kind is None else Path(kind) / relative
            found.files.append(Found(path, inside, held, storage, _words(relative)))
    return found


def _kind(path: Path, storage: Storage, asked: str | None) -> tuple[str | None, str]:
    kind = asked or _guess(path, storage)
    if kind is None:
        return None, "neither activation, EMG nor vertical force by its name and columns"
    if kind == "grf" and vertical_columns(storage.labels) is None and not vertical_candidates(storage.labels):
        return None, "no column of vertical force"
    if kind != "activation":
        return kind, ""
    columns = [label for label in muscle_columns(storage.labels) if is_muscle(label)]
    if not columns:
        return None, "no column under a known name of a muscle"
    highest = [float(np.nanmax(storage.column(label), initial=-np.inf)) for label in columns]
    return ("activation", "") if np.median(highest) <= 1.5 else (None, "its values are no activations (above 1.5)")


def _guess(path: Path, storage: Storage) -> str | None:
    name = f"{path.stem} {path.parent.name} {storage.name}".lower()
    if "emg" in name or "electromyo" in name:
        return "emg"
    if vertical_columns(storage.labels) is not None or re.search(r"grf|grd|ground", path.stem.lower()):
        return "grf"
    known = sum(is_muscle(label) for label in storage.labels)
    return "activation" if known and "force" not in path.stem.lower() else None


def vertical_candidates(labels: Sequence[str]) -> list[str]:
    """Labels that may be vertical force, under names that are not known."""
    return [label for label in labels if _VERTICAL.search(label)]


def _words(relative: Path) -> tuple[str, ...]:
    words = re.split(r"[^A-Za-z0-9.]+", "/".join([*relative.parent.parts, relative.stem]))
    return tuple(dict.fromkeys(w.lower() for w in words if w.strip(".") and w.lower() not in _NOISE))


def match(file: Found, others: Sequence[Found], alone: bool) -> Found | None:
    """The one file whose words are the same, or fewer or more without contradiction; None if none or several.

    With `alone`, the only file of each kind, words do not matter.
    """
    if alone and len(others) == 1:
        return others[0]
    mine = set(file.words)
    theirs = [(other, set(other.words)) for other in others]
    for chosen in (
        [other for other, words in theirs if words == mine],
        [other for other, words in theirs if words and words <= mine],
        [other for other, words in theirs if mine and mine <= words],
    ):
        if chosen:
            return chosen[0] if len(chosen) == 1 else None
    return None


def best(files: Sequence[Found]) -> Iterator[tuple[Found, list[Found]]]:
    """One activation file a trial, by its name (activation, states, controls), and those left over."""
    groups: dict[tuple[str, ...], list[Found]] = {}
    for file in files:
        groups.setdefault(file.words, []).append(file)
    order = ("activation", "states", "solution", "controls")
    for group in groups.values():
        rank = [next((i for i, word in enumerate(order) if word in f.path.stem.lower()), len(order)) for f in group]
        ranked = [file for _, file in sorted(zip(rank, group, strict=True), key=lambda pair: pair[0])]
        yield ranked[0], ranked[1:]


def subject(words: Sequence[str]) -> str:
    """The word that names who moved; empty if none does."""
    return next((word for word in words if _SUBJECT.fullmatch(word)), "")


def speed(words: Sequence[str]) -> tuple[str, str]:
    """Label of the speed and its value in m/s as text; empty where no word says them."""
    for word in words:
        if metres := _METRES.fullmatch(word):
            return word, metres.group(1).replace("p", ".")
        if label := _SPEED.match(word):
            return label.group(0), ""
    return "", ""
