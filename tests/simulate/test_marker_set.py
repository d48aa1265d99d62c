"""Marker sets: what is shipped, what a person's own file may say, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.marker_set import SKELETONS, Rule, SetMarker, find_set, read_marker_set, shipped

OWN = """
[markers]
SACR = { body = "pelvis", at = [-0.1, 0.05, 0.0], weight = 20 }
"{S}KNE" = { body = "femur_{s}", at = [0.0, -0.4, 0.05], static = 3, also = ["{S}_KNEE"] }
"{S}HJC" = { body = "femur_{s}", at = [0.0, 0.0, 0.0], fixed = true, weight = 0 }
[[scale]]
bodies = ["femur_{s}"]
axes = "xy"
pairs = [["{S}HJC", "{S}KNE"]]
otherwise = [["SACR", "{S}KNE"]]
[[scale]]
bodies = ["pelvis"]
pairs = [["RHJC", "LHJC"]]
"""


@pytest.fixture
def read(tmp_path):
    def read(text: str, name: str = "own.toml"):
        (tmp_path / name).write_text(text)
        return read_marker_set(tmp_path / name)

    return read


@pytest.mark.parametrize("name", shipped())
def test_shipped_sets_hold_together(name):
    """Both skeletons, left mirrors right, and every rule has markers to measure by."""
    found = read_marker_set(name)
    assert found.scale
    for marker, right in found.markers.items():
        assert set(right.places) == set(SKELETONS)
        if right.body.endswith("_r"):
            left = found.markers["L" + marker[1:]]
            assert left.body == right.body[:-1] + "l"
            assert left.places == {key: (x, y, -z) for key, (x, y, z) in right.places.items()}
            assert (left.weight, left.static, left.fixed) == (right.weight, right.static, right.fixed)
    for rule in found.scale:
        assert {name for pair in (*rule.pairs, *rule.otherwise) for name in pair} <= set(found.markers)
    assert set(found.sizes) >= {each.body for each in found.markers.values()}


def test_a_line_with_a_side_stands_for_two(read):
    found = read(OWN)
    assert list(found.markers) == ["SACR", "RKNE", "LKNE", "RHJC", "LHJC"]
    assert found.markers["LKNE"] == SetMarker("femur_l", {"": (0.0, -0.4, -0.05)}, False, 1.0, 3.0, ("L_KNEE",))
    assert found.markers["SACR"] == SetMarker("pelvis", {"": (-0.1, 0.05, 0.0)}, False, 20.0, 20.0)
    assert found.markers["RHJC"].fixed
    assert (found.markers["RHJC"].weight, found.markers["RHJC"].static) == (0.0, 0.0)
    right, left, pelvis = found.scale
    assert right == Rule(("femur_r",), "xy", (("RHJC", "RKNE"),), (("SACR", "RKNE"),), (("LHJC", "LKNE"),))
    assert left.mirrored == right.pairs
    assert pelvis == Rule(("pelvis",), "xyz", (("RHJC", "LHJC"),))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("weight = 20", "weight = -1", "marker 'SACR': weight is -1, but 0 or a number above is expected"),
        ("weight = 20", "wieght = 20", "has the key 'wieght', but keys are .*; did you mean 'weight'"),
        ("[-0.1, 0.05, 0.0]", "[-100, 50, 0]", r"marker 'SACR' needs body .* \[x, y, z\] in m, within 2 m"),
        ("[-0.1, 0.05, 0.0]", "[0.1, 0.05]", "marker 'SACR' needs body"),
        ("[-0.1, 0.05, 0.0]", "[nan, 0.05, 0]", "marker 'SACR' needs body"),
        (
            'pairs = [["RHJC", "LHJC"]]',
            'pairs = [["RHJ", "LHJC"]]',
            "measures by 'RHJ', no marker .*did you mean 'RHJC'",
        ),
        ('pairs = [["RHJC", "LHJC"]]', 'pairs = [["RHJC"]]', r"\[\[scale\]\] 2 needs pairs"),
        ('axes = "xy"', 'axes = "xw"', r"\[\[scale\]\] 1 needs bodies = \[names\] and axes"),
        ('"{S}HJC"', '"{S}KNE"', "not valid TOML"),
        ("SACR =", "RKNE =", "marker 'RKNE' occurs twice"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_sentence(read, old, new, told):
    with pytest.raises(Nem2eError, match=told) as refused:
        read(OWN.replace(old, new, 1))
    assert "own.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_problems_of_a_file_come_at_once(read):
    with pytest.raises(Nem2eError) as refused:
        read(OWN.replace("weight = 20", "weight = -1").replace('axes = "xy"', 'axes = ""'))
    assert "weight is -1" in str(refused.value)
    assert "[[scale]] 1" in str(refused.value)
    with pytest.raises(Nem2eError, match=r"\[markers\] is empty or missing"):
        read("name = 'nothing'\n")


def test_opensims_own_marker_set_is_read_old_and_new(read):
    text = """<OpenSimDocument Version="40000"><MarkerSet><objects>
<Marker name="SACR"><socket_parent_frame>/bodyset/pelvis</socket_parent_frame><location>-0.1 0.05 0</location></Marker>
<Marker name="KNEE"><body>femur_r</body><location> 0 -0.4 0.05 </location><fixed>true</fixed></Marker>
</objects></MarkerSet></OpenSimDocument>"""
    found = read(text, "own.xml")
    assert found.markers == {
        "SACR": SetMarker("pelvis", {"": (-0.1, 0.05, 0.0)}),
        "KNEE": SetMarker("femur_r", {"": (0.0, -0.4, 0.05)}, fixed=True),
    }
    assert found.scale == ()
    with pytest.raises(Nem2eError, match="marker 'KNEE' needs a body and three numbers of <location>"):
        read(text.replace(" 0 -0.4 0.05 ", "0 -0.4"), "own.xml")
    with pytest.raises(Nem2eError, match="holds no <Marker>"):
        read("<OpenSimDocument><MarkerSet/></OpenSimDocument>", "own.xml")


def test_a_set_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    assert find_set("plug_in_gait") == shipped()["plug_in_gait"]
    with pytest.raises(Nem2eError, match=r"Marker set 'plugin_gait': neither one .* did you mean 'plug_in_gait'"):
        find_set("plugin_gait")
    with pytest.raises(Nem2eError, match=r"gone\.toml"):
        find_set(Path(tmp_path / "gone.toml"))
