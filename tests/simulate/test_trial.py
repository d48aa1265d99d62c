"""Tables of trials: what a row may say for itself, before what is said for all, and rows that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from nem2e_lib.data.c3d.convert import TRIALS as FROM_C3D
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.batch import make_jobs
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.runner import read_job, write_job
from nem2e_lib.simulate.trial import SimulatedTrial, read_trials, unused_columns

OWN = '[markers]\nSACR = { body = "pelvis", at = [0.0, 0.0, 0.0] }\n'


@pytest.fixture
def table(tmp_path):
    for name in ("own.toml", "scale.xml", "walk.mot", "model.osim"):
        (tmp_path / name).write_text(OWN if name == "own.toml" else "<OpenSimDocument/>")

    def table(*rows: str, columns: str = "strength,marker_set,marker_weights,setup_scale") -> Path:
        path = tmp_path / "trials.csv"
        path.write_text("\n".join([f"trial,motion,{columns}", *rows]) + "\n")
        return path

    return table


def test_a_row_says_its_own_strength_markers_weights_and_set_ups(table, tmp_path):
    first, second, third = read_trials(
        table(
            "a,walk.mot,mass,own.toml,SACR=20 RASI=.5,scale.xml",
            "b,walk.mot,0.6,plug_in_gait,SACR=2;RASI=3,",
            "c,walk.mot,,,,",
        )
    )
    assert first.strength == "mass"
    assert Path(first.marker_set) == tmp_path / "own.toml"
    assert first.marker_weights == {"SACR": 20.0, "RASI": 0.5}
    assert first.setups == {"scale": str(tmp_path / "scale.xml")}
    assert (second.strength, second.marker_set, second.marker_weights) == (
        0.6,
        "plug_in_gait",
        {"SACR": 2.0, "RASI": 3.0},
    )
    assert third == SimulatedTrial("c", motion=tmp_path / "walk.mot")


def test_what_a_row_says_comes_before_what_is_said_for_all(table, tmp_path):
    path = table("a,walk.mot,mass,own.toml,SACR=20,scale.xml", "b,walk.mot,,,,")
    everywhere = Options(strength=2.0, marker_set="plug_in_gait", marker_weights={"SACR": 1.0, "C7": 3.0})
    first, second = make_jobs(path, tmp_path / "model.osim", tmp_path / "out", ["ik"], everywhere)
    assert first.options.strength == "mass"
    assert first.options.marker_set == str(tmp_path / "own.toml")
    assert first.options.marker_weights == {"SACR": 20.0, "C7": 3.0}
    assert first.options.setups == {"scale": str(tmp_path / "scale.xml")}
    assert second.options == everywhere
    first.folder.mkdir(parents=True)
    again = read_job(write_job(first))
    assert (again.trial, again.options.content()) == (first.trial, first.options.content())
    assert (again.options.marker_set, again.options.setups) == (first.options.marker_set, first.options.setups)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            "strong,,,",
            "line 2, column 'strength': found 'strong', but a number above 0, 'mass' or an empty cell is expected",
        ),
        ("0,,,", "column 'strength': found '0'"),
        (
            ",gone.toml,,",
            r"'marker_set': found 'gone.toml', but a name \(plug_in_gait\) or a file that is there is expected",
        ),
        (",,SACR:20,", "column 'marker_weights': found 'SACR:20', but MARKER=WEIGHT with blanks between"),
        (",,SACR=-1,", "column 'marker_weights': found 'SACR=-1'"),
        (",,SACR=nan,", "column 'marker_weights': found 'SACR=nan'"),
    ],
)
def test_a_cell_that_is_not_what_it_should_be_is_named_with_its_line(table, cells, told):
    with pytest.raises(Nem2eError, match=told) as refused:
        read_trials(table(f"a,walk.mot,{cells}"))
    assert "\n" not in str(refused.value)


def test_all_rows_that_are_wrong_are_told_at_once(table):
    with pytest.raises(Nem2eError, match=r"line 2, column 'strength'.*line 4, column 'marker_weights'"):
        read_trials(table("a,walk.mot,x,,,", "b,walk.mot,1,,,", "c,walk.mot,1,,y,"))
    with pytest.raises(Nem2eError, match="no step of column 'setup_scaling'; set-ups are setup_scale, setup_ik"):
        read_trials(table("a,walk.mot,x", columns="setup_scaling"))


def test_a_marker_set_or_set_up_that_cannot_be_is_refused_before_anything_runs(table, tmp_path):
    (tmp_path / "own.toml").write_text("[markers]\nSACR = 3\n")
    with pytest.raises(Nem2eError, match=r"own\.toml: marker 'SACR' is 3, but"):
        make_jobs(table("a,walk.mot,,own.toml,,"), tmp_path / "model.osim", tmp_path / "out", ["ik"], Options())
    with pytest.raises(Nem2eError, match=r"gone\.xml: no such file, but its set-up of scale is expected there"):
        make_jobs(table("a,walk.mot,,,,gone.xml"), tmp_path / "model.osim", tmp_path / "out", ["ik"], Options())


def test_a_column_that_nothing_reads_is_told_and_a_studys_is_not(table):
    ready = table("a,walk.mot,1,s1,straight,fast,blue", columns="startt_s,subject,condition,speed,colour")
    first, second = unused_columns(ready)
    assert first == f"{ready}: column 'startt_s' is not used; did you mean 'start_s'?"
    assert second == f"{ready}: column 'colour' is not used."
    assert read_trials(ready)[0].start_s is None
    written = ready.with_name("written.csv")
    written.write_text(",".join(FROM_C3D) + "\n")
    assert unused_columns(written) == []


@pytest.mark.parametrize("setups", [{}, {"ik": "scale.xml"}])
def test_forces_on_a_model_of_nobodys_mass_are_refused_before_anything_runs(table, tmp_path, setups):
    rows = table("a,walk.mot,70", "b,walk.mot,", "c,walk.mot,", columns="mass_kg")
    options = Options(setups={step: str(tmp_path / name) for step, name in setups.items()})
    with pytest.raises(Nem2eError, match=r"Trial 'b', 'c': scaling needs the mass of the person, .* column mass_kg"):
        make_jobs(rows, tmp_path / "model.osim", tmp_path / "out", ["scale", "ik", "so"], options)
    assert not (tmp_path / "out").exists()
    own = Options(setups={"scale": str(tmp_path / "scale.xml")})
    assert len(make_jobs(rows, tmp_path / "model.osim", tmp_path / "out", ["scale", "so"], own)) == 3
    assert len(make_jobs(rows, tmp_path / "model.osim", tmp_path / "out", ["scale", "ik"], Options())) == 3
    assert len(make_jobs(rows, tmp_path / "model.osim", tmp_path / "out", ["ik", "so"], Options())) == 3
