"""Which figure or table of the paper a study's is, and of which muscle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import published
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import shown

MOTIONS = {"walking": "walking", "running": "running"}
OWN = {"study-lab": "walking"}
JUMPS = {"study-lab": "jumping"}


def test_the_papers_studies_have_its_numbers_and_letters() -> None:
    assert list(shown.results_tables(MOTIONS, paper=True)) == [("walking", 2, "table_2"), ("running", 3, "table_3")]
    assert list(shown.refined_curves(MOTIONS, paper=True)) == [
        ("walking", "one_entire", "a", "figure_3a"),
        ("running", "all_entire", "b", "figure_3b"),
    ]
    assert list(shown.error_boxes(MOTIONS, paper=True)) == [("running", "abc"), ("walking", "d")]


@pytest.mark.parametrize(("motions", "paper"), [(OWN, False), (JUMPS, True)])
def test_another_study_has_its_name_and_both_kinds_of_attention(motions: dict[str, str], paper: bool) -> None:
    assert list(shown.results_tables(motions, paper=paper)) == [("study-lab", None, "table_results_study-lab")]
    assert list(shown.refined_curves(motions, paper=paper)) == [
        ("study-lab", "one_entire", "", "figure_3_study-lab_one_entire"),
        ("study-lab", "all_entire", "", "figure_3_study-lab_all_entire"),
    ]
    assert list(shown.error_boxes(motions, paper=paper)) == [("study-lab", "abc")]


def test_the_walking_study_is_found_else_the_first() -> None:
    assert shown.study_of({"b": "running", "a": "walking"}, "walking") == "a"
    assert shown.study_of({"b": "running", "a": "jumping"}, "walking") == "b"


def test_a_channel_is_the_one_asked_for_else_the_usual_else_the_first() -> None:
    results = xr.Dataset(coords={"channel": ["rect", "tib", "soleus"]}, attrs={"study": "walking"})
    assert shown.channel_of(results) == "soleus"
    assert shown.channel_of(results, "tib") == "tib"
    assert shown.channel_of(results, usual="glmax1") == "rect"
    with pytest.raises(Nem2eError, match="walking has no EMG channel 'sol', expected one of rect, tib, soleus; choose"):
        shown.channel_of(results, "sol")


@pytest.mark.parametrize(("token", "kind"), [(["soleus_r", "tib_r"], "spatial"), ([0.0, 100.0], "temporal")])
def test_attention_over_time_stands_in_where_there_is_no_map_of_muscles(
    monkeypatch: pytest.MonkeyPatch, token: list[object], kind: str
) -> None:
    monkeypatch.setattr(shown.figures, "spatial_attention", lambda results, muscle: ("spatial", muscle))
    monkeypatch.setattr(shown.figures, "temporal_attention", lambda results: ("temporal", "rect"))
    results = xr.Dataset(coords={"channel": ["rect"], "token": np.array(token)}, attrs={"study": "walking"})
    assert shown.attention_of(results, "tib") == (kind, "rect")


def test_published_numbers_stand_beside_the_papers_muscles_and_subjects_alone() -> None:
    theirs = published.results()
    walking = theirs.loc[theirs["dataset"] == "walking", ["muscle", "condition"]]
    own = walking.assign(study="lab", unit="subject")
    beside = shown.published_beside(own, "walking", "lab")
    assert beside is not None
    assert set(beside["dataset"]) == {"lab"}
    assert shown.published_beside(own.assign(unit="speed"), "walking", "lab") is None
    assert shown.published_beside(own[own["muscle"] != "soleus"], "walking", "lab") is None
    assert shown.published_beside(own, "jumping", "lab") is None
    both = pd.concat([own, own.assign(study="other", unit="speed")])
    theirs = shown.published_of_all(both, {"lab": "walking", "other": "walking"})
    assert theirs is not None
    assert set(theirs["dataset"]) == {"lab"}  # of speeds of one person there is nothing printed to stand beside
    assert shown.published_of_all(both, {"other": "walking"}) is None
