"""Set-ups of OpenSim's tools in the order of the steps, the tasks and measurements in them, and set-ups of the user's.

Every path in them is relative to the folder of the set-up, so that a trial's folder can be moved.
"""

from __future__ import annotations

import copy
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.facts import Coordinate, ModelFacts
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.xml import Value, find, node, object_set, read_document

Window = tuple[float, float]

LOADS = "../inputs/external_loads.xml"
SCALED = "model_scaled.osim"
"""The scaled model in the folder of scaling."""
KP, KV = 100.0, 20.0
"""Gains of the tracking errors and their rates, critically damped: kv = 2·sqrt(kp) (Thelen & Anderson 2006,
doi:10.1016/j.jbiomech.2005.02.010)."""
REDUCTION_WEIGHT = 10.0
"""Weight of every coordinate in residual reduction. Measured on running at 2 m/s with the optimal forces of
`actuators.RESIDUAL_COST`: weight 1 lets the pelvis tilt by 9 degrees, 100 leaves residuals of 80 N, 10 keeps
1.2 degrees, 1.5 cm and 21 N."""
FROM_TRIAL = (
    "mass",
    "model_file",
    "results_directory",
    "initial_time",
    "final_time",
    "time_range",
    "external_loads_file",
    "desired_kinematics_file",
    "coordinates_file",
    "marker_file",
    "output_motion_file",
    "output_model_file",
    "output_scale_file",
    "report_errors",
    "report_marker_locations",
    "output_gen_force_file",
    "initial_time_for_com_adjustment",
    "final_time_for_com_adjustment",
)
"""Properties that the trial sets whatever the set-up says."""
OWN_FILES = ("force_set_files", "task_set_file", "constraints_file", "rra_controls_file", "marker_set_file")
"""Properties that name files of the user's, resolved from where the set-up lies; where it names none, the
generated ones stand in."""


def scale_setup(
    model: str, markers: str, measurements: ET.Element, tasks: ET.Element, window: Window, mass_kg: float
) -> ET.Element:
    """Return the set-up of scaling: sizes from marker pairs, mass, markers then moved to where they were.

    `mass_kg` is -1 for a model that keeps its own.
    """
    scaler: dict[str, Value] = {
        "apply": True,
        "scaling_order": "measurements",
        "MeasurementSet": measurements,
        "marker_file": markers,
        "time_range": window,
        "preserve_mass_distribution": True,
        "output_model_file": "results/scaled_before_markers.osim",
        "output_scale_file": "results/scale_factors.xml",
    }
    placer: dict[str, Value] = {
        "apply": True,
        "IKTaskSet": tasks,
        "marker_file": markers,
        "coordinate_file": "",
        "time_range": window,
        "output_motion_file": "results/static.mot",
        "output_model_file": SCALED,
        "max_marker_movement": -1.0,
    }
    tool: dict[str, Value] = {
        "mass": mass_kg,
        "height": -1.0,
        "age": -1.0,
        "notes": "",
        "GenericModelMaker": node("GenericModelMaker", {"model_file": model}),
        "ModelScaler": node("ModelScaler", scaler),
        "MarkerPlacer": node("MarkerPlacer", placer),
    }
    return node("ScaleTool", tool, "scale")


def ik_setup(model: str, markers: str, tasks: ET.Element, window: Window, output: str) -> ET.Element:
    """Return the set-up of inverse kinematics."""
    values: dict[str, Value] = {
        "model_file": model,
        "constraint_weight": "Inf",
        "accuracy": 1e-5,
        "IKTaskSet": tasks,
        "marker_file": markers,
        "coordinate_file": "",
        "time_range": window,
        "report_errors": True,
        "report_marker_locations": True,
        "output_motion_file": output,
    }
    return node("InverseKinematicsTool", values, "ik")


