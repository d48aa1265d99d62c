"""The claims at the published length of training: ``make study-long`` writes docs/long_*.csv, which 07_claims shows.

With ``DATA=open`` it trains on the open recordings of people and writes docs/long_people_*.csv.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.claims import evaluate
from nem2e_lib.analysis.claims.evidence import UNTESTED
from nem2e_lib.analysis.claims.table import PAPER_ALONE
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import Saved, write_csv
from nem2e_lib.site.tables import plain
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.results import configuration_of


class Tables(NamedTuple):
    """Where verdicts, errors of every held-out unit, and losses of a run are kept, with what it was trained with."""

    claims: Path
    errors: Path
    losses: Path

    @classmethod
    def of(cls, data: str) -> Tables:
        """Return those of a choice of data: of the open recordings of people, else of the SYNTHETIC studies."""
        name = "long_people" if data == OPEN else "long"
        return cls(*(ROOT / "docs" / f"{name}_{what}.csv" for what in cls._fields))


EVERY, LAST = 10, 0.1
"""Losses are kept every so many epochs, and each one in the last share of the training."""


def claims(data: str = "") -> pd.DataFrame:
    """Return the verdicts of the committed run: id, value, verdict, why, and what it was trained with.

    Parameters
    ----------
    data
        As `Run.data`: ``open`` for people, else the SYNTHETIC studies.
    """
    return pd.read_csv(Tables.of(data).claims, dtype={"value": str})


class Beside(NamedTuple):
    """A run's claims with their verdicts at the published length of training, and what is shown of these.

    Attributes
    ----------
    checked
        The run's, with columns verdict_long and value_long where a run on data of the same kind is committed.
    trained
        Verdicts of that run; None without one.
    shown
        The table that compares them, or why there is none.
    """

    checked: pd.DataFrame
    trained: pd.DataFrame | None
    shown: Saved | str


def of_run(run: Run) -> pd.DataFrame | None:
    """Return the verdicts of the committed run on a run's kind of data, people or SYNTHETIC; None where none is."""
    known = (run.data or run.is_synthetic) and Tables.of(run.data).claims.exists()
    return claims(run.data) if known else None


def beside(run: Run, checked: pd.DataFrame) -> Beside:
    """Lay a run's claims beside the committed run on the same kind of data, and show both."""
    trained = of_run(run)
    if trained is None:
        return Beside(checked, None, "No run at the published length of training is committed for data of this kind.")
    trained = trained[~trained["id"].isin(PAPER_ALONE)]  # no training changes these
    compared = against(checked, trained)
    title, told = "Verdicts at the published length of training", said(compared, trained)
    shown = run.show(plain(compared, title, told, synthetic=is_synthetic(trained)), "claims_long")
    more = compared[["id", "verdict_long", "value_long"]]
    return Beside(checked.merge(more, on="id", how="left", validate="one_to_one"), trained, shown)


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
        id, claim, verdict, verdict_long, value_long, changes (both were tested, and differ): a row a claim that both
        have.
    """
    long = trained[["id", "verdict", "value"]].rename(columns={"verdict": "verdict_long", "value": "value_long"})
    both = checked[["id", "claim", "verdict"]].merge(long, on="id", validate="one_to_one")
    tested = (both["verdict"] != UNTESTED) & (both["verdict_long"] != UNTESTED)
    return both.assign(changes=tested & (both["verdict"] != both["verdict_long"]))


def is_synthetic(trained: pd.DataFrame) -> bool:
    """Whether the verdicts of `claims` are of SYNTHETIC data."""
    return bool(trained["synthetic"].any())


def said(compared: pd.DataFrame, trained: pd.DataFrame) -> str:
    """Say which verdicts the length of training changes, and what the committed run was."""
    first, changed = trained.iloc[0], compared.loc[compared["changes"], "id"]
    alone = compared.loc[(compared["verdict"] == UNTESTED) & (compared["verdict_long"] != UNTESTED), "id"]
    told = f"{len(changed)} of {len(compared)} verdicts change" + (f": {', '.join(changed)}." if len(changed) else ".")
    told += f" Told by the long run alone: {', '.join(alone)}." if len(alone) else ""
    whom = f"SYNTHETIC data of generator {first['generator']:.0f}" if is_synthetic(trained) else "recordings of people"
    again = "make study-long" + ("" if is_synthetic(trained) else f" DATA={OPEN}")
    some = first.get("left_out", "")
    told += f" Only some muscles were trained, since all take hours: {some}." if isinstance(some, str) and some else ""
    return (
        f"{told} Trained on {whom} with {first['units']} units and {first['epochs']} epochs, as long as in the "
        f"paper ({first['batching']}; code {str(first['commit'])[:10]}; {again} makes it anew)."
    )


def generator_of(results: xr.Dataset) -> int | None:
    """Return the number of the generator that made the data of a trained condition; None for people.

    The first generator's data name none.
    """
    if not results.attrs["synthetic"]:
        return None
    named = re.search(r"generator (\d+)", str(results.attrs["simulated_by"]))
    return int(named[1]) if named else 1


def losses(results: xr.Dataset) -> pd.DataFrame:
    """Return a trained condition's losses, mean over seeds and folds, thinned but for the end.

    Returns
    -------
    DataFrame
        study, condition, muscle, epoch, training_loss, validation_loss (mean squared error), diverged (models; they
        count in the means).
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


