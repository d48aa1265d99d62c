"""The verdicts put to the test: evidence in which each claim is true, false, or hidden by noise.

C14, C15 and C22, which are about attention, have their cases in `test_tester_attention.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from nem2e_lib.analysis import published
from nem2e_lib.analysis.claims import Evidence
from nem2e_lib.analysis.claims.evidence import NOT_SHOWN
from nem2e_lib.analysis.shortcut import CURVE, MODEL, ORIGINAL, shortcut_summary
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import PUBLISHED_EPOCHS
from tests.support.planted_claims import FALSE, MUSCLES, SUBJECTS, TRUE, WEAK, Case, errors, evidence, results

RUNNING, WALKING = MUSCLES["running"], MUSCLES["walking"]
BETTER, NONE, HIDDEN = -0.4, 0.0, 0.4
"""Mean Er of a muscle that improves and of one that does not; standard deviation that hides either."""


# --- Claims on Er ---


def each(condition: str, muscles: Iterable[str], er: float = BETTER) -> dict[tuple[str, str], float]:
    return {(condition, muscle): er for muscle in muscles}


def of_er(motion: str, er: dict[tuple[str, str], float], sd: float = 0.05) -> Callable[[], Evidence]:
    return lambda: evidence([errors(motion, er, sd=sd)])


def of_both(
    running: dict[tuple[str, str], float], walking: dict[tuple[str, str], float], sd: float = 0.05
) -> Callable[[], Evidence]:
    return lambda: evidence([errors("running", running, sd=sd), errors("walking", walking, sd=sd)])


TIB = each("all_entire", ["tib"])
EVERYWHERE = {key: er for condition in CONDITIONS for key, er in each(condition, ["tib", "rect", "soleus"]).items()}
ER = [
    Case("C01", TRUE, of_er("running", each("all_entire", RUNNING))),
    Case("C01", FALSE, of_er("running", each("all_entire", RUNNING[:4]))),
    Case("C01", WEAK, of_er("running", each("all_entire", RUNNING, -0.1), HIDDEN)),
    Case("C02", TRUE, of_er("running", each("one_quarter", RUNNING[:4]))),
    Case("C02", FALSE, of_er("running", each("one_quarter", RUNNING[:8]))),
    Case("C02", WEAK, of_er("running", {}, HIDDEN)),
    Case("C03", TRUE, of_er("running", each("one_entire", RUNNING[:10]))),
    Case("C03", FALSE, of_er("running", each("one_entire", RUNNING[:6]))),
    Case("C03", WEAK, of_er("running", each("one_entire", RUNNING, -0.1), HIDDEN)),
    Case("C04", TRUE, of_er("walking", each("all_entire", ["soleus", "tib", "rect"]))),
    Case("C04", FALSE, of_er("walking", each("all_entire", ["bi", "sem"]))),
    Case("C04", WEAK, of_er("walking", each("all_entire", WALKING, -0.1), HIDDEN)),
    Case("C05", TRUE, of_er("walking", each("all_entire", ["soleus", "tib", "rect"]))),
    Case("C05", FALSE, of_er("walking", each("one_entire", ["bi", "sem"]))),
    Case("C05", WEAK, of_er("walking", {}, HIDDEN)),
    Case("C06", TRUE, of_er("walking", {})),
    Case("C06", FALSE, of_er("walking", each("all_entire", WALKING))),
    Case("C06", WEAK, of_er("walking", {}, HIDDEN)),
    Case("C07", TRUE, of_er("running", each("all_entire", RUNNING[:13]))),
    Case("C07", FALSE, of_er("running", each("all_entire", RUNNING[:5]))),
    Case("C07", WEAK, of_er("running", each("all_entire", RUNNING, -0.1), HIDDEN)),
    Case("C08", TRUE, of_er("running", each("all_entire", ["bi", "glmax2"]))),
    Case("C08", FALSE, of_er("running", each("all_entire", ["soleus", "tib"]))),
    Case("C08", WEAK, of_er("running", each("all_entire", ["bi", "glmax2"], -0.1), HIDDEN)),
    Case("C09", TRUE, of_er("walking", each("all_entire", ["rect"]))),
    Case("C09", FALSE, of_er("walking", EVERYWHERE)),
    Case("C09", WEAK, of_er("walking", {}, HIDDEN)),
    Case("C10", TRUE, of_both(each("one_quarter", RUNNING[:3]), each("one_quarter", ["soleus", "tib"]))),
    Case("C10", FALSE, of_both(each("one_quarter", RUNNING[:10]), {})),
    Case("C10", WEAK, of_both({}, {}, HIDDEN)),
    Case("C18", TRUE, of_er("walking", {(c, "soleus"): BETTER for c in CONDITIONS})),
    Case("C18", FALSE, of_er("walking", {})),
    Case("C18", WEAK, of_er("walking", {(c, "soleus"): -0.1 for c in CONDITIONS}, HIDDEN)),
    Case("C19", TRUE, of_both(TIB, TIB)),
    Case("C19", FALSE, of_both(EVERYWHERE, EVERYWHERE)),
    Case("C19", WEAK, of_both({}, {}, HIDDEN)),
    Case("C20", TRUE, of_er("running", each("one_entire", ["bi"]))),
    Case("C20", FALSE, of_er("running", each("one_quarter", ["bi"]))),
    Case("C20", WEAK, of_er("running", {}, HIDDEN)),
]


# --- C11: Er on changed inputs ---


def changed(er: float, before: float, sd: float = 0.1) -> Callable[[], Evidence]:
    """Each of the paper's four trials of a subject, changed five times: draws and cycles vary, subjects by `sd`."""
    rng = np.random.default_rng(1)
    own = norm.ppf((np.arange(SUBJECTS["walking"]) + 0.5) / SUBJECTS["walking"]) * sd
    rows = [
        {"method": method, "reference": ORIGINAL, "draw": draw, "label": f"s{person}", "trial": f"s{person}{cycle}",
         "er": level + departure + rng.normal(0, 0.2), "er_unchanged": unchanged}
        for method, level, unchanged in ((MODEL, er, before), (CURVE, -0.2, -0.2))
        for person, departure in enumerate(own)
        for cycle in range(4)
        for draw in range(5)
    ]  # fmt: skip
    return lambda: evidence(shortcut=shortcut_summary(pd.DataFrame(rows)))


