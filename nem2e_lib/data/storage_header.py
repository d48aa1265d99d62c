"""The header of an OpenSim storage file, in all its spellings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from nem2e_lib.errors import Nem2eError

_END = re.compile(r'^[ \t]*"?endheader"?[ \t]*$', re.IGNORECASE | re.MULTILINE)
_TIME = re.compile(r'^[ \t]*(?:time|"time")(?:[ \t].*)?$', re.IGNORECASE | re.MULTILINE)
_SIMM = re.compile(r"(name|datacolumns|datarows|otherdata|range)[ \t]+(.*)", re.IGNORECASE)
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0"}


@dataclass
class Header:
    """What stands above the numbers.

    Attributes
    ----------
    name : str
        First line, or the entry ``name`` of a SIMM file.
    labels : list of str
        Column labels without time, verbatim and unique.
    in_degrees : bool
        False where the header does not say.
    metadata : dict
        Entries not told by another field; free text under ``text``.
    declared : dict
        Numbers of rows and columns (with time) as the header states them.
    damaged : bool
        Whether the header was overwritten by another one.
    body : int
        Where the numbers start in the text.
    """

    name: str = ""
    labels: list[str] = field(default_factory=list)
    in_degrees: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    damaged: bool = False
    body: int = 0


def parse_header(text: str, path: str) -> Header:
    r"""Header of the storage text (line ends ``\n``).

    Raises
    ------
    Nem2eError
        If there is no ``endheader``, no label line that starts with ``time``, or more than one table.
    """
    end = _END.search(text)
    if end is None:
        raise Nem2eError(f"{path}: no line 'endheader' found; an OpenSim .sto or .mot file is expected.")
    lines = list(_TIME.finditer(text, end.end()))
    if not lines:
        found = text[end.end() :].strip()[:40].split("\n")[0]
        raise Nem2eError(
            f"{path}: no column 'time': the labels after 'endheader' start with {found!r}, "
            "but the first column must be time in seconds."
        )
    header = Header(body=lines[-1].end())
    _entries(header, text[: end.start()], path)
    _labels(header, lines[-1].group())
    _between(header, text[end.end() : lines[-1].start()], path)
    return header


def _entries(header: Header, text: str, path: str) -> None:
    first, *rest = text.split("\n")
    free = []
    if "=" in first or _SIMM.fullmatch(_bare(first)):
        rest.insert(0, first)
    else:
        header.name = _bare(first)
    for line in map(_bare, rest):
        simm = _SIMM.fullmatch(line)
        if "=" in line:
            _entry(header, *line.split("=", 1), path=path)
        elif simm:
            _entry(header, *simm.groups(), path=path)
        elif line:
            free.append(line)
    if free:
        header.metadata["text"] = "\n".join(free)


def _entry(header: Header, key: str, value: str, *, path: str) -> None:
    key, value = key.strip(" \t"), value.strip(" \t")
    match key.lower():
        case "name":
            header.name = header.name or value
        case "nrows" | "datarows":
            header.declared["rows"] = value
        case "ncolumns" | "datacolumns":
            header.declared["columns"] = value
        case "indegrees":
            header.in_degrees = _in_degrees(value, path)
        case "version" if value == "1":
            pass  # the writer's default
        case _:
            header.metadata[key] = value


def _in_degrees(value: str, path: str) -> bool:
    if value.lower() not in _YES | _NO:
        raise Nem2eError(f"{path}: the header says inDegrees={value}, but yes or no is expected.")
    return value.lower() in _YES


def _labels(header: Header, line: str) -> None:
    tokens = [_bare(token) for token in line.split("\t")]
    if tokens[0].lower() != "time":  # tabs and blanks mixed
        tokens = [_bare(token) for token in re.split(r"[ \t]+", line.strip(" \t"))]
    while tokens and not tokens[-1]:
        tokens.pop()
    if tokens[0] != "time":
        header.warnings.append(f"The time column is labelled {tokens[0]!r}; OpenSim expects 'time'.")
    if "" in tokens:
        header.warnings.append("The label line has tabs with no label between them; they were left out.")
    header.labels = _unique([token for token in tokens[1:] if token], header.warnings)


def _unique(labels: Iterable[str], warnings: list[str]) -> list[str]:
    labels = list(labels)
    taken, unique = {"time", *labels}, []
    for label in labels:
        chosen, number = label, 1
        while chosen in unique or chosen == "time":
            number += 1
            chosen = f"{label}_{number}" if f"{label}_{number}" not in taken else chosen
        if chosen != label:
            warnings.append(f"Column label {label!r} occurs more than once; one was renamed {chosen!r}.")
        unique.append(chosen)
    return unique


def _between(header: Header, text: str, path: str) -> None:
    """Nothing may stand between ``endheader`` and the labels but what OpenSim 4.6 leaves there."""
    lines = [line for line in text.split("\n") if line.strip()]
    if any(_is_row(line) for line in lines):
        raise Nem2eError(f"{path}: two tables in one file; give each its own .sto or .mot file.")
    if lines:
        header.damaged = True
        header.declared.clear()
        header.warnings.append(
            "The header was overwritten (OpenSim 4.6 can do this when it exits): its name, counts and "
            "inDegrees are not the original ones; the last line that starts with time has the labels."
        )


def _is_row(line: str) -> bool:
    tokens = line.split()
    try:
        return len([float(token) for token in tokens]) > 1
    except ValueError:
        return False


def _bare(token: str) -> str:
    token = token.strip(" \t")
    return token[1:-1].strip(" \t") if len(token) > 1 and token[0] == token[-1] == '"' else token
