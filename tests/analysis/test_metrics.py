"""RMSE, Er and R² on cases worked by hand."""

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.analysis.metrics import defined, errors, rmse, undefined
from nem2e_lib.error import Nem2eError
from tests.support.worked import trained


def test_er_is_the_ratio_of_the_errors():
    table = errors(trained([0.5, 0.25]))
    np.testing.assert_allclose(table["rmse_opensim"], [1.0, 1.0])
    np.testing.assert_allclose(table["rmse_refined"], [0.5, 0.25])
    np.testing.assert_allclose(table["er"], [-0.5, -0.75])
    np.testing.assert_allclose(table["er_mean_curve"], [-0.5, -0.5])


def test_speeds_weigh_the_same_however_many_cycles_they_have():
    # slow: one trial of two cycles (.2 and .4: mean .3); fast: one cycle of .9; mean over speeds .6, not .5
    data = trained([0.2, 0.4, 0.9], subjects=["s0"] * 3, speeds=["slow", "slow", "fast"])
    data["fold"] = ["s0"]
    table = errors(data)
    assert table["n_cycles"].tolist() == [3]
    assert table["rmse_refined"].item() == pytest.approx(0.6)
    assert table["er"].item() == pytest.approx(-0.4)


def test_mean_of_ratios_is_another_number():
    data = trained([0.5, 0.5], subjects=["s0", "s0"], speeds=["slow", "fast"])
    data["simulated"] = data.measured + np.array([1.0, 2.0])[None, :, None]
    assert errors(data)["er"].item() == pytest.approx(0.5 / 1.5 - 1)
    assert errors(data, er="mean_of_ratios")["er"].item() == pytest.approx((0.5 + 0.25) / 2 - 1)


def test_seeds_are_averaged_after_or_before_the_error():
    data = trained([0.5])
    both = np.concatenate([data.refined.values, data.measured.values[None] - 0.3])
    data = data.drop_vars("refined").assign(refined=(("seed", "channel", "cycle", "sample"), both))
    assert errors(data)["rmse_refined"].item() == pytest.approx(0.4)
    assert errors(data, ensemble=True)["rmse_refined"].item() == pytest.approx(0.1)


def test_an_error_of_zero_leaves_er_undefined_in_one_sentence():
    table = errors(trained([0.5, 0.5], simulated=0.0))
    assert table["er"].isna().all()
    (sentence,) = undefined(table)
    assert "worked, soleus" in sentence
    assert "2 held-out subject" in sentence
    assert not undefined(errors(trained([0.5])))


def test_a_copy_that_was_resampled_is_a_copy_too():
    data = trained([0.5, 0.5], channels=("soleus", "tib"))
    data["simulated"] = data.measured * 1.001
    table = errors(data)
    assert table["er"].isna().all()
    assert table["er_mean_curve"].isna().all()
    (sentence,) = undefined(table)
    assert sentence.startswith("worked, soleus, tib: Er is undefined for 2 held-out subjects")
    data["simulated"] = data.measured * 1.02
    assert errors(data)["er"].notna().all()


def test_a_speed_that_is_copied_spoils_the_mean_of_ratios_only():
    data = trained([0.5, 0.5], subjects=["s0", "s0"], speeds=["slow", "fast"])
    data["simulated"] = data.measured + np.array([1.0, 0.0])[None, :, None]
    assert errors(data)["er"].item() == pytest.approx(0.0)
    assert np.isnan(errors(data, er="mean_of_ratios")["er"].item())


def test_a_prediction_that_is_no_number_is_told():
    table = errors(trained([0.5, np.nan]))
    assert table["er"].notna().tolist() == [True, False]
    assert table["er_mean_curve"].notna().all()
    assert undefined(table) == [
        "worked, soleus: Er is undefined for 1 held-out subject, because a prediction is not a finite number."
    ]


def test_cycles_without_a_correlation_are_left_out_and_told():
    data = trained([0.5, 0.5], subjects=["s0", "s0"], speeds=["slow", "fast"])
    data["simulated"] = data.measured * 2.0
    data["simulated"].values[0, 0] = 0.3
    table = errors(data)
    assert table["correlation_raw"].tolist() == [pytest.approx(1.0)]
    (sentence,) = undefined(table)
    assert "worked, soleus: the raw correlation is undefined in 1 of 2 cycles" in sentence


def test_models_that_diverged_are_counted():
    data = trained([0.5, 0.5]).assign(diverged=(("seed", "channel", "fold"), np.array([[[True, False]]])))
    assert errors(data)["diverged"].tolist() == [1, 0]


def test_both_readings_of_r2():
    # a constant offset leaves the correlation at 1; the sine's variance about its mean is what SSE is compared with
    data = trained([0.5])
    total = ((data.measured - data.measured.mean()) ** 2).sum().item()
    row = errors(data).iloc[0]
    assert row["r2_pearson"] == pytest.approx(1.0)
    assert row["r2_sse"] == pytest.approx(1 - 20 * 0.25 / total)
    assert row["correlation_raw"] == pytest.approx(1.0)


def test_rmse_is_numpys():
    data = trained([0.1, 0.2])
    rng = np.random.default_rng(0)
    data["simulated"] = data.simulated + rng.normal(size=data.simulated.shape)
    expected = np.sqrt(np.mean((data.simulated.values - data.measured.values) ** 2, axis=-1))
    np.testing.assert_allclose(rmse(data.measured, data.simulated), expected)


def test_where_no_er_is_defined_it_is_told():
    table = errors(trained([0.5, np.nan]))
    assert defined(table)["er"].tolist() == [pytest.approx(-0.5)]
    with pytest.raises(Nem2eError, match="The errors of worked have no defined Er"):
        defined(errors(trained([0.5, 0.5], simulated=0.0)))


def test_an_error_is_the_mean_over_conditions_and_speeds():
    """One subject's straight cycles are off by .1, its only turn by .5: the mean of both, not of its cycles."""
    results = planted()
    assert errors(results)["rmse_refined"].tolist() == pytest.approx([(0.1 + 0.1 + 0.5) / 3, 0.2])
    told = results.assign_coords(condition=("cycle", ["straight", "straight", "turn", "straight"]))
    assert errors(told)["rmse_refined"].tolist() == pytest.approx([(0.1 + 0.5) / 2, 0.2])


def planted() -> xr.Dataset:
    """Two subjects with three cycles and one, each a trial at one speed; what is refined is off by a constant."""
    lead = ("channel", "cycle", "sample")
    measured = np.tile(np.linspace(0.1, 0.9, 20), (1, 4, 1))
    off = np.array([0.1, 0.1, 0.5, 0.2])[None, :, None]
    return xr.Dataset(
        {
            "refined": (("seed", *lead), (measured + off)[None]),
            "simulated": (lead, measured + 1.0),
            "measured": (lead, measured),
            "mean_curve": (lead, measured),
        },
        coords={
            "channel": ["bi"],
            "electrode": ("channel", ["bi"]),
            "fold": ["s0", "s1"],
            "fold_of_cycle": ("cycle", [0, 0, 0, 1]),
            "speed": ("cycle", ["free"] * 4),
            "trial": ("cycle", ["a", "b", "c", "d"]),
        },
        attrs={"study": "x", "condition": "one_entire", "unit": "subject", "synthetic": 0},
    )
