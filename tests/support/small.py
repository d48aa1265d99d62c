"""Small segmented cycles for the tests of training."""

import numpy as np
import xarray as xr

MUSCLES = ["soleus_r", "tib_ant_r", "rect_fem_r", "soleus_l", "ercspn_l"]


def make_cycles(counts=(3, 3, 3), speeds=("slow", "fast"), channels=2, seed=0, samples=20):
    """Segmented cycles in which the EMG is a smooth function of the own muscle's activation."""
    rng = np.random.default_rng(seed)
    subject = [f"s{i}" for i, n in enumerate(counts) for _ in range(n)]
    n, phases = len(subject), np.linspace(0, 100, 101)
    bumps = rng.uniform(0.2, 0.8, (n, 1, len(MUSCLES))) * np.exp(
        -0.5 * ((phases[None, :, None] - rng.uniform(20, 80, (n, 1, len(MUSCLES)))) / 12) ** 2
    )
    emg = np.roll(bumps[..., :channels], 8, axis=1) * 0.7 + 0.05
    at = np.linspace(0, 100, samples)
    thin = np.apply_along_axis
    return xr.Dataset(
        {
            "activation": (("cycle", "sample", "muscle"), thin(lambda w: np.interp(at, phases, w), 1, bumps)),
            "emg": (("cycle", "sample", "channel"), thin(lambda w: np.interp(at, phases, w), 1, emg)),
            "activation_waveform": (("cycle", "phase", "muscle"), bumps),
            "emg_waveform": (("cycle", "phase", "channel"), emg),
        },
        coords={
            "cycle": np.arange(n),
            "sample": at,
            "phase": phases,
            "muscle": MUSCLES,
            "channel": ["soleus", "tib", "rect"][:channels],
            "target": ("channel", MUSCLES[:channels]),
            "electrode": ("channel", ["soleus", "tib", "rect"][:channels]),
            "subject": ("cycle", subject),
            "speed": ("cycle", [speeds[i % len(speeds)] for i in range(n)]),
            "speed_m_s": ("cycle", np.ones(n)),
            "trial": ("cycle", [f"t{i}" for i in range(n)]),
            "number": ("cycle", np.zeros(n, int)),
            "start_s": ("cycle", np.zeros(n)),
            "end_s": ("cycle", np.ones(n)),
        },
        attrs={"study": "tiny", "motion": "running", "simulated_by": "test", "synthetic": 1, "citation": ""},
    )
