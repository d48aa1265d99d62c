"""What 13_controls shows, from planted models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nem2e_lib.paper.run import Run
from tests.support.cells import run_sections
from tests.support.planted import copying, replaying, study

SECTIONS = ("One change, by hand", "Changed inputs", "Moved inputs", "How far outputs follow", "Verdict")


def asked(folder: Path, **options: Any) -> dict[str, Any]:
    """Run the notebook on models that copy their input (One-Entire) and on models that replay a curve (All-Entire)."""
    made = {
        "one_entire": study(models=copying, **options),
        "all_entire": study(models=replaying, condition="all_entire", **options),
    }
    named = {name: replace(one, results=one.results.assign_attrs(study="walking")) for name, one in made.items()}
    results = {name: one.results for name, one in named.items()}
    run = Run(folder, "smoke", 0, {"walking": folder / "studies" / "walking"}, "13_controls")
    return run_sections(
        "13_controls",
        *SECTIONS,
        run=run,
        trained={("walking", name): one for name, one in named.items()},
        results={"walking": {"one_quarter": results["one_entire"].assign_attrs(condition="one_quarter"), **results}},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asked(tmp_path_factory.mktemp("run"), subjects=6)


def test_the_page_tells_the_copying_model_from_the_replaying_one(made: dict[str, Any]) -> None:
    by_hand, saved = made["shown"][:2], [one.entry for one in made["shown"][2:]]
    assert len(saved) == 11
    assert all("SYNTHETIC" in one.title for one in [*by_hand, *saved])
    assert all(one.alt for one in saved)
    site = made["run"].site
    found = pd.read_csv(site / "controls_verdicts.csv").set_index("condition")["verdict"]
    assert found.to_dict() == {"one_entire": "needs its input", "all_entire": "replays"}
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
    said = " ".join(made["cannot"])
    assert "another subject cannot be tested" in said
    assert "held-out unit is a speed" in said
    assert said in made["shown"][-1].entry.caption
    assert all(one.entry.files for one in made["shown"][2:])
