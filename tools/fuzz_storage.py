"""Throw made-up files at the reader of .sto and .mot files, guided by the code they reach.

``python tools/fuzz_storage.py [FOLDER] [-max_total_time=60] [-seed=1]``: options are libFuzzer's; FOLDER keeps what
was found and is used again. It ends with a traceback where a file makes the reader fail otherwise than with one
sentence, where the fast way of reading and the strict one disagree, or where what was read does not come back from a
file that was written of it. Needs ``pip install nem2e[fuzz]``.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nem2e_lib"]):
    from nem2e_lib.data.storage import numbers
    from nem2e_lib.data.storage.numbers import parse_fast, parse_rows
    from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
    from nem2e_lib.error import Nem2eError

SEEDS = (
    b"walk\nversion=1\nnRows=2\nnColumns=3\ninDegrees=no\nendheader\ntime\ta\tb\n0\t1\t2\n0.1\t3\t4e-5\n",
    b"name walk\r\ndatacolumns 3\r\ndatarows 1\r\nrange 0 1\r\nendheader\r\n\r\n  time\t a\t a\t\r\n 0\t1\t2\t\r\n",
    b'"x"\t\t\n"Nrows=2"\t\n"endheader"\n"time"\t"a"\n0\tnan\n.1\t-1.#INF\n',
    b"DataType=Vec3\nversion=3\nendheader\ntime\tf\n0\t1,2,3\n",
    b"UNKNOWN\nnRows=0\nnColumns=1\nendheader\ntime\ndheader\ntime\ta\tb\n0\t1\t2\n0.5\t3\n",
    b"\xef\xbb\xbfx\nendheader\ntime a\n0 +5E31 \n1 nan(ind)\n",
)
WORDS = (
    "endheader",
    "time\\x09",
    "\\x0a",
    "\\x0d\\x0a",
    "inDegrees=",
    "nRows=",
    "DataType=Vec3",
    "datacolumns ",
    "nan",
    "1.#QNAN",
    "inf",
    "e+05",
    "0x1p3",
    "1_0",
    "True",
    "PK\\x03\\x04",
    "\\x1f\\x8b",
    "\\xff\\xfe",
    "=",
    ",",
)
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz_storage_"))


def one(data: bytes) -> None:
    """Read one made-up file, in every way."""
    path = FOLDER / "x.sto"
    path.write_bytes(data)
    try:
        table = read_storage(path)
    except Nem2eError as error:
        if "\n" in str(error):
            raise AssertionError(f"more than one line: {error}") from error
    else:
        _comes_back(table)
    _agree(data)


def _comes_back(table: Storage) -> None:
    if len({"time", *table.labels}) != len(table.labels) + 1:
        raise AssertionError(f"labels are not unique: {table.labels}")
    path = FOLDER / "back.sto"
    try:
        write_storage(path, table)
    except Nem2eError:
        return
    back = read_storage(path)
    same = (back.name, back.labels, back.in_degrees) == (table.name, table.labels, table.in_degrees)
    if not (same and _equal(back.time, table.time) and _equal(back.values, table.values)):
        raise AssertionError(f"{table} came back as {back}")


def _agree(data: bytes) -> None:
    """Read the same as numbers without a header; the length chooses how many columns."""
    columns, body = 1 + len(data) % 3, data.replace(b"\r", b"\n")
    fast = parse_fast(body, 0, len(body), columns)
    if fast is None:
        return
    strict = parse_rows(body, 0, len(body), columns, "x.sto")
    if not _equal(fast, strict):
        raise AssertionError(f"{body!r} was read as {fast} and as {strict}")


def _equal(a: numbers.Array, b: numbers.Array) -> bool:
    """Bit for bit; one NaN is as good as another."""
    return a.shape == b.shape and bool(((a.view("u8") == b.view("u8")) | ((a != a) & (b != b))).all())


def main() -> None:
    """Write the seeds and the dictionary, and start."""
    numbers._FEW_BYTES = numbers._FEW_ROWS = 0
    seeds = FOLDER / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(SEEDS):
        (seeds / str(number)).write_bytes(seed)
    (FOLDER / "words").write_text("".join(f'"{word}"\n' for word in WORDS))
    # Linux counts the peak of the process that started this one as this one's own.
    most = 2048 + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    atheris.Setup([*sys.argv, str(seeds), f"-dict={FOLDER / 'words'}", "-timeout=20", f"-rss_limit_mb={most}"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
