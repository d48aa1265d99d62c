from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nem2e_lib.data.storage.storage import Storage, describe_storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError

GOOD = "walk\nversion=1\nnRows=2\nnColumns=3\ninDegrees=no\nendheader\ntime\ta\tb\n0\t1\t2\n0.1\t3\t4\n"


def read(folder: Path, text: str | bytes) -> Storage:
    path = folder / "x.sto"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_storage(path)


def with_table(table: str, header: str = "walk\nversion=1\n") -> str:
    return f"{header}endheader\n{table}"


def test_plain_file(tmp_path):
    table = read(tmp_path, GOOD)
    assert (table.name, table.labels, table.in_degrees, table.warnings) == ("walk", ("a", "b"), False, ())
    np.testing.assert_array_equal(table.time, [0, 0.1])
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(table.column("b"), [2, 4])
    with pytest.raises(Nem2eError, match="no column 'c'"):
        table.column("c")


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "\ufeff" + GOOD,
        GOOD.replace("\t", "\t\t   "),
        GOOD.replace("\t", "  "),
        GOOD.replace("endheader", "endheader\t"),
        GOOD.replace("endheader\n", "endheader\n\n"),
        GOOD.replace("\n0\t1\t2", "\n  0\t 1\t2\t\t") + "\n\n",
        GOOD.replace("version=1\n", "").replace("nRows=2\nnColumns=3\n", ""),
        GOOD.rstrip("\n"),
        '"walk"\t\t\n"Nrows=2"\t\n"nColumns=3"\n"endheader"\t\n"time"\t"a"\t"b"\n0\t1\t2\n.1\t3\t4\n',
        "name walk\ndatacolumns 3\ndatarows 2\nrange 0 0.1\nendheader\n   time a\t b\n0 1 2\n0.1 3 4\n",
    ],
)
def test_spellings_of_one_table(tmp_path, text):
    table = read(tmp_path, text)
    assert (table.name, table.labels) == ("walk", ("a", "b"))
    np.testing.assert_array_equal(table.time, [0, 0.1])
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])
    assert all("no label" in warning for warning in table.warnings)


@pytest.mark.parametrize(("said", "is_so"), [("yes", True), ("YES", True), ("No", False), ("true", True)])
def test_in_degrees(tmp_path, said, is_so):
    assert read(tmp_path, GOOD.replace("inDegrees=no", f"INDEGREES = {said}")).in_degrees is is_so


def test_in_degrees_is_false_where_the_header_does_not_say(tmp_path):
    assert read(tmp_path, GOOD.replace("inDegrees=no\n", "")).in_degrees is False


def test_empty_table(tmp_path):
    facts = describe_storage(read(tmp_path, "controls\nnRows=0\nnColumns=1\nendheader\ntime\n"))
    assert (facts["rows"], facts["columns"], facts["time_start"], facts["time_end"]) == (0, 1, None, None)


def test_labels_keep_blanks_where_tabs_separate(tmp_path):
    assert read(tmp_path, with_table("time\tleft knee\tb c\n0\t1\t2\n")).labels == ("left knee", "b c")


def test_header_entries_and_free_text(tmp_path):
    table = read(tmp_path, with_table("time\ta\n0\t1\n", "x\nOpenSimVersion=4.5\n\nUnits are SI.\nDone.\n"))
    assert table.metadata == {"OpenSimVersion": "4.5", "text": "Units are SI.\nDone."}


def test_name_may_be_missing(tmp_path):
    assert read(tmp_path, with_table("time\ta\n0\t1\n", "\nversion=3\nDataType=double\n")).name == ""


DAMAGED = "UNKNOWN\nnRows=0\nnColumns=1\nendheader\ntime\ndheader\ntime\ta\tb\n0\t1\t2\n"


def test_overwritten_header(tmp_path):
    table = read(tmp_path, DAMAGED)
    assert (table.labels, table.values.tolist()) == (("a", "b"), [[1.0, 2.0]])
    assert len(table.warnings) == 1
    assert "overwritten" in table.warnings[0]


