"""An executed notebook as one HTML page that needs no network."""

from __future__ import annotations

import base64
import copy
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.assets import PLAIN_CODE
from nem2e_lib.site.frame import TEMPLATES, page

FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "image": "href"}
"""Tags with which a browser fetches something by itself, and the attribute that says what."""
HEADING = re.compile(r'<h2 id="([^"]+)">(.+?)<a class="anchor-link"', re.DOTALL)
"""Anchor and words of the parts of a page, as nbconvert writes them."""
PLAIN = re.compile(rf'<span class="(?:{"|".join(PLAIN_CODE)})">([^<]*)</span>')
"""Parts of code that have the colour of text."""
UNDESCRIBED = "No description has been provided for this image"
"""What nbconvert writes where a picture has no alternative text."""


def render(notebook: nbformat.NotebookNode, title: str, *, alone: bool = False, ran: str = "", failed: str = "") -> str:
    """Return the page of an executed notebook.

    Code is folded away, pictures are embedded.

    Parameters
    ----------
    title
        Its heading.
    alone
        Whether the page is read away from any site (`frame.page`).
    ran
        What is said of the run: time and memory.
    failed
        What went wrong, where a cell failed: it stands above everything.

    Raises
    ------
    Nem2eError
        When the page would fetch something from the network, or shows a picture without alternative text.
    """
    exporter = HTMLExporter(template_name="nem2e", extra_template_basedirs=[str(TEMPLATES)])
    body = _lean(exporter.from_notebook_node(_shown(notebook))[0])
    parts = [(anchor, Markup(heading)) for anchor, heading in HEADING.findall(body)]
    html = page("notebook.html.j2", title=title, body=Markup(body), parts=parts, alone=alone, ran=ran, failed=failed)
    problems = page_problems(html)
    if problems:
        raise Nem2eError(f"the page of {title} {problems[0]}; change the cell that makes it.")
    return html


def _lean(html: str) -> str:
    """Return a page's body without what nobody sees: blanks between the tags of tables, marks of plain code."""
    html = re.sub(r"<table.*?</table>", lambda found: re.sub(r">\s+<", "><", found[0]), html, flags=re.DOTALL)
    return PLAIN.sub(r"\1", html)


def linked(html: str, folder: Path) -> str:
    """Let pictures that lie in the page's folder be shown from there; the others stay embedded.

    A site holds each figure once, not once more in every page that shows it.
    """
    saved = {path.read_bytes(): path.name for path in sorted(folder.glob("*.svg"))}

    def shown(found: re.Match[str]) -> str:
        name = saved.get(base64.b64decode(found.group(1)))
        return f'src="{name}"' if name else found.group(0)

    return re.sub(r'src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)"', shown, html)


def _shown(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy without the first heading, which the frame shows, and without the run's folder on this machine."""
    shown = copy.deepcopy(notebook)
    for cell in shown.cells[:1]:
        cell.source = re.sub(r"\A# .*\n*", "", cell.source)
    for cell in shown.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = re.sub(r"^folder = .*\n?", "", cell.source, flags=re.MULTILINE)
    return shown


def page_problems(html: str) -> list[str]:
    """Return what keeps a page from being read offline or without seeing its pictures."""
    reader = _Reader()
    reader.feed(html)
    return reader.problems


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.style = tag == "style"
        given = {name.removeprefix("xlink:"): value or "" for name, value in attrs}
        target = given.get(FETCHED.get(tag, ""), "")
        if re.match(r"\s*(https?:)?//", target):
            self.problems.append(f"would fetch {target} from the network")
        if tag == "img" and given.get("alt", "").strip() in ("", UNDESCRIBED):
            self.problems.append("shows a picture without alternative text")

    def handle_endtag(self, tag: str) -> None:
        self.style = False

    def handle_data(self, data: str) -> None:
        if self.style and re.search(r"(@import|url\()\s*[\"']?\s*(https?:)?//", data):
            self.problems.append("has a style sheet that would be fetched from the network")
