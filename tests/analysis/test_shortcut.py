"""Changed inputs and swapped inputs, with models whose behaviour is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from nem2e_lib.analysis.shortcut import (
    CURVE,
    DRAWS,
    perturbed,
    shortcut,
    shortcut_summary,
    swapped_input,
    swapped_sentence,
    swapped_summary,
)
from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.error import Nem2eError

SAMPLES, PHASES = np.linspace(0, 100, 20), np.linspace(0, 100, 101)
CHANNELS = ["soleus", "tib", "rect"]


def study(count=6):
    """Measured EMG is each muscle's own activation times .5; every muscle has its own phase."""
    rng = np.random.default_rng(0)
    lead = rng.uniform(0, 1, (count, 1, 3)) * 0.1 + np.array([0.0, 0.33, 0.66])
    wave = lambda at: 1.0 + np.sin(2 * np.pi * (at[None, :, None] / 100 + lead))  # noqa: E731
    coords = {
        "sample": SAMPLES,
        "phase": PHASES,
        "muscle": ["a", "b", "c"],
        "channel": CHANNELS,
        "target": ("channel", ["a", "b", "c"]),
        "electrode": ("channel", CHANNELS),
        "cycle": np.arange(count),
        **{name: ("cycle", [f"{name}{i}" for i in range(count)]) for name in ("trial", "subject", "speed")},
    }
    activation = ("cycle", "sample", "muscle"), wave(SAMPLES)
    waveform = ("cycle", "phase", "muscle"), wave(PHASES)
    cycles = xr.Dataset({"activation": activation, "activation_waveform": waveform}, coords, {"study": "x"})
    simulated = wave(SAMPLES).transpose(2, 0, 1)
    dims = ("channel", "cycle", "sample")
    results = xr.Dataset(
        {
            "measured": (dims, 0.5 * simulated),
            "simulated": (dims, simulated),
            "mean_curve": (dims, np.broadcast_to(0.5 * simulated.mean(axis=1, keepdims=True), simulated.shape)),
        },
        {
            "channel": CHANNELS,
            "electrode": ("channel", CHANNELS),
            "fold": [f"subject{i}" for i in range(count)],
            "fold_of_cycle": ("cycle", np.arange(count)),
        },
    )
    return cycles, results


def half(inputs):
    return 0.5 * inputs[..., 0]


@given(st.floats(0, 1))
def test_no_change_and_a_whole_cycle_are_the_waveform_itself(shift):
    waveform = np.sin(2 * np.pi * PHASES / 100)
    np.testing.assert_allclose(perturbed(waveform, 1.0, 0.0, SAMPLES), np.sin(2 * np.pi * SAMPLES / 100), atol=2e-3)
    moved = perturbed(waveform, 2.0, shift, SAMPLES)
    np.testing.assert_allclose(moved, np.sin(2 * np.pi * (2 * SAMPLES / 100 + shift)), atol=2e-3)


def test_a_cycle_that_does_not_close_is_left_alone_without_a_change():
    ramp = np.linspace(0, 1, 101)
    np.testing.assert_allclose(perturbed(ramp, 1.0, 0.0, SAMPLES), SAMPLES / 100, atol=1e-12)
    # half a cycle later: up to 50 % the second half, after it the first
    expected = np.where(SAMPLES <= 50, SAMPLES / 100 + 0.5, SAMPLES / 100 - 0.5)
    np.testing.assert_allclose(perturbed(ramp, 1.0, 0.5, SAMPLES), expected, atol=1e-12)


def test_an_input_that_is_the_measured_curve_leaves_er_undefined():
    cycles, results = study()
    results["simulated"] = results.measured
    models = {str(label): half for label in results.fold.values}
    found = shortcut_summary(shortcut(cycles, results, models, "soleus"))
    lost = found[found["reference"] == "original input"]
    assert lost["p_value"].isna().all()
    assert lost["reason"].str.startswith("Er is undefined for 6 of 6").all()
    assert found.loc[found["reference"] == "changed input", "reason"].eq("").all()


