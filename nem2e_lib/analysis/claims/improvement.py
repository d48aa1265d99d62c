"""Claims on which muscles improve, and on the differences between the conditions."""

from __future__ import annotations

from itertools import combinations

from nem2e_lib.analysis import published
from nem2e_lib.analysis.claims.evidence import (
    FAILS,
    HOLDS,
    PARTLY,
    Evidence,
    Finding,
    all_or_part,
    count,
    limited,
    tested,
)
from nem2e_lib.training.conditions import CONDITIONS

IMPROVES = "A muscle improves when its mean Er is below 0 with p < .05 in a one-sample t-test over subjects."
DIFFERS = (
    "Two conditions differ when Tukey's test gives p < .05, conditions taken as independent groups as in the paper."
)


def c01(evidence: Evidence) -> Finding:
    """Holds when every running muscle improves under All-Entire; in part when most do."""
    flags = evidence.improved("running", "all_entire")
    verdict = HOLDS if flags.all() else PARTLY if flags.mean() > 0.5 else FAILS
    return Finding(count(flags), verdict, f"{IMPROVES} Holds for all, in part for more than half.")


def c02(evidence: Evidence) -> Finding:
    """Holds when at most a third of the running muscles improve under One-Quarter."""
    flags = evidence.improved("running", "one_quarter")
    verdict = HOLDS if 3 * int(flags.sum()) <= len(flags) else FAILS
    return Finding(count(flags), verdict, f"{IMPROVES} 'A few' is at most a third.")


def c03(evidence: Evidence) -> Finding:
    """Holds when more than half of the running muscles improve under One-Entire."""
    flags = evidence.improved("running", "one_entire")
    return Finding(count(flags), HOLDS if flags.mean() > 0.5 else FAILS, f"{IMPROVES} 'Most' is more than half.")


def c04(evidence: Evidence) -> Finding:
    """Holds when soleus, tib and rect improve under All-Entire in walking; in part when some do."""
    named = ("soleus", "tib", "rect")
    flags = evidence.improved("walking", "all_entire", *named, part=True)
    return limited(Finding(count(flags), all_or_part(list(flags)), IMPROVES), evidence.lacking("walking", *named))


def c05(evidence: Evidence) -> Finding:
    """Holds when bi and sem improve under no condition in walking; in part when one of them does not."""
    named = ("bi", "sem")
    found = {c: evidence.improved("walking", c, *named, part=True) for c in CONDITIONS}
    never = [not any(flags[muscle] for flags in found.values()) for muscle in found["one_entire"].index]
    value = "; ".join(f"{condition}: {count(flags)}" for condition, flags in found.items())
    return limited(Finding(value, all_or_part(never), IMPROVES), evidence.lacking("walking", *named))


def c06(evidence: Evidence) -> Finding:
    """Holds when no pair of conditions differs for any walking muscle."""
    pairs = {pair: evidence.pair("walking", *pair, part=True)["p_value"] < 0.05 for pair in combinations(CONDITIONS, 2)}
    differ = [f"{muscle}: {a} and {b}" for (a, b), flags in pairs.items() for muscle in flags.index[flags]]
    value = f"{len(differ)} of {sum(map(len, pairs.values()))} pairs differ"
    named = f" These differ: {'; '.join(differ)}." if differ else ""
    return limited(Finding(value, FAILS if differ else HOLDS, DIFFERS + named), evidence.lacking("walking"))


def c07(evidence: Evidence) -> Finding:
    """Holds when One-Quarter and All-Entire differ in more than half of the running muscles."""
    flags = evidence.pair("running", "one_quarter", "all_entire")["p_value"] < 0.05
    return Finding(count(flags), HOLDS if flags.mean() > 0.5 else FAILS, f"{DIFFERS} 'Most' is more than half.")


def c08(evidence: Evidence) -> Finding:
    """Holds when One-Entire and All-Entire differ in bi and glmax2 and nowhere else; in part when in one of them."""
    flags = evidence.pair("running", "one_entire", "all_entire")["p_value"] < 0.05
    named = [bool(flags[muscle]) for muscle in ("bi", "glmax2")]
    others = int(flags.drop(["bi", "glmax2"]).sum())
    verdict = HOLDS if all(named) and not others else PARTLY if any(named) else FAILS
    return Finding(count(flags), verdict, f"{DIFFERS} Holds for exactly these two, in part where one of them differs.")


