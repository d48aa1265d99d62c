"""The table of claims: what the paper says, what this run finds, and the verdict."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from nem2e_lib.analysis import published
from nem2e_lib.analysis.claims import behaviour, improvement
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, PARTLY, UNTESTED, Evidence, Finding, Untestable

Rule = Callable[[Evidence], Finding]

RULES: dict[str, Rule] = {
    name.upper(): rule
    for module in (improvement, behaviour)
    for name, rule in vars(module).items()
    if name.startswith("c") and name[1:].isdigit()
}
PAPER_ALONE = ("C16", "C17")
"""Claims about the published numbers themselves, which no run can change."""


def evaluate(evidence: Evidence) -> pd.DataFrame:
    """Check every claim of the paper against a run.

    Returns
    -------
    pandas.DataFrame
        Columns id, section, dataset, claim, reported, value, verdict (holds, holds in part, does not hold, cannot be
        tested), why; in the order of `published.claims`.
    """
    table = published.claims().drop(columns="check")
    findings = [_find(evidence, str(name)) for name in table["id"]]
    return table.assign(**{part: [getattr(f, part) for f in findings] for part in Finding._fields})


def how(name: str) -> str:
    """Say how a claim's verdict is reached: what its rule says of itself, in one line."""
    return " ".join((RULES[name].__doc__ or "").split())


def summarise(claims: pd.DataFrame) -> dict[str, int]:
    """Count the claims reproduced, partly, not, and not testable."""
    words = {"reproduced": HOLDS, "partly": PARTLY, "not": FAILS, UNTESTED: UNTESTED}
    return {word: int((claims["verdict"] == verdict).sum()) for word, verdict in words.items()}


def _find(evidence: Evidence, name: str) -> Finding:
    try:
        finding = RULES[name](evidence)
    except Untestable as missing:
        return Finding("", UNTESTED, str(missing))
    if name not in PAPER_ALONE and any(evidence.synthetic.values()):
        return finding._replace(why=f"SYNTHETIC data, the paper's figure is context only. {finding.why}")
    return finding
