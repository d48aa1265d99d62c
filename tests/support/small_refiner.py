"""Refiners whose answer is known, and recordings of straight lines, for the tests of refiners."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from nem2e_lib.data.storage.storage import Storage, write_storage
from nem2e_lib.refiner.manifest import GaitCycle, HeldOut, Input, Manifest, Origin, Output, Training
from nem2e_lib.refiner.refiner import Refiner
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Shape, weight_shapes

MUSCLES = ("soleus_r", "tib_ant_r", "rect_fem_r")
CHANNELS = {"sol": "soleus_r", "tib": "tib_ant_r"}
STRIKES = {"right": (0.1, 1.1, 2.1), "left": (0.6, 1.6, 2.6)}


def held_out(level: float = 0.1) -> HeldOut:
    by_phase = tuple(np.linspace(level, 2 * level, 20).tolist())
    return HeldOut(0.3, 0.15, -0.5, -0.6, -0.4, by_phase, 0.7, None, 0)


def make_manifest(
    condition: str = "one_entire",
    *,
    seeds: int = 2,
    synthetic: bool = False,
    known: bool = True,
    configuration: Configuration | None = None,
    emg_low: float = 0.0,
) -> Manifest:
    chosen = configuration or Configuration(units=3, epochs=1)
    read = MUSCLES if condition == "all_entire" else tuple(CHANNELS.values())
    options = json.loads(chosen.to_json())
    left_out, reads = ("subject", 2) if known else ("", 0), "all" if condition == "all_entire" else "own"
    return Manifest(
        Origin("lab", synthetic, "walking", "CMC", "envelopes", ("s1", "s2"), ("free",), 8, "us", "MIT", "ab" * 32),
        Training(condition, options, "", tuple(range(seeds)), 1, 8, *left_out, reads),
        GaitCycle("right-right", 20.0, 0.08, 0.08, "linear", 20, 101, 0.9, 1.1),
        tuple(Input(name, 0.0, 0.9) for name in read),
        tuple(
            Output(name, muscle, name, emg_low, 1.0, 0.05, (), held_out() if known else None)
            for name, muscle in CHANNELS.items()
        ),
        {"nem2e": "0"},
        "SYNTHETIC: made up." if synthetic else "",
    )


def constant(levels: np.ndarray, condition: str = "one_entire", **options: object) -> Refiner:
    """A refiner whose networks give a constant: `levels`, shape (seeds, outputs)."""
    manifest = make_manifest(condition, seeds=len(levels), **options)
    made = blank_weights(manifest)
    made["offset"][:] = np.asarray(levels, np.float32)[..., None, None]
    return Refiner(manifest, made)


def blank_weights(manifest: Manifest, rng: np.random.Generator | None = None) -> dict[str, np.ndarray]:
    configuration = Configuration().with_options(**manifest.training.configuration)
    condition = manifest.training.method
    quartered = condition == "one_quarter"
    steps = 5 if quartered and configuration.quarter != "dense" else 20
    shape = Shape(20 if condition == "all_entire" else 1, steps, configuration, False)
    parts = 4 if quartered and configuration.quarter == "separate" else 1
    lead = len(manifest.training.seeds), len(manifest.outputs), parts
    draw = (lambda size: np.zeros(size)) if rng is None else (lambda size: rng.normal(0, 0.4, size))
    return {name: draw((*lead, *size)).astype(np.float32) for name, size in weight_shapes(shape).items()}


def random_refiner(condition: str = "one_entire", **options: object) -> Refiner:
    manifest = make_manifest(condition, **options)
    return Refiner(manifest, blank_weights(manifest, np.random.default_rng(0)))


def recording(name: str = "walk", labels: tuple[str, ...] = MUSCLES, end: float = 3.0, rate: float = 100.0) -> Storage:
    """Activation of muscle m: 0.1 + 0.1 m + 0.1 t, and a reserve that nobody reads."""
    time = np.arange(round(end * rate) + 1) / rate
    lines = [0.1 + 0.1 * m + 0.1 * time for m in range(len(labels))]
    return Storage(name, (*labels, "knee_reserve"), time, np.column_stack([*lines, np.full_like(time, 9.0)]))


def with_column(storage: Storage, label: str, values: np.ndarray | float) -> Storage:
    changed = storage.values.copy()
    changed[:, storage.labels.index(label)] = values
    return dataclasses.replace(storage, values=changed)


def write_force(
    path: Path, labels: tuple[str, str] = ("ground_force_vy", "l_ground_force_vy"), shift: float = 0.0
) -> Path:
    """Contacts of 0.3 s that begin at `STRIKES`, the crossing of 20 N at 20/7000 s after."""
    time = np.linspace(0, 3, 1501)
    feet = [
        np.clip(np.max([np.minimum(time - s, s + 0.3 - time) * 7000.0 for s in STRIKES[side]], axis=0), 0, 700)
        for side in ("right", "left")
    ]
    write_storage(path, Storage("force", labels, time + shift, np.column_stack(feet)))
    return path


def write_cycles(path: Path, rows: list[tuple[int, float, float]]) -> Path:
    path.write_text("\n".join(["cycle,start_s,end_s", *(f"{n},{s},{e}" for n, s, e in rows)]) + "\n")
    return path
