"""Rivals that were told speed and duration before: they stand beside a run of the same data alone."""

from __future__ import annotations

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.studies import circumstances
from nem2e_lib.rivals import every
from nem2e_lib.training.conditions import CONDITIONS

MEANS = {"walking": [-0.3, -0.4], "running": [-0.5, -0.2]}
COMMITTED = pd.DataFrame(
    [
        {"study": study, "method": method, "unit": "subject", "label": label, "er": er + shift}
        for study, values in MEANS.items()
        for method, shift in (("mean_curve", 0.0), ("lstm", -0.1))
        for label, er in zip(("s1", "s2"), values, strict=True)
    ]
)


def units(**er: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"study": study, "method": "mean_curve", "label": label, "er": value}
            for study, values in er.items()
            for label, value in zip(("s1", "s2"), values, strict=True)
        ]
    )


def test_rows_stand_beside_the_same_data_alone() -> None:
    found = circumstances.of_same_data(units(walking=[-0.3, -0.40001], running=[-0.5, -0.21]), COMMITTED)
    assert found[["study", "method"]].drop_duplicates().to_numpy().tolist() == [["walking", "lstm"]]
    assert found["er"].tolist() == pytest.approx([-0.4, -0.5])


def test_other_people_are_other_data() -> None:
    fewer = units(walking=MEANS["walking"]).iloc[:1]
    assert circumstances.of_same_data(fewer, COMMITTED).empty
    assert circumstances.of_same_data(units(jumping=[-0.3, -0.4]), COMMITTED).empty
    assert circumstances.of_same_data(units(walking=MEANS["walking"]).iloc[:0], COMMITTED).empty


def test_rows_without_a_mean_curve_are_refused(tmp_path, monkeypatch) -> None:
    path = tmp_path / "circumstances.csv"
    COMMITTED[COMMITTED["method"] == "lstm"].to_csv(path, index=False)
    monkeypatch.setattr(circumstances, "STUDY", path)
    with pytest.raises(Nem2eError, match="study running has no rows of mean_curve"):
        circumstances.rows()


def test_every_method_is_told_in_a_run_or_before_or_says_why_not() -> None:
    why, committed = circumstances.why_not(), circumstances.rows()
    assert set(why) == {*CONDITIONS, *(one.name for one in every())}
    for one in every():
        told = circumstances.quick(one) or one.name in set(committed["method"])
        assert told or why[one.name] != circumstances.NOT_MEASURED, one.name
    assert all(why[condition] == circumstances.NOT_MEASURED for condition in CONDITIONS)


def test_what_is_committed_says_which_is_synthetic() -> None:
    table = circumstances.rows()
    assert set(table.loc[table["synthetic"], "study"]) <= {"walking", "running"}
    assert {"children", "runner"} <= set(table.loc[~table["synthetic"], "study"])
