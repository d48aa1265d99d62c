"""Rivals under the same folds: planted relations found again, nothing seen of what is held out."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.muscles import ARM_ACTUATORS, GAIT2392, same_leg
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals import (
    DelayedRidge,
    Fitted,
    KernelRidge,
    Network,
    PartialLeastSquares,
    RidgeAll,
    RidgeOwn,
    State,
    chosen,
    evaluate,
    every,
    rival,
    simulated_cycles,
    why_not_told,
)
from nem2e_lib.rivals import kernel as kr
from nem2e_lib.rivals import kernel_learning as kl
from nem2e_lib.rivals.classical import Delay, advanced, best, pick, shifted
from nem2e_lib.rivals.inputs import Inputs
from nem2e_lib.rivals.protocol import groups, inner_folds
from nem2e_lib.training.folds import mean_curves
from nem2e_lib.training.results import load_results, save_results
from tests.support.small import make_cycles

SMALL = {"lstm": {}, "transformer": {}, "convolution": {}}
LIGHT = [one for one in every() if not isinstance(one, Network | KernelRidge)]
LIGHT = [*LIGHT, *(Network(kind, units=8, updates=16, checkpoints=2, batch=4) for kind in SMALL)]
LIGHT = [*LIGHT, *(KernelRidge(heads=heads, updates=2, draws=1) for heads in (0, 3))]


@pytest.fixture(scope="module")
def cycles():
    return make_cycles()


@pytest.mark.parametrize("method", LIGHT, ids=lambda one: one.name)
def test_a_rival_never_sees_what_is_held_out(method, cycles):
    spoiled = cycles.copy(deep=True)
    held = cycles.subject.values == "s0"
    spoiled.emg.values[held] = 123.0
    before, after = evaluate(cycles, method), evaluate(spoiled, method)
    np.testing.assert_array_equal(before.refined.values[:, :, held], after.refined.values[:, :, held])


@pytest.mark.parametrize("method", LIGHT, ids=lambda one: one.name)
def test_a_fitted_method_is_rebuilt_from_its_state(method, cycles):
    """Through JSON and plain arrays, whose names are files': what it predicts is the same to the bit."""
    simulated = simulated_cycles(cycles)
    measured = cycles.emg.transpose("cycle", "sample", "channel").values.astype(float)
    training = simulated.unit != "s0"
    fitted = method.fit(simulated.take(training), measured[training])
    part = State.of_parts({"some": State(fitted.state.arrays, json.loads(json.dumps(dict(fitted.state.facts))))})
    again = method.restored(part.under("some"))
    held = simulated.take(~training)
    np.testing.assert_array_equal(again(held), fitted.predict(held))
    assert all(isinstance(values, np.ndarray) for values in fitted.state.arrays.values())


@pytest.mark.parametrize("method", LIGHT, ids=lambda one: one.name)
def test_a_rival_is_laid_out_as_a_trained_condition(method, cycles, tmp_path):
    result = evaluate(cycles, method)
    save_results(result, tmp_path / "rival.nc")
    table = errors(load_results(tmp_path / "rival.nc"))
    assert result.refined.dims == ("seed", "channel", "cycle", "sample")
    assert (table["reason"] == "").all()
    assert len(table) == cycles.sizes["channel"] * 3
    assert set(json.loads(result.attrs["chosen"])) == {"s0", "s1", "s2"}
    assert result.attrs["parameters"] == int(result.attrs["parameters"])


def test_identity_has_no_error_rate_and_mean_curve_is_the_mean_curve(cycles):
    table = errors(evaluate(cycles, rival("identity")))
    np.testing.assert_allclose(table["er"], 0, atol=1e-12)
    flat = evaluate(cycles, rival("mean_curve"))
    np.testing.assert_allclose(flat.refined.values[0], mean_curves(flat.measured.values, flat.fold_of_cycle.values))


