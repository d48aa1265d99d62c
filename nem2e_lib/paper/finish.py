"""The last step of a run: the index over all pages, and the whole site handed over to where it is read."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import exhibits
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.site.publish import check_target, publish


def finish(run: Run, out: Path | str) -> Path:
    """Write ``index.html``, which links every page of the run, and publish the site to `out`.

    Raises
    ------
    Nem2eError
        When a page is missing or `out` holds files of others.
    """
    path = run.site / "results.json"
    if not path.exists():
        raise Nem2eError(f"{path}: there are no results yet; run 07_claims first.")
    claims = pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["claims"])
    exhibits.index(Findings(run), claims)
    return publish(run.site, out)


def main(command: str, *folders: str) -> None:
    """``check OUT``: may OUT be written?  ``publish RUN OUT``: index and publish a run."""
    if command == "check":
        check_target(folders[0])
    else:
        finish(Run.open(folders[0]), folders[1])


if __name__ == "__main__":
    script(main)