def rra_setup(model: str, motion: str, window: Window, options: Options, adjusted_body: str) -> ET.Element:
    """Return the set-up of residual reduction."""
    values: dict[str, Value] = {
        **_dynamic(model, window),
        "replace_force_set": True,
        "force_set_files": "actuators.xml",
        "external_loads_file": LOADS,
        "desired_kinematics_file": motion,
        "task_set_file": "tasks.xml",
        "constraints_file": "",
        "lowpass_cutoff_frequency": options.cutoff_hz,
        "adjust_com_to_reduce_residuals": bool(adjusted_body),
        "initial_time_for_com_adjustment": window[0],
        "final_time_for_com_adjustment": window[1],
        "adjusted_com_body": adjusted_body,
        "output_model_file": "model_adjusted.osim",
    }
    return node("RRATool", values, "rra")


def cmc_setup(model: str, motion: str, window: Window, options: Options, cutoff_hz: float) -> ET.Element:
    """Return the set-up of computed muscle control; `cutoff_hz` is -1 for a motion that is smooth already."""
    values: dict[str, Value] = {
        **_dynamic(model, window),
        "replace_force_set": False,
        "force_set_files": "actuators.xml",
        "solve_for_equilibrium_for_auxiliary_states": True,
        "external_loads_file": LOADS,
        "desired_kinematics_file": motion,
        "task_set_file": "tasks.xml",
        "constraints_file": "",
        "lowpass_cutoff_frequency": cutoff_hz,
        "cmc_time_window": 0.01,
        "use_fast_optimization_target": options.fast_target,
        "optimizer_max_iterations": 2000,
    }
    return node("CMCTool", values, "cmc")


def so_setup(model: str, motion: str, window: Window, options: Options, cutoff_hz: float, every: int = 1) -> ET.Element:
    """Return the set-up of static optimisation (a tool of analyses with that one analysis).

    `every` is how many rows of the motion go to one optimisation.
    """
    analysis = node(
        "StaticOptimization",
        {
            "on": True,
            "start_time": window[0],
            "end_time": window[1],
            "step_interval": every,
            "in_degrees": True,
            "use_model_force_set": True,
            "activation_exponent": float(options.exponent),
            "use_muscle_physiology": True,
            "optimizer_convergence_criterion": 1e-4,
            "optimizer_max_iterations": 2000,
        },
        "StaticOptimization",
    )
    values: dict[str, Value] = {
        **_dynamic(model, window),
        "replace_force_set": False,
        "force_set_files": "actuators.xml",
        "AnalysisSet": object_set("AnalysisSet", [analysis], "Analyses"),
        "external_loads_file": LOADS,
        "coordinates_file": motion,
        "lowpass_cutoff_frequency_for_coordinates": cutoff_hz,
    }
    return node("AnalyzeTool", values, "so")


def id_setup(model: str, motion: str, loads: str, window: Window, cutoff_hz: float) -> ET.Element:
    """Return the set-up of inverse dynamics, against which reserves and residuals are measured."""
    values: dict[str, Value] = {
        "results_directory": ".",
        "model_file": model,
        "time_range": window,
        "forces_to_exclude": "Muscles",
        "external_loads_file": loads,
        "coordinates_file": motion,
        "lowpass_cutoff_frequency_for_coordinates": cutoff_hz,
        "output_gen_force_file": "joint_moments.sto",
    }
    return node("InverseDynamicsTool", values, "id")


def _dynamic(model: str, window: Window) -> Mapping[str, Value]:
    return {
        "model_file": model,
        "results_directory": "results",
        "output_precision": 12,
        "initial_time": window[0],
        "final_time": window[1],
        "maximum_number_of_integrator_steps": 30000,
        "maximum_integrator_step_size": 1.0,
        "minimum_integrator_step_size": 1e-8,
        "integrator_error_tolerance": 1e-5,
    }


def tracking_tasks(facts: ModelFacts, weights: Mapping[str, float] | None = None, default: float = 1.0) -> ET.Element:
    """Return a CMC_TaskSet that follows every free coordinate.

    Parameters
    ----------
    weights : mapping, optional
        Coordinate to weight, `default` where it names none.
    """
    chosen = weights or {}
    return object_set("CMC_TaskSet", [_task(each, chosen.get(each.name, default)) for each in facts.free], name="tasks")


