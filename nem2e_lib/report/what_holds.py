"""The page "What holds": a sceptical reader's questions answered from this run's tables; what stands below claims."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from nem2e_lib.analysis.ablations import said as choices
from nem2e_lib.analysis.ablations import unfinished
from nem2e_lib.analysis.claims.contradictions import contradictions
from nem2e_lib.analysis.claims.evidence import FAILS, HOLDS, PARTLY, UNTESTED
from nem2e_lib.analysis.claims.seeds import said
from nem2e_lib.report import tables
from nem2e_lib.report.ablations import Committed
from nem2e_lib.report.answers import Answer, Site, answers, by_question
from nem2e_lib.report.attention_tests import KnownTruth
from nem2e_lib.report.claims_page import VERDICTS, cards
from nem2e_lib.report.figures.ablations import name_of
from nem2e_lib.report.findings import Findings
from nem2e_lib.report.layout import footer, page_html, synthetic_note
from nem2e_lib.report.saving import write_text
from nem2e_lib.report.shared_tables import ABLATIONS, AUDIT, LEADERBOARD
from nem2e_lib.report.table import Table

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
    theirs = found.published(study)
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
    asked = answers(Site(found.run.site), found.cycles)
    body = (
        f"{synthetic_note(found.runs)}<h2>Questions</h2>{_table(asked)}<h2>The paper's claims</h2>{cards(claims)}"
        f'<p>{html.escape(said(steady))} {html.escape(seeds)} <a href="claims.html">Each claim, with the reason</a></p>'
        f"{_studies(found)}"
    )
    path = found.run.site / "what_holds.html"
    lead = "Every sentence is computed from the tables of the run that made this page."
    write_text(path, page_html("What holds", body, lead=lead, foot=footer()))
    return path


def _studies(found: Findings) -> str:
    """Return what the committed studies say; they are SYNTHETIC and stand beside synthetic runs alone (HTML)."""
    if not found.run.is_synthetic:
        return ""
    ablated = Committed()
    parts = [("What attention maps may be read as", KnownTruth(found).verdict, "14_attention_tests")]
    if ablated.path.exists():
        lines = choices(ablated.effects, name_of), unfinished(ablated.effects), ablated.provenance
        parts.append(("Which open choice matters", "\n".join(filter(None, lines)), "15_ablations"))
    return "".join(
        f'<h2>{title}</h2>{_lines(text)}<p><a href="{page}.html">{page}</a></p>' for title, text, page in parts
    )


def _lines(text: str) -> str:
    """Return lines as a list (HTML)."""
    return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in text.splitlines())}</ul>"


def _table(asked: list[Answer]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in ("question", "study", "answer", "evidence", "shown in"))
    rows = "".join(_rows(question, group) for question, group in by_question(asked))
    return (
        '<div class="table" role="region" tabindex="0" aria-label="Questions and answers"><table>'
        "<caption>Questions that a reviewer would ask, answered on this run's data. Er: lower is better. Intervals are "
        "for one comparison; p is corrected (Holm) over all pairs of methods of a study, and decides.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


WORDS = {HOLDS: "yes", PARTLY: "in part", FAILS: "no", UNTESTED: "cannot be told"}
"""What the page says of each verdict."""


def _rows(question: str, group: Sequence[Answer]) -> str:
    first = f'<th scope="row" rowspan="{len(group)}" class="question">{html.escape(question)}</th>'
    return "".join(f"<tr>{first if place == 0 else ''}{_cells(one)}</tr>" for place, one in enumerate(group))


def _cells(answer: Answer) -> str:
    sign, _, css = VERDICTS[answer.verdict]
    return (
        f'<td>{html.escape(answer.study)}</td><td class="verdict {css}"><span aria-hidden="true">{sign}</span> '
        f"{WORDS[answer.verdict]}</td><td>{html.escape(answer.evidence)}</td>"
        f'<td><a href="{html.escape(answer.page)}.html">{html.escape(answer.page)}</a></td>'
    )
