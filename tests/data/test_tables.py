"""Tables that people type and spreadsheets save: read as they are meant, or refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.tables import near, number_problems, numbers, read_table, stray_columns, whole_numbers
from nem2e_lib.error import Nem2eError
from tests.support import lab

PLAIN = "trial,n\na,1\nb,2\n"
HEADER = "trial,subject,speed,speed_m_s,activation,emg,grf\n"


def table(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace("\n", ",,\n").replace("n,,", "n"),
        "trial\u00a0, n \na ,\u00a01\n b\t,2\u200b\n",
        "sep=,\n" + PLAIN,
        '"trial", "n"\n"a", "1"\n"b", "2"\n',
        PLAIN + ",\n\n , \n",
        "\n\n" + PLAIN,
    ],
)
def test_what_spreadsheets_and_people_leave(tmp_path: Path, text: str) -> None:
    path = table(tmp_path, text)
    read = read_table(path, ("trial", "n"), ("more",))
    assert read.to_dict("list") == {"trial": ["a", "b"], "n": ["1", "2"], "more": ["", ""]}
    assert stray_columns(path, ("trial", "n")) == []
    np.testing.assert_array_equal(whole_numbers(path, read, "n"), [1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAIN.replace(",", ";"), "separated by semicolons, but commas are expected, and numbers with a decimal point"),
        ("sep=;\n" + PLAIN.replace(",", ";"), "separated by semicolons"),
        (PLAIN.replace(",", "\t"), "separated by tabs"),
        ("trial,n\na,1,5\nb,2\nc,2,5\n", "line 2, 4: rows have more cells than the header; .* numbers have a decimal"),
        ("trial,n,n\na,1,2\n", "column 'n' occurs more than once; keep one of them"),
        ('trial,n\n"a,1\nb,2\n', "line 2: not a table separated by commas"),
        ("trial,N\na,1\n", "no column 'n'; found trial, N; if 'N' is meant to be it, rename it."),
        ("x,y\na,1\n", r"no column 'trial' .and not 'n'.; found x, y; add it\."),
        ("trial,n\n,\n", "has no rows"),
        (",\n,\n", "no column 'trial'"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Nem2eError, match=message) as caught:
        read_table(table(tmp_path, text), ("trial", "n"))
    assert "\n" not in str(caught.value)


def test_every_cell_that_is_no_number_is_told_with_its_line(tmp_path: Path) -> None:
    path = table(tmp_path, 'trial,n\na,"0,5"\n\nb,1_0\nc,inf\nd,-1\ne,3\n')
    read = read_table(path, ("trial", "n"))
    told = number_problems(path, read, "n", whole=True)
    assert [problem.partition(": ")[2].partition(",")[0] for problem in told] == [
        "line 2",
        "line 4",
        "line 5",
        "line 6",
    ]
    assert told[0].endswith("found '0,5', but a finite number is expected; write a decimal point.")
    assert told[3].endswith("found '-1', but a whole number from 0 is expected.")
    with pytest.raises(Nem2eError, match=r"line 2, .* write a decimal point .3 such cells in all.\."):
        numbers(path, read, "n")


def test_a_column_without_a_name_is_told_where_it_holds_something(tmp_path: Path) -> None:
    path = table(tmp_path, "trial,,n,\na,x,1,\n")
    assert stray_columns(path, ("trial", "n")) == ["(column 2)"]


def test_letter_case_is_a_hint() -> None:
    assert near("S1", ["s1", "s2"]) == "; did you mean 's1'?"


def test_tables_of_a_european_spreadsheet_are_told_both_and_nothing_is_read(tmp_path: Path) -> None:
    folder = lab.study(tmp_path / "lab")
    rows = "\ufefftrial;subject;speed;speed_m_s;activation;emg;grf\ns1_free;s1;free;1,3;s1/act.sto;s1/emg.sto;\n"
    table(folder, rows, "trials.csv")
    table(folder, "trial;cycle;start_s;end_s\ns1_free;0;0,5;1,6\ns1_free;1;1,6;2,7\n", "cycles.csv")
    one, other = check_study(folder)
    for problem, name in ((one, "trials.csv"), (other, "cycles.csv")):
        assert f"{name}: the columns are separated by semicolons, but commas are expected" in problem
    table(folder, rows.replace("1,3", "1.3").replace(";", ","), "trials.csv")
    table(folder, 'trial,cycle,start_s,end_s\ns1_free,0,"0,5",1.6\ns1_free,x,1.6,"2,7"\n', "cycles.csv")
    assert len(check_study(folder)) == 3


def test_tables_saved_with_commas_by_the_same_spreadsheet_are_read(tmp_path: Path) -> None:
    folder = lab.study(tmp_path / "lab")
    rows = f"\ufeff{HEADER.strip()},\r\ns1_free,s1 ,free,1.3,s1\\act.sto,s1\\emg.sto,s1\\grf.mot,\r\n,,,,,,,\r\n"
    table(folder, rows, "trials.csv")
    table(folder, "trial,cycle,start_s,end_s\rs1_free,0,0.5,1.6\rs1_free,1,1.6,2.7\r", "cycles.csv")
    assert check_study(folder) == []
    assert study_notes(folder) == []
    cycles, _ = segment(load_study(folder))
    assert cycles.start_s.values.tolist() == [0.5, 1.6]
    assert cycles.end_s.values.tolist() == [1.6, 2.7]
    assert set(cycles.speed_m_s.values.tolist()) == {1.3}
    assert set(cycles.subject.values.tolist()) == {"s1"}


def test_backslashes_are_folders_and_letter_case_is_told(tmp_path: Path) -> None:
    folder = lab.study(tmp_path / "lab")
    table(folder, HEADER + "s1_free,s1,free,1.3,s1\\act.sto,S1\\emg.sto,..\\grf.mot\n", "trials.csv")
    one, other = check_study(folder)
    assert one.endswith("line 2: emg is 'S1\\\\emg.sto', but there is 's1/emg.sto': letter case differs; correct it.")
    assert "line 2: grf is '..\\\\grf.mot', but a path inside the study folder is expected" in other
    table(folder, HEADER + "s1_free,s1,free,1.3,s1\\act.sto,s1\\emg.sto,s1\\grf.mot\n", "trials.csv")
    assert segment(load_study(folder))[1]["kept"].sum() == 6


def test_labels_that_a_person_reads_as_one_are_told(tmp_path: Path) -> None:
    folder = lab.study(tmp_path / "lab")
    files = "1.3,s1/act.sto,s1/emg.sto,s1/grf.mot\n"
    people = [("a", "s1", "free"), ("b", "S1 ", "Free"), ("c", "S01", "3 m/s"), ("d", "s11", "3\u00a0m/s")]
    table(folder, HEADER + "".join(f"{','.join(each)},{files}" for each in people), "trials.csv")
    told = [note for note in study_notes(folder) if note.endswith("[subject_case]")]
    assert [note.partition("csv: ")[2].partition(", which")[0] for note in told] == [
        "subject is written 's1', 'S1', 'S01'",
        "speed is written 'free', 'Free'",
        "speed is written '3 m/s', '3\\xa0m/s'",
    ]
