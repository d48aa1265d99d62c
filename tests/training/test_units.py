"""Units of analysis in words."""

import pytest

from nem2e_lib.training.units import CAVEAT, caveat, units_said


@pytest.mark.parametrize(
    ("number", "unit", "which", "said"),
    [
        (1, "subject", "", "1 subject"),
        (8, "speed", "held-out", "8 held-out speeds"),
        (1, "block", "", "1 block of cycles"),
        (5, "block", "held-out", "5 held-out blocks of cycles"),
    ],
)
def test_units_in_words(number, unit, which, said):
    assert units_said(number, unit, which) == said


def test_blocks_alone_carry_the_caveat():
    assert caveat(["subject", "speed"]) == ""
    assert caveat(["subject", "block"]) == CAVEAT
