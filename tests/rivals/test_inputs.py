"""Named sets of inputs: what is typed, how they are scaled, and that a planted one is found."""

import json

import numpy as np
import pytest

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals import DelayedRidge, KernelRidge, PartialLeastSquares, RidgeAll, evaluate, rival, simulated_cycles
from nem2e_lib.rivals.inputs import Inputs, parse_inputs, require_sets, sets_of
from tests.support.small import make_cycles

NAMES = ["moment:knee_angle_r", "moment:ankle_angle_r", "angle:knee_angle_r"]


@pytest.fixture(scope="module")
def cycles():
    """Cycles whose EMG is told by two moments alone; activation and the angle are of something else."""
    made = make_cycles(counts=(4, 4, 4, 4))
    rng, sample = np.random.default_rng(1), np.linspace(0, 2 * np.pi, 20)
    size = rng.normal(size=(16, 1, 3))
    beside = np.stack([np.sin(sample), np.cos(sample), np.ones(20)], axis=-1) * size * np.array([30.0, 60.0, 5.0]) + 7.0
    made["emg"] = (("cycle", "sample", "channel"), 0.5 + beside[..., :2] @ np.array([[2.0, 1.0], [1.0, -2.0]]) / 400)
    return made.assign(beside=(("cycle", "sample", "input"), beside)).assign_coords(
        input=NAMES, input_set=("input", ["moment", "moment", "angle"]), input_unit=("input", ["N·m", "N·m", "deg"])
    )


def test_sets_are_named_in_one_order():
    assert parse_inputs(" moment + activation+speed") == ("activation", "moment", "speed")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("activation+moments", "'moments' is no set of inputs; did you mean 'moment'?"),
        ("", "'' is no set of inputs; choose of activation, angle, moment, length, velocity, grf, speed."),
        ("grf+grf", "'grf' is named twice"),
    ],
)
def test_what_is_no_set_is_told(text, told):
    with pytest.raises(Nem2eError) as found:
        parse_inputs(text)
    assert told in str(found.value)


def test_a_set_that_a_study_lacks_says_what_to_add(cycles):
    assert sets_of(cycles) == ("activation", "angle", "moment", "speed")
    with pytest.raises(Nem2eError) as found:
        require_sets(cycles, ("activation", "grf"))
    assert str(found.value) == (
        "study 'tiny' has no inputs 'grf'; it has activation, angle, moment, speed. Name a file of vertical force "
        "under the measured foot for every trial in trials.csv, column 'forces', and segment it again."
    )
    with pytest.raises(Nem2eError, match="it has activation, speed"):
        evaluate(make_cycles(), RidgeAll(), inputs="moment")


METHODS = [RidgeAll(), PartialLeastSquares(), DelayedRidge(delays_ms=(0.0,))]


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
def test_what_moments_alone_tell_is_found_where_they_are_given(cycles, method):
    er = {
        sets: errors(evaluate(cycles, method, inputs=sets))["rmse_refined"].mean()
        for sets in ("activation", "angle", "moment", "activation+moment")
    }
    spread = float(cycles.emg.std("cycle").mean())
    assert er["moment"] < 0.05 * spread
    assert er["activation+moment"] < 0.5 * min(er["activation"], er["angle"])
    assert min(er["activation"], er["angle"]) > 0.5 * spread


def test_scaling_is_that_of_its_definition_and_comes_back_from_json(cycles):
    training = np.arange(16) < 12
    simulated = simulated_cycles(cycles, sets=("angle", "moment"))
    inputs = Inputs.fit(simulated, training, ("activation", "angle", "moment", "speed"))
    activation, beside = cycles.activation.values[:12], cycles.beside.values[:12]
    size = np.sqrt(((activation - activation.mean(axis=0)) ** 2).mean())
    away = ((beside - beside.mean(axis=0)) ** 2).mean(axis=(0, 1))
    spread = np.sqrt([away[:2].mean(), away[:2].mean(), away[2]])
    scaled = inputs.apply(simulated)
    np.testing.assert_allclose(
        scaled.beside, (cycles.beside.values - beside.mean(axis=(0, 1))) * size / spread, atol=1e-12
    )
    assert scaled.inputs.shape == (16, 20, 5 + 3 + 2)
    again = Inputs.of_content(json.loads(json.dumps(inputs.content())))
    for name in ("beside", "told"):
        np.testing.assert_array_equal(getattr(again.apply(simulated), name), getattr(scaled, name))
    alone = Inputs.fit(simulated, training, ("moment", "angle")).apply(simulated)
    assert alone.inputs.shape == (16, 20, 3)
    with pytest.raises(Nem2eError, match=r"moment:knee_angle_r.*were learned from"):
        inputs.apply(simulated_cycles(make_cycles()))


def test_an_input_that_never_varies_is_no_input(cycles):
    still = cycles.copy(deep=True)
    still.beside[..., 2] = 1e6 + 1e-7 * np.arange(20)
    simulated = simulated_cycles(still, sets=("angle",))
    assert (Inputs.fit(simulated, np.ones(16, bool), ("angle",)).apply(simulated).beside == 0).all()


def test_without_further_inputs_nothing_changes(cycles):
    plain = cycles.drop_vars(["beside", "input", "input_set", "input_unit"])
    one, other = evaluate(plain, RidgeAll()), evaluate(cycles, RidgeAll())
    np.testing.assert_array_equal(one.refined, other.refined)
    assert "inputs" not in one.attrs
    assert evaluate(cycles, rival("ridge_own"), inputs="activation+moment").refined.equals(
        evaluate(cycles, rival("ridge_own")).refined
    )


def test_what_is_kept_is_of_its_inputs(cycles, tmp_path):
    path = tmp_path / "kept.nc"
    first = evaluate(cycles, RidgeAll(), keep=path, inputs="moment")
    assert first.attrs["inputs"] == "moment"
    assert evaluate(cycles, RidgeAll(), keep=path, inputs="moment").attrs["seconds"] == first.attrs["seconds"]
    assert "inputs" not in evaluate(cycles, RidgeAll(), keep=path).attrs


def test_a_method_that_cannot_take_them_says_so(cycles):
    with pytest.raises(Nem2eError, match="raises its inputs to powers"):
        evaluate(cycles, KernelRidge(heads=0, updates=1, draws=1), inputs="activation+moment")
