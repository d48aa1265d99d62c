"""What attention maps may be read as: a run's own, and those of ``make study-attention``, where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import hypergeom, linregress

from nem2e_lib.analysis.attention import UNIFORM
from nem2e_lib.analysis.attention_tests import PAIRS, TOP, expected_jaccard, simulated_jaccard
from nem2e_lib.analysis.statistics import one_sample

AGREES = 0.5
"""Least mean rank correlation at which two maps are said to agree."""
SLOPE = (0.75, 1.25)
"""Within these, a lag moves with the true delay as a delay would."""
LOST = 0.25
"""Greatest share of lags without a peak at which a lag may be read at all."""
OFFSET_MS = 40.0
"""Greatest lag without a delay, about a sample of the cycle, at which a lag may be read as the delay itself."""
LAGS = {"attention_centre": "", "attention_peak": "attention_edge", "gradient": "gradient_edge"}
"""Measures of lag, and the column that says that there is no peak."""
OPTIONS = ["spatial", "score", "decoder_state"]
USUAL = {"score": "general", "decoder_state": "encoder"}
DEFAULT = ("muscle_lstm", *USUAL.values())
MEASURED = (
    "entropy",
    "by_muscle",
    "by_position",
    "chance_jaccard_95",
    "seeds_spearman",
    "folds_spearman",
    "occlusion_spearman",
    "precision",
    "gradient_precision",
    "chance_precision_95",
)
NOTHING = "nothing measured here speaks against reading it"
HOLDS, FAILS, UNKNOWN, CHANGES = "yes", "no", "cannot be told", "its changes"

Tables = dict[str, pd.DataFrame]


def own_verdicts(entropies: pd.DataFrame, agreement: pd.DataFrame) -> pd.DataFrame:
    """Say what speaks against reading each of a run's maps.

    Parameters
    ----------
    entropies, agreement
        Rows of `attention_tests.entropy_and_steadiness` and `attention_tests.agreement_with_dependence`.

    Returns
    -------
    pandas.DataFrame
        Rows of `entropies` for which there is an agreement, with occlusion_spearman, verdict (in words) and
        spoken_against (something does).
    """
    keys = ["study", "condition", "muscle"]
    occluded = agreement.loc[agreement["pair"] == PAIRS["attention", "occlusion"], [*keys, "spearman"]]
    both = entropies.merge(occluded.rename(columns={"spearman": "occlusion_spearman"}), on=keys)
    against = [speaks_against({str(name): value for name, value in row.items()}) for row in both.to_dict("records")]
    words = ["; ".join(found) or NOTHING for found in against]
    return both.assign(verdict=words, spoken_against=[bool(found) for found in against])


def truth_summary(planted: pd.DataFrame, synergists: pd.DataFrame) -> pd.DataFrame:
    """Return the precision of the ten heaviest muscles, mean over muscles, beside what chance gives.

    Parameters
    ----------
    planted, synergists
        Precision of each muscle's models where ten muscles were planted, and with the synergists as the truth.
    """
    keys = ["truth", "spatial", "score", "decoder_state", "measure"]
    both = usual_truth(planted, synergists)
    table = both.groupby(keys, sort=False)[["precision", "chance", "er", "er_mean_curve"]].mean().reset_index()
    return table.assign(chance_95=chance_precision(int(both["tokens"].iloc[0])))


def usual_truth(planted: pd.DataFrame, synergists: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of both tables that have the usual score, planted muscles first."""
    return pd.concat([planted, synergists[synergists["score"] == USUAL["score"]]], ignore_index=True)


def slopes(delay: pd.DataFrame) -> pd.DataFrame:
    """Say how each measure of lag moves with the true delay, for each cause and decoder.

    A line is fitted to each model's lags over the delays, without those that have no peak, where three delays are left;
    the interval is over models (muscles and seeds).

    Returns
    -------
    pandas.DataFrame
        One row a cause, decoder and measure: slope (ms per ms) with its 95 % CI, offset_ms (at no delay), no_peak
        (share of lags), n (models), reads_as_delay (yes; its changes: of the delay, not its size; no), entropy.
    """
    rows = []
    for (causes, state), group in delay.groupby(["causes", "decoder_state"], sort=False):
        about = {"causes": causes, "decoder_state": state}
        share = group["entropy"].mean()
        for name, edge in LAGS.items():
            rows.append({**about, "measure": name, **_slope(group, name, edge), "entropy": share})
    return pd.DataFrame(rows)


