"""Folds, orders and the training-mean curve."""

from dataclasses import replace

import numpy as np
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.folds import leave_one_out, mean_curves, training_order
from nem2e_lib.training.grid import grid
from tests.support.small import make_cycles


def test_subjects_are_left_out():
    folds = leave_one_out(make_cycles((2, 1, 3)))
    assert (folds.unit, folds.labels) == ("subject", ("s0", "s1", "s2"))
    np.testing.assert_array_equal(folds.of_cycle, [0, 0, 1, 2, 2, 2])


def test_one_subject_leaves_speeds_out():
    folds = leave_one_out(make_cycles((4,)))
    assert (folds.unit, folds.labels) == ("speed", ("fast", "slow"))
    np.testing.assert_array_equal(folds.of_cycle, [1, 0, 1, 0])


def one_speed(count, trials=1):
    """Cycles of one person at one speed, in order of time; trials in turn, named against the alphabet."""
    cycles = make_cycles((count,), speeds=("free",))
    of_trial = np.arange(count) * trials // count
    names = [f"walk{trials - trial}" for trial in of_trial]
    start = [1.1 * float((of_trial[:cycle] == of_trial[cycle]).sum()) for cycle in range(count)]
    return cycles.assign_coords(trial=("cycle", names), start_s=("cycle", start))


@pytest.mark.parametrize(("count", "sizes"), [(10, [2] * 5), (14, [3, 3, 3, 3, 2]), (61, [13, 12, 12, 12, 12])])
@pytest.mark.parametrize("trials", [1, 2, 3])
def test_one_subject_at_one_speed_leaves_blocks_of_neighbours_out(count, sizes, trials):
    folds = leave_one_out(one_speed(count, trials))
    assert (folds.unit, folds.labels) == ("block", ("block 1", "block 2", "block 3", "block 4", "block 5"))
    np.testing.assert_array_equal(folds.of_cycle, np.repeat(np.arange(5), sizes))


def test_blocks_follow_time_within_a_trial_and_trials_as_they_stand():
    cycles = one_speed(12, 2)
    order = np.array([3, 0, 5, 1, 4, 2, *range(11, 5, -1)])
    shuffled = leave_one_out(cycles.isel(cycle=order))
    np.testing.assert_array_equal(shuffled.of_cycle, leave_one_out(cycles).of_cycle[order])


def test_too_few_cycles_for_blocks_are_refused_with_how_many_are_needed():
    with pytest.raises(Nem2eError, match=r"one subject at one speed.* 10 are needed, but there are 9;"):
        leave_one_out(one_speed(9))


def test_blocks_of_the_same_names_are_other_models_where_they_hold_other_cycles():
    cycles = one_speed(10)
    plan = grid(cycles, "one_entire", Configuration(units=3, epochs=1), "hash")
    moved = replace(plan.folds, of_cycle=plan.folds.of_cycle[::-1].copy())
    assert plan.key(plan.models[0]) != replace(plan, folds=moved).key(plan.models[0])
    subjects = grid(make_cycles((2, 2)), "one_entire", Configuration(units=3, epochs=1), "hash")
    moved = replace(subjects.folds, of_cycle=subjects.folds.of_cycle[::-1].copy())
    assert subjects.key(subjects.models[0]) == replace(subjects, folds=moved).key(subjects.models[0])


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


def test_one_person_at_one_speed_in_two_conditions_is_left_out_by_condition():
    cycles = make_cycles((4,), speeds=("free",)).assign_coords(condition=("cycle", ["level", "ramp", "level", "ramp"]))
    folds = leave_one_out(cycles)
    assert (folds.unit, folds.labels, folds.of_cycle.tolist()) == ("condition", ("level", "ramp"), [0, 1, 0, 1])
