"""`nem2e study new` and `check` on what amplifiers' programs export: from the file to cycles, nothing passed over."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.find import find_cycles
from nem2e_lib.data.intake.find import list_files, plates_channels
from nem2e_lib.data.intake.new import Template, new_study
from nem2e_lib.data.storage.storage import read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from tests.support import exports as made
from tests.support import lab

CYCLES = "trial,cycle,start_s,end_s\ns01_walk,0,3.45,4.55\ns01_walk,1,5.5,6.6\n"


def build(folder: Path, files: dict[str, list[str]]) -> Template:
    """A study of one activation file and these exports."""
    (folder / "act").mkdir(parents=True)
    write_storage(folder / "act/s01_walk_activation.sto", lab.activation(8.0))
    for name, lines in files.items():
        made.write(folder / "emg" / name, lines)
    return new_study(folder / "own", folder / "act", folder / "emg")


def fill(folder: Path) -> Path:
    """Say what a person would say, and list cycles."""
    own = folder / "own"
    text = (own / "study.toml").read_text().replace('simulated_by = ""', 'simulated_by = "so"')
    (own / "study.toml").write_text(text)
    rows = (own / "trials.csv").read_text().replace("s01_walk,s01,,", "s01_walk,s01,free,")
    (own / "trials.csv").write_text(rows)
    (own / "cycles.csv").write_text(CYCLES)
    return own


@pytest.mark.parametrize(
    ("lines", "channels"),
    [
        (
            made.noraxon(),
            dict(zip(made.MUSCLES, ("soleus_r", "tib_ant_r", "bifemlh_r", "rect_fem_r"), strict=True)),
        ),
        (
            made.emgworks(),
            {"Avanti sensor 1: EMG 1 R SOL": "soleus_r", "Avanti sensor 2: EMG 2 R TA": "tib_ant_r"},
        ),
        (made.discover(), {"R SOL (1): EMG 1 (mV)": "soleus_r", "R TA (2): EMG 1 (mV)": "tib_ant_r"}),
        (made.bts(), {"Right Soleus": "soleus_r", "Right Tibialis anterior": "tib_ant_r"}),
        (made.qualisys(), {"R_SOL": "soleus_r", "R_TA": "tib_ant_r"}),
    ],
    ids=["noraxon", "emgworks", "discover", "bts", "qualisys"],
)
def test_from_an_export_to_cycles(tmp_path: Path, lines: list[str], channels: dict[str, str]) -> None:
    template = build(tmp_path, {"s01_walk.csv": lines})
    assert template.trials["emg"].tolist() == ["emg/s01_walk.sto"]
    own = fill(tmp_path)
    settings = tomllib.loads((own / "study.toml").read_text())
    assert settings["emg"] == channels
    assert settings["emg_processing"]["recipe"] == "general"
    assert check_study(own) == []
    assert find_cycles(load_study(own))["kept"].tolist() == [True, True]
    envelope = load_study(own).emg("s01_walk")
    peaks = envelope.time[envelope.values.argmax(axis=0)]
    np.testing.assert_allclose(peaks, made.BURST_S, atol=0.1)


def test_what_reading_changed_is_told_for_the_copies_do_not(tmp_path: Path) -> None:
    told = "\n".join(build(tmp_path, {"s01_walk.csv": made.emgworks()}).told)
    assert "s01_walk.csv: read as Delsys EMGworks, copied as emg/s01_walk.sto." in told
    assert "s01_walk.csv: Channels have clocks of their own" in told


def test_an_export_named_in_trials_is_read_where_it_lies(tmp_path: Path) -> None:
    build(tmp_path, {"s01_walk.csv": made.noraxon()})
    own = fill(tmp_path)
    made.write(own / "emg/s01_walk.csv", made.noraxon())
    of_copy = load_study(own).emg("s01_walk").values
    (own / "trials.csv").write_text((own / "trials.csv").read_text().replace("s01_walk.sto,\n", "s01_walk.csv,\n"))
    assert load_study(own).trials[0].emg.suffix == ".csv"
    assert check_study(own) == []
    np.testing.assert_allclose(load_study(own).emg("s01_walk").values, of_copy, rtol=1e-9)
    assert any("Left out, columns of words: 'Activity', 'Marker'. [file]" in note for note in study_notes(own))


def test_an_offset_is_for_exports_and_not_for_cycle_tables(tmp_path: Path) -> None:
    build(tmp_path, {"s01_walk.csv": made.noraxon()})
    own = fill(tmp_path)
    made.write(own / "emg/s01_walk.csv", made.noraxon())
    header, row = (own / "trials.csv").read_text().strip().split("\n")
    row = row.replace("s01_walk.sto", "s01_walk.csv")
    (own / "trials.csv").write_text(f"{header},emg_offset_s\n{row},0.25\n")
    assert check_study(own) == []
    assert load_study(own).emg("s01_walk").time[0] == pytest.approx(0.25)
    made.write(own / "emg/s01_walk.csv", ["cycle,emg,phase_pct,value", "0,a,0,1", "0,a,100,1"])
    assert any("a cycle table of EMG has no clock" in problem for problem in check_study(own))


def test_no_recording_is_passed_over_without_a_word(tmp_path: Path) -> None:
    names = [f"walk{suffix}" for suffix in (".anc", ".trb", ".forces", ".emt", ".hpf", ".tdf", ".c3d", ".mat")]
    template = build(tmp_path, {"s01_walk.csv": made.noraxon(), **{name: ["no such file"] for name in names}})
    for name in names:
        assert any(name in told for told in template.told), name
    listed = list_files(tmp_path / "act", tmp_path / "emg")
    assert {*names, "s01_walk.csv"} <= set(listed["file"])
    row = listed.set_index("file").loc["s01_walk.csv"]
    assert (row["columns"], row["seconds"], row["rate_hz"]) == (4, 8.0, 1500)


def test_two_exports_of_one_name_are_not_written_over_each_other(tmp_path: Path) -> None:
    template = build(tmp_path, {"s01_walk.csv": made.noraxon(), "s01_walk.txt": made.noraxon_text()})
    assert any("s01_walk.txt: left out," in told and "has the same name" in told for told in template.told)
    assert read_storage(tmp_path / "own/emg/s01_walk.sto").labels == made.MUSCLES


def test_forces_of_cortex_and_volts_of_its_plates(tmp_path: Path) -> None:
    write_storage(tmp_path / "act.sto", lab.activation(8.0))
    (tmp_path / "a").mkdir()
    (tmp_path / "act.sto").rename(tmp_path / "a/s01_walk_activation.sto")
    made.write(tmp_path / "g/s01_walk.forces", made.forces())
    made.write(tmp_path / "h/s01_walk.anc", made.analog()[0])
    assert new_study(tmp_path / "one", tmp_path / "a", grf=tmp_path / "g").trials["grf"].tolist() == [
        "grf/s01_walk.sto"
    ]
    other = new_study(tmp_path / "two", tmp_path / "a", grf=tmp_path / "h")
    assert other.trials["grf"].tolist() == [""]
    assert any(
        "'F1Z' is the output of a force plate in V, and forces in N are looked for" in told for told in other.told
    )


def test_force_plates_on_the_card_of_the_emg_are_no_channels_to_fill_in(tmp_path: Path) -> None:
    template = build(tmp_path, {"s01_walk.anc": made.analog()[0]})
    text = (tmp_path / "own/study.toml").read_text()
    plates = [name for name in read_storage(tmp_path / "own/emg/s01_walk.sto").labels if name[0] in "FM"]
    assert "F1Z" in plates
    assert f"# {', '.join(plates)}: channels of force plates by their names, left out" in text
    assert not any(name in line for line in template.to_do for name in plates)
    assert any(f"{', '.join(plates)} are channels of force plates" in line for line in template.told)
    assert tomllib.loads(text)["emg"]


@pytest.mark.parametrize(
    ("label", "is_plates"),
    [
        *((name, True) for name in ("F1X", "M3Z", "Fz1", "fp1_fz", "FP2Z", "Force.Fz", "Mx")),
        *((name, False) for name in ("MH", "FDL", "FHL", "RF", "VM", "GMAX", "M1", "EMG1", "Ext", "TFL_r")),
    ],
)
def test_names_of_plates(label: str, is_plates: bool) -> None:
    assert plates_channels([label]) == [label] * is_plates


def test_forces_among_emg_are_no_channels_and_forces_alone_no_emg(tmp_path: Path) -> None:
    template = build(tmp_path, {"s01_walk.csv": made.vicon(), "s01_run.forces": made.forces()})
    text = (tmp_path / "own/study.toml").read_text()
    assert tomllib.loads(text)["emg"] == {"Voltage.R SOL": "soleus_r", "Voltage.R TA": "tib_ant_r"}
    assert "Force.F" not in text
    assert any("s01_run.forces: left out, its columns are in N, N.mm, mm, and EMG" in told for told in template.told)


def test_biceps_alone_is_asked_about(tmp_path: Path) -> None:
    lines = [line.replace("RT BICEPS FEM. (uV)", "RT BICEPS (uV)") for line in made.noraxon()]
    template = build(tmp_path, {"s01_walk.csv": lines})
    text = (tmp_path / "own/study.toml").read_text()
    assert '# "RT BICEPS (uV)" = "…"  # bifemlh_r; biceps femoris or biceps brachii?' in text
    assert any('"RT BICEPS (uV)": it is not known for sure' in line for line in template.to_do)


def test_a_damaged_export_is_told_with_all_that_is_wrong(tmp_path: Path) -> None:
    lines = made.noraxon()
    lines[10] = lines[10].replace(",", "x")
    template = build(tmp_path, {"s01_walk.csv": lines})
    told = next(text for text in template.told if "line 11" in text)
    assert "column 1 ('time')" in told
    assert "column 4 ('RT SOLEUS (uV)')" in told


def test_an_export_without_activation_stays_out(tmp_path: Path) -> None:
    made.write(tmp_path / "emg/s01_walk.csv", made.noraxon())
    with pytest.raises(Nem2eError, match="with activations of muscles under known names"):
        new_study(tmp_path / "own", tmp_path / "emg", tmp_path / "emg")
