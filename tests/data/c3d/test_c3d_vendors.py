"""C3D files as writers of all kinds leave them: what their header, parameters and samples say of each other."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from nem2e_lib.data.c3d.head import read_head
from nem2e_lib.data.c3d.recording import Event, read_c3d
from nem2e_lib.error import Nem2eError
from tests.support.c3d_file import write_c3d

FRAMES, PER_FRAME = 60, 10
LABELS, CHANNELS = ["A", "B", "C"], ["emg 1", "emg 2"]
POINTS = np.round(np.random.default_rng(0).uniform(-900, 1800, (FRAMES, 3, 3)))
ANALOG = np.round(np.random.default_rng(1).uniform(-2000, 2000, (FRAMES * PER_FRAME, 2)))


def raw_file(points=POINTS, analog=ANALOG, labels=LABELS, channels=CHANNELS, **how) -> bytearray:
    return bytearray(write_c3d(points, analog, labels=labels, channels=channels, **how))


def read(tmp_path, raw: bytes):
    (tmp_path / "a.c3d").write_bytes(bytes(raw))
    return read_c3d(tmp_path / "a.c3d")


def require_all(recording, points=POINTS, analog=ANALOG):
    np.testing.assert_allclose(recording.points, points, atol=0.06)
    np.testing.assert_allclose(recording.analog, analog, atol=0.3)


@pytest.mark.parametrize("processor", ["Intel", "DEC", "MIPS"])
@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("given", [2048, -32768, -20000])
def test_offsets_of_unsigned_words_are_what_they_mean(tmp_path, processor, real, given):
    meant = given % 2**16
    analog = np.round(ANALOG / 4)  # so that none of what is stored is below 0
    more = {"ANALOG": {"FORMAT": "UNSIGNED", "BITS": 16}}
    found = read(tmp_path, raw_file(analog=analog, processor=processor, real=real, offset=meant, more=more))
    require_all(found, analog=analog)
    assert [note for note in found.notes if "ezc3d" in note] == [] or processor == "MIPS"


def test_offsets_below_zero_are_no_contradiction(tmp_path):
    found = read(tmp_path, raw_file(offset=-5, more={"ANALOG": {"FORMAT": "SIGNED"}}))
    require_all(found)
    assert found.notes == ()


def test_channels_are_read_whole_where_the_header_counts_them_once(tmp_path):
    raw = raw_file()
    struct.pack_into("<H", raw, 4, len(CHANNELS))  # and not the samples of a frame
    found = read(tmp_path, raw)
    require_all(found)
    assert any("the parameters 3 and 2; the latter fill the file" in note for note in found.notes)


def test_frames_numbered_from_0_start_at_0_s(tmp_path):
    raw = raw_file()
    struct.pack_into("<2H", raw, 6, 0, FRAMES - 1)
    found = read(tmp_path, raw)
    require_all(found)
    assert found.time[0] == 0.0
    assert any("numbered from 0" in note for note in found.notes)


def test_a_header_without_rate_takes_that_of_the_parameters(tmp_path):
    raw = raw_file(rate_hz=125.0)
    struct.pack_into("<f", raw, 20, 0.0)
    found = read(tmp_path, raw)
    assert found.head.rate_hz == 125.0
    assert any("125 Hz was taken from POINT:RATE" in note for note in found.notes)


def test_real_numbers_are_read_where_the_header_says_integers(tmp_path):
    raw = raw_file()
    struct.pack_into("<f", raw, 12, 0.1)
    found = read(tmp_path, raw)
    require_all(found)
    assert any("Its numbers are real ones by their size" in note for note in found.notes)


def test_a_scale_of_0_is_refused(tmp_path):
    raw = raw_file(real=False)
    struct.pack_into("<f", raw, 12, 0.0)
    with pytest.raises(Nem2eError, match="POINT:SCALE is 0, so that its places have no unit"):
        read(tmp_path, raw)


@pytest.mark.parametrize("blocks", [0, 1, 200])
def test_a_wrong_number_of_parameter_blocks_does_no_harm(tmp_path, blocks):
    raw = raw_file()
    raw[512 + 2] = blocks
    require_all(read(tmp_path, raw))


def test_parameters_may_start_anywhere(tmp_path):
    raw = raw_file()
    moved = raw[:512] + bytes(3 * 512) + raw[512:]
    moved[0] += 3
    struct.pack_into("<H", moved, 16, struct.unpack_from("<H", raw, 16)[0] + 3)
    require_all(read(tmp_path, moved))


def test_more_frames_than_a_word_counts(tmp_path):
    frames = 66_000
    points = np.arange(frames * 3, dtype=float).reshape(frames, 1, 3) % 4000
    trial = {"ACTUAL_START_FIELD": np.array([1, 0]), "ACTUAL_END_FIELD": np.array([frames % 2**16, frames // 2**16])}
    raw = raw_file(points, np.empty((0, 0)), ["A"], [], more={"TRIAL": trial})
    found = read(tmp_path, raw)
    assert len(found.time) == frames
    np.testing.assert_allclose(found.points[-1], points[-1])


def test_samples_that_nobody_promised_are_told(tmp_path):
    found = read(tmp_path, raw_file() + bytes(3000))
    require_all(found)
    assert any("3000 bytes more follow; these were not read" in note for note in found.notes)


def test_labels_in_any_language(tmp_path):
    labels = ["Fuß", "踵", "C".ljust(30, "x")]
    found = read(tmp_path, raw_file(more={"POINT": {"LABELS": labels}}))
    assert found.labels == tuple(labels)
    latin = ["Tête".encode("latin-1"), b"B", b"C"]
    assert read(tmp_path, raw_file(more={"POINT": {"LABELS": latin}})).labels == ("Tête", "B", "C")


def test_events_of_the_header_and_those_whose_label_tells_all(tmp_path):
    raw = raw_file()
    struct.pack_into("<2H", raw, 298, 12345, 2)
    struct.pack_into("<2f", raw, 304, 0.3, 0.1)
    raw[396:404] = b"RTO LHS "
    found = read(tmp_path, raw)
    assert [(event.label, event.context) for event in found.events] == [("Foot Strike", "Left"), ("Foot Off", "Right")]
    assert [event.time_s for event in found.events] == pytest.approx([0.1, 0.3])
    assert any("LHS as Left Foot Strike" in note for note in found.notes)


def test_events_with_a_word_of_their_own_stay(tmp_path):
    times = np.array([[0.0], [0.25]], np.float32)
    events = {"USED": 1, "TIMES": times, "LABELS": ["Turn"], "CONTEXTS": ["General"]}
    assert read(tmp_path, raw_file(more={"EVENT": events})).events == (Event("Turn", "General", 0.25),)


def test_a_marker_at_0_0_0_was_not_seen(tmp_path):
    points = POINTS.copy()
    points[10:20, 1] = 0.0
    found = read(tmp_path, raw_file(points))
    assert np.isnan(found.point("B")[10:20]).all()
    assert np.isfinite(found.point("B")[20:]).all()
    assert any("Markers at exactly 0 0 0 were taken for not seen, in so many frames: B (10)." in n for n in found.notes)


@pytest.mark.parametrize("place", [1, 100, 511, 700, 1400])
def test_what_ends_in_header_or_parameters_is_one_sentence(tmp_path, place):
    (tmp_path / "cut.c3d").write_bytes(raw_file()[:place])
    with pytest.raises(Nem2eError, match=r"cut\.c3d: "):
        read_head(tmp_path / "cut.c3d")


def test_rotations_alone_are_refused(tmp_path):
    raw = raw_file(np.empty((FRAMES, 0, 3)), np.empty((0, 0)), [], [], more={"ROTATION": {"USED": 21}})
    with pytest.raises(Nem2eError, match="holds rotations of segments only"):
        read(tmp_path, raw)
