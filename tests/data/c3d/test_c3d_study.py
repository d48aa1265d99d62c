"""Which legs and cycles become a study, from tables whose every step is known."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.data.c3d.contacts import COLUMNS as CONTACT
from nem2e_lib.data.c3d.convert import TRIALS
from nem2e_lib.data.c3d.study import study_of
from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError

RATE = 1000.0
STEPS = {"right": (1.0, 2.1), "left": (1.55, 2.65)}
"""A step of each foot on a plate, and when it strikes again."""
LEVEL = {"soleus_r": 0.3, "tib_ant_r": 0.4, "soleus_l": 0.7, "tib_ant_l": 0.8, "ercspn_r": 0.5, "ercspn_l": 0.5}


def contact(foot: str, start: float, end: float | None, *, plate: int = 1, doubts: str = "", by: str = "event"):
    """A row of contacts.csv, without its trial."""
    values = (plate, foot, start, start + 0.6, "" if end is None else end, by if end else "", 1.2, 1.0, doubts)
    return dict(zip(CONTACT, values, strict=True))


BOTH = [contact(foot, *span, plate=number) for number, (foot, span) in enumerate(STEPS.items(), 1)]


def converted(folder, walks: dict[str, tuple[str, list]], *, dead: tuple[str, ...] = (), missing: str = ""):
    """What C3D files were converted to: a person a walk; `walks` has each one's leg and contacts.

    EMG is noise in the band of EMG, 1 mV of the right leg, 2 mV of the left; a channel named `dead` is an amplifier's.
    """
    (folder / "mapping").mkdir(parents=True)
    trials, contacts = [], []
    for name, (leg, steps) in walks.items():
        contacts += [{"trial": name, **step} for step in steps]
        if name == missing:
            continue
        write_storage(folder / f"{name}_emg.sto", emg(leg, dead))
        row = {"trial": name, "subject": name[:2], "condition": "straight", "leg": leg, "emg": f"{name}_emg.sto"}
        trials.append({**dict.fromkeys(TRIALS, ""), **row})
    pd.DataFrame(trials, columns=list(TRIALS)).to_csv(folder / "trials.csv", index=False)
    pd.DataFrame(contacts, columns=["trial", *CONTACT]).to_csv(folder / "contacts.csv", index=False)
    people = pd.DataFrame([{"subject": name[:2], "mass_kg": 60, "leg": leg} for name, (leg, _) in walks.items()])
    people.to_csv(folder / "mapping/subjects.csv", index=False)
    files = [(f"{name}.c3d", name, name[:2], "walk", "straight") for name in walks]
    pd.DataFrame(files, columns=["file", "trial", "subject", "kind", "condition"]).to_csv(
        folder / "mapping/recordings.csv", index=False
    )
    rows = [(f"{side} {name}", name, side, name, "") for side in STEPS for name in ("soleus", "tib_ant")]
    pd.DataFrame(rows, columns=["channel", "emg", "side", "muscle", "subject"]).to_csv(
        folder / "mapping/channels.csv", index=False
    )
    return folder


def emg(leg: str, dead: tuple[str, ...]) -> Storage:
    time = np.arange(0, 4, 1 / RATE)
    random = np.random.default_rng(2)
    labels = [f"{name}_{side}" for side in "rl" for name in ("soleus", "tib_ant")]
    values = []
    for label in labels:
        noise = random.normal(size=len(time) + 4)
        smooth = np.mean([noise[row : len(time) + row] for row in range(5)], axis=0)
        envelope = 1.2 + np.sin(2 * np.pi * time)
        values.append(noise[:-4] if label.startswith(dead) else smooth * envelope * (1 if label[-1] == "r" else 2))
    kept = [place for place, label in enumerate(labels) if not leg or label[-1] == leg[0]]
    named = [labels[place][:-2] if leg else labels[place] for place in kept]
    return Storage("emg", tuple(named), time, 1e-3 * np.column_stack([values[place] for place in kept]))


def simulated(folder, names, *, span=(0.9, 3.0), bare=None):
    """Activation of each walk at `LEVEL`, and when each foot was on bare floor."""
    time = np.linspace(*span, 300)
    for name in names:
        (folder / name).mkdir(parents=True)
        values = np.tile(list(LEVEL.values()), (len(time), 1)) + 0.01 * np.sin(time)[:, None]
        write_storage(folder / name / "activation.sto", Storage("activation", tuple(LEVEL), time, values))
        floor = {leg: {"bare": spans} for leg, spans in (bare or {}).items()}
        (folder / name / "facts.json").write_text(json.dumps({"floor": floor}))
    return folder


def made(tmp_path, walks, **how):
    names = [name for name in walks if name != how.get("missing")]
    tables = {key: how.pop(key) for key in ("dead", "missing") if key in how}
    source = converted(tmp_path / "converted", walks, **tables)
    return study_of(source, simulated(tmp_path / "simulated", names, **how), tmp_path / "study")


def taken(built) -> list[tuple[str, str, str]]:
    rows = built.taken[built.taken["taken"] == "yes"]
    return list(zip(rows["trial"], rows["leg"], rows["start_s"], strict=True))


def test_both_legs_give_a_cycle_each_with_their_own_muscles_and_emg(tmp_path):
    built = made(tmp_path, {"s1_walk": ("", BOTH)})
    assert built.trials["trial"].tolist() == ["s1_walk_right", "s1_walk_left"]
    assert built.cycles == 2
    assert check_study(tmp_path / "study") == []
    study = load_study(tmp_path / "study")
    cycles, _ = segment(study)
    assert list(cycles["muscle"].to_numpy()) == ["soleus_r", "tib_ant_r"]
    level = dict(
        zip(cycles["trial"].to_numpy(), cycles["activation"].sel(muscle="soleus_r").mean("sample"), strict=True)
    )
    assert float(level["s1_walk_right"]) == pytest.approx(LEVEL["soleus_r"], abs=0.02)
    assert float(level["s1_walk_left"]) == pytest.approx(LEVEL["soleus_l"], abs=0.02)
    for side, (start, end) in STEPS.items():
        (own,) = np.flatnonzero(cycles["trial"] == f"s1_walk_{side}")
        assert (float(cycles["start_s"][own]), float(cycles["end_s"][own])) == pytest.approx((start, end))
    size = [np.std(study.emg(name).values[:, 0]) for name in built.trials["trial"]]
    assert size[1] == pytest.approx(2 * size[0], rel=0.05)  # left electrodes measured twice as much
    assert built.told[0] == (
        "s1_walk: right leg 1.0000 to 2.1000 s taken; left leg 1.5500 to 2.6500 s taken (mirrored)."
    )
    assert "1 of 2 trials are left legs, mirrored: their muscles are called _r." in built.told


def test_people_may_be_measured_on_different_legs(tmp_path):
    built = made(tmp_path, {"s1_walk": ("right", BOTH), "s2_walk": ("left", BOTH), "s3_walk": ("", BOTH)})
    assert [row[:2] for row in taken(built)] == [
        ("s1_walk", "right"),
        ("s2_walk", "left"),
        ("s3_walk", "right"),
        ("s3_walk", "left"),
    ]
    assert built.trials["trial"].tolist() == ["s1_walk", "s2_walk", "s3_walk_right", "s3_walk_left"]


def test_a_leg_may_give_two_cycles_a_walk_and_plates_may_end_them(tmp_path):
    steps = [contact("right", 1.0, 2.1, by="plate"), contact("right", 2.1, 2.9, plate=3, by="heel marker")]
    built = made(tmp_path, {"s1_walk": ("right", steps)})
    assert built.cycles == 2
    assert built.taken["end_by"].tolist() == ["plate", "heel marker"]
    assert "s1_walk: right leg 1.0000 to 2.1000 s, 2.1000 to 2.9000 s taken." in built.told


def test_what_is_left_is_told_with_its_reason(tmp_path):
    walks = {
        "s1_walk": ("", [BOTH[0], contact("left", 1.55, 2.65, doubts="the foot reaches 19 mm over the plate's edge")]),
        "s2_walk": ("", [BOTH[1]]),
        "s3_walk": ("right", [contact("right", 1.0, 3.5), contact("right", 2.2, None, doubts="no next strike")]),
        "s4_walk": ("right", [contact("left", 1.0, 2.0), contact("right", 1.5, 2.5, doubts="two feet")]),
    }
    built = made(tmp_path, walks, missing="s4_walk")
    assert taken(built) == [("s1_walk", "right", "1.0000"), ("s2_walk", "left", "1.5500")]
    told = "\n".join(built.told)
    assert "left leg 1.5500 to 2.6500 s left out, the foot reaches 19 mm over the plate's edge." in told
    assert "s2_walk: right leg left out, it treads on no plate; left leg 1.5500 to 2.6500 s taken (mirrored)." in told
    assert "s3_walk: right leg 1.0000 to 3.5000 s left out, its activation does not cover it" in told
    assert "s4_walk: left out, two feet." in told
    kept = pd.read_csv(tmp_path / "study/taken.csv", keep_default_na=False)
    assert kept["taken"].tolist() == built.taken["taken"].tolist()
    assert set(kept.loc[kept["taken"] == "no", "why"]) >= {"it treads on no plate"}


def test_a_cycle_with_the_foot_on_bare_floor_is_left_out(tmp_path):
    bare = {"right": [[2.08, 2.9]], "left": [[0.9, 1.02], [2.3, 2.6]]}
    built = made(tmp_path, {"s1_walk": ("", BOTH)}, bare=bare)
    assert taken(built) == [("s1_walk", "right", "1.0000")]  # its next strike is on bare floor, as it may be
    assert "left leg 1.5500 to 2.6500 s left out, the foot stands on floor without a plate in it." in built.told[0]


def test_a_leg_without_live_electrodes_is_left_out_and_one_dead_channel_told(tmp_path):
    built = made(tmp_path, {"s1_walk": ("", BOTH)}, dead=("tib_ant",))
    assert len(taken(built)) == 2
    assert "s1_walk: of the left leg, tib_ant does not look like EMG." in built.told
    with pytest.raises(
        Nem2eError, match=r"right leg 1\.0000 to 2\.1000 s left out, none of its channels looks like EMG"
    ):
        study_of(
            converted(tmp_path / "again", {"s1_walk": ("right", BOTH)}, dead=("tib_ant", "soleus")),
            tmp_path / "simulated",
            tmp_path / "none",
        )
    assert not (tmp_path / "none").exists()
