"""A table with its words: what goes to CSV, what is read, and accessible HTML (caption, scoped headers)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup

from nem2e_lib.figures.style import CONDITION_LABELS, heading, label_of
from nem2e_lib.site.frame import part

CONTEXT = "published, real data (context only)"
"""Group of columns that stand beside a run's own."""
METHOD_COLUMNS = frozenset({"method", "condition", "a", "b", "winner", "rival"})
"""Columns of ids of methods, wherever they stand."""
SHOWN = 24
"""Rows of a table that stand in a notebook; all of them stand on its own page."""
LONG = 40
"""Letters above which a cell is a sentence, and gets room."""


class Cell(NamedTuple):
    """What stands in a cell."""

    text: str
    bold: bool

    @property
    def is_sentence(self) -> bool:
        """Whether it needs room."""
        return len(self.text) > LONG


@dataclass(frozen=True)
class Table:
    """A table with its words.

    Attributes
    ----------
    data : pandas.DataFrame
        Numbers, unrounded: what goes to CSV.
    shown : pandas.DataFrame
        Text, rounded for reading; columns may have two levels (group, name).
    title, caption : str
    synthetic : bool
    bold : pandas.DataFrame or None
        Where a cell of `shown` is set in bold type.
    """

    data: pd.DataFrame
    shown: pd.DataFrame
    title: str
    caption: str
    synthetic: bool = False
    bold: pd.DataFrame | None = None

    @property
    def alt(self) -> str:
        """What a reader who cannot see the table needs to know."""
        return self.caption

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Name and width of each group of columns; none where columns have one level."""
        if self.shown.columns.nlevels == 1:
            return []
        names = [str(name) for name in self.shown.columns.get_level_values(0)]
        return [(name, len(list(same))) for name, same in itertools.groupby(names)]

    @property
    def names(self) -> list[tuple[str, bool]]:
        """Name of each column, and whether it is there as context only."""
        columns = self.shown.columns
        grouped = columns.nlevels == 2
        return [(str(c[1]), c[0] == CONTEXT) if grouped else (str(c), False) for c in columns]

    @property
    def rows(self) -> list[list[Cell]]:
        """Cells of each row; the first one names the row."""
        marks = np.zeros(self.shown.shape, bool) if self.bold is None else self.bold.to_numpy()
        return [
            [Cell(str(text), bool(bold)) for text, bold in zip(cells, marked, strict=True)]
            for cells, marked in zip(self.shown.to_numpy(), marks, strict=True)
        ]

    @property
    def head(self) -> Table:
        """Its first rows, as many as stand in a notebook."""
        return replace(self, shown=self.shown.head(SHOWN), bold=None if self.bold is None else self.bold.head(SHOWN))

    def _repr_html_(self) -> str:
        return table_html(self)


def table_html(table: Table) -> Markup:
    """Return the table as HTML: caption, scoped headers, one or two header rows."""
    return part("table", table)


def table_of(page: str) -> Markup:
    """Return the part of a page that `table_html` wrote, start to end; empty where there is none."""
    start, end = page.find('<div class="table"'), page.find("</table></div>")
    return Markup(page[start : end + len("</table></div>")] if 0 <= start < end else "")


def plain(data: pd.DataFrame, title: str, caption: str, *, synthetic: bool = False, digits: int = 3) -> Table:
    """Return any data frame as a table for reading: rounded, methods by their labels; a title tells what is synthetic.

    The table's `data`, which goes to CSV, keeps numbers and ids as they are.
    """
    shown = pd.DataFrame(
        {name: [_formatted(str(name), v, digits) for v in data[name]] for name in data}, index=data.index
    )
    shown = shown.drop(columns="synthetic", errors="ignore") if synthetic else shown
    return Table(
        data,
        shown.rename(columns=lambda name: str(name).replace("_", " ")),
        heading(title, synthetic),
        caption,
        synthetic,
    )


def _formatted(name: str, value: object, digits: int) -> str:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    if not isinstance(value, float | np.floating):
        # an option may be called like a method ("delay"), so that only columns of methods are read as such
        return label_of(value) if name in METHOD_COLUMNS else CONDITION_LABELS.get(str(value), str(value))
    if name.startswith("p_") or name.endswith("p_value"):
        return p_text(float(value))
    return rounded(float(value), 1 if name == "seconds" else digits)


def rounded(value: float, digits: int = 2) -> str:
    """Return the number in two digits, or as many as are asked for, with a true minus; a dash where it is undefined."""
    return "–" if not np.isfinite(value) else f"{value:.{digits}f}".replace("-", "−")


def p_text(value: float) -> str:
    """Return a p-value to three digits; a dash where it is undefined."""
    if not np.isfinite(value):
        return "–"
    return unbroken("< 0.001") if value < 0.001 else f"{value:.3f}"


def unbroken(text: str) -> str:
    """Return the text in one line: no break at its blanks and hyphens."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")
