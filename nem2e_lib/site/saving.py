"""Figures and tables as files: SVG, CSV and HTML, listed in one manifest a page."""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from nem2e_lib.data import files
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import Drawn, figure_html, svg
from nem2e_lib.site.frame import page_html
from nem2e_lib.site.tables import Table, table_html

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
    body: str

    def _repr_html_(self) -> str:
        return f"{self.body}<p>{links(self.entry)}</p>"


def save(shown: Drawn | Table, name: str, folder: Path | str, *, page: str = "figures") -> Saved:
    """Save a figure (`<name>.svg`, `<name>.csv`) or a table (`<name>.html`, `<name>.csv`); list it under `page`.

    Raises
    ------
    Nem2eError
        When the data are synthetic and the title does not say so, or the text for readers who cannot see it is empty.
    """
    if isinstance(shown, Drawn):
        return save_drawn(shown, name, folder, page=page)
    return save_table(shown, name, folder, page=page)


def save_figure(
    figure: Figure,
    data: pd.DataFrame,
    name: str,
    folder: Path | str,
    *,
    title: str,
    alt: str,
    synthetic: bool,
    caption: str = "",
    page: str = "figures",
) -> Saved:
    """Write ``<name>.svg`` and, with exactly what is drawn, ``<name>.csv``; list them under `page`.

    Raises
    ------
    Nem2eError
        When the data are synthetic and the title does not say so, or the text for readers who cannot see
        it is empty.
    """
    _check(name, title, alt, synthetic)
    text = svg(figure, title, alt)
    write_text(Path(folder) / f"{name}.svg", text)
    write_csv(Path(folder) / f"{name}.csv", data)
    entry = Entry("figure", name, title, alt, caption, synthetic, (f"{name}.svg", f"{name}.csv"))
    register(entry, folder, page)
    return Saved(entry, figure_html(text, alt, caption))


def save_drawn(drawn: Drawn, name: str, folder: Path | str, *, page: str = "figures") -> Saved:
    """Save what a function of `report.figures` returned; see `save_figure`."""
    return save_figure(
        drawn.figure,
        drawn.data,
        name,
        folder,
        title=drawn.title,
        alt=drawn.alt,
        synthetic=drawn.synthetic,
        caption=drawn.caption,
        page=page,
    )


def save_table(table: Table, name: str, folder: Path | str, *, page: str = "figures") -> Saved:
    """Write ``<name>.csv`` (unrounded) and ``<name>.html`` (a page of its own); list them under `page`."""
    _check(name, table.title, table.caption, table.synthetic)
    body = table_html(table)
    write_csv(Path(folder) / f"{name}.csv", table.data)
    write_text(Path(folder) / f"{name}.html", page_html(table.title, body))
    entry = Entry(
        "table",
        name,
        table.title,
        table.caption,
        table.caption,
        table.synthetic,
        (f"{name}.html", f"{name}.csv"),
    )
    register(entry, folder, page)
    return Saved(entry, body)


def register(entry: Entry, folder: Path | str, page: str) -> None:
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


def links(entry: Entry) -> str:
    """Return links to the entry's files, each with a name that tells its figure."""
    return " ".join(
        f'<a href="{html.escape(f)}" aria-label="{html.escape(entry.title)}, {Path(f).suffix[1:].upper()}">'
        f"{html.escape(f)}</a>"
        for f in entry.files
    )


def write_csv(path: Path, data: pd.DataFrame) -> None:
    """Write a tidy table, ten significant digits, line ends alike on every system."""
    write_text(path, data.to_csv(index=False, float_format="%.10g", lineterminator="\n"))


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)


def _check(name: str, title: str, alt: str, synthetic: bool) -> None:
    if synthetic and "SYNTHETIC" not in title:
        raise Nem2eError(
            f"The title of '{name}' is '{title}', but its data are synthetic; expected the word "
            "SYNTHETIC in it: build the title with report.style.heading."
        )
    if not alt.strip():
        raise Nem2eError(f"'{name}' has no text for readers who cannot see it; expected one or two sentences in alt.")
