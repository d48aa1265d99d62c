"""Charts of attention: what they mark, name and draw, read from the pictures that stand before and after a touch."""

from __future__ import annotations

import re
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib import charts
from nem2e_lib.analysis.contrasts import NOT_SHOWN, OTHERWISE
from nem2e_lib.charts import spatial
from nem2e_lib.charts.chart import Chart
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.body import actuator, in_order, muscle_path, pose
from nem2e_lib.site.saving import save
from tests.support.touch import touched

DURATION = 0.95
"""Seconds of every cycle: 20 samples are 50 ms apart."""
PHONE = 338
"""Pixels that a page has for a chart where the screen has 390."""
SENTENCE = "The weights matter little. They rank inputs badly."


def answers(study: str, n: int = 8) -> pd.DataFrame:
    row = {
        "study": study,
        "verdict": OTHERWISE,
        "sentence": SENTENCE,
        "effect": 0.01,
        "ci_low": -0.004,
        "ci_high": 0.025,
    }
    other = row | {"condition": "all_entire", "verdict": NOT_SHOWN, "ci_high": 0.2}
    return pd.DataFrame([row | {"condition": "one_entire"}, other]).assign(n=n, unit="subject")


def timed(results: xr.Dataset) -> xr.Dataset:
    zero = np.zeros(results.sizes["cycle"])
    return results.assign_coords(start_s=("cycle", zero), end_s=("cycle", zero + DURATION))


@pytest.fixture(scope="module")
def one(walking: dict[str, xr.Dataset]) -> xr.Dataset:
    """Every output of soleus attends to the input two samples later, the last two to the last one."""
    results = timed(walking["one_entire"]).copy(deep=True)
    later = np.eye(20)[np.minimum(np.arange(20) + 2, 19)]
    results["attention"].loc[{"channel": "soleus"}] = np.broadcast_to(
        later, results.attention.sel(channel="soleus").shape
    )
    return results


@pytest.fixture(scope="module")
def temporal(one: xr.Dataset) -> Chart:
    return charts.temporal_attention(one, answers("walking"))


@pytest.fixture(scope="module")
def walker(walking: dict[str, xr.Dataset]) -> Chart:
    return charts.spatial_attention(walking["all_entire"], answers("walking"))


def test_temporal_data_are_shares_of_each_row(one: xr.Dataset, temporal: Chart) -> None:
    own = temporal.data[temporal.data["muscle"] == "tib"]
    sums = own.groupby("output_pct")[["attention_pct", "gradient_pct"]].sum()
    np.testing.assert_allclose(sums, 100, atol=0.11)  # twenty numbers of two digits
    mean = one.attention.sel(channel="tib").mean(["seed", "cycle"]).transpose("output", "token").values
    np.testing.assert_allclose(own["attention_pct"].to_numpy().reshape(20, 20), 100 * mean, atol=0.0051)
    assert len(temporal.data) == one.sizes["channel"] * 400


def test_an_output_says_where_its_weights_lie_in_milliseconds(temporal: Chart) -> None:
    said = " ".join(touched(temporal, muscle="soleus", pick=[{"at": 55}]))
    assert "Output at 53 % of the cycle, 500 ms:" in said  # the tenth sample from zero, 50 ms each
    assert "centre of its weights 100 ms later, at 63 %;" in said
    assert "uniform weights would have it 25 ms earlier." in said  # from 52.6 % to mid-cycle: half a sample
    last = " ".join(touched(temporal, muscle="soleus", pick=[{"at": 100}]))
    assert "centre of its weights at the output, at 100 %;" in last


def test_every_place_of_the_slider_marks_an_output(temporal: Chart) -> None:
    marked = {
        " ".join(touched(temporal, pick=[{"at": at}])).partition("Output at ")[2].partition(" ")[0] for at in (45, 50)
    }
    assert marked == {"47", "53"}


def test_a_map_stands_beside_its_verdict(temporal: Chart, walker: Chart) -> None:
    for chart, verdict, worth in ((temporal, OTHERWISE, "matter little"), (walker, NOT_SHOWN, "is not decided")):
        title = chart.spec["title"]
        assert " ".join(title["text"]).endswith(f"network looks? {verdict.capitalize()}.")
        told = " ".join(title["subtitle"])
        assert worth in told
        assert "+0.010 (95 % CI -0.004 to" in told
        assert SENTENCE in chart.caption
        assert chart.title.startswith("SYNTHETIC")
        assert chart.caption in chart.alt


