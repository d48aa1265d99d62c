"""Tables 1-3 and the open points: what stands in them, their place beside published numbers."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import tables
from nem2e_lib.site.tables import CONTEXT, table_html
from nem2e_lib.training.config import Configuration, open_points
from tests.support.html_table import parsed

PUBLISHED = pd.DataFrame(
    {
        "dataset": "walking",
        "muscle": ["soleus", "bi"],
        "condition": "one_entire",
        "er_mean": [-0.33, 0.11],
        "p_value": [0.001, 0.15],
        "p_is_bound": [1, 0],
        "ci_low": [-0.48, np.nan],
        "ci_high": [-0.18, np.nan],
        "cohen_d": [-1.84, 0.57],
        "r2": [0.56, 0.12],
        "n_subjects": 8,
        "transcription_note": "",
    }
)


def test_results_table_rows_stars_and_bold(summary: pd.DataFrame) -> None:
    rows = summary[summary["study"] == "walking"].copy()
    rows.loc[rows.index[0], ["er_mean", "p_value", "ci_low", "ci_high"]] = [-0.334, 0.0005, -0.5, -0.1]
    rows.loc[rows.index[1], ["er_mean", "p_value"]] = [0.2, 0.004]
    table = tables.results_table(rows, study="walking", number=2, synthetic=True, published=PUBLISHED)
    assert table.title == "SYNTHETIC data – Table 2. walking: statistics of Er"
    where = (table.data["muscle"] == rows["muscle"].iloc[0]) & (table.data["condition"] == rows["condition"].iloc[0])
    first = table.shown[where].iloc[0]
    assert first["this run", "Er"].replace("\N{NO-BREAK SPACE}", " ") == "−0.33 ***"
    assert first["this run", "p"].replace("\N{NO-BREAK SPACE}", " ") == "< 0.001"
    assert first["this run", "95 % CI"].replace("\N{NO-BREAK SPACE}", " ") == "[−0.50, −0.10]"
    assert table.bold[where]["this run", "Er"].item()
    worse = (table.data["er_mean"] == 0.2).to_numpy()
    assert not table.bold[worse]["this run", "Er"].item()
    assert "n = 8 held-out subjects" in table.caption
    assert "context only" in table.caption


def test_published_numbers_stand_in_marked_columns(summary: pd.DataFrame) -> None:
    table = tables.results_table(summary, study="walking", number=2, synthetic=True, published=PUBLISHED)
    here = (table.data["muscle"] == "soleus") & (table.data["condition"] == "one_entire")
    assert table.data[here]["published_er_mean"].item() == -0.33
    assert table.shown[here][CONTEXT, "Er"].item() == "−0.33"
    missing = (table.data["muscle"] == "tib") & (table.data["condition"] == "one_entire")
    assert table.shown[missing][CONTEXT, "Er"].item() == "–"
    assert "(context only)" in table_html(table)
    assert CONTEXT not in table_html(tables.results_table(summary, study="walking", number=2, synthetic=True))


def test_unknown_study_is_refused(summary: pd.DataFrame) -> None:
    with pytest.raises(Nem2eError, match="no row for study 'rowing'"):
        tables.results_table(summary, study="rowing", number=None, synthetic=False)


def test_html_is_well_formed_and_accessible(summary: pd.DataFrame) -> None:
    table = tables.results_table(summary, study="running", number=3, synthetic=True, published=PUBLISHED)
    root = parsed(table_html(table))
    assert root.find(".//caption") is not None
    assert {h.get("scope") for h in root.iter("th")} == {"col", "colgroup", "row"}
    widths = {sum(int(c.get("colspan", 1)) for c in row) for row in root.iter("tr")}
    assert widths == {table.shown.shape[1]}
    assert len(root.findall(".//tbody/tr")) == 48


def test_datasets_counts_subjects_columns_and_electrodes(running: dict[str, xr.Dataset]) -> None:
    results = running["one_entire"]
    cut = results[["measured"]].rename(measured="emg").assign_attrs(skipped=2)
    cycles = cut.assign_coords(muscle=[f"m{i}" for i in range(102)])
    row = tables.datasets({"running": cycles}).data.iloc[0]
    assert (row["subjects"], row["speeds"], row["cycles"], row["activation_columns"]) == (10, 4, 120, 102)
    assert (row["emg_channels"], row["electrodes"], row["skipped_cycles"]) == (16, 11, 2)
    assert row["published_activation_columns"] == 102
    mine = tables.datasets({"my lab": cycles})
    assert CONTEXT not in mine.shown.columns.get_level_values(0)


def test_datasets_tell_conditions_and_of_how_many_a_channel_was_recorded(running: dict[str, xr.Dataset]) -> None:
    whole = running["one_entire"][["measured"]].rename(measured="emg").assign_coords(muscle=["m"])
    lost = (whole.subject == whole.subject[0]) & (whole.channel == whole.channel[1])
    conditions = ["level", "ramp"] * (whole.sizes["cycle"] // 2)
    less = whole.where(~lost).assign_coords(condition=("cycle", conditions)).assign_attrs(whole.attrs)
    table = tables.datasets({"whole": whole, "less": less})
    assert table.data["conditions"].tolist() == [1, 2]
    assert table.caption.endswith(f" less: {whole.channel.values[1]} of 9 of 10 subjects.")


def test_open_points_lists_each_choice() -> None:
    table = tables.open_points(open_points(Configuration(score="dot")))
    row = table.shown.set_index("option").loc["score"]
    assert row["point"] == "Attention score"
    assert row["here"] == "dot"
    assert (table.shown[["point", "here", "alternatives", "reason"]] != "").all(axis=None)
    with pytest.raises(Nem2eError, match="no 'here'"):
        tables.open_points([{"id": "score", "point": "Attention score", "option": "score"}])
