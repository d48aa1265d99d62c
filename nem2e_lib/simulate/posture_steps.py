"""The steps from markers: scaling and inverse kinematics."""

from __future__ import annotations

import shutil
from pathlib import Path

from nem2e_lib.errors import Nem2eError
from nem2e_lib.simulate.markers import common_markers, read_markers
from nem2e_lib.simulate.scaling import scale_setup
from nem2e_lib.simulate.setups import ik_setup
from nem2e_lib.simulate.steps import relative, run_tool
from nem2e_lib.simulate.tasks import marker_tasks
from nem2e_lib.simulate.workplace import Workplace


def scale(place: Workplace) -> None:
    """Scale the model to the static trial, and write ``scale/model_scaled.osim``."""
    source = place.trial.static
    if source is None:
        raise Nem2eError(f"Trial {place.trial.trial!r}: scaling needs static=, markers of a static pose (.trc).")
    markers = read_markers(source)
    shared = common_markers(source, markers, place.facts.name, place.facts.markers or {})
    folder = place.step_folder("scale")
    copy = _copied(place, source, "static.trc")
    if place.trial.mass_kg is None:
        place.notes.append(f"No mass_kg was given: the scaled model keeps {place.facts.mass_kg:.1f} kg.")
    setup = scale_setup(
        relative(place.model, folder),
        relative(copy, folder),
        place.facts,
        shared,
        (float(markers.time[0]), float(markers.time[-1])),
        place.trial.mass_kg,
        place.options.weights,
    )
    run_tool(place, "scale", setup, "ScaleTool")


def after_scale(place: Workplace) -> None:
    """Go on from the scaled model."""
    place.model = place.folder / "scale" / "model_scaled.osim"


def inverse_kinematics(place: Workplace) -> None:
    """Find the joint angles that bring the model's markers closest to the measured ones: ``ik/motion.mot``."""
    source = place.trial.markers
    if source is None:
        raise Nem2eError(f"Trial {place.trial.trial!r}: inverse kinematics needs markers= (.trc).")
    markers = read_markers(source)
    shared = common_markers(source, markers, place.facts.name, place.facts.markers or {})
    folder = place.step_folder("ik")
    copy = _copied(place, source, "markers.trc")
    window = (float(markers.time[0]), float(markers.time[-1]))
    tasks = marker_tasks(shared, place.options.weights)
    setup = ik_setup(relative(place.model, folder), relative(copy, folder), tasks, window, "motion.mot")
    run_tool(place, "ik", setup, "InverseKinematicsTool")


def _copied(place: Workplace, source: Path, name: str) -> Path:
    target = place.inputs / name
    shutil.copyfile(source, target)
    return target
