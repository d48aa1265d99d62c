"""A sceptical reader's questions, answered from made-up tables whose answers are known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nem2e_lib.analysis.contrasts import (
    CANNOT,
    INPUT,
    METHODS,
    NOT_SHOWN,
    OTHERWISE,
    SHOWN,
    of_family,
    planned,
)
from nem2e_lib.analysis.published import AGREES, CONTRADICTS, MISPLACED, ONE_CHARACTER
from nem2e_lib.analysis.statistics import FEWEST
from nem2e_lib.figures.style import label_of
from nem2e_lib.paper.answers import QUESTIONS, Answer, Site, answers, bounded, rule
from nem2e_lib.paper.shared_tables import CONTRASTS, NEEDED
from nem2e_lib.paper.studies import long
from nem2e_lib.training.conditions import CONDITIONS
from tests.support.judged import LEVELS, er, site

NEARER, MEAN, NETWORK, ATTENTION, OWN, INPUTS, LEARNED, MAPS, REVIEW = (question for question, *_ in QUESTIONS)


def by_question(found: list[Answer]) -> dict[str, dict[str, str]]:
    """Answers by question and method."""
    asked: dict[str, dict[str, str]] = {}
    for one in found:
        asked.setdefault(one.question, {})[one.about] = one.verdict
    return asked


def test_every_answer_comes_out_where_it_is_planted(tmp_path: Path) -> None:
    found = by_question(answers(site(tmp_path, er(LEVELS)), ["s"]))
    assert found[NEARER] == {"One-Quarter": SHOWN, "One-Entire": SHOWN, "All-Entire": OTHERWISE}
    assert found[MEAN] == {"One-Quarter": OTHERWISE, "One-Entire": SHOWN, "All-Entire": OTHERWISE}
    assert found[NETWORK] == {
        "All-Entire": OTHERWISE,
        "plain LSTM": SHOWN,
        "temporal convolution": OTHERWISE,
        "Transformer": OTHERWISE,  # better than one ridge, worse than the other
    }
    assert found[ATTENTION] == {"All-Entire": OTHERWISE}
    assert found[OWN] == {label_of("delayed_kernel_ridge"): SHOWN}
    assert found[INPUTS] == {"One-Entire": SHOWN, "All-Entire": OTHERWISE}
    assert found[LEARNED] == {"One-Entire": SHOWN, "All-Entire": OTHERWISE}


def test_where_methods_are_alike_nothing_is_shown_and_nothing_denied(tmp_path: Path) -> None:
    alike = er(dict.fromkeys(LEVELS, -0.3), spread=0.1)
    told = [one for one in answers(site(tmp_path, alike), ["s"]) if one.page in (CONTRASTS.page, NEEDED.page)]
    assert {one.verdict for one in told} == {NOT_SHOWN}


def test_effect_and_interval_come_before_p(tmp_path: Path) -> None:
    found = answers(site(tmp_path, er(LEVELS)), ["s"])
    told = next(one.evidence for one in found if one.question == NEARER and one.about == "One-Entire")
    assert told.startswith("Er against OpenSim: −0.50, 95 % CI −0.5")
    assert told.index("95 % CI") < told.index("plain") < told.index("p <") < told.index("signs flipped: p = 0.008")
    assert told.endswith("n = 8 subjects.")


@pytest.mark.parametrize(
    ("unit", "words"), [("speed", "the same person's other speeds"), ("block", "blocks of cycles")]
)
def test_one_person_s_speeds_and_blocks_show_nothing_and_speak_of_nobody_else(
    tmp_path: Path, unit: str, words: str
) -> None:
    made = site(tmp_path, er(LEVELS, units=FEWEST - 1, unit=unit))
    found = [one for one in answers(made, ["s"]) if one.page in (CONTRASTS.page, NEEDED.page)]
    assert {one.verdict for one in found} == {NOT_SHOWN}
    said = " ".join(one.evidence for one in found)
    assert words in said
    assert f"no p, which needs {FEWEST} of them" in said
    for word in ("other people", "subject", "p <", "p =", "*", "d ="):
        assert word not in said


def test_a_method_that_was_not_evaluated_is_told_and_decides_nothing(tmp_path: Path) -> None:
    few = {name: level for name, level in LEVELS.items() if name != "delayed_ridge"}
    found = answers(site(tmp_path, er(few)), ["s"])
    network = by_question(found)[NETWORK]
    assert network["plain LSTM"] == CANNOT  # better than the one ridge that there is
    assert network["temporal convolution"] == OTHERWISE
    assert any("delayed_ridge was not evaluated here" in one.evidence for one in found if one.question == NETWORK)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.floats(-0.9, 0.4), min_size=len(LEVELS), max_size=len(LEVELS)),
    st.integers(2, 10),
    st.sampled_from((0.01, 0.05, 0.2)),
)
def test_no_difference_has_two_answers_anywhere_on_the_page(
    tmp_path: Path, levels: list[float], units: int, spread: float
) -> None:
    made = site(tmp_path, er(dict(zip(LEVELS, levels, strict=True)), units=units, spread=spread))
    found = by_question(answers(made, ["s"]))
    one = {contrast.id: made.contrast("s", contrast.id).answer for contrast in planned()}
    single = {NEARER: "nearer", MEAN: "mean", ATTENTION: "attention", INPUTS: "input"}
    for question, name in single.items():
        for contrast in (c for c in planned() if c.question == name):
            assert found[question][label_of(contrast.method)] == one[contrast.id]
    joined = {NETWORK: ("network",), OWN: ("own",), LEARNED: ("mean", "input")}
    for question, names in joined.items():
        for about, verdict in found[question].items():
            parts = [one[c.id] for c in planned() if c.question in names and label_of(c.method) == about]
            assert (verdict == SHOWN) == all(part == SHOWN for part in parts)
            assert (verdict == OTHERWISE) == (OTHERWISE in parts)
    # transitive: what is shown to be better by one row is not shown to be worse by any other
    assert not {(c.method, c.rival) for c in planned()} & {(c.rival, c.method) for c in planned()}


def test_what_dependence_changes_is_counted_and_named(tmp_path: Path) -> None:
    weak = er({**LEVELS, "one_entire": -0.5, "mean_curve": -0.42}, spread=0.035)
    made = site(tmp_path, weak)
    table = pd.concat([made.rows(CONTRASTS, "s"), made.rows(NEEDED, "s")])
    changed = table[table["answer"] != table["plain_answer"]]
    assert len(changed)
    first, second = bounded(made, ["s"])
    assert f"would change {len(changed)} of {len(table)} answers (s: " in first
    assert all(
        f"{label_of(r.method)} against {label_of(r.rival)}, {r.plain_answer}" in first for r in changed.itertuples()
    )
    decided = table["answer"].isin((SHOWN, OTHERWISE))
    assert f"Of {decided.sum()} contrasts" in second
    assert second.endswith(f"in {int((table.loc[decided, 'p_flips'] < 0.05).sum())}.")


def test_the_rule_counts_what_is_in_the_file() -> None:
    told = " ".join(rule())
    assert f"{len(planned())} contrasts" in told
    assert f"{len(of_family(METHODS))} of 08_rivals and {len(of_family(INPUT))} of 13_controls" in told
    assert f"fewer than {FEWEST} held-out units" in told


@pytest.mark.parametrize(("data", "of"), [("", "SYNTHETIC data"), ("open", "people")])
def test_what_maps_say_is_answered_where_it_is_tested(tmp_path: Path, data: str, of: str) -> None:
    table = {
        "study": "running",
        "condition": ["one_entire", "all_entire"],
        "entropy": [0.7, 0.99],
        "verdict": [SHOWN, OTHERWISE],
        "spoken_against": [False, True],
        "sentence": "So.",
        "effect": 0.1,
        "ci_low": 0.0,
        "ci_high": 0.2,
    }
    pd.DataFrame(table).to_csv(tmp_path / "attention_verdicts.csv", index=False)
    found = [one for one in answers(Site(tmp_path, trained=long.claims(data)), ["running"]) if one.question == MAPS]
    assert [(one.about, one.verdict) for one in found] == [("One-Entire", SHOWN), ("All-Entire", OTHERWISE)]
    assert found[1].evidence.startswith("So. Entropy, which decides nothing: 0.99 of its maximum.")
    assert f"epochs ({of}" in found[1].evidence
    assert "C22" in found[1].evidence


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((AGREES, AGREES), SHOWN),
        ((AGREES, ONE_CHARACTER), NOT_SHOWN),
        ((AGREES, MISPLACED, CONTRADICTS), OTHERWISE),
    ],
)
def test_the_paper_contradicts_itself_only_where_no_reading_mends_it(
    tmp_path: Path, readings: tuple[str, ...], expected: str
) -> None:
    table = pd.DataFrame({"reading": readings, "consistent": [one == AGREES for one in readings]})
    table.to_csv(tmp_path / "audit_rows.csv", index=False)
    assert answers(Site(tmp_path), [])[0].verdict == expected


@pytest.mark.parametrize(
    ("published", "reviewed", "expected"),
    [
        (("improves", "improves"), ("improves", "improves"), SHOWN),
        (("improves", "improves"), ("improves", "no improvement shown"), NOT_SHOWN),
        (("improves", "improves"), ("improves", "undefined"), NOT_SHOWN),
        (("no improvement shown", "undefined"), ("no improvement shown", "becomes worse"), CANNOT),
    ],
)
def test_improvements_survive_where_every_one_does(
    tmp_path: Path, published: tuple[str, str], reviewed: tuple[str, str], expected: str
) -> None:
    table = pd.DataFrame({"study": "s", "muscle": ["a", "b"], "electrode": ["a", "b"]})
    rows = [
        table.assign(condition=name, as_published_verdict=published, verdict=reviewed).to_dict("records")
        for name in CONDITIONS
    ]
    pd.DataFrame([row for part in rows for row in part]).to_csv(tmp_path / "review_improvement.csv", index=False)
    found = [one for one in answers(Site(tmp_path), ["s"]) if one.question == REVIEW]
    assert [one.verdict for one in found] == [expected] * len(CONDITIONS)


def test_of_one_electrode_nothing_is_corrected(tmp_path: Path) -> None:
    rows = {"study": "s", "muscle": "a", "electrode": "a", "condition": list(CONDITIONS)}
    table = pd.DataFrame(rows).assign(as_published_verdict="improves", verdict="improves")
    table.to_csv(tmp_path / "review_improvement.csv", index=False)
    (found,) = (one for one in answers(Site(tmp_path), ["s"]) if one.question == REVIEW)
    assert (found.verdict, found.evidence) == (CANNOT, "There is one electrode: nothing is to be corrected for.")


def test_what_was_not_run_is_said_and_not_left_out(tmp_path: Path) -> None:
    found = answers(Site(tmp_path), ["running", "walking"])
    assert len(found) == 2 * len(QUESTIONS) + 1
    assert {one.verdict for one in found} == {CANNOT}
    assert all("has not been run" in one.evidence for one in found)
