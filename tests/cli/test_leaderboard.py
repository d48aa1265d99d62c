"""``nem2e leaderboard`` as someone types it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli import leaderboard
from nem2e_lib.cli.main import app
from nem2e_lib.data.cycles.segment import save_cycles
from nem2e_lib.rivals import evaluate, every, rival, slow
from nem2e_lib.training.results import save_results
from tests.support.small import make_cycles

METHODS = """
from sklearn.linear_model import Ridge
from sklearn.svm import SVR

class Truth:
    def fit(self, X, y):
        print("somebody's own words")
        self.target = y.target
    def predict(self, X):
        return 0.5 * X.sel(input=self.target) + 0.1

class Wrong(Truth):
    def predict(self, X):
        return X

stiff = Ridge(alpha=10.0)
single = SVR()
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("mine.py").write_text(METHODS)
    cycles = make_cycles((2,) * 6)
    own = cycles.activation.sel(muscle=cycles.target).values
    noise = np.random.default_rng(0).normal(size=own.shape)
    save_cycles(cycles.assign(emg=(("cycle", "sample", "channel"), 0.5 * own + 0.1 + 1e-3 * noise)), "cycles.nc")
    return tmp_path


def nem2e(*words: str, code: int = 0):
    done = CliRunner().invoke(app, ["leaderboard", *words])
    assert done.exit_code == code, done.output + repr(done.exception)
    return done


def test_a_method_that_knows_the_truth_is_first(here):
    done = nem2e(
        "cycles.nc", "--add", "mine.py:Truth", "--add", "rigid=mine.py:stiff", "--methods", "identity,delay_gain"
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "SYNTHETIC study tiny: 5 methods, 6 held-out subjects"
    order = [line.split("]")[1].split()[0] for line in lines[2:7]]
    assert order[0] == "Truth"
    assert sorted(order) == sorted(["Truth", "rigid", "identity", "mean_curve", "delay_gain"])
    assert lines[2].startswith("1 [1, 1]  Truth")
    assert "  shown  " in lines[2]
    assert "by Holm, for 4 comparisons. Shown: below 0 at p < 0.05, over at least 6 held-out units." in done.stdout
    assert "somebody's own words" not in done.stdout
    said = done.stderr.splitlines()
    assert said[:2] == ["Truth …", "somebody's own words"]
    assert [line.split(":")[0] for line in said if line.endswith(" s")] == [
        *("Truth", "rigid", "identity", "mean_curve", "delay_gain")
    ]
    assert sorted(path.name for path in here.iterdir() if path.name != "__pycache__") == ["cycles.nc", "mine.py"]


def test_files_and_json_tell_the_same(here):
    words = ("cycles.nc", "--add", "mine.py:Truth", "--methods", "identity", "--out", "board", "--json")
    told = json.loads(nem2e(*words).stdout)
    table = pd.read_csv("board/leaderboard.csv")
    assert told["files"] == [f"board/{name}" for name in leaderboard.FILES]
    assert (told["study"], told["unit"], told["synthetic"]) == ("tiny", "subject", True)
    assert [row["method"] for row in told["methods"]] == table["method"].tolist() == ["Truth", "mean_curve", "identity"]
    assert [row["own"] for row in told["methods"]] == table["own"].tolist() == [True, False, False]
    np.testing.assert_allclose([row["er_mean"] for row in told["methods"]], table["er_mean"])
    assert told["methods"][1]["answer"] is None
    rows = pd.read_csv("board/errors.csv")
    assert len(rows) == 3 * 2 * 6
    assert rows["synthetic"].all()
    assert len(pd.read_csv("board/duels.csv")) == 3
    drawing = Path("board/leaderboard.svg").read_text()
    assert "SYNTHETIC data – Leaderboard" in drawing
    assert "Truth −" in drawing
    assert sorted(path.stem for path in Path("board/evaluated").iterdir()) == ["identity", "mean_curve"]


def test_what_nem2e_evaluated_is_read_again_and_what_is_ones_own_is_made_anew(here):
    Path("own.py").write_text(METHODS)
    words = ("cycles.nc", "--add", "own.py:Truth", "--methods", "mean_curve", "--out", "board")
    nem2e(*words)
    kept = Path("board/evaluated/mean_curve.nc").stat().st_mtime_ns
    former = pd.read_csv("board/leaderboard.csv")
    Path("own.py").write_text(METHODS.replace("0.5 *", "0.25 *"))
    nem2e(*words)
    now = pd.read_csv("board/leaderboard.csv")
    assert Path("board/evaluated/mean_curve.nc").stat().st_mtime_ns == kept
    er = [table.set_index("method").loc["Truth", "er_mean"] for table in (former, now)]
    assert er[1] > er[0] + 0.1


def test_too_few_units_to_show_anything_are_told(here):
    save_cycles(make_cycles((2, 2, 2)), "few.nc")
    done = nem2e("few.nc", "--add", "mine.py:Truth", "--methods", "mean_curve")
    assert "3 held-out subjects are too few to show anything." in done.stdout.splitlines()
    assert "  not shown  " in done.stdout


def test_what_takes_one_number_is_told_so(here):
    done = nem2e("cycles.nc", "--add", "mine.py:single", "--methods", "mean_curve")
    assert "note: single predicts one number at a time, so 40 of it are fitted in each fold: one" in done.stderr


def test_a_trained_condition_of_the_same_data_is_ranked_beside(here):
    from nem2e_lib.data.cycles.segment import load_cycles

    cycles = load_cycles("cycles.nc")
    trained = evaluate(cycles, rival("ridge_own")).assign_attrs(condition="one_entire")
    save_results(trained, "one_entire.nc")
    done = nem2e("cycles.nc", "--methods", "ridge_own", "--results", "one_entire.nc")
    lines = {line.split("]")[1].split()[0]: line for line in done.stdout.splitlines()[2:5]}
    assert set(lines) == {"one_entire", "ridge_own", "mean_curve"}
    assert "One-Entire" in lines["one_entire"]
    for name, changed, message in (
        ("other.nc", trained.assign_attrs(data_hash="0" * 64), "other.nc: is of other data (hash 000000000000)"),
        ("old.nc", trained.assign_attrs(code="older"), "old.nc: was evaluated by another version of nem2e"),
        ("told.nc", trained.assign_attrs(circumstances=1), "told.nc: was told speed and duration, which"),
        ("more.nc", trained.assign_attrs(inputs="activation+moment"), "more.nc: was given activation+moment;"),
        ("less.nc", trained.isel(channel=[0]), "less.nc: has no EMG tib, which the study has"),
        ("fold.nc", trained.isel(fold=[0, 1]), "fold.nc: holds out s0, s1, which other methods do not"),
    ):
        save_results(changed, name)
        assert message in nem2e("cycles.nc", "--results", name, code=2).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.nc"], "no.nc"),
        (["cycles.nc", "--methods", "rigid"], "rival 'rigid' is unknown, expected one of identity"),
        (
            ["cycles.nc", "--methods", "all_entire"],
            "all_entire is not trained here; train it by 03_train or make paper",
        ),
        (["cycles.nc", "--add", "mine.py:truth"], "mine.py has no 'truth' (near it: Truth"),
        (["cycles.nc", "--add", "mine.py:METHODS"], "mine.py has no 'METHODS'"),
        (
            ["cycles.nc", "--add", "mine.py:__name__"],
            "--add mine.py:__name__: method __name__: a str has no fit and no",
        ),
        (["cycles.nc", "--add", "pls=mine.py:Truth"], "method pls: another method has that name already"),
        (["cycles.nc", "--add", "auto=mine.py:Truth"], "method auto: another method has that name already"),
        (["cycles.nc", "--add", "ridge=mine.py:Truth"], "method ridge: another method has that name already"),
        (
            ["cycles.nc", "--add", "mine.py:Truth", "--add", "mine.py:Truth"],
            "two methods are called Truth; give it once",
        ),
        (
            ["cycles.nc", "--add", "mine.py:Wrong"],
            "fold 1 of 6 (subject s0 held out): method Wrong: its predict gave the dims cycle, sample, input, expected "
            "cycle, sample, channel; mend it.",
        ),
        (["cycles.nc", "--results", "no.nc"], "no.nc: there is no such trained condition"),
        (["cycles.nc", "--out", "mine.py"], "mine.py: is a file, but a folder to write into is expected"),
    ],
)
def test_a_mistake_is_a_sentence_and_leaves_nothing(here, words, message):
    out = [] if "--out" in words else ["--out", "board"]
    done = nem2e(*words, *out, code=2)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("nem2e: ")
    assert message in last
    assert not Path("board").exists()


