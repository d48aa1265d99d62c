"""The study of what lies outside training: what is planted, what is counted, and what was committed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.paper.studies import reach as study
from nem2e_lib.refiner.reach import MEASURES

MUSCLES = ["soleus_r", "tib_ant_r", "soleus_l", "tib_ant_l"]


def cycles(people: int, seed: int, *, synthetic: int = 0, lasts: float = 1.0) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 1, 20)[:, None]
    burst = np.exp(4 * (np.cos(2 * np.pi * (phase - [0.45, 0.05, 0.95, 0.55])) - 1))
    activation = 0.02 + 0.3 * np.exp(rng.normal(0, 0.15, (people, 1, 4))) * burst
    return xr.Dataset(
        {"activation": (("cycle", "sample", "muscle"), activation)},
        coords={
            "muscle": MUSCLES,
            "target": ("channel", ["tib_ant_r", "soleus_r"]),
            "subject": ("cycle", [f"s{n}" for n in range(people)]),
            "start_s": ("cycle", np.zeros(people)),
            "end_s": ("cycle", lasts * np.exp(rng.normal(0, 0.05, people))),
        },
        attrs={"study": "made", "synthetic": synthetic},
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return study.table({"one": cycles(6, 0), "two": cycles(5, 1, synthetic=1, lasts=0.5)})


def test_changes_by_hand():
    activation, seconds = np.arange(80.0).reshape(1, 20, 4) / 80, np.ones(1)
    made = study.changes(MUSCLES)
    np.testing.assert_array_equal(made["left for right"](activation, seconds)[0], activation[:, :, [2, 3, 0, 1]])
    swapped = made["tib_ant_r and soleus_r swapped"](activation, seconds)[0]
    np.testing.assert_array_equal(swapped, activation[:, :, [1, 0, 2, 3]])
    np.testing.assert_allclose(made["every second sample"](activation, seconds)[0][:, :19], activation[:, :19])
    np.testing.assert_array_equal(made["duration x 0.7"](activation, seconds)[1], [0.7])
    closed = np.sin(2 * np.pi * np.arange(20) / 19)[None, :, None] * np.ones(4)
    later = made["25% of the cycle later"](closed, seconds)[0]
    np.testing.assert_allclose(later[0, :, 0], np.sin(2 * np.pi * (np.arange(20) / 19 - 0.25)), atol=0.02)
    assert "left for right" not in study.changes(["soleus_r", "tib_ant_r"])


def test_every_way_to_tell_is_asked_of_everything(table):
    assert set(table["method"]) == {study.REACH, *study.OTHERS}
    assert len(table) % 4 == 0
    counted = table.groupby("method").size()
    assert (counted == counted.iloc[0]).all()
    across = table[table["used_on"] != study.LEFT_OUT]
    assert set(zip(across["trained_on"], across["used_on"], strict=True)) == {("one", "two"), ("two", "one")}
    assert across["synthetic"].all()
    assert not table[(table["trained_on"] == "one") & (table["used_on"] == study.LEFT_OUT)]["synthetic"].any()
    assert (table["cycles_outside"] <= table["cycles"]).all()
    assert (table["units_outside"] <= table["units"]).all()


def test_what_is_planted_is_found_and_people_are_let_alone(table):
    own = table[(table["method"] == study.REACH) & (table["reads"] == study.ALL)]
    left_out = own[(own["trained_on"] == "one") & (own["used_on"] == study.LEFT_OUT)].set_index("change")
    assert left_out.loc[study.UNCHANGED, "units_outside"] <= 2
    for change in ("10% of the cycle later", "left for right", "tib_ant_r and soleus_r swapped"):
        assert left_out.loc[change, "cycles_outside"] == 6
    assert left_out.loc["10% of the cycle later", "foremost"] == "timing"
    across = own[own["used_on"] != study.LEFT_OUT]
    assert (across["cycles_outside"] == across["cycles"]).all()
    assert set(across["foremost"]) == {"duration"}
    nearest = table[(table["method"] == study.NEAREST) & (table["change"] == "duration x 1.4")]
    assert (nearest["cycles_outside"] < nearest["cycles"]).all()  # it does not look at durations


def test_what_was_committed():
    """Children and a runner are told apart, and one child in ten lies beyond what the others set."""
    kept = pd.read_csv(study.TABLE, keep_default_na=False)
    own = kept[(kept["method"] == study.REACH) & (kept["reads"] == study.ALL) & (kept["change"] == study.UNCHANGED)]
    of = own.set_index(["trained_on", "used_on"])
    runner = of.loc[("children", "runner")]
    assert runner["cycles_outside"] / runner["cycles"] > 0.9
    assert of.loc[("children", study.LEFT_OUT), "units_outside"] <= 1
    assert set(own["foremost"]) <= set(MEASURES)
    assert set(kept["synthetic"]) == {True, False}
