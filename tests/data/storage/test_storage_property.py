"""The fast and the strict way of reading agree on every text; what is written comes back."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nem2e_lib.data.storage import numbers as storage_body
from nem2e_lib.data.storage.header import unique_labels
from nem2e_lib.data.storage.numbers import parse_body, parse_fast, parse_rows
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError


@pytest.fixture
def eager(monkeypatch):
    """Everything is tried the fast way, however small."""
    monkeypatch.setattr(storage_body, "_FEW_BYTES", 0)
    monkeypatch.setattr(storage_body, "_FEW_ROWS", 0)


def strictly(text: bytes, columns: int) -> np.ndarray | None:
    try:
        return parse_rows(text, 0, len(text), columns, "x.sto")
    except Nem2eError:
        return None


numbers = st.one_of(
    st.floats().map(repr),
    st.floats().map("{:.20f}".format),
    st.floats().map("{:.30e}".format),
    st.integers().map(str),
    st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
odd = st.sampled_from(
    [
        "1_0",
        "0x1",
        "True",
        "false",
        "1d0",
        "1e",
        "1e+",
        ".",
        "-",
        "+",
        "--",
        "1.2.3",
        "1-2",
        "1e5.3",
        "1e5e5",
        "N/A",
        "NULL",
        "nan(",
        "1.#INF",
        "-1.#IND",
        "nan(ind)",
        "NaN",
        "-nan",
        "+NAN",
        "nAn",
        "inf",
        "-Infinity",
        "infin",
        "INF",
        "1,5",
        "1;5",
        "1%",
        "'1'",
        '"1"',
        "#",
        "//",
        "1f",
        "1j",
        "½",
        "١",
        "−1",
        "1\xa00",
        "1\x0b",
        "1\x0c0",
        "\x1c1",
        "\x85",
        "TRUE",
    ]
)
separators = st.sampled_from(["\t", "\t", "\t", " ", "\t\t", " \t ", "\n", "\n", "\n\n", " \n", "\t\n", "\n "])


@st.composite
def bodies(draw, cells):
    count = draw(st.integers(1, 12))
    return "".join(draw(cells) + draw(separators) for _ in range(count)).encode()


@st.composite
def grids(draw, cells):
    columns = draw(st.integers(1, 4))
    lines = draw(st.lists(st.lists(cells, min_size=columns, max_size=columns), min_size=1, max_size=5))
    end = draw(st.sampled_from(["\n", "\t\n", " \n", "\n\n"]))
    return columns, "".join("\t".join(line) + end for line in lines).encode()


@given(bodies(st.one_of(numbers, odd)), st.integers(1, 4))
@example(b"1\tTrue\n", 2)
@example(b"1\t\x0b5\n", 2)
@example(b"1\t2\n3\n", 2)
@example(b"1\t2\n3\t\n", 2)
@example(b"1\t\t2\n", 2)
@example(b"1 2\n\n 3 nan\n", 2)
def test_fast_gives_what_strict_gives_or_nothing(eager, text, columns):
    fast, strict = parse_fast(text, 0, len(text), columns), strictly(text, columns)
    if fast is not None:
        assert strict is not None, "more lenient than strict"
        np.testing.assert_array_equal(fast, strict)
        assert (np.signbit(fast) == np.signbit(strict))[~np.isnan(strict)].all()


def is_number(cell: str) -> bool:
    table = strictly(cell.encode() + b"\n", 1)
    return table is not None and table.size == 1


@given(grids(numbers.filter(is_number)))
@example((1, b"+5E31 \n"))
@settings(max_examples=300)
def test_fast_reads_every_plain_table(eager, grid):
    columns, text = grid
    fast = parse_fast(text, 0, len(text), columns)
    assert fast is not None
    np.testing.assert_array_equal(fast, strictly(text, columns))


@given(numbers)
def test_strict_reads_a_number_as_python_does(cell):
    table = strictly(f"{cell}\n".encode(), 1)
    if table is not None and table.size:
        number = float(cell)
        assert table.item() == number or (math.isnan(number) and math.isnan(table.item()))


@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 4), st.integers(1, 400))
def test_parts_give_what_the_whole_gives(eager, monkeypatch, rows, columns, threads, size):
    monkeypatch.setattr(storage_body, "_THREADS", threads)
    monkeypatch.setattr(storage_body, "PART_BYTES", size)
    monkeypatch.setattr(storage_body, "_LEAST_SHARED", 1)
    table = np.random.default_rng(rows).standard_normal((rows, columns))
    text = b"head\n" + "".join("\t".join(map(repr, row)) + "\n" for row in table.tolist()).encode()
    time, values = parse_body(text, 5, columns, "x.sto")
    np.testing.assert_array_equal(time, table[:, 0])
    np.testing.assert_array_equal(values, table[:, 1:])


@pytest.mark.parametrize("row", [0, 1, 700, 1999])
def test_a_bad_row_is_named_in_whichever_part_it_is(eager, monkeypatch, row):
    monkeypatch.setattr(storage_body, "PART_BYTES", 1000)
    monkeypatch.setattr(storage_body, "_LEAST_SHARED", 1)
    lines = [f"{number}\t{number / 7!r}" for number in range(2000)]
    lines[row] = f"{row}\tx"
    text = "a\nb\n" + "\n".join(lines)
    with pytest.raises(Nem2eError, match=rf"row {row + 1} \(line {row + 3}\): found 'x'"):
        parse_body(text.encode(), 4, 2, "x.sto")


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "time", "b"]), max_size=12))
def test_labels_become_unique_and_the_first_stays(labels):
    renamed = unique_labels(labels)
    assert len({*renamed, "time"}) == len(labels) + 1
    for number, (old, new) in enumerate(zip(labels, renamed, strict=True)):
        assert new == old or (new.startswith(f"{old}_") and (old in labels[:number] or old == "time"))
        assert new == old or new not in labels


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=st.floats(width=64)))
def test_round_trip_is_exact_both_ways(monkeypatch, tmp_path, values):
    table = Storage("x", tuple("abcd"[: values.shape[1]]), np.arange(len(values)) / 3, values)
    path = Path(tmp_path / "x.sto")
    write_storage(path, table)
    for few in (0, 1 << 16):
        monkeypatch.setattr(storage_body, "_FEW_BYTES", few)
        monkeypatch.setattr(storage_body, "_FEW_ROWS", min(few, 300))
        back = read_storage(path)
        assert back.time.tobytes() == table.time.tobytes()
        finite = ~np.isnan(values)
        np.testing.assert_array_equal(np.isnan(back.values), ~finite)
        assert back.values[finite].tobytes() == values[finite].tobytes()


def test_a_large_round_trip_is_exact(tmp_path):
    drawn = np.random.default_rng(3).integers(0, 1 << 64, (20_000, 6), dtype=np.uint64).view(np.float64)
    values = np.where(np.isfinite(drawn), drawn, 0.0)
    table = Storage("x", tuple("abcdef"), np.arange(20_000) / 3, values)
    write_storage(tmp_path / "x.sto", table)
    back = read_storage(tmp_path / "x.sto")
    assert (back.values.tobytes(), back.time.tobytes()) == (values.tobytes(), table.time.tobytes())


@pytest.mark.slow
def test_a_short_guided_search_finds_no_crash(tmp_path):
    pytest.importorskip("atheris", reason="atheris is not installed: pip install nem2e[fuzz]")
    tool = Path(__file__).resolve().parents[3] / "tools" / "fuzz_storage.py"
    command = [
        sys.executable,
        str(tool),
        "-max_total_time=20",
        "-runs=100000",
        "-seed=1",
        f"-artifact_prefix={tmp_path}/",
    ]
    place = {**os.environ, "TMPDIR": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tool.parents[2], env=place)
    assert result.returncode == 0, result.stderr[-3000:]
    assert re.search(r"Done \d{3,} runs", result.stderr)
