"""A claim on trained networks is tested on networks that were trained."""

import pytest

from nem2e_lib.analysis.claims.evidence import Untestable, trained_long_enough
from nem2e_lib.training.config import PUBLISHED_EPOCHS
from tests.support.planted_claims import evidence, results


def test_a_run_that_stops_early_is_told_of_and_one_of_the_published_length_passes() -> None:
    short = results("running", "one_entire", muscles=["tib"], epochs=PUBLISHED_EPOCHS - 1)
    whole = results("running", "all_entire", muscles=["tib"])
    made = evidence(trained=[short, whole])
    trained_long_enough(made, "running", "all_entire")
    for conditions in (("one_entire",), ()):
        with pytest.raises(Untestable, match=r"running was trained for 699 epochs, the paper's networks for 700"):
            trained_long_enough(made, "running", *conditions)
