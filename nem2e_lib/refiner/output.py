"""What a refined recording leaves: ``refined.sto`` for OpenSim, its band beside it, and the table of cycles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from nem2e_lib.data.cycles import EDGE_S
from nem2e_lib.data.files import replacing
from nem2e_lib.data.storage import Storage, write_storage
from nem2e_lib.errors import Nem2eError
from nem2e_lib.refiner.apply import Refined

Array = NDArray[np.float64]

RESTS = ("simulated", "nan")
MARK = "refined"
"""Column that is 1 in refined cycles and 0 elsewhere."""
BAND, CYCLES = "_band.sto", "_cycles.csv"


def save(refined: Refined, path: Path, rest: str = RESTS[0]) -> list[Path]:
    """Write ``NAME.sto``, ``NAME_band.sto`` and ``NAME_cycles.csv``, each whole or not at all; return their paths.

    Raises
    ------
    Nem2eError
        If `rest` is unknown, or a file cannot be written.
    """
    require_writable(path, rest)
    paths = files_of(path)
    tables = [refined_storage(refined, rest), band_storage(refined)]
    for where, table in zip(paths, tables, strict=False):
        write_storage(where, table)
    with replacing(paths[2]) as temporary:
        refined.table().to_csv(temporary, index=False, lineterminator="\n")
    return paths


def files_of(path: Path) -> list[Path]:
    """What `save` writes: refined activity, its band, the table of cycles."""
    return [path, path.with_name(path.stem + BAND), path.with_name(path.stem + CYCLES)]


def require_writable(path: Path, rest: str = RESTS[0], inputs: Iterable[Path | None] = ()) -> None:
    """Refuse what `save` could not write, or should not, before anything is worked out.

    Raises
    ------
    Nem2eError
        If `rest` is unknown, the name is that of a folder, in no folder or of another kind of file, or a file would be
        written over one of `inputs`.
    """
    require_rest(rest)
    if path.is_dir():
        raise Nem2eError(f"{path}: is a folder, but the name of a file to write is expected.")
    if not path.absolute().parent.is_dir():
        raise Nem2eError(f"{path}: there is no folder {path.parent}; make it first.")
    if path.suffix.lower() not in (".sto", ".mot"):
        raise Nem2eError(f"{path}: OpenSim knows .sto and .mot files, but neither ends this name; give it one.")
    read = {each.resolve() for each in inputs if each is not None}
    over = [each for each in files_of(path) if each.resolve() in read]
    if over:
        raise Nem2eError(f"{over[0]}: is read, so it cannot be written too; give --out another name.")


def require_rest(rest: str) -> None:
    """Refuse an unknown way to fill what was not refined."""
    if rest not in RESTS:
        raise Nem2eError(f"rest is {rest!r}, expected {' or '.join(RESTS)}; choose one.")


def refined_storage(refined: Refined, rest: str = RESTS[0]) -> Storage:
    """Refined activity over the recording's own time, with a column `refined` that is 1 where it was refined.

    Parameters
    ----------
    refined
        A refined recording.
    rest
        ``simulated``: every column of the recording, the refined muscles replaced within refined cycles. ``nan``: the
        refined muscles alone, not a number outside; OpenSim's tables read that, its plots stop at the first such row.

    Raises
    ------
    Nem2eError
        If `rest` is unknown.
    """
    require_rest(rest)
    curves = over_time(refined, refined.mean.transpose("channel", "cycle", "sample").values)
    inside, labels = is_inside(refined), output_labels(refined)
    mark = inside.astype(np.float64)[:, None]
    if rest == "nan":
        return _storage(refined, (*labels, MARK), refined.read.time, np.hstack([curves, mark]), rest)
    own = [label for label in refined.source.labels if label not in labels]
    of = {muscle: refined.read.values[:, row] for row, muscle in enumerate(refined.manifest.muscles)}
    simulated = np.column_stack([of[out.muscle] for out in refined.manifest.outputs])
    columns = dict(zip(labels, np.where(inside[:, None], curves, simulated).T, strict=True))
    columns |= {label: refined.source.column(label) for label in own}
    order = [*refined.source.labels, *(label for label in labels if label not in refined.source.labels)]
    values = np.column_stack([*(columns[label] for label in order), mark])
    return _storage(refined, (*order, MARK), refined.read.time, values, rest)


def band_storage(refined: Refined) -> Storage:
    """How far refined activity may be off, at the recording's times within refined cycles.

    For each muscle `<label>_low` and `<label>_high`, refined activity ± its held-out error at that phase of the cycle;
    `<label>_held_out`, that root mean square error; `<label>_between_seeds`, the standard deviation between seeds. What
    is not known of a refiner has no column.
    """
    mean = refined.mean.transpose("channel", "cycle", "sample").values
    error = np.stack([_by_phase(refined, index, mean.shape[1:]) for index in range(len(mean))])
    seeds = refined.spread.transpose("channel", "cycle", "sample").values
    curve, off, spread = (over_time(refined, each) for each in (mean, error, seeds))
    columns = {"low": curve - off, "high": curve + off, "held_out": off, "between_seeds": spread}
    labels = np.array([f"{label}_{what}" for label in output_labels(refined) for what in columns])
    inside = is_inside(refined)
    values = np.stack(list(columns.values()), axis=2).reshape(len(curve), -1)[inside]
    known = np.isfinite(values).all(axis=0)
    time = refined.read.time[inside]
    return _storage(refined, tuple(labels[known].tolist()), time, values[:, known], "", "band of refined activity")


def is_inside(refined: Refined) -> NDArray[np.bool_]:
    """Rows of the recording that lie in a refined cycle, both ends included."""
    time = refined.read.time
    return np.any([(time >= s.start_s - EDGE_S) & (time <= s.end_s + EDGE_S) for s in refined.refined], axis=0)


def over_time(refined: Refined, curves: Array) -> Array:
    """Curves of cycles laid over the recording's time without overshoot (monotone cubic, Fritsch & Carlson 1980).

    Parameters
    ----------
    refined
        The recording.
    curves
        Shape (channels, cycles, samples).

    Returns
    -------
    NDArray
        Shape (rows, channels), NaN outside refined cycles. Where a cycle ends as the next begins, the next counts.
    """
    time, phases = refined.read.time, refined.mean.sample.values
    values = np.full((len(time), len(curves)), np.nan)
    for cycle, span in enumerate(refined.refined):
        rows = (time >= span.start_s - EDGE_S) & (time <= span.end_s + EDGE_S)
        at = np.clip((time[rows] - span.start_s) / (span.end_s - span.start_s) * 100, phases[0], phases[-1])
        if np.isfinite(curves[:, cycle]).all():
            values[rows] = PchipInterpolator(phases, curves[:, cycle], axis=1)(at).T
        else:
            values[rows] = _where_known(phases, curves[:, cycle], at)
    return values


def _where_known(phases: Array, curves: Array, at: Array) -> Array:
    values = np.full((len(at), len(curves)), np.nan)
    for column, curve in enumerate(curves):
        if np.isfinite(curve).all():
            values[:, column] = PchipInterpolator(phases, curve)(at)
    return values


def output_labels(refined: Refined) -> list[str]:
    """Column of every refined muscle: the recording's own label, with the EMG name where two share a muscle."""
    by_muscle = dict(zip(refined.manifest.muscles, refined.read.labels, strict=True))
    muscles = [out.muscle for out in refined.manifest.outputs]
    return [
        by_muscle[out.muscle] if muscles.count(out.muscle) == 1 else f"{by_muscle[out.muscle]}_{out.name}"
        for out in refined.manifest.outputs
    ]


def _by_phase(refined: Refined, channel: int, shape: tuple[int, ...]) -> Array:
    told = refined.manifest.outputs[channel].held_out
    return np.full(shape, np.nan) if told is None else np.broadcast_to(np.array(told.by_phase), shape)


def _storage(
    refined: Refined, labels: tuple[str, ...], time: Array, values: Array, rest: str, what: str = "refined activity"
) -> Storage:
    synthetic = "SYNTHETIC " if refined.synthetic else ""
    origin, training = refined.manifest.origin, refined.manifest.training
    told = {"nem2e_refiner": f"{origin.study}, {training.condition}, data {origin.data_hash[:12]}"}
    if rest:
        told["nem2e_outside_cycles"] = "not a number" if rest == "nan" else "as simulated; there column refined is 0"
    return Storage(synthetic + what, labels, time, values, False, told)
