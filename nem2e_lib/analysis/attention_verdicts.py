"""What attention maps may be read as: a run's own, and those of ``make study-attention``, where the truth is known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import hypergeom, linregress

from nem2e_lib.analysis.attention import (
    chance_jaccard,
    chance_jaccard_95,
    fold_maps,
    mean_entropy,
    over_muscles,
    places,
)
from nem2e_lib.analysis.attention_interventions import NO_CONTEXT, OTHER_CONTEXT, UNIFORM_WEIGHTS
from nem2e_lib.analysis.attention_tests import TOP
from nem2e_lib.analysis.contrasts import CANNOT, NOT_SHOWN, OTHERWISE, SHOWN
from nem2e_lib.analysis.statistics import ALPHA, FEWEST, one_sample, over_folds

MARGIN = 0.05
"""Least change of Er that counts when the learned weights are taken away: a twentieth of the OpenSim error."""

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
    "uniform_change",
    "by_muscle",
    "by_position",
    "chance_jaccard_95",
    "seeds_spearman",
    "occlusion_spearman",
    "precision",
    "gradient_precision",
    "chance_precision_95",
)
HOLDS, FAILS, UNKNOWN, CHANGES = "yes", "no", "cannot be told", "its changes"

Tables = dict[str, pd.DataFrame]


def own_verdicts(entropies: pd.DataFrame, changed: pd.DataFrame, nulls: pd.DataFrame) -> pd.DataFrame:
    """Answer for each condition of a run whether its maps say where the network looks.

    By what uniform weights in place of the learned ones do to Er. Where the interval lies above `MARGIN`, the weights
    are worth something, and it is shown if the maps also rank inputs as the outputs depend on them, by occlusion,
    beyond both nulls. Where it lies below, it is shown to be otherwise: the network does as well without its map.
    Entropy describes the maps and decides nothing.

    Parameters
    ----------
    entropies
        Rows of `attention_tests.entropy_and_steadiness`.
    changed
        Rows of `attention_interventions.summary`.
    nulls
        Rows of `attention_nulls.against_nulls`.

    Returns
    -------
    pandas.DataFrame
        One row a study and condition of `changed`: study, condition, entropy (mean over muscles), verdict (`SHOWN`,
        `NOT_SHOWN`, `OTHERWISE`, `CANNOT`), spoken_against (it is not shown), sentence, effect (change of Er by uniform
        weights) with ci_low and ci_high, n, unit, occlusion (rank correlation) with occlusion_p (the larger of its
        nulls'), synthetic.
    """
    rows = []
    for (study, condition), group in changed.groupby(["study", "condition"], sort=False):
        by = {str(row["intervention"]): row for row in group.to_dict("records")}
        uniform = by[UNIFORM_WEIGHTS]
        own = nulls[(nulls["study"] == study) & (nulls["condition"] == condition) & (nulls["test"] == "occlusion")]
        occlusion, p_value = float(own["value"].mean()), float(own["p_value"].max(skipna=False)) if len(own) else np.nan
        verdict = _answer(float(uniform["ci_low"]), float(uniform["ci_high"]), int(uniform["n"]), p_value)
        maps = entropies[(entropies["study"] == study) & (entropies["condition"] == condition)]
        rows.append(
            {
                "study": study,
                "condition": condition,
                "entropy": float(maps["entropy"].mean()),
                "verdict": verdict,
                "spoken_against": verdict != SHOWN,
                "sentence": f"{worth(uniform)} {_ranks(occlusion, p_value)} {_context(by)}",
                "effect": uniform["change"],
                "ci_low": uniform["ci_low"],
                "ci_high": uniform["ci_high"],
                "n": uniform["n"],
                "unit": uniform["unit"],
                "occlusion": occlusion,
                "occlusion_p": p_value,
                "synthetic": bool(group["synthetic"].any()),
            }
        )
    return pd.DataFrame(rows)


def _answer(low: float, high: float, n: int, p_value: float) -> str:
    if not np.isfinite([low, high]).all():
        return CANNOT
    if n < FEWEST:
        return NOT_SHOWN
    if high < MARGIN:
        return OTHERWISE
    return SHOWN if low > MARGIN and p_value < ALPHA else NOT_SHOWN


def worth(row: Mapping[Hashable, Any]) -> str:
    """Say in a sentence what uniform weights in place of the learned ones do to Er.

    Parameters
    ----------
    row
        change, ci_low, ci_high, n and unit of `attention_interventions.summary`.
    """
    change = _interval(row)
    if not np.isfinite(row["ci_low"]):
        return (
            f"Uniform weights in place of the learned ones change Er by {row['change']:+.3f}; no interval can be made."
        )
    if row["n"] < FEWEST:
        few = f"{int(row['n'])} held-out {row['unit']}s are too few to decide"
        return f"{few}: uniform weights in place of the learned ones change Er by {change}."
    if row["ci_high"] < MARGIN:
        return f"The weights matter little: uniform ones in their place change Er by {change}, less than {MARGIN}."
    if row["ci_low"] > MARGIN:
        return f"The weights matter: uniform ones in their place change Er by {change}, more than {MARGIN}."
    return f"Whether the weights matter is not decided: uniform ones in their place change Er by {change}."


def _ranks(value: float, p_value: float) -> str:
    if not np.isfinite(value):
        return "Agreement with occlusion was not measured."
    if not np.isfinite(p_value):
        return f"They rank inputs as occlusion does with r = {value:.2f}, which has no null here."
    beyond = "beyond" if p_value < ALPHA else "not beyond"
    return (
        f"They rank inputs as occlusion does with r = {value:.2f}, {beyond} random and other muscles' maps "
        f"({_p(p_value)})."
    )


def _context(by: Mapping[str, Mapping[Hashable, Any]]) -> str:
    """Say what the context is worth, and what of it is this cycle's own: that is what another cycle's cannot give."""
    if not {OTHER_CONTEXT, NO_CONTEXT} <= set(by):
        return ""
    none, other = by[NO_CONTEXT], by[OTHER_CONTEXT]
    if none["n"] < FEWEST:
        return f"Without a context Er changes by {_interval(none)}, with another cycle's by {_interval(other)}."
    needed = "The context is needed" if none["ci_low"] > MARGIN else "The context is not shown to be needed"
    own = (
        "it tells of this cycle"
        if other["ci_low"] > MARGIN
        else "little of it is this cycle's own"
        if other["ci_high"] < MARGIN
        else "how much of it is this cycle's own is not decided"
    )
    return f"{needed}: without one Er changes by {_interval(none)}, with another cycle's by {_interval(other)}; {own}."


def _interval(row: Mapping[Hashable, Any]) -> str:
    return f"{row['change']:+.3f} (95 % CI {row['ci_low']:+.3f} to {row['ci_high']:+.3f})"


def _p(value: float) -> str:
    return "p < .001" if value < 0.001 else f"p = {value:.3f}"


def measures(results: xr.Dataset, nulls: pd.DataFrame, changed: pd.DataFrame | None = None) -> pd.DataFrame:
    """Lay what was measured on a condition's attention into one tidy table, to be compared between trainings.

    Parameters
    ----------
    results
        A trained condition.
    nulls
        Rows of `attention_nulls.against_nulls` for it.
    changed
        Rows of `attention_interventions.summary` for it; None where there were no weights to intervene on.

    Returns
    -------
    pandas.DataFrame
        One row a measure: study, condition, measure (entropy; later, slope, lag_ms and late of `attention.places`, for
        maps over samples; tests of `nulls`; interventions), value with its 95 % interval over held-out units, n,
        p_value (of a null: the larger of the two; of an intervention or a place: its t-test).
    """
    rows = []
    if not over_muscles(results) and results.sizes["token"] == results.sizes["output"]:
        found = places(results)
        for name in ("later", "lag_ms", "late"):
            whole = over_folds(found[name])
            rows.append({"measure": name, "value": whole.mean, "p_value": whole.p_value, **_ends(asdict(whole))})
    there = fold_maps(results).count(["channel", "output", "token"]) > 0
    entropy = {"measure": "entropy", "value": mean_entropy(results.attention.values), "n": int(there.sum())}
    for test, group in nulls.groupby("test", sort=False):
        first = group.iloc[0].to_dict()
        p_value = group["p_value"].max(skipna=False)
        rows.append({"measure": test, "value": first["value"], "p_value": p_value, **_ends(first)})
    for row in [] if changed is None else changed.to_dict("records"):
        about = {"measure": row["intervention"], "value": row["change"], "p_value": row["p_value"]}
        rows.append({**about, **_ends({str(name): value for name, value in row.items()})})
    head = {"study": results.attrs["study"], "condition": results.attrs["condition"]}
    columns = [*head, "measure", "value", "ci_low", "ci_high", "n", "p_value"]
    return pd.DataFrame([{**head, **row} for row in [entropy, *rows]], columns=columns)


def _ends(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("ci_low", "ci_high", "n")}


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
    high = chance_jaccard_95(TOP, tokens)
    orders = order.groupby(keys, sort=False)[["a", "b"]].agg(set)
    return table.assign(
        orders=[len(a | b) for a, b in zip(orders["a"], orders["b"], strict=True)],
        chance=chance_jaccard(TOP, tokens),
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
        Options, entropy, uniform_change (of Er, by uniform weights in place of the learned ones), by_muscle,
        by_position, chance_jaccard_95, seeds_spearman, occlusion_spearman, precision (of
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
    # a study that was made before this was measured has no such column
    worth = tables["encoders"].reindex(columns=[*OPTIONS, "uniform_change"])
    change = worth.groupby(OPTIONS, sort=False)["uniform_change"].mean()
    chance = chance_precision(int(planted["tokens"].iloc[0]))
    rows = []
    for variant in entropy.index[entropy.index.get_level_values("spatial") != "time_tokens"]:
        spatial = variant[0]
        usual = dict(zip(OPTIONS[1:], variant[1:], strict=True)) == USUAL
        row = {
            **dict(zip(OPTIONS, variant, strict=True)),
            "entropy": entropy[variant],
            "uniform_change": change[variant],
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
        known = all(np.isfinite(row[name]) for name in ("uniform_change", "by_muscle", "seeds_spearman", "precision"))
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
        f"uniform weights in place of its own cost less than {MARGIN} of Er": known["uniform_change"] < MARGIN,
        "its top ten does not follow the muscle when the order changes": known["by_muscle"]
        <= max(known["by_position"], known["chance_jaccard_95"]),
        "other seeds give another map": known["seeds_spearman"] < AGREES,
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
        f"{_name(row)}: {'may be read as what the output depends on' if row['readable'] == HOLDS else row['fails']}."
        for _, row in usual[usual["readable"] != UNKNOWN].iterrows()
    )
    untold = "; ".join(_name(row) for _, row in read[read["readable"] == UNKNOWN].iterrows())
    open_questions = [f"Not every test was made, and none speaks against the map, of: {untold}."] if untold else []
    opening = (
        f"Spatial maps that pass every test: {', '.join(good)}."
        if good
        else "No spatial attention map passes every test: none may be read as which muscles the output needs."
    )
    usual_lag = lag[lag["decoder_state"] == USUAL["decoder_state"]]
    temporal = (_lag_words(causes, rows) for causes, rows in usual_lag.groupby("causes", sort=False))
    return "\n".join([opening, *spatial, *open_questions, *temporal])


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
    """Apply the rule: among settings of equal held-out error, the one whose map passes every test."""
    better = summary[summary["ci_high"] < 0].sort_values("difference")
    lower = "".join(
        f"\nEr is shown lower than the default's with {_name(row)}: by {-row['difference']:.3f} (95 % CI "
        f"{-row['ci_high']:.3f} to {-row['ci_low']:.3f}, n = {row['n']})."
        for _, row in better.iterrows()
    )
    both = summary.merge(read[[*OPTIONS, "uniform_change", "readable", "fails"]], on=OPTIONS)
    equal = both[both["equal"]]
    passing = equal[equal["readable"] == HOLDS]
    default = both.set_index(OPTIONS).xs(DEFAULT)
    head = (
        f"{len(equal)} of {len(both)} settings with a map of muscles are not shown to be worse than the default "
        f"(paired over {summary['n'].iloc[0]} held-out units, so small differences are not seen)."
    )
    if passing.empty:
        worth = equal.dropna(subset="uniform_change").sort_values("uniform_change")
        most = [
            f" The most that uniform weights cost any of them is {row['uniform_change']:+.3f} of Er ({_name(row)}), "
            f"the default {default['uniform_change']:+.3f}."
            for _, row in worth.tail(1).iterrows()
        ]
        none = "None of them has a map that passes every test, so there is no reason to change the default."
        return "".join([f"{head} {none}", *most, lower])
    best = passing.sort_values("er").iloc[0]
    return (
        f"{head} Of those, the map of {_name(best)} passes every test (Er {best['er']:.2f}, entropy "
        f"{best['entropy']:.2f}).{lower}"
    )


def _name(row: pd.Series[Any]) -> str:
    return f"{row['spatial']}, {row['score']} score, decoder from {row['decoder_state']}"
