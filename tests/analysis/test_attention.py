"""Entropy, lags and sets of muscles."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.analysis import attention
from nem2e_lib.analysis.attention import ONE_ROW, over_outputs, reading
from nem2e_lib.analysis.claims.behaviour import _map
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
    assert "nearly uniform (entropy 0.97" in attention.uniformity(0.97)
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


def test_top_muscles_at_a_phase_between_samples():
    weights = np.zeros((1, 1, 1, 2, 3))
    weights[..., 0, :], weights[..., 1, :] = [0.7, 0.2, 0.1], [0.1, 0.2, 0.7]
    results = xr.Dataset(
        {"attention": (("seed", "channel", "cycle", "output", "token"), weights)},
        coords={"channel": ["tib"], "output": [0.0, 100.0], "token": ["a_r", "b_r", "c_l"]},
    )
    assert attention.top_muscles(results, "tib", 0.0, 2) == ["a_r", "b_r"]
    assert attention.top_muscles(results, "tib", 75.0, 1) == ["c_l"]


def test_sets_of_muscles():
    assert attention.jaccard(["a", "b", "c"], ["b", "c", "d"]) == pytest.approx(0.5)
    # 10 of 92 twice: expected overlap 100/92 of 20 - 100/92
    assert attention.chance_jaccard(10, 92) == pytest.approx((100 / 92) / (20 - 100 / 92))
    shares = attention.share_elsewhere(["soleus_l", "soleus_r", "ercspn_l", "rect_fem_l"], "tib_ant_r")
    assert shares == {"contralateral": 0.5, "trunk": 0.25}


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
        _map(shared)
    assert temporal_attention(shared).caption.endswith(ONE_ROW)
    everything = train_condition(
        cycles, "all_entire", Configuration(units=4, epochs=1, output="at_once"), channels=["tib"], progress=False
    )
    assert ONE_ROW in spatial_attention(everything).caption
