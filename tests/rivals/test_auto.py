"""Candidates weighed by their error on left-out people: planted truths, and nothing seen of what is held out."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals import auto as module
from nem2e_lib.rivals import evaluate, rival, simulated_cycles
from nem2e_lib.rivals.auto import Auto, crossed, least_square, weighed
from nem2e_lib.rivals.classical import advanced
from nem2e_lib.rivals.kernel_ridge import KernelRidge
from nem2e_lib.rivals.protocol import Fitted, State, inner_folds
from tests.support.small import make_cycles

FEW = Auto(("mean_curve", "ridge_own", "delay_gain"))
LINEAR = Auto(tuple(name for name in Auto().candidates if name != "kernel_ridge"))


@pytest.fixture(scope="module")
def cycles():
    return make_cycles((2,) * 6)


def of(cycles, emg):
    return cycles.assign(emg=(("cycle", "sample", "channel"), emg))


@pytest.fixture(scope="module")
def noise(cycles):
    """EMG that differs between cycles by what no simulation knows."""
    rng = np.random.default_rng(1)
    curve = np.sin(np.linspace(0, np.pi, 20))[:, None]
    return curve + 0.2 * rng.normal(size=(12, 20, 2))


@pytest.fixture(scope="module")
def one_muscle(cycles, noise):
    """Delay and gain are the truth for the first muscle; the second is noise."""
    own = simulated_cycles(cycles).own_muscle[..., [0]]
    return of(cycles, np.concatenate([0.5 * advanced(own, np.ones(12), 60.0), noise[..., [1]]], axis=-1))


def fitted(cycles, method=FEW):
    simulated = simulated_cycles(cycles)
    return simulated, method.fit(simulated, cycles.emg.values)


def test_a_candidate_that_is_right_for_one_muscle_is_chosen_there(one_muscle):
    chosen = fitted(one_muscle)[1].chosen
    weights = {name: np.array(values) for name, values in chosen["weights"].items()}
    assert weights["delay_gain"][0] > 0.95
    assert weights["delay_gain"][1] < 0.05
    assert chosen["inner_er"]["delay_gain"][0] == pytest.approx(-1.0, abs=0.01)
    assert chosen["below_mean_curve"][0]
    rmse = errors(evaluate(one_muscle, FEW)).groupby("muscle")[["rmse_refined", "rmse_mean_curve"]].mean()
    assert rmse.loc["soleus", "rmse_refined"] < 0.5 * rmse.loc["soleus", "rmse_mean_curve"]


def test_where_simulation_tells_nothing_it_is_the_mean_curve(cycles, noise):
    planted = of(cycles, noise)
    table = errors(evaluate(planted, FEW))
    np.testing.assert_allclose(table["rmse_refined"].mean(), table["rmse_mean_curve"].mean(), rtol=0.03)
    chosen = fitted(planted)[1].chosen
    assert min(chosen["weights"]["mean_curve"]) > 0.75
    assert max(chosen["weights"]["delay_gain"]) < 0.05


def test_it_never_sees_what_is_held_out(cycles):
    spoiled = cycles.copy(deep=True)
    held = cycles.subject.values == "s0"
    spoiled.emg.values[held] = 123.0
    before, after = (evaluate(some, LINEAR).refined.values[:, :, held] for some in (cycles, spoiled))
    np.testing.assert_array_equal(before, after)


def test_it_is_the_weighed_mean_of_its_candidates(one_muscle):
    simulated, found = fitted(one_muscle)
    weights = np.array(list(found.chosen["weights"].values()))
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-3)
    assert (weights >= 0).all()
    parts = [rival(name).fit(simulated, one_muscle.emg.values).predict(simulated) for name in FEW.candidates]
    mean = (weights[:, None, None] * np.stack(parts)).sum(axis=0)
    np.testing.assert_allclose(found.predict(simulated), mean, atol=1e-3)


def test_what_is_kept_gives_the_same_numbers(one_muscle):
    simulated, found = fitted(one_muscle, LINEAR)
    state = State(dict(reversed(found.state.arrays.items())), json.loads(json.dumps(dict(found.state.facts))))
    np.testing.assert_array_equal(LINEAR.restored(state)(simulated), found.predict(simulated))
    json.dumps(found.chosen)


def test_only_what_has_a_weight_is_kept(one_muscle):
    state = fitted(one_muscle.isel(channel=[0]))[1].state
    assert {name.split("/")[0] for name in state.arrays} == {"weight", "delay_gain"}


def test_what_needs_speed_is_a_candidate_only_where_speed_is_told(cycles):
    simulated = simulated_cycles(cycles)
    assert "speed_curve" not in FEW.fit(simulated, cycles.emg.values).chosen["weights"]
    told = replace(simulated, told=np.linspace(0, 1, 12)[:, None])
    assert "speed_curve" in FEW.fit(told, cycles.emg.values).chosen["weights"]


def test_what_takes_activation_alone_is_no_candidate_where_there_is_more(cycles):
    simulated = replace(simulated_cycles(cycles), beside=np.zeros((12, 20, 1)), names=("moment:knee_angle_r",))
    chosen = Auto(("mean_curve", "ridge_own", "kernel_ridge")).fit(simulated, cycles.emg.values).chosen
    assert chosen["other_inputs"] == ["kernel_ridge"]
    assert set(chosen["weights"]) == {"mean_curve", "ridge_own"}


class NoNumber:
    """A method whose training diverged."""

    name = "ridge_own"

    def fit(self, simulated, measured):
        return Fitted(lambda held: np.full((len(held), *measured.shape[1:]), np.nan), 0)


def test_a_candidate_without_numbers_has_no_weight_and_is_named(cycles, monkeypatch):
    known = module.known() | {"ridge_own": NoNumber()}
    monkeypatch.setattr(module, "known", lambda: known)
    simulated, found = fitted(cycles)
    assert found.chosen["no_number"] == ["ridge_own"]
    assert found.chosen["weights"]["ridge_own"] == [0.0, 0.0]
    assert np.isfinite(found.predict(simulated)).all()


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (("mean_curve", "nothing"), "unknown"),
        (("mean_curve", "pls", "pls"), "twice"),
        (("pls",), "mean_curve is not among"),
    ],
)
def test_candidates_that_cannot_be_are_refused(named, said):
    with pytest.raises(Nem2eError, match=said):
        Auto(named)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_weights_are_those_of_the_least_square(seed):
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(3, 40)) * rng.uniform(0.3, 2.0, (3, 1)) + rng.normal(size=40)
    grid = np.array([(a, b, 20 - a - b) for a in range(21) for b in range(21 - a)]) / 20
    found = least_square(errors @ errors.T / 40)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1.0)
    assert np.sum((found @ errors) ** 2) <= np.sum((grid @ errors) ** 2, axis=1).min() * (1 + 1e-9)


def test_people_who_disagree_share_a_weight_out_and_people_who_agree_do_not():
    unit, wave = np.repeat(np.arange(4), 2), np.sin(np.linspace(0, 6, 20))
    first = (unit < 2)[:, None, None] * wave[:, None]  # the first candidate is wrong for two of four people
    second = (unit >= 2)[:, None, None] * wave[:, None]
    weights = weighed(np.stack([first, second]), unit)
    np.testing.assert_allclose(weights[:, 0], 0.5, atol=0.1)
    np.testing.assert_array_equal(weighed(np.stack([first, 0.0 * first]), unit)[:, 0], [0.0, 1.0])
    assert crossed(np.stack([first, 0.0 * first]), unit)[0] == pytest.approx(0.0, abs=1e-9)
    rmse = np.sqrt((wave**2).mean())
    # without one of the two for whom the first is wrong, it weighs about 2/3, and is wrong for the one left out
    assert 0.5 * rmse < crossed(np.stack([first, second]), unit)[0] < 0.8 * rmse


@pytest.mark.slow
@pytest.mark.parametrize("heads", [0, 3])
def test_the_shorter_way_of_kernel_ridge_leads_to_the_same(cycles, heads):
    method, emg = KernelRidge(heads=heads, updates=1, draws=1), cycles.emg.values
    simulated = simulated_cycles(cycles)
    found = method.out_of_fold(simulated, emg)
    kept, out = next(inner_folds(simulated))
    expected = method.fit(simulated.take(kept), emg[kept]).predict(simulated.take(out))
    np.testing.assert_allclose(found[out], expected, atol=1e-3 * emg.max())
