"""What a reader of a refined recording must know: what is odd about it, and what the refiner cannot vouch for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from nem2e_lib.data.storage import Storage
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.spans import Span

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
