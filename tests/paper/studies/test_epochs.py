"""The choice of epoch: paired differences by hand, what is said of them, and that what is trained is found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nem2e_lib.paper.studies import epochs
from nem2e_lib.training.config import PROFILES, Configuration
from tests.support.small import make_cycles


def made_up(**changes: object) -> pd.DataFrame:
    """Two rules in two conditions of six people; averaging lowers Er by .04 on the mean, least does nothing."""
    noise = np.array([-0.02, 0.0, 0.01, 0.02, -0.01, 0.0])
    parts = [
        pd.DataFrame(
            {
                "study": "children",
                "length": "demo",
                "condition": condition,
                "weights": weights,
                "default": "last",
                "label": [f"p{i}" for i in range(6)],
                "unit": "subject",
                "base": -0.3 + noise,
                "here": -0.3 + noise + shift,
                "kept_epoch": kept,
                "epochs": 71,
                "electrodes": 4,
                "diverged": 0,
                "synthetic": False,
                "commit": "c0ffee",
            }
        )
        for condition in ("one_entire", "all_entire")
        for weights, shift, kept in (
            ("average", np.array([-0.04, -0.03, -0.05, -0.04, -0.04, -0.04]), np.nan),
            ("least", np.array([0.02, -0.02, 0.01, -0.01, 0.0, 0.0]), 30.0),
        )
    ]
    return pd.concat(parts, ignore_index=True).assign(**changes)


def test_differences_are_paired_over_held_out_units() -> None:
    table = epochs.effects(made_up())
    row = table[(table["condition"] == "one_entire") & (table["weights"] == "average")].iloc[0]
    difference = [-0.04, -0.03, -0.05, -0.04, -0.04, -0.04]
    error = np.std(difference, ddof=1) * np.sqrt(1 / 6 + 1 / 5)  # folds share training data: Nadeau & Bengio (2003)
    half = stats.t.ppf(0.975, 5) * error
    assert row[["difference", "ci_low", "ci_high", "p_value"]].tolist() == pytest.approx(
        [-0.04, -0.04 - half, -0.04 + half, 2 * stats.t.sf(0.04 / error, 5)]
    )
    assert (row["n"], row["epochs"], len(table)) == (6, 71, 4)
    smallest = table["p_value"].min()
    assert table["p_holm"].min() == pytest.approx(4 * smallest)
    assert table.set_index("weights")["kept_epoch"].loc["least"].tolist() == [30, 30]


def test_what_is_said_is_what_the_table_says() -> None:
    said = epochs.said(epochs.effects(made_up()))
    assert "average lowers Er surely in 2 of 2 comparisons and raises it in 0" in said
    assert "least lowers Er surely in 0 of 2 comparisons and raises it in 0" in said
    four = made_up()
    four = four[four["label"].isin(["p0", "p1", "p2", "p3"])]
    assert "average lowers Er surely in 0 of 2 comparisons" in epochs.said(epochs.effects(four))  # too few people
    rows = made_up()
    worse = rows.assign(here=rows["base"] - (rows["here"] - rows["base"]))
    assert "average lowers Er surely in 0 of 2 comparisons and raises it in 2" in epochs.said(epochs.effects(worse))


def test_what_was_not_trained_is_told() -> None:
    told = epochs.not_run(made_up())
    assert "One-Entire for as long as long" in told
    assert "One-Quarter for as long as demo" in told
    assert "One-Entire for as long as demo" not in told
    assert told in epochs.shown(made_up()).caption
    parts = [
        made_up(length=length).replace({"condition": {"all_entire": other}})
        for length in epochs.LENGTHS
        for other in ("all_entire", "one_quarter")
    ]
    assert epochs.not_run(pd.concat(parts)) == ""


def test_people_alone_or_all_with_what_is_synthetic_named() -> None:
    both = pd.concat([made_up(), made_up(study="walking", synthetic=True)])
    everything, people = epochs.shown(both), epochs.shown(both, people=True)
    assert everything.title.startswith("SYNTHETIC")
    assert "Studies: children, walking (SYNTHETIC)." in everything.caption
    assert not people.synthetic
    assert "walking" not in people.caption
    assert set(people.data["study"]) == {"children"}


def test_the_committed_study_is_paired_and_stands_among_the_open_points() -> None:
    found = epochs.rows()
    keys = ["study", "length", "condition", "weights", "label"]
    assert not found.duplicated(keys).any()
    assert set(found["weights"]) == set(epochs.RULES)
    assert found[["here", "base"]].notna().all().all()
    cells = found.groupby([name for name in keys if name != "weights"])["base"]
    np.testing.assert_allclose(cells.transform("first"), found["base"])
    kept = found[found["weights"] == "least"]
    assert kept["kept_epoch"].between(1, kept["epochs"]).all()
    assert epochs.effect_of({"id": "weights"}).startswith("at most ")
    assert epochs.effect_of({"id": "score"}) == ""


@pytest.mark.slow
def test_a_trial_is_trained_once_and_laid_beside_the_last_epochs_weights(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(PROFILES, "demo", Configuration(units=4, epochs=20, learning_rate=0.01))
    trial = epochs.Trial("tiny", make_cycles(), "demo", "one_entire")
    rows = {weights: trial.rows(weights, tmp_path) for weights in epochs.RULES}
    for weights, made in rows.items():
        assert made["label"].tolist() == ["s0", "s1", "s2"]
        assert made["weights"].eq(weights).all()
        changed = (made["here"] != made["base"]).to_numpy()
        np.testing.assert_array_equal(changed, (made["kept_epoch"] != 20).to_numpy())
    np.testing.assert_array_equal(rows["average"]["base"], rows["least"]["base"])
    assert rows["average"]["kept_epoch"].isna().all()
    assert rows["least"]["kept_epoch"].between(1, 20).all()
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    again = trial.rows("least", tmp_path)
    pd.testing.assert_frame_equal(again, rows["least"])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")} == stamps
