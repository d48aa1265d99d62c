"""Whether a method is shown to beat the mean curve: the rule of the planned contrasts, in a sentence."""

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis.statistics import over_folds
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.verdict import shown_to_beat

WIDE = np.array([-0.10, -0.12, -0.08, -0.11, -0.09, -0.13, -0.07, -0.10])


def rows(method, er, unit="subject"):
    labels = [f"s{i}" for i in range(len(er))]
    told = {"study": "lab", "condition": method, "muscle": "sol", "electrode": "sol", "unit": unit, "synthetic": False}
    return pd.DataFrame({"label": labels, "er": er}).assign(**told)


def against(differences, unit="subject"):
    curve = np.linspace(-0.5, -0.3, len(differences))
    return shown_to_beat(rows("auto", curve + differences, unit), rows("mean_curve", curve, unit))


def test_a_sure_difference_is_shown_by_the_corrected_test():
    found, expected = against(WIDE), over_folds(WIDE)
    assert found.shown
    assert (found.state, found.n, found.method) == ("shown", 8, "auto")
    assert found.difference == pytest.approx(-0.1)
    np.testing.assert_allclose((found.ci_low, found.ci_high), (expected.ci_low, expected.ci_high))
    assert found.p_value == pytest.approx(expected.p_value)
    assert found.sentence.startswith("Shown to beat the mean curve")
    assert "−0.100" in found.sentence
    assert "8 held-out subjects." in found.sentence


def test_worse_and_undecided_and_few_are_told_apart():
    assert against(-WIDE).state == "shown otherwise"
    assert "worse" in against(-WIDE).sentence
    undecided = against(WIDE * np.tile([1, -1], 4))
    assert undecided.state == "not shown"
    assert undecided.sentence.startswith("NOT shown to beat")
    few = against(WIDE[:4])
    assert few.p_value < 0.05
    assert few.state == "not shown"
    assert "fewer than 6" in few.sentence
    assert "no independent people" in against(WIDE[:5], "block").sentence


def test_equal_errors_show_nothing_and_one_unit_cannot_tell():
    equal = against(np.zeros(8))
    assert (equal.state, equal.difference, equal.p_value) == ("not shown", 0.0, 1.0)
    one = against(WIDE[:1])
    assert one.state == "cannot be told"
    assert one.p_value is None
    assert "a test needs two" in one.sentence


def test_what_cannot_be_compared_is_refused():
    auto, curve = rows("auto", WIDE), rows("mean_curve", WIDE)
    with pytest.raises(Nem2eError, match="another method and mean_curve"):
        shown_to_beat(curve, auto)
    with pytest.raises(Nem2eError, match="2 values of condition"):
        shown_to_beat(pd.concat([auto, curve]), curve)
    with pytest.raises(Nem2eError, match="once each"):
        shown_to_beat(auto.iloc[:5], curve)
