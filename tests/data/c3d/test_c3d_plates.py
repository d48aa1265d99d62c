from __future__ import annotations

import ezc3d
import numpy as np
import pytest

from nem2e_lib.data.c3d.plates import plate_forces
from nem2e_lib.data.c3d.recording import read_c3d
from nem2e_lib.error import Nem2eError
from tests.support.c3d_file import write_c3d

FRAMES, PER_FRAME = 8, 10
SAMPLES = FRAMES * PER_FRAME
CORNERS = np.array([[400.0, 600, 0], [0, 600, 0], [0, 100, 0], [400, 100, 0]])
"""Of a plate whose x points along the laboratory's +x, y along +y, and z, as their product says, up."""
DOWN = CORNERS[[1, 0, 3, 2]]
"""The same place with x along -x: z points into the ground, as plates are described."""
ORIGIN = np.array([1.5, -0.8, -40.0])
A, B = 120.0, 200.0


def truth() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Force on the person (N), where it acts (mm) and free moment (N·mm), in the laboratory's axes, z up."""
    random = np.random.default_rng(3)
    force = np.column_stack([random.uniform(-80, 80, (SAMPLES, 2)), random.uniform(100, 900, SAMPLES)])
    point = np.column_stack([random.uniform(30, 370, SAMPLES), random.uniform(130, 570, SAMPLES), np.zeros(SAMPLES)])
    moment = np.column_stack([np.zeros((SAMPLES, 2)), random.uniform(-5000, 5000, SAMPLES)])
    return force, point, moment


def axes(corners: np.ndarray) -> np.ndarray:
    x, y = corners[0] - corners[1], corners[0] - corners[3]
    return np.column_stack([v / np.linalg.norm(v) for v in (x, y, np.cross(x, y))])


def channels(kind: int, corners: np.ndarray) -> np.ndarray:
    """What a plate of each type measures of the truth, by its definition."""
    force, point, moment = truth()
    turn = axes(corners)
    f, p, t = force @ turn, (point - corners.mean(axis=0)) @ turn, moment @ turn
    if kind == 1:
        return np.column_stack([f, p[:, :2], t[:, 2]])
    if kind in (2, 4):
        about_origin = np.cross(p + ORIGIN, f) + t
        return np.column_stack([f, about_origin])
    about = np.cross(p + np.array([0, 0, ORIGIN[2]]), f) + t
    # four vertical sensors: any split that has the sum and both moments; two pairs a horizontal force, and mz
    z = (
        f[:, 2] / 4
        + np.column_stack(
            [sb * about[:, 0] / (4 * B) - sa * about[:, 1] / (4 * A) for sa, sb in ((1, 1), (-1, 1), (-1, -1), (1, -1))]
        ).T
    )
    y14, y23 = f[:, 1] / 2, f[:, 1] / 2
    half = about[:, 2] / (2 * B)
    return np.column_stack([f[:, 0] / 2 - half, f[:, 0] / 2 + half, y14, y23, *z])


def recording(path, kind: int, corners=DOWN, origin=ORIGIN, sign=1.0, moment_unit="Nmm", calibration=None, **group):
    values = channels(kind, corners) * sign
    units = ["N"] * 8 if kind == 3 else ["N"] * 3 + (["mm", "mm", moment_unit] if kind == 1 else [moment_unit] * 3)
    if moment_unit == "Nm" and kind != 3:  # which has forces alone
        values[:, 5 if kind == 1 else slice(3, 6)] *= 1e-3
    if calibration is not None:
        values = values @ np.linalg.inv(calibration).T
    platform = {
        "USED": 1,
        "TYPE": np.array([kind]),
        "CORNERS": corners.T[:, :, None].astype(np.float32),
        "ORIGIN": (np.array([A, B, origin[2]]) if kind == 3 else origin)[:, None].astype(np.float32),
        "CHANNEL": np.arange(1, values.shape[1] + 1)[:, None],
        "CAL_MATRIX": np.zeros((6, 6, 1), np.float32)
        if calibration is None
        else calibration[:, :, None].astype(np.float32),
    } | group
    names = [f"c{number}" for number in range(values.shape[1])]
    raw = write_c3d(
        np.full((FRAMES, 1, 3), 500.0) + np.arange(FRAMES)[:, None, None] * 100,
        values,
        labels=["M"],
        channels=names,
        analog_scale=1.0,
        more={"FORCE_PLATFORM": platform, "ANALOG": {"UNITS": units}},
    )
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("moment_unit", ["Nmm", "Nm"])
def test_each_type_gives_back_force_point_and_free_moment(tmp_path, kind, moment_unit):
    calibration = np.eye(6) + 0.01 * np.arange(36).reshape(6, 6) if kind == 4 else None
    file = recording(tmp_path / "a.c3d", kind, moment_unit=moment_unit, calibration=calibration)
    (plate,), (force, point, moment) = plate_forces(read_c3d(file)), truth()
    np.testing.assert_allclose(plate.force, force, atol=0.01)
    np.testing.assert_allclose(plate.point, point * 1e-3, atol=2e-4)
    np.testing.assert_allclose(plate.moment, moment * 1e-3, atol=0.02)
    np.testing.assert_allclose(plate.up, [0, 0, 1], atol=1e-12)
    assert plate.notes == ()


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_ezc3d_computes_the_same(tmp_path, kind):
    calibration = np.eye(6) + 0.01 * np.arange(36).reshape(6, 6) if kind == 4 else None
    file = recording(tmp_path / "a.c3d", kind, calibration=calibration)
    (plate,) = plate_forces(read_c3d(file))
    (theirs,) = ezc3d.c3d(str(file), extract_forceplat_data=True)["data"]["platform"]
    np.testing.assert_allclose(plate.force, theirs["force"].T, atol=0.01)
    np.testing.assert_allclose(plate.point, theirs["center_of_pressure"].T * 1e-3, atol=2e-4)
    np.testing.assert_allclose(plate.moment, theirs["Tz"].T * 1e-3, atol=0.02)


