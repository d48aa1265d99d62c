"""Fields with a flag become options of a command and come back as one object."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from nem2e_lib.cli import simulate as commands
from nem2e_lib.cli.flags import flagged
from nem2e_lib.cli.main import app
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate import Options, SimulatedTrial
from nem2e_lib.simulate.options import Flag


@dataclass(frozen=True)
class Shape:
    name: Annotated[str, Flag("called", "Name.")]
    sides: Annotated[int, Flag("sides", "How many.")] = 4
    long_side: Annotated[float | None, Flag("long_side", "In m.")] = None
    length: float = 1.0
    lengths: Annotated[Mapping[str, float], Flag("length", "In m.", plain="length")] = field(default_factory=dict)
    colours: Annotated[Mapping[str, str], Flag("colour", "Of a side.")] = field(default_factory=dict)
    tags: Annotated[Sequence[str], Flag("tag", "Any.")] = ()
    text: Annotated[str, Flag("text_of", "A file.", read=Path.read_text)] = "none"
    hidden: int = 7


def typed(*arguments: object, without: tuple[str, ...] = ()) -> Shape:
    """What a command is given when these arguments are typed."""
    given = []
    shapes = typer.Typer()

    @shapes.command()
    @flagged(*without)
    def draw(*, first: int = 1, shape: Shape, last: int = 2) -> None:
        given.append((first, shape, last))

    told = CliRunner().invoke(shapes, [str(argument) for argument in arguments])
    if told.exception is not None:
        raise told.exception
    ((first, shape, last),) = given
    assert (first, last) == (1, 2)
    return shape


def test_what_is_not_typed_keeps_the_default_and_a_field_without_one_is_empty():
    assert typed() == Shape("")


def test_every_kind_of_field_is_read(tmp_path):
    (tmp_path / "a.txt").write_text("said")
    told = typed(
        *("--called", "box", "--sides", 3, "--long-side", 2, "--tag", "a", "--tag", "b"),
        *("--colour", "top=red", "--colour", " under = a=b", "--text-of", tmp_path / "a.txt"),
    )
    assert told == Shape("box", 3, 2.0, colours={"top": "red", "under": "a=b"}, tags=("a", "b"), text="said")


def test_a_value_without_a_name_sets_the_plain_field_the_last_one_holds():
    assert typed("--length", 2, "--length", "top=5", "--length", 3) == Shape("", length=3.0, lengths={"top": 5.0})


def test_a_field_without_default_comes_last_among_its_own_and_the_others_stay_in_place():
    @flagged("tags")
    def draw(*, first: int = 1, shape: Shape, last: int = 2) -> None: ...

    assert list(inspect.signature(draw).parameters) == [
        "first",
        "sides",
        "long_side",
        "length",
        "colour",
        "text_of",
        "called",
        "last",
    ]


def test_a_field_that_a_command_leaves_out_cannot_be_typed():
    with pytest.raises(SystemExit):
        typed("--tag", "a", without=("tags",))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--length", "top=long"), "--length: found 'long', but a number is expected."),
        (("--length", "long"), "--length: found 'long', but a number is expected."),
        (("--colour", "red"), "--colour red: NAME=VALUE is expected."),
    ],
)
def test_what_is_no_pair_and_no_number_is_refused(arguments, told):
    with pytest.raises(Nem2eError) as refused:
        typed(*arguments)
    assert str(refused.value) == told


@pytest.fixture
def asked(monkeypatch):
    """What the commands of ``nem2e simulate`` ask `simulate` for."""
    calls = []

    def simulate(trials, model, out, *, steps, options, workers=None):
        calls.append((trials, steps, options))
        return pd.DataFrame({"status": ["done"], "mistake": [False]})

    monkeypatch.setattr(commands, "simulate", simulate)
    monkeypatch.setattr(commands, "show_table", lambda table, as_json: 0)
    return calls


def test_simulate_is_given_one_trial_and_one_object_of_options(asked, tmp_path):
    write_storage(tmp_path / "a.sto", Storage("a", ("soleus_r", "psoas_r"), np.arange(3.0), np.ones((3, 2))))
    words = "cmc -o out --motion walk.mot --grf f.mot --start 0.5 --mass 70 --cutoff 15 --max-velocity 12 --reserve 1"
    words += " --reserve lumbar_*=20 --weight pelvis_tilt=50 --foot 1=calcn_r --setup cmc=own.xml --lock mtp_*"
    told = CliRunner().invoke(
        app, ["simulate", *words.split(), "--muscles-of", str(tmp_path / "a.sto"), "--time-limit", "9"]
    )
    assert told.exit_code == 0, told.output
    trial = SimulatedTrial("walk", motion=Path("walk.mot"), grf=Path("f.mot"), start_s=0.5, mass_kg=70.0)
    options = Options(
        cutoff_hz=15.0,
        max_velocity=12.0,
        reserve=1.0,
        reserves={"lumbar_*": 20.0},
        weights={"pelvis_tilt": 50.0},
        feet={"1": "calcn_r"},
        setups={"cmc": "own.xml"},
        lock=("mtp_*",),
        muscles=("soleus_r", "psoas_r"),
        time_limit_s=9.0,
    )
    assert asked == [([trial], ["cmc"], options)]


def test_a_table_of_trials_needs_no_trial_and_a_trial_may_have_its_own_name(asked):
    for words in ("run trials.csv -o out --steps ik,so", "run -o out --markers a.trc --name b"):
        assert CliRunner().invoke(app, ["simulate", *words.split()]).exit_code == 0
    table, named = asked
    assert table == (Path("trials.csv"), ["ik", "so"], Options())
    assert named[0] == [SimulatedTrial("b", markers=Path("a.trc"))]
