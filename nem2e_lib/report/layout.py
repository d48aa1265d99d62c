"""The frame of every page, its style inside: nothing is loaded from elsewhere."""

from __future__ import annotations

import html
import re
from importlib import resources


def page_html(title: str, body: str, *, lead: str = "", nav: str = "", footer: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    title, lead : str
        Plain text.
    body, nav, footer : str
        HTML.
    """
    style = resources.files("nem2e_lib.report").joinpath("site.css").read_text(encoding="utf-8")
    frame = resources.files("nem2e_lib.report").joinpath("site.html").read_text(encoding="utf-8")
    parts = {
        "title": html.escape(title),
        "lead": f'<p class="lead">{html.escape(lead)}</p>' if lead else "",
        "nav": nav
        or '<nav aria-label="Pages"><ul><li><a href="index.html">All figures and tables</a></li></ul></nav>',
        "body": body,
        "footer": footer,
        "style": style,
    }
    return re.sub(r"{{(\w+)}}", lambda found: parts[found.group(1)], frame)
