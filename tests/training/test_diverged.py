"""What counts as diverged: a loss that ends high, not one that jumps."""

import numpy as np
import pytest

from nem2e_lib.training.config import Configuration
from nem2e_lib.training.results import DIVERGED, diverged, ended
from nem2e_lib.training.train import train_condition
from tests.support.small import make_cycles

EPOCHS = 100


@pytest.fixture
def losses():
    """Two seeds, two channels, four folds, whose loss falls from .2 to about .01 and to twice that."""
    fall = 0.01 + 0.19 * np.exp(-np.arange(EPOCHS) / 10)
    noise = np.random.default_rng(0).uniform(0.8, 1.2, (2, 2, 4, EPOCHS))
    return fall * noise * np.array([1.0, 2.0])[:, None, None]


def marked(losses):
    return [tuple(map(int, place)) for place in np.argwhere(diverged(losses))]


def test_models_that_train_well_are_not_marked(losses):
    assert marked(losses) == []


@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("from_end", [0, 3, 50])
def test_a_jump_that_is_made_good_is_no_divergence(losses, length, from_end):
    losses[1, 1, 2, EPOCHS - from_end - length : EPOCHS - from_end] = 30.0
    assert marked(losses) == []


@pytest.mark.parametrize("start", [1, 50, 80, 90])
def test_a_loss_that_stays_high_is(losses, start):
    losses[1, 1, 2, start:] = 30.0
    assert marked(losses) == [(1, 1, 2)]


def test_it_is_judged_among_the_models_of_its_channel(losses):
    losses[:, 0] *= 3 * DIVERGED  # a channel of larger EMG
    assert marked(losses) == []
    losses[0, 1, 0, -10:] = 0.1
    middle = np.median(ended(losses)[:, 1])  # with a model above it, as in both that follow
    losses[0, 1, 0, -10:] = 0.99 * DIVERGED * middle
    assert marked(losses) == []
    losses[0, 1, 0, -10:] = 1.01 * DIVERGED * middle
    assert marked(losses) == [(0, 1, 0)]


def test_where_all_models_of_a_channel_are_lost_each_is_known_by_its_own_beginning(losses):
    losses[:, 1, :, 60:] = 30.0
    assert marked(losses) == [(seed, 1, fold) for seed in range(2) for fold in range(4)]


def test_one_epoch_is_no_training_that_could_diverge(losses):
    assert not diverged(losses[..., :1]).any()


def test_there_is_no_mark_without_a_model_and_a_shorter_training_ends_where_it_ends(losses):
    losses[:, 1, 3] = np.nan
    losses[:, 0, :, 60:] = np.nan
    losses[0, 0, 1, 50:60] = 30.0
    assert marked(losses) == [(0, 0, 1)]
    assert np.isnan(ended(losses)[:, 1, 3]).all()
    np.testing.assert_allclose(ended(losses)[1, 0, 0], np.median(losses[1, 0, 0, 54:60]))
    assert not diverged(np.full((1, 1, 2, 5), np.nan)).any()


@pytest.mark.slow
def test_a_training_that_truly_diverges_is_told_from_those_that_do_not():
    cycles = make_cycles((3, 3, 3, 3))
    sound, wild = (
        train_condition(cycles, "one_entire", Configuration(units=6, epochs=20, learning_rate=rate), progress=False)
        for rate in (3e-3, 5.0)
    )
    assert not sound.diverged.any()
    mixed = sound.training_loss.values.copy()
    mixed[:, :, 1] = wild.training_loss.values[:, :, 1]
    np.testing.assert_array_equal(np.argwhere(diverged(mixed))[:, 2], [1, 1])
