"""A made-up model and trial for tests that need no OpenSim, and a small real model for those that do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.simulate.facts import Coordinate, ModelFacts
from nem2e_lib.simulate.osim import installed
from tests.support.made_up_trial import force_storage, motion_storage


@pytest.fixture
def opensim():
    """OpenSim's module; skips where it is not installed."""
    if not installed():
        pytest.skip("OpenSim is not installed (pip install 'nem2e[opensim]')")
    from nem2e_lib.simulate.osim import opensim

    return opensim()


@pytest.fixture
def facts() -> ModelFacts:
    """A floating pelvis with six coordinates, a hip that muscles cross, an arm that none does, a locked toe."""
    root = [(name, True) for name in ("pelvis_tilt", "pelvis_list", "pelvis_rotation")]
    root += [(name, False) for name in ("pelvis_tx", "pelvis_ty", "pelvis_tz")]
    return ModelFacts(
        name="made_up",
        mass_kg=70.0,
        coordinates=(
            *(Coordinate(name, rotational, True, root=True) for name, rotational in root),
            Coordinate("hip_flexion_r", True, True, muscled=True),
            Coordinate("lumbar_extension", True, True, muscled=True),
            Coordinate("arm_flex_r", True, True),
            Coordinate("mtp_angle_r", True, False),
        ),
        muscles=("glut_max1_r", "psoas_r"),
        bodies=("pelvis", "femur_r", "calcn_r", "calcn_l", "torso"),
        root_body="pelvis",
        root_mass_centre=(-0.07, 0.0, 0.0),
        markers={"ASIS.R": "pelvis", "ASIS.L": "pelvis", "SACR": "pelvis", "KNEE": "femur_r"},
        parents={"pelvis": "ground", "femur_r": "pelvis", "torso": "pelvis"},
    )


@pytest.fixture
def motion_file(tmp_path: Path, facts: ModelFacts) -> Path:
    """The motion of `motion_storage`."""
    write_storage(tmp_path / "ik.mot", motion_storage(facts))
    return tmp_path / "ik.mot"


@pytest.fixture
def force_file(tmp_path: Path) -> Path:
    """The forces of `force_storage`."""
    write_storage(tmp_path / "grf.mot", force_storage())
    return tmp_path / "grf.mot"


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    """Folder of a finished trial whose every measure can be worked out by hand."""
    folder = tmp_path / "walk"
    for step in ("inputs", "id", "rra/results", "cmc/results"):
        (folder / step).mkdir(parents=True)
    time = np.linspace(0.0, 1.0, 11)
    ones, nothing = np.ones(11), np.zeros(11)
    peak = np.where(np.arange(11) == 3, 30.0, 0.0)

    def write(path: str, labels: tuple[str, ...], *columns: np.ndarray) -> None:
        write_storage(folder / path, Storage("made up", labels, time, np.column_stack(columns)))

    force = ("force_calcn_r_vx", "force_calcn_r_vy", "force_calcn_r_vz")
    write("inputs/grf.mot", force, 300 * ones, 400 * ones, nothing)
    residual = ("FX", "FY", "FZ", "MX", "MY", "MZ")
    write("rra/results/rra_Actuation_force.sto", residual, peak, 40 * ones, nothing, 2 * ones, nothing, nothing)
    write(
        "cmc/results/cmc_Actuation_force.sto",
        (*residual, "hip_flexion_r_reserve", "arm_flex_r_reserve"),
        10 * ones,
        *[nothing] * 5,
        peak / 6,
        50 * ones,
    )
    errors = ("hip_flexion_r", "pelvis_tx")
    for step in ("rra", "cmc"):
        write(f"{step}/results/{step}_pErr.sto", errors, np.deg2rad(3) * ones, 0.01 * ones)
    write("cmc/activation.sto", ("glut_max1_r", "psoas_r"), ones, 0.5 * ones)
    write("id/joint_moments.sto", ("hip_flexion_r_moment",), 100 * ones)
    known = {
        "steps": ["rra", "cmc"],
        "rotational": ["hip_flexion_r"],
        "muscled": ["hip_flexion_r"],
        "residual_forces": ["FX", "FY", "FZ"],
        "residual_moments": ["MX", "MY", "MZ"],
        "window": [0.0, 1.0],
        "constraints": [],
        "mass_centre_height_m": 1.0,
    }
    (folder / "facts.json").write_text(json.dumps(known))
    return folder
