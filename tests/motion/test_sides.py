"""Which columns are which foot's, where names do not tell: by where the force acts, as the simulation takes it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.storage.storage import read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.motion import plan, walkthrough
from nem2e_lib.motion.sides import require_muscles, sides_by_place, told_sides
from nem2e_lib.simulate import Options, SimulatedTrial
from nem2e_lib.simulate.osim import installed, opensim
from tests.support.small_models import save_arm, save_block, standing, standing_forces
from tests.support.small_refiner import constant

LEVELS = np.array([[0.2, 0.5], [0.4, 0.7]])


@pytest.fixture
def block(tmp_path) -> SimulatedTrial:
    """A block that stands on two numbered plates, the first under its left foot."""
    if not installed():
        pytest.skip("OpenSim is not installed (pip install 'nem2e[opensim]')")
    save_block(opensim(), tmp_path / "block.osim")
    forces = standing_forces(tmp_path / "grf.mot")
    rename(forces, {"L_": "1_", "R_": "2_"})
    return SimulatedTrial("stand", standing(tmp_path / "ik.mot"), grf=forces)


def rename(path: Path, names: dict[str, str]) -> None:
    table = read_storage(path)
    labels = tuple(names[label[:2]] + label[2:] for label in table.labels)
    write_storage(path, dataclasses.replace(table, labels=labels))


def test_numbered_plates_get_their_foot_by_place(block, tmp_path, capfd):
    assert not told_sides(block.grf)
    assert sides_by_place(block, tmp_path / "block.osim", Options()) == ("2_ground_force_vy", "1_ground_force_vy")
    assert capfd.readouterr().out == ""  # where a program reads JSON


def test_a_foot_on_two_plates_after_one_another_has_both_columns(block, tmp_path):
    table = read_storage(block.grf)
    later = (table.time > 0.1)[:, None]
    right = table.values[:, [label.startswith("2_") for label in table.labels]]
    first, second = np.where(later, 0.0, right), np.where(later, right, 0.0)
    left = table.values[:, [label.startswith("1_") for label in table.labels]]
    kinds = [label[2:] for label in table.labels if label.startswith("1_")]
    labels = tuple(f"{name}_{kind}" for name in "123" for kind in kinds)
    write_storage(block.grf, dataclasses.replace(table, labels=labels, values=np.hstack([left, first, second])))
    right_columns, left_columns = sides_by_place(block, tmp_path / "block.osim", Options()) or ("", "")
    assert (right_columns, left_columns) == ("2_ground_force_vy+3_ground_force_vy", "1_ground_force_vy")


def test_the_notebook_finds_the_feet_too(block, tmp_path):
    recorded = walkthrough.Recording(block, tmp_path / "block.osim", Options(), None)
    force, strikes = walkthrough.force(recorded, constant(LEVELS))
    assert force.labels == ("right", "left")
    assert len(strikes) == 0
    with pytest.raises(Nem2eError, match="no complete right-right cycle: 0 right and 0 left heel strikes"):
        plan(block, constant(LEVELS), steps=["so"], columns=recorded.columns)


def test_names_that_are_known_or_tell_a_side_need_no_model(block, tmp_path):
    rename(block.grf, {"1_": "L_", "2_": "R_"})
    assert sides_by_place(block, tmp_path / "none.osim", Options()) is None


def test_a_foot_without_force_is_told(block, tmp_path):
    table = read_storage(block.grf)
    one = [label.startswith("1_") for label in table.labels]
    labels = tuple(label for label in table.labels if label.startswith("1_"))
    write_storage(block.grf, dataclasses.replace(table, labels=labels, values=table.values[:, one]))
    with pytest.raises(Nem2eError, match="no plate is trodden on by the right foot"):
        sides_by_place(block, tmp_path / "block.osim", Options())


def test_a_model_without_the_refiners_muscles_leaves_nothing_behind(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    constant(LEVELS).save("kept")
    before = sorted(tmp_path.rglob("*"))
    words = ["run", "ik.mot", "--grf", "grf.mot", "--model", "block.osim", "--refiner", "kept", "--out"]
    done = CliRunner().invoke(app, [*words, "o.sto"])
    assert done.exit_code == 2
    assert "'block' has no muscle 'soleus_r': 2 of the 2 expected ones are missing" in done.stderr
    for name, told in (("o.csv", "OpenSim knows .sto"), ("ik.mot", "is read"), ("no/o.sto", "there is no folder no")):
        assert told in CliRunner().invoke(app, [*words, name]).stderr
    assert "rest is 'x'" in CliRunner().invoke(app, [*words, "o.sto", "--rest", "x"]).stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_model_with_some_of_the_muscles_is_told_which_can_be_refined(block, tmp_path):
    arm, made = save_arm(opensim(), tmp_path / "arm.osim"), constant(LEVELS)
    inputs = (made.manifest.inputs[0], dataclasses.replace(made.manifest.inputs[1], muscle="elbow_flexor"))
    outputs = (made.manifest.outputs[0], dataclasses.replace(made.manifest.outputs[1], muscle="elbow_flexor"))
    manifest = dataclasses.replace(made.manifest, inputs=inputs, outputs=outputs)
    with pytest.raises(Nem2eError, match=r"'soleus_r': 1 of the 2 .* or refine those it has with --muscles tib.$"):
        require_muscles(block, arm, dataclasses.replace(made, manifest=manifest))
