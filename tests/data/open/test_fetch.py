"""Fetching open recordings: what is whole is kept, what is not is told, and nothing half-written is left."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nem2e_lib.data.open import fetch, places
from nem2e_lib.data.open.fetch import cache_folder, fetch_open
from nem2e_lib.data.open.places import GITHUB, Patience, Web
from nem2e_lib.data.open.sources import Source
from nem2e_lib.error import Nem2eError
from tests.support.server import Server, free_port, serving

ROOT = Path(__file__).resolve().parents[3]
COMMIT = "c0ffee" + "0" * 34
CONTENT = {  # here: (path in the repository, content)
    "walk/a/one.c3d": ("raw files/one #1 100%.c3d", bytes(range(256)) * 700),
    "walk/a/two.c3d": ("raw files/two.c3d", b"\0\1two" * 40),
    "run/three.csv": ("three.csv", b"time,force\n0,1\n"),
}
SOURCES = [
    Source(here, "lab/gait", COMMIT, path, len(raw), hashlib.sha256(raw).hexdigest())
    for here, (path, raw) in CONTENT.items()
]
ONE, TWO, THREE = SOURCES
HASTE = Patience(attempts=3, wait_s=0.001, connect_s=1.0, answer_s=0.3)
PROXIES = [name for kind in ("http", "https", "all", "no") for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY")]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and an environment that names no other place."""
    for name in ("NEM2E_REALDATA", "NEM2E_MIRROR", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NEM2E_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as running:
        running.files = {source.place: CONTENT[source.here][1] for source in SOURCES}
        monkeypatch.setenv("NEM2E_MIRROR", running.address + "/")
        yield running


def fetched(*names: str, out: Path | None = None) -> Path:
    return fetch_open(names, out=out, sources=SOURCES, patience=HASTE, progress=False)


def refused(*names: str, out: Path | None = None) -> str:
    with pytest.raises(Nem2eError) as error:
        fetched(*names, out=out)
    return str(error.value)


def held(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def content(*sources: Source) -> dict[str, bytes]:
    return {source.here: CONTENT[source.here][1] for source in sources}


def lay(root: Path, *names: str) -> Path:
    for here, (_, raw) in CONTENT.items():
        if here in names or not names:
            (root / here).parent.mkdir(parents=True, exist_ok=True)
            (root / here).write_bytes(raw)
    return root


def test_files_lie_where_their_source_says_and_are_fetched_once(server: Server) -> None:
    folder = fetched()
    assert folder == cache_folder()
    assert held(folder) == content(*SOURCES)
    assert server.asked == [source.place for source in SOURCES]
    assert fetched() == folder
    assert len(server.asked) == 3


def test_only_what_is_named_is_fetched(server: Server) -> None:
    assert held(fetched("run", "*/two.c3d")) == content(TWO, THREE)


def test_a_file_that_was_damaged_in_the_cache_is_fetched_anew(server: Server) -> None:
    folder = fetched()
    (folder / ONE.here).write_bytes(CONTENT[ONE.here][1][:1000])
    (folder / TWO.here).write_bytes(b"x" * TWO.size)
    assert held(fetched()) == content(*SOURCES)
    assert server.asked[3:] == [ONE.place, TWO.place]


@pytest.mark.parametrize("mood", ["cut", "cut unannounced", "hang up", "500", "503", "429", "stall"])
def test_what_may_pass_is_tried_again(server: Server, mood: str) -> None:
    server.moods[ONE.place] = [mood, "fine"]
    assert held(fetched()) == content(*SOURCES)
    assert server.asked.count(ONE.place) == 2


@pytest.mark.parametrize(
    ("mood", "told"),
    [
        ("cut", "the connection was cut"),
        ("cut unannounced", "the connection was cut"),
        ("hang up", "the connection was cut"),
        ("500", "127.0.0.1:{port} answers 500 Internal Server Error"),
        ("stall", "nothing came for 0.3 s"),
    ],
)
def test_what_does_not_pass_is_tried_a_number_of_times(server: Server, mood: str, told: str) -> None:
    server.moods[ONE.place] = [mood]
    message = refused()
    port = server.address.rpartition(":")[2]
    assert message.startswith(f"Not fetched: {ONE.here}: {told.format(port=port)}, at each of 3 attempts")
    assert f"what is whole is kept in {cache_folder()}; start again" in message
    assert "\n" not in message
    assert server.asked.count(ONE.place) == 3
    assert held(cache_folder()) == content(TWO, THREE)
    server.moods = {}
    assert held(fetched()) == content(*SOURCES)
    assert server.asked.count(TWO.place) == 1


@pytest.mark.parametrize(
    ("mood", "told"),
    [
        ("404", f"answers 404 Not Found at {ONE.place};"),
        ("403", "answers 403 Forbidden"),
        ("other", "sends other bytes than those recorded, by their SHA-256"),
        ("shorter", f"sends {ONE.size - 1} bytes instead of the {ONE.size} recorded"),
        ("longer", f"sends more than the {ONE.size} bytes recorded"),
        ("page", "sends a web page, as a network does that asks for a login"),
    ],
)
def test_what_is_wrong_is_named_once_and_never_kept(server: Server, mood: str, told: str) -> None:
    server.moods[ONE.place] = [mood]
    message = refused()
    assert f"{ONE.here}: 127.0.0.1:" in message
    assert told in message
    assert "\n" not in message
    assert server.asked.count(ONE.place) == 1
    assert held(cache_folder()) == content(TWO, THREE)


def test_wrong_bytes_do_not_take_the_place_of_a_damaged_file_silently(server: Server) -> None:
    damaged = fetched() / ONE.here
    damaged.write_bytes(b"half")
    server.moods[ONE.place] = ["other"]
    assert ONE.here in refused()
    assert damaged.read_bytes() == b"half"


def test_every_failure_of_a_run_is_told_at_once(server: Server) -> None:
    server.moods = {ONE.place: ["404"], THREE.place: ["cut"]}
    head, *lines = refused().split("\n")
    assert head.startswith("2 of 3 recordings were not fetched; what is whole is kept in")
    assert [line.split(": ")[0].strip() for line in lines] == [ONE.here, THREE.here]
    assert "404 Not Found" in lines[0]
    assert "the connection was cut" in lines[1]
    assert held(cache_folder()) == content(TWO)


def test_a_slow_server_is_waited_for(server: Server) -> None:
    server.moods[ONE.place] = ["slow"]
    assert held(fetched()) == content(*SOURCES)
    assert server.asked.count(ONE.place) == 1


def test_without_a_network_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("NEM2E_MIRROR", f"http://someone:secret@127.0.0.1:{port}")
    message = refused()
    assert message.startswith(f"Not fetched: 3 of 3 recordings: 127.0.0.1:{port} cannot be reached (no connection; ")
    for word in ("https_proxy", "NEM2E_REALDATA", "NEM2E_MIRROR", "docs/open.md"):
        assert word in message
    assert "\n" not in message
    assert "secret" not in message
    assert held(cache_folder()) == {}
    lay(cache_folder(), TWO.here)
    assert message.replace("3 of 3", "2 of 3")[:40] == refused()[:40]
    assert fetched("two.c3d") == cache_folder()


def test_a_server_that_goes_away_is_not_asked_for_each_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("nem2e_lib.data.open.places.time.sleep", pauses.append)
    monkeypatch.setenv("NEM2E_MIRROR", f"http://127.0.0.1:{free_port()}")
    refused()
    assert pauses == [0.001, 0.002]


def test_the_repositories_are_asked_by_default() -> None:
    assert places.places({}) == [Web(GITHUB)]
    assert ONE.address(GITHUB) == (
        f"https://raw.githubusercontent.com/lab/gait/{COMMIT}/raw%20files/one%20%231%20100%25.c3d"
    )


def test_a_proxy_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("NEM2E_MIRROR", "http://mirror.invalid")
    assert held(fetched()) == content(*SOURCES)
    assert server.lines == [source.address("http://mirror.invalid") for source in SOURCES]


def test_no_proxy_is_respected(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert "the proxy that the environment names does not lead there" in refused()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert held(fetched()) == content(*SOURCES)


@pytest.mark.parametrize("arrangement", ["here", "place"])
@pytest.mark.parametrize("variable", ["NEM2E_REALDATA", "NEM2E_MIRROR", "file"])
def test_a_folder_takes_the_networks_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrangement: str, variable: str
) -> None:
    root = tmp_path / "kept there"
    for source in SOURCES:
        path = root / getattr(source, arrangement)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT[source.here][1])
    monkeypatch.setenv(*(("NEM2E_MIRROR", root.as_uri()) if variable == "file" else (variable, str(root))))
    assert held(fetched()) == content(*SOURCES)


def test_a_wrong_file_in_a_folder_is_named_and_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay(tmp_path / "real")
    (root / TWO.here).write_bytes(CONTENT[TWO.here][1][:-1] + b"x")
    (root / THREE.here).unlink()
    monkeypatch.setenv("NEM2E_REALDATA", str(root))
    _, *lines = refused().split("\n")
    assert lines == [
        f"  {TWO.here}: {root / TWO.here} (NEM2E_REALDATA) holds other bytes than those recorded, by their SHA-256",
        f"  {THREE.here}: not in {root}, which NEM2E_REALDATA names in place of the network",
    ]
    assert held(cache_folder()) == content(ONE)


def test_what_a_folder_lacks_comes_from_the_mirror_and_what_is_wrong_in_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    root = lay(tmp_path / "real", ONE.here, TWO.here)
    (root / TWO.here).write_bytes(b"other")
    monkeypatch.setenv("NEM2E_REALDATA", str(root))
    assert held(fetched()) == content(*SOURCES)
    assert server.asked == [TWO.place, THREE.place]
    assert [record.getMessage() for record in caplog.records] == [
        f"{TWO.here}: {root / TWO.here} (NEM2E_REALDATA) holds other bytes than those recorded, by their SHA-256; "
        "they were not used."
    ]


def test_a_mirror_out_of_reach_does_not_keep_a_folder_from_being_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEM2E_REALDATA", str(lay(tmp_path / "real", TWO.here, THREE.here)))
    monkeypatch.setenv("NEM2E_MIRROR", f"http://127.0.0.1:{free_port()}")
    message = refused()
    assert message.startswith(f"Not fetched: 1 of 3 recordings: not in {tmp_path / 'real'}")
    assert "cannot be reached" in message
    assert held(cache_folder()) == content(TWO, THREE)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "NEM2E_REALDATA",
            "/no/such/folder",
            "there is no such folder; give a folder that has the files, or unset it.",
        ),
        (
            "NEM2E_MIRROR",
            "ftp://a/b",
            "there is no such folder; give a folder or an http(s) address that has the files",
        ),
        ("NEM2E_MIRROR", "http://[a", "is no address"),
    ],
)
def test_a_variable_that_names_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    message = refused()
    assert message.startswith(f"{variable}={value}: ")
    assert told in message


