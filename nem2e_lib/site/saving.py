"""Figures and tables as files: SVG, CSV and HTML, listed in one manifest a page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from nem2e_lib.data import files
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import Drawn, figure_html, svg
from nem2e_lib.site.frame import page as whole_page
from nem2e_lib.site.frame import part
from nem2e_lib.site.tables import Table, table_html
from nem2e_lib.training.units import caveat

MANIFESTS = "manifest"


@dataclass(frozen=True)
class Entry:
    """What a manifest knows of one figure or table (paths relative to the site's folder)."""

    kind: str
    name: str
    title: str
    alt: str
    caption: str
    synthetic: bool
    files: tuple[str, ...]


@dataclass(frozen=True)
class Saved:
    """A figure or table just saved; shows itself in a notebook with links to its files."""

    entry: Entry
    body: Markup

    def _repr_html_(self) -> str:
        return part("saved", self.body, self.entry)


def save(shown: Drawn | Table, name: str, folder: Path | str, *, page: str = "figures") -> Saved:
    """Save a figure or a table and list it under a page.

    A figure becomes ``<name>.svg``, a table ``<name>.html`` (a page of its own); ``<name>.csv`` beside it holds exactly
    what is drawn, or the table's unrounded numbers.

    Raises
    ------
    Nem2eError
        When the data are synthetic and the title does not say so, or the text for readers who cannot see it is empty.
    """
    _check(shown, name)
    shown = _with_caveat(shown)
    if isinstance(shown, Drawn):
        kind, suffix, text = "figure", "svg", svg(shown.figure, shown.title, shown.alt)
        body = Markup(figure_html(text, shown.alt, shown.caption))
    else:
        kind, suffix, body = "table", "html", table_html(shown)
        text = whole_page(title=shown.title, body=body)
    files = (f"{name}.{suffix}", f"{name}.csv")
    write_text(Path(folder) / files[0], text)
    write_csv(Path(folder) / files[1], shown.data)
    entry = Entry(kind, name, shown.title, shown.alt, shown.caption, shown.synthetic, files)
    _list(entry, folder, page)
    return Saved(entry, body)


def _with_caveat(shown: Drawn | Table) -> Drawn | Table:
    """Say beside errors and tests over blocks of cycles what they do not tell."""
    said = caveat(shown.data["unit"]) if "unit" in shown.data else ""
    if not said:
        return shown
    caption = f"{shown.caption} {said}".strip()
    return (
        replace(shown, caption=caption, alt=f"{shown.alt} {said}")
        if isinstance(shown, Drawn)
        else replace(shown, caption=caption)
    )


def _check(shown: Drawn | Table, name: str) -> None:
    if shown.synthetic and "SYNTHETIC" not in shown.title:
        raise Nem2eError(
            f"The title of '{name}' is '{shown.title}', but its data are synthetic; expected the word "
            "SYNTHETIC in it: build the title with figures.style.heading."
        )
    if not shown.alt.strip():
        raise Nem2eError(f"'{name}' has no text for readers who cannot see it; expected one or two sentences in alt.")


def _list(entry: Entry, folder: Path | str, page: str) -> None:
    """List the entry in the page's manifest, in place of an older one of the same name."""
    known = [e for e in entries(folder, page) if e.name != entry.name]
    text = json.dumps([asdict(e) for e in [*known, entry]], indent=1, ensure_ascii=False)
    write_text(Path(folder) / MANIFESTS / f"{page}.json", text + "\n")


def entries(folder: Path | str, page: str) -> list[Entry]:
    """Return what a page's manifest lists, in the order it was saved."""
    path = Path(folder) / MANIFESTS / f"{page}.json"
    if not path.exists():
        return []
    return [Entry(**{**e, "files": tuple(e["files"])}) for e in json.loads(path.read_text(encoding="utf-8"))]


def manifest_pages(folder: Path | str) -> list[str]:
    """Return the names of the pages that listed something, sorted."""
    return sorted(p.stem for p in (Path(folder) / MANIFESTS).glob("*.json"))


def write_csv(path: Path, data: pd.DataFrame) -> None:
    """Write a tidy table, ten significant digits, line ends alike on every system."""
    write_text(path, data.to_csv(index=False, float_format="%.10g", lineterminator="\n"))


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)
