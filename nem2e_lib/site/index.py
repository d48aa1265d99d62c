"""The front page: real people first, then every figure, table and page, the claims, and where it all comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.panels import plural
from nem2e_lib.site.claims import ANSWERS, cards
from nem2e_lib.site.contents import Contents, Opening, read_contents, write_contents
from nem2e_lib.site.frame import page
from nem2e_lib.site.saving import Entry, entries, manifest_pages, write_text
from nem2e_lib.site.tables import table_of

SHORT = 24
"""Rows up to which a table stands open in the index."""
PEOPLE = "people"
"""Folder in a site that holds the site on real people."""


def write_index(folder: Path | str, contents: Contents) -> Path:
    """Write ``index.json`` and ``index.html``: what a site holds, and the page that shows all of it.

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
    _all_there(
        root, [*contents.pages, *(f for p in _sections(root, contents) for e in entries(root, p) for f in e.files)]
    )
    write_contents(root, contents)
    return render_index(root)


def render_index(folder: Path | str, *, above: str = "") -> Path:
    """Make ``index.html`` of what lies in the folder: the site on people in ``people/`` first, then the site itself.

    Nothing is said of a site that is not there.

    Parameters
    ----------
    folder
        Holds ``index.json``, ``people/index.json``, or both.
    above
        Link to the page that this site is a part of, if it is.

    Raises
    ------
    Nem2eError
        When it holds neither.
    """
    root = Path(folder)
    own, people = read_contents(root), read_contents(root / PEOPLE)
    first = own or people
    if first is None:
        raise Nem2eError(f"{root} holds no site with an index.json; expected one: run `make paper` first.")
    text = page(
        "index.html.j2",
        title=first.title,
        lead=first.lead if people is None or own is None else f"Real people first. {first.lead}",
        above=above,
        parts=[*_first(root, people, f"{PEOPLE}/"), *_first(root, own, "")],
        whole=None if own is None else _whole(root, own),
        beside=people is not None,
    )
    path = root / "index.html"
    write_text(path, text)
    return path


class _Answer(NamedTuple):
    """Sign, word and style of an answer, the methods that it is of, and the page that shows it."""

    sign: str
    word: str
    style: str
    about: str
    page: str


@dataclass(frozen=True)
class _First:
    """What a front page says of real people, with links that lead from it into their site."""

    site: Contents
    opening: Opening
    prefix: str
    shown: list[Entry]

    @property
    def pages(self) -> dict[str, str]:
        """The pages to read first."""
        return {file: self.site.pages[file] for file in self.opening.read_first}

    @property
    def studies(self) -> list[str]:
        return [one.study for one in self.opening.studies]

    @property
    def questions(self) -> list[tuple[str, list[list[_Answer]]]]:
        """Each question with its answers in each study, equal ones together; none where it was not asked."""
        questions = dict.fromkeys(one.question for one in self.opening.asked)
        return [(question, [self._answers(question, study) for study in self.studies]) for question in questions]

    def _answers(self, question: str, study: str) -> list[_Answer]:
        asked = [one for one in self.opening.asked if (one.question, one.study) == (question, study)]
        methods: dict[tuple[str, str], list[str]] = {}
        for one in asked:
            methods.setdefault((one.verdict, one.page), []).append(one.about)
        return [
            _Answer(*_look(verdict), ", ".join(filter(None, about)), f"{self.prefix}{page}.html")
            for (verdict, page), about in methods.items()
        ]


def _look(verdict: str) -> tuple[str, str, str]:
    """Sign, word and style of an answer; a word of an earlier version, whose site may lie beside, stands as it is."""
    return ANSWERS.get(verdict, ("", verdict, "untested"))


def _first(root: Path, site: Contents | None, prefix: str) -> list[_First]:
    """Return what is said of the people of a site, if there are any."""
    if site is None or site.opening is None:
        return []
    every = {e.name: e for p in manifest_pages(root / prefix) for e in entries(root / prefix, p)}
    shown = [every[name] for name in site.opening.figures if name in every]
    return [_First(site, site.opening, prefix, shown)]


@dataclass(frozen=True)
class _Whole:
    """Every figure, table and page of a site."""

    contents: Contents
    cards: Markup | str
    sections: list[tuple[str, str, list[tuple[Entry, _Shown | None]]]]


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


def _whole(root: Path, contents: Contents) -> _Whole:
    claims = contents.claims_table
    sections = [
        (anchor, heading, [(e, _table(root, e)) for e in entries(root, anchor)])
        for anchor, heading in _sections(root, contents).items()
    ]
    return _Whole(contents, "" if claims.empty else cards(claims), sections)


def _sections(root: Path, contents: Contents) -> dict[str, str]:
    return contents.sections or {p: p.replace("_", " ") for p in manifest_pages(root)}


def _table(root: Path, entry: Entry) -> _Shown | None:
    if entry.kind != "table":
        return None
    return _Shown(table_of((root / entry.files[0]).read_text(encoding="utf-8")))


def _all_there(root: Path, files: Iterable[str]) -> None:
    missing = [f for f in files if not (root / f).exists()]
    if missing:
        raise Nem2eError(f"{root / missing[0]} does not exist, but the index would link to it; run its notebook first.")
