"""Methods of a known Er, and the contrasts between them, judged and saved as a run's notebooks do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.analysis.contrasts import INPUT, METHODS, judged, of_family
from nem2e_lib.paper.answers import Site
from nem2e_lib.paper.shared_tables import CONTRASTS, NEEDED
from nem2e_lib.site.saving import write_csv

LEVELS = {
    "one_quarter": -0.1,
    "one_entire": -0.5,
    "all_entire": 0.2,
    "identity": 0.0,
    "mean_curve": -0.3,
    "ridge_all": -0.4,
    "delayed_ridge": -0.45,
    "lstm": -0.7,
    "transformer": -0.42,
    "convolution": -0.2,
    "delayed_kernel_ridge": -0.8,
    "one_entire_average": -0.2,
    "all_entire_average": 0.0,
}
"""Mean Er of each method; the average input serves One-Entire worse and All-Entire better."""


def er(levels: Mapping[str, float], *, units: int = 8, unit: str = "subject", spread: float = 0.01) -> pd.DataFrame:
    """Er of every method in every unit of one study."""
    rng = np.random.default_rng(5)
    rows = [
        {"study": "s", "method": name, "unit": unit, "label": f"u{i}", "er": level + spread * rng.normal()}
        for name, level in levels.items()
        for i in range(units)
    ]
    return pd.DataFrame(rows)


def site(folder: Path, units: pd.DataFrame) -> Site:
    """Save the judged contrasts as 08_rivals and 13_controls do."""
    for shared, family in ((CONTRASTS, METHODS), (NEEDED, INPUT)):
        write_csv(folder / shared.file, judged(units, of_family(family)))
    return Site(folder, dict(units.drop_duplicates("study").set_index("study")["unit"]))
