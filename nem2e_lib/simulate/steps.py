"""The steps of a simulation: each writes its set-up into a folder of its own, runs OpenSim's tool, and moves on."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.data.files import write_text
from nem2e_lib.data.markers.trc import Markers, write_markers
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.actuators import UNMUSCLED, ideal_actuators, reserve_actuators
from nem2e_lib.simulate.equilibrium import Balance
from nem2e_lib.simulate.facts import describe
from nem2e_lib.simulate.marker_set import SetMarker
from nem2e_lib.simulate.motion import DISTANCES, coordinate_of, marker_distances, markers_for
from nem2e_lib.simulate.options import LEAD_S, NAMES
from nem2e_lib.simulate.osim import StepFailed, opensim, working_in
from nem2e_lib.simulate.placing import unfollowed
from nem2e_lib.simulate.posture import Posture
from nem2e_lib.simulate.prepare import Workplace
from nem2e_lib.simulate.said import UNBALANCED, errors, explained, since, size
from nem2e_lib.simulate.scaling import (
    UNSTATED,
    check_factors,
    check_mass,
    chosen_mass,
    scale_factors,
    set_up_markers,
    unscaled_strength,
)
from nem2e_lib.simulate.setups import (
    LOADS,
    REDUCTION_WEIGHT,
    SCALED,
    Window,
    cmc_setup,
    id_setup,
    ik_setup,
    marker_tasks,
    own_setup,
    rra_setup,
    scale_setup,
    so_setup,
    tracking_tasks,
)
from nem2e_lib.simulate.sizing import (
    FACTORS,
    FIT,
    factor_table,
    fit_in_doubt,
    fit_table,
    measurement_set,
    plan_by_rules,
    plan_without_rules,
    sides_in_doubt,
)
from nem2e_lib.simulate.states import activation_of_states, keep_states, save_activation, save_static_optimisation
from nem2e_lib.simulate.xml import read_document, write_document

SHARED_HZ = 100.0
"""Static optimisations a second: residual reduction writes motions at 1000 Hz, ten times what activation needs."""


def scale(place: Workplace) -> None:
    """Scale the model to the static trial, and write ``scale/model_scaled.osim`` and tables of sizes and of the fit."""
    source = place.trial.static
    if source is None:
        raise Nem2eError(f"Trial {place.trial.trial!r}: scaling needs static=, markers of a static pose (.trc).")
    own = place.options.setups.get("scale")
    added = set_up_markers(Path(own)) if own else {}
    known = {**(place.facts.markers or {}), **{name: each.body for name, each in added.items()}}
    markers, shared = markers_for(source, place.facts.name, known, _other_names(place, static=True))
    folder = place.step_folder("scale")
    copy = _written(place, source, markers, "static.trc")
    mass, notes = chosen_mass(place.trial, place.options)
    place.notes += notes
    facts = replace(place.facts, markers=known)
    rules = place.markers is not None and place.markers.scale
    plan = (
        plan_by_rules(place.markers, facts, shared, source.name)
        if place.markers and rules
        else plan_without_rules(facts, shared)
    )
    place.notes += [] if own else plan.notes
    weights = {name: each.static for name, each in place.markers.markers.items()} if place.markers else {}
    setup = scale_setup(
        relative(place.model, folder),
        relative(copy, folder),
        measurement_set(plan),
        marker_tasks(shared, {**weights, **place.options.marker_weights}),
        (float(markers.time[0]), float(markers.time[-1])),
        UNSTATED if mass is None else mass,
    )
    run_tool(place, "scale", setup, "ScaleTool")
    _check_scaled(place, folder, mass, paired=bool(own or rules))
    _table_scaling(place, folder, markers, added)


def _other_names(place: Workplace, *, static: bool) -> dict[str, tuple[str, ...]]:
    """Other names of the marker set's markers that have a weight in the static pose, or in movement."""
    known = place.markers.markers if place.markers else {}
    return {name: each.also for name, each in known.items() if (each.static if static else each.weight) > 0}


