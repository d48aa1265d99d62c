"""A refined recording: what came out, how far it may be off, the files it leaves, and what a reader must know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.files import require_writable, write_text
from nem2e_lib.data.limits import TOLERANCE, beside, listed
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.trials import EDGE_S
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import outside
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.reach import Distances
from nem2e_lib.refiner.recording import cut, limits, renamed, with_names
from nem2e_lib.refiner.spans import Span

Array = NDArray[np.float64]

RESTS = ("simulated", "nan")
"""What may stand outside refined cycles."""
MARK = "refined"
"""Column that is 1 in refined cycles and 0 elsewhere."""
BAND, CYCLES = "_band.sto", "_cycles.csv"
BEYOND = 0.25
"""Share of the training range by which activation may leave it before it is told."""
SHORTER, LONGER = 0.8, 1.25
"""Of the shortest and the longest training cycle."""


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
    far : Distances or None
        How far each refined cycle lies from training; None where the refiner does not tell.
    """

    manifest: Manifest
    name: str
    source: Storage
    read: Storage
    spans: list[Span]
    cycles: xr.Dataset
    curves: xr.DataArray
    notes: tuple[str, ...]
    far: Distances | None = None

    @property
    def refined(self) -> list[Span]:
        """The cycles that were refined."""
        return [span for span in self.spans if not span.reason]

    @property
    def beyond(self) -> int:
        """How many of the refined cycles lie outside training, by the refiner's distance; 0 where it tells none."""
        return 0 if self.far is None else int(self.far.outside.sum())

    @property
    def synthetic(self) -> bool:
        """Whether the refiner or the recording is synthetic."""
        return self.manifest.synthetic or is_synthetic(self.source)

    @cached_property
    def mean(self) -> xr.DataArray:
        """The prediction: mean over seeds, dims (channel, cycle, sample), not below 0 where EMG cannot be."""
        mean = self.curves.mean("seed")
        return mean.clip(min=xr.DataArray(self._floors, dims="channel", coords={"channel": mean.channel}))

    @cached_property
    def spread(self) -> xr.DataArray:
        """Standard deviation between seeds (ddof 1), same dims; NaN with one seed."""
        if self.curves.sizes["seed"] < 2:
            return self.mean * np.nan
        return self.curves.std("seed", ddof=1)

    @cached_property
    def labels(self) -> list[str]:
        """Column of every refined muscle: the recording's own label, with the EMG name where two share a muscle."""
        of = dict(zip(self.manifest.muscles, self.read.labels, strict=True))
        muscles = [out.muscle for out in self.manifest.outputs]
        return [
            of[out.muscle] if muscles.count(out.muscle) == 1 else f"{of[out.muscle]}_{out.name}"
            for out in self.manifest.outputs
        ]

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Rows of the recording that lie in a refined cycle, both ends included."""
        return np.any([self._rows(span) for span in self.refined], axis=0)

    def storage(self, rest: str = RESTS[0]) -> Storage:
        """Return refined activity over the recording's own time; a column `refined` is 1 where it was refined.

        Where the refiner tells how far cycles lie from training, a column `outside_training` is 1 in those beyond.

        Parameters
        ----------
        rest
            ``simulated``: every column of the recording, the refined muscles replaced within refined cycles. ``nan``:
            the refined muscles alone, not a number outside; OpenSim's tables read that, its plots stop at the first
            such row.

        Raises
        ------
        Nem2eError
            If `rest` is unknown.
        """
        require_rest(rest)
        curves = self._over_time(self.mean.transpose("channel", "cycle", "sample").values)
        marks = self._marks()
        mark = np.column_stack(list(marks.values()))
        if rest == "nan":
            return self._table((*self.labels, *marks), self.read.time, np.hstack([curves, mark]), rest)
        own = [label for label in self.source.labels if label not in self.labels]
        of = {muscle: self.read.values[:, row] for row, muscle in enumerate(self.manifest.muscles)}
        simulated = np.column_stack([of[out.muscle] for out in self.manifest.outputs])
        columns = dict(zip(self.labels, np.where(self.inside[:, None], curves, simulated).T, strict=True))
        columns |= {label: self.source.column(label) for label in own}
        order = [*self.source.labels, *(label for label in self.labels if label not in self.source.labels)]
        values = np.column_stack([*(columns[label] for label in order), mark])
        return self._table((*order, *marks), self.read.time, values, rest)

    def band(self) -> Storage:
        """Return how far refined activity may be off, at the recording's times within refined cycles.

        For each muscle `<label>_low` and `<label>_high`, between which the share of measured EMG that the refiner's
        manifest tells is expected (`HeldOut.half_width`), not below 0 where EMG cannot be; `<label>_held_out`, the root
        mean square error at that phase of the cycle on those left out; `<label>_between_seeds`, the standard deviation
        between seeds. What is not known of a refiner has no column.
        """
        mean = self.mean.transpose("channel", "cycle", "sample").values
        told = [out.held_out for out in self.manifest.outputs]
        width, error = (
            np.stack([np.broadcast_to(np.nan if own is None else getattr(own, name), mean.shape[1:]) for own in told])
            for name in ("half_width", "by_phase")
        )
        seeds = self.spread.transpose("channel", "cycle", "sample").values
        curve, half, off, spread = (self._over_time(each) for each in (mean, width, error, seeds))
        low = np.maximum(curve - half, self._floors)
        columns = {"low": low, "high": curve + half, "held_out": off, "between_seeds": spread}
        labels = np.array([f"{label}_{what}" for label in self.labels for what in columns])
        values = np.stack(list(columns.values()), axis=2).reshape(len(curve), -1)[self.inside]
        known = np.isfinite(values).all(axis=0)
        time = self.read.time[self.inside]
        band = self._table(tuple(labels[known].tolist()), time, values[:, known], "", "band of refined activity")
        said = {"nem2e_band": self.manifest.band_said} if self.manifest.band_said else {}
        return replace(band, metadata={**band.metadata, **said})

    def table(self) -> pd.DataFrame:
        """Return every cycle: number, start_s, end_s, refined, reason; distance and outside_training where known.

        Both are of refined cycles alone, and missing (None) in the others.
        """
        rows = [
            {"cycle": s.number, "start_s": s.start_s, "end_s": s.end_s, "refined": not s.reason, "reason": s.reason}
            for s in self.spans
        ]
        if self.far is None:
            return pd.DataFrame(rows)
        known = dict(zip([span.number for span in self.refined], self.far.total.tolist(), strict=True))
        distances = [known.get(span.number) for span in self.spans]
        beyond = [None if each is None else int(each > 1) for each in distances]
        told = {outside.DISTANCE: distances, outside.OUTSIDE: beyond}
        return pd.DataFrame(rows).assign(**{name: pd.Series(each, dtype=object) for name, each in told.items()})

    def save(self, path: str | Path, rest: str = RESTS[0]) -> list[Path]:
        """Write ``NAME.sto``, ``NAME_band.sto`` and ``NAME_cycles.csv``, each whole or not at all; return their paths.

        Raises
        ------
        Nem2eError
            If `rest` is unknown, or a file cannot be written.
        """
        require_savable(path, rest)
        paths = _files(Path(path))
        write_storage(paths[0], self.storage(rest))
        write_storage(paths[1], self.band())
        write_text(paths[2], self.table().to_csv(index=False, lineterminator="\n"))
        return paths

    def measured(self, emg: Storage) -> xr.Dataset:
        """Return measured EMG of the refined cycles, cut as they were.

        Parameters
        ----------
        emg
            Envelopes on the recording's clock, columns by EMG name or by muscle.

        Returns
        -------
        Dataset
            `emg` (cycle, sample, channel) and `emg_waveform` (cycle, phase, channel); NaN where nothing was measured.
        """
        names = [(out.name, out.muscle) for out in self.manifest.outputs]
        found = [next((emg.column(name) for name in both if name in emg.labels), None) for both in names]
        values = np.column_stack([np.full(len(emg.time), np.nan) if each is None else each for each in found])
        envelopes = Storage(emg.name, self.manifest.names, emg.time, values)
        points = {"sample": self.mean.sample.values, "phase": np.linspace(0, 100, self.manifest.cycle.phases)}
        waves = {dim: self._cut_where_known(envelopes, at) for dim, at in points.items()}
        return xr.Dataset(
            {
                "emg": (("cycle", "sample", "channel"), waves["sample"]),
                "emg_waveform": (("cycle", "phase", "channel"), waves["phase"]),
            },
            coords={**points, "channel": list(self.manifest.names)},
        )

    def errors(self, emg: xr.DataArray | None) -> pd.DataFrame:
        """Return the error of this recording beside the error that the refiner tells of itself, a row a muscle.

        Parameters
        ----------
        emg
            Measured EMG of the refined cycles, dims (cycle, sample, channel); see `measured`. None where it is unknown.

        Returns
        -------
        DataFrame
            muscle, of, rmse_simulated and rmse_refined (mean over cycles of the root mean square error of each),
            within_band (share of samples within the band), both over samples whose EMG is known; held_out_rmse,
            held_out_within_band.
        """
        rows = []
        for out in self.manifest.outputs:
            guess = self.mean.sel(channel=out.name).transpose("cycle", "sample").values
            given = self.cycles.activation.sel(muscle=out.muscle).transpose("cycle", "sample").values
            measured = np.full_like(guess, np.nan)
            if emg is not None:
                measured = emg.sel(channel=out.name).transpose("cycle", "sample").values
            known, told = np.isfinite(measured), out.held_out
            band = np.broadcast_to(np.nan if told is None else told.half_width, guess.shape)
            within = np.abs(guess - measured)[known] <= band[known]
            rows.append(
                {
                    "muscle": out.name,
                    "of": out.muscle,
                    "rmse_simulated": _rmse(given - measured),
                    "rmse_refined": _rmse(guess - measured),
                    "within_band": float(within.mean()) if within.size and told is not None else np.nan,
                    "held_out_rmse": np.nan if told is None else told.rmse_refined,
                    "held_out_within_band": np.nan if told is None or told.covered is None else told.covered,
                }
            )
        return pd.DataFrame(rows)

    def facts(self) -> dict[str, Any]:
        """What a program may want to know, ready for JSON."""
        return {
            "recording": self.name,
            "synthetic": self.synthetic,
            "muscles": {out.name: out.muscle for out in self.manifest.outputs},
            "refined_cycles": len(self.refined),
            "cycles": self.table().to_dict("records"),
            "distance_to_training": None if self.far is None else outside.facts(self.manifest, self.far),
            "notes": list(self.notes),
        }

    def _rows(self, span: Span) -> NDArray[np.bool_]:
        time = self.read.time
        return np.asarray((time >= span.start_s - EDGE_S) & (time <= span.end_s + EDGE_S))

    def _marks(self) -> dict[str, Array]:
        """Columns that tell rows apart: 1 or 0 each."""
        marks = {MARK: self.inside.astype(np.float64)}
        if self.far is not None:
            rows = np.zeros(len(self.read.time))
            for span, beyond in zip(self.refined, self.far.outside.tolist(), strict=True):
                rows[self._rows(span)] = beyond  # as in `_over_time`, a border belongs to the later cycle
            marks[outside.OUTSIDE] = rows
        return marks

    def _over_time(self, curves: Array) -> Array:
        """Curves of cycles laid over the recording's time without overshoot (monotone cubic, Fritsch & Carlson 1980).

        From shape (channels, cycles, samples) to (rows, channels), NaN outside refined cycles. Where a cycle ends as
        the next begins, the next counts.
        """
        from scipy.interpolate import PchipInterpolator  # loaded where it is used

        time, phases = self.read.time, self.mean.sample.values
        values = np.full((len(time), len(curves)), np.nan)
        for cycle, span in enumerate(self.refined):
            rows = self._rows(span)
            at = np.clip((time[rows] - span.start_s) / (span.end_s - span.start_s) * 100, phases[0], phases[-1])
            known = np.isfinite(curves[:, cycle]).all(axis=1)
            inside = np.full((len(curves), len(at)), np.nan)
            if known.any():
                inside[known] = PchipInterpolator(phases, curves[known, cycle], axis=1)(at)
            values[rows] = inside.T
        return values

    @property
    def _floors(self) -> list[float]:
        """What each muscle does not fall below: 0 where its EMG never was negative in training."""
        return [0.0 if out.emg_low >= 0 else -np.inf for out in self.manifest.outputs]

    def _cut_where_known(self, table: Storage, points: Array) -> Array:
        values = cut(table, self.refined, points, self.manifest.cycle.resampling)
        at = np.stack([s.start_s + (s.end_s - s.start_s) * points / 100 for s in self.refined])
        there = (at >= table.time[0] - EDGE_S) & (at <= table.time[-1] + EDGE_S)
        return np.where(there[..., None], values, np.nan)

    def _table(
        self, labels: tuple[str, ...], time: Array, values: Array, rest: str, what: str = "refined activity"
    ) -> Storage:
        synthetic = "SYNTHETIC " if self.synthetic else ""
        origin, training = self.manifest.origin, self.manifest.training
        person = f", adapted to {self.manifest.person}" if self.manifest.person else ""
        told = {"nem2e_refiner": f"{origin.study}, {training.method}, data {origin.data_hash[:12]}{person}"}
        if rest:
            told["nem2e_outside_cycles"] = (
                "not a number" if rest == "nan" else "as simulated; there column refined is 0"
            )
        return Storage(synthetic + what, labels, time, values, False, told)


def is_synthetic(storage: Storage) -> bool:
    """Whether a file says in its first line that it is synthetic, as those of this project do."""
    return "SYNTHETIC" in storage.name


def require_savable(path: str | Path, rest: str = RESTS[0], inputs: Iterable[str | Path | None] = ()) -> None:
    """Refuse what `Refined.save` could not write, or should not, before anything is worked out.

    Raises
    ------
    Nem2eError
        If `rest` is unknown, the name is that of a folder, in no folder or of another kind of file, or a file would be
        written over one of `inputs`.
    """
    require_writable(path)
    require_rest(rest)
    if Path(path).suffix.lower() not in (".sto", ".mot"):
        raise Nem2eError(f"{path}: OpenSim knows .sto and .mot files, but neither ends this name; give it one.")
    read = {Path(each).resolve() for each in inputs if each is not None}
    over = [each for each in _files(Path(path)) if each.resolve() in read]
    if over:
        raise Nem2eError(f"{over[0]}: is read, so it cannot be written too; give --out another name.")


def require_rest(rest: str) -> None:
    """Refuse what may not stand outside refined cycles; Nem2eError if it is none of `RESTS`."""
    if rest not in RESTS:
        raise Nem2eError(f"rest is {rest!r}, expected {' or '.join(RESTS)}; choose one.")


def _files(path: Path) -> list[Path]:
    """What `Refined.save` writes: refined activity, its band, the table of cycles."""
    return [path, path.with_name(path.stem + BAND), path.with_name(path.stem + CYCLES)]


def _rmse(difference: Array) -> float:
    """Mean over cycles of the root mean square over what is known of each; NaN where nothing is."""
    known = [row[np.isfinite(row)] for row in difference]
    return float(np.mean([np.sqrt(np.mean(row**2)) for row in known if row.size] or [np.nan]))


def notes_on(
    manifest: Manifest,
    storage: Storage,
    read: Storage,
    spans: Sequence[Span],
    curves: xr.DataArray,
    *,
    told: bool,
    far: Distances | None = None,
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
    far
        How far the refined cycles lie from training.
    """
    return (
        *_warned(manifest, storage),
        *_no_better(manifest),
        *_renamed(manifest, read),
        *_skipped(spans),
        *_unsettled(manifest, read, spans),
        *_unlike(manifest, read, spans, far),
        *_definition(manifest, told),
        *_error_unknown(manifest),
        *_diverged(manifest),
        *_negative(manifest, curves),
    )


