"""The claims page: every checkable statement of the paper on this run's data."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nem2e_lib.analysis.claims import how
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, PARTLY, UNTESTED
from nem2e_lib.error import Nem2eError
from nem2e_lib.site.frame import footer, page_html, synthetic_note
from nem2e_lib.site.results import Runs
from nem2e_lib.site.saving import write_text
from nem2e_lib.site.tables import Table, table_html

VERDICTS = {
    HOLDS: ("✔", "holds", "holds"),
    PARTLY: ("◐", "holds in part", "untested"),
    FAILS: ("✘", "does not hold", "fails"),
    UNTESTED: ("–", "cannot be tested", "untested"),
}
"""Sign, word and style of each verdict."""


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
    rows = "".join(_claim_row(r, seeds.get(str(r["id"]), {})) for r in claims.sort_values("id").to_dict("records"))
    names = ("id", "verdict", "claim", "reported in the paper", "this run", "over seeds", "why", "how it is judged")
    head = "".join(f'<th scope="col">{n}</th>' for n in names)
    body = (
        f"{synthetic_note(runs)}<h2>Summary</h2>{cards(claims)}<h2>Each claim</h2>"
        '<div class="table" role="region" tabindex="0" aria-label="Claims"><table>'
        "<caption>Every checkable statement of the paper, computed on this run's data.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        + "".join(table_html(table) for table in below)
    )
    path = Path(folder) / "claims.html"
    write_text(path, page_html("Claims of the paper", body, foot=footer()))
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


def _claim_row(row: Mapping[Any, Any], seeds: Mapping[Any, Any]) -> str:
    sign, word, css = VERDICTS[verdict_key(row["verdict"])]
    value = "" if pd.isna(row["value"]) else str(row["value"])
    cells = [str(row["claim"]), str(row["reported"]), value, _over_seeds(seeds), str(row["why"]), how(str(row["id"]))]
    verdict = f'<td class="verdict {css}"><span aria-hidden="true">{sign}</span> {word}</td>'
    return (
        f'<tr id="{html.escape(str(row["id"]))}"><th scope="row">{html.escape(str(row["id"]))}</th>{verdict}'
        + "".join(f"<td>{html.escape(c)}</td>" for c in cells)
        + "</tr>"
    )


def _over_seeds(seeds: Mapping[Any, Any]) -> str:
    if not seeds or int(seeds["seeds"]) < 2:
        return "one seed"
    flips = "changes with the seed: " if seeds["flips"] else ""
    return f"{flips}{seeds['verdicts']} ({seeds['values']})"


def cards(claims: pd.DataFrame) -> str:
    """Return the verdicts in short, as a list of cards (HTML)."""
    overall, counts = claims_summary(claims)
    cards = f'<li><span class="big">{overall}</span>over all claims that could be tested</li>'
    for key, count in counts.items():
        sign, word, css = VERDICTS[key]
        cards += (
            f'<li><span class="big {css}"><span aria-hidden="true">{sign}</span> {count}</span>{word}</li>'
            if count
            else ""
        )
    return f'<ul class="cards">{cards}</ul>'