def test_speed_curve_finds_a_straight_line_in_speed(cycles):
    speed = np.array([1.0, 2.0, 3.0] * 3)
    curve = np.linspace(0, 1, 20)[:, None] * np.array([1.0, 2.0])
    planted = cycles.assign_coords(speed_m_s=("cycle", speed))
    planted["emg"] = (("cycle", "sample", "channel"), 0.1 + speed[:, None, None] * curve)
    result = evaluate(planted, rival("speed_curve"))
    np.testing.assert_allclose(result.refined.values[0], result.measured.values, atol=1e-9)


def test_where_a_speed_is_unknown_cadence_takes_its_place(cycles):
    unknown = cycles.assign_coords(speed_m_s=("cycle", [np.nan, *[2.0] * 8]), end_s=("cycle", np.full(9, 0.5)))
    np.testing.assert_allclose(simulated_cycles(unknown).pace, 2.0)


@pytest.mark.parametrize(("gain", "planted"), [(False, 1.0), (True, 0.4)])
def test_a_planted_delay_and_gain_are_found(cycles, gain, planted):
    late = cycles.copy(deep=True)
    own = simulated_cycles(cycles).own_muscle
    lasting = np.array([0.7, 0.8, 1.0] * 3)
    late["emg"] = (("cycle", "sample", "channel"), planted * advanced(own, lasting, 70.0))
    late = late.assign_coords(end_s=("cycle", lasting))
    result = evaluate(late, Delay(gain=gain))
    assert json.loads(result.attrs["chosen"])["s0"]["delay_ms"] == [70.0, 70.0]
    np.testing.assert_allclose(result.refined.values[0], result.measured.values, atol=1e-9)


@given(st.integers(-40, 40))
def test_whole_sample_shifts_wrap_around_the_cycle(by):
    rng = np.random.default_rng(0)
    one = rng.normal(size=(2, 19, 3))
    wave = np.concatenate([one, one[:, :1]], axis=1)
    np.testing.assert_allclose(shifted(wave, by)[:, :19], np.roll(one, -by, axis=1))
    np.testing.assert_allclose(shifted(wave, 19), wave)


def test_ridge_is_that_of_scikit_learn(cycles):
    result = evaluate(cycles, RidgeAll(options=(0.7,)))
    held = cycles.subject.values == "s1"
    x, y = cycles.activation.values.reshape(9, -1), cycles.emg.values.reshape(9, -1)
    expected = Ridge(0.7).fit(x[~held], y[~held]).predict(x[held]).reshape(3, 20, 2).transpose(2, 0, 1)
    np.testing.assert_allclose(result.refined.values[0][:, held], expected, atol=1e-8)


TOLD = [RidgeOwn(), RidgeAll(), DelayedRidge(), PartialLeastSquares(), KernelRidge(updates=2, draws=1)]
TOLD = [*TOLD, KernelRidge(heads=0, updates=2, draws=1), Network("lstm", units=8, updates=16, checkpoints=2, batch=4)]


@pytest.mark.slow
@pytest.mark.parametrize("method", TOLD, ids=lambda one: one.name)
def test_speed_and_duration_reach_a_rival_only_where_it_is_told_them(method, cycles):
    slower = cycles.assign_coords(speed_m_s=("cycle", np.linspace(1.0, 2.0, 9)))
    faster = cycles.assign_coords(speed_m_s=("cycle", np.geomspace(1.0, 5.0, 9)))
    silent = [evaluate(some, method).refined.values for some in (slower, faster)]
    np.testing.assert_array_equal(*silent)
    told = [evaluate(some, method, circumstances=True).refined.values for some in (slower, faster)]
    assert np.abs(told[0] - told[1]).max() > 1e-6
    assert np.abs(told[0] - silent[0]).max() > 1e-6


def test_methods_without_inputs_say_why_they_are_not_told():
    without = {one.name for one in every() if why_not_told(one)}
    assert without == {"identity", "mean_curve", "speed_curve", "delay", "delay_gain"}
    assert why_not_told(rival("speed_curve")) == "has speed by nature"


