"""Files of one trial find each other by what tells trials apart: exactly theirs, or none."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nem2e_lib.data.check import check_study
from nem2e_lib.data.intake.find import Found
from nem2e_lib.data.intake.names import keys, words
from nem2e_lib.data.intake.new import new_study
from nem2e_lib.data.intake.partners import Partners, apart, best, partners
from nem2e_lib.data.storage.storage import Storage, write_storage
from tests.support import lab

EMPTY = Storage("", (), np.zeros(0), np.zeros((0, 0)))
KIND_WORDS = {"activation": ("activation", "StaticOptimization_activation", "cmc_states"), "emg": ("emg", "EMG raw")}


def found(path: str, kind: str) -> Found:
    place = Path(path)
    return Found(place, place, kind, EMPTY, words(place), keys(place))


def matched(activations: list[str], others: list[str]) -> tuple[dict[str, str], Partners]:
    mine, theirs = [found(each, "activation") for each in activations], [found(each, "emg") for each in others]
    pairs = partners(mine, theirs, frozenset().union(*apart(mine, theirs)))
    return {one.path.as_posix(): other.path.as_posix() for one, other in pairs.of.items()}, pairs


@dataclass(frozen=True)
class Style:
    """How a laboratory writes the names of one kind of file."""

    between: str
    case: str
    digits: int
    kind_word: str
    kind_place: str
    folders: int
    form: str

    def path(self, trial: tuple[tuple[str, str], ...]) -> str:
        """A trial's words, each with its number or without, the first of them as folders."""
        parts = [self._word(*each) for each in trial]
        folders, name = parts[: self.folders], parts[self.folders :]
        placed = {"folder": [[self.kind_word, *folders], name], "first": [folders, [self.kind_word, *name]]}
        folders, name = placed.get(self.kind_place, [folders, [*name, self.kind_word]])
        return unicodedata.normalize(self.form, "/".join([*folders, self.between.join(name) or "data"]) + ".sto")

    def _word(self, word: str, number: str) -> str:
        cased = getattr(word, self.case)() if self.case else word
        if "-" in number or not word or "." in number:
            return f"{cased}{'_' if word and number else ''}{number}"
        return cased + (number.zfill(self.digits) if len(number) < 3 else number)


def styles(kind: str, folders: int) -> st.SearchStrategy[Style]:
    return st.builds(
        Style,
        st.sampled_from(["_", " ", " - "]),
        st.sampled_from(["", "lower", "upper", "title"]),
        st.integers(1, 3),
        st.sampled_from(KIND_WORDS[kind]),
        st.sampled_from(["folder", "first", "last"]),
        st.just(folders),
        st.sampled_from(["NFC", "NFD"]),
    )


WORDS = st.sampled_from(["walk", "run", "left", "right", "slow", "fast", "s", "subject", "session", "trial", "Müller"])
DATES = st.sampled_from(["2023-12-01", "2023-12-02", "2023-01-12", "20231201", "20231201T121720", "01.12.2023"])
NUMBERS = st.sampled_from(["", "1", "2", "11", "12", "1.2", "-5", "5"])
LEVELS = st.one_of(
    st.tuples(WORDS, NUMBERS),
    st.tuples(st.just(""), st.sampled_from(["1", "2", "12", "23", "2023"])),
    st.tuples(st.just(""), DATES),
)


@st.composite
def laboratories(draw: st.DrawFn) -> tuple[list[str], list[str], list[bool]]:
    depth = draw(st.integers(1, 4))
    trials = draw(st.lists(st.tuples(*[LEVELS] * depth), min_size=2, max_size=7, unique_by=lambda t: str(t).lower()))
    folders = draw(st.integers(0, depth - 1))
    mine, theirs = (draw(styles(kind, folders)) for kind in ("activation", "emg"))
    there = draw(st.lists(st.booleans(), min_size=len(trials), max_size=len(trials)))
    return [mine.path(each) for each in trials], [theirs.path(each) for each in trials], there


@settings(max_examples=500)
@given(laboratories())
def test_the_file_of_the_same_trial_and_never_that_of_another(names: tuple[list[str], list[str], list[bool]]) -> None:
    activations, others, there = names
    truth = dict(zip(activations, others, strict=True))
    for kept in (others, [other for other, is_there in zip(others, there, strict=True) if is_there]):
        pairs, _ = matched(activations, kept)
        assert pairs.items() <= truth.items()
        if len({keys(Path(each)).order for each in activations}) == len(activations):
            assert pairs == {one: other for one, other in truth.items() if other in kept}


