"""Tests of attention on maps whose answer is planted."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import spearmanr

from nem2e_lib.analysis import attention, attention_tests
from nem2e_lib.data.synthetic import Knobs, drive, synthetic_cycles
from nem2e_lib.error import Nem2eError

MUSCLES = [f"m{i:03d}_r" for i in range(92)]
RNG = np.random.default_rng(0)


def a_map(weights, names=MUSCLES):
    """The same weights for every output."""
    values = np.tile(np.asarray(weights, float), (20, 1))
    return xr.DataArray(values, {"output": np.linspace(0, 100, 20), "token": names}, ("output", "token"))


def orders(count=5):
    return {str(seed): list(np.random.default_rng(seed).permutation(MUSCLES)) for seed in range(count)}


def test_attention_that_follows_muscles_or_places_is_told_apart():
    weights, read = dict(zip(MUSCLES, RNG.normal(size=92), strict=True)), orders()
    to_muscles = {name: a_map([weights[m] for m in MUSCLES]) for name in read}
    by_place = np.sort(RNG.normal(size=92))
    to_places = {name: a_map([by_place[order.index(m)] for m in MUSCLES]) for name, order in read.items()}
    muscles, places = (attention_tests.order_overlap(maps, read) for maps in (to_muscles, to_places))
    chance = attention.chance_jaccard(10, 92)
    assert len(muscles) == 10 * 3
    assert (muscles["by_muscle"] == 1).all()
    assert (places["by_position"] == 1).all()
    assert muscles["by_position"].mean() == pytest.approx(chance, abs=0.05)
    assert places["by_muscle"].mean() == pytest.approx(chance, abs=0.05)
    # the heaviest places are the last ten: a run of neighbours
    assert (places["neighbours"] == 9).all()
    assert muscles["neighbours"].mean() < 3


def test_one_order_is_no_comparison():
    with pytest.raises(Nem2eError, match="1 order given, expected two or more"):
        attention_tests.order_overlap({"file": a_map(np.ones(92))}, {"file": MUSCLES})


def test_rank_agreement_is_scipys_spearman():
    a, b = RNG.normal(size=(2, 6, 30))
    b[:, :3] = b[:, :1]
    each = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    assert attention_tests.rank_agreement(a, b) == pytest.approx(np.mean(each))
    b[2] = 1.0
    assert attention_tests.rank_agreement(a, b) == pytest.approx(np.mean([r for i, r in enumerate(each) if i != 2]))
    assert np.isnan(attention_tests.rank_agreement(a, np.ones_like(a)))


def test_steadiness_of_equal_and_of_unrelated_maps():
    one, other = a_map(RNG.normal(size=92)), a_map(RNG.normal(size=92))
    table = attention_tests.steadiness({"0": one, "1": one, "2": other}).set_index(["a", "b"])
    assert table.loc[("0", "1"), "spearman"] == pytest.approx(1.0)
    assert table.loc[("0", "1"), "jaccard"] == 1.0
    assert abs(table.loc[("0", "2"), "spearman"]) < 0.3
    assert isinstance(attention_tests.steadiness({"0": one}), pd.DataFrame)


def test_precision_counts_what_is_informative():
    weights = np.zeros(92)
    weights[:10] = 1 + np.arange(10)
    assert attention_tests.precision(a_map(weights), MUSCLES[:10]) == 1.0
    assert attention_tests.precision(a_map(weights), MUSCLES[5:15]) == 0.5
    assert attention_tests.precision(a_map(weights), MUSCLES[50:60]) == 0.0


def test_synergists_of_a_muscle_are_of_its_side_and_itself_first():
    found = attention_tests.synergists(drive("running", Knobs(unevenness=0.0, second_synergy=0.0)), "soleus_l")
    assert found[0] == "soleus_l"
    assert len(set(found)) == 10
    assert all(name.endswith("_l") for name in found)
    assert "med_gas_l" in found


def test_planted_muscles_carry_everything_and_the_others_nothing():
    cycles = synthetic_cycles("running", subjects=2, speeds=2)
    study, chosen = attention_tests.planted(cycles, "tib", seed=1)
    assert list(study.channel.values) == ["tib"]
    assert chosen[0] == "tib_ant_r"
    assert len(set(chosen)) == 10
    known = study.activation.sel(muscle=chosen)
    before = cycles.activation.sel(muscle=chosen)
    gains = (known / before).where(before > 1e-6)
    assert float(gains.std(["sample", "muscle"]).max()) < 1e-9
    assert float(gains.mean(["sample", "muscle"]).std("cycle")) > 0.05
    expected = (known / known.max(["cycle", "sample"])).mean("muscle")
    np.testing.assert_allclose(study.emg.sel(channel="tib").transpose("cycle", "sample"), expected)
    for name in set(map(str, cycles.muscle.values)) - set(chosen):
        before, after = (one.activation.sel(muscle=name).values for one in (cycles, study))
        np.testing.assert_array_equal(np.sort(before, axis=0), np.sort(after, axis=0))
    assert not np.allclose(study.activation.sel(muscle="soleus_l"), cycles.activation.sel(muscle="soleus_l"))


@pytest.mark.parametrize("shift", [-2, 0, 3])
def test_lags_of_a_planted_map(shift):
    weights = np.eye(20, k=shift) + 1e-3
    results = xr.Dataset(
        {
            "attention": (("seed", "channel", "cycle", "output", "token"), weights[None, None, None]),
            "gradient": (("seed", "channel", "fold", "output", "token"), weights[None, None, None]),
        },
        {
            "channel": ["tib"],
            "seed": [0],
            "output": range(20),
            "token": range(20),
            "sample": range(20),
            "start_s": ("cycle", [0.0]),
            "end_s": ("cycle", [1.9]),
        },
    )
    found = attention_tests.lags(results, "tib", 0)
    assert found["gradient_ms"] == pytest.approx(100.0 * shift, abs=1)
    assert found["attention_peak_ms"] == pytest.approx(100.0 * shift, abs=1)
    assert found["attention_centre_ms"] == pytest.approx(100.0 * shift, abs=20)
    assert not found["gradient_edge"]


def results(weights, tokens):
    """A trained condition of one seed and channel, three cycles of as many folds; weights (cycle, output, token)."""
    coords = {
        "token": tokens,
        "output": np.linspace(0, 100, weights.shape[1]),
        "channel": ["tib"],
        "fold": ["s0", "s1", "s2"],
        "fold_of_cycle": ("cycle", [0, 1, 2]),
    }
    dims = ("seed", "channel", "cycle", "output", "token")
    attrs = {"study": "made-up", "condition": "all_entire", "synthetic": 1}
    data = {
        "attention": (dims, weights[None, None]),
        "measured": (("channel", "cycle", "sample"), np.ones((1, 3, 4))),
        "diverged": (("seed", "channel", "fold"), np.zeros((1, 1, 3), bool)),
    }
    return xr.Dataset(data, coords, attrs)


def test_entropy_and_steadiness_of_maps_by_hand():
    tokens = [f"m{k}_r" for k in range(12)]
    one = np.tile(np.arange(1.0, 13.0), (3, 4, 1))
    (row,) = attention_tests.entropy_and_steadiness(results(one / one.sum(-1, keepdims=True), tokens)).to_dict(
        "records"
    )
    share = one[0, 0] / one[0, 0].sum()
    expected = -(share * np.log(share)).sum() / np.log(12)
    assert (row["study"], row["condition"], row["muscle"], row["tokens"]) == ("made-up", "all_entire", "tib", 12)
    np.testing.assert_allclose([row["entropy"], row["entropy_low"], row["entropy_high"]], expected)
    assert row["folds_spearman"] == pytest.approx(1.0)
    assert row["folds_jaccard"] == 1.0
    assert row["synthetic"] is True
    mixed = np.stack([share, share, share[::-1]])[:, None].repeat(4, axis=1)
    (row,) = attention_tests.entropy_and_steadiness(results(mixed, tokens)).to_dict("records")
    assert row["folds_spearman"] == pytest.approx((1 - 1 - 1) / 3)
