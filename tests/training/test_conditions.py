"""The sequences of the three conditions."""

import numpy as np
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.training.conditions import examples, join_quarters
from nem2e_lib.training.config import Configuration
from tests.support.small import MUSCLES


def test_one_entire_is_the_target_muscle(cycles):
    made = examples(cycles, "one_entire", Configuration())
    assert made.inputs.shape == (2, 9, 20, 1)
    np.testing.assert_allclose(made.inputs[1, 4, :, 0], cycles.activation.values[4, :, 1], rtol=1e-6)
    np.testing.assert_allclose(made.targets[1, 4], cycles.emg.values[4, :, 1], rtol=1e-6)


def test_all_entire_has_a_token_a_muscle(cycles):
    for order, muscles in (("file", MUSCLES), ("reversed", MUSCLES[::-1])):
        made = examples(cycles, "all_entire", Configuration(token_order=order))
        assert made.inputs.shape == (1, 9, 5, 20)
        assert list(made.tokens) == muscles
        expected = cycles.activation.sel(muscle=muscles[3]).values[2]
        np.testing.assert_allclose(made.inputs[0, 2, 3], expected, rtol=1e-6)


def test_quarters_join_to_the_cycle(cycles):
    made = examples(cycles, "one_quarter", Configuration())
    assert made.inputs.shape == (2, 36, 5, 1)
    assert made.per_cycle == 4
    np.testing.assert_array_equal(made.cycle[:5], [0, 0, 0, 0, 1])
    joined = join_quarters(made.targets.reshape(2, 9, 4, 5), cycles.sample.values)
    np.testing.assert_allclose(joined, cycles.emg.transpose("channel", "cycle", "sample").values, rtol=1e-6)


def test_separate_quarters_are_models_of_their_own(cycles):
    made = examples(cycles, "one_quarter", Configuration(quarter="separate"))
    np.testing.assert_array_equal(made.part[:6], [0, 1, 2, 3, 0, 1])


def test_dense_quarters_thin_back_to_the_cycle(cycles):
    made = examples(cycles, "one_quarter", Configuration(quarter="dense"))
    assert made.inputs.shape == (2, 36, 20, 1)
    joined = join_quarters(made.targets.reshape(2, 9, 4, 20), cycles.sample.values)
    inner = slice(0, -1)
    expected = cycles.emg.transpose("channel", "cycle", "sample").values
    np.testing.assert_allclose(joined[..., inner], expected[..., inner], atol=3e-3)


def test_unknown_condition_and_missing_muscle_are_refused(cycles):
    with pytest.raises(Nem2eError, match="one_half"):
        examples(cycles, "one_half", Configuration())
    with pytest.raises(Nem2eError, match="no_such_muscle"):
        examples(
            cycles.assign_coords(target=("channel", ["soleus_r", "no_such_muscle"])),
            "one_entire",
            Configuration(),
        )


def test_a_value_that_is_no_number_is_named(cycles):
    cycles.emg[3, 5, 1] = np.nan
    with pytest.raises(Nem2eError, match=r"emg of trial t3 .* cycle 3"):
        examples(cycles, "one_entire", Configuration())