def _slope(delay: pd.DataFrame, measure: str, edge: str) -> dict[str, Any]:
    lost = delay[edge].astype(bool) if edge else pd.Series(False, delay.index)
    fits = []
    for _, model in delay[~lost].groupby(["muscle", "seed"]):
        if model["delay_ms"].nunique() >= 3:
            fits.append(linregress(model["delay_ms"], model[f"{measure}_ms"]))
    test = one_sample([fit.slope for fit in fits])
    offset = float(np.mean([fit.intercept for fit in fits])) if fits else np.nan
    moves = lost.mean() <= LOST and SLOPE[0] <= test.mean <= SLOPE[1] and test.ci_low > 0
    reads = FAILS if not moves else HOLDS if abs(offset) <= OFFSET_MS else CHANGES
    return {
        "slope": test.mean,
        "ci_low": test.ci_low,
        "ci_high": test.ci_high,
        "offset_ms": offset,
        "no_peak": float(lost.mean()),
        "n": len(fits),
        "reads_as_delay": reads,
    }


def order_summary(order: pd.DataFrame) -> pd.DataFrame:
    """Mean overlap by muscle and by position, for each encoder and muscle, beside what chance gives."""
    keys = ["spatial", "muscle"]
    table = order.groupby(keys, sort=False)[["by_muscle", "by_position", "neighbours", "entropy"]].mean().reset_index()
    tokens = int(order["tokens"].iloc[0])
    drawn, high = simulated_jaccard(TOP, tokens)
    orders = order.groupby(keys, sort=False)[["a", "b"]].agg(set)
    return table.assign(
        orders=[len(a | b) for a, b in zip(orders["a"], orders["b"], strict=True)],
        chance=expected_jaccard(TOP, tokens),
        chance_drawn=drawn,
        chance_95=high,
        chance_neighbours=TOP * (TOP - 1) / tokens,
        follows=[_follows(m, p, high) for m, p in table[["by_muscle", "by_position"]].to_numpy(float)],
    )


def _follows(by_muscle: float, by_position: float, chance: float) -> str:
    if max(by_muscle, by_position) <= chance:
        return "neither"
    return "muscle" if by_muscle > by_position else "position"


