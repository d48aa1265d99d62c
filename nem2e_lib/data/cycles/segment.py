"""Trials cut into gait cycles: one labelled array set, which every later stage reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.cycles.find import find_cycles, first_reason
from nem2e_lib.data.cycles.normalise import normalised
from nem2e_lib.data.emg.processing import OF_CYCLES
from nem2e_lib.data.emg.table import EmgTable
from nem2e_lib.data.files import write_text
from nem2e_lib.data.netcdf import dataset_hash, load_dataset, save_dataset
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.study import Study
from nem2e_lib.error import Nem2eError

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

VARIABLES = {
    "activation": ("cycle", "sample", "muscle"),
    "emg": ("cycle", "sample", "channel"),
    "activation_waveform": ("cycle", "phase", "muscle"),
    "emg_waveform": ("cycle", "phase", "channel"),
}
"""Variables of segmented cycles and what they run over."""
BESIDE = "beside"
"""The variable that joins them where ``trials.csv`` names files of inputs beside activation: (cycle, sample, input)."""
CYCLE_COORDS = ("subject", "speed", "speed_m_s", "trial", "number", "start_s", "end_s")
"""Coordinates on `cycle`, beside its own."""
CONDITION = "condition"
"""The coordinate that joins them where ``trials.csv`` has such a column."""


def cycle_coords(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the coordinates on `cycle` that a dataset has: `CYCLE_COORDS`, and the condition where it is told."""
    return (*CYCLE_COORDS, CONDITION) if CONDITION in dataset.coords else CYCLE_COORDS


def recorded(values: xr.DataArray) -> NDArray[np.bool_]:
    """Return which channels were recorded in which cycles, shape (channels, cycles).

    Parameters
    ----------
    values
        EMG with the dims channel, cycle and sample; all samples are NaN where the channel was not recorded.
    """
    return ~np.isnan(values.transpose("channel", "cycle", "sample").values).all(axis=-1)


def circumstances(dataset: xr.Dataset) -> NDArray[np.str_]:
    """Return the speed of each cycle, with its condition where that is told; an error is a mean over these."""
    speeds = dataset.speed.values.astype(str)
    if CONDITION not in dataset.coords:
        return speeds
    pairs = zip(speeds.tolist(), dataset[CONDITION].values.astype(str).tolist(), strict=True)
    return np.array([", ".join(filter(None, pair)) for pair in pairs])


def segment(study: Study, samples: int = 20, phases: int = 101) -> tuple[xr.Dataset, pd.DataFrame]:
    """Cut a study into gait cycles and resample each.

    Values are linear between the raw samples, without a filter, at `samples` points spread evenly from 0 to
    100 % of the cycle, both ends included: with 20 points, 50 % falls between the tenth and the eleventh. Where
    ``study.toml`` says ``resampling = "mean"``, each point is instead the mean around it (`resample`).

    Parameters
    ----------
    study : Study
    samples, phases : int
        Points of a cycle for training and for waveforms.

    Returns
    -------
    dataset : Dataset
        The content of ``cycles.nc`` (docs/architecture.md): activation and emg over (cycle, sample), and both
        as waveforms over (cycle, phase). EMG is NaN where a trial does without the channel. Where ``trials.csv`` names
        files of angles, moments and the like, `beside` has them over (cycle, sample, input).
    report : DataFrame
        Every cycle kept or skipped, as `find_cycles` returns it.

    Raises
    ------
    Nem2eError
        If no cycle can be kept, or a signal is unreadable or not finite.
    """
    if min(samples, phases) < 2:
        raise Nem2eError(f"samples={samples} and phases={phases}: at least 2 points a cycle are expected.")
    targets, report = study.targets, find_cycles(study)
    kept = report[report["kept"]]
    if kept.empty:
        raise Nem2eError(
            f"{study.folder}: no complete gait cycle in any of {len(study.trials)} trials; "
            f"trial {report['trial'][0]!r}: {first_reason(report)}."
        )
    points = {"sample": np.linspace(0, 100, samples), "phase": np.linspace(0, 100, phases)}
    signals = {"muscle": study.activation, "channel": normalised(study, report)}
    arrays = {
        name: (dims, _stack(signals[dims[2]], kept, points[dims[1]], study.settings.resampling))
        for name, dims in VARIABLES.items()
    }
    names = {"muscle": list(study.muscles), "channel": list(study.channels)}
    coords = points | names | _cycle_coords(study, kept) | _channel_coords(study, targets)
    import xarray as xr  # loaded where it is used: a study is checked without

    dataset = xr.Dataset(arrays, coords=coords, attrs=_attributes(study, report))
    return (_with_beside(dataset, study, kept) if study.input_sets else dataset), report


def save_cycles(dataset: xr.Dataset, path: str | Path) -> None:
    """Write segmented cycles as NetCDF 3: whole or not at all, the same bytes for the same data.

    Raises
    ------
    Nem2eError
        If the folder does not exist or cannot be written.
    """
    save_dataset(dataset, path)


def load_cycles(path: str | Path) -> xr.Dataset:
    """Read segmented cycles.

    Raises
    ------
    Nem2eError
        If the file is missing, damaged, or holds something else.
    """
    dataset = load_dataset(path)
    for name, dims in VARIABLES.items():
        if name not in dataset or dataset[name].dims != dims:
            raise Nem2eError(f"{path}: no variable {name!r} over {', '.join(dims)}; segment the study again.")
    return dataset


def data_hash(dataset: xr.Dataset) -> str:
    """Return the SHA-256 (hex) of the content: the same before saving and after loading."""
    return dataset_hash(dataset)