def _warned(manifest: Manifest, storage: Storage) -> Iterator[str]:
    if manifest.warning:
        real = manifest.synthetic and "SYNTHETIC" not in storage.name
        yield manifest.warning + (" This recording does not say that it is SYNTHETIC." if real else "")


def _no_better(manifest: Manifest) -> Iterator[str]:
    if manifest.verdict is not None and not manifest.verdict.shown:
        yield manifest.verdict.sentence


def _renamed(manifest: Manifest, read: Storage) -> Iterator[str]:
    other = renamed(manifest, read)
    if other:
        pairs = ", ".join(f"{muscle} = {name}" for muscle, name in other.items())
        yield f"{len(other)} muscles have other names in the recording and are read as the refiner's own: {pairs}."


def _skipped(spans: Sequence[Span]) -> Iterator[str]:
    for span in spans:
        if span.reason:
            yield f"Cycle {span.number}, {span.start_s:.6g} to {span.end_s:.6g} s, was not refined: {span.reason}."


def _unsettled(manifest: Manifest, read: Storage, spans: Sequence[Span]) -> Iterator[str]:
    if found := beside(with_names(read), limits(manifest), [(span.start_s, span.end_s) for span in spans]):
        yield (
            f"Activation is outside 0 to 1 by more than {TOLERANCE:g} where no cycle is, which does not matter: "
            f"{listed(found)}."
        )


def _unlike(manifest: Manifest, read: Storage, spans: Sequence[Span], far: Distances | None) -> Iterator[str]:
    """What is unlike training: by the distance that people set who were left out, where there were any.

    Where there were none, odd durations and muscles that leave their range are told, which left-out people do often.
    """
    if far is not None:
        yield from outside.note(manifest, [span for span in spans if not span.reason], far)
    if manifest.reach is None or manifest.reach.unit != "subject":
        yield from _durations(manifest, spans)
        yield from _beyond(manifest, read, spans)


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
    if len(manifest.training.seeds) < 2 and not manifest.fits:
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
