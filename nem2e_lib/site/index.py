"""The front page: what was done, on whom, what holds; real people first, each other site under a tab of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.assets import write_assets
from nem2e_lib.site.claims import ANSWERS, cards
from nem2e_lib.site.contents import CONTENTS, Contents, read_contents, write_contents
from nem2e_lib.site.entries import Section, by_name, sections, write_pages
from nem2e_lib.site.frame import page
from nem2e_lib.site.saving import Entry, write_text

PEOPLE = "people"
"""Folder in a site that holds the site on real people."""
TITLE = "Neural-enhanced motion-to-EMG, checked"
LEAD = (
    "Musculoskeletal simulation turns motion into muscle activation that comes too early or too late. A network "
    "trained on measured EMG refines it (Teramae et al. 2025). Every table and figure is computed here again."
)


def write_index(folder: Path | str, contents: Contents) -> Path:
    """Write ``index.json``, a page for each figure and table, their catalogue, and ``index.html`` over all of it.

    Parameters
    ----------
    folder : path
        The site, with the manifests that `saving` keeps.
    contents : Contents
        Its pages must exist.

    Raises
    ------
    Nem2eError
        When a page or a listed file is missing.
    """
    root = Path(folder)
    files = [file for section in sections(root, contents) for entry in section.entries for file in entry.files]
    _all_there(root, [*contents.pages, *files])
    write_contents(root, contents)
    write_pages(root, contents)
    write_assets(root)
    return render_index(root)


def render_index(folder: Path | str, *, above: str = "") -> Path:
    """Make ``index.html`` of what lies in the folder: the site on people first, then the site itself, then any others.

    Nothing is said of a site that is not there.

    Parameters
    ----------
    folder
        Holds ``index.json``, or folders that do.
    above
        Link to the page that this site is a part of, if it is.

    Raises
    ------
    Nem2eError
        When it holds neither.
    """
    root = Path(folder)
    tabs = [Tab(root, prefix, site) for prefix, site in _sites(root)]
    if not tabs:
        raise Nem2eError(f"{root} holds no site with an index.json; expected one: run `make paper` first.")
    path = root / "index.html"
    write_text(path, page("index.html.j2", title=TITLE, lead=LEAD, above=above, tabs=tabs))
    return path


def _sites(root: Path) -> list[tuple[str, Contents]]:
    """Return the sites in a folder with the prefix of links to them: people, the folder's own, the others by name."""
    inner = sorted(path.parent.name for path in root.glob(f"*/{CONTENTS}"))
    names = [*(name for name in inner if name == PEOPLE), "", *(name for name in inner if name != PEOPLE)]
    found = [(f"{name}/" if name else "", read_contents(root / name)) for name in names]
    return [(prefix, site) for prefix, site in found if site is not None]


class _Answer(NamedTuple):
    """Sign, word and style of an answer, the methods that it is of, how many of those asked, and the page of it."""

    sign: str
    word: str
    style: str
    about: str
    share: str
    page: str


@dataclass(frozen=True)
class Tab:
    """A site as it stands on a front page: with links that lead from there into it."""

    root: Path
    prefix: str
    site: Contents

    @property
    def anchor(self) -> str:
        """Of its panel: ``people``, ``synthetic``, or the name of its folder."""
        return self.prefix.rstrip("/") or ("synthetic" if self.site.is_synthetic else "run")

    @cached_property
    def sections(self) -> list[Section]:
        """Its notebooks with what they have saved."""
        return sections(self.root / self.prefix, self.site)

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return by_name(self.sections)

    @property
    def count(self) -> int:
        """How many figures and tables it has."""
        return len(self._entries)

    @property
    def look(self) -> Entry | None:
        """The figure to look at."""
        named = self.site.opening.figures if self.site.opening else []
        return next((self._entries[name] for name in named if name in self._entries), None)

    @property
    def shelves(self) -> list[tuple[str, list[Entry]]]:
        """Figures to go on with, under their headings."""
        charts = [entry for entry in self._entries.values() if entry.kind == "chart" and entry != self.look]
        paper = [entry for name, entry in self._entries.items() if name.startswith(("figure_", "table_"))]
        return [("Figures to touch", charts), ("Figures and tables of the paper", paper)]

    @property
    def cards(self) -> Markup | str:
        """The verdicts on the paper's claims, counted."""
        claims = self.site.claims_table
        return "" if claims.empty else cards(claims)

    @property
    def studies(self) -> list[str]:
        """The studies that questions were asked of."""
        return [one.study for one in self.site.opening.studies] if self.site.opening else []

    @property
    def questions(self) -> list[tuple[str, list[list[_Answer]]]]:
        """Each question in short with its answers in each study, equal ones together; none where it was not asked."""
        asked = self.site.opening.asked if self.site.opening else []
        questions = {one.question: one.short or one.question for one in asked}
        return [
            (short, [self._answers(question, study) for study in self.studies]) for question, short in questions.items()
        ]

    def _answers(self, question: str, study: str) -> list[_Answer]:
        every = self.site.opening.asked if self.site.opening else []
        asked = [one for one in every if (one.question, one.study) == (question, study)]
        methods: dict[tuple[str, str], list[str]] = {}
        for one in asked:
            methods.setdefault((one.verdict, one.page), []).append(one.about)
        return [
            _Answer(
                *_look(verdict),
                ", ".join(filter(None, about)),
                f"{len(about)} of {len(asked)}",
                f"{self.prefix}{page}.html",
            )
            for (verdict, page), about in methods.items()
        ]


def _look(verdict: str) -> tuple[str, str, str]:
    """Sign, word and style of an answer; a word of an earlier version, whose site may lie beside, stands as it is."""
    return ANSWERS.get(verdict, ("", verdict, "untested"))


def _all_there(root: Path, files: Iterable[str]) -> None:
    missing = [f for f in files if not (root / f).exists()]
    if missing:
        raise Nem2eError(f"{root / missing[0]} does not exist, but the index would link to it; run its notebook first.")
