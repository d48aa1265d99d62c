"""One study's leaderboard: ranks, and whether each method is shown to be better than the training-mean curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.contrasts import LOWER, Contrast, judged
from nem2e_lib.analysis.leaderboard import costs, duels, per_unit, standings
from nem2e_lib.analysis.metrics import errors

MEAN_CURVE = "mean_curve"
FAMILY = "leaderboard"
AGAINST = {
    "difference": "difference",
    "ci_low": "difference_low",
    "ci_high": "difference_high",
    "p_value": "difference_p_value",
    "p_holm": "difference_p_holm",
    "answer": "answer",
}
"""Columns of `contrasts.judged` that a board has, and what they are called there."""


@dataclass(frozen=True)
class Board:
    """What came of a study's methods.

    Attributes
    ----------
    table
        Best first, a row a method: `leaderboard.standings`, and against the mean curve `difference` (its Er minus the
        mean curve's, paired over held-out units), `difference_low`, `difference_high` (95 %, corrected for shared
        training data), `difference_p_value`, `difference_p_holm` (over the methods of the board) and `answer`; they are
        missing for the mean curve itself.
    units, errors, fights
        Er per held-out unit (`leaderboard.per_unit`), errors by method, muscle and held-out unit (`metrics.errors`),
        and every pair of methods (`leaderboard.duels`).
    """

    table: pd.DataFrame
    units: pd.DataFrame
    errors: pd.DataFrame
    fights: pd.DataFrame

    @property
    def synthetic(self) -> bool:
        """Whether the data are SYNTHETIC."""
        return bool(self.table["synthetic"].any())


def board(results: Sequence[xr.Dataset]) -> Board:
    """Return the leaderboard of evaluated rivals and trained conditions of one study, the mean curve among them.

    Raises
    ------
    Nem2eError
        If they are not of the same muscles and held-out units.
    """
    found = pd.concat([errors(one) for one in results], ignore_index=True)
    units = per_unit(found)
    table = standings(found, costs(results))
    rivals = [str(method) for method in table["method"] if method != MEAN_CURVE]
    planned = [Contrast(one, "Is Er lower?", FAMILY, one, MEAN_CURVE, LOWER, "on every board") for one in rivals]
    against = judged(units, planned) if planned else pd.DataFrame(columns=["method", *AGAINST])
    table = table.merge(against[["method", *AGAINST]].rename(columns=AGAINST), on="method", how="left", validate="1:1")
    return Board(table, units, found.rename(columns={"condition": "method"}), duels(found))
