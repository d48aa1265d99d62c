"""What ``nem2e simulate run`` left is known as that: one activation a trial, and how good it is."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pandas as pd

from nem2e_lib.data.intake.new import new_study
from nem2e_lib.data.storage.storage import Storage, write_storage

TIME = np.linspace(0, 3, 301)


def results(folder, trials):
    """As `nem2e simulate run` leaves them: a table, and a folder a trial with more than its activation."""
    rows = []
    for name, (status, verdict, why) in trials.items():
        rows.append({"trial": name, "status": status, "verdict": verdict, "reason": why, "why": why})
        for inside in ("activation.sto", "so/activation.sto", "so/results/so_StaticOptimization_activation.sto"):
            (folder / name / inside).parent.mkdir(parents=True, exist_ok=True)
            values = np.tile([0.2, 0.4], (len(TIME), 1)) + 0.1 * np.sin(TIME)[:, None]
            write_storage(folder / name / inside, Storage("a", ("soleus_r", "tib_ant_r"), TIME, values))
        (folder / name / "manifest.json").write_text(json.dumps({"asked": ["scale", "ik", "so"]}))
        (folder / name / "log.txt").write_text("said\n")
    pd.DataFrame(rows).to_csv(folder / "simulations.csv", index=False)
    pd.DataFrame(rows).to_csv(folder / "quality.csv", index=False)
    return folder


def test_one_activation_a_finished_trial_with_what_computed_it(tmp_path):
    trials = {
        "s01_walk": ("done", "good", ""),
        "s02_walk": ("skipped", "poor", "so reserve_share 0.661 of peak joint moment (hip_rotation_l)"),
        "s03_walk": ("failed", "", "the markers are in cm."),
    }
    made = new_study(tmp_path / "study", results(tmp_path / "sim", trials))
    assert made.trials["trial"].tolist() == ["s01_walk", "s02_walk"]
    assert made.trials["activation"].tolist() == [f"activation/{who}_walk/activation.sto" for who in ("s01", "s02")]
    settings = tomllib.loads((tmp_path / "study" / "study.toml").read_text())
    assert settings["simulated_by"] == "static optimisation (OpenSim)"
    folder = tmp_path / "sim"
    assert made.told == (
        f"{folder}: results of 'nem2e simulate run', of which activation.sto of 2 trials is taken.",
        f"{folder / 's02_walk'}: its simulation was judged poor: so reserve_share 0.661 of peak joint moment "
        "(hip_rotation_l).",
        f"{folder / 's03_walk'}: left out, its simulation failed: the markers are in cm.",
    )


def test_who_moved_may_be_told_by_the_folder_that_is_named(tmp_path):
    results(tmp_path / "hamner_subject07" / "act", {"walk": ("done", "good", "")})
    made = new_study(tmp_path / "study", tmp_path / "hamner_subject07" / "act")
    assert made.trials["subject"].tolist() == ["subject07"]