def test_overwritten_header_with_a_row_cut_off(tmp_path):
    table = read(tmp_path, DAMAGED + "0.5\t3\n")
    assert table.values.tolist() == [[1.0, 2.0]]
    assert "time 0.5 s, is cut off after 2 of 3 values; it was left out" in table.warnings[1]


def test_vectors_become_columns(tmp_path):
    table = read(tmp_path, with_table("time\tf\tm\n0\t1,2,3\t4,5,6\n", "DataType=Vec3\nversion=3\n"))
    assert table.labels == ("f_1", "f_2", "f_3", "m_1", "m_2", "m_3")
    assert table.values.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert table.metadata["DataType"] == "double"
    assert "split into 3" in table.warnings[0]


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (("nRows=2", "nRows=7"), "states 7 rows, but 2 were found"),
        (("nColumns=3", "nColumns=9"), "states 9 columns, but 3 were found"),
        (("time\ta\tb", "time\ta\ta"), "'a' occurs more than once; one was renamed 'a_2'"),
        (("time\ta\tb", "Time\ta\tb"), "labelled 'Time'"),
        (("0.1\t3", "0\t3"), "Time 0 s occurs more than once, first again in row 2"),
        (("3\t4", "3\tnan"), "not finite: 1, the first in column 'b' at 0.1 s"),
        (("3\t4", "-1.#IND\t1.#INF"), "not finite: 2, the first in column 'a' at 0.1 s"),
        (("3\t4", "-nan(ind)\t4"), "not finite: 1, the first in column 'a'"),
    ],
)
def test_oddities_are_told(tmp_path, change, warning):
    assert any(warning in told for told in read(tmp_path, GOOD.replace(*change)).warnings)


def test_windows_infinity_keeps_its_sign(tmp_path):
    assert read(tmp_path, GOOD.replace("3\t4", "-1.#INF\t1.#INF00")).values[1].tolist() == [-np.inf, np.inf]


def test_renamed_labels_never_collide(tmp_path):
    labels = read(tmp_path, with_table("time\ta\ta_2\ta\ttime\ta\n0\t1\t2\t3\t4\t5\n")).labels
    assert len(set(labels)) == 5
    assert labels[:2] == ("a", "a_2")
    assert "time" not in labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("endheader\n", ""), "no line 'endheader'"),
        (GOOD.replace("time\ta", "frame\ta"), "no column 'time'.*'frame"),
        (GOOD.replace("0.1\t3\t4", "0.1\t3"), r"row 2 \(line 9\): found 2 values.*3 columns"),
        (GOOD.replace("0.1\t3\t4", "0.1\t\t4"), r"row 2 \(line 9\): found 2 values"),
        (GOOD.replace("0\t1\t2", "0\t1\t2\t3"), r"row 1 \(line 8\): found 4 values"),
        (GOOD.replace("1\t2", "1\t2\t3").replace("3\t4", "3\t4\t5"), r"row 1 \(line 8\): found 4 values"),
        (GOOD.replace("3\t4", "3\t4,5"), r"row 2 \(line 9\): found '4,5' with a decimal comma"),
        (GOOD.replace("3\t4", "3\tx"), r"row 2 \(line 9\): found 'x', but a number"),
        (GOOD.replace("3\t4", "3\t1_0"), "found '1_0', but a number"),
        (GOOD.replace("0.1\t", "-1\t"), "row 2: time runs backwards from 0.0 to -1.0"),
        (GOOD.replace("0.1\t", "nan\t"), "row 2: time is nan"),
        (GOOD.replace("inDegrees=no", "inDegrees=maybe"), "inDegrees=maybe, but yes or no"),
        (GOOD + GOOD, "two tables in one file"),
        (with_table("time\ta\n0\t1,2\n", "DataType=Vec3\n"), "column 'a': found '1,2', but 3 numbers"),
        (with_table("time\ta\n0\t1\n", "DataType=Matrix\n"), "DataType=Matrix, but double or Vec3"),
        (GOOD.replace("1\t2", "1\t2\0"), "binary or damaged: line 8 holds zero bytes"),
        (gzip.compress(GOOD.encode(), mtime=0), "compressed"),
        (GOOD.encode("utf-16"), "is UTF-16 text.*save it as UTF-8"),
        (GOOD.encode("utf-16-le"), "binary or UTF-16"),
        ("", "empty"),
        (" \n\n", "empty"),
    ],
)
def test_refusals_name_the_place(tmp_path, text, message):
    with pytest.raises(Nem2eError, match=message) as caught:
        read(tmp_path, text)
    assert "x.sto" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(Nem2eError, match="no such file"):
        read_storage(tmp_path / "no.sto")
    with pytest.raises(Nem2eError, match="is a folder"):
        read_storage(tmp_path)


