"""Charts in a browser: fingers pick what boxes pick, and a chart that was touched often is as a fresh one.

They need Chromium and the extra ``browser``, and are skipped, which pytest says, where either is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr

from nem2e_lib import charts
from nem2e_lib.charts.chart import Chart
from nem2e_lib.charts.leaderboard import RINGS, STEP, TOP
from nem2e_lib.site.assets import engine
from tests.support.board import drawn, table

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
program = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program is None, reason="no Chromium here: charts were not touched in a browser"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="the extra 'browser' is not installed")
SHOWN = """[...document.querySelectorAll("svg.marks text, svg.marks .mark-line path, svg.marks .mark-area path")]
    .map((e) => e.textContent + e.getAttribute("d")).sort().join("|")"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Callable[[Chart, int], Any]:
    """Draw a chart on a page of its own, so many pixels wide."""

    def opening(chart: Chart, width: int = 1000) -> Any:
        (tmp_path / "vega.js").write_text(engine(), encoding="utf-8")
        (tmp_path / "it.js").write_text(chart.script("it"), encoding="utf-8")
        given = '{actions: false, renderer: "svg"}'
        draw = f'vegaEmbed("#it", nem2e.charts.it, {given}).then((one) => {{ window.view = one.view }})'
        (tmp_path / "it.html").write_text(
            f'<!doctype html><meta charset="utf-8"><style>#it {{ width: 100% }}</style><div id="it"></div>'
            f'<script src="vega.js"></script><script src="it.js"></script><script>{draw}</script>',
            encoding="utf-8",
        )
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto((tmp_path / "it.html").as_uri())
        page.wait_for_function("window.view")
        return page

    return opening


def choose(page: Any, choices: Sequence[tuple[str, str]]) -> str:
    """Choose one after another, and return what is shown in the end."""
    for name, value in choices:
        page.locator(".vega-bind", has_text=name).locator("select").select_option(value)
        page.wait_for_timeout(60)
    page.wait_for_timeout(150)
    return str(page.evaluate(SHOWN))


@pytest.mark.parametrize("width", [1000, 390])
def test_a_ring_picks_the_method_that_its_box_picks(opened: Any, width: int) -> None:
    page = opened(drawn(table("walking")), width)
    at, (left, top) = page.locator("svg.marks").bounding_box(), page.evaluate("view.origin()")
    padding = 6
    place = (at["x"] + left + padding + RINGS["second"], at["y"] + top + padding + (3 - TOP) * STEP)  # the third row
    page.mouse.click(*place)
    page.wait_for_timeout(200)
    box = page.locator(".vega-bind", has_text="Method B").locator("select")
    assert box.input_value() == "One-Entire"
    assert "B: One-Entire" in page.evaluate(SHOWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_leaderboard_that_was_touched_often_is_as_a_fresh_one(opened: Any) -> None:
    chart = drawn(pd.concat([table("walking"), table("running", -0.4)]))
    ridge, curve = "ridge, all muscles", "training-mean curve"
    often = [("Method A", curve), ("Method B", ridge), ("Study", "walking"), ("Method A", ridge), ("Method B", curve)]
    touched, fresh = choose(opened(chart), [*often, *often]), choose(opened(chart), [("Study", "walking"), often[3]])
    assert touched == fresh
    assert "A: ridge, all muscles" in fresh


def test_curves_that_were_touched_often_are_as_fresh_ones(opened: Any, walking: dict[str, xr.Dataset]) -> None:
    few = {"walking": {name: results.isel(channel=[0, 3]) for name, results in walking.items()}}
    losses, waveforms = charts.losses.losses(few), charts.waveforms.waveforms(few)
    often = [("Axis", "linear"), ("Condition", "one_entire"), ("Muscle", "tib"), ("Axis", "logarithmic")]
    back = [("Muscle", "all muscles"), ("Condition", "all conditions"), ("Axis", "linear"), ("Axis", "logarithmic")]
    assert choose(opened(losses), [*often, *back]) == choose(opened(losses), [])
    often = [("Muscle", "soleus"), ("Person", "subject03"), ("Condition", "all_entire"), ("Muscle", "tib")]
    back = [("Condition", "one_entire"), ("Person", "everybody")]
    assert choose(opened(waveforms), [*often, *back]) == choose(opened(waveforms), [])
