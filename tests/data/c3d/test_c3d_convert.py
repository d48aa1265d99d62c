from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.c3d.convert import from_c3d
from nem2e_lib.data.c3d.study import study_of
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support.c3d_file import write_c3d

RATE, PER_FRAME, FRAMES, FIRST = 100.0, 10, 300, 51
FORWARD = np.array([0.0, -1.0, 0.0])
"""They walk along -y of the laboratory, z up: OpenSim's x; its z, to the right, is the laboratory's -x."""
PLACES = {"RASI": (0.1, 1.0), "LASI": (0.1, 1.0), "SACR": (-0.1, 1.0), "RHEE": (-0.1, 0.03), "LHEE": (-0.1, 0.03)}
PLACES |= {"RTOE": (0.12, 0.03), "LTOE": (0.12, 0.03)}
MASS = 60.0
EMG = ["Right Tibialis Anterior", "Right Soleus", "Left Soleus", "Spare"]
CORNERS = np.array([[-300.0, -100, 0], [300, -100, 0], [300, -700, 0], [-300, -700, 0]])
"""A plate on the way, its z into the ground: x along +x... -x, y along +y."""


def markers(walking: bool) -> tuple[list[str], np.ndarray]:
    """Marker names and places in mm, shape (frames, markers, 3): a body that glides forward, its right foot at rest."""
    time = np.arange(FRAMES) / RATE
    way = np.outer(1.0 * time if walking else 0 * time, FORWARD)
    every = []
    for name, (ahead, height) in PLACES.items():
        right = {"R": 0.1, "L": -0.1}.get(name[0], 0.0)
        own = np.array([-right, -ahead, height])  # right is -x, ahead is -y
        place = np.tile(own, (FRAMES, 1)) + way
        if walking and name in ("RHEE", "RTOE"):  # stands on the plate from 0.2 to 0.8 s, then steps 1.2 m ahead
            stand, step = np.array([-0.1, -0.4 - ahead, 0.03]), 1.2 * FORWARD
            place = stand + np.outer(np.clip((time - 0.8) / 0.4, 0, 1), step)
        every.append(place * 1000)
    return list(PLACES), np.stack(every, axis=1)


def analog(walking: bool) -> tuple[list[str], np.ndarray]:
    """Channels of one plate, pressed from 0.2 to 0.8 s of the file at (0, -.4) m, and of EMG."""
    time = np.arange(FRAMES * PER_FRAME) / (RATE * PER_FRAME)
    on = walking * ((time >= 0.2) & (time < 0.8)) * MASS * 9.81
    down = np.zeros((len(time), 6))
    down[:, 2] = -on  # the plate's z points into the ground
    noise = np.random.default_rng(4).normal(size=(len(time) + 4, len(EMG))) * 1e-3
    noise = sum(noise[row : len(time) + row] for row in range(5)) / 5  # the spectrum of EMG, not that of an amplifier
    noise[:, 2] *= 0.001
    return [f"F{number}" for number in range(6)] + EMG, np.column_stack([down, noise])


def laboratory(folder, *, who="S01", mass: float | None = MASS, files=("Static", "Walk"), events=False, mirrored=False):
    """C3D files of one person: a static pose and a walk, as a mirror shows them if asked for."""
    for kind in files:
        names, places = markers(kind != "Static")
        channels, values = analog(kind != "Static")
        if mirrored:
            names = [{"R": "L", "L": "R"}.get(name[0], name[0]) + name[1:] for name in names]
            swap = {"Right": "Left", "Left": "Right"}
            channels = [" ".join(swap.get(word, word) for word in name.split(" ")) for name in channels]
            places = places * [-1, 1, 1]
        platform = {
            "USED": 1,
            "TYPE": np.array([2]),
            "CORNERS": CORNERS.T[:, :, None].astype(np.float32),
            "ORIGIN": np.array([0.0, 0, -40])[:, None].astype(np.float32),
            "CHANNEL": np.arange(1, 7)[:, None],
        }
        more = {"FORCE_PLATFORM": platform, "SUBJECTS": {"NAMES": [who]}, "POINT": {"Y_SCREEN": "+Z"}}
        more["ANALOG"] = {"UNITS": ["N"] * 3 + ["Nmm"] * 3 + ["V"] * len(EMG)}
        if events and kind != "Static":
            side = "Left" if mirrored else "Right"
            times = np.array([[0, 0, 0], [0.7, 1.3, 1.9]], np.float32)
            labels = ["Foot Strike", "Foot Off", "Foot Strike"]
            more["EVENT"] = {"USED": 3, "TIMES": times, "LABELS": labels, "CONTEXTS": [side] * 3}
        if mass is not None:
            more["PROCESSING"] = {"BODYMASS": np.array([mass], np.float32)}
        raw = write_c3d(
            places,
            values,
            labels=names,
            channels=channels,
            per_frame=PER_FRAME,
            analog_scale=1.0,
            first_frame=FIRST,
            more=more,
        )
        (folder / who / kind).mkdir(parents=True, exist_ok=True)
        (folder / who / kind / f"{kind}01.c3d").write_bytes(raw)
    return folder


