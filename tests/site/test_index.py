"""The index and the pages it links: whole, offline, the same bytes twice."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.charts.chart import Chart
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import schematics
from nem2e_lib.paper.tables import results_table
from nem2e_lib.site.claims import write_claims
from nem2e_lib.site.contents import Contents
from nem2e_lib.site.frame import page
from nem2e_lib.site.index import write_index
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.results import write_results
from nem2e_lib.site.saving import save, write_text
from tests.support.made_up_site import CLAIMS, RUNS

SOURCE = Provenance("c0ffee", "2026-01-01", {"python": "3.11.0", "jax": "0.10.2"})


def contents(**changed: object) -> Contents:
    known = {"title": "Companion", "lead": "What it is.", "pages": {"claims.html": "Claims"}, "runs": RUNS}
    claims = CLAIMS[["id", "verdict"]].to_dict("records")
    return Contents(**{**known, "source": SOURCE, "claims": claims, **changed})


def build(folder: Path, summary: pd.DataFrame) -> None:
    save(schematics.framework(), "figure1", folder, page="method")
    save(results_table(summary, study="walking", number=2, synthetic=True), "table2", folder, page="stats")
    write_results(summary, CLAIMS, folder, runs=RUNS, commit="c0ffee")
    write_claims(CLAIMS, folder, runs=RUNS)
    write_text(folder / "what_holds.html", page(title="What holds", body="SYNTHETIC"))
    write_index(folder, contents())


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert tag != "iframe"
        if tag in ("script", "link"):
            self.loaded.append(str(given.get("src") or given["href"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag == "img":
            self.images.append(given)
        if "id" in given:
            self.ids.append(str(given["id"]))


def test_pages_open_offline_and_every_link_leads_somewhere(tmp_path: Path, summary: pd.DataFrame) -> None:
    build(tmp_path, summary)
    for name in ("index.html", "claims.html", "table2.html", "figure1.html", "all.html"):
        text = (tmp_path / name).read_text()
        reader = Reader()
        reader.feed(text)
        assert len(reader.ids) == len(set(reader.ids))
        assert reader.loaded
        assert all((tmp_path / file).exists() for file in reader.loaded)
        for link in reader.links:
            target, _, anchor = link.partition("#")
            assert link.startswith("https://doi.org/") or not target or (tmp_path / target).exists(), link
            assert not anchor or anchor in reader.ids
        for image in reader.images:
            assert image["alt"]
            assert (tmp_path / str(image["src"])).exists()
        assert not re.search(r"@import|url\(", text)
        assert "SYNTHETIC" in text
    assert "c0ffee" in (tmp_path / "index.html").read_text()


def test_each_figure_and_table_says_where_it_comes_from(tmp_path: Path, summary: pd.DataFrame) -> None:
    build(tmp_path, summary)
    figure, table = ((tmp_path / name).read_text() for name in ("figure1.html", "table2.html"))
    for text in (figure, table):
        assert "commit <code>c0ffee</code> of 2026-01-01" in text
        assert "<code>make paper</code>" in text
        assert all(f"{study}: SYNTHETIC, profile {run['profile']}" in text for study, run in RUNS.items())
    assert '<img src="figure1.svg"' in figure
    assert 'href="figure1.csv"' in figure
    assert table.count("<table>") == 1
    assert 'href="figure1.html" rel="prev"' in table


def test_a_figure_may_not_take_the_place_of_a_page(tmp_path: Path, summary: pd.DataFrame) -> None:
    build(tmp_path, summary)
    save(schematics.framework(), "claims", tmp_path, page="method")
    with pytest.raises(Nem2eError, match=r"claims\.html is a page of the site already"):
        write_index(tmp_path, contents())


def test_a_chart_brings_its_picture_and_its_script(tmp_path: Path, summary: pd.DataFrame) -> None:
    import altair as alt

    rows = pd.DataFrame({"x": [1.0, 2.0], "who": ["a", "b"]})
    drawn = alt.Chart(rows).mark_point().encode(x="x:Q", y="who:N")
    build(tmp_path, summary)
    save(Chart(drawn, rows, "Points", "Two points.", "Touch them."), "points", tmp_path, page="method")
    write_index(tmp_path, contents())
    text = (tmp_path / "points.html").read_text()
    assert 'data-chart="charts/points.js" data-name="points" data-eager' in text
    assert '<img src="points.svg" alt="Two points."' in text
    script = (tmp_path / "charts" / "points.js").read_text()
    spec = json.loads(script.partition('charts["points"]=')[2].removesuffix(";\n"))
    assert list(spec["datasets"].values()) == ["x,who\n1,a\n2,b\n"]
    assert spec["data"]["format"] == {"type": "csv", "parse": {"x": "number", "who": "string"}}
    assert spec["description"] == "Two points."


def test_site_is_the_same_bytes_twice(tmp_path: Path, summary: pd.DataFrame) -> None:
    for name in ("a", "b"):
        build(tmp_path / name, summary)
    files = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert len(files) == 16
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_index_refuses_a_missing_page(tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match=r"04\.html does not exist"):
        write_index(tmp_path, contents(pages={"04.html": "Statistics"}))
    assert not (tmp_path / "index.html").exists()
