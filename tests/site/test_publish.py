"""Handing a site over: whole or not at all, nobody else's files touched."""

from pathlib import Path

import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.publish import check_target, publish


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


def held(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_site_within_the_folder_stays_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "figures"
    publish(make_site(tmp_path / "first"), out)
    publish(make_site(tmp_path / "people", "of people"), out / "people")
    before = held(out / "people")
    publish(make_site(tmp_path / "second", "two"), out)
    assert held(out / "people") == before
    assert (out / "index.html").read_text() == "two"
    publish(make_site(tmp_path / "again", "of others"), out / "people")
    assert (out / "people" / "index.html").read_text() == "of others"
    assert (out / "index.html").read_text() == "two"
    check_target(out)
    (out / "people" / "notes.txt").write_text("mine")
    with pytest.raises(Nem2eError, match=r"people holds 'notes\.txt'"):
        check_target(out / "people")
    publish(make_site(tmp_path / "third", "three"), out)
    assert (out / "people" / "notes.txt").read_text() == "mine"


def test_a_site_within_the_folder_is_not_written_over(tmp_path: Path) -> None:
    out = tmp_path / "figures"
    publish(make_site(tmp_path / "people", "of people"), out / "people")
    site = make_site(tmp_path / "site")
    make_site(site / "people", "other")
    with pytest.raises(Nem2eError, match="people is a site of its own"):
        publish(site, out)
    assert not (out / "index.html").exists()
    assert (out / "people" / "index.html").read_text() == "of people"


def test_a_folder_without_a_marker_within_the_folder_is_not_nem2es(tmp_path: Path) -> None:
    out = tmp_path / "figures"
    publish(make_site(tmp_path / "site"), out)
    (out / "people").mkdir()
    (out / "people" / "index.html").write_text("mine")
    with pytest.raises(Nem2eError, match=r"holds 'people/index\.html'"):
        publish(make_site(tmp_path / "again"), out)
