"""Designs of the learning curves: who is held out, and what each fold trains on."""

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from nem2e_lib.training import folds as subsets
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.folds import leave_one_out
from nem2e_lib.training.train import train_condition
from tests.support.small import make_cycles

TINY = Configuration(units=4, epochs=1)


def shown(folds, fold):
    return np.flatnonzero(folds.shown(fold))


def test_more_units_include_the_fewer_and_never_the_held_out_one():
    cycles = make_cycles(counts=(2, 3, 2, 4))
    whole = leave_one_out(cycles)
    for draw in (0, 1):
        sets = [subsets.some_units(cycles, count, draw) for count in (1, 2, 3)]
        for fold in range(4):
            trained = [set(shown(one, fold)) for one in sets]
            assert trained[0] < trained[1] < trained[2]
            assert trained[2] == set(shown(whole, fold))
            assert len(set(cycles.subject.values[sorted(trained[0])])) == 1
    assert not np.array_equal(subsets.some_units(cycles, 1, 0).only, subsets.some_units(cycles, 1, 1).only)


def test_cycles_are_taken_from_all_units_in_turn():
    cycles = make_cycles(counts=(4, 4, 4, 4))
    for count in (3, 6, 12):
        folds = subsets.some_cycles(cycles, count)
        for fold in range(4):
            _, each = np.unique(cycles.subject.values[shown(folds, fold)], return_counts=True)
            assert each.tolist() == [count // 3] * 3


def test_a_speed_left_out_is_held_out_but_never_shown():
    cycles = make_cycles(counts=(4, 4, 4))
    folds = subsets.without_speed(cycles, "slow")
    for fold in range(3):
        assert set(cycles.speed.values[shown(folds, fold)]) == {"fast"}
        assert set(cycles.speed.values[folds.of_cycle == fold]) == {"slow", "fast"}


@pytest.mark.slow
def test_two_motions_are_joined_on_common_channels_and_kept_apart():
    run, walk = make_cycles(counts=(3, 3), channels=3), make_cycles(counts=(2, 2), channels=2, seed=1)
    both = subsets.joined({"running": run, "walking": walk})
    assert both.channel.values.tolist() == ["soleus", "tib"]
    np.testing.assert_array_equal(both.activation.sel(muscle="tib")[:6], run.activation.sel(muscle="tib_ant_r"))
    np.testing.assert_array_equal(both.emg.sel(channel="soleus")[6:], walk.emg.sel(channel="soleus"))
    motion, subject = both.motion.values, both.subject.values
    for trained_on, expected in (("same", {"running"}), ("other", {"walking"}), ("both", {"running", "walking"})):
        folds = subsets.across(both, "running", trained_on)
        assert folds.labels == ("running:s0", "running:s1")
        assert (folds.of_cycle[motion == "walking"] == -1).all()
        for fold, label in enumerate(folds.labels):
            assert set(motion[shown(folds, fold)]) == expected
            assert label not in subject[shown(folds, fold)]
    # cycles of the other motion are trained on, but no error is taken on them
    results = train_condition(both, "one_entire", TINY, folds=subsets.across(both, "walking", "other"), progress=False)
    assert set(errors(results)["label"]) == {"walking:s0", "walking:s1"}
    assert np.isfinite(errors(results)["er"]).all()
    np.testing.assert_allclose(results.mean_curve[0, 6], run.emg[:, :, 0].mean("cycle"))
    assert np.isnan(results.mean_curve[:, :6]).all()


@pytest.mark.slow
def test_a_subset_trains_on_its_cycles_alone_and_its_mean_curve_is_theirs(tmp_path):
    cycles = make_cycles(counts=(3, 3, 3))
    folds = subsets.some_units(cycles, 1)
    small = train_condition(cycles, "one_entire", TINY, folds=folds, store=tmp_path, progress=False)
    for cycle, fold in enumerate(folds.of_cycle):
        np.testing.assert_allclose(small.mean_curve[0, cycle], cycles.emg[shown(folds, fold), :, 0].mean("cycle"))
    # what is not shown does not matter
    fold = 0
    changed = cycles.copy(deep=True)
    out = np.setdiff1d(np.arange(9), np.r_[shown(folds, fold), np.flatnonzero(folds.of_cycle == fold)])
    changed["emg"][out] = 7.0
    again = train_condition(changed, "one_entire", TINY, folds=folds, progress=False)
    held = np.flatnonzero(folds.of_cycle == fold)
    np.testing.assert_array_equal(small.refined[:, :, held], again.refined[:, :, held])
    # and a finished model of the whole is not taken for one of a part
    whole = train_condition(cycles, "one_entire", TINY, store=tmp_path, progress=False)
    assert not np.array_equal(whole.refined, small.refined)
    assert len(errors(small)) == len(errors(whole)) == 6


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda c: subsets.some_units(c, 3), "3 training subjects are wanted, expected 1 to 2"),
        (lambda c: subsets.some_cycles(c, 7), "7 training cycles are wanted, expected 1 to 6"),
        (lambda c: subsets.without_speed(c, "walk"), "'walk' cannot be left out"),
        (lambda c: subsets.joined({"a": c, "b": c.assign_coords(channel=["x", "y"])}), "no EMG channel is in all"),
        (lambda c: subsets.across(c.assign_coords(motion=("cycle", ["a"] * 9)), "a", "none"), "same, other or both"),
        (lambda c: subsets.across(c.assign_coords(motion=("cycle", ["a"] * 9)), "b", "same"), "0 subject"),
    ],
)
def test_what_cannot_be_designed_is_told(make, said):
    with pytest.raises(Nem2eError, match=said):
        make(make_cycles(counts=(3, 3, 3)))


def test_joining_keeps_a_data_set_that_can_be_saved():
    both = subsets.joined({"a": make_cycles(counts=(2, 2)), "b": make_cycles(counts=(2, 2), seed=2)})
    assert isinstance(both, xr.Dataset)
    assert both.attrs["study"] == "a+b"
    assert len(set(both.cycle.values.tolist())) == 8
