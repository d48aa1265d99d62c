"""A refiner's manifest, drawn from what it was trained on, with its error on those left out."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.data.cycles.segment import circumstances
from nem2e_lib.data.muscles import same_leg
from nem2e_lib.data.study.settings import Settings
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.adapting import Priors, Seen, paying, priors
from nem2e_lib.refiner.bands import LEVEL, LEVELS, half_width, inside, needed
from nem2e_lib.refiner.manifest import (
    ALL,
    ONE_SPEED,
    OTHER_CYCLES,
    OWN,
    SYNTHETIC,
    Band,
    Calibration,
    Fit,
    GaitCycle,
    HeldOut,
    Input,
    Manifest,
    Origin,
    Output,
    Training,
    Verdict,
    percent,
)
from nem2e_lib.refiner.reach import Reach, learn
from nem2e_lib.refiner.verdict import shown_to_beat
from nem2e_lib.rivals import MeanCurve, evaluate
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.engine import ENGINE_VERSION
from nem2e_lib.training.folds import leave_one_out
from nem2e_lib.training.results import of_channel
from nem2e_lib.training.units import BLOCK, units_said

Array = NDArray[np.float64]

_LIBRARIES = ("nem2e", "jax", "flax", "optax", "numpy")


def portrait(
    cycles: xr.Dataset,
    names: Sequence[str],
    training: Training,
    results: xr.Dataset | None,
    settings: Settings,
    *,
    data_hash: str,
    diverged: Mapping[str, tuple[int, ...]] | None = None,
    arithmetic: str = "",
    fits: tuple[Fit, ...] = (),
) -> Manifest:
    """Return the manifest of a refiner.

    Parameters
    ----------
    cycles
        What it was trained on.
    names
        EMG names of the muscles that it refines.
    training
        How it was trained.
    results
        The same method leaving one out; None where the error is not known.
    settings
        Of the study.
    data_hash
        Of the study's cycles, all channels.
    diverged
        Seeds whose training diverged, by EMG name.
    arithmetic
        What of JAX's arithmetic is not the default.
    fits
        Fitted methods of the leaderboard.
    """
    known, lost = (held_out(results, floors(cycles)) if results is not None else {}), diverged or {}
    own = of_people(results) if results is not None else {}
    channels = cycles.channel.values.tolist()
    outputs = tuple(
        _output(cycles, channels.index(name), lost.get(name, ()), known.get(name), own.get(name)) for name in names
    )
    read = cycles if training.reads == ALL else cycles.isel(muscle=_read_by(cycles, training.reads))
    origin = _origin(cycles, data_hash)
    reach = _reach(read)
    return Manifest(
        origin,
        training,
        _gait_cycle(cycles, settings),
        _inputs(read, reach),
        outputs,
        _versions() | ({"arithmetic": arithmetic} if arithmetic else {}),
        _warning(origin, training),
        fits=fits,
        reach=reach.told if reach else None,
        verdict=None if results is None else verdict(cycles, results),
    )


def verdict(cycles: xr.Dataset, results: xr.Dataset) -> Verdict | None:
    """Return whether a method is shown to beat the mean curve on those left out; None of the mean curve itself."""
    curve = MeanCurve()
    if results.attrs["condition"] == curve.name:
        return None
    flat = evaluate(cycles.sel(channel=results.channel.values), curve)
    return shown_to_beat(errors(results, ensemble=True), errors(flat))


def _warning(origin: Origin, training: Training) -> str:
    alone = len(origin.subjects) == len(origin.speeds) == 1
    told = {
        SYNTHETIC: origin.synthetic,
        ONE_SPEED: alone,
        OTHER_CYCLES: alone and training.held_out_by == BLOCK,
    }
    return " ".join(text for text, true in told.items() if true)


def _read_by(cycles: xr.Dataset, reads: str) -> NDArray[np.intp]:
    """Places of the muscles that EMG was measured of, or of all of their legs, in the order of the activation files."""
    own_muscle(cycles)  # tells which is missing
    if reads == OWN:
        return np.flatnonzero(np.isin(cycles.muscle.values, cycles.target.values))
    legs = [same_leg(target, cycles.muscle.values.tolist()) for target in cycles.target.values.tolist()]
    return np.flatnonzero(np.any(legs, axis=0))


def _inputs(cycles: xr.Dataset, reach: Reach | None) -> tuple[Input, ...]:
    values = cycles.activation_waveform.transpose(..., "muscle").values.reshape(-1, cycles.sizes["muscle"])
    ends = zip(cycles.muscle.values, values.min(axis=0), values.max(axis=0), strict=True)
    inputs = [Input(str(name), float(low), float(high)) for name, low, high in ends]
    if reach is None:
        return tuple(inputs)
    curves = zip(inputs, reach.mean.T, reach.spread.T, strict=True)
    return tuple(replace(own, mean=_short(mean), spread=_short(spread)) for own, mean, spread in curves)


def _short(curve: Array) -> tuple[float, ...]:
    """Five digits, which a curve of activation never has, keep the file small."""
    return tuple(float(f"{value:.5g}") for value in curve)


def _reach(cycles: xr.Dataset) -> Reach | None:
    """How far others may be from these cycles, by what evaluation leaves out; None where there is too little."""
    try:
        folds = leave_one_out(cycles)
    except Nem2eError:  # one recording with too few cycles
        return None
    activation = cycles.activation.transpose("cycle", "sample", "muscle").values.astype(np.float64)
    return learn(activation, (cycles.end_s - cycles.start_s).values, folds.of_cycle, folds.unit)


def _output(
    cycles: xr.Dataset, channel: int, diverged: tuple[int, ...], error: HeldOut | None, own: Priors | None
) -> Output:
    one = cycles.isel(channel=channel)
    low, high = float(one.emg_waveform.min()), float(one.emg_waveform.max())
    electrode = str(one.electrode.values) if "electrode" in one.coords else str(one.channel.values)
    return Output(str(one.channel.values), str(one.target.values), electrode, low, high, 0.0, diverged, error, own)


def _gait_cycle(cycles: xr.Dataset, settings: Settings) -> GaitCycle:
    seconds = (cycles.end_s - cycles.start_s).values
    return GaitCycle(
        str(cycles.attrs.get("cycle_definition", settings.cycle)),
        settings.threshold_n,
        settings.min_stance_s,
        settings.min_swing_s,
        str(cycles.attrs.get("resampling", settings.resampling)),
        cycles.sizes["sample"],
        cycles.sizes["phase"],
        float(seconds.min()),
        float(seconds.max()),
    )


def _origin(cycles: xr.Dataset, key: str) -> Origin:
    facts = cycles.attrs
    texts = {name: str(facts.get(name, "")) for name in ("study", "motion", "simulated_by", "citation", "licence")}
    return Origin(
        synthetic=bool(facts["synthetic"]),
        emg=str(facts.get("emg_processing", "envelopes as the study's files give them")),
        subjects=tuple(np.unique(cycles.subject.values.astype(str)).tolist()),
        speeds=tuple(np.unique(circumstances(cycles)).tolist()),
        cycles=cycles.sizes["cycle"],
        data_hash=key,
        **texts,
    )


def _versions() -> dict[str, str]:
    return {
        **{name: version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
        "engine": ENGINE_VERSION,
    }


def left_out(results: xr.Dataset | None) -> tuple[str, int]:
    """Return what was left out one by one, and how many of these; nothing where the error is not known."""
    return ("", 0) if results is None else (str(results.attrs["unit"]), results.sizes["fold"])


def held_out(results: xr.Dataset, lowest: Mapping[str, float] | None = None) -> dict[str, HeldOut]:
    """Return the held-out error of every muscle of a trained condition.

    Parameters
    ----------
    results
        A trained condition (see the architecture page), each prediction by a model that had not seen its unit. The
        mean over seeds counts as the prediction, as `Refiner` gives it.
    lowest
        By EMG name, what is never fallen below by a refined recording, whose band this is; see `floors`.

    Returns
    -------
    dict
        EMG name to `HeldOut`. Units (subjects, speeds of one, or blocks of cycles at one speed) count alike, whatever
        their cycles.
    """
    table = errors(results, ensemble=True)
    found = {}
    for name in map(str, results.channel.values):
        rows, own = table[table["muscle"] == name], of_channel(results, name).expand_dims("channel")
        squares = unit_squares(own, 0)
        rate = one_sample(rows["er"].to_numpy())
        found[name] = HeldOut(
            float(rows["rmse_opensim"].mean()),
            float(rows["rmse_refined"].mean()),
            known(rate.mean),
            known(rate.ci_low),
            known(rate.ci_high),
            tuple(np.sqrt(squares.mean(axis=0)).tolist()),
            coverage(own, 0, squares),
            between_seeds(own.refined.isel(channel=0).transpose("seed", "cycle", "sample").values),
            int(rows["diverged"].sum()),
            len(rows),
            band(*residuals(results, name, (lowest or {}).get(name, -math.inf)), str(results.attrs["unit"])),
        )
    return found


def band(off: Array, unit: NDArray[np.intp], kind: str, level: float = LEVEL) -> Band | None:
    """Return the band that residuals of those left out give, and what such bands cover of them.

    Parameters
    ----------
    off, unit
        As `residuals` returns them.
    kind
        Of unit: subject, speed or block.
    level
        Nominal share of samples within.

    Returns
    -------
    Band or None
        None where there is no such band: with one unit, where one is off and the others are not at all, or where a
        prediction is no finite number.
    """
    if not np.isfinite(off).all():
        return None
    width, units = half_width(off, unit, level), len(np.unique(unit))
    if not np.isfinite(width).all():
        return None
    note = ""
    if units < needed(level):
        said = units_said(units, kind)
        note = f"{said} are fewer than the {needed(level)} from which on any rule could promise {percent(level)}."
    levels = sorted({level, *LEVELS})
    shares = inside(off, unit, levels)  # units, levels, samples
    if not np.isfinite(shares).all():
        return Band(level, tuple(width.tolist()), note=f"{note} What it covers cannot be measured on them.".strip())
    calibration = []
    for nominal, of_unit in zip(levels, shares.mean(axis=2).T, strict=True):
        test = one_sample(of_unit)
        ends = (max(test.ci_low, 0.0), min(test.ci_high, 1.0))
        calibration.append(Calibration(nominal, float(of_unit.mean()), *map(known, ends)))
    by_phase = shares[:, levels.index(level)].mean(axis=0)
    return Band(level, tuple(width.tolist()), tuple(calibration), tuple(by_phase.tolist()), note)


def floors(cycles: xr.Dataset) -> dict[str, float]:
    """Return below what refined activity is never given, by EMG name: 0 where training EMG never was negative."""
    low = cycles.emg_waveform.min([dim for dim in cycles.emg_waveform.dims if dim != "channel"])
    return {
        str(name): 0.0 if value >= 0 else -math.inf for name, value in zip(low.channel.values, low.values, strict=True)
    }


def residuals(results: xr.Dataset, name: str, floor: float = -math.inf) -> tuple[Array, NDArray[np.intp]]:
    """Return measured minus refined EMG of a muscle, of those left out, and the unit of each cycle.

    Parameters
    ----------
    results
        A trained condition; the mean over seeds counts as the prediction, as `Refiner` gives it.
    name
        EMG name.
    floor
        What lies below is set to this, as a refined recording does.

    Returns
    -------
    residuals, unit
        Shapes (cycles, samples) and (cycles,), of the cycles in which the muscle was measured.
    """
    own = of_channel(results, name)
    off = own.measured - own.refined.mean("seed").clip(min=floor)
    return np.asarray(off.transpose("cycle", "sample").values, np.float64), own.fold_of_cycle.values


def of_people(results: xr.Dataset) -> dict[str, Priors]:
    """Return how those left out differ from what is refined, by EMG name: what `adapting` shrinks by.

    Parameters
    ----------
    results
        A trained condition, as for `held_out`.
    """
    seen = {name: left_out_cycles(of_channel(results, name)) for name in map(str, results.channel.values)}
    stages = paying(list(seen.values()))
    return {name: priors(cycles, stages) for name, cycles in seen.items()}


def left_out_cycles(one: xr.Dataset) -> Seen:
    """Return the held-out cycles of one muscle, as `of_channel` gives it; the mean over seeds counts."""
    curves = (one.refined.mean("seed"), one.measured)
    refined, measured = (each.transpose("cycle", "sample").values.astype(float) for each in curves)
    lasts = (one.end_s - one.start_s).values.astype(float)
    return Seen(refined, measured, lasts, one.fold.values.astype(str)[one.fold_of_cycle.values], circumstances(one))


def unit_squares(results: xr.Dataset, channel: int) -> Array:
    """Mean squared error of the mean over seeds, by held-out unit and sample, shape (units, samples)."""
    squares = _errors(results, channel) ** 2
    of_cycle = results.fold_of_cycle.values
    return np.stack([squares[of_cycle == unit].mean(axis=0) for unit in np.unique(of_cycle)])


def coverage(results: xr.Dataset, channel: int, squares: Array) -> float | None:
    """Share of held-out samples within the band that the other units' errors give, the mean over units."""
    of_cycle, distance = results.fold_of_cycle.values, np.abs(_errors(results, channel))
    if len(squares) < 2:
        return None
    shares = []
    for row, unit in enumerate(np.unique(of_cycle)):
        band = np.sqrt(np.delete(squares, row, axis=0).mean(axis=0))
        shares.append(float((distance[of_cycle == unit] <= band).mean()))
    return float(np.mean(shares))


def between_seeds(refined: Array) -> tuple[float, ...] | None:
    """Standard deviation between seeds (ddof 1) at each sample, root mean square over cycles; None with one seed.

    Parameters
    ----------
    refined
        Shape (seeds, cycles, samples).
    """
    if len(refined) < 2:
        return None
    return tuple(np.sqrt(refined.var(axis=0, ddof=1).mean(axis=0)).tolist())


def known(value: float) -> float | None:
    """The number, or None where it is not one."""
    return float(value) if math.isfinite(value) else None


def _errors(results: xr.Dataset, channel: int) -> Array:
    one = results.isel(channel=channel)
    difference = one.refined.mean("seed") - one.measured
    return np.asarray(difference.transpose("cycle", "sample").values, np.float64)