SHORTCUT = [
    Case("C11", TRUE, changed(0.5, -0.3)),
    Case("C11", FALSE, changed(-0.3, -0.3)),
    Case("C11", WEAK, changed(0.15, -0.05, sd=0.8)),
]


# --- C12, C13: losses ---

EPOCHS = np.arange(1, PUBLISHED_EPOCHS + 1)
FALLING = 0.2 + 0.8 * np.exp(-EPOCHS / 60)
RISING = FALLING + 0.15 * np.clip((EPOCHS - 80) / 620, 0, None)
"""Losses that fall and stay, and that rise by more than half from a minimum in the first third."""


def lost(motion: str, *curves: np.ndarray) -> Callable[[], Evidence]:
    """Every condition's validation losses: one curve a subject, in turn, with noise from epoch to epoch."""

    def build() -> Evidence:
        return evidence(trained=[_with_losses(results(motion, c, muscles=["soleus"]), curves) for c in CONDITIONS])

    return build


def _with_losses(made: xr.Dataset, curves: tuple[np.ndarray, ...]) -> xr.Dataset:
    rng = np.random.default_rng(2)
    folds = np.stack([curves[fold % len(curves)] for fold in range(made.sizes["fold"])])
    noisy = folds * rng.lognormal(0, 0.05, folds.shape)
    return made.assign(validation_loss=(made.validation_loss.dims, noisy[None, None]))


LOSSES = [
    Case("C12", TRUE, lost("running", FALLING)),
    Case("C12", FALSE, lost("running", RISING)),
    Case("C12", WEAK, lost("running", FALLING, FALLING, RISING)),
    Case("C13", TRUE, lost("walking", RISING)),
    Case("C13", FALSE, lost("walking", FALLING)),
    Case("C13", WEAK, lost("walking", FALLING, FALLING, FALLING, RISING)),
]


# --- C21: closeness ---


