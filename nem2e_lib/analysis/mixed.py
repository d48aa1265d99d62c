# mypy: allow-untyped-calls
"""One linear mixed model of Er over all muscles and people of a study, beside the tests muscle by muscle.

``er ~ condition``, with random effects of people and muscles that cross, and of how each person, and each muscle, takes
to each condition (Baayen et al. 2008, doi:10.1016/j.jml.2007.12.005; that a contrast needs the latter: Barr et al.
2013, doi:10.1016/j.jml.2012.11.001). Fitted by statsmodels with restricted maximum likelihood.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec
from threadpoolctl import threadpool_limits

from nem2e_lib.analysis.statistics import ALPHA, ROUNDING, holm, one_sample

Array = NDArray[np.float64]
Outcome = Literal["er", "log_ratio"]
OUTCOMES: dict[Outcome, str] = {
    "er": "Er",
    "log_ratio": "natural logarithm of RMSE over OpenSim's RMSE, which is log(1 + Er)",
}
MEAN_CURVE = "mean_curve"
PLANNED = (
    ("one_entire", "one_quarter"),
    ("all_entire", "one_entire"),
    ("one_quarter", MEAN_CURVE),
    ("one_entire", MEAN_CURVE),
    ("all_entire", MEAN_CURVE),
)
"""Contrasts, first minus second."""
SCOPES = {
    "these muscles": "muscles and their response to each condition are fixed: the interval is for other people",
    "other muscles": "they are random: the interval is for other people and other muscles too",
}
"""What the interval of a contrast is for."""
_RANDOM: dict[str, dict[str, tuple[str, ...]]] = {
    "these muscles": {"unit": ("label",), "unit_muscle": ("label", "muscle"), "unit_condition": ("label", "condition")},
}
_RANDOM["other muscles"] = {
    **_RANDOM["these muscles"],
    "muscle": ("muscle",),
    "muscle_condition": ("muscle", "condition"),
}
"""Random effects: what shares each one."""
BOUNDARY = 0.01
"""Share of all variance below which an effect's variance is 0: statsmodels warns of a boundary there."""


class _Fit(NamedTuple):
    """A fit, the conditions in the order of its first coefficients, variances of its effects, and what was told."""

    fit: Any
    order: list[str]
    variances: dict[str, float]
    warned: str


def mixed(
    errors: pd.DataFrame, contrasts: Sequence[tuple[str, str]] = PLANNED, outcome: Outcome = "er"
) -> pd.DataFrame:
    """Fit the model to each study, once a scope, and return its contrasts.

    Parameters
    ----------
    errors
        Rows of `metrics.errors` of the conditions; the mean curve joins them as one more. The channels of an electrode
        are averaged first.
    contrasts
        Conditions to be compared, first minus second; those that a study lacks are left out.
    outcome
        See `OUTCOMES`.

    Returns
    -------
    pandas.DataFrame
        One row a study, scope (`SCOPES`) and contrast: a, b, difference, ci_low, ci_high, t, p_value (Student's, with
        `df` one less than the units, or than the muscles where these are fewer and random, since statsmodels' normal
        distribution is too sure for so few), n_units, n_muscles, rows, left_out (rows without Er), sd_unit, sd_muscle,
        sd_unit_muscle, sd_unit_condition, sd_muscle_condition, sd_residual (NaN where a scope has no such effect, 0
        where it is at its boundary), converged, warned (what the fit warned of, and what was taken out), unit,
        synthetic, reason (why there is no fit). Beside it stand the tests that take no model: paired_difference,
        paired_ci_low, paired_ci_high (over units, of their means over muscles) and muscles_lower, muscles_higher (in
        how many muscles the paired t-test finds the first lower or higher at p < .05, Holm over the muscles).
    """
    rows = []
    for study, table in _cells(errors, outcome).groupby("study", sort=False):
        for scope, random in _RANDOM.items():
            rows += _contrasts(str(study), scope, table, random, contrasts)
    return pd.DataFrame(rows)


