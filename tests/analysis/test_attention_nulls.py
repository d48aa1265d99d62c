"""Nulls of attention: planted maps of which it is known what they say, and second implementations."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest, spearmanr

from nem2e_lib.analysis import attention_nulls as nulls
from nem2e_lib.analysis.attention_nulls import BETWEEN, MEASURES, OTHER_MUSCLES, RANDOM, SLOPE
from nem2e_lib.training.results import load_networks
from tests.support.small import make_cycles
from tests.support.untrained import keep

FOLDS, MUSCLES, TOKENS = 6, 5, 12
NAMES = [f"m{k}_r" for k in range(TOKENS)]


def softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def results(
    scores: np.ndarray, tokens: list[str] | np.ndarray = NAMES, electrodes: list[str] | None = None
) -> xr.Dataset:
    """A trained condition with a cycle a fold; scores of shape (muscles, folds, outputs, tokens)."""
    channels, folds, outputs, _ = scores.shape
    names = [f"muscle{k}" for k in range(channels)]
    place = np.linspace(0, 100, outputs)
    return xr.Dataset(
        {
            "attention": (("seed", "channel", "cycle", "output", "token"), softmax(scores)[None]),
            "diverged": (("seed", "channel", "fold"), np.zeros((1, channels, folds), bool)),
        },
        {
            "seed": [0],
            "channel": names,
            "electrode": ("channel", electrodes or names),
            "output": place,
            "sample": place,
            "token": tokens,
            "fold": [f"s{k}" for k in range(folds)],
            "fold_of_cycle": ("cycle", np.arange(folds)),
            "start_s": ("cycle", np.zeros(folds)),
            "end_s": ("cycle", np.ones(folds)),
        },
        {"study": "made-up", "condition": "all_entire", "unit": "subject", "synthetic": 1},
    )


def depends(like: xr.Dataset, scores: np.ndarray) -> xr.Dataset:
    dims = ("channel", "fold", "output", "token")
    coords = {name: like[name] for name in dims}
    table = {name: (dims, softmax(scores)) for name in MEASURES}
    return xr.Dataset(table | {"gap": (dims[:2], np.full(scores.shape[:2], 0.01))}, coords)


def table(of: xr.Dataset, beside: xr.Dataset | None = None, draws: int = 400):
    return nulls.against_nulls(of, beside, draws).set_index(["test", "null"])


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_likeness_is_scipys_spearman() -> None:
    one, other = results(noise(0, 2, 3, 4, TOKENS)), results(noise(1, 2, 3, 4, TOKENS))
    maps = [nulls.fold_maps(each) for each in (one, other)]
    found = nulls.likeness(*maps)
    assert found.shape == (2, 3, 2, 3)
    pair = [maps[0].values[1, 2], maps[1].values[0, 1]]
    assert found[1, 2, 0, 1] == pytest.approx(np.mean([spearmanr(a, b).statistic for a, b in zip(*pair, strict=True)]))


def test_maps_of_the_muscle_are_beyond_both_nulls() -> None:
    own = noise(0, MUSCLES, 1, 8, TOKENS) + 0.3 * noise(1, MUSCLES, FOLDS, 8, TOKENS)
    rows = table(results(own)).loc[BETWEEN]
    assert rows["value"].iloc[0] > 0.8
    assert (rows["p_value"] < 0.01).all()
    assert (rows["effect"] > 0.5).all()
    assert rows["n"].eq(FOLDS).all()


def test_what_all_maps_share_is_not_the_muscles() -> None:
    shared = noise(0, 1, 1, 8, TOKENS) + 0.3 * noise(1, MUSCLES, FOLDS, 8, TOKENS)
    rows = table(results(shared)).loc[BETWEEN]
    assert rows.loc[OTHER_MUSCLES, "p_value"] > 0.05
    assert rows.loc[OTHER_MUSCLES, "null_mean"] == pytest.approx(rows["value"].iloc[0], abs=0.02)
    assert rows.loc[RANDOM, "p_value"] < 0.01


def test_p_values_of_maps_that_say_nothing_are_uniform() -> None:
    found = []
    for seed in range(60):
        made = results(noise(seed, 4, 4, 3, TOKENS))
        found.append(table(made, depends(made, noise(seed + 1000, 4, 4, 3, TOKENS)), 99)["p_value"])
    for key in ((BETWEEN, OTHER_MUSCLES), (BETWEEN, RANDOM), ("occlusion", OTHER_MUSCLES), ("occlusion", RANDOM)):
        assert kstest([one[key] for one in found], "uniform").pvalue > 0.005, key


def test_agreement_that_is_the_models_own_is_told_from_what_all_share() -> None:
    own, shared = noise(0, MUSCLES, FOLDS, 8, TOKENS), noise(1, 1, 1, 8, TOKENS)
    made = results(own)
    rows = table(made, depends(made, own)).loc["occlusion"]
    assert (rows["p_value"] < 0.01).all()
    assert rows["value"].iloc[0] == pytest.approx(1.0)
    alike = results(shared + 0.1 * own)
    rows = table(alike, depends(alike, shared + 0.1 * noise(2, MUSCLES, FOLDS, 8, TOKENS))).loc["occlusion"]
    assert rows.loc[OTHER_MUSCLES, "p_value"] > 0.05
    assert rows.loc[RANDOM, "p_value"] < 0.01


def test_exchanged_tokens_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = nulls.fold_maps(results(noise(3, 2, 3, 4, TOKENS)))
    orders = [np.random.default_rng(1).permutation(TOKENS)]
    found = nulls._exchanged_tokens(maps, maps, True, 1)[0]
    values = []
    for channel in range(2):
        for a, b in combinations(range(3), 2):
            for left, right in ((a, b), (b, a)):
                one, two = maps.values[channel, left][:, orders[0]], maps.values[channel, right]
                values.append(np.mean([spearmanr(x, y).statistic for x, y in zip(one, two, strict=True)]))
    assert found == pytest.approx(np.mean(values))


def test_the_slope_of_a_diagonal_is_beyond_random_maps_and_a_uniform_maps_is_not() -> None:
    place = np.linspace(0, 100, 20)
    diagonal = -0.5 * ((place[None] - place[:, None]) / 5) ** 2 + 0.1 * noise(0, 3, FOLDS, 20, 20)
    row = table(results(diagonal, place)).loc[(SLOPE, RANDOM)]
    assert row["value"] == pytest.approx(1.0, abs=0.1)
    assert row["p_value"] < 0.01
    flat = table(results(0.01 * noise(1, 3, FOLDS, 20, 20), place)).loc[(SLOPE, RANDOM)]
    assert flat["value"] == pytest.approx(0.0, abs=0.01)
    assert SLOPE not in table(results(diagonal, [f"m{k}_r" for k in range(20)])).index.get_level_values("test")


def test_channels_of_one_electrode_count_once_and_one_muscle_has_no_other() -> None:
    made = results(noise(0, 3, FOLDS, 8, TOKENS), electrodes=["a", "a", "a"])
    rows = table(made).loc[BETWEEN]
    assert rows["muscles"].eq(1).all()
    assert np.isnan(rows.loc[OTHER_MUSCLES, "p_value"])
    assert np.isfinite(rows.loc[RANDOM, "p_value"])


def test_units_without_a_channel_are_left_out() -> None:
    made = results(noise(0, 2, FOLDS, 8, TOKENS))
    lost = made.attention.copy()
    lost[:, 0, 2] = np.nan
    rows = table(made.assign(attention=lost)).loc[BETWEEN]
    assert np.isfinite(rows["value"]).all()
    whole = made.isel(cycle=[0, 1, 3, 4, 5]).isel(channel=[0])
    likeness = nulls.likeness(*(nulls.fold_maps(made.assign(attention=lost)),) * 2)
    assert np.isnan(likeness[0, 2]).all()
    assert whole.sizes["cycle"] == 5


def test_dependence_is_asked_of_every_model_on_a_cycle_that_it_has_not_seen(tmp_path: Path) -> None:
    cycles = make_cycles((2, 2, 2))
    trained, work = keep(tmp_path, cycles, "all_entire")
    found = nulls.dependence(trained, cycles, tmp_path)
    assert {name: found.sizes[name] for name in ("channel", "fold", "output")} == {
        "channel": 2,
        "fold": 3,
        "output": 20,
    }
    assert list(found.token.values) == list(trained.token.values)
    assert float(found.gap.max()) < 0.05
    # occlusion of one token of the second fold's model of the second channel, by hand
    inputs = work.examples.inputs[work.examples.set_of_channel[1]]
    own = inputs[[2 + (1 + 1) % 2]]  # channel 1 and fold 1: the first of its two cycles, 2 and 3
    changed, name = own.copy(), trained.token.values[2]
    place = list(work.examples.tokens).index(name)
    changed[0, place] = inputs[[0, 1, 4, 5]].mean(axis=0)[place]
    network = load_networks(tmp_path, work, "tib")["s1"]
    expected = np.abs(np.asarray(network(own)) - np.asarray(network(changed)))[0]
    np.testing.assert_allclose(found.occlusion.sel(channel="tib", fold="s1", token=name), expected, atol=1e-5)
    rows = nulls.per_muscle(trained, found)
    assert list(rows["test"].unique()) == [*MEASURES, BETWEEN]
    assert rows["folds"].eq(3).all()
    both = nulls.against_nulls(trained, found, 19).set_index("test")
    for test in ("gradient", "occlusion", BETWEEN):
        assert rows.loc[rows["test"] == test, "spearman"].mean() == pytest.approx(both.loc[test, "value"].iloc[0])
