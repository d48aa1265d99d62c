"""Figures as PDF: as wide as two columns, texts as text in fonts that are inside, the same bytes each time."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from nem2e_lib.figures import schematics
from nem2e_lib.figures.printed import COLUMNS_MM, _write_texts, converter, pdf, smallest_type
from nem2e_lib.figures.style import WIDTH, svg

VEGA = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="100" viewBox="0 0 400 100"><g transform="scale(1)">'
    '<text font-size="11px" font-family="DejaVu Sans, sans-serif" x="10" y="50">hover me</text></g></svg>'
)


@pytest.fixture(scope="module")
def drawing() -> str:
    drawn = schematics.network()
    return svg(drawn.figure, drawn.title, drawn.alt)


def fonts(data: bytes) -> list[dict]:
    found = PdfReader(io.BytesIO(data)).pages[0]["/Resources"]["/Font"]
    return [font.get_object() for font in found.values()]


@pytest.mark.parametrize("name", ["drawing", "vega"])
def test_fonts_are_inside_as_truetype(name: str, drawing: str) -> None:
    data = pdf(drawing if name == "drawing" else VEGA)
    assert fonts(data)
    for font in fonts(data):
        inside = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "DejaVuSans" in font["/BaseFont"]
        assert len(inside["/FontFile2"].get_object().get_data()) > 1000
    assert "/Image" not in str(PdfReader(io.BytesIO(data)).pages[0]["/Resources"].get("/XObject", ""))


def test_the_page_is_two_columns_wide_and_says_its_texts(drawing: str) -> None:
    (page,) = PdfReader(io.BytesIO(pdf(drawing))).pages
    assert float(page.mediabox.width) / 72 * 25.4 == pytest.approx(COLUMNS_MM, abs=0.01)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing).groups()
    assert float(page.mediabox.height / page.mediabox.width) == pytest.approx(float(height) / float(width), abs=1e-4)
    assert "temporal attention: One-Quarter, One-Entire" in page.extract_text()
    assert "hover me" in PdfReader(io.BytesIO(pdf(VEGA))).pages[0].extract_text()


def test_texts_stand_where_their_signs_stood(drawing: str) -> None:
    root = ElementTree.fromstring(drawing)
    _write_texts(root)
    written = ElementTree.tostring(root, encoding="unicode")
    assert written.count("<text") >= 14
    pictures = [converter().svg_to_png(text, scale=2.0) for text in (drawing, written)]
    signs, texts = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int) for png in pictures)
    assert np.abs(signs - texts).max() < 90
    assert np.abs(signs - texts).mean() < 0.1


def test_the_smallest_type_is_five_points(drawing: str) -> None:
    # figures have no type under 8 points (tests.support.look), and are 11.25 inches wide
    assert smallest_type(drawing) >= 8 * COLUMNS_MM / 25.4 / WIDTH > 5
    # a narrow chart keeps its size: 400 px are 300 points
    assert smallest_type(VEGA) == pytest.approx(11 * 0.75)
    assert float(PdfReader(io.BytesIO(pdf(VEGA))).pages[0].mediabox.width) == pytest.approx(300, abs=0.01)
    assert smallest_type(VEGA, 72) == pytest.approx(11 * 72 / 25.4 * 72 / 400)
    assert smallest_type('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>') == float("inf")


def test_the_same_bytes_in_another_process(drawing: str, tmp_path: Path) -> None:
    (tmp_path / "f.svg").write_text(drawing)
    script = "import sys; from nem2e_lib.figures.printed import pdf; sys.stdout.buffer.write(pdf(open('f.svg').read()))"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert run.stdout == pdf(drawing)
    assert b"Date" not in run.stdout