def _cells(errors: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """One row a study, electrode, unit and condition, the mean curve among them."""
    curve = errors.drop_duplicates(["study", "muscle", "label"]).assign(condition=MEAN_CURVE)
    every = pd.concat([errors, curve.assign(er=curve["er_mean_curve"])])
    keys = ["study", "electrode", "label", "condition", "unit", "synthetic"]
    table = every.groupby(keys, sort=False)["er"].mean().reset_index().rename(columns={"electrode": "muscle"})
    known = np.isfinite(table["er"].to_numpy(float))
    value = np.log1p(table["er"]) if outcome == "log_ratio" else table["er"]
    return table.assign(value=np.where(known, value, np.nan))


def _contrasts(
    study: str,
    scope: str,
    table: pd.DataFrame,
    random: Mapping[str, tuple[str, ...]],
    contrasts: Sequence[tuple[str, str]],
) -> list[dict[str, Any]]:
    used = table[table["value"].notna()]
    counts = {"n_units": used["label"].nunique(), "n_muscles": used["muscle"].nunique()}
    first = table.iloc[0]
    head = {"study": study, "scope": scope, **counts, "rows": len(used), "left_out": len(table) - len(used)}
    head |= {"unit": str(first["unit"]), "synthetic": bool(first["synthetic"])}
    have = set(used["condition"])
    wanted = [pair for pair in contrasts if have >= set(pair)]
    beside = {pair: _paired(used, *pair) for pair in wanted}
    reason = _why_not(used, counts)
    if reason:
        nothing: dict[str, Any] = dict.fromkeys(("difference", "ci_low", "ci_high", "t", "p_value"), float("nan"))
        nothing |= {"converged": False, "warned": "", "reason": reason}
        return [{**head, "a": a, "b": b, **nothing, **beside[a, b]} for a, b in wanted]
    size = float(used["value"].std())
    found = _fitted(used, scope, random, size)
    df = (counts["n_units"] if scope == "these muscles" else min(counts.values())) - 1
    spread = {f"sd_{name}": 0.0 for name in random}
    spread |= {f"sd_{name}": size * float(np.sqrt(max(v, 0.0))) for name, v in found.variances.items()}
    whole = dict.fromkeys((f"sd_{name}" for name in _RANDOM["other muscles"]), float("nan")) | spread
    whole["sd_residual"] = size * float(np.sqrt(found.fit.scale))
    every = {**whole, "converged": bool(found.fit.converged), "warned": found.warned, "df": df, "reason": ""}
    return [{**head, **_contrast(found, a, b, df, size), **every, **beside[a, b]} for a, b in wanted]


def _paired(used: pd.DataFrame, a: str, b: str) -> dict[str, Any]:
    """Paired tests over units: of the mean over the muscles that both conditions have, and muscle by muscle."""
    wide = used[used["condition"].isin([a, b])]
    wide = wide.pivot_table(index=["muscle", "label"], columns="condition", values="value", sort=False).dropna()
    change = wide[a] - wide[b]
    whole = one_sample(change.groupby("label", sort=False).mean())
    tests = [one_sample(one) for _, one in change.groupby("muscle", sort=False)]
    sure = holm([test.p_value for test in tests]) < ALPHA
    below = np.array([test.mean < 0 for test in tests])
    return {
        "paired_difference": whole.mean,
        "paired_ci_low": whole.ci_low,
        "paired_ci_high": whole.ci_high,
        "muscles_lower": int((sure & below).sum()),
        "muscles_higher": int((sure & ~below).sum()),
    }


def _why_not(used: pd.DataFrame, counts: Mapping[str, int]) -> str:
    if counts["n_units"] < 2:
        return f"{counts['n_units']} held-out unit: a random effect needs two."
    if counts["n_muscles"] < 2:
        return f"{counts['n_muscles']} muscle: the model needs two, and its own test is the paired one."
    values = used["value"].to_numpy(float)
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        return "All values are the same."
    return ""


def _fitted(used: pd.DataFrame, scope: str, random: Mapping[str, tuple[str, ...]], size: float) -> _Fit:
    """Fit values over `size`, so that their variance is 1: statsmodels' limits for a boundary are absolute.

    An effect whose variance lies at the boundary is taken out and told: the likelihood is the same without it, and
    statsmodels' optimisers stop short of a boundary.
    """
    order = sorted(used["condition"].unique())
    fixed = _indicators(used["condition"], order)
    if scope == "these muscles":
        fixed = np.column_stack([fixed, *_deviations(used, order)])
    columns = {name: _indicators(_joined(used, keys)) for name, keys in random.items()}
    told: list[str] = []
    while True:
        fit, warned = _restricted(used["value"].to_numpy(float) / size, fixed, columns)
        variances = dict(zip(columns, fit.vcomp, strict=True))
        least = min(variances, key=lambda name: variances[name])
        if variances[least] > BOUNDARY or len(columns) == 1:
            return _Fit(fit, order, variances, "; ".join([*told, *warned]))
        told.append(f"the variance of {least} is at its boundary, 0: fitted without it")
        del columns[least]


def _restricted(values: Array, fixed: Array, columns: Mapping[str, Array]) -> tuple[Any, list[str]]:
    """Fit by restricted maximum likelihood, with what statsmodels warns of."""
    names = [[[f"{name}{k}" for k in range(part.shape[1])]] for name, part in columns.items()]
    effects = VCSpec(list(columns), names, [[part] for part in columns.values()])
    everyone = np.zeros(len(values), int)  # one group, since the effects cross
    with warnings.catch_warnings(record=True) as caught, threadpool_limits(1):
        warnings.simplefilter("always")
        fit = MixedLM(values, fixed, everyone, exog_re=None, exog_vc=effects).fit(reml=True)
    return fit, list(dict.fromkeys(str(one.message) for one in caught))


def _joined(used: pd.DataFrame, keys: tuple[str, ...]) -> pd.Series:
    return used[list(keys)].astype(str).agg("\t".join, axis=1)


def _indicators(values: pd.Series, levels: Sequence[Hashable] | None = None) -> Array:
    known = levels if levels is not None else sorted(values.unique())
    return (values.to_numpy()[:, None] == np.array(known, object)).astype(float)


def _deviations(used: pd.DataFrame, conditions: list[str]) -> list[Array]:
    """Columns of muscles that add up to 0 over the muscles, one a condition: so each condition's own is the mean."""
    muscles = _indicators(used["muscle"])
    apart = muscles[:, :-1] - muscles[:, -1:]
    return [apart * (used["condition"] == name).to_numpy()[:, None] for name in conditions]


def _contrast(found: _Fit, a: str, b: str, df: int, size: float) -> dict[str, Any]:
    fit, order = found.fit, found.order
    weights = np.zeros(len(fit.fe_params))
    weights[order.index(a)], weights[order.index(b)] = 1.0, -1.0
    covariance = np.asarray(fit.cov_params())[: len(weights), : len(weights)]
    difference = size * float(weights @ fit.fe_params)
    error = size * float(np.sqrt(weights @ covariance @ weights))
    half, t = float(student.ppf(1 - ALPHA / 2, df)) * error, difference / error
    ends = {"difference": difference, "ci_low": difference - half, "ci_high": difference + half}
    return {"a": a, "b": b, **ends, "t": t, "p_value": float(2 * student.sf(abs(t), df))}
