"""Fields over the cycle against tests at each sample, and on planted spans."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter1d
from scipy.stats import ttest_rel

from nem2e_lib.analysis import review_waveforms as waveforms
from nem2e_lib.error import Nem2eError

spm1d = pytest.importorskip("spm1d")
PHASE = np.linspace(0, 100, 20)


def made(planted=0.0, n=10, seed=0):
    random = np.random.default_rng(seed)
    names = ("opensim", "one_entire", "all_entire")
    curves = {name: gaussian_filter1d(random.normal(scale=0.1, size=(n, 20)), 1.5, axis=-1) for name in names}
    curves["opensim"] = curves["opensim"] + planted * ((PHASE > 40) & (PHASE < 70))
    return curves


def test_statistics_are_the_tests_at_each_sample():
    curves = made()
    y = np.stack(list(curves.values()))
    k, n, _ = y.shape
    grand = y.mean(axis=(0, 1))
    between = n * ((y.mean(axis=1) - grand) ** 2).sum(axis=0)
    units = k * ((y.mean(axis=0) - grand) ** 2).sum(axis=0)
    residual = ((y - grand) ** 2).sum(axis=(0, 1)) - between - units
    expected = (between / (k - 1)) / (residual / ((k - 1) * (n - 1)))
    assert waveforms.anova(curves, PHASE).statistic == pytest.approx(expected)
    first = waveforms.pairs(curves, PHASE)[0]
    assert first.statistic == pytest.approx(ttest_rel(curves["opensim"], curves["one_entire"]).statistic)
    assert first.name == "opensim − one_entire"
    assert first.alpha == pytest.approx(0.05 / 3)


def test_a_planted_span_is_found_and_where_it_is():
    curves = made(planted=1.0)
    for field in (waveforms.anova(curves, PHASE), waveforms.pairs(curves, PHASE)[0]):
        surest = min(field.spans, key=lambda span: span.p_value)
        assert (surest.start, surest.end) == pytest.approx((40, 70), abs=6)
        assert surest.p_value < 1e-3
    assert all(span.p_value > 1e-3 for span in waveforms.pairs(curves, PHASE)[2].spans)


def test_spans_are_told_one_a_row_and_a_field_without_any_too():
    curves = made(planted=1.0)
    tested = {"tib": [waveforms.anova(curves, PHASE), *waveforms.pairs(curves, PHASE)]}
    assert [field.name for field in waveforms.against_opensim(tested)["tib"]] == [
        "opensim − one_entire",
        "opensim − all_entire",
    ]
    found = waveforms.spans("running", tested)
    assert found["comparison"].nunique() == 4
    assert found.loc[found["beyond"], "p_cluster"].notna().all()
    assert found.loc[~found["beyond"], ["start_pct", "end_pct", "p_cluster"]].isna().all(axis=None)
    assert found["beyond"].sum() == sum(len(field.spans) for field in tested["tib"])


def test_nothing_is_found_seldom():
    found = [bool(waveforms.pairs(made(seed=s), PHASE)[0].spans) for s in range(60)]
    assert sum(found) <= 5  # expected 60 * .05 / 3 = 1; more than 5 has p < .001


def test_what_cannot_be_tested_says_why():
    few = waveforms.anova(made(n=2), PHASE)
    assert "2 held-out units" in few.reason
    assert np.isnan(few.statistic).all()
    curves = made()
    curves["all_entire"] = curves["one_entire"] + 0.1
    assert "same for all" in waveforms.pairs(curves, PHASE)[2].reason


def test_error_waveforms_pool_cycles_channels_and_seeds():
    dims = ("channel", "cycle", "sample")
    measured = np.zeros((2, 4, 3))
    refined = np.arange(2 * 2 * 4 * 3, dtype=float).reshape(2, 2, 4, 3)
    results = xr.Dataset(
        {
            "measured": (dims, measured),
            "simulated": (dims, measured + 2),
            "refined": (("seed", *dims), refined),
            "fold_of_cycle": ("cycle", [0, 0, 1, 1]),
        },
        coords={"electrode": ("channel", ["glmax", "glmax"]), "sample": [0.0, 50.0, 100.0], "fold": ["a", "b"]},
    )
    curves, phase, labels = waveforms.error_waveforms({"one_entire": results}, "glmax")
    assert curves["opensim"] == pytest.approx(np.full((2, 3), 2.0))
    assert curves["one_entire"][1] == pytest.approx(np.sqrt((refined[:, :, 2:] ** 2).mean(axis=(0, 1, 2))))
    assert (list(phase), labels) == ([0.0, 50.0, 100.0], ["a", "b"])
    tested, same = waveforms.by_electrode({"one_entire": results})
    assert [field.name for field in tested["glmax"]] == ["anova", "opensim − one_entire"]
    assert list(same) == list(phase)
    with pytest.raises(Nem2eError, match="no electrode 'tib', expected one of glmax"):
        waveforms.error_waveforms({"one_entire": results}, "tib")
