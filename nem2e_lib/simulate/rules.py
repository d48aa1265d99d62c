"""Rules of thumb for simulations, each with its source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

VERDICTS = ("good", "acceptable", "poor", "not judged")
HICKS = "Hicks et al. 2015, doi:10.1115/1.4029304"
OPENSIM = "OpenSim documentation, Simulation with OpenSim: Best Practices (checklist)"
RRA_PAGE = "OpenSim documentation, Getting Started with RRA (evaluation of results)"
OWN = "no published limit; a limit of this project's"


@dataclass(frozen=True)
class Rule:
    """Limits of one measure.

    Attributes
    ----------
    unit : str
    good, acceptable : float
        Up to `good` it is good, up to `acceptable` acceptable, beyond poor.
    source : str
    counts : bool
        Whether the rule counts in the verdict of a trial. Limits in N and N·m were made for walking; those relative
        to the external force hold at any speed.
    """

    unit: str
    good: float
    acceptable: float
    source: str
    counts: bool = True

    def judge(self, value: float) -> str:
        """Return the verdict on a value; one that is not finite, or has no limit, cannot be judged."""
        if not np.isfinite([value, self.good]).all():
            return VERDICTS[3]
        return VERDICTS[0] if value <= self.good else VERDICTS[1] if value <= self.acceptable else VERDICTS[2]


RULES = {
    "residual_force_peak": Rule("N", 10, 25, OPENSIM, counts=False),
    "residual_force_rms": Rule("N", 5, 15, OPENSIM, counts=False),
    "residual_moment_peak": Rule("N·m", 50, 75, RRA_PAGE, counts=False),
    "residual_moment_rms": Rule("N·m", 30, 50, RRA_PAGE, counts=False),
    "residual_force_share": Rule("of peak external force", 0.05, 0.10, f"{HICKS} (good); twice that acceptable"),
    "residual_moment_share": Rule(
        "of mass-centre height x peak external force", 0.01, 0.02, f"{HICKS} (good); twice that acceptable"
    ),
    "reserve_share": Rule("of peak joint moment", 0.05, 0.10, f"{HICKS} (good), {OPENSIM} (acceptable)"),
    "reserve_peak": Rule("N·m", float("inf"), float("inf"), "told, not judged: see reserve_share", counts=False),
    "tracking_angle_rms": Rule("deg", 2, 5, OPENSIM),
    "tracking_angle_peak": Rule("deg", 2, 5, RRA_PAGE, counts=False),
    "tracking_translation_rms": Rule("cm", 2, 4, RRA_PAGE),
    "tracking_translation_peak": Rule("cm", 2, 5, RRA_PAGE, counts=False),
    "saturated_muscles": Rule("muscles", 0, 4, f"{OWN}: activation over 0.99 for over 5 % of the time"),
    "constraint_violation": Rule("rad or m", 1e-3, 1e-2, f"{OWN}: how far constraints move a coordinate"),
    "acceleration_violation": Rule("rad/s² or m/s²", 1e-4, 1e-2, f"{OWN}: what static optimisation leaves unmet"),
    "marker_rms": Rule("cm", 2, 4, f"{OPENSIM} (RMS below 2 cm)"),
    "marker_peak": Rule("cm", 4, 6, f"{OPENSIM} (maximum below 4 cm)"),
}
"""Measure to rule, in the order in which they are tabled."""


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of verdicts; what was not judged counts only where nothing was."""
    known = [each for each in verdicts if each != VERDICTS[3]]
    return max(known, key=VERDICTS.index) if known else VERDICTS[3]
