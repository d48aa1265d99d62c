"""What attention maps may be read as: computed from the tables of ``make study-attention``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import hypergeom, linregress, t

from nem2e_lib.analysis.attention import UNIFORM
from nem2e_lib.analysis.attention_tests import TOP, expected_jaccard, simulated_jaccard
from nem2e_lib.analysis.statistics import one_sample

AGREES = 0.5
"""Least mean rank correlation at which two maps are said to agree."""
SLOPE = (0.75, 1.25)
"""Within these, a lag moves with the true delay as a delay would."""
LAGS = {"attention_centre": "", "attention_peak": "attention_edge", "gradient": "gradient_edge"}
"""Measures of lag, and the column that says that there is no peak."""
OPTIONS = ["spatial", "score", "decoder_state"]
USUAL = {"score": "general", "decoder_state": "encoder"}
DEFAULT = ("muscle_lstm", *USUAL.values())
MEASURED = ("entropy", "by_muscle", "by_position", "chance_jaccard_95", "seeds_spearman", "folds_spearman",
            "occlusion_spearman", "precision", "chance_precision_95")  # fmt: skip
NOTHING = "nothing measured here speaks against reading it"
HOLDS, FAILS, UNKNOWN = "yes", "no", "cannot be told"

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Slope:
    """How a lag moves with the true delay: ms per ms with its 95 % CI, over models."""

    slope: float
    low: float
    high: float
    at_edge: float
    n: int

    @property
    def reads(self) -> str:
        """Whether the lag may be read as the delay: the whole interval lies within `SLOPE`."""
        return HOLDS if SLOPE[0] <= self.low and self.high <= SLOPE[1] else FAILS


def slope(delay: pd.DataFrame, measure: str, edge: str = "") -> Slope:
    """Regress a measure of lag (a column in ms) on the true delay; `edge` is the column that says there is no peak."""
    fit, freedom = linregress(delay["delay_ms"], delay[measure]), len(delay) - 2
    half = float(t.ppf(0.975, freedom)) * fit.stderr
    lost = float(delay[edge].mean()) if edge else 0.0
    return Slope(float(fit.slope), float(fit.slope - half), float(fit.slope + half), lost, len(delay))


def slopes(delay: pd.DataFrame) -> pd.DataFrame:
    """Slope of each measure of lag, for each cause and decoder: causes, decoder_state, measure, slope, CI, reads."""
    rows = []
    for (causes, state), group in delay.groupby(["causes", "decoder_state"], sort=False):
        for name, edge in LAGS.items():
            found = slope(group, f"{name}_ms", edge)
            rows.append({
                "causes": causes, "decoder_state": state, "measure": name, "slope": found.slope, "ci_low": found.low,
                "ci_high": found.high, "no_peak": found.at_edge, "entropy": group["entropy"].mean(), "n": found.n,
                "reads_as_delay": found.reads,
            })  # fmt: skip
    return pd.DataFrame(rows)


def order_summary(order: pd.DataFrame) -> pd.DataFrame:
    """Mean overlap by muscle and by position, for each encoder and muscle, beside what chance gives."""
    keys = ["spatial", "muscle"]
    table = order.groupby(keys, sort=False)[["by_muscle", "by_position", "neighbours", "entropy"]].mean().reset_index()
    tokens = int(order["tokens"].iloc[0])
    drawn, high = simulated_jaccard(TOP, tokens)
    orders = order.groupby(keys, sort=False)[["a", "b"]].agg(set)
    return table.assign(
        orders=[len(a | b) for a, b in zip(orders["a"], orders["b"], strict=True)],
        chance=expected_jaccard(TOP, tokens), chance_drawn=drawn, chance_95=high,
        chance_neighbours=TOP * (TOP - 1) / tokens,
        follows=[_follows(m, p, high) for m, p in table[["by_muscle", "by_position"]].to_numpy(float)],
    )  # fmt: skip


def _follows(by_muscle: float, by_position: float, chance: float) -> str:
    if max(by_muscle, by_position) <= chance:
        return "neither"
    return "muscle" if by_muscle > by_position else "position"


def encoder_summary(encoders: pd.DataFrame) -> pd.DataFrame:
    """Held-out Er and entropy of each variant, and its Er minus the default's, paired over held-out units.

    Returns
    -------
    pandas.DataFrame
        One row a variant: its options, seeds, er, er_mean_curve, entropy, difference with 95 % CI and p, n, equal (it
        is not shown to be worse: the interval does not lie above 0).
    """
    per_unit = encoders.groupby([*OPTIONS, "label"], sort=False)["er"].mean()
    default = per_unit.xs(DEFAULT)
    rows = []
    for variant, group in encoders.groupby(OPTIONS, sort=False):
        test = one_sample(per_unit.xs(variant) - default)
        usual = variant == DEFAULT
        rows.append({
            **dict(zip(OPTIONS, variant, strict=True)), "seeds": group["seed"].nunique(), "er": group["er"].mean(),
            "er_mean_curve": group["er_mean_curve"].mean(), "entropy": group["entropy"].mean(),
            "difference": test.mean, "ci_low": test.ci_low, "ci_high": test.ci_high, "p_value": test.p_value,
            "n": test.n, "equal": usual or bool(test.mean <= 0 or test.ci_low <= 0),
        })  # fmt: skip
    return pd.DataFrame(rows)


def readings(tables: Tables) -> pd.DataFrame:
    """Test each encoder's map of muscles: one row a variant with what was measured, and what it fails.

    Parameters
    ----------
    tables
        encoders, seeds, agreement, order, planted: those that the study wrote.

    Returns
    -------
    pandas.DataFrame
        Options, entropy, by_muscle, by_position, seeds_spearman, occlusion_spearman, precision (planted), chance_95 of
        a top ten's precision, fails (what speaks against reading the map, in words), readable.
    """
    order = order_summary(tables["order"]).groupby("spatial")[["by_muscle", "by_position", "chance_95"]].mean()
    seeds = tables["seeds"].groupby(OPTIONS)["spearman"].mean()
    agree = tables["agreement"]
    occluded = agree[(agree["a"] == "attention") & (agree["b"] == "occlusion")].groupby(OPTIONS)["spearman"].mean()
    planted = tables["planted"]
    found = planted[planted["measure"] == "attention"].groupby(OPTIONS)["precision"].mean()
    entropy = tables["encoders"].groupby(OPTIONS)["entropy"].mean()
    chance = chance_precision(int(planted["tokens"].iloc[0]))
    rows = []
    for variant in entropy.index[entropy.index.get_level_values("spatial") != "time_tokens"]:
        spatial = variant[0]
        usual = dict(zip(OPTIONS[1:], variant[1:], strict=True)) == USUAL
        row = {
            **dict(zip(OPTIONS, variant, strict=True)), "entropy": entropy[variant],
            "by_muscle": order["by_muscle"].get(spatial) if usual else np.nan,
            "by_position": order["by_position"].get(spatial) if usual else np.nan,
            "chance_jaccard_95": order["chance_95"].get(spatial, np.nan),
            "seeds_spearman": seeds.get(variant, np.nan), "occlusion_spearman": occluded.get(variant, np.nan),
            "precision": found.get(variant, np.nan), "chance_precision_95": chance,
        }  # fmt: skip
        fails = speaks_against(row)
        known = all(np.isfinite(row[name]) for name in ("by_muscle", "seeds_spearman", "precision"))
        readable = FAILS if fails else HOLDS if known else UNKNOWN
        rows.append({**row, "fails": "; ".join(fails), "readable": readable})
    return pd.DataFrame(rows)


def chance_precision(tokens: int) -> float:
    """Return the 95th percentile of the precision of ten random tokens, where ten of `tokens` are informative."""
    return float(hypergeom(tokens, TOP, TOP).ppf(0.95)) / TOP


def speaks_against(row: Mapping[str, Any]) -> list[str]:
    """Say what speaks against reading a map; what is not in the row, or NaN, speaks neither way.

    Parameters
    ----------
    row
        What of `MEASURED` is known.
    """
    known = {name: float(row.get(name, np.nan)) for name in MEASURED}
    tests = {
        "nearly uniform": known["entropy"] > UNIFORM,
        "its top ten does not follow the muscle when the order changes": known["by_muscle"]
        <= max(known["by_position"], known["chance_jaccard_95"]),
        "other seeds give another map": known["seeds_spearman"] < AGREES,
        "other folds give another map": known["folds_spearman"] < AGREES,
        "it does not agree with occlusion": known["occlusion_spearman"] < AGREES,
        "it does not find planted muscles": known["precision"] <= known["chance_precision_95"],
    }
    return [words for words, failed in tests.items() if failed]


def verdict(read: pd.DataFrame, lag: pd.DataFrame) -> str:
    """Say in words what attention maps may be read as."""
    usual = read[(read["score"] == USUAL["score"]) & (read["decoder_state"] == USUAL["decoder_state"])]
    good = list(read.loc[read["readable"] == HOLDS, "spatial"].unique())
    spatial = " ".join(
        f"{name}: {'may be read as what the output depends on' if readable == HOLDS else fails}."
        for name, readable, fails in usual[["spatial", "readable", "fails"]].to_numpy(str)
    )
    opening = (
        f"Spatial maps that pass every test: {', '.join(good)}."
        if good else "No spatial attention map passes every test: none may be read as which muscles the output needs."
    )  # fmt: skip
    usual_lag = lag[(lag["decoder_state"] == "encoder") & (lag["causes"] == "all")].set_index("measure")
    centre, gradient = usual_lag.loc["attention_centre"], usual_lag.loc["gradient"]
    temporal = (
        f"Temporal attention's centre moves by {centre['slope']:.2f} ms for each ms of true delay (95 % CI "
        f"{centre['ci_low']:.2f} to {centre['ci_high']:.2f}), the input gradient's lag by {gradient['slope']:.2f} "
        f"({gradient['ci_low']:.2f} to {gradient['ci_high']:.2f}): read as the delay, attention: "
        f"{centre['reads_as_delay']}, input gradient: {gradient['reads_as_delay']}."
    )
    return f"{opening} {spatial} {temporal}"


def recommendation(summary: pd.DataFrame, read: pd.DataFrame) -> str:
    """Apply the rule: among settings of equal held-out error, the one whose attention carries information."""
    both = summary.merge(read[[*OPTIONS, "readable", "fails"]], on=OPTIONS)
    equal = both[both["equal"]]
    passing = equal[equal["readable"] == HOLDS]
    default = both.set_index(OPTIONS).xs(DEFAULT)
    head = f"{len(equal)} of {len(both)} settings with a map of muscles are not shown to be worse than the default."
    if passing.empty:
        low = equal.sort_values("entropy").iloc[0]
        return (
            f"{head} None of them has a map that passes every test, so there is no reason to change the default; the "
            f"lowest entropy among them is {low['entropy']:.2f} ({_name(low)}), the default's "
            f"{default['entropy']:.2f}."
        )
    best = passing.sort_values("er").iloc[0]
    return (
        f"{head} Of those, the map of {_name(best)} passes every test (Er {best['er']:.2f}, entropy "
        f"{best['entropy']:.2f})."
    )


def _name(row: pd.Series[Any]) -> str:
    return f"{row['spatial']}, {row['score']} score, decoder from {row['decoder_state']}"
