from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from nem2e_lib.data.emg.clock import even
from nem2e_lib.data.emg.envelope import (
    RECIPES,
    Recipe,
    band_pass,
    envelope,
    find_recipe,
    low_pass,
    normalise,
    rectify,
    remove_offset,
)
from nem2e_lib.data.emg.processing import process
from nem2e_lib.data.force.feet import read_feet
from nem2e_lib.data.gait import heel_strikes
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError


def tone(frequency: float, rate: float, seconds: float = 8.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(0, seconds, 1 / rate))


def gain(filtered: np.ndarray) -> float:
    middle = filtered[len(filtered) // 4 : -len(filtered) // 4]
    return float(np.sqrt(2 * np.mean(middle**2)))


def biquad_low_pass(raw: np.ndarray, rate: float, cutoff: float) -> np.ndarray:
    """Winter's second-order recurrence, forwards and backwards, written out without scipy."""
    corrected = np.tan(np.pi * cutoff / rate) / (np.sqrt(2) - 1) ** 0.25
    k1, k2 = np.sqrt(2) * corrected, corrected**2
    a0 = k2 / (1 + k1 + k2)
    b1 = 2 * a0 / k2 - 2 * a0
    b2 = 1 - 4 * a0 - b1
    for _ in range(2):
        out = raw[:2].tolist()
        for i in range(2, len(raw)):
            out.append(a0 * (raw[i] + 2 * raw[i - 1] + raw[i - 2]) + b1 * out[-1] + b2 * out[-2])
        raw = np.array(out)[::-1]
    return raw


@given(st.floats(50, 4000), st.floats(0.02, 0.4), st.sampled_from([2, 4, 8]))
def test_both_passes_together_have_half_power_at_the_cutoff(rate, share, order):
    cutoff = share * rate
    filtered = low_pass(tone(cutoff, rate, 400 / cutoff), rate, cutoff, order)
    assert gain(filtered) == pytest.approx(np.sqrt(0.5), abs=2e-3)


@pytest.mark.parametrize("rate", [1000, 1500, 4000])
def test_band_pass_has_half_power_at_both_edges(rate):
    for edge in (20, 450):
        assert gain(band_pass(tone(edge, rate), rate, 20, 450)) == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert gain(band_pass(tone(100, rate), rate, 20, 450)) == pytest.approx(1, abs=1e-2)
    assert abs(band_pass(np.full(rate, 5.0), rate, 20, 450)).max() < 1e-6


@pytest.mark.parametrize("order", [2, 4, 6])
def test_roll_off_is_that_of_the_order(order):
    far = [gain(low_pass(tone(f, 4000), 4000, 10, order)) for f in (100, 200)]
    assert 20 * np.log10(far[0] / far[1]) == pytest.approx(6.02 * order, rel=0.03)


def test_against_a_recurrence_written_by_hand():
    raw = np.abs(np.random.default_rng(0).normal(size=3000))
    ours, theirs = low_pass(raw, 1000, 10), biquad_low_pass(raw, 1000, 10)
    np.testing.assert_allclose(ours[600:-600], theirs[600:-600], atol=1e-9)


def test_per_pass_is_what_filtfilt_does():
    raw = np.abs(np.random.default_rng(1).normal(size=6000))
    b, a = signal.butter(4, 6 / 500)
    ours = low_pass(raw, 1000, 6, 4, per_pass=True)
    np.testing.assert_allclose(ours[1500:-1500], signal.filtfilt(b, a, raw)[1500:-1500], atol=1e-8)
    b, a = signal.butter(2, [20 / 500, 450 / 500], "bandpass")
    ours = band_pass(raw, 1000, 20, 450, 2, per_pass=True)
    np.testing.assert_allclose(ours[1500:-1500], signal.filtfilt(b, a, raw)[1500:-1500], atol=1e-8)
    assert gain(low_pass(tone(10, 1000), 1000, 10, 4, per_pass=True)) == pytest.approx(0.5, abs=1e-3)


def test_no_phase_shift():
    bump = np.exp(-0.5 * ((np.arange(2000) - 1000) / 60) ** 2)
    filtered = low_pass(bump, 1000, 6)
    assert filtered.argmax() == 1000
    np.testing.assert_allclose(filtered[1000:1500], filtered[1000:500:-1], atol=1e-9)


def test_steps_chain_and_channels_are_apart():
    raw = np.random.default_rng(2).normal(3, 1, size=(4000, 3))
    by_hand = low_pass(rectify(band_pass(remove_offset(raw), 2000, 20, 450)), 2000, 6)
    np.testing.assert_array_equal(envelope(raw, 2000), by_hand)
    np.testing.assert_allclose(envelope(raw, 2000)[:, 1], envelope(raw[:, 1], 2000), atol=1e-12)
    np.testing.assert_allclose(envelope(raw * -7 + 1, 2000), 7 * envelope(raw, 2000), atol=1e-9)


@pytest.mark.parametrize(("name", "rate"), [("hamner2013", 50), ("hamner2013", 1000), ("general", 4000)])
def test_a_known_envelope_comes_back(name, rate):
    """Noise of known strength: the mean of its absolute value is strength times √(2/π)."""
    time = np.arange(0, 40, 1 / rate)
    strength = 1 + 0.8 * np.sin(2 * np.pi * 0.25 * time)
    noise = np.random.default_rng(3).normal(size=(len(time), 800 if rate == 50 else 60))
    recipe = RECIPES[name]
    found = envelope(0.5 + strength[:, None] * noise, rate, recipe).mean(axis=1)
    passed = 1.0
    if recipe.band_hz:
        flat = band_pass(noise, rate, *recipe.band_hz)
        passed = float(flat.std())
    inside = slice(len(time) // 8, -len(time) // 8)
    np.testing.assert_allclose(found[inside], passed * np.sqrt(2 / np.pi) * strength[inside], rtol=0.12)


def test_recipes_say_what_they_do():
    assert str(RECIPES["hamner2013"]).startswith("offset removed, full-wave rectified, 10 Hz low-pass")
    assert str(RECIPES["general"]).startswith("offset removed, 20-450 Hz band-pass")
    assert "each pass" in str(Recipe(low_pass_hz=6.0, per_pass=True))
    assert str(RECIPES["envelope"]) == "taken as it is"
    assert all("doi:10." in recipe.source for name, recipe in RECIPES.items() if name != "envelope")


def test_normalise():
    np.testing.assert_array_equal(normalise([[1.0, 4.0], [2.0, 2.0]], [2.0, 4.0]), [[0.5, 1.0], [1.0, 0.5]])
    with pytest.raises(Nem2eError, match="references above 0"):
        normalise([[1.0]], [0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: envelope(np.ones(5000), 500), "at 500 Hz cannot be band-passed from 20 to 450 Hz.*half the rate .250"),
        (lambda: envelope(np.ones(5000), 15, "hamner2013"), "at 15 Hz cannot be low-passed at 10 Hz"),
        (lambda: envelope(np.ones(100), 1000), "0.1 s cannot be low-passed at 6 Hz: at least one period"),
        (lambda: envelope(np.ones(100), 1000, "hamner"), "recipe 'hamner' is unknown; known recipes are hamner2013"),
        (lambda: envelope([1.0, np.nan], 1000), "1 values that are not finite"),
        (lambda: envelope(np.ones((2, 2, 2)), 1000), "rows by channels"),
        (lambda: envelope([], 1000), "rows, or rows by channels"),
        (lambda: low_pass(np.ones(5000), 0, 6), "more than 0 is expected"),
        (lambda: low_pass(np.ones(5000), 1000, 6, 3), "order is 3, but an even number"),
        (lambda: band_pass(np.ones(5000), 1000, 30, 20), "rising cutoffs"),
    ],
)
def test_what_cannot_be_filtered(call, message):
    with pytest.raises(Nem2eError, match=message) as caught:
        call()
    assert str(caught.value).count(".  ") == 0


def test_find_recipe_takes_steps_of_your_own():
    own = Recipe(low_pass_hz=3)
    assert find_recipe(own) is own


NAMES = ("a", "b")


def noise(rows: int = 2000, seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 2))


