"""The line of labels of an OpenSim storage file: split, stripped, and told apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from nem2e_lib.errors import Nem2eError

MAX_COLUMNS = 100_000
"""Most columns that a table may have."""

_SHOWN = 5


def shown(text: object, length: int = 40) -> str:
    """`text` quoted on one line for a message, cut after `length` characters."""
    told = str(text)
    return repr(told[:length] + "…" if len(told) > length else told)


def bare(token: str) -> str:
    """`token` without outer blanks and one pair of outer quotes."""
    token = token.strip(" \t")
    return token[1:-1].strip(" \t") if len(token) > 1 and token[0] == token[-1] == '"' else token


def parse_labels(line: str, path: str) -> tuple[list[str], list[str]]:
    """Labels without time, unique, and what is odd about them, one sentence each.

    Tabs separate where the line has them, so that a label may hold blanks; else blanks do.

    Raises
    ------
    Nem2eError
        If there are more than 100,000 columns, or the first label is time with a unit beside it.
    """
    tokens = [bare(token) for token in line.split("\t")]
    if re.match(r"time ?[\[(]", tokens[0], re.IGNORECASE):
        raise Nem2eError(
            f"{path}: the first column is labelled {shown(tokens[0])}, but 'time' is expected, in s; rename it."
        )
    if tokens[0].lower() != "time":  # tabs and blanks mixed
        tokens = [bare(token) for token in re.split(r"[ \t]+", line.strip(" \t"))]
    while tokens and not tokens[-1]:
        tokens.pop()
    if len(tokens) > MAX_COLUMNS:
        raise Nem2eError(
            f"{path}: the label line names {len(tokens)} columns, but at most {MAX_COLUMNS} are read; split the table."
        )
    odd = []
    if tokens[0] != "time":
        odd.append(f"The time column is labelled {shown(tokens[0])}; OpenSim expects 'time'.")
    if "" in tokens:
        odd.append("The label line has tabs with no label between them; they were left out.")
    labels = [token for token in tokens[1:] if token]
    renamed = unique_labels(labels)
    return renamed, odd + _told(labels, renamed)


def unique_labels(labels: Sequence[str]) -> list[str]:
    """`labels` with a suffix ``_2``, ``_3``, … after each that was there before, or is ``time``."""
    taken, seen, next_number = {"time", *labels}, {"time"}, dict[str, int]()
    renamed = []
    for label in labels:
        chosen = label
        if label in seen:
            number = next_number.get(label, 2)
            while (chosen := f"{label}_{number}") in taken:
                number += 1
            next_number[label] = number + 1
        taken.add(chosen)
        seen.add(chosen)
        renamed.append(chosen)
    return renamed


def _told(labels: list[str], renamed: list[str]) -> list[str]:
    pairs = [(old, new) for old, new in zip(labels, renamed, strict=True) if old != new]
    if not pairs:
        return []
    repeated = Counter(old for old, _ in pairs)
    names = ", ".join(shown(label) for label in list(repeated)[:_SHOWN]) + (" …" if len(repeated) > _SHOWN else "")
    chosen = ", ".join(shown(new) for _, new in pairs[:_SHOWN]) + (" …" if len(pairs) > _SHOWN else "")
    if len(pairs) == 1:
        return [f"Column label {names} occurs more than once; one was renamed {chosen}."]
    what = f"Column label {names} occurs" if len(repeated) == 1 else f"Column labels {names} ({len(repeated)}) occur"
    return [f"{what} more than once; {len(pairs)} were renamed: {chosen}."]
