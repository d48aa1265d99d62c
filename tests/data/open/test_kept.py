"""Activation that is kept with the library: whole, of the recordings that are fetched, and small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.muscles import side
from nem2e_lib.data.open.children import MAPPING
from nem2e_lib.data.open.kept import KEPT, TABLES, keep, provenance, unpack, unpack_inputs
from nem2e_lib.data.open.sources import read_sources
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.data.tables import read_table
from nem2e_lib.error import Nem2eError

STUDIES = ("children", "runner")


@pytest.mark.parametrize("study", STUDIES)
def test_every_trial_unpacks_into_activation_of_its_window(study: str, tmp_path: Path) -> None:
    told = provenance(study)
    trials = unpack(study, tmp_path)
    assert trials == list(told["trials"])
    for trial in trials:
        activation, facts = read_storage(tmp_path / trial / "activation.sto"), told["trials"][trial]
        assert muscle_columns(activation.labels) == list(activation.labels)
        assert len(activation.labels) == {"children": 43, "runner": 92}[study]
        assert activation.time[0] == pytest.approx(facts["start_s"], abs=0.011)
        assert activation.time[-1] >= facts["end_s"] - 0.011
        assert np.all((activation.values >= 0) & (activation.values <= 1))
        assert facts["verdict"] in ("good", "acceptable", "poor")


@pytest.mark.parametrize("study", STUDIES)
def test_tables_beside_activation_are_of_one_leg_and_cover_its_window(study: str, tmp_path: Path) -> None:
    told = provenance(study)
    unpack_inputs(study, tmp_path)
    for trial, facts in told["trials"].items():
        tables = {name: read_storage(tmp_path / trial / f"{name}.sto") for name in TABLES}
        for table in tables.values():
            assert len({side(label) for label in table.labels}) == 1
            assert table.time[0] <= facts["start_s"] + 0.011
            assert table.time[-1] >= facts["end_s"] - 0.011
        (knee,) = (label for label in tables["angles"].labels if label.startswith("knee_angle"))
        assert tables["angles"].in_degrees
        assert 40 < np.ptp(tables["angles"].column(knee)) < 140
        assert len(tables["lengths"].labels) == 43
        assert 0.5 < tables["lengths"].values.min() < tables["lengths"].values.max() < 1.5


@pytest.mark.parametrize("study", STUDIES)
def test_provenance_names_the_recordings_that_are_fetched(study: str) -> None:
    told = provenance(study)
    known = {source.here: source.sha256 for source in read_sources()}
    assert told["inputs"]
    assert {here: known.get(here) for here in told["inputs"]} == told["inputs"]
    assert told["model"] in told["inputs"]
    assert told["opensim"] == "4.6"
    assert len(told["nem2e"]) == 40
    assert all(told[name] for name in ("steps", "options", "licence", "cite"))


def test_it_is_small_and_nothing_else_lies_there() -> None:
    files = [path for path in KEPT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    named = {f"{study}/{trial}.sto.xz" for study in STUDIES for trial in provenance(study)["trials"]}
    assert {path.relative_to(KEPT).as_posix() for path in files} == named | {f"{study}.json" for study in STUDIES}


def table(trial: str) -> Storage:
    return Storage(trial, ("soleus_r", "tib_ant_r"), np.array([0.0, 0.01]), np.array([[0.1234567, 0.5], [1, 0]]))


def test_what_is_kept_comes_back_rounded_and_takes_the_place_of_what_was(tmp_path: Path) -> None:
    keep("walk", {"a": table("a"), "b": table("b")}, {"trials": {"a": {"verdict": "good"}}}, tmp_path)
    assert unpack("walk", tmp_path / "out", tmp_path) == ["a", "b"]
    back = read_storage(tmp_path / "out" / "a" / "activation.sto")
    assert back.labels == ("soleus_r", "tib_ant_r")
    assert back.values.tolist() == [[0.12346, 0.5], [1, 0]]
    assert provenance("walk", tmp_path)["trials"]["a"]["verdict"] == "good"
    keep("walk", {"b": table("b")}, {"trials": {}}, tmp_path)
    assert sorted(path.name for path in (tmp_path / "walk").iterdir()) == ["b.sto.xz"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    keep("walk", {"a": table("a")}, {"trials": {}}, tmp_path)
    (tmp_path / "walk" / "a.sto.xz").write_bytes(b"other")
    with pytest.raises(Nem2eError, match=r"a\.sto\.xz: is not the file that was kept"):
        unpack("walk", tmp_path / "out", tmp_path)
    with pytest.raises(Nem2eError, match="no activation of the study 'run' is kept"):
        unpack("run", tmp_path / "out", tmp_path)


def test_the_mapping_names_every_recording_and_gives_a_reason_where_it_differs() -> None:
    recordings = read_table(MAPPING / "recordings.csv", ("file", "kind", "subject", "reason"))
    here = {source.here.removeprefix("children_walk/c3d/") for source in read_sources() if source.here.endswith(".c3d")}
    assert set(recordings["file"]) == here
    assert (recordings.loc[recordings["kind"] == "leave", "reason"] != "").all()
    channels = read_table(MAPPING / "channels.csv", ("channel", "emg", "subject", "reason"))
    assert (channels.loc[channels["subject"] != "", "reason"] != "").all()
    swapped = channels[channels["subject"] == "HC038A"].set_index("channel")["emg"].to_dict()
    assert swapped == {"Voltage.R Hams": "gast", "Voltage.R Gast": "hams"}
    assert json.loads((KEPT / "children.json").read_text())["trials"].keys() <= set(
        read_table(MAPPING / "recordings.csv", ("trial",))["trial"]
    )
