"""Any table with its words: its HTML, and that HTML found again in a page."""

import pandas as pd

from nem2e_lib.site import tables
from nem2e_lib.site.frame import page
from nem2e_lib.site.tables import CONTEXT, Table, table_html, table_of
from tests.support.html_table import parsed


def test_html_escapes_what_users_write() -> None:
    table = tables.plain(pd.DataFrame({"name": ["<b>&"], "x": [0.123456]}), "<i>", "a & b")
    root = parsed(table_html(table))
    assert root.find(".//tbody/tr/th").text == "<b>&"
    assert root.find(".//tbody/tr/td").text == "0.123"
    assert table.data["x"].item() == 0.123456


def test_html_groups_columns_and_marks_context_bold_and_sentences() -> None:
    columns = pd.MultiIndex.from_tuples([("", "muscle"), ("this run", "Er"), ("this run", "why"), (CONTEXT, "Er")])
    shown = pd.DataFrame(
        [["tib", "−0.3", "said in more than forty letters, so that it needs room", "–"]], columns=columns
    )
    bold = pd.DataFrame([[False, True, False, False]], columns=columns)
    root = parsed(table_html(Table(shown, shown, "title", "caption", bold=bold)))
    top, below = root.findall(".//thead/tr")
    assert [(cell.text, cell.get("colspan")) for cell in top] == [(None, "1"), ("this run", "2"), (CONTEXT, "1")]
    assert [cell.tag for cell in top] == ["td", "th", "th"]
    assert [cell.get("class") for cell in below] == [None, None, None, "context"]
    (row,) = root.findall(".//tbody/tr")
    assert [cell.find("strong") is not None for cell in row] == [False, True, False, False]
    assert [cell.get("class") for cell in row] == [None, None, "text", None]


def test_a_table_is_found_again_in_its_page() -> None:
    html = table_html(tables.plain(pd.DataFrame({"a": ["</table></div>"]}), "title", "caption"))
    assert table_of(page(title="title", body=html)) == html.strip()
    assert table_of(page(title="title", body="none")) == ""
