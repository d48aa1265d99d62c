"""Tables as LaTeX: every sign is one that LaTeX prints, every row has every column."""

import re

import pandas as pd
import pytest

from nem2e_lib.site.latex import SIGNS, escaped, latex
from nem2e_lib.site.tables import CONTEXT, Table, plain

ROWS = pd.DataFrame(
    {
        "muscle": ["a_b", "50 % & more", "[x] {y}"],
        "er": [-0.1234, 0.2, 1.0],
        "p_value": [0.0001, 0.5, float("nan")],
        "why": ["✔ holds", "\\", "a sentence of more than forty letters, with #, $, ~ and ^ in it"],
    }
)


def rows(text: str) -> list[list[str]]:
    """Cells of each row between the rules, split at separators that are not escaped."""
    start = "\\endlastfoot" if "longtable}" in text else "\\midrule"
    body = text.partition(start)[2]
    lines = [line for line in body.splitlines() if line.endswith("\\\\")]
    return [re.split(r"(?<!\\)&", line.removesuffix("\\\\")) for line in lines]


def balanced(text: str) -> bool:
    """Whether braces that are no signs close as they open, and so do environments and formulas."""
    bare, depth = re.sub(r"\\[&%$#_{}]", "", text), 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    begun, ended = re.findall(r"\\begin\{(\w+)\}", bare), re.findall(r"\\end\{(\w+)\}", bare)
    return depth == 0 and sorted(begun) == sorted(ended) and bare.count("$") % 2 == 0


def test_a_table_of_all_kinds_of_signs() -> None:
    text = latex(plain(ROWS, "T_1", "100 % of #1.", synthetic=True), "t_1")
    assert balanced(text)
    assert "\\begin{tabular}{lrrp{0.55\\linewidth}}" in text
    assert "\\caption{\\textbf{SYNTHETIC data -- T\\_1} 100 \\% of \\#1.}" in text
    assert "\\label{tab:t_1}" in text
    assert [len(row) for row in rows(text)] == [4, 4, 4]
    assert [cell.strip() for cell in rows(text)[0]] == ["a\\_b", "$-$0.123", "$<$~0.001", "$\\surd$ holds"]
    assert [cell.strip() for cell in rows(text)[1]][::3] == ["50 \\% \\& more", "\\textbackslash{}"]
    assert rows(text)[2][0].strip() == "{}[x] \\{y\\}"
    assert rows(text)[2][2].strip() == "--"
    assert text.isascii()


def test_groups_stand_over_their_columns_and_bold_is_bold() -> None:
    columns = pd.MultiIndex.from_tuples([("", "muscle"), ("running", "a"), ("running", "b"), (CONTEXT, "a")])
    shown = pd.DataFrame([["soleus", "−0.1", "0.2", "0.3"]], columns=columns)
    bold = pd.DataFrame([[False, True, False, False]], columns=columns)
    text = latex(Table(shown, shown, "T", "C", bold=bold), "t")
    assert balanced(text)
    assert " & \\multicolumn{2}{c}{running} & published, real data (context only) \\\\" in text
    assert "soleus & \\textbf{$-$0.1} & 0.2 & 0.3 \\\\" in text


@pytest.mark.parametrize(("count", "environment"), [(40, "table"), (41, "longtable")])
def test_long_tables_go_on_over_pages(count: int, environment: str) -> None:
    text = latex(plain(pd.DataFrame({"n": range(count)}), "T", "C"), "t")
    assert f"\\begin{{{environment}}}" in text
    assert ("longtable" in text.splitlines()[0]) == (environment == "longtable")
    assert balanced(text)
    assert len([row for row in rows(text) if row[0].strip().isdigit()]) == count


def test_every_sign_is_printed_by_itself() -> None:
    assert all(balanced(written) for written in SIGNS.values())
    assert all(written.isascii() for written in SIGNS.values())
    assert escaped("".join(SIGNS)) == "".join(SIGNS.values())
