"""Every format of exports: the values that were written are the values that are read, at the times that they had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.emg.envelope import RECIPES
from nem2e_lib.data.emg.processing import process
from nem2e_lib.data.exports.channels import Channel, gather, units
from nem2e_lib.data.exports.formats import FORMATS, SUFFIXES, UNREAD, read_export, read_recording
from nem2e_lib.data.exports.sheet import Sheet
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from tests.support import exports as made


def read(tmp_path: Path, lines: Sequence[str], name: str = "walk.csv", encoding: str = "utf-8") -> Storage:
    return read_export(made.write(tmp_path / name, lines, encoding))


def refused(tmp_path: Path, lines: Sequence[str], *parts: str, name: str = "walk.csv") -> None:
    """One sentence, with all of `parts` in it."""
    with pytest.raises(Nem2eError) as told:
        read(tmp_path, lines, name)
    for part in parts:
        assert part in str(told.value), str(told.value)
    assert "\n" not in str(told.value)


def peaks(storage: Storage) -> np.ndarray:
    """Times of the highest envelope of each channel."""
    done = process(Path("walk.csv"), storage, RECIPES["general"]).storage
    return done.time[done.values.argmax(axis=0)]


# --- Noraxon ---


@pytest.mark.parametrize(
    ("lines", "name", "encoding"),
    [
        (made.noraxon(), "walk.csv", "utf-8-sig"),
        (made.noraxon(".", ","), "walk.csv", "utf-8"),
        (made.noraxon(".", "\t"), "walk.txt", "utf-8"),
        (made.noraxon()[3:], "walk.csv", "utf-8"),
        (["sep=;", *made.noraxon()[3:]], "walk.csv", "utf-8"),
    ],
    ids=["european", "american", "tabs", "preamble taken off", "by a spreadsheet"],
)
def test_noraxon_csv(tmp_path: Path, lines: list[str], name: str, encoding: str) -> None:
    found = read(tmp_path, lines, name, encoding)
    assert found.labels == made.MUSCLES
    time, first = made.burst(1500, 0)
    np.testing.assert_allclose(found.values[:, 0], first, rtol=1e-8)
    np.testing.assert_allclose(found.time, time, atol=1e-12)
    assert units(found) == dict.fromkeys(made.MUSCLES, "uV")
    assert "Left out, columns of words: 'Activity', 'Marker'." in found.warnings
    np.testing.assert_allclose(peaks(found), made.BURST_S, atol=0.1)


@pytest.mark.parametrize("name", ["walk.txt", "walk.slk"])
@pytest.mark.parametrize("preamble", [True, False])
def test_noraxon_text_and_spreadsheet(tmp_path: Path, name: str, preamble: bool) -> None:
    lines = made.noraxon_text() if preamble else made.noraxon_text()[4:]
    found = read(tmp_path, made.sylk(lines) if name.endswith("slk") else lines, name)
    assert found.labels[0] == "RT SOLEUS,uV"
    assert units(found)["RT SOLEUS,uV"] == "uV"
    np.testing.assert_allclose(found.values[:, 0], made.burst(1500, 0)[1], atol=6e-5)
    np.testing.assert_allclose(found.time, made.burst(1500)[0], atol=1e-12)


def test_a_header_that_contradicts_the_time_column_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, made.noraxon(stated="2000"), "states 2000 Hz, but the time column runs at 1500")


def test_a_rate_with_a_point_among_decimal_commas(tmp_path: Path) -> None:
    found = read(tmp_path, made.noraxon(rate_hz=2000.4, stated="2000.4"))
    assert (len(found.time) - 1) / np.ptp(found.time) == pytest.approx(2000.4, rel=1e-9)


def test_rows_that_the_header_has_and_the_file_not_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, made.noraxon()[:9000])
    assert "The header states 12001 rows, but 8996 were found and read." in found.warnings


# --- Delsys ---


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        (("X[s]", "X[s]"), ""),
        (("time", "X[s]"), ""),
        (("time", "X[s]"), "nan"),
        (("X[s]", "X[s].1"), ""),
        (("time", "time"), ""),
        (("time (s)", "time (s)_2"), ""),
    ],
)
def test_a_clock_a_channel(tmp_path: Path, labels: tuple[str, str], missing: str) -> None:
    found = read(tmp_path, made.emgworks(labels, missing))
    assert found.labels == ("Avanti sensor 1: EMG 1 R SOL", "Avanti sensor 2: EMG 2 R TA")
    np.testing.assert_allclose(peaks(found), made.BURST_S, atol=0.1)
    assert abs(np.diff(peaks(found))[0]) < 0.1
    assert any("clocks of their own" in odd and "1259.26 Hz" in odd for odd in found.warnings)
    np.testing.assert_allclose(found.values[:, 0], made.burst(made.EMGWORKS_HZ[0], 0, size=1e-5)[1], atol=1e-11)


def test_equal_rows_keep_what_the_slower_clock_recorded_longer(tmp_path: Path) -> None:
    length = len(made.burst(made.EMGWORKS_HZ[1])[0])
    found = read(tmp_path, made.emgworks(("time", "X[s]"))[: length + 1])
    assert found.time[-1] == pytest.approx(8.0, abs=1e-3)
    known = np.isfinite(found.values)
    assert found.time[known[:, 0]][-1] == pytest.approx((length - 1) / made.EMGWORKS_HZ[0], abs=1e-3)
    assert known[:, 1].mean() > 0.999
    assert peaks(found)[1] == pytest.approx(made.BURST_S, abs=0.1)


def test_a_clock_under_another_name_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, made.emgworks(("time", "B"))[:5000], "column 3 ('B') rises evenly as a clock does")


def test_emgworks_with_a_preamble_semicolons_and_accelerometers(tmp_path: Path) -> None:
    lines = [line.replace(",", ";").replace(".", ",") for line in made.emgworks()[1:]]
    time = np.arange(1186) / 148.148
    lines = [
        f"{line};{time[row]:.7g};0,98".replace(".", ",") if row < len(time) else f"{line};;"
        for row, line in enumerate(lines)
    ]
    head = 'X[s];"R SOL: EMG 1";X[s];"R TA: EMG 2";X[s];"R TA: ACC.X 2"'
    above = [
        "Label: R SOL: EMG 1 Sampling frequency: 1925,926 Number of points: 15408 start: 0 Unit: V Domain Unit: s",
        "Label: R TA: EMG 2 Sampling frequency: 1259,259 Number of points: 10075 start: 0 Unit: V Domain Unit: s",
    ]
    found = read(tmp_path, [*above, head, *lines])
    assert found.labels == ("R SOL: EMG 1", "R TA: EMG 2")
    assert units(found) == {"R SOL: EMG 1": "V", "R TA: EMG 2": "V"}
    assert "Left out, no EMG: 'R TA: ACC.X 2'." in found.warnings
    np.testing.assert_allclose(peaks(found), made.BURST_S, atol=0.1)


def test_interpolation_keeps_high_frequencies(tmp_path: Path) -> None:
    slow, fast = np.arange(10075) / 1259.259, np.arange(15408) / 1925.926
    sine = Channel("slow", "", slow, np.sin(2 * np.pi * 400 * slow))
    found = gather(Sheet("walk.csv", ()), "", [sine, Channel("fast", "", fast, np.zeros(15408))])
    inner = slice(200, -200)
    np.testing.assert_allclose(found.values[inner, 0], np.sin(2 * np.pi * 400 * found.time[inner]), atol=0.01)


def test_gaps_of_a_slower_channel_stay_gaps() -> None:
    slow, fast = np.arange(1000) / 1000, np.arange(2000) / 2000
    values = np.sin(2 * np.pi * 50 * slow)
    values[300:400] = np.nan
    found = gather(Sheet("walk.csv", ()), "", [Channel("a", "", slow, values), Channel("b", "", fast, fast)])
    lost = found.time[np.isnan(found.values[:, 0])]
    assert lost[0] == pytest.approx(0.3, abs=1e-3)
    assert lost[-1] == pytest.approx(0.9995) or lost[lost < 0.5][-1] == pytest.approx(0.399, abs=1e-3)
    assert ((lost < 0.4) | (lost > 0.999)).all()


@pytest.mark.parametrize("times", [False, True])
@pytest.mark.parametrize("separator", [", ", ","])
def test_trigno_discover(tmp_path: Path, times: bool, separator: str) -> None:
    found = read(tmp_path, made.discover(times, separator))
    assert found.labels == ("R SOL (1): EMG 1 (mV)", "R TA (2): EMG 1 (mV)")
    assert found.values.shape == (10075, 2)
    assert found.time[0] == 0
    assert (len(found.time) - 1) / np.ptp(found.time) == pytest.approx(made.DISCOVER_HZ, rel=1e-6)
    np.testing.assert_allclose(found.values[:, 1], made.burst(made.DISCOVER_HZ, 1, size=0.1)[1], atol=1e-6)
    assert set(units(found).values()) == {"mV"}
    assert any("Left out, no EMG: 'R SOL (1): ACC X (G)'" in odd for odd in found.warnings)


def test_trigno_discover_in_dutch_with_markers_beside_the_signals(tmp_path: Path) -> None:
    lines = [line.replace(", ", ";").replace(".", ",") for line in made.discover()]
    lines[0] = "Application:;Trigno Discover (2.1.0)"
    lines.insert(7, "0,00079;0,00675;0,00079;Type;Name;Label;Time (s)")
    lines[8] += ";General;start;a;0,5"
    found = read(tmp_path, lines)
    assert found.values.shape == (10075, 2)
    assert "A table of markers beside the signals was left out." in found.warnings


def test_the_first_versions_print_whole_rates_in_the_labels(tmp_path: Path) -> None:
    lines = made.discover()
    lines[5] = "EMG 1 (1259Hz), ACC X (148Hz), EMG 1 (1259Hz), "
    found = read(tmp_path, [*lines[:6], *lines[7:]])
    assert found.labels == ("R SOL (1): EMG 1 (1259Hz)", "R TA (2): EMG 1 (1259Hz)")
    assert float(found.metadata["rate_hz"]) == pytest.approx(17 / 0.0135, rel=1e-7)


def test_a_faster_sensor_that_is_no_emg_does_not_set_the_clock(tmp_path: Path) -> None:
    lines = made.emgworks()
    time = np.arange(len(lines)) / 2222.222
    more = [f"{line},{time[row]:.7g},0.5" for row, line in enumerate(lines[1:])]
    found = read(tmp_path, [f'{lines[0]},X[s],"Analog Input adapter 12: Analog 12"', *more])
    assert float(found.metadata["rate_hz"]) == pytest.approx(made.EMGWORKS_HZ[0], rel=1e-5)
    assert "Left out, no EMG: 'Analog Input adapter 12: Analog 12'." in found.warnings


def test_a_clock_that_is_padded_with_zeros_has_ended(tmp_path: Path) -> None:
    found = read(tmp_path, made.emgworks(missing="0"))
    np.testing.assert_allclose(peaks(found), made.BURST_S, atol=0.1)
    assert found.time[-1] == pytest.approx(8.0, abs=1e-3)


def test_trigno_discover_without_rates_is_refused(tmp_path: Path) -> None:
    lines = made.discover()
    refused(tmp_path, [*lines[:6], *lines[7:]], "no column of time", "rates states none for 'R SOL (1): EMG 1 (mV)'")


def test_a_length_that_rates_contradict_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, made.discover(length="16.0"))
    assert any("is 8.0" in odd and "header states 16 s" in odd for odd in found.warnings)


# --- Vicon, Qualisys, Cortex, BTS ---


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_vicon_devices(tmp_path: Path, separator: str) -> None:
    found = read(tmp_path, made.vicon(separator=separator))
    plate = "Imported AMTI OR6 Series Force Plate #{} - Force"
    assert found.labels[:2] == ("Voltage.R SOL", "Voltage.R TA")
    assert found.labels[2:] == tuple(f"{plate.format(i)}.F{axis}" for i in (1, 2) for axis in "xyz")
    time, sol = made.burst(2000, 0, size=1e-5)
    np.testing.assert_allclose(found.time, time, atol=1e-12)
    np.testing.assert_allclose(found.values[:, 0], sol, rtol=1e-5)
    assert units(found)["Voltage.R SOL"] == "V"
    assert units(found)[f"{plate.format(2)}.Fz"] == "N"
    assert found.column(f"{plate.format(2)}.Fz").min() == -1400


def test_vicon_other_sections_are_told_and_not_read(tmp_path: Path) -> None:
    events = ("Events", "100", "Subject,Context,Name,Time (s),Description", "Anna,Right,Foot Strike,0.5,x", "")
    found = read(tmp_path, made.vicon(before=events, after=made.TRAJECTORIES))
    assert len(found.time) == 16001
    assert "Sections that were not read: Events, Trajectories." in found.warnings


def test_vicon_saved_once_more_by_a_spreadsheet(tmp_path: Path) -> None:
    lines = [line + "," * (9 - line.count(",")) for line in made.vicon()]
    assert read(tmp_path, lines).values.shape == (16001, 8)


def test_vicon_that_starts_later(tmp_path: Path) -> None:
    found = read(tmp_path, made.vicon(first=121))
    assert found.time[0] == pytest.approx(1.2)
    assert any("starts at frame 121" in odd and "emg_offset_s" in odd for odd in found.warnings)


def test_vicon_with_samples_missing_or_no_devices(tmp_path: Path) -> None:
    lines = made.vicon()
    refused(tmp_path, [*lines[:100], *lines[101:]], "line 101: frame 5, sub frame 16 does not follow")
    refused(tmp_path, made.TRAJECTORIES, "has no section 'Devices' (found: Trajectories)", "tick devices")


@pytest.mark.parametrize(
    ("labels", "lead", "more"),
    [
        ("", False, ()),
        ("", True, ()),
        ("SAMPLE\tTIME\tR_SOL\tR_TA", True, ()),
        ("Sample\tTime\tR_SOL\tR_TA", True, ("FILE_VERSION\t2.0.0",)),
        ("R_SOL\tR_TA", False, ("CHANNEL_UNITS\tV\tV",)),
    ],
)
def test_qualisys(tmp_path: Path, labels: str, lead: bool, more: Sequence[str]) -> None:
    found = read(tmp_path, made.qualisys(labels, lead, more), "walk_a.tsv")
    assert found.labels == ("R_SOL", "R_TA")
    time, sol = made.burst(1500, 0, size=1e-5)
    np.testing.assert_allclose(found.time, time, atol=1e-12)
    np.testing.assert_allclose(found.values[:, 0], sol, rtol=1e-6)


def test_qualisys_markers_and_several_rates_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, ["NO_OF_FRAMES\t1", "MARKER_NAMES\ta", "1\t2\t3"], "holds markers", name="walk.tsv")
    lines = [line.replace("FREQUENCY\t1500", "CHANNEL_FREQUENCIES\t1500\t1000") for line in made.qualisys()]
    refused(tmp_path, lines, "several rates (1000, 1500 Hz)", name="walk.tsv")


@pytest.mark.parametrize(("bits", "range_mv"), [(16, 10000), (12, 5000), (16, 2500)])
def test_cortex_counts_become_volts(tmp_path: Path, bits: int, range_mv: int) -> None:
    lines, volts = made.analog(bits, range_mv)
    found = read(tmp_path, lines, "walk1.anc")
    assert found.labels == ("R SOL", "F1Z")
    np.testing.assert_allclose(found.values[:, 0], volts, rtol=1e-12)
    np.testing.assert_allclose(found.time, made.burst(1000)[0], atol=1e-12)
    assert units(found) == {"R SOL": "V", "F1Z": "V"}
    assert any("in V, not N" in odd for odd in found.warnings)


@pytest.mark.parametrize("separator", ["\t", "  "])
def test_cortex_forces(tmp_path: Path, separator: str) -> None:
    found = read(tmp_path, made.forces(separator), "walk1.forces")
    np.testing.assert_array_equal(found.column("FZ2"), 2 * np.arange(1000) + 2)
    np.testing.assert_allclose(found.time, np.arange(1000) / 500)
    assert (units(found)["FZ1"], units(found)["X1"], units(found)["MZ1"]) == ("N", "mm", "N.mm")


@pytest.mark.parametrize("decimal", [".", ","])
def test_bts(tmp_path: Path, decimal: str) -> None:
    found = read(tmp_path, [line.replace(".", decimal) for line in made.bts()], "walk.emt")
    assert found.labels == ("Right Soleus", "Right Tibialis anterior")
    time, sol = made.burst(1000, 0, size=1e-5)
    np.testing.assert_allclose(found.values[:, 0], sol, rtol=1e-6)
    np.testing.assert_allclose(found.time, time, atol=1e-12)
    assert units(found)["Right Soleus"] == "V"


def test_bts_points_are_refused(tmp_path: Path) -> None:
    refused(
        tmp_path, made.bts("Point 3D tracks"), "holds Point 3D tracks of BTS", "export the EMG tracks", name="w.emt"
    )


# --- what all have in common ---


def test_every_format_is_tried_by_a_reader_of_its_own() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS) == 10
    assert not set(SUFFIXES) & set(UNREAD)


@pytest.mark.parametrize("suffix", sorted(UNREAD))
def test_files_that_are_not_read_are_named_with_the_way_out(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"walk{suffix}").write_bytes(b"\0\1\2")
    with pytest.raises(Nem2eError, match=r"walk\.\w+: is .*; ") as told:
        read_export(tmp_path / f"walk{suffix}")
    assert "\n" not in str(told.value)


def test_what_is_read_can_be_kept_and_read_again(tmp_path: Path) -> None:
    for lines in (made.noraxon(), made.emgworks(), made.discover(), made.vicon(), made.qualisys(), made.bts()):
        found = read(tmp_path, lines)
        write_storage(tmp_path / "kept.sto", found)
        again = read_recording(tmp_path / "kept.sto")
        assert again.labels == found.labels
        assert units(again) == units(found)
        np.testing.assert_array_equal(again.values, found.values)


def test_a_storage_file_under_another_suffix(tmp_path: Path) -> None:
    write_storage(tmp_path / "walk.txt", Storage("a", ("b",), np.arange(3.0), np.arange(3.0)[:, None]))
    found = read_recording(tmp_path / "walk.txt")
    assert found.labels == read_storage(tmp_path / "walk.txt").labels == ("b",)
