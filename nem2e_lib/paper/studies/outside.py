"""What is too dear for every run: a person and a speed left out, and EMG normalised otherwise, for trained models too.

`make study-outside` trains One-Entire and fits partial least squares anew, and writes docs/outside_*.csv of the open
recordings; `read` and `where` tell what was kept. The cheap methods are evaluated by 18_timing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from nem2e_lib.analysis import apart, normalising
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.rivals import PartialLeastSquares, RidgeAll, RidgeOwn, evaluate
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.folds import Folds
from nem2e_lib.training.train import train_condition

CONDITION = "one_entire"
TABLES = {"apart": ROOT / "docs" / "outside_apart.csv", "normalising": ROOT / "docs" / "outside_normalising.csv"}
"""Er per held-out unit: rows of `apart.unit_errors` and of `normalising.sensitivity`, with units and updates."""


def read(table: str) -> pd.DataFrame:
    """Read a kept table, ``apart`` or ``normalising``; without rows where there is none."""
    path = TABLES[table]
    return pd.read_csv(path, dtype={"label": str}) if path.exists() else pd.DataFrame()


def where(rows: pd.DataFrame) -> str:
    """Return what the models were trained with, in a sentence."""
    first = rows.iloc[0]
    return (
        f"Trained by make study-outside, on {', '.join(dict.fromkeys(rows['study']))}: {first['units']} units, "
        f"{first['updates']} updates a model, seed 0; code {str(first['commit'])[:10]}."
    )


def _steps(run: Run) -> Iterator[tuple[str, str, Callable[[], pd.DataFrame]]]:
    """Yield table, name and making of each part, the shortest first."""
    for study in run.studies:
        cycles = run.segment(study)[0].assign_attrs(study=study)
        train = partial(_trained, run=run, study=study)
        if not apart.cannot(cycles):
            yield "apart", study, partial(_apart, cycles, train)
        for scale in normalising.SCALES:
            name = f"{study}-{''.join(c if c.isalnum() else '_' for c in scale)}"
            yield "normalising", name, partial(_normalised, cycles, train, scale)


def _trained(cycles: xr.Dataset, folds: Folds | None = None, *, run: Run, study: str) -> xr.Dataset:
    return train_condition(
        cycles, CONDITION, run.configuration, folds=folds, store=run.of(study, "models"), progress=False
    )


def _apart(cycles: xr.Dataset, train: Callable[..., xr.Dataset]) -> pd.DataFrame:
    rivals = [RidgeOwn(), RidgeAll(), PartialLeastSquares()]
    away = {CONDITION: apart.apart(cycles, train), **apart.methods(cycles, rivals)}
    study, _ = apart.by_circumstance(cycles)
    together = {CONDITION: train(study), **{rival.name: evaluate(study, rival) for rival in rivals}}
    return apart.unit_errors(away, together)


def _normalised(cycles: xr.Dataset, train: Callable[..., xr.Dataset], scale: str) -> pd.DataFrame:
    rivals = {rival.name: partial(evaluate, rival=rival) for rival in (RidgeOwn(), RidgeAll())}
    return normalising.sensitivity(cycles, {CONDITION: train, **rivals}, [scale])


def study(folder: Path | str) -> list[Path]:
    """Make both tables; what is finished in the folder is not made again.

    Parameters
    ----------
    folder
        Where recordings, models and finished parts are kept.
    """
    run = Run.begin(str(folder), data=OPEN)
    options = run.configuration
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for table, name, make in _steps(run):
        path = Path(folder) / "outside" / f"{table}-{name}.csv"
        if not path.exists():
            facts: dict[str, Any] = {"units": options.units, "updates": options.updates, "commit": commit()}
            write_csv(path, make().assign(**facts))
            print(path.stem, flush=True)
        parts[table].append(pd.read_csv(path, dtype={"label": str}))
    for table, rows in parts.items():
        write_csv(TABLES[table], pd.concat(rows, ignore_index=True))
    return list(TABLES.values())


def main(folder: str) -> None:
    """``FOLDER``."""
    print(*study(folder))


if __name__ == "__main__":
    script(main)
