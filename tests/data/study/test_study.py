from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.study.settings import read_settings
from nem2e_lib.error import Nem2eError

MUSCLES = ("soleus_r", "tib_ant_r", "soleus_l", "tib_ant_l")
CYCLES = "trial,cycle,start_s,end_s\n" + "".join(
    f"{subject}_{speed},0,0.2,1.2\n" for subject in ("s1", "s2") for speed in ("slow", "fast")
)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def rewrite(path: Path, edit) -> None:
    table = read_storage(path)
    labels, time, values = edit(list(table.labels), table.time.copy(), table.values.copy())
    write_storage(path, Storage(table.name, tuple(labels), time, values))


def set_value(row: int, column: int, value: float):
    def edit(labels, time, values):
        values[row, column] = value
        return labels, time, values

    return edit


def test_a_sound_study(study_folder):
    study = load_study(study_folder)
    assert check_study(study_folder) == []
    assert study.name == "small"
    assert study.muscles == MUSCLES
    assert (study.channels, study.targets) == (("sol", "tib"), ("soleus_r", "tib_ant_r"))
    assert study.settings.electrodes == {"sol": "sol", "tib": "tib"}
    assert [trial.name for trial in study.trials] == ["s1_slow", "s1_fast", "s2_slow", "s2_fast"]
    assert study.trial("s1_slow").speed_m_s == 1.0
    assert np.isnan(study.trial("s1_fast").speed_m_s)
    assert study.activation("s2_fast").values.shape == (301, 4)
    assert study.emg("s1_slow").labels == ("sol", "tib")
    assert study.grf("s1_slow").labels == ("right", "left")
    assert study.cycles is None


def test_signals_are_read_once(study_folder):
    study = load_study(study_folder)
    assert study.emg("s1_slow") is study.emg("s1_slow")


def test_notes_tell_what_is_left_out(study_folder):
    notes = [note for note in study_notes(study_folder) if "clipped" not in note]
    assert len(notes) == 1
    assert "columns not taken for muscles (1): knee_angle_r_reserve (reserve); taken are 4: soleus_r" in notes[0]


@pytest.mark.parametrize(
    "label",
    ["soleus_r", "soleus_r.activation", "/forceset/soleus_r/activation", "/forceset/soleus_r|activation"],
)
def test_one_name_for_a_muscle(label):
    assert muscle_name(label) == "soleus_r"


def test_muscle_columns_by_kind_of_file():
    states = ["/jointset/knee/value", "/forceset/a/activation", "/forceset/a/fiber_length", "b.activation"]
    assert muscle_columns(states) == ["/forceset/a/activation", "b.activation"]
    plain = ["a", "FX", "MZ", "hip_reserve", "/forceset/reserve_hip", "residual_x", "torque_back", "lambda_1"]
    assert muscle_columns(plain) == ["a"]


@pytest.mark.realdata
def test_muscle_columns_of_real_files(realdata):
    states = read_storage(realdata / "sto_samples" / "opensim46_cmc_states_good_header.sto")
    assert len(muscle_columns(states.labels)) == 92
    moco = read_storage(realdata / "opensim_core_walk" / "moco_inverse_18muscles_solution.sto")
    assert len(muscle_columns(moco.labels)) == 18


