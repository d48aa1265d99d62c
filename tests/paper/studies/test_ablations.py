"""The committed study of the ablations is whole, what is drawn of it, and that it goes on where it stopped."""

from __future__ import annotations

import pandas as pd
import pytest

from nem2e_lib.analysis.ablations import Bench, Variant, effects, variants
from nem2e_lib.analysis.ablations.variants import WHERE
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.ablations import forest, levels
from nem2e_lib.paper.studies import ablations
from nem2e_lib.paper.studies.ablations import OLD_UPDATES, Committed, Rows, record, study
from nem2e_lib.training.config import Configuration, open_points, profile


def test_the_committed_study_names_what_it_lacks_and_says_what_it_is():
    study = Committed()
    first = study.rows.iloc[0]
    base = profile("demo").with_options(
        units=int(first["base_units"]), updates=int(first.get("asked_updates", OLD_UPDATES))
    )
    wanted = {(v.condition, v.option, str(v.value)) for v in variants(base)}
    have = set(study.effects[["condition", "option", "value"]].itertuples(index=False, name=None))
    assert {option for _, option, _ in have - wanted} == {"seed"}
    assert len(study.missing) == len(wanted - have)
    assert all(name in study.not_run for name in study.missing)
    assert bool(study.not_run) == bool(study.missing)
    assert "SYNTHETIC" in study.provenance
    assert study.rows["label"].nunique() == 10


def test_a_forest_has_one_row_a_variant_and_says_synthetic():
    table = Committed().effects
    drawn = forest(table, note="Made up.", synthetic=True)
    er = table[table["measure"] == "Er"]
    assert drawn.title.startswith("SYNTHETIC")
    labels = [text.get_text() for text in drawn.figure.axes[0].get_yticklabels()]
    assert len(labels) == len(er[["option", "value"]].drop_duplicates())
    assert len(drawn.data) == len(er)


def test_levels_draw_the_default_among_its_values():
    drawn = levels(Committed().effects, note="Made up.", synthetic=True)
    rates = drawn.data[(drawn.data["option"] == "learning_rate") & (drawn.data["condition"] == "one_entire")]
    assert rates["number"].is_monotonic_increasing
    assert (rates["value"] == rates["default"]).sum() == 1
    pd.testing.assert_series_equal(
        rates.loc[rates["value"] == rates["default"], "here"].reset_index(drop=True),
        rates["base"].iloc[:1].reset_index(drop=True),
        check_names=False,
    )


def test_an_open_point_tells_its_largest_effect():
    study, points = Committed(), open_points(Configuration())
    assert {"cycle", "resampling", "arms", "emg_normalisation", "er"} <= {point["id"] for point in points}
    told = {point["point"]: study.effect_of(point) for point in points}
    assert told["Gradient clipping"] == ""
    rows = study.effects[study.effects["option"] == "er"]
    largest = rows.loc[rows["difference"].abs().idxmax()]
    assert told["Er of a subject"].startswith("SYNTHETIC running")
    assert f"{abs(largest['difference']):.2f}" in told["Er of a subject"]
    renamed = [study.effect_of({**point, "point": "Another name"}) for point in points]
    assert renamed == list(told.values())


def test_what_is_told_of_a_reading_is_its_row():
    study = Committed()
    (alone,) = study.studies
    row = study.effects[(study.effects["option"] == "score") & (study.effects["value"] == "dot")].iloc[0]
    told = alone.readings(("score",))
    assert told.startswith("SYNTHETIC running")
    assert f"score = dot: {row['difference']:+.2f}".replace("-", "−") in told.replace("-", "−")
    assert alone.readings(()) == ""


@pytest.mark.slow
def test_ones_own_people_are_varied_in_what_the_network_is(study_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(ablations, "MAIN", ("targets",))
    monkeypatch.setitem(WHERE, "targets", ("one_entire",))
    made = study(tmp_path, units=4, updates=1, seeds=2, variant_seeds=2, own=str(study_folder))
    assert made == tmp_path / "ablations.csv"
    table = Committed(made)
    found = table.effects[["option", "value", "models", "electrodes"]]
    assert found.values.tolist() == [["seed", "1", 4, 2], ["targets", "all", 4, 2]]  # one network, of two seeds a unit
    (alone,) = table.studies
    assert table.missing == alone.missing == []
    assert alone.readings(("targets",)).count("targets = all: ") == 1
    assert "targets" not in alone.readings(("output",))
    assert alone.only in forest(alone.effects, note=alone.provenance, synthetic=alone.synthetic, of=alone.only).title
    assert "simulated by" in table.provenance
    assert "the first 2 of them" in table.provenance
    with pytest.raises(Nem2eError, match="length is 'short', expected 'long' or nothing"):
        study(tmp_path, length="short")


def test_every_study_has_a_yardstick_of_its_own():
    rows = Committed().rows
    wide = rows.assign(study="other", here=lambda t: t["here"].where(t["option"] != "seed", t["here"] + 0.5))
    both = effects(pd.concat([rows, wide], ignore_index=True)).groupby(["study", "condition"])["seed_range"].first()
    here, there = (both[name] for name in (rows["study"].iloc[0], "other"))
    assert (there > here + 0.3).all()


def test_open_points_have_an_id_each():
    ids = [point["id"] for point in open_points(Configuration())]
    assert "" not in ids
    assert len(set(ids)) == len(ids)


def test_a_study_goes_on_where_it_stopped(study_folder, tmp_path):
    bench = Bench(load_study(study_folder), Configuration(units=4, epochs=1), ("sol", "tib"), tmp_path / "models", 2)
    rows, path = Rows(bench, tmp_path / "rows"), tmp_path / "study.csv"
    tasks = [
        "one_entire",
        *(Variant("one_entire", *what, "reanalyse") for what in (("er", "mean_of_ratios"), ("r2", "sse"))),
    ]
    work = [(rows, task) for task in tasks]
    left = iter([True, True, False])
    assert record(work, path, lambda: next(left)) is None
    assert list(dict.fromkeys(Committed(path).rows["option"])) == ["seed", "er"]
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "rows").iterdir()}
    assert record(work, path, lambda: True) == path
    assert list(dict.fromkeys(Committed(path).rows["option"])) == ["seed", "er", "r2"]
    assert {file: file.stat().st_mtime_ns for file in before} == before
    other = Rows(Bench(bench.study, Configuration(units=5, epochs=1), bench.channels, bench.store, 2), rows.folder)
    assert not any(other.path(task).exists() for task in tasks)