def _task(coordinate: Coordinate, weight: float) -> ET.Element:
    values: dict[str, Value] = {
        "on": True,
        "weight": [weight, 1.0, 1.0],
        "active": [True, False, False],
        "kp": [KP, 1.0, 1.0],
        "kv": [KV, 1.0, 1.0],
        "ka": [1.0, 1.0, 1.0],
        "coordinate": coordinate.name,
        "limit": 0.0,
    }
    return node("CMC_Joint", values, coordinate.name)


def marker_tasks(markers: Sequence[str], weights: Mapping[str, float] | None = None) -> ET.Element:
    """Return an IKTaskSet that follows the markers, with weight 1 where `weights` names none; 0 is not followed."""
    weighed = {name: (weights or {}).get(name, 1.0) for name in markers}
    tasks = [node("IKMarkerTask", {"apply": weight > 0, "weight": weight}, name) for name, weight in weighed.items()]
    return object_set("IKTaskSet", tasks, name="tasks")


def own_setup(path: Path, generated: ET.Element, folder: Path) -> ET.Element:
    """Return the user's set-up for a tool, with the inputs of the trial that `generated` names.

    Raises
    ------
    Nem2eError
        If the document is for another tool, or names a file that does not exist.
    """
    setup = copy.deepcopy(find(path, read_document(path), generated.tag))
    setup.set("name", generated.get("name", ""))
    _take_over(setup, generated)
    _end_where_expected(setup)
    for tag in OWN_FILES:
        own = (setup.findtext(f".//{tag}") or "").split()
        made = generated.findtext(f".//{tag}", "")
        if own or made:
            _set(setup, tag, " ".join(_resolved(path, tag, name, folder) for name in own) or made)
    for analysis in setup.iter("StaticOptimization"):
        analysis.set("name", "StaticOptimization")
        _set(analysis, "start_time", generated.findtext("initial_time", ""))
        _set(analysis, "end_time", generated.findtext("final_time", ""))
    return setup


def _take_over(own: ET.Element, generated: ET.Element) -> None:
    """Set what belongs to the trial, each in the part of the set-up that it is in."""
    for wanted in generated:
        if wanted.tag in FROM_TRIAL:
            _set_child(own, wanted.tag, wanted.text or "")
        else:
            part = own.find(wanted.tag)
            if part is not None:
                _take_over(part, wanted)
            elif wanted.tag == "GenericModelMaker":
                own.append(copy.deepcopy(wanted))


def _end_where_expected(setup: ET.Element) -> None:
    """Scaling that moves no markers ends with what the scaler writes."""
    scaler, placer = setup.find("ModelScaler"), setup.find("MarkerPlacer")
    if scaler is not None and (placer is None or (placer.findtext("apply") or "true").strip().lower() == "false"):
        _set_child(scaler, "output_model_file", SCALED)


def _set_child(element: ET.Element, tag: str, text: str) -> None:
    found = element.find(tag)
    if found is None:
        found = ET.SubElement(element, tag)
    found.text = text


def own_files(path: Path) -> list[Path]:
    """Files that a set-up of the user's names, itself first: what a result depends on."""
    root = read_document(path).getroot()
    named = [name for tag in OWN_FILES for each in root.iter(tag) for name in (each.text or "").split()]
    return [path, *(path.parent / name for name in named if name != "Unassigned")]


def _set(element: ET.Element, tag: str, text: str) -> None:
    found = element.find(f".//{tag}")
    if found is None:
        found = ET.SubElement(element, tag)
    found.text = text


def _resolved(path: Path, tag: str, name: str, folder: Path) -> str:
    if name == "Unassigned":
        return name
    file = path.parent / name
    if not file.is_file():
        raise Nem2eError(f"{path}: <{tag}> names {name}, but there is no such file beside the set-up.")
    return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
