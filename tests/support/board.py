"""A leaderboard of four methods and eight units, small enough to be worked by hand."""

from __future__ import annotations

import pandas as pd

from nem2e_lib import charts
from nem2e_lib.analysis import leaderboard
from nem2e_lib.charts.chart import Chart

UNITS = [f"s{number}" for number in range(1, 9)]
ER = {
    "ridge_all": [-0.50, -0.46, -0.44, -0.40, -0.48, -0.42, -0.45, -0.41],
    "mean_curve": [-0.40, -0.41, -0.35, -0.42, -0.40, -0.30, -0.36, -0.39],
    "one_entire": [-0.30, -0.20, -0.10, -0.15, -0.25, -0.12, -0.18, -0.22],
    "identity": [0.0] * 8,
}


def table(study: str, shift: float = 0.0, methods: tuple[str, ...] = tuple(ER), units: int = 8) -> pd.DataFrame:
    """Return rows of ``metrics.errors`` of one muscle; One-Entire is lower by `shift`."""
    rows = [
        {"condition": method, "label": label, "er": er + shift * (method == "one_entire")}
        for method in methods
        for label, er in zip(UNITS[:units], ER[method], strict=False)
    ]
    head = {"study": study, "muscle": "soleus", "electrode": "soleus", "unit": "subject", "synthetic": True}
    return pd.DataFrame(rows).assign(**head)


def drawn(errors: pd.DataFrame, synthetic: bool = True) -> Chart:
    """Return the leaderboard that readers touch."""
    costs = pd.DataFrame(columns=["study", "method", "parameters", "seconds"])
    standings = leaderboard.standings(errors, costs.astype({"study": str, "method": str}))
    units, fights = leaderboard.per_unit(errors), leaderboard.duels(errors)
    return charts.leaderboard.leaderboard(standings, units, fights, synthetic=synthetic)
