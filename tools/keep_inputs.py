"""Keep what a study of open recordings tells beside activation: ``python tools/keep_inputs.py STUDY WORK``.

Simulates in WORK what is not finished there (scaling, inverse kinematics, inverse dynamics), and writes joint angles,
net moments and muscle lengths of the measured leg into ``nem2e_lib/data/open/inputs``. Run it where the way to them has
changed.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

from nem2e_lib.data.open.fetch import fetch_open
from nem2e_lib.data.open.kept import INPUTS, keep
from nem2e_lib.data.open.sources import chosen, read_sources
from nem2e_lib.simulate.inputs import of_trial, write_inputs
from nem2e_lib.simulate.people import MODEL, STUDIES, simulate_study
from nem2e_lib.simulate.trial import read_trials

ROOT = Path(__file__).resolve().parents[1]
DIGITS = {"angles": 3, "moments": 3, "lengths": 5}


def main(name: str, work: str) -> None:
    """Simulate a study's trials up to their net moments, and keep their tables."""
    known, place = STUDIES[name], Path(work)
    study = dataclasses.replace(known, steps=(*(step for step in known.steps if step != "so"), "id"))
    recordings = fetch_open([study.recordings, MODEL])
    trials = study.prepare(recordings, place / "trials")
    made = simulate_study(study, trials, recordings / MODEL, place / "simulated", workers=1)
    tables = {}
    for trial in read_trials(trials):
        folder = place / "simulated" / trial.trial
        write_inputs(trial, recordings / MODEL, folder, study.options.cutoff_hz)
        for table, storage in of_trial(folder).items():
            rounded = dataclasses.replace(storage, values=storage.values.round(DIGITS[table]))
            tables[f"{trial.trial}_{table}"] = rounded
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    facts = study.facts
    files = chosen([study.recordings, MODEL], read_sources())
    told = {
        "opensim": made["opensim"],
        "nem2e": commit.stdout.strip(),
        "steps": made["steps"],
        "options": made["options"],
        "model": MODEL,
        "licence": facts["licence"],
        "cite": facts["cite"],
        "trials": {},
        "inputs": {source.here: source.sha256 for source in files if not source.here.endswith(".txt")},
    }
    keep(name, tables, told, INPUTS)


if __name__ == "__main__":
    main(*sys.argv[1:])
