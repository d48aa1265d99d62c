"""Which epoch's weights are kept: the last one's bit for bit, their mean, or those that other people choose."""

from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest

from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.batching import Batching
from nem2e_lib.training.config import Configuration, last_tenth, open_points
from nem2e_lib.training.engine import Layout, train_block, train_one
from nem2e_lib.training.folds import leave_nobody_out, leave_one_out, nested, some_units
from nem2e_lib.training.grid import grid
from nem2e_lib.training.results import grid_of, load_networks, load_results, save_results
from nem2e_lib.training.store import Store
from nem2e_lib.training.train import plan, train_condition
from tests.support.small import make_cycles

EPOCHS = 20
TINY = Configuration(units=4, epochs=EPOCHS)
KEY = "b38b84073197533e6716bf0978660a5225e8f8276e297bd59560dde150781967"
"""Of the first model of a small study, as it was before there was the option."""


def train(cycles, **options):
    store = options.pop("store", None)
    return train_condition(cycles, "one_entire", TINY.with_options(**options), progress=False, store=store)


def weights(cycles, store, **options):
    """Weights of every model of a training, by model."""
    made = plan(cycles, "one_entire", TINY.with_options(**options), store=store)
    made.train(progress=False)
    return {model: Store(store).load(made.grid.key(model)).weights for model in made.grid.models}


@pytest.mark.usefixtures("as_users_run")
def test_the_default_keeps_the_key_that_models_were_stored_under(cycles):
    work = grid(cycles, "one_entire", Configuration(), "data")
    assert work.key(work.models[0]) == KEY
    assert "weights" not in Configuration().to_json()
    others = [replace(work, configuration=Configuration(weights=rule)) for rule in ("average", "least")]
    assert len({KEY, *(other.key(other.models[0]) for other in others)}) == 3


