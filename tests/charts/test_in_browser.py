"""Maps of attention in a browser: by keyboard, by a click, on a desk and on a phone.

They need Chromium and the extra ``browser``, and are skipped, which pytest says, where either is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from nem2e_lib import charts
from nem2e_lib.charts.chart import Chart
from nem2e_lib.site.assets import write_engine
from tests.charts.test_attention import PHONE, answers, timed

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGE = """<!doctype html><meta charset="utf-8"><title>A chart</title><div id="it" style="width: 100%"></div>
<script src="assets/vega.js"></script><script src="it.js"></script>
<script>
const told = nem2e.charts.it, { wide, wide_from: from } = told.usermeta;
vegaEmbed("#it", innerWidth >= from ? { ...told, ...wide } : told, { actions: false, renderer: "svg" })
  .then(() => { document.body.dataset.drawn = "yes"; });
</script>"""

program = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program is None, reason="no Chromium here: no chart was opened in a browser"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="the extra 'browser' is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser: Any, chart: Chart, folder: Path, width: int) -> Any:
    write_engine(folder)
    (folder / "it.js").write_text(chart.script("it"), encoding="utf-8")
    (folder / "page.html").write_text(PAGE, encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((folder / "page.html").as_uri())
    page.wait_for_selector("[data-drawn]")
    return page


def texts(page: Any) -> list[str]:
    page.wait_for_timeout(100)
    return [str(text) for text in page.locator("#it svg text").all_text_contents()]


def said(page: Any) -> str:
    return next(text for text in texts(page) if text.startswith("Output at"))


def test_an_output_is_chosen_by_keyboard_and_by_a_click(
    browser: Any, walking: dict[str, xr.Dataset], tmp_path: Path
) -> None:
    chart = charts.temporal_attention(timed(walking["one_entire"]), answers("walking"))
    page = opened(browser, chart, tmp_path, 390)
    assert said(page).startswith("Output at 26 %")
    slider = page.get_by_label("Output near (% of the cycle)")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert said(page).startswith("Output at 32 %")
    cells = page.locator("#it svg .mark-rect path")
    box = cells.nth(20 * 19 + 4).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert said(page).startswith("Output at 100 %")
    assert slider.input_value() == "100"
    before = said(page)
    page.locator("label", has_text="Muscle").locator("select").select_option("soleus")
    assert said(page) != before
    page.close()


def test_the_figure_moves_and_other_muscles_are_named_as_the_slider_moves(
    browser: Any, walking: dict[str, xr.Dataset], tmp_path: Path
) -> None:
    chart = charts.spatial_attention(walking["all_entire"], answers("walking"))
    page = opened(browser, chart, tmp_path, 390)

    def lines() -> list[str | None]:
        return [one.get_attribute("d") for one in page.locator("#it svg .mark-line path").all()]

    named, drawn = texts(page), lines()
    page.get_by_label("Phase (% of the cycle)").focus()
    page.keyboard.press("ArrowRight")
    assert "At 55 % of the cycle" in texts(page)
    assert set(texts(page)) != set(named)
    moved = lines()
    assert len(moved) == len(drawn)
    assert sum(a != b for a, b in zip(moved, drawn, strict=True)) > 0.9 * len(drawn)
    page.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_map_fits_its_page(browser: Any, walking: dict[str, xr.Dataset], tmp_path: Path, width: int) -> None:
    chart = charts.spatial_attention(walking["all_entire"], answers("walking"))
    page = opened(browser, chart, tmp_path, width)
    box = page.locator("#it svg").bounding_box()
    assert (box["width"] < PHONE) == (width == 390)  # side by side where there is room
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
