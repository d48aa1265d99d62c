"""The front page: made of the sites that lie in its folder, whichever of them was renewed last."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.finish import renew
from nem2e_lib.site.contents import Asked, Contents, Opening, Studied, read_contents
from nem2e_lib.site.frame import page
from nem2e_lib.site.index import render_index, write_index
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.publish import check_target, publish
from nem2e_lib.site.results import write_results
from nem2e_lib.site.saving import save, write_text
from nem2e_lib.site.tables import plain
from tests.site.test_index import Reader
from tests.support.made_up_site import CLAIMS, RUNS

CHILDREN = Studied("children", "walking", "9 people & more", "subject", "static optimisation", "Doe (2017)", "MIT")
QUESTION = "Is the network better?"
FIRST = Opening(
    [CHILDREN, replace(CHILDREN, study="runner", who="1 person")],
    [
        Asked(QUESTION, "children", "shown otherwise", "claims", "All-Entire"),
        Asked(QUESTION, "children", "shown", "claims", "One-Entire"),
        Asked(QUESTION, "children", "shown otherwise", "claims", "plain LSTM"),
        Asked(QUESTION, "runner", "cannot be told", "claims"),
        Asked("Of an earlier version?", "runner", "holds in part", "claims"),
    ],
    ["No published table is reproduced."],
    ["ranked"],
    ["claims.html"],
)


def site(folder: Path, summary: pd.DataFrame, commit: str, opening: Opening | None = None) -> Path:
    """Write a small site: one table, its claims, its numbers, its index."""
    from nem2e_lib.figures import schematics
    from nem2e_lib.site.claims import write_claims

    runs = RUNS if opening is None else {"children": {**RUNS["walking"], "synthetic": False}}
    save(plain(pd.DataFrame({"a": [1]}), "Ranks", "Who is first."), f"table_{commit}", folder, page="08_rivals")
    save(schematics.framework(), "ranked", folder, page="08_rivals")
    write_results(summary, CLAIMS, folder, runs=RUNS, commit=commit)
    write_claims(CLAIMS, folder, runs=runs)
    write_text(folder / "what_holds.html", page(title="What holds", body=""))
    found = CLAIMS[["id", "verdict"]].to_dict("records")
    source = Provenance(commit, "2026-01-01", {"python": "3.11.0"})
    contents = Contents(f"Of {commit}", "All.", {"claims.html": "Claims"}, runs, source, {}, found, opening)
    write_index(folder, contents)
    return folder


@pytest.fixture
def sites(tmp_path: Path, summary: pd.DataFrame) -> tuple[Path, Path]:
    return site(tmp_path / "synthetic", summary, "5ynth"), site(tmp_path / "open", summary, "pe0ple", FIRST)


def _links_lead_somewhere(page: Path) -> None:
    reader = Reader()
    reader.feed(page.read_text())
    assert len(reader.ids) == len(set(reader.ids))
    for link in (*reader.links, *reader.loaded, *(str(image["src"]) for image in reader.images)):
        target, _, anchor = link.partition("#")
        assert link.startswith("https://doi.org/") or not target or (page.parent / target).exists(), link
        assert not anchor or anchor in reader.ids
    assert all(image["alt"] for image in reader.images)


def test_contents_are_read_as_they_were_written(sites: tuple[Path, Path]) -> None:
    for folder in sites:
        first = read_contents(folder)
        assert first is not None
        write_index(folder, first)
        assert read_contents(folder) == first
    found = read_contents(sites[1])
    assert found is not None
    assert found.opening == FIRST


@pytest.mark.parametrize("people_first", [True, False])
def test_both_orders_of_renewal_give_the_same_front_page(
    tmp_path: Path, sites: tuple[Path, Path], people_first: bool
) -> None:
    out, (synthetic, people) = tmp_path / "figures", sites
    for source in (people, synthetic) if people_first else (synthetic, people):
        part = source == people
        shutil.copytree(source, out / "people" if part else out, dirs_exist_ok=True)
        renew(out / "people" if part else out)
    text = (out / "index.html").read_text()
    assert text.index('data-label="Real people') < text.index('data-label="SYNTHETIC') < text.index("SYNTHETIC data.")
    assert text.index("pe0ple") < text.index("5ynth</code>")
    assert "9 people &amp; more" in text
    found = re.findall(
        r'aria-hidden="true">(.)</span> <a href="people/claims.html"[^>]*>([^<]+)</a></span>([^<]*)', text
    )
    told = [(sign, word, share.strip()) for sign, word, share in found]
    assert told[:3] == [("✘", "shown otherwise", "(2 of 3)"), ("✔", "shown", "(1 of 3)"), ("–", "cannot be told", "")]
    assert '<a href="people/claims.html">holds in part</a>' in text
    assert 'title="All-Entire, plain LSTM"' in text
    assert '<img src="people/ranked.svg"' in text
    assert 'href="all.html"' in text
    assert 'href="people/all.html"' in text
    for name in ("index.html", "people/index.html"):
        _links_lead_somewhere(out / name)
    assert 'href="../index.html"' in (out / "people" / "index.html").read_text() or people_first
    render_index(out)
    assert (out / "index.html").read_text() == text


def test_a_renewal_of_one_leaves_the_other_and_its_commit_alone(
    tmp_path: Path, sites: tuple[Path, Path], summary: pd.DataFrame
) -> None:
    out = publish(sites[0], tmp_path / "figures")
    renew(out)
    publish(sites[1], out / "people")
    renew(out / "people")
    others = {
        p: p.read_bytes() for p in out.glob("*") if p.is_file() and p.name not in ("index.html", "made_by_nem2e.json")
    }
    publish(site(tmp_path / "again", summary, "f4esh", FIRST), out / "people")
    renew(out / "people")
    assert {p: p.read_bytes() for p in others} == others
    text = (out / "index.html").read_text()
    assert "f4esh" in text
    assert "5ynth" in text
    assert "pe0ple" not in text


def test_a_front_page_says_nothing_of_a_site_that_is_not_there(tmp_path: Path, sites: tuple[Path, Path]) -> None:
    alone = publish(sites[0], tmp_path / "figures")
    renew(alone)
    assert "people" not in (alone / "index.html").read_text().replace("say nothing about people", "").lower()
    part = publish(sites[1], tmp_path / "elsewhere" / "people")
    renew(part)
    text = (part.parent / "index.html").read_text()
    assert "SYNTHETIC" not in text
    assert (part.parent / "assets" / "vega.js").exists()
    assert not (part / "assets" / "vega.js").exists()  # shipped once
    _links_lead_somewhere(part.parent / "index.html")
    renew(part)  # again, over its own front page
    (tmp_path / "empty").mkdir()
    with pytest.raises(Nem2eError, match=r"holds no site with an index\.json"):
        render_index(tmp_path / "empty")


def test_a_folder_of_somebody_elses_gets_no_front_page(tmp_path: Path, sites: tuple[Path, Path]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    renew(publish(sites[1], tmp_path / "home" / "people"))
    assert sorted(p.name for p in (tmp_path / "home").iterdir()) == ["people", "thesis.tex"]


def test_a_front_page_of_somebody_elses_is_left_alone(tmp_path: Path, sites: tuple[Path, Path]) -> None:
    (tmp_path / "home" / "assets").mkdir(parents=True)
    (tmp_path / "home" / "index.html").write_text("mine")
    part = publish(sites[1], tmp_path / "home" / "people")
    renew(part)
    assert (tmp_path / "home" / "index.html").read_text() == "mine"
    assert list((tmp_path / "home" / "assets").iterdir()) == []
    assert (part / "assets" / "vega.js").exists()


def test_the_front_page_may_be_replaced_by_the_next_run(tmp_path: Path, sites: tuple[Path, Path]) -> None:
    out = publish(sites[0], tmp_path / "figures")
    renew(out)
    check_target(out)
    publish(sites[0], out)


def test_contents_that_were_spoilt_are_told(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(Nem2eError, match=r"index\.json cannot be read as the contents of a site"):
        render_index(tmp_path)
