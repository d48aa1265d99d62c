"""One recording from motion to refined activity, step by step: what 12_motion_to_emg starts from and looks at."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.data.force.plates import Plate
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.motion.chain import Plan
from nem2e_lib.motion.sides import sides_by_place
from nem2e_lib.project import ROOT
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.refined import Refined
from nem2e_lib.refiner.spans import PLATES, read_events
from nem2e_lib.simulate import hamner
from nem2e_lib.simulate.forces import whole_plates
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.osim import require
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
    emg : Storage or None
        Envelopes, a column a muscle; None where nothing was measured.
    """

    trial: SimulatedTrial
    model: Path
    options: Options
    emg: Storage | None

    @cached_property
    def columns(self) -> tuple[str, str] | None:
        """Vertical columns by place, where names do not tell the foot, as ``nem2e run`` finds them."""
        return sides_by_place(self.trial, self.model, self.options)

    def measured(self, refined: Refined) -> xr.Dataset:
        """Return EMG of the refined cycles (see `Refined.measured`); empty where nothing was measured."""
        return refined.measured(self.emg) if self.emg is not None else xr.Dataset()


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


def _envelopes(path: str) -> Storage | None:
    if not path:
        return None
    table = read_storage(path)
    return replace(table, labels=tuple(muscle_name(label) for label in table.labels))


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
    emg = Storage("EMG", tuple(waves), time, np.column_stack(list(waves.values())))
    return Recording(trial, model, hamner.OPTIONS, emg)


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
    there = recording.emg.labels if recording.emg is not None else ()
    measured = [out.name for out in loaded.manifest.outputs if out.muscle in there]
    return loaded.only(measured) if measured and not loaded.manifest.reads_all else loaded


def arrows(recording: Recording, times: np.ndarray) -> pd.DataFrame:
    """Ground reaction at some times: time_s, plate, point px, py (m), force fx, fy (N); only where there is a load."""
    assert recording.trial.grf is not None
    clock, plates, _ = whole_plates(recording.trial.grf)
    rows = [
        {
            "time_s": time,
            "plate": plate.name,
            **{f"p{axis}": np.interp(time, clock, plate.point[:, i]) for i, axis in enumerate("xy")},
            **{f"f{axis}": np.interp(time, clock, plate.force[:, i]) for i, axis in enumerate("xy")},
        }
        for time in times.tolist()
        for plate in plates
    ]
    table = pd.DataFrame(rows)
    return table[table["fy"] > 50.0]


def force(recording: Recording, refiner: Refiner) -> tuple[Storage, np.ndarray]:
    """Vertical force over time, a column a plate, and the heel strikes of the foot that cycles begin with."""
    assert recording.trial.grf is not None
    clock, plates, _ = whole_plates(recording.trial.grf)
    events = read_events(recording.trial.grf, refiner.manifest.cycle, recording.columns)
    values = np.column_stack([plate.force[:, 1] for plate in plates])
    names = _plate_names(plates, recording.columns)
    side = refiner.manifest.cycle.definition.split("-")[0]
    return Storage("force", names, clock, values), events.of(side).strikes


def _plate_names(plates: list[Plate], columns: tuple[str, str] | None) -> tuple[str, ...]:
    """The side of each plate, with its own name where a foot trod on several or none."""
    found = {label: side for side, both in zip(SIDES, columns or ("", ""), strict=True) for label in both.split(PLATES)}
    sides = [plate.side or found.get(plate.vertical, "") for plate in plates]
    return tuple(
        side if side and sides.count(side) == 1 else f"{side} {plate.name or number}".strip()
        for number, (side, plate) in enumerate(zip(sides, plates, strict=True), 1)
    )


def methods(work: Plan, cmc_s: float = 0.0) -> dict[str, Plan]:
    """Return what each method simulates: static optimisation whole cycles, computed muscle control the first seconds.

    Parameters
    ----------
    work
        By static optimisation.
    cmc_s
        Seconds of computed muscle control from the first heel strike; 0 for none. Its plan holds the cycles that lie
        whole within them, which may be none.
    """
    found = {"static optimisation": work}
    if cmc_s > 0:
        assert work.trial.end_s is not None
        start = work.spans[0].start_s
        window = replace(work.trial, start_s=start, end_s=min(start + cmc_s, work.trial.end_s))
        whole = [span for span in work.spans if span.end_s <= start + cmc_s]
        found["computed muscle control"] = Plan(window, whole, ("cmc",), ())
    return found
