"""What is true in a synthetic study: activation, delay, and which synergy drives which muscle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from nem2e_lib.data.muscles import GAIT2392
from nem2e_lib.data.synthetic.body import SIDE, synergies
from nem2e_lib.data.synthetic.cast import Take, common, takes
from nem2e_lib.data.synthetic.cycles import SAMPLES, sample_times
from nem2e_lib.data.synthetic.design import design
from nem2e_lib.data.synthetic.knobs import Knobs
from nem2e_lib.data.synthetic.mechanism import one_electrode


def truth(
    motion: str, knobs: Knobs | None = None, seed: int = 0, *, subjects: int | None = None, speeds: int | None = None
) -> xr.DataArray:
    """Return the true activation of every muscle, cycles as in `synthetic_cycles`.

    Returns
    -------
    xr.DataArray
        Dims (cycle, sample, muscle), with coordinates subject, speed and trial on cycle, and `delay_pct`: the delay of
        the simulation in % of that cycle. The delay in ms is the attribute `delay_ms`.
    """
    plan, strength = design(motion).reduced(subjects, speeds), knobs or Knobs()
    parts = [_true_cycles(take, strength.delay_ms) for take in takes(plan, strength, seed)]
    whole = xr.concat(parts, "cycle", coords="different", compat="equals", join="exact")
    return whole.assign_coords(cycle=np.arange(whole.sizes["cycle"])).assign_attrs(delay_ms=strength.delay_ms)


def drive(motion: str, knobs: Knobs | None = None, seed: int = 0) -> xr.DataArray:
    """Return how strongly each synergy drives each muscle in all subjects, dims (muscle, synergy).

    Muscles are those of one side, without side, for both sides are driven alike. A subject's own weights vary about
    these by `subject_sharing`, and those of a speed by `speed_sharing`.
    """
    plan = design(motion)
    weights = one_electrode(plan, common(plan, knobs or Knobs(), seed).weights)
    coords = {"muscle": list(SIDE), "synergy": list(synergies(motion).names)}
    return xr.DataArray(weights, dims=("muscle", "synergy"), coords=coords)


def _true_cycles(take: Take, delay_ms: float) -> xr.DataArray:
    spans = list(pairwise(take.trial.strikes))
    values = np.stack([take.trial.true(sample_times(start, end, SAMPLES)) for start, end in spans])
    labels = {name: ("cycle", [value] * len(spans)) for name, value in take.labels.items()}
    delay = 0.1 * delay_ms / np.diff(take.trial.strikes)
    coords = {"sample": SAMPLES, "muscle": list(GAIT2392), **labels, "delay_pct": ("cycle", delay)}
    return xr.DataArray(values, dims=("cycle", "sample", "muscle"), coords=coords)
