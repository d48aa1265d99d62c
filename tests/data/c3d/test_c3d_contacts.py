from __future__ import annotations

import json

import numpy as np
import pytest

from nem2e_lib.data.c3d.axes import find_axes
from nem2e_lib.data.c3d.contacts import Walk, find_contacts, heel_strikes
from nem2e_lib.data.c3d.feet import find_feet
from nem2e_lib.data.c3d.plates import plate_forces
from nem2e_lib.data.c3d.recording import read_c3d


def walk_of(path) -> Walk:
    recording = read_c3d(path)
    forces, feet = plate_forces(recording), find_feet(recording.markers)
    mass = float(recording.head.numbers("PROCESSING", "BODYMASS")[0])
    return Walk(recording, find_axes(recording, forces, feet), feet, forces, mass)


@pytest.mark.parametrize(
    ("labels", "side", "heel", "toe"),
    [
        (["RHEE", "RTOE", "RKNE", "RASI"], "right", ("RHEE",), ("RTOE",)),
        (["Anna:LHEE", "Anna:LTOE"], "left", ("Anna:LHEE",), ("Anna:LTOE",)),
        (["R.Heel", "R.Toe.Tip"], "right", ("R.Heel",), ()),
        (["L_Heel", "L_Toe"], "left", ("L_Heel",), ("L_Toe",)),
        (["RightHeel", "RightToe"], "right", ("RightHeel",), ("RightToe",)),
        (["Calc_r", "MT1_r"], "right", ("Calc_r",), ("MT1_r",)),
        (["LFCC", "LFM1", "LFM5"], "left", ("LFCC",), ("LFM1",)),
    ],
)
def test_markers_of_the_feet_are_known_by_the_names_of_laboratories(labels, side, heel, toe):
    feet = find_feet(labels)
    assert feet.heel.get(side, ()) == heel
    assert feet.toe.get(side, ()) == toe


def test_no_other_marker_is_a_foot():
    others = [
        "RASI",
        "LPSI",
        "SACR",
        "C7",
        "T10",
        "RKNE",
        "LTHI",
        "RELB",
        "LWRA",
        "LFHD",
        "RTHI",
        "STRN",
        "LSHO",
        "RFIN",
    ]
    assert find_feet(others).of("right") == find_feet(others).of("left") == ()


@pytest.mark.realdata
@pytest.mark.slow
def test_every_contact_of_twelve_children_is_judged_as_by_hand(realdata):
    """Foot, times and verdict, that of a foot over the edge, too, which was left out by eye."""
    folder = realdata / "children_walk"
    by_hand = json.loads((folder / "opensim/cycles.json").read_text())
    facts = {each["trial"]: each for each in json.loads((folder / "opensim/info.json").read_text())}
    found, off = 0, []
    for path in sorted(folder.glob("c3d/*/*/*.c3d")):
        trial = f"{path.parts[-3]}_{path.parts[-2].lower()}"
        walk = walk_of(path)
        np.testing.assert_array_equal(walk.axes.rotation, facts[trial]["R"])
        if "Static" in path.parts:
            continue
        for row in find_contacts(walk).itertuples():
            (same,) = [r for r in by_hand if (r["trial"], r["plate"]) == (trial, row.plate)]
            found += 1
            assert row.foot[0].upper() == same["foot"]
            assert (row.start_s, row.off_s) == pytest.approx((same["start"], same["off"]), abs=0.002)
            assert row.next_strike_s == pytest.approx(same["end"], abs=0.002)
            assert row.body_weights == pytest.approx(same["bw"], abs=0.01)
            off += [(trial, row.plate)] if bool(row.doubts) != bool(same["drop"]) else []
        for side in ("right", "left"):  # the heel marker, beside the events
            events, marker = walk.strikes(side), heel_strikes(walk, side)
            late = [marker[np.abs(marker - e).argmin()] - e for e in events if len(marker)]
            assert sum(abs(each) < 0.05 for each in late) >= len(late) / 2
    assert found == len(by_hand)
    assert off == [("HC002D_turn", 2)]