@pytest.mark.parametrize(
    ("activations", "others", "pairs"),
    [
        (["2023-12-01/01", "2023-12-01/02", "2023-12-01/12"], ["01.12.2023/1"], {}),
        (["walk 01", "walk_2", "Walk03"], ["Walk01", "walk 02", "walk_3"], {0: 0, 1: 1, 2: 2}),
        (["01/02", "02/01", "01/01"], ["1/2_emg", "2/1_emg"], {0: 0, 1: 1}),
        (["left_right", "right_left", "left_left"], ["right_left", "left_left"], {1: 0, 2: 1}),
        (["S1/walk1", "S1/walk1_fast"], ["S1/walk1"], {0: 0}),
        (["S1/walk1/day1", "S1/walk1/day2"], ["S1/walk1"], {}),
        (["s1/walk", "s2/walk"], ["s1/run", "s2/run"], {}),
        (["s1/gait2392", "s2/gait2392"], ["s1/noraxon", "s2/noraxon"], {0: 0, 1: 1}),
        (["S01/walk", "S02/walk"], ["S01/S01_walk", "S02/S02_walk"], {0: 0, 1: 1}),
        (["s1_walk"], ["s1_run"], {}),
        (["moco_inverse_18muscles_solution"], ["walk"], {0: 0}),
        (["slope_-5", "slope_5"], ["Slope -5", "Slope 5"], {0: 0, 1: 1}),
        (["v 1.2/1", "v 1.20/1"], ["v 1.20/1"], {1: 0}),
        (["1", "01"], ["01", "1"], {0: 1, 1: 0}),
        (["walk_1_activation", "walk_2_activation"], ["walk_emg_2", "walk_emg1"], {0: 1, 1: 0}),
        (["Müller/a", "Möller/a"], ["M\u00f6ller/a", "Mu\u0308ller/a"], {0: 1, 1: 0}),
        (["Anna's/run 1", "Ann/as run 1"], ["Annas/run 1"], {0: 0}),
        (["20231201T121720_walk", "20231201T131720_walk"], ["20231201T131720 walk"], {1: 0}),
        (["run²/1", "run/1"], ["run/1"], {1: 0}),
        (["s1/trial2", "s1/trial3"], ["s1/2", "s1/3"], {0: 0, 1: 1}),
        (["s1/session2/trial1", "s1/session1/trial2"], ["s1/2"], {}),
        (["slow/left", "left/slow"], ["left/slow"], {1: 0}),
        (
            ["s1/walk_2_cycle03_StaticOptimization_activation", "s1/walk_2_cycle04", "s1/walk_3_cycle03"],
            ["s1/walk_2_emg", "s1/walk_3_emg"],
            {0: 0, 1: 0, 2: 1},
        ),
        (["walk_cycle1", "walk_cycle2"], ["walk_cycle1_emg", "walk_cycle2_emg"], {0: 0, 1: 1}),
        (["s1/walk_cycle 1", "s2/walk_stride2"], ["s1/walk", "s2/run"], {0: 0}),
    ],
)
def test_what_tells_trials_apart(activations: list[str], others: list[str], pairs: dict[int, int]) -> None:
    activations, others = [f"{each}.sto" for each in activations], [f"{each}.sto" for each in others]
    found_pairs, _ = matched(activations, others)
    assert found_pairs == {activations[one]: others[other] for one, other in pairs.items()}


def test_only_methods_of_one_trial_are_one_trial() -> None:
    files = [found(each, "activation") for each in ("d/01.sto", "d/12.sto", "d/1 cmc.sto", "d/12_states.sto")]
    assert [(one.path.name, [each.path.name for each in over]) for one, over in best(files)] == [
        ("01.sto", []),
        ("12_states.sto", ["12.sto"]),
        ("1 cmc.sto", []),
    ]


def test_a_file_that_may_be_of_two_trials_is_left_and_named() -> None:
    pairs, made = matched(["S1/walk1/day1.sto", "S1/walk1/day2.sto"], ["S1/walk1.sto"])
    assert pairs == {}
    assert [[other.path.as_posix() for other in some] for some in made.unclear.values()] == 2 * [["S1/walk1.sto"]]


ODD = (
    "Anna's data/walk \u201efast\u201c 1",
    "M\u00fcller/Gehen \u00fcber 2",
    'say "no"/left, right',
    "run\u00b2/\u0661",
    "-5/+5",
    "v1.2.3/x=1;y",
    "\u65e5\u672c/\u6b69\u884c1",
    "[emg]/#1 %20",
    "20231201T121720/1",
    "..hidden/a.b.c",
)


def test_names_that_people_give_their_folders(tmp_path: Path) -> None:
    for at, name in enumerate(ODD):
        for kind, made in (("activation", lab.activation()), ("emg", lab.emg()), ("grf", lab.forces())):
            path = tmp_path / kind / f"{name} {kind}.sto"
            path.parent.mkdir(parents=True, exist_ok=True)
            made.values[0, 0] = 0.1 + at / 100
            write_storage(path, made)
    folder = tmp_path / "Anna's study \u00fc"
    made = new_study(folder, tmp_path / "activation", tmp_path / "emg", tmp_path / "grf")
    assert made.trials["trial"].is_unique
    assert len(made.trials) == len(ODD)
    for row in made.trials.itertuples():
        assert row.activation.removeprefix("activation").replace(" activation", "") == row.emg.removeprefix(
            "emg"
        ).replace(" emg", "")
    text = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(text.replace('motion = ""', 'motion = "walking"'), encoding="utf-8")
    table = pd.read_csv(folder / "trials.csv", dtype=str, keep_default_na=False)
    table["subject"], table["speed"] = "s1", "free"
    table.to_csv(folder / "trials.csv", index=False)
    assert [problem for problem in check_study(folder) if "simulated_by" not in problem] == []


def test_a_day_and_a_number_make_a_trial(tmp_path: Path) -> None:
    for number in ("01", "02", "12"):
        for kind, made in (("activation", lab.activation()), ("emg", lab.emg()), ("grf", lab.forces())):
            path = tmp_path / kind / "2023-12-01" / f"{number}.sto"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_storage(path, made)
    made = new_study(tmp_path / "own", tmp_path / "activation", tmp_path / "emg", tmp_path / "grf")
    assert made.told == ()
    assert made.trials["trial"].tolist() == ["2023-12-01_01", "2023-12-01_02", "2023-12-01_12"]
    for kind in ("activation", "emg", "grf"):
        assert made.trials[kind].tolist() == [f"{kind}/2023-12-01/{number}.sto" for number in ("01", "02", "12")]
