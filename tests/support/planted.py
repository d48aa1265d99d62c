"""A made-up trained condition whose models are known, for the tests of the controls."""

import numpy as np
import xarray as xr

from nem2e_lib.analysis.controls import Trained

SAMPLES, PHASES = np.linspace(0, 100, 20), np.linspace(0, 100, 101)
CHANNELS, MUSCLES = ["soleus", "tib", "rect"], ["a", "b", "c", "d"]
LATE = 0.15
"""The simulation is late by this share of the cycle."""


def study(subjects=4, speeds=3, condition="one_entire", models=None, seed=0, electrodes=CHANNELS):
    """EMG is .5 of what the own muscle's activation is `LATE` of a cycle on; each cycle has its own phase and size."""
    rng = np.random.default_rng(seed)
    count = subjects * speeds
    phase = np.array([0.0, 0.25, 0.5, 0.75]) + rng.normal(0, 0.04, (count, 1, 1))
    size = rng.uniform(0.6, 1.4, (count, 1, 1))

    def wave(at):
        slow = np.sin(2 * np.pi * (at[None, :, None] / 100 + phase))
        return size * (1.5 + slow + 0.4 * np.cos(4 * np.pi * at / 100)[None, :, None])

    def emg(at):
        return 0.5 * wave(at + 100 * LATE)[..., :3]

    subject = [f"s{i // speeds}" for i in range(count)]
    speed = [f"v{i % speeds}" for i in range(count)]
    held = subject if subjects > 1 else speed
    labels, of_cycle = np.unique(held, return_inverse=True)
    coords = {
        "sample": SAMPLES,
        "phase": PHASES,
        "muscle": MUSCLES,
        "channel": CHANNELS,
        "target": ("channel", MUSCLES[:3]),
        "electrode": ("channel", list(electrodes)),
        "cycle": np.arange(count),
        "subject": ("cycle", subject),
        "speed": ("cycle", speed),
        "trial": ("cycle", [f"t{i}" for i in range(count)]),
    }
    cycles = xr.Dataset(
        {
            "activation": (("cycle", "sample", "muscle"), wave(SAMPLES)),
            "activation_waveform": (("cycle", "phase", "muscle"), wave(PHASES)),
            "emg": (("cycle", "sample", "channel"), emg(SAMPLES)),
        },
        coords,
        {"study": "planted", "synthetic": 1},
    )
    dims = ("channel", "cycle", "sample")
    measured, simulated = emg(SAMPLES).transpose(2, 0, 1), wave(SAMPLES)[..., :3].transpose(2, 0, 1)
    curve = np.empty_like(measured)
    for fold in range(len(labels)):
        curve[:, of_cycle == fold] = measured[:, of_cycle != fold].mean(axis=1, keepdims=True)
    results = xr.Dataset(
        {
            "measured": (dims, measured),
            "simulated": (dims, simulated),
            "mean_curve": (dims, curve),
            "refined": (("seed", *dims), curve[None]),
        },
        {
            **{name: cycles[name] for name in ("channel", "electrode", "sample", "subject", "speed", "trial")},
            "fold": labels,
            "fold_of_cycle": ("cycle", of_cycle),
            "seed": [0],
        },
        {"study": "planted", "condition": condition, "unit": "subject" if subjects > 1 else "speed", "synthetic": 1},
    )
    makers = models or replaying
    made = {c: {str(u): makers(results, c, f) for f, u in enumerate(labels)} for c in CHANNELS}
    trained = Trained(cycles, results, made, tuple(MUSCLES))
    results["refined"] = (("seed", *dims), refined(trained)[None])
    return trained


def refined(trained):
    """What the models make of the unchanged input."""
    from nem2e_lib.analysis.controls import ask

    return ask(trained, lambda channel: trained.sampled(channel)[None])[0]


def replaying(results, channel, fold):
    """An oracle that replays the training-mean curve of its fold."""
    curve = results.mean_curve.sel(channel=channel).values[results.fold_of_cycle.values == fold][0]
    return lambda inputs: np.tile(curve, (len(inputs), 1))


def copying(results, channel, fold):
    """Copies its One-Entire input, earlier by `LATE` and halved: what the EMG is."""
    at = np.mod(SAMPLES / 100 + LATE, 1.0) * 100
    return lambda inputs: 0.5 * np.stack([np.interp(at, SAMPLES, row) for row in inputs[..., 0]])
