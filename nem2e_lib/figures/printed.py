"""A figure as PDF for a journal: at most as wide as two columns, texts as text, fonts inside."""

from __future__ import annotations

import functools
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import matplotlib as mpl

from nem2e_lib.figures.compact import FACE, HREF, SAID, SVG

if TYPE_CHECKING:
    from pypdf.generic import DictionaryObject

COLUMNS_MM = 180.0
"""Width of two columns of a journal."""
POINTS_PER_MM = 72 / 25.4
GLYPHS = 1000.0
"""Size of type, in points, that signs are drawn in before they are scaled."""
FACES = {
    "Bold": {"font-weight": "bold"},
    "Oblique": {"font-style": "oblique"},
    "BoldOblique": {"font-weight": "bold", "font-style": "oblique"},
}


@functools.cache
def converter() -> Any:
    """Return `vl_convert`, which knows the typeface of every figure, whatever the machine has."""
    import vl_convert

    vl_convert.register_font_directory(str(Path(mpl.get_data_path()) / "fonts" / "ttf"))
    return vl_convert


def pdf(svg: str, width_mm: float = COLUMNS_MM) -> bytes:
    """Return an SVG of a figure or a chart as PDF, the same bytes for the same picture.

    Parameters
    ----------
    svg : str
        As `figures.style.svg` or `Chart.svg` writes it.
    width_mm : float
        Largest width of its one page; everything is scaled alike. A narrower drawing keeps its size.
    """
    root = ElementTree.fromstring(svg)
    _write_texts(root)
    _, _, width, height = _box(root)
    points = _width(root, width_mm)
    root.attrib.update(width=f"{points:.3f}", height=f"{points * height / width:.3f}")
    return _settled(converter().svg_to_pdf(ElementTree.tostring(root, encoding="unicode")))


def smallest_type(svg: str, width_mm: float = COLUMNS_MM) -> float:
    """Return the size of the smallest type, in points, of a picture printed that wide; infinite without text."""
    root = ElementTree.fromstring(svg)
    _write_texts(root)
    sizes = [
        float(size.group(1))
        for text in root.iter(f"{{{SVG}}}text")
        if (size := re.match(r"([\d.]+)", text.get("font-size", "")))
    ]
    return min(sizes, default=float("inf")) * _width(root, width_mm) / _box(root)[2]


def _width(root: ElementTree.Element, most_mm: float) -> float:
    """Return how wide a drawing is printed, in points; matplotlib says its size in points, Vega in px."""
    points = _box(root)[2] * (1 if root.get("width", "").endswith("pt") else 0.75)
    return min(points, most_mm * POINTS_PER_MM)


def _box(root: ElementTree.Element) -> tuple[float, float, float, float]:
    x, y, width, height = (float(number) for number in root.attrib["viewBox"].split())
    return x, y, width, height


def _write_texts(root: ElementTree.Element) -> None:
    """Write as text what matplotlib has drawn sign by sign."""
    lines = {e.attrib["id"]: e for e in root.iter() if "id" in e.attrib}
    for group in list(root.iter(f"{{{SVG}}}g")):
        line = group if SAID in group.attrib else _line(group, lines)
        scale = re.search(r" ?scale\(([\d.]+)[ ]?-\1\)$", group.get("transform", ""))
        if line is None or scale is None:
            continue
        text = ElementTree.Element(f"{{{SVG}}}text", {**group.attrib, **FACES.get(line.get(FACE, ""), {})})
        text.attrib.update(
            {
                "transform": group.attrib["transform"][: scale.start()],
                "font-family": "DejaVu Sans",
                "font-size": f"{GLYPHS * float(scale.group(1)):g}",
                "{http://www.w3.org/XML/1998/namespace}space": "preserve",
            }
        )
        text.text = line.attrib[SAID]
        group.attrib.clear()
        group[:] = [text]


def _line(group: ElementTree.Element, lines: dict[str, ElementTree.Element]) -> ElementTree.Element | None:
    """Return the line of text that is all a group holds or refers to."""
    if len(group) != 1:
        return None
    line = lines.get(group[0].get(HREF, "")[1:], group[0])
    return line if SAID in line.attrib else None


def _settled(data: bytes) -> bytes:
    """Return a PDF whose parts stand in an order of their own, not in that of one run."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import DictionaryObject

    page = PdfReader(io.BytesIO(data)).pages[0]
    seen: set[int] = set()

    def sort(part: object) -> None:
        part = part.get_object() if hasattr(part, "get_object") else part
        if id(part) in seen:
            return
        seen.add(id(part))
        if isinstance(part, DictionaryObject):
            _sort(part)
            parts = [value for key, value in part.items() if key != "/Parent"]
        else:
            parts = list(part) if isinstance(part, list) else []
        for one in parts:
            sort(one)

    sort(page)
    writer = PdfWriter()
    writer.add_page(page)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _sort(part: DictionaryObject) -> None:
    entries = sorted(part.items())
    part.clear()
    part.update(entries)
