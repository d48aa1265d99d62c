"""A person without one EMG channel: for it the study is the one without them, for the others the whole one."""

import shutil

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis import controls, leaderboard, statistics
from nem2e_lib.analysis.attention import reading
from nem2e_lib.analysis.following import following
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import train
from nem2e_lib.rivals import Delay, MeanCurve, PartialLeastSquares, RidgeAll, RidgeOwn, SpeedCurve, evaluate
from nem2e_lib.rivals.kernel_ridge import KernelRidge
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.train import train_condition
from tests.support.small import make_cycles

TINY = Configuration(units=4, epochs=2)
LOST, WHOLE = "tib", ["soleus", "rect"]


def without(cycles, subject, channel):
    """The study in which a subject's electrode was dead."""
    dead = (cycles.subject == subject) & (cycles.channel == channel)
    return cycles.assign(emg=cycles.emg.where(~dead), emg_waveform=cycles.emg_waveform.where(~dead))


def others(cycles, subject):
    return cycles.isel(cycle=(cycles.subject != subject).values)


@pytest.fixture(scope="module")
def cycles():
    return make_cycles((3, 2, 3, 2), channels=3)


def alike(a, b, names=("refined", "measured", "simulated", "mean_curve")):
    for name in names:
        np.testing.assert_allclose(a[name].values, b[name].values, atol=2e-6, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("condition", ["one_entire", "all_entire", "one_quarter"])
def test_training_does_without_the_person_for_that_channel_alone(cycles, condition, tmp_path):
    whole, less, gone = cycles, without(cycles, "s1", LOST), others(cycles, "s1")
    every, found, rest = (train_condition(c, condition, TINY, progress=False) for c in (whole, less, gone))
    alike(found.sel(channel=WHOLE), every.sel(channel=WHOLE))
    there = (found.subject != "s1").values
    alike(found.sel(channel=LOST).isel(cycle=there), rest.sel(channel=LOST))
    folds = [label for label in found.fold.values if label != "s1"]
    for name in ("training_loss", "validation_loss", "gradient"):
        np.testing.assert_allclose(found[name].sel(channel=LOST, fold=folds), rest[name].sel(channel=LOST), atol=2e-6)
    for name in ("refined", "measured", "simulated", "mean_curve", "attention"):
        assert np.isnan(found[name].sel(channel=LOST).isel(cycle=~there)).all(), name
    table = errors(found)
    assert table.groupby("muscle")["label"].nunique().to_dict() == {"soleus": 4, "tib": 3, "rect": 4}
    pd.testing.assert_frame_equal(
        table[table["muscle"] == LOST].reset_index(drop=True),
        errors(rest)[lambda t: t["muscle"] == LOST].reset_index(drop=True),
        atol=1e-4,
    )


@pytest.mark.slow
def test_epochs_are_those_of_the_study_without_the_person():
    """So many updates on the median fold: it differs from channel to channel, and so does the number of epochs."""
    cycles, some = make_cycles((6, 1, 1, 1), channels=2), Configuration(units=4, epochs=None, updates=30)
    less, gone = without(cycles, "s0", "tib"), others(cycles, "s0")
    found, rest = (train_condition(c, "one_entire", some, progress=False) for c in (less, gone))
    epochs = rest.sizes["epoch"]
    assert np.isfinite(found.training_loss).any(["seed", "fold"]).sum("epoch").values.tolist() == [4, epochs]
    own = found.sel(channel="tib", fold=["s1", "s2", "s3"]).training_loss
    np.testing.assert_allclose(own, rest.training_loss.sel(channel="tib"), atol=2e-6)
    alike(found.sel(channel="tib").isel(cycle=(found.subject != "s0").values), rest.sel(channel="tib"))


PER_CHANNEL = [MeanCurve(), SpeedCurve(), Delay(gain=True), RidgeOwn(), RidgeAll()]


@pytest.mark.parametrize("rival", PER_CHANNEL, ids=lambda one: one.name)
def test_rivals_do_without_the_person_for_that_channel_alone(cycles, rival):
    every, found, rest = (evaluate(c, rival) for c in (cycles, without(cycles, "s1", LOST), others(cycles, "s1")))
    alike(found.sel(channel=WHOLE), every.sel(channel=WHOLE))
    there = (found.subject != "s1").values
    alike(found.sel(channel=LOST).isel(cycle=there), rest.sel(channel=LOST))
    assert np.isnan(found.refined.sel(channel=LOST).isel(cycle=~there)).all()
    assert not found.diverged.any()


@pytest.mark.slow
@pytest.mark.parametrize("rival", [PartialLeastSquares(), KernelRidge()], ids=lambda one: one.name)
def test_rivals_of_all_channels_see_the_channels_that_their_cycles_have(cycles, rival):
    """The lost channel is that of the study without the person, the others are those of the study without it."""
    found, rest = (evaluate(c, rival) for c in (without(cycles, "s1", LOST), others(cycles, "s1")))
    three = evaluate(cycles.sel(channel=WHOLE), rival)
    alike(found.sel(channel=WHOLE), three)
    alike(found.sel(channel=LOST).isel(cycle=(found.subject != "s1").values), rest.sel(channel=LOST))


def test_statistics_count_each_muscle_s_own_people(cycles):
    less = without(cycles, "s1", LOST)
    methods = [train_condition(less, "one_entire", TINY, progress=False), evaluate(less, MeanCurve())]
    table = pd.concat([errors(one) for one in methods], ignore_index=True)
    n = {"soleus": 4, "tib": 3, "rect": 4}
    assert statistics.summary(table).groupby("muscle")["n_units"].unique().map(list).to_dict() == {
        name: [count] for name, count in n.items()
    }
    pair = statistics.paired(table, "one_entire", "mean_curve")
    assert pair.set_index("muscle")["n"].to_dict() == n
    units = leaderboard.per_unit(table)
    assert set(zip(units["label"], units["n_electrodes"], strict=True)) == {("s0", 3), ("s1", 2), ("s2", 3), ("s3", 3)}
    assert (leaderboard.duels(table)["n"] == 4).all()


def test_what_asks_a_trained_condition_again_leaves_out_what_was_not_recorded(cycles, tmp_path):
    less = without(cycles, "s1", LOST)
    results = train_condition(less, "one_entire", TINY, store=tmp_path, progress=False)
    trained = controls.Trained.load(less, results, tmp_path)
    table = controls.errors_under(trained, controls.every_change(trained))
    counts = table.groupby(["muscle", "control"])["label"].nunique()
    assert {muscle: set(counts[muscle]) for muscle in ("tib", "rect")} == {"tib": {3}, "rect": {4}}
    assert table.loc[table["reason"] == "", "er"].notna().all()
    assert following(results).groupby("muscle").size().to_dict() == {"soleus": 4, "tib": 3, "rect": 4}
    assert 0 < reading(results)["entropy_share"] <= 1


def test_a_channel_of_one_person_is_refused(cycles):
    less = cycles
    for subject in ("s1", "s2", "s3"):
        less = without(less, subject, LOST)
    for go in (lambda: train_condition(less, "one_entire", TINY, progress=False), lambda: evaluate(less, MeanCurve())):
        with pytest.raises(Nem2eError, match=r"EMG tib was recorded of s0 alone, .* add subjects with it\.$"):
            go()


@pytest.mark.slow
def test_a_refiner_is_trained_on_everybody_who_has_the_channel(cycles):
    """Its muscle is that of the refiner of the study without the person, with the error on those who have it."""
    less, gone = without(cycles, "s1", LOST), others(cycles, "s1")
    found, rest = (train(c, "one_entire", TINY, progress=False) for c in (less, gone))
    assert {each.name: each.held_out.units for each in found.manifest.outputs} == {"soleus": 4, "tib": 3, "rect": 4}
    own, theirs = ({each.name: each for each in refiner.manifest.outputs}[LOST] for refiner in (found, rest))
    assert (own.emg_low, own.emg_high) == (theirs.emg_low, theirs.emg_high)
    np.testing.assert_allclose(own.training_rmse, theirs.training_rmse, rtol=1e-4)
    np.testing.assert_allclose(own.held_out.by_phase, theirs.held_out.by_phase, rtol=1e-4)
    np.testing.assert_allclose(own.held_out.er, theirs.held_out.er, atol=1e-4)
    of_all, of_three = (refiner.predict(cycles).sel(channel=LOST) for refiner in (found, rest))
    np.testing.assert_allclose(of_all, of_three, atol=1e-5)


def test_ten_children_of_whom_one_has_a_dead_electrode(realdata, tmp_path):
    """Nine children have hamstrings, ten the rest: as in the study of nine children, and in that of three muscles."""
    folder = realdata / "children_walk/study"
    names = "nine_children_four_muscles", "ten_children_three_muscles"
    nine, ten = (segment(load_study(folder / name))[0] for name in names)
    shutil.copytree(folder / names[1], tmp_path / "study")
    shutil.copy(folder / names[0] / "study.toml", tmp_path / "study/study.toml")
    shutil.copytree(folder / names[0], tmp_path / "study", dirs_exist_ok=True, ignore=_tables)
    table = pd.read_csv(tmp_path / "study/trials.csv", dtype=str)
    dead = np.where(table["subject"] == "HC050A", "hams", "")
    renamed = table.rename(columns={"speed": "condition"})
    renamed.assign(without=dead).to_csv(tmp_path / "study/trials.csv", index=False)
    both = segment(load_study(tmp_path / "study"))[0]
    for rival in (MeanCurve(), RidgeAll()):
        found, of_nine, of_ten = (errors(evaluate(study, rival)) for study in (both, nine, ten))
        assert found.groupby("muscle").size().to_dict() == {"rect": 10, "hams": 9, "gast": 10, "tib": 10}
        expected = pd.concat([of_nine[of_nine["muscle"] == "hams"], of_ten]).set_index(["muscle", "label"])
        pd.testing.assert_series_equal(
            found.set_index(["muscle", "label"])["er"].sort_index(), expected["er"].sort_index(), atol=1e-9
        )


def _tables(_, names):
    return [name for name in names if name.endswith((".csv", ".toml"))]
