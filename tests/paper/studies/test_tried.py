"""How many designs were tried on what: counted in docs/tried.csv, and said beside the ranks."""

from __future__ import annotations

import pandas as pd

from nem2e_lib.paper.studies import tried
from nem2e_lib.rivals import Auto, every
from nem2e_lib.training.conditions import CONDITIONS

FEW = pd.DataFrame(
    [
        ("ridge", "one", "hamner-subject01", False, "ridge_all"),
        ("heads", "two", "hamner-subject01", False, "delayed_kernel_ridge"),
        ("heads", "two", "walking*", True, "delayed_kernel_ridge"),
        ("heads", "three", "walking*", True, "delayed_kernel_ridge"),
    ],
    columns=["family", "variant", "study", "synthetic", "led_to"],
)


def test_designs_are_counted_by_family_and_study() -> None:
    assert tried.counted(FEW).drop(columns="synthetic").to_numpy().tolist() == [
        ["ridge", "hamner-subject01", 1],
        ["heads", "hamner-subject01", 1],
        ["heads", "walking*", 2],
    ]


def test_the_committed_list_is_counted_whole() -> None:
    rows = tried.rows()
    assert tried.counted(rows)["variants"].sum() <= len(rows)
    assert tried.counted(rows)["variants"].sum() == len(rows.drop_duplicates(["family", "variant", "study"]))
    assert set(rows["led_to"].dropna()) <= {Auto().name, *(one.name for one in every())}


def test_it_is_said_on_which_studies_of_a_run_designs_were_tried() -> None:
    people = tried.said(FEW, ["children", "runner"])
    assert "3 designs were tried in 4 evaluations" in people
    assert "2 on hamner-subject01, 2 on walking*" in people
    assert "looks better on runner than it is" in people
    assert "None of them was tried on children" in people
    assert "walking: designs were tried on SYNTHETIC data" in tried.said(FEW, ["walking"])
    assert "None of them" not in tried.said(FEW, ["walking"])
    lab = tried.said(FEW, ["my-lab"])
    assert "looks better" not in lab
    assert "None of them was tried on my-lab" in lab


def test_every_method_says_what_was_tuned_on_which_data() -> None:
    told = tried.tuned_on(FEW)
    assert set(told) == {*CONDITIONS, *(one.name for one in every())}
    assert "not said" not in told.values()
    counted = "in 3 evaluations (1 on hamner-subject01, 2 on walking*)"
    assert [name for name, text in told.items() if counted in text] == ["kernel_ridge", "delayed_kernel_ridge"]
    assert "in 1 evaluation (1 on hamner-subject01)" in told["ridge_all"]
    assert told["identity"] == "nothing"
