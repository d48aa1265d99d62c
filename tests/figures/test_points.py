"""Points with mean and interval: what is drawn is what was handed over, and nothing leaves its axes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection

from nem2e_lib.figures.points import boxes, dots, marks, rows_of_points
from nem2e_lib.figures.style import new_figure, styled
from tests.support import look

MEANS = pd.DataFrame(
    {
        "method": ["b", "a", "c"],
        "er_mean": [-0.5, -0.2, 0.1],
        "ci_low": [-0.9, -0.3, np.nan],
        "ci_high": [-0.1, 1.4, np.nan],
    }
)
PALETTE = {"b": "#0072B2", "a": "#D55E00", "c": "#777777"}


def panel() -> Axes:
    return new_figure(3.0, "made-up", legend_rows=0).subplots()


def segments(axis: Axes) -> list[Any]:
    return [part for c in axis.collections if isinstance(c, LineCollection) for part in c.get_segments()]


def test_rows_are_in_the_order_given_with_their_intervals_names_and_numbers() -> None:
    axis = panel()
    rows_of_points(axis, MEANS, row="method", palette=PALETTE, names=["B", "A", "C"], notes=["1", "2", "3"])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["B", "A", "C"]
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "the first row is on top"
    placed = {(x, y) for line in axis.lines for x, y in line.get_xydata() if np.isfinite(x)}
    assert placed == {(-0.5, 0), (-0.2, 1), (0.1, 2)}
    np.testing.assert_allclose(segments(axis), [[[-0.9, 0], [-0.1, 0]], [[-0.3, 1], [1.4, 1]]])
    assert [text.get_text() for text in axis.texts] == ["1", "2", "3"]
    assert look.cut_lines(axis.figure) == []


def test_marks_that_share_a_place_stand_beside_each_other_with_their_intervals() -> None:
    axis = panel()
    both = pd.concat([MEANS.assign(kind="x"), MEANS.assign(kind="y", er_mean=MEANS["er_mean"] + 0.05)])
    marks(
        axis,
        both,
        row="method",
        value="er_mean",
        order=["a", "b", "c"],
        hue="kind",
        palette={"x": "#0072B2", "y": "#D55E00"},
        step=0.2,
        orient="v",
    )
    placed = sorted((round(x, 6), y) for line in axis.lines for x, y in line.get_xydata() if np.isfinite(y))
    assert [x for x, _ in placed] == [-0.1, 0.1, 0.9, 1.1, 1.9, 2.1]
    assert sorted(round(part[0][0], 6) for part in segments(axis)) == [-0.1, 0.1, 0.9, 1.1]


def test_marks_are_hollow_where_they_are_not_filled() -> None:
    axis = panel()
    marks(
        axis,
        MEANS.assign(sure=[True, False, False]),
        row="method",
        value="er_mean",
        order=["b", "a", "c"],
        palette=PALETTE,
        filled="sure",
    )
    faces = {
        float(x): line.get_markerfacecolor() for line in axis.lines for x, _ in line.get_xydata() if np.isfinite(x)
    }
    assert faces == {-0.5: PALETTE["b"], -0.2: "white", 0.1: "white"}


def test_jitter_is_the_same_each_time_and_the_callers_random_numbers_go_on() -> None:
    @styled
    def drawing() -> Any:
        axis = panel()
        dots(axis, MEANS, x="er_mean", y="method", hue="method", palette=PALETTE, jitter=0.2)
        twice = pd.concat([MEANS, MEANS + pd.DataFrame({"method": [""] * 3})])
        dots(axis, twice, x="er_mean", y="method", hue="method", palette=PALETTE, jitter=0.2)
        return np.concatenate([c.get_offsets() for c in axis.collections if isinstance(c, PathCollection)])

    np.random.seed(7)  # noqa: NPY002
    expected = np.random.uniform(size=2)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    first = drawing()
    assert np.random.uniform() == expected[0]  # noqa: NPY002
    np.testing.assert_array_equal(first, drawing())
    assert np.random.uniform() == expected[1]  # noqa: NPY002


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
def test_boxes_hold_quartiles_and_warn_of_nothing(orientation: str) -> None:
    axis = panel()
    data = pd.DataFrame({"method": "a", "er": [0.0, 1.0, 2.0, 3.0, 4.0]})
    x, y = ("method", "er") if orientation == "vertical" else ("er", "method")
    boxes(axis, data, x=x, y=y, hue="method", palette={"a": "#0072B2"}, alpha=0.5, orientation=orientation)
    corners = axis.patches[0].get_path().vertices[:, 1 if orientation == "vertical" else 0]
    assert (corners.min(), corners.max()) == (1.0, 3.0)
