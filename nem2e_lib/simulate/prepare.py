"""Where a trial is simulated: its inputs, checked and written into its folder as every step reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts, describe, load
from nem2e_lib.simulate.forces import whole_plates, write_plates
from nem2e_lib.simulate.loads import DOCUMENT, assign, copy_own_loads, external_loads
from nem2e_lib.simulate.marker_set import MarkerSet, read_marker_set
from nem2e_lib.simulate.motion import Motion, read_motion, write_motion
from nem2e_lib.simulate.options import MARGINS_S, Options
from nem2e_lib.simulate.osim import opensim_version
from nem2e_lib.simulate.placing import put
from nem2e_lib.simulate.scaling import chosen_strength
from nem2e_lib.simulate.trial import SimulatedTrial
from nem2e_lib.simulate.xml import read_document, write_document

LOG = "log.txt"
EDGE_S = max(time for margins in MARGINS_S.values() for time in margins)
"""What is simulated beyond what was asked for, at most."""
OLD_FORMAT = 30000
"""Models in earlier formats are converted, which is told: forces and constraints were written otherwise."""
MESHES = "bone meshes"
"""In the note on missing ones, which is told once, however many trials share a model."""


@dataclass
class Workplace:
    """State of one trial between steps.

    Attributes
    ----------
    folder : Path
        Folder of the trial; every step has one of its own in it.
    model, motion : Path
        What the next step starts from.
    smooth : bool
        Whether the motion needs no low-pass any more.
    asked : (start, end) in s
        What results shall cover.
    window : (start, end) in s
        What is simulated: with the margins that computed muscle control loses.
    notes : list of str
        What the user should know, one sentence each.
    markers : MarkerSet, optional
        Whose markers stand in place of the model's own.
    """

    folder: Path
    trial: SimulatedTrial
    options: Options
    model: Path
    motion: Path | None = None
    smooth: bool = False
    asked: tuple[float, float] = (0.0, 0.0)
    window: tuple[float, float] = (0.0, 0.0)
    notes: list[str] = field(default_factory=list)
    markers: MarkerSet | None = None
    _facts: dict[Path, ModelFacts] = field(default_factory=dict)

    @property
    def facts(self) -> ModelFacts:
        """Description of the present model."""
        if self.model not in self._facts:
            self._facts[self.model] = describe(self.model)
        return self._facts[self.model]

    @property
    def cutoff_hz(self) -> float:
        """Low-pass that the motion still needs; -1 for none."""
        return -1.0 if self.smooth else self.options.cutoff_hz

    @property
    def inputs(self) -> Path:
        """Folder of the trial's inputs as the steps read them."""
        return self.folder / "inputs"

    @property
    def log(self) -> Path:
        """What OpenSim says, as `nem2e_lib.simulate.runner` keeps it."""
        return self.folder / LOG

    def step_folder(self, step: str) -> Path:
        """Return the folder of a step, made where it is not there."""
        folder = self.folder / step
        (folder / "results").mkdir(parents=True, exist_ok=True)
        return folder

    def needs_motion(self) -> Path:
        """Return the motion; Nem2eError where the trial has none."""
        if self.motion is None:
            raise Nem2eError(
                f"Trial {self.trial.trial!r} has neither a motion nor the step ik before; give motion= (.mot, .sto)."
            )
        return self.motion


def prepare_model(place: Workplace, *, scaled: bool = False) -> None:
    """Write the model to ``inputs/model.osim`` as the options ask: markers, strength, velocity, locked coordinates.

    `scaled` tells that the model will be scaled, so that its markers need not be this person's.
    """
    place.inputs.mkdir(parents=True, exist_ok=True)
    missing = missing_meshes(place.model, place.options.geometry)
    if missing:
        place.notes.append(missing)
    facts, model = place.facts, load(place.model)
    if place.options.marker_set:
        place.markers = read_marker_set(place.options.marker_set)
        place.notes += put(place.markers, facts, model, keep=not scaled)
    _set_muscles(place, model)
    _lock(place, facts, model)
    _remove_residuals(place, facts, model)
    _switch_off_contacts(place, facts, model)
    written = place.inputs / "model.osim"
    model.printToXML(str(written))
    converted = other_format(place.model, written)
    if converted:
        place.notes.append(converted)
    place.model = written