def test_latin1_is_read_with_a_warning(tmp_path):
    table = read(tmp_path, GOOD.replace("walk", "Läufer").encode("latin-1"))
    assert table.name == "Läufer"
    assert "Latin-1" in table.warnings[0]


safe = st.from_regex(r"[A-Za-z0-9_./|][\w./| -]{0,20}[\w./|]", fullmatch=True)
wild = st.text(min_size=1, max_size=12)


@st.composite
def tables(draw, names):
    labels = draw(st.lists(names.filter(lambda text: text.lower() != "time"), unique=True, max_size=4))
    time = np.sort(draw(hnp.arrays(np.float64, st.integers(0, 5), elements=st.floats(-1e6, 1e6))))
    values = draw(hnp.arrays(np.float64, (len(time), len(labels))))
    metadata = {"made": "by hand", "text": "Two words."}
    return Storage("walk " + draw(names), tuple(labels), time, values, draw(st.booleans()), metadata)


def assert_comes_back(path, table):
    back = read_storage(path)
    assert (back.name, back.labels, back.in_degrees) == (table.name, table.labels, table.in_degrees)
    assert back.metadata == table.metadata
    np.testing.assert_array_equal(back.time, table.time)
    np.testing.assert_array_equal(back.values, table.values)
    numbers = ~np.isnan(table.values)
    assert back.values[numbers].tobytes() == table.values[numbers].tobytes()  # the sign of zero, too


@given(tables(safe))
def test_round_trip_is_exact(tmp_path, table):
    write_storage(tmp_path / "x.sto", table)
    assert_comes_back(tmp_path / "x.sto", table)


@given(tables(wild))
def test_any_text_comes_back_or_is_refused(tmp_path, table):
    path = tmp_path / "x.sto"
    path.unlink(missing_ok=True)
    with suppress(Nem2eError):
        write_storage(path, table)
    if path.exists():
        assert_comes_back(path, table)
    assert {file.name for file in tmp_path.iterdir()} <= {"x.sto"}


def test_seventeen_digits_come_back(tmp_path):
    values = np.array([[0.1 + 0.2], [5e-324], [1.7976931348623157e308]])
    write_storage(tmp_path / "x.sto", Storage("x", ("a",), np.arange(3.0), values))
    assert read_storage(tmp_path / "x.sto").values.tobytes() == values.tobytes()


