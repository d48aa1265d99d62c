"""Static optimisation and computed muscle control of real running; needs OpenSim and NEM2E_REALDATA."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate import SimulatedTrial, hamner, simulate
from nem2e_lib.simulate.compare import compare, waveforms
from nem2e_lib.simulate.facts import describe
from nem2e_lib.simulate.floor import bare_floor
from nem2e_lib.simulate.forces import whole_plates
from nem2e_lib.simulate.loads import assign
from nem2e_lib.simulate.motion import read_motion
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.prepare import Workplace, choose_window, prepare_loads, prepare_model, prepare_motion

pytestmark = pytest.mark.realdata


@pytest.fixture
def data(realdata: Path) -> Path:
    return realdata / "hamner_subject01"


@pytest.fixture
def model(data, opensim) -> Path:
    return data / "model" / "Hamner2010_v4_subject01.osim"


def simulated(data: Path, model: Path, out: Path, start: float, end: float, *steps: str):
    (trial,) = hamner.trials(data, [hamner.GaitCycle(2, 0, start, end)])
    table = simulate([trial], model, out, steps=steps, options=hamner.OPTIONS, progress=False)
    row = table.iloc[0]
    assert row["status"] == "done", f"{row['reason']}\n{row['log_tail']}"
    return row


def test_the_cycles_of_each_speed(data):
    every = hamner.cycles(data, "all")
    assert len(every) == 22
    assert [(each.speed, each.cycle) for each in hamner.cycles(data)] == [(2, 2), (3, 2), (4, 2), (5, 2)]
    assert hamner.cycles(data, "0")[0].trial == "run2_cycle0"
    assert [each.trial for each in hamner.cycles(data, speeds=[3])] == ["run3_cycle2"]
    with pytest.raises(Nem2eError, match="no cycle 'middle' at 7 m/s; it has speeds 2, 3, 4, 5"):
        hamner.cycles(data, speeds=[7])


def test_every_file_of_the_dataset_is_read_and_its_feet_are_found(data, model):
    facts = describe(model)
    assert facts.floating
    assert len(facts.muscles) == 92
    assert not [each.name for each in facts.free if each.muscled and each.name.startswith("arm")]
    for speed in (2, 3, 4, 5):
        motion = read_motion(data / "ik" / f"Run_{speed}0002_IK.mot", facts)
        time, plates, notes = whole_plates(data / "grf" / f"Run_{speed}0002_GRF_newCOP3_v24.mot")
        assert notes == ()
        feet = assign(facts, model, motion.storage, time, plates, {})
        assert {body: plate.side for body, plate in feet.items()} == {"calcn_r": "right", "calcn_l": "left"}


def test_the_unnamed_plate_is_found_under_the_other_foot_when_it_is(data, model):
    """Sides come from places: with columns swapped, the plate called left is refused at the right foot."""
    facts = describe(model)
    motion = read_motion(data / "ik" / "Run_30002_IK.mot", facts)
    time, (right, left), _ = whole_plates(data / "grf" / "Run_30002_GRF_newCOP3_v24.mot")
    swapped = [replace(right, name="1", side=""), replace(left, name="2", side="")]
    feet = assign(facts, model, motion.storage, time, swapped, {})
    assert {body: plate.name for body, plate in feet.items()} == {"calcn_r": "1", "calcn_l": "2"}
    with pytest.raises(ValueError, match="is called left, but its force acts nearer the right foot"):
        assign(facts, model, motion.storage, time, [replace(right, side="left"), replace(left, side="right")], {})


def looked_at(folder: Path, model: Path, motion: Path, grf: Path, *lock: str):
    """How the feet of a recording meet the ground, and what is told."""
    place = Workplace(folder, SimulatedTrial("trial", motion=motion, grf=grf), Options(lock=lock), model)
    prepare_model(place)
    read = prepare_motion(place, motion)
    choose_window(place, read, prepare_loads(place, read))
    before = len(place.notes)
    found = bare_floor(place, read.storage)
    return found, place.notes[before:]


@pytest.mark.parametrize("speed", [2, 3, 4, 5])
def test_running_on_a_treadmill_raises_no_alarm_of_bare_floor(data, model, tmp_path, speed):
    grf = data / "grf" / f"Run_{speed}0002_GRF_newCOP3_v24.mot"
    found, told = looked_at(tmp_path, model, data / "ik" / f"Run_{speed}0002_IK.mot", grf)
    assert {side: ground.bare for side, ground in found.items()} == {"right": (), "left": ()}
    assert told == []


def test_a_walk_whose_every_step_is_measured_raises_no_alarm_of_bare_floor(realdata, opensim, tmp_path):
    walk = realdata / "opensim_core_walk"
    files = (walk / "subject_walk_scaled.osim", walk / "coordinates.sto", walk / "grf_walk.mot")
    found, told = looked_at(tmp_path, *files, "mtp_*")
    assert told == []
    assert {side: ground.bare for side, ground in found.items()} == {"right": (), "left": ()}
    time, plates, _ = whole_plates(files[2])
    within = (time >= 0.461) & (time <= 1.799)
    for each in plates:
        pressed_s = (each.trodden & within).sum() * float(time[1] - time[0])
        assert found[each.side].ground_s == pytest.approx(pressed_s, abs=0.05)


@pytest.mark.slow
def test_static_optimisation_of_a_tenth_of_a_second_is_the_datasets(data, model, tmp_path):
    row = simulated(data, model, tmp_path, 0.2, 0.3, "so")
    own = waveforms(read_storage(Path(row["activation"])), 0.2, 0.3, 11)
    given = read_storage(data / "activation" / "Run_20002_StaticOptimization_activation.sto")
    table = compare(own, waveforms(given, 0.2, 0.3, 11))
    assert len(table) == 92
    assert table["rmse"].max() < 0.01


@pytest.mark.slow
def test_computed_muscle_control_of_the_shortest_window_that_works(data, model, tmp_path):
    row = simulated(data, model, tmp_path, 0.25, 0.26, "cmc")
    activation = read_storage(Path(row["activation"]))
    assert len(activation.labels) == 92
    assert activation.time[0] <= 0.25
    assert activation.time[-1] >= 0.26
    assert np.isfinite(activation.values).all()
    assert 0.0 <= activation.values.min() <= activation.values.max() <= 1.0


def test_comparison_with_emg_is_made_cycle_by_cycle(data, tmp_path):
    """Static optimisation in the place of computed muscle control: both methods then compare alike."""
    cycle = hamner.cycles(data)[0]
    given = data / "activation" / "Run_20002_StaticOptimization_activation.sto"
    (tmp_path / cycle.trial).mkdir()
    (tmp_path / cycle.trial / "activation.sto").write_bytes(given.read_bytes())
    table = hamner.against_emg(data, tmp_path, [cycle])
    assert len(table) == 22
    first, second = (rows.drop(columns="method").reset_index(drop=True) for _, rows in table.groupby("method"))
    pd.testing.assert_frame_equal(first, second)
    assert hamner.against_static_optimisation(data, tmp_path, [cycle])["rmse"].max() == 0
    assert isinstance(hamner.trials(data, [cycle])[0], SimulatedTrial)
