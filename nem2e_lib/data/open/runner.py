"""One runner as a study: subject01 of Hamner & Delp (2013) at four speeds, EMG as envelopes that were published."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from nem2e_lib.data.c3d.study import Built
from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.files import whole_folder, write_text
from nem2e_lib.data.open.kept import TABLES
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.beside import velocities
from nem2e_lib.data.study.settings import Line, Section, settings_text
from nem2e_lib.data.tables import numbers, read_table
from nem2e_lib.error import Nem2eError

SPEEDS = (2, 3, 4, 5)
"""In m/s, as the files are called."""
CHANNELS = {
    "soleus_r": ("soleus", "soleus_r"),
    "bflh_r": ("bi", "bifemlh_r"),
    "semimem_r": ("sem", "semimem_r"),
    "tibant_r": ("tib", "tib_ant_r"),
    "recfem_r": ("rect", "rect_fem_r"),
    "glmax1_r": ("glmax1", "glut_max1_r"),
    "glmed1_r": ("glmed1", "glut_med1_r"),
    "gaslat_r": ("gaslat", "lat_gas_r"),
    "gasmed_r": ("gasmed", "med_gas_r"),
    "vaslat_r": ("vaslat", "vas_lat_r"),
    "vasmed_r": ("vasmed", "vas_med_r"),
}
"""Electrode in the source: EMG name, which is the paper's short name of the muscle, and muscle of the model."""
_BEFORE_S, _AFTER_S = 0.02, 0.01
"""What is simulated beyond the cycles' ends."""


def prepare(recordings: Path, work: Path) -> Path:
    """Write the table of trials to simulate into `work`, one a speed, and return it.

    Raises
    ------
    Nem2eError
        If the table of cycles is not as it was published, or `work` cannot be written.
    """
    work.mkdir(parents=True, exist_ok=True)
    data = (recordings / "hamner_subject01").resolve()
    rows = [
        {
            "trial": trial,
            "motion": str(data / "ik" / f"Run_{speed}0002_IK.mot"),
            "grf": str(_force(data, speed)),
            "start_s": f"{cycles['start_s'].min() - _BEFORE_S:.3f}",
            "end_s": f"{cycles['end_s'].max() + _AFTER_S:.3f}",
        }
        for (trial, cycles), speed in zip(_cycles(data).groupby("trial"), SPEEDS, strict=True)
    ]
    write_text(work / "trials.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    return work / "trials.csv"


def build(recordings: Path, work: Path, simulated: Path, out: Path, said: Mapping[str, str]) -> Built:
    """Write the study folder `out`: EMG and forces of the recordings, activation by trial in `simulated`.

    A speed that was not simulated is left out, which is told.
    """
    del work  # what was published needs no conversion
    data = recordings / "hamner_subject01"
    have = {_trial(speed): speed for speed in SPEEDS if (simulated / _trial(speed) / "activation.sto").is_file()}
    if not have:
        raise Nem2eError(f"{simulated}: no speed was simulated; there is no activation.sto in a folder of a trial.")
    cycles, emg = _cycles(data), _emg(data)
    with whole_folder(out) as partial:
        for trial, speed in have.items():
            write_storage(
                partial / f"{trial}_activation.sto", _muscles(read_storage(simulated / trial / "activation.sto"))
            )
            for column, table in _beside(simulated / trial).items():
                write_storage(partial / f"{trial}_{column}.sto", table)
            shutil.copyfile(_force(data, speed), partial / f"{trial}_grf.mot")
            own = emg[emg["trial"] == trial].drop(columns="trial")
            write_text(partial / f"{trial}_emg.csv", own.to_csv(index=False, lineterminator="\n"))
        shutil.copytree(data / "licences", partial / "licences")
        cycles = cycles[cycles["trial"].isin(have)]
        more = [_beside(simulated / trial) for trial in have]
        shared = [column for column in more[0] if all(column in tables for tables in more)]
        trials = pd.DataFrame([_row(trial, speed, shared) for trial, speed in have.items()])
        write_text(partial / "trials.csv", trials.to_csv(index=False, lineterminator="\n"))
        write_text(partial / "cycles.csv", cycles.to_csv(index=False, lineterminator="\n"))
        write_text(partial / "study.toml", _settings(said))
    told = [f"{_trial(speed)}: left out, it was not simulated." for speed in SPEEDS if _trial(speed) not in have]
    return Built(trials, len(cycles), told)


def needed(trial: Mapping[str, str], activation: Storage) -> Storage:
    """Return the columns of a simulation that `build` reads: every muscle, since both feet are on plates throughout."""
    del trial
    return _muscles(activation)


def _muscles(activation: Storage) -> Storage:
    return activation.only(muscle_columns(activation.labels))


def _trial(speed: float) -> str:
    return f"run{speed:.0f}"


def _force(data: Path, speed: int) -> Path:
    return data / "grf" / f"Run_{speed}0002_GRF_newCOP3_v24.mot"


def _beside(folder: Path) -> dict[str, Storage]:
    """Tables of a simulated trial beside its activation, by column of ``trials.csv``; none unless all are there."""
    paths = {name: folder / f"{name}.sto" for name in TABLES}
    if not all(path.is_file() for path in paths.values()):
        return {}
    tables = {name: read_storage(path) for name, path in paths.items()}
    return tables | {"velocities": velocities(tables["lengths"])}


def _row(trial: str, speed: int, beside: Sequence[str]) -> dict[str, str]:
    files = {"activation": f"{trial}_activation.sto", "emg": f"{trial}_emg.csv", "grf": f"{trial}_grf.mot"}
    files |= {column: f"{trial}_{column}.sto" for column in beside}
    files |= {"forces": files["grf"]} if beside else {}
    return {"trial": trial, "subject": "subject01", "speed": f"{speed} m/s", "speed_m_s": f"{speed}", **files}


def _cycles(data: Path) -> pd.DataFrame:
    """Right gait cycles: trial, cycle, start_s, end_s."""
    path = data / "emg" / "subject01_cycle_index.csv"
    table = read_table(path, ("speed_m_s", "cycle", "t_start", "t_end"))
    speeds = numbers(path, table, "speed_m_s")
    times = {name: numbers(path, table, there) for name, there in (("start_s", "t_start"), ("end_s", "t_end"))}
    return pd.DataFrame({"trial": [_trial(speed) for speed in speeds], "cycle": table["cycle"].to_numpy(), **times})


def _emg(data: Path) -> pd.DataFrame:
    """Measured envelopes as a cycle table, with the trial of each row."""
    table = pd.read_csv(data / "emg" / "subject01_emg_normalized_registered.csv")
    names = {electrode: name for electrode, (name, _) in CHANNELS.items()}
    return pd.DataFrame(
        {
            "trial": table["speed_m_s"].map(_trial),
            "cycle": table["cycle"],
            "emg": table["muscle"].map(names),
            "phase_pct": table["phase_pct"],
            "value": table["emg_norm"],
        }
    )


def _settings(said: Mapping[str, str]) -> str:
    top = [
        Line("name", "runner"),
        Line("motion", "running"),
        Line("simulated_by", said["simulated_by"]),
        Line("cycle", "right-right"),
        Line("synthetic", False),
        Line("citation", said["citation"]),
        Line("licence", said["licence"]),
    ]
    return settings_text([Section("", top), Section("emg", [Line(name, muscle) for name, muscle in CHANNELS.values()])])
