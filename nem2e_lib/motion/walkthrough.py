"""One recording from motion to refined activity, step by step: what 12_motion_to_emg calls."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.data.columns import muscle_name
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.motion.chain import Plan, plan, refine_motion
from nem2e_lib.motion.sides import sides_by_place
from nem2e_lib.project import ROOT
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.refined import Refined
from nem2e_lib.refiner.spans import PLATES, Span, read_strikes
from nem2e_lib.simulate import hamner
from nem2e_lib.simulate.batch import simulate
from nem2e_lib.simulate.forces import Plate, read_plates
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.osim import require
from nem2e_lib.simulate.posture import postures
from nem2e_lib.simulate.trial import SimulatedTrial

SIDES = ("right", "left")
NEEDED = (
    "No recording is named: give model, motion and grf, or name by the environment variable NEM2E_REALDATA a folder "
    "with hamner_subject01 in it."
)


@dataclass(frozen=True)
class Recording:
    """A recording, how it is to be simulated, and its EMG where that is known.

    Attributes
    ----------
    trial : SimulatedTrial
    model : Path
    options : Options
    emg : dict
        Muscle to times and values of its envelope; empty where nothing was measured.
    """

    trial: SimulatedTrial
    model: Path
    options: Options
    emg: dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Simulated:
    """Activations by method (``static optimisation``, ``computed muscle control``), and the refined trial."""

    plan: Plan
    activations: dict[str, Storage]
    refined: Refined


def recording(
    model: str = "",
    motion: str = "",
    grf: str = "",
    emg: str = "",
    *,
    start_s: float = 0.0,
    end_s: float = 0.0,
    options: Options | None = None,
) -> Recording:
    """The recording that was named, or one gait cycle at 2 m/s of Hamner & Delp (2013) where that is at hand.

    Parameters
    ----------
    model, motion, grf
        Files; all of them or none.
    emg
        Envelopes (.sto) whose columns are muscles, on the same clock; may be empty.
    start_s, end_s
        Window; 0 and 0 for all.
    options
        Of the simulation.

    Raises
    ------
    Nem2eError
        If OpenSim is not installed, or files are missing.
    """
    require()
    given = {"model": model, "motion": motion, "grf": grf}
    if not any(given.values()):
        return _hamner(start_s, end_s)
    missing = [name for name, path in given.items() if not path or not Path(path).is_file()]
    if missing:
        raise Nem2eError(f"{missing[0]} is {given[missing[0]]!r}, but a file is expected; give model, motion and grf.")
    window = (start_s, end_s) if end_s > start_s else (None, None)
    trial = SimulatedTrial(Path(motion).stem, Path(motion), grf=Path(grf), start_s=window[0], end_s=window[1])
    return Recording(trial, Path(model), options or Options(), _envelopes(emg))


def _envelopes(path: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    if not path:
        return {}
    table = read_storage(path)
    return {muscle_name(label): (table.time, table.column(label)) for label in table.labels}


def _hamner(start_s: float, end_s: float) -> Recording:
    named = os.environ.get("NEM2E_REALDATA")
    data = Path(named or "") / "hamner_subject01"
    if not named or not data.is_dir():
        raise Nem2eError(NEEDED)
    one = next(each for each in hamner.cycles(data, "1") if each.speed == 2)
    (trial,) = hamner.trials(data, [one])
    around = (one.start_s - 0.03, one.end_s + 0.03)
    trial = replace(trial, start_s=start_s or around[0], end_s=end_s or around[1])
    waves = hamner.measured(data, one)
    time = np.linspace(one.start_s, one.end_s, len(next(iter(waves.values()))))
    (model,) = sorted((data / "model").glob("*.osim"))
    return Recording(trial, model, hamner.OPTIONS, {name: (time, wave) for name, wave in waves.items()})


def known_refiner(named: str = "") -> Path:
    """The refiner that was named, else the one that ``make paper`` left beside its pages or in its run.

    Raises
    ------
    Nem2eError
        If none was named and there is none.
    """
    if named:
        return Path(named)
    places = [*ROOT.glob("figures/refiner/*.refiner"), *ROOT.glob("build/demo-*/refiner/*.refiner")]
    if not places:
        raise Nem2eError("There is no refiner yet: name one, or run make paper, which leaves a SYNTHETIC one.")
    return places[0]


def fitting(refiner: str | Path, recording: Recording) -> Refiner:
    """A refiner, of those muscles alone whose EMG was measured, where any was."""
    loaded = Refiner.load(refiner)
    measured = [out.name for out in loaded.manifest.outputs if out.muscle in recording.emg]
    return loaded.only(measured) if measured and loaded.manifest.training.condition != "all_entire" else loaded


def lines(recording: Recording, work: Plan, count: int = 9) -> pd.DataFrame:
    """Postures over the first cycle; see `nem2e_lib.simulate.posture.postures`."""
    assert recording.trial.motion is not None
    span = work.spans[0]
    return postures(recording.model, recording.trial.motion, np.linspace(span.start_s, span.end_s, count).tolist())


def arrows(recording: Recording, times: pd.Series[float]) -> pd.DataFrame:
    """Ground reaction at some times: time_s, plate, point px, py (m), force fx, fy (N); only where there is a load."""
    assert recording.trial.grf is not None
    clock, plates, _ = read_plates(recording.trial.grf)
    rows = [
        {
            "time_s": time,
            "plate": plate.name,
            **{f"p{axis}": np.interp(time, clock, plate.point[:, i]) for i, axis in enumerate("xy")},
            **{f"f{axis}": np.interp(time, clock, plate.force[:, i]) for i, axis in enumerate("xy")},
        }
        for time in times.unique()
        for plate in plates
    ]
    table = pd.DataFrame(rows)
    return table[table["fy"] > 50.0]


def force(recording: Recording, refiner: Refiner) -> tuple[Storage, np.ndarray]:
    """Vertical force over time, a column a plate, and the heel strikes of the foot that cycles begin with."""
    assert recording.trial.grf is not None
    clock, plates, _ = read_plates(recording.trial.grf)
    columns = _columns(recording)
    strikes = read_strikes(recording.trial.grf, refiner.manifest.cycle, columns)
    values = np.column_stack([plate.force[:, 1] for plate in plates])
    names = _plate_names(plates, columns)
    side = refiner.manifest.cycle.definition.split("-")[0]
    return Storage("force", names, clock, values), strikes.of(side)


def _plate_names(plates: list[Plate], columns: tuple[str, str] | None) -> tuple[str, ...]:
    """The side of each plate, with its own name where a foot trod on several or none."""
    found = {label: side for side, both in zip(SIDES, columns or ("", ""), strict=True) for label in both.split(PLATES)}
    sides = [plate.side or found.get(plate.vertical, "") for plate in plates]
    return tuple(
        side if side and sides.count(side) == 1 else f"{side} {plate.name or number}".strip()
        for number, (side, plate) in enumerate(zip(sides, plates, strict=True), 1)
    )


def simulate_both(
    recording: Recording, refiner: Refiner, work: Plan, folder: str | Path, cmc_s: float = 0.0
) -> Simulated:
    """Static optimisation of whole cycles, computed muscle control of the first `cmc_s` seconds, and the refined trial.

    The trial is refined from computed muscle control where that covers a whole cycle, else from static optimisation.

    Raises
    ------
    Nem2eError
        If a simulation fails.
    """
    out = Path(folder)
    refined = refine_motion(work, recording.model, refiner, out / "static_optimisation", options=recording.options)
    found = {"static optimisation": read_storage(out / "static_optimisation" / work.trial.trial / "activation.sto")}
    if cmc_s > 0:
        controlled = _control(recording, refiner, work, out / "computed_muscle_control", cmc_s)
        found["computed muscle control"] = read_storage(controlled)
        whole = [span for span in work.spans if span.end_s <= work.spans[0].start_s + cmc_s]
        if whole:
            refined = refiner.refine(controlled, cycles=whole, definition=refiner.manifest.cycle.definition)
    return Simulated(work, found, refined)


def _control(recording: Recording, refiner: Refiner, work: Plan, out: Path, cmc_s: float) -> Path:
    start = work.spans[0].start_s
    assert work.trial.end_s is not None
    trial = replace(work.trial, start_s=start, end_s=min(start + cmc_s, work.trial.end_s))
    options = replace(recording.options, muscles=refiner.manifest.muscles)
    row = simulate([trial], recording.model, out, steps=("cmc",), options=options, workers=1).iloc[0]
    if row["status"] == "failed":
        raise Nem2eError(f"{row['reason']} (log: {row['log']})")
    return Path(row["activation"])


def plan_cycles(recording: Recording, refiner: Refiner) -> Plan:
    """Cycles of the recording that can be simulated whole by static optimisation."""
    return plan(recording.trial, refiner, steps=("so",), columns=_columns(recording))


def _columns(recording: Recording) -> tuple[str, str] | None:
    """Vertical columns by place, where names do not tell the foot, as ``nem2e run`` finds them."""
    return sides_by_place(recording.trial, recording.model, recording.options)


def measured(recording: Recording, refined: Refined, phases: int = 101) -> xr.DataArray | None:
    """EMG of the refined cycles, dims (cycle, phase, channel), NaN where not measured; None where no muscle was."""
    if not recording.emg:
        return None
    at = np.linspace(0, 100, phases)
    columns = [
        np.stack([_wave(recording.emg.get(out.muscle), span, at) for span in refined.refined])
        for out in refined.manifest.outputs
    ]
    coords = {"phase": at, "channel": list(refined.manifest.names)}
    return xr.DataArray(np.stack(columns, axis=2), dims=("cycle", "phase", "channel"), coords=coords)


def _wave(told: tuple[np.ndarray, np.ndarray] | None, span: Span, at: np.ndarray) -> np.ndarray:
    if told is None:
        return np.full(len(at), np.nan)
    time = span.start_s + (span.end_s - span.start_s) * at / 100
    return np.interp(time, *told, left=np.nan, right=np.nan)
