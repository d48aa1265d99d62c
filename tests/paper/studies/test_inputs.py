"""What was tried of inputs beside activation: a row a trial, a correction for all, and sentences from the table."""

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis.statistics import holm, over_folds
from nem2e_lib.data.muscles import LEG
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.studies import inputs
from nem2e_lib.rivals import RidgeAll
from nem2e_lib.rivals.inputs import parse_inputs, sets_of
from tests.support.small import make_cycles


def made(differences, synthetic=False):
    """Rows of a study: a difference with a half-width for each set of inputs."""
    table = pd.DataFrame(
        [
            {"inputs": sets, "difference": mid, "ci_low": mid - half, "ci_high": mid + half, "p_value": p}
            for sets, (mid, half, p) in differences.items()
        ]
    )
    facts = {"study": "some", "synthetic": synthetic, "method": "ridge_all", "n": 10, "er_mean_curve": -0.4}
    return table.assign(
        p_holm=holm(table["p_value"]), er=-0.4 + table["difference"], tried=len(table), reason="", **facts
    )


def test_every_trial_has_a_row_with_its_interval_and_is_corrected_for_all():
    cycles = make_cycles(counts=(3, 3, 3, 3))
    found = inputs.outcomes(cycles, [RidgeAll(options=(0.1,)), RidgeAll("pls", (10.0,))])
    assert found["inputs"].tolist() == ["speed", "activation", "activation+speed"] * 2
    assert (found["tried"] == 6).all()
    np.testing.assert_allclose(found["p_holm"], holm(found["p_value"]))
    one = found.iloc[1]
    assert one["difference"] == pytest.approx(one["er"] - one["er_mean_curve"])
    assert one["n"] == 4


def test_an_interval_is_that_of_the_corrected_test():
    own, mean_curve = (pd.Series(values, index=list("abc")) for values in ([-0.5, -0.4, -0.45], [-0.4, -0.41, -0.3]))
    found, expected = inputs._paired(own, mean_curve), over_folds((own - mean_curve).to_numpy())
    assert (found["ci_low"], found["ci_high"], found["p_value"]) == (
        expected.ci_low,
        expected.ci_high,
        expected.p_value,
    )


def test_what_is_said_follows_from_the_table():
    table = made(
        {"activation": (-0.03, 0.02, 0.01), "moment": (0.04, 0.03, 0.02), "activation+moment": (-0.01, 0.02, 0.3)}
    )
    told = " ".join(inputs.said(table))
    assert "3 pairs of a method and sets of inputs were tried" in told
    assert "lies below 0 for 1 of them, above 0 for 1, before any correction" in told
    assert "After Holm's correction for all 3, 1 are shown to be better than the mean curve and 1 to be worse." in told
    assert "without activation: +0.040 to +0.040, 0 of 1 intervals below 0" in told
    assert "SYNTHETIC study some" in inputs.said(made({"activation": (-0.03, 0.02, 0.01)}, synthetic=True))[0]
    assert inputs.said(table.iloc[:0]) == []


def test_rows_are_of_the_same_data_by_the_mean_curve():
    table = made({"activation": (-0.03, 0.02, 0.01)})
    assert len(inputs.of_same_data(table, "some", -0.4002)) == 1
    assert inputs.of_same_data(table, "some", -0.41).empty
    assert inputs.of_same_data(table, "other", -0.4).empty


def test_synthetic_torques_are_those_of_the_generators_body():
    muscles = [f"{name}_{side}" for side in "rl" for name in LEG]
    cycles = make_cycles().isel(muscle=np.zeros(len(muscles), int)).assign_coords(muscle=muscles)
    made_ = inputs.with_torques(cycles)
    assert sets_of(made_) == ("activation", "moment", "speed")
    np.testing.assert_allclose(made_.beside[0, 0], inputs.leg_strength() @ cycles.activation.values[0, 0, : len(LEG)])


def test_what_is_committed_has_every_trial_once():
    table = inputs.rows()
    assert not table.duplicated(["study", "method", "inputs"]).any()
    for _, rows in table.groupby("study"):
        assert (rows["tried"] == len(rows)).all()
        np.testing.assert_allclose(rows["p_holm"], holm(rows["p_value"]), rtol=1e-4)
    assert {"children", "runner"} <= set(table.loc[~table["synthetic"], "study"])
    assert set(table["inputs"]) <= set(inputs.TRIED)
    assert inputs.shown_table(table[table["study"] == "children"]).data is not None


def test_a_table_that_is_not_there_says_what_writes_it(tmp_path):
    with pytest.raises(Nem2eError, match="make study-inputs writes it"):
        inputs.rows(tmp_path / "nothing.csv")


def test_all_that_is_tried_can_be_typed():
    assert len({parse_inputs(sets) for sets in inputs.TRIED}) == len(inputs.TRIED)
