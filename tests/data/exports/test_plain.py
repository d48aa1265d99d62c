"""Tables whose program is not known: numbers of any language's settings, and refusals that say all at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nem2e_lib.data.exports.body import read_body
from nem2e_lib.data.exports.channels import units
from nem2e_lib.data.exports.formats import read_export
from nem2e_lib.data.exports.sheet import Sheet, number
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError


def read(tmp_path: Path, text: str, name: str = "walk.csv") -> Storage:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_export(path)


def body(text: str, separator: str = ";") -> np.ndarray:
    lines = tuple(text.split("\n"))
    return read_body(Sheet("walk.csv", lines), (0, None), separator, ["time", "a"]).values


@pytest.mark.parametrize(
    ("text", "separator", "expected"),
    [
        ("0;1.5\n1;2.5", ";", [[0, 1.5], [1, 2.5]]),
        ("0;1,5\n1;2,5", ";", [[0, 1.5], [1, 2.5]]),
        ("0,001;1,234\n0,002;-5,678", ";", [[0.001, 1.234], [0.002, -5.678]]),
        ("0,1;1.234,5\n0,2;1.000,25", ";", [[0.1, 1234.5], [0.2, 1000.25]]),
        ("0,1;1.234,5\n0,2;1.234", ";", [[0.1, 1234.5], [0.2, 1234]]),
        ("0.1;1,234.5\n0.2;12.25", ";", [[0.1, 1234.5], [0.2, 12.25]]),
        ("0.1\t1,234,567\n0.2\t1,234", "\t", [[0.1, 1234567], [0.2, 1234]]),
        ('"0,1","1,5"\n"0,2","2,5"', ",", [[0.1, 1.5], [0.2, 2.5]]),
        ("0;1,5E-05\n1;-2,5e+1", ";", [[0, 1.5e-5], [1, -25]]),
        ("0;\n1;nan\n2;n/a\n3;-1.#IND", ";", [[0, np.nan], [1, np.nan], [2, np.nan], [3, np.nan]]),
        ("0;1\n1;2\n;\n\n", ";", [[0, 1], [1, 2]]),
    ],
)
def test_numbers_of_any_language(text: str, separator: str, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(body(text, separator), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1;1,234\n2;5,678", "line 1, column 2: '1,234' may be 1 and a fraction or thousands"),
        ("0,1;1.234,5\n0,2;1,234.5", "have commas and points in either order"),
        ("0,15;1.234\n0,25;2.5", "line 1, column 2: '1.234' does not fit the others, which have decimal commas"),
        ("0.1;1,234.5\n0.2;1,5", "'1,5' does not fit the others, which have thousands separated by commas"),
        ("0.1;1.234.567\n0.2;2.345", "a spreadsheet leaves numbers it has misread"),
        ("0;1\n1;2;3", "line 2 has 3 cells, but the label line 2"),
        ("0;1\n1", "line 2 has 1 cells, but the label line 2"),
        ("0;1\n\n1;2", "line 2 has 1 cells"),
        ("0;1\n1;#DIV/0!\n2;x", "line 2, column 2 ('a'): found '#DIV/0!' and 1 more such cells, but a number"),
        ("0;1\ntime;a\n0;1", "line 2, column 1 ('time'): found 'time', the labels once more: two recordings"),
        ("0;True\n1;1", "found 'True'"),
        ("0;1_0\n1;1", "found '1_0'"),
    ],
)
def test_numbers_that_can_be_read_in_two_ways_or_none(text: str, message: str) -> None:
    with pytest.raises(Nem2eError) as told:
        body(text)
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1500", 1500), ("2000.4", 2000.4), ("2000,4 Hz", 2000.4), ("1,500", 1500), ("0,00000", 0), (": 1e3", 1000)],
)
def test_numbers_of_a_header(text: str, expected: float) -> None:
    assert number(text) == expected


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Nem2eError) as told:
        body("x1;1\n1;y1\n2;2")
    assert "column 1" in str(told.value)
    assert "column 2" in str(told.value)


def test_commas_that_separate_and_are_decimal_too() -> None:
    with pytest.raises(Nem2eError, match="if decimal commas and separating commas are mixed, export with semicolons"):
        body("0,001,1,5\n0,002,2,5", ",")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 4)), min_size=3, max_size=20),
    st.sampled_from([(".", ",", "\t"), (",", ".", ";"), (",", "", ";"), (".", "", ","), (".", "", ";")]),
)
def test_what_a_language_writes_is_read_back_or_refused(numbers: list[float], marks: tuple[str, str, str]) -> None:
    decimal, thousands, separator = marks

    def written(number: float) -> str:
        text = f"{number:,.4f}" if thousands else f"{number:.4f}"
        return text.replace(",", "T").replace(".", decimal).replace("T", thousands)

    lines = [f"{row}{decimal}0625{separator}{written(number)}" for row, number in enumerate(numbers)]
    np.testing.assert_array_equal(body("\n".join(lines), separator)[:, 1], numbers)


@pytest.mark.parametrize(
    ("head", "scale"),
    [
        ("time;a;b", 1.0),
        ("Time (s);a;b", 1.0),
        ("Time,s;a;b", 1.0),
        ("time_s;a;b", 1.0),
        ("t;a;b", 1.0),
        ("Zeit [s];a;b", 1.0),
        ("Elapsed Time (sec);a;b", 1.0),
        ("Time [ms];a;b", 1e3),
        ("time (milliseconds);a;b", 1e3),
        ("time;a;b\ns;mV;mV", 1.0),
        ("time;a;b\nms;uV;uV", 1e3),
        ("Study of walking\nSubject;4\n\ntime;a;b", 1.0),
    ],
)
@pytest.mark.parametrize("separator", [";", "\t"])
def test_labels_of_time(tmp_path: Path, head: str, scale: float, separator: str) -> None:
    time = np.arange(200) / 1000
    rows = [f"{moment * scale:.4f};{np.sin(row):.6f};{np.cos(row):.6f}" for row, moment in enumerate(time)]
    found = read(tmp_path, "\n".join([head, *rows]).replace(";", separator) + "\n")
    assert found.labels == ("a", "b")
    np.testing.assert_allclose(found.time, time, atol=1e-12)
    np.testing.assert_allclose(found.values[:, 0], np.sin(np.arange(200)), atol=1e-6)
    if "V" in head:
        assert set(units(found).values()) == {"mV" if "mV" in head else "uV"}


def test_counters_and_an_index_are_left_out(tmp_path: Path) -> None:
    rows = [f"{row},{row + 1},{row / 1000:.3f},{np.sin(row):.5f}" for row in range(100)]
    found = read(tmp_path, "\n".join([",Frame,time,R SOL", *rows]))
    assert found.labels == ("R SOL",)
    assert "Left out, counters of rows: 'column 1', 'Frame'." in found.warnings


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Delsys export\na,b\n0,1\n", ("starts with 'Delsys export'", "no line of labels with time")),
        ("EMG1,EMG2\n1,2\n2,3\n", ("no line of labels with time in it", "a column 'time' in s")),
        ("time R SOL\n0.1 1\n0.2 2\n", ("has blanks between its columns; put tabs or semicolons there",)),
        ("time,a\n1,1\n0,1\n", ("line 3: time goes back from 1 to 0 s",)),
        ("time,a\n0,1\n,2\n1,3\n", ("line 3: there is no time in column 1",)),
        ("time,a\n1,1\n1,1\n", ("all rows have the time 1 s",)),
        ("time,a\n0,1\n", ("there are 1 rows",)),
        ("time,a\n0,x\n1,y\n", ("no channel with numbers is left",)),
        ("cycle,emg,phase_pct,value\n0,a,0,1\n0,a,100,1\n", ("is EMG cut into cycles",)),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(Nem2eError) as told:
        read(tmp_path, text)
    for part in parts:
        assert part in str(told.value)


def test_time_without_a_unit_that_cannot_be_seconds(tmp_path: Path) -> None:
    rows = [f"{row},{np.sin(row):.5f}" for row in range(100)]
    with pytest.raises(Nem2eError, match=r"taken in s makes 1 Hz, which no EMG has; if it is in ms"):
        read(tmp_path, "\n".join(["time,R SOL", *rows]))
    with pytest.raises(Nem2eError, match=r"makes 1e\+06 Hz"):
        read(tmp_path, "\n".join(["time (ms),R SOL", *(f"{row / 1000},{np.sin(row)}" for row in range(100))]))


def test_missing_cells_stay_missing_and_are_told(tmp_path: Path) -> None:
    rows = [f"{row / 1000:.3f},{np.sin(row):.5f}" if row != 40 else "0.040," for row in range(100)]
    found = read(tmp_path, "\n".join(["time,R SOL", *rows]))
    assert np.isnan(found.values[40, 0])
    assert np.isfinite(np.delete(found.values, 40)).all()
    assert "Cells without a number were kept as nan, the first at 0.04 s: 'R SOL' (1)." in found.warnings


def test_time_that_its_print_rounds_is_even(tmp_path: Path) -> None:
    rows = [f"{row / 1500:.3f},{np.sin(row):.5f}" for row in range(3001)]
    found = read(tmp_path, "\n".join(["time,R SOL", *rows]))
    np.testing.assert_allclose(found.time, np.arange(3001) / 1500, atol=1e-12)


def test_a_pause_in_the_clock_is_kept(tmp_path: Path) -> None:
    time = np.r_[np.arange(100), np.arange(200, 300)] / 1000
    found = read(tmp_path, "\n".join(["time,R SOL", *(f"{t:.3f},{np.sin(7e3 * t):.5f}" for t in time)]))
    np.testing.assert_allclose(found.time, time)


def test_labels_twice_and_columns_without_label(tmp_path: Path) -> None:
    rows = [f"{row / 1000:.3f},{np.sin(row):.5f},{np.cos(row):.5f}" for row in range(100)]
    found = read(tmp_path, "\n".join(["time,EMG,EMG", *rows]))
    assert found.labels == ("EMG", "EMG_2")
    assert any("renamed" in odd for odd in found.warnings)
    with pytest.raises(Nem2eError, match="line 2 has 3 cells, but the label line 2"):
        read(tmp_path, "\n".join(["time,EMG", *rows]))
