"""What is told of many files: each thing once."""

from __future__ import annotations

from collections.abc import Iterable


def together(said: Iterable[tuple[str, str]], few: int = 1) -> list[str]:
    """Return sentences of files, one a sentence, in their order: ``a.c3d and 3 more: its clock starts late.``

    Parameters
    ----------
    said : iterable of (sentence, file)
    few : int
        So many files of one sentence are each named with it.
    """
    files: dict[str, dict[str, None]] = {}
    for line, file in said:
        files.setdefault(line, {})[file] = None
    told = list[str]()
    for line, some in files.items():
        first = next(iter(some))
        told += (
            [f"{file}: {line}" for file in some] if len(some) <= few else [f"{first} and {len(some) - 1} more: {line}"]
        )
    return told
