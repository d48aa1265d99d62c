"""The claims page: every checkable statement of the paper on this run's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from nem2e_lib.analysis.claims import how
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, PARTLY, UNTESTED
from nem2e_lib.analysis.contrasts import CANNOT, NOT_SHOWN, OTHERWISE, SHOWN
from nem2e_lib.error import Nem2eError
from nem2e_lib.site.frame import page, part
from nem2e_lib.site.results import Runs
from nem2e_lib.site.saving import write_text
from nem2e_lib.site.tables import Table

VERDICTS = {
    HOLDS: ("✔", "holds", "holds"),
    PARTLY: ("◐", "holds in part", "untested"),
    FAILS: ("✘", "does not hold", "fails"),
    UNTESTED: ("–", "cannot be tested", "untested"),
}
"""Sign, word and style of each verdict."""
ANSWERS = {
    SHOWN: ("✔", SHOWN, "holds"),
    NOT_SHOWN: ("○", NOT_SHOWN, "unshown"),
    OTHERWISE: ("✘", OTHERWISE, "fails"),
    CANNOT: ("–", CANNOT, "untested"),
}
"""Sign, word and style of each answer to a question."""


def write_claims(
    claims: pd.DataFrame,
    folder: Path | str,
    *,
    runs: Runs,
    steady: pd.DataFrame | None = None,
    below: Sequence[Table] = (),
) -> Path:
    """Write ``claims.html``: each claim of the paper on this run's data, the verdict and why.

    Parameters
    ----------
    claims
        ``claims.evaluate``'s table.
    steady
        ``claims.seeds.steadiness``'s table: the verdicts of several seeds.
    below
        Tables to stand under the claims.
    """
    seeds = {} if steady is None else {str(r["id"]): r for r in steady.to_dict("records")}
    text = page(
        "claims.html.j2",
        runs=runs,
        cards=cards(claims),
        claims=[_claim(row, seeds.get(str(row["id"]), {})) for row in claims.sort_values("id").to_dict("records")],
        below=below,
    )
    path = Path(folder) / "claims.html"
    write_text(path, text)
    return path


def claims_summary(claims: pd.DataFrame) -> tuple[str, dict[str, int]]:
    """Return the verdict over all claims that could be tested, and the count of each verdict."""
    counts = {v: int((claims["verdict"].map(verdict_key) == v).sum()) for v in VERDICTS}
    holds, fails = counts[HOLDS], counts[FAILS]
    tested = holds + fails + counts[PARTLY]
    if not tested:
        return "not tested", counts
    if holds == tested:
        return "reproduced", counts
    return ("not reproduced" if fails == tested else "partly reproduced"), counts


def verdict_key(verdict: object) -> str:
    """Return the verdict as one of `VERDICTS`; raise Nem2eError when it is none of them."""
    key = str(verdict).replace("_", " ").strip().lower()
    key = {"partly": PARTLY, "holds partly": PARTLY}.get(key, key)
    if key not in VERDICTS:
        raise Nem2eError(f"The table of claims has the verdict '{verdict}'; expected one of {', '.join(VERDICTS)}.")
    return key


def _claim(row: Mapping[Any, Any], seeds: Mapping[Any, Any]) -> dict[str, object]:
    value = "" if pd.isna(row["value"]) else str(row["value"])
    return {
        "id": str(row["id"]),
        "look": VERDICTS[verdict_key(row["verdict"])],
        "cells": [row["claim"], row["reported"], value, _over_seeds(seeds), row["why"], how(str(row["id"]))],
    }


def _over_seeds(seeds: Mapping[Any, Any]) -> str:
    if not seeds or int(seeds["seeds"]) < 2:
        return "one seed"
    flips = "changes with the seed: " if seeds["flips"] else ""
    return f"{flips}{seeds['verdicts']} ({seeds['values']})"


def cards(claims: pd.DataFrame) -> Markup:
    """Return the verdicts in short, as a list of cards."""
    overall, counts = claims_summary(claims)
    return part("cards", overall, [(*VERDICTS[verdict], count) for verdict, count in counts.items() if count])