def test_what_is_told_is_centred_and_scaled_on_training_cycles_alone(cycles):
    simulated = simulated_cycles(
        cycles.assign_coords(
            speed_m_s=("cycle", np.arange(9.0)),
            condition=("cycle", ["straight", "turn", "straight"] * 2 + ["ramp"] * 3),
        )
    )
    training = np.arange(9) < 6
    told = Inputs.fit(simulated, training, ("activation", "speed")).apply(simulated).told
    assert told.shape == (9, 3)
    np.testing.assert_allclose(told[training].mean(axis=0), 0, atol=1e-12)
    size = np.sqrt(((simulated.activation[:6] - simulated.activation[:6].mean(axis=0)) ** 2).mean())
    np.testing.assert_allclose(told[:, 0], size * (np.arange(9) - 2.5) / np.arange(6).std())
    np.testing.assert_allclose(told[:, 1], 0, atol=1e-12)  # all last as long as each other
    np.testing.assert_allclose(told[6:, 2], 0, atol=1e-12)  # a condition that training lacks: the mean of the others
    assert simulated.told.shape == (9, 0)


def test_ridge_with_one_delay_is_that_of_scikit_learn_on_samples(cycles):
    late = cycles.assign_coords(end_s=("cycle", np.array([0.7, 0.8, 1.0] * 3)))
    result = evaluate(late, DelayedRidge(delays_ms=(70.0,), penalties=(0.7,)))
    simulated, held = simulated_cycles(late), late.subject.values == "s1"
    moved = advanced(simulated.activation, simulated.duration_s, 70.0)
    emg = late.emg.transpose("cycle", "sample", "channel").values
    for k, leg in enumerate(simulated.leg):
        x = moved[..., leg].reshape(9 * 20, -1)
        rows = np.repeat(~held, 20)
        fitted = Ridge(0.7).fit(x[rows], emg[..., k].ravel()[rows])
        np.testing.assert_allclose(result.refined.values[0, k][held].ravel(), fitted.predict(x[~rows]), atol=1e-8)
    assert result.attrs["parameters"] == simulated.leg.sum() + 2


def test_ridge_with_one_delay_finds_delay_and_mixture(cycles):
    base = make_cycles((4, 4, 4), seed=3)
    lasting = np.tile([0.7, 0.8, 0.9, 1.0], 3)
    base = base.assign_coords(end_s=("cycle", lasting))
    simulated = simulated_cycles(base)
    mixture = np.random.default_rng(0).uniform(0, 1, (2, simulated.activation.shape[2])) * simulated.leg
    planted = 0.1 + advanced(simulated.activation, lasting, 90.0) @ mixture.T
    result = evaluate(base.assign(emg=(("cycle", "sample", "channel"), planted)), DelayedRidge())
    assert all(fold["delay_ms"] == [90.0, 90.0] for fold in json.loads(result.attrs["chosen"]).values())
    np.testing.assert_allclose(result.refined.values[0], result.measured.values, atol=5e-3)


def test_a_leg_is_the_43_muscles_of_its_side():
    running = [*GAIT2392, *ARM_ACTUATORS]
    for muscle in ("soleus_r", "tib_ant_l"):
        leg = same_leg(muscle, running)
        assert leg.sum() == 43
        assert {name[-2:] for name, there in zip(running, leg, strict=True) if there} == {muscle[-2:]}
    assert same_leg("soleus", ["soleus", "tib_ant", "rect_fem"]).all()


def test_components_of_one_fit_are_those_of_fits_with_fewer(cycles):
    """A single fit with the most components gives every smaller one's prediction."""
    method, held = PartialLeastSquares(options=(1, 2, 4)), cycles.subject.values == "s1"
    simulated, emg = simulated_cycles(cycles), cycles.emg.transpose("cycle", "sample", "channel").values
    found = method._predict(simulated.take(~held), emg[~held], simulated.take(held))
    x, y = simulated.activation.reshape(9, -1), emg.reshape(9, -1)
    for guess, count in zip(found, (1, 2, 4), strict=True):
        expected = PLSRegression(count, scale=False).fit(x[~held], y[~held]).predict(x[held])
        np.testing.assert_allclose(guess.reshape(3, -1), expected, atol=1e-6)


