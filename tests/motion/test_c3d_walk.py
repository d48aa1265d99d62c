"""From C3D files to refined EMG: what each step finds in a recording that is known, and says where there is nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import laboratory as drawing
from nem2e_lib.motion import c3d_files, c3d_outcome
from nem2e_lib.motion.beside import beside, compared
from nem2e_lib.motion.c3d_files import Missing, Opened, Person
from nem2e_lib.paper.notebooks import run
from tests.data.c3d.test_c3d_convert import FIRST, MASS, RATE, laboratory
from tests.support.small_refiner import constant

ROOT = Path(__file__).resolve().parents[2]
START = (FIRST - 1) / RATE
"""Of the recording, s; the plate is trodden on 0.2 s later, for 0.6 s, and the foot strikes again 1.4 s later."""
TIME = np.linspace(START, START + 3, 301)


@pytest.fixture(scope="module")
def person(tmp_path_factory) -> Person:
    folder = tmp_path_factory.mktemp("lab")
    return c3d_files.converted(str(laboratory(folder / "files", events=True)), folder / "trials")


@pytest.fixture(scope="module")
def walk(person) -> Opened:
    return c3d_files.opened(person)


def with_recording(one: Opened, **changes: object) -> Opened:
    recording = dataclasses.replace(one.walk.recording, **changes)
    return dataclasses.replace(one, walk=dataclasses.replace(one.walk, recording=recording))


def found_in(one: Opened) -> dict[str, str]:
    return dict(c3d_files.contents(one).itertuples(index=False, name=None))


def test_the_file_is_told_in_words(walk):
    found = found_in(walk)
    assert found["markers"] == "7, in mm"
    assert found["force plates"] == "1: type 2"
    assert found["EMG"] == "2: tib_ant right, soleus right"
    assert found["events"] == "3: right foot strike, right foot off"
    assert found["mass"] == f"{MASS:g} kg"
    assert found["leg measured"] == "right"
    assert found["axes"].startswith("forward -y, up +z, right -x")


def test_heels_gaps_and_events_are_on_one_clock(walk):
    points = walk.walk.recording.points.copy()
    points[10:20, walk.walk.recording.labels.index("RTOE")] = np.nan
    part = c3d_files.over_time(with_recording(walk, points=points))
    ((marker, start, end),) = part["gaps"].itertuples(index=False)
    assert (marker, start, end) == ("RTOE", pytest.approx(START + 0.1), pytest.approx(START + 0.2))
    assert part["markers"] == 7
    heel = part["heights"].query("foot == 'right' and part == 'heel'")
    np.testing.assert_allclose(heel["height_m"], 0.03, atol=1e-6)
    assert part["events"]["time_s"].tolist() == pytest.approx([0.7, 1.3, 1.9], abs=1e-6)
    assert "6 of 7 markers have none" in c3d_files.shown(drawing.markers_over_time, part).caption


def test_plates_feet_and_pressure_lie_where_the_laboratory_has_them(walk):
    part = c3d_files.from_above(walk)
    plate = part["plates"]  # along -y of the laboratory is forward, along -x to the right
    assert (plate["x_m"].min(), plate["x_m"].max()) == pytest.approx((0.1, 0.7))
    assert (plate["z_m"].min(), plate["z_m"].max()) == pytest.approx((-0.3, 0.3))
    stance = part["ways"].query("foot == 'right' and part == 'heel' and time_s < @START + 0.79")
    np.testing.assert_allclose(stance[["x_m", "z_m"]], [[0.3, 0.1]] * len(stance), atol=1e-6)
    np.testing.assert_allclose(part["pressure"]["x_m"], 0.4, atol=1e-6)
    np.testing.assert_allclose(part["pressure"]["z_m"], 0.0, atol=1e-6)
    assert "1: the right foot on plate 1, 0.70 to 1.30 s." in c3d_files.shown(drawing.plates_and_feet, part).caption


def test_what_a_file_lacks_is_one_sentence_in_place_of_a_figure(walk, tmp_path):
    bare = dataclasses.replace(walk, walk=dataclasses.replace(walk.walk, forces=[]))
    steps = {
        "no force plates": c3d_files.from_above(bare),
        "no static pose": c3d_outcome.static_pose(walk, tmp_path),
        "no joint angles": c3d_outcome.residuals(walk, tmp_path),
        "not compared": beside(walk, tmp_path, "angle"),
    }
    for said, part in steps.items():
        assert isinstance(part, Missing)
        assert said in str(part)
        assert c3d_files.shown(pytest.fail, part) is part
        assert part._repr_html_().startswith("<p>")
    assert compared(steps["not compared"]) is steps["not compared"]
    assert str(c3d_outcome.factors(walk, tmp_path)) == "No body was scaled."
    eventless = with_recording(walk, events=())
    assert found_in(eventless)["events"] == "none"
    assert "the file has no events" in drawing.markers_over_time(**c3d_files.over_time(eventless)).caption


def test_words_of_channels_and_the_leg_are_written_into_the_mapping(tmp_path):
    source = str(laboratory(tmp_path / "files"))
    person = c3d_files.converted(source, tmp_path / "out", channels={"soleus": "med_gas", "Tibialis": ""})
    one = c3d_files.opened(person)
    assert found_in(one)["EMG"] == "1: med_gas right"
    both = c3d_files.converted(source, tmp_path / "out", leg="left")
    assert both.leg == "left"
    with pytest.raises(Nem2eError, match="no analogue channel has 'Gluteus' in its name; there are 'Right Tib"):
        c3d_files.converted(source, tmp_path / "other", channels={"Gluteus": "glut_med1"})
    with pytest.raises(Nem2eError, match="no walk of 'S09', but of 'S01'"):
        c3d_files.converted(source, tmp_path / "out", "S09")
    with pytest.raises(Nem2eError, match="S01 has no walk 'run'; there are S01_walk"):
        c3d_files.opened(person, "run")


def test_a_mapping_that_names_no_emg_is_no_reason_to_stop(tmp_path):
    source = str(laboratory(tmp_path / "files", mass=None))
    assert c3d_files.converted(source, tmp_path / "out").mass_kg is None
    person = c3d_files.converted(source, tmp_path / "out", mass_kg=61.5)
    assert person.mass_kg == 61.5
    assert found_in(c3d_files.opened(person))["mass"] == "61.5 kg"
    channels = tmp_path / "out" / "mapping" / "channels.csv"
    silent = pd.read_csv(channels, dtype=str, keep_default_na=False).assign(emg="", muscle="")
    silent.to_csv(channels, index=False)
    again = c3d_files.converted(source, tmp_path / "out")
    assert again.said.channels["emg"].any()


def test_plates_that_cannot_be_read_are_told_in_their_place(person, monkeypatch):
    def refuse(recording):
        raise Nem2eError("force plate 1 is of type 9.")

    monkeypatch.setattr(c3d_files, "plate_forces", refuse)
    part = c3d_files.from_above(c3d_files.opened(person))
    assert str(part).startswith("force plate 1 is of type 9. Without forces there are no joint moments")


def test_only_what_a_walk_has_is_simulated(person, tmp_path, monkeypatch):
    asked = []

    def simulate(trials, model, out, *, steps, options):
        asked.extend((trial.trial, steps, trial.static is not None, trial.grf is not None) for trial in trials)
        return pd.DataFrame({"trial": [trial.trial for trial in trials]})

    monkeypatch.setattr(c3d_outcome, "simulate", simulate)
    c3d_outcome.simulated(person, Path("m.osim"), tmp_path, c3d_outcome.Options())
    unready = dataclasses.replace(person, made=dataclasses.replace(person.made, trials=person.made.trials.iloc[:0]))
    c3d_outcome.simulated(unready, Path("m.osim"), tmp_path, c3d_outcome.Options())
    c3d_outcome.simulated(dataclasses.replace(unready, static=""), Path("m.osim"), tmp_path, c3d_outcome.Options())
    assert asked == [
        ("S01_walk", ("scale", "ik", "so"), True, True),
        ("S01_walk", ("scale", "ik"), True, False),
        ("S01_walk", ("ik",), False, False),
    ]


def test_the_laboratorys_own_angles_stand_beside_those_of_the_model(walk, tmp_path):
    recording = walk.walk.recording
    swing = 30 * np.sin(2 * np.pi * recording.time)
    points = np.concatenate([recording.points, np.tile(swing[:, None, None], (1, 1, 3))], axis=1)
    known = with_recording(walk, points=points, labels=(*recording.labels, "RHipAngles"))
    folder = tmp_path / walk.trial
    (folder / "ik").mkdir(parents=True)
    own = 30 * np.sin(2 * np.pi * TIME) + 5
    write_storage(folder / "ik" / "motion.mot", Storage("ik", ("hip_flexion_r",), TIME, own[:, None], True))
    part = beside(known, tmp_path, "angle")
    (row,) = part["agreement"].to_dict("records")
    assert row["r"] == pytest.approx(1.0, abs=1e-5)
    assert row["offset"] == pytest.approx(5.0, abs=0.01)
    assert "right hip 1.000" in c3d_files.shown(drawing.beside_laboratory, part).caption
    assert compared(part)[["foot", "joint"]].to_numpy().tolist() == [["right", "hip"]]
    assert "no joint moments of the laboratory's own model" in str(beside(known, tmp_path, "moment"))


def activation(side: str) -> Storage:
    """Muscle m of a leg: 0.1 (m + 1), rising by 0.1 a second."""
    labels = tuple(f"{muscle}_{side}" for muscle in ("tib_ant", "soleus", "rect_fem"))
    values = 0.1 * np.arange(1, 4) + 0.1 * (TIME[:, None] - START)
    return Storage("activation", labels, TIME, values)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_cycle_runs_from_its_contact_to_the_next_strike_and_left_legs_are_mirrored(tmp_path, mirrored):
    source = laboratory(tmp_path / "files", events=True, mirrored=mirrored)
    person = c3d_files.converted(str(source), tmp_path / "trials")
    folder = tmp_path / "simulated" / person.walks[0]
    folder.mkdir(parents=True)
    write_storage(folder / "activation.sto", activation("l" if mirrored else "r"))
    cycles, told = c3d_outcome.gait_cycles(person, folder.parent, tmp_path / "study")
    assert any("mirrored" in line for line in told) == mirrored
    assert cycles.activation.sel(muscle="tib_ant_r").values[0, [0, -1]] == pytest.approx([0.12, 0.24], abs=1e-3)
    curves = c3d_outcome.activity(cycles)["curves"]
    assert set(curves["series"]) == {"simulated", "measured"}
    assert set(curves["muscle"]) == {"tib_ant_r", "soleus_r"}
    # without EMG activation is there alone, the same
    made = person.made.trials.assign(emg="")
    made.to_csv(person.folder / "trials.csv", index=False)
    alone, said = c3d_outcome.gait_cycles(person, folder.parent, tmp_path / "study")
    assert "EMG" in said[0]
    np.testing.assert_allclose(
        alone.activation.sel(muscle="tib_ant_r"), cycles.activation.sel(muscle="tib_ant_r"), atol=1e-3
    )
    assert set(c3d_outcome.activity(alone)["curves"]["muscle"]) == {"tib_ant_r", "soleus_r", "rect_fem_r"}
    refined = c3d_outcome.refined_curves(alone, constant(np.array([[0.2, 0.5], [0.4, 0.7]])))
    assert refined.groupby("muscle")["value"].first().to_dict() == pytest.approx({"soleus_r": 0.3, "tib_ant_r": 0.6})
    assert "No EMG was measured of a refined muscle" in c3d_outcome.verdict(c3d_outcome.errors(alone, refined))


def test_without_activation_the_rest_is_said(person, tmp_path):
    cycles, _ = c3d_outcome.gait_cycles(person, tmp_path, tmp_path / "study")
    assert isinstance(cycles, Missing)
    assert "No gait cycle has muscle activation" in str(cycles)
    assert c3d_outcome.activity(cycles) is cycles
    refined = c3d_outcome.refined_curves(cycles, constant(np.array([[0.2, 0.5]])))
    assert refined is cycles
    assert "no refined activity" in c3d_outcome.verdict(c3d_outcome.errors(cycles, refined))


def two_cycles(emg: float) -> xr.Dataset:
    names = ["soleus_r", "tib_ant_r"]
    return xr.Dataset(
        {
            "activation": (("cycle", "sample", "muscle"), np.full((2, 20, 2), 0.3)),
            "activation_waveform": (("cycle", "phase", "muscle"), np.full((2, 101, 2), 0.3)),
            "emg": (("cycle", "sample", "channel"), np.full((2, 20, 2), emg)),
            "emg_waveform": (("cycle", "phase", "channel"), np.full((2, 101, 2), emg)),
        },
        coords={
            "sample": np.linspace(0, 100, 20),
            "phase": np.linspace(0, 100, 101),
            "muscle": names,
            "channel": ["sol", "tib"],
            "target": ("channel", names),
            "trial": ("cycle", ["walk", "walk"]),
        },
    )


def test_errors_are_those_of_this_person_and_the_mean_curve_is_the_others():
    mine, rest = two_cycles(0.5), two_cycles(0.1)
    refined = c3d_outcome.refined_curves(mine, constant(np.array([[0.4, 0.6]])), rest)
    found = c3d_outcome.errors(mine, refined).set_index("muscle")
    assert found.loc["soleus_r", "RMSE simulated"] == pytest.approx(0.2)
    assert found["RMSE refined"].tolist() == pytest.approx([0.1, 0.1], abs=1e-6)
    assert found["Er refined"].tolist() == pytest.approx([-0.5, -0.5], abs=1e-5)
    assert found["RMSE mean curve"].tolist() == pytest.approx([0.4, 0.4])
    assert found["cycles"].tolist() == [2, 2]
    said = c3d_outcome.verdict(found.reset_index())
    assert "than simulated activation in 2 of 2 muscles" in said
    assert "knows nothing of this person, in 2" in said
    assert c3d_outcome.cycle_names(mine) == ["walk 1", "walk 2"]
    drawn = c3d_files.shown(drawing.activity_by_cycle, c3d_outcome.activity(mine, refined))
    assert set(drawn.data["series"]) == {"simulated", "measured", "refined", "mean curve"}
    other = c3d_outcome.refined_curves(mine.assign_coords(muscle=["a", "b"]), constant(np.array([[0.4, 0.6]])))
    assert str(other).startswith("Nothing is refined: ")


@pytest.mark.slow
@pytest.mark.realdata
def test_the_notebook_takes_a_childs_c3d_files_to_refined_emg(realdata, tmp_path):
    pytest.importorskip("opensim")
    given = {"folder": str(tmp_path / "work"), "profile": "smoke"}
    page = run(ROOT / "notebooks" / "16_c3d_to_emg.ipynb", tmp_path / "page.html", given).read_text()
    assert page.count("data:image/svg+xml") == 8
    assert "left out, the plate is left" in page  # a contact of two feet
    assert "One person decides nothing" in page
    activation = tmp_path / "work" / "simulated" / "HC031A_turn" / "activation.sto"
    assert activation.exists()
