"""Which cycles of a recording can be simulated whole, found before anything is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nem2e_lib.data.cycles import EDGE_S
from nem2e_lib.data.storage import Storage, read_storage
from nem2e_lib.errors import Nem2eError
from nem2e_lib.motion.sides import told_sides
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.spans import Span, Strikes, of_force, read_spans, read_strikes, require_strikes
from nem2e_lib.simulate.markers import read_markers
from nem2e_lib.simulate.options import LEAD_S, MARGINS_S
from nem2e_lib.simulate.trial import SimulatedTrial


def clock(trial: SimulatedTrial) -> Storage:
    """The times that a motion covers, as a table without columns."""
    if trial.motion is not None:
        time = read_storage(trial.motion).time
    elif trial.markers is not None:
        time = read_markers(trial.markers).time
    else:
        raise Nem2eError(f"Trial {trial.trial!r} has no motion; give --motion (.mot, .sto) or --markers (.trc).")
    if len(time) < 2:
        raise Nem2eError(f"Trial {trial.trial!r}: its motion has {len(time)} rows, but at least 2 are expected.")
    return Storage(trial.trial, (), time, np.empty((len(time), 0)))


def spans_of(
    trial: SimulatedTrial,
    refiner: Refiner,
    motion: Storage,
    cycles: str | Path | Sequence[Span] | None,
    columns: tuple[str, str] | None,
) -> list[Span]:
    """Cycles of a recording: those given, checked against the heel strikes where there are forces, else those found."""
    cycle = refiner.manifest.cycle
    if cycles is None:
        assert trial.grf is not None
        return of_force(_strikes(trial.grf, refiner, columns), motion, cycle, f"trial {trial.trial!r}", what="motion")
    given = read_spans(cycles) if isinstance(cycles, str | Path) else list(cycles)
    if trial.grf is not None:
        require_strikes(given, _strikes(trial.grf, refiner, columns), cycle)
    return given


def _strikes(grf: Path, refiner: Refiner, columns: tuple[str, str] | None) -> Strikes:
    """Heel strikes; where the columns go by other names, those of plates whose side is told."""
    return read_strikes(grf, refiner.manifest.cycle, columns or told_sides(grf))


def covered(trial: SimulatedTrial, motion: Storage) -> tuple[float, float]:
    """First and last time that motion and forces both have, s."""
    clocks = [motion.time, *([read_storage(trial.grf).time] if trial.grf is not None else [])]
    return max(float(time[0]) for time in clocks), min(float(time[-1]) for time in clocks)


def coverable(
    trial: SimulatedTrial, found: Sequence[Span], span: tuple[float, float], steps: tuple[str, ...]
) -> tuple[list[Span], list[str]]:
    """Cycles that the simulation can cover, and a sentence on each other one."""
    before, after = (LEAD_S, MARGINS_S["cmc"][1]) if "cmc" in steps else MARGINS_S["so"]
    start, end = span[0] + before, span[1] - after
    start = start if trial.start_s is None else max(start, trial.start_s)
    end = end if trial.end_s is None else min(end, trial.end_s)
    inside = [one for one in found if one.start_s >= start - EDGE_S and one.end_s <= end + EDGE_S]
    left = [_told(one, one.reason) for one in inside if one.reason]
    outside = [one for one in found if one not in inside]
    if outside:
        left.append(
            f"Not simulated, for activation can be had from {start:.6g} to {end:.6g} s: "
            f"{', '.join(f'cycle {one.number} ({one.start_s:.6g} to {one.end_s:.6g} s)' for one in outside)}."
        )
    return [one for one in inside if not one.reason], left


def _told(span: Span, reason: str) -> str:
    return f"Cycle {span.number}, {span.start_s:.6g} to {span.end_s:.6g} s, is not simulated: {reason}."
