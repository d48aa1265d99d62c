"""The text of an export: its lines, the cells of a line, and the number that a header states."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from nem2e_lib.data.files import read_text
from nem2e_lib.data.storage.header import bare
from nem2e_lib.error import Nem2eError


@dataclass(frozen=True)
class Sheet:
    """The text of a file, cut into lines.

    Attributes
    ----------
    path : str
        For messages.
    lines : tuple of str
        Without line ends.
    odd : tuple of str
        What was found odd about the encoding.
    """

    path: str
    lines: tuple[str, ...]
    odd: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """The first line that holds something, without outer blanks and separators."""
        return next((line.strip(" \t,;") for line in self.lines[:50] if line.strip(" \t,;")), "")

    def refusal(self, text: str) -> Nem2eError:
        """Return the error that `text` is wrong with this file."""
        return Nem2eError(f"{self.path}: {text}")


def read_sheet(path: str) -> Sheet:
    """Read the text of a file; Nem2eError if it is missing, empty, compressed or binary."""
    text, odd = read_text(path)
    return Sheet(path, tuple(text.split("\n")), odd)


def split(line: str, separator: str) -> list[str]:
    """Cells of a line, without outer blanks and quotes."""
    return [bare(cell) for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]


def cells(line: str, separator: str) -> list[str]:
    """Return the same without empty cells at the end."""
    found = split(line, separator)
    while found and not found[-1]:
        found.pop()
    return found


def number(text: str) -> float:
    """Return the number that a header states, its unit left aside; NaN if there is none. ``1,500`` is 1500."""
    if thousands := re.search(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])", text):
        return float(thousands.group().replace(",", ""))
    found = re.search(r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?", text)
    return float(found.group().replace(",", ".")) if found else float("nan")