def test_an_even_clock_keeps_its_samples():
    time, raw = 3 + np.arange(2000) / 2000, noise()
    found = even(time, raw, NAMES)
    np.testing.assert_array_equal(found.values, raw)
    assert found.rate_hz == pytest.approx(2000)
    assert (found.dropouts, found.bridged, found.resampled) == ((), 0, False)


@pytest.mark.parametrize("rate", [50, 1000, 2000, 4000])
def test_times_printed_to_three_decimals_are_an_even_clock(rate):
    found = even(np.round(np.arange(2000) / rate, 3), noise(), NAMES)
    assert not found.resampled
    assert found.rate_hz == pytest.approx(rate, rel=2e-3)


def test_an_uneven_clock_is_resampled_without_losing_high_frequencies():
    rng = np.random.default_rng(5)
    time = np.cumsum(rng.uniform(0.6, 1.4, 4000)) / 2000 + 0.01 * np.sin(np.arange(4000) / 300)
    raw = np.column_stack([np.sin(2 * np.pi * f * time) for f in (50, 200)])
    found = even(time, raw, NAMES)
    assert found.resampled
    assert np.ptp(np.diff(found.time)) < 1e-9
    expected = np.column_stack([np.sin(2 * np.pi * f * found.time) for f in (50, 200)])
    np.testing.assert_allclose(found.values[50:-50], expected[50:-50], atol=0.05)


