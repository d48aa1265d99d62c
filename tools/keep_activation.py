"""Keep the activation of a study of open recordings with the library: ``python tools/keep_activation.py STUDY WORK``.

Simulates in WORK what is not finished there, takes the muscles and times that the study needs, and writes
``nem2e_lib/data/open/activation``. Run it where the way from the recordings to activation has changed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nem2e_lib.data.open.fetch import fetch_open
from nem2e_lib.data.open.kept import keep
from nem2e_lib.data.open.sources import chosen, read_sources
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.tables import read_table
from nem2e_lib.simulate.people import MODEL, STUDIES, beside_laboratory, simulate_study

ROOT = Path(__file__).resolve().parents[1]


def main(name: str, work: str) -> None:
    """Simulate a study's trials, and keep their activation."""
    study, place = STUDIES[name], Path(work)
    recordings = fetch_open([study.recordings, MODEL])
    trials = study.prepare(recordings, place / "trials")
    made = simulate_study(study, trials, recordings / MODEL, place / "simulated")
    rows = read_table(trials, ("trial",), ("leg",)).to_dict("records")
    activation = {
        row["trial"]: study.needed(row, read_storage(place / "simulated" / row["trial"] / "activation.sto"))
        for row in rows
    }
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    facts = study.facts
    told = {
        "opensim": made["opensim"],
        "nem2e": commit.stdout.strip(),
        "steps": made["steps"],
        "options": made["options"],
        "model": MODEL,
        "licence": facts["licence"],
        "cite": facts["cite"],
        "trials": made["trials"],
        "laboratory": beside_laboratory(study, recordings, place / "trials", place / "simulated"),
    }
    files = chosen([study.recordings, MODEL], read_sources())
    told |= {"inputs": {source.here: source.sha256 for source in files if not source.here.endswith(".txt")}}
    keep(name, activation, told)


if __name__ == "__main__":
    main(*sys.argv[1:])
