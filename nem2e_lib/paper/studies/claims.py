"""Verdicts of several seeds: from a run's own seeds, or from the committed study of them (`make study-claims`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.claims import evaluate
from nem2e_lib.analysis.claims.table import stack, steadiness
from nem2e_lib.analysis.shortcut import Model
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.long import generator_of
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.results import grid_of, load_models

STUDY = ROOT / "docs" / "claims_seeds.csv"
"""Verdicts of three seeds, with what they were trained with: written by ``make study-claims``."""
PROVENANCE = ["profile", "units", "updates", "synthetic", "commit"]


@dataclass(frozen=True)
class OneSeed(Findings):
    """What a run has found with one of its seeds."""

    seed: int = 0

    @cached_property
    def trained(self) -> dict[str, dict[str, xr.Dataset]]:
        """Trained conditions of this seed alone."""
        found = Findings(self.run).trained
        return {study: {c: r.isel(seed=[self.seed]) for c, r in rows.items()} for study, rows in found.items()}

    def models(self, study: str, channel: str) -> dict[str, Model]:
        """Return this seed's One-Entire models of a channel by held-out label."""
        work = grid_of(self.trained[study]["one_entire"], self.cycles[study])
        return load_models(self.run.of(study, "models"), work, channel, seed=self.seed)


def seeds_of(found: Findings) -> int:
    """Return how many seeds every condition of a run was trained with."""
    return min(int(r.sizes["seed"]) for rows in found.trained.values() for r in rows.values())


def own(found: Findings) -> pd.DataFrame:
    """Evaluate the claims with each seed of a run; columns id, seed, value, verdict."""
    return stack({seed: evaluate(OneSeed(found.run, seed).evidence) for seed in range(seeds_of(found))})


def verdicts(found: Findings) -> tuple[pd.DataFrame, str]:
    """Return the steadiness of each claim's verdict, and where it comes from in a sentence.

    A run with one seed shows the committed study instead, where there is one and the run's data are SYNTHETIC too.
    """
    if seeds_of(found) > 1 or not found.run.is_synthetic or not STUDY.exists():
        return steadiness(own(found)), f"Seeds of this run: {seeds_of(found)}."
    stored = pd.read_csv(STUDY, dtype={"value": str})
    return steadiness(stored), f"This run has one seed; shown are those of {_where(stored)}"


def _where(stored: pd.DataFrame) -> str:
    first = stored.iloc[0]
    return (
        f"a study on SYNTHETIC data of generator {first.get('generator', 1):.0f}: {stored['seed'].nunique()} seeds, "
        f"{first['units']} units, {first['updates']} updates a model, code {str(first['commit'])[:10]} "
        "(docs/claims_seeds.csv; make study-claims makes it anew)."
    )


def study(folder: Path | str, *, seeds: int = 3, units: int = 64, updates: int = 2000) -> Path:
    """Train both synthetic studies with several seeds, check the claims with each, and write `STUDY`.

    Parameters
    ----------
    folder
        Where data and models are kept; a second call trains only what is missing.
    seeds
        How many.
    units, updates
        Of each model; the demo profile's by default.
    """
    run = Run.begin(str(folder), "demo")
    chosen = run.configuration.with_options(units=units, updates=updates)
    for name in run.studies:
        run.segment(name)
        for condition in CONDITIONS:
            run.train(name, condition, chosen, seeds=seeds, confirm=True)
    return record(run, units=units, updates=updates)


def record(run: Run, *, units: int, updates: int) -> Path:
    """Write the verdicts of a trained run's seeds with their provenance."""
    found = Findings(run)
    table, (study, *_) = own(found), found.trained.values()
    values = (run.profile, units, updates, run.is_synthetic, commit())
    facts: dict[str, Any] = dict(zip(PROVENANCE, values, strict=True))
    facts["generator"] = generator_of(next(iter(study.values())))
    write_csv(STUDY, table.assign(**facts))
    return STUDY


def main(folder: str, seeds: str = "3", units: str = "64", updates: str = "2000") -> None:
    """``FOLDER [SEEDS [UNITS [UPDATES]]]``."""
    print(study(folder, seeds=int(seeds), units=int(units), updates=int(updates)))


if __name__ == "__main__":
    script(main)
