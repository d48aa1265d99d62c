"""What own cycles buy: what is judged, by what, and how it is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.own_cycles import own_cycles as figure
from nem2e_lib.paper.studies import own_cycles
from nem2e_lib.paper.studies.own_cycles import OTHER, OWN, SAME
from tests.support.small import make_cycles

SPEEDS = ("slow", "free", "fast", "xfast")


def peculiar(counts=(4, 4, 4, 4), speeds=("slow", "fast"), size=0.3) -> xr.Dataset:
    """People (or speeds of one) whose EMG lies higher by what is their own."""
    cycles = make_cycles(counts, speeds=speeds)
    whose = cycles.subject if len(counts) > 1 else cycles.speed
    names = np.unique(whose.values)
    more = xr.DataArray(size * np.linspace(0, 1, len(names))[np.searchsorted(names, whose.values)], dims="cycle")
    return cycles.assign(emg=cycles.emg + more, emg_waveform=cycles.emg_waveform + more)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return own_cycles.told(peculiar().assign_attrs(motion="walking"), "mean_curve")


def test_own_cycles_help_where_people_differ(rows):
    assert set(rows["protocol"]) == {SAME, OTHER}
    table = own_cycles.summary(rows).set_index(["protocol", "method", "own_cycles"])
    assert table.loc[(OTHER, "mean_curve", 2), "er"] < table.loc[(OTHER, "mean_curve", 0), "er"]
    assert table.loc[(SAME, "mean_curve", 0), "change"] == 0
    # two cycles at each of two speeds: one is left at the same speed, two at the other
    counts = rows.groupby("protocol")["own_cycles"].max()
    assert (counts[SAME], counts[OTHER]) == (1, 2)
    assert set(rows["label"]) == {"s0", "s1", "s2", "s3"}


def test_the_own_cycles_alone_are_their_mean(rows):
    cycles = peculiar()
    emg = cycles.emg.transpose("channel", "cycle", "sample").values
    own = cycles.activation.sel(muscle=cycles.target.values).transpose("muscle", "cycle", "sample").values
    found = rows[(rows["protocol"] == SAME) & (rows["method"] == OWN) & (rows["label"] == "s0")]
    expected = []
    for channel in range(2):  # cycles 0 and 2 are slow, 1 and 3 fast: each is judged by the other of its speed
        errors = [np.sqrt(((emg[channel, a] - emg[channel, b]) ** 2).mean()) for a, b in ((0, 2), (1, 3))]
        opensim = np.sqrt(((own - emg)[channel, :4] ** 2).mean(axis=-1)).mean()
        expected.append(np.mean(errors) / opensim - 1)
    assert found["er"].tolist() == pytest.approx([np.mean(expected)])


def test_of_one_person_two_speeds_are_left_out_for_the_other_protocol():
    cycles = peculiar((8,), SPEEDS)
    rows = own_cycles.curves(cycles.sel(channel=["soleus"]), "mean_curve")
    assert set(rows["unit"]) == {"speed"}
    other = rows[(rows["protocol"] == OTHER) & (rows["method"] == "mean_curve") & (rows["own_cycles"] == 0)]
    same = rows[(rows["protocol"] == SAME) & (rows["method"] == "mean_curve") & (rows["own_cycles"] == 0)]
    assert set(other["label"]) == set(SPEEDS)
    assert not np.allclose(other["er"].to_numpy(), same["er"].to_numpy())  # fitted to two speeds, not to three
    three = own_cycles.curves(cycles.isel(cycle=np.isin(cycles.speed, SPEEDS[:3])), "mean_curve")
    assert set(three["protocol"]) == {SAME}


def test_people_with_one_cycle_are_refused():
    with pytest.raises(Nem2eError, match="nobody has two cycles"):
        own_cycles.curves(make_cycles((1, 1, 1, 1)), "mean_curve")


def test_what_was_found_is_said_and_drawn_with_its_interval(rows):
    three = pd.concat([rows.assign(method=rows["method"].replace("mean_curve", name)) for name in own_cycles.METHODS])
    table = own_cycles.summary(own_cycles.joined([three]))
    lines = own_cycles.found(table)
    assert len(lines) == 2
    assert all(line.startswith("SYNTHETIC tiny") for line in lines)
    row = table[(table["protocol"] == OTHER) & (table["method"] == "pls") & (table["own_cycles"] == 2)].iloc[0]
    verdict = "better" if row["ci_high"] < 0 else "worse" if row["ci_low"] > 0 else "not shown to differ"
    assert any(verdict in line and "with 2 by" in line for line in lines)
    drawn = figure(table, told=" ".join(lines))
    assert drawn.title.startswith("SYNTHETIC data")
    assert len(drawn.data) == len(table)
    assert len(drawn.figure.axes) == 2


def test_a_study_that_was_not_measured_has_no_figure_and_no_sentence():
    assert list(own_cycles.drawn(["nobody"])) == []
    assert own_cycles.found(own_cycles.summary(own_cycles.of(["nobody"]))) == []


def test_the_committed_table_is_of_every_method_people_and_synthetic():
    table = own_cycles.read()
    assert set(table["method"]) == {*own_cycles.METHODS, OWN}
    assert {"children", "runner"} < set(table["study"])
    assert set(table[["study", "synthetic"]].itertuples(index=False, name=None)) >= {
        ("children", False),
        ("runner", False),
    }
    assert not table.duplicated(["study", "protocol", "method", "own_cycles", "label"]).any()
    whole = own_cycles.summary(table)
    assert whole.groupby(["study", "protocol"])["n"].nunique().eq(1).all()
    assert whole["er"].notna().all()
