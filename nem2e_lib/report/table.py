"""A table with its words, and its accessible HTML: caption, scoped headers, one or two header rows."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

CONTEXT = "published, real data (context only)"
LONG = 40
"""Letters above which a cell is a sentence, and gets room."""


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

    def _repr_html_(self) -> str:
        return table_html(self)


def table_html(table: Table) -> str:
    """Return the table as HTML: caption, scoped headers, one or two header rows."""
    shown = table.shown
    head = _head_two(shown) if shown.columns.nlevels == 2 else _head_one(shown)
    bold = table.bold if table.bold is not None else pd.DataFrame(False, index=shown.index, columns=shown.columns)
    body = "".join(_row(cells, marks) for cells, marks in zip(shown.to_numpy(), bold.to_numpy(), strict=True))
    caption = f"<strong>{html.escape(table.title)}</strong> {html.escape(table.caption)}"
    return (
        '<div class="table" role="region" tabindex="0" aria-label="' + html.escape(table.title) + '"><table>'
        f"<caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def table_of(page: str) -> str:
    """Return the part of a page that `table_html` wrote, start to end; empty where there is none."""
    start, end = page.find('<div class="table"'), page.find("</table></div>")
    return page[start : end + len("</table></div>")] if 0 <= start < end else ""


def _head_one(shown: pd.DataFrame) -> str:
    return "<tr>" + "".join(f'<th scope="col">{html.escape(str(c))}</th>' for c in shown.columns) + "</tr>"


def _head_two(shown: pd.DataFrame) -> str:
    groups = [str(name) for name in shown.columns.get_level_values(0)]
    names = [str(name) for name in shown.columns.get_level_values(1)]
    top = "".join(_group(name, len(list(same))) for name, same in itertools.groupby(groups))
    below = "".join(
        f'<th scope="col"{_context_class(group)}>{html.escape(name)}</th>'
        for group, name in zip(groups, names, strict=True)
    )
    return f"<tr>{top}</tr><tr>{below}</tr>"


def _group(name: str, size: int) -> str:
    if not name:
        return f'<td colspan="{size}"></td>'
    return f'<th scope="colgroup" colspan="{size}" class="group">{html.escape(name)}</th>'


def _context_class(group: str) -> str:
    return ' class="context"' if group == CONTEXT else ""


def _row(cells: Iterable[object], marks: Iterable[bool]) -> str:
    first, *others = zip(map(str, cells), marks, strict=True)
    return f'<tr><th scope="row">{_text(*first)}</th>{"".join(map(_cell, others))}</tr>'


def _cell(marked: tuple[str, bool]) -> str:
    room = ' class="text"' if len(marked[0]) > LONG else ""
    return f"<td{room}>{_text(*marked)}</td>"


def _text(cell: str, bold: bool) -> str:
    return f"<strong>{html.escape(cell)}</strong>" if bold else html.escape(cell)
