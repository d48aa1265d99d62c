"""A laboratory's walking recording whose truth is known: strikes, bursts and forces of both feet, spoilt as asked.

Right heel strikes at 0.5 + 1.1 k s, left ones half a cycle later; stance is 60 % of the cycle. Activations and EMG are
bursts of each muscle at its phase, so that what should come out of any spoilt copy is the same as of the sound one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nem2e_lib.data.storage.storage import Storage, write_storage

CYCLE_S, FIRST_S, STANCE = 1.1, 0.5, 0.6
BURSTS = {"soleus": 40.0, "tib_ant": 2.0, "bifemlh": 92.0, "rect_fem": 55.0}
"""Muscle to the phase of its burst in % of its leg's cycle."""
MUSCLES = tuple(f"{muscle}_{side}" for side in "rl" for muscle in BURSTS)
EMG = {"R_SOL": "soleus_r", "R_TA": "tib_ant_r", "R_BF": "bifemlh_r", "R_RF": "rect_fem_r"}
WEIGHT_N = 700.0


def strikes(seconds: float = 8.0, side: str = "right") -> np.ndarray:
    """Times of heel strike within a recording."""
    first = FIRST_S + (CYCLE_S / 2 if side == "left" else 0)
    times = first + CYCLE_S * np.arange(-2, int(seconds / CYCLE_S) + 2)
    return times[(times > 0) & (times < seconds)]


def clock(seconds: float, rate_hz: float) -> np.ndarray:
    """An even clock from 0."""
    return np.arange(round(seconds * rate_hz) + 1) / rate_hz


def phase(time: np.ndarray, side: str = "right") -> np.ndarray:
    """Phase of a foot's cycle, 0 to 1."""
    return ((time - FIRST_S - (CYCLE_S / 2 if side == "left" else 0)) / CYCLE_S) % 1.0


def burst(time: np.ndarray, muscle: str) -> np.ndarray:
    """Activation of a muscle with its side: a bump of .6 over .03."""
    name, side = muscle[:-2], "right" if muscle.endswith("_r") else "left"
    away = (phase(time, side) - BURSTS.get(name, 30.0) / 100 + 0.5) % 1.0 - 0.5
    return 0.03 + 0.6 * np.exp(-((away / 0.08) ** 2))


def activation(seconds: float = 8.0, muscles: Sequence[str] = MUSCLES) -> Storage:
    """Activation at 100 Hz."""
    time = clock(seconds, 100)
    return Storage("activation", tuple(muscles), time, np.column_stack([burst(time, each) for each in muscles]))


def emg(seconds: float = 8.0, channels: Mapping[str, str] = EMG) -> Storage:
    """Envelopes at 100 Hz."""
    time = clock(seconds, 100)
    return Storage("emg", tuple(channels), time, np.column_stack([burst(time, each) for each in channels.values()]))


def raw_emg(seconds: float = 8.0, channels: Mapping[str, str] = EMG, rate_hz: float = 1000, seed: int = 0) -> Storage:
    """Raw EMG in V: noise of 20 to 400 Hz under the same bursts, some 100 uV high."""
    time, random = clock(seconds, rate_hz), np.random.default_rng(seed)
    noise = random.normal(size=(len(time), len(channels)))
    envelope = np.column_stack([burst(time, each) for each in channels.values()])
    return Storage("emg", tuple(channels), time, 1e-4 * envelope * noise)


def foot(time: np.ndarray, side: str = "right") -> np.ndarray:
    """Vertical force under one foot in N: two humps, 0 in swing."""
    part = phase(time, side) / STANCE
    on = part < 1
    arch = np.sin(np.pi * np.minimum(part, 1.0)).clip(0.0)
    return np.where(on, WEIGHT_N * (1.1 * arch**0.6 - 0.25 * arch**4), 0.0)


def beside(storage: Storage, columns: Mapping[str, float | np.ndarray]) -> Storage:
    """The same table with further columns."""
    more = [np.broadcast_to(values, storage.time.shape) for values in columns.values()]
    labels, values = (*storage.labels, *columns), np.column_stack([storage.values, *more])
    return Storage(storage.name, labels, storage.time, values)


