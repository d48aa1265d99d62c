"""How alike the signals of two studies are: size, shape, variation, agreement of EMG and simulation; no training.

The same numbers of recordings and of SYNTHETIC studies, by the same code: what a generator is calibrated on, and held
to (docs/synthetic.md). None of them is an error of a method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.agreement import agreement
from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.data.muscles import LEG

Array = NDArray[np.float64]
Names = NDArray[np.str_]

CEILING = 0.999
"""EMG and activation from here on count as saturated: they are shares of a maximum of 1."""
_FLAT = 1e-9
SHARES = (0.90, 0.99)
"""Shares of the variance for which components are counted."""


@dataclass(frozen=True)
class Electrode:
    """What was recorded and simulated of one electrode's muscle.

    Attributes
    ----------
    measured, simulated
        EMG and simulated activation of the channel's own muscle, shape (cycles, phases).
    person, trial, speed_m_s
        Of each cycle, shape (cycles,).
    """

    measured: Array
    simulated: Array
    person: Names
    trial: Names
    speed_m_s: Array


STATISTICS: dict[str, tuple[str, Callable[[Electrode], float]]] = {
    "emg_mean": ("Mean of the EMG", lambda e: float(e.measured.mean())),
    "simulated_mean": (
        "Mean of the simulated activation of the electrodes' muscles",
        lambda e: float(e.simulated.mean()),
    ),
    "emg_saturated": ("Share of samples with EMG of 0.999 or more", lambda e: float((e.measured >= CEILING).mean())),
    "simulated_saturated": ("The same of simulated activation", lambda e: float((e.simulated >= CEILING).mean())),
    "emg_peak": ("Greatest EMG of a cycle over the mean EMG", lambda e: _peak(e.measured)),
    "simulated_peak": ("The same of simulated activation", lambda e: _peak(e.simulated)),
    "emg_floor": ("Least EMG of a cycle over the mean EMG", lambda e: -_peak(-e.measured)),
    "emg_between_cycles": ("Sd of the EMG between cycles of a trial, over its RMS", lambda e: _cycles(e.measured, e)),
    "simulated_between_cycles": ("The same of simulated activation", lambda e: _cycles(e.simulated, e)),
    "emg_between_trials": ("Sd of the EMG between a person's trials, over its RMS", lambda e: _trials(e.measured, e)),
    "simulated_between_trials": ("The same of simulated activation", lambda e: _trials(e.simulated, e)),
    "emg_with_speed": (
        "Share of the latter variance that is a straight line in speed",
        lambda e: _with_speed(e.measured, e),
    ),
    "simulated_with_speed": ("The same of simulated activation", lambda e: _with_speed(e.simulated, e)),
    "emg_between_people": ("Sd of the EMG between people, over its RMS", lambda e: _people(e.measured, e)),
    "simulated_between_people": ("The same of simulated activation", lambda e: _people(e.simulated, e)),
    "emg_size_spread": ("Log-sd between people of the RMS of the EMG", lambda e: _sizes(e.measured, e)),
    "simulated_size_spread": ("The same of simulated activation", lambda e: _sizes(e.simulated, e)),
    "correlation": ("r of simulation and EMG over a cycle", lambda e: _mean(correlations(e.measured, e.simulated))),
    "departure_people": (
        "r of a cycle's departures from the other people's mean, in simulation and in EMG",
        lambda e: _mean(correlations(departures(e.measured, e.person), departures(e.simulated, e.person))),
    ),
    "departure_trials": (
        "r of a cycle's departures from the mean of the person's other trials",
        lambda e: _own_departures(e),
    ),
}
"""What is taken of each electrode, in words, and how; the study's value is the mean over its electrodes."""

WHOLE = {
    "distance": "RMS of simulation minus EMG over that of EMG, mean over electrodes",
    "size_ratio": "RMS of simulation over that of EMG, geometric mean over electrodes",
    "size_ratio_spread": "Log-sd over electrodes of that ratio",
    "correlation_delayed": "r of simulation and EMG, EMG moved by the best delay of each electrode",
    "components_90": "Components of the simulated activation of the right leg's muscles that hold 90 % of its variance",
    "components_99": "The same for 99 %",
}
"""What is taken of all electrodes, or muscles, together."""


