"""The rendered pages in a browser: seen, touched and read aloud, with and without scripts, on a desk and on a phone.

They need Chromium and the extra ``browser``, and are skipped, which pytest says, where either is missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from nem2e_lib.project import ROOT

SITE = Path(os.environ.get("NEM2E_SITE", ROOT / "figures"))
"""The site that is opened: the committed one, or another that was rendered."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FIRST_KB, DRAWN_MS = 500, 1000
"""What the first page may weigh before anybody touches it, and when it must stand there."""

program = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program is None, reason="no Chromium here: the pages were not opened in a browser"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="the extra 'browser' is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the extra 'browser' is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """Open a page of the site; what a page loads from the network, and what goes wrong in it, fails the test."""
    contexts, problems = [], []

    def opening(name: str, viewport: dict[str, int] = DESK, **given: Any) -> Any:
        context = browser.new_context(viewport=viewport, **given)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: None if _is_local(request.url) else problems.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto((SITE / name).as_uri(), wait_until="load")
        return page

    yield opening
    for context in contexts:
        context.close()
    assert problems == []


def _is_local(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:"))


def names(pattern: str, most: int) -> list[str]:
    """Return some pages of both parts of the site."""
    found = [path.relative_to(SITE).as_posix() for part in (SITE / "people", SITE) for path in part.glob(pattern)]
    return sorted(found)[:most]


READ = [
    "index.html",
    *(f"{part}{name}.html" for part in ("", "people/") for name in ("all", "what_holds", "claims")),
    "people/touch_leaderboard.html",
    "people/08_rivals.html",
    "people/leaderboard_table.html",
    "04_statistics.html",
    "figure_4_running.html",
]
"""Pages of every kind."""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", READ)
def test_nothing_serious_is_found_by_axe(opened: Any, name: str, theme: str) -> None:
    page = opened(name, color_scheme=theme)
    _drawn(page)
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0].get("failureSummary", "")) for one in serious
    ] == []


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("name", READ)
def test_nothing_is_cut_on_a_phone(opened: Any, name: str, scripts: bool) -> None:
    page = opened(name, PHONE, java_script_enabled=scripts)
    if scripts:
        _drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for element in page.locator("main > *, header > *").all():
        box = element.bounding_box()
        assert box is None or box["x"] + box["width"] <= PHONE["width"] + 1, element.evaluate("e => e.outerHTML")[:200]


def test_without_scripts_everything_stands_there(opened: Any) -> None:
    page = opened("index.html", java_script_enabled=False)
    panels = page.locator(".panel")
    assert panels.count() == 2
    assert all(panel.is_visible() for panel in panels.all())
    assert page.locator(".tabs").is_hidden()
    assert all(picture.is_visible() for picture in page.locator("figure img").all())


def test_the_first_page_is_small_and_quick(opened: Any) -> None:
    page = opened("index.html")
    took = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    loaded = page.evaluate(
        "[location.href, ...performance.getEntriesByType('resource').map((one) => one.name), "
        "...[...document.querySelectorAll('figure img')].map((one) => one.src)]"
    )
    files = {SITE.parent / unquote(urlsplit(url).path) for url in loaded if url.startswith("file:")}
    size = sum(path.stat().st_size for path in files)
    assert size < FIRST_KB * 1000, sorted(files)
    assert took < DRAWN_MS


def test_paper_is_white_and_holds_every_tab(opened: Any) -> None:
    page = opened("index.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert all(panel.is_visible() for panel in page.locator(".panel").all())
    assert page.locator(".tabs").is_hidden()


def test_tabs_are_chosen_by_keys(opened: Any) -> None:
    page = opened("index.html")
    tabs, panels = page.get_by_role("tab"), page.locator(".panel")
    assert [panel.is_visible() for panel in panels.all()] == [True, False]
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    assert [panel.is_visible() for panel in panels.all()] == [False, True]
    assert tabs.nth(1).get_attribute("aria-selected") == "true"
    assert page.url.endswith(f"#{panels.nth(1).get_attribute('id')}")


def test_tables_are_sorted_and_filtered_by_keys(opened: Any) -> None:
    page = opened("people/leaderboard_table.html")
    table = page.locator(".table table").first
    heads = table.locator("thead tr:last-child th").all_inner_texts()
    column = next(i for i, head in enumerate(heads) if head.strip().lower().startswith("er"))
    cell = f"tbody tr > :nth-child({column + 1})"
    before = table.locator(cell).all_inner_texts()
    button = table.locator("thead tr:last-child th").nth(column).locator("button")
    button.focus()
    page.keyboard.press("Enter")
    rising = [_number(text) for text in table.locator(cell).all_inner_texts()]
    assert rising == sorted(rising)
    page.keyboard.press("Enter")
    falling = [_number(text) for text in table.locator(cell).all_inner_texts()]
    assert falling == sorted(rising, reverse=True)
    page.keyboard.press("Enter")
    assert table.locator(cell).all_inner_texts() == before
    page.get_by_label("Rows with").fill("ridge children")
    seen = [row.inner_text().lower() for row in table.locator("tbody tr").all() if row.is_visible()]
    assert seen
    assert all("ridge" in row and "children" in row for row in seen)


def test_colours_are_chosen_and_remembered(opened: Any) -> None:
    page = opened("index.html", color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    page.get_by_role("button", name="Show in dark colours").click()
    assert page.evaluate(background) != before
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_front_figure_is_drawn_when_it_is_touched(opened: Any) -> None:
    page = opened("index.html")
    figure = page.locator("figure.chart:visible").first
    figure.get_by_role("button", name="Touch this figure").press("Enter")
    figure.locator(".drawing svg").wait_for()
    assert figure.locator("img").is_hidden()
    assert figure.locator(".drawing select").count() >= 2


@pytest.mark.parametrize("name", names("touch_*.html", 40))
def test_every_chart_is_drawn_and_changes_when_touched(opened: Any, name: str) -> None:
    page = opened(name)
    _drawn(page)
    drawing = page.locator("figure.chart .drawing").first
    before = drawing.locator("svg").inner_html()
    chosen = drawing.locator("select, input[type=range], input[type=radio], input[type=checkbox]")
    assert chosen.count() > 0
    for control in chosen.all():
        kind = control.evaluate("e => e.tagName === 'SELECT' ? 'select' : e.type")
        if kind == "select":
            options = control.locator("option").all_inner_texts()
            if len(options) > 1:
                control.select_option(index=(control.evaluate("e => e.selectedIndex") + 1) % len(options))
        elif kind == "range":
            control.focus()
            page.keyboard.press("ArrowRight")
        else:
            control.check()
    page.wait_for_timeout(300)
    assert drawing.locator("svg").inner_html() != before


def test_every_link_leads_somewhere(browser: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    lost = []
    for name in READ:
        page.goto((SITE / name).as_uri())
        links = page.evaluate("[...document.links].map((one) => one.href)")
        for link in {link for link in links if link.startswith("file:")}:
            path = Path(unquote(urlsplit(link).path))
            lost += [] if path.is_file() else [(name, str(path))]
    context.close()
    assert lost == []


def _drawn(page: Any) -> None:
    """Wait until each chart that draws itself is drawn."""
    for figure in page.locator("figure[data-chart][data-eager]").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".drawing svg, .drawing canvas").first.wait_for()
        assert figure.get_attribute("data-state") in ("waiting", "drawn")


def _number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").split()[0].strip("[]"))
