"""Figures of timing draw what the tables say, and say it to those who cannot see them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.figures import timing as figures
from nem2e_lib.figures.style import Drawn
from nem2e_lib.figures.timing import COLOURS, SHAPES

METHODS = ("measured", "opensim", "mean_curve", "one_quarter", "one_entire", "all_entire")


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    random = np.random.default_rng(0)
    measures = (
        *figures.ERRORS,
        "onset_off",
        "offset_off",
        "peak_off",
        "height_off",
        "missed",
        "correlation",
        "rmse",
        "overlap",
    )
    rows = [
        {
            "study": "planted",
            "muscle": muscle,
            "method": method,
            "measure": measure,
            "mean": mean,
            "ci_low": mean - 1,
            "ci_high": mean + 1,
        }
        for muscle in ("tib", "soleus")
        for method in METHODS
        for measure in measures
        for mean in [random.normal()]
    ]
    return pd.DataFrame(rows).assign(n=4, of_units=4, unit="speed", synthetic=True)


def places(drawn: Drawn, panel: int) -> list[float]:
    """Horizontal places of the marks of a panel."""
    return sorted(
        float(x)
        for line in drawn.figure.axes[panel].lines
        if line.get_marker() not in ("", "None")
        for x in line.get_xdata()
    )


def test_marks_lie_at_the_means(summary: pd.DataFrame) -> None:
    drawn = figures.timing_errors(summary, study="planted", step=5.3, synthetic=True)
    for panel, measure in enumerate(figures.ERRORS):
        rows = summary[summary["measure"].eq(measure) & summary["method"].ne("measured")]
        found = [x for x in places(drawn, panel) if np.isfinite(x)]
        assert set(np.round(rows["mean"], 9)) <= set(np.round(found, 9))
    assert drawn.title.startswith("SYNTHETIC")
    assert "n = 4 held-out speeds" in drawn.title
    assert "onset error (% of cycle): largest for" in drawn.alt


def test_the_overview_names_the_best_and_more_correlation_is_better(summary: pd.DataFrame) -> None:
    drawn = figures.timing_overview(summary, synthetic=True)
    rows = summary[summary["measure"].eq("correlation") & summary["method"].ne("measured")]
    assert f"correlation r: best {figures.label_of(rows.loc[rows['mean'].idxmax(), 'method'])}" in drawn.alt


def test_cocontraction_has_the_emg_among_its_marks(summary: pd.DataFrame) -> None:
    drawn = figures.cocontraction(summary, synthetic=True)
    assert "measured" in set(drawn.data["method"])
    legend = [text.get_text() for text in drawn.figure.legends[0].get_texts()]
    assert legend[0] == "measured EMG"


def test_contrasts_of_the_model_stand_beside_the_paired_ones() -> None:
    row = {"study": "planted", "a": "one_entire", "b": "mean_curve", "difference": -0.1, "ci_low": -0.2, "ci_high": 0.0}
    row |= {"paired_difference": -0.3, "paired_ci_low": -0.4, "paired_ci_high": -0.2, "n_units": 4, "unit": "speed"}
    table = pd.DataFrame([row | {"scope": scope} for scope in ("these muscles", "other muscles")])
    drawn = figures.mixed_contrasts(table, synthetic=False)
    assert list(drawn.data["difference"]) == [-0.1, -0.1, -0.3]
    assert "One-Entire − training-mean curve: −0.10." in drawn.alt


def test_what_emg_is_divided_by_and_what_is_left_out_are_drawn() -> None:
    head = {"study": "planted", "unit": "subject", "n": 4}
    ends = {"ci_low": -0.5, "ci_high": -0.3, "curve_ci_low": -0.2, "curve_ci_high": 0.0, "against_curve": -0.1}
    scales = pd.DataFrame(
        [
            head | ends | {"scale": scale, "method": method, "er_mean": er}
            for scale, er in {"as given": -0.4, "mean of the person": -0.6}.items()
            for method in ("mean_curve", "ridge_all")
        ]
    )
    drawn = figures.normalisation(scales, synthetic=False)
    assert "ridge, all muscles: Er −0.60 to −0.40." in drawn.alt
    lost = pd.DataFrame([head | ends | {"method": "ridge_all", "rise": 0.1, "er_person": -0.5, "er_apart": -0.4}])
    assert "ridge, all muscles: −0.50 becomes −0.40." in figures.left_out(lost, synthetic=False).alt


def test_every_method_has_a_colour_and_a_shape_of_its_own() -> None:
    assert COLOURS.keys() == SHAPES.keys()
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert len(set(SHAPES.values())) == len(SHAPES)