def test_a_map_without_a_verdict_or_of_the_wrong_kind_is_not_drawn(
    one: xr.Dataset, walking: dict[str, xr.Dataset]
) -> None:
    with pytest.raises(Nem2eError, match=r"walking, one_entire: .* only 2 verdicts on others"):
        charts.temporal_attention(one, answers("running"))
    for draw, condition in ((charts.temporal_attention, "all_entire"), (charts.spatial_attention, "one_entire")):
        with pytest.raises(Nem2eError, match=f"walking, {condition}: its attention is not over"):
            draw(walking[condition], answers("walking"))


def strongest(results: xr.Dataset, muscle: str, phase: float) -> pd.Series:
    """Return the ten highest shares (%) at a phase, by linear interpolation over the samples, by name."""
    mean = results.attention.sel(channel=muscle).mean(["seed", "cycle"]).transpose("token", "output").values
    at = {
        actuator(str(token)).label: 100 * np.interp(phase, results.output.values, row)
        for token, row in zip(results.token.values, mean, strict=True)
    }
    return pd.Series(at).sort_values(ascending=False).head(10)


def test_the_list_names_the_ten_highest_of_the_phase_and_muscle_chosen(
    walking: dict[str, xr.Dataset], walker: Chart
) -> None:
    before, after = strongest(walking["all_entire"], "tib", 50), strongest(walking["all_entire"], "soleus", 15)
    assert set(before.index) != set(after.index)
    for expected, texts in ((before, touched(walker)), (after, touched(walker, phase=15, muscle="soleus"))):
        known = {actuator(str(token)).label for token in walking["all_entire"].token.values}
        assert {text for text in texts if text in known} == set(expected.index)
        assert {f"{weight:.2f}" for weight in expected} <= set(texts)
    assert f"{before.index[0]} {before.iloc[0]:.2f} %" in walker.alt


def test_muscles_stand_on_the_pose_of_each_phase() -> None:
    order = in_order(["soleus_r", "soleus_l", "ercspn_r"])
    stage = spatial._stage(order, "walking")
    for phase in (0, 35, 100):
        for one in order:
            drawn = stage.muscles[stage.muscles["column"] == one.column]
            path = muscle_path(pose(phase, "walking"), one)
            hip = stage.hips["left" if one.side == "left" else "right"]
            expected = (path + np.array([hip, 0.0])) / spatial.GRAIN
            np.testing.assert_allclose(drawn[[f"x{phase}", f"y{phase}"]], expected, atol=0.51)
    widest = stage.bones.filter(regex="^x").to_numpy() * spatial.GRAIN
    assert (widest.min(), widest.max()) == (pytest.approx(0, abs=0.1), pytest.approx(stage.width, abs=0.1))
    assert len(spatial._stage(order[:1], "walking").hips) == 1  # a model of one leg needs one figure


def test_muscles_that_the_figure_does_not_have_are_named_and_not_drawn(walking: dict[str, xr.Dataset]) -> None:
    results = walking["all_entire"]
    names = ["mystery_r", *results.token.values[1:]]
    weights = results.attention.copy(data=np.zeros(results.attention.shape))
    weights.loc[{"token": results.token.values[0]}] = 1.0
    chart = charts.spatial_attention(results.assign(attention=weights).assign_coords(token=names), answers("walking"))
    assert "named but not drawn: mystery_r R." in chart.caption
    assert chart.alt.startswith("Stick figure")
    assert "mystery_r R *" in touched(chart)
    tables = [text for text in chart.spec["datasets"].values() if text.startswith("column,point")]
    assert len(tables) == 1
    assert "mystery" not in tables[0]


def test_every_study_of_the_paper_stays_small_and_fits_a_phone(running: dict[str, xr.Dataset]) -> None:
    both = (
        charts.temporal_attention(timed(running["one_entire"]), answers("running")),
        charts.spatial_attention(running["all_entire"], answers("running")),
    )
    for chart in both:
        assert len(chart.script("it")) < 300_000
        assert len(chart.data.to_csv(index=False)) < 300_000
        assert float(re.search(r'<svg[^>]* width="([\d.]+)"', chart.svg)[1]) < PHONE  # type: ignore[index]
        assert chart.spec["columns"] == 1


def test_a_notebook_shows_a_chart_that_its_page_can_draw(temporal: Chart, tmp_path: Path) -> None:
    shown = save(temporal, "touch", tmp_path)._repr_html_()
    assert '<figure class="chart" data-eager data-chart="charts/touch.js" data-name="touch"' in shown
    assert "&lt;figure" not in shown


def test_truths_arrive_in_a_page_as_they_were() -> None:
    table = pd.DataFrame({"place": [1, 2], "kept": [True, False]})
    drawn = alt.Chart(table).mark_text().transform_filter("datum.kept").encode(x="place:Q", text="place:Q")
    texts = touched(Chart(drawn.encode(text=alt.value("one")), table, "title", "alt"))
    assert texts.count("one") == 1
