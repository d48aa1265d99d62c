"""The tables of results.json and those below the claims."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nem2e_lib.analysis.claims.contradictions import contradictions
from nem2e_lib.paper.what_holds import tables_of


def test_results_repeat_the_leaderboard_without_its_seconds(tmp_path: Path) -> None:
    pd.DataFrame({"method": ["identity"], "seconds": [3.2]}).to_csv(tmp_path / "leaderboard_table.csv", index=False)
    assert list(tables_of(tmp_path)) == ["leaderboard"]
    assert list(tables_of(tmp_path)["leaderboard"]) == ["method"]


def test_contradictions_are_counted_from_the_tables() -> None:
    found = contradictions().set_index("about")["another_place"]
    assert found["How many muscles improve"] == (
        "Tables under All-Entire: 16 of 16 in running, 3 of 5 in walking (soleus, tib, rect)"
    )
    assert "soleus" in found["The gastrocnemius in walking"]
    assert "semit" in found["Which muscles were measured"]
    assert (found != "").all()
