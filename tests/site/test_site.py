"""The site: files, results.json, pages, publishing."""

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import schematics
from nem2e_lib.figures.style import Drawn
from nem2e_lib.paper.tables import results_table
from nem2e_lib.site import provenance as where
from nem2e_lib.site.claims import claims_summary, write_claims
from nem2e_lib.site.index import write_index
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.publish import publish
from nem2e_lib.site.results import write_results
from nem2e_lib.site.saving import entries, save

RUNS = {s: {"synthetic": True, "profile": "demo", "data_hash": "ab" * 32} for s in ("running", "walking")}
SOURCE = Provenance("c0ffee", "2026-01-01", {"python": "3.11.0", "jax": "0.10.2"})
CLAIMS = pd.DataFrame(
    {
        "id": ["C02", "C01", "C03"],
        "section": "4.2",
        "dataset": "running",
        "claim": "a < b & c",
        "reported": "16",
        "value": ["15 of 16", np.nan, 0.5],
        "verdict": ["does not hold", "cannot be tested", "holds"],
        "why": "counted",
    }
)


def build(folder: Path, summary: pd.DataFrame) -> None:
    save(schematics.framework(), "figure1", folder, page="method")
    save(results_table(summary, study="walking", number=2, synthetic=True), "table2", folder, page="stats")
    write_results(summary, CLAIMS, folder, runs=RUNS, commit="c0ffee")
    write_claims(CLAIMS, folder, runs=RUNS)
    write_index(
        folder,
        title="Companion",
        lead="What it is.",
        pages={"claims.html": "Claims"},
        runs=RUNS,
        source=SOURCE,
        claims=CLAIMS,
    )


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


def test_saved_figure_has_svg_csv_and_a_place_in_the_manifest(tmp_path: Path) -> None:
    drawn = schematics.network()
    saved = save(drawn, "figure2", tmp_path, page="method")
    save(drawn, "figure2", tmp_path, page="method")
    assert pd.read_csv(tmp_path / "figure2.csv", keep_default_na=False).equals(drawn.data)
    assert [e.name for e in entries(tmp_path, "method")] == ["figure2"]
    assert 'src="data:image/svg+xml;base64,' in saved._repr_html_()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figure2.csv", "figure2.svg", "manifest"]


def test_unmarked_synthetic_figure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match="SYNTHETIC"):
        save(Drawn(Figure(), pd.DataFrame(), "Figure 3", "curves", synthetic=True), "f", tmp_path)
    with pytest.raises(Nem2eError, match="cannot see it"):
        save(Drawn(Figure(), pd.DataFrame(), "Figure 3", " "), "f", tmp_path)
    assert list(tmp_path.iterdir()) == []


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
    assert len(files) == 9
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_results_json_has_the_keys_sorted_rows_and_no_nan(tmp_path: Path, summary: pd.DataFrame) -> None:
    broken = summary.sample(frac=1, random_state=1).copy()
    broken.loc[broken["muscle"] == "tib", "cohen_d"] = np.nan
    content = json.loads(write_results(broken, CLAIMS, tmp_path, runs=RUNS, commit="c0ffee").read_text())
    rows = content["results"]
    assert set(content) == {"results", "claims"}
    assert list(rows[0]) == [
        "study",
        "muscle",
        "condition",
        "er_mean",
        "ci_low",
        "ci_high",
        "p_value",
        "cohen_d",
        "r2_pearson",
        "r2_sse",
        "n_units",
        "unit",
        "synthetic",
        "profile",
        "commit",
        "data_hash",
    ]
    assert len(rows) == 63
    assert [r["condition"] for r in rows[:3]] == ["one_quarter", "one_entire", "all_entire"]
    assert [r["study"] for r in rows] == sorted(r["study"] for r in rows)
    assert {r["cohen_d"] for r in rows if r["muscle"] == "tib"} == {None}
    assert rows[0]["synthetic"] is True
    assert isinstance(rows[0]["n_units"], int)
    assert [c["id"] for c in content["claims"]] == ["C01", "C02", "C03"]
    assert content["claims"][0]["value"] is None


