"""The audit of the paper's own numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def printed(**cells: str) -> pd.DataFrame:
    """A row that agrees with itself: mean -.33, interval [-.48, -.18], d -1.84, n = 8, p .0012 (soleus, One-Entire)."""
    row = published.as_printed().query("muscle == 'soleus' and condition == 'one_entire' and dataset == 'walking'")
    return row.assign(**cells).reset_index(drop=True)


def test_readings_are_one_character_away_with_the_sign_first() -> None:
    found = published.readings("-0.16")
    assert found[0] == "0.16"
    # the fifth has fewer decimals: a coarser number agrees with anything
    assert {"-0.61", "-0.19", "-8.16", "-0.162", "-01.6", "-0.106"} - set(found) == {"-01.6"}
    assert "-0.1" not in found  # agrees with more, for it is coarser
    assert "-0.16" not in found
    assert "-0.27" not in found
    assert "-0.10" in published.readings("-010")  # a lost point


@pytest.mark.parametrize(
    ("cells", "mended"),
    [
        ({"ci_high": "0.18"}, "ci_high 0.18 as -0.18"),
        ({"cohen_d": "1.84"}, "cohen_d 1.84 as -1.84"),
        ({"er_mean": "0.33"}, "er_mean 0.33 as -0.33"),
        ({"cohen_d": "-8.14"}, None),  # neighbours swapped twice over: two characters, d of 1.84 is not to be had
        ({"ci_low": "-0.84"}, "ci_low"),  # neighbours swapped
        ({"ci_low": "-048"}, "ci_low"),  # a lost point
        ({"er_mean": "-0.93"}, "er_mean"),
        ({"p_value": "0.012"}, "p_value"),
        ({"p_value": "0.0912"}, "p_value"),
    ],
)
def test_a_planted_misreading_is_mended(cells: dict[str, str], mended: str | None) -> None:
    assert published.audit(printed())["reading"].iloc[0] == published.AGREES
    found = published.audit(printed(**cells)).iloc[0]
    assert not found["consistent"]
    if mended is None:
        assert (found["reading"], found["mended"]) == (published.CONTRADICTS, "")
    else:
        assert found["reading"] == published.ONE_CHARACTER
        assert found["mended"].startswith(mended)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_whatever_one_character_is_misread_no_row_is_called_contradictory(data: st.DataObject) -> None:
    """A misreading is undone by reading its character again: no row that agreed may be called contradictory by it."""
    table = published.as_printed()
    agree = published.audit()["consistent"].to_numpy(bool) & (table["p_is_bound"] != "1").to_numpy()
    row = data.draw(st.sampled_from(table.index[agree].tolist()))
    cell = data.draw(st.sampled_from(["er_mean", "ci_low", "ci_high", "cohen_d", "p_value"]))
    misread = data.draw(st.sampled_from(published.readings(table.loc[row, cell])))
    if published.decimals(misread) > published.decimals(table.loc[row, cell]):
        return  # an added character can be undone by a coarser reading alone, which is not offered
    found = published.audit(table.loc[[row]].assign(**{cell: misread}).reset_index(drop=True)).iloc[0]
    assert found["reading"] in (published.AGREES, published.ONE_CHARACTER)


def test_two_misread_cells_contradict_and_so_does_a_row_that_is_wrong() -> None:
    for cells in ({"ci_low": "0.48", "cohen_d": "9.84"}, {"er_mean": "0.95"}):
        found = published.audit(printed(**cells))
        assert found["reading"].tolist() == [published.CONTRADICTS]
        assert "1 contradict themselves however they are read: walking soleus one_entire" in published.said(found)


def test_stars_may_be_misread_and_cells_misplaced() -> None:
    # d = -1.30, n = 8: t = 3.68, p = .0079: two stars, not three; the interval of that d about -.33: half width .212
    other = printed(muscle="tib", p_value="0.001", p_is_bound="1", ci_low="-0.54", ci_high="-0.12", cohen_d="-1.30")
    found = published.audit(other).iloc[0]
    assert (found["reading"], found["mended"]) == (published.ONE_CHARACTER, "p_value *** as **")
    strange = printed(muscle="bi", er_mean="0.95", p_value="0.0012", cohen_d="1.84")
    both = published.audit(pd.concat([printed(), strange], ignore_index=True))
    assert both["reading"].tolist() == [published.AGREES, published.MISPLACED]
    assert both["mended"].iloc[1] == "without interval"


def test_what_is_said_counts_the_rows_and_names_the_source() -> None:
    found = published.audit()
    number = found["reading"].value_counts()
    assert number.sum() == 63
    assert number[published.AGREES] == found["consistent"].sum()
    told = published.said(found)
    assert f"{number[published.AGREES]} of 63 rows agree with themselves as read" in told
    assert f"{number[published.ONE_CHARACTER]} would with one character read otherwise" in told
    assert "read by a machine" in told
    suspects = found.set_index(["dataset", "muscle", "condition"])["mended"]
    # the notes of those who transcribed the tables by hand, found again by the search
    assert suspects[("walking", "tib", "one_quarter")].startswith("ci_high 0.02 as -0.02")
    assert suspects[("running", "bi", "one_quarter")].startswith("ci_high -0.1 as 0.1")