def trc(path) -> pd.DataFrame:
    names = [name for name in path.read_text().splitlines()[3].split("\t")[2:] if name]
    body = np.genfromtxt(path, skip_header=5, delimiter="\t")
    columns = [f"{name}_{axis}" for name in names for axis in "xyz"]
    return pd.DataFrame(body[:, 1:], columns=["time", *columns])


def test_markers_forces_and_emg_stand_on_one_clock_in_opensims_axes(tmp_path):
    made = from_c3d(laboratory(tmp_path / "lab"), tmp_path / "out")
    (trial,) = made.trials.to_dict("records")
    table = trc(tmp_path / "out" / trial["markers"])
    first = (FIRST - 1) / RATE
    assert table["time"].iloc[0] == pytest.approx(first)
    ahead = table["SACR_x"].to_numpy()
    np.testing.assert_allclose(ahead, -0.1 + (table["time"] - first), atol=2e-4)  # 1 m/s forward
    np.testing.assert_allclose(table["RASI_z"], 0.1, atol=2e-4)  # right is +z
    np.testing.assert_allclose(table["RASI_y"], 1.0, atol=2e-4)
    grf = read_storage(tmp_path / "out" / trial["grf"])
    middle = np.argmin(np.abs(grf.time - (first + 0.5)))
    force, point = ([grf.column(f"1_ground_force_{kind}{axis}")[middle] for axis in "xyz"] for kind in ("v", "p"))
    np.testing.assert_allclose(force, [0, MASS * 9.81, 0], atol=1.0)
    np.testing.assert_allclose(point, [0.4, 0, 0], atol=1e-3)
    emg = read_storage(tmp_path / "out" / trial["emg"])
    assert emg.time[0] == pytest.approx(first)
    assert emg.labels == ("tib_ant", "soleus")  # of the leg that is alive
    np.testing.assert_allclose(emg.column("soleus"), analog(True)[1][:, 7], atol=1e-6)
    assert trial["mass_kg"] == "60.0"
    assert trial["leg"] == "right"
    assert trial["static"].endswith("S01_static.trc")


def test_the_foot_on_the_plate_is_found_and_its_cycle(tmp_path):
    made = from_c3d(laboratory(tmp_path / "lab"), tmp_path / "out")
    (contact,) = made.contacts.to_dict("records")
    first = (FIRST - 1) / RATE
    assert (contact["plate"], contact["foot"]) == (1, "right")
    assert (contact["start_s"], contact["off_s"]) == pytest.approx((first + 0.2, first + 0.8), abs=0.002)
    assert contact["body_weights"] == pytest.approx(1.0, abs=0.01)


