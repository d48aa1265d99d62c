"""The index: every figure, table and page, the claims in short, where it all comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.site.claims import cards
from nem2e_lib.site.frame import page
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.results import Runs
from nem2e_lib.site.saving import Entry, entries, manifest_pages, write_text
from nem2e_lib.site.tables import table_of

SHORT = 24
"""Rows up to which a table stands open in the index."""


def write_index(
    folder: Path | str,
    *,
    title: str,
    lead: str,
    pages: Mapping[str, str],
    runs: Runs,
    source: Provenance,
    claims: pd.DataFrame | None = None,
    sections: Mapping[str, str] | None = None,
) -> Path:
    """Write ``index.html``: every figure and table, links to every page, claims in short, provenance.

    Parameters
    ----------
    folder : path
        The site, with the manifests that `saving` keeps.
    title, lead : str
        Heading and what this is.
    pages : mapping of file name to title
        The rendered notebooks and further pages; each must exist.
    runs : mapping of study to mapping
        ``synthetic``, ``profile``, ``data_hash`` of each study.
    source : Provenance
    claims : pandas.DataFrame, optional
        ``claims.evaluate``'s table.
    sections : mapping of manifest page to heading, optional
        Order and headings; by default every page that saved something, by name.

    Raises
    ------
    Nem2eError
        When a page or a listed file is missing.
    """
    root = Path(folder)
    chosen = dict(sections) if sections else {p: p.replace("_", " ") for p in manifest_pages(root)}
    _all_there(root, [*pages, *(f for p in chosen for e in entries(root, p) for f in e.files)])
    text = page(
        "index.html.j2",
        title=title,
        lead=lead,
        pages=pages,
        runs=runs,
        source=source,
        cards="" if claims is None or claims.empty else cards(claims),
        sections=[
            {"anchor": anchor, "heading": heading, "shown": [(e, _table(root, e)) for e in entries(root, anchor)]}
            for anchor, heading in chosen.items()
        ],
    )
    path = root / "index.html"
    write_text(path, text)
    return path


@dataclass(frozen=True)
class _Shown:
    """A table as it stands in the index: open where it is short."""

    html: Markup

    @property
    def count(self) -> int:
        return self.html.count('<th scope="row">')

    @property
    def size(self) -> str:
        return plural(self.count, "row")

    @property
    def is_short(self) -> bool:
        return self.count <= SHORT


def _table(root: Path, entry: Entry) -> _Shown | None:
    if entry.kind != "table":
        return None
    return _Shown(table_of((root / entry.files[0]).read_text(encoding="utf-8")))


def _all_there(root: Path, files: list[str]) -> None:
    missing = [f for f in files if not (root / f).exists()]
    if missing:
        raise Nem2eError(f"{root / missing[0]} does not exist, but the index would link to it; run its notebook first.")