def test_an_origin_of_the_other_sign_is_turned_and_told(tmp_path):
    file = recording(tmp_path / "a.c3d", 2)
    turned = recording(tmp_path / "b.c3d", 2, ORIGIN=-ORIGIN[:, None].astype(np.float32))
    (plate,), (other,) = plate_forces(read_c3d(file)), plate_forces(read_c3d(turned))
    np.testing.assert_array_equal(plate.point, other.point)
    assert any("its sign was turned" in note for note in other.notes)


def test_force_on_the_plate_is_turned_and_told(tmp_path):
    (plate,) = plate_forces(read_c3d(recording(tmp_path / "a.c3d", 2, sign=-1.0)))
    force, point, moment = truth()
    np.testing.assert_allclose(plate.force, force, atol=0.01)
    np.testing.assert_allclose(plate.point, point * 1e-3, atol=2e-4)
    np.testing.assert_allclose(plate.moment, moment * 1e-3, atol=0.02)
    assert any("it was turned" in note for note in plate.notes)


def test_corners_elsewhere_are_noticed(tmp_path):
    small = DOWN.mean(axis=0) + (DOWN - DOWN.mean(axis=0)) * 0.3
    file = recording(tmp_path / "a.c3d", 2, CORNERS=small.T[:, :, None].astype(np.float32))
    (plate,) = plate_forces(read_c3d(file))
    assert any("the centre of pressure lies on it in" in note for note in plate.notes)


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"TYPE": np.array([21])}, "is of type 21, but types 1, 2, 3, 4 are known"),
        ({"CHANNEL": np.arange(1, 4)[:, None]}, "names 3 channels, but needs 6"),
        ({"CHANNEL": np.arange(4, 10)[:, None]}, "names channel 7, 8, 9 of 6"),
        ({"CORNERS": np.zeros((3, 4, 1), np.float32)}, "has no corners"),
    ],
)
def test_what_a_plate_lacks_is_one_sentence(tmp_path, group, told):
    with pytest.raises(Nem2eError, match=told):
        plate_forces(read_c3d(recording(tmp_path / "a.c3d", 2, **group)))


@pytest.mark.realdata
def test_a_child_treads_on_both_plates_with_its_weight(realdata):
    file = next((realdata / "children_walk/c3d/HC032A/Straight").glob("*.c3d"))
    child = read_c3d(file)
    theirs = ezc3d.c3d(str(file), extract_forceplat_data=True)["data"]["platform"]
    weight = 9.81 * float(child.head.numbers("PROCESSING", "BODYMASS")[0])
    for plate, other in zip(plate_forces(child), theirs, strict=True):
        assert 0.9 * weight < (plate.force @ plate.up).max() < 1.5 * weight
        np.testing.assert_allclose(plate.force, other["force"].T, atol=0.01)
        on = np.isfinite(plate.point[:, 0])
        np.testing.assert_allclose(plate.point[on], other["center_of_pressure"].T[on] * 1e-3, atol=1e-4)
        assert plate.notes == (f"Plate {plate.number}: its origin lies above the surface; its sign was turned.",)
