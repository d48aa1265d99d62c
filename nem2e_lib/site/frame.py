"""The frame of every page, its style inside: nothing is loaded from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

PAPER = (
    "Teramae T, Matsubara T, Noda T, Morimoto J (2025) Neural-enhanced motion-to-EMG: refining simulated "
    "muscle activity from musculoskeletal models using a Seq2Seq approach. Front. Bioeng. Biotechnol. 13:1611414"
)
DOI = "https://doi.org/10.3389/fbioe.2025.1611414"


def page_html(title: str, body: str, *, lead: str = "", nav: str = "", foot: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    title, lead : str
        Plain text.
    body, nav, foot : str
        HTML.
    """
    style = resources.files("nem2e_lib.site").joinpath("site.css").read_text(encoding="utf-8")
    frame = resources.files("nem2e_lib.site").joinpath("site.html").read_text(encoding="utf-8")
    parts = {
        "title": html.escape(title),
        "lead": f'<p class="lead">{html.escape(lead)}</p>' if lead else "",
        "nav": nav or '<nav aria-label="Pages"><ul><li><a href="index.html">All figures and tables</a></li></ul></nav>',
        "body": body,
        "footer": foot,
        "style": style,
    }
    return re.sub(r"{{(\w+)}}", lambda found: parts[found.group(1)], frame)


def synthetic_note(runs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the note that data are generated, empty where none are (HTML)."""
    made_up = [s for s, run in runs.items() if run.get("synthetic")]
    if not made_up:
        return ""
    return (
        f'<p class="synthetic"><strong>SYNTHETIC data.</strong> {html.escape(" and ".join(made_up))}: '
        "generated, not measured. "
        "They show that the method runs and finds what was put in; they say nothing about people, and "
        "published numbers stand beside them as context only.</p>"
    )


def footer() -> str:
    """Return where the paper is found (HTML)."""
    return f'<p>The paper: {html.escape(PAPER)}. <a href="{DOI}">{DOI.removeprefix("https://")}</a> (CC BY).</p>'
