"""Verdicts over seeds."""

import pandas as pd

from nem2e_lib.analysis.claims.table import said, stack, steadiness


def table(*verdicts):
    return pd.DataFrame({"id": ["C01", "C02"], "value": ["16 of 16", "2"], "verdict": verdicts, "why": ""})


def test_a_verdict_flips_when_two_seeds_disagree():
    stacked = stack({0: table("holds", "holds"), 1: table("holds in part", "holds"), 2: table("holds", "holds")})
    found = steadiness(stacked).set_index("id")
    assert found["flips"].to_dict() == {"C01": True, "C02": False}
    assert found.loc["C01", "verdicts"] == "holds: 2, holds in part: 1"
    assert found.loc["C01", "values"] == "16 of 16"
    assert said(found.reset_index()) == "1 of 2 verdicts change over 3 seeds: C01."


def test_what_could_not_be_tested_with_a_seed_is_no_flip():
    stacked = stack({0: table("holds", "holds"), 1: table("cannot be tested", "holds")})
    assert not steadiness(stacked)["flips"].any()
    assert "say little" in said(steadiness(stacked))


def test_one_seed_says_nothing():
    assert "cannot be told" in said(steadiness(stack({0: table("holds", "holds")})))
