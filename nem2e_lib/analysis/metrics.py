"""Errors of a trained condition: RMSE, improvement rate Er, both readings of R² (Teramae et al. 2025, Eqs. 1-2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import circumstances, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.units import units_said

Array = NDArray[np.float64]
Ratio = Literal["ratio_of_means", "mean_of_ratios"]

EXACT = 0.005
"""A simulated activation this near to the EMG, as a share of the EMG's root mean square, is a copy of it: what is left
comes from resampling one signal twice (0.1 to 0.3 % was measured), and a ratio to it says nothing."""

FLAT = 1e-9
"""Range of a signal, as a share of its greatest value, up to which it is constant but for rounding."""

COPY = "the simulated activation equals the measured EMG there and RMSE_OpenSim is 0"


def rmse(measured: xr.DataArray, estimate: xr.DataArray) -> xr.DataArray:
    """Root mean squared error over the samples of a cycle (Eq. 1), dims (…, channel, cycle)."""
    squares: xr.DataArray = ((estimate - measured) ** 2).mean("sample")
    return squares**0.5


def errors(results: xr.Dataset, *, er: Ratio = "ratio_of_means", ensemble: bool = False) -> pd.DataFrame:
    """Return the errors of a condition, one row a muscle and held-out unit.

    A unit's RMSE is the mean over its speeds (and the conditions of a speed, where trials tell theirs) of the mean over
    the cycles of a trial and the trials of a speed. Er is RMSE_refined / RMSE_OpenSim − 1 (Eq. 2), negative where
    refining helps. A unit of which a muscle was not recorded has no row for it.

    Parameters
    ----------
    results
        A trained condition (see the architecture page).
    er
        Ratio of the means over speeds, or mean of the speeds' ratios.
    ensemble
        Average the seeds' predictions before taking errors; otherwise errors are taken per seed and averaged.

    Returns
    -------
    pandas.DataFrame
        Columns study, condition, muscle, electrode, unit, label, n_cycles, rmse_opensim, rmse_refined,
        rmse_mean_curve, er, er_mean_curve, r2_pearson, r2_sse (both over the unit's pooled samples), correlation_raw
        (mean over the cycles in which both signals vary), flat_cycles (those in which one does not), diverged (how
        many of the unit's models did), synthetic, reason. Where Er is undefined it is NaN and `reason` says why:
        RMSE_OpenSim is 0 (see `EXACT`), or a prediction is not finite.
    """
    refined = results.refined.mean("seed", keepdims=True) if ensemble else results.refined
    estimates = {"opensim": results.simulated, "refined": refined, "mean_curve": results.mean_curve}
    per_cycle = {name: rmse(results.measured, estimate).values for name, estimate in estimates.items()}
    signals = _Signals(results.measured.values, results.simulated.values, refined.values)
    there, shares = recorded(results.measured), shares_of(results)
    held = results.fold_of_cycle.values == np.arange(results.sizes["fold"])[:, None]
    rows = [
        {
            "muscle": str(results.channel.values[channel]),
            "electrode": str(results.electrode.values[channel]),
            "label": str(results.fold.values[fold]),
            "diverged": int(results.diverged.values[:, channel, fold].sum()) if "diverged" in results else 0,
            **_row(
                _by_speed(per_cycle, channel, mask, shares(mask)),
                signals.of(channel, mask),
                er,
            ),
        }
        for channel in range(results.sizes["channel"])
        for fold, mask in enumerate(held & there[channel])
        if mask.any()
    ]
    head = {name: results.attrs[name] for name in ("study", "condition", "unit")}
    table = pd.DataFrame(rows).assign(**head, synthetic=bool(results.attrs["synthetic"]))
    first = ["study", "condition", "muscle", "electrode", "unit", "label", "n_cycles"]
    return table[[*first, *(name for name in table if name not in first)]]


def _by_speed(per_cycle: dict[str, Array], channel: int, mask: NDArray[np.bool_], share: Array) -> dict[str, Array]:
    return {name: share @ values[..., channel, mask].T for name, values in per_cycle.items()}


def spread(results: xr.Dataset) -> pd.DataFrame:
    """Return how much Er differs between seeds and between held-out units, one row a muscle.

    Returns
    -------
    pandas.DataFrame
        Columns study, condition, muscle, seeds, n_units, between_seeds (sd over seeds of the mean over units; NaN with
        one seed), between_units (sd over units of the mean over seeds), unit.
    """
    parts = [errors(results.isel(seed=[k])).assign(seed=k) for k in range(results.sizes["seed"])]
    table = pd.concat(parts).pivot_table(index="muscle", columns=["seed", "label"], values="er", sort=False)
    by_seed, by_unit = table.T.groupby(level="seed").mean().T, table.T.groupby(level="label").mean().T
    return pd.DataFrame(
        {
            "study": results.attrs["study"],
            "condition": results.attrs["condition"],
            "muscle": table.index,
            "seeds": results.sizes["seed"],
            "n_units": by_unit.notna().sum(axis=1).to_numpy(),
            "between_seeds": by_seed.std(axis=1, ddof=1).to_numpy(),
            "between_units": by_unit.std(axis=1, ddof=1).to_numpy(),
            "unit": results.attrs["unit"],
        }
    )


def defined(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose Er is defined.

    Raises
    ------
    Nem2eError
        If there is none.
    """
    rows = table[table["er"].notna()]
    if rows.empty:
        raise Nem2eError(
            f"The errors of {', '.join(map(str, table['study'].unique()))} have no defined Er, expected at least one; "
            "check that the simulated activation is not a copy of the EMG."
        )
    return rows


def undefined(table: pd.DataFrame) -> list[str]:
    """Say what is undefined in a study, and why: one sentence a study and reason for Er, one for correlations."""
    rows, flat = table[table["reason"] != ""], table[table["flat_cycles"] > 0]
    return [
        f"{study}, {', '.join(group['muscle'].unique())}: Er is undefined for "
        f"{units_said(len(group['label'].unique()), str(group['unit'].iloc[0]), 'held-out')}, because {reason}."
        for (study, reason), group in rows.groupby(["study", "reason"], sort=False)
    ] + [
        f"{study}, {', '.join(group['muscle'].unique())}: the raw correlation is undefined in "
        f"{group['flat_cycles'].sum()} of {group['n_cycles'].sum()} cycles, because the simulated activation or the "
        "EMG is constant there; its mean leaves them out."
        for study, group in flat.groupby("study", sort=False)
    ]


def lacking(table: pd.DataFrame) -> list[str]:
    """Say whose mean over muscles is over fewer of them, since some were not recorded: one sentence a study."""
    told = []
    for study, rows in table.groupby("study", sort=False):
        muscles, of = list(rows["muscle"].unique()), rows.groupby("label")["muscle"].unique()
        short = {str(label): [name for name in muscles if name not in have] for label, have in of.items()}
        parts = [f"{label} without {' and '.join(lost)}" for label, lost in short.items() if lost]
        told += [f"{study}: {', '.join(parts)}; means are over the muscles that each has."] if parts else []
    return told


class _Signals(NamedTuple):
    """Measured and simulated (channels, cycles, samples), refined (seeds, channels, cycles, samples)."""

    measured: Array
    simulated: Array
    refined: Array

    def of(self, channel: int, mask: NDArray[np.bool_]) -> _Signals:
        return _Signals(*(part[..., channel, mask, :] for part in self))


def _row(by_speed: dict[str, Array], signals: _Signals, er: Ratio) -> dict[str, object]:
    measured, simulated, guesses = signals
    raw = np.array([_correlation(*pair) for pair in zip(measured, simulated, strict=True)])
    varied = np.isfinite(raw)
    reason = _why_undefined(by_speed["opensim"], measured, guesses, er)
    nan = float("nan")
    return {
        "n_cycles": len(measured),
        **{f"rmse_{name}": float(values.mean()) for name, values in by_speed.items()},
        "er": nan if reason else _improvement(by_speed["refined"], by_speed["opensim"], er),
        "er_mean_curve": nan if reason == COPY else _improvement(by_speed["mean_curve"], by_speed["opensim"], er),
        "r2_pearson": float(np.mean([_correlation(measured, guess) ** 2 for guess in guesses])),
        "r2_sse": float(np.mean([_explained(measured, guess) for guess in guesses])),
        "correlation_raw": float(raw[varied].mean()) if varied.any() else nan,
        "flat_cycles": int((~varied).sum()),
        "reason": reason,
    }


def _why_undefined(opensim: Array, measured: Array, guesses: Array, er: Ratio) -> str:
    size = float(np.sqrt((measured**2).mean()))
    smallest = opensim.min() if er == "mean_of_ratios" else opensim.mean()
    if smallest <= EXACT * size:
        return COPY
    return "" if np.isfinite(guesses).all() else "a prediction is not a finite number"


def shares_of(results: xr.Dataset) -> Callable[[NDArray[np.bool_]], Array]:
    """Return `speed_shares` of any of the cycles, told by a mask; muscles that share a mask share the work."""
    speeds, trials = circumstances(results), results.trial.values

    @cache
    def of(mask: bytes) -> Array:
        chosen = np.frombuffer(mask, bool)
        return speed_shares(speeds[chosen], trials[chosen])

    return lambda mask: of(mask.tobytes())


def speed_shares(speed: NDArray[np.str_], trial: NDArray[np.str_]) -> Array:
    """Return each cycle's share in the mean of its speed, shape (speeds, cycles); other speeds' cycles have none.

    The trials of a speed count alike, and so do the cycles of a trial.
    """
    table = pd.DataFrame({"speed": speed, "trial": trial})
    cycles = table.groupby(["speed", "trial"])["trial"].transform("size")
    trials = table.groupby("speed")["trial"].transform("nunique")
    return np.where(np.unique(speed)[:, None] == speed, 1.0 / (cycles * trials).to_numpy(), 0.0)


def _improvement(refined: Array, opensim: Array, er: Ratio) -> float:
    above, below = (refined, opensim) if er == "mean_of_ratios" else (refined.mean(axis=0), opensim.mean(axis=0))
    return float((above.T / below - 1.0).mean())


def _correlation(a: Array, b: Array) -> float:
    if any(np.ptp(x) <= FLAT * np.abs(x).max() for x in (a, b)):
        return float("nan")
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _explained(measured: Array, guess: Array) -> float:
    total = ((measured - measured.mean()) ** 2).sum()
    return float(1.0 - ((measured - guess) ** 2).sum() / total) if total > 0 else float("nan")
