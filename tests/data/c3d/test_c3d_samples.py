from __future__ import annotations

import contextlib

import numpy as np
import pytest

from nem2e_lib.data.c3d.head import read_head
from nem2e_lib.data.c3d.recording import Event, read_c3d, read_many
from nem2e_lib.error import Nem2eError
from tests.support.c3d_file import write_c3d

FRAMES, PER_FRAME = 12, 10
LABELS, CHANNELS = ["A", "B", "C"], ["emg 1", "emg 2"]


def made_up() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    points = np.round(random.uniform(-900, 1800, (FRAMES, 3, 3)))
    points[4:6, 1] = np.nan
    return points, np.round(random.uniform(-2000, 2000, (FRAMES * PER_FRAME, 2)))


def written(path, points=None, analog=None, labels=LABELS, channels=CHANNELS, **how):
    own = made_up()
    points, analog = own[0] if points is None else points, own[1] if analog is None else analog
    path.write_bytes(write_c3d(points, analog, labels=labels, channels=channels, **how))
    return path


@pytest.mark.parametrize("offset", [0, 100, 100.0])
@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("processor", ["Intel", "DEC", "MIPS"])
def test_one_recording_reads_alike_from_any_processor(tmp_path, processor, real, offset):
    file = written(tmp_path / "a.c3d", processor=processor, real=real, offset=offset, first_frame=157)
    head = read_head(file)
    assert (head.processor, head.points, head.channels, head.frames) == (processor, 3, 2, FRAMES)
    assert (head.first_frame, head.samples_per_frame, head.rate_hz) == (157, PER_FRAME, 100.0)
    assert head.texts("POINT", "LABELS") == LABELS
    assert head.texts("ANALOG", "LABELS") == CHANNELS
    found, (points, analog) = read_c3d(file), made_up()
    np.testing.assert_allclose(found.points, points, atol=1e-3)
    np.testing.assert_allclose(found.analog, analog, atol=1e-3)
    refused = processor == "MIPS" or isinstance(offset, float)
    assert any("No second reader confirms its samples: ezc3d refuses it" in note for note in found.notes) == refused


def test_clock_begins_with_the_capture_and_not_with_the_file(tmp_path):
    times = np.array([[0, 0, 1], [1.75, 1.6, 2.5]], np.float32)
    events = {"USED": 3, "TIMES": times, "LABELS": ["Foot Off", "Foot Strike", ""], "CONTEXTS": ["Left", "Right"]}
    file = written(tmp_path / "a.c3d", first_frame=157, more={"EVENT": events})
    recording = read_c3d(file)
    assert recording.time[0] == recording.analog_time[0] == 1.56
    assert recording.analog_rate_hz == 1000
    assert recording.analog_time[-1] == pytest.approx(1.56 + 0.119)
    strike, off, last = recording.events
    assert (strike.label, strike.context) == ("Foot Strike", "Right")
    assert strike.time_s == pytest.approx(1.6)
    assert off == Event("Foot Off", "Left", 1.75)
    assert last == Event("", "", 62.5)


def test_more_than_255_labels_are_all_read(tmp_path):
    labels = [f"point{number}" for number in range(300)]
    points = np.random.default_rng(1).uniform(-500, 900, (FRAMES, 300, 3))
    recording = read_c3d(written(tmp_path / "a.c3d", points=points, labels=labels))
    assert recording.labels == tuple(labels)
    np.testing.assert_allclose(recording.point("point299"), points[:, 299], atol=1e-3)


def test_a_thousand_channels(tmp_path):
    channels = [f"channel {number}" for number in range(1000)]
    analog = np.random.default_rng(2).normal(size=(FRAMES * PER_FRAME, 1000))
    recording = read_c3d(written(tmp_path / "a.c3d", analog=analog, channels=channels))
    assert recording.channels == tuple(channels)
    np.testing.assert_allclose(recording.channel("channel 999"), analog[:, 999], atol=1e-3)


@pytest.mark.parametrize("what", ["points", "analog"])
def test_a_file_may_hold_one_kind_only(tmp_path, what):
    points, analog = made_up()
    if what == "points":
        file = written(tmp_path / "a.c3d", analog=np.empty((0, 0)), channels=[])
    else:
        file = written(tmp_path / "a.c3d", points=np.empty((FRAMES, 0, 3)), labels=[])
    recording = read_c3d(file)
    if what == "points":
        np.testing.assert_allclose(recording.points, points, atol=1e-3)
        assert recording.channels == ()
    else:
        np.testing.assert_allclose(recording.analog, analog, atol=1e-3)
        assert recording.labels == ()


