"""Folds, orders and the training-mean curve."""

import numpy as np
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.training.folds import leave_one_out, mean_curves, training_order
from tests.support.small import make_cycles


def test_subjects_are_left_out():
    folds = leave_one_out(make_cycles((2, 1, 3)))
    assert (folds.unit, folds.labels) == ("subject", ("s0", "s1", "s2"))
    np.testing.assert_array_equal(folds.of_cycle, [0, 0, 1, 2, 2, 2])


def test_one_subject_leaves_speeds_out():
    folds = leave_one_out(make_cycles((4,)))
    assert (folds.unit, folds.labels) == ("speed", ("fast", "slow"))
    np.testing.assert_array_equal(folds.of_cycle, [1, 0, 1, 0])


def test_nothing_to_leave_out_is_refused():
    with pytest.raises(Nem2eError, match="one subject at one speed"):
        leave_one_out(make_cycles((4,), speeds=("slow",)))


def test_order_is_a_permutation_each_epoch_and_depends_on_its_own_fold_alone():
    shown = np.array([1, 4, 6, 7], np.int32)
    order = training_order(shown, 5, 0, "s1")
    assert all(sorted(row) == shown.tolist() for row in order)
    assert len({tuple(row) for row in order}) > 1
    np.testing.assert_array_equal(order, training_order(shown, 5, 0, "s1"))
    assert not np.array_equal(order, training_order(shown, 5, 0, "s2"))
    assert not np.array_equal(order, training_order(shown, 5, 1, "s1"))


def test_mean_curve_never_sees_its_own_fold():
    emg = np.arange(6.0).reshape(1, 3, 2)
    curves = mean_curves(emg, np.array([0, 1, 1]))
    np.testing.assert_allclose(curves, [[[3.0, 4.0], [0.0, 1.0], [0.0, 1.0]]])
