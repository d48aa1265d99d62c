"""The synthetic studies as segmented cycles, straight from the mechanism, and what is true in them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.muscles import ARM_ACTUATORS, GAIT2392, side
from nem2e_lib.data.synthetic import first, second
from nem2e_lib.data.synthetic.body import SIDE
from nem2e_lib.data.synthetic.cast import Take, common_drive, takes
from nem2e_lib.data.synthetic.design import Design, design
from nem2e_lib.data.synthetic.knobs import Knobs, Knobs1, knobs_of
from nem2e_lib.data.synthetic.mechanism import channel_columns

CITATION = "SYNTHETIC data of nem2e; mechanism after Teramae et al. (2025), doi:10.3389/fbioe.2025.1611414"
"""Of generator 1; `about` has that of either."""
_SAMPLES, _PHASES = np.linspace(0, 100, 20), np.linspace(0, 100, 101)
_LEVEL, _SWING = 0.12, 0.08  # of the arms


def about(motion: str, generator: int) -> dict[str, str]:
    """Return what a study says of itself: name, motion, who simulated, citation, licence; generator 1 goes unnamed."""
    own = "" if generator == 1 else f", generator {generator}"
    return {
        "name": f"{motion}-synthetic" + ("" if generator == 1 else f"-{generator}"),
        "motion": motion,
        "simulated_by": "synthetic" + own,
        "citation": CITATION.replace(";", own + ";", 1),
        "licence": "CC0-1.0",
    }


def synthetic_cycles(
    motion: str,
    knobs: Knobs | Knobs1 | None = None,
    seed: int = 0,
    *,
    subjects: int | None = None,
    speeds: int | None = None,
    generator: int | None = None,
) -> xr.Dataset:
    """Return a synthetic study in the layout of `cycles.nc`.

    What segmenting the study's files gives, but for the interpolation between their samples.

    Parameters
    ----------
    motion
        `running` or `walking`.
    knobs
        Strength of every mechanism: `Knobs` for generator 2, `Knobs1` for generator 1.
    seed
        Of everything that is drawn.
    subjects, speeds
        How many; the first ones stay the same.
    generator
        1 or 2, where no knobs are given; default: 2.
    """
    chosen = knobs_of(knobs, generator)
    plan = design(motion).reduced(subjects, speeds)
    parts = [_cycles(plan, take) for take in takes(plan, chosen, seed)]
    dataset = xr.concat(parts, "cycle", data_vars="all", coords="different", compat="equals", join="exact")
    said = about(motion, chosen.generator)
    attrs = {
        "study": said["name"],
        **{name: said[name] for name in ("motion", "simulated_by")},
        "synthetic": 1,
        "cycle_definition": "right-right",
        **{name: said[name] for name in ("citation", "licence")},
        "kept": dataset.sizes["cycle"],
        "skipped": 0,
    }
    return dataset.assign_coords(cycle=np.arange(dataset.sizes["cycle"])).assign_attrs(attrs)


def _cycles(plan: Design, take: Take) -> xr.Dataset:
    strikes = take.trial.strikes
    spans = list(pairwise(strikes))
    columns = channel_columns(plan)
    data = {}
    for suffix, dim, points in (("", "sample", _SAMPLES), ("_waveform", "phase", _PHASES)):
        times = [_sample_times(start, end, points) for start, end in spans]
        data[f"activation{suffix}"] = (("cycle", dim, "muscle"), np.stack([activation(plan, take, t) for t in times]))
        data[f"emg{suffix}"] = (("cycle", dim, "channel"), np.stack([take.trial.measured(t, columns) for t in times]))
    count, electrodes = len(spans), [plan.electrodes.get(channel, channel) for channel in plan.emg]
    coords = {
        "sample": _SAMPLES,
        "phase": _PHASES,
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
    """Return the columns of the activation: the 92 muscles, and the arms' actuators where the study has them."""
    return [*GAIT2392, *(ARM_ACTUATORS if plan.arms else ())]


def activation(plan: Design, take: Take, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the simulated activation of all columns, shape (times, columns)."""
    body = take.trial.simulated(time)
    return np.concatenate([body, _arm_activation(take.trial, time)], axis=1) if plan.arms else body


def _arm_activation(trial: first.Trial | second.Trial, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitude of each arm actuator's control, shape (times, 10): one wave a cycle, arms half a cycle apart.

    It carries the phase of the cycle and nothing of any muscle.
    """
    joints = len(ARM_ACTUATORS) // 2
    lead = np.array(
        [index % joints / joints + 0.5 * (side(name) == "left") for index, name in enumerate(ARM_ACTUATORS)]
    )
    wave: NDArray[np.float64] = _LEVEL + _SWING * np.sin(2 * np.pi * (trial.phase(time)[:, None] + lead))
    return wave


def _sample_times(start: float, end: float, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times (s) of points given in % of a cycle."""
    return start + (end - start) * points / 100.0


def truth(
    motion: str,
    knobs: Knobs | Knobs1 | None = None,
    seed: int = 0,
    *,
    subjects: int | None = None,
    speeds: int | None = None,
    generator: int | None = None,
) -> xr.DataArray:
    """Return the true activation of every muscle, cycles as in `synthetic_cycles`.

    Returns
    -------
    xr.DataArray
        Dims (cycle, sample, muscle), with coordinates subject, speed and trial on cycle, and `delay_pct`: the delay of
        the simulation in % of that cycle. The delay in ms is the attribute `delay_ms`.
    """
    plan, strength = design(motion).reduced(subjects, speeds), knobs_of(knobs, generator)
    parts = [_true_cycles(take, strength.delay_ms) for take in takes(plan, strength, seed)]
    whole = xr.concat(parts, "cycle", coords="different", compat="equals", join="exact")
    return whole.assign_coords(cycle=np.arange(whole.sizes["cycle"])).assign_attrs(delay_ms=strength.delay_ms)


def _true_cycles(take: Take, delay_ms: float) -> xr.DataArray:
    spans = list(pairwise(take.trial.strikes))
    values = np.stack([take.trial.true(_sample_times(start, end, _SAMPLES)) for start, end in spans])
    labels = {name: ("cycle", [value] * len(spans)) for name, value in take.labels.items()}
    delay = 0.1 * delay_ms / np.diff(take.trial.strikes)
    coords = {"sample": _SAMPLES, "muscle": list(GAIT2392), **labels, "delay_pct": ("cycle", delay)}
    return xr.DataArray(values, dims=("cycle", "sample", "muscle"), coords=coords)


def drive(
    motion: str, knobs: Knobs | Knobs1 | None = None, seed: int = 0, *, generator: int | None = None
) -> xr.DataArray:
    """Return how strongly each synergy drives each muscle in all subjects, dims (muscle, synergy).

    Muscles are those of one side, without side, for both sides are driven alike. A subject's own weights vary about
    these by `subject_sharing`, and those of a speed by `speed_sharing`.
    """
    plan = design(motion)
    bursts, weights = common_drive(plan, knobs_of(knobs, generator), seed)
    coords = {"muscle": list(SIDE), "synergy": list(bursts.names)}
    return xr.DataArray(weights, dims=("muscle", "synergy"), coords=coords)
