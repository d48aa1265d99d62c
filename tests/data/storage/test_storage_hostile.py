"""Files as they come: by mistake, from other programs, cut off, or made to break the reader."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError

HEADER = "walk\nversion=1\nnRows=2\nnColumns=3\ninDegrees=no\nendheader\n"
GOOD = f"{HEADER}time\ta\tb\n0\t1\t2\n0.1\t3\t4\n"
MIB = 1 << 20


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), GOOD)
    return file.getvalue()


def rows(*lines: str) -> str:
    return HEADER + "time\ta\tb\n" + "\n".join(lines) + "\n"


REFUSED = {
    "gzip": (gzip.compress(GOOD.encode(), mtime=0), r"compressed \(gzip\).*unpack it"),
    "bzip2": (bz2.compress(GOOD.encode()), r"compressed \(bzip2\)"),
    "xz": (lzma.compress(GOOD.encode()), r"compressed \(xz\)"),
    "zip": (zipped("walk.sto"), r"compressed \(ZIP archive\).*unpack it"),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel workbook.*export the table as plain text"),
    "utf16": (GOOD.encode("utf-16"), "UTF-16 text.*save it as UTF-8"),
    "utf16_without_mark": (GOOD.encode("utf-16-le"), "binary or UTF-16"),
    "utf32": (GOOD.encode("utf-32"), "UTF-32 text"),
    "c3d": (b"\x02\x50" + bytes(510), "C3D recording.*convert"),
    "mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(90), "MATLAB .mat"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(90), "HDF5"),
    "random": (np.random.default_rng(0).bytes(4000), "binary"),
    "zeros_at_the_end": (GOOD.encode() + bytes(4096), "line 10 holds zero bytes"),
    "empty": (b"", "empty"),
    "blank": (b" \r\n\t\n", "empty"),
    "mark_only": (b"\xef\xbb\xbf", "no line 'endheader'"),
    "trc": (b"PathFileType\t4\t(X/Y/Z)\twalk.trc\nDataRate\n", r"marker file \(.trc\)"),
    "csv": (b"time,a,b\n0,1,2\n0.1,3,4\n", "commas or semicolons"),
    "csv_semicolon": (b"time;a;b\n0;1;2\n0,1;3;4\n", "commas or semicolons"),
    "osim": (b'<?xml version="1.0"?>\n<OpenSimDocument Version="40000">', "OpenSim model or set-up"),
    "login_page": (b"\n<!DOCTYPE html><html><body>Log in</body></html>", "web page.*download"),
    "lfs_pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    "rtf": (rb"{\rtf1\ansi walk}", "rich text"),
    "json": (b'{"time": [0, 1]}', "JSON"),
    "no_header": (b"time\ta\tb\n0\t1\t2\n", "without a header.*'endheader'"),
    "cut_in_the_header": (GOOD[:30].encode(), "no line 'endheader'"),
    "endheader_not_alone": (GOOD.replace("endheader\n", "endheader "), "no line 'endheader'.*stands alone"),
    "no_time": (GOOD.replace("time\ta", "frame\ta"), "no column 'time'.*'frame"),
    "time_in_the_middle": (GOOD.replace("time\ta", "a\ttime"), "no column 'time'"),
    "time_with_unit": (GOOD.replace("time\ta", "time (s)\ta"), r"labelled 'time \(s\)', but 'time'"),
    "time_with_unit_only": (GOOD.replace("time\ta", "Time[s]\ta"), r"labelled 'Time\[s\]'"),
    "no_labels": (HEADER + "0\t1\t2\n", "no column 'time'"),
    "nothing_after_header": (HEADER, "no column 'time'"),
    "labels_by_comma": (HEADER + "time,a,b\n0,1,2\n", "no column 'time'.*separate them by tabs"),
    "decimal_comma": (rows("0\t1\t2", "0,1\t3\t4"), r"row 2 \(line 9\): found '0,1' with a decimal comma"),
    "decimal_comma_exponent": (rows("0\t1,5e-3\t2"), "'1,5e-3' with a decimal comma"),
    "commas_between": (rows("0,1,2"), "found '0,1,2', but numbers are expected, separated by tabs"),
    "short_row": (rows("0\t1\t2", "0.1\t3"), r"row 2 \(line 9\): found 2 values.*3 columns.*cut off"),
    "long_row": (rows("0\t1\t2\t3"), r"row 1 \(line 8\): found 4 values.*3 columns"),
    "joined_rows": (rows("0\t1\t2\t0.1\t3\t4"), "found 6 values.*two rows may have run into one"),
    "empty_cell": (rows("0\t\t2"), "found 2 values.*a cell empty"),
    "no_label_but_time": (HEADER + "time\n0\t1\t2\n", "names 1 columns.*overwritten or lost"),
    "backwards": (rows("0.1\t1\t2", "0\t3\t4"), r"row 2: time runs backwards from 0\.1 to 0\.0 s"),
    "time_nan": (rows("0\t1\t2", "nan\t3\t4"), "row 2: time is nan"),
    "time_infinite": (rows("0\t1\t2", "1e999\t3\t4"), "row 2: time is inf"),
    "fortran": (rows("0\t1.0D+00\t2"), "'1.0D[+]00' with a Fortran exponent; write E instead of D"),
    "hexadecimal": (rows("0\t0x1p3\t2"), "'0x1p3', but a number"),
    "underscore": (rows("0\t1_000\t2"), "'1_000', but a number"),
    "thousands": (rows("0\t1,000.5\t2"), "'1,000.5', but numbers"),
    "no_break_space": (rows("0\t1\u00a0000\t2"), "but a number"),
    "arabic_digits": (rows("0\t\u0661\t2"), "but a number"),
    "minus_sign": (rows("0\t\u22121\t2"), "'\u22121', but a number"),
    "vertical_tab": (rows("0\t1\v2"), "found .* values|but a number"),
    "true": (rows("0\tTrue\t2"), "'True', but a number"),
    "not_available": (rows("0\tN/A\t2"), "'N/A', but a number.*nan where there is none"),
    "quoted_number": (rows('0\t"1"\t2'), "but a number"),
    "percent": (rows("0\t10%\t2"), "'10%', but a number"),
    "dots": (rows("0\t1.2.3\t2"), "'1.2.3', but a number"),
    "signs": (rows("0\t1-2\t2"), "'1-2', but a number"),
    "no_exponent": (rows("0\t1e\t2"), "'1e', but a number"),
    "dot": (rows("0\t.\t2"), "but a number"),
    "comment_row": (rows("0\t1\t2", "# pause"), "comments may stand above 'endheader' only"),
    "units_row": (rows("s\tN\tN", "0\t1\t2"), "row 1 .*found 's', but a number"),
    "two_tables": (GOOD + GOOD, "two tables in one file"),
    "in_degrees": (GOOD.replace("=no", "=perhaps"), "inDegrees=perhaps, but yes or no"),
    "in_degrees_twice": (GOOD.replace("inDegrees=no", "inDegrees=no\nindegrees=yes"), "'no' and 'yes'; keep"),
    "data_type": (GOOD.replace("version=1", "DataType=Matrix"), "DataType=Matrix, but double or Vec3"),
    "huge_label": (GOOD.replace("inDegrees=no", "inDegrees=" + "\x1b[2J" * 9999), "but yes or no"),
    "many_columns": (HEADER + "time" + "\ta" * 150_000 + "\n", "names 150001 columns, but at most 100000"),
    "carriage_returns_cut": (GOOD.replace("\n", "\r")[:-1] + "\t5\r", "found 4 values"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_one_sentence_with_exit_code_2(tmp_path, name):
    content, message = REFUSED[name]
    path = tmp_path / "x.sto"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(Nem2eError, match=message) as caught:
        read_storage(path)
    told = str(caught.value)
    assert told.startswith(f"{path}: ")
    assert told.endswith(".")
    assert told.isprintable()
    assert len(told) < 400 + len(str(path))
    result = CliRunner().invoke(app, ["inspect", str(path)])
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"nem2e: {told}\n")


READ = {
    "versions": [GOOD.replace("version=1", f"version={number}") for number in (0, 1, 2, 3, 4)],
    "line_ends": [GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r"), GOOD.rstrip("\n")],
    "mixed_line_ends": [GOOD.replace("\n", "\r\n", 4)],
    "quoted": [
        "".join('"' + line.replace("\t", '"\t"') + '"\t\t\n' for line in GOOD.splitlines()[:-2]) + "0\t1\t2\n.1\t3\t4\n"
    ],
    "separators": [GOOD.replace("\t", by) for by in ("  ", " \t", "\t ")] + [rows("0\t\t1 \t 2", "0.1 3\t4")],
    "trailing": [GOOD.replace("2\n", "2\t\n").replace("4\n", "4 \t\n"), GOOD.replace("b\n", "b\t\n")],
    "leading": [GOOD.replace("\n0", "\n  \t0").replace("time", "  time")],
    "blank_lines": [GOOD.replace("\n0", "\n\n \t\n0"), GOOD + "\n\t\n\n", GOOD.replace("endheader\n", "endheader\n\n")],
    "numbers": [rows("0e0\t+1\t2.", "1E-01\t3.0e+0\t.4E1"), rows("-0\t0001\t2", "0.1\t3\t4.000000000000000000000")],
    "keys": [
        GOOD.replace("inDegrees=no", key)
        for key in (
            "INDEGREES=NO ",
            "inDegrees = no",
            "indegrees=\tfalse",
            'inDegrees="no"',
            "inDegrees no",
            "InDegrees=0",
        )
    ],
    "counts": [GOOD.replace("nRows=2", "NROWS = 2").replace("nColumns", "NCOLUMNS"), GOOD.replace("=2", "=002")],
    "mark": ["\ufeff" + GOOD],
    "comments": [GOOD.replace("endheader", "# measured on Monday\n// by us\n\nendheader")],
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read_without_a_warning(tmp_path, name):
    for text in READ[name]:
        (tmp_path / "x.sto").write_bytes(text.encode())
        table = read_storage(tmp_path / "x.sto")
        assert (table.labels, table.in_degrees, table.warnings) == (("a", "b"), False, ()), text
        np.testing.assert_array_equal(table.time, [0, 0.1])
        np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (GOOD.replace("nRows=2", "nRows=1000000000000"), ["states 1000000000000 rows, but 2 were found and read"]),
        (GOOD.replace("nRows=2", "nRows=-1"), ["states '-1' rows, but 2"]),
        (GOOD.replace("nRows=2", "nRows=many"), ["states 'many' rows, but 2"]),
        (GOOD.replace("nColumns=3", "nColumns=4"), ["states 4 columns, but 3"]),
        (GOOD.replace("nRows=2", "nRows=2\nnRows=3"), ["more than one entry 'nRows'", "states 3 rows, but 2"]),
        (GOOD.replace("version=1", "version=9"), ["version='9', but versions 1 to 4 are known"]),
        (GOOD.replace("time\ta", "TIME\ta"), ["labelled 'TIME'"]),
        (GOOD.replace("\n0.1", "\n0"), ["Time 0 s occurs more than once, first again in row 2"]),
        (GOOD.replace("1\t2", "nan\t-inf"), ["not finite: 2, the first in column 'a' at 0 s"]),
        (GOOD.replace("1\t2", "1.#QNAN\t-nan(ind)"), ["not finite: 2, the first in column 'a' at 0 s"]),
        (GOOD.replace("1\t2", "1.#INF\t1e400"), ["not finite: 2, the first in column 'a' at 0 s"]),
        (GOOD.replace("time\ta", "units\ntime\ta"), ["stand 1 lines that were not read: 'units'"]),
        (GOOD.replace("\ta\tb", "\ta\ta"), ["label 'a' occurs more than once; one was renamed 'a_2'"]),
    ],
)
def test_what_is_read_with_a_warning(tmp_path, text, warnings):
    (tmp_path / "x.sto").write_text(text)
    table = read_storage(tmp_path / "x.sto")
    assert table.values.shape == (2, 2)
    assert len(table.warnings) == len(warnings)
    assert all(part in told for part, told in zip(warnings, table.warnings, strict=True))


def test_repeated_labels_are_told_in_one_sentence(tmp_path):
    markers = [name for name in ("LASI", "RASI", "SACR", "LKNE", "RKNE", "LANK") for _ in range(3)]
    lines = ["name GIL06_free2.mot", "datacolumns 19", "datarows 1", "range 0.0 0.0", "endheader", ""]
    padded = "\t".join(f"{name:>20}" for name in ("time", *markers))
    row = "\t".join(f"{number:20.8f}" for number in range(19))
    (tmp_path / "x.mot").write_text("\n".join([*lines, padded + "\t", row + "\t"]) + "\n")
    table = read_storage(tmp_path / "x.mot")
    assert table.labels[:6] == ("LASI", "LASI_2", "LASI_3", "RASI", "RASI_2", "RASI_3")
    assert table.values.tolist() == [[float(number) for number in range(1, 19)]]
    assert len(table.warnings) == 1
    assert "'LASI', 'RASI', 'SACR', 'LKNE', 'RKNE' … (6) occur more than once" in table.warnings[0]
    assert (table.name, table.metadata) == ("GIL06_free2.mot", {"range": "0.0 0.0"})


def test_many_repeated_labels_take_no_time(tmp_path):
    (tmp_path / "x.sto").write_text(HEADER + "time" + "\ta" * 99_999 + "\n")
    labels = read_storage(tmp_path / "x.sto").labels
    assert labels[-1] == "a_99999"


def test_vectors_with_a_repeated_label_stay_apart(tmp_path):
    (tmp_path / "x.sto").write_text("DATATYPE=Vec3\nendheader\ntime\ta\ta_1\n0\t1,2,3\t4,5,6\n")
    table = read_storage(tmp_path / "x.sto")
    assert len(set(table.labels)) == 6
    assert table.values.tolist() == [[1, 2, 3, 4, 5, 6]]


def test_odd_places(tmp_path):
    os.mkfifo(tmp_path / "pipe.sto")
    (tmp_path / "dangling.sto").symlink_to("nowhere")
    (tmp_path / "loop.sto").symlink_to("loop.sto")
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe.sto", "pipe or device"),
        (Path("/dev/zero"), "pipe or device"),
        (tmp_path / "none.sto", "no such file"),
        (tmp_path / "dangling.sto", "no such file"),
        (tmp_path / "loop.sto", "cannot be opened"),
        (tmp_path / "none.sto" / "x.sto", "no such file"),
        ("x\0.sto", "cannot be opened"),
        (tmp_path / ("x" * 300), "cannot be opened"),
    ):
        with pytest.raises(Nem2eError, match=message):
            read_storage(path)


def test_names_that_are_not_utf8(tmp_path):
    path = os.fsencode(tmp_path) + b"/l\xe4ufer.sto"
    Path(os.fsdecode(path)).write_bytes(GOOD.replace("walk", "läuft").replace("\ta\t", "\tknöchel\t").encode("latin-1"))
    command = [sys.executable, "-c", "from nem2e_lib.cli.main import app; app()", "inspect", path]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 0
    assert "knöchel" in result.stdout.decode()
    assert "Latin-1" in result.stdout.decode()
    Path(os.fsdecode(path)).write_text("no table")
    result = subprocess.run(command, capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.count(b"\n") == 1
    assert result.stderr.startswith(b"nem2e: ")


def test_a_file_too_large_is_refused_unread(tmp_path):
    with (tmp_path / "x.sto").open("wb") as file:
        file.write(GOOD.encode())
        file.truncate(3 << 30)
    with pytest.raises(Nem2eError, match=r"is 3\.0 GiB large, but at most 2 GiB are read; split it"):
        read_storage(tmp_path / "x.sto")


LIMITED = """
import resource, sys
from pathlib import Path
import pandas, numpy
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError

