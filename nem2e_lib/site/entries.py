"""A page for each figure, chart and table, and the catalogue of them all.

A page shows one thing whole: what is seen in it, its data, where it comes from, and how to make it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.contents import Contents
from nem2e_lib.site.frame import page
from nem2e_lib.site.saving import Entry, entries, manifest_pages, write_text
from nem2e_lib.site.tables import table_of

CATALOGUE = "all.html"


class Section(NamedTuple):
    """A notebook, by its name and heading, with what it has saved."""

    name: str
    heading: str
    entries: list[Entry]

    @property
    def page(self) -> str:
        """The notebook's own page."""
        return f"{self.name}.html"


def sections(folder: Path | str, contents: Contents) -> list[Section]:
    """Return a site's notebooks in their order, each with what it has saved."""
    headings = contents.sections or {name: name.replace("_", " ") for name in manifest_pages(folder)}
    return [Section(name, heading, entries(folder, name)) for name, heading in headings.items()]


def write_pages(folder: Path | str, contents: Contents) -> list[Path]:
    """Write the page of each figure, chart and table, and ``all.html``.

    Raises
    ------
    Nem2eError
        When the page of one would take the place of a page of the site.
    """
    root, listed = Path(folder), sections(folder, contents)
    every = [(section, entry) for section in listed for entry in section.entries]
    if taken := [entry.page for _, entry in every if entry.page in contents.pages]:
        raise Nem2eError(f"{root / taken[0]} is a page of the site already; save the figure under another name.")
    written = []
    for at, (section, entry) in enumerate(every):
        before, after = (every[i][1] if 0 <= i < len(every) else None for i in (at - 1, at + 1))
        text = page(
            "entry.html.j2",
            title=entry.title,
            entry=entry,
            table=_table(root, entry),
            section=section if (root / section.page).exists() else section._replace(name=""),
            contents=contents,
            before=before,
            after=after,
        )
        write_text(root / entry.page, text)
        written.append(root / entry.page)
    text = page("all.html.j2", title="All figures and tables", sections=listed, contents=contents)
    write_text(root / CATALOGUE, text)
    return [*written, root / CATALOGUE]


def _table(root: Path, entry: Entry) -> Markup:
    return table_of((root / entry.page).read_text(encoding="utf-8")) if entry.kind == "table" else Markup()


def by_name(listed: Sequence[Section]) -> dict[str, Entry]:
    """Return every figure, chart and table of a site by its name."""
    return {entry.name: entry for section in listed for entry in section.entries}
