"""How steady the verdicts are: each claim under several seeds, and how many change."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nem2e_lib.analysis.claims.evidence import UNTESTED

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
