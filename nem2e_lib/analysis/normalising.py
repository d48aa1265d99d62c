"""Sensitivity to how EMG is normalised: the order of the methods, and Er, under other sets and other statistics.

EMG has no unit of its own: it is divided by something of the study's EMG, and Er compares with a simulated activation
that is not. So the divisor moves Er itself; whether it moves the order of the methods is asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

from nem2e_lib.analysis.ablations.variants import normalised
from nem2e_lib.analysis.control_tests import over_electrodes
from nem2e_lib.analysis.leaderboard import DECIMALS
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import one_sample

Evaluate = Callable[[xr.Dataset], xr.Dataset]
"""Evaluates a method on a study and returns its results, laid out as a trained condition."""

AS_GIVEN = "as given"
SCALES = {
    AS_GIVEN: "as the study has it",
    "maximum of the study": "one number a muscle for everybody",
    "maximum of the person": "over the person's trials",
    "maximum of the trial": "over the trial's cycles",
    "95th percentile of the person": "over the samples of the person's cycles; a peak does not decide",
    "mean of the person": "over the samples of the person's cycles",
}
"""What EMG is divided by, and over what. All but the maximum of the study need EMG of the held-out person alone."""
PERCENTILE = 95


def scaled(cycles: xr.Dataset, scale: str) -> xr.Dataset:
    """Divide EMG as one of `SCALES` says; maxima by `ablations.variants.normalised`, over the kept cycles' waveforms.

    Raises
    ------
    Nem2eError
        If a channel is silent throughout a set.
    """
    match scale:
        case "as given":
            return cycles
        case "maximum of the study":
            return normalised(cycles, "training", np.ones(cycles.sizes["cycle"], bool))
        case "maximum of the person":
            return normalised(cycles, "subject")
        case "maximum of the trial":
            return normalised(cycles, "trial")
    peak = normalised(cycles, "subject")  # of which silence is told, and every maximum is 1
    people, of_cycle = np.unique(cycles.subject.values.astype(str), return_inverse=True)
    wave = peak.emg_waveform.transpose("channel", "cycle", "phase").values
    own = [[_level(one[of_cycle == person], scale) for person in range(len(people))] for one in wave]
    level = xr.DataArray(np.array(own)[:, of_cycle], dims=("channel", "cycle"))
    names = ("emg", "emg_waveform")
    return peak.assign({name: (peak[name] / level).transpose(*peak[name].dims) for name in names})


def _level(values: NDArray[np.float64], scale: str) -> float:
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan")
    return float(np.percentile(known, PERCENTILE) if "percentile" in scale else known.mean())


def sensitivity(cycles: xr.Dataset, methods: Mapping[str, Evaluate], scales: Iterable[str] = SCALES) -> pd.DataFrame:
    """Evaluate methods anew under each normalisation; everything that they choose is chosen anew, too.

    Parameters
    ----------
    cycles
        Segmented cycles.
    methods
        By name, how each is evaluated.

    Returns
    -------
    pandas.DataFrame
        One row a scale, method (the mean curve among them) and held-out unit: study, scale, method, label, er,
        against_curve (RMSE over that of the mean curve, minus 1: the simulation does not enter it), unit, synthetic;
        means over electrodes.
    """
    parts = []
    for scale in scales:
        study = scaled(cycles, scale)
        for name, evaluate in methods.items():
            parts.append(unit_rows(evaluate(study)).assign(scale=scale, method=name))
        first = parts[-len(methods)]
        parts.append(first.assign(er=first["er_mean_curve"], against_curve=0.0, method="mean_curve"))
    columns = ["study", "scale", "method", "label", "er", "against_curve", "unit", "synthetic"]
    return pd.concat(parts, ignore_index=True)[columns]


def unit_rows(results: xr.Dataset) -> pd.DataFrame:
    """Return Er, that of the mean curve, and RMSE against it, per held-out unit; mean over electrodes."""
    table = errors(results)
    table = table[table["er"].notna()]
    table = table.assign(against_curve=table["rmse_refined"] / table["rmse_mean_curve"] - 1)
    return over_electrodes(table, ["study", "unit", "label", "synthetic"], ["er", "er_mean_curve", "against_curve"])


def by_scale(rows: pd.DataFrame) -> pd.DataFrame:
    """Average over held-out units and rank the methods under each normalisation.

    Returns
    -------
    pandas.DataFrame
        One row a study, scale and method: er_mean, ci_low, ci_high, against_curve, curve_ci_low, curve_ci_high, rank
        (by er_mean, 1 is lowest), n, unit, synthetic.
    """
    found = []
    for (study, scale, method, unit, synthetic), group in rows.groupby(
        ["study", "scale", "method", "unit", "synthetic"], sort=False
    ):
        er, curve = (one_sample(group[name].round(DECIMALS)) for name in ("er", "against_curve"))
        head: dict[str, Any] = {"study": study, "scale": scale, "method": method, "er_mean": er.mean}
        ends = {"ci_low": er.ci_low, "ci_high": er.ci_high, "against_curve": curve.mean}
        beside = {"curve_ci_low": curve.ci_low, "curve_ci_high": curve.ci_high}
        found.append({**head, **ends, **beside, "n": er.n, "unit": unit, "synthetic": synthetic})
    table = pd.DataFrame(found)
    table["rank"] = table.groupby(["study", "scale"], sort=False)["er_mean"].rank(method="min").astype(int)
    return table


def orders(table: pd.DataFrame) -> pd.DataFrame:
    """Compare the order of the methods under each normalisation with that of the study as given.

    Parameters
    ----------
    table
        Rows of `by_scale`.

    Returns
    -------
    pandas.DataFrame
        One row a study and scale: best (the method with the lowest Er), order (best first), spearman, kendall (rank
        correlations of mean Er with the order as given; NaN for fewer than three methods), er_from and er_to (range of
        mean Er over methods), n_methods, synthetic.
    """
    rows = []
    for study, group in table.groupby("study", sort=False):
        wide = group.pivot_table(index="method", columns="scale", values="er_mean", sort=False)
        for scale in wide.columns:
            ranked, enough = wide[scale].sort_values(kind="stable"), len(wide) > 2
            same = wide[AS_GIVEN], wide[scale]
            rows.append(
                {
                    "study": study,
                    "scale": scale,
                    "best": str(ranked.index[0]),
                    "order": ", ".join(map(str, ranked.index)),
                    "spearman": float(spearmanr(*same).statistic) if enough else float("nan"),
                    "kendall": float(kendalltau(*same).statistic) if enough else float("nan"),
                    "er_from": float(ranked.iloc[0]),
                    "er_to": float(ranked.iloc[-1]),
                    "n_methods": len(wide),
                    "synthetic": bool(group["synthetic"].iloc[0]),
                }
            )
    return pd.DataFrame(rows)