TOML = [
    (('name = "small"\n', ""), "no key 'name'; found motion"),
    (('name = "small"', 'name = "a/b"'), "name is 'a/b', but only letters"),
    (('name = "small"', "name = 3"), "name is 3, but text in quotes"),
    (('name = "small"', 'name = ""'), "name is empty"),
    (("synthetic = true", 'synthetic = "no"'), "synthetic is 'no', but true or false"),
    (("licence =", "license ="), "unknown key 'license'; did you mean 'licence'?"),
    (("licence =", "zzz ="), "unknown key 'zzz'; known keys are name"),
    (('"right-right"', '"left"'), "cycle is 'left', but right-right or right-left or left-left or left-right"),
    (("synthetic = true", 'synthetic = true\nresampling = "spline"'), "resampling is 'spline', but linear or mean"),
    (("[emg]", "[grf]\nmin_swing_s = -1\n[emg]"), "min_swing_s is -1, but a time from 0 to 10 s"),
    (
        ("[emg]", '[grf]\nright = []\nleft = "l_ground_force_vy"\n[emg]'),
        "right is empty, but cycle = 'right-right' needs",
    ),
    (("[emg]", "[grf]\nright = 3\nleft = 4\n[emg]"), "right is 3, but a column name or a list of them"),
    (("[emg]", "[emg"), "not valid TOML"),
    (('"soleus_r"', "“soleus_r”"), r"line \d+ reads 'sol = “soleus_r”', which is not valid TOML .*straight quotes"),
    (('sol = "soleus_r"\ntib = "tib_ant_r"\n', ""), r"\[emg\] is empty"),
    (('"soleus_r"', "1"), r"\[emg\] sol is 1, but a name"),
    (('"soleus_r"', '"soleus_rr"'), r"\[emg\] sol = 'soleus_rr' is no muscle.*did you mean 'soleus_r'?"),
    (("sol =", "solr ="), r"no EMG column 'solr'; found sol, tib, other; did you mean 'sol'?"),
    (("[emg]", "[grf]\nthreshold_n = -1\n[emg]"), "threshold_n is -1, but more than 0 N"),
    (("[emg]", '[grf]\nright = "x"\n[emg]'), "names one side only"),
    (("[emg]", '[grf]\nright = "x"\nleft = "y"\n[emg]'), "no force column 'x'"),
    (("[emg]", '[grf]\nrigth = "x"\n[emg]'), r"unknown key \[grf\] 'rigth'; did you mean 'right'?"),
    (("[emg]", '[electrodes]\nsoo = "x"\n[emg]'), r"\[electrodes\] 'soo' is no name in \[emg\]; did you mean 'sol'"),
    (("[emg]", "[activation]\ncolumns = []\n[emg]"), "columns is empty"),
    (("[emg]", '[activation]\ncolumns = "a"\n[emg]'), "columns is 'a', but a list of texts"),
    (("[emg]", '[activation]\ncolumns = ["soleus_x"]\n[emg]'), "no activation column 'soleus_x'"),
]
TRIALS = [
    (("trial,subject,", "trial,subjekt,"), "no column 'subject'; found trial, subjekt"),
    (("s1_slow,s1,", "s1_slow,,"), "line 2: subject is empty"),
    (("slow,1.0,", "slow,fast,"), "line 2: speed_m_s is 'fast'"),
    (("s1_slow_emg.sto", "nowhere.sto"), "line 2: emg is 'nowhere.sto', but there is no such file"),
    (("s1_slow_emg.sto", "../s1_slow_emg.sto"), "but a path inside the study folder"),
    (("s1_slow_emg.sto", "/etc/passwd"), "but a path inside the study folder"),
    (("s1_slow_emg.sto", "C:\\data\\emg.sto"), "but a path inside the study folder"),
    (("s1_fast,s1", "s1_slow,s1"), "trial 's1_slow' has two rows"),
    (("s1_slow_grf.mot", ""), "trial 's1_slow' has no grf file, and there is no cycles.csv"),
    (("s1_slow,s1", "s1_slow,s1,extra"), "rows have more cells than the header; a cell that holds"),
    (("trial,subject,speed,speed_m_s", "trial;subject;speed;speed_m_s;"), "separated by semicolons, but commas"),
    (("trial,", "Trial,"), "no column 'trial'; found Trial, .*if 'Trial' is meant to be it, rename it"),
]
BAD_CYCLES = [
    (("s1_slow,0,0.2,1.2", "s1_slow,0,1.2,0.2"), "line 2: end_s 0.2 is not after start_s 1.2"),
    (("s1_slow,0,0.2,1.2", "s1_slow,0,0.2,9.2"), "'s1_slow', cycle 0 runs from 0.2 to 9.2 s, but its activation"),
    (("s1_slow,0", "s1_slo,0"), "line 2: trial 's1_slo' is not in trials.csv; did you mean 's1_slow'?"),
    (("s1_slow,0", "s1_slow,0.5"), "line 2, column 'cycle': found '0.5', but a whole number"),
    (("0.2,1.2", "0.2,later"), "line 2, column 'end_s': found 'later', but a finite number"),
    (("s1_fast,0", "s1_slow,0"), "trial 's1_slow', cycle 0 has more than one row"),
]
SIGNALS = [
    ("activation.sto", set_value(7, 1, np.nan), "'/forceset/tib_ant_r' is nan at 0.07 s"),
    ("activation.sto", lambda n, t, v: (n, t, 300 * v), "is this a file of forces"),
    ("activation.sto", lambda n, t, v: (n[1:], t, v[:, 1:]), r"sol = 'soleus_r' is no muscle column|'soleus_r'"),
    ("activation.sto", lambda n, t, v: (n, t + 9, v), "must overlap on one clock"),
    ("activation.sto", lambda n, t, v: (n, t[:1], v[:1]), "found 1 rows, but at least 2"),
    ("activation.sto", lambda n, t, v: (["x/soleus_l", *n[1:]], t, v), "muscle 'soleus_l' has more than one"),
    ("emg.sto", set_value(9, 0, np.inf), "column 'sol' is inf at 0.018 s"),
    ("emg.sto", lambda n, t, v: (n, t, v - v.mean(axis=0)), "'sol' swings about zero"),
    ("emg.sto", lambda n, t, v: (n, t, 0 * v), "'sol' is zero throughout"),
    ("grf.mot", set_value(150, 0, np.nan), "column 'ground_force_vy' is nan at 0.3 s, beside"),
    ("grf.mot", lambda n, t, v: (["a", "b"], t, v), "no columns of vertical force under a known name; found a, b"),
]


