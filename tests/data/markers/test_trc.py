"""Marker files as they are met: read to known places, or refused in a sentence."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.markers.body import TURNS, up
from nem2e_lib.data.markers.trc import Markers, read_markers, require_y_up, write_markers
from nem2e_lib.error import Nem2eError
from tests.support.marker_files import KEYS, NAMES, text, walker

PLACES = walker()


@pytest.fixture
def read(tmp_path):
    def reading(content: str | bytes) -> Markers:
        path = tmp_path / "walk.trc"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_markers(path)

    return reading


def same(found: Markers, names=NAMES, places=PLACES) -> None:
    assert found.names == tuple(names)
    np.testing.assert_allclose(found.time, np.arange(len(places)) / 100, atol=1e-9)
    np.testing.assert_allclose(found.places, places, atol=1e-6)


def test_a_sound_file(read):
    found = read(text(PLACES))
    same(found)
    assert (found.notes, found.unit) == ((), "m")
    assert found.rate_hz == pytest.approx(100)


SEVEN = tuple(key for key in KEYS if key != "OrigNumFrames")


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"\xef\xbb\xbf" + text(PLACES).encode(), None),
        (text(PLACES, end="\r\n"), None),
        (text(PLACES, end="\r"), None),
        (text(PLACES, first=5), None),
        (text(PLACES, first=None), None),
        (text(PLACES, blank=False), None),
        (text(PLACES, gap="\t"), None),
        (text(PLACES).replace("\n", "\t\t\n"), None),
        (text(PLACES).replace("\n", "\n\n"), None),
        (text(PLACES).replace("Frame#\tTime", "frame #\ttime"), None),
        (text(PLACES, keys=SEVEN), "The header has 7 entries where 8 are usual."),
        (text(PLACES, keys=SEVEN[:5]), "The header has 5 entries where 8 are usual."),
        (
            text(PLACES).replace("\tOrigNumFrames", ""),
            "The header has 7 keys and 8 values; those up to Units were read.",
        ),
        (re.sub("\n100.0\t.*\n", lambda line: line[0].replace("\t", "\t\t "), text(PLACES)), None),
        (text(PLACES * 1000, unit="mm"), None),
        (text(PLACES * 100, unit="cm"), None),
        (text(PLACES * 1000, unit="Millimeters"), None),
        (text(PLACES, changed={"NumFrames": 40}), "The header states NumFrames 40, but 30 frames were found and read."),
        (
            text(PLACES, changed={"NumMarkers": 9}),
            "The header states NumMarkers 9, but 12 markers were found and read.",
        ),
        (text(PLACES, rate=50.0), "The header states DataRate 50, but by the times there are 100 frames a second."),
    ],
)
def test_oddities_that_leave_the_places_as_they_are(read, content, note):
    found = read(content)
    same(found)
    assert found.notes == (() if note is None else (note,))


def test_names_in_latin_1(read):
    names = ("Hüfte", *NAMES[1:])
    found = read(text(PLACES, names=names).encode("latin-1"))
    same(found, names)
    assert found.notes == ("The text is not UTF-8; it was read as Latin-1.",)


def test_names_of_columns(read):
    names = [f"{name}_{axis}" for name in NAMES for axis in "xyz"]
    content = text(PLACES, first=None).replace("\t\t\t".join(NAMES), "\t".join(names))
    same(read(content))


@pytest.mark.parametrize("between", ["\t", "\t\t"])
def test_names_that_stand_beside_their_columns_are_taken_in_turn_where_all_counts_agree(read, between):
    found = read(text(PLACES, gap=between).replace(f"Time\t{NAMES[0]}", f"Time\t\t{NAMES[0]}"))
    same(found)
    (note,) = found.notes
    assert note.startswith("Names of line 4 do not stand above their columns ('")
    assert note.endswith("for header, coordinates and names agree on 12 markers.")


def test_a_marker_that_was_not_seen_is_blank_or_nan_or_at_the_origin(read):
    places = PLACES.copy()
    places[3:8, 2] = np.nan
    places[:, -1] = np.nan
    same(read(text(places)), places=places)
    same(read(re.sub("\t+\n", "\n", text(places))), places=places)
    same(read(text(np.nan_to_num(places, nan=np.inf)).replace("inf", "NaN")), places=places)
    found = read(text(np.nan_to_num(places)))
    same(found, places=places)
    assert found.notes == ("Markers at exactly 0 0 0 were taken for not seen, in so many frames: LASI (5), RTOE (30).",)


def test_rates_of_rounded_times_are_no_contradiction(read):
    for rate in (60.0, 119.88, 120.0, 250.0):
        content = text(PLACES, rate=rate, step=1 / rate)
        rounded = re.sub(r"(?m)^(\d+\t\d+\.\d{3})\d+", r"\1", content)
        assert read(rounded).notes == ()


def test_a_gap_is_told(read):
    lines = text(PLACES).splitlines(keepends=True)
    found = read("".join(lines[:12] + lines[20:]))
    assert found.notes[-1] == "There are no frames between 0.05 and 0.14 s."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            text(PLACES, unit="mm"),
            "its 12 markers lie within 0.00141 m if they are in mm, as it says, .* correct Units in",
        ),
        (text(PLACES * 100, unit="mm"), "lie within 0.141 m if they are in mm"),
        (text(PLACES * 1000), "lie within .* if they are in m, as it says, but 0.3 to 6 m are expected of a body"),
        (text(PLACES * 1000, unit="cm"), "if they are in cm"),
        (text(PLACES, unit="furlong"), "line 3 states units 'furlong', but mm, cm or m is expected below 'Units'"),
        (text(PLACES, keys=("DataRate", "NumFrames")), "line 3 states units ''"),
        (
            text(PLACES).replace("1.400000", "1,400000"),
            r"line 7: Y of marker 'RSHO' is '1,400000'; write decimal points",
        ),
        (text(PLACES).replace("1.400000", "up"), r"line 7: Y of marker 'RSHO' is 'up'; a number is expected"),
        (text(PLACES).replace("\t0.05000\t", "\t\t"), "line 12 has no time"),
        (
            text(PLACES).replace("\t0.05000\t", "\t0.04000\t"),
            "line 12: time goes from 0.04 to 0.04 s, but it must increase",
        ),
        (text(PLACES, step=10.0), "times step by 10 where DataRate is 100: they look like ms"),
        (text(PLACES, step=1.0), "times step by 1 where DataRate is 100: they look like numbers of frames"),
        (text(PLACES, names=(*NAMES[:3], "RASI", *NAMES[4:])), "line 4 names marker 'RASI' 2 times"),
        (text(PLACES, names=(*NAMES[:3], "", *NAMES[4:])), "line 4: marker 4 has no name"),
        (text(PLACES, gap="\t\t", first=None), "marker 'RASI' does not stand above the first of three columns"),
        (text(PLACES, gap="\t\t", changed={"NumMarkers": 13}), "marker 'RASI' does not stand above the first of three"),
        (text(PLACES, gap="\t\t").replace("\tSACR", "\t"), "marker 'RASI' does not stand above the first of three"),
        (text(PLACES, names=NAMES[:11]), "line 7 has 38 cells, but 35 are expected"),
        (text(PLACES).replace("\tRTOE", ""), "line 4 names 11 markers, but the line below has coordinates of 12"),
        (
            text(PLACES).replace("X1\tY1\tZ1", "X1\tZ1\tY1"),
            "line 5 names coordinates X1 Z1 Y1 X2 .* put the columns in",
        ),
        (text(PLACES)[:-60], "line 36 has .* cells, but 38 are expected: .* is the file cut off"),
        (text(PLACES).replace("\t0.950000\t", "\t\t", 1), "line 7: marker 'SACR' has 2 of its three coordinates"),
        (text(PLACES).partition("\n1\t")[0], "has no frames"),
        (text(PLACES).replace("\t", ","), "is separated by commas"),
        ("time\ta\n0\t1\n", "is no marker file"),
        ("", "the file is empty"),
        (text(PLACES).encode("utf-16"), "UTF-16"),
    ],
)
def test_what_would_be_misread_is_refused(read, content, sentence):
    with pytest.raises(Nem2eError, match=sentence):
        read(content)


def test_a_row_that_was_cut_at_a_marker_is_refused(read):
    whole = text(PLACES)
    cut = whole.rsplit("\t", 3)[0]
    with pytest.raises(Nem2eError, match="line 36 has 35 cells"):
        read(cut)
    found = read(cut + "\n")
    assert found.notes[0].startswith("Rows that lack cells at their end: 1, the first in line 36;")


TURNED = {
    "+z": lambda p: np.stack([p[..., 0], -p[..., 2], p[..., 1]], axis=-1),
    "-z": lambda p: np.stack([p[..., 0], p[..., 2], -p[..., 1]], axis=-1),
    "+x": lambda p: np.stack([p[..., 1], -p[..., 0], p[..., 2]], axis=-1),
    "-x": lambda p: np.stack([-p[..., 1], p[..., 0], p[..., 2]], axis=-1),
    "-y": lambda p: np.stack([p[..., 0], -p[..., 1], -p[..., 2]], axis=-1),
}


@pytest.mark.parametrize("axis", TURNED)
def test_another_axis_up_is_refused_with_the_turn_that_helps(read, axis):
    found = read(text(TURNED[axis](PLACES)))
    with pytest.raises(Nem2eError, match=re.escape(f"{axis} points up")):
        require_y_up("walk.trc", found)
    turned = np.stack([_signed(found.places, each) for each in TURNS[axis].split(", ")], axis=-1)
    np.testing.assert_allclose(turned, PLACES, atol=1e-6)


def _signed(places, told):
    return (-1 if told.startswith("-") else 1) * places[..., "xyz".index(told[-1])]


def test_y_up_is_seen_by_names_or_by_what_is_known_of_them(read):
    found = read(text(PLACES))
    require_y_up("walk.trc", found)
    assert up(found.names, found.places).axis == "+y"
    unknown = [f"M{index}" for index in range(len(NAMES))]
    assert up(unknown, found.places) is None
    assert up(unknown, found.places, low=["M9", "M10"], high=["M0", "M1"]).axis == "+y"


def test_arms_held_out_are_not_taken_for_the_vertical():
    places = np.concatenate([PLACES, PLACES[:, :2] + [[[0, 0.4, 0.9]], [[0, 0.4, -0.9]]][0]], axis=1)
    assert up([*NAMES, "RFIN", "LFIN"], places).axis == "+y"


numbers = st.floats(-1.9, 1.9).filter(lambda value: abs(value) > 1e-9)


@given(st.lists(st.tuples(*[numbers] * 6), min_size=2, max_size=5), st.data())
def test_what_is_written_comes_back(tmp_path_factory, rows, data):
    places = np.array(rows).reshape(len(rows), 2, 3)
    places[:, 1, 0] = places[:, 0, 0] + 0.5
    hidden = data.draw(st.integers(0, len(rows) - 1))
    places[hidden, data.draw(st.integers(0, 1))] = np.nan
    time = np.cumsum(data.draw(st.lists(st.floats(0.001, 0.1), min_size=len(rows), max_size=len(rows))))
    path = tmp_path_factory.mktemp("trc") / "back.trc"
    write_markers(path, Markers(("a b", "Müller.R"), time, places))
    back = read_markers(path)
    assert back.names == ("a b", "Müller.R")
    np.testing.assert_array_equal(back.time, time)
    np.testing.assert_array_equal(back.places, places)
    for row in (line.split("\t") for line in path.read_text().split("\n")[6:-1]):
        assert len(row) - (row[-1] == "") == 2 + 6  # OpenSim does not count a last cell that is blank


def test_opensim_reads_a_line_that_ends_with_a_marker_that_was_not_seen(tmp_path):
    opensim = pytest.importorskip("opensim")
    places = np.arange(18.0).reshape(3, 2, 3) / 10
    places[0, 1] = np.nan
    write_markers(tmp_path / "walk.trc", Markers(("first", "last"), np.array([0, 0.01, 0.02]), places))
    table = opensim.TimeSeriesTableVec3(str(tmp_path / "walk.trc"))
    seen = [[table.getRowAtIndex(row)[column][0] for column in range(2)] for row in range(3)]
    np.testing.assert_allclose(seen, places[:, :, 0])


def test_children(realdata, tmp_path):
    import tarfile

    with tarfile.open(realdata / "children_walk" / "opensim_trc_grf.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    files = sorted(tmp_path.rglob("*.trc"))
    assert len(files) == 27
    for path in files:
        found = read_markers(path)
        assert found.notes == ()
        require_y_up(path, found)
        assert found.rate_hz == pytest.approx(100, rel=1e-3)