def c09(evidence: Evidence) -> Finding:
    """Holds when rect improves in walking under All-Entire and under no other condition."""
    flags = {c: bool(evidence.improved("walking", c, "rect").iloc[0]) for c in CONDITIONS}
    return _only_all_entire(flags, "rect")


def c10(evidence: Evidence) -> Finding:
    """Holds when at most a third of the muscles of both studies improve under One-Quarter (the paper: 5 of 21)."""
    flags = [flag for motion in ("running", "walking") for flag in evidence.improved(motion, "one_quarter")]
    verdict = HOLDS if 3 * sum(flags) <= len(flags) else FAILS
    return Finding(f"{sum(flags)} of {len(flags)}", verdict, f"{IMPROVES} 'Only' is at most a third.")


def c16(evidence: Evidence) -> Finding:
    """Holds when no published row contradicts itself within one unit of its last printed digit."""
    found = published.audit()
    wrong = published.inconsistent(found)
    why = f"p from d and n, centre of the CI against the mean, d from the CI: {'; '.join(wrong) or 'all agree'}."
    return Finding(f"{len(wrong)} of {len(found)} rows inconsistent", HOLDS if not wrong else FAILS, why)


def c17(evidence: Evidence) -> Finding:
    """Holds when the abstract's counts are those of the published tables."""
    table = published.results()
    running, walking = (published.significant(table, motion, "all_entire") for motion in ("running", "walking"))
    common = [muscle for muscle in ("soleus", "bi", "sem", "tib", "rect") if muscle in set(running)]
    value = f"Tables: running {len(common)} of those 5 ({len(running)} of 16), walking {len(walking)} of 5"
    verdict = all_or_part([len(common) == 5, len(walking) == 2])
    return Finding(value, verdict, "The abstract says 5 of 5 and 2 of 5; counted under All-Entire in Tables 2 and 3.")


def c18(evidence: Evidence) -> Finding:
    """Holds when soleus, or the gastrocnemius where only it was measured, improves under all three; in part under some.

    Table 2 has no gastrocnemius, so that in the paper's data soleus stands for it.
    """
    muscle = next((name for name in ("soleus", "gasmed", "gaslat") if name in evidence.channels("walking")), "soleus")
    flags = {c: bool(evidence.improved("walking", c, muscle).iloc[0]) for c in CONDITIONS}
    stands = "Soleus stands for the gastrocnemius." if muscle == "soleus" else f"The muscle is {muscle}."
    return Finding(_under(flags), all_or_part(list(flags.values())), f"{IMPROVES} {stands}")


def c19(evidence: Evidence) -> Finding:
    """Holds when tib improves in both studies under All-Entire alone."""

    def of(motion: str) -> Finding:
        return _only_all_entire({c: bool(evidence.improved(motion, c, "tib").iloc[0]) for c in CONDITIONS}, "tib")

    parts, untold = tested(("running", "walking"), of)
    value = "; ".join(f"{motion}: {part.value}" for motion, part in parts.items())
    verdict = all_or_part([part.verdict == HOLDS for part in parts.values()])
    why = next(iter(parts.values())).why
    return limited(Finding(value, verdict, why), untold)


def c20(evidence: Evidence) -> Finding:
    """Holds when bi does not improve in running under One-Quarter."""
    improved = evidence.improved("running", "one_quarter", "bi")
    er, p = evidence.rows("running", "one_quarter").loc["bi", ["er_mean", "p_value"]].astype(float)
    return Finding(f"Er {er:+.2f}, p = {p:.3g}", FAILS if improved.all() else HOLDS, IMPROVES)


def _only_all_entire(flags: dict[str, bool], muscle: str) -> Finding:
    verdict = HOLDS if flags == dict.fromkeys(CONDITIONS, False) | {"all_entire": True} else FAILS
    return Finding(
        _under(flags), verdict, f"{IMPROVES} Holds when {muscle} improves under All-Entire and nowhere else."
    )


def _under(flags: dict[str, bool]) -> str:
    named = [condition for condition, flag in flags.items() if flag]
    return f"improves under {', '.join(named)}" if named else "improves under no condition"
