"""Set-up files of the user's own: everything in them holds, but for what belongs to the trial."""

from __future__ import annotations

import copy
import os
import xml.etree.ElementTree as ET
from pathlib import Path

from nem2e_lib.errors import Nem2eError
from nem2e_lib.simulate.xml import find, read_document

FROM_TRIAL = (
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
    "output_gen_force_file",
    "initial_time_for_com_adjustment",
    "final_time_for_com_adjustment",
)
"""Properties that the trial sets whatever the set-up says."""
OWN_FILES = ("force_set_files", "task_set_file", "constraints_file", "rra_controls_file", "marker_set_file")
"""Properties that name files of the user's, resolved from where the set-up lies; where it names none, the
generated ones stand in."""


def own_setup(path: Path, generated: ET.Element, folder: Path) -> ET.Element:
    """Return the user's set-up for a tool, with the inputs of the trial that `generated` names.

    Raises
    ------
    Nem2eError
        If the document is for another tool, or names a file that does not exist.
    """
    setup = copy.deepcopy(find(path, read_document(path), generated.tag))
    setup.set("name", generated.get("name", ""))
    for tag in FROM_TRIAL:
        for wanted in generated.iter(tag):
            _set(setup, tag, wanted.text or "")
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
