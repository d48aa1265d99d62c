"""One person at one speed: every step from folds to pages names blocks of cycles and claims nothing of other people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import leaderboard, metrics, statistics
from nem2e_lib.analysis.claims.evidence import Evidence, Untestable
from nem2e_lib.analysis.contrasts import METHODS, NOT_SHOWN, judged, of_family
from nem2e_lib.cli.inspect import inspect
from nem2e_lib.paper import tables
from nem2e_lib.paper.answers import Site, answers
from nem2e_lib.paper.shared_tables import CONTRASTS
from nem2e_lib.refiner import Refiner, train
from nem2e_lib.refiner.manifest import ONE_SPEED, OTHER_CYCLES, SYNTHETIC
from nem2e_lib.rivals import evaluate, rival, simulated_cycles
from nem2e_lib.rivals.protocol import inner_folds
from nem2e_lib.site.saving import entries, save, write_csv
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.folds import leave_one_out
from nem2e_lib.training.results import load_results, save_results
from nem2e_lib.training.train import train_condition
from nem2e_lib.training.units import CAVEAT
from tests.support.small import make_cycles
from tests.support.small_refiner import recording, write_cycles

TINY = Configuration(units=3, epochs=1)


@pytest.fixture(scope="module")
def cycles() -> xr.Dataset:
    made = make_cycles((11,), speeds=("free",))
    time = 1.1 * np.arange(11.0)
    return made.assign_coords(
        trial=("cycle", ["walk"] * 11), start_s=("cycle", time), end_s=("cycle", time + 1.0)
    ).assign_attrs(synthetic=0)


@pytest.fixture(scope="module")
def results(cycles: xr.Dataset) -> xr.Dataset:
    return train_condition(cycles, "one_entire", TINY, progress=False)


@pytest.mark.slow
def test_a_condition_is_trained_over_blocks_and_its_file_says_so(results: xr.Dataset, tmp_path: Path) -> None:
    save_results(results, tmp_path / "one_entire.nc")
    told = metrics.errors(load_results(tmp_path / "one_entire.nc"))
    assert set(told["unit"]) == {"block"}
    assert told.groupby("label")["n_cycles"].first().to_dict() == {
        "block 1": 3,
        "block 2": 2,
        "block 3": 2,
        "block 4": 2,
        "block 5": 2,
    }
    assert np.isfinite(results.refined.values).all()
    assert inspect(tmp_path / "one_entire.nc")["warning"] == CAVEAT


def test_rivals_choose_on_inner_folds_of_blocks(cycles: xr.Dataset) -> None:
    simulated, folds = simulated_cycles(cycles), leave_one_out(cycles)
    training = simulated.take(folds.of_cycle != 0)
    left = [set(training.unit[out]) for _, out in inner_folds(training)]
    assert left == [{"block 2"}, {"block 3"}, {"block 4"}, {"block 5"}]


def test_tables_and_the_leaderboard_name_blocks_and_say_what_they_do_not_tell(
    cycles: xr.Dataset, results: xr.Dataset, tmp_path: Path
) -> None:
    errors = pd.concat([metrics.errors(results), metrics.errors(evaluate(cycles, rival("mean_curve")))])
    units = leaderboard.per_unit(errors)
    assert units.groupby("method")["label"].nunique().to_dict() == {"mean_curve": 5, "one_entire": 5}
    summary = statistics.summary(metrics.errors(results))
    assert set(zip(summary["unit"], summary["n_units"], strict=True)) == {("block", 5)}
    table = tables.results_table(summary, study="tiny", number=None, synthetic=False)
    assert "n = 5 held-out blocks of cycles" in table.caption
    save(table, "results", tmp_path, page="here")
    assert entries(tmp_path, "here")[0].caption.endswith(CAVEAT)


def test_nothing_is_claimed_of_people(results: xr.Dataset, tmp_path: Path) -> None:
    table = metrics.errors(results)
    evidence = Evidence(table, statistics.summary(table), pd.DataFrame(), {}, {"tiny": "running"})
    with pytest.raises(Untestable, match="has one subject"):
        evidence.study("running")
    units = pd.concat([leaderboard.per_unit(table), leaderboard.per_unit(table).assign(method="mean_curve", er=-0.2)])
    write_csv(tmp_path / CONTRASTS.file, judged(units, of_family(METHODS)))
    told = [one for one in answers(Site(tmp_path, {"tiny": "block"}), ["tiny"]) if one.page == CONTRASTS.page]
    curve = next(one for one in told if one.about == "One-Entire" and "mean EMG curve" in one.question)
    assert curve.verdict == NOT_SHOWN  # five blocks of one recording show nothing
    assert "the mean EMG of the same person's other blocks of cycles" in curve.evidence
    assert CAVEAT in curve.evidence
    assert not any("people" in one.question or "person" in one.question for one in told)


@pytest.mark.slow
def test_a_refiner_warns_in_its_manifest_and_at_every_use(cycles: xr.Dataset, tmp_path: Path) -> None:
    made = train(cycles, "one_entire", TINY, muscles=["soleus"], progress=False)
    made.save(tmp_path / "one.refiner")
    kept = Refiner.load(tmp_path / "one.refiner")
    told = kept.manifest
    assert (told.training.held_out_by, told.training.held_out_units) == ("block", 5)
    assert told.warning == f"{ONE_SPEED} {OTHER_CYCLES}"
    assert "leaving out 5 blocks of cycles one by one" in str(told)
    assert told.warning in str(told)
    spans = write_cycles(tmp_path / "c.csv", [(0, 0.5, 1.5)])
    assert told.warning in kept.refine(recording(), cycles=spans).notes
    assert not any("SYNTHETIC" in note for note in kept.refine(recording(), cycles=spans).notes)


@pytest.mark.parametrize(
    ("speeds", "synthetic", "expected"),
    [
        (("free",), 0, ONE_SPEED),
        (("free",), 1, f"{SYNTHETIC} {ONE_SPEED}"),
        (("slow", "fast"), 0, ""),
    ],
)
def test_the_warning_says_what_is_so(speeds: tuple[str, ...], synthetic: int, expected: str) -> None:
    cycles = make_cycles((4,), speeds=speeds).assign_attrs(synthetic=synthetic)
    refiner = train(cycles, "one_entire", TINY, muscles=["soleus"], leave_out=False, progress=False)
    assert refiner.manifest.warning == expected
