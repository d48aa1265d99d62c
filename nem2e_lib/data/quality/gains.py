"""EMG that changes its size: units and gains that differ between recordings or within one, peaks that stand alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import ARTEFACT, GAIN, GAIN_STEP, GAINS, Note
from nem2e_lib.data.cycles.levels import Levels
from nem2e_lib.data.emg.processing import OF_CYCLES
from nem2e_lib.data.quality.words import some
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import Trial

Array = NDArray[np.float64]
_Flags = NDArray[np.bool_]

_FEW = 2  # other cycles of that speed; with fewer, those of other speeds count too
_ONE = 1.5  # times a single other cycle stand for a middle one: two cycles of a child are up to 3.6 times apart
_AWAY_S = 0.25  # from a peak: what lies further is another burst


def notes(study: Study, found: Levels) -> Iterator[Note]:
    """Yield what is doubtful, gains first: where one changed, peaks are no artefacts."""
    changed: dict[tuple[str, str], _Flags] = {}
    for wearer in dict.fromkeys(trial.wearer for trial in study.trials):
        changed[wearer] = np.zeros(len(study.channels), bool)
        yield from _between(study, found, wearer, changed[wearer])
    for trial in study.trials:
        yield from _within(study, found, trial, changed[trial.wearer])
    for trial in study.trials:
        yield from _artefacts(study, found, trial, changed[trial.wearer])


def unit_hint(factor: float) -> str:
    """Say what may have multiplied EMG by about a factor."""
    if 50 <= factor <= 200:
        return "is one in % and the other from 0 to 1, or was a gain changed?"
    if 300 <= factor <= 3000:
        return "is one in V and the other in mV?"
    if 3e5 <= factor <= 3e6:
        return "is one in V and the other in uV?"
    return "is it in another unit, or was a gain changed?"


def times(factor: float) -> str:
    """Return a factor in words, two or three digits of it."""
    return f"{float(f'{factor:.2g}'):.10g} times"


def _between(study: Study, found: Levels, wearer: tuple[str, str], changed: _Flags) -> Iterator[Note]:
    """Recordings from the same electrodes against each other, channel by channel and all channels together."""
    subject, leg = wearer
    trials = list(dict.fromkeys(found.cycles["trial"][found.of(subject=subject, leg=leg)]))
    if len(trials) < 2:
        return
    level = np.array([np.median(found.level[found.of(trial=trial)], axis=0) for trial in trials])
    there = np.isfinite(level).all(axis=0)
    level = np.where(level > 0, level, np.nan)
    if not np.isfinite(level).all(axis=0).any():
        return
    ratio = np.nan_to_num(level.max(axis=0) / level.min(axis=0), nan=1.0)
    common = np.exp(np.nanmean(np.log(level[:, there]), axis=1))
    together = float(common.max() / common.min())
    alike = together > GAINS.limit and ratio[there].min() > GAINS.limit / 2
    changed |= (ratio > GAIN.limit) | alike
    check, odd = (GAINS, there) if alike else (GAIN, ratio > GAIN.limit)
    sides: dict[tuple[str, str], list[int]] = {}
    for channel in np.flatnonzero(odd).tolist():
        column = common if alike else level[:, channel]
        high = column > np.sqrt(column.max() * column.min())
        two = [some([repr(t) for t, up in zip(trials, high, strict=True) if up == side]) for side in (True, False)]
        sides.setdefault((two[0], two[1]), []).append(channel)
    for (larger, smaller), channels in sides.items():
        which = ", ".join(f"{study.channels[each]!r} ({times(ratio[each])})" for each in channels)
        yield check.note(
            f"{study.folder}: subject {subject!r}: EMG {which} is larger in trial {larger} than in {smaller}: "
            f"{unit_hint(float(np.median(ratio[channels])))} emg_scale in trials.csv multiplies the EMG of a file."
        )


def _within(study: Study, found: Levels, trial: Trial, changed: _Flags) -> Iterator[Note]:
    """Earlier cycles of a recording against later ones."""
    chosen = found.of(trial=trial.name)
    level, starts = found.level[chosen], found.cycles["start_s"].to_numpy()[chosen]
    steps: dict[float, list[str]] = {}
    for channel, column in enumerate(level.T):
        factor, row = _step(column)
        if factor > GAIN_STEP.limit:
            changed[channel] = True
            up = column[row] > column[0]
            what = f"{study.channels[channel]!r} ({times(factor)} {'larger' if up else 'smaller'})"
            steps.setdefault(float(starts[row]), []).append(what)
    for start, told in steps.items():
        yield GAIN_STEP.note(
            f"{trial.emg}: from the cycle at {start:.4g} s on, EMG is another than before: {', '.join(told)}; "
            "was a gain changed, or did an electrode come off?"
        )


def _step(column: Array) -> tuple[float, int]:
    """The factor between the medians before and after the clearest step, and its first row; 1 and 0 if there is none.

    Every cycle of one side is above every one of the other. The cycle in which the step lies may be left out.
    """
    best = (1.0, 0)
    for left_out in (0, 1):
        for row in range(2, len(column) - 1):
            before, after = column[: row - left_out], column[row:]
            if len(before) < 2 or min(before.min(), after.min()) <= 0:
                continue
            apart = max(before.min() / after.max(), after.min() / before.max())
            if apart > best[0] * 1.05:
                best = (float(apart), row)
    if best[0] <= GAIN_STEP.limit:
        return 1.0, 0
    factor = float(np.median(column[best[1] :]) / np.median(column[: best[1] - 1]))
    return max(factor, 1 / factor), best[1]


def _artefacts(study: Study, found: Levels, trial: Trial, changed: _Flags) -> Iterator[Note]:
    """Peaks of kept cycles that stand alone."""
    told = []
    lost = [name in trial.without for name in study.channels]
    for column in np.flatnonzero(~(changed | lost)).tolist():
        cycles: list[int] = np.flatnonzero(found.of(trial=trial.name)).tolist()
        ratio = {cycle: _alone(study, found, trial, cycle, column) for cycle in cycles}
        odd = [
            f"{times(part)} at {found.peak_s[cycle, column]:.4g} s"
            for cycle, part in ratio.items()
            if part > ARTEFACT.limit
        ]
        told += [f"{study.channels[column]!r} ({some(odd)})"] if odd else []
    if told:
        processing = study.settings.emg_processing
        sets = processing is not None and processing.normalise in OF_CYCLES and processing.percentile == 100
        yield ARTEFACT.note(
            f"{trial.emg}: EMG peaks far above its other cycles, maybe an artefact: {', '.join(told)}"
            + ("; it sets the maximum that EMG is divided by: " if sets else "; ")
            + "leave the cycle out by cycles.csv"
            + (", or say percentile = 50 in study.toml, [emg_processing]." if sets else ".")
        )


def _alone(study: Study, found: Levels, trial: Trial, cycle: int, column: int) -> float:
    """How many times a cycle's peak is that of the middle one of the others: at that speed, of all by its electrode.

    Where there is no other, it is compared with what the recording has away from the peak; 0 where that is too short.
    """
    own = {"subject": trial.subject, "leg": trial.leg}
    for who in (own | {"speed": trial.speed}, own):
        others = found.of(**who) & np.isfinite(found.peak[:, column])
        others[cycle] = False
        if others.sum() >= (_FEW if "speed" in who else 1):
            usual = float(np.median(found.peak[others, column])) * (_ONE if others.sum() == 1 else 1.0)
            return _share(found.peak[cycle, column], usual)
    signal = study.emg(trial.name)
    if not isinstance(signal, Storage) or np.ptp(signal.time) < 2 * found.cycles["duration_s"][cycle]:
        return 0.0
    away = np.abs(signal.time - found.peak_s[cycle, column]) > _AWAY_S
    return _share(found.peak[cycle, column], signal.values[away, column].max())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0
