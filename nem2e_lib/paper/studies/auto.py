"""What `auto` is worth beside each single method: ``make study-auto`` writes docs/auto.csv, which 09_refine shows.

`auto` weighs its candidates anew inside every fold, which takes minutes a study: too long for every `make paper`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.figures.style import label_of
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.refiner.verdict import MEAN_CURVE, shown_to_beat
from nem2e_lib.rivals import Auto, Network, evaluate, every
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv

STUDY = ROOT / "docs" / "auto.csv"
"""One row a study and method: see `table`."""
AUTO = Auto().name
NEAR = 0.01
"""Er by which `auto` may be above the best single method and still count as level with it."""


def table(results: list[xr.Dataset]) -> pd.DataFrame:
    """Return what each method of a study has, best first.

    Parameters
    ----------
    results
        Evaluated methods of one study, the mean curve among them.

    Returns
    -------
    DataFrame
        study, synthetic, method, n, unit, er (mean over electrodes and held-out units), difference, ci_low, ci_high,
        p_value (Er minus the mean curve's, paired, corrected for training data that folds share; not for the number of
        methods), answer (of `analysis.contrasts`), seconds, data.
    """
    rows, curve = [], errors(next(one for one in results if one.attrs["condition"] == MEAN_CURVE))
    for one in results:
        own, method = errors(one), str(one.attrs["condition"])
        units = per_unit(own)
        told = None if method == MEAN_CURVE else shown_to_beat(own, curve)
        rows.append(
            {
                "study": one.attrs["study"],
                "synthetic": bool(one.attrs["synthetic"]),
                "method": method,
                "n": len(units),
                "unit": one.attrs["unit"],
                "er": units["er"].mean(skipna=False),
                **{name: getattr(told, name, None) for name in ("difference", "ci_low", "ci_high", "p_value")},
                "answer": getattr(told, "state", ""),
                "seconds": round(float(one.attrs["seconds"]), 1),
                "data": one.attrs["data_hash"],
            }
        )
    return pd.DataFrame(rows).sort_values("er", ignore_index=True)


def rows() -> pd.DataFrame:
    """Return the committed table."""
    return pd.read_csv(STUDY)


def found(told: pd.DataFrame) -> list[str]:
    """Say of each study how far `auto` is from the best single method, and from the mean curve.

    Parameters
    ----------
    told
        Rows of `table`, of any number of studies.
    """
    return [_found(str(study), here) for study, here in told.groupby("study", sort=False)]


def _found(study: str, here: pd.DataFrame) -> str:
    auto = here[here["method"] == AUTO].iloc[0]
    best = here[here["method"] != AUTO].sort_values("er").iloc[0]
    away = auto["er"] - best["er"]
    level = "at least as good" if away <= 0 else f"within {NEAR:g} of it" if away <= NEAR else f"more than {NEAR:g} off"
    name = f"SYNTHETIC {study}" if auto["synthetic"] else study
    return (
        f"{name}: auto has Er {_signed(auto['er'])}, the best single method ({label_of(best['method'])}) "
        f"{_signed(best['er'])}: {level}. Minus the mean curve's it is {_signed(auto['difference'])} (95 % CI "
        f"{_signed(auto['ci_low'])} to {_signed(auto['ci_high'])}; lower: {auto['answer']})."
    )


def _signed(value: float) -> str:
    """Three digits, of which the last tells methods apart."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def study(folder: Path | str) -> Path:
    """Evaluate `auto` and every single method without a network on every study of ``make paper``.

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
            methods = [*(one for one in every() if not isinstance(one, Network)), Auto()]
            results = [evaluate(cycles, one, keep=run.of(name, f"rivals/{one.name}.nc")) for one in methods]
            assert all(one.attrs["data_hash"] == data_hash(cycles) for one in results)
            tables.append(table([one.assign_attrs(study=name) for one in results]))
            write_csv(STUDY, pd.concat(tables, ignore_index=True).assign(commit=commit()))
    return STUDY


def main(folder: str) -> None:
    """``FOLDER``."""
    print(study(folder))


if __name__ == "__main__":
    script(main)
