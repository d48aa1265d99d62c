"""Programs on terminals of any encoding, with readers that go away and users who stop them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.terminal import program
from tests.support import lab

ROOT = Path(__file__).resolve().parents[1]
NEM2E = "import sys; from nem2e_lib.cli.main import app; sys.argv[0] = 'nem2e'; app()"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN = {"PYTHONIOENCODING": "latin-1"}


def start(script: str, *words: str, **settings: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | settings
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def said(script: str, *words: str, **settings: str) -> tuple[int, bytes, bytes]:
    process = start(script, *words, **settings)
    out, err = process.communicate(timeout=120)
    assert b"Traceback" not in err, err.decode(errors="replace")
    return process.returncode, out, err


@pytest.mark.parametrize("settings", [ASCII, LATIN], ids=["ascii", "latin-1"])
def test_a_terminal_of_few_characters_gets_what_it_can_show(settings):
    code, out, err = said(
        "import sys; from nem2e_lib.terminal import program\n"
        "with program():\n"
        f"    print({'R² ≥ .9 … ± 1 µV → ü 中'!a})\n"
        "    raise SystemExit(0)",
        **settings,
    )
    assert (code, err) == (0, b"")
    shown = out.decode("latin-1").strip()
    few, more = r"R2 >= .9 ... +- 1 uV -> \xfc \u4e2d", r"R² >= .9 ... ± 1 µV -> ü \u4e2d"
    assert shown == (few if settings is ASCII else more)


@pytest.mark.parametrize("settings", [ASCII, LATIN], ids=["ascii", "latin-1"])
def test_the_command_line_speaks_on_any_terminal(tmp_path, settings):
    folder = lab.study(tmp_path / "Müller")
    (folder / "trials.csv").write_text(
        (folder / "trials.csv")
        .read_text()
        .replace("speed_m_s", "speed_m_s,größe …")
        .replace("free,1.3", "free,1.3,180"),
        encoding="utf-8",
    )
    code, out, _ = said(NEM2E, "study", "check", os.fsencode(folder), **settings)
    assert (code, b"no problem found" in out, b"e ..." in out or "größe …".encode() in out) == (0, True, True)
    assert said(NEM2E, "--help", **settings)[0] == 0
    code, _, err = said(NEM2E, "inspect", os.fsencode(folder / "nö….sto"), **settings)
    assert (code, b"no such file" in err) == (2, True)


def test_a_reader_that_goes_away_is_no_error():
    process = start("from nem2e_lib.terminal import program\nwith program():\n    while True: print('line' * 99)")
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.stderr is not None
    assert (process.wait(timeout=60), process.stderr.read()) == (141, b"")


def test_stopping_takes_a_line():
    process = start(  # whoever starts tests in the background has them ignore Ctrl-C
        "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from nem2e_lib.terminal import program\n"
        "with program():\n    print('begun', flush=True)\n    time.sleep(60)"
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"nem2e: stopped.\n")


def test_a_mistake_is_a_line(capsys):
    with pytest.raises(SystemExit) as left, program():
        raise Nem2eError("a.sto: row 3 is short.")
    assert left.value.code == 2
    assert capsys.readouterr().err == "nem2e: a.sto: row 3 is short.\n"
