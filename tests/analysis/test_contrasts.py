"""Planned contrasts on planted Er: every answer comes out where it must, and no difference has two answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nem2e_lib.analysis import leaderboard
from nem2e_lib.analysis.contrasts import (
    CANNOT,
    FILE,
    INPUT,
    METHODS,
    NOT_SHOWN,
    OTHERWISE,
    SHOWN,
    Contrast,
    both,
    checked,
    judged,
    of_family,
    planned,
)
from nem2e_lib.analysis.controls import ASKED
from nem2e_lib.analysis.statistics import FEWEST, holm, over_folds
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import METHOD_LABELS
from nem2e_lib.rivals import every
from nem2e_lib.training.conditions import CONDITIONS

SPREAD = np.array([-1.0, -0.5, 0.0, 0.5, 1.0, 0.2, -0.2, 0.7])
"""Of eight units."""


def table(levels: Mapping[str, Sequence[float]], unit: str = "subject") -> pd.DataFrame:
    """Er of each method in each unit, in one study."""
    return pd.DataFrame(
        [
            {"study": "s", "method": method, "unit": unit, "label": f"u{i}", "er": er}
            for method, values in levels.items()
            for i, er in enumerate(values)
        ]
    )


def some(*pairs: tuple[str, str]) -> tuple[Contrast, ...]:
    return tuple(Contrast(f"{a}_{b}", "q", METHODS, a, b, "lower", "") for a, b in pairs)


def test_each_answer_comes_out_where_it_is_planted() -> None:
    rival = SPREAD * 0.02
    levels = {
        "rival": rival,
        "better": rival - 0.3 + 0.01 * SPREAD,
        "worse": rival + 0.3 + 0.01 * SPREAD,
        "alike": rival + 0.02 * SPREAD,
        "copy": rival,
        "constant": rival - 0.25,
    }
    found = judged(
        table(levels), some(*((name, "rival") for name in ("better", "worse", "alike", "copy", "constant", "absent")))
    )
    by_method = found.set_index("method")
    assert by_method["answer"].to_dict() == {
        "better": SHOWN,
        "worse": OTHERWISE,
        "alike": NOT_SHOWN,
        "copy": NOT_SHOWN,
        "constant": CANNOT,
        "absent": CANNOT,
    }
    assert by_method.loc["copy", ["difference", "ci_low", "ci_high", "p_value"]].tolist() == [0, 0, 0, 1]
    assert by_method.loc["constant", "reason"].startswith("Er is the same")
    assert by_method.loc["absent", "reason"] == "absent was not evaluated here."
    assert by_method.loc["better", "p_flips"] == pytest.approx(2 / 2**8)


def test_what_only_independent_folds_would_show_is_not_shown_and_both_are_kept() -> None:
    difference = np.array([-0.06, -0.01, -0.05, -0.02, -0.01, -0.07, 0.01, -0.04])
    row = judged(table({"a": difference, "b": np.zeros(8)}), some(("a", "b"))).iloc[0]
    assert (row["answer"], row["plain_answer"]) == (NOT_SHOWN, SHOWN)
    assert row["ci_low"] < row["plain_ci_low"] < row["plain_ci_high"] < 0 < row["ci_high"]


@pytest.mark.parametrize("unit", ["subject", "speed", "block"])
def test_too_few_units_show_nothing_however_sure_they_look(unit: str) -> None:
    few = -0.5 + 0.001 * SPREAD[: FEWEST - 1]
    row = judged(table({"a": few, "b": np.zeros(len(few))}, unit), some(("a", "b"))).iloc[0]
    assert row["p_holm"] < 1e-6
    assert (row["answer"], row["plain_answer"], row["unit"]) == (NOT_SHOWN, NOT_SHOWN, unit)


def test_holm_counts_contrasts_that_no_test_can_be_made_of() -> None:
    rng = np.random.default_rng(0)
    units = table({"a": rng.normal(-0.1, 0.1, 8), "b": rng.normal(0, 0.1, 8), "c": rng.normal(-0.3, 0.1, 8)})
    wanted = some(("a", "b"), ("c", "b"), ("a", "absent"), ("c", "absent"))
    found = judged(units, wanted)
    raw = found["p_value"].to_numpy()
    np.testing.assert_allclose(found["p_holm"][:2], holm([raw[0], raw[1], 1.0, 1.0])[:2])
    assert found["p_holm"][2:].isna().all()
    assert (found["family_size"] == 4).all()


def test_a_family_of_another_study_is_corrected_by_itself() -> None:
    one = table({"a": -0.3 + 0.1 * SPREAD, "b": np.zeros(8)})
    two = one.assign(study="t", er=lambda t: t["er"] * np.where(t["method"] == "a", -1, 1))
    found = judged(pd.concat([one, two]), some(("a", "b")))
    assert found["answer"].tolist() == [SHOWN, OTHERWISE]
    np.testing.assert_allclose(found["p_holm"], found["p_value"])


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_whatever_is_sure_over_all_pairs_is_shown_where_it_was_planned(data: st.DataObject) -> None:
    names = [f"m{i}" for i in range(data.draw(st.integers(2, 5)))]
    count = data.draw(st.integers(FEWEST, 9))
    seed, scale = data.draw(st.integers(0, 10**6)), data.draw(st.sampled_from([0.05, 0.2, 1.0]))
    rng = np.random.default_rng(seed)
    units = table({name: rng.normal(rng.normal(0, 0.3), scale, count) for name in names})
    errors = units.rename(columns={"method": "condition"}).assign(muscle="tib", electrode="tib", synthetic=True)
    fights = leaderboard.duels(errors)
    pairs = data.draw(st.lists(st.sampled_from(list(combinations(names, 2))), min_size=1, unique=True))
    found = judged(units, some(*pairs)).set_index(["method", "rival"])
    for row in fights.itertuples():
        if (row.a, row.b) in found.index:
            mine = found.loc[(row.a, row.b)]
            assert mine["difference"] == pytest.approx(row.difference)
            assert (mine["ci_low"], mine["ci_high"]) == pytest.approx((row.ci_low, row.ci_high))
            assert mine["p_holm"] <= row.p_holm + 1e-12
            if row.winner:
                assert mine["answer"] == (SHOWN if row.winner == row.a else OTHERWISE)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_a_difference_and_its_reverse_never_have_the_same_decided_answer(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    units = table({"a": rng.normal(rng.normal(0, 0.2), 0.1, count), "b": rng.normal(0, 0.1, count)})
    one = judged(units, some(("a", "b"))).iloc[0]
    other = judged(units, some(("b", "a"))).iloc[0]
    reverse = {SHOWN: OTHERWISE, OTHERWISE: SHOWN, NOT_SHOWN: NOT_SHOWN, CANNOT: CANNOT}
    assert other["answer"] == reverse[one["answer"]]
    if one["answer"] in (SHOWN, OTHERWISE):  # interval and answer agree
        assert (one["ci_high"] < 0) == (one["answer"] == SHOWN)
        assert (one["ci_low"] > 0) == (one["answer"] == OTHERWISE)
        assert one["plain_answer"] == one["answer"]  # what survives the correction holds without it


def test_what_joins_answers_contradicts_none_of_them() -> None:
    every_answer = (SHOWN, NOT_SHOWN, OTHERWISE, CANNOT)
    for a in every_answer:
        for b in every_answer:
            joined = both((a, b))
            assert (joined == SHOWN) == (a == b == SHOWN)
            assert (joined == OTHERWISE) == (OTHERWISE in (a, b))
    assert both(()) == CANNOT


def test_the_committed_contrasts_name_methods_that_there_are_and_give_a_reason() -> None:
    there = {*CONDITIONS, *(one.name for one in every())}
    for one in of_family(METHODS):
        assert {one.method, one.rival} <= there, one.id
    assert [(one.method, one.rival) for one in of_family(INPUT)] == [(name, f"{name}_average") for name in ASKED]
    assert {one.family for one in planned()} == {METHODS, INPUT}
    assert all(one.why for one in planned())
    assert {name for one in planned() for name in (one.method, one.rival)} <= set(METHOD_LABELS)


ROW = {
    "id": "x",
    "question": "q",
    "family": METHODS,
    "method": "a",
    "rival": "b",
    "direction": "lower",
    "why": "So.",
}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{**ROW, "direction": "higher"}], "contrast 'x' has direction 'higher', expected 'lower'"),
        ([ROW, {**ROW, "rival": "c"}], "has the id 'x' twice"),
        ([ROW, {**ROW, "id": "y", "method": "b", "rival": "a"}], "has the comparison 'a and b' twice"),
    ],
)
def test_a_file_by_which_a_difference_could_have_two_answers_is_refused(
    rows: list[dict[str, str]], reason: str
) -> None:
    with pytest.raises(Nem2eError, match=reason):
        checked(rows, FILE)


def test_er_of_children_as_committed() -> None:
    """Er of every held-out child of the site on people that is committed: what the page says of them."""
    path = FILE.parents[2] / "figures" / "people" / "leaderboard.csv"
    units = pd.read_csv(path)
    units = units[units["study"] == "children"]
    found = judged(units, of_family(METHODS)).set_index("id")
    assert set(found.loc[[f"nearer_{name}" for name in CONDITIONS], "answer"]) == {SHOWN}
    assert set(found.loc[[f"mean_{name}" for name in CONDITIONS], "answer"]) == {NOT_SHOWN}
    er = units.pivot_table(index="label", columns="method", values="er")
    by_hand = over_folds(er["one_entire"] - er["mean_curve"])
    row = found.loc["mean_one_entire"]
    assert (row["difference"], row["ci_low"], row["p_value"]) == pytest.approx(
        (by_hand.mean, by_hand.ci_low, by_hand.p_value)
    )
    assert row["n"] == 10
