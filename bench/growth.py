"""How cost grows with models, units, tokens, samples and cores: rows, and a figure."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from bench import engine
from bench.work import cycles, make
from nem2e_lib.training.devices import cores

UNITS = (8, 16, 32, 64, 128, 256, 400, 700)
MODELS = (1, 2, 4, 8, 16, 40, 80)
TOKENS = (10, 25, 50, 100)
SAMPLES = (20, 40, 60, 101)


def rows(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure one axis at a time around 64 units, 40 models, temporal attention."""
    found = []
    for units in UNITS:
        found.append(_row("units", units, _temporal(units=units, models=40 if units <= 128 else 2)))
    for models in MODELS:
        found.append(_row("models", models, _temporal(models=models)))
    for tokens in TOKENS:
        found.append(_row("tokens", tokens, _spatial(tokens)))
    for samples in SAMPLES:
        found.append(_row("samples", samples, _temporal(data=_resampled(samples))))
    for count in sorted({1, cores()}):
        found.append(_row("cores", count, _on_cores(count)))
    for row in found:
        say(f"{row['axis']} {row['value']}: {row['ms_per_model_step']:.4f} ms")
    return found


def _row(axis: str, value: int, seconds: float) -> dict[str, Any]:
    return {"axis": axis, "value": value, "ms_per_model_step": 1e3 * seconds}


def _temporal(units: int = 64, models: int = 40, data: xr.Dataset | None = None) -> float:
    updates = max(24, min(60, int(3e5 / units**2)))
    return _median(engine.Contender(make("temporal", units, updates, models, data)))


def _spatial(tokens: int) -> float:
    some = cycles()
    kept = list(dict.fromkeys([*some.target.values.tolist(), *some.muscle.values.tolist()]))[:tokens]
    return _median(engine.Contender(make("spatial", 64, 30, 20, some.sel(muscle=kept))))


def _resampled(samples: int) -> xr.Dataset:
    some = cycles()
    phase = np.linspace(0.0, 100.0, samples)
    thin = {name: some[f"{name}_waveform"].interp(phase=phase).rename(phase="sample") for name in ("activation", "emg")}
    return some.drop_vars(["activation", "emg"]).drop_dims("sample").assign(thin).assign_coords(sample=phase)


def _median(contender: engine.Contender, repeats: int = 3) -> float:
    contender.train()
    return float(np.median([contender.train()[0] for _ in range(repeats)]))


def _on_cores(count: int) -> float:
    """Measure in a process that may use so many cores."""
    code = "from bench.growth import _temporal; print(_temporal())"
    allowed = sorted(os.sched_getaffinity(0))[:count] if hasattr(os, "sched_setaffinity") else []
    pin = f"import os; os.sched_setaffinity(0, {allowed}); " if allowed else ""
    command = [sys.executable, "-c", f"{pin}from nem2e_lib.training import devices; devices.configure(); {code}"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
