"""The learning study: its levels, its table, and what 13_controls shows of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies import NOT_SHOWN, learning
from nem2e_lib.paper.studies.learning import STUDY, levels
from tests.support.cells import run_sections

SECTION = ("Learning curves, and what training lacked",)


def run(folder: Path, own: bool = False) -> Run:
    made = folder if own else folder / "studies"
    return Run(folder, "smoke", 0, {"walking": made / "walking"}, "13_controls")


def test_the_committed_learning_study_is_drawn_and_tells_its_provenance(tmp_path: Path) -> None:
    names = run_sections("13_controls", *SECTION, run=run(tmp_path), learning="")
    assert [one.entry.name for one in names["shown"]] == [
        "controls_learning",
        "controls_generalising",
        "touch_learning",
        "controls_learning_summary",
    ]
    rows = pd.read_csv(STUDY)
    for fact in ("units", "updates", "seed"):
        assert str(rows[fact].iloc[0]) in learning.where(rows)
    assert "SYNTHETIC" in learning.where(rows)
    assert rows["er"].notna().all()


def test_ones_own_study_is_not_shown_the_synthetic_curve(tmp_path: Path) -> None:
    names = run_sections("13_controls", *SECTION, run=run(tmp_path, own=True), learning="")
    assert names["shown"] == [NOT_SHOWN] * 4
    assert not (tmp_path / "site").exists()
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for name, said in (("nowhere.csv", "there is no such table"), ("x.csv", "has no column 'experiment'")):
        with pytest.raises(Nem2eError, match=said):
            learning.read(str(tmp_path / name))


def test_ones_own_table_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    rows = learning.read()
    few = rows[(rows["study"] == rows["study"].iloc[0]) & rows["experiment"].str.startswith("training")]
    few.assign(synthetic=False).to_csv(tmp_path / "learning.csv", index=False)
    own = str(tmp_path / "learning.csv")
    names = run_sections("13_controls", *SECTION, run=run(tmp_path, own=True), learning=own)
    shown = [one.entry.name for one in names["shown"]]
    assert shown == ["controls_learning", "touch_learning", "controls_learning_summary"]
    assert "speed left out cannot be tested" in names["where"]
    assert "this study" in names["where"]


def test_levels_of_two_motions_hold_every_experiment() -> None:
    from nem2e_lib.data.synthetic import Knobs, synthetic_cycles

    made = {motion: synthetic_cycles(motion, Knobs(), 0, subjects=3, speeds=2) for motion in ("walking", "running")}
    run = SimpleNamespace(studies=made, segment=lambda name: (made[name], None))
    found = list(levels(run))  # type: ignore[arg-type]
    assert {one.experiment for one in found} == {"training units", "training cycles", "speed left out", "motion"}
    assert len({one.name for one in found}) == len(found)
    assert {one.cycles.sizes["channel"] for one in found if one.experiment == "motion"} == {5}
    assert {one.cycles.sizes["channel"] for one in found if one.experiment != "motion"} == {3}
