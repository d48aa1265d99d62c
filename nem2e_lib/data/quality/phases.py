"""When muscles are active in walking: a channel that is active when its muscle is not, maybe a swapped electrode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.checks import PHASE, Note
from nem2e_lib.data.cycles.levels import PHASES, Levels
from nem2e_lib.data.families import canonical
from nem2e_lib.data.muscles import base, side
from nem2e_lib.data.study.study import Study

Array = NDArray[np.float64]

_CALF, _SHIN, _HAMSTRINGS, _KNEE, _HIP = (20, 55), (60, 15), (58, 25), (82, 32), (80, 38)
CENTRES = {
    **dict.fromkeys(("soleus", "med_gas", "lat_gas", "tib_post", "flex_dig", "flex_hal", "per_long"), _CALF),
    **dict.fromkeys(("tib_ant", "ext_dig", "ext_hal"), _SHIN),
    **dict.fromkeys(("semimem", "semiten", "bifemlh"), _HAMSTRINGS),
    **dict.fromkeys(("vas_med", "vas_int", "vas_lat"), _KNEE),
    **dict.fromkeys((f"glut_{which}{part}" for which in ("max", "med", "min") for part in "123"), _HIP),
}
"""Muscle to the phases in which its activity centres in walking, in % from heel strike of its own leg, round 100.

Wide enough for children and for slow and fast walking: calf muscles centre at 29 to 40 %, tibialis anterior at 82 to
100 %, hamstrings at 63 to 15 %. Left out are muscles that differ from person to person or whose electrode hears their
neighbours: rectus femoris, the short head of biceps femoris, adductors, hip flexors.
"""
_WALKING, _PER_CENT = "walking", np.linspace(0, 100, PHASES)
_ALIVE = 0.25  # sd over mean of the envelope within a cycle; noise has up to .2
_ALONE = 10.0  # % of the cycle: a single channel is only told where it is as far outside; of a swap there are two
_HALF = 50.0  # the other leg is half a cycle later


def notes(study: Study, found: Levels) -> Iterator[Note]:
    """Yield the channels of each subject whose phases are not their muscle's; walking from heel strike to the same."""
    first, _, last = study.settings.cycle.partition("-")
    if study.settings.motion != _WALKING or first != last:
        return
    windows = [_window(target, first) for target in study.targets]
    for subject in dict.fromkeys(found.cycles["subject"]):
        curve = _mean_curve(found, subject)
        centres = [centre(column) for column in curve.T]
        away = [
            _away(at, window) if window is not None and alive and share > PHASE.limit else 0.0
            for (at, share), window, alive in zip(centres, windows, _alive(found, subject), strict=True)
        ]
        least = 0.0 if sum(each > 0 for each in away) > 1 else _ALONE
        told = [
            f"{channel!r} ({target}) peaks at {column.argmax()} % of the cycle and centres at {at:.0f} %, but "
            f"{window[0]:.0f} to {window[1]:.0f} % is usual{_fits(study, windows, channel, at)}"
            for channel, target, column, (at, _), window, far in zip(
                study.channels, study.targets, curve.T, centres, windows, away, strict=True
            )
            if window is not None and far > least
        ]
        if told:
            yield PHASE.note(f"{study.folder}: subject {subject!r}: EMG {'; '.join(told)}; were electrodes swapped?")


def _alive(found: Levels, subject: str) -> list[bool]:
    """Whether each channel follows the cycle at all."""
    variation = found.variation[found.of(subject=subject)]
    known = [column[np.isfinite(column)] for column in variation.T]
    return [bool(len(column) and np.median(column) > _ALIVE) for column in known]


def centre(curve: Array) -> tuple[float, float]:
    """Return the phase in % round which a curve over the cycle lies, and how closely, from 0 to 1.

    The mean direction of what stands above the curve's lowest value, as on a circle (Mardia & Jupp 2000).
    """
    above = curve - curve.min()
    total = float(above[:-1].sum())
    mean = (above[:-1] * np.exp(2j * np.pi * _PER_CENT[:-1] / 100)).sum() / total if total > 0 else 0j
    return float(np.angle(mean) / (2 * np.pi) * 100 % 100), float(abs(mean))


def _mean_curve(found: Levels, subject: str) -> Array:
    """Mean over a subject's cycles, each as a share of its own peak, so that each counts alike, (phases, channels)."""
    curve = found.curve[found.of(subject=subject)]
    peak = curve.max(axis=1, keepdims=True)
    share = np.divide(curve, peak, out=np.zeros_like(curve), where=peak > 0)
    recorded = np.isfinite(peak)
    return np.asarray((share * recorded).sum(axis=0) / np.maximum(recorded.sum(axis=0), 1))


def _window(target: str, first: str) -> tuple[float, float] | None:
    """The phases of a cycle of the first foot in which the muscle is known to centre; None where that is not known."""
    span, own = CENTRES.get(base(canonical(target) or target)), side(target)
    if span is None or own == "none":
        return None
    later = 0.0 if own == first else _HALF
    return (span[0] + later) % 100, (span[1] + later) % 100


def _away(at: float, window: tuple[float, float]) -> float:
    """How far a phase lies outside a window, in % of the cycle; 0 within it."""
    if (at - window[0]) % 100 <= (window[1] - window[0]) % 100:
        return 0.0
    return min((window[0] - at) % 100, (at - window[1]) % 100)


def _fits(study: Study, windows: Sequence[tuple[float, float] | None], channel: str, at: float) -> str:
    """Name the channels whose muscles centre there."""
    own = study.targets[study.channels.index(channel)]
    fitting = [
        repr(name)
        for name, target, window in zip(study.channels, study.targets, windows, strict=True)
        if target != own and window is not None and not _away(at, window)
    ]
    return f" (as of {' or '.join(fitting)})" if fitting else ""