def relabelled(storage: Storage, label: Callable[[str], str]) -> Storage:
    """The same table under other labels."""
    return Storage(storage.name, tuple(map(label, storage.labels)), storage.time, storage.values)


def model(path: Path, muscles: Sequence[str], others: Mapping[str, str] | None = None, head: str = "40000") -> Path:
    """Write an OpenSim model: muscles, other forces by name and class, two coordinates, and names that mislead."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="{head}"><Model name="lab">
<defaults><Thelen2003Muscle name="default"/></defaults>
<JointSet><objects><PinJoint name="hip_r"><coordinates><Coordinate name="hip_flexion_r"/></coordinates></PinJoint>
<PinJoint name="elbow_r"><coordinates><Coordinate name="elbow_flex_r"/></coordinates></PinJoint></objects></JointSet>
<ForceSet><objects>
{"".join(f'<Millard2012EquilibriumMuscle name="{name}"/>' for name in muscles)}
{"".join(f'<{kind} name="{name}"/>' for name, kind in (others or {}).items())}
<HuntCrossleyForce name="heel_r"><HuntCrossleyForce::ContactParametersSet name="contact"><objects/>
</HuntCrossleyForce::ContactParametersSet></HuntCrossleyForce>
</objects></ForceSet>
<ProbeSet><objects><Umberger2010MuscleMetabolicsProbe name="all"/></objects></ProbeSet>
</Model></OpenSimDocument>
""",
        encoding="utf-8",
    )
    return path


def forces(seconds: float = 8.0, names: Sequence[str] = ("ground_force_vy", "1_ground_force_vy")) -> Storage:
    """Vertical forces of right and left foot at 500 Hz."""
    time = clock(seconds, 500)
    return Storage("forces", tuple(names), time, np.column_stack([foot(time, side) for side in ("right", "left")]))


def settings(more: str = "", channels: Mapping[str, str] = EMG) -> str:
    """A study.toml."""
    lines = [
        'name = "lab"',
        'motion = "walking"',
        'simulated_by = "static optimisation"',
        "synthetic = true",
        "[emg]",
        *(f'"{name}" = "{muscle}"' for name, muscle in channels.items()),
    ]
    return "\n".join(lines) + "\n" + more


def study(
    folder: Path,
    *,
    act: Storage | None = None,
    measured: Storage | None = None,
    grf: Storage | None = None,
    more: str = "",
    seconds: float = 8.0,
) -> Path:
    """Write a study folder of one trial, ``s1_free``; what is not given is sound."""
    (folder / "s1").mkdir(parents=True, exist_ok=True)
    write_storage(folder / "s1/act.sto", act or activation(seconds))
    write_storage(folder / "s1/emg.sto", measured or emg(seconds))
    write_storage(folder / "s1/grf.mot", grf or forces(seconds))
    (folder / "study.toml").write_text(settings(more), encoding="utf-8")
    rows = "trial,subject,speed,speed_m_s,activation,emg,grf\ns1_free,s1,free,1.3,s1/act.sto,s1/emg.sto,s1/grf.mot\n"
    (folder / "trials.csv").write_text(rows, encoding="utf-8")
    return folder


def add_trial(folder: Path, name: str, *, measured: Storage | None = None, subject: str = "s1") -> None:
    """Add a sound trial to a study that `study` wrote, with EMG of its own."""
    seconds = float((measured or emg()).time[-1])
    write_storage(folder / f"s1/{name}_act.sto", activation(seconds))
    write_storage(folder / f"s1/{name}_emg.sto", measured or emg(seconds))
    write_storage(folder / f"s1/{name}_grf.mot", forces(seconds))
    with (folder / "trials.csv").open("a", encoding="utf-8") as table:
        table.write(f"{name},{subject},free,1.3,s1/{name}_act.sto,s1/{name}_emg.sto,s1/{name}_grf.mot\n")


def changed(recording: Storage, edit: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Storage:
    """Return a recording with the values that `edit` makes of its time and its values."""
    return replace(recording, values=edit(recording.time, recording.values.copy()))
