"""The pages that no notebook makes: index and claims."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from nem2e_lib.errors import Nem2eError
from nem2e_lib.report.layout import page_html
from nem2e_lib.report.provenance import Provenance
from nem2e_lib.report.results import Runs
from nem2e_lib.report.saving import Entry, entries, links, manifest_pages, write_text

PAPER = (
    "Teramae T, Matsubara T, Noda T, Morimoto J (2025) Neural-enhanced motion-to-EMG: refining simulated muscle "
    "activity from musculoskeletal models using a Seq2Seq approach. Front. Bioeng. Biotechnol. 13:1611414"
)
DOI = "https://doi.org/10.3389/fbioe.2025.1611414"
VERDICTS = {
    "holds": ("✔", "holds", "holds"),
    "holds in part": ("◐", "holds in part", "untested"),
    "does not hold": ("✘", "does not hold", "fails"),
    "cannot be tested": ("–", "cannot be tested", "untested"),
}


def write_index(
    folder: Path | str, *, title: str, lead: str, pages: Mapping[str, str], runs: Runs,
    source: Provenance, claims: pd.DataFrame | None = None, sections: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    """Write ``index.html``: every figure and table, links to every page, claims in short, provenance.

    Parameters
    ----------
    folder : path
        The site, with the manifests that `saving` keeps.
    title, lead : str
        Heading and what this is.
    pages : mapping of file name to title
        The rendered notebooks and further pages; each must exist.
    runs : mapping of study to mapping
        ``synthetic``, ``profile``, ``data_hash`` of each study.
    source : Provenance
    claims : pandas.DataFrame, optional
        ``claims.evaluate``'s table.
    sections : mapping of manifest page to heading, optional
        Order and headings; by default every page that saved something, by name.

    Raises
    ------
    Nem2eError
        When a page or a listed file is missing.
    """
    root = Path(folder)
    chosen = dict(sections) if sections else {p: p.replace("_", " ") for p in manifest_pages(root)}
    _all_there(root, [*pages, *(f for p in chosen for e in entries(root, p) for f in e.files)])
    body = [_synthetic_note(runs), _claims_cards(claims), _page_list(pages)]
    body += [_section(anchor, heading, entries(root, anchor)) for anchor, heading in chosen.items()]
    body.append(_provenance(runs, source))
    text = page_html(title, "\n".join(filter(None, body)), lead=lead, nav=_nav(chosen), footer=_footer())
    path = root / "index.html"
    write_text(path, text)
    return path


def write_claims(claims: pd.DataFrame, folder: Path | str, *, runs: Runs) -> Path:
    """Write ``claims.html``: each claim of the paper on this run's data, verdict in a word and a sign, and why."""
    rows = "".join(_claim_row(r) for r in claims.sort_values("id").to_dict("records"))
    names = ("id", "verdict", "claim", "reported in the paper", "this run", "why")
    head = "".join(f'<th scope="col">{n}</th>' for n in names)
    body = (
        f"{_synthetic_note(runs)}<h2>Summary</h2>{_cards(claims)}<h2>Each claim</h2>"
        '<div class="table" role="region" tabindex="0" aria-label="Claims"><table>'
        "<caption>Every checkable statement of the paper, computed on this run's data.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    path = Path(folder) / "claims.html"
    write_text(path, page_html("Claims of the paper", body, footer=_footer()))
    return path


def claims_summary(claims: pd.DataFrame) -> tuple[str, dict[str, int]]:
    """Return ``reproduced``, ``partly reproduced``, ``not reproduced`` or ``not tested``, and the count of each verdict."""
    counts = {v: int((claims["verdict"].map(verdict_key) == v).sum()) for v in VERDICTS}
    holds, fails = counts["holds"], counts["does not hold"]
    tested = holds + fails + counts["holds in part"]
    if not tested:
        return "not tested", counts
    if holds == tested:
        return "reproduced", counts
    return ("not reproduced" if fails == tested else "partly reproduced"), counts


def verdict_key(verdict: object) -> str:
    """Return the verdict as one of `VERDICTS`; raise Nem2eError when it is none of them."""
    key = str(verdict).replace("_", " ").strip().lower()
    key = {"partly": "holds in part", "holds partly": "holds in part"}.get(key, key)
    if key not in VERDICTS:
        raise Nem2eError(
            f"The table of claims has the verdict '{verdict}'; expected one of {', '.join(VERDICTS)}."
        )
    return key


def _claim_row(row: Mapping[Any, Any]) -> str:
    sign, word, css = VERDICTS[verdict_key(row["verdict"])]
    value = "" if pd.isna(row["value"]) else str(row["value"])
    cells = [str(row["claim"]), str(row["reported"]), value, str(row["why"])]
    verdict = f'<td class="verdict {css}"><span aria-hidden="true">{sign}</span> {word}</td>'
    return (
        f'<tr id="{html.escape(str(row["id"]))}"><th scope="row">{html.escape(str(row["id"]))}</th>{verdict}'
        + "".join(f"<td>{html.escape(c)}</td>" for c in cells)
        + "</tr>"
    )


def _cards(claims: pd.DataFrame) -> str:
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


def _claims_cards(claims: pd.DataFrame | None) -> str:
    if claims is None or claims.empty:
        return ""
    return f'<h2 id="claims">Claims</h2>{_cards(claims)}<p><a href="claims.html">Each claim, with the reason</a></p>'


def _synthetic_note(runs: Runs) -> str:
    made_up = [s for s, run in runs.items() if run.get("synthetic")]
    if not made_up:
        return ""
    return (
        f'<p class="synthetic"><strong>SYNTHETIC data.</strong> {html.escape(" and ".join(made_up))}: generated, not measured. '
        "They show that the method runs and finds what was put in; they say nothing about people, and published numbers "
        "stand beside them as context only.</p>"
    )


def _nav(sections: Mapping[str, str]) -> str:
    items = "".join(f'<li><a href="#{html.escape(a)}">{html.escape(h)}</a></li>' for a, h in sections.items())
    return f'<nav aria-label="Sections"><ul><li><a href="#pages">Pages</a></li>{items}<li><a href="#provenance">Provenance</a></li></ul></nav>'


def _page_list(pages: Mapping[str, str]) -> str:
    items = "".join(f'<li><a href="{html.escape(f)}">{html.escape(t)}</a></li>' for f, t in pages.items())
    return f'<h2 id="pages">Pages</h2><ul>{items}</ul>'


def _section(anchor: str, heading: str, listed: list[Entry]) -> str:
    return (
        f'<section aria-labelledby="{html.escape(anchor)}"><h2 id="{html.escape(anchor)}">{html.escape(heading)}</h2>'
        + "".join(map(_entry, listed))
        + "</section>"
    )


def _entry(entry: Entry) -> str:
    title, caption = html.escape(entry.title), html.escape(entry.caption)
    if entry.kind == "table":
        return f'<h3>{title}</h3><p>{caption}</p><p class="files">{links(entry)}</p>'
    return (
        f'<h3>{title}</h3><figure><img src="{html.escape(entry.files[0])}" alt="{html.escape(entry.alt)}">'
        f"<figcaption>{caption} {links(entry)}</figcaption></figure>"
    )


def _provenance(runs: Runs, source: Provenance) -> str:
    studies = "".join(
        f"<li>{html.escape(s)}: profile {html.escape(str(r.get('profile', 'unknown')))}, "
        f"{'SYNTHETIC' if r.get('synthetic') else 'measured'} data, hash <code>{html.escape(str(r.get('data_hash', '')))}</code></li>"
        for s, r in runs.items()
    )
    libraries = ", ".join(f"{name} {number}" for name, number in source.versions.items())
    return (
        f'<h2 id="provenance">Provenance</h2><ul><li>Code: commit <code>{html.escape(source.commit)}</code> of '
        f"{html.escape(source.date)}</li>{studies}<li>{html.escape(libraries)}</li>"
        '<li>Every number: <a href="results.json">results.json</a></li></ul>'
    )


def _footer() -> str:
    return (
        f'<p>The paper: {html.escape(PAPER)}. <a href="{DOI}">{DOI.removeprefix("https://")}</a> (CC BY).</p>'
    )


def _all_there(root: Path, files: list[str]) -> None:
    missing = [f for f in files if not (root / f).exists()]
    if missing:
        raise Nem2eError(
            f"{root / missing[0]} does not exist, but the index would link to it; run its notebook first."
        )