def test_a_model_that_follows_its_input_degrades_and_a_replayed_curve_does_not():
    cycles, results = study(12)
    models = {str(label): half for label in results.fold.values}
    table = shortcut(cycles, results, models, "soleus")
    assert len(table) == DRAWS * 12 * 4
    assert table["scale"].between(0.5, 2).all()
    assert table["shift"].between(0, 1).all()
    mean = shortcut_summary(table).set_index(["method", "reference"])["er_mean"]
    # unchanged, following is perfect (Er -1); on changed inputs it must be far from that
    assert mean[("model", "original input")] > -0.7
    assert mean[(CURVE, "original input")] == pytest.approx(
        np.mean([_rmse(c, m) / _rmse(s, m) - 1 for c, m, s in zip(*_own(results), strict=True)])
    )
    # on the unchanged input the model is perfect, so all of its Er above -1 is a rise; the curve knows no input
    np.testing.assert_allclose(table.loc[table["method"] == "model", "er_unchanged"], -1.0)
    rise = shortcut_summary(table).set_index(["method", "reference"])
    assert rise.loc[("model", "original input"), "rise"] == pytest.approx(mean[("model", "original input")] + 1)
    assert rise.loc[("model", "original input"), "rise_ci_low"] > 0
    assert (rise.loc[CURVE, "rise"] == 0).all()
    again = shortcut(cycles, results, models, "soleus")
    assert table.equals(again)
    assert not table.equals(shortcut(cycles, results, models, "soleus", seed=1))
    few = shortcut(cycles, results, models, "soleus", draws=2)
    first = table[table["draw"] < 2].reset_index(drop=True)
    assert few.equals(first)  # how many draws there are changes none of them


def test_tests_are_over_held_out_units_and_draws_are_averaged_before():
    rows = [
        {"method": "model", "reference": "original input", "draw": draw, "trial": f"{label}{cycle}", "label": label,
         "er": er + 0.1 * draw + 0.01 * cycle, "er_unchanged": -0.5}
        for label, er in (("a", 0.1), ("b", 0.3), ("c", 0.2))
        for draw in range(3)
        for cycle in range(5)
    ]  # fmt: skip
    found = shortcut_summary(pd.DataFrame(rows)).iloc[0]
    # a unit's mean over draws and cycles is er + .1 + .02; of three: mean .32, sd .1, t = .32 / (.1 / sqrt 3) = 5.5426
    assert (found["n"], found["draws"], found["inputs"]) == (3, 3, 15)
    assert (found["er_mean"], found["er_sd"], found["rise"]) == pytest.approx((0.32, 0.1, 0.82))
    # t distribution on 2 degrees of freedom: p = 1 - t / sqrt(2 + t^2)
    assert found["p_value"] == pytest.approx(1 - 5.54256 / (2 + 5.54256**2) ** 0.5, rel=1e-4)
    assert (found["draw_low"], found["draw_high"]) == pytest.approx((0.22, 0.42))
    # draws alone: means .22, .32, .42 with sd .1: t = 3.81, 5.54, 7.27 against 4.303 at p = .05
    assert found["draws_degrade"] == 2


def test_a_range_that_is_none_is_refused():
    cycles, results = study()
    with pytest.raises(Nem2eError, match=r"from 2.0 to 0.5"):
        shortcut(cycles, results, {}, "soleus", low=2.0, high=0.5)


def test_swapping_hurts_only_a_model_that_uses_its_input():
    cycles, results = study()
    following = {c: dict.fromkeys(results.fold.values.tolist(), half) for c in CHANNELS}
    table = swapped_input(cycles, results, following)
    assert len(table) == 3 * 6
    assert (table["er_own"] < -0.999).all()
    assert swapped_summary(table).ci_low > 0
    replaying = {
        c: dict.fromkeys(results.fold.values.tolist(), lambda x, i=i: np.full(x.shape[:2], 0.5 + 0.01 * i))
        for i, c in enumerate(CHANNELS)
    }
    assert (swapped_input(cycles, results, replaying)["difference"] == 0).all()


@pytest.mark.parametrize(
    ("rises", "sentence"),
    [
        (
            (0.5, 0.6, 0.55),
            "Er rises by 0.55 with another muscle's input (95 % CI over muscles 0.43 to 0.67, n = 3 muscles)",
        ),
        ((-0.5, -0.6, -0.55), "Er rises by -0.55"),
        ((0.5,), "cannot be told: 1 held-out muscle"),
    ],
)
def test_what_swapping_tells_is_a_sentence_that_decides_nothing_of_people(rises, sentence):
    told = swapped_sentence(one_sample(rises))
    assert sentence in told
    assert len(rises) == 1 or "answered over held-out units by 13_controls" in told


def _own(results):
    return (results[name].sel(channel="soleus").values for name in ("mean_curve", "measured", "simulated"))


def _rmse(a, b):
    return np.sqrt(np.mean((a - b) ** 2))
