from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.intake.archive import Built, from_archive
from nem2e_lib.data.intake.convert import setup_span
from nem2e_lib.data.intake.layout import compile_pattern, parse_layout, read_layout
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.study.settings import read_settings
from nem2e_lib.error import Nem2eError
from tests.support import archive_fixtures as fx

ONE = {"2": ("02", (2, 5, 6))}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A zip within a zip, with litter of another system, made into a study."""
    folder = tmp_path_factory.mktemp("running")
    inner = fx.write_zip(folder / "spare" / "subject01.zip", fx.running_subject())
    outer: dict[str, str | bytes] = {"subject01.zip": inner.read_bytes(), "__MACOSX/._subject01.zip": "x"}
    fx.write_zip(folder / "simtk" / "Subject01-latest.zip", outer)
    return from_archive(folder / "simtk", "running", folder / "study")


def test_nested_archive_becomes_a_study_that_checks_and_segments(made: Built) -> None:
    assert made.out is not None
    assert made.todo == ()
    study = load_study(made.out)
    cycles, report = segment(study)
    assert len(cycles.cycle) == 6
    assert report.kept.all()
    assert cycles.sizes["muscle"] == len(fx.MUSCLES)
    assert list(cycles.number.values) == [2, 5, 6, 4, 5, 7]
    np.testing.assert_allclose(cycles.start_s.values[:3], fx.STRIKES[:3])
    np.testing.assert_allclose(cycles.end_s.values[:3], fx.STRIKES[1:])
    assert set(cycles.subject.values) == {"subject01"}
    assert list(np.unique(cycles.speed_m_s)) == [2.0, 3.0]


def test_states_without_muscles_are_left_and_told(made: Built) -> None:
    assert len(made.found.ruled_out) == 6
    assert all("rra_multipleSteps" in path for path in made.found.ruled_out)
    assert all("/cmc_" in row.files["activation"].path for row in made.found.rows)


def test_what_is_missing_is_told_against_120(made: Built) -> None:
    assert made.found.expected == 120
    assert "subject01, speed 4: 0 of 3 activation files found" in made.found.missing
    assert "subject04: no activation file, 12 expected" in made.found.missing
    assert len(made.found.missing) == 11
    assert not any(line.startswith("subject01, speed 2") for line in made.found.missing)


def test_identical_channels_become_electrodes(made: Built) -> None:
    assert made.out is not None
    settings, problems = read_settings(made.out / "study.toml")
    assert problems == []
    assert len(settings.targets) == 16
    assert len(set(settings.electrodes.values())) == 11
    assert settings.electrodes["glmax3"] == "glmax1"
    assert settings.electrodes["semit"] == "sem"


def test_activation_outside_0_to_1_is_kept_and_told(made: Built) -> None:
    assert made.out is not None
    assert any("6 of 6 activation files leave the range from 0 to 1 (from -0.002" in told for told in made.told)
    first = read_storage(sorted((made.out / "activation").iterdir())[0])
    assert first.column("bifemlh_r")[0] == -0.002


def test_checksums_are_remembered(made: Built) -> None:
    assert made.out is not None
    kept = json.loads((made.out / "archives.json").read_text())
    assert [each["name"] for each in kept] == ["Subject01-latest.zip", "Subject01-latest.zip/subject01.zip"]
    outer = made.out.parent / "simtk" / "Subject01-latest.zip"
    assert kept[0]["sha256"] == hashlib.sha256(outer.read_bytes()).hexdigest()
    assert kept[0]["bytes"] == outer.stat().st_size


def test_arms_make_further_columns_where_every_controls_file_has_them(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.running_subject(speeds=ONE, arms=True))
    built = from_archive(tmp_path / "in", "running", tmp_path / "study")
    assert built.todo == ()
    assert load_study(tmp_path / "study").muscles == (*fx.MUSCLES, *fx.ARMS)
    (tmp_path / "in" / built.found.rows[0].files["controls"].path).unlink()
    again = from_archive(tmp_path / "in", "running", tmp_path / "without")
    assert load_study(tmp_path / "without").muscles == tuple(fx.MUSCLES)
    assert any("1 trials have no controls file" in told for told in again.told)


def test_what_a_pattern_fits_and_is_no_muscle_is_left_and_told(tmp_path: Path) -> None:
    files = fx.running_subject(speeds=ONE)
    files = {path: text.replace("psoas_l.", "tau_lumbar_extension.") for path, text in files.items()}
    fx.write_tree(tmp_path / "in", files)
    built = from_archive(tmp_path / "in", "running", tmp_path / "study")
    assert load_study(tmp_path / "study").muscles == tuple(fx.MUSCLES[:-1])
    assert (
        sum("columns not taken for muscles (1): tau_lumbar_extension.activation." in told for told in built.told) == 1
    )


def test_pins_are_asked_for_and_never_guessed(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.running_subject(speeds=ONE, labels=fx.PINS))
    built = from_archive(tmp_path / "in", "running", tmp_path / "study")
    text = (tmp_path / "study" / "study.toml").read_text()
    assert '# "Pin 7" = "…"' in text
    assert any("[emg] is empty" in problem for problem in built.todo)
    (tmp_path / "study" / "study.toml").write_text(text.replace('# "Pin 7" = "…"', '"Pin 7" = "soleus_r"'))
    assert check_study(tmp_path / "study") == []
    assert load_study(tmp_path / "study").channels == ("Pin 7",)


def test_pins_of_one_subject_named_in_a_layout(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.running_subject(speeds=ONE))
    fx.write_tree(tmp_path / "in", fx.running_subject("04", speeds=ONE, labels=fx.PINS))
    built = from_archive(tmp_path / "in", "running", tmp_path / "mixed")
    assert any("Pin 1" in problem for problem in built.todo)
    own = read_layout("running").text + '\n[emg_of.subject04]\n"Pin 3" = "soleus"\n'
    keep = ("soleus",)
    lines = [line for line in own.splitlines() if not (line.endswith('_r"') and line.split(" ")[0] not in keep)]
    (tmp_path / "own.toml").write_text("\n".join(lines))
    named = from_archive(tmp_path / "in", str(tmp_path / "own.toml"), tmp_path / "named")
    assert named.todo == ()
    assert load_study(tmp_path / "named").channels == ("soleus",)


def test_without_set_ups_cycles_come_from_force(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.running_subject(speeds={"3": ("01", (2, 3, 4))}, setups=False))
    built = from_archive(tmp_path / "in", "running", tmp_path / "study")
    assert built.todo == ()
    cycles = pd.read_csv(tmp_path / "study" / "cycles.csv")
    np.testing.assert_allclose(cycles.start_s, fx.STRIKES[:3], atol=1e-3)
    assert list(cycles.cycle) == [2, 3, 4]


def test_set_up_times_with_a_comment_above_the_declaration(tmp_path: Path) -> None:
    (tmp_path / "setup.xml").write_text(fx.setup(0.199, 0.962))
    assert setup_span(tmp_path / "setup.xml", "setup.xml") == (0.199, 0.962)
    (tmp_path / "none.xml").write_text("<!-- <initial_time>1</initial_time> -->\n<?xml version='1.0'?><a/>")
    with pytest.raises(Nem2eError, match=r"none\.xml: one number <initial_time> is expected, found none"):
        setup_span(tmp_path / "none.xml", "none.xml")
    (tmp_path / "back.xml").write_text(fx.setup(0.9, 0.2))
    with pytest.raises(Nem2eError, match="not after"):
        setup_span(tmp_path / "back.xml", "back.xml")


def test_walking_with_forces_in_the_motion_file(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.walking_files())
    built = from_archive(tmp_path / "in", "walking", tmp_path / "study")
    assert built.todo == ()
    assert built.found.missing == []
    cycles, _ = segment(load_study(tmp_path / "study"))
    assert len(cycles.cycle) == 8
    assert set(cycles.speed.values) == {"xslow", "slow", "free", "fast"}
    assert set(cycles.subject.values) == {"gil01", "gil06"}
    assert "GUESS" in built.layout.say("about")


def test_walking_without_emg_is_refused_with_what_to_correct(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.walking_files(emg=False))
    with pytest.raises(Nem2eError, match=r"none of 8 activation files has an EMG file.*\[files\] emg"):
        from_archive(tmp_path / "in", "walking", tmp_path / "study")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_nothing_is_left_behind_by_a_refusal(tmp_path: Path) -> None:
    files = fx.running_subject(speeds=ONE)
    broken = next(name for name in reversed(files) if name.endswith("_states.sto") and "cmc_" in name)
    files[broken] = files[broken][:-40] + "oops\n"
    fx.write_tree(tmp_path / "in", files)
    with pytest.raises(Nem2eError) as caught:
        from_archive(tmp_path / "in", "running", tmp_path / "study")
    assert Path(broken).name in str(caught.value)
    assert "/tmp/nem2e-" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_two_different_files_for_one_trial_are_refused_and_identical_ones_not(tmp_path: Path) -> None:
    files = fx.running_subject(speeds=ONE)
    fx.write_tree(tmp_path / "in", files)
    fx.write_zip(tmp_path / "in" / "subject01.zip", dict(files))
    assert from_archive(tmp_path / "in", "running", tmp_path / "same").todo == ()
    states = next(path for path in files if path.endswith("_states.sto") and "cmc_" in path)
    (tmp_path / "in" / states).write_text(fx.states(0.1, 1.2))
    with pytest.raises(Nem2eError, match="differ, but fit the same pattern"):
        from_archive(tmp_path / "in", "running", tmp_path / "other")


@pytest.mark.parametrize("name", ["../../out.sto", "/etc/x.sto", "C:\\x.sto", "a\\..\\..\\x.sto"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    fx.write_zip(tmp_path / "in" / "subject01.zip", {name: "x"})
    with pytest.raises(Nem2eError, match=r"subject01\.zip: holds .*leaves the folder"):
        from_archive(tmp_path / "in", "running")


def test_a_truncated_zip_is_named_with_its_checksum(tmp_path: Path) -> None:
    path = fx.write_zip(tmp_path / "in" / "subject01.zip", dict(fx.running_subject(speeds=ONE)))
    path.write_bytes(path.read_bytes()[:-500])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(Nem2eError, match=rf"subject01\.zip: is cut off or no zip \(\d+ bytes, SHA-256 {digest}"):
        from_archive(tmp_path / "in", "running")


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    path = fx.write_zip(tmp_path / "in" / "subject01.zip", dict(fx.running_subject(speeds=ONE)))
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = next(i for i in archive.infolist() if i.filename.endswith("cycle2_states.sto") and "cmc" in i.filename)
    middle = info.header_offset + len(info.filename) + 30 + info.compress_size // 2
    raw[middle : middle + 8] = b"\xff" * 8
    path.write_bytes(raw)
    with pytest.raises(Nem2eError, match=r"cycle2_states\.sto: cannot be unpacked .*fetch the archive again"):
        from_archive(tmp_path / "in", "running", tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_bomb_is_refused_with_the_limits(tmp_path: Path) -> None:
    fx.write_zip(tmp_path / "in" / "bomb.zip", {"a": b"\0" * (100 << 20), "b": b"\0" * (10 << 20)})
    with zipfile.ZipFile(tmp_path / "in" / "bomb.zip") as archive:
        assert sum(info.file_size for info in archive.infolist()) == 110 << 20
    with pytest.raises(Nem2eError, match=r"would grow from .* 64 GiB and 200 times"):
        from_archive(tmp_path / "in", "running")


def test_links_out_of_the_folder_are_left_and_told(tmp_path: Path) -> None:
    (tmp_path / "secret.sto").write_text("x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.sto").symlink_to(tmp_path / "secret.sto")
    built = from_archive(tmp_path / "in", "running")
    assert built.source.entries == []
    assert "leads out of the folder" in built.source.told[0]


def test_patterns() -> None:
    parts = {"subject": r"\d\d", "speed": "xslow|slow"}
    find = compile_pattern("x", "**/s{subject}/*_{speed}?s{subject}.sto", parts)
    assert find.fullmatch("a/b/S01/q_XSLOW s01.STO")
    assert find.fullmatch("s01/q_slow_s01.sto").groupdict() == {"subject": "01", "speed": "slow"}  # type: ignore[union-attr]
    assert not find.fullmatch("s01/q_slow_s02.sto")
    assert not find.fullmatch("s01/b/q_slow_s01.sto")
    with pytest.raises(Nem2eError, match="names the part 'who'"):
        compile_pattern("x", "{who}.sto", parts)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("subject = '\\d\\d'", "subject = '('", "no valid pattern"),
        ('force = "N"', 'force = "lbf"', r"force is 'lbf', but N or kN"),
        ("threshold_n", "treshold_n", r"unknown key \[cycles\]"),
        ('from = ["setup", "force"]', 'from = ["guess"]', "has 'guess'"),
        ('motion = "running"', "", "no key 'motion'"),
        ('name = "running"', "name = ", "not valid TOML"),
        ("guess = false", "gues = false", "unknown key 'gues'"),
    ],
)
def test_a_layout_that_is_wrong_is_refused(old: str, new: str, message: str) -> None:
    text = read_layout("running").text
    assert old in text
    with pytest.raises(Nem2eError, match=message):
        parse_layout("own.toml", text.replace(old, new))


def test_units_of_a_layout(tmp_path: Path) -> None:
    files = fx.running_subject(speeds=ONE, setups=False)
    fx.write_tree(tmp_path / "in", files)
    text = read_layout("running").text.replace('activation = "1"', 'activation = "%"')
    (tmp_path / "own.toml").write_text(text)
    from_archive(tmp_path / "in", str(tmp_path / "own.toml"), tmp_path / "study")
    first = read_storage(sorted((tmp_path / "study" / "activation").iterdir())[0])
    assert first.column("bifemlh_r")[0] == pytest.approx(-0.00002)


def test_command_shows_without_writing(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.running_subject(speeds=ONE))
    call = ["study", "from-archive", str(tmp_path / "in"), "--layout", "running"]
    shown = CliRunner().invoke(app, [*call, "--show"])
    assert shown.exit_code == 0
    assert "trials    3 of 120 expected" in shown.output
    assert "subject01, speed 2: 3 (cycles 2, 5, 6)" in shown.output
    assert "fits no pattern (1)" in shown.output
    facts = json.loads(CliRunner().invoke(app, [*call, "--dry-run", "--json"]).output)
    assert facts["left"] == ["subject01/ik/Results_191/Run_20002.mot"]
    refused = CliRunner().invoke(app, call)
    assert refused.exit_code == 2
    assert "--out is missing" in refused.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_force_files_of_the_same_name_stay_apart(tmp_path: Path) -> None:
    files = fx.running_subject(speeds=ONE)
    other = fx.running_subject(speeds={"3": ("02", (2, 5, 6))})
    text = read_layout("running").text
    for old, new in (("Run_{speed}00 {trial}_newCOP3*.mot", "speed{speed}/grf.mot"),):
        text = text.replace(old, new)
    (tmp_path / "own.toml").write_text(text)
    for name, content in {**files, **other}.items():
        speed = "2" if "Run_200" in name else "3"
        grf = f"subject01/ExportedData/speed{speed}/grf.mot"
        fx.write_tree(tmp_path / "in", {grf if name.endswith("COP3_v24.mot") else name: content})
    from_archive(tmp_path / "in", str(tmp_path / "own.toml"), tmp_path / "study")
    trials = pd.read_csv(tmp_path / "study" / "trials.csv")
    assert trials.groupby("speed_m_s").grf.nunique().tolist() == [1, 1]
    assert trials.grf.nunique() == 2


def test_a_single_zip_and_a_missing_folder(tmp_path: Path) -> None:
    path = fx.write_zip(tmp_path / "all.zip", dict(fx.running_subject(speeds=ONE)))
    assert len(from_archive(path, "running").found.rows) == 3
    with pytest.raises(Nem2eError, match="nowhere: no such folder"):
        from_archive(tmp_path / "nowhere", "running")
    with pytest.raises(Nem2eError, match="neither a layout of nem2e"):
        from_archive(path, "runing")


@pytest.mark.realdata
@pytest.mark.skipif(not os.environ.get("NEM2E_REALDATA"), reason="NEM2E_REALDATA is not set")
def test_real_activations_and_forces_with_a_layout_of_ones_own(tmp_path: Path) -> None:
    """The activations and forces are measured ones of Hamner & Delp (2013), the raw EMG is made up."""
    source, folder = Path(os.environ["NEM2E_REALDATA"]) / "hamner_subject01", tmp_path / "in" / "subject01"
    shutil.copytree(source / "activation", folder / "activation")
    shutil.copytree(source / "grf", folder / "grf")
    fx.write_tree(folder, {f"Run_{speed}0002_EMG.sto": fx.raw_emg(fx.EMG, end=5.8) for speed in range(2, 6)})
    text = read_layout("running").text
    for old, new in (
        (
            "**/cmc_multipleSteps*/**/subject{subject}_Run_{speed}00{trial}_cycle{cycle}_states.sto",
            "**/subject{subject}/**/Run_{speed}00{trial}_*_activation.sto",
        ),
        ("**/subject{subject}*/**/Run_{speed}00{trial}_*newCOP3*.mot", "**/Run_{speed}00{trial}_GRF_newCOP3*.mot"),
        ('_cycle{cycle}"', '"'),
        ('activation = ["*.activation", "/forceset/*/activation"]', 'activation = ["*_[rl]"]'),
        ('from = ["setup", "force"]', 'from = ["force"]'),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "own.toml").write_text(text)
    built = from_archive(tmp_path / "in", str(tmp_path / "own.toml"), tmp_path / "study")
    assert built.todo == ()
    found = pd.read_csv(tmp_path / "study" / "cycles.csv")
    known = pd.read_csv(source / "emg" / "subject01_cycle_index.csv")
    starts = [
        np.abs(found.start_s[found.trial.str.contains(f"run{int(s)}")] - t).min()
        for s, t in zip(known.speed_m_s, known.t_start, strict=True)
    ]
    assert max(starts) < 0.003
    cycles, _ = segment(load_study(tmp_path / "study"))
    assert len(cycles.cycle) >= len(known)


def test_a_login_page_and_archives_of_other_kinds_are_told(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", {"subject01.zip": "\n<!DOCTYPE html><html>Log in</html>"})
    with pytest.raises(Nem2eError, match=r"subject01\.zip: is a web page.*log in there"):
        from_archive(tmp_path / "in", "running")
    (tmp_path / "in" / "subject01.zip").rename(tmp_path / "in" / "subject01.7z")
    assert from_archive(tmp_path / "in", "running").source.told == [
        "subject01.7z: is not looked into; unpack it by hand and run again."
    ]


def test_unknown_labels_get_a_hint_and_stay_to_be_filled_in(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.running_subject(speeds=ONE, labels=["R_TibAnt", "Pin 2"]))
    built = from_archive(tmp_path / "in", "running", tmp_path / "study")
    text = (tmp_path / "study" / "study.toml").read_text()
    assert '# "R_TibAnt" = "…"  # in 1 EMG files: which muscle? perhaps tib_ant_r?' in text
    assert '# "Pin 2" = "…"  # in 1 EMG files: which muscle? ask who recorded it' in text
    assert any("'R_TibAnt', 'Pin 2' of subject01 measured is not known" in told for told in built.told)


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    path = fx.write_zip(tmp_path / "in" / "subject01.zip", dict(fx.running_subject(speeds=ONE)))
    raw = path.read_bytes().replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
    path.write_bytes(raw.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"))
    with pytest.raises(Nem2eError, match=r"encrypted.*unpack the archive by hand"):
        from_archive(tmp_path / "in", "running", tmp_path / "study")


def test_a_subjects_own_folder_will_do(tmp_path: Path) -> None:
    fx.write_tree(tmp_path, fx.running_subject())
    built = from_archive(tmp_path / "subject01", "running", tmp_path / "own")
    assert built.todo == ()
    assert len(load_study(tmp_path / "own").trials) == 6


def test_files_that_would_be_one_trial_are_refused(tmp_path: Path) -> None:
    fx.write_tree(tmp_path / "in", fx.running_subject())
    text = read_layout("running").text.replace("_{trial}_cycle{cycle}", "")
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(
        Nem2eError, match=r"subject01_run2: 3 activation files would be this one trial; let the key trial"
    ):
        from_archive(tmp_path / "in", str(tmp_path / "mine.toml"), tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_a_full_disk_is_not_a_damaged_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = fx.write_zip(tmp_path / "subject01.zip", fx.running_subject())
    monkeypatch.setattr("nem2e_lib.data.intake.source.shutil.copyfileobj", full)
    with pytest.raises(Nem2eError, match=r"is full; make room there or name another folder in .* TMPDIR"):
        from_archive(path, "running", tmp_path / "own")