def _set_muscles(place: Workplace, model: Any) -> None:
    strength, notes = chosen_strength(place.trial, place.options, place.facts.mass_kg)
    place.notes += notes
    muscles = model.updMuscles()
    for index in range(muscles.getSize()):
        muscle = muscles.get(index)
        muscle.set_max_isometric_force(muscle.get_max_isometric_force() * strength)
        if place.options.max_velocity is not None:
            muscle.set_max_contraction_velocity(place.options.max_velocity)


def _lock(place: Workplace, facts: ModelFacts, model: Any) -> None:
    for pattern in place.options.lock:
        names = [name for name in facts.names if fnmatchcase(name, pattern)]
        if not names:
            raise Nem2eError(
                f"Lock {pattern!r} fits no coordinate of model {facts.name!r}; it has {', '.join(facts.names)}"
                f"{near(pattern, facts.names)}."
            )
        for name in names:
            model.updCoordinateSet().get(name).set_locked(True)


def _remove_residuals(place: Workplace, facts: ModelFacts, model: Any) -> None:
    """The model's own actuators of the root would take a share of the residuals that is not measured."""
    root = {each.name for each in facts.coordinates if each.root}
    own = [name for name, coordinate in (facts.coordinate_actuators or {}).items() if coordinate in root]
    for name in own:
        forces = model.updForceSet()
        forces.remove(forces.getIndex(name))
    if own:
        place.notes.append(
            f"The model's own residual actuators ({', '.join(own)}) were replaced by the generated ones."
        )


def _switch_off_contacts(place: Workplace, facts: ModelFacts, model: Any) -> None:
    if not place.options.without_contacts:
        return
    for name in facts.ground_contacts:
        model.updForceSet().get(name).set_appliesForce(False)
    found = ", ".join(facts.ground_contacts)
    place.notes.append(
        f"The model's own contact forces with the ground ({found}) were switched off."
        if found
        else f"Model {facts.name!r} has no contact forces with the ground to switch off."
    )


def check_muscles(place: Workplace) -> None:
    """Refuse a model that lacks muscles which are expected of it."""
    there, expected = place.facts.muscles, place.options.muscles
    missing = [name for name in expected if name not in there]
    if missing:
        raise Nem2eError(
            f"Model {place.facts.name!r} has no muscle {missing[0]!r}: {len(missing)} of the {len(expected)} expected "
            f"ones are missing; it has {', '.join(there[:6]) or 'none'}{' …' if len(there) > 6 else ''}; give the "
            "model whose muscles go by the names expected."
        )


def other_format(model: Path, written: Path) -> str:
    """Return a sentence on a model that OpenSim has to convert from before version 3, or newer than what it writes."""
    stated, latest = _format(model), _format(written)
    if stated > latest:
        return (
            f"{model.name}: is in format {stated}, newer than the {latest} that OpenSim {opensim_version()} knows; "
            "what it does not know is passed over."
        )
    if stated < OLD_FORMAT:
        return (
            f"{model.name}: is in format {stated}, of before OpenSim 3; what is simulated is what OpenSim "
            f"{opensim_version()} makes of it (inputs/model.osim)."
        )
    return ""


def _format(model: Path) -> int:
    """Return the format that a model's file states, 0 where it states none."""
    stated = read_document(model).getroot().get("Version", "")
    return int(stated) if stated.isdigit() else 0