def test_what_is_quick_takes_seconds_and_the_mean_curve_is_always_there():
    quick = leaderboard.chosen("quick")
    assert [one.name for one in quick] == [one.name for one in every() if not slow(one)]
    assert leaderboard.chosen("all") == [*every(), rival("auto")]
    assert [one.name for one in leaderboard.chosen("auto,ridge,pls")] == ["mean_curve", "ridge_all", "pls", "auto"]
    assert [one.name for one in leaderboard.chosen("pls, identity")] == ["identity", "mean_curve", "pls"]


def test_methods_are_given_the_inputs_that_are_asked_for(here):
    cycles = make_cycles((2,) * 6)
    beside = np.random.default_rng(0).normal(size=(12, 1, 1)) * np.ones((1, 20, 1))
    cycles["emg"] = (("cycle", "sample", "channel"), 0.5 + 0.05 * beside * np.array([1.0, -1.0]))
    told = {"input": ["moment:knee_angle_r"], "input_set": ("input", ["moment"]), "input_unit": ("input", ["N·m"])}
    save_cycles(cycles.assign(beside=(("cycle", "sample", "input"), beside)).assign_coords(told), "cycles.nc")
    done = nem2e("cycles.nc", "--methods", "ridge_all", "--inputs", "moment+activation", "--json")
    answer = json.loads(done.stdout)
    assert answer["notes"] == ["methods were given activation+moment."]
    given = {row["method"]: row["er_mean"] for row in answer["methods"]}
    plain = json.loads(nem2e("cycles.nc", "--methods", "ridge_all", "--json").stdout)["methods"]
    assert given["ridge_all"] < {row["method"]: row["er_mean"] for row in plain}["ridge_all"] - 0.05
    assert "column 'forces'" in nem2e("cycles.nc", "--inputs", "grf", code=2).output.replace("\n", " ")
