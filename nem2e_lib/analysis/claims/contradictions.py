"""The paper against itself: claims on its own numbers, and where its text and tables say different things.

Nothing here depends on a run; counts are taken from its tables by code.
"""

from __future__ import annotations

import pandas as pd

from nem2e_lib.analysis import published
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, NOT_SHOWN, Evidence, Finding, verdict_on_parts
from nem2e_lib.data.muscles import RUNNING_EMG, WALKING_EMG
from nem2e_lib.training.conditions import CONDITIONS

NAMED = (
    *("soleus", "bi", "sem", "tib", "rect", "glmax1", "glmax2", "glmax3", "glmed1", "glmed2", "glmed3"),
    *("gasmed", "gaslat", "vaslat", "vasmed"),
)
"""Abbreviations that section 3.2.2 names."""


def c16(evidence: Evidence) -> Finding:
    """Holds when every published row agrees with itself as read; does not when no misreading mends one.

    Within one unit of the last printed digit. Where every row that does not agree may have been misread, neither is
    shown.
    """
    found = published.audit(evidence.printed)
    wrong = published.inconsistent(found)
    lost = published.contradicting(found)
    verdict = HOLDS if not wrong else FAILS if lost else NOT_SHOWN
    value = f"{len(wrong)} of {len(found)} rows inconsistent as read, {len(lost)} however they are read"
    why = f"p from d and n, centre of the CI against the mean, d from the CI: {'; '.join(wrong) or 'all agree'}."
    return Finding(value, verdict, f"{why} {published.said(found)}" if wrong else why)


def c17(evidence: Evidence) -> Finding:
    """Holds when the abstract's counts are those of the published tables."""
    table = published.results(evidence.printed)
    running, walking = (published.significant(table, motion, "all_entire") for motion in ("running", "walking"))
    common = [muscle for muscle in WALKING_EMG if muscle in set(running)]
    value = f"Tables: running {len(common)} of those 5 ({len(running)} of 16), walking {len(walking)} of 5"
    verdict = verdict_on_parts([len(common) == 5, len(walking) == 2])
    return Finding(value, verdict, "The abstract says 5 of 5 and 2 of 5; counted under All-Entire in Tables 2 and 3.")


def contradictions() -> pd.DataFrame:
    """Return the paper's contradictions with itself: columns about, one_place, another_place.

    Source: Teramae et al. (2025), doi:10.3389/fbioe.2025.1611414.
    """
    rows = [_abstract(), _quarter(), _gastrocnemius(), _tib(), *_FIXED, _names(), _rows()]
    return pd.DataFrame(rows, columns=["about", "one_place", "another_place"])


_FIXED = [
    (
        "Which figure shows temporal attention",
        "Section 4.3 discusses attention on 50 % of the cycle 'in Figure 5a'",
        "Figure 5a shows losses; temporal attention is Figure 6",
    ),
    (
        "What a gait cycle is",
        "Section 3: data were segmented into individual gait cycles",
        "Caption of Figure 3 and section 4.1: right heel strike to left heel strike, which is a step",
    ),
]


def _improved(dataset: str, condition: str) -> list[str]:
    return [str(name) for name in published.significant(published.results(), dataset, condition)]


def _abstract() -> tuple[str, str, str]:
    running, walking = _improved("running", "all_entire"), _improved("walking", "all_entire")
    return (
        "How many muscles improve",
        "Abstract: all five in running, two of five in walking",
        f"Tables under All-Entire: {len(running)} of 16 in running, {len(walking)} of 5 in walking "
        f"({', '.join(walking)})",
    )


def _quarter() -> tuple[str, str, str]:
    named = _improved("running", "one_quarter")
    both = len(named) + len(_improved("walking", "one_quarter"))
    return (
        "How many muscles improve under One-Quarter",
        "Section 4.2: 4 of 16 in running, 5 of 21 in all",
        f"Tables: {len(named)} of 16 in running ({', '.join(named)}), {both} of 21 in all",
    )


def _gastrocnemius() -> tuple[str, str, str]:
    muscles = dict.fromkeys(published.results().query("dataset == 'walking'")["muscle"])
    return (
        "The gastrocnemius in walking",
        "Section 4.2: it improves under all conditions",
        f"Table 2 has no gastrocnemius; it has {', '.join(muscles)}",
    )


def _tib() -> tuple[str, str, str]:
    under = [condition for condition in CONDITIONS if "tib" in _improved("walking", condition)]
    return ("When tib improves", "Section 4.3: only under All-Entire", f"Table 2: under {', '.join(under)}")


def _names() -> tuple[str, str, str]:
    missing = [name for name in RUNNING_EMG if name not in NAMED]
    return (
        "Which muscles were measured",
        f"Section 3.2.2 speaks of {len(RUNNING_EMG)} muscles and names {len(NAMED)}",
        f"Table 3 has {', '.join(missing)} too, which is not among the names",
    )


def _rows() -> tuple[str, str, str]:
    return (
        "Numbers of one row",
        "Tables 2 and 3 print mean, p, interval and effect size, which determine one another",
        published.said(published.audit()),
    )
