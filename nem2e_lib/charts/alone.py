"""A chart's picture that stands alone, taken out of its page: under its title, and with words for who cannot see it."""

from __future__ import annotations

import html
import re
import textwrap

SIZE, LINE_PX, LETTER_PX, EDGE = 13, 18, 8.2, 6
"""Of the title in px: type, distance of lines, width of a bold letter at most on average, room at the left edge."""


def alone(svg: str, title: str, description: str) -> str:
    """Return Vega's SVG with the title above the chart, and with title and description as `figures.style.svg` has them.

    What the marks within say to assistive technology is left out: a picture is one thing to it, and its words are
    the description's.
    """
    svg = re.sub(r' (?:aria-\w+|role|class|pointer-events)="[^"]*"', "", svg)
    root = re.match(r'<svg (.*?)width="([\d.]+)" height="([\d.]+)" viewBox="0 0 [\d.]+ [\d.]+">', svg)
    if root is None:
        raise AssertionError("a chart's SVG that does not begin as Vega's does")
    width, height = float(root.group(2)), float(root.group(3))
    lines = textwrap.wrap(title, max(20, int((width - 2 * EDGE) / LETTER_PX)))
    head = LINE_PX * len(lines) + EDGE
    texts = "".join(
        f'<text x="{EDGE}" y="{at * LINE_PX - EDGE - (len(lines) - 1) * LINE_PX}">{html.escape(line)}</text>'
        for at, line in enumerate(lines)
    )
    words = f'<title id="title">{html.escape(title)}</title><desc id="desc">{html.escape(description)}</desc>'
    face = f'font-family="DejaVu Sans, Verdana, sans-serif" font-size="{SIZE}" font-weight="bold"'
    return (
        f'<svg role="img" aria-labelledby="title desc" {root.group(1)}width="{width:g}" height="{height + head:g}" '
        f'viewBox="0 {-head} {width:g} {height + head:g}">{words}'
        f'<rect y="{-head}" width="{width:g}" height="{head}" fill="white"/><g {face}>{texts}</g>{svg[root.end() :]}'
    )