def close(refine: Callable[[xr.Dataset, np.random.Generator], np.ndarray]) -> Callable[[], Evidence]:
    """Curves of both motions, refined as `refine` has it."""

    def build() -> Evidence:
        rng = np.random.default_rng(3)
        made = [results("walking", "one_entire"), results("running", "all_entire")]
        return evidence(trained=[one.assign(refined=(one.refined.dims, refine(one, rng)[None])) for one in made])

    return build


def _near(made: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    return made.measured.values + rng.normal(0, 0.01, made.measured.shape)


def _replayed(made: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    return made.mean_curve.values + rng.normal(0, 0.01, made.measured.shape)


def _scattered(made: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Refine a few people perfectly and the others badly: the mean tells nothing of a person."""
    bad = 0.6 * rng.normal(0, 1, made.measured.shape)
    person = made.fold_of_cycle.values % 3 != 0
    return made.measured.values + np.where(person[None, :, None], bad, 0.002 * bad)


CLOSE = [
    Case("C21", TRUE, close(_near)),
    Case("C21", FALSE, close(_replayed)),
    Case("C21", WEAK, close(_scattered)),
]


# --- C16, C17: the paper's own tables ---


def printed(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[], Evidence]:
    return lambda: evidence(printed=change(published.as_printed()))


def _consistent(table: pd.DataFrame) -> pd.DataFrame:
    agree = published.audit(table)["consistent"].to_numpy(bool)
    return table[agree].reset_index(drop=True)


def _contradictory(table: pd.DataFrame) -> pd.DataFrame:
    """Move a row's mean outside its own interval, farther than any single character."""
    rows = _consistent(table)
    rows.loc[0, ["er_mean", "ci_low", "ci_high"]] = ["0.95", "-0.37", "-0.02"]
    return rows


def _walking(*improve: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Let these muscles alone improve in walking under All-Entire."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        rows = (table["dataset"] == "walking") & (table["condition"] == "all_entire")
        table.loc[rows, "p_value"] = np.where(table.loc[rows, "muscle"].isin(improve), "0.01", "0.5")
        table.loc[rows, "er_mean"] = "-0.30"
        return table

    return change


def _neither(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[(table["dataset"] == "running") & (table["muscle"] == "bi"), "er_mean"] = "0.30"
    return table


PAPER = [
    Case("C16", TRUE, printed(_consistent)),
    Case("C16", FALSE, printed(_contradictory)),
    Case("C16", WEAK, printed(lambda table: table)),  # the paper's own: every row that fails may have been misread
    Case("C17", TRUE, printed(_walking("soleus", "tib"))),
    Case("C17", FALSE, printed(_neither)),
]

CASES = [*ER, *SHORTCUT, *LOSSES, *CLOSE, *PAPER]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_verdict_follows_what_was_planted(case: Case) -> None:
    case.check()


def test_every_claim_is_tried_both_ways() -> None:
    attention = {"C14", "C15", "C22"}
    for planted in (TRUE, FALSE):
        tried = {case.claim for case in CASES if case.planted == planted}
        assert tried | attention == set(published.claims()["id"])


@pytest.mark.parametrize("claim", ["C05", "C06", "C09", "C19", "C20"])
def test_a_null_claim_is_not_shown_by_few_people_or_much_noise(claim: str) -> None:
    # four people of the paper's spread: nothing significant, and nothing shown
    few = [errors(motion, {}, sd=0.25, people=4) for motion in MUSCLES]
    found = Case(claim, WEAK, lambda: evidence(few)).found
    assert found["verdict"] == NOT_SHOWN
    assert "undecided" in found["value"] or claim == "C20"


@pytest.mark.parametrize("motion", MUSCLES)
def test_losses_after_a_fraction_of_the_published_training_are_not_judged(motion: str) -> None:
    claim = {"running": "C12", "walking": "C13"}[motion]
    short = [results(motion, c, muscles=["soleus"], epochs=PUBLISHED_EPOCHS // 10) for c in CONDITIONS]
    found = Case(claim, WEAK, lambda: evidence(trained=short)).found
    assert found["verdict"] == "cannot be tested"
    assert "Not testable at this length of training" in found["why"]