def test_results_json_refuses_what_is_missing_or_double(tmp_path: Path, summary: pd.DataFrame) -> None:
    with pytest.raises(Nem2eError, match="lacks 'ci_low'"):
        write_results(summary.drop(columns="ci_low"), CLAIMS, tmp_path, runs=RUNS, commit="c")
    with pytest.raises(Nem2eError, match="has study 'running'"):
        write_results(summary, CLAIMS, tmp_path, runs={}, commit="c")
    with pytest.raises(Nem2eError, match="twice"):
        write_results(pd.concat([summary, summary]), CLAIMS, tmp_path, runs=RUNS, commit="c")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds", "holds", "cannot be tested"], "reproduced"),
        (["holds", "does_not_hold"], "partly reproduced"),
        (["does not hold"], "not reproduced"),
        (["cannot be tested"], "not tested"),
    ],
)
def test_claims_summary(verdicts: list[str], expected: str) -> None:
    assert claims_summary(pd.DataFrame({"verdict": verdicts}))[0] == expected


def test_verdicts_are_words_beside_signs(tmp_path: Path) -> None:
    text = write_claims(CLAIMS, tmp_path, runs={}).read_text()
    assert '<span aria-hidden="true">✘</span> does not hold' in text
    assert "a &lt; b &amp; c" in text
    assert "SYNTHETIC" not in text
    with pytest.raises(Nem2eError, match="verdict 'maybe'"):
        write_claims(CLAIMS.assign(verdict="maybe"), tmp_path, runs={})


def test_index_refuses_a_missing_page(tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match=r"04\.html does not exist"):
        write_index(tmp_path, title="t", lead="", pages={"04.html": "Statistics"}, runs={}, source=SOURCE)
    assert not (tmp_path / "index.html").exists()


def make_site(folder: Path, text: str = "one") -> Path:
    (folder / "manifest").mkdir(parents=True)
    (folder / "index.html").write_text(text)
    (folder / "manifest" / "a.json").write_text("[]")
    return folder


def test_publish_replaces_its_own_folder_whole(tmp_path: Path) -> None:
    out = tmp_path / "figures"
    publish(make_site(tmp_path / "first"), out)
    (tmp_path / "first" / "old.svg").write_text("")
    publish(make_site(tmp_path / "second", "two"), out)
    assert (out / "index.html").read_text() == "two"
    assert not (out / "old.svg").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figures", "first", "second"]


def test_publish_leaves_other_peoples_files_alone(tmp_path: Path) -> None:
    source, out = make_site(tmp_path / "site"), tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(Nem2eError, match=r"holds 'thesis\.tex'"):
        publish(source, out)
    (out / "thesis.tex").rename(tmp_path / "thesis.tex")
    publish(source, out)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(Nem2eError, match=r"holds 'notes\.txt'"):
        publish(source, out)
    assert (out / "notes.txt").read_text() == "mine"


def test_publish_refuses_files_unfinished_sites_and_nested_folders(tmp_path: Path) -> None:
    source = make_site(tmp_path / "site")
    (tmp_path / "file").write_text("")
    with pytest.raises(Nem2eError, match="is a file"):
        publish(source, tmp_path / "file")
    with pytest.raises(Nem2eError, match="hold one another"):
        publish(source, source / "inside")
    (source / "index.html").unlink()
    with pytest.raises(Nem2eError, match=r"no index\.html"):
        publish(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_publish_puts_the_old_site_back_when_the_swap_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "figures"
    publish(make_site(tmp_path / "first"), out)
    from nem2e_lib.site import publish as module

    rename, calls = module.os.rename, []

    def failing(a: Path, b: Path) -> None:
        calls.append(a)
        if len(calls) == 2:
            raise OSError("disk full")
        rename(a, b)

    monkeypatch.setattr(module.os, "rename", failing)
    with pytest.raises(OSError, match="disk full"):
        publish(make_site(tmp_path / "second", "two"), out)
    assert (out / "index.html").read_text() == "one"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figures", "first", "second"]


def test_provenance_tells_clean_dirty_and_unknown(tmp_path: Path) -> None:
    assert where.commit(tmp_path) == "unknown"

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True
        )

    git("init", "-q")
    (tmp_path / "nem2e_lib").mkdir()
    (tmp_path / "nem2e_lib" / "a.py").write_text("")
    git("add", ".")
    git("commit", "-qm", "first")
    clean = where.commit(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "new.svg").write_text("")
    assert where.commit(tmp_path) == clean
    (tmp_path / "nem2e_lib" / "a.py").write_text("x = 1")
    assert where.commit(tmp_path) == f"{clean}-dirty"
    assert set(where.versions()) >= {"python", "jax", "numpy"}
