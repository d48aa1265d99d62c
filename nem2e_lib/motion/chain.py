"""From motion to refined activity: find whole gait cycles, tell the cost, simulate them, refine what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nem2e_lib.data.markers.trc import read_markers
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.data.study.trials import EDGE_S
from nem2e_lib.error import Nem2eError
from nem2e_lib.motion.sides import require_muscles, sides_by_place
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.refined import Refined, require_savable
from nem2e_lib.refiner.spans import Span, find
from nem2e_lib.simulate.batch import simulate
from nem2e_lib.simulate.options import LEAD_S, MARGINS_S, NAMES, Options, check_steps
from nem2e_lib.simulate.osim import require
from nem2e_lib.simulate.prepare import missing_meshes
from nem2e_lib.simulate.trial import SimulatedTrial

COST = {"scale": 0.0, "ik": 1.0, "rra": 15.0, "cmc": 450.0, "so": 20.0}
"""Seconds on one core for a second of motion of 92 muscles, as seen in running; walking takes half of it."""
_WAY = "Give a motion and forces that cover a whole cycle and a little more, or a wider window."


@dataclass(frozen=True)
class Plan:
    """What will be simulated, so that the cycles in it can be refined.

    Attributes
    ----------
    trial : SimulatedTrial
        With the window to simulate.
    spans : list of Span
        Cycles within it.
    steps : tuple of str
    left : tuple of str
        Why other cycles are left, and what is odd in the force, one sentence each.
    """

    trial: SimulatedTrial
    spans: list[Span]
    steps: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Roughly what it takes on one core, s."""
        assert self.trial.start_s is not None
        assert self.trial.end_s is not None
        return sum(COST[step] for step in self.steps) * (self.trial.end_s - self.trial.start_s) + 10

    def __str__(self) -> str:
        """One line for people."""
        steps = " + ".join(NAMES[step] for step in self.steps)
        return (
            f"{self.trial.trial}: {len(self.spans)} cycle(s), {self.trial.start_s:.6g} to {self.trial.end_s:.6g} s, by "
            f"{steps}: about {max(1, round(self.seconds / 60))} min on one core"
        )


def plan(
    trial: SimulatedTrial,
    refiner: Refiner,
    *,
    steps: Sequence[str] = ("rra", "cmc"),
    cycles: str | Path | Sequence[Span] | None = None,
    columns: tuple[str, str] | None = None,
) -> Plan:
    """Find the cycles of a recording that can be simulated whole, before anything is simulated.

    Raises
    ------
    Nem2eError
        If there are no forces and no cycles, motion and forces do not overlap, or no cycle can be simulated whole.
    """
    chosen = check_steps(tuple(steps))
    if not {"cmc", "so"} & set(chosen):
        raise Nem2eError(f"Steps {', '.join(chosen)} end without muscle activation; add cmc or so.")
    if trial.grf is None and cycles is None:
        raise Nem2eError(
            f"Trial {trial.trial!r}: without ground reaction forces there are no heel strikes; give them (--grf), or a "
            "table of cycles (--cycles)."
        )
    motion, cycle, where = _clock(trial), refiner.manifest.cycle, f"trial {trial.trial!r}"
    found = find(motion, cycle, where, grf=trial.grf, cycles=cycles, columns=columns, what="motion")
    spans, left = _coverable(trial, found.spans, _covered(trial, motion), chosen)
    if not spans:
        raise Nem2eError(f"Trial {trial.trial!r}: no cycle can be simulated whole. {left[0]} {_WAY}")
    window = replace(trial, start_s=min(s.start_s for s in spans), end_s=max(s.end_s for s in spans))
    return Plan(window, spans, chosen, (*left, *map(str, found.notes)))


@dataclass(frozen=True)
class Simulated:
    """The activation file of a simulated recording, and what a reader of it must know, one sentence each."""

    activation: Path
    notes: tuple[str, ...]


