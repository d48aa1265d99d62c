"""Programs that share one import behave as those that Python is started for."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from nem2e_lib.paper import warm

pytestmark = pytest.mark.skipif(not warm.possible(), reason="programs are begun warm on Linux alone")

TOLD = """
import json, os, sys
print(json.dumps({
    "argv": sys.argv[1:], "name": __name__, "folder": os.getcwd(), "mark": os.environ.get("MARK"),
    "umask": os.umask(0), "parent": os.getppid(), "loaded": "seaborn" in sys.modules, "read": sys.stdin.read(),
}))
print("beside", file=sys.stderr)
"""
WAITS = """
import os, sys, time
try:
    print(os.getpid(), flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("put away", flush=True)
    sys.exit(7)
"""

HEEDS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell lets what it runs in the background ignore it
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment with a process that imports once, whose owner lives until the last test."""
    above = tmp_path_factory.mktemp("warm")
    folder = above / ("deep" * 40) / "socket's"  # no address of a socket is that long
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    yield os.environ | {warm.WHERE: str(folder), warm.OWNER: str(owner.pid), warm.COSTS: str(above / "costs.csv")}
    owner.kill()
    owner.wait()
    _until(lambda: not folder.exists())


def _until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _program(folder: Path, source: str) -> str:
    (folder / "a_program.py").write_text(source)
    return "a_program"


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", warm.__name__, *words]


def test_a_program_has_its_arguments_environment_folder_and_streams(around: dict[str, str], tmp_path: Path) -> None:
    name = _program(tmp_path, TOLD)
    told = []
    for mark in ("one", "two"):
        given: dict[str, Any] = {"env": around | {"MARK": mark}, "umask": 0o027}
        done = subprocess.run(
            _command(name, "a b", mark), cwd=tmp_path, capture_output=True, text=True, input="in", check=True, **given
        )
        told.append(json.loads(done.stdout))
        assert done.stderr == "beside\n"
    assert [one["argv"] for one in told] == [["a b", "one"], ["a b", "two"]]
    assert [one["mark"] for one in told] == ["one", "two"]
    assert {(one["name"], one["folder"], one["umask"], one["read"], one["loaded"]) for one in told} == {
        ("__main__", str(tmp_path), 0o027, "in", True)
    }
    assert told[0]["parent"] == told[1]["parent"]  # both were forked by one process


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("raise SystemExit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("1 / 0", 1),
        ("import nem2e_lib.no_such_room", 1),
    ],
)
def test_a_caller_ends_as_its_program_has(around: dict[str, str], tmp_path: Path, source: str, status: int) -> None:
    name = _program(tmp_path, source)
    done = subprocess.run(_command(name), cwd=tmp_path, env=around, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert ("Traceback" in done.stderr) == (status == 1)


def test_ctrl_c_reaches_the_program_and_it_ends_in_its_own_way(around: dict[str, str], tmp_path: Path) -> None:
    name = _program(tmp_path, WAITS)
    heeding = [sys.executable, "-c", HEEDS, *_command(name)]
    with subprocess.Popen(heeding, cwd=tmp_path, env=around, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        caller.stdout.readline()
        caller.send_signal(signal.SIGINT)
        assert caller.stdout.read() == "put away\n"
    assert caller.returncode == 7


def test_a_caller_that_is_killed_takes_its_program_with_it(around: dict[str, str], tmp_path: Path) -> None:
    name = _program(tmp_path, WAITS)
    with subprocess.Popen(_command(name), cwd=tmp_path, env=around, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        process = int(caller.stdout.readline())
        assert _lives(process)
        caller.kill()
    _until(lambda: not _lives(process))


def test_a_caller_that_goes_without_reading_its_answer_harms_no_other(around: dict[str, str], tmp_path: Path) -> None:
    begins = _program(tmp_path, "print('there')")
    subprocess.run(_command(begins), cwd=tmp_path, env=around, check=True, capture_output=True)
    (tmp_path / "waits.py").write_text(WAITS)
    asked = {"argv": ["waits"], "environment": around, "folder": str(tmp_path), "umask": 0o022}
    with chdir(around[warm.WHERE]), socket.socket(socket.AF_UNIX) as line, Path(os.devnull).open("r+b") as nowhere:
        line.connect(warm.SOCKET)
        socket.send_fds(line, [b" "], [nowhere.fileno()] * 3)
        line.sendall(json.dumps(asked).encode() + b"\n")
        process = json.loads(line.recv(4096, socket.MSG_PEEK))["pid"]
    _until(lambda: not _lives(process))
    again = subprocess.run(_command(begins), cwd=tmp_path, env=around, check=True, capture_output=True, text=True)
    assert again.stdout == "there\n"


def test_what_programs_have_cost_is_written_down(around: dict[str, str], tmp_path: Path) -> None:
    source = "import jax\njax.jit(lambda x: x + 1)(2.0)\nsum(range(3_000_000))\nheld = bytearray(200_000_000)"
    name = _program(tmp_path, source)
    subprocess.run(_command(name), cwd=tmp_path, env=around | {warm.CALLED: "mine"}, check=True)
    table = pd.read_csv(around[warm.COSTS]).set_index("program")
    assert tuple(table.reset_index().columns) == warm.COLUMNS
    first, mine = table.iloc[0], table.loc["mine"]
    assert table.index[0] == "imports"
    assert first["processor_s"] > 1
    assert 0.05 < mine["processor_s"] < first["processor_s"]
    assert mine["wall_s"] > mine["compiled_s"] > 0
    assert mine["peak_mb"] > first["peak_mb"] * 0.5 + 200 * 0.9


def test_where_nobody_listens_a_program_runs_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / warm.LOCK).touch()  # somebody began, and was killed
    monkeypatch.setenv(warm.WHERE, str(tmp_path))
    monkeypatch.setattr(warm, "PATIENCE_S", 0.2)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "argv", ["warm", _program(tmp_path, "import sys; print(sys.argv[1:], __name__)"), "x"])
    warm.main()
    assert capsys.readouterr().out == "['x'] __main__\n"


@pytest.mark.slow
def test_a_notebook_says_the_same_warm_and_cold(around: dict[str, str], tmp_path: Path) -> None:
    cells = ["units = 2", "import matplotlib, numpy as np\nprint(units * np.arange(3), matplotlib.get_backend())"]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    tagged = [new_code_cell(cells[0], metadata={"tags": ["parameters"]}), new_code_cell(cells[1])]
    nbformat.write(new_notebook(cells=tagged, metadata=metadata), tmp_path / "example.ipynb")
    pages = []
    for env, name in ((around, "warm"), ({**around, warm.WHERE: ""}, "cold")):
        command = _command("nem2e_lib.paper.notebooks", "example.ipynb", "page.html", "-p", "units", "7")
        done = subprocess.run(command, cwd=tmp_path, env=env, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        pages.append((tmp_path / "page.html").read_text())
        told = re.search(r"Ran for \d+ s, at most (\d[\d,]*) MB of memory\.", pages[-1])
        assert told, name
        assert 30 < int(told[1].replace(",", "")) < 3000
    assert "[ 0  7 14]" in pages[0]
    same = [re.sub(r"Ran for.*MB", "", page) for page in pages]
    assert same[0] == same[1]
