"""results.json: keys, order, no NaN."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.results import write_results
from tests.support.made_up_site import CLAIMS, RUNS


def test_results_json_has_the_keys_sorted_rows_and_no_nan(tmp_path: Path, summary: pd.DataFrame) -> None:
    broken = summary.sample(frac=1, random_state=1).copy()
    broken.loc[broken["muscle"] == "tib", "cohen_d"] = np.nan
    content = json.loads(write_results(broken, CLAIMS, tmp_path, runs=RUNS, commit="c0ffee").read_text())
    rows = content["results"]
    assert set(content) == {"results", "claims"}
    assert list(rows[0]) == [
        "study",
        "muscle",
        "condition",
        "er_mean",
        "ci_low",
        "ci_high",
        "p_value",
        "cohen_d",
        "r2_pearson",
        "r2_sse",
        "n_units",
        "unit",
        "synthetic",
        "profile",
        "commit",
        "data_hash",
    ]
    assert len(rows) == 63
    assert [r["condition"] for r in rows[:3]] == ["one_quarter", "one_entire", "all_entire"]
    assert [r["study"] for r in rows] == sorted(r["study"] for r in rows)
    assert {r["cohen_d"] for r in rows if r["muscle"] == "tib"} == {None}
    assert rows[0]["synthetic"] is True
    assert isinstance(rows[0]["n_units"], int)
    assert [c["id"] for c in content["claims"]] == ["C01", "C02", "C03"]
    assert content["claims"][0]["value"] is None


def test_results_json_refuses_what_is_missing_or_double(tmp_path: Path, summary: pd.DataFrame) -> None:
    with pytest.raises(Nem2eError, match="lacks 'ci_low'"):
        write_results(summary.drop(columns="ci_low"), CLAIMS, tmp_path, runs=RUNS, commit="c")
    with pytest.raises(Nem2eError, match="has study 'running'"):
        write_results(summary, CLAIMS, tmp_path, runs={}, commit="c")
    with pytest.raises(Nem2eError, match="twice"):
        write_results(pd.concat([summary, summary]), CLAIMS, tmp_path, runs=RUNS, commit="c")
    assert list(tmp_path.iterdir()) == []
