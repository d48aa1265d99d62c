"""The index over all pages of a run: their titles and order."""

from __future__ import annotations

import pandas as pd

from nem2e_lib.data.study.load import load_study
from nem2e_lib.paper.findings import Findings
from nem2e_lib.site.index import write_index
from nem2e_lib.site.provenance import provenance

STATISTICS, ATTENTION, SHORTCUT, CLAIMS = "04_statistics", "05_attention", "06_shortcut", "07_claims"
RIVALS, REFINER, AUDIT, OWN = "08_rivals", "09_refine", "10_audit", "11_own_data"
CONTROLS, ATTENTION_TESTS = "13_controls", "14_attention_tests"
ABLATIONS = "15_ablations"
SECTIONS = {
    STATISTICS: "Figures 1-5 and Tables 1-3",
    ATTENTION: "Attention: Figures 6 and 7",
    SHORTCUT: "Shortcut test and swapped inputs",
    RIVALS: "Rivals under the same folds",
    REFINER: "A refiner to keep",
    AUDIT: "Published numbers audited, statistics under review",
    ABLATIONS: "Which open choice matters",
    OWN: "From folders of files to refined activity",
    CONTROLS: "Is it learning or remembering?",
    ATTENTION_TESTS: "Attention tested",
    CLAIMS: "What the paper leaves open",
}


def index(found: Findings, table: pd.DataFrame) -> None:
    """Write index.html, which links every page; each must have been written before."""
    names = [load_study(path).settings.name for path in found.run.studies.values()]
    pages = {
        "what_holds.html": "What holds: the page to read first",
        "claims.html": "Every claim of the paper, checked",
        **_pages(found),
    }
    write_index(
        found.run.site,
        title="Neural-enhanced motion-to-EMG: the paper, run",
        lead=f"Every table and figure of Teramae et al. (2025), computed from: {', '.join(names)}.",
        pages=pages,
        runs=found.runs,
        source=provenance(),
        claims=table,
        sections=SECTIONS,
    )


def _pages(found: Findings) -> dict[str, str]:
    pages = {"01_download.html": "1 · Data"}
    for study in found.run.studies:
        pages[f"02_segment_{study}.html"] = f"2 · Gait cycles: {study}"
    for study, conditions in found.trained.items():
        pages |= {f"03_train_{study}_{c}.html": f"3 · Training: {study}, {c.replace('_', ' ')}" for c in conditions}
    own = {"11_own_data.html": "11 · Your own recordings"} if found.run.is_synthetic else {}
    return {
        **pages,
        "04_statistics.html": "4 · Statistics",
        "05_attention.html": "5 · Attention",
        "06_shortcut.html": "6 · Shortcut",
        "07_claims.html": "7 · Claims and open choices",
        "08_rivals.html": "8 · Rivals",
        "09_refine.html": "9 · A refiner to keep",
        "10_audit.html": "10 · Audit and review",
        **own,
        "13_controls.html": "13 · Learning or remembering",
        "14_attention_tests.html": "14 · Attention tested",
        "15_ablations.html": "15 · Ablations",
    }
