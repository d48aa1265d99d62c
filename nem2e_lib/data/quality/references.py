"""Recordings that EMG is normalised by: lower than walking, in another unit, or set by an artefact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import REFERENCE_ARTEFACT, REFERENCE_HIGH, REFERENCE_LOW, Check, Note
from nem2e_lib.data.cycles.levels import Levels
from nem2e_lib.data.cycles.normalise import divisors
from nem2e_lib.data.emg.processing import Processed, believed
from nem2e_lib.data.quality.gains import times, unit_hint
from nem2e_lib.data.study.study import Study

Array = NDArray[np.float64]

_HELD_S = 0.25
_OTHER_UNIT = 100.0  # times larger in every channel: no contraction is


def notes(study: Study, found: Levels) -> Iterator[Note]:
    """Yield what is doubtful; nothing where EMG is not normalised by recordings of its own."""
    processing = study.settings.emg_processing
    if processing is None or processing.normalise != "references":
        return
    by = divisors(study, found)
    for subject in dict.fromkeys(found.cycles["subject"]):
        chosen = found.of(subject=subject)
        trials = found.cycles["trial"][chosen]
        divisor = {name: by[trial][study.channels.index(name)] for trial in trials for name in study.recorded(trial)}
        recorded = [study.channels.index(name) for name in study.channels if name in divisor]
        divided = {
            study.channels[k]: np.nanmedian(found.peak[chosen, k]) / divisor[study.channels[k]] for k in recorded
        }
        yield from _against(study, subject, divided)
        yield from _stand_alone(study, subject, divisor)
        yield from _units(study, subject)


def _against(study: Study, subject: str, divided: Mapping[str, float]) -> Iterator[Note]:
    """Cycles against the reference; what share of it each channel has in the middle cycle."""
    share = np.array(list(divided.values()))
    where = f"{study.folder / 'references.csv'}: subject {subject!r}: in the middle cycle"

    def told(odd: NDArray[np.bool_]) -> str:
        pairs = zip(divided, share.tolist(), odd, strict=True)
        return ", ".join(f"{name!r} ({times(part)} its reference)" for name, part, is_odd in pairs if is_odd)

    def note(check: Check, odd: NDArray[np.bool_], what: str, factor: float) -> Note:
        hint = f"{unit_hint(factor)} emg_scale multiplies the EMG of a file" if factor >= _OTHER_UNIT / 2 else what
        return check.note(
            f"{where} EMG {'rises to' if check is REFERENCE_LOW else 'only rises to'} {told(odd)}: {hint}."
        )

    above, below = share > REFERENCE_LOW.limit, share < REFERENCE_HIGH.limit
    if above.any():
        what = "the reference was not maximal; EMG is used as it comes, in shares of that reference"
        yield note(REFERENCE_LOW, above, what, float(np.median(share[above])))
    if below.any():
        what = "is something else than the muscle highest in its reference?"
        yield note(REFERENCE_HIGH, below, what, float(1 / np.median(share[below])))


def _stand_alone(study: Study, subject: str, divided_by: Mapping[str, float]) -> Iterator[Note]:
    for each in study.references(subject):
        channels = each.processed.storage.labels
        divisor = np.array([divided_by[name] for name in channels])
        values = np.where(believed(each.processed), each.processed.storage.values, 0.0)
        peak, held = values.max(axis=0), _held(each.processed, values)
        when = each.processed.storage.time[values.argmax(axis=0)]
        odd = (peak >= divisor) & (peak > REFERENCE_ARTEFACT.limit * held)
        told = [
            f"{channel!r} ({times(part)} at {at:.4g} s)"
            for channel, part, at, is_odd in zip(channels, peak / held, when, odd, strict=True)
            if is_odd
        ]
        if told:
            yield REFERENCE_ARTEFACT.note(
                f"{each.path}: the maximum that EMG is divided by stands alone, far above what is held for "
                f"{_HELD_S:g} s in all, maybe an artefact: {', '.join(told)}; cut the recording."
            )


def _held(processed: Processed, values: Array) -> Array:
    """What each channel exceeds for a quarter of a second in all, shape (channels,)."""
    row = min(len(values) - 1, round(_HELD_S * processed.signal.rate_hz))
    return np.maximum(np.sort(values, axis=0)[::-1][row], np.finfo(float).tiny)


def _units(study: Study, subject: str) -> Iterator[Note]:
    """Recordings of a subject that are larger in every channel than another."""
    recordings = study.references(subject)
    peaks = np.array([each.processed.storage.values.max(axis=0) for each in recordings])
    least = (peaks / peaks.min(axis=0)).min(axis=1)
    if least.max() > _OTHER_UNIT:
        larger = recordings[int(least.argmax())].path
        yield REFERENCE_HIGH.note(
            f"{larger}: every channel is at least {times(float(least.max()))} larger than in another recording of "
            f"subject {subject!r}: {unit_hint(float(least.max()))} emg_scale in references.csv multiplies the EMG of a "
            "file."
        )
