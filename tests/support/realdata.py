"""Build a study folder from one subject of Hamner & Delp (2013): ``python tests/realdata.py OUT``.

Reads the folder named by the environment variable NEM2E_REALDATA; its data are not part of this project.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pandas as pd

from nem2e_lib.data.open.runner import CHANNELS, SPEEDS
from nem2e_lib.error import Nem2eError

SETTINGS = {
    "name": "hamner-subject01",
    "motion": "running",
    "simulated_by": "static optimisation (OpenSim 4.6, exponent 2), not the dataset's own CMC",
    "cycle": "right-right",
    "synthetic": False,
    "citation": (
        "Hamner SR, Delp SL (2013) Muscle contributions to fore-aft and vertical body mass center "
        "accelerations over a range of running speeds. J Biomech 46:780-787. Activations are static "
        "optimisation on kinematics without residual reduction; EMG envelopes from "
        "johnjdavisiv/it-band-model, model, kinematics and ground reaction forces from "
        "FxnlBiomechLab/twsa-optimization-for-rra."
    ),
    "licence": (
        "Data: Stanford University 2013, permissive, citation asked for (licences/HAMNER_DATA_LICENSE.txt); "
        "both repositories: MIT (licences/)"
    ),
}


def source() -> Path:
    """Folder of the real data; Nem2eError in one sentence if it is not named or not there."""
    named = os.environ.get("NEM2E_REALDATA")
    if not named:
        raise Nem2eError("NEM2E_REALDATA is not set; it must name the folder of the real data.")
    folder = Path(named) / "hamner_subject01"
    if not folder.is_dir():
        raise Nem2eError(f"{folder}: no such folder, but NEM2E_REALDATA must name the one that holds it.")
    return folder


def build(out: Path) -> Path:
    """Write the study folder `out`, which must not exist or be empty, and return it."""
    data = source()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Nem2eError(f"{out}: exists already; name a new folder or an empty one.")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name in ("activation", "grf", "licences"):
        shutil.copytree(data / name, partial / name)
    (partial / "study.toml").write_text(_settings(), encoding="utf-8")
    _trials().to_csv(partial / "trials.csv", index=False)
    _cycles(data).to_csv(partial / "cycles.csv", index=False)
    _emg(data, partial / "emg")
    if out.exists():
        out.rmdir()
    partial.rename(out)
    return out


def _settings() -> str:
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in SETTINGS.items()]
    lines += ["", "[emg]", *(f'{name} = "{muscle}"' for name, muscle in CHANNELS.values())]
    return "\n".join(lines) + "\n"


def _trials() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial": f"run{speed}",
            "subject": "subject01",
            "speed": f"{speed} m/s",
            "speed_m_s": float(speed),
            "activation": f"activation/Run_{speed}0002_StaticOptimization_activation.sto",
            "emg": f"emg/run{speed}.csv",
            "grf": f"grf/Run_{speed}0002_GRF_newCOP3_v24.mot",
        }
        for speed in SPEEDS
    )


def _trial_of(speed: pd.Series[float]) -> pd.Series[str]:
    return "run" + speed.astype(int).astype(str)


def _cycles(data: Path) -> pd.DataFrame:
    index = pd.read_csv(data / "emg" / "subject01_cycle_index.csv")
    index = index.rename(columns={"t_start": "start_s", "t_end": "end_s"})
    return index.assign(trial=_trial_of(index["speed_m_s"]))[["trial", "cycle", "start_s", "end_s"]]


def _emg(data: Path, folder: Path) -> None:
    folder.mkdir()
    table = pd.read_csv(data / "emg" / "subject01_emg_normalized_registered.csv")
    table["emg"] = table["muscle"].map({name: short for name, (short, _) in CHANNELS.items()})
    table = table.rename(columns={"emg_norm": "value"})
    for trial, rows in table.groupby(_trial_of(table["speed_m_s"])):
        rows[["cycle", "emg", "phase_pct", "value"]].to_csv(folder / f"{trial}.csv", index=False)


def main(arguments: list[str]) -> int:
    """Build the folder named on the command line; 2 after a mistake, told in one sentence."""
    if len(arguments) != 1:
        print("usage: python tests/realdata.py OUT", file=sys.stderr)
        return 2
    try:
        print(build(Path(arguments[0])))
    except Nem2eError as error:
        print(f"realdata: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