def test_written_header_is_opensim_4(tmp_path):
    table = Storage("walk", ("a", "b"), np.zeros(1), np.ones((1, 2)), in_degrees=True)
    write_storage(tmp_path / "x.sto", table)
    assert (tmp_path / "x.sto").read_text() == (
        "walk\nversion=1\nnRows=1\nnColumns=3\ninDegrees=yes\nendheader\ntime\ta\tb\n0.0\t1.0\t1.0\n"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (Storage("x", ("a", "a"), np.zeros(1), np.ones((1, 2))), "cannot stand"),
        (Storage("x", ("a\tb",), np.zeros(1), np.ones((1, 1))), "cannot stand"),
        (Storage("x", ("time",), np.zeros(1), np.ones((1, 1))), "cannot stand"),
        (Storage("\udcff", ("a",), np.zeros(1), np.ones((1, 1))), "cannot stand"),
        (Storage("x\0", ("a",), np.zeros(1), np.ones((1, 1))), "cannot stand"),
        (Storage("x=1", ("a",), np.zeros(1), np.ones((1, 1))), "cannot stand"),
        (Storage("x", ("a",), np.zeros(1), np.ones((1, 1)), metadata={"k": "1\n2"}), "cannot stand"),
        (Storage("x", ("a",), np.zeros(1), np.ones((2, 1))), r"shape \(2, 1\), but \(1, 1\)"),
        (Storage("x", ("a",), np.array([1.0, 0.0]), np.ones((2, 1))), "backwards"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(tmp_path, table, message):
    with pytest.raises(Nem2eError, match=message):
        write_storage(tmp_path / "x.sto", table)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.sto"
    path.write_text("old")
    monkeypatch.setattr("nem2e_lib.data.storage.storage._head", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_storage(path, Storage("x", ("a",), np.zeros(1), np.ones((1, 1))))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_folder_to_write_in(tmp_path):
    with pytest.raises(Nem2eError, match="cannot be written"):
        write_storage(tmp_path / "no" / "x.sto", Storage("x", ("a",), np.zeros(1), np.ones((1, 1))))


piece = st.sampled_from(
    ["endheader", "time", "\t", "\n", " ", "0", "1.5", "nan", ",", '"', "=", "nRows", "DataType=Vec3", "\r"]
)


@given(st.one_of(st.lists(piece, max_size=60).map("".join), st.text(max_size=200)))
def test_hostile_text_ends_in_a_table_or_a_sentence(tmp_path, text):
    with suppress(Nem2eError):
        table = read(tmp_path, text.encode("utf-8", "surrogatepass"))
        assert table.values.shape == (len(table.time), len(table.labels))


@given(st.binary(max_size=100), st.integers(0, len(GOOD)))
def test_hostile_bytes_in_a_sound_file(tmp_path, junk, place):
    with suppress(Nem2eError):
        table = read(tmp_path, GOOD[:place].encode() + junk + GOOD[place:].encode())
        assert len(set(table.labels)) == len(table.labels)
        assert (np.diff(table.time) >= 0).all()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "shape", "in_degrees", "odd"),
    [
        ("DoublePendulum_controls.sto", (2, 6), False, 0),
        ("SinglePin_controls.sto", (0, 0), False, 0),
        ("forces-in-subdir.mot", (2, 6), True, 0),
        ("sampleOutputsVec3.sto", (471, 6), False, 1),
        ("emg_empty_first_line.sto", (2341, 8), False, 0),
        ("gait10dof18musc_ik_CRLF_line_ending.mot", (15, 10), True, 0),
        ("muscle_emg.sto", (11, 1), False, 0),
        ("opensim46_cmc_states_good_header.sto", (40, 230), False, 0),
        ("opensim46_cmc_states_damaged_header.sto", (28, 230), False, 2),
    ],
)
def test_files_met_in_the_wild(realdata, name, shape, in_degrees, odd):
    table = read_storage(realdata / "sto_samples" / name)
    assert (table.values.shape, table.in_degrees, len(table.warnings)) == (shape, in_degrees, odd)


@pytest.mark.realdata
def test_an_overwritten_header_loses_no_label_and_no_whole_row(realdata):
    folder = realdata / "sto_samples"
    damaged = read_storage(folder / "opensim46_cmc_states_damaged_header.sto")
    good = read_storage(folder / "opensim46_cmc_states_good_header.sto")
    assert damaged.labels == good.labels
    np.testing.assert_array_equal(damaged.values, good.values[:28])


@pytest.mark.realdata
def test_every_real_table_comes_back(realdata, tmp_path):
    paths = [path for path in realdata.rglob("*") if path.suffix in (".sto", ".mot")]
    assert len(paths) > 20
    for path in paths:
        table = read_storage(path)
        write_storage(tmp_path / "x.sto", table)
        assert_comes_back(tmp_path / "x.sto", table)
