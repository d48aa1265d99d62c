"""The table of claims: what the paper says, what this run finds, the verdict, and how steady it is over seeds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from nem2e_lib.analysis import published
from nem2e_lib.analysis.claims import attention, behaviour, contradictions, improvement, losses
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, NOT_SHOWN, PARTLY, UNTESTED, Evidence, Finding, Untestable

# --- The table of claims: what the paper says, what this run finds, and the verdict ---

Rule = Callable[[Evidence], Finding]

RULES: dict[str, Rule] = {
    name.upper(): rule
    for module in (improvement, losses, behaviour, attention, contradictions)
    for name, rule in vars(module).items()
    if name.startswith("c") and name[1:].isdigit()
}
PAPER_ALONE = tuple(name for name, rule in RULES.items() if rule.__module__ == contradictions.__name__)
"""Claims about the published numbers themselves, which no run can change: they are counted apart."""


def evaluate(evidence: Evidence, ids: Collection[str] | None = None) -> pd.DataFrame:
    """Check every claim of the paper against a run.

    Parameters
    ----------
    ids
        Those to check; None: all.

    Returns
    -------
    pandas.DataFrame
        Columns id, section, dataset, claim, reported, value, verdict (holds, holds in part, not shown, does not hold,
        cannot be tested), why; in the order of `published.claims`.
    """
    table = published.claims().drop(columns="check")
    if ids is not None:
        table = table[table["id"].isin(ids)].reset_index(drop=True)
    findings = [_find(evidence, str(name)) for name in table["id"]]
    return table.assign(**{part: [getattr(f, part) for f in findings] for part in Finding._fields})


def how(name: str) -> str:
    """Say how a claim's verdict is reached: what its rule says of itself, in one line."""
    return " ".join((RULES[name].__doc__ or "").split())


@dataclass(frozen=True)
class Summary:
    """How many claims have which verdict: those that a run can test, and those on the paper's own numbers.

    Attributes
    ----------
    run, paper
        Number of claims by verdict, in the order of `VERDICTS`; those that none has are left out.
    """

    run: dict[str, int]
    paper: dict[str, int]

    @property
    def asked(self) -> int:
        """Claims that a run can test."""
        return sum(self.run.values())

    @property
    def tested(self) -> int:
        """Claims that this run could test."""
        return self.asked - self.run.get(UNTESTED, 0)

    @property
    def overall(self) -> str:
        """What came out of the claims that could be tested, in a word or two."""
        found = {verdict for verdict in self.run if verdict != UNTESTED}
        alone = {HOLDS: "reproduced", FAILS: "not reproduced", NOT_SHOWN: "not shown"}
        if not found:
            return "not tested"
        if len(found) == 1 and PARTLY not in found:
            return alone[found.pop()]
        return "partly reproduced" if found & {HOLDS, PARTLY} else "not reproduced"

    @property
    def said(self) -> str:
        """All of it in sentences."""
        of_run = {verdict: number for verdict, number in self.run.items() if verdict != UNTESTED}
        own = f"{self.tested} could be tested here: {_numbers(of_run)}" if self.tested else "none could be tested here"
        sentences = [f"Of the {self.asked} claims that a run can test, {own}."] if self.asked else []
        if self.paper:
            number = sum(self.paper.values())
            about = "claim" if number == 1 else "claims"
            sentences.append(
                f"Of the {number} {about} on the paper's own numbers, which no run can change: {_numbers(self.paper)}."
            )
        return " ".join(sentences)


VERDICTS = (HOLDS, PARTLY, NOT_SHOWN, FAILS, UNTESTED)


def summarise(claims: pd.DataFrame) -> Summary:
    """Count the verdicts of a table of claims (columns id, verdict)."""
    of_paper = claims["id"].isin(PAPER_ALONE)
    run, paper = (
        {v: number for v in VERDICTS if (number := int((rows == v).sum()))}
        for rows in (claims.loc[~of_paper, "verdict"], claims.loc[of_paper, "verdict"])
    )
    return Summary(run, paper)


def _numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {verdict if number == 1 else _MANY[verdict]}" for verdict, number in counts.items())


_MANY = {HOLDS: "hold", PARTLY: "hold in part", NOT_SHOWN: NOT_SHOWN, FAILS: "do not hold", UNTESTED: UNTESTED}


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
