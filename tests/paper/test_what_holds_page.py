"""The page "What holds", as HTML."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from markupsafe import escape

from nem2e_lib.paper.answers import QUESTIONS, rule
from nem2e_lib.paper.what_holds import write


def test_the_page_groups_studies_under_their_question_and_shows_what_was_not_told(tmp_path: Path) -> None:
    run = SimpleNamespace(site=tmp_path, is_synthetic=False, data="")
    told = {"synthetic": False, "profile": "demo", "data_hash": "ab"}
    summary = pd.DataFrame({"study": ["a & b", "walking"], "unit": "subject"})
    cycles, runs = {"a & b": None, "walking": None}, {"a & b": told, "walking": told}
    found = SimpleNamespace(run=run, cycles=cycles, runs=runs, summary=summary, units=dict.fromkeys(cycles, "subject"))
    claims = pd.DataFrame({"id": ["C01"], "verdict": ["holds"]})
    steady = pd.DataFrame({"id": ["C01"], "seeds": [1], "flips": [False], "verdicts": ["holds"], "values": ["1"]})
    text = write(found, claims, steady, "Seeds < 3.").read_text()
    assert text.count('rowspan="2" class="question"') == len(QUESTIONS)
    assert text.count("<td>a &amp; b</td>") == len(QUESTIONS)
    assert all(f"<li>{escape(line)}</li>" in text for line in rule())
    assert text.index(str(escape(rule()[0]))) < text.index("<table")
    assert '<td class="verdict untested"><span aria-hidden="true">–</span> cannot be told</td>' in text
    assert "Seeds &lt; 3." in text
    assert "SYNTHETIC" not in text