def _check_scaled(place: Workplace, folder: Path, mass: float | None, *, paired: bool) -> None:
    """Refuse a scaled model of another mass than asked for, or whose sizes no person has; note what is doubtful."""
    found = describe(folder / SCALED).mass_kg
    if mass is None:
        place.notes.append(f"No mass_kg was given: the scaled model weighs {found:.1f} kg.")
    else:
        check_mass(f"Trial {place.trial.trial!r}", found, mass)
    place.notes += unscaled_strength(place.facts.mass_kg, found, place.options.strength)
    doubts = check_factors(place.trial.static or folder, scale_factors(folder / "results" / "scale_factors.xml"))
    place.notes += doubts
    if doubts and not paired:
        place.notes.append(
            "Sizes come of the long distances between markers on each body, for nothing names pairs; name them in a "
            "marker set ([[scale]] in a .toml), or give the laboratory's own set-up of scaling (--setup scale=FILE)."
        )


def _table_scaling(place: Workplace, folder: Path, markers: Markers, added: Mapping[str, SetMarker]) -> None:
    """Write the factor of each body with what measured it, and how far markers are off in the static pose."""
    setup = read_document(folder / "setup_scale.xml").getroot()
    facts, written = place.facts, scale_factors(folder / "results" / "scale_factors.xml")
    factors = {body: three for body, three in written.items() if body in facts.bodies}
    on = {name: (body, facts.marker_places[name]) for name, body in (facts.markers or {}).items()}
    on |= {name: (each.body, each.places[""]) for name, each in added.items()}
    places = {name: facts.in_ground(body, at) for name, (body, at) in on.items() if body in facts.frames}
    table = factor_table(setup, markers, places, factors)
    write_text(folder / FACTORS, table.to_csv(index=False, float_format="%.6g"))
    place.notes += [str(note) for note in sides_in_doubt(table)]
    fit = _static_fit(folder, setup, markers)
    if fit is not None:
        write_text(folder / FIT, fit.to_csv(index=False, float_format="%.6g"))
        place.notes += [str(note) for note in fit_in_doubt(fit)]


def _static_fit(folder: Path, setup: ET.Element, markers: Markers) -> pd.DataFrame | None:
    """Return how far each marker of the scaled model is from the measured one before it is moved there."""
    before, pose = folder / "results" / "scaled_before_markers.osim", folder / "results" / "static.mot"
    if not before.is_file() or not pose.is_file():
        return None
    facts, found = describe(before), read_storage(pose)
    columns = {coordinate_of(label): label for label in reversed(found.labels)}
    turning = {each.name: each.rotational and not found.in_degrees for each in facts.coordinates}
    names = [name for name in facts.names if name in columns]
    values = [found.column(columns[name])[0] * (np.rad2deg(1.0) if turning[name] else 1.0) for name in names]
    there = Posture(before, Storage(found.name, tuple(names), found.time[:1], np.array([values]), True)).markers(0)
    weights = {task.get("name", ""): float(task.findtext("weight") or 1.0) for task in setup.iter("IKMarkerTask")}
    return fit_table(markers, there, facts.markers or {}, weights)


def after_scale(place: Workplace) -> None:
    """Go on from the scaled model."""
    place.model = place.folder / "scale" / SCALED


def inverse_kinematics(place: Workplace) -> None:
    """Find the joint angles that bring the model's markers closest to the measured ones: ``ik/motion.mot``."""
    source = place.trial.markers
    if source is None:
        raise Nem2eError(f"Trial {place.trial.trial!r}: inverse kinematics needs markers= (.trc).")
    markers, shared = markers_for(
        source, place.facts.name, place.facts.markers or {}, _other_names(place, static=False)
    )
    folder = place.step_folder("ik")
    copy = _written(place, source, markers, "markers.trc")
    window = (float(markers.time[0]), float(markers.time[-1]))
    weights = {name: each.weight for name, each in place.markers.markers.items()} if place.markers else {}
    tasks = marker_tasks(shared, {**weights, **place.options.marker_weights})
    place.notes += unfollowed(place.markers, place.facts, markers.names, source.name) if place.markers else []
    setup = ik_setup(relative(place.model, folder), relative(copy, folder), tasks, window, "motion.mot")
    run_tool(place, "ik", setup, "InverseKinematicsTool")
    for located in folder.glob("*_model_marker_locations.sto"):
        write_storage(folder / DISTANCES, marker_distances(markers, read_storage(located)))


