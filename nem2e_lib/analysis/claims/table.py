"""The table of claims: what the paper says, what this run finds, the verdict, and how steady it is over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from nem2e_lib.analysis import published
from nem2e_lib.analysis.claims import attention, behaviour, improvement
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, NOT_SHOWN, PARTLY, UNTESTED, Evidence, Finding, Untestable

# --- The table of claims: what the paper says, what this run finds, and the verdict ---

Rule = Callable[[Evidence], Finding]

RULES: dict[str, Rule] = {
    name.upper(): rule
    for module in (improvement, behaviour, attention)
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
    words = {"reproduced": HOLDS, "partly": PARTLY, NOT_SHOWN: NOT_SHOWN, "not": FAILS, UNTESTED: UNTESTED}
    return {word: int((claims["verdict"] == verdict).sum()) for word, verdict in words.items()}


def _find(evidence: Evidence, name: str) -> Finding:
    try:
        finding = RULES[name](evidence)
    except Untestable as missing:
        return Finding("", UNTESTED, str(missing))
    if name not in PAPER_ALONE and any(evidence.synthetic.values()):
        return finding._replace(why=f"SYNTHETIC data, the paper's figure is context only. {finding.why}")
    return finding


# --- How steady the verdicts are: each claim under several seeds, and how many change ---

ENOUGH = 3
"""Seeds from which a verdict's steadiness is spoken of."""


def stack(tables: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Return tables of claims by seed as one tidy table: id, seed, value, verdict.

    Parameters
    ----------
    tables
        `claims.evaluate`'s table by seed.
    """
    rows = [table[["id", "value", "verdict"]].assign(seed=seed) for seed, table in tables.items()]
    return pd.concat(rows, ignore_index=True)[["id", "seed", "value", "verdict"]]


def steadiness(stacked: pd.DataFrame) -> pd.DataFrame:
    """Return one row a claim: seeds, values and verdicts of every seed, and whether the verdict flips.

    Returns
    -------
    pandas.DataFrame
        Columns id, seeds, values, verdicts (each different one with its count), flips (two seeds that could be tested
        differ in their verdict).
    """
    rows = [_row(str(name), group) for name, group in stacked.groupby("id", sort=True)]
    return pd.DataFrame(rows, columns=["id", "seeds", "values", "verdicts", "flips"])


def _row(name: str, group: pd.DataFrame) -> dict[str, object]:
    ordered = group.sort_values("seed")
    tested = ordered.loc[ordered["verdict"] != UNTESTED, "verdict"]
    counts = ordered["verdict"].value_counts(sort=False)
    values = [str(value) for value in ordered["value"].fillna("")]
    shown = values[:1] if len(set(values)) == 1 else values
    return {
        "id": name,
        "seeds": len(ordered),
        "values": " | ".join(shown),
        "verdicts": ", ".join(f"{verdict}: {count}" for verdict, count in counts.items()),
        "flips": len(set(tested)) > 1,
    }


def said(table: pd.DataFrame) -> str:
    """Say how many verdicts change between seeds."""
    seeds = int(table["seeds"].max()) if len(table) else 0
    if seeds < 2:
        return "One seed: whether verdicts change with the seed cannot be told."
    named = list(table.loc[table["flips"].astype(bool), "id"])
    few = "" if seeds >= ENOUGH else f" Fewer than {ENOUGH} seeds say little."
    listed = f": {', '.join(named)}" if named else ""
    return f"{len(named)} of {len(table)} verdicts change over {seeds} seeds{listed}.{few}"
