"""The page "What holds", and the tables below the claims."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nem2e_lib.analysis.ablations import said as choices
from nem2e_lib.analysis.ablations import unfinished
from nem2e_lib.analysis.claims.contradictions import contradictions
from nem2e_lib.analysis.claims.table import said
from nem2e_lib.figures.ablations import name_of
from nem2e_lib.paper.answers import Site, answers, bounded, by_question, rule
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import ABLATIONS, AUDIT, LEADERBOARD
from nem2e_lib.paper.shown import published_beside
from nem2e_lib.paper.studies.ablations import Committed
from nem2e_lib.paper.studies.attention import KnownTruth
from nem2e_lib.site import tables
from nem2e_lib.site.claims import ANSWERS, cards
from nem2e_lib.site.frame import page
from nem2e_lib.site.saving import write_text
from nem2e_lib.site.tables import Table

IN_RESULTS = {"leaderboard": LEADERBOARD, "ablations": ABLATIONS, "audit": AUDIT}
"""Lists of results.json and the saved tables that they repeat."""


def tables_of(site: Path) -> dict[str, pd.DataFrame]:
    """Return the further tables of results.json, as far as their notebooks have run.

    Seconds differ from run to run, so they stay in the table's own CSV.
    """
    found = {name: table.read(site) for name, table in IN_RESULTS.items()}
    return {name: t.drop(columns="seconds", errors="ignore") for name, t in found.items() if t is not None}


def tables_below(found: Findings, steady: pd.DataFrame, seeds: str) -> list[Table]:
    """Return the tables below the claims: seeds, the paper against itself, published intervals beside ours."""
    flips = steady.assign(flips=steady["flips"].map({True: "yes", False: "no"}))
    return [
        tables.plain(flips, "Verdicts over seeds", f"{said(steady)} {seeds}", synthetic=found.any_synthetic),
        tables.plain(
            contradictions(),
            "Where the paper contradicts itself",
            "What its text says in one place and its text or tables in another; counts are taken from the tables.",
        ),
        *(beside for study in found.motions if (beside := _beside(found, study))),
    ]


def _beside(found: Findings, study: str) -> Table | None:
    """Return the published intervals beside those of a measured study; None where they cannot be compared."""
    theirs = published_beside(found.summary, found.motions[study], study)
    if theirs is None or found.synthetic(study):
        return None
    keys, numbers = ["muscle", "condition"], ["er_mean", "ci_low", "ci_high"]
    own = found.summary.loc[found.summary["study"] == study, [*keys, *numbers, "n_units", "unit"]]
    both = own.merge(theirs[[*keys, *numbers]].rename(columns={n: f"published_{n}" for n in numbers}), on=keys)
    if both.empty:
        return None
    overlap = (both["ci_low"] <= both["published_ci_high"]) & (both["published_ci_low"] <= both["ci_high"])
    known = both[["ci_low", "ci_high", "published_ci_low", "published_ci_high"]].notna().all(axis=1)
    words = overlap.map({True: "yes", False: "no"}).where(known, "not known")
    count = f"{int(overlap[known].sum())} of {int(known.sum())}"
    return tables.plain(
        both.assign(intervals_overlap=words),
        f"{study}: Er beside the published Er",
        f"95 % intervals, this run's and the paper's: {count} overlap. Units differ where this run's are not subjects.",
    )


def write(found: Findings, claims: pd.DataFrame, steady: pd.DataFrame, seeds: str) -> Path:
    """Write ``what_holds.html``: each question, its verdict in every study, the evidence and where it is shown."""
    site = Site.of(found)
    text = page(
        "what_holds.html.j2",
        runs=found.runs,
        rule=[*rule(), *bounded(site, found.cycles)],
        questions=by_question(answers(site, found.cycles)),
        looks=ANSWERS,
        cards=cards(claims),
        seeds=f"{said(steady)} {seeds}",
        studies=_studies(found),
    )
    path = found.run.site / "what_holds.html"
    write_text(path, text)
    return path


def _studies(found: Findings) -> list[tuple[str, list[str], str]]:
    """Return heading, lines and page of what the committed studies say.

    They are SYNTHETIC and stand beside synthetic runs alone.
    """
    if not found.run.is_synthetic:
        return []
    told = [("What attention maps may be read as", KnownTruth().verdict.splitlines(), "14_attention_tests")]
    ablated = Committed()
    if ablated.path.exists():
        text = "\n".join((choices(ablated.effects, name_of), unfinished(ablated.effects), ablated.provenance))
        told.append(("Which open choice matters", [line for line in text.splitlines() if line], "15_ablations"))
    return told