def residual_reduction(place: Workplace) -> None:
    """Adjust kinematics and the trunk's mass centre until residuals at the pelvis are small (RRA).

    Leaves ``rra/model_adjusted.osim`` (muscles and all) and ``rra/results/rra_Kinematics_q.sto``, from which
    the next step starts.
    """
    folder = place.step_folder("rra")
    write_document(folder / "actuators.xml", ideal_actuators(place.facts))
    tasks = tracking_tasks(place.facts, place.options.weights, REDUCTION_WEIGHT)
    write_document(folder / "tasks.xml", tasks)
    body = _adjusted_body(place)
    setup = rra_setup(*_from(place, folder), place.window, place.options, body)
    run_tool(place, "rra", setup, "RRATool")


def after_residual_reduction(place: Workplace) -> None:
    """Go on from the adjusted model and kinematics."""
    folder = place.step_folder("rra")
    if (folder / "model_adjusted.osim").is_file():
        place.model = folder / "model_adjusted.osim"
    place.motion = folder / "results" / "rra_Kinematics_q.sto"
    place.smooth = True


def computed_muscle_control(place: Workplace) -> None:
    """Find excitations that make the muscles follow the motion (CMC), and write ``cmc/activation.sto``.

    Raises
    ------
    Nem2eError
        If the model has no muscles, or the window is no longer than the lead that the tool needs.
    """
    _needs_muscles(place, "cmc")
    if place.window[1] - place.window[0] <= LEAD_S + 0.01:
        raise Nem2eError(
            f"Trial {place.trial.trial!r}: the window of {place.window[1] - place.window[0]:.3f} s is too short for "
            f"computed muscle control, which needs {LEAD_S} s before its first result; choose a longer one."
        )
    folder = place.step_folder("cmc")
    _write_reserves(place, folder, exact=place.options.fast_target)
    write_document(folder / "tasks.xml", tracking_tasks(place.facts, place.options.weights))

    def setup(model: Path, window: Window) -> ET.Element:
        return cmc_setup(*_from(place, folder, model), window, place.options, place.cutoff_hz)

    _run_balanced(place, "cmc", setup, "CMCTool", LEAD_S + 0.02)
    states = keep_states(folder / "results" / "cmc_states.sto")
    save_activation(folder / "activation.sto", activation_of_states(states, place.facts.muscles))


def static_optimisation(place: Workplace) -> None:
    """Share joint torques among muscles at each moment, and write ``so/activation.sto``.

    Raises
    ------
    Nem2eError
        If the model has no muscles.
    """
    _needs_muscles(place, "so")
    folder = place.step_folder("so")
    _write_reserves(place, folder, exact=True)
    every = rows_each(place.needs_motion())

    def setup(model: Path, window: Window) -> ET.Element:
        return so_setup(*_from(place, folder, model), window, place.options, place.cutoff_hz, every)

    _run_balanced(place, "so", setup, "AnalyzeTool", 0.02)
    results = folder / "results" / "so_StaticOptimization_activation.sto"
    save_static_optimisation(results, folder / "activation.sto", place.facts.muscles)


def inverse_dynamics(place: Workplace) -> None:
    """Write net joint moments of the present motion, the measure of reserves, to ``id/joint_moments.sto``."""
    folder = place.step_folder("id")
    setup = id_setup(*_from(place, folder), LOADS, place.window, place.cutoff_hz)
    run_tool(place, "id", setup, "InverseDynamicsTool")


