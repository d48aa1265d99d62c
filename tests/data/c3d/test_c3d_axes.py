"""One walk in laboratories whose axes stand in every way: what comes out is the same."""

from __future__ import annotations

import numpy as np
import pytest

from nem2e_lib.data.c3d.convert import from_c3d
from nem2e_lib.data.c3d.recording import read_c3d
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError
from tests.data.c3d.test_c3d_convert import CORNERS, EMG, FIRST, MASS, RATE, analog, markers, trc
from tests.support.c3d_file import write_c3d

QUARTER = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
"""A quarter of a turn about z."""
Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""z becomes y."""
X_UP = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
TURNS = {
    "-y": np.eye(3),
    "+x": QUARTER,
    "+y": QUARTER @ QUARTER,
    "-x": QUARTER.T,
    "y up": Y_UP,
    "y up, the other way": Y_UP @ QUARTER @ QUARTER,
    "x up": X_UP,
}


def laboratory(folder, turn, *, screen="", plates=True, names=None, shift=(0.0, 0.0, 0.0), **how):
    """A walk of one person, all that it holds turned and shifted (mm, in the turned axes)."""
    labels, places = markers(True)
    channels, values = analog(True)
    more = {"SUBJECTS": {"NAMES": ["S01"]}, "PROCESSING": {"BODYMASS": np.array([MASS], np.float32)}}
    more["ANALOG"] = {"UNITS": ["N"] * 3 + ["Nmm"] * 3 + ["V"] * len(EMG)}
    more |= {"POINT": {"Y_SCREEN": screen}} if screen else {}
    if plates:
        more["FORCE_PLATFORM"] = {
            "USED": 1,
            "TYPE": np.array([2]),
            "CORNERS": (CORNERS @ turn.T + shift).T[:, :, None].astype(np.float32),
            "ORIGIN": np.array([0.0, 0, -40])[:, None].astype(np.float32),
            "CHANNEL": np.arange(1, 7)[:, None],
        }
    usual = {"per_frame": 10, "analog_scale": 1.0, "first_frame": FIRST}
    raw = write_c3d(
        places @ turn.T + shift, values, labels=names or labels, channels=channels, more=more, **usual | how
    )
    folder.mkdir(parents=True)
    (folder / "Walk01.c3d").write_bytes(raw)
    return folder


def require_the_walk(made, out):
    """1 m/s forward, the right side at +z, the plate pressed by body weight 0.4 m ahead of the start."""
    (trial,) = made.trials.to_dict("records")
    table, first = trc(out / trial["markers"]), (FIRST - 1) / RATE
    ahead = table["SACR_x"] - table["SACR_x"].iloc[0]
    np.testing.assert_allclose(ahead, table["time"] - first, atol=3e-4)
    np.testing.assert_allclose(table["RASI_z"] - table["LASI_z"], 0.2, atol=3e-4)
    np.testing.assert_allclose(table["RASI_y"] - table["RHEE_y"], 0.97, atol=3e-4)
    if not trial["grf"]:
        return
    grf = read_storage(out / trial["grf"])
    middle = np.argmin(np.abs(grf.time - (first + 0.5)))
    force, point = ([grf.column(f"1_ground_force_{kind}{axis}")[middle] for axis in "xyz"] for kind in ("v", "p"))
    np.testing.assert_allclose(force, [0, MASS * 9.81, 0], atol=1.0)
    start = np.array([table[f"SACR_{axis}"].iloc[0] for axis in "xyz"])
    np.testing.assert_allclose(point - start, [0.5, -1.0, 0], atol=2e-3)


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize("screen", ["", "-Z"], ids=["silent", "wrong word"])
@pytest.mark.parametrize("plates", [True, False], ids=["plates", "no plates"])
def test_one_walk_comes_out_alike_of_any_laboratory(tmp_path, turn, screen, plates):
    made = from_c3d(laboratory(tmp_path / "lab", turn, screen=screen, plates=plates), tmp_path / "out")
    require_the_walk(made, tmp_path / "out")


def test_a_laboratory_may_start_anywhere(tmp_path):
    made = from_c3d(laboratory(tmp_path / "lab", QUARTER, shift=(-3000.0, 5000.0, 0.0)), tmp_path / "out")
    require_the_walk(made, tmp_path / "out")


def test_a_way_across_the_axes_is_told(tmp_path):
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    made = from_c3d(laboratory(tmp_path / "lab", turn), tmp_path / "out")
    assert any("The way is 30 degrees beside -y, which was taken for forward." in line for line in made.told)
    table = trc(tmp_path / "out" / made.trials["markers"][0])
    way = np.hypot(np.ptp(table["SACR_x"]), np.ptp(table["SACR_z"]))
    assert way == pytest.approx(np.ptp(table["time"]), abs=1e-3)


def test_up_that_nothing_tells_is_refused(tmp_path):
    names = [f"marker {number}" for number in range(7)]
    source = laboratory(tmp_path / "lab", np.eye(3), plates=False, names=names, shift=(200.0, 2500.0, 0.0))
    with pytest.raises(Nem2eError, match="tell which axis is up"):
        from_c3d(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_up_is_the_one_axis_along_which_markers_stand_on_the_floor(tmp_path):
    names = [f"marker {number}" for number in range(7)]
    source = laboratory(tmp_path / "lab", Y_UP, plates=False, names=names, shift=(900.0, 0.0, 900.0))
    made = from_c3d(source, tmp_path / "out")
    assert any("up +y, right" in line and "the markers, which stand on the floor" in line for line in made.told)


@pytest.mark.parametrize(("unit", "factor"), [("m", 1e-3), ("Meters", 1e-3), ("cm", 0.1), ("in", 1 / 25.4)])
def test_places_and_plates_in_any_unit(tmp_path, unit, factor):
    source = laboratory(tmp_path / "lab", np.eye(3))
    head = read_c3d(source / "Walk01.c3d")
    labels, places = markers(True)
    channels, values = analog(True)
    platform = dict(head.head.parameters["FORCE_PLATFORM"])
    corners, origin = (np.asarray(platform[name]) * factor for name in ("CORNERS", "ORIGIN"))
    more = {
        "FORCE_PLATFORM": {
            "USED": 1,
            "TYPE": np.array([2]),
            "CORNERS": corners.astype(np.float32),
            "ORIGIN": origin.astype(np.float32),
            "CHANNEL": np.arange(1, 7)[:, None],
        },
        "SUBJECTS": {"NAMES": ["S01"]},
        "PROCESSING": {"BODYMASS": np.array([MASS], np.float32)},
        "ANALOG": {"UNITS": ["Newtons"] * 3 + ["N.mm"] * 3 + ["V"] * len(EMG)},
    }
    usual = {"per_frame": 10, "analog_scale": 1.0, "first_frame": FIRST, "units": unit}
    raw = write_c3d(places * factor, values, labels=labels, channels=channels, more=more, **usual)
    (source / "Walk01.c3d").write_bytes(raw)
    require_the_walk(from_c3d(source, tmp_path / "out"), tmp_path / "out")
