"""Rivals that are evaluated beside the trainings are those that 08_rivals then finds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nem2e_lib.data.cycles.segment import save_cycles
from nem2e_lib.data.synthetic import synthetic_cycles
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import head_start
from nem2e_lib.paper.run import Run
from nem2e_lib.rivals import evaluate, rival
from tests.support.cells import run_sections

NAMES = ("identity", "mean_curve", "ridge_all")


@dataclass(frozen=True)
class Refuses:
    """A method that refuses every study."""

    name = "refuses"

    def fit(self, simulated: object, measured: object) -> Any:
        raise Nem2eError("There is not enough of it.")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    content = {"profile": "smoke", "seed": 0, "studies": {"walking": str(tmp_path)}}
    (tmp_path / "run.json").write_text(json.dumps(content))
    (tmp_path / "walking").mkdir()
    save_cycles(synthetic_cycles("walking", subjects=3, speeds=2), tmp_path / "walking" / "cycles.nc")
    return Run.open(str(tmp_path), "08_rivals")


def test_what_was_evaluated_beside_is_found_by_the_notebook(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    urgency: list[int] = []
    monkeypatch.setattr(head_start.os, "nice", urgency.append)
    monkeypatch.setattr(head_start, "every", lambda: [Refuses(), *map(rival, NAMES)])
    head_start.main(str(run.folder))
    assert urgency == [head_start.LEAST_URGENT]
    kept = sorted(run.of("walking", "rivals").glob("*.nc"))
    assert [path.stem for path in kept] == sorted(NAMES)
    before = [path.stat().st_mtime_ns for path in kept]

    channels = list(run.plan("walking", "one_entire").grid.channel_names)
    stand_in = evaluate(run.cycles("walking").sel(channel=channels), rival("mean_curve"))
    trained = {"walking": {"one_entire": stand_in.assign_attrs(condition="one_entire")}}
    run_sections("08_rivals", "Every rival, every fold", run=run, trained=trained, rivals=" ".join(NAMES))
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert run.of("walking", "rivals/ridge_all-told.nc").exists()  # what is not there it evaluates itself
