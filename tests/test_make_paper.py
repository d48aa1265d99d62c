"""``make paper`` from end to end, in the smoke profile and far from figures/."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.data.synthetic import write_study
from nem2e_lib.figures.style import METHOD_LABELS
from nem2e_lib.paper import warm
from nem2e_lib.refiner import Refiner
from nem2e_lib.site.notebook_page import page_problems
from nem2e_lib.site.tables import METHOD_COLUMNS
from tests.support.making import make

ROOT = Path(__file__).resolve().parents[1]
CONDITIONS = ("one_quarter", "one_entire", "all_entire")


class Paper:
    """One build folder and one OUT, shared by the tests of this file, which run in order."""

    def __init__(self, folder: Path) -> None:
        self.build, self.out = folder / "build", folder / "figures"
        self.run = self.build / "smoke-seed0"
        self.said = ""

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return make("paper", "PROFILE=smoke", *arguments, BUILD=str(self.build), OUT=str(self.out))

    def times(self, pattern: str) -> dict[str, int]:
        return {str(path.relative_to(self.run)): path.stat().st_mtime_ns for path in self.run.glob(pattern)}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    return Paper(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def made(paper: Paper) -> Iterator[Paper]:
    before = committed_figures()
    done = paper.make()
    assert done.returncode == 0, done.stdout + done.stderr
    paper.said = done.stdout + done.stderr
    yield paper
    assert committed_figures() == before, "a smoke run wrote into figures/"


def committed_figures() -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in (ROOT / "figures").rglob("*")}


def test_every_page_is_there_linked_and_readable_offline(made: Paper) -> None:
    pages = {path.name for path in made.out.glob("*.html")}
    expected = {"index.html", "claims.html", "01_download.html", "04_statistics.html", "05_attention.html"}
    expected |= {"06_shortcut.html", "07_claims.html", "08_rivals.html", "09_refine.html", "11_own_data.html"}
    expected |= {"10_audit.html", "13_controls.html", "14_attention_tests.html"}
    expected |= {f"02_segment_{study}.html" for study in ("walking", "running")}
    expected |= {f"03_train_{study}_{c}.html" for study in ("walking", "running") for c in CONDITIONS}
    assert expected <= pages
    index = (made.out / "index.html").read_text()
    assert {page for page in expected - {"index.html"} if f'href="{page}"' not in index} == set()
    for page in pages:
        text = (made.out / page).read_text()
        assert page_problems(text) == [], page
        assert str(made.build) not in text, page
        local = [link for link in re.findall(r'(?:href|src)="([^"#]+)', text) if ":" not in link]
        assert [link for link in local if not (made.out / link).exists()] == [], page


def test_every_figure_has_its_data_beside_it_and_says_synthetic(made: Paper) -> None:
    figures = sorted(made.out.glob("*.svg"))
    drawn = {path.stem for path in figures}
    for number in (1, 2, 3, 4, 5, 6, 7):
        assert any(name.startswith(f"figure_{number}") for name in drawn), f"Figure {number} is missing"
    for path in figures:
        assert any(path.with_suffix(end).exists() for end in (".csv", ".csv.zip")), path.name
        if not path.name.startswith(("figure_1", "figure_2", "ablations_people_")):  # of nobody; of people
            assert "SYNTHETIC" in path.read_text(), path.name


def test_results_list_every_study_muscle_and_condition(made: Paper) -> None:
    rows = json.loads((made.out / "results.json").read_text())["results"]
    assert {(row["study"], row["condition"]) for row in rows} >= {
        (study, condition) for study in {row["study"] for row in rows} for condition in CONDITIONS
    }
    assert len({row["study"] for row in rows}) == 2
    assert {row["profile"] for row in rows} == {"smoke"}
    assert all(row["synthetic"] is True for row in rows)
    assert all(row["n_units"] == 3 for row in rows)


def test_saved_tables_tell_methods_by_ids_and_pages_by_labels(made: Paper) -> None:
    told = set()
    for path in [*made.out.glob("*.csv"), *made.out.glob("*.csv.zip")]:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        named = {name for column in METHOD_COLUMNS & set(table.columns) for name in table[column]}
        assert named.isdisjoint(METHOD_LABELS.values()), path.name
        told |= named
    assert {*CONDITIONS, "identity", "mean_curve", "ridge_all", "delayed_kernel_ridge"} <= told
    board = json.loads((made.out / "results.json").read_text())["leaderboard"]
    assert {row["method"] for row in board} <= set(METHOD_LABELS)
    shown = (made.out / "leaderboard_table.html").read_text()
    assert {row["method"] for row in board if METHOD_LABELS[row["method"]] not in shown} == set()


def test_executed_notebooks_are_kept(made: Paper) -> None:
    kept = {path.stem for path in (made.run / "executed").glob("*.ipynb")}
    asked_for_by_name = {"12_motion_to_emg", "16_c3d_to_emg", "17_people"}
    names = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} - asked_for_by_name
    studies = ("walking", "running")
    cut = {f"02_segment_{study}" for study in studies}
    trained = {f"03_train_{study}_{condition}" for study in studies for condition in CONDITIONS}
    assert kept == names - {"02_segment", "03_train"} | cut | trained


@pytest.mark.skipif(not warm.possible(), reason="programs are begun warm on Linux alone")
def test_programs_shared_one_import_whose_process_has_ended(made: Paper) -> None:
    programs = list(pd.read_csv(made.run / "costs.csv")["program"])
    assert programs[0] == "imports"
    assert {"08_rivals kernel", "03_train_running_all_entire kernel", "07_claims kernel"} <= set(programs)
    until = time.monotonic() + 30
    while list((made.build / "warm").iterdir()):
        assert time.monotonic() < until, "it goes on although make has ended"
        time.sleep(0.1)


def test_what_is_said_on_the_terminal_is_ours(made: Paper) -> None:
    assert "07_claims: " in made.said
    assert [word for word in ("Ctrl-C", "--existing", "Traceback", "Warning") if word in made.said] == []


def test_make_is_told_what_code_each_notebook_runs(made: Paper) -> None:
    told = {path.stem: path.read_text() for path in (made.run / "reads").glob("*.mk")}
    assert set(told) == {path.stem for path in (made.run / "executed").glob("*.ipynb")}
    assert [page for page, text in told.items() if "nem2e_lib/paper/run.py" not in text] == []
    assert [page for page, text in told.items() if "nem2e_lib/paper/what_holds.py" in text] == ["07_claims"]


def test_a_refiner_is_published_with_an_example_that_it_refines(made: Paper) -> None:
    folder = made.out / "refiner"
    refiner = Refiner.load(folder / "running.refiner")
    assert refiner.manifest.synthetic
    assert refiner.manifest.training.held_out_units == 3
    refined = refiner.refine(folder / "example_activation.sto", grf=folder / "example_grf.mot")
    assert len(refined.refined) == 3
    assert refined.notes[0].startswith("SYNTHETIC")


def test_a_second_make_does_nothing(made: Paper) -> None:
    assert made.make("-q").returncode == 0
    assert "Nothing to be done" in made.make().stdout


@pytest.mark.slow
def test_a_changed_figure_notebook_runs_with_what_follows_but_no_training(made: Paper) -> None:
    trained, published = made.times("*/*.nc"), (made.out / "index.html").stat().st_mtime_ns
    done = made.make("-W", "notebooks/05_attention.ipynb")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^(\d\d)_\w+ →", done.stdout, flags=re.MULTILINE) == ["05", "07"]
    assert made.times("*/*.nc") == trained
    assert (made.out / "index.html").stat().st_mtime_ns > published
    assert made.make("-q").returncode == 0


def test_a_changed_training_notebook_trains_again(made: Paper) -> None:
    planned = made.make("-n", "-W", "notebooks/03_train.ipynb").stdout
    assert len(re.findall(r"notebooks/03", planned)) == 6


def test_an_emptied_out_is_filled_again_without_running_anything(made: Paper) -> None:
    shutil.rmtree(made.out)
    done = made.make()
    assert "→" not in done.stdout
    assert (made.out / "index.html").exists()


def test_another_seed_is_another_run(made: Paper) -> None:
    planned = made.make("-n", "SEED=1").stdout
    assert len(re.findall(r"notebooks/03", planned)) == 6
    assert "smoke-seed1" in planned


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PROFILE=tiny"], "PROFILE=tiny is not a profile: choose one of smoke demo long paper"),
        (["SEED=one"], "SEED=one is not a whole number"),
        (["STUDY=/nowhere"], "STUDY=/nowhere holds no study.toml"),
        (["PROFILE=smoke", "OUT=figures"], "never writes into figures/"),
    ],
)
def test_a_bad_argument_is_told_at_once_in_one_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = make("paper", f"BUILD={tmp_path / 'build'}", f"OUT={tmp_path / 'out'}", *arguments)
    assert done.returncode != 0
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def study_folder(folder: Path) -> Path:
    """Write a study without a trial."""
    folder.mkdir()
    settings = ['name = "x"', 'motion = "walking"', 'simulated_by = "CMC"', "synthetic = true"]
    (folder / "study.toml").write_text("\n".join([*settings, "[emg]", 'soleus = "soleus_r"', ""]))
    (folder / "trials.csv").write_text("trial,subject,speed,speed_m_s,activation,emg,grf\n")
    return folder


def test_an_empty_study_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    study, out = study_folder(tmp_path / "my study"), tmp_path / "out"
    done = make("paper", "PROFILE=smoke", f"STUDY={study}", BUILD=str(tmp_path / "build"), OUT=str(out))
    assert done.returncode != 0
    assert "01_download.ipynb, code cell" in done.stderr
    assert "trials.csv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "my folder"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    done = make("paper", "PROFILE=smoke", BUILD=str(tmp_path / "build"), OUT=str(out))
    assert done.returncode != 0
    assert "thesis.txt" in done.stderr
    assert (out / "thesis.txt").read_text() == "mine"
    assert not (tmp_path / "build" / "smoke-seed0" / "run.json").exists()


@pytest.mark.slow
def test_a_study_of_ones_own_gets_the_same_pages(tmp_path: Path) -> None:
    study = write_study("walking", tmp_path / "my study", subjects=3, speeds=2)
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace('motion = "walking"', 'motion = "stairs"'))
    out = tmp_path / "out"
    done = make("paper", "PROFILE=smoke", f"STUDY={study}", BUILD=str(tmp_path / "build"), OUT=str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((out / "results.json").read_text())
    assert {row["study"] for row in results["results"]} == {"study-my-study"}
    assert {row["verdict"] for row in results["claims"] if row["dataset"] == "running"} == {"cannot be tested"}
    assert (out / "03_train_study-my-study_all_entire.html").exists()


@pytest.mark.slow
@pytest.mark.realdata
def test_open_recordings_get_the_same_pages_and_nothing_is_done_twice(tmp_path: Path, realdata: Path) -> None:
    before = committed_figures()
    asked = ["paper", "DATA=open", "PROFILE=smoke", f"BUILD={tmp_path / 'build'}"]
    where = {"NEM2E_REALDATA": str(realdata), "NEM2E_CACHE": str(tmp_path / "cache")}
    done = make(*asked, **where)
    assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / "build" / "open-smoke-seed0" / "figures"
    rows = json.loads((out / "results.json").read_text())["results"]
    assert {row["study"] for row in rows} == {"children", "runner"}
    assert not any(row["synthetic"] for row in rows)
    pages = {path.name for path in out.glob("*.html")}
    assert {"index.html", "01_download.html", "04_statistics.html", "08_rivals.html", "what_holds.html"} <= pages
    assert {f"03_train_{study}_{c}.html" for study in ("children", "runner") for c in CONDITIONS} <= pages
    assert "Nothing to be done" in make(*asked, **where).stdout
    assert committed_figures() == before, "a smoke run wrote into figures/"