def study(folder: Path | str, data: str = "", muscles: Collection[str] = ()) -> list[Path]:
    """Train the studies at the published length, check the claims, and write what was found.

    Parameters
    ----------
    folder
        Where data and models are kept; a second call trains only what is missing.
    data
        As for `Run.begin`: ``open`` for people, nothing for the SYNTHETIC studies.
    muscles
        EMG names to train, of the studies that have them; all by default. A study of ten subjects and sixteen channels
        takes a processor some hours a condition.
    """
    run = Run.begin(str(folder), "long", data=data)
    for name in run.studies:
        run.segment(name)
        for condition in CONDITIONS:
            run.train(name, condition, channels=muscles or None, confirm=True)
    return record(run)


def record(run: Run) -> list[Path]:
    """Write verdicts, errors and losses of a trained run with their provenance."""
    found, paths = Findings(run), Tables.of(run.data)
    one = found.trained[next(iter(run.studies))]["one_entire"]
    facts = {
        "units": configuration_of(one)["units"],
        "epochs": one.sizes["epoch"],
        "batching": one.attrs["batching"],
        "synthetic": run.is_synthetic,
        "left_out": left_out(run, found),
        "commit": commit(),
    }
    generator = {"generator": generator_of(one)}
    checked = evaluate(found.evidence)[["id", "value", "verdict", "why"]]
    every = [losses(results) for conditions in found.trained.values() for results in conditions.values()]
    write_csv(paths.claims, checked.assign(**facts, **generator))
    write_csv(paths.errors, found.errors.assign(**generator))
    write_csv(paths.losses, pd.concat(every, ignore_index=True).assign(**generator))
    return list(paths)


def left_out(run: Run, found: Findings) -> str:
    """Say which muscles of a study were not trained; nothing where all were."""
    parts = []
    for name, conditions in found.trained.items():
        trained, have = set(conditions["one_entire"].channel.values.tolist()), run.cycles(name).channel.values.tolist()
        if len(trained) < len(have):
            parts.append(
                f"{name}: {len(trained)} of {len(have)} muscles ({', '.join(n for n in have if n in trained)})"
            )
    return "; ".join(parts)


def main(folder: str, data: str = "", muscles: str = "") -> None:
    """``FOLDER [DATA [MUSCLES]]``."""
    print(*study(folder, data, [name for name in muscles.split(",") if name]), sep="\n")


if __name__ == "__main__":
    script(main)
