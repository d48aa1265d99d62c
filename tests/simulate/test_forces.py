from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.forces import whole_plates, write_plates
from tests.support.made_up_trial import force_storage

STYLES = {
    "R_{kind}{axis} L_": ("R_ground_force_v", "R_ground_force_p", "R_ground_torque_"),
    "unnamed and l": ("ground_force_v", "ground_force_p", "ground_torque_"),
    "side within": ("ground_force_r_v", "ground_force_r_p", "ground_torque_r_"),
    "moment with m": ("ground_force_r_v", "ground_force_r_p", "ground_moment_r_m"),
    "body": ("force_calcn_r_v", "force_calcn_r_p", "moment_calcn_r_"),
}


def _pair(stems: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    if stems[0] == "ground_force_v":
        return [stems, tuple(f"l_{stem}" for stem in stems)]  # type: ignore[list-item]
    return [stems, tuple(stem.replace("R_", "L_").replace("_r_", "_l_") for stem in stems)]  # type: ignore[list-item]


@pytest.mark.parametrize("style", STYLES)
def test_plates_are_found_under_the_names_in_common_use(tmp_path, style):
    labels = tuple(f"{stem}{axis}" for foot in _pair(STYLES[style]) for stem in foot for axis in "xyz")
    given = force_storage()
    write_storage(tmp_path / "f.mot", replace(given, labels=labels))
    time, plates, notes = whole_plates(tmp_path / "f.mot")
    assert [plate.side for plate in plates] == ["right", "left"]
    assert notes == ()
    np.testing.assert_array_equal(time, given.time)
    for plate, first in zip(plates, (0, 9), strict=True):
        found = np.column_stack([plate.force, plate.point, plate.moment])
        np.testing.assert_array_equal(found, given.values[:, first : first + 9])


def test_numbered_plates_have_no_side(tmp_path):
    labels = tuple(f"{kind}{plate}_{axis}" for plate in "12" for kind in "fpm" for axis in "123")
    write_storage(tmp_path / "f.mot", replace(force_storage(), labels=labels))
    assert [(plate.name, plate.side) for plate in whole_plates(tmp_path / "f.mot")[1]] == [("1", ""), ("2", "")]


def test_what_is_written_is_read_back(tmp_path, force_file):
    time, plates, _ = whole_plates(force_file)
    write_plates(tmp_path / "g.mot", time, {"force_calcn_r": plates[0], "force_calcn_l": plates[1]})
    again = whole_plates(tmp_path / "g.mot")[1]
    assert [plate.name for plate in again] == ["calcn_r", "calcn_l"]
    np.testing.assert_array_equal(again[0].force, plates[0].force)
    assert read_storage(tmp_path / "g.mot").labels[0] == "force_calcn_r_vx"


def _refused(tmp_path, storage: Storage) -> str:
    write_storage(tmp_path / "f.mot", storage)
    with pytest.raises(Nem2eError) as refused:
        whole_plates(tmp_path / "f.mot")
    return str(refused.value)


def test_unknown_columns_are_refused_with_names_that_are_known(tmp_path):
    given = force_storage()
    labels = tuple(f"channel{k}" for k in range(len(given.labels)))
    told = _refused(tmp_path, replace(given, labels=labels))
    assert "channel0" in told
    assert "R_ground_force_vx" in told


def test_forces_not_turned_to_opensims_axes_are_refused(tmp_path):
    given = force_storage()
    swapped = given.values[:, [0, 2, 1, *range(3, 9), 9, 11, 10, *range(12, 18)]]
    assert "rotate the forces" in _refused(tmp_path, replace(given, values=swapped))


def test_forces_on_the_plate_instead_of_on_the_person_are_refused(tmp_path):
    given = force_storage()
    assert "negate" in _refused(tmp_path, replace(given, values=-given.values))


def test_points_in_millimetres_are_refused(tmp_path):
    given = force_storage()
    scale = np.array([1000.0 if "_p" in label else 1.0 for label in given.labels])
    assert "mm" in _refused(tmp_path, replace(given, values=given.values * scale))


def test_points_may_be_missing_in_swing_but_not_under_load(tmp_path):
    given = force_storage()
    gap = given.values.copy()
    gap[150, 3] = np.nan
    write_storage(tmp_path / "f.mot", replace(given, values=gap))
    assert whole_plates(tmp_path / "f.mot")[1][0].point[150, 0] == 0
    gap[20, 3] = np.nan
    assert "under load" in _refused(tmp_path, replace(given, values=gap))


def test_a_gap_in_force_is_refused_with_its_time(tmp_path):
    given = force_storage()
    given.values[40, 1] = np.nan
    assert "is nan at 0.2 s, beside" in _refused(tmp_path, given)
