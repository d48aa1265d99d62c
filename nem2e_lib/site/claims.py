"""The claims page: every checkable statement of the paper on this run's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from nem2e_lib.analysis import contrasts
from nem2e_lib.analysis.claims import how, summarise
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, NOT_SHOWN, PARTLY, UNTESTED
from nem2e_lib.error import Nem2eError
from nem2e_lib.site.frame import page, part
from nem2e_lib.site.results import Runs
from nem2e_lib.site.saving import write_text
from nem2e_lib.site.tables import Table

VERDICTS = {
    HOLDS: ("✔", "holds", "holds"),
    PARTLY: ("◐", "holds in part", "partly"),
    NOT_SHOWN: ("○", "not shown", "unshown"),
    FAILS: ("✘", "does not hold", "fails"),
    UNTESTED: ("–", "cannot be tested", "untested"),
}
"""Sign, word and style of each verdict."""
ANSWERS = {
    contrasts.SHOWN: ("✔", contrasts.SHOWN, "holds"),
    contrasts.NOT_SHOWN: ("○", contrasts.NOT_SHOWN, "unshown"),
    contrasts.OTHERWISE: ("✘", contrasts.OTHERWISE, "fails"),
    contrasts.CANNOT: ("–", contrasts.CANNOT, "untested"),
}
"""Sign, word and style of each answer to a question."""


_BEFORE = ("id", "verdict", "claim", "reported in the paper", "this run")
_AFTER = ("over seeds", "why", "how it is judged")
_LENGTH = "trained as long as in the paper"
"""Headings of the table."""


def write_claims(
    claims: pd.DataFrame,
    folder: Path | str,
    *,
    runs: Runs,
    steady: pd.DataFrame | None = None,
    long: pd.DataFrame | None = None,
    below: Sequence[Table] = (),
) -> Path:
    """Write ``claims.html``: each claim of the paper on this run's data, the verdict and why.

    Parameters
    ----------
    claims
        ``claims.evaluate``'s table.
    steady
        ``claims.table.steadiness``'s table: the verdicts of several seeds.
    long
        Verdicts at the published length of training, of other models on data of the same kind: id, verdict, value; they
        get a column of their own.
    below
        Tables to stand under the claims.
    """
    seeds = {} if steady is None else {str(r["id"]): r for r in steady.to_dict("records")}
    trained = None if long is None else {str(r["id"]): r for r in long.to_dict("records")}
    text = page(
        "claims.html.j2",
        runs=runs,
        cards=cards(claims),
        columns=[*_BEFORE, *([] if trained is None else [_LENGTH]), *_AFTER],
        claims=[
            _claim(row, seeds.get(name, {}), None if trained is None else trained.get(name, {}))
            for row in claims.sort_values("id").to_dict("records")
            if (name := str(row["id"]))
        ],
        below=below,
    )
    path = Path(folder) / "claims.html"
    write_text(path, text)
    return path


def verdict_key(verdict: object) -> str:
    """Return the verdict as one of `VERDICTS`; raise Nem2eError when it is none of them."""
    key = str(verdict).replace("_", " ").strip().lower()
    key = {"partly": PARTLY, "holds partly": PARTLY}.get(key, key)
    if key not in VERDICTS:
        raise Nem2eError(f"The table of claims has the verdict '{verdict}'; expected one of {', '.join(VERDICTS)}.")
    return key


def _claim(row: Mapping[Any, Any], seeds: Mapping[Any, Any], long: Mapping[Any, Any] | None) -> dict[str, object]:
    trained = [] if long is None else [_at_length(long)]
    return {
        "id": str(row["id"]),
        "look": VERDICTS[verdict_key(row["verdict"])],
        "cells": [
            row["claim"],
            row["reported"],
            _text(row["value"]),
            *trained,
            _over_seeds(seeds),
            row["why"],
            how(str(row["id"])),
        ],
    }


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)  # type: ignore[call-overload]


def _at_length(long: Mapping[Any, Any]) -> str:
    if not long:
        return ""
    sign, word, _ = VERDICTS[verdict_key(long["verdict"])]
    value = _text(long["value"])
    return f"{sign} {word}{': ' if value else ''}{value}"


def _over_seeds(seeds: Mapping[Any, Any]) -> str:
    if not seeds or int(seeds["seeds"]) < 2:
        return "one seed"
    flips = "changes with the seed: " if seeds["flips"] else ""
    return f"{flips}{seeds['verdicts']} ({seeds['values']})"


def cards(claims: pd.DataFrame) -> Markup:
    """Return the verdicts in short, as a list of cards, with the sentence that says it all: the paper's own apart."""
    counted = summarise(claims.assign(verdict=claims["verdict"].map(verdict_key)))
    counts = [(*VERDICTS[verdict], number) for verdict, number in counted.run.items()]
    return part("cards", counted.overall, counted.tested, counted.asked, counts, counted.said)
