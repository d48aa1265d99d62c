"""The last step of a run: the index over all pages, and the whole site handed over to where it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import CONDITION_LABELS
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.notebooks import heading
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.index import write_index
from nem2e_lib.site.provenance import provenance
from nem2e_lib.site.publish import check_target, publish
from nem2e_lib.site.saving import manifest_pages

READ_FIRST = {
    "what_holds.html": "What holds: the page to read first",
    "claims.html": "Every claim of the paper, checked",
}


def finish(run: Run, out: Path | str, notebooks: Iterable[str]) -> Path:
    """Write ``index.html``, which links every page of the run, and publish the site to `out`.

    Parameters
    ----------
    run
        The run, whose notebooks have all succeeded.
    out
        Folder to publish to.
    notebooks
        Names of the notebooks that the run consists of, such as ``04_statistics``: their order is that of their
        numbers, their titles are their headings.

    Raises
    ------
    Nem2eError
        When a page is missing or `out` holds files of others.
    """
    path = run.site / "results.json"
    if not path.exists():
        raise Nem2eError(f"{path}: there are no results yet; run 07_claims first.")
    claims = pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["claims"])
    found = Findings(run)
    titles = {name: heading(ROOT / "notebooks" / f"{name}.ipynb") for name in sorted(notebooks)}
    names, shown = [cycles.attrs["study"] for cycles in found.cycles.values()], manifest_pages(run.site)
    write_index(
        run.site,
        title="Neural-enhanced motion-to-EMG: the paper, run",
        lead=f"Every table and figure of Teramae et al. (2025), computed from: {', '.join(names)}.",
        pages=READ_FIRST | {page: title for name in titles for page, title in pages(run, name, titles[name]).items()},
        runs=found.runs,
        source=provenance(),
        claims=claims,
        sections={name: title for name, title in titles.items() if name in shown},
    )
    return publish(run.site, out)


def pages(run: Run, notebook: str, title: str) -> dict[str, str]:
    """Return the pages of a notebook with their titles: one, or one a study, or one a study and condition."""
    by_study = {f"{notebook}_{study}.html": f"{title}: {study}" for study in run.studies}
    by_condition = {
        f"{notebook}_{study}_{condition}.html": f"{title}: {study}, {label}"
        for study in run.studies
        for condition, label in CONDITION_LABELS.items()
    }
    alone = {f"{notebook}.html": title}
    return next((some for some in (by_study, by_condition) if any((run.site / page).exists() for page in some)), alone)


def main(command: str, *arguments: str) -> None:
    """``check OUT``: may OUT be written?  ``publish RUN OUT NOTEBOOK…``: index and publish a run of these notebooks."""
    if command == "check":
        check_target(arguments[0])
    else:
        finish(Run.open(arguments[0]), arguments[1], arguments[2:])


if __name__ == "__main__":
    script(main)
