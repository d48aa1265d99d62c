"""A refined recording: what came out, how far it may be off, what a reader must know, and the files it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from nem2e_lib.data.files import write_text
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.trials import EDGE_S
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.spans import Span

# --- What a reader of a refined recording must know: what is odd about it, and what the refiner cannot vouch for ---

BEYOND = 0.25
"""Share of the training range by which activation may leave it before it is told."""
SHORTER, LONGER = 0.8, 1.25
"""Of the shortest and the longest training cycle."""


def notes_on(
    manifest: Manifest, storage: Storage, read: Storage, spans: Sequence[Span], curves: xr.DataArray, *, told: bool
) -> tuple[str, ...]:
    """Return the notes on a refined recording, the gravest first.

    Parameters
    ----------
    manifest
        Of the refiner.
    storage, read
        The recording, and what was read of it.
    spans
        Its cycles.
    curves
        What came out, dims (seed, channel, cycle, sample).
    told
        Whether the definition of the cycles is known, not only assumed.
    """
    return (
        *_synthetic(manifest, storage),
        *_skipped(spans),
        *_durations(manifest, spans),
        *_beyond(manifest, read, spans),
        *_definition(manifest, told),
        *_error_unknown(manifest),
        *_diverged(manifest),
        *_negative(manifest, curves),
    )


def _synthetic(manifest: Manifest, storage: Storage) -> Iterator[str]:
    if manifest.warning:
        real = "SYNTHETIC" not in storage.name
        yield manifest.warning + (" This recording does not say that it is SYNTHETIC." if real else "")


def _skipped(spans: Sequence[Span]) -> Iterator[str]:
    for span in spans:
        if span.reason:
            yield f"Cycle {span.number}, {span.start_s:.6g} to {span.end_s:.6g} s, was not refined: {span.reason}."


def _durations(manifest: Manifest, spans: Sequence[Span]) -> Iterator[str]:
    shortest, longest = manifest.cycle.shortest_s, manifest.cycle.longest_s
    odd = [
        span
        for span in spans
        if not span.reason and not SHORTER * shortest <= span.end_s - span.start_s <= LONGER * longest
    ]
    if odd:
        yield (
            f"{len(odd)} of the cycles last unlike those of training ({shortest:.3g} to {longest:.3g} s), such as "
            f"cycle {odd[0].number} with {odd[0].end_s - odd[0].start_s:.3g} s: is this {manifest.origin.motion}, "
            f"and do they run {manifest.cycle.definition}?"
        )


def _beyond(manifest: Manifest, read: Storage, spans: Sequence[Span]) -> Iterator[str]:
    inside = np.any([(read.time >= s.start_s) & (read.time <= s.end_s) for s in spans if not s.reason], axis=0)
    if not inside.any():
        return
    low, high = (np.array([getattr(told, end) for told in manifest.inputs]) for end in ("low", "high"))
    values = read.values[inside]
    excess = np.maximum(values.max(axis=0) - high, low - values.min(axis=0)) / np.maximum(high - low, 0.05)
    worst = int(excess.argmax())
    count = int((excess > BEYOND).sum())
    if count:
        yield (
            f"{count} of {len(excess)} muscles leave the range that they had in training, most of all "
            f"{manifest.inputs[worst].muscle} ({values[:, worst].min():.3g} to {values[:, worst].max():.3g}; in "
            f"training {low[worst]:.3g} to {high[worst]:.3g}): the refiner extrapolates."
        )


def _definition(manifest: Manifest, told: bool) -> Iterator[str]:
    if not told:
        yield f"The cycles given are taken to run {manifest.cycle.definition}, as those of training did."


def _error_unknown(manifest: Manifest) -> Iterator[str]:
    if all(out.held_out is None for out in manifest.outputs):
        yield "The refiner's error on people whom it has not seen is unknown: nobody was left out in training."
    if len(manifest.training.seeds) < 2:
        yield "The refiner has one seed, so there is no spread between seeds."


def _diverged(manifest: Manifest) -> Iterator[str]:
    for out in manifest.outputs:
        if out.diverged:
            yield f"{out.name}: training diverged with seed(s) {', '.join(map(str, out.diverged))}, which are left out."


def _negative(manifest: Manifest, curves: xr.DataArray) -> Iterator[str]:
    mean = curves.mean("seed")
    shares = {
        out.name: float((mean.isel(channel=index) < 0).mean())
        for index, out in enumerate(manifest.outputs)
        if out.emg_low >= 0
    }
    worst = max(shares, key=lambda name: shares[name], default=None)
    if worst is not None and shares[worst] > 0:
        yield (
            f"Refined samples below 0 were set to 0, since EMG envelopes are not negative: {worst} most often, "
            f"{shares[worst]:.1%} of its samples."
        )


# --- What came out ---


@dataclass(frozen=True, eq=False)
class Refined:
    """A recording and its refined activity.

    Attributes
    ----------
    manifest : Manifest
        Of the refiner.
    name : str
        Of the recording.
    source : Storage
        The recording, every column.
    read : Storage
        What the refiner read of it, in its order.
    spans : list of Span
        Every cycle; those with a reason were not refined.
    cycles : Dataset
        The refined cycles as the networks read them.
    curves : DataArray
        What every seed made of them, dims (seed, channel, cycle, sample), as it came out.
    notes : tuple of str
        What a reader of the result must know.
    """

    manifest: Manifest
    name: str
    source: Storage
    read: Storage
    spans: list[Span]
    cycles: xr.Dataset
    curves: xr.DataArray
    notes: tuple[str, ...]

    @property
    def refined(self) -> list[Span]:
        """The cycles that were refined."""
        return [span for span in self.spans if not span.reason]

    @property
    def synthetic(self) -> bool:
        """Whether the refiner or the recording is synthetic."""
        return self.manifest.synthetic or is_synthetic(self.source)

    @cached_property
    def mean(self) -> xr.DataArray:
        """The prediction: mean over seeds, dims (channel, cycle, sample), not below 0 where EMG cannot be."""
        mean = self.curves.mean("seed")
        floors = [0.0 if out.emg_low >= 0 else -np.inf for out in self.manifest.outputs]
        return mean.clip(min=xr.DataArray(floors, dims="channel", coords={"channel": mean.channel}))

    @cached_property
    def spread(self) -> xr.DataArray:
        """Standard deviation between seeds (ddof 1), same dims; NaN with one seed."""
        if self.curves.sizes["seed"] < 2:
            return self.mean * np.nan
        return self.curves.std("seed", ddof=1)

    def table(self) -> pd.DataFrame:
        """Every cycle: number, start_s, end_s, refined, reason."""
        rows = [
            {"cycle": s.number, "start_s": s.start_s, "end_s": s.end_s, "refined": not s.reason, "reason": s.reason}
            for s in self.spans
        ]
        return pd.DataFrame(rows)

    def storage(self, rest: str = "simulated") -> Storage:
        """Refined activity over the recording's own time; see `refined_storage`."""

        return refined_storage(self, rest)

    def save(self, path: str | Path, rest: str = "simulated") -> list[Path]:
        """Write refined activity, its band and the table of cycles; see `save`."""

        return save(self, Path(path), rest)

    def facts(self) -> dict[str, Any]:
        """What a program may want to know, ready for JSON."""
        return {
            "recording": self.name,
            "synthetic": self.synthetic,
            "muscles": {out.name: out.muscle for out in self.manifest.outputs},
            "refined_cycles": len(self.refined),
            "cycles": self.table().to_dict("records"),
            "notes": list(self.notes),
        }


def is_synthetic(storage: Storage) -> bool:
    """Whether a file says in its first line that it is synthetic, as those of this project do."""
    return "SYNTHETIC" in storage.name


# --- What a refined recording leaves: ``refined.sto`` for OpenSim, its band beside it, and the table of cycles ---

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
    write_text(paths[2], refined.table().to_csv(index=False, lineterminator="\n"))
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
