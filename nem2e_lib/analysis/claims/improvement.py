"""Claims on which muscles improve, and on the differences between the conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

import pandas as pd

from nem2e_lib.analysis.claims.evidence import (
    HOLDS,
    PARTLY,
    Evidence,
    Finding,
    State,
    every,
    few,
    limited,
    most,
    tally,
    tested,
    verdict_on,
    verdict_on_parts,
)
from nem2e_lib.analysis.equivalence import IMPROVES, MARGIN, NO_IMPROVEMENT, Equivalence, two
from nem2e_lib.training.conditions import CONDITIONS

IMPROVED = (
    "A muscle improves when its mean Er is below 0 with p < .05 in a one-sample t-test over subjects; it does not when "
    f"Er is above -{MARGIN:.2f} with p < .05 (one-sided); else neither is shown."
)
DIFFERS = (
    "Two conditions differ when Tukey's test gives p < .05, conditions taken as independent groups as in the paper; "
    f"they do not when the paired difference lies within {MARGIN:.2f} (two one-sided t-tests); else neither is shown."
)
_STATES: dict[str, State] = {IMPROVES: True, NO_IMPROVEMENT: False}


def c01(evidence: Evidence) -> Finding:
    """Holds when every running muscle improves under All-Entire; in part when most do."""
    states = _improved(evidence, "running", "all_entire")
    verdict = HOLDS if every(states) else PARTLY if most(states) else verdict_on(most(states))
    return Finding(_counted(evidence, "running", "all_entire", states), verdict, f"{IMPROVED} Most: more than half.")


def c02(evidence: Evidence) -> Finding:
    """Holds when at most a third of the running muscles improve under One-Quarter, and the others are shown not to."""
    states = _improved(evidence, "running", "one_quarter")
    value = _counted(evidence, "running", "one_quarter", states)
    return Finding(value, verdict_on(few(states)), f"{IMPROVED} 'A few' is at most a third.")


def c03(evidence: Evidence) -> Finding:
    """Holds when more than half of the running muscles improve under One-Entire."""
    states = _improved(evidence, "running", "one_entire")
    value = _counted(evidence, "running", "one_entire", states)
    return Finding(value, verdict_on(most(states)), f"{IMPROVED} 'Most' is more than half.")


def c04(evidence: Evidence) -> Finding:
    """Holds when soleus, tib and rect improve under All-Entire in walking; in part when some do."""
    named = ("soleus", "tib", "rect")
    tests = evidence.improvement("walking", "all_entire", *named, part=True)
    value = f"Er {_each(tests)}; {tally(_states(tests), 'improve', 'shown not to')}"
    return limited(Finding(value, verdict_on_parts(_states(tests)), IMPROVED), evidence.lacking("walking", *named))


def c05(evidence: Evidence) -> Finding:
    """Holds when bi and sem are shown not to improve under any condition in walking; in part when one of them is."""
    named = ("bi", "sem")
    tests = {c: evidence.improvement("walking", c, *named, part=True) for c in CONDITIONS}
    states = {condition: _states(own) for condition, own in tests.items()}
    never = [every(_contrary(its[muscle] for its in states.values())) for muscle in tests["one_entire"].index]
    value = "; ".join(f"{condition}: Er {_each(own)}" for condition, own in tests.items())
    value = f"{value}; {tally(_joined(states), 'improve', 'shown not to')}"
    return limited(Finding(value, verdict_on_parts(never), IMPROVED), evidence.lacking("walking", *named))


def c06(evidence: Evidence) -> Finding:
    """Holds when every pair of conditions is shown to be alike for every walking muscle."""
    rows = {pair: evidence.pair("walking", *pair, part=True) for pair in combinations(CONDITIONS, 2)}
    states = _joined({f"{a} and {b}": _differ(found) for (a, b), found in rows.items()})
    value = f"{_between(rows)}; {tally(states, 'pairs differ', 'shown alike')}"
    alike = every(_contrary(states))
    why = f"{DIFFERS} By the paired t-test {_paired(rows)} differ, uncorrected."
    return limited(Finding(value, verdict_on(alike), why), evidence.lacking("walking"))


def c07(evidence: Evidence) -> Finding:
    """Holds when One-Quarter and All-Entire differ in more than half of the running muscles."""
    found = evidence.pair("running", "one_quarter", "all_entire")
    states = _differ(found)
    value = f"{_between({('one_quarter', 'all_entire'): found})}; {tally(states, 'differ', 'shown alike')}"
    return Finding(value, verdict_on(most(states)), f"{DIFFERS} 'Most' is more than half.")


def c08(evidence: Evidence) -> Finding:
    """Holds when One-Entire and All-Entire differ in few running muscles, bi and glmax2 among them.

    In part when one of the two differs, or both and more than a third of all.
    """
    found = evidence.pair("running", "one_entire", "all_entire")
    states = _differ(found)
    named = verdict_on_parts(states[["bi", "glmax2"]])
    verdict = PARTLY if named == HOLDS and not few(states) else named
    value = f"{_between({('one_entire', 'all_entire'): found})}; {tally(states, 'differ', 'shown alike')}"
    return Finding(value, verdict, f"{DIFFERS} 'Few' is at most a third.")


def c09(evidence: Evidence) -> Finding:
    """Holds when rect improves in walking under All-Entire, and is shown not to under the other conditions."""
    return _only_all_entire(evidence, "walking", "rect")


def c10(evidence: Evidence) -> Finding:
    """Holds when at most a third of the muscles of both studies improve under One-Quarter (the paper: 5 of 21)."""
    both = {motion: _improved(evidence, motion, "one_quarter") for motion in ("running", "walking")}
    states = _joined(both)
    means = "; ".join(_overall(evidence, motion, "one_quarter", its) for motion, its in both.items())
    value = f"{means}; {tally(states, 'improve', 'shown not to')}"
    return Finding(value, verdict_on(few(states)), f"{IMPROVED} 'Only' is at most a third.")


def c18(evidence: Evidence) -> Finding:
    """Holds when soleus, or the gastrocnemius where only it was measured, improves under all three; in part under some.

    Table 2 has no gastrocnemius, so that in the paper's data soleus stands for it.
    """
    muscle = next((name for name in ("soleus", "gasmed", "gaslat") if name in evidence.channels("walking")), "soleus")
    tests = _under(evidence, "walking", muscle)
    stands = "Soleus stands for the gastrocnemius." if muscle == "soleus" else f"The muscle is {muscle}."
    return Finding(_said(tests), verdict_on_parts(_states(tests)), f"{IMPROVED} {stands}")


def c19(evidence: Evidence) -> Finding:
    """Holds when tib improves in both studies under All-Entire, and is shown not to under the other conditions."""
    parts, untold = tested(("running", "walking"), lambda motion: _only_all_entire(evidence, motion, "tib"))
    value = "; ".join(f"{motion}: {part.value}" for motion, part in parts.items())
    states: dict[str, State] = {HOLDS: True, verdict_on(None): None}
    verdict = verdict_on_parts(states.get(part.verdict, False) for part in parts.values())
    return limited(Finding(value, verdict, next(iter(parts.values())).why), untold)


def c20(evidence: Evidence) -> Finding:
    """Holds when bi is shown not to improve in running under One-Quarter."""
    tests = evidence.improvement("running", "one_quarter", "bi")
    return Finding(f"Er {_each(tests)}", verdict_on(every(_contrary(_states(tests)))), IMPROVED)


# --- What the rules above share ---


def _states(tests: pd.Series) -> pd.Series:
    return pd.Series([_STATES.get(test.improvement) for test in tests], index=tests.index, dtype=object)


def _improved(evidence: Evidence, motion: str, condition: str) -> pd.Series:
    return _states(evidence.improvement(motion, condition))


def _joined(states: Mapping[str, pd.Series]) -> pd.Series:
    """Return states of several conditions, pairs or motions as one, each named by its muscle and where it is of."""
    every_one = {f"{muscle} ({where})": state for where, its in states.items() for muscle, state in its.items()}
    return pd.Series(every_one, dtype=object)


def _contrary(states: Iterable[State]) -> list[State]:
    return [None if state is None else not state for state in states]


def _counted(evidence: Evidence, motion: str, condition: str, states: pd.Series) -> str:
    return f"{_overall(evidence, motion, condition, states)}; {tally(states, 'improve', 'shown not to')}"


def _overall(evidence: Evidence, motion: str, condition: str, states: pd.Series) -> str:
    return f"{motion}: mean Er {evidence.overall(motion, condition, map(str, states.index)).said}"


def _each(tests: pd.Series) -> str:
    return ", ".join(f"{muscle} {test.said}" for muscle, test in tests.items())


def _differ(rows: pd.DataFrame) -> pd.Series:
    states = [
        True if p < 0.05 else False if test.p_value < 0.05 else None
        for p, test in zip(rows["p_value"], rows["test"], strict=True)
    ]
    return pd.Series(states, index=rows.index, dtype=object)


def _between(rows: dict[tuple[str, str], pd.DataFrame]) -> str:
    """Say between which differences of Er the muscles lie, for each pair of conditions."""
    return "; ".join(
        f"{a} against {b}: Er {two(min(means))} to {two(max(means))}"
        for (a, b), found in rows.items()
        if (means := [test.mean for test in found["test"]])
    )


def _paired(rows: dict[tuple[str, str], pd.DataFrame]) -> str:
    tests = [test for found in rows.values() for test in found["test"]]
    return f"{sum(test.p_difference < 0.05 for test in tests)} of {len(tests)}"


def _under(evidence: Evidence, motion: str, muscle: str) -> pd.Series:
    tests: dict[str, Equivalence] = {c: evidence.improvement(motion, c, muscle).iloc[0] for c in CONDITIONS}
    return pd.Series(tests, dtype=object)


def _said(tests: pd.Series) -> str:
    return f"Er {_each(tests)}; {tally(_states(tests), 'improve', 'shown not to')}"


def _only_all_entire(evidence: Evidence, motion: str, muscle: str) -> Finding:
    tests = _under(evidence, motion, muscle)
    states = _states(tests)
    others = _contrary(states.drop("all_entire"))
    why = f"{IMPROVED} Holds when {muscle} improves under All-Entire and is shown not to elsewhere."
    return Finding(_said(tests), verdict_on(every([states["all_entire"], *others])), why)
