"""Timing, size and co-contraction of simulated and refined activity against measured EMG, beside RMSE.

Every error is estimate minus measured, cycle by cycle; then the mean over a held-out unit's cycles, which count as in
`metrics.errors`; then the mean over units with its interval. So cycles are no independent observations. What has no
burst is counted: `no_burst`, `missed`, `extra`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import t as student

from nem2e_lib.analysis.bursts import (
    ANTAGONISTS,
    Burst,
    antagonists,
    bursts,
    circular_mean,
    matched,
    overlap,
    rudolph,
    wrapped,
)
from nem2e_lib.analysis.control_tests import over_electrodes
from nem2e_lib.analysis.metrics import FLAT, speed_shares
from nem2e_lib.analysis.statistics import ALPHA, ROUNDING, holm, over_folds
from nem2e_lib.data.cycles.segment import circumstances, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.folds import leave_one_out

Array = NDArray[np.float64]
Kind = Literal["time", "mean", "z"]

MEASURED = "measured"
"""The method of the rows that tell of the EMG itself."""


class Measure(NamedTuple):
    """How a measure is averaged (`time`: on the circle; `z`: Fisher's z of a correlation), its unit, and what it is."""

    kind: Kind
    unit: str
    words: str


_ERRORS = {
    "onset_error": Measure("time", "% of the cycle", "onset of bursts, estimate minus measured: below 0 too early"),
    "offset_error": Measure("time", "% of the cycle", "offset of bursts, estimate minus measured"),
    "peak_error": Measure("time", "% of the cycle", "peak time of the highest burst, estimate minus measured"),
    "height_error": Measure("mean", "EMG maximum", "greatest value of the cycle, estimate minus measured"),
    "onset_off": Measure("mean", "% of the cycle", "size of the error of onset, early or late"),
    "offset_off": Measure("mean", "% of the cycle", "size of the error of offset"),
    "peak_off": Measure("mean", "% of the cycle", "size of the error of peak time"),
    "height_off": Measure("mean", "EMG maximum", "size of the error of the greatest value"),
    "missed": Measure("mean", "bursts a cycle", "measured bursts that have no counterpart"),
    "extra": Measure("mean", "bursts a cycle", "bursts that the EMG has not"),
    "correlation": Measure("z", "", "Pearson's r over the samples of a cycle, averaged as Fisher's z"),
    "rmse": Measure("mean", "EMG maximum", "root mean squared error over the samples of a cycle (Eq. 1)"),
}
_VALUES = {
    "onset": Measure("time", "% of the cycle", "onset of the burst that holds the measured peak, or its counterpart"),
    "offset": Measure("time", "% of the cycle", "its offset"),
    "peak": Measure("time", "% of the cycle", "its peak time"),
    "height": Measure("mean", "EMG maximum", "greatest value of the cycle"),
    "bursts": Measure("mean", "bursts a cycle", "number of bursts"),
    "no_burst": Measure("mean", "share of cycles", "cycles without a burst"),
}
_PAIRS = {
    "overlap": Measure("mean", "0 to 1", "Falconer & Winter's index of co-contraction"),
    "overlap_error": Measure("mean", "0 to 1", "the same, estimate minus measured"),
    "rudolph": Measure("mean", "EMG maximum", "Rudolph's index of co-contraction"),
    "rudolph_error": Measure("mean", "EMG maximum", "the same, estimate minus measured"),
}
MEASURES = {**_VALUES, **_ERRORS, **_PAIRS}
"""What is measured of each cycle, by column."""
SIZES = ("onset_off", "offset_off", "peak_off", "height_off", "missed", "extra", "correlation", "rmse")
"""Measures in which methods are compared: sizes of errors, of which less is better; correlation, of which more is."""

RESOLUTION = (
    "Refined activity has {samples} samples a cycle, {step:.1f} % of the cycle apart, with straight lines between "
    "them: what differs by much less is not told apart."
)
"""What limits timing; filled in by `resolution`."""


def resolution(results: xr.Dataset) -> str:
    """Say how finely refined activity can be timed."""
    samples = results.sizes["sample"]
    return RESOLUTION.format(samples=samples, step=100 / (samples - 1))


# --- cycle by cycle ---


class _Place(NamedTuple):
    """A channel's recorded cycles, what held-out unit each belongs to, and its weight in the unit's mean."""

    channel: int
    cycles: NDArray[np.intp]
    facts: pd.DataFrame


def estimates(conditions: Mapping[str, xr.Dataset]) -> dict[str, Array]:
    """Return what is held against the EMG of one study: simulation, mean curve, and what each condition refined.

    Parameters
    ----------
    conditions
        Trained conditions of one study, by name; also evaluated rivals, which are laid out alike.

    Returns
    -------
    dict
        Method to arrays of shape (seeds, channels, cycles, samples).
    """
    first = next(iter(conditions.values()))
    dims = ("channel", "cycle", "sample")
    given = {"opensim": first.simulated, "mean_curve": first.mean_curve}
    arrays = {name: values.transpose(*dims).values[None] for name, values in given.items()}
    return arrays | {name: one.refined.transpose("seed", *dims).values for name, one in conditions.items()}


def one_an_electrode(results: xr.Dataset) -> xr.Dataset:
    """Return results on the first channel of each electrode: the others have the same EMG."""
    again = pd.Series(results.electrode.values.astype(str)).duplicated().to_numpy()
    return results.isel(channel=~again)


def compared(results: xr.Dataset, methods: Mapping[str, Array]) -> pd.DataFrame:
    """Compare each method with the measured EMG, cycle by cycle.

    Parameters
    ----------
    results
        A trained condition or an evaluated rival of the study: its EMG and who was held out.
    methods
        Method to predictions, shape (channels, cycles, samples) or (seeds, channels, cycles, samples), as `estimates`
        returns them.

    Returns
    -------
    pandas.DataFrame
        One row a method (first: `MEASURED`, the EMG itself), seed, muscle and cycle: study, method, seed, muscle,
        electrode, unit, label, cycle, weight (share in the unit's mean), the columns of `MEASURES` that are of one
        muscle, reason (why it has no burst) and synthetic. Errors of onset and offset are the circular mean over the
        bursts that have a counterpart, of peak time that of the highest measured burst; NaN where there is none.

    Raises
    ------
    Nem2eError
        If a method's predictions have another shape than the EMG.
    """
    measured = results.measured.transpose("channel", "cycle", "sample").values
    parts = []
    for place in _places(results, measured):
        own = measured[place.channel, place.cycles]
        found = [bursts(curve) for curve in own]
        parts.append(
            place.facts.assign(
                method=MEASURED, seed=0, **_columns(_of_emg(*each) for each in zip(own, found, strict=True))
            )
        )
        for name, seeds in methods.items():
            for seed, values in enumerate(_checked(name, seeds, measured.shape)):
                theirs = values[place.channel, place.cycles]
                rows = (_compared(*each) for each in zip(own, theirs, found, strict=True))
                parts.append(place.facts.assign(method=name, seed=seed, **_columns(rows)))
    return _headed(pd.concat(parts, ignore_index=True), results)


def thinning(cycles: xr.Dataset) -> pd.DataFrame:
    """Compare measured EMG thinned to the samples of a cycle with its own waveform; rows as of `compared`.

    What is left of timing when nothing is wrong but the number of samples. Correlation and RMSE are at the samples of
    the waveform, between which the thinned EMG is straight.
    """
    folds = leave_one_out(cycles)
    whole = cycles.emg_waveform.transpose("channel", "cycle", "phase").values
    thin = cycles.emg.transpose("channel", "cycle", "sample").values
    coords = {"fold": list(folds.labels), "fold_of_cycle": ("cycle", folds.of_cycle)}
    named = cycles.assign_coords(coords).assign_attrs(unit=folds.unit)
    parts = []
    for place in _places(named, thin):
        pairs = zip(whole[place.channel, place.cycles], thin[place.channel, place.cycles], strict=True)
        parts.append(place.facts.assign(method="thinned", seed=0, **_columns(_compared(*pair) for pair in pairs)))
    return _headed(pd.concat(parts, ignore_index=True), named)


def _places(results: xr.Dataset, measured: Array) -> Iterator[_Place]:
    dims = ("channel", "cycle", "sample")
    there = recorded(xr.DataArray(measured, dims=dims))
    speeds, fold = circumstances(results), results.fold_of_cycle.values
    for channel in range(len(measured)):
        chosen = np.flatnonzero(there[channel] & (fold >= 0))
        weight = np.zeros(len(fold))
        for which in np.unique(fold[chosen]):
            own = chosen[fold[chosen] == which]
            weight[own] = speed_shares(speeds[own], results.trial.values[own]).mean(axis=0)
        facts = {
            "muscle": str(results.channel.values[channel]),
            "electrode": str(results.electrode.values[channel]),
            "label": results.fold.values.astype(str)[fold[chosen]],
            "cycle": chosen,
            "weight": weight[chosen],
        }
        if len(chosen):
            yield _Place(channel, chosen, pd.DataFrame(facts))


def _headed(table: pd.DataFrame, results: xr.Dataset) -> pd.DataFrame:
    head = {"study": str(results.attrs["study"]), "unit": str(results.attrs["unit"])}
    table = table.assign(**head, synthetic=bool(results.attrs["synthetic"]))
    first = ["study", "method", "seed", "muscle", "electrode", "unit", "label", "cycle", "weight"]
    return table[[*first, *(name for name in table if name not in first)]]


def _checked(name: str, values: Array, expected: tuple[int, ...]) -> Array:
    every = np.asarray(values, float)
    every = every[None] if every.ndim == len(expected) else every
    if every.shape[1:] != expected:
        raise Nem2eError(
            f"timing of {name}: its predictions have shape {np.shape(values)}, expected {expected} (channels, cycles, "
            "samples), with seeds first where there are several; give them in that order."
        )
    return every


def _columns(rows: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    every = list(rows)
    return {name: [row.get(name, np.nan) for row in every] for name in every[0]}


def _of_emg(curve: Array, found: tuple[list[Burst], str]) -> dict[str, Any]:
    spans, reason = found
    return {**_values(max(spans, key=lambda one: one.height) if spans else None, curve, spans), "reason": reason}


def _values(main: Burst | None, curve: Array, spans: list[Burst]) -> dict[str, Any]:
    nan = float("nan")
    times = (nan, nan, nan) if main is None else (main.onset, main.offset, main.peak)
    height = float(curve.max()) if np.isfinite(curve).all() else nan
    return {
        **dict(zip(("onset", "offset", "peak"), times, strict=True)),
        "height": height,
        "bursts": len(spans),
        "no_burst": float(not spans),
    }


def _compared(own: Array, guess: Array, found: tuple[list[Burst], str] | None = None) -> dict[str, Any]:
    measured, _ = bursts(own) if found is None else found
    spans, reason = bursts(guess)
    pairs = matched(measured, spans)
    main = max(measured, key=lambda one: one.height) if measured else None
    partner = next((theirs for one, theirs in pairs if one is main), None)
    values = _values(partner, guess, spans)
    even = guess if len(guess) == len(own) else np.interp(*_points(len(own), len(guess)), guess)
    errors = {
        "onset_error": circular_mean([wrapped(b.onset - a.onset) for a, b in pairs]),
        "offset_error": circular_mean([wrapped(b.offset - a.offset) for a, b in pairs]),
        "peak_error": float(wrapped(partner.peak - main.peak)) if main and partner else float("nan"),
        "height_error": values["height"] - float(own.max()),
    }
    sizes = {f"{name.removesuffix('_error')}_off": abs(value) for name, value in errors.items()}
    return {
        **values,
        **errors,
        **sizes,
        "missed": len(measured) - len(pairs),
        "extra": len(spans) - len(pairs),
        "correlation": _correlation(own, even),
        "rmse": float(np.sqrt(((even - own) ** 2).mean())),
        "reason": reason,
    }


def _points(wanted: int, there: int) -> tuple[Array, Array]:
    return np.linspace(0, 100, wanted), np.linspace(0, 100, there)


def _correlation(a: Array, b: Array) -> float:
    if any(not np.isfinite(x).all() or np.ptp(x) <= FLAT * np.abs(x).max() for x in (a, b)):
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


# --- co-contraction ---


def cocontraction(results: xr.Dataset, methods: Mapping[str, Array]) -> pd.DataFrame:
    """Return both indices of co-contraction of every two antagonists, cycle by cycle.

    Parameters
    ----------
    results, methods
        As in `compared`.

    Returns
    -------
    pandas.DataFrame
        Rows as of `compared`; `muscle` is the pair, `joint` the joint that it moves, and the columns are overlap,
        rudolph and their errors. Of channels that share an electrode the first counts. No rows where the study has no
        antagonists: `no_antagonists` says so.
    """
    measured = results.measured.transpose("channel", "cycle", "sample").values
    places = {place.channel: place for place in _places(results, measured)}
    parts = []
    for joint, i, j in _pairs(results):
        if not {i, j} <= places.keys():
            continue
        facts = places[i].facts[places[i].facts["cycle"].isin(places[j].cycles)]
        where, first = facts["cycle"].to_numpy(), _names(results)
        facts = facts.assign(muscle=f"{first[i]}–{first[j]}", electrode=f"{first[i]}–{first[j]}", joint=joint)
        own = {name: index(measured[i, where], measured[j, where]) for name, index in _INDICES.items()}
        parts.append(facts.assign(method=MEASURED, seed=0, **own))
        for name, seeds in methods.items():
            for seed, values in enumerate(_checked(name, seeds, measured.shape)):
                theirs = {key: index(values[i, where], values[j, where]) for key, index in _INDICES.items()}
                errors = {f"{key}_error": theirs[key] - own[key] for key in own}
                parts.append(facts.assign(method=name, seed=seed, **theirs, **errors))
    return _headed(pd.concat(parts, ignore_index=True), results) if parts else pd.DataFrame()


_INDICES = {"overlap": overlap, "rudolph": rudolph}


def _names(results: xr.Dataset) -> list[str]:
    return [str(name) for name in results.channel.values]


def _pairs(results: xr.Dataset) -> list[tuple[str, int, int]]:
    first = set(pd.Series(results.electrode.values.astype(str)).drop_duplicates().index)
    return [pair for pair in antagonists(results.target.values.tolist()) if {*pair[1:]} <= first]


def no_antagonists(results: xr.Dataset) -> str:
    """Say that co-contraction cannot be told of a study; empty where it can."""
    if _pairs(results):
        return ""
    sides = "; ".join(
        f"{joint}: one of {', '.join(a)} with one of {', '.join(b)}" for joint, (a, b) in ANTAGONISTS.items()
    )
    return (
        f"{results.attrs['study']}: co-contraction cannot be told, because no two of its muscles "
        f"({', '.join(map(str, results.target.values))}) work against each other on one leg; expected {sides}; add EMG "
        "of an antagonist."
    )


# --- over cycles, then over people ---


def per_unit(table: pd.DataFrame) -> pd.DataFrame:
    """Average over the cycles (and seeds) of each held-out unit.

    Parameters
    ----------
    table
        Rows of `compared`, `thinning` or `cocontraction`.

    Returns
    -------
    pandas.DataFrame
        One row a study, method, muscle, held-out unit and measure: study, method, muscle, electrode, unit, label,
        measure, value (times on the circle; correlations as Fisher's z), cycles (in which it is defined), of_cycles and
        synthetic.
    """
    measures = [name for name in MEASURES if name in table]
    keys = ["study", "method", "muscle", "electrode", "unit", "label", "synthetic"]
    rows: list[dict[str, Any]] = []
    for key, group in table.groupby(keys, sort=False):
        head, weight = dict(zip(keys, key, strict=True)), group["weight"].to_numpy(float)
        for name, values in zip(measures, group[measures].to_numpy(float).T, strict=True):
            known = np.isfinite(values)
            if head["method"] == MEASURED and not known.any() and name not in _VALUES:
                continue  # the EMG has no error
            mean = _mean(values[known], weight[known], MEASURES[name].kind)
            rows.append({**head, "measure": name, "value": mean, "cycles": int(known.sum()), "of_cycles": len(known)})
    return pd.DataFrame(rows)


def _mean(values: Array, weights: Array, kind: Kind) -> float:
    if not len(values):
        return float("nan")
    if kind == "time":
        return circular_mean(values, weights)
    some = np.arctanh(np.clip(values, -1 + 1e-12, 1 - 1e-12)) if kind == "z" else values
    return float((weights * some).sum() / weights.sum())


def summary(units: pd.DataFrame) -> pd.DataFrame:
    """Average over held-out units, with Student's interval.

    Parameters
    ----------
    units
        Rows of `per_unit`; of one muscle, or of the mean over muscles (`over_muscles`).

    Returns
    -------
    pandas.DataFrame
        One row a study, method, muscle and measure: mean, ci_low, ci_high (95 %), n (units in which it is defined),
        of_units, cycles, of_cycles, unit, synthetic, reason (why there is no interval). Means of times are on the
        circle, intervals those of the deviations from it; correlations are turned back into r.
    """
    keys = ["study", "method", "muscle", "measure", "unit", "synthetic"]
    rows = [
        {**dict(zip(keys, key, strict=True)), **_over_units(group)} for key, group in units.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows)


def _over_units(group: pd.DataFrame) -> dict[str, Any]:
    kind, values = MEASURES[str(group["measure"].iloc[0])].kind, group["value"].to_numpy(float)
    known = values[np.isfinite(values)]
    centre = circular_mean(known) if kind == "time" else 0.0
    around = wrapped(known - centre) if kind == "time" else known
    *ends, reason = interval(around)
    mean, low, high = np.tanh(ends) if kind == "z" else centre + np.array(ends)
    if kind == "time" and not str(group["measure"].iloc[0]).endswith("error"):
        low, high, mean = low % 100, high % 100, mean % 100  # a time, not a difference
    return {
        "mean": float(mean),
        "ci_low": float(low),
        "ci_high": float(high),
        "n": len(known),
        "of_units": len(values),
        "cycles": int(group["cycles"].sum()),
        "of_cycles": int(group["of_cycles"].sum()),
        "reason": reason,
    }


def interval(values: Array) -> tuple[float, float, float, str]:
    """Return mean, both ends of Student's 95 % interval, and why there is none; the same as `statistics.one_sample`'s.

    Parameters
    ----------
    values
        One a held-out unit, all of them defined, shape (n,).
    """
    n, nan = len(values), float("nan")
    mean = float(values.mean()) if n else nan
    if n < 2:
        return mean, nan, nan, f"defined in {n} held-out unit: an interval needs two." if n else "defined in no cycle."
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        return mean, nan, nan, "the same for all held-out units."
    half = float(student.ppf(1 - ALPHA / 2, n - 1)) * float(values.std(ddof=1)) / n**0.5
    return mean, mean - half, mean + half, ""


ALL_MUSCLES = "all muscles"


def over_muscles(units: pd.DataFrame) -> pd.DataFrame:
    """Average the muscles of each held-out unit, those of an electrode first; rows as of `per_unit`.

    Muscles in which a measure is undefined are left out of the unit's mean, of every method alike, so that methods are
    compared on the same muscles.
    """
    units = units[units["measure"].isin([*SIZES, "no_burst"])]  # signed errors of muscles would cancel
    keys = ["study", "measure", "muscle", "label"]
    defined = units["value"].notna() | units["method"].eq(MEASURED)
    whole = defined.groupby([units[key] for key in keys]).transform("all")
    by = ["study", "method", "unit", "label", "measure", "synthetic"]
    counts = units[whole].groupby(by, sort=False)[["cycles", "of_cycles"]].sum().reset_index()
    means = over_electrodes(units[whole], by, ["value"])
    return means.merge(counts, on=by).assign(muscle=ALL_MUSCLES, electrode=ALL_MUSCLES)


def contrasts(units: pd.DataFrame, against: str) -> pd.DataFrame:
    """Compare the sizes of each method's errors with another's, paired over held-out units.

    Parameters
    ----------
    units
        Rows of `over_muscles`, or of `per_unit`.
    against
        The method that each other one is compared with.

    Returns
    -------
    pandas.DataFrame
        One row a study, muscle, measure of `SIZES` and method: method, against, difference (method minus `against`;
        of correlations in Fisher's z), ci_low, ci_high, p_value (corrected for the training data that folds share:
        `statistics.over_folds`), p_holm (over the methods and measures of a study and muscle), n, unit, synthetic,
        reason.
    """
    rows = []
    some = units[units["measure"].isin(SIZES) & units["method"].ne(MEASURED)]
    keys = ["study", "muscle", "measure", "unit", "synthetic"]
    for key, group in some.groupby(keys, sort=False):
        wide = group.pivot_table(index="label", columns="method", values="value", sort=False, dropna=False)
        for method in wide.columns.drop(against, errors="ignore") if against in wide else []:
            change = (wide[method] - wide[against]).dropna().to_numpy(float)
            head = {**dict(zip(keys, key, strict=True)), "method": method, "against": against}
            test, (difference, _, _, reason) = over_folds(change), interval(change)
            found = {name: getattr(test, name) for name in ("ci_low", "ci_high", "p_value", "n")}
            rows.append({**head, "difference": difference, **found, "reason": reason})
    table = pd.DataFrame(rows)
    return table.assign(p_holm=table.groupby(["study", "muscle"], sort=False)["p_value"].transform(holm))


def without_burst(table: pd.DataFrame) -> pd.DataFrame:
    """Count the cycles without a burst, by reason.

    Returns
    -------
    pandas.DataFrame
        Columns study, method, muscle, reason, cycles, of_cycles (cycles and seeds); only rows that have any.
    """
    keys = ["study", "method", "muscle"]
    of = table.groupby(keys, sort=False).size().rename("of_cycles")
    found = table[table["reason"].ne("")].groupby([*keys, "reason"], sort=False).size().rename("cycles").reset_index()
    return found.merge(of.reset_index(), on=keys)
