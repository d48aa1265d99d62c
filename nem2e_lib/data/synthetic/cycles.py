"""The synthetic studies as segmented cycles, straight from the mechanism, without files in between."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.muscles import ARM_ACTUATORS, GAIT2392
from nem2e_lib.data.synthetic.arms import arm_activation
from nem2e_lib.data.synthetic.cast import Take, channel_columns, takes
from nem2e_lib.data.synthetic.design import Design, design
from nem2e_lib.data.synthetic.knobs import Knobs

CITATION = "SYNTHETIC data of nem2e; mechanism after Teramae et al. (2025), doi:10.3389/fbioe.2025.1611414"
SAMPLES, PHASES = np.linspace(0, 100, 20), np.linspace(0, 100, 101)


def synthetic_cycles(
    motion: str, knobs: Knobs | None = None, seed: int = 0, *, subjects: int | None = None, speeds: int | None = None
) -> xr.Dataset:
    """Return a synthetic study in the layout of `cycles.nc`.

    What segmenting the study's files gives, but for the interpolation between their samples.
    """
    plan = design(motion).reduced(subjects, speeds)
    parts = [_cycles(plan, take) for take in takes(plan, knobs or Knobs(), seed)]
    dataset = xr.concat(parts, "cycle", data_vars="all", coords="different", compat="equals", join="exact")
    attrs = {
        "study": f"{motion}-synthetic",
        "motion": motion,
        "simulated_by": "synthetic",
        "synthetic": 1,
        "cycle_definition": "right-right",
        "citation": CITATION,
        "licence": "CC0-1.0",
        "kept": dataset.sizes["cycle"],
        "skipped": 0,
    }
    return dataset.assign_coords(cycle=np.arange(dataset.sizes["cycle"])).assign_attrs(attrs)


def _cycles(plan: Design, take: Take) -> xr.Dataset:
    strikes = take.trial.strikes
    spans = list(pairwise(strikes))
    columns = channel_columns(plan)
    data = {}
    for suffix, dim, points in (("", "sample", SAMPLES), ("_waveform", "phase", PHASES)):
        times = [sample_times(start, end, points) for start, end in spans]
        data[f"activation{suffix}"] = (("cycle", dim, "muscle"), np.stack([activation(plan, take, t) for t in times]))
        data[f"emg{suffix}"] = (("cycle", dim, "channel"), np.stack([take.trial.measured(t, columns) for t in times]))
    count, electrodes = len(spans), [plan.electrodes.get(channel, channel) for channel in plan.emg]
    coords = {
        "sample": SAMPLES,
        "phase": PHASES,
        "muscle": muscles(plan),
        "channel": list(plan.emg),
        "target": ("channel", list(plan.emg.values())),
        "electrode": ("channel", electrodes),
        **{name: ("cycle", [value] * count) for name, value in take.labels.items()},
        "number": ("cycle", np.arange(count)),
        "start_s": ("cycle", strikes[:-1]),
        "end_s": ("cycle", strikes[1:]),
    }
    return xr.Dataset(data, coords)


def muscles(plan: Design) -> list[str]:
    """Columns of the activation: the 92 muscles, and the arms' actuators where the study has them."""
    return [*GAIT2392, *(ARM_ACTUATORS if plan.arms else ())]


def activation(plan: Design, take: Take, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Simulated activation of all columns, shape (times, columns)."""
    body = take.trial.simulated(time)
    return np.concatenate([body, arm_activation(take.trial, time)], axis=1) if plan.arms else body


def sample_times(start: float, end: float, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times (s) of points given in % of a cycle."""
    return start + (end - start) * points / 100.0
