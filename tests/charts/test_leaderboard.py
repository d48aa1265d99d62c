"""The leaderboard that readers touch: two methods compared by hand, before and after a touch."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from nem2e_lib import charts
from nem2e_lib.charts.chart import Chart
from tests.support.board import ER, drawn, table
from tests.support.touch import calculated, params, picture, touched


@pytest.fixture(scope="module")
def chart() -> Chart:
    return drawn(pd.concat([table("walking"), table("running", -0.4)]))


def by_hand(a: str, b: str) -> tuple[float, float, float]:
    """Mean difference and its interval, corrected for training data that folds share (Nadeau & Bengio 2003)."""
    apart = np.subtract(ER[a], ER[b])
    half = student.ppf(0.975, 7) * apart.std(ddof=1) * np.sqrt(1 / 8 + 1 / 7)
    return apart.mean(), apart.mean() - half, apart.mean() + half


def said(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def test_at_first_the_best_method_is_compared_with_the_mean_curve(chart: Chart) -> None:
    mean, low, high = map(said, by_hand("ridge_all", "mean_curve"))
    walking = touched(drawn(table("walking")))
    assert walking[walking.index("A: ridge, all muscles") + 1] == "B: training-mean curve"
    assert f"A minus B: {mean} (95 % CI {low} to {high})" in walking
    assert "A is lower in 7 of 8 subjects" in walking
    first = touched(chart)  # running stands first: its One-Entire is the best
    assert first[first.index("A: One-Entire") + 1] == "B: training-mean curve"
    assert chart.alt.startswith("Mean Er in running (n = 8 held-out subjects), best first: One-Entire −0.59; ridge")
    assert "One-Entire minus training-mean curve: −0.21 (95 % CI" in chart.alt


def test_any_two_methods_can_be_compared_either_way(chart: Chart) -> None:
    mean, low, high = by_hand("one_entire", "ridge_all")
    walking = {"study": [{"chosen": "walking"}]}
    one, other = [{"method": "One-Entire"}], [{"method": "ridge, all muscles"}]
    there, back = touched(chart, **walking, first=one, second=other), touched(chart, **walking, first=other, second=one)
    assert f"A minus B: {said(mean)} (95 % CI {said(low)} to {said(high)})" in there
    assert f"A minus B: {said(-mean)} (95 % CI {said(-high)} to {said(-low)})" in back
    assert "A is lower in 0 of 8 subjects" in there
    assert "A is lower in 8 of 8 subjects" in back
    assert "Holm over 6 pairs, p &lt; 0.001: a difference is shown" in there
    assert "Choose two different methods." in touched(chart, first=one, second=one)
    assert "Choose two different methods." not in there


def test_a_unit_is_followed_through_all_methods(chart: Chart) -> None:
    walking = {"study": [{"chosen": "walking"}]}
    assert "one dot a held-out subject" in touched(chart, **walking)
    assert "s4: +0.020 (−0.400, −0.420)" in touched(
        chart, **walking, first=[{"method": "ridge, all muscles"}], who=[{"label": "s4"}]
    )
    dark = re.compile('<path [^>]*fill="#1d2430"')
    marks = [len(dark.findall(picture(chart, **walking, who=[{"label": who}]))) for who in ("nobody", "s4")]
    assert marks[1] - marks[0] == len(ER) + 1  # each method's dot, and the difference


def test_few_units_show_nothing(chart: Chart) -> None:
    few = drawn(table("runner", units=4), synthetic=False)
    assert "Too few subjects to show a difference" in touched(few)
    assert few.alt.endswith("lower in 3 of 4 subjects; too few to show a difference.")
    assert "Study " not in {param["bind"]["name"] for param in params(few.spec) if "bind" in param}


def test_a_method_without_er_has_a_row_of_its_own() -> None:
    errors = table("walking")
    errors.loc[errors["condition"] == "one_entire", "er"] = np.nan
    assert "undefined" in touched(drawn(errors))


def test_every_box_has_a_plain_name_and_the_data_are_whole(chart: Chart) -> None:
    boxes = [param["bind"]["name"].strip() for param in params(chart.spec) if "bind" in param]
    assert boxes[::-1] == ["Study", "Method A", "Method B", "Follow"]  # Vega shows the last one first
    assert chart.title.startswith("SYNTHETIC")
    assert chart.data[chart.data["study"] == "walking"].groupby("part").size().to_dict() == {
        "held-out unit": 32,
        "method": 4,
        "pair": 6,
    }
    assert set(chart.data["method"]) == set(ER)  # ids, whatever readers are shown


def test_no_expression_writes_a_column_that_it_reads_or_that_a_filter_reads(chart: Chart) -> None:
    written = calculated(chart.spec)
    assert [name for name, expression in written if re.search(rf"\bdatum\.{name}\b", expression)] == []
    assert {"one", "other", "difference", "from", "to", "method", "label"} & {name for name, _ in written} == set()


def test_a_whole_leaderboard_of_two_studies_stays_small() -> None:
    names, labels = [f"a method with a long name {k:02d}" for k in range(17)], [f"subject{k:02d}" for k in range(10)]
    studies, draw = ("walking", "running"), np.random.default_rng(0)
    keys = pd.MultiIndex.from_product([studies, names, labels], names=["study", "method", "label"])
    units = keys.to_frame(index=False).assign(unit="subject", er=draw.normal(size=len(keys)))
    keys = pd.MultiIndex.from_product([studies, names], names=["study", "method"])
    numbers = ["er_mean", "ci_low", "ci_high"]
    standings = keys.to_frame(index=False).assign(n_units=10, unit="subject")
    standings[numbers] = draw.normal(size=(len(keys), 3))
    pairs = [(study, a, b) for study in studies for a, b in combinations(names, 2)]
    fights = pd.DataFrame(pairs, columns=["study", "a", "b"]).assign(winner="", n=10)
    fights[["difference", "ci_low", "ci_high", "p_holm"]] = draw.uniform(size=(len(pairs), 4))
    chart = charts.leaderboard.leaderboard(standings, units, fights, synthetic=False)
    assert len(chart.script("touch_leaderboard").encode()) < 60_000
