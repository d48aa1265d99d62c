"""The last step of a run: the index over all pages, and the whole site handed over to where it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import CONDITION_LABELS
from nem2e_lib.paper import guide, people
from nem2e_lib.paper.answers import PAPER, SHORT, Site, answers
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.notebooks import heading
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.shared_tables import LEADERBOARD
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.assets import FOLDER as ASSETS
from nem2e_lib.site.assets import write_assets, write_engine
from nem2e_lib.site.contents import CONTENTS, Asked, Contents, Opening
from nem2e_lib.site.index import PEOPLE, render_index, write_index
from nem2e_lib.site.provenance import provenance
from nem2e_lib.site.publish import LITTER, MARKER, check_target, note, publish
from nem2e_lib.site.saving import manifest_pages

READ_FIRST = {
    "what_holds.html": "What holds: the numbers behind each answer",
    "claims.html": "Every claim of the paper, checked",
}
PEOPLE_FIRST = {"17_people.html": "What people say, as a results section"}
"""The page that a run on open recordings has besides."""
SHOWN_FIRST = ("touch_leaderboard", "leaderboard")
"""The figure to look at: the first of these that a site has."""


def finish(run: Run, out: Path | str, notebooks: Iterable[str]) -> Path:
    """Write ``index.html``, which links every page of the run, publish the site to `out`, and renew the front page.

    Parameters
    ----------
    run
        The run, whose notebooks have all succeeded.
    out
        Folder to publish to. One called ``people`` is a part of the site around it, whose front page it opens.
    notebooks
        Names of the notebooks that the run consists of, such as ``04_statistics``: their order is that of their
        numbers, their titles are their headings.

    Raises
    ------
    Nem2eError
        When a page is missing or `out` holds files of others.
    """
    write_index(run.site, contents(run, notebooks))
    target = publish(run.site, out)
    renew(target)
    return target


def contents(run: Run, notebooks: Iterable[str]) -> Contents:
    """Return what the front page of a run is made of."""
    path = run.site / "results.json"
    if not path.exists():
        raise Nem2eError(f"{path}: there are no results yet; run 07_claims first.")
    claims = [{"id": c["id"], "verdict": c["verdict"]} for c in json.loads(path.read_text(encoding="utf-8"))["claims"]]
    found = Findings(run)
    titles = {name: heading(ROOT / "notebooks" / f"{name}.ipynb") for name in sorted(notebooks)}
    names, shown = [cycles.attrs["study"] for cycles in found.cycles.values()], manifest_pages(run.site)
    return Contents(
        title="Neural-enhanced motion-to-EMG, checked",
        lead=f"Every table and figure of Teramae et al. (2025), computed from: {', '.join(names)}.",
        pages=READ_FIRST | {page: title for name in titles for page, title in pages(run, name, titles[name]).items()},
        runs=found.runs,
        source=provenance(),
        sections={name: title for name, title in titles.items() if name in shown},
        claims=claims,
        opening=opening(found, pd.DataFrame(claims)),
        again=again(run),
    )


def opening(found: Findings, claims: pd.DataFrame) -> Opening:
    """Return what opens a site, of the claims' id and verdict and all that the run has found."""
    site = Site.of(found)
    asked = answers(site, found.cycles)
    first = {**PEOPLE_FIRST, **READ_FIRST} if (found.run.site / next(iter(PEOPLE_FIRST))).exists() else READ_FIRST
    return Opening(
        [people.studied(study, cycles, found.units[study]) for study, cycles in found.cycles.items()],
        [
            Asked(one.question, one.study, one.verdict, one.page, one.about, SHORT.get(one.question, ""))
            for one in asked
            if one.study != PAPER
        ],
        [] if found.any_synthetic else people.headline(people.Results.of(found)),
        list(SHOWN_FIRST),
        list(first),
        guide.done(found, site.table(LEADERBOARD)["method"].nunique()),
        guide.guide(found, site, asked, claims),
    )


def again(run: Run) -> str:
    """Return the command that makes a run's site anew."""
    own = "" if run.is_synthetic or run.data else "STUDY=folder"
    given = [f"DATA={run.data}" * bool(run.data), own, f"PROFILE={run.profile}" * (run.profile != "demo")]
    return " ".join(["make paper", *filter(None, given), *([f"SEED={run.seed}"] if run.seed else [])])


def renew(target: Path) -> None:
    """Make the front page of a published site anew: of the one around it, where it is the part on people.

    A folder around it that holds anything but published sites is left alone.
    """
    around = target.parent
    if target.name == PEOPLE and ((around / CONTENTS).exists() or _holds_nothing_else(around)):
        _render(around, write_engine(around))
        _render(target, above="../index.html")
    else:
        _render(target, write_engine(target))


def _render(folder: Path, *beside: Path, above: str = "") -> None:
    """Make the front page of what lies in a folder, put style and script beside it, and list all that was written."""
    for path in (render_index(folder, above=above), *write_assets(folder), *beside):
        note(folder, path.relative_to(folder).as_posix())


def _holds_nothing_else(folder: Path) -> bool:
    """Whether a folder has people/ alone, and at most the front page that an earlier call has made there."""
    found = {path.name for path in folder.iterdir()} - LITTER - {PEOPLE}
    return not found or (MARKER in found and found <= {MARKER, "index.html", ASSETS})


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