def test_inner_folds_keep_a_unit_together():
    for subjects in (3, 9):
        simulated = simulated_cycles(make_cycles((2,) * subjects))
        for kept, out in inner_folds(simulated):
            assert not set(simulated.unit[kept]) & set(simulated.unit[out])
        left = np.concatenate([out for _, out in inner_folds(simulated)])
        np.testing.assert_array_equal(np.sort(left), np.arange(2 * subjects))


def test_cycles_of_one_unit_are_left_out_singly_and_one_cycle_is_refused():
    simulated = simulated_cycles(make_cycles((3, 3)))
    first = simulated.take(simulated.unit == "s0")
    np.testing.assert_array_equal(groups(first), [0, 1, 2])
    with pytest.raises(Nem2eError, match="1 cycle to learn from"):
        groups(simulated.take(np.array([0])))


def test_each_channel_has_its_own_best_candidate():
    measured = np.zeros((2, 4, 2))
    guesses = np.stack([np.stack([np.full((2, 4), 0.1), np.full((2, 4), 0.5)], -1), np.full((2, 4, 2), 0.3)])
    chosen = best(guesses, measured)
    np.testing.assert_array_equal(chosen, [0, 1])
    np.testing.assert_allclose(pick(guesses, chosen)[0, 0], [0.1, 0.3])


def test_an_unknown_rival_and_a_wrong_shape_are_refused(cycles):
    with pytest.raises(Nem2eError, match="delayed_kernel_ridge"):
        rival("lagattention")

    @dataclasses.dataclass(frozen=True)
    class Wrong:
        name: str = "wrong"

        def fit(self, simulated, measured):
            return Fitted(lambda held: measured[:1], 0)

    with pytest.raises(Nem2eError, match=r"rival wrong: its prediction has shape \(1, 20, 2\)"):
        evaluate(cycles, Wrong())


def test_an_evaluation_is_kept_and_made_anew_for_other_settings_or_data(cycles, tmp_path):
    path = tmp_path / "rivals" / "ridge_all.nc"
    made = evaluate(cycles, RidgeAll(), keep=path)
    written = path.stat().st_mtime_ns
    xr.testing.assert_equal(evaluate(cycles, RidgeAll(), keep=path), made)
    assert path.stat().st_mtime_ns == written
    other = evaluate(cycles, RidgeAll(options=(0.7,)), keep=path)
    xr.testing.assert_equal(load_results(path), other)
    louder = cycles.assign(emg=2 * cycles.emg)
    np.testing.assert_array_equal(evaluate(louder, RidgeAll(options=(0.7,)), keep=path).measured, 2 * made.measured)


def test_what_a_rival_chose_is_one_row_a_fold(cycles):
    rows = chosen(evaluate(cycles, RidgeAll(options=(0.7, 0.7))))
    assert [(row["held_out"], row["option"]) for row in rows] == [(unit, [0.7, 0.7]) for unit in ("s0", "s1", "s2")]
    assert {row["study"] for row in rows} == {cycles.attrs["study"]}


def test_names_are_unique():
    assert len({one.name for one in every()}) == len(every())