def simulated(
    plan: Plan,
    model: str | Path,
    refiner: Refiner,
    folder: str | Path,
    *,
    options: Options | None = None,
    progress: bool = True,
) -> Simulated:
    """Simulate a planned recording.

    Parameters
    ----------
    plan
        From `plan`.
    model
        OpenSim model.
    refiner
        Its muscles must be among the model's: that is asked before anything is simulated.
    folder
        Where the simulation is left; what is finished there is not simulated again.
    options
        Of the simulation.

    Raises
    ------
    Nem2eError
        If OpenSim is not installed, or the simulation fails.
    """
    require()
    asked = options or Options()
    asked = replace(asked, muscles=asked.muscles or refiner.manifest.muscles)
    table = simulate([plan.trial], model, folder, steps=plan.steps, options=asked, workers=1, progress=progress)
    row = table.iloc[0]
    if row["status"] == "failed":
        raise Nem2eError(f"{row['reason']} (log: {row['log']})")
    quality = f"Quality of the simulation: {row['verdict']}{', because ' + row['why'] if row.get('why') else ''}."
    return Simulated(Path(row["activation"]), (quality, *plan.left, *([row["notes"]] if row["notes"] else [])))


def refine_motion(
    plan: Plan,
    model: str | Path,
    refiner: Refiner,
    folder: str | Path,
    *,
    options: Options | None = None,
    names: str | None = None,
    progress: bool = True,
) -> Refined:
    """Simulate a planned recording and refine what comes out; arguments and errors as `simulated`, then as refining."""
    done = simulated(plan, model, refiner, folder, options=options, progress=progress)
    definition = refiner.manifest.cycle.definition
    refined = refiner.refine(done.activation, cycles=plan.spans, definition=definition, names=names)
    return replace(refined, notes=(*refined.notes, *done.notes))


def run(
    trial: SimulatedTrial,
    model: str | Path | None,
    refiner: Refiner,
    out: Path,
    *,
    folder: Path | None = None,
    steps: Sequence[str] = ("rra", "cmc"),
    cycles: Path | None = None,
    columns: tuple[str, str] | None = None,
    options: Options | None = None,
    names: str | None = None,
    rest: str = "simulated",
    tell: Callable[[str], None] = print,
) -> Refined:
    """Plan, tell what it costs, simulate and refine: all that ``nem2e run`` does but saving.

    `rest` is what `Refined.save` will be asked for: what could not be saved is refused before hours of work. `names` is
    the family of models whose muscle names the model has, if not the refiner's. Errors as `plan` and `refine_motion`.
    """
    require()
    if model is None or not Path(model).is_file():
        raise Nem2eError(f"{model or '--model'}: no such file, but an OpenSim model (.osim) is expected.")
    require_savable(out, rest, (*trial.files().values(), cycles))
    asked = options or Options()
    missing_meshes(Path(model), asked.geometry)
    asked = replace(asked, muscles=require_muscles(trial, Path(model), refiner, names))
    columns = columns or sides_by_place(trial, Path(model), asked)
    work = plan(trial, refiner, steps=needed_steps(trial, steps), cycles=cycles, columns=columns)
    tell(str(work))
    return refine_motion(
        work, model, refiner, folder or out.with_name(f"{out.stem}_simulated"), options=asked, names=names
    )


def angles_or_markers(path: Path | None) -> tuple[Path | None, Path | None]:
    """A motion file as joint angles or as markers, by the ending of its name."""
    markers = path is not None and path.suffix.lower() == ".trc"
    return (None, path) if markers else (path, None)


def needed_steps(trial: SimulatedTrial, steps: Sequence[str]) -> tuple[str, ...]:
    """The steps asked for, with scaling where there is a static pose and inverse kinematics where there are markers."""
    before = [*(["scale"] if trial.static is not None else []), *(["ik"] if trial.markers is not None else [])]
    return tuple(dict.fromkeys([*before, *steps]))


def _clock(trial: SimulatedTrial) -> Storage:
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


def _covered(trial: SimulatedTrial, motion: Storage) -> tuple[float, float]:
    """First and last time that motion and forces both have, s."""
    clocks = [motion.time, *([read_storage(trial.grf).time] if trial.grf is not None else [])]
    return max(float(time[0]) for time in clocks), min(float(time[-1]) for time in clocks)


def _coverable(
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
