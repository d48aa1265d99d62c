"""Every method of a study in one ranking: Er and rank with intervals, who beats whom, costs, what being told adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import rankdata

from nem2e_lib.analysis.statistics import ALPHA, holm, one_sample, over_folds
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.results import configuration_of
from nem2e_lib.training.stdrnet import parameters

BOOTSTRAP = 10_000
"""Times that units are drawn anew for the interval of a rank."""
DECIMALS = 12
"""Er is rounded to these, so that a method equal to OpenSim has Er 0 and no test is made of rounding errors."""


def per_unit(errors: pd.DataFrame) -> pd.DataFrame:
    """Return each method's Er per held-out unit: mean over the channels of an electrode, then over electrodes.

    A muscle whose Er is undefined for every method (its simulation is a copy of its EMG) is left out for all; one that
    is undefined for a single method makes that method's Er undefined. Of a unit of which an electrode was not recorded
    the mean is over the others, for every method alike (`metrics.lacking` says which).

    Parameters
    ----------
    errors
        Rows of `metrics.errors` of any number of studies and methods (`condition`).

    Returns
    -------
    pandas.DataFrame
        Columns study, method, unit, label, er, n_electrodes, synthetic.
    """
    _require_same_cells(errors)
    cells = errors.groupby(["study", "muscle", "label"], sort=False)["er"]
    usable = errors[cells.transform("count") > 0]
    keys = ["study", "condition", "unit", "label", "synthetic"]
    whole = {"er": ("er", lambda values: values.mean(skipna=False))}
    electrodes = usable.groupby([*keys, "electrode"], sort=False).agg(**whole).reset_index()
    table = electrodes.groupby(keys, sort=False).agg(**whole, n_electrodes=("er", "size")).reset_index()
    ordered = ["study", "method", "unit", "label", "er", "n_electrodes", "synthetic"]
    return table.rename(columns={"condition": "method"}).assign(er=lambda t: t["er"].round(DECIMALS))[ordered]


def _require_same_cells(errors: pd.DataFrame) -> None:
    for study, rows in errors.groupby("study", sort=False):
        cells = {
            str(method): list(zip(group["muscle"], group["label"], strict=True))
            for method, group in rows.groupby("condition", sort=False)
        }
        all_cells = set().union(*cells.values())
        for method, have in cells.items():
            if len(have) != len(all_cells) or set(have) != all_cells:
                raise Nem2eError(
                    f"leaderboard: {method} of study {study!s} has {len(have)} rows of muscles and held-out units, "
                    f"expected the {len(all_cells)} that there are, once each; evaluate it on the same cycles."
                )


def standings(errors: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return the ranking of a number of studies, best first.

    Parameters
    ----------
    errors
        Rows of `metrics.errors`.
    costs
        Rows of `costs`.

    Returns
    -------
    pandas.DataFrame
        Columns study, rank, rank_low, rank_high (see `rank_intervals`), method, er_mean, ci_low, ci_high, p_value
        (t-test over units of the mean over electrodes), wins, losses (paired, Holm-corrected, see `duels`), parameters,
        seconds, n_units, unit, n_electrodes, synthetic, reason (why a test is undefined).
    """
    units, fights = per_unit(errors), duels(errors)
    rows = [_standing(group) for _, group in units.groupby(["study", "method"], sort=False)]
    table = pd.DataFrame(rows).merge(costs, on=["study", "method"], how="left")
    table["wins"] = [_decided(fights, row.study, row.method)[0] for row in table.itertuples()]
    table["losses"] = [_decided(fights, row.study, row.method)[1] for row in table.itertuples()]
    table["rank"] = table.groupby("study", sort=False)["er_mean"].rank(method="min").astype("Int64")
    table = table.merge(rank_intervals(units), on=["study", "method"], how="left")
    columns = [
        "study",
        "rank",
        "rank_low",
        "rank_high",
        "method",
        "er_mean",
        "ci_low",
        "ci_high",
        "p_value",
        "wins",
        "losses",
        "parameters",
        "seconds",
        "n_units",
        "unit",
        "n_electrodes",
        "synthetic",
        "reason",
    ]
    return table[columns].sort_values(["study", "er_mean"], kind="stable", ignore_index=True)


def rank_intervals(units: pd.DataFrame, draws: int = BOOTSTRAP, seed: int = 0) -> pd.DataFrame:
    """Return a 95 % interval of every method's rank, by bootstrap over held-out units.

    A study's units are drawn with replacement, the same for all methods, and methods are ranked by the mean Er of what
    was drawn; the interval is of percentiles. With few units it is too narrow, as every bootstrap is, and folds share
    training data. A method whose Er is undefined has none.

    Parameters
    ----------
    units
        Rows of `per_unit`.
    draws, seed
        How often units are drawn, and from which seed.

    Returns
    -------
    pandas.DataFrame
        Columns study, method, rank_low, rank_high.
    """
    tables = []
    for study, group in units.groupby("study", sort=False):
        wide = group.pivot_table(index="label", columns="method", values="er", sort=False, dropna=False)
        wide = wide.loc[:, wide.notna().all()]
        count = len(wide)
        weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1.0 / count), size=draws) / count
        means = (weights @ wide.to_numpy()).round(DECIMALS)
        ranks = rankdata(means, method="min", axis=1)
        low, high = np.quantile(ranks, (0.025, 0.975), axis=0, method="inverted_cdf").astype(int)
        tables.append(pd.DataFrame({"study": study, "method": wide.columns, "rank_low": low, "rank_high": high}))
    return pd.concat(tables, ignore_index=True).astype({"rank_low": "Int64", "rank_high": "Int64"})