def test_what_a_person_says_is_kept_and_followed(tmp_path):
    source = laboratory(tmp_path / "lab")
    from_c3d(source, tmp_path / "out")
    table = tmp_path / "out/mapping/channels.csv"
    table.write_text(table.read_text().replace("Spare,,,", "Spare,rect_fem,right,rect_fem"))
    people = tmp_path / "out/mapping/subjects.csv"
    people.write_text(people.read_text().replace("60.0", "61.5"))
    made = from_c3d(source, tmp_path / "out")
    (trial,) = made.trials.to_dict("records")
    assert read_storage(tmp_path / "out" / trial["emg"]).labels == ("tib_ant", "soleus", "rect_fem")
    assert trial["mass_kg"] == "61.5"
    assert "61.5" in people.read_text()


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("recordings.csv", ",walk,", ",wlak,", "line 3: kind is 'wlak', but static, walk, leave is expected; did you"),
        ("subjects.csv", "60.0", "sixty", "mass_kg is 'sixty'"),
        ("subjects.csv", "right", "rigth", "leg is 'rigth'"),
        ("channels.csv", ",soleus,right,soleus", ",soleus,,soleus", "side of 'Right Soleus' is ''"),
        ("channels.csv", ",soleus,left,soleus", ",soleus,right,soleus", "two channels of S01 are 'soleus'"),
        ("recordings.csv", "Walk01.c3d", "Wlak01.c3d", "is not below"),
        (
            "recordings.csv",
            "S01,walk,walk",
            "S01,static,walk",
            "line 3: .* has kind static, but its markers move by 2.99",
        ),
        ("recordings.csv", "S01_walk,", "../../S01_walk,", "line 3: trial is '../../S01_walk', but a name of letters"),
        ("recordings.csv", "S01_walk,", ",", "line 3: trial is '', but a name"),
        ("recordings.csv", ",S01,walk", ",S10,walk", "subject 'S10' is not in subjects.csv; did you mean 'S01'"),
        ("channels.csv", "right,soleus", "right,solues", "'solues', which no model has; did you mean 'soleus'"),
        ("channels.csv", "Right Soleus", "Right Solius", "line 3: no file has an analogue channel 'Right Solius'; did"),
        ("channels.csv", ",soleus,right", ",soleus,rigth", "side of 'Right Soleus' is 'rigth'"),
        ("channels.csv", "muscle", "musle", "no column 'muscle'"),
    ],
)
def test_mistakes_in_the_mapping_are_one_sentence_and_nothing_is_lost(tmp_path, table, old, new, told):
    source = laboratory(tmp_path / "lab")
    from_c3d(source, tmp_path / "out")
    path = tmp_path / "out/mapping" / table
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Nem2eError, match=told):
        from_c3d(source, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_the_files_do_not_say_is_to_do(tmp_path):
    made = from_c3d(laboratory(tmp_path / "lab", mass=None, files=("Walk",)), tmp_path / "out")
    told = "\n".join(made.to_do)
    assert "S01 has no mass_kg" in told
    assert "S01 has no file of kind static" in told
    assert "which muscle is not known of Spare" in told


def test_files_without_markers_are_left_alone_and_those_without_plates_or_emg_told(tmp_path):
    source = laboratory(tmp_path / "lab")
    channels, values = analog(walking=True)
    raw = write_c3d(np.zeros((FRAMES, 0, 3)), values[:, 6:], labels=[], channels=channels[6:], analog_scale=1.0)
    (source / "mvc.c3d").write_bytes(raw)
    names, places = markers(walking=True)
    (source / "points.c3d").write_bytes(write_c3d(places, np.zeros((3000, 0)), labels=names, channels=[]))
    made = from_c3d(source, tmp_path / "out")
    assert any("mvc.c3d is of kind leave: it has no markers" in line for line in made.to_do)
    told = "\n".join(made.told)
    assert "points.c3d: it has no force plates, so that no activation can be computed of it." in told
    assert "points.c3d: it has no EMG under the names of mapping/channels.csv" in told
    (source / "late.c3d").write_bytes(raw)
    assert any(
        "late.c3d (1 files) has no row and is left out" in line for line in from_c3d(source, tmp_path / "out").to_do
    )


def test_a_file_that_is_left_alone_need_not_be_read(tmp_path):
    source = laboratory(tmp_path / "lab")
    from_c3d(source, tmp_path / "out")
    table = tmp_path / "out/mapping/recordings.csv"
    table.write_text(table.read_text() + "broken.c3d,broken,S01,leave,\n")
    (source / "broken.c3d").write_bytes(b"cut off")
    assert len(from_c3d(source, tmp_path / "out").trials) == 1


def test_names_in_the_file_that_no_path_may_have(tmp_path):
    made = from_c3d(laboratory(tmp_path / "lab" / "x", who="S 1"), tmp_path / "out")
    assert made.trials["subject"].tolist() == ["S_1"]
    assert (tmp_path / "out" / made.trials["markers"][0]).is_file()


def test_a_folder_of_something_else_is_not_written_over(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("all of it")
    with pytest.raises(Nem2eError, match="was not made from C3D files"):
        from_c3d(laboratory(tmp_path / "lab"), tmp_path / "out")
    assert (tmp_path / "out/thesis.txt").read_text() == "all of it"


def test_every_file_that_cannot_be_read_is_named_at_once(tmp_path):
    source = laboratory(tmp_path / "lab")
    for name in ("a.c3d", "b.c3d"):
        (source / name).write_bytes(b"no C3D at all" * 200)
    with pytest.raises(Nem2eError, match=r"a\.c3d.*b\.c3d"):
        from_c3d(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_tells_what_it_made(tmp_path):
    arguments = ["study", "from-c3d", str(laboratory(tmp_path / "lab")), "--out", str(tmp_path / "out")]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    assert "forward -y, up +z, right -x: up by the force plates, forward by the way onto the first plate." in ran.output
    assert "1 walks in trials.csv" in ran.output


def simulated(folder, trial: str, right=0.3, left=0.7):
    """Activation of a trial: constant, the legs apart."""
    (folder / trial).mkdir(parents=True)
    labels = ("soleus_r", "tib_ant_r", "soleus_l", "tib_ant_l", "ercspn_r", "ercspn_l")
    time = np.linspace(0.5, 3.5, 301)
    ramp = 0.01 * time[:, None]
    values = np.tile([right, right + 0.1, left, left + 0.1, 0.5, 0.5], (len(time), 1)) + ramp
    write_storage(folder / trial / "activation.sto", Storage("activation", labels, time, values))
    return folder


def test_what_was_simulated_becomes_a_study_of_the_measured_leg(tmp_path):
    source = laboratory(tmp_path / "lab", events=True)
    made = from_c3d(source, tmp_path / "out")
    (contact,) = made.contacts.to_dict("records")
    built = study_of(tmp_path / "out", simulated(tmp_path / "sim", "S01_walk"), tmp_path / "study")
    assert built.cycles == 1
    cycles, _ = segment(load_study(tmp_path / "study"))
    assert list(cycles["muscle"].to_numpy()) == ["soleus_r", "tib_ant_r"]
    assert list(cycles["target"].to_numpy()) == ["tib_ant_r", "soleus_r"]
    assert float(cycles["start_s"][0]) == pytest.approx(contact["start_s"], abs=1e-4)
    assert float(cycles["end_s"][0]) == pytest.approx(contact["next_strike_s"], abs=1e-4)
    assert float(cycles["speed_m_s"][0]) == pytest.approx(1.0, abs=0.01)
    expected = 0.3 + 0.01 * np.linspace(contact["start_s"], contact["next_strike_s"], 20)
    np.testing.assert_allclose(cycles["activation"].sel(muscle="soleus_r")[0], expected, atol=1e-6)


def test_a_left_leg_is_mirrored_and_that_is_told(tmp_path):
    source = laboratory(tmp_path / "lab", events=True, mirrored=True)
    made = from_c3d(source, tmp_path / "out")
    assert made.trials["leg"].tolist() == ["left"]
    built = study_of(tmp_path / "out", simulated(tmp_path / "sim", "S01_walk"), tmp_path / "study")
    assert "1 of 1 trials are left legs, mirrored: their muscles are called _r." in built.told
    cycles, _ = segment(load_study(tmp_path / "study"))
    assert list(cycles["muscle"].to_numpy()) == ["soleus_r", "tib_ant_r"]
    assert float(cycles["activation"].sel(muscle="soleus_r").mean()) > 0.7


def test_a_walk_without_activation_is_told(tmp_path):
    from_c3d(laboratory(tmp_path / "lab", events=True), tmp_path / "out")
    (tmp_path / "sim").mkdir()
    with pytest.raises(Nem2eError, match="S01_walk: left out, there is no"):
        study_of(tmp_path / "out", tmp_path / "sim", tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_linked_folders_are_searched_once_and_hidden_files_passed_over(tmp_path):
    source = laboratory(tmp_path / "kept" / "lab")
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "S01").symlink_to(source)
    (source / "around").symlink_to(tmp_path / "named")
    (source / "._walk.c3d").write_bytes(b"what macOS adds")
    assert len(from_c3d(tmp_path / "named", tmp_path / "out").trials) == 1
