"""Where the verdicts change, what they are told of, and what cannot be tested."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis.claims import Evidence, evaluate, summarise
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, NOT_SHOWN, PARTLY, UNTESTED, every, few, most
from nem2e_lib.analysis.claims.losses import losses
from nem2e_lib.analysis.claims.table import PAPER_ALONE
from nem2e_lib.training.conditions import CONDITIONS
from tests.support.planted_claims import MUSCLES, errors, evidence, results

RUNNING, WALKING = MUSCLES["running"], MUSCLES["walking"]
BETTER = -0.4


def each(condition: str, muscles: Iterable[str]) -> dict[tuple[str, str], float]:
    return {(condition, muscle): BETTER for muscle in muscles}


def found(made: Evidence, claim: str) -> pd.Series:
    return evaluate(made, [claim]).iloc[0]


@pytest.mark.parametrize(
    ("claim", "motion", "improved", "hidden", "verdict"),
    [
        ("C01", "running", each("all_entire", RUNNING[:9]), (), PARTLY),
        ("C01", "running", each("all_entire", RUNNING[:9]), RUNNING[9:], PARTLY),
        ("C01", "running", each("all_entire", RUNNING[:8]), (), FAILS),
        ("C01", "running", each("all_entire", RUNNING[:8]), RUNNING[8:], NOT_SHOWN),
        ("C02", "running", each("one_quarter", RUNNING[:5]), (), HOLDS),
        ("C02", "running", each("one_quarter", RUNNING[:5]), RUNNING[5:6], NOT_SHOWN),
        ("C02", "running", each("one_quarter", RUNNING[:6]), (), FAILS),
        ("C03", "running", each("one_entire", RUNNING[:9]), RUNNING[9:], HOLDS),
        ("C03", "running", each("one_entire", RUNNING[:8]), RUNNING[8:], NOT_SHOWN),
        ("C03", "running", each("one_entire", RUNNING[:8]), (), FAILS),
        ("C04", "walking", each("all_entire", ["soleus"]), (), PARTLY),
        ("C04", "walking", each("all_entire", ["soleus"]), ("tib", "rect"), PARTLY),
        ("C05", "walking", each("one_entire", ["bi"]), (), PARTLY),
        ("C05", "walking", each("one_entire", ["bi"]), ("sem",), FAILS),
        ("C09", "walking", each("all_entire", ["rect"]) | each("one_entire", ["rect"]), (), FAILS),
        ("C10", "running", each("one_quarter", RUNNING[:7]), (), HOLDS),
        ("C10", "running", each("one_quarter", RUNNING[:8]), (), FAILS),
        ("C18", "walking", each("one_entire", ["soleus"]), (), PARTLY),
        ("C19", "walking", each("all_entire", ["tib"]), (), PARTLY),
    ],
)
def test_where_claims_on_improvement_change(
    claim: str, motion: str, improved: dict[tuple[str, str], float], hidden: tuple[str, ...], verdict: str
) -> None:
    made = evidence([errors(motion, improved, sd=dict.fromkeys(hidden, 0.6))])
    assert found(made, claim)["verdict"] == verdict


@pytest.mark.parametrize(
    ("claim", "differ", "verdict"),
    [
        ("C07", RUNNING[:9], HOLDS),
        ("C07", RUNNING[:8], FAILS),
        ("C08", ("bi", "glmax2", *RUNNING[2:5]), HOLDS),
        ("C08", ("bi", "sem"), PARTLY),
        ("C08", RUNNING, PARTLY),
        ("C08", (), FAILS),
    ],
)
def test_where_claims_on_differences_change(claim: str, differ: tuple[str, ...], verdict: str) -> None:
    row = found(evidence([errors("running", each("all_entire", differ))]), claim)
    assert row["verdict"] == verdict
    assert f"{len(differ)} of 16 differ" in row["value"]


def test_counts_are_certain_whatever_the_undecided_would_be() -> None:
    assert [most([True, True, False]), most([True, False, False]), most([True, None, False])] == [True, False, None]
    assert [few([True, False, False]), few([True, True, False]), few([True, None, False])] == [True, False, None]
    assert [every([True, True]), every([True, None]), every([False, None])] == [True, None, False]


def shortcut(er: float, rise: float, sd: float = 0.1, **more: object) -> pd.DataFrame:
    rows = [("model", er, rise), ("mean_curve", -0.3, 0.0)]
    table = pd.DataFrame(rows, columns=["method", "er_mean", "rise"]).assign(reference="original input", n=8, **more)
    told = {"er_sd": sd, "rise_sd": sd, "p_value": 0.5, "draws": 50, "inputs": 32, "draws_degrade": 40}
    return table.assign(draw_low=0.1, draw_high=0.7, reason="", **told)


@pytest.mark.parametrize(
    ("er", "rise", "verdict"), [(0.5, 0.9, HOLDS), (0.5, 0.0, PARTLY), (-0.1, 0.4, PARTLY), (-0.2, -0.1, FAILS)]
)
def test_half_of_the_shortcut_claim_holds_in_part(er: float, rise: float, verdict: str) -> None:
    row = found(evidence(shortcut=shortcut(er, rise)), "C11")
    assert row["verdict"] == verdict
    assert "8 subjects, 50 draws of 32 inputs" in row["value"]
    assert "from +0.10 to +0.70; 40 of 50 alone" in row["why"]


def test_the_shortcut_test_of_another_muscle_holds_in_part() -> None:
    row = found(evidence(shortcut=shortcut(0.5, 0.9, channel="gast")), "C11")
    assert row["verdict"] == PARTLY
    assert "this is the model of gast" in row["why"]


def test_an_undefined_shortcut_test_decides_nothing() -> None:
    table = shortcut(np.nan, np.nan).assign(p_value=np.nan, reason="Er is undefined.")
    row = found(evidence(shortcut=table), "C11")
    assert (row["verdict"], row["why"]) == (UNTESTED, "The test is undefined. Er is undefined.")


def test_a_loss_is_read_off_windows_and_not_off_the_last_epoch() -> None:
    made = results("walking", "one_entire", muscles=["soleus"], epochs=100)
    curve = np.linspace(1, 0.5, 100)
    curve[-1] = 50.0  # a step of Adam that jumps
    spiked = losses(made.assign(validation_loss=made.validation_loss * 0 + curve))
    # last tenth: nine of linspace's and the jump; by hand (sum of 9 + 50) / 10 over the least window
    steps = np.linspace(1, 0.5, 100)
    expected = (steps[90:99].sum() + 50) / 10 / steps[89:99].mean()
    assert np.exp(spiked.rise.mean) == pytest.approx(expected)
    assert spiked.minimum.mean + 0.5 == pytest.approx((89 + 4.5 + 0.5) / 100)


def test_a_loss_that_never_rises_is_certain() -> None:
    found = losses(results("walking", "one_entire", muscles=["soleus"]))
    assert (found.stays, found.falls, found.is_early) == (True, True, False)


def test_models_that_diverged_count_and_are_told_of() -> None:
    made = [results("running", c, muscles=["soleus"]) for c in CONDITIONS]
    made[0]["diverged"][0, 0, 1] = True
    assert "1 of 30 models diverged; they count as in Er" in found(evidence(trained=made), "C12")["why"]


def test_the_papers_own_numbers_need_no_run() -> None:
    nothing = errors("running", {}, muscles=["tib"]).assign(study="jumping")
    made = Evidence(nothing, nothing, nothing, {}, {"jumping": "jumping"}, None, {"jumping": True})
    rows = evaluate(made).set_index("id")
    assert set(PAPER_ALONE) == {"C16", "C17"}
    assert (rows.drop(list(PAPER_ALONE))["verdict"] == UNTESTED).all()
    assert rows.loc["C17", "verdict"] == PARTLY
    assert not rows.loc["C16", "why"].startswith("SYNTHETIC")
    assert "none could be tested here" in summarise(rows.reset_index()).said
    assert summarise(rows.reset_index()).overall == "not tested"


def test_one_subject_cannot_speak_for_subjects() -> None:
    row = found(evidence([errors("running", {}, unit="speed")]), "C01")
    assert row["verdict"] == UNTESTED
    assert "one subject" in row["why"]


def test_missing_muscles_are_named_and_synthetic_data_too() -> None:
    made = evidence([errors("running", {}, muscles=["soleus"])])
    assert "no muscle tib" in found(made, "C19")["why"]
    assert "no muscle bi, sem, tib" in found(made, "C01")["why"]
    assert found(made, "C04")["why"].startswith("SYNTHETIC")


CHILDREN = ["rect", "hams", "gast", "tib"]
TARGETS = ["rect_fem_r", "bifemlh_r", "med_gas_r", "tib_ant_r"]


def children(er: dict[tuple[str, str], float]) -> Evidence:
    """Make evidence of two studies: children with four muscles under names of their own, and one runner."""
    walked = results("walking", "one_entire", muscles=WALKING[:4], epochs=700)
    walked = walked.assign_coords(channel=CHILDREN, target=("channel", TARGETS), electrode=("channel", CHILDREN))
    ran = [results("running", c, muscles=["tib"]).assign_attrs(unit="speed") for c in CONDITIONS]
    rows = [errors("walking", er, muscles=CHILDREN), errors("running", {}, unit="speed", people=4)]
    return evidence(rows, [walked, *ran])


def test_a_muscle_is_found_under_another_name() -> None:
    row = found(children(each("one_entire", ["hams"])), "C05")
    assert row["value"].startswith("one_quarter: Er bi +0.00")
    assert row["verdict"] == FAILS
    assert "Not measured in walking: sem" in row["why"]


def test_a_claim_on_muscles_that_were_measured_in_part_holds_in_part_at_most() -> None:
    made = children(each("all_entire", ["tib", "rect"]))
    row = found(made, "C04")
    assert row["value"].endswith("2 of 2 improve (tib, rect)")
    assert row["verdict"] == PARTLY
    assert "Not measured in walking: soleus, so that the claim" in row["why"]
    alike = children({})
    assert [found(alike, claim)["verdict"] for claim in ("C04", "C05", "C06")] == [FAILS, PARTLY, PARTLY]
    differs = found(children(each("all_entire", ["hams"])), "C06")
    assert differs["verdict"] == FAILS
    assert "bi (one_quarter and all_entire)" in differs["value"]


def test_a_claim_on_both_motions_is_tested_on_the_people_there_are() -> None:
    made = children(each("all_entire", ["tib"]))
    row = found(made, "C19")
    assert row["verdict"] == PARTLY
    assert row["value"].startswith("walking: Er one_quarter +0.00")
    assert "running has one subject" in row["why"]
    assert found(made, "C21")["value"].startswith("walking: RMSE")
    assert "running has one subject" in found(made, "C21")["why"]
    assert found(children({}), "C19")["verdict"] == FAILS


def test_networks_of_one_runner_are_told_of_as_such_and_their_muscles_tested_not_at_all() -> None:
    made = children({})
    for claim in ("C01", "C02", "C03", "C07", "C08", "C10", "C20"):
        row = found(made, claim)
        assert row["verdict"] == UNTESTED
        assert "one subject" in row["why"]
    row = found(made, "C12")
    assert row["verdict"] == PARTLY
    assert "left out are its speeds" in row["why"]


def test_the_gastrocnemius_itself_is_asked_where_it_was_measured() -> None:
    under_all = {(condition, "gast"): BETTER for condition in CONDITIONS}
    row = found(children(under_all), "C18")
    assert row["verdict"] == HOLDS
    assert "The muscle is gasmed." in row["why"]
    assert found(children({}), "C18")["verdict"] == FAILS
    neither = evidence([errors("walking", {}, muscles=["rect"])])
    assert "no muscle soleus" in found(neither, "C18")["why"]


def test_a_test_that_is_undefined_decides_nothing() -> None:
    rows = [errors(motion, {}) for motion in MUSCLES]
    for table in rows:
        table.loc[(table["muscle"] == "bi") & table["label"].isin(["s0", "s1"]), "er"] = np.nan
    made = evidence(rows)
    for claim in ("C01", "C02", "C05", "C06", "C07", "C08", "C10", "C20"):
        row = found(made, claim)
        assert row["verdict"] == UNTESTED
        assert "bi is undefined. Er is undefined" in row["why"]
    assert found(made, "C04")["verdict"] == FAILS


def test_the_distance_between_cycles_is_of_one_speed_where_there_are_two() -> None:
    from nem2e_lib.analysis.claims.behaviour import closeness

    made = results("walking", "one_entire", muscles=["soleus"], people=2, cycles=4)
    flat = xr.zeros_like(made.measured)
    flat[0, :, 0] = 1.0  # range 1
    flat[0, :, 1] = [0.0, 0.2, 0.5, 0.9] * 2
    made = made.assign(measured=flat, refined=made.refined * 0 + flat + 0.1)
    # one sample of 20 differs: every pair of cycles lies |a - b| / sqrt(20) apart
    pairs = [abs(a - b) for i, a in enumerate((0.0, 0.2, 0.5, 0.9)) for b in (0.0, 0.2, 0.5, 0.9)[i + 1 :]]
    assert closeness(made)["own"].to_list() == pytest.approx([np.mean(pairs) / 20**0.5] * 2)
    assert closeness(made)["refined"].to_list() == pytest.approx([0.1] * 2)
    same = made.assign_coords(speed=("cycle", ["slow", "slow", "fast", "fast"] * 2))
    assert closeness(same)["own"].to_list() == pytest.approx([np.mean([0.2, 0.4]) / 20**0.5] * 2)


def test_the_summary_counts_every_claim_and_the_papers_own_apart() -> None:
    table = evaluate(evidence())
    counted = summarise(table)
    assert len(table) == 22
    assert (counted.asked, sum(counted.paper.values())) == (20, 2)
    assert counted.tested == 20 - (table["verdict"] == UNTESTED).sum()
    assert f"Of the 20 claims that a run can test, {counted.tested} could be tested here: " in counted.said
    assert "Of the 2 claims on the paper's own numbers, which no run can change: " in counted.said


@pytest.mark.parametrize(
    ("verdicts", "overall"),
    [
        ((HOLDS, UNTESTED), "reproduced"),
        ((HOLDS, FAILS), "partly reproduced"),
        ((HOLDS, NOT_SHOWN), "partly reproduced"),
        ((PARTLY,), "partly reproduced"),
        ((FAILS, UNTESTED), "not reproduced"),
        ((FAILS, NOT_SHOWN), "not reproduced"),
        ((NOT_SHOWN,), "not shown"),
        ((UNTESTED,), "not tested"),
        ((), "not tested"),
    ],
)
def test_the_papers_own_claims_change_nothing_of_what_is_reproduced(verdicts: tuple[str, ...], overall: str) -> None:
    rows = [(f"C{i:02}", verdict) for i, verdict in enumerate(verdicts, 1)] + [("C16", HOLDS), ("C17", FAILS)]
    assert summarise(pd.DataFrame(rows, columns=["id", "verdict"])).overall == overall