def likeness(cycles: xr.Dataset) -> pd.DataFrame:
    """Return the statistics of a study's signals, as waveforms of 101 phases, one row a statistic.

    A channel of an electrode that another channel has too counts once, and a cycle of which an electrode was not
    recorded does not count for it.

    Parameters
    ----------
    cycles
        Segmented cycles (``cycles.nc``).

    Returns
    -------
    pandas.DataFrame
        Columns study, statistic, value (mean over electrodes), low, high (over electrodes; NaN where the statistic is
        of all of them together), electrodes, synthetic. Variation is the root of the mean variance over phases (ddof
        1). A value is NaN where the design cannot tell: one cycle a trial, one trial a person, or one person.
    """
    own = cycles.sel(channel=cycles.channel.values[np.isin(cycles.channel.values, cycles.electrode.values)])
    electrodes = _electrodes(own)
    rows = []
    for name, (_, take) in STATISTICS.items():
        found = np.array([take(electrode) for electrode in electrodes])
        spread = (found.min(), found.max()) if np.isfinite(found).all() else (np.nan, np.nan)
        rows.append((name, float(found.mean()), *spread))
    ratio = np.log([_rms(one.simulated) / _rms(one.measured) for one in electrodes])
    together = {
        "distance": float(np.mean([_rms(one.measured - one.simulated) / _rms(one.measured) for one in electrodes])),
        "size_ratio": float(np.exp(ratio.mean())),
        "size_ratio_spread": float(ratio.std(ddof=1)) if len(ratio) > 1 else np.nan,
        "correlation_delayed": float(agreement(own)["r_delayed"].mean()),
        **{f"components_{100 * share:.0f}": float(_components(cycles, share)) for share in SHARES},
    }
    rows += [(name, together[name], np.nan, np.nan) for name in WHOLE]
    table = pd.DataFrame(rows, columns=["statistic", "value", "low", "high"])
    table.insert(0, "study", str(cycles.attrs["study"]))
    return table.assign(electrodes=len(electrodes), synthetic=bool(cycles.attrs["synthetic"]))


FACTOR, DIFFERENCE = "factor", "difference"
BOUNDS: dict[str, tuple[str, float]] = {
    "emg_mean": (FACTOR, 1.3),
    "simulated_mean": (FACTOR, 1.4),
    "size_ratio": (FACTOR, 1.5),
    "size_ratio_spread": (DIFFERENCE, 0.35),
    "emg_saturated": (DIFFERENCE, 0.02),
    "simulated_saturated": (DIFFERENCE, 0.02),
    "emg_peak": (FACTOR, 1.3),
    "simulated_peak": (FACTOR, 1.6),
    "emg_floor": (FACTOR, 2.7),
    "emg_between_cycles": (FACTOR, 1.3),
    "simulated_between_cycles": (FACTOR, 1.3),
    "emg_between_trials": (FACTOR, 1.35),
    "simulated_between_trials": (FACTOR, 1.35),
    "emg_with_speed": (DIFFERENCE, 0.3),
    "simulated_with_speed": (DIFFERENCE, 0.4),
    "emg_between_people": (DIFFERENCE, 0.12),
    "simulated_between_people": (DIFFERENCE, 0.15),
    "emg_size_spread": (DIFFERENCE, 0.12),
    "simulated_size_spread": (DIFFERENCE, 0.15),
    "distance": (FACTOR, 1.2),
    "correlation": (DIFFERENCE, 0.18),
    "correlation_delayed": (DIFFERENCE, 0.18),
    "departure_people": (DIFFERENCE, 0.1),
    "departure_trials": (DIFFERENCE, 0.2),
    "components_90": (FACTOR, 1.5),
    "components_99": (FACTOR, 1.5),
}
"""How near a SYNTHETIC study must lie to a recorded one: by a factor, or by a difference."""


def compare(made: pd.DataFrame, real: pd.DataFrame) -> pd.DataFrame:
    """Lay a SYNTHETIC study's statistics beside those of a recorded one.

    Parameters
    ----------
    made, real
        Rows of `likeness` of one study each.

    Returns
    -------
    pandas.DataFrame
        Columns statistic, real, made, by (factor or difference), bound, away (the factor, at least 1, or the
        difference between the two), within; a row for each statistic that the recorded study has.
    """
    values = real.set_index("statistic")["value"].dropna()
    rows = []
    for name, (by, bound) in BOUNDS.items():
        if name not in values:
            continue
        a, b = float(made.set_index("statistic")["value"][name]), float(values[name])
        away = abs(a - b) if by == DIFFERENCE else max(a / b, b / a) if a > 0 else np.inf
        rows.append((name, b, a, by, bound, away, away <= bound))
    return pd.DataFrame(rows, columns=["statistic", "real", "made", "by", "bound", "away", "within"])


def departures(waveforms: Array, group: Names) -> Array:
    """Return each cycle's departure from the mean over the cycles of all other groups, shape (cycles, phases).

    NaN where there is no other group.
    """
    away = np.full_like(waveforms, np.nan)
    for one in np.unique(group):
        inside = group == one
        if not inside.all():
            away[inside] = waveforms[inside] - waveforms[~inside].mean(axis=0)
    return away


def correlations(a: Array, b: Array) -> Array:
    """Return r over phases of each row; NaN where one of the two does not vary but for rounding."""
    varies = [np.ptp(x, axis=1) > _FLAT * np.abs(x).max(axis=1) for x in (a, b)]
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    power = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), power, out=np.full(len(a), np.nan), where=varies[0] & varies[1])


