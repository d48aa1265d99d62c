"""Controls with models whose behaviour is known: one replays the training-mean curve, one copies its input."""

import numpy as np
import pytest

from nem2e_lib.analysis import contrasts
from nem2e_lib.analysis import control_tests as tests_of
from nem2e_lib.analysis import controls as inputs
from nem2e_lib.analysis.control_tests import (
    CANNOT,
    HARMED,
    NEEDS,
    REPLAYS,
    UNCHANGED,
    VARIES,
    control_summary,
    following_summary,
    verdicts,
)
from nem2e_lib.analysis.controls import Trained, ask, er_of_units, errors_under, shifts, unit_weights
from nem2e_lib.analysis.following import following
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from tests.support.planted import CHANNELS, SAMPLES, copying, replaying, study

ALL = [inputs.AVERAGE, inputs.SUBJECT, inputs.SPEED, inputs.MUSCLE, inputs.HALF, inputs.REVERSED, inputs.CONSTANT]


def judged(trained):
    table = errors_under(trained, inputs.every_change(trained))
    return table, control_summary(table)


def needed(table):
    return contrasts.judged(tests_of.inputs(table), contrasts.of_family(contrasts.INPUT))


def test_a_replayed_mean_curve_rises_under_no_control_and_follows_nothing():
    trained = study()
    table, summary = judged(trained)
    assert list(dict.fromkeys(table["control"])) == ALL
    np.testing.assert_allclose(table["rise"], 0.0, atol=1e-12)
    np.testing.assert_allclose(table["above_mean_curve"], 0.0, atol=1e-12)
    assert summary["rise_p_value"].isna().all()
    followed = following(trained.results)
    assert (followed[["slope", "slope_within", "variance_share"]].abs() < 1e-12).all(axis=None)
    assert followed[["r", "r_within"]].isna().all(axis=None)
    found = shifts(trained)
    assert np.ptp(found.er, axis=0).max() < 1e-12
    np.testing.assert_array_equal(found.moved, 0.0)
    np.testing.assert_array_equal(found.share, 0.0)
    assert verdicts(summary, following_summary(followed), needed(table))["verdict"].tolist() == [REPLAYS]


def test_a_copied_input_is_followed_and_every_control_makes_it_worse():
    trained = study(subjects=6, models=copying)
    table, summary = judged(trained)
    by_control = summary.set_index("control")
    assert by_control.loc[UNCHANGED, "er_mean"] < -0.8
    assert (by_control.loc[ALL, "rise_ci_low"] > 0).all()
    assert (by_control.loc[ALL, "rise_p_holm"] >= by_control.loc[ALL, "rise_p_value"]).all()
    assert by_control.loc[UNCHANGED, "above_mean_curve_ci_high"] < 0
    followed = following(trained.results)
    for name in ("slope", "r", "slope_within", "r_within", "variance_share", "explained"):
        assert followed[name].between(0.9, 1.1).all(), name
    said = verdicts(summary, following_summary(followed), needed(table)).iloc[0]
    assert (said["verdict"], said["answer"]) == (NEEDS, contrasts.SHOWN)
    rise = needed(table).set_index("method").loc["one_entire", "difference"]
    assert -rise == pytest.approx(by_control.loc[inputs.AVERAGE, "rise"])  # one difference, whoever tells it
    assert f"n = {trained.results.sizes['fold']} subjects" in said["sentence"]


def test_the_output_of_a_copied_input_moves_with_every_shift_and_its_error_is_least_without_one():
    found = shifts(study(models=copying))
    assert found.shift[np.argmin(np.nanmean(found.er, axis=(1, 2)))] == 0
    # a shift by half a cycle is found at either end; the output joins its ends by a jump, so 1 % is the grain
    away = (found.moved - found.shift[:, None] + 50) % 100 - 50
    assert np.abs(away).max() <= 2
    np.testing.assert_allclose(found.share, 1.0, atol=0.06)
    at_zero = found.correlation[found.shift == 0, :, found.lag == 0]
    np.testing.assert_allclose(at_zero, 1.0, atol=2e-3)


def test_half_following_half_replaying_has_the_slope_of_its_share():
    def half(results, channel, fold):
        copy, curve = copying(results, channel, fold), replaying(results, channel, fold)
        return lambda x: 0.5 * copy(x) + 0.5 * curve(x)

    followed = following(study(models=half).results)
    assert followed["slope"].between(0.4, 0.6).all()
    assert followed["variance_share"].between(0.2, 0.3).all()


def test_unchanged_inputs_give_the_errors_of_the_condition():
    trained = study(subjects=3, models=copying)
    own = er_of_units(trained, ask(trained, lambda channel: trained.sampled(channel)[None]))
    np.testing.assert_allclose(own.ravel(), errors(trained.results)["er"], rtol=1e-12)
    weights = unit_weights(trained.results)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0)


def test_trials_of_a_speed_and_cycles_of_a_trial_count_once_each():
    trained = study(subjects=2, speeds=3)
    # subject s0: speed v0 in two cycles of one trial, speed v1 in one
    results = trained.results.assign_coords(speed=("cycle", ["v0", "v0", "v1"] * 2), trial=("cycle", list("aabccd")))
    np.testing.assert_allclose(unit_weights(results)[0, 0], [0.25, 0.25, 0.5, 0, 0, 0])


