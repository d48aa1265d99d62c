"""Set-up files of OpenSim's tools, made for a model and a trial; every path is relative to the file's folder."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.xml import Value, node, object_set

Window = tuple[float, float]

LOADS = "../inputs/external_loads.xml"


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