def told(units: pd.DataFrame, told_units: pd.DataFrame, why: Mapping[str, str]) -> pd.DataFrame:
    """Return what every method gains from being told speed, duration and condition, paired over held-out units.

    Parameters
    ----------
    units, told_units
        Rows of `per_unit` of methods that are told nothing, and of the same that are told.
    why
        By method, why there is no row of it in `told_units`.

    Returns
    -------
    pandas.DataFrame
        Columns study, method, er_mean, er_told, difference (told minus not told: below 0 where it helps), ci_low,
        ci_high (95 %), p_value (paired, see `duels`), p_holm (over the methods of a study), n, reason (why there is no
        number or test). Best first.
    """
    keys = ["study", "method"]
    both = units.merge(told_units[[*keys, "label", "er"]], on=[*keys, "label"], how="left", suffixes=("", "_told"))
    rows = []
    for (study, method), group in both.groupby(keys, sort=False):
        row = {"study": study, "method": method, "er_mean": group["er"].mean(skipna=False)}
        if group["er_told"].notna().any():
            found = _paired(group["er_told"] - group["er"])
            rows.append({**row, "er_told": group["er_told"].mean(skipna=False), **found})
        else:
            rows.append(
                {**row, "er_told": np.nan, "p_value": np.nan, "reason": why.get(str(method), "not measured here")}
            )
    table = pd.DataFrame(rows, columns=[*keys, "er_mean", "er_told", *_DUEL[3:6], "p_value", "n", "reason"])
    table["n"] = table["n"].astype("Int64")
    corrected = [part.assign(p_holm=holm(part["p_value"])) for _, part in table.groupby("study", sort=False)]
    ordered = [*keys, "er_mean", "er_told", "difference", "ci_low", "ci_high", "p_value", "p_holm", "n", "reason"]
    return pd.concat(corrected)[ordered].sort_values(["study", "er_mean"], kind="stable", ignore_index=True)


def for_reading(
    table: pd.DataFrame, gains: pd.DataFrame, tuned_on: Mapping[str, str], number: Callable[[float], str]
) -> pd.DataFrame:
    """Return the leaderboard as it is read: ranks and Er with their intervals in a cell each.

    Parameters
    ----------
    table, gains
        Rows of `standings` and `told`.
    tuned_on
        By method, what was chosen on which data.
    number
        From a number to its text.
    """
    known = gains.set_index(["study", "method"])
    rows = []
    for one in table.to_dict("records"):
        gain = known.loc[(one["study"], one["method"])]
        told_er = number(gain["er_told"]) if np.isfinite(gain["er_told"]) else gain["reason"]
        rows.append(
            {
                "study": one["study"],
                "rank": _interval(*(str(one[name]) for name in ("rank", "rank_low", "rank_high"))),
                "method": one["method"],
                "Er": _interval(*(number(one[name]) for name in ("er_mean", "ci_low", "ci_high"))),
                "Er, told speed and duration": told_er,
                "wins": one["wins"],
                "losses": one["losses"],
                "tuned on": tuned_on.get(one["method"], "not said"),
                "parameters": one["parameters"],
                "seconds": one["seconds"],
                "n": one["n_units"],
            }
        )
    return pd.DataFrame(rows)


def _interval(value: str, low: str, high: str) -> str:
    return f"{value} [{low}, {high}]"


def _standing(group: pd.DataFrame) -> dict[str, object]:
    test, first = one_sample(group["er"]), group.iloc[0]
    kept = {name: first[name] for name in ("study", "method", "unit", "synthetic")}
    kept["n_electrodes"] = group["n_electrodes"].max()
    tested = {name: getattr(test, name) for name in ("ci_low", "ci_high", "p_value", "reason")}
    return {**kept, "er_mean": group["er"].mean(skipna=False), **tested, "n_units": len(group)}