def save_report(report: pd.DataFrame, path: str | Path) -> None:
    """Write the report of `segment` as CSV; Nem2eError if the folder cannot be written."""
    write_text(path, report.to_csv(index=False, lineterminator="\n"))


def skipped(report: pd.DataFrame) -> list[str]:
    """Return a line a trial and reason on the cycles of a report that were skipped."""
    lines = []
    for (trial, reason), rows in report[~report["kept"]].groupby(["trial", "reason"], sort=False):
        numbers = rows["number"].to_numpy()
        ends = np.flatnonzero(np.diff(numbers) != 1)
        runs = zip(numbers[[0, *(ends + 1)]].tolist(), numbers[[*ends, -1]].tolist(), strict=True)
        some = ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in runs)
        lines.append(f"skipped: trial {trial}, cycle{'s' * (len(numbers) > 1)} {some}: {reason}")
    return lines


def resample(
    signal: Storage | EmgTable, start_s: float, end_s: float, number: int, points: Array, method: str = "linear"
) -> Array:
    """Return the values of one cycle at `points` (%), shape (points, columns).

    ``linear``: on straight lines between the samples, as the paper thins. ``mean``: the mean of those lines over
    one spacing of points around each, cut where the signal ends; exact at any, even uneven, steps. It lets
    nothing fast pose as something slow, and damps what passes: by sinc(f · spacing). Cycle tables are linear.
    """
    if isinstance(signal, EmgTable):
        return signal.waveform(number, points)
    time = start_s + (end_s - start_s) * points / 100
    if method == "mean":
        return _means(signal, time)
    return np.column_stack([np.interp(time, signal.time, column) for column in signal.values.T])


def _means(signal: Storage, time: Array) -> Array:
    half = (time[1] - time[0]) / 2
    low, high = (np.clip(time + side, signal.time[0], signal.time[-1]) for side in (-half, half))
    edges = np.union1d(np.concatenate([low, high]), signal.time)
    steps = np.diff(edges)[:, None]
    values = np.column_stack([np.interp(edges, signal.time, column) for column in signal.values.T])
    area = np.vstack([np.zeros(values.shape[1]), np.cumsum(steps * (values[1:] + values[:-1]) / 2, axis=0)])
    first, last = np.searchsorted(edges, low), np.searchsorted(edges, high)
    return np.asarray((area[last] - area[first]) / (high - low)[:, None], np.float64)


def _stack(read: Callable[[str], Any], kept: pd.DataFrame, points: Array, method: str) -> Array:
    rows = zip(kept["trial"], kept["start_s"], kept["end_s"], kept["number"], strict=True)
    return np.stack([resample(read(trial), start, end, number, points, method) for trial, start, end, number in rows])


def _with_beside(dataset: xr.Dataset, study: Study, kept: pd.DataFrame) -> xr.Dataset:
    """Join what trials tell beside activation: each input with its set and unit."""
    names, sets, units, parts = list[str](), list[str](), list[str](), list[Array]()
    for which, unit in study.input_sets.items():
        labels = study.beside(study.trials[0].name, which).labels
        names, sets, units = names + list(labels), sets + [which] * len(labels), units + [unit] * len(labels)
        read = partial(study.beside, which=which)
        parts.append(_stack(read, kept, dataset.sample.values, study.settings.resampling))
    coords = {"input": names, "input_set": ("input", sets), "input_unit": ("input", units)}
    return dataset.assign({BESIDE: (("cycle", "sample", "input"), np.concatenate(parts, axis=-1))}).assign_coords(
        coords
    )


def _cycle_coords(study: Study, kept: pd.DataFrame) -> dict[str, Any]:
    speeds = [study.trial(name).speed_m_s for name in kept["trial"]]
    return {
        "cycle": np.arange(len(kept), dtype=np.int32),
        **{name: ("cycle", kept[name].to_numpy(dtype=str)) for name in ("subject", "speed", "trial")},
        **({CONDITION: ("cycle", kept[CONDITION].to_numpy(dtype=str))} if study.has_conditions else {}),
        "speed_m_s": ("cycle", np.array(speeds)),
        "number": ("cycle", kept["number"].to_numpy(dtype=np.int32)),
        **{name: ("cycle", kept[name].to_numpy(dtype=np.float64)) for name in ("start_s", "end_s")},
    }


def _channel_coords(study: Study, targets: tuple[str, ...]) -> dict[str, Any]:
    electrodes = [study.settings.electrodes[name] for name in study.channels]
    return {"target": ("channel", list(targets)), "electrode": ("channel", electrodes)}


def _attributes(study: Study, report: pd.DataFrame) -> dict[str, Any]:
    settings = study.settings
    told = {} if settings.resampling == "linear" else {"resampling": settings.resampling}
    if settings.emg_processing is not None:
        told["emg_processing"] = str(settings.emg_processing) + (
            ", each leg's electrodes alone" if _by_leg(study) else ""
        )
    return told | {
        "study": settings.name,
        "motion": settings.motion,
        "simulated_by": settings.simulated_by,
        "cycle_definition": settings.cycle,
        "synthetic": np.int32(settings.synthetic),
        "citation": settings.citation,
        "licence": settings.licence,
        "kept": np.int32(report["kept"].sum()),
        "skipped": np.int32((~report["kept"]).sum()),
    }


def _by_leg(study: Study) -> bool:
    """Whether the maximum of somebody's EMG is taken leg by leg."""
    wearers = {trial.wearer for trial in study.trials}
    processing = study.settings.emg_processing
    of_cycles = processing is not None and processing.normalise in OF_CYCLES
    return of_cycles and len(wearers) > len({subject for subject, _ in wearers})
