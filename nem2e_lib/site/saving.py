"""Figures, charts and tables as files: SVG, CSV, HTML and scripts of data, listed in one manifest a page."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from nem2e_lib.charts.chart import Chart
from nem2e_lib.data import files
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.printed import pdf
from nem2e_lib.figures.style import Drawn, figure_html, svg
from nem2e_lib.site.frame import page as whole_page
from nem2e_lib.site.frame import part
from nem2e_lib.site.latex import latex
from nem2e_lib.site.tables import Table, table_html
from nem2e_lib.training.units import caveat

MANIFESTS, CHARTS = "manifest", "charts"
"""Folders in a site."""
DIGITS, DRAWN_DIGITS = 10, 5
"""Significant digits of numbers in CSV: of tables, and of what is drawn, where nobody sees a millionth."""
LARGE, ZIP = 40_000, ".zip"
"""Length from which CSV and LaTeX stand in a zip, since a site is downloaded whole; what is added to their names."""
PACKED = (".csv", ".tex")
PRINTED = re.compile(r"figure_\d|leaderboard$")
"""Figures that a site holds as PDF: those of the paper, and the ranking. `site.bundle` makes PDF of all the others."""


@dataclass(frozen=True)
class Entry:
    """What a manifest knows of one figure, chart or table (its kind; paths relative to the site's folder)."""

    kind: str
    name: str
    title: str
    alt: str
    caption: str
    synthetic: bool
    files: tuple[str, ...]

    @property
    def page(self) -> str:
        """The page that shows it alone."""
        return f"{self.name}.html"

    @property
    def picture(self) -> str:
        """The picture of a figure or a chart; empty for a table."""
        return self.files[0] if self.kind != "table" else ""

    @property
    def script(self) -> str:
        """The script that a page draws a chart of; empty for all else."""
        return next((file for file in self.files if file.endswith(".js")), "")

    @property
    def to_take(self) -> list[tuple[str, str]]:
        """Files for readers to take away, each with what it is called."""
        files = [f for f in self.files if not f.endswith((".js", ".html"))]
        kinds = [f.removesuffix(ZIP).rpartition(".")[2].upper() for f in files]
        return [(f, f"{k} in a zip" if f.endswith(ZIP) else k) for f, k in zip(files, kinds, strict=True)]


@dataclass(frozen=True)
class Saved:
    """A figure or table just saved; shows itself in a notebook with links to its files."""

    entry: Entry
    body: Markup

    def _repr_html_(self) -> str:
        return part("saved", self.body, self.entry)


def save(shown: Drawn | Chart | Table, name: str, folder: Path | str, *, page: str = "figures") -> Saved:
    """Save a figure, a chart or a table and list it under a page.

    A figure becomes ``<name>.svg``, a table ``<name>.html`` (a page of its own) and ``<name>.tex``, a chart
    ``<name>.svg`` and ``charts/<name>.js``, with which a page draws it anew; ``<name>.csv`` beside it holds exactly
    what is drawn, or the table's unrounded numbers. From `LARGE` on CSV and LaTeX stand in a zip, ``<name>.csv.zip``.
    What `PRINTED` names is there as ``<name>.pdf``, too.

    Raises
    ------
    Nem2eError
        When the data are synthetic and the title does not say so, or the text for readers who cannot see it is empty.
    """
    _check(shown, name)
    shown = _with_caveat(shown)
    kind, texts, body = _texts(shown, name)
    texts[f"{name}.csv"] = csv(shown.data, DIGITS if isinstance(shown, Table) else DRAWN_DIGITS)
    if isinstance(shown, Table):
        texts[f"{name}.tex"] = latex(shown, name)
    texts = {f"{file}{ZIP}" if _large(file, text) else file: text for file, text in texts.items()}
    for file, text in texts.items():
        write = write_zip if file.endswith(ZIP) else write_text
        write(Path(folder) / file, text)
        other = file.removesuffix(ZIP) if file.endswith(ZIP) else f"{file}{ZIP}"
        (Path(folder) / other).unlink(missing_ok=True)  # of an earlier call, with more data or fewer
    listed = tuple(texts)
    if f"{name}.svg" in texts and PRINTED.match(name):
        write_pdf(Path(folder) / f"{name}.pdf", texts[f"{name}.svg"])
        listed += (f"{name}.pdf",)
    entry = Entry(kind, name, shown.title, shown.alt, shown.caption, shown.synthetic, listed)
    _list(entry, folder, page)
    return Saved(entry, body)


def _texts(shown: Drawn | Chart | Table, name: str) -> tuple[str, dict[str, str], Markup]:
    """Return the kind of what is shown, the text of each of its files, and how it stands in a notebook."""
    if isinstance(shown, Table):
        page = whole_page(title=shown.title, body=table_html(shown))
        return "table", {f"{name}.html": page}, part("beginning", table_html(shown.head), len(shown.shown), name, shown)
    if isinstance(shown, Chart):
        texts = {f"{name}.svg": shown.svg, f"{CHARTS}/{name}.js": shown.script(name)}
    else:
        texts = {f"{name}.svg": svg(shown.figure, shown.title, shown.alt)}
    body = Markup(figure_html(texts[f"{name}.svg"], shown.alt, shown.caption))
    if isinstance(shown, Chart):
        return "chart", texts, part("touched", body, f"{CHARTS}/{name}.js", name)
    return "figure", texts, body


def _large(file: str, text: str) -> bool:
    return file.endswith(PACKED) and len(text) >= LARGE


def _with_caveat(shown: Drawn | Chart | Table) -> Drawn | Chart | Table:
    """Say beside errors and tests over blocks of cycles what they do not tell."""
    said = caveat(shown.data["unit"]) if "unit" in shown.data else ""
    if not said:
        return shown
    caption = f"{shown.caption} {said}".strip()
    if isinstance(shown, Table):
        return replace(shown, caption=caption)
    return replace(shown, caption=caption, alt=f"{shown.alt} {said}")


def _check(shown: Drawn | Chart | Table, name: str) -> None:
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


def write_pdf(path: Path, svg_text: str) -> None:
    """Write a figure as PDF beside its SVG."""
    with files.replacing(path) as fresh:
        fresh.write_bytes(pdf(svg_text))


def write_zip(path: Path, text: str) -> None:
    """Write a text as the one member of a zip, named as it without ``.zip``: the same bytes every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    member = zipfile.ZipInfo(path.name.removesuffix(".zip"))  # of no time: 1980
    with files.replacing(path) as fresh, zipfile.ZipFile(fresh, "w") as archive:
        archive.writestr(member, text, zipfile.ZIP_DEFLATED, compresslevel=9)


def saved_csv(folder: Path | str, name: str) -> Path | None:
    """Return where the data of a figure or table lie, which pandas reads as it is; None where it was not saved."""
    found = (Path(folder) / f"{name}{end}" for end in (".csv", f".csv{ZIP}"))
    return next((path for path in found if path.exists()), None)


def write_csv(path: Path, data: pd.DataFrame) -> None:
    """Write a tidy table as `csv` gives it."""
    write_text(path, csv(data))


def csv(data: pd.DataFrame, digits: int = DIGITS) -> str:
    """Return a tidy table as text, line ends alike on every system."""
    return data.to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n")


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)
