"""Learning curves and generalising: tests of what training on less, or on something else, costs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.control_tests import over_electrodes
from nem2e_lib.analysis.leaderboard import DECIMALS
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import holm, one_sample

SUBJECTS, CYCLES, SPEEDS, MOTIONS = "training units", "training cycles", "speed left out", "motion"
ASKS = {SUBJECTS: "learning", CYCLES: "learning", SPEEDS: "generalising", MOTIONS: "generalising"}
"""What each experiment asks: how much a model needs to be trained on, or how far it carries what it has learned."""
KEYS = ["experiment", "study", "condition", "level"]


def unit_errors(results: xr.Dataset) -> pd.DataFrame:
    """Return Er per held-out unit, mean over electrodes: unit, label, er, er_mean_curve, n_cycles, synthetic."""
    table = errors(results)
    by = ["unit", "label", "n_cycles", "synthetic"]
    table["n_cycles"] = table.groupby("label")["n_cycles"].transform("max")
    return over_electrodes(table[table["er"].notna()], by, ["er", "er_mean_curve"])


def of_speeds(results: xr.Dataset) -> Iterable[tuple[str, xr.Dataset]]:
    """Yield each speed, slowest first, with the results of its cycles alone, of the units that have any."""
    speeds = results.speed.values.astype(str)
    for speed in sorted(set(speeds), key=lambda name: _pace(results, speeds == name)):
        here = results.isel(cycle=np.flatnonzero(speeds == speed))
        folds, index = np.unique(here.fold_of_cycle.values, return_inverse=True)
        yield speed, here.isel(fold=folds).assign_coords(fold_of_cycle=("cycle", index))


def _pace(results: xr.Dataset, chosen: NDArray[np.bool_]) -> float:
    """Speed in m/s; where it is not known, cycles a second."""
    known = results.speed_m_s.values[chosen].astype(float)
    return float(
        known.mean() if np.isfinite(known).all() else (1 / (results.end_s - results.start_s).values[chosen]).mean()
    )


def learning_summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Test what each level costs beside the reference level of its experiment.

    Parameters
    ----------
    rows
        Columns `KEYS`, draw, label, er, er_mean_curve, reference (the level that a level is compared with), trained_on,
        order, n_training, unit, synthetic; draws are averaged within a held-out unit.

    Returns
    -------
    pandas.DataFrame
        One row an experiment, study, condition and level: er_mean, ci_low, ci_high, er_mean_curve, against_curve
        (paired difference) with its CI, cost (er minus that of the reference level, paired) with cost_ci_low,
        cost_ci_high, cost_p_value, cost_p_holm (over the levels of an experiment, study and condition), n, draws and
        the rest.
    """
    kept = ["reference", "trained_on", "order", "n_training", "unit", "synthetic"]
    means = rows.groupby([*KEYS, "label", *kept], sort=False)[["er", "er_mean_curve"]].mean().reset_index()
    draws = rows.groupby(KEYS, sort=False)["draw"].nunique().to_dict()
    tables = []
    for keys, group in means.groupby(["experiment", "study", "condition"], sort=False):
        wide = group.pivot_table(index="label", columns="level", values="er", sort=False)
        found = pd.DataFrame([_level(one, wide) for _, one in group.groupby("level", sort=False)])
        found["draws"] = [draws[(*keys, level)] for level in found["level"]]
        tables.append(found.assign(cost_p_holm=holm(found["cost_p_value"])))
    return pd.concat(tables, ignore_index=True)


def _level(rows: pd.DataFrame, wide: pd.DataFrame) -> dict[str, object]:
    first = rows.iloc[0]
    er, against = one_sample(rows["er"]), one_sample((rows["er"] - rows["er_mean_curve"]).round(DECIMALS))
    cost = one_sample((wide[first["level"]] - wide[first["reference"]]).dropna().round(DECIMALS))
    same = first["level"] == first["reference"]
    nan = float("nan")
    return {
        **{name: first[name] for name in (*KEYS, "trained_on", "order", "n_training", "reference")},
        "er_mean": er.mean,
        "ci_low": er.ci_low,
        "ci_high": er.ci_high,
        "er_mean_curve": rows["er_mean_curve"].mean(),
        "against_curve": against.mean,
        "against_ci_low": against.ci_low,
        "against_ci_high": against.ci_high,
        "cost": nan if same else cost.mean,
        "cost_ci_low": nan if same else cost.ci_low,
        "cost_ci_high": nan if same else cost.ci_high,
        "cost_p_value": nan if same else cost.p_value,
        "n": len(rows),
        "unit": first["unit"],
        "synthetic": bool(first["synthetic"]),
        "reason": er.reason,
    }
