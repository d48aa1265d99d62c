"""Whether a method is shown to beat the training-mean curve on units that were held out, in one sentence."""

from __future__ import annotations

import pandas as pd

from nem2e_lib.analysis.contrasts import CANNOT, LOWER, METHODS, OTHERWISE, SHOWN, Contrast, judged
from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.statistics import FEWEST
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import Verdict
from nem2e_lib.rivals import MeanCurve
from nem2e_lib.training.units import caveat, units_said

MEAN_CURVE = MeanCurve().name


def shown_to_beat(errors: pd.DataFrame, curve: pd.DataFrame) -> Verdict:
    """Return whether a method is shown to beat the mean curve, by the rule of every planned contrast.

    The difference is paired over held-out units of the mean Er over electrodes. It is shown where p < .05 and
    there are `analysis.statistics.FEWEST` units or more. It is one comparison, planned and made once: whoever tries
    several methods and keeps the best has made several.

    Parameters
    ----------
    errors, curve
        Rows of `analysis.metrics.errors`, of one study and the same cycles: of the method, and of the mean curve.

    Raises
    ------
    Nem2eError
        If there are rows of several methods or studies, or of other muscles or units.
    """
    method, study = _only(errors, "condition"), _only(errors, "study")
    if _only(curve, "condition") != MEAN_CURVE or _only(curve, "study") != study or method == MEAN_CURVE:
        raise Nem2eError(
            f"verdict: {method} of study {study} was set against {_only(curve, 'condition')} of study "
            f"{_only(curve, 'study')}, expected another method and {MEAN_CURVE} of the same study; evaluate both on it."
        )
    contrast = Contrast("beats", "Does it beat the mean curve?", METHODS, method, MEAN_CURVE, LOWER, "")
    answers = judged(per_unit(pd.concat([errors, curve])), [contrast])
    if answers.empty:
        reason = "Er is undefined for every muscle of both."
        return Verdict(method, None, None, None, None, 0, CANNOT, _sentence(CANNOT, {}, 0, "", reason))
    found = answers.iloc[0]
    numbers = {name: _number(found[name]) for name in ("difference", "ci_low", "ci_high", "p_value")}
    state, n = str(found["answer"]), int(found["n"])
    sentence = _sentence(state, numbers, n, str(found["unit"]), str(found["reason"]))
    return Verdict(method, **numbers, n=n, state=state, sentence=sentence)


def _only(rows: pd.DataFrame, column: str) -> str:
    values = rows[column].unique().tolist()
    if len(values) != 1:
        raise Nem2eError(
            f"verdict: rows of {len(values)} values of {column} ({', '.join(map(str, values))}), expected of one; "
            "compare one method of one study at a time."
        )
    return str(values[0])


def _number(value: float) -> float | None:
    return float(value) if pd.notna(value) else None


def _sentence(state: str, numbers: dict[str, float | None], n: int, unit: str, reason: str) -> str:
    if state == CANNOT:
        return f"Whether it beats the mean curve of the training cycles cannot be told: {reason}"
    signed = {
        name: f"{value:+.3f}".replace("-", "\N{MINUS SIGN}") for name, value in numbers.items() if value is not None
    }
    what = {SHOWN: "Shown to beat", OTHERWISE: "Shown to be worse than"}.get(state, "NOT shown to beat")
    few = f"; with fewer than {FEWEST} nothing is shown" if n < FEWEST else ""
    told = (
        f"{what} the mean curve of the training cycles: its Er minus that of the curve is {signed['difference']} (95 % "
        f"CI {signed['ci_low']} to {signed['ci_high']}, p = {numbers['p_value']:.3f}) over "
        f"{units_said(n, unit, 'held-out')}{few}."
    )
    return " ".join(filter(None, [told, caveat([unit])]))
