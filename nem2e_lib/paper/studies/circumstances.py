"""Speed and duration told to the rivals that take minutes: ``make study-circumstances`` writes docs/circumstances.csv.

08_rivals tells them to the quick ones itself, and lays these beside them where they are of the same data.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.rivals import Rival, evaluate, every, rival, slow, why_not_told
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.conditions import CONDITIONS

STUDY = ROOT / "docs" / "circumstances.csv"
"""Er of every held-out unit when a rival is told: columns study, method, unit, label, er, n_electrodes, synthetic,
seconds, commit. Rows of the mean curve, which is told nothing, show of which data the others are."""
SAME = 1e-4
"""The mean curve's Er of a unit differs by less between machines, and by more between data."""
MEAN_CURVE = "mean_curve"
NOT_MEASURED = "not measured here"


def quick(one: Rival) -> bool:
    """Whether 08_rivals tells a rival itself: it has inputs to add speed and duration to, and takes seconds."""
    return not slow(one) and not why_not_told(one)


def rows() -> pd.DataFrame:
    """Return what was measured: see `STUDY`.

    Raises
    ------
    Nem2eError
        If a study has no rows of the mean curve.
    """
    table = pd.read_csv(STUDY, dtype={"study": str, "label": str})
    lost = set(table["study"]) - set(table.loc[table["method"] == MEAN_CURVE, "study"])
    if lost:
        raise Nem2eError(
            f"{STUDY}: study {min(lost)} has no rows of {MEAN_CURVE}, expected one a held-out unit: they show of which "
            "data the others are; make study-circumstances writes them."
        )
    return table


def why_not() -> dict[str, str]:
    """Say by method why it may have no row here or in a run: it has nothing to add it to, or was not measured."""
    rivals = {one.name: why_not_told(one) or NOT_MEASURED for one in every()}
    return rivals | dict.fromkeys(CONDITIONS, NOT_MEASURED)


def of_same_data(units: pd.DataFrame, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the committed rows that are of the same data as a run's, without the mean curve's.

    Parameters
    ----------
    units
        Rows of `leaderboard.per_unit`, the mean curve's among them.
    table
        Rows as `rows` returns them, its default.
    """
    table = rows() if table is None else table
    keys = ["study", "label"]
    own, theirs = (some[some["method"] == MEAN_CURVE].set_index(keys)["er"] for some in (units, table))
    same = []
    for study, found in theirs.groupby("study", sort=False):
        here = own[own.index.get_level_values("study") == study]
        alike = set(here.index) == set(found.index) and (here - found).abs().max() < SAME
        same += [study] if alike else []
    return table[table["study"].isin(same) & (table["method"] != MEAN_CURVE)]


def study(folder: Path | str) -> Path:
    """Evaluate the slow rivals with speed and duration on every study of ``make paper``, and write what was found.

    Parameters
    ----------
    folder
        Where data and evaluations are kept; a second call evaluates only what is missing.
    """
    tables = []
    for data in (OPEN, ""):
        run = Run.begin(str(Path(folder) / (data or "synthetic")), data=data)
        for name in run.studies:
            cycles, _ = run.segment(name)
            for one in (rival(MEAN_CURVE), *filter(slow, every())):
                keep = run.of(name, f"rivals/{one.name}-told.nc")
                found = evaluate(cycles, one, keep=keep, circumstances=one.name != MEAN_CURVE)
                tables.append(_rows(found.assign_attrs(study=name)))
    write_csv(STUDY, pd.concat(tables, ignore_index=True))
    return STUDY


def _rows(results: xr.Dataset) -> pd.DataFrame:
    return per_unit(errors(results)).assign(seconds=round(float(results.attrs["seconds"]), 1), commit=commit())


def main(folder: str) -> None:
    """``FOLDER``."""
    print(study(folder))


if __name__ == "__main__":
    script(main)