def test_short_gaps_are_bridged_and_long_ones_told():
    time, raw = np.arange(2000) / 1000, noise()
    raw[100:110, 0] = np.nan
    raw[500:700, 1] = np.inf
    raw[1200:1400, 0] = 0.25
    found = even(time, raw, NAMES)
    assert np.isfinite(found.values).all()
    np.testing.assert_allclose(found.values[104, 0], np.interp(104, [99, 110], raw[[99, 110], 0]))
    assert found.bridged == 10
    assert [(d.channel, round(d.start_s, 3), round(d.end_s, 3), d.what) for d in found.dropouts] == [
        ("b", 0.499, 0.7, "no number"),
        ("a", 1.2, 1.399, "one and the same value"),
    ]


def test_a_pause_of_the_clock_is_a_dropout_of_all_channels():
    time, raw = np.arange(2000) / 1000, noise()
    keep = (time < 0.5) | (time > 0.8)
    found = even(time[keep], raw[keep], NAMES)
    assert {drop.channel for drop in found.dropouts} == {"a", "b"}
    assert {drop.what for drop in found.dropouts} == {"no sample"}
    assert abs(found.values).max() < 5
    assert found.rate_hz == pytest.approx(1000, rel=1e-3)


def raw_storage(values: np.ndarray, rate: float = 1000) -> Storage:
    return Storage("raw", NAMES, np.arange(len(values)) / rate, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.column_stack([noise()[:, 0], np.full(2000, 2.5)]), "'b' is 2.5 throughout, a dead channel"),
        (np.column_stack([noise()[:, 0], np.full(2000, np.nan)]), "'b' has no number at all"),
        (np.abs(noise()), "'a' is rectified already"),
        (low_pass(np.abs(noise(8000)), 1000, 6), "'a' has 0...% of its power above 20 Hz, so it is an envelope"),
        (noise(100), "0.1 s cannot be"),
    ],
)
def test_recordings_that_are_not_raw_emg(tmp_path, values, message):
    with pytest.raises(Nem2eError, match=message) as caught:
        process(tmp_path / "x.sto", raw_storage(values), RECIPES["general"])
    assert str(tmp_path / "x.sto") in str(caught.value)


def test_a_large_offset_is_no_envelope(tmp_path):
    processed = process(tmp_path / "x.sto", raw_storage(noise() + 2.5), RECIPES["general"])
    plain = process(tmp_path / "x.sto", raw_storage(noise()), RECIPES["general"])
    np.testing.assert_allclose(processed.storage.values, plain.storage.values, atol=1e-9)


def test_dropouts_are_widened_by_what_a_filter_smears(tmp_path):
    values = noise()
    values[1000:1200, 0] = np.nan
    (drop,) = process(tmp_path / "x.sto", raw_storage(values), RECIPES["hamner2013"]).dropouts
    assert (drop.start_s, drop.end_s) == pytest.approx((0.999 - 0.05, 1.2 + 0.05))


@pytest.mark.realdata
def test_the_walking_envelopes_are_recognised(realdata):
    path = realdata / "opensim_core_walk" / "electromyography.sto"
    with pytest.raises(Nem2eError, match=r"has 0\.\d\d% of its power above 20 Hz, so it is an envelope already"):
        process(path, read_storage(path), RECIPES["general"])


@pytest.mark.realdata
@pytest.mark.parametrize("rate", [1000, 2000, 4000])
def test_measured_envelopes_come_back_from_raw_noise_of_their_strength(realdata, rate):
    """The real trial's envelopes set the strength of SYNTHETIC noise, whose envelope must resemble them."""
    folder = realdata / "opensim_core_walk"
    truth, grf = read_storage(folder / "electromyography.sto"), read_feet(folder / "grf_walk.mot").force
    time = np.arange(truth.time[0], truth.time[-1], 1 / rate)
    strength = np.column_stack([np.interp(time, truth.time, column) for column in truth.values.T])
    raw = strength[..., None] * np.random.default_rng(6).normal(size=(*strength.shape, 20))
    found = envelope(raw.reshape(len(time), -1), rate).reshape(raw.shape).mean(axis=2)
    start, end = heel_strikes(grf.time, grf.column("right"))
    cycle = (time > start) & (time < end)
    for ours, real in zip(found[cycle].T, strength[cycle].T, strict=True):
        assert np.corrcoef(ours, real)[0, 1] > 0.97


def test_every_source_has_its_doi():
    found = re.findall(r"doi:(10\.\S+?)[,);\s]", " ".join(recipe.source + " " for recipe in RECIPES.values()))
    assert len(found) == len(set(found)) == 3
