"""Handing a site over: whole or not at all, nobody else's files touched."""

from pathlib import Path

import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.publish import publish


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
