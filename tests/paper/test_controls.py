"""What 13_controls shows, from planted models and tables."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import controls, generalising
from nem2e_lib.paper.studies.learning import STUDY, levels
from tests.support.planted import copying, replaying, study


def asked(folder: Path, **options: object) -> controls.Controls:
    trained = {
        "one_entire": study(models=copying, **options),
        "all_entire": study(models=replaying, condition="all_entire", **options),
    }
    results = {condition: one.results.assign_attrs(study="walking") for condition, one in trained.items()}
    found = SimpleNamespace(
        run=SimpleNamespace(site=folder, is_synthetic=True),
        trained={"walking": results},
        cycles={"walking": trained["one_entire"].cycles},
        synthetic=lambda study: True,
        any_synthetic=True,
    )
    made = controls.Controls(found)  # type: ignore[arg-type]
    made.__dict__["trained"] = {
        ("walking", c): type(one)(one.cycles, results[c], one.models, one.tokens) for c, one in trained.items()
    }
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> controls.Controls:
    return asked(tmp_path_factory.mktemp("site"), subjects=5)


def test_the_page_tells_the_copying_model_from_the_replaying_one(made: controls.Controls) -> None:
    shown = [controls.verdict(made), *controls.changed(made), *controls.moved(made), *controls.followed(made)]
    assert all("SYNTHETIC" in one.entry.title for one in shown)
    assert all(one.entry.alt for one in shown)
    site = made.found.run.site
    found = pd.read_csv(site / "controls_verdicts.csv").set_index("condition")["verdict"]
    assert found.to_dict() == {"one_entire": "learns", "all_entire": "replays"}
    slopes = pd.read_csv(site / "controls_shift_slope.csv").set_index("condition")["share"]
    assert slopes["one_entire"] == pytest.approx(1.0, abs=0.06)
    assert slopes["all_entire"] == 0.0
    followed = pd.read_csv(site / "controls_following_table.csv").set_index(["method", "measure"])["mean"]
    assert followed["mean_curve", "slope"] == 0.0
    assert followed["one_entire", "slope"] == pytest.approx(1.0, abs=0.1)
    rises = pd.read_csv(site / "controls_summary.csv").set_index(["condition", "control"])["rise"].dropna()
    assert (rises["one_entire"] > 0).all()
    assert (rises["all_entire"] == 0).all()


def test_one_subject_is_told_what_cannot_be_tested(tmp_path: Path) -> None:
    made = asked(tmp_path, subjects=1, speeds=4)
    said = " ".join(made.cannot)
    assert "another subject cannot be tested" in said
    assert "held-out unit is a speed" in said
    for one in [controls.verdict(made), *controls.changed(made), *controls.moved(made), *controls.followed(made)]:
        assert one.entry.files


def test_the_committed_learning_study_is_drawn_and_tells_its_provenance(tmp_path: Path) -> None:
    run = SimpleNamespace(site=tmp_path, is_synthetic=True)
    learned = generalising.Learning(SimpleNamespace(run=run))  # type: ignore[arg-type]
    shown = generalising.exhibits(learned)
    assert [one.entry.name for one in shown] == [
        "controls_learning",
        "controls_generalising",
        "controls_learning_summary",
    ]
    rows = pd.read_csv(STUDY)
    for fact in ("units", "updates", "seed"):
        assert str(rows[fact].iloc[0]) in learned.where
    assert "SYNTHETIC" in learned.where
    assert rows["er"].notna().all()


def test_ones_own_study_is_not_shown_the_synthetic_curve(tmp_path: Path) -> None:
    run = SimpleNamespace(site=tmp_path, is_synthetic=False)
    learned = generalising.Learning(SimpleNamespace(run=run))  # type: ignore[arg-type]
    assert generalising.exhibits(learned) == []
    assert "says nothing about this study" in learned.where
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for name, said in (("nowhere.csv", "there is no such table"), ("x.csv", "has no column 'experiment'")):
        with pytest.raises(Nem2eError, match=said):
            _ = generalising.Learning(SimpleNamespace(run=run), str(tmp_path / name)).rows  # type: ignore[arg-type]


def test_levels_of_two_motions_hold_every_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    from nem2e_lib.data.synthetic import Knobs, synthetic_cycles

    made = {motion: synthetic_cycles(motion, Knobs(), 0, subjects=3, speeds=2) for motion in ("walking", "running")}
    monkeypatch.setattr("nem2e_lib.paper.studies.learning.cut", lambda run, name: (made[name], None))
    found = list(levels(SimpleNamespace(studies=made)))  # type: ignore[arg-type]
    assert {one.experiment for one in found} == {"training units", "training cycles", "speed left out", "motion"}
    assert len({one.name for one in found}) == len(found)
    assert {one.cycles.sizes["channel"] for one in found if one.experiment == "motion"} == {5}
    assert {one.cycles.sizes["channel"] for one in found if one.experiment != "motion"} == {3}