def duels(errors: pd.DataFrame) -> pd.DataFrame:
    """Compare every pair of methods over held-out units of the mean Er over electrodes, paired: for exploring.

    What a page answers is planned beforehand (`contrasts`); whatever is sure here, over all pairs, is shown there too,
    since the test is the same (`statistics.over_folds`) and its family larger.

    Returns
    -------
    pandas.DataFrame
        Columns study, a, b, difference (Er of a minus Er of b), ci_low, ci_high (95 %, corrected for training data that
        folds share, not for the number of pairs), t, p_value, p_holm (over all pairs of a study), n, winner (the method
        with the lower Er where p_holm < .05, else empty),
        reason.
    """
    tables = []
    for study, group in per_unit(errors).groupby("study", sort=False):
        wide = group.pivot_table(index="label", columns="method", values="er", sort=False, dropna=False)
        rows = [{"study": study, "a": a, "b": b, **_paired(wide[a] - wide[b])} for a, b in combinations(wide, 2)]
        tables.append(_corrected(pd.DataFrame(rows, columns=_DUEL)))
    return pd.concat(tables, ignore_index=True)


_DUEL = ["study", "a", "b", "difference", "ci_low", "ci_high", "t", "p_value", "n", "reason"]


def _paired(differences: pd.Series) -> dict[str, object]:
    test = over_folds(differences.round(DECIMALS))
    kept = {name: getattr(test, name) for name in ("ci_low", "ci_high", "t", "p_value", "n", "reason")}
    return {"difference": float(differences.mean(skipna=False)), **kept}


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    table = table.assign(p_holm=holm(table["p_value"]))
    sure = table["p_holm"] < ALPHA
    lower = table["a"].where(table["difference"] < 0, table["b"])
    return table.assign(winner=lower.where(sure, ""))


def _decided(fights: pd.DataFrame, study: object, method: object) -> tuple[int, int]:
    """Count the duels that a method has won and lost."""
    here = fights[(fights["study"] == study) & ((fights["a"] == method) | (fights["b"] == method))]
    won = int((here["winner"] == method).sum())
    return won, int((here["winner"] != "").sum()) - won


def against(fights: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the duels of one method as it sees them: its Er minus the rival's, below 0 where it is better.

    Parameters
    ----------
    fights
        Rows of `duels`.
    method
        Id of the method.

    Returns
    -------
    pandas.DataFrame
        Columns study, rival, difference, low, high (its 95 % CI), p_holm, n.
    """
    own = fights[(fights["a"] == method) | (fights["b"] == method)]
    flipped = own["b"] == method
    rows = own.assign(
        rival=own["a"].where(flipped, own["b"]),
        difference=own["difference"].where(~flipped, -own["difference"]),
        low=own["ci_low"].where(~flipped, -own["ci_high"]),
        high=own["ci_high"].where(~flipped, -own["ci_low"]),
    )
    return rows[["study", "rival", "difference", "low", "high", "p_holm", "n"]]


def said(table: pd.DataFrame, fights: pd.DataFrame, name: Callable[[str], str] = str) -> list[str]:
    """Say of each study in a sentence which method is best, and from which it cannot be told apart.

    Parameters
    ----------
    table, fights
        Rows of `standings` and `duels`.
    name
        From the id of a method to what it is called.
    """
    return [_said(str(study), rows, fights, name) for study, rows in table.groupby("study", sort=False)]


def _said(study: str, table: pd.DataFrame, fights: pd.DataFrame, name: Callable[[str], str]) -> str:
    ranked = table[table["er_mean"].notna()].sort_values("er_mean", kind="stable")
    if ranked.empty:
        return f"{study}: Er is undefined for every method."
    best, er = str(ranked["method"].iloc[0]), f"{ranked['er_mean'].iloc[0]:+.2f}".replace("-", "\N{MINUS SIGN}")
    won = fights.loc[(fights["study"] == study) & (fights["winner"] == best), ["a", "b"]].to_numpy().ravel()
    beaten = set(won) - {best}
    level = [name(str(one)) for one in ranked["method"] if one != best and one not in beaten]
    return (
        f"{study}: {name(best)} has the lowest Er ({er}). Over all pairs, for exploring, it is lower than that of "
        f"{len(beaten)} of {len(table) - 1} others (Holm, p < {ALPHA:g}); not shown to be lower than: "
        f"{'; '.join(level) or 'none'}."
    )


def costs(results: Iterable[xr.Dataset]) -> pd.DataFrame:
    """Return what methods cost: columns study, method, parameters (of one fold, all channels), seconds (all folds).

    Parameters are NaN where nobody knows.

    Parameters
    ----------
    results
        Trained conditions and evaluated rivals.
    """
    return pd.DataFrame(
        [
            {
                "study": r.attrs["study"],
                "method": r.attrs["condition"],
                "parameters": _parameters(r),
                "seconds": float(r.attrs["seconds"]),
            }
            for r in results
        ],
        columns=["study", "method", "parameters", "seconds"],
    )


def _parameters(results: xr.Dataset) -> float:
    if "parameters" in results.attrs:
        told = float(results.attrs["parameters"])
        return round(told) if np.isfinite(told) else told
    configuration = Configuration(**configuration_of(results))
    condition = results.attrs["condition"]
    features = results.sizes["sample"] if condition == "all_entire" else 1
    models = 4 if condition == "one_quarter" and configuration.quarter == "separate" else 1
    return models * results.sizes["channel"] * results.sizes["seed"] * parameters(features, configuration)
