"""Entropy, lags and sets of muscles."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.analysis import attention
from nem2e_lib.analysis.attention import ONE_ROW, over_outputs, reading
from nem2e_lib.analysis.claims.attention import _with_rows
from nem2e_lib.analysis.claims.evidence import Untestable
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.spatial import spatial_attention
from nem2e_lib.figures.temporal import temporal_attention
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.train import train_condition
from tests.support.small import make_cycles


@given(st.integers(2, 40))
def test_entropy_of_the_extremes(tokens):
    assert attention.entropy_share(np.full(tokens, 1 / tokens)) == pytest.approx(1.0)
    assert attention.entropy_share(np.eye(tokens)[0]) == pytest.approx(0.0)


def test_entropy_by_hand():
    # two of four tokens with .5 each: log 2 / log 4 = .5
    assert attention.entropy_share(np.array([0.5, 0.5, 0, 0])) == pytest.approx(0.5)
    assert "0.97 of its maximum: attention is nearly uniform" in attention.uniformity(0.97)
    assert "not uniform" in attention.uniformity(0.9)


@given(st.integers(-6, 6))
def test_the_lag_of_a_shifted_diagonal_is_its_shift(shift):
    found = attention.diagonal_lag(np.eye(20, k=shift) + 0.01)
    assert found.samples == shift
    assert found.refined == pytest.approx(shift, abs=0.5)


def test_the_lag_between_samples_is_refined():
    # half of the weight on lag 1 and half on lag 2: the parabola's vertex lies between them
    found = attention.diagonal_lag(0.5 * np.eye(20, k=1) + 0.5 * np.eye(20, k=2))
    assert found.refined == pytest.approx(1.5, abs=1e-9)
    assert found.milliseconds(40.0) == pytest.approx(60.0)


def test_the_edges_of_the_cycle_do_not_decide():
    edges = np.eye(20, k=2)
    edges[:3, 0] = 100.0
    assert attention.diagonal_lag(edges).samples == 2


def test_a_map_that_is_no_square_is_refused():
    with pytest.raises(Nem2eError, match=r"\(20, 92\)"):
        attention.diagonal_lag(np.ones((20, 92)))


def test_centre_of_mass_lag():
    assert attention.centre_lag(np.eye(20, k=3) + 1e-12) == pytest.approx(3.0, abs=1e-6)


def test_the_heaviest_tokens_at_a_phase_between_samples():
    weights = [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]
    one = xr.DataArray(weights, {"output": [0.0, 100.0], "token": ["a_r", "b_r", "c_l"]}, ("output", "token"))
    assert attention.top(one, 0.0, 2) == ["a_r", "b_r"]
    assert attention.top(one, 75.0, 1) == ["c_l"]


def test_sets_of_muscles():
    assert attention.jaccard(["a", "b", "c"], ["b", "c", "d"]) == pytest.approx(0.5)
    named = ["soleus_l", "soleus_r", "ercspn_l", "iliacus_l", "iliacus_r", "radius_l"]
    assert [attention.elsewhere(name, "tib_ant_r") for name in named] == [False, False, True, True, False, False]


def test_chance_overlap_by_hand_and_by_drawing():
    # one of two, twice: the same one with probability 1/2
    assert attention.chance_jaccard(1, 2) == pytest.approx(0.5)
    rng = np.random.default_rng(0)
    pairs = [[rng.choice(92, 10, replace=False).tolist() for _ in range(2)] for _ in range(4000)]
    drawn = [attention.jaccard(a, b) for a, b in pairs]
    assert attention.chance_jaccard(10, 92) == pytest.approx(np.mean(drawn), abs=0.003)
    assert attention.chance_jaccard_95(10, 92) == pytest.approx(np.quantile(drawn, 0.95))


SAMPLES = np.linspace(0, 100, 20)


def mapped(weights, cycles=4, channels=2):
    """Two held-out units with the same maps."""
    weights = np.asarray(weights, float)
    tiled = np.tile(weights / weights.sum(axis=-1, keepdims=True), (1, channels, cycles, 1, 1))
    coords = {"output": SAMPLES, "sample": SAMPLES, "token": SAMPLES, "fold": ["a", "b"]}
    per_cycle = {"fold_of_cycle": np.arange(cycles) % 2, "start_s": np.zeros(cycles), "end_s": np.full(cycles, 0.76)}
    return xr.Dataset(
        {"attention": (("seed", "channel", "cycle", "output", "token"), tiled)},
        coords | {name: ("cycle", one) for name, one in per_cycle.items()},
    )


def test_a_uniform_map_lies_nowhere():
    found = attention.places(mapped(np.ones((20, 20))))
    assert list(found["label"]) == ["a", "b"]
    np.testing.assert_allclose(found.drop(columns="label"), 0, atol=1e-12)


def test_a_shifted_diagonal_has_slope_one_and_its_shift_as_lag():
    found = attention.places(mapped(np.eye(20)[np.minimum(np.arange(20) + 2, 19)])).iloc[0]
    assert found["slope"] == pytest.approx(1.0)
    assert found["lag_ms"] == pytest.approx(2 * 40.0)  # .76 s over 19 intervals
    assert found["later"] == pytest.approx(1.0)
    # outputs 10 to 19 (52.6 to 100 %) look two samples later, the last two to the end: by hand
    later = np.mean(np.minimum(np.arange(10, 20) + 2, 19)) * 100 / 19 - 50
    assert found["late"] == pytest.approx(later)


def test_weight_before_the_output_is_less_than_chance():
    assert (attention.places(mapped(np.eye(20)))["later"] < -3).all()


def test_half_a_diagonal_over_half_a_uniform_map_has_half_its_slope():
    found = attention.places(mapped(np.eye(20) + 0.05)).iloc[0]
    assert found["slope"] == pytest.approx(0.5)
    assert found["lag_ms"] == pytest.approx(0.0, abs=1e-9)


def test_units_without_a_channel_have_no_map_of_it():
    results = mapped(np.eye(20))
    own = results.attention.copy()
    own[:, 0, results.fold_of_cycle.values == 1] = np.nan
    maps = attention.fold_maps(results.assign(attention=own))
    assert maps.dims == ("channel", "fold", "output", "token")
    assert np.isnan(maps[0, 1]).all()
    np.testing.assert_array_equal(maps[1, 1], np.eye(20))
    assert len(attention.places(results.assign(attention=own))) == 2


def read(tokens, shift):
    samples = np.linspace(0, 100, 20)
    return xr.Dataset(
        {
            "attention": (("seed", "channel", "cycle", "output", "token"), np.eye(20, k=2)[None, None, None] + 0.05),
            "gradient": (("seed", "channel", "fold", "output", "token"), np.eye(20, k=shift)[None, None, None]),
        },
        coords={
            "output": samples,
            "sample": samples,
            "token": tokens,
            "start_s": ("cycle", [0.0]),
            "end_s": ("cycle", [0.76]),
        },
        attrs={"study": "running", "condition": "one_entire"},
    )


def test_a_reading_lays_attentions_lag_beside_the_gradients():
    samples = np.linspace(0, 100, 20)
    row = attention.reading(read(samples, 3))
    assert row["gradient_lag_samples"] == 3
    assert row["gradient_lag_ms"] == pytest.approx(120.0)  # 0.76 s over 19 intervals: 40 ms
    assert row["lag_verdict"] == "the output depends most on the input +3 samples away"
    assert "shows no lag" in attention.reading(read(samples, 6))["lag_verdict"]
    over_muscles = attention.reading(read([f"m{i}" for i in range(20)], 3))
    assert list(over_muscles) == ["study", "condition", "entropy_share", "verdict"]


@pytest.mark.slow
def test_a_row_that_all_outputs_share_is_told():
    cycles = make_cycles()
    shared, own = (
        train_condition(cycles, "one_entire", Configuration(units=4, epochs=1, output=output), progress=False)
        for output in ("at_once", "sequence")
    )
    assert [over_outputs(one) for one in (shared, own)] == [False, True]
    told, usual = reading(shared), reading(own)
    assert str(told["verdict"]).endswith(ONE_ROW)
    assert ONE_ROW not in str(usual["verdict"])
    assert np.isnan(told["attention_lag_ms"])
    assert np.isfinite(usual["attention_lag_ms"])
    with pytest.raises(Untestable, match="share one row"):
        _with_rows(shared)
    assert temporal_attention(shared).caption.endswith(ONE_ROW)
    everything = train_condition(
        cycles, "all_entire", Configuration(units=4, epochs=1, output="at_once"), channels=["tib"], progress=False
    )
    assert ONE_ROW in spatial_attention(everything).caption
