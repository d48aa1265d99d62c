"""What a simulated trial tells beside activation: angles, net moments and lengths of the measured leg's muscles.

Files of a trial that a study folder names as further inputs (`nem2e_lib.data.study.beside`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nem2e_lib.data.emg.envelope import low_pass
from nem2e_lib.data.files import read_text
from nem2e_lib.data.open.kept import TABLES
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study.beside import of_leg
from nem2e_lib.simulate.facts import describe
from nem2e_lib.simulate.motion import read_motion
from nem2e_lib.simulate.osim import quiet
from nem2e_lib.simulate.posture import Posture
from nem2e_lib.simulate.trial import SimulatedTrial


def write_inputs(trial: SimulatedTrial, model: Path, folder: Path, cutoff_hz: float) -> None:
    """Write ``angles.sto``, ``moments.sto`` and ``lengths.sto`` of a simulated trial beside its activation.

    Angles are low-passed as inverse dynamics low-passes them, without a shift; lengths are of muscle and tendon
    together in the model before it was scaled, as shares of what they are in its default posture: what posture alone
    does to them, whatever a person's size.

    Parameters
    ----------
    trial
        The trial; its leg, or the right one, is what is written.
    model
        That was given, before scaling.
    folder
        Of the simulated trial, with ``id/joint_moments.sto`` and, where it was made there, ``ik/motion.mot``.
    cutoff_hz
        Of the low-pass.

    Raises
    ------
    Nem2eError
        If OpenSim is not installed, or a file cannot be read.
    """
    leg = trial.leg or "right"
    found = folder / "ik" / "motion.mot"
    moments = read_storage(folder / "id" / "joint_moments.sto")
    with quiet():
        motion = read_motion(found if found.is_file() else Path(str(trial.motion)), describe(model)).storage
        legs = json.loads(read_text(folder / "facts.json")[0])["legs"]
        tables = tables_of(model, motion, moments, legs[leg]["muscles"], leg, cutoff_hz)
    for name, table in tables.items():
        write_storage(folder / f"{name}.sto", replace(table, name=f"{trial.trial} {name}"))


def of_trial(folder: Path) -> dict[str, Storage]:
    """Return the tables that `write_inputs` wrote into a folder, by column of ``trials.csv``; none without them."""
    return {name: read_storage(folder / f"{name}.sto") for name in TABLES if (folder / f"{name}.sto").is_file()}


def tables_of(
    model: Path, motion: Storage, moments: Storage, muscles: Sequence[str], leg: str, cutoff_hz: float
) -> dict[str, Storage]:
    """Return the tables of a leg by column of ``trials.csv``, over the time of the moments; see `write_inputs`."""
    rate_hz = (len(motion.time) - 1) / float(motion.time[-1] - motion.time[0])
    smooth = replace(motion, values=low_pass(motion.values, rate_hz, cutoff_hz))
    within = (smooth.time >= moments.time[0] - 1e-6) & (smooth.time <= moments.time[-1] + 1e-6)
    cut = replace(smooth, time=smooth.time[within], values=smooth.values[within])
    lengths = _lengths(model, cut, muscles)
    return {
        "angles": of_leg("angle", cut, (), leg),
        "moments": of_leg("moment", moments, (), leg),
        "lengths": of_leg("length", lengths, lengths.labels, leg),
    }


def _lengths(model: Path, motion: Storage, muscles: Iterable[str]) -> Storage:
    """Lengths of muscles over a motion, as shares of those in the default posture."""
    names, posture = tuple(muscles), Posture(model, motion)
    neutral = posture.lengths(names)
    values = np.array([posture.lengths(names, row) for row in range(len(motion.time))])
    return Storage("lengths", names, motion.time, values / neutral)
