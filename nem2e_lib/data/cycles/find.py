"""The gait cycles of a study: those that can be used, and why the others cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nem2e_lib.data.checks import RANGE
from nem2e_lib.data.limits import band, listed, window, within
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.study.beside import SETS
from nem2e_lib.data.study.study import Study
from nem2e_lib.data.study.trials import EDGE_S, Cycle, Trial

_PLAUSIBLE = (0.5, 1.5)  # of the median duration of the subject's cycles at that speed
_WHO = ("study", "subject", "speed", "condition", "trial")
_LARGEST_GAP = 0.1  # of the cycle: two of 20 samples


@dataclass(frozen=True)
class _FoundCycle:
    """A cycle or, with `number` None, a trial in which there is none; `reason` is empty if it is usable."""

    study: str
    subject: str
    speed: str
    condition: str
    trial: str
    number: int | None
    start_s: float
    end_s: float
    reason: str = ""


def find_cycles(study: Study) -> pd.DataFrame:
    """Return every cycle of every trial, kept or skipped, in the order of ``trials.csv``.

    A cycle is skipped if a signal does not cover it or pauses within it for more than a tenth of it, if activation
    lies further outside 0 to 1 in it than ``study.toml`` allows, if raw EMG dropped out in it, or if it lasts less
    than half or more than one and a half times the median of the subject's cycles at that speed. One cut from force
    is skipped, too, where one foot or the other tells that it is none (`force.events`).

    Returns
    -------
    DataFrame
        study, subject, speed, condition (where ``trials.csv`` has one), trial, number (missing for a trial without
        cycle), start_s, end_s, duration_s, kept, reason.
    """
    found = [cycle for trial in study.trials for cycle in _of_trial(study, trial)]
    table = pd.DataFrame(found).astype({"number": "Int64", "start_s": float, "end_s": float})
    table["duration_s"] = table["end_s"] - table["start_s"]
    table["reason"] = table["reason"].where(table["reason"] != "", _implausible(table))
    table["kept"] = table["reason"] == ""
    told = [name for name in _WHO if name != "condition" or study.has_conditions]
    return table[[*told, "number", "start_s", "end_s", "duration_s", "kept", "reason"]]


def first_reason(rows: pd.DataFrame) -> str:
    """Return why the first of some cycles that `find_cycles` found is skipped, and where it is, to simulate it anew."""
    first = rows.iloc[0]
    if not np.isfinite(first["start_s"]):
        return str(first["reason"])
    return f"{first['reason']}; the first cycle goes from {first['start_s']:.4g} to {first['end_s']:.4g} s"


def _of_trial(study: Study, trial: Trial) -> list[_FoundCycle]:
    who = (study.name, trial.subject, *trial.circumstances, trial.name)
    cycles, reason = _from_table(study, trial) if study.cycles is not None else _from_grf(study, trial)
    if not cycles:
        return [_FoundCycle(*who, None, np.nan, np.nan, reason)]
    return [_FoundCycle(*who, c.number, c.start_s, c.end_s, unlikely or _unusable(study, c)) for c, unlikely in cycles]


def _from_table(study: Study, trial: Trial) -> tuple[list[tuple[Cycle, str]], str]:
    cycles = [(cycle, "") for cycle in study.cycles_of(trial.name)]
    return cycles, "no complete cycle: cycles.csv has no row for this trial"


def _from_grf(study: Study, trial: Trial) -> tuple[list[tuple[Cycle, str]], str]:
    events, settings = study.events(trial.name), study.settings
    found = events.cycles(settings.cycle, settings.ignored)
    cycles = [(Cycle(trial.name, number, start, end), why) for number, (start, end, why) in enumerate(found)]
    return cycles, events.why_no_cycle()


def _unusable(study: Study, cycle: Cycle) -> str:
    signals = {"activation": study.activation(cycle.trial), "EMG": study.emg(cycle.trial)}
    signals |= {f"the file of {SETS[which].what}": study.beside(cycle.trial, which) for which in study.input_sets}
    reasons = [gap(name, signal, cycle) or "" for name, signal in signals.items() if isinstance(signal, Storage)]
    reasons += [_beyond(study, cycle)] if RANGE.name not in study.settings.ignored else []
    reasons += [
        f"EMG {drop.channel!r} dropped out from {drop.start_s:.4g} to {drop.end_s:.4g} s ({drop.what})"
        for drop in study.dropouts(cycle.trial)
        if drop.start_s < cycle.end_s and drop.end_s > cycle.start_s
    ]
    return "; ".join(filter(None, reasons))


def _beyond(study: Study, cycle: Cycle) -> str:
    signal, settings = study.activation(cycle.trial), study.settings
    stretch = window(cycle.start_s, cycle.end_s, settings.resampling)
    found = within(signal, band(signal.labels, settings.activation_tolerance), *stretch)
    if not found:
        return ""
    return (
        f"activation is outside 0 to 1 by more than {settings.activation_tolerance:g} ({listed(found)}): simulate it "
        "anew there, or set [activation] tolerance in study.toml"
    )


def gap(name: str, signal: Storage, cycle: Cycle) -> str | None:
    """Say why a signal does not cover a cycle: it starts late, ends early or pauses; None if it does."""
    start, end = signal.time[[0, -1]]
    if cycle.start_s < start - EDGE_S:
        return f"incomplete: {name} starts at {start:.4g} s, after the cycle"
    if cycle.end_s > end + EDGE_S:
        return f"incomplete: {name} ends at {end:.4g} s, before the cycle"
    inside = signal.time[(signal.time > cycle.start_s) & (signal.time < cycle.end_s)]
    steps = np.diff(np.concatenate([[cycle.start_s], inside, [cycle.end_s]]))
    if steps.max() > _LARGEST_GAP * (cycle.end_s - cycle.start_s):
        return f"{name} has no sample for {steps.max():.3g} s, more than {_LARGEST_GAP:.0%} of the cycle"
    return None


def _implausible(table: pd.DataFrame) -> pd.Series[str]:
    usable = table["duration_s"].where(table["reason"] == "")
    median = usable.groupby([table["subject"], table["speed"], table["condition"]]).transform("median")
    share = table["duration_s"] / median
    told = [
        f"lasts {length:.3g} s, {part:.2f} times the median of this subject and speed"
        for length, part in zip(table["duration_s"], share, strict=True)
    ]
    odd = (share < _PLAUSIBLE[0]) | (share > _PLAUSIBLE[1])
    return pd.Series(told, index=table.index).where(odd, "")
