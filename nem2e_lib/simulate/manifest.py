"""What has been done: content hashes of everything a result depends on, so that a restart skips finished steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nem2e_lib.data.files import read_bytes, write_text
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.marker_set import find_set
from nem2e_lib.simulate.options import STEPS, Options
from nem2e_lib.simulate.osim import opensim_version
from nem2e_lib.simulate.setups import own_files
from nem2e_lib.simulate.states import KEPT
from nem2e_lib.simulate.trial import SimulatedTrial
from nem2e_lib.simulate.xml import read_document

VERSION = 3
"""Of the way simulations are set up; another one makes every result be computed again."""
JUDGED = 1
"""Of the way they are judged; another one makes only that be done again."""
NAME = "manifest.json"
_BEFORE = {"scale": (), "ik": ("scale",), "rra": ("scale", "ik"), "cmc": ("scale", "ik", "rra")}


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def input_files(trial: SimulatedTrial, model: Path, options: Options) -> dict[str, Path]:
    """Every file that a trial's results depend on, by what it is."""
    files = {"model": model, **trial.files()}
    for step, setup in options.setups.items():
        for index, path in enumerate(own_files(Path(setup))):
            files[f"setup {step} {index}"] = path
    if options.marker_set:
        files["marker set"] = find_set(options.marker_set)
    if trial.loads is not None and trial.grf is None:
        files |= _data_of(trial.loads)
    return files


def _data_of(loads: Path) -> dict[str, Path]:
    named = (read_document(loads).getroot().findtext(".//datafile") or "").strip()
    path = loads.parent / named
    return {"loads data": path} if named and path.is_file() else {}


def base_key(trial: SimulatedTrial, model: Path, options: Options) -> str:
    """Hash of contents, settings and versions, whatever files are called and wherever they lie."""
    files = {name: file_hash(path) for name, path in input_files(trial, model, options).items()}
    numbers = {"start_s": trial.start_s, "end_s": trial.end_s, "mass_kg": trial.mass_kg}
    content = [files, numbers, options.content(), VERSION, opensim_version()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def step_key(base: str, step: str, steps: Sequence[str]) -> str:
    """Hash of a step: of the trial, and of the steps that run before it and change its inputs."""
    before = [each for each in _BEFORE.get(step, _BEFORE["cmc"]) if each in steps]
    return hashlib.sha256(">".join([base, *before, step]).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Manifest of a trial; empty where there is none, or where it was cut off."""
    path = folder / NAME
    if not path.is_file():
        return {"steps": {}}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise Nem2eError(f"{path}: is damaged; delete it, and the trial will be simulated anew.") from None
    return manifest


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest whole."""
    write_text(folder / NAME, json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def outputs_of(folder: Path, step: str) -> dict[str, str]:
    """Hash of every file in a step's folder, by its path in the trial's folder.

    Files of states are left out: OpenSim 4.6 changes their headers after the fact, and copies take their place.
    """
    files = sorted(path for path in (folder / step).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in files if not _changing(path)}


def _changing(path: Path) -> bool:
    return path.name.endswith(("_states.sto", KEPT))


def is_done(folder: Path, manifest: dict[str, Any], step: str, key: str) -> bool:
    """Whether a step was finished with the same inputs and its files are still as they were."""
    entry = manifest["steps"].get(step, {})
    if entry.get("key") != key or not entry.get("outputs"):
        return False
    return all(
        (folder / name).is_file() and file_hash(folder / name) == known for name, known in entry["outputs"].items()
    )


def judged(steps: Sequence[str], leg: str) -> dict[str, Any]:
    """Return what a manifest says of a trial whose quality was judged, for the leg that was measured."""
    return {"asked": [step for step in STEPS if step in steps], "leg": leg, "judged": JUDGED}


def all_done(folder: Path, base: str, steps: Sequence[str], leg: str = "") -> bool:
    """Whether every step of a trial is done, and its quality was judged, for the leg that was measured."""
    manifest = read_manifest(folder)
    kept = all(is_done(folder, manifest, step, step_key(base, step, steps)) for step in steps)
    return kept and judged(steps, leg).items() <= manifest.items()


def mark_done(folder: Path, step: str, key: str, seconds: float) -> None:
    """Enter a finished step."""
    manifest = read_manifest(folder)
    manifest["steps"][step] = {"key": key, "seconds": round(seconds, 2), "outputs": outputs_of(folder, step)}
    write_manifest(folder, manifest)