def _electrodes(cycles: xr.Dataset) -> list[Electrode]:
    there = recorded(cycles.emg)
    measured = cycles.emg_waveform.transpose("channel", "cycle", "phase").values
    simulated = cycles.activation_waveform.sel(muscle=cycles.target).transpose("channel", "cycle", "phase").values
    person, trial = (cycles[name].values.astype(str) for name in ("subject", "trial"))
    speed = cycles.speed_m_s.values.astype(float)
    return [
        Electrode(measured[k, kept], simulated[k, kept], person[kept], trial[kept], speed[kept])
        for k, kept in enumerate(there)
    ]


def _rms(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))


def _mean(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else np.nan


def _peak(waveforms: Array) -> float:
    return float(waveforms.max(axis=1).mean() / abs(waveforms.mean()))


def _variation(waveforms: Array, group: Names) -> float:
    """Sd within groups over the RMS of all; a group of one counts nothing."""
    names, count = np.unique(group, return_counts=True)
    variances = [waveforms[group == name].var(axis=0, ddof=1).mean() for name in names[count > 1]]
    return float(np.sqrt(np.mean(variances))) / _rms(waveforms) if variances else np.nan


def _means(waveforms: Array, group: Names) -> tuple[Array, NDArray[np.intp]]:
    """Mean of each group, and the index of its first cycle."""
    names, first = np.unique(group, return_index=True)
    return np.stack([waveforms[group == name].mean(axis=0) for name in names]), first


def _cycles(waveforms: Array, electrode: Electrode) -> float:
    return _variation(waveforms, electrode.trial)


def _trials(waveforms: Array, electrode: Electrode) -> float:
    """Sd between a person's trials, over the RMS, less what cycles leave in the mean of a trial where that is known."""
    means, first = _means(waveforms, electrode.trial)
    count = len(waveforms) / len(means)
    cycles = _variation(waveforms, electrode.trial) * _rms(waveforms)
    return _component(_variation(means, electrode.person[first]) * _rms(means), cycles, count) / _rms(waveforms)


def _people(waveforms: Array, electrode: Electrode) -> float:
    """Sd between people, over the RMS, less what trials leave in the mean of a person."""
    trials, first = _means(waveforms, electrode.trial)
    person = electrode.person[first]
    means, _ = _means(trials, person)
    between = _variation(means, np.full(len(means), "")) * _rms(means)
    within = _variation(trials, person) * _rms(trials)
    return _component(between, within, len(trials) / len(means)) / _rms(waveforms)


def _component(between: float, within: float, count: float) -> float:
    """Sd of what differs between groups beyond the means of `count` draws from `within`; none is taken off for NaN."""
    noise = 0.0 if np.isnan(within) else within**2 / count
    return float(np.sqrt(max(between**2 - noise, 0.0))) if np.isfinite(between) else np.nan


def _with_speed(waveforms: Array, electrode: Electrode) -> float:
    """Share of the variance between a person's trials that is a straight line in speed, the same for everybody.

    Corrected for the one slope that is fitted at each phase; NaN where speeds are not known or do not differ.
    """
    means, first = _means(waveforms, electrode.trial)
    person, speed = electrode.person[first], electrode.speed_m_s[first].astype(float)
    for one in np.unique(person):
        own = person == one
        means[own], speed[own] = means[own] - means[own].mean(axis=0), speed[own] - speed[own].mean()
    free, power = len(means) - len(np.unique(person)), speed @ speed
    if not power > 0 or free < 2:
        return np.nan
    left = means - np.outer(speed, speed @ means / power)
    return float(1.0 - ((left**2).sum() / (free - 1)) / ((means**2).sum() / free))


def _sizes(waveforms: Array, electrode: Electrode) -> float:
    """Log-sd between people; one whose simulation is silent has no log and is left out: least effort may have it so."""
    sizes = np.array([_rms(waveforms[electrode.person == one]) for one in np.unique(electrode.person)])
    heard = np.log(sizes[sizes > 0])
    return float(heard.std(ddof=1)) if len(heard) > 1 else np.nan


def _own_departures(electrode: Electrode) -> float:
    """Mean over people of the mean r over cycles; one with a single trial counts nothing."""
    found = []
    for one in np.unique(electrode.person):
        own = electrode.person == one
        away = (departures(values[own], electrode.trial[own]) for values in (electrode.measured, electrode.simulated))
        found.append(_mean(correlations(*away)))
    return _mean(np.array(found))


def _components(cycles: xr.Dataset, share: float) -> int:
    """How many principal components hold a share of the variance of the right leg's simulated activation."""
    leg = [name for name in cycles.muscle.values if name in {f"{muscle}_r" for muscle in LEG}]
    rows = cycles.activation.sel(muscle=leg).transpose("cycle", "sample", "muscle").values.reshape(-1, len(leg))
    power = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    return int(np.searchsorted(np.cumsum(power) / power.sum(), share)) + 1