def assert_refused(folder: Path, message: str) -> None:
    problems = check_study(folder)
    assert any(re.search(message, problem) for problem in problems), problems
    assert all(str(folder) in problem and "\n" not in problem for problem in problems)
    with pytest.raises(Nem2eError) as caught:
        load_study(folder)
    assert str(caught.value) == problems[0]


@pytest.mark.parametrize(("edit", "message"), TOML)
def test_mistakes_in_study_toml(study_folder, edit, message):
    change(study_folder / "study.toml", *edit)
    assert_refused(study_folder, message)


@pytest.mark.parametrize(("edit", "message"), TRIALS)
def test_mistakes_in_trials_csv(study_folder, edit, message):
    change(study_folder / "trials.csv", *edit)
    assert_refused(study_folder, message)


@pytest.mark.parametrize(("edit", "message"), BAD_CYCLES)
def test_mistakes_in_cycles_csv(study_folder, edit, message):
    (study_folder / "cycles.csv").write_text(CYCLES)
    change(study_folder / "cycles.csv", *edit)
    assert_refused(study_folder, message)


@pytest.mark.parametrize(("name", "edit", "message"), SIGNALS)
@pytest.mark.parametrize("trial", ["s1_slow", "s2_fast"])
def test_mistakes_in_signals(study_folder, trial, name, edit, message):
    rewrite(study_folder / f"{trial}_{name}", edit)
    assert_refused(study_folder, message)


def test_a_muscle_that_one_trial_has_more(study_folder):
    rewrite(study_folder / "s2_fast_activation.sto", lambda n, t, v: ([*n[:4], "gracilis_r"], t, v / 10))
    assert_refused(study_folder, "muscle column 'gracilis_r' is not in the first trial's file")


def test_named_columns_settle_what_is_a_muscle(study_folder):
    wanted = '[activation]\ncolumns = ["/forceset/tib_ant_r", "soleus_r"]\n[emg]'
    change(study_folder / "study.toml", "[emg]", wanted)
    assert load_study(study_folder).muscles == ("tib_ant_r", "soleus_r")


def test_order_of_columns_may_differ(study_folder):
    rewrite(study_folder / "s2_fast_activation.sto", lambda n, t, v: (n[::-1], t, v[:, ::-1]))
    study = load_study(study_folder)
    np.testing.assert_array_equal(study.activation("s2_fast").values, study.activation("s1_slow").values)


def test_every_problem_is_listed(study_folder):
    rewrite(study_folder / "s1_slow_activation.sto", set_value(1, 1, np.nan))
    rewrite(study_folder / "s2_fast_emg.sto", set_value(1, 1, np.nan))
    rewrite(study_folder / "s2_slow_grf.mot", set_value(150, 0, np.nan))
    assert len(check_study(study_folder)) == 3


def test_empty_studies(study_folder, tmp_path):
    (study_folder / "trials.csv").write_text("trial,subject,speed,activation,emg,grf\n")
    assert_refused(study_folder, "the table has no rows")
    (study_folder / "trials.csv").unlink()
    assert_refused(study_folder, "trials.csv: no such file")
    with pytest.raises(Nem2eError, match=r"no study\.toml found"):
        load_study(tmp_path)


