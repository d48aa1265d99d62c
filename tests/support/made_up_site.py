"""A made-up run and claims for the pages of a site."""

import numpy as np
import pandas as pd

RUNS = {s: {"synthetic": True, "profile": "demo", "data_hash": "ab" * 32} for s in ("running", "walking")}
CLAIMS = pd.DataFrame(
    {
        "id": ["C02", "C01", "C03"],
        "section": "4.2",
        "dataset": "running",
        "claim": "a < b & c",
        "reported": "16",
        "value": ["15 of 16", np.nan, 0.5],
        "verdict": ["does not hold", "cannot be tested", "holds"],
        "why": "counted",
    }
)