class TestLagKernel:
    """The closed form, against solving every group's readout anew."""

    learned = kr.initial(2)

    def _cycles(self, count, seed=0):
        rng = np.random.default_rng(seed)
        activation = jnp.asarray(rng.uniform(0, 1, (count, 20, 4)), jnp.float32)
        return kr.Cycles(activation, jnp.full(count, 0.8), jnp.asarray(rng.normal(size=(count, 1)), jnp.float32))

    def test_a_head_is_a_mean_that_peaks_at_its_lag(self):
        weights = kr.bells(self.learned, jnp.asarray([0.76]), 20)
        np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
        late = self.learned._replace(lag=jnp.asarray([2.0, 2.0]))  # 120 ms are three samples of 40 ms
        peaks = np.asarray(kr.bells(late, jnp.asarray([0.76]), 20)).argmax(-1)[0, 0]
        np.testing.assert_array_equal(peaks[:16], np.arange(16) + 3)

    def test_the_kernel_is_symmetric_and_positive(self):
        some = self._cycles(4)
        matrix = np.asarray(kr.kernel(self.learned, kr.scale(self.learned, some.activation), some, some))
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-4)
        assert np.linalg.eigvalsh(matrix).min() > -1e-3

    @pytest.mark.parametrize("heads", [0, 2])
    def test_left_out_errors_are_those_of_solving_without_the_group(self, heads):
        some, emg = self._cycles(6), jnp.asarray(np.random.default_rng(1).uniform(0.1, 1, (6, 20, 2)), jnp.float32)
        learned = kr.initial(heads)
        closed = np.asarray(jax.jit(kl.left_out, static_argnums=3)(learned, some, emg, 3))
        goal, scaling = kr.targets(learned, emg), kr.scale(learned, some.activation)
        matrix = np.asarray(kr.kernel(learned, scaling, some, some), float)
        for group in range(3):
            out = np.arange(120) // 40 == group
            ridge = matrix[np.ix_(~out, ~out)] + float(np.exp(learned.log_penalty)) * np.eye(80)
            guess = matrix[np.ix_(out, ~out)] @ np.linalg.solve(ridge, np.asarray(goal.values)[~out])
            expected = np.asarray(goal.back(jnp.asarray(guess.reshape(2, 20, 2), jnp.float32)))
            np.testing.assert_allclose(closed[2 * group : 2 * group + 2], expected, atol=2e-3)

    def test_without_heads_refining_is_that_of_the_whole_kernel(self):
        some, held, none = self._cycles(5), self._cycles(3, seed=2), kr.initial(0)
        emg = jnp.asarray(np.random.default_rng(1).uniform(0.1, 1, (5, 20, 2)), jnp.float32)
        goal, scaling = kr.targets(none, emg), kr.scale(none, some.activation)
        matrix, new = (np.asarray(kr.kernel(none, scaling, part, some), float) for part in (some, held))
        solved = np.linalg.solve(matrix + 0.5 * np.exp(none.log_penalty) * np.eye(100), np.asarray(goal.values, float))
        expected = goal.back(jnp.asarray((new @ solved).reshape(3, 20, 2), jnp.float32))
        refined = kr.refine(none, some, goal, kl.solve(none, some, emg, 0.5), held)
        np.testing.assert_allclose(refined, expected, atol=2e-4)

    def test_the_gradient_is_that_of_finite_differences(self):
        some, emg = self._cycles(4), jnp.asarray(np.random.default_rng(1).uniform(0.1, 1, (4, 20, 2)), jnp.float32)

        def loss(lag):
            return ((kl.left_out(self.learned._replace(lag=lag), some, emg, 2) - emg) ** 2).mean()

        start, step = self.learned.lag, jnp.asarray([0.02, 0.0])
        slope = (loss(start + step) - loss(start - step)) / 0.04
        assert float(jax.grad(loss)(start)[0]) == pytest.approx(float(slope), rel=0.05, abs=1e-5)


def delayed(delay_ms, count=6):
    """EMG that is the own muscle's activation before a delay, with enough cycles to learn from."""
    base = make_cycles((4,) * count, seed=3)
    own = simulated_cycles(base).own_muscle
    return base.assign(emg=(("cycle", "sample", "channel"), 0.05 + advanced(own, np.ones(len(own)), delay_ms)))


@pytest.mark.slow
@pytest.mark.parametrize("delay_ms", [0.0, 100.0])
def test_kernel_ridge_finds_the_delay_and_nearly_undoes_it(delay_ms):
    result = evaluate(delayed(delay_ms), KernelRidge(heads=1, updates=30, learning_rate=0.2, prior=0.0))
    found = [fold["mean_lag_ms"] for fold in json.loads(result.attrs["chosen"]).values()]
    np.testing.assert_allclose(found, delay_ms, atol=53.0)  # within one sample of a cycle of 1 s
    flat = errors(evaluate(delayed(delay_ms), rival("mean_curve")))["rmse_refined"].mean()
    assert errors(result)["rmse_refined"].mean() < 0.5 * flat