def test_names_that_are_missing_or_double_are_told(tmp_path):
    labels = ["A", "A", "C"]
    recording = read_c3d(written(tmp_path / "a.c3d", labels=labels, more={"ANALOG": {"LABELS": ["emg 1"]}}))
    assert recording.labels == ("A (1)", "A (2)", "C")
    assert recording.channels == ("emg 1", "channel 2")
    assert any("It names 1 of 2 channels" in note for note in recording.notes)
    assert any("told apart by a number: A." in note for note in recording.notes)


@pytest.mark.parametrize(("units", "factor"), [("mm", 1e-3), ("m", 1.0), ("cm", 1e-2)])
def test_metres_are_metres(tmp_path, units, factor):
    places = made_up()[0] * 1e-3
    recording = read_c3d(written(tmp_path / "a.c3d", points=places / factor, units=units))
    np.testing.assert_allclose(recording.metres, places, atol=1e-5)


@pytest.mark.parametrize(
    ("units", "told"),
    [("m", "correct POINT:UNITS"), ("", "POINT:UNITS is ''"), ("furlong", "POINT:UNITS is 'furlong'")],
)
def test_a_unit_that_cannot_be_is_refused(tmp_path, units, told):
    recording = read_c3d(written(tmp_path / "a.c3d", units=units))
    with pytest.raises(Nem2eError, match=told):
        np.isfinite(recording.metres)


def test_computed_points_are_no_markers(tmp_path):
    recording = read_c3d(written(tmp_path / "a.c3d", more={"POINT": {"ANGLES": ["C"]}}))
    assert recording.markers == ("A", "B")


def test_what_was_cut_off_is_refused(tmp_path):
    whole = written(tmp_path / "a.c3d").read_bytes()
    (tmp_path / "cut.c3d").write_bytes(whole[:-200])
    with pytest.raises(Nem2eError, match="promises 12 frames, but only 10 are there"):
        read_c3d(tmp_path / "cut.c3d")


@pytest.mark.parametrize("share", np.linspace(0, 0.99, 20).tolist())
def test_a_file_cut_anywhere_is_refused(tmp_path, share):
    whole = written(tmp_path / "a.c3d").read_bytes()
    (tmp_path / "cut.c3d").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(Nem2eError):
        read_c3d(tmp_path / "cut.c3d")


@pytest.mark.parametrize("seed", range(60))
def test_flipped_bytes_of_the_parameters_are_read_or_told(tmp_path, seed):
    whole = bytearray(written(tmp_path / "a.c3d").read_bytes())
    random = np.random.default_rng(seed)
    for place in random.integers(0, 1200, 3):
        whole[place] = random.integers(0, 256)
    (tmp_path / "odd.c3d").write_bytes(bytes(whole))
    with contextlib.suppress(Nem2eError):
        recording = read_c3d(tmp_path / "odd.c3d")
        assert recording.points.shape == (recording.head.frames, recording.head.points, 3)


def test_one_bad_file_among_many_is_its_own(tmp_path):
    good = [written(tmp_path / f"{name}.c3d") for name in "ab"]
    (tmp_path / "bad.c3d").write_bytes(b"P" * 2000)
    first, bad, last = read_many([good[0], tmp_path / "bad.c3d", good[1]])
    assert "bad.c3d" in str(bad)
    np.testing.assert_array_equal(first.points, last.points)


@pytest.mark.realdata
def test_a_child_of_the_open_recordings(realdata):
    file = next((realdata / "children_walk/c3d/HC032A/Straight").glob("*.c3d"))
    recording = read_c3d(file)
    assert recording.notes == ()
    assert (len(recording.labels), len(recording.channels), len(recording.time)) == (291, 24, 195)
    assert recording.time[[0, -1]] == pytest.approx([1.56, 3.50])
    assert {"LASI", "RASI", "SACR", "LHEE"} <= set(recording.markers)
    assert [plate.type for plate in recording.plates] == [2, 2]
    first = recording.events[0]
    assert (first.label, first.context) == ("Foot Strike", "Right")
    assert first.time_s == pytest.approx(1.66)
