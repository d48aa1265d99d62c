"""SVG in fewer bytes shows the same picture."""

import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
import vl_convert
from matplotlib.figure import Figure
from PIL import Image

from nem2e_lib.figures.compact import SVG, compact
from nem2e_lib.figures.style import RC

HREF = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module")
def raw() -> str:
    """A drawing with all that figures are made of: lines, bands, points, images, texts, minus signs, formulas."""
    buffer = io.StringIO()
    with mpl.rc_context(RC):
        figure = Figure(figsize=(6, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        x = np.linspace(-1, 1, 60)
        for shift in range(4):
            left.plot(x, np.sin(5 * x + shift), label=f"muscle {shift}")
        left.fill_between(x, x - 0.3, x, alpha=0.3, hatch="//")
        left.scatter(x, x**2, s=9, alpha=0.5)
        left.legend()
        left.set_xlabel("gait cycle, %, $r^2$", rotation=8)
        right.imshow(np.outer(x, x), rasterized=True)
        right.plot([10, 20], [30, 30], "o--")
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def pixels(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(vl_convert.svg_to_png(text, scale=2.0))).convert("RGB")).astype(int)


def test_the_picture_is_the_same_and_smaller(raw: str) -> None:
    before, fine, after = pixels(raw), pixels(compact(raw, 7)), pixels(compact(raw))
    # With all digits nothing changes but what the rasteriser rounds; digits that are left out shade edges.
    assert np.abs(before - fine).max() <= 32
    assert np.abs(before - fine).mean() < 0.005
    assert np.abs(before - after).mean() < 0.1
    assert (np.abs(before - after).max(axis=-1) > 96).mean() < 1e-4
    assert len(compact(raw)) < 0.55 * len(raw)


def test_a_picture_that_differs_is_seen(raw: str) -> None:
    """The comparison above can fail: a drawing moved by a fifth of a point does not pass."""
    moved = raw.replace('<g id="axes_1">', '<g id="axes_1" transform="translate(0.2 0.2)">')
    assert moved != raw
    assert np.abs(pixels(raw) - pixels(moved)).mean() > 0.1


def test_every_reference_leads_somewhere_and_names_are_those_of_the_content(raw: str) -> None:
    root = ElementTree.fromstring(compact(raw))
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(set(ids)) == len(ids)
    used = {e.get(HREF)[1:] for e in root.iter() if e.get(HREF, "").startswith("#")}
    used |= set(re.findall(r"url\(#([^)]+)\)", compact(raw)))
    assert used == set(ids)
    classes = {name for e in root.iter() for name in e.get("class", "").split()}
    sheet = root.find(f".//{{{SVG}}}style").text
    assert classes == set(re.findall(r"\.(\w+)\{", sheet))
    # the sign 0 has the same name in another drawing, and the same outline
    signs = {e.get("id"): e.get("d") for e in root.iter(f"{{{SVG}}}path") if e.get("id")}
    buffer = io.StringIO()
    with mpl.rc_context(RC):
        figure = Figure(figsize=(1, 1))
        figure.text(0, 0.5, "0", fontsize=20)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    other = ElementTree.fromstring(compact(buffer.getvalue()))
    (name, outline), *_ = [(e.get("id"), e.get("d")) for e in other.iter(f"{{{SVG}}}path") if e.get("id")]
    assert signs[name] == outline


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("M 0 474.48 \nL 810 474.48 \nL 810 0 \nL 0 0 \nz\n", "m0 474.48h810V0H0z"),
        ("M 10 20 L 11.004 21.5 L 12.5 21.499", "m10 20 1 1.5h1.5"),
        # a path counted from point to point keeps no rounding: a third of 0.012 is 0 thrice, all of it is 0.01
        ("M 0 0 L 0.004 1 L 0.008 2 L 0.012 1", "m0 0v1l.01 1V1"),
        ("M 1 1 Q 2 2 3 1 Q 4 0 5 1", "m1 1q1 1 2 0 1-1 2 0"),
        ("M 1 1 A 5 5 0 0 1 3.123456 3", "M 1 1 A 5 5 0 0 1 3.123456 3"),
    ],
)
def test_paths(path: str, expected: str) -> None:
    text = compact(f'<svg xmlns="{SVG}"><path d="{path}"/></svg>')
    assert re.search('d="(.*?)"', text).group(1) == expected


def test_what_is_said_stays() -> None:
    words = '<title id="title">a  b &lt; c</title>\n <desc id="desc"> d\ne</desc>'
    text = f'<svg xmlns="{SVG}" role="img" aria-labelledby="title desc">{words}</svg>'
    root = ElementTree.fromstring(compact(text))
    assert [(e.get("id"), e.text) for e in root] == [("title", "a  b < c"), ("desc", " d\ne")]
