"""The claims at the published length of training: ``make study-long`` writes docs/long_*.csv, which 07_claims shows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.claims import evaluate
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.results import configuration_of

CLAIMS, ERRORS, LOSSES = (ROOT / "docs" / f"long_{name}.csv" for name in ("claims", "errors", "losses"))
"""Verdicts, errors of every held-out unit, and losses of the run, with what it was trained with."""
EVERY, LAST = 10, 0.1
"""Losses are kept every so many epochs, and each one in the last share of the training."""


def claims() -> pd.DataFrame:
    """Return the verdicts of the committed run: id, value, verdict, why, and what it was trained with."""
    return pd.read_csv(CLAIMS, dtype={"value": str})


def against(checked: pd.DataFrame, trained: pd.DataFrame) -> pd.DataFrame:
    """Lay the verdicts of a run beside those at the published length.

    Parameters
    ----------
    checked
        The run's: ``claims.evaluate``.
    trained
        Those of `claims`.

    Returns
    -------
    DataFrame
        id, claim, verdict, verdict_long, value_long, changes: a row a claim that both have.
    """
    long = trained[["id", "verdict", "value"]].rename(columns={"verdict": "verdict_long", "value": "value_long"})
    both = checked[["id", "claim", "verdict"]].merge(long, on="id", validate="one_to_one")
    return both.assign(changes=both["verdict"] != both["verdict_long"])


def said(compared: pd.DataFrame, trained: pd.DataFrame) -> str:
    """Say which verdicts the length of training changes, and what the committed run was."""
    first, changed = trained.iloc[0], compared.loc[compared["changes"], "id"]
    told = f"{len(changed)} of {len(compared)} verdicts change" + (f": {', '.join(changed)}." if len(changed) else ".")
    return (
        f"{told} Trained on SYNTHETIC data with {first['units']} units and {first['epochs']} epochs, as long as in the "
        f"paper ({first['batching']}; code {str(first['commit'])[:10]}; make study-long makes it anew)."
    )


def losses(results: xr.Dataset) -> pd.DataFrame:
    """Return a trained condition's losses, mean over seeds and folds, thinned but for the end.

    Returns
    -------
    DataFrame
        study, condition, muscle, epoch, training_loss, validation_loss (mean squared error), diverged (models).
    """
    count = results.sizes["epoch"]
    kept = results.where((results.epoch % EVERY == 0) | (results.epoch > (1 - LAST) * count), drop=True)
    mean = kept[["training_loss", "validation_loss"]].mean(["seed", "fold"])
    table = mean.to_dataframe()[["training_loss", "validation_loss"]].reset_index()
    diverged = results.diverged.sum(["seed", "fold"]).to_series()
    table = table.rename(columns={"channel": "muscle"}).sort_values(["muscle", "epoch"], kind="stable")
    told = {"study": results.attrs["study"], "condition": results.attrs["condition"]}
    columns = [*told, "muscle", "epoch", "training_loss", "validation_loss", "diverged"]
    return table.assign(**told, diverged=table["muscle"].map(diverged))[columns]


def study(folder: Path | str) -> list[Path]:
    """Train both SYNTHETIC studies at the published length, check the claims, and write what was found.

    Parameters
    ----------
    folder
        Where data and models are kept; a second call trains only what is missing.
    """
    run = Run.begin(str(folder), "long")
    for name in run.studies:
        run.segment(name)
        for condition in CONDITIONS:
            run.train(name, condition, confirm=True)
    return record(run)


def record(run: Run) -> list[Path]:
    """Write verdicts, errors and losses of a trained run with their provenance."""
    found = Findings(run)
    one = found.trained[next(iter(run.studies))]["one_entire"]
    facts = {
        "units": configuration_of(one)["units"],
        "epochs": one.sizes["epoch"],
        "batching": one.attrs["batching"],
        "synthetic": run.is_synthetic,
        "commit": commit(),
    }
    write_csv(CLAIMS, evaluate(found.evidence)[["id", "value", "verdict", "why"]].assign(**facts))
    write_csv(ERRORS, found.errors)
    every = [losses(results) for conditions in found.trained.values() for results in conditions.values()]
    write_csv(LOSSES, pd.concat(every, ignore_index=True))
    return [CLAIMS, ERRORS, LOSSES]


def main(folder: str) -> None:
    """``FOLDER``."""
    print(*study(folder), sep="\n")


if __name__ == "__main__":
    script(main)
