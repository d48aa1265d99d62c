"""SYNTHETIC recordings in folders, named and labelled as a laboratory would: nothing in them is arranged as a study."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.study.trials import Trial
from nem2e_lib.data.synthetic.study import write_study

LABELS = {"soleus": "R SOL", "bi": "R Biceps femoris", "sem": "SEMIMEM_R", "tib": "R_TibAnt", "rect": "RF_R"}
"""Labels of the EMG amplifier's channels; a sixth channel is on no known muscle."""
SPARE = "Ch 6"
SPEEDS = ("slow", "fast")
RATE_HZ = 1000.0
"""Rate of the raw EMG."""
EARLY_S, OFF_S = 0.5, 0.2
"""By how much the first recording of EMG stops early, and for how long a sensor came off in the second, s."""
FOLDERS = {"activation": "simulation", "emg": "recordings/emg", "grf": "recordings/forces"}
"""Where the files of each kind lie."""


def write_recordings(folder: str | Path, seed: int = 0, *, subjects: int = 3) -> dict[str, Path]:
    """Write SYNTHETIC activations, raw EMG and forces below `folder` and return the folder of each kind.

    One recording of EMG stops early, and in another a sensor came off for a moment, so that some cycles cannot
    be used.
    """
    root = Path(folder)
    places = {kind: root / name for kind, name in FOLDERS.items()}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as spare:
        study = load_study(write_study("running", spare, seed=seed, subjects=subjects, speeds=len(SPEEDS)))
        for number, trial in enumerate(study.trials):
            name = f"P{number // len(SPEEDS) + 1:02d} run {SPEEDS[number % len(SPEEDS)]}"
            simulated = places["activation"] / f"{name} StaticOptimization_activation.sto"
            write_storage(simulated, study.activation(trial.name))
            _copy_force(trial, places["grf"] / f"{name.replace(' ', '_')}_GRF.mot")
            emg = study.emg(trial.name)
            assert isinstance(emg, Storage)
            write_storage(places["emg"] / f"{name} EMG.sto", _raw(emg, number, seed))
    return places


def _copy_force(trial: Trial, target: Path) -> None:
    assert trial.grf is not None
    target.write_bytes(trial.grf.read_bytes())


def _raw(envelopes: Storage, number: int, seed: int) -> Storage:
    """Noise as strong as the envelopes, at the amplifier's rate; see `write_recordings` for what is wrong with two."""
    rng = np.random.default_rng([seed, number])
    end = envelopes.time[-1] - (EARLY_S if number == 0 else 0.0)
    time = envelopes.time[0] + np.arange(0, end - envelopes.time[0], 1 / RATE_HZ)
    known = [envelopes.column(name) for name in LABELS]
    strength = np.column_stack([np.interp(time, envelopes.time, column) for column in known])
    strength = np.column_stack([strength, strength.mean(axis=1)])
    values = rng.normal(size=strength.shape) * strength * 1e-3
    if number == 1:
        middle = len(time) // 2
        values[middle : middle + int(RATE_HZ * OFF_S), 0] = 0.0
    labels = (*LABELS.values(), SPARE)
    return replace(envelopes, name="EMG", labels=labels, time=time, values=values, metadata={}, warnings=())