room, sound, *paths = sys.argv[1:]
read_storage(sound)
resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
for path in paths:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + eval(room, {"size": Path(path).stat().st_size})
    resource.setrlimit(resource.RLIMIT_AS, (limit, -1))
    try:
        told = ("read", read_storage(path).values.shape)
    except Nem2eError as error:
        told = ("refused", error)
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    print(*told)
"""
HEAD = b"x\nendheader\ntime\ta\n"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory limits are those of Linux")


def at_most(room: str, tmp_path: Path, paths: list[Path]) -> list[str]:
    """What comes of reading files with `room` bytes of memory beyond those of a Python that has read one."""
    sound = tmp_path / "sound.sto"
    write_storage(sound, Storage("x", ("a",), np.arange(1e5), np.arange(1e5)[:, None]))
    command = [sys.executable, "-c", LIMITED, room, str(sound), *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@on_linux
def test_a_file_that_looks_like_a_gigabyte_is_refused_from_its_head(tmp_path):
    cases = (
        (b"walk\nversion=1\nnRows=1000000000000\n", "binary"),
        (b"walk\n" + b"k=1\n" * MIB, "no line 'endheader' found in its first 2 MiB"),
        (b"walk" * MIB, "no line 'endheader' found in its first 2 MiB"),
        (b"x\nendheader\n" + b"\n" * 3 * MIB, "no column 'time'"),
        (b"x\nendheader\ntime\t" + b"a" * 3 * MIB, "labels reach beyond the first 2 MiB"),
    )
    paths = [tmp_path / f"{number}.sto" for number in range(len(cases))]
    for path, (start, _) in zip(paths, cases, strict=True):
        with path.open("wb") as file:
            file.write(start)
            file.truncate(1 << 30)
    told = at_most(str(100 * MIB), tmp_path, paths)
    assert [message in line for (_, message), line in zip(cases, told, strict=True)] == [True] * len(cases), told


@on_linux
@pytest.mark.slow
def test_memory_stays_within_twenty_times_the_file(tmp_path):
    cases = (
        (HEAD + b"0\t1\n" * 2 * MIB, "read (2097152, 1)"),
        (HEAD + b"0\t1\t\n" * 2 * MIB, "read (2097152, 1)"),
        (HEAD + b"0 nan\n" * MIB, "read (1048576, 1)"),
        (HEAD + b"0\t-1.#IND\n" * MIB, "read (1048576, 1)"),
        (b"x\nendheader\ntime\n" + b"0\n" * 4 * MIB, "read (4194304, 0)"),
        (HEAD + b"\n" * 8 * MIB, "read (0, 1)"),
        (HEAD + b"0\t" * 4 * MIB, "found 4194304 values"),
        (HEAD + b"0\t1" + b"0" * 8 * MIB, "read (1, 1)"),
        (HEAD + b"0\t1\n" * 2 * MIB + b"0\tx\n", "row 2097153 (line 2097156): found 'x'"),
        (b"DataType=Vec3\n" + HEAD + b"0\t1,2,3\n" * MIB, "read (1048576, 3)"),
        (b"x\nendheader\ntime" + b"\ta" * 99_999 + b"\n" + b"0\t" * 100_000 + b"\n", "read (1, 99999)"),
        (b"x\nendheader\ntime" + b"\ta" * 99_999 + b"\n" + b"0\t" * 4 * MIB, "found 4194304 values"),
    )
    paths = [tmp_path / f"{number}.sto" for number in range(len(cases))]
    for path, (content, _) in zip(paths, cases, strict=True):
        path.write_bytes(content)
    told = at_most(f"{64 * MIB} + 20 * size", tmp_path, paths)
    assert [message in line for (_, message), line in zip(cases, told, strict=True)] == [True] * len(cases), told


@on_linux
def test_memory_that_runs_out_is_one_sentence(tmp_path):
    (tmp_path / "x.sto").write_bytes(HEAD + b"0\t1\n" * 2 * MIB)
    (told,) = at_most(str(12 * MIB), tmp_path, [tmp_path / "x.sto"])
    assert "does not fit into memory; split it" in told


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.sto"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(Nem2eError, match="cannot be written"):
            write_storage(path, Storage("x", ("a",), np.arange(1e4), np.ones((10_000, 1))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
