"""Training within a run asks before it keeps a processor busy for hours."""

import json

import pytest

from nem2e_lib.data.cycles.segment import save_cycles
from nem2e_lib.data.synthetic import synthetic_cycles
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import run as trainer
from nem2e_lib.paper.run import Run
from nem2e_lib.training.config import profile

SMOKE = profile("smoke")


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"profile": "smoke", "seed": 0, "studies": {"walking": "."}}))
    (tmp_path / "walking").mkdir()
    save_cycles(synthetic_cycles("walking", subjects=3, speeds=2), tmp_path / "walking" / "cycles.nc")
    return Run.open(str(tmp_path))


def test_long_training_must_be_confirmed(run, monkeypatch):
    monkeypatch.setattr(trainer, "LONG", 0.0)
    with pytest.raises(
        Nem2eError, match=r"walking-synthetic-2, one_entire: 9 models, .* on this processor; .* CONFIRM=1"
    ):
        run.train("walking", "one_entire")
    assert not (run.folder / "walking" / "one_entire.nc").exists()
    assert run.train("walking", "one_entire", confirm=True).sizes["fold"] == 3


def test_what_is_finished_costs_nothing(run):
    assert "To train: 9 models" in str(run.plan("walking", "one_entire", SMOKE))
    assert run.train("walking", "one_entire", seeds=2).sizes["seed"] == 2
    assert str(run.plan("walking", "one_entire", SMOKE, seeds=2)).endswith("all were found finished.")
    assert "To train: 9 models" in str(run.plan("walking", "one_entire", SMOKE, seeds=3))
