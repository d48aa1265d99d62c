"""The index and the pages it links: whole, offline, the same bytes twice."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import schematics
from nem2e_lib.paper.tables import results_table
from nem2e_lib.site.claims import write_claims
from nem2e_lib.site.contents import Contents
from nem2e_lib.site.index import write_index
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.results import write_results
from nem2e_lib.site.saving import save
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
    write_index(folder, contents())


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert tag not in ("script", "link", "iframe")
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag == "img":
            self.images.append(given)
        if "id" in given:
            self.ids.append(str(given["id"]))


def test_pages_open_offline_and_every_link_leads_somewhere(tmp_path: Path, summary: pd.DataFrame) -> None:
    build(tmp_path, summary)
    for page in ("index.html", "claims.html", "table2.html"):
        text = (tmp_path / page).read_text()
        reader = Reader()
        reader.feed(text)
        assert len(reader.ids) == len(set(reader.ids))
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


def test_site_is_the_same_bytes_twice(tmp_path: Path, summary: pd.DataFrame) -> None:
    for name in ("a", "b"):
        build(tmp_path / name, summary)
    files = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert len(files) == 10
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_index_refuses_a_missing_page(tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match=r"04\.html does not exist"):
        write_index(tmp_path, contents(pages={"04.html": "Statistics"}))
    assert not (tmp_path / "index.html").exists()