def test_a_cache_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NEM2E_CACHE", str(tmp_path / "file"))
    assert refused() == (
        f"{tmp_path / 'file' / 'open'}: cannot be written (Not a directory); name another folder by NEM2E_CACHE."
    )
    assert server.asked == []


def test_a_full_disk_is_one_sentence_and_what_was_whole_stays(server: Server) -> None:
    fetched("two.c3d")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # no file may be longer: the third kind of a full disk
    try:
        message = refused()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert message == (
        f"{cache_folder()}: cannot be written (File too large); make room on the disk, or name another folder by "
        "NEM2E_CACHE."
    )
    assert held(cache_folder()) == content(TWO)


def test_out_has_the_files_and_nothing_of_anybodys_is_written_over(tmp_path: Path, server: Server) -> None:
    out = tmp_path / "out"
    (out / TWO.here).parent.mkdir(parents=True)
    (out / TWO.here).write_text("mine")
    message = refused(out=out)
    assert message.startswith(
        f"Not fetched: {TWO.here}: {out / TWO.here} is there already, with other bytes; move it away; "
    )
    assert held(out) == content(ONE, THREE) | {TWO.here: b"mine"}
    (out / TWO.here).unlink()
    assert fetched(out=out) == out
    assert held(out) == content(*SOURCES)
    assert len(server.asked) == 3