def _run_balanced(
    place: Workplace, step: str, setup: Callable[[Path, Window], ET.Element], tool: str, shortest_s: float
) -> None:
    """Run a tool; where it fails for a muscle without equilibrium, again from the few starts that have one."""
    try:
        return run_tool(place, step, setup(place.model, place.window), tool)
    except StepFailed:
        balance = Balance(place, shortest_s, NAMES[step])
        if not balance.lost:
            raise
    for start in balance.starts(place.step_folder(step) / "model_started.osim"):
        try:
            run_tool(place, step, setup(start.model, start.window), tool)
        except StepFailed as failure:
            if UNBALANCED not in str(failure):
                raise
        else:
            place.notes.append(start.note)
            return None
    raise balance.refusal()


def run_tool(place: Workplace, step: str, setup: ET.Element, tool: str) -> None:
    """Write a set-up (or the user's own, its inputs replaced) and run OpenSim's tool on it.

    Raises
    ------
    StepFailed
        If the tool says that it failed; the log of the trial has its words.
    """
    folder = place.step_folder(step)
    own = place.options.setups.get(step)
    path = folder / f"setup_{step}.xml"
    write_document(path, own_setup(Path(own), setup, folder) if own else setup)
    print(
        f"nem2e: {NAMES.get(step, step)} of {place.trial.trial}, {place.window[0]:.4f} to {place.window[1]:.4f} s",
        flush=True,
    )
    with working_in(folder):
        _run(place, step, getattr(opensim(), tool), path.name)


def _run(place: Workplace, step: str, tool: Any, setup: str) -> None:
    before, thrown = size(place.log), ""
    try:
        succeeded = tool(setup).run()
    except RuntimeError as error:
        succeeded, thrown = False, str(error)
    log = since(place.log, before)
    if succeeded is False:
        raise StepFailed(_failure(place, step, explained(thrown, log)))
    told = errors(log)
    if told:
        first = f"{NAMES.get(step, step)}: OpenSim told {len(told)} error(s) and went on, the first {told[0]!r}"
        place.notes.append(f"{first}; {place.log.name} has them.")


def _failure(place: Workplace, step: str, why: str) -> str:
    name = NAMES.get(step, "inverse dynamics")
    return f"Trial {place.trial.trial!r}: {name} failed ({why}); its set-up is {step}/setup_{step}.xml."


def _from(place: Workplace, folder: Path, model: Path | None = None) -> tuple[str, str]:
    """Model and motion as the set-up in `folder` names them."""
    return relative(model or place.model, folder), relative(place.needs_motion(), folder)


def relative(path: Path, folder: Path) -> str:
    """Return a path as a set-up in `folder` writes it, with forward slashes."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _write_reserves(place: Workplace, folder: Path, *, exact: bool) -> None:
    options = place.options
    residual = options.residual or (UNMUSCLED if exact else None)
    actuators = reserve_actuators(place.facts, options.reserve, options.reserves, residual)
    write_document(folder / "actuators.xml", actuators)


def _adjusted_body(place: Workplace) -> str:
    chosen = place.options.adjusted_body
    if chosen is None:
        return "torso" if "torso" in place.facts.bodies else ""
    if chosen and chosen not in place.facts.bodies:
        raise Nem2eError(
            f"Adjusted body {chosen!r} is not in model {place.facts.name!r}; it has {', '.join(place.facts.bodies)}."
        )
    return chosen


def rows_each(motion: Path) -> int:
    """Rows of a motion to one static optimisation, so that they come at about `SHARED_HZ` whatever its rate."""
    step = float(np.median(np.diff(read_storage(motion).time)))
    return max(1, round(1 / (SHARED_HZ * step)))


def _needs_muscles(place: Workplace, step: str) -> None:
    if not place.facts.muscles:
        raise Nem2eError(
            f"Model {place.facts.name!r} has no muscles, but {NAMES[step]} needs them; give a musculoskeletal model."
        )


def _written(place: Workplace, source: Path, markers: Markers, name: str) -> Path:
    """Write markers as OpenSim reads them, whatever is odd in their file, which is told."""
    place.notes += [f"{source.name}: {note}" for note in markers.notes]
    target = place.inputs / name
    write_markers(target, markers)
    return target
