"""Planned contrasts and their answers: shown, not shown, shown otherwise. The one rule that "What holds" answers by.

``contrasts.toml`` lists them. `judged` makes the tests, once, from Er per held-out unit; what is asked of several
contrasts at once is put together from their answers by `both`, never tested anew: so no difference is judged twice.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from nem2e_lib.analysis.leaderboard import DECIMALS
from nem2e_lib.analysis.statistics import ALPHA, FEWEST, holm, over_folds, sign_flips
from nem2e_lib.analysis.statistics import one_sample as plain_test
from nem2e_lib.error import Nem2eError

FILE = Path(__file__).with_name("contrasts.toml")
SHOWN, NOT_SHOWN, OTHERWISE, CANNOT = "shown", "not shown", "shown otherwise", "cannot be told"
"""Answers. Not shown: the test was made and does not decide; cannot be told: there is none to be made."""
ANSWERS = (SHOWN, NOT_SHOWN, OTHERWISE, CANNOT)
METHODS, INPUT = "methods", "input"
"""Families: methods against methods (08_rivals), a network against itself with the average input (13_controls)."""
LOWER = "lower"
COLUMNS = (
    "study",
    "id",
    "question",
    "method",
    "rival",
    "difference",
    "ci_low",
    "ci_high",
    "p_value",
    "p_holm",
    "plain_ci_low",
    "plain_ci_high",
    "plain_p_value",
    "plain_p_holm",
    "p_flips",
    "n",
    "unit",
    "family_size",
    "answer",
    "plain_answer",
    "reason",
)
"""Columns of `judged`."""


@dataclass(frozen=True)
class Contrast:
    """Whether Er of `method` is lower than that of `rival`, what for, and with which others it is corrected."""

    id: str
    question: str
    family: str
    method: str
    rival: str
    direction: str
    why: str


@cache
def planned() -> tuple[Contrast, ...]:
    """Return every planned contrast, in the order of the file.

    Raises
    ------
    Nem2eError
        When the file has a contrast with another direction, an id twice, or the same comparison twice.
    """
    return checked(tomllib.loads(FILE.read_text(encoding="utf-8"))["contrast"], FILE)


def checked(rows: Iterable[dict[str, str]], file: Path) -> tuple[Contrast, ...]:
    """Return rows as contrasts; a row that would make an answer mean two things raises `Nem2eError`."""
    found = tuple(Contrast(**row) for row in rows)
    for one in found:
        if one.direction != LOWER:
            raise Nem2eError(
                f"{file}: contrast {one.id!r} has direction {one.direction!r}, expected {LOWER!r}: Er is better where "
                "it is lower; swap method and rival."
            )
    for what, keys in (
        ("id", [one.id for one in found]),
        ("comparison", [" and ".join(sorted((one.method, one.rival))) for one in found]),
    ):
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise Nem2eError(f"{file} has the {what} {twice[0]!r} twice, expected once; leave one out.")
    return found


def of_family(family: str) -> tuple[Contrast, ...]:
    """Return the planned contrasts of a family."""
    return tuple(one for one in planned() if one.family == family)


def judged(units: pd.DataFrame, contrasts: Sequence[Contrast]) -> pd.DataFrame:
    """Test the contrasts of a family in every study.

    Each difference is paired over held-out units and tested by `statistics.over_folds`, Holm over the family. Contrasts
    that no test can be made of count in the family as if their p were 1, so that leaving a method out makes no answer
    easier.

    Parameters
    ----------
    units
        Er per held-out unit: columns study, method, unit, label, er (`leaderboard.per_unit`, `control_tests.inputs`).
    contrasts
        All of one family.

    Returns
    -------
    pandas.DataFrame
        One row a study and contrast, columns `COLUMNS`: difference (Er of method minus Er of rival), its 95 % interval
        corrected for shared training data and not for the family, p and p_holm of the same; `plain_`: the same of the
        t-test that takes folds for independent; p_flips (`statistics.sign_flips`, not corrected); n held-out units;
        answer, plain_answer; reason (why there is no test).
    """
    tables = [_of_study(str(study), rows, contrasts) for study, rows in units.groupby("study", sort=False)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _of_study(study: str, units: pd.DataFrame, contrasts: Sequence[Contrast]) -> pd.DataFrame:
    wide = units.pivot_table(index="label", columns="method", values="er", sort=False, dropna=False)
    rows = [{"study": study, **_tested(wide, one)} for one in contrasts]
    table = pd.DataFrame(rows).assign(unit=str(units["unit"].iloc[0]), family_size=len(contrasts))
    for plain in ("", "plain_"):
        raw = table[f"{plain}p_value"]
        table[f"{plain}p_holm"] = pd.Series(holm(raw.fillna(1.0)), table.index).where(raw.notna())
        told = zip(table["difference"], table[f"{plain}p_holm"], table["n"], strict=True)
        table[f"{plain}answer"] = [answer(*one) for one in told]
    return table[list(COLUMNS)]


def _tested(wide: pd.DataFrame, one: Contrast) -> dict[str, object]:
    head = {"id": one.id, "question": one.question, "method": one.method, "rival": one.rival}
    absent = [name for name in (one.method, one.rival) if name not in wide]
    if absent:
        numbers = dict.fromkeys(("difference", "ci_low", "ci_high", "p_value", "p_flips"), math.nan)
        plain = dict.fromkeys(("plain_ci_low", "plain_ci_high", "plain_p_value"), math.nan)
        return {**head, **numbers, **plain, "n": 0, "reason": f"{absent[0]} was not evaluated here."}
    differences = (wide[one.method] - wide[one.rival]).round(DECIMALS)
    test, plain_one = over_folds(differences), plain_test(differences)
    if len(differences) > 1 and (differences == 0).all():  # no t, and yet no doubt: nothing is shown either way
        test = plain_one = replace(test, ci_low=0.0, ci_high=0.0, p_value=1.0)
    return {
        **head,
        "difference": test.mean,
        "ci_low": test.ci_low,
        "ci_high": test.ci_high,
        "p_value": test.p_value,
        "plain_ci_low": plain_one.ci_low,
        "plain_ci_high": plain_one.ci_high,
        "plain_p_value": plain_one.p_value,
        "p_flips": sign_flips(differences),
        "n": test.n,
        "reason": test.reason,
    }


def answer(difference: float, p_holm: float, n: int) -> str:
    """Return the answer to "is Er lower?" from a difference, its corrected p and the number of held-out units."""
    if not math.isfinite(p_holm):
        return CANNOT
    if p_holm >= ALPHA or n < FEWEST:
        return NOT_SHOWN
    return SHOWN if difference < 0 else OTHERWISE


def both(answers: Iterable[str]) -> str:
    """Return whether all of several things are shown: otherwise where one is shown otherwise."""
    found = set(answers) or {CANNOT}
    return next(one for one in (OTHERWISE, NOT_SHOWN, CANNOT, SHOWN) if one in found)
