"""What bands about refined activity cover: ``make study-bands`` writes docs/bands.csv, on people and SYNTHETIC studies.

Methods that take seconds are also fitted without two units at a time: then the residuals that a unit's band is made
from are of models that had not seen this unit either, as in use. A refiner's own residuals are of models that had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.refiner.bands import Array, half_width, inside
from nem2e_lib.refiner.portrait import floors, residuals
from nem2e_lib.rivals import Network, Rival, evaluate, every, rival, slow
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.config import profile
from nem2e_lib.training.train import train_condition

STUDY = ROOT / "docs" / "bands.csv"
"""One row a study and method: the columns of `covered`, and of what data and code they are."""
CONDITION = "one_entire"
DIGITS = 4


def covered(
    results: xr.Dataset, lowest: Mapping[str, float], without: Mapping[str, xr.Dataset] | None = None
) -> dict[str, Any]:
    """Return what share of held-out samples lies in the bands that the other units give, and how wide they are.

    Parameters
    ----------
    results
        Predictions of what was left out, laid out as a trained condition.
    lowest
        By EMG name, below what refined activity is never given (`portrait.floors`).
    without
        By label of a unit: the same of the study without this unit.

    Returns
    -------
    dict
        unit, units, muscles; covered (mean over muscles of the mean over units), covered_low and covered_high (95 % CI
        over units of the mean over muscles), muscle_low and muscle_high (of the muscles with the least and the most),
        phase_low and phase_high (of such samples of the cycle), nested (covered, where the others' residuals are of
        models that had not seen the unit either; NaN without `without`), half_width (mean over muscles and samples, in
        the unit of the EMG); error_covered and error_half_width of ± the root mean square error at each sample,
        widest_covered and widest_half_width of the largest score.
    """
    shares, rows = [], []
    for name in map(str, results.channel.values):
        off, unit = residuals(results, name, lowest[name])
        known = np.unique(unit)
        shares.append(np.full((results.sizes["fold"], off.shape[1]), np.nan))
        shares[-1][known] = inside(off, unit)
        of_others = np.full((len(known), *off.shape), np.nan)
        for own, fold in enumerate(known if without else ()):
            less = without[str(results.fold.values[fold])] if without else results
            of_others[own][unit != fold] = residuals(less, name, lowest[name])[0]
        rows.append(
            {
                "nested": inside(off, unit, of_others=of_others).mean() if without else np.nan,
                "half_width": half_width(off, unit).mean(),
                **_error_rule(off, unit),
                "widest_covered": inside(off, unit, 1.0).mean(),
                "widest_half_width": half_width(off, unit, 1.0).mean(),
            }
        )
    each = np.stack(shares)  # muscles, units, samples
    of_muscle, of_phase = np.nanmean(each, axis=(1, 2)), np.nanmean(each, axis=(0, 1))
    over_units = one_sample(np.nanmean(each, axis=(0, 2)))
    return {
        "unit": str(results.attrs["unit"]),
        "units": results.sizes["fold"],
        "muscles": len(rows),
        "covered": of_muscle.mean(),
        "covered_low": over_units.ci_low,
        "covered_high": min(over_units.ci_high, 1.0),
        "muscle_low": of_muscle.min(),
        "muscle_high": of_muscle.max(),
        "phase_low": of_phase.min(),
        "phase_high": of_phase.max(),
        **{str(name): float(value) for name, value in pd.DataFrame(rows).mean().items()},
    }


def _error_rule(off: Array, unit: NDArray[np.intp]) -> dict[str, float]:
    """What ± the root mean square error of the other units covers, and how wide that is."""
    known = np.unique(unit)
    squares = np.stack([(off[unit == own] ** 2).mean(axis=0) for own in known])
    widths = [np.sqrt(np.delete(squares, own, axis=0).mean(axis=0)) for own in range(len(known))]
    shares = [(np.abs(off[unit == own]) <= width).mean() for own, width in zip(known, widths, strict=True)]
    return {
        "error_covered": float(np.mean(shares)),
        "error_half_width": float(np.sqrt(squares.mean(axis=0)).mean()),
    }


def rows(cycles: xr.Dataset, folder: Path, units: int, updates: int) -> Iterator[dict[str, Any]]:
    """Yield a row a method: all rivals but networks, `auto`, and One-Entire.

    Parameters
    ----------
    cycles
        Of a study.
    folder
        Where predictions and models are kept; what is there is not made again.
    units, updates
        Of the One-Entire networks.
    """
    lowest = floors(cycles)
    for one in (*every(), rival("auto")):
        if isinstance(one, Network):
            continue
        found = evaluate(cycles, one, keep=folder / f"{one.name}.nc")
        yield {"method": one.name, **covered(found, lowest, None if slow(one) else without_each(cycles, found, one))}
    chosen = profile("demo").with_options(units=units, updates=updates)
    found = train_condition(cycles, CONDITION, chosen, store=folder / "models", progress=False)
    yield {"method": CONDITION, **covered(found, lowest)}


def without_each(cycles: xr.Dataset, results: xr.Dataset, one: Rival) -> dict[str, xr.Dataset]:
    """Return a rival's predictions in the study without one of its units, by the label of each."""
    of_cycle = results.fold_of_cycle.values
    return {
        str(label): evaluate(cycles.isel(cycle=of_cycle != fold), one) for fold, label in enumerate(results.fold.values)
    }


def study(folder: Path | str, *, units: int = 16, updates: int = 600) -> Path:
    """Measure what bands cover on every study of ``make paper``, and write `STUDY`.

    Parameters
    ----------
    folder
        Where data, predictions and models are kept; a second call makes only what is missing.
    units, updates
        Of the One-Entire networks.
    """
    parts = []
    for data in (OPEN, ""):
        run = Run.begin(str(Path(folder) / (data or "synthetic")), data=data)
        for name in run.studies:
            cycles, _ = run.segment(name)
            facts = {"synthetic": bool(cycles.attrs["synthetic"]), "data_hash": data_hash(cycles)[:12]}
            for row in rows(cycles, run.of(name, "bands"), units, updates):
                parts.append({"study": name, **row, **facts, "commit": commit()})
                print(name, row["method"], f"{row['covered']:.3f}", flush=True)
    write_csv(STUDY, pd.DataFrame(parts).round(DIGITS))
    return STUDY


def main(folder: str, units: str = "16", updates: str = "600") -> None:
    """``FOLDER [UNITS [UPDATES]]``."""
    print(study(folder, units=int(units), updates=int(updates)))


if __name__ == "__main__":
    script(main)