def encoder_summary(encoders: pd.DataFrame) -> pd.DataFrame:
    """Held-out Er and entropy of each variant, and its Er minus the default's.

    The difference is paired over held-out units, with the seeds that the variant has.

    Returns
    -------
    pandas.DataFrame
        One row a variant: its options, seeds, er, er_mean_curve, entropy, difference with 95 % CI and p, n, equal (it
        is not shown to be worse: the interval does not lie above 0).
    """
    variants = dict(iter(encoders.groupby(OPTIONS, sort=False)))
    rows = []
    for variant, group in variants.items():
        default = variants[DEFAULT][variants[DEFAULT]["seed"].isin(group["seed"])]
        test = one_sample(group.groupby("label")["er"].mean() - default.groupby("label")["er"].mean())
        usual = variant == DEFAULT
        rows.append(
            {
                **dict(zip(OPTIONS, variant, strict=True)),
                "seeds": group["seed"].nunique(),
                "er": group["er"].mean(),
                "er_mean_curve": group["er_mean_curve"].mean(),
                "entropy": group["entropy"].mean(),
                "difference": test.mean,
                "ci_low": test.ci_low,
                "ci_high": test.ci_high,
                "p_value": test.p_value,
                "n": test.n,
                "equal": usual or bool(test.mean <= 0 or test.ci_low <= 0),
            }
        )
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
        Options, entropy, by_muscle, by_position, chance_jaccard_95, seeds_spearman, occlusion_spearman, precision (of
        attention for planted muscles), gradient_precision (of the input gradient: where it is not beyond chance either,
        the network has not learned to use them, and the test says nothing), chance_precision_95, fails (what speaks
        against reading the map, in words), readable.
    """
    order = order_summary(tables["order"]).groupby("spatial")[["by_muscle", "by_position", "chance_95"]].mean()
    seeds = tables["seeds"].groupby(OPTIONS)["spearman"].mean()
    agree = tables["agreement"]
    occluded = agree[(agree["a"] == "attention") & (agree["b"] == "occlusion")].groupby(OPTIONS)["spearman"].mean()
    planted = tables["planted"]
    by_measure = {name: rows.groupby(OPTIONS)["precision"].mean() for name, rows in planted.groupby("measure")}
    entropy = tables["encoders"].groupby(OPTIONS, sort=False)["entropy"].mean()
    chance = chance_precision(int(planted["tokens"].iloc[0]))
    rows = []
    for variant in entropy.index[entropy.index.get_level_values("spatial") != "time_tokens"]:
        spatial = variant[0]
        usual = dict(zip(OPTIONS[1:], variant[1:], strict=True)) == USUAL
        row = {
            **dict(zip(OPTIONS, variant, strict=True)),
            "entropy": entropy[variant],
            "by_muscle": order["by_muscle"].get(spatial) if usual else np.nan,
            "by_position": order["by_position"].get(spatial) if usual else np.nan,
            "chance_jaccard_95": order["chance_95"].get(spatial, np.nan),
            "seeds_spearman": seeds.get(variant, np.nan),
            "occlusion_spearman": occluded.get(variant, np.nan),
            "precision": by_measure["attention"].get(variant, np.nan),
            "gradient_precision": by_measure["gradient"].get(variant, np.nan),
            "chance_precision_95": chance,
        }
        fails = speaks_against(row)
        known = all(np.isfinite(row[name]) for name in ("by_muscle", "seeds_spearman", "precision"))
        known = known and row["gradient_precision"] > chance
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
        "it does not find planted muscles that its network uses": known["precision"]
        <= known["chance_precision_95"]
        < known["gradient_precision"],
    }
    return [words for words, failed in tests.items() if failed]


def verdict(read: pd.DataFrame, lag: pd.DataFrame) -> str:
    """Say in words what attention maps may be read as, a sentence or two a line."""
    usual = read[(read["score"] == USUAL["score"]) & (read["decoder_state"] == USUAL["decoder_state"])]
    good = list(read.loc[read["readable"] == HOLDS, "spatial"].unique())
    spatial = (
        f"{name}: {'may be read as what the output depends on' if readable == HOLDS else fails}."
        for name, readable, fails in usual[["spatial", "readable", "fails"]].to_numpy(str)
    )
    opening = (
        f"Spatial maps that pass every test: {', '.join(good)}."
        if good
        else "No spatial attention map passes every test: none may be read as which muscles the output needs."
    )
    usual_lag = lag[lag["decoder_state"] == USUAL["decoder_state"]]
    temporal = (_lag_words(causes, rows) for causes, rows in usual_lag.groupby("causes", sort=False))
    return "\n".join([opening, *spatial, *temporal])


def _lag_words(causes: object, rows: pd.DataFrame) -> str:
    by = rows.set_index("measure")
    shown = {"attention": "attention_centre", "input gradient": "gradient"}
    parts = [f"{words}: {_moves(by.loc[[name]].iloc[0])}" for words, name in shown.items()]
    return f"Lag read as the delay (causes of a wrong simulation: {causes}): {'; '.join(parts)}."


def _moves(row: pd.Series[Any]) -> str:
    if not row["n"]:
        return f"no, {row['no_peak']:.0%} of its lags have no peak"
    return (
        f"{row['reads_as_delay']}, it moves {row['slope']:.2f} ms a ms of delay (95 % CI {row['ci_low']:.2f} to "
        f"{row['ci_high']:.2f}) and is {row['offset_ms']:+.0f} ms without one"
    )


def recommendation(summary: pd.DataFrame, read: pd.DataFrame) -> str:
    """Apply the rule: among settings of equal held-out error, the one whose attention carries information."""
    better = summary[summary["ci_high"] < 0].sort_values("difference")
    lower = "".join(
        f"\nEr is shown lower than the default's with {_name(row)}: by {-row['difference']:.3f} (95 % CI "
        f"{-row['ci_high']:.3f} to {-row['ci_low']:.3f}, n = {row['n']})."
        for _, row in better.iterrows()
    )
    both = summary.merge(read[[*OPTIONS, "readable", "fails"]], on=OPTIONS)
    equal = both[both["equal"]]
    passing = equal[equal["readable"] == HOLDS]
    default = both.set_index(OPTIONS).xs(DEFAULT)
    head = (
        f"{len(equal)} of {len(both)} settings with a map of muscles are not shown to be worse than the default "
        f"(paired over {summary['n'].iloc[0]} held-out units, so small differences are not seen)."
    )
    if passing.empty:
        low = equal.sort_values("entropy").iloc[0]
        return (
            f"{head} None of them has a map that passes every test, so there is no reason to change the default; the "
            f"lowest entropy among them is {low['entropy']:.3f} ({_name(low)}), the default's "
            f"{default['entropy']:.3f}.{lower}"
        )
    best = passing.sort_values("er").iloc[0]
    return (
        f"{head} Of those, the map of {_name(best)} passes every test (Er {best['er']:.2f}, entropy "
        f"{best['entropy']:.2f}).{lower}"
    )


def _name(row: pd.Series[Any]) -> str:
    return f"{row['spatial']}, {row['score']} score, decoder from {row['decoder_state']}"
