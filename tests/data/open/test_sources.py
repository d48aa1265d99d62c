"""The table of open recordings: what it may hold, how it is searched, and that it tells the truth."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.data.open.sources import TABLE, Source, chosen, read_sources, recordings
from nem2e_lib.error import Nem2eError

HEAD = "here,repository,commit,path,bytes,sha256\n"
COMMIT, HASH = "a" * 40, "b" * 64


def made(*here: str) -> list[Source]:
    return [Source(name, "lab/gait", COMMIT, name, 1_500_000, HASH, "MIT") for name in here]


def test_the_table_that_comes_with_the_library() -> None:
    sources = read_sources()
    assert len(sources) == 51
    assert sum(source.size for source in sources) == 66_218_718
    assert all(source.licence and source.what for source in sources)
    assert {source.repository for source in sources} == {
        "FxnlBiomechLab/twsa-optimization-for-rra",
        "johnjdavisiv/it-band-model",
        "mcgillmotionlab/biomechzoo",
    }


def test_the_sets_say_who_and_whose() -> None:
    table = recordings().set_index("set")
    assert table["people"].to_dict() == {"hamner_subject01": 1, "children_walk": 12}
    assert table["files"].to_dict() == {"hamner_subject01": 15, "children_walk": 36}
    assert table["MB"].to_dict() == {"hamner_subject01": 13.3, "children_walk": 53.0}
    assert (table[["who", "what", "licence", "from", "cite"]] != "").all(axis=None)
    children = {source.here.split("/")[2] for source in read_sources() if source.set == "children_walk"}
    assert len(children) == 12


def test_the_table_tells_the_bytes_that_are_there(realdata: Path) -> None:
    listed = pd.read_csv(realdata / "open_sources.csv")
    own = pd.read_csv(TABLE)
    assert own[list(listed)].equals(listed)
    for source in read_sources():
        raw = (realdata / source.here).read_bytes()
        assert (len(raw), hashlib.sha256(raw).hexdigest()) == (source.size, source.sha256), source.here


def test_what_is_not_known_of_a_set_is_left_empty() -> None:
    row = recordings(made("new/a.c3d", "new/b.c3d")).to_dict("records")
    assert row == [
        {
            **dict.fromkeys(("who", "people", "what", "cite"), ""),
            "set": "new",
            "files": 2,
            "MB": 3.0,
            "licence": "MIT",
            "from": f"https://github.com/lab/gait/tree/{COMMIT}",
        }
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (None, "abcd"),
        ("", "abcd"),
        ([], "abcd"),
        ("walk", "abc"),
        ("walk/s1", "ab"),
        ("walk/s1/", "ab"),
        ("s1", "ab"),
        ("a.c3d", "a"),
        ("walk/s1/a.c3d", "a"),
        ("*.mot", "bd"),
        ("s?/*.c3d", "ac"),
        (["d.mot", "s2"], "cd"),
        ("d.mot, s2", "cd"),
    ],
)
def test_names_choose(names: str | list[str] | None, expected: str) -> None:
    sources = made("walk/s1/a.c3d", "walk/s1/b.mot", "walk/s2/c.c3d", "run/d.mot")
    assert "".join(Path(source.here).stem for source in chosen(names, sources)) == expected


def test_a_name_that_fits_nothing_is_told_with_what_was_meant() -> None:
    sources = made("children_walk/HC030A/a.c3d", "run/d.mot")
    with pytest.raises(Nem2eError, match=r"'HC030B': no open recording .* sets are children_walk, run.*'HC030A'\?$"):
        chosen("run,HC030B", sources)
    with pytest.raises(Nem2eError, match=r"'x', 'y': no open recording"):
        chosen(["x", "run", "y"], sources)


def test_every_cell_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [
        f"../a,lab/gait,{COMMIT},p,1,{HASH}",
        f"/a,lab,{COMMIT},p,1,{HASH}",
        f"a/b,lab/gait,main,../p,-1,{HASH[1:]}",
        f"a/b,lab/gait,{COMMIT},p,1,{HASH}",
    ]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    with pytest.raises(Nem2eError) as error:
        read_sources(path)
    for told in (
        "row 1: here is '../a'",
        "row 2: here is '/a'",
        "row 2: repository is 'lab'",
        "row 3: commit is 'main'",
        "row 3: path is '../p'",
        "row 3: bytes is '-1'",
        f"row 3: sha256 is '{HASH[1:]}'",
        "'a/b' stands in two rows",
    ):
        assert told in str(error.value)
    path.write_text(HEAD + rows[-1] + "\n")
    assert read_sources(path) == (Source("a/b", "lab/gait", COMMIT, "p", 1, HASH),)