def missing_meshes(model: Path, geometry: Path | None) -> str:
    """Return a sentence on bone meshes that cannot be found, or nothing; simulating needs none.

    Raises
    ------
    Nem2eError
        If `geometry` is no folder, or holds none of the model's meshes.
    """
    if geometry is not None and not geometry.is_dir():
        raise Nem2eError(f"{geometry}: no such folder; the folder of the model's bone meshes (.vtp) is expected.")
    root = read_document(model).getroot()
    names = sorted({(each.text or "").strip() for each in root.iter("mesh_file")} - {"", "Unassigned"})
    folders = [model.parent, model.parent / "Geometry", *([geometry] if geometry else [])]
    lost = [name for name in names if not any((folder / name).is_file() for folder in folders)]
    if geometry is not None and names and not any((geometry / name).is_file() for name in names):
        raise Nem2eError(f"{geometry}: holds none of the {len(names)} meshes of {model}, such as {names[0]}.")
    if not lost:
        return ""
    return (
        f"{model.name}: {len(lost)} of {len(names)} {MESHES} ({lost[0]} …) are neither beside the model nor in a "
        "folder Geometry there; simulations do not need them, pictures do: name their folder with --geometry."
    )


def prepare_motion(place: Workplace, path: Path) -> Motion:
    """Write a motion to ``inputs/motion.sto`` in degrees, only the model's coordinates."""
    motion = read_motion(path, place.facts)
    place.notes += motion.notes
    place.motion = write_motion(place.inputs / "motion.sto", motion)
    return motion


def prepare_loads(place: Workplace, motion: Motion) -> tuple[float, float] | None:
    """Write the forces and the external loads to ``inputs/``; return the first and last time of the forces."""
    target = place.inputs / DOCUMENT
    if place.trial.loads is not None:
        return copy_own_loads(place.trial.loads, place.trial.grf, place.facts, target)
    if place.trial.grf is None:
        own = ", ".join(place.facts.ground_contacts)
        carrier = f"the model's own contact forces ({own})" if own else "residuals"
        place.notes.append(f"No ground reaction force was given: whatever carries the body must come from {carrier}.")
        write_document(target, external_loads({}, ""))
        return None
    time, plates, notes = whole_plates(place.trial.grf)
    place.notes += notes
    check_overlap(place, motion, (float(time[0]), float(time[-1])), place.trial.grf)
    start, end = place.trial.start_s, place.trial.end_s
    window = (-np.inf if start is None else start - EDGE_S, np.inf if end is None else end + EDGE_S)
    bodies = assign(place.facts, place.model, motion.storage, time, plates, place.options.feet, window)
    write_plates(place.inputs / "grf.mot", time, {f"force_{body}": plate for body, plate in bodies.items()})
    write_document(target, external_loads({f"force_{body}": body for body in bodies}, "grf.mot"))
    return float(time[0]), float(time[-1])


def check_overlap(place: Workplace, motion: Motion, forces: tuple[float, float], path: Path) -> None:
    """Refuse forces and motion that share no time."""
    start, end = max(motion.span[0], forces[0]), min(motion.span[1], forces[1])
    if start >= end:
        raise Nem2eError(
            f"{path}: forces run from {forces[0]:.6g} to {forces[1]:.6g} s, but the motion of trial "
            f"{place.trial.trial!r} from {motion.span[0]:.6g} to {motion.span[1]:.6g} s; give both on one clock."
        )


def choose_window(
    place: Workplace, motion: Motion, forces: tuple[float, float] | None, margins: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Set the window: what was asked for with the margins that the steps need, else all that motion and forces cover.

    Raises
    ------
    Nem2eError
        If the window asked for is empty or goes beyond motion or forces.
    """
    spans = [motion.span, *([forces] if forces else [])]
    start, end = max(span[0] for span in spans), min(span[1] for span in spans)
    asked = (
        start if place.trial.start_s is None else place.trial.start_s,
        end if place.trial.end_s is None else place.trial.end_s,
    )
    step = float(np.median(np.diff(motion.storage.time)))
    if asked[0] < start - 1e-6 or asked[1] > end + 1e-6 or asked[1] - asked[0] < step:
        raise Nem2eError(
            f"Trial {place.trial.trial!r}: start {asked[0]:.6g} and end {asked[1]:.6g} s were asked for, but motion "
            f"and forces together cover {start:.6g} to {end:.6g} s; choose a window inside."
        )
    place.asked = asked
    place.window = (round(max(start, asked[0] - margins[0]), 6), round(min(end, asked[1] + margins[1]), 6))
