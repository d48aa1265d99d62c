"""An archive for deposit: all of a site, each file described with its hash, the same bytes each time."""

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import schematics
from nem2e_lib.project import ROOT
from nem2e_lib.site.bundle import bundle
from nem2e_lib.site.contents import Contents, write_contents
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.publish import publish
from nem2e_lib.site.saving import save
from nem2e_lib.site.tables import plain

pytest.importorskip("rocrate", reason="rocrate comes with requirements-extra.lock")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = Provenance(COMMIT, "2026-01-02", {"nem2e": "0.1.0"})
RUN = {"synthetic": True, "profile": "demo", "data_hash": "ab" * 32}


def made(folder: Path, out: Path, *, synthetic: bool) -> Path:
    """A site of one figure, one of the paper's and one table."""
    drawn = schematics.network()
    save(drawn, "figure_2", folder, page="p")
    save(
        replace(drawn, title="SYNTHETIC data – mine", synthetic=True) if synthetic else drawn, "mine", folder, page="p"
    )
    save(plain(pd.DataFrame({"er": [0.25]}), "T", "Er of one.", synthetic=synthetic), "t", folder, page="p")
    (folder / "index.html").write_text("<title>x</title>")
    runs = {"walking" if synthetic else "children": {**RUN, "synthetic": synthetic}}
    write_contents(folder, Contents("T", f"From {next(iter(runs))}.", {}, runs, SOURCE))
    return publish(folder, out)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A SYNTHETIC site with one on people in it."""
    out = made(tmp_path / "s", tmp_path / "figures", synthetic=True)
    made(tmp_path / "p", out / "people", synthetic=False)
    return out


def test_every_listed_file_is_there_with_its_hash(site: Path, tmp_path: Path) -> None:
    from rocrate.rocrate import ROCrate

    path = bundle(site, tmp_path / "b")
    assert path.name == "nem2e-0.1.0-0123456789.zip"
    shutil.unpack_archive(path, tmp_path / "u")
    (folder,) = (tmp_path / "u").iterdir()
    crate = ROCrate(folder)
    listed = {one.id: one for one in crate.data_entities}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"ro-crate-metadata.json"}
    assert set(listed) == there
    for name, one in listed.items():
        assert one["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert one["encodingFormat"]
    published = {f"figures/{p.relative_to(site).as_posix()}" for p in site.rglob("*") if p.is_file()}
    assert published < there
    assert {"LICENSE", "CITATION.cff", "environment.yml", "requirements.lock", "README.md"} < there
    # figures without PDF in the site have it in the archive, the others only once
    assert {name for name in there if name.startswith("pdf/")} == {"pdf/mine.pdf", "pdf/people/mine.pdf"}
    assert json.loads((folder / "data_hashes.json").read_text())["figures/people"]["children"]["data_hash"] == "ab" * 32


def test_the_crate_says_what_who_and_of_what(site: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle(site, tmp_path)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/ro-crate-metadata.json"))
        graph = {one["@id"]: one for one in json.loads(archive.read(name))["@graph"]}
        readme = archive.read(name.replace("ro-crate-metadata.json", "README.md")).decode()
    whole = graph["./"]
    assert "Recordings of real people: children." in whole["description"]
    assert "SYNTHETIC data, made by a program and measured on nobody: walking." in whole["description"]
    assert whole["citation"] == [{"@id": "https://doi.org/10.3389/fbioe.2025.1611414"}]
    assert whole["datePublished"] == "2026-01-02"
    assert [graph[one["@id"]]["name"] for one in whole["author"]] == ["The nem2e contributors"]
    assert graph[whole["license"]["@id"]]["name"] == "MIT"
    table = graph["figures/t.tex"]
    assert (table["name"], table["description"]) == ("SYNTHETIC data – T", "Er of one.")
    assert graph["pdf/mine.pdf"]["name"] == "SYNTHETIC data – mine"
    software = graph[f"#nem2e-{COMMIT}"]
    assert (software["version"], software["identifier"]) == ("0.1.0", COMMIT)
    making = graph["#making-figures/people"]
    assert making["instrument"] == {"@id": software["@id"]}
    assert {"@id": "pdf/people/mine.pdf"} in making["result"]
    assert {"@id": "pdf/mine.pdf"} not in making["result"]
    assert [graph[one["@id"]]["name"] for one in making["object"]] == ["measured study children"]
    assert "walking (SYNTHETIC), data hash abab" in readme


def test_the_same_bytes_each_time(site: Path, tmp_path: Path) -> None:
    first = bundle(site, tmp_path / "1").read_bytes()
    for path in site.rglob("*"):
        path.touch()
    assert bundle(site, tmp_path / "2").read_bytes() == first


@pytest.mark.parametrize(
    ("file", "what"), [("mine.svg", "was changed"), ("people/t.csv", "is missing"), ("x", "none of")]
)
def test_a_site_that_is_not_as_published_is_refused(site: Path, tmp_path: Path, file: str, what: str) -> None:
    if what == "is missing":
        (site / file).unlink()
    else:
        (site / file).write_text("mine")
    with pytest.raises(Nem2eError, match=rf"{file.rpartition('/')[2]} .*{what}.*run make paper anew\.$"):
        bundle(site, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_no_site_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match=r"holds no site; .*run make paper first\.$"):
        bundle(tmp_path, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
    assert "rocrate" in (ROOT / "requirements-extra.lock").read_text()