def test_out_holds_what_was_whole_when_something_fails(tmp_path: Path, server: Server) -> None:
    server.moods[ONE.place] = ["404"]
    assert "404 Not Found" in refused(out=tmp_path / "out")
    assert held(tmp_path / "out") == content(TWO, THREE)
    (tmp_path / "file").write_text("")
    assert refused("two.c3d", out=tmp_path / "file").startswith(f"{tmp_path / 'file'}: cannot be written (")


PROCESS = """
import sys
from tests.data.open.test_fetch import HASTE, SOURCES
from nem2e_lib.data.open.fetch import fetch_open
fetch_open(sources=SOURCES, patience=HASTE, progress=False)
"""


def process() -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS], env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.PIPE, text=True
    )


def test_two_processes_do_not_break_each_other(server: Server) -> None:
    server.moods[ONE.place] = ["slow"]
    both = [process(), process()]
    assert [each.communicate()[1] for each in both] == ["", ""]
    assert [each.returncode for each in both] == [0, 0]
    assert held(cache_folder()) == content(*SOURCES)


def test_what_a_killed_process_leaves_is_swept_and_what_another_uses_is_not(server: Server) -> None:
    server.moods[ONE.place] = ["stall", "fine"]
    killed = process()
    until = time.monotonic() + 30
    while not server.asked and time.monotonic() < until:
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    assert [path.split("-")[0] for path in held(cache_folder())] == [".fetching"]
    with fetch._staging(cache_folder()) as stage:
        assert held(cache_folder()) == {}
        assert held(fetched()) == content(*SOURCES)
        assert stage.is_dir()
    assert not list(cache_folder().glob(".fetching-*"))


def test_an_interrupt_leaves_what_is_whole_and_nothing_else(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    bring = Web.bring

    def interrupted(self: Web, source: Source, target: Path, advance: places.Advance) -> None:
        bring(self, source, target, advance)
        if source == TWO:
            raise KeyboardInterrupt

    monkeypatch.setattr(Web, "bring", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetched()
    assert held(cache_folder()) == content(ONE)
    assert not list(cache_folder().glob(".fetching-*"))
