"""A sceptical reader's questions, answered from made-up tables whose answers are known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from nem2e_lib.analysis.attention_verdicts import OTHERWISE, SHOWN
from nem2e_lib.analysis.claims.contradictions import contradictions
from nem2e_lib.paper.what_holds import Site, answers, tables_of
from nem2e_lib.site.saving import save
from tests.support.cells import run_cell


def duel(a: str, b: str, difference: float, p: float) -> dict[str, object]:
    ends = {"ci_low": difference - 0.1, "ci_high": difference + 0.2}
    winner = "" if p >= 0.05 else a if difference < 0 else b
    known = {"study": "running", "a": a, "b": b, "difference": difference}
    return {**known, **ends, "p_holm": p, "n": 10, "winner": winner}


def test_a_comparison_is_read_whichever_way_round_it_stands(tmp_path: Path) -> None:
    duels = [
        duel("one_quarter", "identity", -0.4, 0.001),
        duel("identity", "one_entire", 0.5, 0.001),
        duel("all_entire", "identity", -0.6, 0.2),
        duel("one_quarter", "mean_curve", 0.2, 0.01),
        duel("one_entire", "mean_curve", -0.1, 0.4),
        duel("mean_curve", "all_entire", -0.3, 0.01),
    ]
    pd.DataFrame(duels).to_csv(tmp_path / "duels_table.csv", index=False)
    found = {one.question: one for one in answers(Site(tmp_path), ["running"])}
    nearer = found["Is the refined activity nearer to EMG than the simulated one?"]
    assert nearer.verdict == "holds in part"  # two of three at p < .05
    assert "One-Entire −0.50 (95 % CI −0.70 to −0.40, p = 0.001, n = 10)" in nearer.evidence
    mean = found["Is the network better than replaying the mean of other people's EMG?"]
    assert mean.verdict == "does not hold"  # two are above the curve, one is not surely below it
    assert "All-Entire +0.30" in mean.evidence
    assert found["Is a network needed: is it better than ridge regression?"].verdict == "cannot be tested"


def test_where_every_duel_is_undefined_nothing_can_be_told(tmp_path: Path) -> None:
    methods = ("one_quarter", "one_entire", "all_entire", "delayed_kernel_ridge")
    duels = [duel(m, rival, -0.4, float("nan")) for m in methods for rival in ("identity", "mean_curve", "ridge_all")]
    pd.DataFrame(duels).assign(reason="One value: no spread.").to_csv(tmp_path / "duels_table.csv", index=False)
    board = {
        "study": "running",
        "rank": [1, 2, 3],
        "method": ["delayed_kernel_ridge", "mean_curve", "ridge_all"],
        "er_mean": 0.1,
    }
    pd.DataFrame(board).to_csv(tmp_path / "leaderboard_table.csv", index=False)
    found = [one for one in answers(Site(tmp_path), ["running"]) if one.page == "08_rivals"]
    assert len(found) == 4
    assert {one.verdict for one in found} == {"cannot be tested"}
    assert all("undefined (One value: no spread)" in one.evidence for one in found)


def test_a_duel_that_is_undefined_leaves_the_others_to_decide(tmp_path: Path) -> None:
    made = [("one_quarter", -0.4, 0.001), ("one_entire", -0.4, 0.001), ("all_entire", -0.4, float("nan"))]
    duels = [duel(method, "identity", difference, p) for method, difference, p in made]
    pd.DataFrame(duels).to_csv(tmp_path / "duels_table.csv", index=False)
    found = next(one for one in answers(Site(tmp_path), ["running"]) if one.page == "08_rivals")
    assert found.verdict == "holds"
    assert "All-Entire undefined." in found.evidence


def test_whether_the_input_is_used_follows_the_interval(tmp_path: Path) -> None:
    known: dict[str, Any] = {
        "run": SimpleNamespace(site=tmp_path, show=lambda shown, name: save(shown, name, tmp_path)),
        "found": SimpleNamespace(synthetic=lambda study: True),
    }

    def verdict(*rises: float) -> str:
        table = pd.DataFrame(
            {"muscle": map(str, range(len(rises))), "er_own": 0.0, "er_swapped": rises, "difference": rises}
        )
        run_cell("06_shortcut", "SWAPPED.of(", **known, swapped={"running": table})
        return next(one for one in answers(Site(tmp_path), ["running"]) if one.page == "06_shortcut").verdict

    assert verdict(0.5, 0.6, 0.55) == "holds"
    assert verdict(0.5, -0.2, 0.1) == "holds in part"
    assert verdict(-0.5, -0.2, 0.1) == "does not hold"
    assert verdict(0.5) == "cannot be tested"
    assert verdict(0.5, 0.6, 0.55, float("nan")) == "holds"


def test_a_map_holds_only_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    table = {
        "study": "running",
        "condition": ["one_entire", "all_entire"],
        "entropy": [0.7, 0.99],
        "verdict": [SHOWN, OTHERWISE],
        "sentence": "So.",
        "effect": [0.2, 0.01],
        "ci_low": [0.1, 0.0],
        "ci_high": [0.3, 0.02],
        "spoken_against": [False, True],
    }
    pd.DataFrame(table).to_csv(tmp_path / "attention_verdicts.csv", index=False)
    found = next(one for one in answers(Site(tmp_path), ["running"]) if one.page == "14_attention_tests")
    assert found.verdict == "holds in part"
    assert "All-Entire: entropy 0.99 of its maximum, shown otherwise." in found.evidence


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("learns", "learns"), "holds"),
        (("learns", "needs its input"), "holds in part"),
        (("needs its input", "replays"), "holds in part"),
        (("replays", "varies without gain"), "does not hold"),
        (("not shown", "cannot be tested"), "cannot be tested"),
    ],
)
def test_learning_is_what_every_condition_shows(tmp_path: Path, verdicts: tuple[str, str], expected: str) -> None:
    table = {"study": "running", "condition": ["one_entire", "all_entire"], "verdict": verdicts, "sentence": "so."}
    pd.DataFrame(table).to_csv(tmp_path / "controls_verdicts.csv", index=False)
    found = next(one for one in answers(Site(tmp_path), ["running"]) if one.page == "13_controls")
    assert (found.verdict, found.evidence) == (expected, "One-Entire: so. All-Entire: so.")


def test_what_was_not_run_is_said_and_not_left_out(tmp_path: Path) -> None:
    found = answers(Site(tmp_path), ["running", "walking"])
    assert len(found) > 10
    assert {one.verdict for one in found} == {"cannot be tested"}
    assert all("has not been run" in one.evidence for one in found)


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