@pytest.mark.slow
def test_the_sum_over_epochs_with_all_its_share_on_the_last_is_the_last_bit_for_bit(cycles):
    work = grid(cycles, "one_entire", TINY, "")
    models = tuple(work.models)
    other = replace(work, configuration=TINY.with_options(weights="least"), chosen=dict.fromkeys(models, TINY.epochs))
    run = partial(train_block, work.data(), layout=Layout(len(models), 1), chunk=EPOCHS)
    last, summed = (run(one.tasks(models), one.shape()) for one in (work, other))
    for a, b in zip(last, summed, strict=True):
        for name in ("training_loss", "validation_loss", "refined", "attention", "gradient"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert all((a.weights[name] == b.weights[name]).all() for name in a.weights)


@pytest.mark.slow
def test_average_is_the_mean_over_the_last_tenth_however_epochs_are_cut(tmp_path):
    cycles = make_cycles((4, 2, 3))  # so that folds are padded
    assert last_tenth(EPOCHS) == 2
    before, last, mean = (
        weights(cycles, tmp_path / str(place), **options)
        for place, options in enumerate(({"epochs": EPOCHS - 1}, {}, {"weights": "average"}))
    )
    for model, kept in mean.items():
        for name, value in kept.items():
            np.testing.assert_allclose(value, (before[model][name] + last[model][name]) / 2, atol=2e-6)
    work = grid(cycles, "one_entire", TINY.with_options(weights="average"), "")
    models = tuple(work.models)
    at_once, _, _ = jax.jit(jax.vmap(partial(train_one, work.shape()), in_axes=(None, 0)))(
        work.data(), work.tasks(models)
    )
    for row, model in enumerate(models):
        for name, value in mean[model].items():
            np.testing.assert_allclose(at_once[name][row], value, atol=2e-6)


@pytest.mark.parametrize(("epochs", "tenth"), [(1, 1), (2, 1), (19, 2), (71, 7), (700, 70)])
def test_the_last_tenth_has_an_epoch_at_least(epochs, tenth):
    assert last_tenth(epochs) == tenth


@pytest.mark.slow
def test_least_is_training_for_as_long_as_is_best_for_the_next_person(tmp_path):
    cycles = make_cycles((2, 2, 2, 2))
    made = train(cycles, weights="least", learning_rate=0.02, store=tmp_path)
    whole = train(cycles, learning_rate=0.02)
    people = np.unique(cycles.subject.values)
    for held, following in zip(people, np.roll(people, -1), strict=True):
        rest = train(cycles.isel(cycle=(cycles.subject != held).values), learning_rate=0.02)
        epochs = rest.validation_loss.sel(fold=following).isel(seed=0).argmin("epoch").values + 1
        np.testing.assert_array_equal(made.kept_epoch.sel(fold=held)[0], epochs)
        own = made.isel(cycle=(cycles.subject == held).values, seed=0)
        error = ((own.refined - own.measured) ** 2).mean(["cycle", "sample"])
        for channel, epoch in zip(cycles.channel.values, epochs, strict=True):
            after = whole.validation_loss.sel(fold=held, channel=channel, epoch=epoch)[0]
            np.testing.assert_allclose(error.sel(channel=channel), after, rtol=1e-5)
    assert len(np.unique(made.kept_epoch)) > 1  # otherwise nothing was chosen
    save_results(made, tmp_path / "least.nc")
    back = load_results(tmp_path / "least.nc")
    networks = load_networks(tmp_path, grid_of(back, cycles), "tib")
    chosen = (cycles.subject == "s2").values
    inputs = cycles.activation.sel(muscle="tib_ant_r").values[chosen][..., None]
    expected = made.refined.sel(channel="tib").isel(seed=0, cycle=chosen)
    np.testing.assert_allclose(networks["s2"](inputs), expected, atol=1e-6)


@pytest.mark.slow
def test_the_held_out_person_chooses_nothing(cycles):
    changed = cycles.copy(deep=True)
    changed.emg[(cycles.subject == "s1").values] += 5.0
    before, after = (train(one, weights="least") for one in (cycles, changed))
    mine = (cycles.subject == "s1").values
    np.testing.assert_array_equal(before.kept_epoch.sel(fold="s1"), after.kept_epoch.sel(fold="s1"))
    np.testing.assert_array_equal(before.refined.isel(cycle=mine), after.refined.isel(cycle=mine))


@pytest.mark.slow
def test_where_nobody_is_held_out_everybody_chooses_in_turn(cycles, tmp_path):
    made = plan(
        cycles, "one_entire", TINY.with_options(weights="least"), folds=leave_nobody_out(cycles), store=tmp_path
    )
    found = made.run(progress=False)
    losses = train(cycles).validation_loss.mean("fold")
    np.testing.assert_array_equal(found.kept_epoch[..., 0], losses.argmin("epoch") + 1)


def test_nothing_is_trained_twice_and_the_cost_tells_of_both_trainings(cycles, tmp_path):
    made = plan(cycles, "one_entire", TINY.with_options(weights="least"), store=tmp_path, batching=Batching(6, 6))
    assert made.cost.models == 12
    assert "6 models of 4 units" in str(made)
    assert "and 6 that choose their epochs" in str(made)
    made.run(progress=False)
    again = plan(cycles, "one_entire", TINY.with_options(weights="least"), store=tmp_path)
    assert again.cost.models == 0


@pytest.mark.parametrize("seed", range(30))
def test_who_chooses_was_never_held_out_whatever_was_not_recorded(seed):
    draw = np.random.default_rng(seed)
    counts = draw.integers(1, 4, draw.integers(4, 8)).tolist()
    cycles = make_cycles(counts, channels=3)
    lost = [
        (draw.choice(cycles.subject.values), draw.choice(cycles.channel.values)) for _ in range(draw.integers(0, 3))
    ]
    for subject, channel in lost:
        dead = (cycles.subject == subject) & (cycles.channel == channel)
        cycles = cycles.assign(emg=cycles.emg.where(~dead))
    folds, there = leave_one_out(cycles), recorded(cycles.emg)
    try:
        inner, chosen_for = nested(cycles, folds)
    except Nem2eError:
        assert len(lost) > 1  # with one channel lost there is always somebody to choose
        return
    assert (chosen_for.sum(axis=1) == 1).all()
    for fold in range(len(folds.labels)):
        own = int(np.flatnonzero(chosen_for[fold])[0])
        assert not (inner.shown(own) & (folds.of_cycle == fold)).any()
        assert not ((inner.of_cycle == own) & ((folds.of_cycle == fold) | inner.shown(own))).any()
        for channel in np.flatnonzero(there[:, folds.of_cycle == fold].any(axis=1)):
            assert (there[channel] & inner.shown(own)).any()
            assert (there[channel] & (inner.of_cycle == own)).any()


def test_too_few_people_and_training_on_some_alone_are_refused():
    with pytest.raises(Nem2eError, match=r"holds a further subject out beside s0.* choose weights=last or average"):
        train(make_cycles((2, 2)), weights="least")
    cycles = make_cycles((2, 2, 2, 2))
    with pytest.raises(Nem2eError, match="training is on some of them alone"):
        nested(cycles, some_units(cycles, 2, 0))
    with pytest.raises(Nem2eError, match="weights is 'best', expected one of last, average, least"):
        Configuration(weights="best")


def test_the_choice_stands_among_the_open_points():
    row = next(point for point in open_points(Configuration(weights="average")) if point["id"] == "weights")
    assert (row["here"], row["alternatives"]) == ("average", "last, average, least")
