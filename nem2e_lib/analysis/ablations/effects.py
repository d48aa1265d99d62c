"""Which choice matters: the change in Er of every variant, paired over held-out units, with seeds as the yardstick."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.analysis.statistics import ALPHA, FEWEST, holm, over_folds

KEYS = ["study", "condition", "option", "value", "measure"]
SEED = "seed"
MATTERS, SMALL, UNSURE, FEW = "matters", "no more than seeds", "not sure", "too few units"
"""Sure after Holm's correction and, where models are trained anew, more than seeds do; less than seeds do; neither;
more than seeds do, in fewer than `FEWEST` held-out units, from which nothing is shown."""


def effects(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a variant.

    Parameters
    ----------
    rows
        Rows of `Bench.rows` and `Bench.seed_rows`.

    Returns
    -------
    pandas.DataFrame
        Columns study, condition, option, value, measure, default, needs, here, base (means over units), difference
        (here minus base; negative Er is better), ci_low, ci_high (95 %) and p_value (paired over units, corrected for
        the training data that folds share: `statistics.over_folds`), p_holm (over the variants of a condition),
        seed_range (how far the default's mean Er differs between its seeds), verdict, entropy, base_entropy, diverged,
        models, electrodes, n, unit, units, updates, synthetic, reason.
    """
    table = pd.DataFrame([_row(group) for _, group in rows.groupby(KEYS, sort=False)])
    ranges = _ranges(table)
    table["seed_range"] = [ranges.get(key, np.nan) for key in zip(table["study"], table["condition"], strict=True)]
    tested = table[(table["option"] != SEED) & (table["measure"] == "Er")]
    table["p_holm"] = tested.groupby(["study", "condition"], sort=False)["p_value"].transform(holm)
    table["verdict"] = [_verdict(row) for row in table.to_dict("records")]
    return table[[*KEYS, *_NUMBERS]]


_NUMBERS = [
    "default",
    "needs",
    "here",
    "base",
    "difference",
    "ci_low",
    "ci_high",
    "p_value",
    "p_holm",
    "seed_range",
    "verdict",
    "entropy",
    "base_entropy",
    "diverged",
    "models",
    "electrodes",
    "n",
    "unit",
    "units",
    "updates",
    "synthetic",
    "reason",
]


def _row(group: pd.DataFrame) -> dict[str, object]:
    first = group.iloc[0]
    test = over_folds((group["here"] - group["base"]).round(12))
    kept = [*KEYS, "default", "needs", "electrodes", "unit", "units", "updates", "synthetic"]
    means = {name: float(group[name].mean()) for name in ("here", "base", "entropy", "base_entropy")}
    counts = {name: int(group[name].sum()) for name in ("diverged", "models")}
    tested = {name: getattr(test, name) for name in ("ci_low", "ci_high", "p_value", "n", "reason")}
    return {**{name: first[name] for name in kept}, **means, "difference": test.mean, **counts, **tested}


def _ranges(table: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Range of the default's mean Er over its seeds, by study and condition."""
    seeds = table[table["option"] == SEED]
    found = {}
    for (study, condition), group in seeds.groupby(["study", "condition"], sort=False):
        values = [*group["here"], group["base"].iloc[0]]
        found[str(study), str(condition)] = float(np.ptp(values))
    return found


def _verdict(row: Mapping[Hashable, Any]) -> str:
    if row["option"] == SEED:
        return "yardstick"
    if row["measure"] != "Er":
        return "another measure"
    difference, seeds, p_holm = (float(row[name]) for name in ("difference", "seed_range", "p_holm"))
    retrained = row["needs"] != "reanalyse"  # else the models are the same, and no seed comes between
    if retrained and not abs(difference) > seeds and np.isfinite(seeds):
        return SMALL
    if row["n"] < FEWEST:
        return FEW
    return MATTERS if p_holm < ALPHA else UNSURE


def unfinished(table: pd.DataFrame) -> str:
    """Say how far from its end the default's training is, if more updates surely lower Er; else nothing."""
    rows = table[(table["option"] == "updates") & (table["verdict"] == MATTERS) & (table["difference"] < 0)]
    longer = rows[rows["value"].astype(float) > rows["default"].astype(float)].sort_values("difference")
    if longer.empty:
        return ""
    best = longer.iloc[0]
    return (
        f"The default's training is not at its end: {best['value']} updates change Er by {best['difference']:.2f} "
        f"({best['ci_low']:.2f} to {best['ci_high']:.2f}), so a choice that only quickens learning looks better here."
    )


def said(table: pd.DataFrame, name: Callable[[str], str] = str) -> str:
    """Say in a sentence or two which choices matter, largest effect first, and which do not, by `name` of an option."""
    tested = table[table["verdict"].isin([MATTERS, SMALL, UNSURE, FEW])]
    few = not tested.empty and tested["n"].max() < FEWEST
    large = tested[tested["verdict"] == (FEW if few else MATTERS)].sort_values("difference", key=abs, ascending=False)
    options = list(dict.fromkeys(map(name, large["option"])))
    none = [option for option in dict.fromkeys(map(name, tested["option"])) if option not in options]
    if few:
        return (
            f"From {tested['n'].max()} held-out units nothing is shown, it takes {FEWEST}. {len(large)} of "
            f"{len(tested)} variants change Er by more than seeds do: {', '.join(options) or 'none'}."
        )
    return (
        f"{len(large)} of {len(tested)} variants change Er surely (Holm, p < .05) and, where models are trained anew, "
        f"by more than seeds do: {', '.join(options) or 'none'}. No value of these did: {', '.join(none) or 'none'}."
    )
