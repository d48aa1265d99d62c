"""Small trained conditions with errors that can be worked out by hand."""

import numpy as np
import xarray as xr

SAMPLES = np.linspace(0, 100, 20)


def trained(
    offsets, simulated=1.0, curve=0.5, condition="one_entire", subjects=None, speeds=None, channels=("soleus",)
):
    """Measured is a fixed wave; simulated is `simulated` off it, the mean curve `curve`, refined `offsets` a cycle.

    RMSEs are then those offsets themselves.
    """
    offsets = np.asarray(offsets, float)
    count = offsets.shape[-1]
    subjects = subjects or [f"s{i}" for i in range(count)]
    speeds = speeds or ["free"] * count
    labels = list(dict.fromkeys(subjects))
    wave = np.sin(2 * np.pi * SAMPLES / 100) + 2.0
    measured = np.broadcast_to(wave, (len(channels), count, 20)).copy()
    refined = measured[None] + np.broadcast_to(offsets, (1, len(channels), count))[..., None]
    dims = ("channel", "cycle", "sample")
    return xr.Dataset(
        {
            "refined": (("seed", *dims), refined),
            "simulated": (dims, measured + simulated),
            "measured": (dims, measured),
            "mean_curve": (dims, measured + curve),
        },
        coords={
            "channel": list(channels),
            "electrode": ("channel", list(channels)),
            "sample": SAMPLES,
            "cycle": np.arange(count),
            "subject": ("cycle", subjects),
            "speed": ("cycle", speeds),
            "trial": ("cycle", [f"{s}_{v}" for s, v in zip(subjects, speeds, strict=True)]),
            "fold": labels,
            "fold_of_cycle": ("cycle", [labels.index(s) for s in subjects]),
            "start_s": ("cycle", np.zeros(count)),
            "end_s": ("cycle", np.full(count, 0.76)),
        },
        attrs={"study": "worked", "condition": condition, "unit": "subject", "synthetic": 1},
    )
