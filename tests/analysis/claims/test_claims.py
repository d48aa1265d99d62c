"""Every rule, with evidence for which the verdict is known both ways."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis.claims import Evidence, evaluate, summarise
from nem2e_lib.data.muscles import RUNNING_EMG, WALKING_EMG
from nem2e_lib.training.conditions import CONDITIONS

RUNNING, WALKING = list(RUNNING_EMG), list(WALKING_EMG)
SAMPLES = np.linspace(0, 100, 20)


def evidence(improved=(), differ=(), results=None, shortcut=None, unit="subject", synthetic=False, muscles=None):
    """`improved` holds (motion, condition, muscle) triples; `differ` holds (motion, muscle, a, b)."""
    lists = muscles or {"running": RUNNING, "walking": WALKING}
    summary = pd.DataFrame(
        [
            {
                "study": m,
                "muscle": name,
                "condition": c,
                "improved": (m, c, name) in improved,
                "er_mean": -0.1,
                "p_value": 0.5,
            }
            for m, names in lists.items()
            for c in CONDITIONS
            for name in names
        ]
    )
    pairs = [("one_quarter", "one_entire"), ("one_quarter", "all_entire"), ("one_entire", "all_entire")]
    tukey = pd.DataFrame(
        [
            {"study": m, "muscle": name, "a": a, "b": b, "p_value": 0.01 if (m, name, a, b) in differ else 0.5}
            for m, names in lists.items()
            for name in names
            for a, b in pairs
        ]
    )
    errors = summary.assign(unit=unit, label="s1", er=-0.1)
    motions = {motion: motion for motion in lists}
    return Evidence(errors, summary, tukey, results or {}, motions, shortcut, dict.fromkeys(lists, synthetic))


def verdicts(**options):
    return evaluate(evidence(**options)).set_index("id")["verdict"]


def each(motion, condition, names):
    return {(motion, condition, name) for name in names}


@pytest.mark.parametrize(
    ("claim", "improved", "verdict"),
    [
        ("C01", each("running", "all_entire", RUNNING), "holds"),
        ("C01", each("running", "all_entire", RUNNING[:9]), "holds in part"),
        ("C01", each("running", "all_entire", RUNNING[:8]), "does not hold"),
        ("C02", each("running", "one_quarter", RUNNING[:5]), "holds"),
        ("C02", each("running", "one_quarter", RUNNING[:6]), "does not hold"),
        ("C03", each("running", "one_entire", RUNNING[:9]), "holds"),
        ("C03", each("running", "one_entire", RUNNING[:8]), "does not hold"),
        ("C04", each("walking", "all_entire", ["soleus", "tib", "rect"]), "holds"),
        ("C04", each("walking", "all_entire", ["soleus"]), "holds in part"),
        ("C04", set(), "does not hold"),
        ("C05", set(), "holds"),
        ("C05", each("walking", "one_entire", ["bi"]), "holds in part"),
        ("C05", each("walking", "one_entire", ["bi", "sem"]), "does not hold"),
        ("C09", {("walking", "all_entire", "rect")}, "holds"),
        ("C09", {("walking", "all_entire", "rect"), ("walking", "one_entire", "rect")}, "does not hold"),
        ("C10", each("running", "one_quarter", RUNNING[:7]), "holds"),
        ("C10", each("running", "one_quarter", RUNNING[:8]), "does not hold"),
        ("C18", {("walking", c, "soleus") for c in CONDITIONS}, "holds"),
        ("C18", {("walking", "one_entire", "soleus")}, "holds in part"),
        ("C19", {("walking", "all_entire", "tib"), ("running", "all_entire", "tib")}, "holds"),
        ("C19", {("walking", "all_entire", "tib")}, "holds in part"),
        ("C19", set(), "does not hold"),
        ("C20", set(), "holds"),
        ("C20", {("running", "one_quarter", "bi")}, "does not hold"),
    ],
)
def test_claims_on_improvement(claim, improved, verdict):
    assert verdicts(improved=improved)[claim] == verdict


@pytest.mark.parametrize(
    ("claim", "differ", "verdict"),
    [
        ("C06", set(), "holds"),
        ("C06", {("walking", "bi", "one_quarter", "one_entire")}, "does not hold"),
        ("C07", {("running", name, "one_quarter", "all_entire") for name in RUNNING[:9]}, "holds"),
        ("C07", {("running", name, "one_quarter", "all_entire") for name in RUNNING[:8]}, "does not hold"),
        ("C08", {("running", name, "one_entire", "all_entire") for name in ("bi", "glmax2")}, "holds"),
        ("C08", {("running", name, "one_entire", "all_entire") for name in ("bi", "sem")}, "holds in part"),
        ("C08", set(), "does not hold"),
    ],
)
def test_claims_on_differences(claim, differ, verdict):
    assert verdicts(differ=differ)[claim] == verdict


@pytest.mark.parametrize(
    ("er", "p", "rise", "rise_p", "verdict"),
    [
        (0.5, 0.001, 0.9, 0.001, "holds"),
        (0.5, 0.001, 0.0, 0.9, "holds in part"),
        (-0.1, 0.001, 0.4, 0.001, "holds in part"),
        (0.5, 0.2, 0.1, 0.2, "does not hold"),
        (-0.2, 0.001, -0.1, 0.001, "does not hold"),
    ],
)
def test_shortcut_claim(er, p, rise, rise_p, verdict):
    rows = [("model", er, p, rise, rise_p), ("mean_curve", -0.3, 0.01, 0.0, np.nan)]
    names = ["method", "er_mean", "p_value", "rise", "rise_p_value"]
    table = pd.DataFrame(rows, columns=names).assign(reference="original input", n=32, rise_ci_low=-1, rise_ci_high=1)
    found = evaluate(evidence(shortcut=table)).set_index("id").loc["C11"]
    assert found["verdict"] == verdict
    assert "-0.30" in found["why"]


def trained(motion, condition, curve, attention, refined=0.1):
    tokens = SAMPLES if condition == "one_entire" else [f"m{i}_{'rl'[i % 2]}" for i in range(20)]
    dims = ("channel", "cycle", "sample")
    zeros, channels = np.zeros((1, 2, 20)), ["tib"]
    return xr.Dataset(
        {
            "validation_loss": (("seed", "channel", "fold", "epoch"), np.tile(curve, (1, 1, 2, 1))),
            "diverged": (("seed", "channel", "fold"), np.zeros((1, 1, 2), bool)),
            "attention": (("seed", "channel", "cycle", "output", "token"), np.tile(attention, (1, 1, 2, 1, 1))),
            "gradient": (("seed", "channel", "fold", "output", "token"), np.tile(np.eye(20, k=2), (1, 1, 2, 1, 1))),
            "measured": (dims, zeros),
            "simulated": (dims, zeros + 0.5),
            "mean_curve": (dims, zeros + 0.3),
            "refined": (("seed", *dims), zeros[None] + refined),
        },
        coords={
            "channel": channels,
            "target": ("channel", ["m0_r"]),
            "token": tokens,
            "output": SAMPLES,
            "sample": SAMPLES,
            "fold": ["a", "b"],
            "fold_of_cycle": ("cycle", [0, 1]),
            "subject": ("cycle", ["a", "b"]),
            "start_s": ("cycle", [0.0, 0.0]),
            "end_s": ("cycle", [0.76, 0.76]),
        },
        attrs={"study": motion, "motion": motion, "condition": condition},
    )


FLAT, RISING = np.linspace(1, 0.2, 10), np.array([1, 0.5, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8])


@pytest.mark.parametrize(("claim", "motion"), [("C12", "running"), ("C13", "walking")])
def test_loss_claims(claim, motion):
    for curve, converges in ((FLAT, True), (RISING, False)):
        made = {(motion, "one_entire"): trained(motion, "one_entire", curve, np.eye(20))}
        expected = "holds" if converges == (claim == "C12") else "does not hold"
        assert verdicts(results=made)[claim] == expected


@pytest.mark.parametrize(("refined", "verdict"), [(0.1, "holds"), (0.4, "does not hold")])
def test_refined_curves_must_beat_the_mean_curve_too(refined, verdict):
    made = {
        (motion, condition): trained(motion, condition, FLAT, np.eye(20), refined)
        for motion, condition in (("walking", "one_entire"), ("running", "all_entire"))
    }
    assert verdicts(results=made)["C21"] == verdict


def test_the_papers_own_numbers_need_no_run():
    found = verdicts(muscles={"jumping": RUNNING})
    assert found["C16"] == "does not hold"
    assert found["C17"] == "holds in part"
    assert (found.drop(["C16", "C17"]) == "cannot be tested").all()


def test_one_subject_cannot_speak_for_subjects():
    found = evaluate(evidence(unit="speed")).set_index("id")
    assert found.loc["C01", "verdict"] == "cannot be tested"
    assert "one subject" in found.loc["C01", "why"]


def test_missing_muscles_are_named_and_synthetic_data_too():
    found = evaluate(evidence(muscles={"running": ["soleus"], "walking": WALKING}, synthetic=True)).set_index("id")
    assert "no muscle tib" in found.loc["C19", "why"]
    assert "no muscle bi, sem, tib" in found.loc["C01", "why"]
    assert found.loc["C04", "why"].startswith("SYNTHETIC")
    assert not found.loc["C16", "why"].startswith("SYNTHETIC")


CHILDREN = ["rect", "hams", "gast", "tib"]


def children(improved=(), differ=(), refined=0.1):
    """Make evidence of two studies: children with four muscles under names of their own, and one runner."""
    made = evidence(improved, differ, muscles={"walking": CHILDREN, "running": RUNNING})
    made.errors.loc[made.errors["study"] == "running", "unit"] = "speed"
    targets = {"channel": CHILDREN, "target": ("channel", ["rect_fem_r", "bifemlh_r", "med_gas_r", "tib_ant_r"])}
    walked = trained("walking", "one_entire", RISING, np.eye(20), refined)
    walked = walked.isel(channel=[0, 0, 0, 0]).assign_coords(targets)
    made.results["walking", "one_entire"] = walked
    for condition in ("one_entire", "all_entire"):
        made.results["running", condition] = trained("running", condition, FLAT, np.eye(20))
    return evaluate(made).set_index("id")


def test_a_muscle_is_found_under_another_name():
    found = children(improved=each("walking", "one_entire", ["hams"]))
    assert found.loc["C05", "value"].startswith("one_quarter: 0 of 1; one_entire: 1 of 1 (bi)")
    assert found.loc["C05", "verdict"] == "does not hold"
    assert "Not measured in walking: sem" in found.loc["C05", "why"]


def test_a_claim_on_muscles_that_were_measured_in_part_holds_in_part_at_most():
    found = children(improved=each("walking", "all_entire", ["tib", "rect"]))
    assert found.loc["C04", "value"] == "2 of 2 (tib, rect)"
    assert found["verdict"][["C04", "C05", "C06"]].eq("holds in part").all()
    assert "Not measured in walking: soleus, so that the claim" in found.loc["C04", "why"]
    assert children().loc["C04", "verdict"] == "does not hold"
    differs = children(differ={("walking", "hams", "one_quarter", "one_entire")})
    assert differs.loc["C06", "verdict"] == "does not hold"
    assert "bi: one_quarter and one_entire" in differs.loc["C06", "why"]


def test_a_claim_on_both_motions_is_tested_on_the_people_there_are():
    found = children(improved=each("walking", "all_entire", ["tib"]))
    assert found.loc["C19", "verdict"] == "holds in part"
    assert found.loc["C19", "value"] == "walking: improves under all_entire"
    assert "running has one subject" in found.loc["C19", "why"]
    assert found.loc["C21", "verdict"] == "holds in part"
    assert found.loc["C21", "value"].startswith("walking: RMSE 0.100 (OpenSim 0.500, mean curve 0.300)")
    assert children(refined=0.4).loc["C21", "verdict"] == "does not hold"
    assert children().loc["C19", "verdict"] == "does not hold"


def test_networks_of_one_runner_are_told_of_as_such_and_their_muscles_tested_not_at_all():
    found = children()
    for claim in ("C01", "C02", "C03", "C07", "C08", "C10", "C20"):
        assert found.loc[claim, "verdict"] == "cannot be tested"
        assert "one subject" in found.loc[claim, "why"]
    assert found.loc["C12", "verdict"] == "holds in part"
    assert found.loc["C13", "verdict"] == "holds"
    assert "left out are its speeds" in found.loc["C12", "why"]
    assert found.loc[["C14", "C22"], "verdict"].eq("cannot be tested").all()


def test_the_gastrocnemius_itself_is_asked_where_it_was_measured():
    assert children().loc["C18", "verdict"] == "does not hold"
    under_all = children(improved={("walking", c, "gast") for c in CONDITIONS}).loc["C18"]
    assert under_all["verdict"] == "holds"
    assert "The muscle is gasmed." in under_all["why"]
    neither = evaluate(evidence(muscles={"walking": ["rect"], "running": RUNNING})).set_index("id")
    assert "no muscle soleus" in neither.loc["C18", "why"]


def test_the_shortcut_test_of_another_muscle_holds_in_part():
    rows = [("model", 0.5, 0.001, 0.9, 0.001), ("mean_curve", -0.3, 0.01, 0.0, np.nan)]
    names = ["method", "er_mean", "p_value", "rise", "rise_p_value"]
    table = pd.DataFrame(rows, columns=names).assign(reference="original input", n=32, rise_ci_low=-1, rise_ci_high=1)
    found = evaluate(evidence(shortcut=table.assign(channel="gast"))).set_index("id").loc["C11"]
    assert found["verdict"] == "holds in part"
    assert "this is the model of gast" in found["why"]


def test_a_test_that_is_undefined_decides_nothing():
    made = evidence()
    for name in ("summary", "tukey"):
        table = getattr(made, name)
        table.loc[table["muscle"] == "bi", ["p_value", "reason"]] = [np.nan, "Er is undefined for 2 of 8."]
    found = evaluate(made).set_index("id")
    for claim in ("C01", "C02", "C05", "C06", "C07", "C08", "C10", "C20"):
        assert found.loc[claim, "verdict"] == "cannot be tested"
        assert "bi is undefined. Er is undefined for 2 of 8" in found.loc[claim, "why"]
    assert found.loc["C04", "verdict"] == "does not hold"


def test_an_undefined_shortcut_test_decides_nothing():
    row = {"reference": "original input", "er_mean": np.nan, "p_value": np.nan, "n": 32, "reason": "Er is undefined."}
    table = pd.DataFrame([{"method": method, **row} for method in ("model", "mean_curve")])
    found = evaluate(evidence(shortcut=table)).set_index("id").loc["C11"]
    assert (found["verdict"], found["why"]) == ("cannot be tested", "The test is undefined. Er is undefined.")


def test_models_that_diverged_are_left_out_and_counted():
    made = trained("running", "one_entire", FLAT, np.eye(20))
    made["validation_loss"][0, 0, 1] = RISING * 100
    made["diverged"][0, 0, 1] = True
    found = evaluate(evidence(results={("running", "one_entire"): made})).set_index("id").loc["C12"]
    assert found["verdict"] == "holds"
    assert "1 of 2 models diverged" in found["why"]
    made["diverged"][:] = True
    found = evaluate(evidence(results={("running", "one_entire"): made})).set_index("id").loc["C12"]
    assert found["verdict"] == "cannot be tested"


def test_the_summary_counts_every_claim():
    table = evaluate(evidence())
    assert sum(summarise(table).values()) == len(table) == 22