def test_a_trial_without_complete_cycle_is_a_problem_but_loads(study_folder):
    rewrite(study_folder / "s1_slow_grf.mot", lambda n, t, v: (n, t, 0 * v))
    problems = check_study(study_folder)
    assert len(problems) == 1
    assert "'s1_slow' has no usable gait cycle (no complete cycle: 0 right and 0 left heel strikes" in problems[0]
    load_study(study_folder)


def emg_table(folder: Path, text: str) -> None:
    change(folder / "trials.csv", "s1_slow_emg.sto", "s1_slow.csv")
    (folder / "s1_slow.csv").write_text(text)


ROWS = [f"0,{emg},{phase},{phase / 100 + 0.1}" for emg in ("sol", "tib") for phase in range(0, 101, 10)]
TABLE = "\n".join(["cycle,emg,phase_pct,value", *ROWS, ""])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("phase_pct", "phase"), "no column 'phase_pct'; found cycle, emg, phase, value"),
        (("0,sol,100,1.1\n", ""), "cycle 0, EMG 'sol': phase_pct runs from 0 to 90 in 10 rows"),
        (("0,sol,50", "0,sol,5"), "cycle 0, EMG 'sol': phase_pct runs"),
        (("0,sol,50,0.6", "0,sol,50,"), "line 7, column 'value': found ''"),
        (("0,sol,50,0.6", "0.5,sol,50,0.6"), "line 7, column 'cycle': found '0.5'"),
    ],
)
def test_mistakes_in_an_emg_table(study_folder, edit, message):
    (study_folder / "cycles.csv").write_text(CYCLES)
    emg_table(study_folder, TABLE.replace(*edit))
    assert_refused(study_folder, message)


def test_emg_tables_must_have_every_cycle_and_channel(study_folder):
    emg_table(study_folder, TABLE)
    assert_refused(study_folder, "EMG as a cycle table, which needs a cycles.csv")
    (study_folder / "cycles.csv").write_text(CYCLES + "s1_slow,1,1.2,2.2\n")
    assert_refused(study_folder, "no values of EMG 'sol' for cycle 1")
    emg_table_text = "\n".join(row for row in TABLE.split("\n") if "tib" not in row)
    (study_folder / "s1_slow.csv").write_text(emg_table_text)
    assert_refused(study_folder, "no EMG 'tib' in column 'emg'; found sol")


def blocks(language: str) -> list[str]:
    page = Path(__file__).parents[3] / "docs" / "study.md"
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_documented_example_is_sound(tmp_path):
    (tmp_path / "study.toml").write_text(blocks("toml")[0])
    trials, cycles, emg = blocks("csv")
    (tmp_path / "trials.csv").write_text(trials)
    (tmp_path / "cycles.csv").write_text(cycles)
    (tmp_path / "s01").mkdir()
    time = np.linspace(0.4, 2.6, 221)
    muscles = load_settings(tmp_path).activation_columns
    table = Storage("x", muscles, time, np.full((len(time), len(muscles)), 0.1))
    for name in ("walk_fast_activation.sto", "walk_free_activation.sto"):
        write_storage(tmp_path / "s01" / name, table)
    channels = ("soleus", "bi", "sem", "semit")
    for name in ("walk_fast_emg.sto", "walk_fast_grf.mot"):
        write_storage(tmp_path / "s01" / name, Storage("x", channels, time, table.values))
    rows = emg.splitlines()
    rows += [row.replace("soleus", name) for name in channels[1:] for row in rows[1:]]
    (tmp_path / "s01" / "walk_free_emg.csv").write_text("\n".join(rows))
    assert check_study(tmp_path) == []
    assert load_study(tmp_path).settings.electrodes["semit"] == "sem"


def load_settings(folder: Path):
    settings, problems = read_settings(folder / "study.toml")
    assert problems == []
    return settings


@given(
    st.sampled_from(["study.toml", "trials.csv", "cycles.csv", "s1_slow_emg.sto"]),
    st.floats(0, 1),
    st.integers(0, 20),
    st.text(max_size=12),
)
def test_a_torn_study_ends_in_sentences(study_folder, name, place, cut, text):
    (study_folder / "cycles.csv").write_text(CYCLES)
    path = study_folder / name
    sound = path.read_bytes()
    start = int(place * len(sound))
    try:
        path.write_bytes(sound[:start] + text.encode() + sound[start + cut :])
        problems = check_study(study_folder)
    finally:
        path.write_bytes(sound)
    assert all(str(study_folder) in problem and "\n" not in problem for problem in problems)
