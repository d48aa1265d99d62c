"""The index: every figure, table and page, the claims in short, where it all comes from."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.site.claims import cards
from nem2e_lib.site.frame import footer, page_html, synthetic_note
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.results import Runs
from nem2e_lib.site.saving import Entry, entries, links, manifest_pages, write_text
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
    body = [synthetic_note(runs), _claims_cards(claims), _page_list(pages)]
    body += [_section(root, anchor, heading) for anchor, heading in chosen.items()]
    body.append(_provenance(runs, source))
    text = page_html(title, "\n".join(filter(None, body)), lead=lead, nav=_nav(chosen), foot=footer())
    path = root / "index.html"
    write_text(path, text)
    return path


def _claims_cards(claims: pd.DataFrame | None) -> str:
    if claims is None or claims.empty:
        return ""
    link = '<p><a href="claims.html">Each claim, with the reason</a></p>'
    return f'<h2 id="claims">Claims</h2>{cards(claims)}{link}'


def _nav(sections: Mapping[str, str]) -> str:
    items = "".join(f'<li><a href="#{html.escape(a)}">{html.escape(h)}</a></li>' for a, h in sections.items())
    first, last = '<li><a href="#pages">Pages</a></li>', '<li><a href="#provenance">Provenance</a></li>'
    return f'<nav aria-label="Sections"><ul>{first}{items}{last}</ul></nav>'


def _page_list(pages: Mapping[str, str]) -> str:
    items = "".join(f'<li><a href="{html.escape(f)}">{html.escape(t)}</a></li>' for f, t in pages.items())
    return f'<h2 id="pages">Pages</h2><ul>{items}</ul>'


def _section(root: Path, anchor: str, heading: str) -> str:
    listed = [_entry(root, entry) for entry in entries(root, anchor)]
    return (
        f'<section aria-labelledby="{html.escape(anchor)}">'
        f'<h2 id="{html.escape(anchor)}">{html.escape(heading)}</h2>' + "".join(listed) + "</section>"
    )


def _entry(root: Path, entry: Entry) -> str:
    title, caption = html.escape(entry.title), html.escape(entry.caption)
    if entry.kind == "table":
        rows = table_of((root / entry.files[0]).read_text(encoding="utf-8"))
        count = rows.count('<th scope="row">')
        state = " open" if count <= SHORT else ""
        shown = (
            f"<details{state}><summary>{plural(count, 'row')}</summary>{rows}</details>"
            if rows
            else f"<p>{caption}</p>"
        )
        return f'<h3>{title}</h3>{shown}<p class="files">{links(entry)}</p>'
    return (
        f'<h3 class="unseen">{title}</h3><figure>'
        f'<img src="{html.escape(entry.files[0])}" alt="{html.escape(entry.alt)}">'
        f"<figcaption>{caption} {links(entry)}</figcaption></figure>"
    )


def _provenance(runs: Runs, source: Provenance) -> str:
    studies = "".join(
        f"<li>{html.escape(s)}: profile {html.escape(str(r.get('profile', 'unknown')))}, "
        f"{'SYNTHETIC' if r.get('synthetic') else 'measured'} data, hash "
        f"<code>{html.escape(str(r.get('data_hash', '')))}</code></li>"
        for s, r in runs.items()
    )
    libraries = ", ".join(f"{name} {number}" for name, number in source.versions.items())
    return (
        '<h2 id="provenance">Provenance</h2><ul><li>Code: commit '
        f"<code>{html.escape(source.commit)}</code> of "
        f"{html.escape(source.date)}</li>{studies}<li>{html.escape(libraries)}</li>"
        '<li>Every number: <a href="results.json">results.json</a></li></ul>'
    )


def _all_there(root: Path, files: list[str]) -> None:
    missing = [f for f in files if not (root / f).exists()]
    if missing:
        raise Nem2eError(f"{root / missing[0]} does not exist, but the index would link to it; run its notebook first.")
