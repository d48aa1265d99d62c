"""A synthetic study written as a study folder: real .sto and .mot files, cut by the same code as anyone's own."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.files import write_text
from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.settings import Line, Section, settings_text
from nem2e_lib.data.synthetic import first, second
from nem2e_lib.data.synthetic.cast import Take, takes
from nem2e_lib.data.synthetic.cycles import about, activation, muscles
from nem2e_lib.data.synthetic.design import Design, design
from nem2e_lib.data.synthetic.knobs import Knobs, Knobs1, knobs_of
from nem2e_lib.data.synthetic.mechanism import channel_columns
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

_COLUMNS = tuple(f"{foot}ground_force_{part}" for foot in ("", "l_") for part in ("vx", "vy", "vz", "px", "py", "pz"))
_WEIGHT_N = 700.0
_STRIKE_N = 20.0
_ACTIVATION_HZ, _EMG_HZ, _FORCE_HZ = 200.0, 200.0, 500.0  # equal ones: without noise, equal signals stay equal when cut
_FORCE_NOISE_N = 2.0


def write_study(
    motion: str,
    folder: str | Path,
    knobs: Knobs | Knobs1 | None = None,
    seed: int = 0,
    *,
    subjects: int | None = None,
    speeds: int | None = None,
    generator: int | None = None,
) -> Path:
    """Write a synthetic study folder and return it; the same arguments give the same bytes.

    Parameters
    ----------
    motion
        `running` or `walking`.
    folder
        Made where it is missing; files of the same names are replaced.
    knobs
        Strength of every mechanism: `Knobs` for generator 2, `Knobs1` for generator 1.
    seed
        Of everything that is drawn.
    subjects, speeds
        How many; the first ones stay the same.
    generator
        1 or 2, where no knobs are given; default: 2.

    Raises
    ------
    Nem2eError
        If motion or generator is unknown, the knobs are another generator's, the folder cannot be written, or it holds
        a study that is not synthetic.
    """
    folder = Path(folder)
    plan, strength = design(motion).reduced(subjects, speeds), knobs_of(knobs, generator)
    cast = list(takes(plan, strength, seed))
    _prepare(folder)
    rows = [_write_take(folder, plan, take, seed) for take in cast]
    write_text(folder / "trials.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    write_text(folder / "study.toml", _settings(plan, strength.generator))
    return folder


def _prepare(folder: Path) -> None:
    """Make the parts of the folder, unless someone's own study lies there."""
    if (folder / "study.toml").exists() and not _is_synthetic(folder / "study.toml"):
        raise Nem2eError(f"{folder}: holds a study.toml that does not say synthetic = true; choose another folder.")
    if (folder / "cycles.csv").exists():
        raise Nem2eError(f"{folder}: holds a cycles.csv, which no synthetic study has; choose another folder.")
    try:
        for part in ("activation", "emg", "grf"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Nem2eError(f"{folder}: the folder cannot be made ({error.strerror}); choose another.") from None


def _is_synthetic(file: Path) -> bool:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")).get("synthetic") is True
    except (OSError, ValueError):
        return False


def write_newcomer(
    motion: str, folder: str | Path, seed: int = 0, *, speed: int = 1, generator: int | None = None
) -> dict[str, Path]:
    """Write one trial of somebody who is in no study of this motion and seed, but of the same population.

    Parameters
    ----------
    motion, seed, generator
        As in `write_study`.
    folder
        Made where it is missing.
    speed
        Which of the speeds, from the slowest.

    Returns
    -------
    dict
        ``activation``, ``emg`` and ``grf``, each the path of its file.
    """
    plan = design(motion)
    cast = takes(plan.reduced(plan.subjects + 1, None), knobs_of(None, generator), seed)
    take = next(islice(cast, plan.subjects * len(plan.speeds) + speed, None))
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = {}
    for part, (file, labels, clock, values) in _tables(plan, take, seed).items():
        paths[part] = Path(folder) / file.replace(take.name, "example")
        write_storage(paths[part], _storage(part, take, labels, clock, values))
    return paths


def _write_take(folder: Path, plan: Design, take: Take, seed: int) -> dict[str, str | float]:
    tables = _tables(plan, take, seed)
    for part, (file, labels, clock, values) in tables.items():
        write_storage(folder / part / file, _storage(part, take, labels, clock, values))
    return {
        "trial": take.name,
        "subject": take.subject,
        "speed": take.speed,
        "speed_m_s": take.speed_m_s,
        **{part: f"{part}/{table[0]}" for part, table in tables.items()},
    }


def _storage(
    part: str, take: Take, labels: list[str], clock: NDArray[np.float64], values: NDArray[np.float64]
) -> Storage:
    return Storage(f"SYNTHETIC {part} {take.name}", tuple(labels), clock, np.round(values, 5))


def _tables(
    plan: Design, take: Take, seed: int
) -> dict[str, tuple[str, list[str], NDArray[np.float64], NDArray[np.float64]]]:
    """File name, labels, times and values of activation, EMG and force."""
    trial, name = take.trial, take.name
    noise_rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    time = {rate: _clock(trial.end, rate) for rate in (_ACTIVATION_HZ, _EMG_HZ, _FORCE_HZ)}
    simulated = activation(plan, take, time[_ACTIVATION_HZ])
    measured = trial.measured(time[_EMG_HZ], channel_columns(plan))
    noise = _FORCE_NOISE_N * noise_rng.standard_normal((len(time[_FORCE_HZ]), 2))
    force = _ground_reaction(trial, time[_FORCE_HZ], plan.motion, plan.stance, noise)
    return {
        "activation": (f"{name}_activation.sto", muscles(plan), time[_ACTIVATION_HZ], simulated),
        "emg": (f"{name}_emg.sto", list(plan.emg), time[_EMG_HZ], measured),
        "grf": (f"{name}_grf.mot", list(_COLUMNS), time[_FORCE_HZ], force),
    }


def _clock(end: float, rate: float) -> NDArray[np.float64]:
    return np.round(np.arange(int(end * rate) + 1) / rate, 6)


def _ground_reaction(trial: first.Trial | second.Trial, time: Array, motion: str, stance: float, noise: Array) -> Array:
    """Forces (N) and centres of pressure (m) of both feet on a treadmill, shape (times, 12).

    The vertical force passes 20 N at the trial's heel strikes; a foot in the air shows `noise` (N), shape (times, 2).
    """
    feet = []
    for left in (0, 1):
        phase = (trial.phase(time) - 0.5 * left) % 1.0
        share = phase / stance
        on = share < 1.0
        vertical = np.where(on, _STRIKE_N + _load(share, motion), np.abs(noise[:, left]))
        fore_aft = np.where(on, -0.2 * _WEIGHT_N * np.sin(2 * np.pi * share), 0.0)
        lateral = np.where(on, (0.05 - 0.1 * left) * _WEIGHT_N * np.sin(np.pi * share), 0.0)
        pressure = np.where(on, 0.25 - 0.5 * share, 0.0)
        width = np.where(on, 0.08 - 0.16 * left, 0.0)
        feet.append(np.stack([fore_aft, vertical, lateral, pressure, np.zeros_like(share), width], axis=1))
    return np.concatenate(feet, axis=1)


def _load(share: Array, motion: str) -> Array:
    inside = np.clip(share, 0.0, 1.0)
    if motion == "running":
        return 2.4 * _WEIGHT_N * np.sin(np.pi * inside)
    return _WEIGHT_N * (1.2 * np.sin(np.pi * inside) + 0.35 * np.sin(3 * np.pi * inside))


def _settings(plan: Design, generator: int) -> str:
    """The text of study.toml."""
    own = about(plan.motion, generator)
    said = {
        **{name: own[name] for name in ("name", "motion", "simulated_by")},
        "cycle": "right-right",
        "synthetic": True,
        **{name: own[name] for name in ("citation", "licence")},
    }
    electrodes = {channel: plan.electrodes.get(channel, channel) for channel in plan.emg} if plan.electrodes else {}
    grf = {"right": "ground_force_vy", "left": "l_ground_force_vy", "threshold_n": 20.0}
    tables: dict[str, Mapping[str, Any]] = {"": said, "emg": plan.emg, "electrodes": electrodes, "grf": grf}
    tables["activation"] = {"columns": muscles(plan)}
    return settings_text(
        Section(name, [Line(key, value) for key, value in table.items()]) for name, table in tables.items() if table
    )
