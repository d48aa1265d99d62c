"""The audit of the paper's own numbers."""

import numpy as np
import pytest

from nem2e_lib.analysis import published


def test_the_tables_are_whole():
    table = published.results()
    assert len(table) == 63
    assert table.groupby("dataset").size().to_dict() == {"running": 48, "walking": 15}
    assert len(published.claims()) == 22


def test_printed_numbers_stand_for_a_range():
    found = published.printed_range("-0.19")
    assert (found.low, found.high) == pytest.approx((-0.20, -0.18))
    assert not found.meets(published.printed_range("0.21"))


def test_a_row_that_agrees_and_rows_that_do_not():
    found = published.audit().set_index(["dataset", "muscle", "condition"])
    # soleus, walking, One-Entire: d = -1.84, n = 8: t = 5.204, p = .00125; printed .0012
    row = found.loc[("walking", "soleus", "one_entire")]
    assert row["p_from_d"] == pytest.approx(0.00125, abs=2e-5)
    assert row["consistent"]
    # glmed2, running, All-Entire: mean -.29 outside [-.49, -.36], *** with d = -.97
    row = found.loc[("running", "glmed2", "all_entire")]
    assert not row["centre_agrees"]
    assert not row["p_agrees"]
    # vasmed, running, One-Entire: the interval implies d = -.47 * 2.262 / sqrt(10) / .045 = -7.5 about, printed -3.59
    row = found.loc[("running", "vasmed", "one_entire")]
    assert row["d_from_ci"] == pytest.approx(-7.47, abs=0.01)
    assert not row["d_agrees"]


def test_every_inconsistent_row_was_suspect_when_transcribed():
    notes = published.results().set_index(["dataset", "muscle", "condition"])["transcription_note"]
    found = published.audit()
    wrong = found[~found["consistent"].to_numpy(bool)]
    assert 5 <= len(wrong) <= 8
    assert all(isinstance(notes[tuple(key)], str) for key in wrong[["dataset", "muscle", "condition"]].to_numpy())


def test_repeated_cells_are_named():
    found = published.audit().set_index(["dataset", "muscle", "condition"])
    # the transcription's notes on the source text, each found again by the code
    vasmed = found.loc[("running", "vasmed", "one_quarter"), "repeats"]
    assert "interval, effect size, p and R² as glmed1 one_quarter" in vasmed
    assert "interval, effect size as glmed3 one_entire" in found.loc[("running", "gaslat", "one_quarter"), "repeats"]
    assert "interval, effect size as glmax2 one_quarter" in found.loc[("running", "gasmed", "one_quarter"), "repeats"]
    glmed2 = found.loc[("running", "glmed2", "all_entire"), "repeats"]
    assert "interval as bi all_entire" in glmed2
    assert "effect size as glmax2 all_entire" in glmed2
    assert "effect size as semit one_entire" in found.loc[("running", "vasmed", "one_entire"), "repeats"]
    assert found.loc[("walking", "soleus", "one_entire"), "repeats"] == ""


def test_a_contradiction_is_told_with_its_numbers():
    found = published.audit().set_index(["dataset", "muscle", "condition"])
    said = found.loc[("running", "glmed2", "all_entire"), "contradictions"]
    # d = -.97, n = 10: t = 3.067, p = .0134; centre of [-.49, -.36] = -.425; d from it = -.29 · .7153 / .065 = -3.19
    assert said == (
        "p < 0.001, from d and n 0.0134; mean -0.29, centre of the interval -0.425; d -0.97, from the interval -3.19"
    )
    assert (found["contradictions"] == "").eq(found["consistent"]).all()


def test_significance_counts_as_published():
    table = published.results()
    assert len(published.significant(table, "running", "all_entire")) == 16
    assert sorted(published.significant(table, "walking", "all_entire")) == ["rect", "soleus", "tib"]
    assert np.isnan(table.set_index(["muscle", "condition"]).loc[("gaslat", "all_entire"), "cohen_d"]).all()


def test_a_motions_table_goes_by_the_studys_name():
    found = published.results_of("walking", "my-lab")
    assert found["dataset"].unique().tolist() == ["my-lab"]
    assert len(found) == 15
    assert published.results_of("jumping", "my-lab") is None
