"""A chart's picture says by itself what it is."""

import re
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import pytest

from nem2e_lib.charts.alone import alone
from nem2e_lib.charts.chart import Chart
from nem2e_lib.figures.compact import SVG

TITLE = "SYNTHETIC data – running & walking, One-Entire: what each output attends to"


@pytest.mark.parametrize(("width", "lines"), [(700, 1), (250, 3)])
def test_the_title_stands_above_the_chart_and_words_are_in_it(width: int, lines: int) -> None:
    data = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    marks = alt.Chart(data).mark_point().encode(x="x", y="y").properties(width=width, height=100)
    drawn = Chart(marks, data, TITLE, "Two points <rising>.", synthetic=True)
    root = ElementTree.fromstring(drawn.svg)
    assert root.get("role") == "img"
    assert [root[0].text, root[1].text] == [TITLE, "Two points <rising>."]
    left, top, right, height = (float(n) for n in root.get("viewBox").split())
    assert left == 0
    said = [text for text in root.iter(f"{{{SVG}}}text") if float(text.get("y") or 0) < 0]
    assert " ".join(text.text for text in said) == TITLE
    assert len(said) == lines
    places = [float(text.get("y")) for text in said]
    assert places == sorted(places)
    assert top + 13 <= places[0] <= places[-1] < 0
    assert (float(root.get("width")), float(root.get("height"))) == (right, height)
    assert all(len(text.text) * 8.2 < right for text in said)
    assert not re.search(r"aria-\w+=\"(?!title desc)", drawn.svg)


def test_the_chart_below_is_as_it_was() -> None:
    path = '<path aria-label="a" d="M0,0h1"/>'
    svg = f'<svg xmlns="x" class="marks" width="40" height="20" viewBox="0 0 40 20">{path}</svg>'
    assert alone(svg, "T", "D").endswith('</g><path d="M0,0h1"/></svg>')