def test_all_entire_swaps_muscles_between_tokens_and_leaves_none_in_place():
    trained = study(condition="all_entire", models=lambda r, c, f: lambda x: 0.5 * x[:, CHANNELS.index(c)])
    given, own = inputs.other_muscles(trained, "tib"), trained.sampled("tib")
    assert given.shape[1:] == own.shape
    for variant in given:
        np.testing.assert_array_equal(np.sort(variant, axis=1), np.sort(own, axis=1))
        assert not (variant == own).all(axis=(0, 2)).any()
    _, summary = judged(trained)
    assert summary.set_index("control").loc[inputs.MUSCLE, "rise_ci_low"] > 0


def test_copies_of_an_electrode_are_no_other_muscle():
    trained = study(electrodes=["x", "x", "y"])
    given = inputs.other_muscles(trained, "soleus")
    assert len(given) == 1
    np.testing.assert_array_equal(given[0], trained.sampled("rect"))


def test_inputs_are_what_they_are_called():
    trained = study(subjects=3, speeds=2)
    cycles, change = trained.cycles, inputs.every_change(trained)
    for partners, same, other in (
        (inputs.other_subjects(cycles), "speed", "subject"),
        (inputs.other_speeds(cycles), "subject", "speed"),
    ):
        for row in partners:
            assert (cycles[same].values[row] == cycles[same].values).all()
            assert (cycles[other].values[row] != cycles[other].values).all()
    own = trained.sampled("tib")
    np.testing.assert_array_equal(change[inputs.REVERSED]("tib")[0], own[..., ::-1])
    np.testing.assert_allclose(np.ptp(change[inputs.CONSTANT]("tib")[0], axis=-1), 0, atol=1e-12)
    blind = change[inputs.AVERAGE]("tib")[0]
    np.testing.assert_allclose(blind[0], own[trained.fold != trained.fold[0]].mean(axis=0))
    at_half = inputs.shift_matrix(0.5, SAMPLES, 101) @ np.sin(2 * np.pi * np.arange(101) / 100)
    np.testing.assert_allclose(at_half, -np.sin(2 * np.pi * SAMPLES / 100), atol=2e-3)


def test_one_subject_has_no_companion_and_says_so():
    trained = study(subjects=1, speeds=4)
    table, summary = judged(trained)
    assert inputs.SUBJECT not in set(table["control"])
    assert inputs.not_offered(trained) == [
        "planted: another subject cannot be tested, because no subject has a companion at the same speed.",
        "planted: there is one subject, so the held-out unit is a speed, and whether it carries over to other people "
        "cannot be tested.",
    ]
    assert set(summary["unit"]) == {"speed"}
    followed = following(trained.results)
    assert followed["variance_share"].isna().all()
    assert set(followed["reason"]) == {"the unit has one cycle"}
    assert "varies with" not in verdicts(summary, following_summary(followed), needed(table))["sentence"].iloc[0]


def test_a_missing_partner_leaves_that_control_undefined_with_its_reason():
    trained = study(subjects=3, speeds=2)
    partners = np.full((1, 6), -1)
    partners[0, 1:] = 0
    table = errors_under(trained, {"gap": lambda channel: inputs.borrowed(trained.sampled(channel), partners)})
    lost = table[table["label"] == "s0"]
    assert lost["er"].isna().all()
    assert set(lost["reason"]) == {"a held-out cycle has no such input"}
    assert table.loc[table["label"] != "s0", "er"].notna().all()


def test_one_held_out_unit_is_no_test():
    trained = study()
    table = errors_under(trained, inputs.every_change(trained))
    one = control_summary(table[table["label"] == "s0"])
    followed = following(trained.results)
    alone = needed(table[table["label"] == "s0"])
    assert verdicts(one, following_summary(followed), alone)["verdict"].tolist() == [CANNOT]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (contrasts.SHOWN, NEEDS),
        (contrasts.NOT_SHOWN, VARIES),
        (contrasts.OTHERWISE, HARMED),
        (contrasts.CANNOT, CANNOT),
    ],
)
def test_the_verdict_on_the_input_is_the_answer_of_the_planned_contrast(answer, verdict):
    trained = study(subjects=6, models=copying)
    table, summary = judged(trained)
    said = verdicts(summary, following_summary(following(trained.results)), needed(table).assign(answer=answer))
    assert said["verdict"].tolist() == [verdict]


def test_quarters_are_refused():
    trained = study()
    with pytest.raises(Nem2eError, match="one_quarter does not refine whole cycles"):
        Trained(trained.cycles, trained.results.assign_attrs(condition="one_quarter"), {}, ())


def test_one_cycle_a_trial_is_the_first():
    trained = study(subjects=2, speeds=3, models=copying)
    twice = Trained(
        trained.cycles.assign_coords(trial=("cycle", list("aabccd"))),
        trained.results.assign_coords(trial=("cycle", list("aabccd"))),
        trained.models,
        trained.tokens,
    ).one_cycle_a_trial()
    assert twice.cycles.cycle.values.tolist() == [0, 2, 3, 5]
    assert twice.fold.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(shifts(twice).share, 1.0, atol=0.06)
