"""A recording that is unlike training: told with its number, and marked, in every file that is left."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.cli.refiner import show
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.fitting import fit
from nem2e_lib.refiner.outside import why
from nem2e_lib.refiner.reach import MEASURES, Distances
from nem2e_lib.refiner.refiner import Refiner
from nem2e_lib.refiner.spans import Span
from nem2e_lib.rivals import rival
from nem2e_lib.simulate.people import open_study

MUSCLES = ("soleus_r", "tib_ant_r", "rect_fem_r", "med_gas_r")
CHANNELS = {"sol": "soleus_r", "tib": "tib_ant_r"}
PEAKS = np.array([0.45, 0.05, 0.6, 0.4])


@dataclass
class Person:
    """Walks with bursts at `PEAKS`, heights and cadence of its own."""

    gains: np.ndarray
    seconds: float

    def activation(self, phase: np.ndarray, *, gain: float = 1.0, later: float = 0.0) -> np.ndarray:
        burst = np.exp(4 * (np.cos(2 * np.pi * (phase[:, None] - PEAKS - later)) - 1))
        return 0.03 + 0.2 * gain * self.gains * burst

    def recording(self, count: int = 3, *, slower: float = 1.0, **changed: float) -> tuple[Storage, list[Span]]:
        lasts = self.seconds * slower
        time = np.arange(0, count * lasts + 0.2, 0.005)
        values = self.activation(time / lasts, **changed)
        return Storage("walk", MUSCLES, time, values), [Span(n, n * lasts, (n + 1) * lasts) for n in range(count)]


def people(count: int, seed: int = 0) -> list[Person]:
    rng = np.random.default_rng(seed)
    return [Person(np.exp(rng.normal(0, 0.2, 4)), float(np.exp(rng.normal(0, 0.08)))) for _ in range(count)]


def study(everybody: list[Person]) -> xr.Dataset:
    points = {"sample": np.linspace(0, 100, 20), "phase": np.linspace(0, 100, 101)}
    waves = {dim: np.stack([one.activation(at / 100) for one in everybody]) for dim, at in points.items()}
    names = [f"s{n:02}" for n in range(len(everybody))]
    return xr.Dataset(
        {
            "activation": (("cycle", "sample", "muscle"), waves["sample"]),
            "activation_waveform": (("cycle", "phase", "muscle"), waves["phase"]),
            "emg": (("cycle", "sample", "channel"), waves["sample"][:, :, :2]),
            "emg_waveform": (("cycle", "phase", "channel"), waves["phase"][:, :, :2]),
        },
        coords={
            **points,
            "cycle": np.arange(len(names)),
            "muscle": list(MUSCLES),
            "channel": list(CHANNELS),
            "target": ("channel", list(CHANNELS.values())),
            "electrode": ("channel", list(CHANNELS)),
            "subject": ("cycle", names),
            "trial": ("cycle", names),
            "speed": ("cycle", ["free"] * len(names)),
            "speed_m_s": ("cycle", np.full(len(names), 1.2)),
            "number": ("cycle", np.zeros(len(names), int)),
            "start_s": ("cycle", np.zeros(len(names))),
            "end_s": ("cycle", [one.seconds for one in everybody]),
        },
        attrs={
            "study": "made",
            "motion": "walking",
            "simulated_by": "hand",
            "synthetic": 0,
            "cycle_definition": "right-right",
        },
    )


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return fit(study(people(10)), rival("ridge_all"), leave_out=False)


@pytest.fixture
def somebody() -> Person:
    return people(1, seed=3)[0]


def test_a_person_like_those_of_training_is_let_alone(refiner, somebody):
    activation, spans = somebody.recording()
    refined = refiner.refine(activation, cycles=spans, definition="right-right")
    assert not [note for note in refined.notes if "training" in note and "outside" in note]
    assert refined.table()["outside_training"].tolist() == [0, 0, 0]
    assert (refined.table()["distance"] < 1).all()
    assert set(refined.storage().column("outside_training")) == {0.0}


CHANGES = {
    "a third as active": ({"gain": 0.33}, r"its curves bend 0\.\d+ times as much as those of training \(limit 1\.\d+ "),
    "a quarter later": ({"later": 0.25}, r"its muscles are 2\d(\.\d)? % of the cycle later \(limit \d\.?\d* %\)"),
    "twice as slow": ({"slower": 2.0}, r"it lasts [\d.]+ s, in training [\d.]+ s \(limit 1\.\d+ times more or less\)"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_told_with_the_number_that_made_it_warn(refiner, somebody, change):
    changed, text = CHANGES[change]
    activation, spans = somebody.recording(**changed)
    refined = refiner.refine(activation, cycles=spans)
    (told,) = [note for note in refined.notes if "outside training" in note]
    table = refined.table()
    farthest = table["distance"].astype(float)
    assert told.startswith(
        f"3 of 3 cycles lie outside training, farthest cycle {farthest.idxmax()} with a distance of "
    )
    assert f"distance of {farthest.max():.2f}, where 1 is as far as the farthest of 10 subjects of training" in told
    assert f"({refiner.manifest.reach.beyond} of 10 subjects left out lay beyond what the others set)" in told
    assert re.search(text, told), told
    assert told.count(" SD)") == 3
    assert table["outside_training"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("measure", "size", "text"),
    [
        ("pattern", 2.0, "its curves depart by 2 SD of training, all muscles together (limit 1.5)"),
        ("muscle", 4.0, "tib_ant_r departs by 4 SD of training (limit of any muscle 1.5)"),
        ("amplitude", np.log(2), "it is 2 times as active as training (limit 4.48 times more or less)"),
        ("timing", -12.0, "its muscles are 12 % of the cycle earlier (limit 1.5 %)"),
        ("timing", 12.0, "its muscles are 12 % of the cycle later (limit 1.5 %)"),
        (
            "roughness",
            np.log(0.5),
            "its curves bend 0.5 times as much as those of training (limit 4.48 times more or less)",
        ),
        ("duration", 0.7, "it lasts 2 s, in training 0.8 s (limit 4.48 times more or less)"),
    ],
)
def test_why_is_said_in_words(refiner, measure, size, text):
    told = replace(refiner.manifest.reach, limits=dict.fromkeys(MEASURES, 1.5), seconds=0.8)
    own = np.array([[name == measure for name in MEASURES]])
    departures = np.array([[muscle == "tib_ant_r" for muscle in refiner.manifest.muscles]]) * 4.0
    found = Distances(np.array([2.0]), own * size, own * 2.0, departures)
    assert why(replace(refiner.manifest, reach=told), Span(0, 1.0, 3.0), found, 0) == text


def test_only_the_cycles_outside_are_marked_in_every_file(refiner, somebody, tmp_path):
    sound, spans = somebody.recording(3)
    loud, _ = somebody.recording(3, gain=2.2)
    second = (sound.time >= spans[1].start_s) & (sound.time <= spans[1].end_s)
    activation = replace(sound, values=np.where(second[:, None], loud.values, sound.values))
    refined = refiner.refine(activation, cycles=[*spans, Span(9, 50.0, 51.0)])
    files = refined.save(tmp_path / "out.sto")
    table = pd.read_csv(files[2])
    assert table["outside_training"].fillna(-1).tolist() == [0, 1, 0, -1]
    assert table["distance"].isna().tolist() == [False, False, False, True]
    mark, rows = read_storage(files[0]).column("outside_training"), refined.source.time
    between = lambda start, end: (rows > start + 0.01) & (rows < end - 0.01)  # noqa: E731
    assert (mark[between(spans[1].start_s, spans[1].end_s)] == 1).all()
    assert (mark[~((rows > spans[1].start_s - 0.01) & (rows < spans[1].end_s + 0.01))] == 0).all()
    assert "outside_training" in refined.storage("nan").labels


def test_programs_and_people_are_told_the_same(refiner, somebody, capsys):
    activation, spans = somebody.recording(2, gain=2.0)
    refined = refiner.refine(activation, cycles=spans)
    facts = json.loads(json.dumps(refined.facts(), allow_nan=False))
    told = facts["distance_to_training"]
    assert told["distance"] == [row["distance"] for row in facts["cycles"]]
    assert set(told["muscles"]) == set(MUSCLES)
    assert set(told["measures"]) == set(told["limits"])
    assert told["left_out"]["units"] == 10
    show(refined, [Path("out.sto")], as_json=False)
    low, high = min(told["distance"]), max(told["distance"])
    span = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    assert f"distance to training {span}; {told['one']}." in capsys.readouterr().out


def test_the_file_tells_the_same_after_it_was_saved(refiner, somebody, tmp_path):
    again = Refiner.load(refiner.save(tmp_path / "a.refiner"))
    half = Refiner.load(refiner.save(tmp_path / "b.refiner", dtype="float16"))
    activation, spans = somebody.recording(gain=1.3)
    expected = refiner.refine(activation, cycles=spans).far.total
    for other in (again, half):
        np.testing.assert_array_equal(other.refine(activation, cycles=spans).far.total, expected)
    assert again.manifest.reach == refiner.manifest.reach
    assert f"distance to training: {again.manifest.reach.one}; {again.manifest.reach.alarms}" in str(again)


def test_a_refiner_that_does_not_tell_marks_nothing(refiner, somebody):
    inputs = tuple(replace(each, mean=(), spread=()) for each in refiner.manifest.inputs)
    old = replace(refiner, manifest=replace(refiner.manifest, reach=None, inputs=inputs))
    activation, spans = somebody.recording(slower=2.0)
    refined = old.refine(activation, cycles=spans)
    assert refined.far is None
    assert "outside_training" not in [*refined.storage().labels, *refined.table().columns]
    assert refined.facts()["distance_to_training"] is None
    assert any("last unlike those of training" in note for note in refined.notes)
    np.testing.assert_array_equal(refined.curves, refiner.refine(activation, cycles=spans).curves)


def test_of_one_person_a_muscle_that_leaves_its_range_is_told_besides(refiner, somebody):
    """Speeds of one person say little of others, and are few: what is far for them is not seen soon."""
    manifest = refiner.manifest
    alone = replace(refiner, manifest=replace(manifest, reach=replace(manifest.reach, unit="speed")))
    activation, spans = somebody.recording(gain=2.0)
    for one, expected in ((refiner, 0), (alone, 1)):
        notes = one.refine(activation, cycles=spans).notes
        assert sum("muscles leave the range that they had in training" in note for note in notes) == expected
        assert sum("outside training" in note for note in notes) == 1


def test_too_few_people_tell_nothing():
    assert fit(study(people(2)), rival("mean_curve"), leave_out=False).manifest.reach is None


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda m: replace(m, inputs=(replace(m.inputs[0], mean=(0.1,)), *m.inputs[1:])), "other than 20 samples"),
        (lambda m: replace(m, inputs=(replace(m.inputs[0], spread=(0.0,) * 20), *m.inputs[1:])), "no positive numbers"),
        (lambda m: replace(m, reach=replace(m.reach, limits={"charm": 1.0})), "of known measures"),
        (lambda m: replace(m, reach=replace(m.reach, seconds=float("nan"))), "no positive numbers"),
    ],
)
def test_a_damaged_account_is_refused(refiner, broken, told):
    with pytest.raises(Nem2eError, match=told):
        replace(refiner, manifest=broken(refiner.manifest))


@pytest.mark.realdata
def test_children_do_not_reach_as_far_as_a_runner(realdata, tmp_path, monkeypatch):
    """A refiner of children warns of an adult who runs, and lets most children alone whom it has not seen."""
    monkeypatch.setenv("NEM2E_REALDATA", str(realdata))
    open_study("children", tmp_path / "children", work=tmp_path / "work")
    cycles, _ = segment(load_study(tmp_path / "children"))
    refiner = fit(cycles, rival("ridge_all"), leave_out=False)
    index = pd.read_csv(realdata / "hamner_subject01" / "emg" / "subject01_cycle_index.csv")
    for speed in (3, 5):
        own = index[index["speed_m_s"] == speed]
        spans = [Span(int(row.cycle), row.t_start, row.t_end) for row in own.itertuples()]
        activation = realdata / "hamner_subject01" / "activation" / f"Run_{speed}0002_StaticOptimization_activation.sto"
        refined = refiner.refine(activation, cycles=spans)
        (told,) = [note for note in refined.notes if "outside training" in note]
        assert f"distance of {refined.far.total.max():.2f}, where 1 is as far as the farthest of 10 subjects" in told
        assert refined.far.outside.mean() > 0.8
    assert refiner.manifest.reach.units == 10
    assert refiner.manifest.reach.beyond <= 1