def test_without_heads_kernel_ridge_has_no_delay_to_learn():
    """What it sees is the cycle as a whole: it has no lag, and the kernel is that of heads whose share is nothing."""
    result = evaluate(make_cycles(), KernelRidge(heads=0, updates=2, draws=1))
    assert result.attrs["condition"] == "kernel_ridge"
    assert all(set(row) == {"study", "held_out", "power_in", "power_out", "penalty"} for row in chosen(result))
    some = TestLagKernel()._cycles(3)
    with_one, none = kr.initial(1), kr.initial(0)
    scaling = kr.scale(none, some.activation)
    whole = np.asarray(kr.kernel(none, scaling, some, some))
    heads = np.asarray(kr._tokens(with_one, scaling, some)[0])
    phase = np.asarray(kr.bell(np.abs(kr.lags(20)), float(np.exp(with_one.log_reach))))
    common = 1 / (1 + np.exp(-float(with_one.shared)))
    local = (heads @ heads.T) * np.tile(common + (1 - common) * phase, (3, 3))
    np.testing.assert_allclose(np.asarray(kr.kernel(with_one, scaling, some, some)) - local, whole, atol=1e-4)


@pytest.mark.parametrize("width", [0.6, 1.0, 3.0, 6.0, 20.0])
def test_likeness_of_phases_is_a_kernel_at_any_width(width):
    apart = np.abs(kr.lags(20))
    bell = np.asarray(kr.bell(apart, width), float)
    assert np.linalg.eigvalsh(bell).min() > -1e-5
    near = np.exp(-0.5 * (apart / width) ** 2)
    np.testing.assert_allclose(bell[apart <= 1], near[apart <= 1], atol=0.02)
    np.testing.assert_allclose(bell[0], bell[-1], atol=1e-6)


def test_a_readout_of_slow_phases_and_small_penalty_is_finite():
    cycles = make_cycles()
    simulated = simulated_cycles(cycles)
    part = kr.Cycles(
        *(
            jnp.asarray(x, jnp.float32)
            for x in (simulated.activation, simulated.duration_s, np.zeros((len(simulated), 0)))
        )
    )
    emg = jnp.asarray(cycles.emg.transpose("cycle", "sample", "channel").values, jnp.float32)
    slow = kr.initial(3)._replace(log_reach=jnp.log(6.0), log_penalty=jnp.log(0.04))
    solved = kl.solve(slow, part, emg, 1.0)
    assert np.isfinite(np.asarray(kr.refine(slow, part, kr.targets(slow, emg), solved, part))).all()


def test_the_curve_by_speed_has_a_height_for_each_condition():
    """EMG is a line in speed with a step between conditions: the curve finds both, and knows nothing of a third."""
    cycles = make_cycles((4, 4, 4), channels=1)
    condition = np.array(["straight", "turn"] * 6)
    speed = np.linspace(0.8, 1.6, 12)
    level = 0.2 + 0.1 * speed + 0.3 * (condition == "turn")
    emg = cycles.emg * 0 + xr.DataArray(level, dims="cycle")
    told = cycles.assign(emg=emg).assign_coords(speed_m_s=("cycle", speed), condition=("cycle", condition))

    def off(study):
        found = evaluate(study, rival("speed_curve"))
        return float(np.abs(found.refined.isel(seed=0) - found.measured).max())

    assert off(told) < 1e-9
    assert off(told.drop_vars("condition")) > 0.1
    other = told.assign_coords(condition=("cycle", ["ramp"] * 4 + condition[4:].tolist()))
    ramp = evaluate(other, rival("speed_curve")).refined.values[0, 0, :4, 0]
    np.testing.assert_allclose(ramp, 0.2 + 0.1 * speed[:4] + 0.15)
